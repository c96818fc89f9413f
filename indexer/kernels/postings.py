"""Postings: fingerprints sorted by hash, and the lists of the hashes that a query asks for.

In: 64-bit hashes with their positions. Out: `buckets`, `tags` and `positions`, and ranges in them. It refuses to
know what a position means.

The top bits of a hash name a bucket (16 postings on average), the next 16 bits are the posting's tag; within a
bucket postings stand by tag, then by position. So a list is a run of equal tags. Two hashes may agree in bucket and
tag (one in some 4,000 lookups finds such a stranger); every posting is verified on the text anyway.

Merging Segments sorts their postings anew, into more buckets, which takes bits of the hash that no tag holds. So small
Segments keep the bits that follow the tag: the *rest*.
"""

from __future__ import annotations

import numpy as np

from codecite.indexer.kernels.checked import touch_items
from codecite.indexer.kernels.jit import kernel, making_kernel
from codecite.indexer.kernels.segment import BUCKETS, TAGS
from codecite.indexer.kernels.types import Any16, Any32, Ints, Words

PARTITION_BITS = 8
TAG_BITS = 16
KNOWN_BITS = 40
"""Bits of each hash that a small Segment keeps: enough for as many postings as a Segment can hold."""
DROPPED = np.iinfo(np.int64).min
_DIGIT_BITS = 11


def rest_bits(bucket_bits: int) -> int:
    """How many bits of the rest a Segment keeps: 40 are known of each hash; 38 or more where that costs a byte less."""
    return KNOWN_BITS - TAG_BITS - bucket_bits if bucket_bits < 22 else 0


@making_kernel
def partition(hashes: Words, positions: Ints, out_hashes: Words, out_positions: Any32, bounds: Ints) -> None:
    """Group postings by the top 8 bits of their hash, keeping their order within each group.

    `bounds` (257) receives where each group begins, and the end.
    """
    bounds[:] = 0
    shift = np.uint64(64 - PARTITION_BITS)
    for i in range(len(hashes)):
        bounds[np.int64(hashes[i] >> shift) + 1] += 1
    for group in range(len(bounds) - 1):
        bounds[group + 1] += bounds[group]
    following = bounds[:-1].copy()
    for i in range(len(hashes)):
        group = np.int64(hashes[i] >> shift)
        at = following[group]
        following[group] = at + 1
        out_hashes[at] = hashes[i]
        out_positions[at] = positions[i]


@making_kernel
def sort_partition(
    hashes: Words, positions: Any32, bucket_bits: int, rest_bits: int, buckets: Any32, tags: Any16, rest: Any16
) -> None:
    """Sort one partition by bucket, tag and position in place (a stable radix sort), and describe it.

    Adds the sizes of its buckets to `buckets[bucket + 1]`, writes its tags to `tags` and what follows them, so many
    bits of each hash, to `rest`.
    """
    count = len(hashes)
    other_hashes = np.empty(count, np.uint64)
    other_positions = np.empty(count, np.uint32)
    unused = 64 - bucket_bits - TAG_BITS
    low = unused
    top = 64 - PARTITION_BITS
    counts = np.empty((1 << _DIGIT_BITS) + 1, np.int64)
    flipped = False
    while low < top:
        width = min(_DIGIT_BITS, top - low)
        mask = np.uint64((1 << width) - 1)
        shift = np.uint64(low)
        counts[:] = 0
        source, target = (other_hashes, hashes) if flipped else (hashes, other_hashes)
        source_positions, target_positions = (other_positions, positions) if flipped else (positions, other_positions)
        for i in range(count):
            counts[np.int64((source[i] >> shift) & mask) + 1] += 1
        for digit in range(1 << width):
            counts[digit + 1] += counts[digit]
        for i in range(count):
            digit = np.int64((source[i] >> shift) & mask)
            at = counts[digit]
            counts[digit] = at + 1
            target[at] = source[i]
            target_positions[at] = source_positions[i]
        flipped = not flipped
        low += width
    if flipped:
        for i in range(count):
            hashes[i] = other_hashes[i]
            positions[i] = other_positions[i]
    bucket_shift = np.uint64(64 - bucket_bits)
    tag_shift = np.uint64(unused)
    rest_shift = np.uint64(unused - rest_bits)
    rest_mask = np.uint64((1 << rest_bits) - 1)
    for i in range(count):
        buckets[np.int64(hashes[i] >> bucket_shift) + 1] += np.uint32(1)
        tags[i] = np.uint16((hashes[i] >> tag_shift) & np.uint64(0xFFFF))
        rest[i] = np.uint16((hashes[i] >> rest_shift) & rest_mask)
    # Lists that come from another Segment may be in the order of their groups (`grouping.py`).
    i = 0
    while i < count:
        last = i + 1
        ascending = True
        while last < count and hashes[last] >> tag_shift == hashes[i] >> tag_shift:
            ascending = ascending and positions[last] > positions[last - 1]
            last += 1
        if not ascending:
            ranks = np.argsort(positions[i:last])
            other_positions[i:last] = positions[i:last][ranks]
            positions[i:last] = other_positions[i:last]
            other = rest[i:last][ranks]
            rest[i:last] = other
        i = last


@kernel
def carry_over(
    buckets: Any32,
    first: int,
    bucket_bits: int,
    rest_bits: int,
    tags: Any16,
    rest: Any16,
    positions: Any32,
    ends: Ints,
    shifts: Ints,
    out_hashes: Words,
    out_positions: Any32,
) -> int:
    """Take postings of a sorted partition to another place; return how many are kept.

    `buckets` holds where the buckets from `first` on begin, in the whole Segment; tags, rest and positions are those of
    these buckets alone. `out_hashes` gets what is known of each hash, in its top bits. The text is cut into stretches
    that end at `ends`: their positions move by `shifts`, and those of a stretch whose shift is DROPPED go.
    """
    kept = 0
    unused = 64 - bucket_bits - TAG_BITS
    stretch = 0
    for b in range(len(buckets) - 1):
        top = np.uint64(first + b) << np.uint64(64 - bucket_bits)
        for j in range(np.int64(buckets[b]) - np.int64(buckets[0]), np.int64(buckets[b + 1]) - np.int64(buckets[0])):
            position = np.int64(positions[j])
            if len(ends) > 1:
                stretch = np.searchsorted(ends, position, side="right")
            if shifts[stretch] == DROPPED:
                continue
            known = top | (np.uint64(tags[j]) << np.uint64(unused))
            out_hashes[kept] = known | (np.uint64(rest[j]) << np.uint64(unused - rest_bits))
            out_positions[kept] = np.uint32(position + shifts[stretch])
            kept += 1
    return kept


@kernel
def find_lists(hashes: Words, buckets: Any32, tags: Any16, guards: Words, low: Ints, high: Ints) -> None:
    """For each hash, the range of its postings: `low[i]` to `high[i]`, empty where there are none.

    `buckets` has 2**bits + 1 entries, with bits >= 1. A list in a damaged block counts as empty (`guards`: those of a
    Segment, see `segment.py`).
    """
    bits = 0
    while (1 << bits) < len(buckets) - 1:
        bits += 1
    bucket_shift = np.uint64(64 - bits)
    tag_shift = np.uint64(64 - bits - TAG_BITS)
    for i in range(len(hashes)):
        bucket = np.int64(hashes[i] >> bucket_shift)
        low[i] = 0
        high[i] = 0
        if touch_items(guards, BUCKETS, bucket, bucket + 2, 4):
            low[i] = buckets[bucket]
            high[i] = buckets[bucket + 1]
    touched = np.uint16(0)
    for i in range(len(hashes)):
        # Loads that wait for nothing: the tags of all lists come from memory at the same time.
        if low[i] < high[i]:
            touched |= tags[low[i]]
    low[len(hashes) :] = touched
    for i in range(len(hashes)):
        if low[i] < high[i] and not touch_items(guards, TAGS, low[i], high[i], 2):
            high[i] = low[i]
        tag = np.int64((hashes[i] >> tag_shift) & np.uint64(0xFFFF))
        first = low[i]
        last = high[i]
        while last - first > 32:
            middle = (first + last) >> 1
            if tags[middle] < tag:
                first = middle + 1
            else:
                last = middle
        end = high[i]
        while first < end and tags[first] < tag:
            first += 1
        low[i] = first
        if first < end and tags[min(first + 32, end - 1)] == tag:
            below = first
            above = end
            while below < above:
                middle = (below + above) >> 1
                if tags[middle] <= tag:
                    below = middle + 1
                else:
                    above = middle
            high[i] = below
            continue
        while first < end and tags[first] == tag:
            first += 1
        high[i] = first
