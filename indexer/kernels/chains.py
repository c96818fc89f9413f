"""From frequent fingerprints to spans, without touching a Document.

In: a frequent list of a Segment and a fingerprint of the query that it belongs to. Out: the spans that begin with this
fingerprint, for each licence. It refuses to know how groups are stored.

Let P be a maximal passage of a Document, and f the fingerprint that the Document has in the first window of P. It
begins at most k bytes after P does, so before it the group of its posting agrees with the query for fewer than REACH
bytes, all of them in sight. A group that agrees for REACH bytes is passed over: its passages hold an earlier
fingerprint, so that of 100,000 copies of a licence one look at a group is taken where they begin. Behind f the chain
of the group says where P ends: as long as P goes on for REACH bytes more it holds another window, and so another
fingerprint. If all of P's are frequent, that is the next of the group. If one is not the chain may be open there; then
the Documents are compared, of which a rare list holds few.

In a run of the query (`rulers.py`) the same k-gram stands at many places, but for each group two of them are enough:
those where the run of the Document begins or ends together with the query's.
"""

from __future__ import annotations

import numpy as np

from codecite.indexer.config import GUARANTEE, KGRAM
from codecite.indexer.kernels.found import DONE, Found, Query, add_family, add_span, compare, full_with, record, slot_of
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
from codecite.indexer.kernels.jit import part
from codecite.indexer.kernels.licensed import Licensed
from codecite.indexer.kernels.rulers import document_run, visit_run
from codecite.indexer.kernels.segment import GRANULE_BITS, Scratch, SegmentArrays, find_stretch, posting


@part
def visit_list(
    query: Query,
    segment: SegmentArrays,
    frequent: Frequent,
    known: Agreements,
    scratch: Scratch,
    licensed: Licensed,
    found: Found,
    number: int,
    f: int,
) -> int:
    """Keep the spans that begin with fingerprint f in list `number`.

    Returns DONE, or which array of `found` is full.
    """
    if query.run_of[f] >= 0:
        return _visit_run(query, segment, frequent, known, scratch, licensed, found, number, f)
    q = query.positions[f]
    for group in range(frequent.lists[2, number], frequent.lists[2, number + 1]):
        begin = agree(frequent, known, query.text, number, q)
        if begin < 0:
            break
        earlier = before(frequent, known, begin, group)
        if earlier == REACH:
            continue
        later = behind(frequent, known, number, begin, group)
        is_open = False
        if later < REACH:
            if earlier + KGRAM + later < GUARANTEE:
                continue
        else:
            later = chain(frequent, known, query.text, number, group, q, 0)
            is_open = known.state[OPEN] != 0
        full = _keep(
            query, segment, frequent, scratch, licensed, found, number, group, f, q, earlier, later, is_open, True
        )
        if full != DONE:
            return full
    return DONE


@part
def _keep(
    query: Query,
    segment: SegmentArrays,
    frequent: Frequent,
    scratch: Scratch,
    licensed: Licensed,
    found: Found,
    number: int,
    group: int,
    f: int,
    q: int,
    earlier: int,
    later: int,
    is_open: bool,
    reaching: bool,
) -> int:
    """Keep what the postings of a group share with the query at `q`, for each licence."""
    start = q - earlier
    end = q + KGRAM + later
    total = segment.document_canonical[len(segment.document_canonical) - 1]
    last = np.int64(-1)
    for j in range(first_posting(frequent, group), end_posting(frequent, number, group)):
        d = posting(segment.positions, segment.guards, j, total)
        if d < 0:
            scratch.status[0] = 1
            continue
        name = np.int64(licensed.of_granule[d >> GRANULE_BITS])
        if name >= 0 and name == last and not is_open:
            continue
        document = (
            find_stretch(segment.document_canonical, segment.document_of_granule, d) if name < 0 or is_open else 0
        )
        first = licensed.bounds[document] if name < 0 or is_open else 0
        stop = licensed.bounds[document + 1] if name < 0 or is_open else 1
        if is_open:
            full = full_with(found, stop - first)
            if full != DONE:
                return full
            start, end = compare(query, segment, scratch, found, document, q, d)
            if end - start >= GUARANTEE:
                record(query, found, licensed, document, f, start, end)
            continue
        last = name
        for i in range(first, stop):
            one = name if name >= 0 else np.int64(licensed.numbers[i])
            full = full_with(found, 1)
            if full != DONE:
                return full
            slot = slot_of(found, one)
            if reaching:
                if found.reach[slot, REACH] != f + 1:
                    found.reach[slot, :REACH] = 0
                    found.reach[slot, REACH] = f + 1
                if found.reach[slot, earlier] >= end:
                    continue
                for back in range(earlier + 1):
                    found.reach[slot, back] = max(found.reach[slot, back], end)
            span = found.longest[slot, f]
            if span < 0 or found.spans[1, span] > start or found.spans[2, span] < end:
                add_span(query, found, slot, start, end)
    return DONE


@part
def _visit_run(
    query: Query,
    segment: SegmentArrays,
    frequent: Frequent,
    known: Agreements,
    scratch: Scratch,
    licensed: Licensed,
    found: Found,
    number: int,
    f: int,
) -> int:
    """The same for a run, of which fingerprint f is the first."""
    run = query.run_of[f]
    start = query.run_start[run]
    stop = query.run_end[run]
    period = query.run_period[run]
    q = query.positions[f]
    endless = periodic(query.text, start, period, q)
    going_on = new_agreements(frequent.lists, len(endless))
    for group in range(frequent.lists[2, number], frequent.lists[2, number + 1]):
        begin = agree(frequent, going_on, endless, number, REACH)
        if begin < 0:
            break
        ahead = before(frequent, going_on, begin, group)
        length = chain(frequent, going_on, endless, number, group, REACH, period)
        if going_on.state[OPEN] != 0:
            full = _visit_documents(query, segment, frequent, scratch, licensed, found, number, group, f)
            if full != DONE:
                return full
            continue
        if ahead < REACH and ahead + KGRAM + length >= GUARANTEE:
            phase = (q - ahead) % period
            full = _keep_family(
                segment, frequent, scratch, licensed, found, number, group, run, phase, ahead + KGRAM + length
            )
            if full != DONE:
                return full
        for side in range(2):
            at = start + ahead if side == 0 else stop - KGRAM - length
            if at < start or at + KGRAM > stop or (at - q) % period != 0:
                continue
            if ahead == REACH and (side == 0 or at - start >= REACH):
                continue
            there = agree(frequent, known, query.text, number, at)
            if there < 0:
                return DONE
            earlier = before(frequent, known, there, group)
            if earlier == REACH:
                continue
            later = chain(frequent, known, query.text, number, group, at, 0)
            sticks_out = at - earlier < start or at + KGRAM + later > stop
            if not sticks_out or earlier + KGRAM + later < GUARANTEE:
                continue
            is_open = known.state[OPEN] != 0
            full = _keep(
                query, segment, frequent, scratch, licensed, found, number, group, f, at, earlier, later, is_open, False
            )
            if full != DONE:
                return full
    return DONE


@part
def _keep_family(
    segment: SegmentArrays,
    frequent: Frequent,
    scratch: Scratch,
    licensed: Licensed,
    found: Found,
    number: int,
    group: int,
    run: int,
    phase: int,
    length: int,
) -> int:
    """Keep the family of a group for each licence of its Documents."""
    total = segment.document_canonical[len(segment.document_canonical) - 1]
    last = np.int64(-1)
    for j in range(first_posting(frequent, group), end_posting(frequent, number, group)):
        d = posting(segment.positions, segment.guards, j, total)
        if d < 0:
            scratch.status[0] = 1
            continue
        name = np.int64(licensed.of_granule[d >> GRANULE_BITS])
        if name >= 0 and name == last:
            continue
        document = find_stretch(segment.document_canonical, segment.document_of_granule, d)
        for i in range(licensed.bounds[document], licensed.bounds[document + 1]):
            full = full_with(found, 1)
            if full != DONE:
                return full
            add_family(found, slot_of(found, licensed.numbers[i]), run, phase, length)
        last = name
    return DONE


@part
def _visit_documents(
    query: Query,
    segment: SegmentArrays,
    frequent: Frequent,
    scratch: Scratch,
    licensed: Licensed,
    found: Found,
    number: int,
    group: int,
    f: int,
) -> int:
    """Look at the runs of the Documents themselves, for a group whose chain is open."""
    total = segment.document_canonical[len(segment.document_canonical) - 1]
    bounds = np.empty(2, np.int64)
    for j in range(first_posting(frequent, group), end_posting(frequent, number, group)):
        d = posting(segment.positions, segment.guards, j, total)
        if d < 0:
            scratch.status[0] = 1
            continue
        document = find_stretch(segment.document_canonical, segment.document_of_granule, d)
        full = full_with(found, licensed.bounds[document + 1] - licensed.bounds[document])
        if full != DONE:
            return full
        run = query.run_of[f]
        if document_run(query, segment, scratch, document, run, query.positions[f], d, bounds):
            visit_run(query, segment, scratch, licensed, found, document, f, d, bounds)
    return DONE
