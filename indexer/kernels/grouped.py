"""Which Documents hold a span that only frequent fingerprints lie in, without touching one.

In: a span of the query, the frequent list of its first window. Out: the places where the span stands. It refuses to
know names, as `holders.py` does.
"""

from __future__ import annotations

import numpy as np

from codecite.indexer.config import KGRAM
from codecite.indexer.kernels.contexts import REACH
from codecite.indexer.kernels.found import Query
from codecite.indexer.kernels.frequent import (
    Agreements,
    Frequent,
    agree,
    chain,
    end_posting,
    first_posting,
    first_with,
)
from codecite.indexer.kernels.grouping import SIDE, SIDE_BITS
from codecite.indexer.kernels.jit import part
from codecite.indexer.kernels.rulers import document_run
from codecite.indexer.kernels.segment import Scratch, SegmentArrays, agree_right, find_stretch, posting
from codecite.indexer.kernels.types import Ints


@part
def grouped_places(
    query: Query,
    segment: SegmentArrays,
    frequent: Frequent,
    known: Agreements,
    scratch: Scratch,
    number: int,
    start: int,
    end: int,
    f: int,
    stop: int,
    places: Ints,
    leaders: Ints,
    done: int,
    led: int,
) -> tuple[int, int]:
    """Find where the span stands in Documents that have one of the fingerprints from `f` to `stop`.

    All of these belong to list `number` and lie in the first window of the span. `places` gets the places from `done`
    on (not in their order, perhaps twice), `leaders` one for each group from `led` on: postings of a group have the
    same white space. Returns how many of both there are then.
    """
    counts = known.counts
    counts[0] = done
    counts[1] = led
    while f < stop:
        run = query.run_of[f]
        if run >= 0:
            one = query.first_of[f]
            _in_run(query, segment, frequent, known, scratch, number, start, end, one, places, leaders, counts)
            while f < stop and query.run_of[f] == run:
                f += 1
            continue
        q = query.positions[f]
        begin = agree(frequent, known, query.text, number, q)
        if begin < 0:
            break
        needed = end - q - KGRAM
        groups = frequent.groups
        room = known.room
        count = frequent.lists[4, number]
        context = 0
        while context < frequent.lists[5, number]:
            if room[begin + count + context] < min(needed, REACH):
                context += 1
                continue
            first = first_with(frequent, number, context)
            while context < frequent.lists[5, number] and room[begin + count + context] >= min(needed, REACH):
                context += 1
            for group in range(first, first_with(frequent, number, context)):
                earlier = np.int64(room[begin + np.int64((groups[group, 1] >> np.uint64(SIDE_BITS)) & SIDE)])
                if earlier < q - start:
                    continue
                if needed > REACH:
                    if chain(frequent, known, query.text, number, group, q, 0) < needed:
                        continue
                    begin = agree(frequent, known, query.text, number, q)
                _add(segment, frequent, scratch, number, group, start - q, places, leaders, counts)
        f += 1
    return counts[0], counts[1]


@part
def _add(
    segment: SegmentArrays,
    frequent: Frequent,
    scratch: Scratch,
    number: int,
    group: int,
    offset: int,
    places: Ints,
    leaders: Ints,
    counts: Ints,
) -> None:
    """Add the places of a group, which lie at `offset` from its postings."""
    total = segment.document_canonical[len(segment.document_canonical) - 1]
    first = counts[0]
    for j in range(first_posting(frequent, group), end_posting(frequent, number, group)):
        d = posting(segment.positions, segment.guards, j, total)
        if d < 0:
            scratch.status[0] = 1
            continue
        places[counts[0]] = d + offset
        counts[0] += 1
    if counts[0] > first:
        leaders[counts[1]] = places[first]
        counts[1] += 1


@part
def _in_run(
    query: Query,
    segment: SegmentArrays,
    frequent: Frequent,
    known: Agreements,
    scratch: Scratch,
    number: int,
    start: int,
    end: int,
    f: int,
    places: Ints,
    leaders: Ints,
    counts: Ints,
) -> None:
    """The same where the fingerprint lies in a run: at most one place in each run of a Document."""
    run = query.run_of[f]
    first = query.run_start[run]
    last = query.run_end[run]
    period = query.run_period[run]
    q = query.positions[f]
    inside = start >= first and end <= last
    begin = frequent.lists[2, number]
    table = known.run_at[f]
    runs = known.runs
    for group in range(begin, frequent.lists[2, number + 1]):
        ahead = runs[0, table + group - begin]
        length = runs[1, table + group - begin]
        if length < 0:
            _in_documents(query, segment, frequent, scratch, number, group, start, end, f, places, leaders, counts)
            continue
        if inside:
            if ahead < REACH:
                # The place of the span in a run that begins `ahead` before the posting.
                lead = (start - (q - ahead)) % period
                if lead + end - start <= ahead + KGRAM + length:
                    _add(segment, frequent, scratch, number, group, lead - ahead, places, leaders, counts)
            continue
        if runs[2, table + group - begin] == 0 and runs[3, table + group - begin] == 0:
            continue
        at = first + ahead if start < first else last - KGRAM - length
        if at - start >= REACH or at < max(start, first) or at + KGRAM > min(end, last):
            continue
        # As far as the span lies in the run both go on with it; beyond its end only if they end together.
        if length < end - at - KGRAM if end <= last else at + KGRAM + length != last:
            continue
        together = at == first + ahead
        earlier = ahead + runs[2, table + group - begin] if together else min(ahead, at - first)
        if earlier < at - start and (not together or runs[2, table + group - begin] >= 0):
            continue
        if (at - q) % period != 0:
            continue
        if end > last:
            beyond = runs[3, table + group - begin]
            needed = end - at - KGRAM
            if beyond >= 0:
                if length + beyond < needed:
                    continue
            elif chain(frequent, known, query.text, number, group, at, 0) < needed:
                continue
        _add(segment, frequent, scratch, number, group, start - at, places, leaders, counts)


@part
def _in_documents(
    query: Query,
    segment: SegmentArrays,
    frequent: Frequent,
    scratch: Scratch,
    number: int,
    group: int,
    start: int,
    end: int,
    f: int,
    places: Ints,
    leaders: Ints,
    counts: Ints,
) -> None:
    """The same by the text of the Documents, for a group whose chain is open."""
    run = query.run_of[f]
    first = query.run_start[run]
    last = query.run_end[run]
    q = query.positions[f]
    bounds = scratch.pair
    total = segment.document_canonical[len(segment.document_canonical) - 1]
    for j in range(first_posting(frequent, group), end_posting(frequent, number, group)):
        d = posting(segment.positions, segment.guards, j, total)
        if d < 0:
            scratch.status[0] = 1
            continue
        document = find_stretch(segment.document_canonical, segment.document_of_granule, d)
        if not document_run(query, segment, scratch, document, run, q, d, bounds):
            continue
        if start >= first and end <= last:
            place = bounds[0] + (start - (q - (d - bounds[0]))) % query.run_period[run]
            if place + end - start > bounds[1]:
                continue
        else:
            place = bounds[0] - (first - start) if start < first else bounds[1] - (last - start)
            if place < segment.document_canonical[document]:
                continue
            if place + end - start > segment.document_canonical[document + 1]:
                continue
            stop = segment.document_canonical[document + 1]
            if agree_right(segment, scratch, query.text, start, end, place, stop) < end - start:
                continue
        places[counts[0]] = place
        leaders[counts[1]] = place
        counts[0] += 1
        counts[1] += 1
