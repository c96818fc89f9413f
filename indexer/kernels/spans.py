"""From fingerprints to spans: verify postings on the text, for each licence only where it can still add a span.

In: the fingerprints of a query with the ranges of their postings, one Segment. Out: for each licence, spans of the
query that stand in one of its Documents, among them all maximal ones. It refuses to know what a licence is: a
number.

Minima come rarest list first, and a posting costs a comparison only if it can still add something. A fingerprint at q
is *covered* for a licence by a span S already verified for it if S begins k or more bytes before the k-gram (or with
the query) and ends k or more bytes after it (or with the query). It lies *at the end* of S if S ends before the query
does and the k-gram begins T - 1 to k - 1 bytes before that end. A posting is passed over if its fingerprint is
covered, and at no span's end, for every licence of its Document; what was passed over and then turns out to lie at an
end is visited again.

Why no passage is lost: let P be a maximal passage of a licence that lies in no verified span of it. Then all its
fingerprints were passed over. The first of them begins at most k bytes after P does, so the span that covers it
begins no later than P. Among the spans that do, let S be the one that ends last: P goes on beyond its end e, and the
window of T bytes that ends one byte beyond e lies in P. The Document's fingerprint in that window lies at the end of
S; so it was not passed over. (Being covered alone is not enough: each fingerprint of a passage can be covered by some
span, two of which the passage sticks out of on different sides.)

A *run* of the query is a stretch with a period p of at most k, of k + p bytes or more. Fingerprints recur in it, and in
each Document with the same run, so pairs of them are not compared one by one. For each run of a Document it
is enough to compare the two alignments in which the runs begin or end together: only these can stick out of the
query's run. All others lie within it and follow from the length of the Document's run and its phase; they are returned
as families (run, licence, phase, length), of which the query's run holds every translate.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from codecite.indexer.config import GUARANTEE, KGRAM
from codecite.indexer.kernels.jit import kernel, part
from codecite.indexer.kernels.licensed import Licensed
from codecite.indexer.kernels.segment import (
    GRANULE_BITS,
    Scratch,
    SegmentArrays,
    agree_left,
    agree_right,
    find_stretch,
    posting,
)
from codecite.indexer.kernels.types import Bytes, Ints, Ints32, Words

DIAGONALS = 512
DONE = 0
SPANS_FULL = 1
LICENSES_FULL = 2
FAMILIES_FULL = 3
_RECENT = 32


class Query(NamedTuple):
    """A query's canonical text with its fingerprints, minima (`winnow.select_query`) and runs.

    `run_of` names the run that holds the k-gram of each fingerprint, or is -1; `first_of` is the first fingerprint of
    the same minimum and run, which stands for all of them. Run r is `[run_start[r], run_end[r])`, with the period
    `run_period[r]`.
    """

    text: Bytes
    positions: Ints
    begins: Ints
    windows: Ints
    run_of: Ints
    first_of: Ints
    run_start: Ints
    run_end: Ints
    run_period: Ints


class Found(NamedTuple):
    """What was found so far, filled over all Segments.

    `slot_of` gives the slot of a licence or -1. `spans` (3 x n) and `families` (4 x n) hold slot, start, end and run,
    slot, phase, length. `longest` (slots x fingerprints) is the longest span that holds the fingerprint, or -1;
    `at_end` and `passed` (slots x words) have a bit for each fingerprint. `counts` says how many slots, spans and
    families there are, then where to go on: minimum, fingerprint, posting. `compared` (4 x DIAGONALS) remembers
    alignments: diagonal, Document, start and end.
    """

    slot_of: Ints
    spans: Ints
    families: Ints
    longest: Ints32
    at_end: Words
    passed: Words
    counts: Ints
    compared: Ints


@part
def _first_at(positions: Ints, wanted: int) -> int:
    """The first fingerprint that begins at `wanted` or later."""
    low = 0
    high = len(positions)
    while low < high:
        middle = (low + high) >> 1
        if positions[middle] < wanted:
            low = middle + 1
        else:
            high = middle
    return low


@part
def _add_span(query: Query, found: Found, slot: int, start: int, end: int) -> None:
    """Keep a verified span, and mark the fingerprints that it holds and those at its end."""
    number = found.counts[1]
    found.spans[0, number] = slot
    found.spans[1, number] = start
    found.spans[2, number] = end
    found.counts[1] = number + 1
    f = _first_at(query.positions, start)
    while f < len(query.positions) and query.positions[f] + KGRAM <= end:
        known = found.longest[slot, f]
        if known < 0 or found.spans[2, known] - found.spans[1, known] < end - start:
            found.longest[slot, f] = number
        f += 1
    if end == len(query.text):
        return
    f = _first_at(query.positions, end - GUARANTEE + 1)
    while f < len(query.positions) and query.positions[f] <= end - KGRAM + 1:
        first = query.first_of[f]
        found.at_end[slot, first >> 6] |= np.uint64(1) << np.uint64(first & 63)
        f += 1


@part
def _slot(found: Found, number: int) -> int:
    slot = found.slot_of[number]
    if slot < 0:
        slot = found.counts[0]
        found.slot_of[number] = slot
        found.counts[0] = slot + 1
    return slot


@part
def _adds_nothing(query: Query, found: Found, number: int, f: int) -> bool:
    """Whether fingerprint f is covered for a licence and at the end of none of its spans; if so, that is noted."""
    slot = found.slot_of[number]
    word = f >> 6
    bit = np.uint64(1) << np.uint64(f & 63)
    if slot < 0 or found.at_end[slot, word] & bit != 0:
        return False
    span = found.longest[slot, f]
    if span < 0:
        return False
    begin = query.positions[f]
    end = begin + KGRAM
    run = query.run_of[f]
    if run >= 0:
        begin = query.run_start[run]
        end = query.run_end[run]
    if found.spans[1, span] > begin - KGRAM and found.spans[1, span] > 0:
        return False
    if found.spans[2, span] < end + KGRAM and found.spans[2, span] < len(query.text):
        return False
    found.passed[slot, word] |= bit
    return True


@part
def _pass_over(query: Query, found: Found, licensed: Licensed, document: int, f: int) -> bool:
    """Whether a posting of fingerprint f in this Document can add nothing under any of its licences."""
    for i in range(licensed.bounds[document], licensed.bounds[document + 1]):
        if not _adds_nothing(query, found, licensed.numbers[i], f):
            return False
    return True


@part
def _compare(
    query: Query, segment: SegmentArrays, scratch: Scratch, found: Found, document: int, q: int, d: int
) -> tuple[int, int]:
    """The maximal agreement on the diagonal of `q` and `d`, remembered: start and end in the query."""
    key = d - q + len(query.text)
    known = found.compared[:, key % DIAGONALS]
    if known[0] == key and known[1] == document and known[2] <= q and known[3] >= q:
        return known[2], known[3]
    begin = segment.document_canonical[document]
    end = segment.document_canonical[document + 1]
    right = q + agree_right(segment, scratch, query.text, q, len(query.text), d, end)
    left = q - agree_left(segment, scratch, query.text, q, 0, d, begin)
    known[0] = key
    known[1] = document
    known[2] = left
    known[3] = right
    return left, right


@part
def _record(query: Query, found: Found, licensed: Licensed, document: int, f: int, start: int, end: int) -> None:
    """Keep a span that holds fingerprint f for each licence of the Document, unless a known one holds it all."""
    for i in range(licensed.bounds[document], licensed.bounds[document + 1]):
        slot = _slot(found, licensed.numbers[i])
        known = found.longest[slot, f]
        if known < 0 or found.spans[1, known] > start or found.spans[2, known] < end:
            _add_span(query, found, slot, start, end)


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
def _visit_run(
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
            begin, end = _compare(query, segment, scratch, found, document, start, left)
        else:
            if (stop - (phase + right - left)) % period != 0:
                continue
            begin, end = _compare(query, segment, scratch, found, document, stop, right)
        if end - begin >= GUARANTEE and (begin < start or end > stop):
            _record(query, found, licensed, document, f, begin, end)
    if right - left < GUARANTEE:
        return
    for i in range(licensed.bounds[document], licensed.bounds[document + 1]):
        slot = _slot(found, licensed.numbers[i])
        count = found.counts[2]
        known = False
        for j in range(max(0, count - _RECENT), count):
            if (
                found.families[0, j] == run
                and found.families[1, j] == slot
                and found.families[2, j] == phase
                and found.families[3, j] >= right - left
            ):
                known = True
                break
        if not known:
            found.families[0, count] = run
            found.families[1, count] = slot
            found.families[2, count] = phase
            found.families[3, count] = right - left
            found.counts[2] = count + 1


@kernel
def find_spans(
    query: Query,
    low: Ints,
    high: Ints,
    order: Ints,
    segment: SegmentArrays,
    scratch: Scratch,
    licensed: Licensed,
    found: Found,
) -> int:
    """Visit the postings of the minima (their ranges are `low` to `high`) in the given order.

    Returns DONE, or which array of `found` is full; called again with a larger one it goes on where it was.
    """
    # Loads that wait for nothing, so that memory answers them at the same time: the first posting of every list.
    touched = np.int64(0)
    for o in range(found.counts[3], len(order)):
        if low[order[o]] < high[order[o]]:
            touched += np.int64(segment.positions[low[order[o]]])
    scratch.status[1] = touched
    bounds = np.empty(2, np.int64)
    total = segment.document_canonical[len(segment.document_canonical) - 1]
    for o in range(found.counts[3], len(order)):
        minimum = order[o]
        first = query.begins[minimum]
        for f in range(max(first, found.counts[4]), query.begins[minimum + 1]):
            if query.first_of[f] != f:
                continue
            q = query.positions[f]
            run = query.run_of[f]
            passed = np.int64(-1)
            judged = np.int64(-1)
            nothing = False
            for j in range(max(low[minimum], found.counts[5]), high[minimum]):
                d = posting(segment.positions, segment.guards, j, total)
                if d < 0:
                    scratch.status[0] = 1
                    continue
                number = np.int64(licensed.of_granule[d >> GRANULE_BITS])
                if number >= 0:
                    if number != judged:
                        judged = number
                        nothing = _adds_nothing(query, found, number, f)
                    if nothing:
                        continue
                if run >= 0:
                    if d < passed:
                        continue
                else:
                    known = found.compared[:, (d - q + len(query.text)) % DIAGONALS]
                    if known[0] == d - q + len(query.text) and known[2] <= q and known[3] >= q + KGRAM:
                        continue
                document = find_stretch(segment.document_canonical, segment.document_of_granule, d)
                if _pass_over(query, found, licensed, document, f):
                    continue
                licenses = licensed.bounds[document + 1] - licensed.bounds[document]
                full = DONE
                if found.counts[0] + licenses > len(found.longest):
                    full = LICENSES_FULL
                elif found.counts[1] + 2 * licenses > found.spans.shape[1]:
                    full = SPANS_FULL
                elif found.counts[2] + licenses > found.families.shape[1]:
                    full = FAMILIES_FULL
                if full != DONE:
                    found.counts[3] = o
                    found.counts[4] = f
                    found.counts[5] = j
                    return full
                judged = -1
                if run >= 0:
                    if document_run(query, segment, scratch, document, run, q, d, bounds):
                        passed = bounds[1] - KGRAM + 1
                        _visit_run(query, segment, scratch, licensed, found, document, f, d, bounds)
                    continue
                start, end = _compare(query, segment, scratch, found, document, q, d)
                if end - start >= GUARANTEE:
                    _record(query, found, licensed, document, f, start, end)
            found.counts[5] = 0
        found.counts[4] = 0
    found.counts[3] = 0
    found.counts[4] = 0
    found.counts[5] = 0
    return DONE
