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

Frequent lists are not visited here but by `chains.py`, which finds every passage whose first fingerprint is frequent,
to its end. So P's first fingerprint is none, and what holds the window beyond e may be one that nobody verifies there.
Then all fingerprints of P back to the last that is not frequent are: that one lies in P, too, and counts as lying at
the end of S (`_at_end`).
"""

from __future__ import annotations

import numpy as np

from codecite.indexer.config import GUARANTEE, KGRAM
from codecite.indexer.kernels.chains import visit_list
from codecite.indexer.kernels.found import (
    DIAGONALS,
    DONE,
    Found,
    Query,
    compare,
    full_with,
    record,
)
from codecite.indexer.kernels.frequent import Agreements, Frequent
from codecite.indexer.kernels.jit import inlined, kernel, part
from codecite.indexer.kernels.licensed import Licensed
from codecite.indexer.kernels.rulers import document_run, visit_run
from codecite.indexer.kernels.segment import (
    GRANULE_BITS,
    Scratch,
    SegmentArrays,
    find_stretch,
    posting,
)
from codecite.indexer.kernels.types import Ints


@part
def _at_end(query: Query, found: Found, slot: int, minimum: int, f: int) -> bool:
    """Whether fingerprint f, of this minimum, or one of the frequent minima that follow it lies at a span's end."""
    if found.at_end[slot, f >> 6] & (np.uint64(1) << np.uint64(f & 63)) != 0:
        return True
    first = query.begins[minimum + 1]
    stop = query.begins[found.until[minimum]]
    while first < stop:
        word = found.at_end[slot, first >> 6] >> np.uint64(first & 63)
        room = min(64 - (first & 63), stop - first)
        if room < 64:
            word &= (np.uint64(1) << np.uint64(room)) - np.uint64(1)
        if word != 0:
            return True
        first += room
    return False


@inlined
def _adds_nothing(query: Query, found: Found, number: int, minimum: int, f: int) -> bool:
    """Whether fingerprint f is covered for a licence and at the end of none of its spans; if so, that is noted."""
    slot = found.slot_of[number]
    if slot < 0:
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
    if _at_end(query, found, slot, minimum, f):
        return False
    found.passed[slot, f >> 6] |= np.uint64(1) << np.uint64(f & 63)
    return True


@inlined
def _pass_over(query: Query, found: Found, licensed: Licensed, document: int, minimum: int, f: int) -> bool:
    """Whether a posting of fingerprint f in this Document can add nothing under any of its licences."""
    for i in range(licensed.bounds[document], licensed.bounds[document + 1]):
        if not _adds_nothing(query, found, licensed.numbers[i], minimum, f):
            return False
    return True


@kernel
def find_spans(
    query: Query,
    low: Ints,
    high: Ints,
    numbers: Ints,
    order: Ints,
    segment: SegmentArrays,
    frequent: Frequent,
    known: Agreements,
    scratch: Scratch,
    licensed: Licensed,
    found: Found,
) -> int:
    """Visit the postings of the minima (their ranges are `low` to `high`) in the given order.

    `numbers` says which of the minima are frequent lists. `known` is what the text agrees with so far.
    Returns DONE, or which array of `found` is full; called again with a larger one it goes on where it was.
    """
    # Loads that wait for nothing, so that memory answers them at the same time: the first posting of every list.
    touched = np.int64(0)
    for o in range(found.counts[3], len(order)):
        if low[order[o]] < high[order[o]]:
            touched += np.int64(segment.positions[low[order[o]]])
    scratch.status[1] = touched
    bounds = scratch.pair
    total = segment.document_canonical[len(segment.document_canonical) - 1]
    for o in range(found.counts[3], len(order)):
        minimum = order[o]
        first = query.begins[minimum]
        for f in range(max(first, found.counts[4]), query.begins[minimum + 1]):
            if query.first_of[f] != f:
                continue
            if numbers[minimum] >= 0:
                full = visit_list(query, segment, frequent, known, scratch, licensed, found, numbers[minimum], f)
                if full != DONE:
                    found.counts[3] = o
                    found.counts[4] = f
                    found.counts[5] = 0
                    return full
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
                        nothing = _adds_nothing(query, found, number, minimum, f)
                    if nothing:
                        continue
                if run >= 0:
                    if d < passed:
                        continue
                else:
                    alignment = found.compared[:, (d - q + len(query.text)) % DIAGONALS]
                    if alignment[0] == d - q + len(query.text) and alignment[2] <= q and alignment[3] >= q + KGRAM:
                        continue
                document = find_stretch(segment.document_canonical, segment.document_of_granule, d)
                if _pass_over(query, found, licensed, document, minimum, f):
                    continue
                full = full_with(found, licensed.bounds[document + 1] - licensed.bounds[document])
                if full != DONE:
                    found.counts[3] = o
                    found.counts[4] = f
                    found.counts[5] = j
                    return full
                judged = -1
                if run >= 0:
                    if document_run(query, segment, scratch, document, run, q, d, bounds):
                        passed = bounds[1] - KGRAM + 1
                        visit_run(query, segment, scratch, licensed, found, document, f, d, bounds)
                    continue
                start, end = compare(query, segment, scratch, found.compared, document, q, d)
                if end - start >= GUARANTEE:
                    record(query, found, licensed, document, f, start, end)
            found.counts[5] = 0
        found.counts[4] = 0
    found.counts[3] = 0
    found.counts[4] = 0
    found.counts[5] = 0
    return DONE


@kernel
def find_again(query: Query, found: Found, again: Ints) -> int:
    """The minima of which postings were passed over that now lie at an end, in `again`, some twice; return how many.

    They count as not passed over any more.
    """
    count = 0
    for slot in range(found.counts[0]):
        for word in range(found.passed.shape[1]):
            if found.passed[slot, word] == 0:
                continue
            minimum = np.int64(-1)
            for f in range(word << 6, min((word + 1) << 6, len(query.positions))):
                bit = np.uint64(1) << np.uint64(f & 63)
                if found.passed[slot, word] & bit == 0:
                    continue
                if minimum < 0 or query.begins[minimum + 1] <= f:
                    minimum = _minimum_of(query, f)
                if _at_end(query, found, slot, minimum, f):
                    found.passed[slot, word] ^= bit
                    again[count] = minimum
                    count += 1
                    if count == len(again):
                        return count
    return count


@part
def _minimum_of(query: Query, f: int) -> int:
    """The minimum that a fingerprint belongs to."""
    below = 0
    above = len(query.begins) - 1
    while above - below > 1:
        middle = (below + above) >> 1
        if query.begins[middle] <= f:
            below = middle
        else:
            above = middle
    return below
