"""Exact lookup: every maximal passage of T bytes or more that a text shares with a Snapshot, for each licence.

In: a Snapshot and a CheckedText. Out: Passages, with exact licence sets and counts. It refuses to know of sources,
policies and JSON. The theorem that it rests on is in `kernels/winnow.py`, the argument why few postings need to be
verified in `kernels/spans.py`.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np

from codecite.indexer.config import GUARANTEE, KGRAM, WINDOW
from codecite.indexer.errors import IndexCorruptError
from codecite.indexer.kernels.holders import find_holders, rarest_minimum, tally
from codecite.indexer.kernels.postings import find_lists
from codecite.indexer.kernels.query import analyze, assign_runs
from codecite.indexer.kernels.segment import Scratch
from codecite.indexer.kernels.spans import (
    DIAGONALS,
    DONE,
    FAMILIES_FULL,
    LICENSES_FULL,
    Found,
    Query,
    find_spans,
)
from codecite.indexer.kernels.types import Ints, Words
from codecite.indexer.kernels.winnow import CHUNK
from codecite.indexer.lookup.runs import Span, fill_run, maximal
from codecite.indexer.store.snapshot import OpenSegment, Snapshot
from codecite.indexer.text.checked import CheckedText

_NO_RUNS = np.empty((3, 0), np.int64)


@dataclass(frozen=True, slots=True)
class Passage:
    """A maximal shared passage: its canonical span (whole code points), and who holds it.

    `holders` has an entry for each Segment with holders: its number, their Documents and the first place of the
    passage in each. `searched` is the byte-maximal span that the holders were found for; it is longer only where the
    trimmed one is shorter than T. `documents`, `projects` and each of `licenses` are capped at `cap`.
    """

    start: int
    end: int
    searched: Span
    documents: int
    projects: int
    licenses: dict[str, int]
    holders: tuple[tuple[int, Ints, Ints], ...]
    cap: int

    @property
    def kept(self) -> tuple[int, int]:
        """The span."""
        return self.start, self.end


class _Lists:
    """A query's fingerprints with the postings of one Segment."""

    def __init__(self, opened: OpenSegment, hashes: Words) -> None:
        self.opened = opened
        self.low = np.empty(len(hashes), np.int64)
        self.high = np.empty(len(hashes), np.int64)
        arrays = opened.segment.arrays
        find_lists(hashes, arrays.buckets, arrays.tags, self.low, self.high)


def find_passages(snapshot: Snapshot, text: CheckedText, cap: int) -> list[Passage]:
    """All Passages that hold at least one canonical byte of the text itself, by start, longer ones first."""
    prepared = _prepare(text)
    if prepared is None or not snapshot.segments:
        return []
    query, hashes = prepared
    lists = [_Lists(opened, hashes) for opened in snapshot.segments]
    wanted: dict[Span, Span] = {}
    for spans in _spans(snapshot, query, lists):
        trimmed = {text.trim(*span): span for span in reversed(spans)}
        for span in maximal(list(trimmed)):
            if span[0] < text.end and span[1] > text.begin:
                wanted.setdefault(span, trimmed[span] if span[1] - span[0] < GUARANTEE else span)
    return [
        _passage(snapshot, query, lists, span, wanted[span], cap)
        for span in sorted(wanted, key=lambda span: (span[0], -span[1]))
    ]


def _prepare(text: CheckedText) -> tuple[Query, Words] | None:
    """The query's fingerprints, minima and runs; None for a text shorter than T."""
    canonical = text.canonical
    if len(canonical) < GUARANTEE:
        return None
    room = len(canonical) - KGRAM + 2
    positions = np.empty(room, np.int64)
    hashes = np.empty(room, np.uint64)
    windows = np.empty(room, np.int64)
    begins = np.empty(room, np.int64)
    runs = np.empty((3, 16), np.int64)
    work = np.empty(CHUNK + WINDOW, np.uint64)
    minima, count = analyze(canonical, positions, hashes, windows, begins, work, runs)
    if count > runs.shape[1]:
        runs = np.empty((3, count), np.int64)
        analyze(canonical, positions, hashes, windows, begins, work, runs)
    positions = positions[: begins[minima]]
    run_of = np.empty(len(positions), np.int64)
    if count:
        runs = np.ascontiguousarray(runs[:, :count][:, np.argsort(runs[0, :count], kind="stable")])
        assign_runs(positions, runs[0], runs[1], run_of)
    else:
        runs = _NO_RUNS
        run_of.fill(-1)
    query = Query(
        canonical, positions, begins[: minima + 1], windows[: minima + 1], run_of, runs[0], runs[1], runs[2]
    )
    return query, hashes[:minima]


def _spans(snapshot: Snapshot, query: Query, lists: list[_Lists]) -> list[list[Span]]:
    """For each licence met, the spans to report: maximal, and of those inside runs only some."""
    words = (len(query.positions) + 63) >> 6
    found = Found(
        np.full(len(snapshot.expressions), -1, np.int64),
        np.zeros((8, words), np.uint64),
        np.empty((3, 256), np.int64),
        np.empty((4, 256 if len(query.run_start) else 64), np.int64),
        np.zeros(6, np.int64),
        np.empty((4, DIAGONALS), np.int64),
    )
    for item in lists:
        sizes = item.high - item.low
        order = np.argsort(sizes, kind="stable")[np.count_nonzero(sizes == 0) :]
        if not len(order):
            continue
        found.compared[0] = -1
        with _scratch(item.opened) as scratch:
            while True:
                full = find_spans(
                    query, item.low, item.high, order, item.opened.segment.arrays, scratch, item.opened.licensed, found
                )
                if full == DONE:
                    break
                found = _enlarged(found, full)
    by_slot: dict[int, list[Span]] = {}
    for slot, start, end in found.spans[:, : found.counts[1]].T.tolist():
        by_slot.setdefault(slot, []).append((start, end))
    families: dict[int, dict[int, list[Span]]] = {}
    for run, slot, phase, length in found.families[:, : found.counts[2]].T.tolist():
        families.setdefault(slot, {}).setdefault(run, []).append((phase, length))
    slots = sorted(by_slot.keys() | families.keys())
    runs = list(zip(query.run_start.tolist(), query.run_end.tolist(), query.run_period.tolist(), strict=True))
    return [_of_license(by_slot.get(slot, []), families.get(slot, {}), runs) for slot in slots]


def _of_license(
    spans: list[Span], families: dict[int, list[Span]], runs: list[tuple[int, int, int]]
) -> list[Span]:
    """The spans of one licence to report."""
    spans = maximal(spans)
    filled: list[Span] = []
    for number, run in enumerate(runs):
        inside = [span for span in spans if span[0] >= run[0] and span[1] <= run[1]]
        if inside or number in families:
            filled += fill_run(run, families.get(number, []), spans)
            spans = [span for span in spans if span not in inside]
    return sorted({*spans, *filled}) if filled else spans


def _enlarged(found: Found, full: int) -> Found:
    """The same with twice the room in the array that is full (spans that others hold go first)."""
    if full == LICENSES_FULL:
        covered = np.zeros((2 * len(found.covered) + len(found.slot_of) // 8, found.covered.shape[1]), np.uint64)
        covered[: len(found.covered)] = found.covered
        return found._replace(covered=covered)
    name, at = ("families", 2) if full == FAMILIES_FULL else ("spans", 1)
    rows = getattr(found, name)
    used = rows[:, : found.counts[at]]
    if full == FAMILIES_FULL:
        used = _longest_families(used)
    else:
        used = _maximal_of_slots(used)
    found.counts[at] = used.shape[1]
    larger = np.empty((len(rows), max(rows.shape[1], 2 * used.shape[1] + 4096)), np.int64)
    larger[:, : used.shape[1]] = used
    return found._replace(**{name: larger})


def _maximal_of_slots(spans: Ints) -> Ints:
    """Of spans (slot, start, end) those that lie in no other of their slot."""
    order = np.lexsort((-spans[2], spans[1], spans[0]))
    spans = spans[:, order]
    length = int(spans[2].max()) + 1
    reach = np.maximum.accumulate(spans[0] * length + spans[2])
    keep = np.ones(spans.shape[1], bool)
    keep[1:] = spans[0, 1:] * length + spans[2, 1:] > reach[:-1]
    return spans[:, keep]


def _longest_families(families: Ints) -> Ints:
    """Of families (run, slot, phase, length) the longest of each run, slot and phase."""
    order = np.lexsort((-families[3], families[2], families[1], families[0]))
    families = families[:, order]
    keep = np.ones(families.shape[1], bool)
    keep[1:] = (families[:3, 1:] != families[:3, :-1]).any(axis=0)
    return families[:, keep]


def _passage(
    snapshot: Snapshot, query: Query, lists: list[_Lists], span: Span, searched: Span, cap: int
) -> Passage:
    """Find and count the holders of one span."""
    counts = np.zeros(len(snapshot.expressions), np.int64)
    used = np.empty(len(snapshot.expressions), np.int64)
    projects = np.zeros(1 << (2 * cap).bit_length(), np.uint64)
    totals = np.zeros(3, np.int64)
    holders: list[tuple[int, Ints, Ints]] = []
    for number, item in enumerate(lists):
        minimum = rarest_minimum(query, item.low, item.high, *searched)
        room = int(item.high[minimum] - item.low[minimum])
        if room == 0:
            continue
        documents = np.empty(room, np.int64)
        places = np.empty(room, np.int64)
        opened = item.opened
        with _scratch(opened) as scratch:
            count = find_holders(
                query, item.low, item.high, opened.segment.arrays, scratch, *searched, minimum, documents, places
            )
        if count:
            holders.append((number, documents[:count], places[:count]))
            tally(documents[:count], opened.licensed, opened.origins, cap, counts, used, projects, totals)
    met = used[: totals[2]].tolist()
    licenses = sorted(((snapshot.expressions[i], int(counts[i])) for i in met), key=lambda item: (-item[1], item[0]))
    return Passage(*span, searched, int(totals[0]), int(totals[1]), dict(licenses), tuple(holders), cap)


@contextmanager
def _scratch(opened: OpenSegment) -> Iterator[Scratch]:
    """A scratch for the time of one kernel call; raises IndexCorruptError if a block was not well formed."""
    scratch = opened.take_scratch()
    yield scratch
    if scratch.status[0]:
        block = int(scratch.status[0]) - 1
        raise IndexCorruptError(
            f"{opened.segment.path / 'content.lz4'}: at byte {int(opened.segment.arrays.block_offset[block])}: a block "
            "does not decode; run 'codecite index verify', then build the index again"
        )
    opened.scratches.append(scratch)
