"""What a lookup has found so far: the spans of each licence, and which fingerprints lie in them and at their ends.

In: verified spans. Out: whether one more can add anything. It refuses to know where spans come from.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from codecite.indexer.config import GUARANTEE, KGRAM
from codecite.indexer.kernels.jit import inlined, part
from codecite.indexer.kernels.licensed import Licensed
from codecite.indexer.kernels.segment import Scratch, SegmentArrays, agree_left, agree_right
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
    alignments with the Segment looked at: diagonal, Document, start and end. `until` has for each minimum the first
    after it that is frequent in no Segment. `phases` (slots x k + 1) is for whoever needs a number for each licence
    and phase.
    """

    slot_of: Ints
    spans: Ints
    families: Ints
    longest: Ints32
    at_end: Words
    passed: Words
    counts: Ints
    compared: Ints
    until: Ints
    phases: Ints


@part
def first_at(positions: Ints, wanted: int) -> int:
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
def add_span(query: Query, found: Found, slot: int, start: int, end: int) -> None:
    """Keep a verified span, and mark the fingerprints that it holds and those at its end."""
    number = found.counts[1]
    found.spans[0, number] = slot
    found.spans[1, number] = start
    found.spans[2, number] = end
    found.counts[1] = number + 1
    f = first_at(query.positions, start)
    while f < len(query.positions) and query.positions[f] + KGRAM <= end:
        known = found.longest[slot, f]
        if known < 0 or found.spans[2, known] - found.spans[1, known] < end - start:
            found.longest[slot, f] = number
        f += 1
    if end == len(query.text):
        return
    f = first_at(query.positions, end - GUARANTEE + 1)
    while f < len(query.positions) and query.positions[f] <= end - KGRAM + 1:
        first = query.first_of[f]
        found.at_end[slot, first >> 6] |= np.uint64(1) << np.uint64(first & 63)
        f += 1


@inlined
def slot_of(found: Found, number: int) -> int:
    """The slot of a licence, a new one if it has none."""
    slot = found.slot_of[number]
    if slot < 0:
        slot = found.counts[0]
        found.slot_of[number] = slot
        found.counts[0] = slot + 1
    return slot


@inlined
def compare(
    query: Query, segment: SegmentArrays, scratch: Scratch, compared: Ints, document: int, q: int, d: int
) -> tuple[int, int]:
    """The maximal agreement on the diagonal of `q` and `d`, remembered: start and end in the query."""
    key = d - q + len(query.text)
    known = compared[:, key % DIAGONALS]
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


@inlined
def record(query: Query, found: Found, licensed: Licensed, document: int, f: int, start: int, end: int) -> None:
    """Keep a span that holds fingerprint f for each licence of the Document, unless a known one holds it all."""
    for i in range(licensed.bounds[document], licensed.bounds[document + 1]):
        slot = slot_of(found, licensed.numbers[i])
        known = found.longest[slot, f]
        if known < 0 or found.spans[1, known] > start or found.spans[2, known] < end:
            add_span(query, found, slot, start, end)


@inlined
def add_family(found: Found, slot: int, run: int, phase: int, length: int) -> None:
    """Keep a family, unless a recent one holds it."""
    count = found.counts[2]
    for j in range(max(0, count - _RECENT), count):
        if (
            found.families[0, j] == run
            and found.families[1, j] == slot
            and found.families[2, j] == phase
            and found.families[3, j] >= length
        ):
            return
    found.families[0, count] = run
    found.families[1, count] = slot
    found.families[2, count] = phase
    found.families[3, count] = length
    found.counts[2] = count + 1


@inlined
def full_with(found: Found, licenses: int) -> int:
    """Which array of `found` is full, should so many licences get two spans and a family each; else DONE."""
    if found.counts[0] + licenses > len(found.longest):
        return LICENSES_FULL
    if found.counts[1] + 2 * licenses > found.spans.shape[1]:
        return SPANS_FULL
    if found.counts[2] + licenses > found.families.shape[1]:
        return FAMILIES_FULL
    return DONE
