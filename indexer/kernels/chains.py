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
from codecite.indexer.kernels.contexts import REACH
from codecite.indexer.kernels.cut import keep_cut
from codecite.indexer.kernels.found import DONE, Found, Query, add_family, add_span, compare, full_with, record, slot_of
from codecite.indexer.kernels.frequent import (
    CLOSED,
    CUT_OFF,
    OPEN,
    SEEN,
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
from codecite.indexer.kernels.licensed import Licensed
from codecite.indexer.kernels.onward import chain, edge_later
from codecite.indexer.kernels.rulers import document_run, visit_run
from codecite.indexer.kernels.segment import GRANULE_BITS, Scratch, SegmentArrays, find_stretch, posting
from codecite.indexer.kernels.types import Ints


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
    seen = known.seen
    seen[:] = -1
    begin = agree(frequent, known, query.text, number, q)
    if begin < 0:
        return DONE
    groups = frequent.groups
    room = known.room
    count = frequent.lists[4, number]
    most = 0
    for i in range(begin, begin + count):
        if room[i] > most and room[i] < REACH:
            most = room[i]
    least = GUARANTEE - KGRAM - most
    context = 0
    while context < frequent.lists[5, number]:
        if room[begin + count + context] < least:
            context += 1
            continue
        first = first_with(frequent, number, context)
        while context < frequent.lists[5, number] and room[begin + count + context] >= least:
            context += 1
        for group in range(first, first_with(frequent, number, context)):
            sides = groups[group, 1]
            earlier = np.int64(room[begin + np.int64((sides >> np.uint64(SIDE_BITS)) & SIDE)])
            if earlier == REACH:
                continue
            later = np.int64(room[begin + count + np.int64(sides & SIDE)])
            state = np.int64(CLOSED)
            if later < REACH:
                if earlier + KGRAM + later < GUARANTEE:
                    continue
            elif known.ahead_at[q] >= 0:
                value = np.int64(known.ahead[np.int64(known.ahead_at[q]) + group - frequent.lists[2, number]])
                later = value >> STATE_BITS
                state = value & STATES
            else:
                later = chain(frequent, known, query.text, number, group, q, 0)
                state = known.state[STATE]
            if state == CUT_OFF:
                full = keep_cut(
                    query, segment, frequent, known, scratch, licensed, found, number, group, f, q, earlier, later
                )
            else:
                is_open = state == OPEN
                full = _keep(
                    query,
                    segment,
                    frequent,
                    scratch,
                    licensed,
                    found,
                    number,
                    group,
                    f,
                    q,
                    earlier,
                    later,
                    is_open,
                    seen,
                )
            begin = agree(frequent, known, query.text, number, q)
            if begin < 0:
                return DONE
            if full != DONE:
                return full
    return DONE


@inlined
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
    seen: Ints,
) -> int:
    """Keep what the postings of a group share with the query at `q`, for each licence.

    `seen` remembers what was kept just now.
    """
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
            start, end = compare(query, segment, scratch, found.compared, document, q, d)
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
            key = (slot * len(query.text) + start) * (len(query.text) + 1) + end
            if seen[key % SEEN] == key:
                continue
            seen[key % SEEN] = key
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
    period = query.run_period[run]
    q = query.positions[f]
    first = frequent.lists[2, number]
    count = frequent.lists[2, number + 1] - first
    table = known.run_at[f]
    seen = known.seen
    seen[:] = -1
    longest = found.phases
    longest[:] = 0
    runs = known.runs
    i = runs[4, table] if count else 0
    while i < count:
        ahead = runs[0, table + i]
        length = runs[1, table + i]
        if length < 0:
            full = _visit_documents(query, segment, frequent, scratch, licensed, found, number, first + i, f)
        else:
            phase = (q - ahead) % period
            full = _keep_family(
                segment,
                frequent,
                scratch,
                licensed,
                found,
                number,
                first + i,
                run,
                phase,
                ahead + KGRAM + length,
                longest,
            )
        if full != DONE:
            return full
        i = runs[4, table + i + 1] if i + 1 < count else count
    edges = known.edges
    for e in range(2 * table, 2 * (table + count)):
        group = np.int64(edges[0, e])
        at = np.int64(edges[1, e])
        earlier = np.int64(edges[2, e])
        if group < 0 or at < 0 or earlier < 0:
            continue
        i = table + group - first
        if runs[0, i] == REACH and at - start >= REACH:
            continue
        if e >= 2 * table + count and runs[2, i] != 0 and at == start + runs[0, i]:
            continue
        value = edge_later(query.text, frequent, known, number, e)
        later = value >> STATE_BITS
        if earlier + KGRAM + later < GUARANTEE:
            continue
        is_open = value & STATES != CLOSED
        full = _keep(
            query, segment, frequent, scratch, licensed, found, number, group, f, at, earlier, later, is_open, seen
        )
        if full != DONE:
            return full
    return DONE


@inlined
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
    longest: Ints,
) -> int:
    """Keep the family of a group for each licence of its Documents, unless `longest` (slots x phases) is longer."""
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
        if name >= 0 and found.slot_of[name] >= 0 and longest[found.slot_of[name], phase] >= length:
            continue
        document = find_stretch(segment.document_canonical, segment.document_of_granule, d)
        for i in range(licensed.bounds[document], licensed.bounds[document + 1]):
            full = full_with(found, 1)
            if full != DONE:
                return full
            slot = slot_of(found, licensed.numbers[i])
            if longest[slot, phase] < length:
                longest[slot, phase] = length
                add_family(found, slot, run, phase, length)
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
    bounds = scratch.pair
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
