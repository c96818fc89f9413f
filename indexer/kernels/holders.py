"""Which Documents hold a span, and what that adds up to: counts, licences, the first sources.

In: a span of the query, the postings of one fingerprint that every holder must have. Out: Documents with the first
place of the span in each; then their tally. It refuses to know names: licences, projects and Origins are numbers.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from codecite.indexer.config import GUARANTEE, KGRAM, WINDOW
from codecite.indexer.kernels.jit import kernel, part
from codecite.indexer.kernels.segment import Scratch, SegmentArrays, agree_left, agree_right, last_at_or_before
from codecite.indexer.kernels.spans import Licensed, Query, document_run
from codecite.indexer.kernels.types import Any32, Ints, Words


class Origins(NamedTuple):
    """The Origins of a Segment's Documents: those of d are `rows[bounds[d]:bounds[d + 1]]`; `project` a column."""

    bounds: Any32
    rows: Ints
    project: Words


@kernel
def rarest_minimum(query: Query, low: Ints, high: Ints, start: int, end: int) -> int:
    """Of the minima of the windows inside the span, the one with the fewest postings: every holder has one of them."""
    first = start
    last = end - GUARANTEE
    below = 0
    above = len(query.windows) - 1
    while above - below > 1:
        middle = (below + above) >> 1
        if query.windows[middle] <= first:
            below = middle
        else:
            above = middle
    best = below
    minimum = below
    while minimum < len(query.windows) - 1 and query.windows[minimum] <= last:
        if high[minimum] - low[minimum] < high[best] - low[best]:
            best = minimum
        minimum += 1
    return best


@part
def _holds(query: Query, segment: SegmentArrays, scratch: Scratch, start: int, end: int, q: int, d: int) -> int:
    """The Document that holds the whole span on the diagonal of `q` and `d` (inside the span), or -1."""
    document = last_at_or_before(segment.document_canonical, d)
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
def find_holders(
    query: Query,
    low: Ints,
    high: Ints,
    segment: SegmentArrays,
    scratch: Scratch,
    start: int,
    end: int,
    minimum: int,
    documents: Ints,
    places: Ints,
) -> int:
    """Find all Documents of a Segment that hold the span, ascending, with the first place of each; return how many.

    `minimum` is that of a window inside the span (`rarest_minimum`); both arrays have room for each of its postings.
    Where the minimum lies in a run, a Document's run is looked at as a whole: a span inside the query's run stands in
    it wherever it fits and the phase agrees, one that sticks out only where the runs end together on that side.
    (Where two runs overlap, the fingerprints of one window may lie in either.)
    """
    first_window = max(start, query.windows[minimum])
    f = query.begins[minimum]
    while query.positions[f] < first_window:
        f += 1
    last = f
    while last < query.begins[minimum + 1] and query.positions[last] < first_window + WINDOW:
        last += 1
    count = 0
    seen = np.int64(-1)
    passed = np.int64(-1)
    bounds = np.empty(2, np.int64)
    total = segment.document_canonical[len(segment.document_canonical) - 1]
    for j in range(low[minimum], high[minimum]):
        d = np.int64(segment.positions[j])
        if d >= total:
            scratch.status[0] = 1
            continue
        for t in range(f, last):
            q = query.positions[t]
            run = query.run_of[t]
            if run < 0:
                document = _holds(query, segment, scratch, start, end, q, d)
                if document >= 0:
                    count = _append(documents, places, count, document, d - (q - start))
                continue
            if (t > f and query.run_of[t - 1] == run) or (run == seen and d < passed):
                continue
            document = last_at_or_before(segment.document_canonical, d)
            if not document_run(query, segment, scratch, document, run, q, d, bounds):
                continue
            seen = run
            passed = bounds[1] - KGRAM + 1
            place = _place_by_run(query, segment, scratch, start, end, run, q, d, document, bounds)
            if place >= 0:
                count = _append(documents, places, count, document, place)
    return count


@part
def _place_by_run(
    query: Query,
    segment: SegmentArrays,
    scratch: Scratch,
    start: int,
    end: int,
    run: int,
    q: int,
    d: int,
    document: int,
    bounds: Ints,
) -> int:
    """The first place of the span that lies against a Document's run (`bounds`) as its own run does, or -1."""
    if start >= query.run_start[run] and end <= query.run_end[run]:
        place = bounds[0] + (start - (q - (d - bounds[0]))) % query.run_period[run]
        return place if place + end - start <= bounds[1] else np.int64(-1)
    if start < query.run_start[run]:
        edge = query.run_start[run]
        against = bounds[0]
    else:
        edge = query.run_end[run] - 1
        against = bounds[1] - 1
    if _holds(query, segment, scratch, start, end, edge, against) != document:
        return np.int64(-1)
    return against - (edge - start)


@kernel
def tally(
    documents: Ints,
    licensed: Licensed,
    origins: Origins,
    cap: int,
    counts: Ints,
    used: Ints,
    projects: Words,
    totals: Ints,
) -> None:
    """Add the holders of one Segment to the sums of a span.

    `counts` (a slot a licence, zero before) gets the Documents under each, `used` lists the licences counted.
    `projects` is an open-addressing table of the projects met (0 is empty; a power of two, twice `cap` at least),
    filled until more than `cap` are met. `totals` holds: Documents, projects, licences.
    """
    mask = len(projects) - 1
    totals[0] += len(documents)
    for i in range(len(documents)):
        document = documents[i]
        for j in range(licensed.bounds[document], licensed.bounds[document + 1]):
            number = licensed.numbers[j]
            if counts[number] == 0:
                used[totals[2]] = number
                totals[2] += 1
            counts[number] += 1
        if totals[1] > cap:
            continue
        for j in range(origins.bounds[document], origins.bounds[document + 1]):
            name = origins.project[origins.rows[j]] | np.uint64(1)
            at = np.int64(name >> np.uint64(1)) & mask
            while projects[at] != 0 and projects[at] != name:
                at = (at + 1) & mask
            if projects[at] == 0:
                projects[at] = name
                totals[1] += 1
                if totals[1] > cap:
                    break


@kernel
def first_origins(
    documents: Ints, origins: Origins, first: int, rank: Any32, rows: Ints, holders: Ints
) -> int:
    """The Origins of the given Documents with the smallest ranks, ascending; return how many.

    Only those that stand in one Segment are looked at: their numbers begin at `first`, their ranks are `rank`. `rows` gets
    their numbers, as many as it is long, and `holders` which of `documents` each belongs to.
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
