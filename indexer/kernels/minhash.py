"""MinHash: the word shingles of a text, its signature under 128 permutations, and the keys of its bands.

In: raw bytes, or 32-bit hashes; the numbers of the permutations. Out: 64-bit shingle hashes, rows of 32-bit minima,
64-bit band keys. It refuses to know where the permutations come from, which threshold is meant, and of files.

A **word** is a longest run of ASCII letters, digits, `_` and bytes above 127, so that names in any script are words
and any bytes have some. A **shingle** is five consecutive words joined by single spaces; a text of one to four words
has one shingle, all of them; a text without words has none. Its **64-bit hash** is that of a k-gram (`winnow.py`): the
polynomial sum(c[i] * BASE**(n-1-i)) modulo 2**64 over its bytes, finished by the 64-bit mixer of MurmurHash3 (Appleby,
public domain). Its **32-bit hash** is the low half of that.

Why words, and five: `bench/shingles.py` on 500 files of 170 packages from a site-packages. Distinct shingles in 1,000
bytes; Jaccard, median and in brackets 10th percentile, of a file and itself reformatted (`ruff format`, 70 columns,
other quotes), of a file that pip vendors and the installed one, of a file and itself with a word in one line of ten
edited; 99th percentile of unrelated files.

| shingle | distinct | reformatted | vendored | edited | unrelated |
|---|---|---|---|---|---|
| 3 words | 87 | 1.00 (1.00) | .83 (.23) | .88 (.83) | .011 |
| 5 words | 97 | 1.00 (1.00) | .78 (.14) | .82 (.74) | .003 |
| 7 words | 100 | 1.00 (1.00) | .72 (.11) | .76 (.67) | .001 |
| 8 words and signs | 176 | .75 (.46) | .78 (.16) | .84 (.78) | .003 |
| 12 canonical bytes | 517 | .85 (.65) | .85 (.23) | .88 (.84) | .013 |
| 25 canonical bytes | 620 | .78 (.54) | .79 (.17) | .82 (.76) | .004 |

Words do not see how code is laid out, which quotes and brackets it has, and there are six times fewer of them than
k-grams; five keep unrelated files as far apart as 25 bytes do. BigCode's deduplication of The Stack counts five words
too. What no word tells apart (`a + b` and `a - b`) is the same here: MinHash finds relatives, it never proves a copy.

The signature is that of Broder (On the resemblance and containment of documents, 1997): for each permutation the
smallest image of a shingle. A permutation is x -> a * x + b modulo 2**32 with odd a (Dietzfelbinger et al., 1997) of
the 32-bit hash, mixed once by the 32-bit mixer of MurmurHash3; datasketch 2.x calls that `affine32`.
"""

from __future__ import annotations

import numpy as np

from codecite.indexer.kernels.jit import kernel, part
from codecite.indexer.kernels.lanes import LANES, lower_lanes
from codecite.indexer.kernels.types import Any32, Bytes, Ints, Words
from codecite.indexer.kernels.winnow import BASE

SHINGLE = 5
"""Words in a shingle."""
CHUNK = 1024
"""Shingles hashed at a time: hashes, mixed hashes and one permutation after the other stay in the first-level cache."""
STATE = 6
"""What `_fill` remembers between its calls: offset, words seen, hashes of the last one to four words."""
EMPTY = np.uint32(0xFFFFFFFF)
"""What stands in every place of the signature of a text without words."""

_MIX1 = np.uint64(0xFF51AFD7ED558CCD)
_MIX2 = np.uint64(0xC4CEB9FE1A85EC53)
_SHIFT = np.uint64(33)
_SPACE = np.uint64(32)
_MIX1_32 = np.uint32(0x85EBCA6B)
_MIX2_32 = np.uint32(0xC2B2AE35)
_ONE = np.uint64(1)
_IS_WORD = np.array([byte > 127 or byte == 95 or chr(byte).isalnum() for byte in range(256)])


@part
def _mix(x: np.uint64) -> np.uint64:
    x = (x ^ (x >> _SHIFT)) * _MIX1
    x = (x ^ (x >> _SHIFT)) * _MIX2
    return x ^ (x >> _SHIFT)


@part
def _fill(text: Bytes, state: Words, hashes: Words) -> int:
    """Hash the next shingles of `text`, as many as `hashes` has room for; return how many.

    `state` is all zeros at first; the text is done when `state[0]`, the offset, has reached its end. With h1 to h4 the
    hashes of the last one to four words, a word of hash w and of n bytes makes h5 = (h4 * BASE + 32) * BASE**n + w the
    hash of a shingle; likewise it makes each of the others from the one below.
    """
    at = state[0]
    seen = np.int64(state[1])
    end = np.uint64(len(text))
    h1, h2, h3, h4 = state[2], state[3], state[4], state[5]
    count = 0
    while count < len(hashes):
        while at < end and not _IS_WORD[text[at]]:
            at += _ONE
        if at == end:
            break
        word = np.uint64(0)
        power = np.uint64(1)
        while at < end and _IS_WORD[text[at]]:
            word = word * BASE + np.uint64(text[at])
            power *= BASE
            at += _ONE
        spaced = word + power * _SPACE
        power *= BASE
        if seen >= SHINGLE - 1:
            hashes[count] = _mix(h4 * power + spaced)
            count += 1
        h4 = h3 * power + spaced
        h3 = h2 * power + spaced
        h2 = h1 * power + spaced
        h1 = word
        seen += 1
    if at == end and seen > 0 and seen < SHINGLE:
        hashes[0] = _mix(h1 if seen == 1 else (h2 if seen == 2 else (h3 if seen == 3 else h4)))
        count = 1
    state[0], state[1] = at, np.uint64(seen)
    state[2], state[3], state[4], state[5] = h1, h2, h3, h4
    return count


@part
def _lower(hashes: Words, count: int, factors: Any32, offsets: Any32, mixed: Any32, row: Any32) -> None:
    """Lower each number of `row` to the smallest image of the low halves of `count` hashes under its permutation."""
    for i in range(count):
        x = np.uint32(hashes[i])
        x = np.uint32((x ^ (x >> np.uint32(16))) * _MIX1_32)
        x = np.uint32((x ^ (x >> np.uint32(13))) * _MIX2_32)
        mixed[i] = x ^ (x >> np.uint32(16))
    for first in range(0, len(row), LANES):
        lower_lanes(mixed, count, factors, offsets, row, first)


@kernel
def hash_shingles(text: Bytes, state: Words, hashes: Words) -> int:
    """Write the 64-bit hashes of all shingles of `text`, in order and with repetitions; return how many there are.

    `state` has `STATE` zeros, `hashes` room for `len(text) // 2 + 1`. `b"a b-c(d, e) f"` has two: those of the bytes
    `a b c d e` and `b c d e f`.
    """
    return _fill(text, state, hashes)


@kernel
def hash_bytes(shingle: Bytes) -> int:
    """The 64-bit hash of the bytes of one shingle, its words already joined."""
    value = np.uint64(0)
    for i in range(len(shingle)):
        value = value * BASE + np.uint64(shingle[i])
    return _mix(value)


@kernel
def sign(
    raw: Bytes, ends: Ints, factors: Any32, offsets: Any32, state: Words, hashes: Words, mixed: Any32, rows: Any32
) -> None:
    """Write to `rows[i]` the signature of the Document that lies in `raw` up to `ends[i]`.

    `factors` (odd) and `offsets` are the a and b of the permutations, as many as a row is long, a multiple of `LANES`.
    `state` has `STATE` words, `hashes` and `mixed` have `CHUNK`. A shingle may come again and again: only the set of
    them counts.
    """
    begin = 0
    for i in range(len(ends)):
        text = raw[begin : ends[i]]
        row = rows[i]
        row[:] = EMPTY
        state[:] = 0
        while np.int64(state[0]) < len(text):
            count = _fill(text, state, hashes)
            _lower(hashes, count, factors, offsets, mixed, row)
        begin = ends[i]


@kernel
def sign_hashes(given: Words, factors: Any32, offsets: Any32, mixed: Any32, row: Any32) -> None:
    """The same of one set whose hashes are given (their low halves count): `row` becomes its signature."""
    row[:] = EMPTY
    for first in range(0, len(given), CHUNK):
        count = min(CHUNK, len(given) - first)
        _lower(given[first : first + count], count, factors, offsets, mixed, row)


@kernel
def drop_repeated(ascending: Words) -> int:
    """Keep one of each number at the head of the array; return how many. `[3, 3, 7]` becomes `[3, 7, ...]`: two."""
    count = 0
    for i in range(len(ascending)):
        if i == 0 or ascending[i] != ascending[count - 1]:
            ascending[count] = ascending[i]
            count += 1
    return count


@kernel
def count_shared(a: Words, b: Words) -> int:
    """How many numbers two ascending arrays without repetitions share. `[1, 4, 6]` and `[4, 5, 6]` share two."""
    i = 0
    j = 0
    shared = 0
    while i < len(a) and j < len(b):
        x = a[i]
        y = b[j]
        shared += x == y
        i += x <= y
        j += y <= x
    return shared


@kernel
def key_bands(rows: Any32, length: int, keys: Words) -> None:
    """Write to `keys[i, n]` the key of band n of the signature `rows[i]`: its numbers n * length to (n + 1) * length.

    The key is the polynomial of a shingle's hash, over the band's number and then its `length` numbers, and the mixer.
    Numbers behind the last whole band are not looked at.
    """
    for i in range(len(rows)):
        for band in range(keys.shape[1]):
            value = np.uint64(band)
            for place in range(band * length, (band + 1) * length):
                value = value * BASE + np.uint64(rows[i, place])
            keys[i, band] = _mix(value)
