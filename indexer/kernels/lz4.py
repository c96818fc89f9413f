"""The content codec: LZ4 blocks with a dictionary, small enough that one passage costs a few microseconds.

In: `uint8` arrays. Out: `uint8` arrays. It refuses to know of documents and of files.

The format is LZ4's block format with an external dictionary (public description: LZ4 Block Format Description,
Y. Collet), so any LZ4 library decodes a block given the dictionary. A block is decoded inside a kernel, behind the
dictionary in the same array, so that a match may reach back into it and a lookup never returns to Python.
"""

from __future__ import annotations

import numpy as np

from codecite.indexer.kernels.jit import kernel, making_kernel, part
from codecite.indexer.kernels.memory import common_prefix, load32, load64, store64
from codecite.indexer.kernels.types import Bytes, Flags, Ints

MAX_DICTIONARY = 61440
"""Dictionary bytes: with a block of up to 4,096 bytes every one of them is within LZ4's reach of 65,535."""
HASH_BITS = 13
_MIN_MATCH = 4
_LAST_LITERALS = 5
_MATCH_LIMIT = 12
_TRIES = 6
_LONG_ENOUGH = 48
_WIDE = 16
"""Most literals and matches are shorter than 16 bytes: these are copied without a loop, where there is room."""


@part
def _hash4(data: Bytes, at: int) -> int:
    return np.int64(np.uint32(load32(data, at) * np.uint32(2654435761)) >> np.uint32(32 - HASH_BITS))


@kernel
def chain_dictionary(dictionary: Bytes, heads: Ints, previous: Ints) -> None:
    """Chain the positions of a dictionary by the hash of their four bytes, newest first.

    `heads` has 2**13 entries, `previous` as many as the dictionary has bytes; -1 ends a chain.
    """
    heads[:] = -1
    for i in range(len(dictionary) - 3):
        bucket = _hash4(dictionary, i)
        previous[i] = heads[bucket]
        heads[bucket] = i


@part
def _extra(out: Bytes, at: int, value: int) -> int:
    while value >= 255:
        out[at] = 255
        at += 1
        value -= 255
    out[at] = value
    return at + 1


@part
def compress_block(work: Bytes, begin: int, end: int, chains: Ints, out: Bytes, at: int) -> int:
    """Compress `work[begin:end]` to `out[at:]`; return the end in `out`.

    `work[:begin]` is the dictionary. `chains` holds four parts: the dictionary's `heads` and `previous`
    (`chain_dictionary`), then room for the block's own heads and previous. At each position the chains are followed for
    a few candidates; a match is put off by one byte if the next one is longer.
    """
    size = 1 << HASH_BITS
    own_heads = size + begin
    own_previous = own_heads + size
    for i in range(own_heads, own_previous):
        chains[i] = -1
    literal = begin
    limit = end - _MATCH_LIMIT
    i = begin
    held_length = 0
    held_offset = 0
    while i <= limit:
        bucket = _hash4(work, i)
        best = 0
        offset = 0
        candidate = chains[own_heads + bucket]
        tries = _TRIES
        while candidate >= 0 and tries > 0:
            if best == 0 or work[candidate + best] == work[i + best]:
                length = common_prefix(work, candidate, work, i, end - _LAST_LITERALS - i)
                if length > best:
                    best = length
                    offset = i - candidate
            candidate = chains[own_previous + candidate - begin]
            tries -= 1
        if best < _LONG_ENOUGH:
            candidate = chains[bucket]
            tries = _TRIES
            while candidate >= 0 and tries > 0:
                if best == 0 or work[candidate + best] == work[i + best]:
                    length = common_prefix(work, candidate, work, i, end - _LAST_LITERALS - i)
                    if length > best:
                        best = length
                        offset = i - candidate
                candidate = chains[size + candidate]
                tries -= 1
        chains[own_previous + i - begin] = chains[own_heads + bucket]
        chains[own_heads + bucket] = i
        if held_length > 0 and held_length >= best:
            start = i - 1
        elif best >= _MIN_MATCH:
            held_length = best
            held_offset = offset
            i += 1
            if best < _LONG_ENOUGH and i <= limit:
                continue
            start = i - 1
        else:
            i += 1
            continue
        run = start - literal
        token = min(run, 15) << 4 | min(held_length - _MIN_MATCH, 15)
        out[at] = token
        at += 1
        if run >= 15:
            at = _extra(out, at, run - 15)
        for j in range(literal, start):
            out[at] = work[j]
            at += 1
        out[at] = held_offset & 255
        out[at + 1] = held_offset >> 8
        at += 2
        if held_length - _MIN_MATCH >= 15:
            at = _extra(out, at, held_length - _MIN_MATCH - 15)
        stop = start + held_length
        for j in range(start + 1, min(stop, limit + 1)):
            if j > i or (j == i and chains[own_heads + _hash4(work, j)] != j):
                bucket = _hash4(work, j)
                chains[own_previous + j - begin] = chains[own_heads + bucket]
                chains[own_heads + bucket] = j
        i = stop
        literal = stop
        held_length = 0
    run = end - literal
    out[at] = min(run, 15) << 4
    at += 1
    if run >= 15:
        at = _extra(out, at, run - 15)
    for j in range(literal, end):
        out[at] = work[j]
        at += 1
    return at


@making_kernel
def compress(raw: Bytes, block: int, dictionary: Bytes, heads: Ints, previous: Ints, out: Bytes, ends: Ints) -> int:
    """Compress `raw` in blocks of `block` bytes (the last may be shorter); return the bytes written to `out`.

    `ends[i]` receives the end of block i in `out`, which has room for `len(raw) + len(raw) // 200 + 16` bytes a
    block.
    """
    begin = len(dictionary)
    size = len(heads)
    work = np.empty(begin + block, np.uint8)
    for i in range(begin):
        work[i] = dictionary[i]
    chains = np.empty(2 * size + begin + block, np.int64)
    for i in range(size):
        chains[i] = heads[i]
    for i in range(begin):
        chains[size + i] = previous[i]
    at = 0
    index = 0
    for start in range(0, len(raw), block):
        stop = min(start + block, len(raw))
        for i in range(stop - start):
            work[begin + i] = raw[start + i]
        at = compress_block(work, begin, begin + stop - start, chains, out, at)
        ends[index] = at
        index += 1
    return at


@part
def decompress_block(source: Bytes, at: int, end: int, work: Bytes, begin: int, limit: int) -> int:
    """Decode the block `source[at:end]` to `work[begin:]`, behind its dictionary `work[:begin]`.

    Returns the number of bytes decoded, or -1 if the block is not well formed or holds more than `limit` bytes;
    it never reads or writes outside the arrays.
    """
    if at < 0 or end > len(source):
        return -1
    o = begin
    last = begin + limit
    while at < end:
        token = np.int64(source[at])
        at += 1
        run = token >> 4
        if run == 15:
            while True:
                if at >= end:
                    return -1
                more = np.int64(source[at])
                at += 1
                run += more
                if more != 255:
                    break
        if at + run > end or o + run > last:
            return -1
        if at + run + _WIDE <= len(source) and o + run + _WIDE <= len(work):
            store64(work, o, load64(source, at))
            store64(work, o + 8, load64(source, at + 8))
            for j in range(16, run, 8):
                store64(work, o + j, load64(source, at + j))
        else:
            for j in range(run):
                work[o + j] = source[at + j]
        o += run
        at += run
        if at >= end:
            return o - begin if at == end else -1
        if at + 2 > end:
            return -1
        offset = np.int64(source[at]) | (np.int64(source[at + 1]) << 8)
        at += 2
        length = (token & 15) + 4
        if length == 19:
            while True:
                if at >= end:
                    return -1
                more = np.int64(source[at])
                at += 1
                length += more
                if more != 255:
                    break
        if offset == 0 or offset > o or o + length > last:
            return -1
        if offset >= 8 and o + length + _WIDE <= len(work):
            store64(work, o, load64(work, o - offset))
            store64(work, o + 8, load64(work, o + 8 - offset))
            for j in range(16, length, 8):
                store64(work, o + j, load64(work, o + j - offset))
        else:
            for j in range(length):
                work[o + j] = work[o + j - offset]
        o += length
    return -1


@making_kernel
def expand(source: Bytes, ends: Ints, starts: Ints, wanted: Flags, dictionary: Bytes, block: int, out: Bytes) -> int:
    """Decode those of some consecutive blocks that are wanted; they end at `ends` in `source`.

    `starts`, with one more for the end, says where each begins in `out`. Returns -1, or the number of the first block
    that is not well formed or not as long as it should be.
    """
    begin = len(dictionary)
    work = np.empty(begin + block + 4 * _WIDE, np.uint8)
    for i in range(begin):
        work[i] = dictionary[i]
    first = 0
    for b in range(len(ends)):
        if wanted[b]:
            at = starts[b]
            size = decompress_block(source, first, ends[b], work, begin, block)
            if size != starts[b + 1] - at or at < 0 or at + size > len(out):
                return b
            for i in range(size):
                out[at + i] = work[begin + i]
        first = ends[b]
    return -1
