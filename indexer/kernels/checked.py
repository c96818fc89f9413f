"""Blocks of mapped files that are held against their checksums when they are first touched.

In: the payloads of some sections, the checksum of each 64 KiB of them. Out: whether the bytes about to be read are
sound. It refuses to know what is in them.

What is known of the sections is one array of words, the *guards*, which holds addresses: kernels hand it from one to
the other at each step, and an array costs seven words there. The checksum is XXH64 (Collet, the xxHash specification,
version 0.1.1): 4 us a block here, once for each reader.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from codecite.indexer.kernels.jit import kernel, part
from codecite.indexer.kernels.memory import load8_at, load64_at, store8_at
from codecite.indexer.kernels.types import Bytes, Words

BLOCK_BITS = 16
"""A block is 2**16 bytes."""
UNSEEN, SOUND, DAMAGED = 0, 1, 2

_WORDS = 8
_PAYLOAD, _LENGTH, _CHECKSUMS, _SEEN, _SEED, _DAMAGE, _DATA = range(7)

_P1 = np.uint64(0x9E3779B185EBCA87)
_P2 = np.uint64(0xC2B2AE3D27D4EB4F)
_P3 = np.uint64(0x165667B19E3779F9)
_P4 = np.uint64(0x85EBCA77C2B2AE63)
_P5 = np.uint64(0x27D4EB2F165667C5)


class Guarded(NamedTuple):
    """A payload, the checksum of each of its blocks and their seed, and where the array in it begins.

    `seen` has an entry for each block: UNSEEN, SOUND or DAMAGED. Threads share it: all of them write the same.
    """

    payload: Bytes
    checksums: Words
    seed: int
    data: int
    seen: Bytes


def guard(sections: Sequence[Guarded]) -> Words:
    """The guards of some sections, which the caller keeps alive."""
    guards = np.zeros((len(sections), _WORDS), np.uint64)
    for row, section in zip(guards, sections, strict=True):
        row[_PAYLOAD] = section.payload.ctypes.data
        row[_LENGTH] = len(section.payload)
        row[_CHECKSUMS] = section.checksums.ctypes.data
        row[_SEEN] = section.seen.ctypes.data
        row[_SEED] = section.seed
        row[_DATA] = section.data
    return guards.ravel()


def trusted(sections: int) -> Words:
    """The guards of arrays in memory, of which nothing needs to be checked."""
    return np.zeros(sections * _WORDS, np.uint64)


def first_damage(guards: Words) -> tuple[int, int] | None:
    """The first damaged block that was touched: its section and its number."""
    damage = guards[_DAMAGE::_WORDS]
    if not damage.any():
        return None
    section = int(damage.argmax())
    return section, int(damage[section]) - 1


@part
def _rotated(word: int, by: int) -> int:
    return (word << np.uint64(by)) | (word >> np.uint64(64 - by))


@part
def _rounded(lane: int, word: int) -> int:
    return _rotated(lane + word * _P2, 31) * _P1


@part
def _merged(total: int, lane: int) -> int:
    return (total ^ _rounded(np.uint64(0), lane)) * _P1 + _P4


@part
def _xxh64(at: int, length: int, seed: int) -> int:
    """XXH64 of the bytes at an address."""
    end = at + length
    if length >= np.uint64(32):
        a = seed + _P1 + _P2
        b = seed + _P2
        c = seed
        d = seed - _P1
        while at + np.uint64(32) <= end:
            a = _rounded(a, load64_at(at))
            b = _rounded(b, load64_at(at + np.uint64(8)))
            c = _rounded(c, load64_at(at + np.uint64(16)))
            d = _rounded(d, load64_at(at + np.uint64(24)))
            at += np.uint64(32)
        total = _rotated(a, 1) + _rotated(b, 7) + _rotated(c, 12) + _rotated(d, 18)
        total = _merged(_merged(_merged(_merged(total, a), b), c), d)
    else:
        total = seed + _P5
    total += length
    while at + np.uint64(8) <= end:
        total = _rotated(total ^ _rounded(np.uint64(0), load64_at(at)), 27) * _P1 + _P4
        at += np.uint64(8)
    if at + np.uint64(4) <= end:
        word = np.uint64(0)
        for i in range(4):
            word |= np.uint64(load8_at(at + np.uint64(i))) << np.uint64(8 * i)
        total = _rotated(total ^ (word * _P1), 23) * _P2 + _P3
        at += np.uint64(4)
    while at < end:
        total = _rotated(total ^ (np.uint64(load8_at(at)) * _P5), 11) * _P1
        at += np.uint64(1)
    total = (total ^ (total >> np.uint64(33))) * _P2
    total = (total ^ (total >> np.uint64(29))) * _P3
    return total ^ (total >> np.uint64(32))


@kernel
def xxh64(guards: Words, section: int) -> int:
    """XXH64 of a whole payload."""
    row = section * _WORDS
    return _xxh64(guards[row + _PAYLOAD], guards[row + _LENGTH], guards[row + _SEED])


@part
def _check_block(guards: Words, row: int, block: int) -> bool:
    begin = np.uint64(block << BLOCK_BITS)
    length = min(guards[row + _LENGTH] - begin, np.uint64(1 << BLOCK_BITS))
    found = _xxh64(guards[row + _PAYLOAD] + begin, length, guards[row + _SEED])
    if found == load64_at(guards[row + _CHECKSUMS] + np.uint64(8 * block)):
        store8_at(guards[row + _SEEN] + np.uint64(block), np.uint8(SOUND))
        return True
    store8_at(guards[row + _SEEN] + np.uint64(block), np.uint8(DAMAGED))
    if guards[row + _DAMAGE] == 0:
        guards[row + _DAMAGE] = np.uint64(block + 1)
    return False


@part
def _check(guards: Words, row: int, first: int, last: int) -> bool:
    """Check the blocks from `first` to `last` that nobody has; whether all of them are sound."""
    sound = True
    for block in range(first, last + 1):
        seen = load8_at(guards[row + _SEEN] + np.uint64(block))
        good = _check_block(guards, row, block) if seen == UNSEEN else seen == SOUND
        sound = sound and good
    return sound


@part
def touch(guards: Words, section: int, begin: int, end: int) -> bool:
    """Check the blocks that hold the bytes `[begin, end)` of a payload, those that nobody has; whether all are sound.

    The range must not be empty.
    """
    row = section * _WORDS
    seen = guards[row + _SEEN]
    if seen == 0:
        return True
    if begin < 0 or end > np.int64(guards[row + _LENGTH]):
        return False
    first = begin >> BLOCK_BITS
    last = (end - 1) >> BLOCK_BITS
    if last - first < 2 and load8_at(seen + np.uint64(first)) & load8_at(seen + np.uint64(last)) == SOUND:
        return True
    return _check(guards, row, first, last)


@part
def touch_items(guards: Words, section: int, begin: int, end: int, size: int) -> bool:
    """The same for the items `[begin, end)`, of `size` bytes, of the array that the payload holds."""
    data = np.int64(guards[section * _WORDS + _DATA])
    return touch(guards, section, data + begin * size, data + end * size)


@kernel
def touch_bytes(guards: Words, section: int, begin: int, end: int) -> bool:
    """`touch`, from Python."""
    return touch(guards, section, begin, end)
