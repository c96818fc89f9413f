"""Groups whose chains are cut: each of their postings is followed on for itself.

In: a group of a diverging list, and how far on its chain is cut. Out: the spans that its postings begin, for each
licence, and the places where they hold a span. It refuses to know how groups are stored.

The postings of a group ascend, and so do those of the list where its chain goes on (`frequent.py`): both are gone
through side by side.
"""

from __future__ import annotations

import numpy as np

from codecite.indexer.config import KGRAM
from codecite.indexer.kernels.contexts import NAME_BITS, NAMES, REACH
from codecite.indexer.kernels.found import DONE, Found, Query, add_span, compare, full_with, record, slot_of
from codecite.indexer.kernels.frequent import (
    LOW,
    OPEN,
    SEEN,
    STATE,
    STATE_BITS,
    STATES,
    Agreements,
    Frequent,
    agree,
    end_posting,
    first_posting,
)
from codecite.indexer.kernels.jit import inlined, part
from codecite.indexer.kernels.licensed import Licensed
from codecite.indexer.kernels.onward import chain_of, follow
from codecite.indexer.kernels.segment import GRANULE_BITS, Scratch, SegmentArrays, find_stretch, posting
from codecite.indexer.kernels.types import Any32, Ints

_NEAR = 8
_OTHER = np.uint64(0x5555555555555555)
_NAME = np.uint64((1 << NAME_BITS) - 1)
_BY_GROUP = ~((np.uint64(1) << np.uint64(NAMES)) - np.uint64(1))
"""As a pair of names there is none such: no name has all bits."""


@inlined
def _row_from(frequent: Frequent, row: int, end: int, position: int) -> int:
    """The first row of `resumed` from `row` on, before `end`, whose position is at least this one."""
    step = np.int64(1)
    low = row
    while low < end and step <= _NEAR:
        if np.int64(frequent.resumed[low, 0] & LOW) >= position:
            return low
        low += 1
        step += 1
    high = low
    while high < end and np.int64(frequent.resumed[high, 0] & LOW) < position:
        low = high + 1
        high += step
        step *= 2
    high = min(high, end)
    while low < high:
        middle = (low + high) >> 1
        if np.int64(frequent.resumed[middle, 0] & LOW) < position:
            low = middle + 1
        else:
            high = middle
    return low


@inlined
def _agreement(frequent: Frequent, known: Agreements, query: Query, number: int, row: int, at: int) -> int:
    """What the posting of a row agrees with behind its k-gram at `at`, times four, plus how its chain ends."""
    group = np.int64(frequent.resumed[row, 0] >> np.uint64(32))
    if known.ahead_at[at] >= 0:
        return np.int64(known.ahead[np.int64(known.ahead_at[at]) + group - frequent.lists[2, number]])
    position = np.int64(frequent.resumed[row, 0] & LOW)
    length = chain_of(frequent, known, query.text, number, group, at, 0, position)
    return (length << STATE_BITS) + known.state[STATE]


@part
def keep_cut(
    query: Query,
    segment: SegmentArrays,
    frequent: Frequent,
    known: Agreements,
    scratch: Scratch,
    licensed: Licensed,
    found: Found,
    number: int,
    group: int,
    f: int,
    q: int,
    earlier: int,
    distance: int,
) -> int:
    """Keep the longest span that a posting of the group begins, for each licence.

    The group agrees for `earlier` bytes before its k-gram at `q`, and `distance` bytes on to where it is cut. Returns
    DONE, or which array of `found` is full.
    """
    start = q - earlier
    at = q + distance
    beyond = np.int64(known.resumed_at[at])
    follow(frequent, known, query.text, beyond, at)
    if agree(frequent, known, query.text, beyond, at) < 0:
        return DONE
    total = segment.document_canonical[len(segment.document_canonical) - 1]
    farthest = found.phases
    farthest[:, 0] = 0
    row = frequent.lists[6, beyond]
    end = row + frequent.lists[1, beyond] - frequent.lists[0, beyond]
    for j in range(first_posting(frequent, group), end_posting(frequent, number, group)):
        d = posting(segment.positions, segment.guards, j, total)
        if d < 0:
            scratch.status[0] = 1
            continue
        row = _row_from(frequent, row, end, d + distance)
        if row == end or np.int64(frequent.resumed[row, 0] & LOW) != d + distance:
            scratch.status[0] = 1
            return DONE
        value = _agreement(frequent, known, query, beyond, row, at)
        name = np.int64(licensed.of_granule[d >> GRANULE_BITS])
        is_open = value & STATES == OPEN
        document = np.int64(0)
        if name < 0 or is_open:
            document = find_stretch(segment.document_canonical, segment.document_of_granule, d)
        if is_open:
            full = full_with(found, licensed.bounds[document + 1] - licensed.bounds[document])
            if full != DONE:
                return full
            first, last = compare(query, segment, scratch, found.compared, document, q, d)
            record(query, found, licensed, document, f, first, last)
            continue
        last = at + KGRAM + (value >> STATE_BITS)
        for i in range(licensed.bounds[document] if name < 0 else 0, licensed.bounds[document + 1] if name < 0 else 1):
            one = name if name >= 0 else np.int64(licensed.numbers[i])
            if found.slot_of[one] < 0:
                full = full_with(found, 1)
                if full != DONE:
                    return full
                farthest[slot_of(found, one), 0] = 0
            slot = found.slot_of[one]
            farthest[slot, 0] = max(farthest[slot, 0], last)
    for slot in range(found.counts[0]):
        last = farthest[slot, 0]
        span = found.longest[slot, f]
        if last == 0 or (span >= 0 and found.spans[1, span] <= start and found.spans[2, span] >= last):
            continue
        full = full_with(found, 1)
        if full != DONE:
            return full
        add_span(query, found, slot, start, last)
    return DONE


@inlined
def _white_space(frequent: Frequent, row: int, needed: int) -> int:
    """What tells the white space in the first `needed` bytes behind the k-gram of a row from any other.

    Before them it is alike. Where `resumed` does not name what is there, the group does: it has all of it.
    """
    spaces = frequent.resumed[row, 1]
    if needed <= REACH:
        code = spaces & ((np.uint64(1) << np.uint64(2 * needed)) - np.uint64(1))
        others = code & (code >> np.uint64(1)) & _OTHER
        shift = np.uint64(NAMES)
        while others != 0 and shift < 64 and (spaces >> shift) & _NAME != 0:
            code |= spaces & (_NAME << shift)
            others &= others - np.uint64(1)
            shift += np.uint64(NAME_BITS)
        if others == 0:
            return np.int64(code)
    return np.int64((frequent.resumed[row, 0] >> np.uint64(32)) | _BY_GROUP)


@part
def add_cut(
    query: Query,
    segment: SegmentArrays,
    frequent: Frequent,
    known: Agreements,
    scratch: Scratch,
    bounds: Any32,
    number: int,
    group: int,
    q: int,
    distance: int,
    start: int,
    end: int,
    places: Ints,
    leaders: Ints,
    counts: Ints,
) -> None:
    """Add the places where postings of the group hold the span, as `grouped.grouped_places` does."""
    at = q + distance
    beyond = np.int64(known.resumed_at[at])
    follow(frequent, known, query.text, beyond, at)
    if agree(frequent, known, query.text, beyond, at) < 0:
        return
    total = segment.document_canonical[len(segment.document_canonical) - 1]
    needed = end - at - KGRAM
    seen = known.seen
    seen[:] = -1
    row = frequent.lists[6, beyond]
    stop = row + frequent.lists[1, beyond] - frequent.lists[0, beyond]
    for j in range(first_posting(frequent, group), end_posting(frequent, number, group)):
        d = posting(segment.positions, segment.guards, j, total)
        if d < 0:
            scratch.status[0] = 1
            continue
        row = _row_from(frequent, row, stop, d + distance)
        if row == stop or np.int64(frequent.resumed[row, 0] & LOW) != d + distance:
            scratch.status[0] = 1
            return
        if _agreement(frequent, known, query, beyond, row, at) >> STATE_BITS < needed:
            continue
        place = d + start - q
        places[counts[0]] = place
        counts[0] += 1
        key = _white_space(frequent, row, needed)
        if seen[key % SEEN] == key:
            continue
        document = find_stretch(segment.document_canonical, segment.document_of_granule, d)
        if bounds[document] < bounds[document + 1]:
            seen[key % SEEN] = key
            leaders[counts[1]] = place
            counts[1] += 1
