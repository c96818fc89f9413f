"""A query against one Segment: the lists of its minima, and who holds its spans there.

In: an opened Segment and the fingerprints of a query. Out: the Documents that hold spans, with the places. It refuses
to know which spans are asked for, and of other Segments.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from codecite.indexer.config import KGRAM, WINDOW
from codecite.indexer.kernels.following import find_edges, follow_runs
from codecite.indexer.kernels.found import DIAGONALS, Query
from codecite.indexer.kernels.frequent import Agreements, find_frequent
from codecite.indexer.kernels.holders import find_holders, holders_by_run, list_runs, window_of
from codecite.indexer.kernels.holding import hold_spans
from codecite.indexer.kernels.onward import follow_lists
from codecite.indexer.kernels.postings import find_lists
from codecite.indexer.kernels.types import Flags, Ints, Words
from codecite.indexer.store.snapshot import OpenSegment

_REACH = KGRAM + 2 * WINDOW - 2
"""A passage of so many bytes may have but one fingerprint that its Document selected."""


@dataclass(frozen=True, slots=True)
class Holders:
    """Who holds each of some spans in one Segment, as `hold_spans` leaves it; `by_run` are those it left out."""

    documents: Ints
    places: Ints
    leaders: Ints
    ends: Ints
    by_run: dict[int, tuple[Ints, Ints]]

    def of(self, span: int) -> tuple[Ints, Ints, Ints]:
        """The Documents that hold a span, its first place in each, and the places to look at the white space of."""
        if span in self.by_run:
            documents, places = self.by_run[span]
            return documents, places, places
        first, last = self.ends[0, span : span + 2].tolist()
        led, more = self.ends[1, span : span + 2].tolist()
        return self.documents[first:last], self.places[first:last], self.leaders[led:more]

    @property
    def joined(self) -> tuple[Ints, Ints]:
        """The Documents of all spans, one span after the other, and where those of each begin."""
        if not self.by_run:
            return self.documents, self.ends[0]
        pieces = [self.of(span)[0] for span in range(self.ends.shape[1] - 1)]
        return np.concatenate(pieces), np.cumsum([0, *map(len, pieces)])


def _alone(query: Query, held: Flags, shortest: int) -> Flags:
    """The minima that no passage of `shortest` bytes can hold, for want of others near them.

    Of a passage each window of k-grams has a fingerprint that its Document selected, and that is a minimum of the query
    there, with a list. So the places of such minima in it follow each other within a window; the first and the last are
    no more than a window from its ends. What is in no such chain of that extent need not be looked at. In runs that
    hold such a minimum each place counts, since not every one is listed.
    """
    counts = np.diff(query.begins)
    places = query.positions[np.repeat(held, counts)]
    of = np.repeat(np.arange(len(held)), counts)[np.repeat(held, counts)]
    of_runs = np.unique(query.run_of[np.repeat(held, counts)])
    of_runs = of_runs[of_runs >= 0]
    starts, stops = query.run_start[of_runs], query.run_end[of_runs]
    runs = [np.arange(a, b, KGRAM) for a, b in zip(starts.tolist(), stops.tolist(), strict=True)]
    filling = np.concatenate([places[:0], *runs, stops - 1])
    every = np.concatenate([places, filling])
    if not len(every):
        return np.ones(len(held), np.bool_)
    order = np.argsort(every, kind="stable")
    ordered = every[order]
    begins = np.flatnonzero(np.diff(ordered, prepend=ordered[0] - WINDOW - 1) > WINDOW)
    ends = np.append(begins[1:], len(ordered)) - 1
    wide = ordered[ends] - ordered[begins] >= shortest - _REACH
    chained = np.empty(len(every), np.bool_)
    chained[order] = np.repeat(wide, ends - begins + 1)
    alone = np.ones(len(held), np.bool_)
    alone[of[chained[: len(places)]]] = False
    return alone


class Lists:
    """A query's minima with their postings in one Segment, and what was found of its runs there."""

    def __init__(self, opened: OpenSegment, query: Query, hashes: Words, shortest: int = 1) -> None:
        self.opened = opened
        self.query = query
        self.low = np.empty(len(hashes), np.int64)
        self.high = np.empty(len(hashes), np.int64)
        arrays = opened.segment.arrays
        find_lists(hashes, arrays.buckets, arrays.tags, arrays.guards, self.low, self.high)
        opened.segment.raise_if_damaged()
        if shortest > _REACH:
            alone = _alone(query, self.high > self.low, shortest)
            self.high[alone] = self.low[alone]
        self.numbers = np.empty(len(hashes), np.int64)
        self.compared = np.empty((4, DIAGONALS), np.int64)
        self.compared[0] = -1
        self._agreements: Agreements | None = None
        self._runs: dict[tuple[int, int], Ints] = {}

    @property
    def any_held(self) -> bool:
        """Whether a minimum has a list at all."""
        return bool((self.high > self.low).any())

    def begin(self) -> None:
        """Look which lists are frequent ones; comes before all that is asked."""
        query, segment = self.query, self.opened.segment
        places = query.positions[query.begins[:-1]]
        find_frequent(query.text, places, self.low, self.high, segment.frequent.lists, segment.kgrams, self.numbers)

    @property
    def agreements(self) -> Agreements:
        """What the query agrees with in the frequent lists, as far as was asked."""
        if self._agreements is None:
            self._agreements = self._agree()
        return self._agreements

    def _agree(self) -> Agreements:
        query, frequent = self.query, self.opened.segment.frequent
        run_at = np.zeros(len(query.positions), np.int64)
        tables = [np.empty((5, 0), np.int64)]
        filled = 0
        in_runs = self._in_runs()
        numbers = np.repeat(self.numbers, np.diff(query.begins))
        for f in in_runs.tolist():
            number = int(numbers[f])
            run = int(query.run_of[f])
            table = np.empty((5, int(frequent.lists[2, number + 1] - frequent.lists[2, number])), np.int64)
            start, stop = int(query.run_start[run]), int(query.run_end[run])
            period, q = int(query.run_period[run]), int(query.positions[f])
            follow_runs(frequent, number, query.text, start, stop, period, q, table)
            tables.append(table)
            run_at[f] = filled
            filled += table.shape[1]
        known = self.opened.agreements(len(query.text))._replace(
            runs=np.concatenate(tables, axis=1), run_at=run_at, edges=np.empty((4, 2 * filled), np.int32)
        )
        find_edges(query, frequent, known, numbers, in_runs)
        (outside,) = np.nonzero((numbers >= 0) & (query.run_of < 0))
        places = query.positions[outside]
        order = np.argsort(places, kind="stable")
        follow_lists(frequent, known, query.text, numbers[outside][order], places[order])
        return known

    def close(self) -> None:
        """Leave the scratch to others."""
        if self._agreements is not None:
            self.opened.give_back(self._agreements)
            self._agreements = None

    def _in_runs(self) -> Ints:
        """The first fingerprint of each frequent list in each run."""
        query = self.query
        if not len(query.run_start):
            return np.empty(0, np.int64)
        of_frequent = np.repeat(self.numbers >= 0, np.diff(query.begins))
        return np.unique(query.first_of[of_frequent & (query.run_of >= 0)])

    def hold(self, spans: Ints) -> Holders:
        """Who holds each of the spans (2 x n)."""
        query, segment, count = self.query, self.opened.segment, spans.shape[1]
        documents, places, leaders = np.empty((3, 4096), np.int64)
        ends = np.zeros((3, count + 1), np.int64)
        by_run: dict[int, tuple[Ints, Ints]] = {}
        done = 0
        while True:
            with self.opened.scratch() as scratch:
                done = hold_spans(
                    query,
                    self.low,
                    self.high,
                    self.numbers,
                    segment.arrays,
                    segment.frequent,
                    self.agreements,
                    self.compared,
                    scratch,
                    self.opened.origins.bounds,
                    spans,
                    done,
                    documents,
                    places,
                    leaders,
                    ends,
                )
            if done == count:
                break
            # Memory that nobody writes to costs nothing: only what is in use is copied.
            room = 4 * len(documents), 4 * len(documents), 4 * len(leaders)
            used = int(ends[0, done]), int(ends[0, done]), int(ends[1, done])
            documents, places, leaders = map(_enlarged, (documents, places, leaders), used, room)
        for number in np.flatnonzero(ends[2, :-1]).tolist():
            by_run[number] = self._in_run(int(ends[2, number]) - 1, *spans[:, number].tolist())
        return Holders(documents, places, leaders, ends, by_run)

    def _in_run(self, minimum: int, start: int, end: int) -> tuple[Ints, Ints]:
        """The Documents that hold a span, by the runs of a minimum of its."""
        query, arrays = self.query, self.opened.segment.arrays
        low, high = int(self.low[minimum]), int(self.high[minimum])
        documents, places = np.empty((2, high - low), np.int64)
        window = np.empty(2, np.int64)
        window_of(query, minimum, start, window)
        found = []
        first, stop = window.tolist()
        while first < stop:
            run = int(query.run_of[first])
            last = first + 1
            while last < stop and query.run_of[last] == run:
                last += 1
            with self.opened.scratch() as scratch:
                if run < 0:
                    window[:] = first, last
                    count = find_holders(query, low, high, arrays, scratch, start, end, window, documents, places)
                else:
                    table = self._table(low, high, first)
                    count = holders_by_run(query, arrays, scratch, start, end, run, table, documents, places)
            found.append((documents[:count].copy(), places[:count].copy()))
            first = last
        documents, places = found[0] if len(found) == 1 else _merged(found)
        bounds = self.opened.origins.bounds
        live = bounds[documents] < bounds[documents + 1]
        return documents[live], places[live]

    def _table(self, low: int, high: int, f: int) -> Ints:
        """The runs of the Documents that go on with that of fingerprint f."""
        query = self.query
        key = low, int(query.run_of[f])
        table = self._runs.get(key)
        if table is None:
            rows = np.empty((4, high - low), np.int64)
            with self.opened.scratch() as scratch:
                count = list_runs(query, low, high, self.opened.segment.arrays, scratch, f, rows)
            table = self._runs[key] = np.ascontiguousarray(rows[:, :count])
        return table


def _enlarged(column: Ints, used: int, room: int) -> Ints:
    larger: Ints = np.empty(room, np.int64)
    larger[:used] = column[:used]
    return larger


def _merged(found: list[tuple[Ints, Ints]]) -> tuple[Ints, Ints]:
    """Holders found in several ways, each once with its first place."""
    documents = np.concatenate([item[0] for item in found])
    places = np.concatenate([item[1] for item in found])
    order = np.lexsort((places, documents))
    documents, first = np.unique(documents[order], return_index=True)
    return documents, places[order][first]
