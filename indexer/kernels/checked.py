"""Blocks of a mapped file that are held against their checksum when they are first touched.

In: the payload of a section, the checksum of each 64 KiB of it. Out: whether the bytes about to be read are sound. It
refuses to know what is in them.

The checksum is XXH64 (Collet, the xxHash specification, version 0.1.1): 8 us a block here, once for each reader.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from codecite.indexer.kernels.jit import kernel, part
from codecite.indexer.kernels.memory import load32, load64
from codecite.indexer.kernels.types import Array, Bytes, Words

BLOCK_BITS = 16
"""A block is 2**16 bytes."""

_P1 = np.uint64(0x9E3779B185EBCA87)
_P2 = np.uint64(0xC2B2AE3D27D4EB4F)
_P3 = np.uint64(0x165667B19E3779F9)
_P4 = np.uint64(0x85EBCA77C2B2AE63)
_P5 = np.uint64(0x27D4EB2F165667C5)


class Guard(NamedTuple):
    """What is known of the blocks of a payload.

    `seen` has an entry for each: 0 not looked at yet, 1 sound, 2 damaged. `state` holds the seed of the checksums,
    1 + the first damaged block that was touched (0: none), and where the array of a .npy payload begins. Threads share
    it: all of them write the same.
    """

    payload: Bytes
    checksums: Words
    seen: Bytes
    state: Words


def trusted(array: Array) -> Guard:
    """The Guard of an array in memory, of which nothing needs to be checked."""
    payload = array.reshape(-1).view(np.uint8)
    return Guard(payload, np.empty(0, np.uint64), np.ones((len(payload) >> BLOCK_BITS) + 1, np.uint8), _STATE.copy())


_STATE = np.zeros(3, np.uint64)


@part
def _rotated(word: int, by: int) -> int:
    return (word << np.uint64(by)) | (word >> np.uint64(64 - by))


@part
def _rounded(lane: int, word: int) -> int:
    return _rotated(lane + word * _P2, 31) * _P1


@part
def _merged(total: int, lane: int) -> int:
    return (total ^ _rounded(np.uint64(0), lane)) * _P1 + _P4


@kernel
def xxh64(data: Bytes, begin: int, end: int, seed: int) -> int:
    """XXH64 of `data[begin:end]`."""
    at = begin
    if end - begin >= 32:
        a = seed + _P1 + _P2
        b = seed + _P2
        c = np.uint64(seed)
        d = seed - _P1
        while at + 32 <= end:
            a = _rounded(a, load64(data, at))
            b = _rounded(b, load64(data, at + 8))
            c = _rounded(c, load64(data, at + 16))
            d = _rounded(d, load64(data, at + 24))
            at += 32
        total = _rotated(a, 1) + _rotated(b, 7) + _rotated(c, 12) + _rotated(d, 18)
        total = _merged(_merged(_merged(_merged(total, a), b), c), d)
    else:
        total = seed + _P5
    total += np.uint64(end - begin)
    while at + 8 <= end:
        total = _rotated(total ^ _rounded(np.uint64(0), load64(data, at)), 27) * _P1 + _P4
        at += 8
    if at + 4 <= end:
        total = _rotated(total ^ (np.uint64(load32(data, at)) * _P1), 23) * _P2 + _P3
        at += 4
    while at < end:
        total = _rotated(total ^ (np.uint64(data[at]) * _P5), 11) * _P1
        at += 1
    total = (total ^ (total >> np.uint64(33))) * _P2
    total = (total ^ (total >> np.uint64(29))) * _P3
    return total ^ (total >> np.uint64(32))


@part
def _check_block(guard: Guard, block: int) -> None:
    begin = block << BLOCK_BITS
    end = min(begin + (1 << BLOCK_BITS), len(guard.payload))
    if xxh64(guard.payload, begin, end, guard.state[0]) == guard.checksums[block]:
        guard.seen[block] = 1
        return
    guard.seen[block] = 2
    if guard.state[1] == 0:
        guard.state[1] = np.uint64(block + 1)


@part
def touch(guard: Guard, begin: int, end: int) -> bool:
    """Check the blocks that hold the bytes `[begin, end)`, those that nobody has; whether all of them are sound."""
    sound = True
    for block in range(begin >> BLOCK_BITS, ((end - 1) >> BLOCK_BITS) + 1):
        if guard.seen[block] == 0:
            _check_block(guard, block)
        sound = sound and guard.seen[block] == 1
    return sound


@part
def touch_item(guard: Guard, item: int, size: int) -> bool:
    """The same for one item, of `size` bytes (a power of two), of the array that the payload holds."""
    block = (np.int64(guard.state[2]) + item * size) >> BLOCK_BITS
    if guard.seen[block] == 0:
        _check_block(guard, block)
    return guard.seen[block] == 1
