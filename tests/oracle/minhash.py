"""Plain-Python twins of the MinHash kernels: shingles, their hashes, signatures, band keys.

In: bytes, numbers and lists; the permutations' numbers are handed to it. Out: the same. It refuses to know of arrays,
of numba, of datasketch and of speed.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from twins import BASE, MASK, fingerprint

MASK32 = 2**32 - 1
SHINGLE = 5


def shingles(text: bytes) -> list[bytes]:
    r"""Five consecutive words each, joined by single spaces; all words of a text that has fewer.

    >>> shingles(b"a b-c(d,\n e) f"), shingles(b"def caf\xc3\xa9():"), shingles(b"+-;\x00")
    ([b'a b c d e', b'b c d e f'], [b'def caf\xc3\xa9'], [])
    """
    words = re.findall(rb"[A-Za-z0-9_\x80-\xff]+", text)
    if not words:
        return []
    return [b" ".join(words[i : i + SHINGLE]) for i in range(max(1, len(words) - SHINGLE + 1))]


def hash64(shingle: bytes) -> int:
    """The 64-bit hash of a shingle: that of a k-gram, over as many bytes as it has.

    >>> hex(hash64(b"a b c d e"))
    '0x6ce3b3a650ed9cf7'
    """
    return fingerprint(shingle)


def hash32(shingle: bytes) -> int:
    """The low half of it.

    >>> hex(hash32(b"a"))
    '0xe51fa977'
    """
    return hash64(shingle) & MASK32


def mix32(value: int) -> int:
    """MurmurHash3's mixer for 32 bits.

    >>> hex(mix32(0)), hex(mix32(1))
    ('0x0', '0x514e28b7')
    """
    value = ((value ^ value >> 16) * 0x85EBCA6B) & MASK32
    value = ((value ^ value >> 13) * 0xC2B2AE35) & MASK32
    return value ^ value >> 16


def signature(hashes: Iterable[int], permutations: Sequence[tuple[int, int]]) -> list[int]:
    """For each permutation (a, b) the smallest a * x + b modulo 2**32 of the mixed hashes; the largest number of none.

    >>> signature([0, 1], [(1, 5), (3, 2**32 - 1)]), signature([], [(1, 5)])
    ([5, 4092230180], [4294967295])
    """
    mixed = {mix32(value & MASK32) for value in hashes}
    return [min(((a * x + b) & MASK32 for x in mixed), default=MASK32) for a, b in permutations]


def jaccard(a: bytes, b: bytes) -> float:
    """Shared shingles among all of both, the shingles compared as bytes; 0 where neither text has a word.

    >>> jaccard(b"a b c d e f", b"a b c d e g"), jaccard(b"", b"")
    (0.3333333333333333, 0.0)
    """
    mine, others = set(shingles(a)), set(shingles(b))
    return len(mine & others) / len(mine | others) if mine | others else 0.0


def band_keys(row: Sequence[int], bands: int, length: int) -> list[int]:
    """The key of each band: the polynomial of its number and its members, mixed.

    >>> band_keys([7, 8, 9], 1, 2) == [fingerprint_of([0, 7, 8])]
    True
    """
    return [fingerprint_of([band, *row[band * length : (band + 1) * length]]) for band in range(bands)]


def fingerprint_of(numbers: Sequence[int]) -> int:
    """The polynomial of numbers, then MurmurHash3's mixer; of bytes it is `twins.fingerprint`.

    >>> fingerprint_of(b"ab") == fingerprint(b"ab")
    True
    """
    value = 0
    for number in numbers:
        value = (value * BASE + number) & MASK
    for factor in (0xFF51AFD7ED558CCD, 0xC4CEB9FE1A85EC53):
        value = ((value ^ value >> 33) * factor) & MASK
    return value ^ value >> 33
