"""Runs: what a periodic stretch of the query shares with those of Documents.

In: a run of the query and a place in a Document that goes on with it. Out: spans, and families of spans. It refuses to
know how such places are found.

A *run* of the query is a stretch with a period p of at most k, of k + p bytes or more. Fingerprints recur in it, and in
each Document with the same run, so pairs of them are not compared one by one. For each run of a Document it
is enough to compare the two alignments in which the runs begin or end together: only these can stick out of the
query's run. All others lie within it and follow from the length of the Document's run and its phase; they are returned
as families (run, licence, phase, length), of which the query's run holds every translate.
"""

from __future__ import annotations

from codecite.indexer.config import GUARANTEE, KGRAM
from codecite.indexer.kernels.found import Found, Query, add_family, compare, record, slot_of
from codecite.indexer.kernels.jit import part
from codecite.indexer.kernels.licensed import Licensed
from codecite.indexer.kernels.segment import Scratch, SegmentArrays, agree_left, agree_right
from codecite.indexer.kernels.types import Ints


@part
def document_run(
    query: Query, segment: SegmentArrays, scratch: Scratch, document: int, run: int, q: int, d: int, bounds: Ints
) -> bool:
    """How far the Document goes on with the query's run around `d`, which lies against `q`: `bounds` gets both ends.

    False if the k-gram there is not the query's.
    """
    begin = segment.document_canonical[document]
    end = segment.document_canonical[document + 1]
    start = query.run_start[run]
    stop = query.run_end[run]
    period = query.run_period[run]
    right = d
    at = q
    while True:
        same = agree_right(segment, scratch, query.text, at, stop, right, end)
        right += same
        if at + same < stop or right >= end:
            break
        at = start + (at + same - start) % period
    if right - d < KGRAM:
        return False
    left = d
    at = q
    while True:
        same = agree_left(segment, scratch, query.text, at, start, left, begin)
        left -= same
        if at - same > start or left <= begin:
            break
        at = stop - (stop - (at - same)) % period
    bounds[0] = left
    bounds[1] = right
    return True


@part
def visit_run(
    query: Query,
    segment: SegmentArrays,
    scratch: Scratch,
    licensed: Licensed,
    found: Found,
    document: int,
    f: int,
    d: int,
    bounds: Ints,
) -> None:
    """Record what a Document's run shares with the query's: two comparisons and a family for each licence."""
    run = query.run_of[f]
    q = query.positions[f]
    left = bounds[0]
    right = bounds[1]
    start = query.run_start[run]
    stop = query.run_end[run]
    period = query.run_period[run]
    phase = (q - (d - left)) % period
    for aligned in range(2):
        if aligned == 0:
            if (start - phase) % period != 0:
                continue
            begin, end = compare(query, segment, scratch, found.compared, document, start, left)
        else:
            if (stop - (phase + right - left)) % period != 0:
                continue
            begin, end = compare(query, segment, scratch, found.compared, document, stop, right)
        if end - begin >= GUARANTEE and (begin < start or end > stop):
            record(query, found, licensed, document, f, begin, end)
    if right - left < GUARANTEE:
        return
    for i in range(licensed.bounds[document], licensed.bounds[document + 1]):
        add_family(found, slot_of(found, licensed.numbers[i]), run, phase, right - left)
