"""The first sources of holders, and the fingerprints by which holders are looked for, agree with plain Python."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import twins
from hypothesis import given
from hypothesis import strategies as st

from codecite.indexer.config import GUARANTEE, WINDOW
from codecite.indexer.kernels.found import Query
from codecite.indexer.kernels.holders import Origins, first_origins, rarest, window_of


@dataclass(frozen=True)
class Case:
    """The Origins of some Documents, and which Documents hold a span."""

    origins: list[list[int]]
    holders: list[int]


@st.composite
def cases(draw: st.DrawFn) -> Case:
    """A few Documents, whose Origins stand in any order."""
    sizes = draw(st.lists(st.integers(0, 4), min_size=1, max_size=12))
    rows = iter(draw(st.permutations(range(sum(sizes)))))
    origins = [[next(rows) for _ in range(size)] for size in sizes]
    return Case(origins, draw(st.sets(st.integers(0, len(sizes) - 1)).map(sorted)))


def bounds(lists: list[list[int]]) -> list[int]:
    """Where each of the lists begins in all of them, one after the other."""
    return np.cumsum([0, *map(len, lists)]).tolist()


def flat(lists: list[list[int]]) -> list[int]:
    """The lists, one after the other."""
    return [item for found in lists for item in found]


def origins_of(case: Case) -> Origins:
    """The Origins as the kernels take them."""
    flags = np.zeros(sum(map(len, case.origins)), np.uint64)
    return Origins(np.array(bounds(case.origins), np.uint32), np.array(flat(case.origins), np.int64), flags)


@given(cases(), st.integers(0, 6), st.data())
def test_the_first_origins_come_in_the_order_of_their_ranks(case: Case, wanted: int, data: st.DataObject) -> None:
    """Only those of one Segment, as many as there is room for."""
    total = sum(map(len, case.origins))
    first = data.draw(st.integers(0, total))
    ranks = data.draw(st.permutations(range(data.draw(st.integers(0, total - first)))))
    rows, owners = np.full(wanted, -1, np.int64), np.full(wanted, -1, np.int64)
    holders = np.array(case.holders, np.int64)
    count = first_origins(holders, origins_of(case), first, np.array(ranks, np.uint32), rows, owners)
    found = list(zip(rows[:count].tolist(), owners[:count].tolist(), strict=True))
    known = dict(enumerate(ranks, first))
    assert found == twins.first_places(case.holders, case.origins, known, wanted)


def query_of(text: bytes) -> tuple[Query, list[tuple[int, int, list[int]]]]:
    """The fingerprints of a text as the kernels take them, and as the specification gives them; without its runs."""
    minima = twins.query_selection(text)
    positions = np.array(flat([found for _, _, found in minima]), np.int64)
    windows = np.array([*(window for _, window, _ in minima), len(text) - GUARANTEE + 1], np.int64)
    none = np.empty(0, np.int64)
    begins = np.array(bounds([found for _, _, found in minima]), np.int64)
    raw = np.frombuffer(bytearray(text), np.uint8)
    return Query(raw, positions, begins, windows, positions, positions, none, none, none), minima


texts = st.text("ab", min_size=GUARANTEE, max_size=250).map(str.encode) | st.binary(min_size=GUARANTEE, max_size=250)


@given(texts, st.data())
def test_holders_are_looked_for_by_the_rarest_minimum_of_the_span(text: bytes, data: st.DataObject) -> None:
    """Of the windows in the span the one with the fewest postings, and its fingerprints in its first window there."""
    query, minima = query_of(text)
    start = data.draw(st.integers(0, len(text) - GUARANTEE))
    end = data.draw(st.integers(start + GUARANTEE, len(text)))
    sizes = np.array(data.draw(st.lists(st.integers(0, 5), min_size=len(minima), max_size=len(minima))), np.int64)
    low = np.cumsum(sizes) - sizes
    of_window = [
        max(i for i, (_, first, _) in enumerate(minima) if first <= window)
        for window in range(start, end - GUARANTEE + 1)
    ]
    best = rarest(query, low, low + sizes, start, end)
    assert best in of_window
    assert sizes[best] == min(sizes[i] for i in of_window)
    found = np.full(2, -1, np.int64)
    window_of(query, best, start, found)
    window = start + of_window.index(best)
    inside = [position for position in minima[best][2] if window <= position < window + WINDOW]
    assert query.positions[found[0] : found[1]].tolist() == inside != []
