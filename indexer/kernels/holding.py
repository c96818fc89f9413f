"""Who holds each of many spans, and what that adds up to.

In: spans of a query, the postings of its minima in one Segment. Out: for each span the Documents that hold it, then
counts. It refuses to know names, as `holders.py` does.
"""

from __future__ import annotations

import numpy as np

from codecite.indexer.kernels.found import Query, compare
from codecite.indexer.kernels.frequent import Agreements, Frequent
from codecite.indexer.kernels.grouped import grouped_places
from codecite.indexer.kernels.holders import Origins, first_minimum, rarest_minimum, window_of
from codecite.indexer.kernels.jit import kernel, part
from codecite.indexer.kernels.licensed import Licensed
from codecite.indexer.kernels.segment import Scratch, SegmentArrays, find_stretch, posting
from codecite.indexer.kernels.types import Any32, Ints, Words


@part
def _keep_live(scratch: Scratch, bounds: Any32, documents: Ints, places: Ints, first: int, end: int) -> int:
    """Drop the Documents without an Origin from `first` on, and all but the first place of each; return the new end."""
    scratch.epoch[0] += 1
    epoch = scratch.epoch[0]
    count = first
    for i in range(first, end):
        document = documents[i]
        if bounds[document] == bounds[document + 1]:
            continue
        if scratch.stamp[document] == epoch:
            at = scratch.slot[document]
            places[at] = min(places[at], places[i])
            continue
        scratch.stamp[document] = epoch
        scratch.slot[document] = count
        documents[count] = document
        places[count] = places[i]
        count += 1
    return count


@part
def _lead(segment: SegmentArrays, scratch: Scratch, places: Ints, leaders: Ints, first: int, end: int) -> bool:
    """Whether all leaders are the first places in their Documents, right after `_keep_live`."""
    for i in range(first, end):
        document = find_stretch(segment.document_canonical, segment.document_of_granule, leaders[i])
        if places[scratch.slot[document]] != leaders[i]:
            return False
    return True


@kernel
def hold_spans(
    query: Query,
    low: Ints,
    high: Ints,
    numbers: Ints,
    segment: SegmentArrays,
    frequent: Frequent,
    known: Agreements,
    compared: Ints,
    scratch: Scratch,
    bounds: Any32,
    spans: Ints,
    first: int,
    documents: Ints,
    places: Ints,
    leaders: Ints,
    ends: Ints,
) -> int:
    """Find who holds the spans (2 x n) from number `first` on; returns the number of the first that is not done.

    `bounds` are those of the Origins. `documents` and `places` (the first place in each) get the holders of span s from
    `ends[0, s]` to `ends[0, s + 1]`, `leaders` places among which is one for each white space that the span has
    there, from `ends[1, s]` on. A span is not done if there may be too little room for it; and one that is to be looked
    for by fingerprints in a run, which are no frequent ones, has their minimum plus one in `ends[2, s]`: it is for
    `holders_by_run`.
    """
    total = segment.document_canonical[len(segment.document_canonical) - 1]
    window = scratch.pair
    for s in range(first, spans.shape[1]):
        start = spans[0, s]
        end = spans[1, s]
        done = ends[0, s]
        led = ends[1, s]
        ends[0, s + 1] = done
        ends[1, s + 1] = led
        ends[2, s] = 0
        minimum = rarest_minimum(query, low, high, start, end)
        grouped = numbers[minimum] >= 0
        if grouped:
            # That of the first window may be no frequent one for all its postings, if they have several k-grams.
            minimum = first_minimum(query, start)
            grouped = numbers[minimum] >= 0
        window_of(query, minimum, start, window)
        begin = window[0]
        stop = window[1]
        times = 0
        in_run = False
        for f in range(begin, stop):
            times += f == begin or query.first_of[f] != query.first_of[f - 1]
            in_run = in_run or query.run_of[f] >= 0
        if times * (high[minimum] - low[minimum]) > min(len(documents) - done, len(leaders) - led):
            return s
        count = done
        if grouped:
            count, more = grouped_places(
                query,
                segment,
                frequent,
                known,
                scratch,
                bounds,
                numbers[minimum],
                start,
                end,
                begin,
                stop,
                places,
                leaders,
                done,
                led,
            )
            for i in range(done, count):
                documents[i] = find_stretch(segment.document_canonical, segment.document_of_granule, places[i])
        elif in_run:
            ends[2, s] = minimum + 1
            continue
        else:
            more = led
            for j in range(low[minimum], high[minimum]):
                d = posting(segment.positions, segment.guards, j, total)
                if d < 0:
                    scratch.status[0] = 1
                    continue
                for f in range(begin, stop):
                    q = query.positions[f]
                    document = find_stretch(segment.document_canonical, segment.document_of_granule, d)
                    begun, ended = compare(query, segment, scratch, compared, document, q, d)
                    if begun <= start and ended >= end:
                        documents[count] = document
                        places[count] = d - (q - start)
                        count += 1
        count = _keep_live(scratch, bounds, documents, places, done, count)
        if not grouped or not _lead(segment, scratch, places, leaders, led, more):
            more = led + count - done
            for i in range(done, count):
                leaders[led + i - done] = places[i]
        ends[0, s + 1] = count
        ends[1, s + 1] = more
    return spans.shape[1]


@kernel
def count_origins(documents: Ints, ends: Ints, bounds: Any32, counts: Ints) -> None:
    """Add to `counts`, for each stretch of `documents`, how many Origins those have."""
    for s in range(len(ends) - 1):
        for i in range(ends[s], ends[s + 1]):
            counts[s] += np.int64(bounds[documents[i] + 1]) - np.int64(bounds[documents[i]])


@kernel
def tally(
    documents: Ints,
    ends: Ints,
    licensed: Licensed,
    origins: Origins,
    cap: int,
    counts: Ints,
    used: Ints,
    projects: Words,
    tables: Ints,
    totals: Ints,
) -> None:
    """Add the holders of spans in one Segment (each a stretch of `documents`) to their sums.

    `counts` (spans x licences, zero before) gets the Documents under each, `used` lists the licences counted. From
    `tables[s]` to `tables[s + 1]` `projects` holds an open-addressing table of the projects met (0 is empty; a power of
    two, more than are put in), filled until more than `cap` are met. `totals` (3 x spans) holds: Documents, projects,
    licences.
    """
    for s in range(len(ends) - 1):
        first = tables[s]
        mask = tables[s + 1] - first - 1
        totals[0, s] += ends[s + 1] - ends[s]
        for i in range(ends[s], ends[s + 1]):
            document = documents[i]
            for j in range(licensed.bounds[document], licensed.bounds[document + 1]):
                number = licensed.numbers[j]
                if counts[s, number] == 0:
                    used[s, totals[2, s]] = number
                    totals[2, s] += 1
                counts[s, number] += 1
            if totals[1, s] > cap:
                continue
            for j in range(origins.bounds[document], origins.bounds[document + 1]):
                name = origins.project[origins.rows[j]] | np.uint64(1)
                at = np.int64(name >> np.uint64(1)) & mask
                while projects[first + at] != 0 and projects[first + at] != name:
                    at = (at + 1) & mask
                if projects[first + at] == 0:
                    projects[first + at] = name
                    totals[1, s] += 1
                    if totals[1, s] > cap:
                        break
