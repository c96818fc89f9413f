"""Which Documents hold a span that only frequent fingerprints lie in, without touching one.

In: a span of the query, the frequent list of its first window. Out: the places where the span stands. It refuses to
know names, as `holders.py` does.
"""

from __future__ import annotations

import numpy as np

from codecite.indexer.config import KGRAM
from codecite.indexer.kernels.found import Query
from codecite.indexer.kernels.frequent import (
    OPEN,
    Agreements,
    Frequent,
    agree,
    before,
    behind,
    chain,
    end_posting,
    first_posting,
    new_agreements,
    periodic,
)
from codecite.indexer.kernels.grouping import REACH
from codecite.indexer.kernels.jit import kernel, part
from codecite.indexer.kernels.rulers import document_run
from codecite.indexer.kernels.segment import Scratch, SegmentArrays, agree_right, find_stretch, posting
from codecite.indexer.kernels.types import Ints


@kernel
def grouped_places(
    query: Query,
    segment: SegmentArrays,
    frequent: Frequent,
    known: Agreements,
    scratch: Scratch,
    number: int,
    start: int,
    end: int,
    window: Ints,
    places: Ints,
    leaders: Ints,
    counts: Ints,
) -> None:
    """Find where the span stands in Documents that have one of the fingerprints `window[0]` to `window[1]`.

    All of these belong to list `number` and lie in the first window of the span. `places` gets the places (not in their
    order, perhaps twice), `leaders` one for each group: postings of a group have the same white space. `counts` gets
    how many of both there are.
    """
    counts[:2] = 0
    f = window[0]
    while f < window[1]:
        run = query.run_of[f]
        if run >= 0:
            _in_run(query, segment, frequent, known, scratch, number, start, end, f, places, leaders, counts)
            while f < window[1] and query.run_of[f] == run:
                f += 1
            continue
        q = query.positions[f]
        for group in range(frequent.lists[2, number], frequent.lists[2, number + 1]):
            if _holds(frequent, known, query, number, group, q, start, end):
                _add(segment, frequent, scratch, number, group, start - q, places, leaders, counts)
        f += 1


@part
def _holds(
    frequent: Frequent, known: Agreements, query: Query, number: int, group: int, q: int, start: int, end: int
) -> bool:
    """Whether a group holds the span, its k-gram against `q`."""
    begin = agree(frequent, known, query.text, number, q)
    if begin < 0 or before(frequent, known, begin, group) < q - start:
        return False
    needed = end - q - KGRAM
    later = behind(frequent, known, number, begin, group)
    if later >= needed or later < REACH:
        return later >= needed
    return chain(frequent, known, query.text, number, group, q, 0) >= needed


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
    endless = periodic(query.text, first, period, q)
    going_on = new_agreements(frequent.lists, len(endless))
    inside = start >= first and end <= last
    for group in range(frequent.lists[2, number], frequent.lists[2, number + 1]):
        begin = agree(frequent, going_on, endless, number, REACH)
        if begin < 0:
            return
        ahead = before(frequent, going_on, begin, group)
        length = chain(frequent, going_on, endless, number, group, REACH, period)
        if going_on.state[OPEN] != 0:
            _in_documents(query, segment, frequent, scratch, number, group, start, end, f, places, leaders, counts)
            continue
        if inside:
            if ahead < REACH:
                # The place of the span in a run that begins `ahead` before the posting.
                lead = (start - (q - ahead)) % period
                if lead + end - start <= ahead + KGRAM + length:
                    _add(segment, frequent, scratch, number, group, lead - ahead, places, leaders, counts)
            continue
        at = first + ahead if start < first else last - KGRAM - length
        if at < max(start, first) or at + KGRAM > min(end, last) or (at - q) % period != 0 or at - start >= REACH:
            continue
        if _holds(frequent, known, query, number, group, at, start, end):
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
    bounds = np.empty(2, np.int64)
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


@kernel
def documents_at(segment: SegmentArrays, places: Ints, documents: Ints) -> int:
    """The Documents that ascending places lie in, each once, in `documents`; `places` keeps the first place of each.

    Returns how many there are.
    """
    count = 0
    document = np.int64(-1)
    end = np.int64(-1)
    for i in range(len(places)):
        if places[i] < end:
            continue
        document = find_stretch(segment.document_canonical, segment.document_of_granule, places[i])
        end = segment.document_canonical[document + 1]
        documents[count] = document
        places[count] = places[i]
        count += 1
    return count
