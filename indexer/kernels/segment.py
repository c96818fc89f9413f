"""Reading a Segment inside a kernel: blocks decoded into a cache, and text compared across them.

In: the arrays of a Segment, a scratch, positions in canonical text. Out: lengths of agreement, places. It refuses to
know why a passage is looked at.

Content and postings are held against their checksums when they are first touched (`checked.py`); what is damaged is
taken for nothing, and whoever called the kernel asks the guards. The scratch keeps the last blocks decoded, raw and
canonical, a slot each (direct mapped), so that a passage looked at twice is decoded once. A block that is not well
formed is reported through `status`, never a crash.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from codecite.indexer.config import BLOCK
from codecite.indexer.kernels.canonical import canonicalize
from codecite.indexer.kernels.checked import touch, touch_items
from codecite.indexer.kernels.jit import inlined, kernel, part
from codecite.indexer.kernels.lz4 import decompress_block
from codecite.indexer.kernels.memory import common_prefix, common_suffix, load64, store64
from codecite.indexer.kernels.types import Any16, Any32, Bytes, Ints, Ints32, Words

CONTENT, BUCKETS, TAGS, POSITIONS, GROUPS, CONTEXTS, RESUMED = range(7)
"""The guarded sections, in the order of their guards."""
SLOTS = 128
GRANULE_BITS = 13
"""A granule is 2**13 canonical bytes, some six blocks: the unit in which places are looked up."""
_PADDING = 64


class SegmentArrays(NamedTuple):
    """The mapped arrays of a Segment that kernels read (see `store/writer.py`), and where granules begin in them.

    `guards` are those of the sections that are named above.
    """

    content: Bytes
    dictionary: Bytes
    block_offset: Ints
    block_canonical: Ints
    block_lines: Ints
    document_canonical: Ints
    document_lines: Ints
    buckets: Any32
    tags: Any16
    positions: Any32
    block_of_granule: Ints32
    document_of_granule: Ints32
    guards: Words


class Scratch(NamedTuple):
    """The decoded blocks of one Segment, for one thread; `status[0]` is 1 + the first block that is not well formed.

    `pair` is for two results, `stamp` and `slot` for a number of each Document that holds while its stamp is `epoch`.
    """

    work: Bytes
    block: Ints
    size: Ints
    raw: Bytes
    canonical: Bytes
    status: Ints
    pair: Ints
    stamp: Ints
    slot: Ints32
    epoch: Ints


def new_scratch(dictionary: Bytes, documents: int) -> Scratch:
    """A scratch for a Segment with this dictionary and so many Documents (some 580 KiB, and 12 bytes a Document)."""
    work = np.zeros(len(dictionary) + BLOCK + _PADDING, np.uint8)
    work[: len(dictionary)] = dictionary
    return Scratch(
        work,
        np.full(SLOTS, -1, np.int64),
        np.zeros(SLOTS, np.int64),
        np.zeros(SLOTS * BLOCK, np.uint8),
        np.zeros(SLOTS * BLOCK, np.uint8),
        np.zeros(2, np.int64),
        np.zeros(2, np.int64),
        np.zeros(documents, np.int64),
        np.zeros(documents, np.int32),
        np.zeros(1, np.int64),
    )


@kernel
def first_of_granules(starts: Ints, first: Ints32) -> None:
    """For each granule of canonical text, which stretch holds its first byte.

    `starts` ascends and has the end of the last stretch as its last entry; `first` has two entries more than the text
    has whole granules.
    """
    stretch = 0
    for granule in range(len(first)):
        while stretch + 2 < len(starts) and starts[stretch + 1] <= granule << GRANULE_BITS:
            stretch += 1
        first[granule] = stretch


@inlined
def find_stretch(starts: Ints, first: Ints32, position: int) -> int:
    """Which stretch holds a position of the text: few steps, since its granule says where to begin."""
    granule = position >> GRANULE_BITS
    low = np.int64(first[granule])
    high = np.int64(first[granule + 1]) + 1
    while high - low > 1:
        middle = (low + high) >> 1
        if starts[middle] <= position:
            low = middle
        else:
            high = middle
    return low


@inlined
def posting(positions: Any32, guards: Words, number: int, total: int) -> int:
    """The position of a posting; -1 where its block is damaged, or the position not one of `total`.

    It takes what it needs of a Segment, since handing over all of it takes longer than the rest.
    """
    if not touch_items(guards, POSITIONS, number, number + 1, 4):
        return np.int64(-1)
    position = np.int64(positions[number])
    return position if position < total else np.int64(-1)


@inlined
def load_block(segment: SegmentArrays, scratch: Scratch, block: int) -> int:
    """Decode a block into its slot, unless it is there; returns the slot."""
    slot = block & (SLOTS - 1)
    return slot if scratch.block[slot] == block else _load_now(segment, scratch, block)


@part
def _load_now(segment: SegmentArrays, scratch: Scratch, block: int) -> int:
    slot = block & (SLOTS - 1)
    begin = len(segment.dictionary)
    first = segment.block_offset[block]
    last = segment.block_offset[block + 1]
    size = np.int64(-1)
    if touch(segment.guards, CONTENT, first, last):
        size = decompress_block(segment.content, first, last, scratch.work, begin, BLOCK)
    if size < 0:
        if scratch.status[0] == 0:
            scratch.status[0] = block + 1
        size = 0
    at = slot * BLOCK
    whole = size & ~7
    for i in range(0, whole, 8):
        store64(scratch.raw, at + i, load64(scratch.work, begin + i))
    for i in range(whole, size):
        scratch.raw[at + i] = scratch.work[begin + i]
    kept = canonicalize(scratch.raw[at : at + size], scratch.canonical[at : at + BLOCK])
    if kept != segment.block_canonical[block + 1] - segment.block_canonical[block] and scratch.status[0] == 0:
        scratch.status[0] = block + 1
    for i in range(kept, segment.block_canonical[block + 1] - segment.block_canonical[block]):
        scratch.canonical[at + i] = 0
    scratch.block[slot] = block
    scratch.size[slot] = size
    return slot


@part
def agree_right(segment: SegmentArrays, scratch: Scratch, text: Bytes, q: int, q_end: int, d: int, d_end: int) -> int:
    """How many canonical bytes agree from `text[q]` and the Segment's position `d` on, up to `q_end` and `d_end`."""
    done = 0
    limit = min(q_end - q, d_end - d)
    if limit <= 0:
        return 0
    block = find_stretch(segment.block_canonical, segment.block_of_granule, d)
    while done < limit:
        stop = segment.block_canonical[block + 1]
        room = min(limit - done, stop - d - done)
        if room > 0:
            at = load_block(segment, scratch, block) * BLOCK + d + done - segment.block_canonical[block]
            same = common_prefix(text, q + done, scratch.canonical, at, room)
            done += same
            if same < room:
                break
        block += 1
    return done


@part
def agree_left(
    segment: SegmentArrays, scratch: Scratch, text: Bytes, q: int, q_begin: int, d: int, d_begin: int
) -> int:
    """How many canonical bytes agree before `text[q]` and the Segment's position `d`, down to the given limits."""
    done = 0
    limit = min(q - q_begin, d - d_begin)
    if limit <= 0:
        return 0
    block = find_stretch(segment.block_canonical, segment.block_of_granule, d - 1)
    while done < limit:
        start = segment.block_canonical[block]
        room = min(limit - done, d - done - start)
        if room > 0:
            at = load_block(segment, scratch, block) * BLOCK + d - done - start
            same = common_suffix(text, q - done, scratch.canonical, at, room)
            done += same
            if same < room:
                break
        block -= 1
    return done


@part
def find_raw(segment: SegmentArrays, scratch: Scratch, position: int, found: Ints) -> int:
    """Find the raw byte of a canonical position: returns its block; `found` gets its offset there and its line.

    The line counts the line feeds before it in the Segment.
    """
    block = find_stretch(segment.block_canonical, segment.block_of_granule, position)
    slot = load_block(segment, scratch, block)
    wanted = position - segment.block_canonical[block]
    lines = segment.block_lines[block]
    base = slot * BLOCK
    for i in range(scratch.size[slot]):
        byte = scratch.raw[base + i]
        if byte == 32 or (byte >= 9 and byte <= 13):
            lines += byte == 10
            continue
        if wanted == 0:
            found[0] = i
            found[1] = lines
            return block
        wanted -= 1
    found[0] = 0
    found[1] = lines
    return block


@part
def same_raw(segment: SegmentArrays, scratch: Scratch, block: int, offset: int, raw: Bytes) -> bool:
    """Whether the raw bytes from `offset` in a block on are the given ones."""
    done = 0
    while done < len(raw):
        slot = load_block(segment, scratch, block)
        room = min(len(raw) - done, scratch.size[slot] - offset)
        if room > 0 and common_prefix(raw, done, scratch.raw, slot * BLOCK + offset, room) < room:
            return False
        done += max(room, 0)
        block += 1
        offset = 0
        if block >= len(segment.block_lines) - 1 and done < len(raw):
            return False
    return True


@kernel
def any_same(segment: SegmentArrays, scratch: Scratch, places: Ints, offset: int, raw: Bytes) -> bool:
    """Whether the raw bytes at one of the canonical places, `offset` further on, are the given ones."""
    found = scratch.pair
    for i in range(len(places)):
        block = find_raw(segment, scratch, places[i] + offset, found)
        if same_raw(segment, scratch, block, found[0], raw):
            return True
    return False


@kernel
def place_passage(
    segment: SegmentArrays, scratch: Scratch, document: int, start: int, length: int, raw: Bytes, places: Ints
) -> bool:
    """Find the lines of the canonical passage `[start, start + length)` of a Document, and compare it raw.

    `raw` is the query's passage with its own white space, from the first to the last canonical byte. `places` gets
    the first and the last line in the Document (from 1). Returns whether the raw bytes agree.
    """
    found = scratch.pair
    first_line = segment.document_lines[document]
    block = find_raw(segment, scratch, start, found)
    places[0] = found[1] - first_line + 1
    same = same_raw(segment, scratch, block, found[0], raw)
    find_raw(segment, scratch, start + length - 1, found)
    places[1] = found[1] - first_line + 1
    return same
