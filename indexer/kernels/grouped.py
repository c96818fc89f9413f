"""Which Documents hold a span that only frequent fingerprints lie in, without touching one.

In: a span of the query, the frequent list of its first window. Out: the places where the span stands. It refuses to
know names, as `holders.py` does.
"""

from __future__ import annotations

import numpy as np

from codecite.indexer.config import KGRAM
from codecite.indexer.kernels.contexts import REACH
from codecite.indexer.kernels.cut import add_cut
from codecite.indexer.kernels.found import Query
from codecite.indexer.kernels.frequent import (
    CUT_OFF,
    STATE,
    STATE_BITS,
    STATES,
    Agreements,
    Frequent,
    agree,
    end_posting,
    first_posting,
    first_with,
)
from codecite.indexer.kernels.grouping import SIDE, SIDE_BITS
from codecite.indexer.kernels.jit import inlined, part
from codecite.indexer.kernels.onward import chain, edge_later
from codecite.indexer.kernels.rulers import document_run
from codecite.indexer.kernels.segment import Scratch, SegmentArrays, agree_right, find_stretch, posting
from codecite.indexer.kernels.types import Any32, Ints


@part
def grouped_places(
    query: Query,
    segment: SegmentArrays,
    frequent: Frequent,
    known: Agreements,
    scratch: Scratch,
    bounds: Any32,
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
    on (not in their order, perhaps twice), `leaders` from `led` on one of a Document with Origins (their `bounds`) for
    each white space: the postings of a group have the same. Returns how many of both there are then.
    """
    counts = known.counts
    counts[0] = done
    counts[1] = led
    while f < stop:
        run = query.run_of[f]
        if run >= 0:
            one = query.first_of[f]
            _in_run(query, segment, frequent, known, scratch, bounds, number, start, end, one, places, leaders, counts)
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
                    if known.ahead_at[q] >= 0:
                        at = np.int64(known.ahead_at[q]) - frequent.lists[2, number]
                        value = np.int64(known.ahead[at + group])
                        later = value >> STATE_BITS
                        state = value & STATES
                    else:
                        later = chain(frequent, known, query.text, number, group, q, 0)
                        state = known.state[STATE]
                        begin = agree(frequent, known, query.text, number, q)
                    if later < needed:
                        if state == CUT_OFF:
                            add_cut(
                                query,
                                segment,
                                frequent,
                                known,
                                scratch,
                                bounds,
                                number,
                                group,
                                q,
                                later,
                                start,
                                end,
                                places,
                                leaders,
                                counts,
                            )
                            begin = agree(frequent, known, query.text, number, q)
                        continue
                _add(segment, frequent, scratch, bounds, number, group, start - q, places, leaders, counts)
        f += 1
    return counts[0], counts[1]


@inlined
def _add(
    segment: SegmentArrays,
    frequent: Frequent,
    scratch: Scratch,
    bounds: Any32,
    number: int,
    group: int,
    offset: int,
    places: Ints,
    leaders: Ints,
    counts: Ints,
) -> None:
    """Add the places of a group, which lie at `offset` from its postings; one with an Origin leads."""
    total = segment.document_canonical[len(segment.document_canonical) - 1]
    led = False
    for j in range(first_posting(frequent, group), end_posting(frequent, number, group)):
        d = posting(segment.positions, segment.guards, j, total)
        if d < 0:
            scratch.status[0] = 1
            continue
        places[counts[0]] = d + offset
        counts[0] += 1
        if not led:
            document = find_stretch(segment.document_canonical, segment.document_of_granule, d)
            if bounds[document] < bounds[document + 1]:
                leaders[counts[1]] = d + offset
                counts[1] += 1
                led = True


@part
def _in_run(
    query: Query,
    segment: SegmentArrays,
    frequent: Frequent,
    known: Agreements,
    scratch: Scratch,
    bounds: Any32,
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
    begin = frequent.lists[2, number]
    count = frequent.lists[2, number + 1] - begin
    table = known.run_at[f]
    runs = known.runs
    edges = known.edges
    if start >= first and end <= last:
        i = runs[4, table] if count else 0
        while i < count:
            ahead = runs[0, table + i]
            length = runs[1, table + i]
            if length < 0:
                _in_documents(
                    query, segment, frequent, scratch, bounds, number, begin + i, start, end, f, places, leaders, counts
                )
            else:
                # The place of the span in a run that begins `ahead` before the posting.
                lead = (start - (q - ahead)) % period
                if lead + end - start <= ahead + KGRAM + length:
                    _add(segment, frequent, scratch, bounds, number, begin + i, lead - ahead, places, leaders, counts)
            i = runs[4, table + i + 1] if i + 1 < count else count
        return
    e = 2 * table if start < first else 2 * table + count
    stop = e + count
    while e < stop and edges[0, e] >= 0:
        group = np.int64(edges[0, e])
        at = np.int64(edges[1, e])
        earlier = np.int64(edges[2, e])
        e += 1
        if at < 0:
            _in_documents(
                query, segment, frequent, scratch, bounds, number, group, start, end, f, places, leaders, counts
            )
            continue
        if earlier >= 0 and earlier < at - start:
            continue
        if at - start >= REACH or at < start or at + KGRAM > end:
            continue
        later = edge_later(query.text, frequent, known, number, e - 1)
        if later >> STATE_BITS < end - at - KGRAM:
            if later & STATES == CUT_OFF:
                _in_documents(
                    query, segment, frequent, scratch, bounds, number, group, start, end, f, places, leaders, counts
                )
            continue
        _add(segment, frequent, scratch, bounds, number, group, start - at, places, leaders, counts)


@part
def _in_documents(
    query: Query,
    segment: SegmentArrays,
    frequent: Frequent,
    scratch: Scratch,
    bounds: Any32,
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
    pair = scratch.pair
    total = segment.document_canonical[len(segment.document_canonical) - 1]
    for j in range(first_posting(frequent, group), end_posting(frequent, number, group)):
        d = posting(segment.positions, segment.guards, j, total)
        if d < 0:
            scratch.status[0] = 1
            continue
        document = find_stretch(segment.document_canonical, segment.document_of_granule, d)
        if not document_run(query, segment, scratch, document, run, q, d, pair):
            continue
        if start >= first and end <= last:
            place = pair[0] + (start - (q - (d - pair[0]))) % query.run_period[run]
            if place + end - start > pair[1]:
                continue
        else:
            place = pair[0] - (first - start) if start < first else pair[1] - (last - start)
            if place < segment.document_canonical[document]:
                continue
            if place + end - start > segment.document_canonical[document + 1]:
                continue
            stop = segment.document_canonical[document + 1]
            if agree_right(segment, scratch, query.text, start, end, place, stop) < end - start:
                continue
        places[counts[0]] = place
        counts[0] += 1
        if bounds[document] < bounds[document + 1]:
            leaders[counts[1]] = place
            counts[1] += 1
