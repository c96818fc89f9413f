"""Which Documents hold a span, and what that adds up to: counts, licences, the first sources.

In: a span of the query, the postings of one fingerprint that every holder must have. Out: Documents with the first
place of the span in each; then their tally. It refuses to know names: licences, projects and Origins are numbers.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from codecite.indexer.config import GUARANTEE, KGRAM, WINDOW
from codecite.indexer.kernels.found import Query
from codecite.indexer.kernels.jit import kernel, part
from codecite.indexer.kernels.rulers import document_run
from codecite.indexer.kernels.segment import Scratch, SegmentArrays, agree_left, agree_right, find_stretch, posting
from codecite.indexer.kernels.types import Any32, Ints, Words


class Origins(NamedTuple):
    """The Origins of a Segment's Documents: those of d are `rows[bounds[d]:bounds[d + 1]]`; `project` a column."""

    bounds: Any32
    rows: Ints
    project: Words


@part
def first_minimum(query: Query, start: int) -> int:
    """The minimum of the window that begins at `start`."""
    below = 0
    above = len(query.windows) - 1
    while above - below > 1:
        middle = (below + above) >> 1
        if query.windows[middle] <= start:
            below = middle
        else:
            above = middle
    return below


@part
def rarest_minimum(query: Query, low: Ints, high: Ints, start: int, end: int) -> int:
    """Of the minima of the windows inside the span, the one with the fewest postings: every holder has one of them."""
    last = end - GUARANTEE
    best = first_minimum(query, start)
    minimum = best
    while minimum < len(query.windows) - 1 and query.windows[minimum] <= last:
        if high[minimum] - low[minimum] < high[best] - low[best]:
            best = minimum
        minimum += 1
    return best


@part
def document_holding(
    query: Query, segment: SegmentArrays, scratch: Scratch, start: int, end: int, q: int, d: int
) -> int:
    """The Document that holds the whole span on the diagonal of `q` and `d` (inside the span), or -1."""
    document = find_stretch(segment.document_canonical, segment.document_of_granule, d)
    begin = segment.document_canonical[document]
    stop = segment.document_canonical[document + 1]
    if d - (q - start) < begin or d + (end - q) > stop:
        return -1
    if agree_right(segment, scratch, query.text, q, end, d, stop) < end - q:
        return -1
    if agree_left(segment, scratch, query.text, q, start, d, begin) < q - start:
        return -1
    return document


@part
def _append(documents: Ints, places: Ints, count: int, document: int, place: int) -> int:
    """Add a holder unless it is the last one already; keep its first place."""
    if count > 0 and documents[count - 1] == document:
        places[count - 1] = min(places[count - 1], place)
        return count
    documents[count] = document
    places[count] = place
    return count + 1


@kernel
def window_of(query: Query, minimum: int, start: int, bounds: Ints) -> None:
    """Which fingerprints of a minimum lie in its first window inside the span: `bounds` gets the first and the end.

    Every holder of the span has one of them, where the minimum is that of a window in the span.
    """
    window = max(start, query.windows[minimum])
    f = query.begins[minimum]
    while query.positions[f] < window:
        f += 1
    bounds[0] = f
    while f < query.begins[minimum + 1] and query.positions[f] < window + WINDOW:
        f += 1
    bounds[1] = f


@kernel
def list_runs(query: Query, low: int, high: int, segment: SegmentArrays, scratch: Scratch, f: int, table: Ints) -> int:
    """The stretches in which Documents go on with the run of fingerprint f; return how many.

    `table` (4 x postings) gets the Document of each, where it begins and ends, and the query's position against its
    begin.
    """
    count = 0
    passed = np.int64(-1)
    bounds = scratch.pair
    total = segment.document_canonical[len(segment.document_canonical) - 1]
    for j in range(low, high):
        d = posting(segment.positions, segment.guards, j, total)
        if d < 0:
            scratch.status[0] = 1
            continue
        if d < passed:
            continue
        document = find_stretch(segment.document_canonical, segment.document_of_granule, d)
        if document_run(query, segment, scratch, document, query.run_of[f], query.positions[f], d, bounds):
            passed = bounds[1] - KGRAM + 1
            table[0, count] = document
            table[1, count] = bounds[0]
            table[2, count] = bounds[1]
            table[3, count] = query.positions[f] - (d - bounds[0])
            count += 1
    return count


@kernel
def holders_by_run(
    query: Query,
    segment: SegmentArrays,
    scratch: Scratch,
    start: int,
    end: int,
    run: int,
    table: Ints,
    documents: Ints,
    places: Ints,
) -> int:
    """Find the Documents that hold a span which shares a run with them (`list_runs`), ascending; return how many.

    A span inside the query's run stands in a Document's wherever it fits and the phase agrees; one that sticks out only
    where the runs begin or end together on that side.
    """
    count = 0
    first = query.run_start[run]
    last = query.run_end[run]
    shared = min(end, last) - max(start, first)
    for i in range(table.shape[1]):
        length = table[2, i] - table[1, i]
        if length < shared or (start < first and end > last and length > shared):
            continue
        if start >= first and end <= last:
            place = table[1, i] + (start - table[3, i]) % query.run_period[run]
            if place + end - start > table[2, i]:
                continue
        else:
            edge = first if start < first else last - 1
            against = table[1, i] if start < first else table[2, i] - 1
            if document_holding(query, segment, scratch, start, end, edge, against) != table[0, i]:
                continue
            place = against - (edge - start)
        count = _append(documents, places, count, table[0, i], place)
    return count


@kernel
def first_origins(documents: Ints, origins: Origins, first: int, rank: Any32, rows: Ints, holders: Ints) -> int:
    """The Origins of the given Documents with the smallest ranks, ascending; return how many.

    Only those that stand in one Segment are looked at: their numbers begin at `first`, their ranks are `rank`. `rows`
    gets their numbers, as many as it is long, and `holders` which of `documents` each belongs to.
    """
    count = 0
    for i in range(len(documents)):
        document = documents[i]
        for j in range(origins.bounds[document], origins.bounds[document + 1]):
            row = origins.rows[j]
            if row < first or row >= first + len(rank):
                continue
            value = rank[row - first]
            if count == len(rows) and (count == 0 or value >= rank[rows[count - 1] - first]):
                continue
            at = count if count < len(rows) else count - 1
            while at > 0 and rank[rows[at - 1] - first] > value:
                rows[at] = rows[at - 1]
                holders[at] = holders[at - 1]
                at -= 1
            rows[at] = row
            holders[at] = i
            count = min(count + 1, len(rows))
    return count


@kernel
def find_holders(
    query: Query,
    low: int,
    high: int,
    segment: SegmentArrays,
    scratch: Scratch,
    start: int,
    end: int,
    fingerprints: Ints,
    documents: Ints,
    places: Ints,
) -> int:
    """Find the Documents that hold the span with one of the fingerprints, ascending; return how many.

    `fingerprints` are the first and the end of some that share the postings `low` to `high`. `documents` and `places`
    (the first place of the span in each) have room for all of these.
    """
    count = 0
    total = segment.document_canonical[len(segment.document_canonical) - 1]
    for j in range(low, high):
        d = posting(segment.positions, segment.guards, j, total)
        if d < 0:
            scratch.status[0] = 1
            continue
        for f in range(fingerprints[0], fingerprints[1]):
            q = query.positions[f]
            document = document_holding(query, segment, scratch, start, end, q, d)
            if document >= 0:
                count = _append(documents, places, count, document, d - (q - start))
    return count


@kernel
def rarest(query: Query, low: Ints, high: Ints, start: int, end: int) -> int:
    """`rarest_minimum`, for callers in Python."""
    return rarest_minimum(query, low, high, start, end)
