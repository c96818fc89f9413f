"""Exact lookup: every maximal passage of T bytes or more that a text shares with a Snapshot, for each licence.

In: a Snapshot and a CheckedText. Out: Passages, with exact licence sets and counts. It refuses to know of sources,
policies and JSON. The theorem that it rests on is in `kernels/winnow.py`, the argument why few postings need to be
verified in `kernels/spans.py`.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate

import numpy as np

from codecite.indexer.config import GUARANTEE, KGRAM, WINDOW
from codecite.indexer.kernels.found import DONE, FAMILIES_FULL, LICENSES_FULL, Found, Query
from codecite.indexer.kernels.holding import count_origins, tally
from codecite.indexer.kernels.query import analyze, assign_runs
from codecite.indexer.kernels.spans import find_again, find_spans
from codecite.indexer.kernels.types import Array, Ints, Words
from codecite.indexer.kernels.winnow import CHUNK
from codecite.indexer.lookup.lists import Lists
from codecite.indexer.lookup.runs import Span, fill_run, maximal
from codecite.indexer.store.snapshot import OpenSegment, Snapshot
from codecite.indexer.text.checked import CheckedText

_SUMS = 1 << 20
"""Numbers that are added up at a time: for each span, one for each licence."""


@dataclass(frozen=True, slots=True)
class Held:
    """Who holds a passage.

    `holders` has an entry for each Segment with holders: its number, their Documents, the first place of the passage
    in each, and places among which is one for each white space it has there. `documents` and `licenses` are exact;
    `projects` is exact up to the larger of the cap and the number of projects that makes a passage common.
    """

    documents: int
    projects: int
    licenses: dict[str, int]
    holders: tuple[tuple[int, Ints, Ints, Ints], ...]


@dataclass(frozen=True, slots=True)
class Passage:
    """A maximal shared passage: its canonical span, in whole code points, and who holds it.

    `searched` is the byte-maximal span that the holders were found for; it is longer only where the trimmed one is
    shorter than T. Passages of the same text share their `held`.
    """

    span: Span
    searched: Span
    held: Held

    @property
    def start(self) -> int:
        """Where it begins."""
        return self.span[0]

    @property
    def end(self) -> int:
        """Where it ends."""
        return self.span[1]


def find_passages(snapshot: Snapshot, text: CheckedText, shortest: int = 1) -> list[Passage]:
    """All Passages that hold at least `shortest` canonical bytes of the text itself, by start, longer ones first."""
    prepared = _prepare(text)
    if prepared is None or not snapshot.segments:
        return []
    query, hashes = prepared
    lists = [Lists(opened, query, hashes, shortest) for opened in snapshot.segments]
    try:
        if not any(item.any_held for item in lists):
            return []
        for item in lists:
            item.begin()
        return _passages(snapshot, text, query, lists, shortest)
    finally:
        for item in lists:
            item.close()


def query_hashes(text: CheckedText | str | bytes) -> Words:
    """The fingerprints of a text, those of the query side: it shares one with each text that shares a passage of T."""
    prepared = _prepare(text if isinstance(text, CheckedText) else CheckedText(text))
    return np.empty(0, np.uint64) if prepared is None else prepared[1]


def _passages(snapshot: Snapshot, text: CheckedText, query: Query, lists: list[Lists], shortest: int) -> list[Passage]:
    wanted: dict[Span, Span] = {}
    for spans in _spans(snapshot, query, lists):
        trimmed = {text.trim(*span): span for span in reversed(spans)}
        for span in maximal(list(trimmed)):
            if min(span[1], text.end) - max(span[0], text.begin) >= shortest:
                wanted.setdefault(span, trimmed[span] if span[1] - span[0] < GUARANTEE else span)
    number_of: dict[bytes, int] = {}
    searched: list[Span] = []
    found: list[tuple[Span, int]] = []
    for span in sorted(wanted, key=lambda span: (span[0], -span[1])):
        content = query.text[slice(*wanted[span])].tobytes()
        number = number_of.setdefault(content, len(number_of))
        if number == len(searched):
            searched.append(wanted[span])
        found.append((span, number))
    held: list[Held] = []
    step = max(1, _SUMS // max(1, len(snapshot.expressions)))
    for at in range(0, len(searched), step):
        held += _hold(snapshot, lists, searched[at : at + step])
    return [Passage(span, wanted[span], held[number]) for span, number in found]


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
        minima, count = analyze(canonical, positions, hashes, windows, begins, work, runs)
    positions = positions[: begins[minima]]
    begins, windows = begins[: minima + 1], windows[: minima + 1]
    run_of = np.empty(len(positions), np.int64)
    first_of = np.empty(len(positions), np.int64)
    runs = np.ascontiguousarray(runs[:, :count][:, np.argsort(runs[0, :count], kind="stable")])
    assign_runs(positions, begins, runs[0], runs[1], run_of, first_of)
    query = Query(canonical, positions, begins, windows, run_of, first_of, runs[0], runs[1], runs[2])
    return query, hashes[:minima]


def _spans(snapshot: Snapshot, query: Query, lists: list[Lists]) -> list[list[Span]]:
    """For each licence met, the spans to report: maximal, and of those inside runs only some."""
    count = len(query.positions)
    words = (count + 63) >> 6
    rare = np.flatnonzero(np.maximum.reduce([item.numbers for item in lists]) < 0)
    following = np.searchsorted(rare, np.arange(len(query.windows) - 1), side="right")
    until = np.append(rare, len(query.windows) - 1)[following]
    found = Found(
        np.full(len(snapshot.expressions), -1, np.int64),
        np.empty((3, 256), np.int64),
        np.empty((4, 256), np.int64),
        np.full((8, count), -1, np.int32),
        np.zeros((8, words), np.uint64),
        np.zeros((8, words), np.uint64),
        np.zeros(6, np.int64),
        lists[0].compared,
        until,
        np.zeros((8, KGRAM + 1), np.int64),
    )
    for item in lists:
        sizes = item.high - item.low
        order = np.argsort(sizes, kind="stable")[np.count_nonzero(sizes == 0) :]
        found = _visit(query, item, order, found)
    again = np.empty(count + 1, np.int64)
    while visited := find_again(query, found, again):
        order = np.unique(again[:visited])
        for item in lists:
            found = _visit(query, item, order[item.numbers[order] < 0], found)
    by_slot: dict[int, list[Span]] = {}
    for slot, start, end in found.spans[:, : found.counts[1]].T.tolist():
        by_slot.setdefault(slot, []).append((start, end))
    families: dict[int, dict[int, list[Span]]] = {}
    for run, slot, phase, length in found.families[:, : found.counts[2]].T.tolist():
        families.setdefault(slot, {}).setdefault(run, []).append((phase, length))
    slots = sorted(by_slot.keys() | families.keys())
    runs = list(zip(query.run_start.tolist(), query.run_end.tolist(), query.run_period.tolist(), strict=True))
    return [_of_license(by_slot.get(slot, []), families.get(slot, {}), runs) for slot in slots]


def _visit(query: Query, item: Lists, order: Ints, found: Found) -> Found:
    """Visit the minima of `order` in one Segment; returns `found`, perhaps with more room."""
    if not len(order):
        return found
    found = found._replace(compared=item.compared)
    with item.opened.scratch() as scratch:
        while True:
            full = find_spans(
                query,
                item.low,
                item.high,
                item.numbers,
                order,
                item.opened.segment.arrays,
                item.opened.segment.frequent,
                item.agreements,
                scratch,
                item.opened.licensed,
                found,
            )
            if full == DONE:
                return found
            found = _enlarged(found, full)


def _of_license(spans: list[Span], families: dict[int, list[Span]], runs: list[tuple[int, int, int]]) -> list[Span]:
    """The spans of one licence to report."""
    spans = maximal(spans)
    starts, ends = [start for start, _ in spans], [end for _, end in spans]
    filled: set[Span] = set()
    dropped: set[Span] = set()
    for number, run in enumerate(runs):
        near = spans[bisect_right(ends, run[0]) : bisect_left(starts, run[1])]
        inside = [span for span in near if span[0] >= run[0] and span[1] <= run[1]]
        if inside or number in families:
            filled.update(fill_run(run, families.get(number, []), near))
            dropped.update(inside)
    return sorted((set(spans) - dropped) | filled) if filled or dropped else spans


def _enlarged(found: Found, full: int) -> Found:
    """The same with more room in the array that is full."""
    if full == LICENSES_FULL:
        slots = 2 * len(found.longest) + len(found.slot_of) // 8
        return found._replace(
            longest=_rows(found.longest, slots, -1),
            at_end=_rows(found.at_end, slots, 0),
            passed=_rows(found.passed, slots, 0),
            phases=_rows(found.phases, slots, 0),
        )
    name = "spans"
    used = found.spans[:, : found.counts[1]]
    if full == FAMILIES_FULL:
        name = "families"
        used = _longest_families(found.families[:, : found.counts[2]])
        found.counts[2] = used.shape[1]
    larger = np.empty((len(used), 2 * used.shape[1] + 4096), np.int64)
    larger[:, : used.shape[1]] = used
    return found._replace(**{name: larger})


def _rows(array: Array, rows: int, filling: int) -> Array:
    """The array with more rows."""
    larger = np.full((rows, array.shape[1]), filling, array.dtype)
    larger[: len(array)] = array
    return larger


def _longest_families(families: Ints) -> Ints:
    """Of families (run, slot, phase, length) the longest of each run, slot and phase."""
    order = np.lexsort((-families[3], families[2], families[1], families[0]))
    families = families[:, order]
    keep = np.ones(families.shape[1], bool)
    keep[1:] = (families[:3, 1:] != families[:3, :-1]).any(axis=0)
    return families[:, keep]


def _hold(snapshot: Snapshot, lists: list[Lists], spans: list[Span]) -> list[Held]:
    """Find and count the holders of spans."""
    columns = np.ascontiguousarray(np.array(spans, np.int64).T)
    holders = [item.hold(columns) for item in lists]
    counted = tallied(snapshot, [item.opened for item in lists], [item.joined for item in holders])
    held = []
    for span, counts in enumerate(counted):
        places = tuple((number, *item.of(span)) for number, item in enumerate(holders))
        held.append(Held(*counts, tuple(place for place in places if len(place[1]))))
    return held


def tallied(
    snapshot: Snapshot, segments: Sequence[OpenSegment], joined: Sequence[tuple[Ints, Ints]]
) -> list[tuple[int, int, dict[str, int]]]:
    """For each of some spans its Documents, projects and the Documents under each licence, as `Held` has them.

    `joined` has for each Segment the Documents that hold them, one span after the other, and where those of each begin.
    """
    config = snapshot.manifest.config
    cap = max(config.count_cap, config.common_projects)
    spans = len(joined[0][1]) - 1
    sizes = np.zeros(spans, np.int64)
    for opened, (documents, ends) in zip(segments, joined, strict=True):
        count_origins(documents, ends, opened.origins.bounds, sizes)
    rooms = (2 << min(size, cap + 1).bit_length() for size in sizes.tolist())
    tables = np.array([0, *accumulate(rooms)], np.int64)
    projects = np.zeros(tables[-1], np.uint64)
    counts, used = np.zeros((2, spans, len(snapshot.expressions)), np.int64)
    totals = np.zeros((3, spans), np.int64)
    for opened, (documents, ends) in zip(segments, joined, strict=True):
        tally(documents, ends, opened.licensed, opened.origins, cap, counts, used, projects, tables, totals)
    names = snapshot.expressions
    found = []
    for span, (count, project_count, met) in enumerate(totals.T.tolist()):
        chosen = used[span, :met]
        licenses = sorted(
            zip([names[i] for i in chosen.tolist()], counts[span, chosen].tolist(), strict=True),
            key=lambda item: (-item[1], item[0]),
        )
        found.append((count, project_count, dict(licenses)))
    return found
