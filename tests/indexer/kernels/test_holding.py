"""What the holders of many spans add up to agrees with sums over dictionaries."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import twins
from hypothesis import given
from hypothesis import strategies as st

from codecite.indexer.kernels.holders import Origins
from codecite.indexer.kernels.holding import count_origins, tally
from codecite.indexer.kernels.licensed import Licensed


@dataclass(frozen=True)
class Case:
    """Documents with their licences and Origins, the project of each Origin, and which Documents hold each span."""

    licenses: list[list[int]]
    origins: list[list[int]]
    project: list[int]
    spans: list[list[int]]


@st.composite
def cases(draw: st.DrawFn) -> Case:
    """A few Documents and spans; projects that coincide, and whose hashes fall on the same places of a table."""
    licenses = draw(st.lists(st.sets(st.integers(0, 4), min_size=1).map(sorted), min_size=1, max_size=12))
    sizes = [draw(st.integers(0, 4)) for _ in licenses]
    rows = iter(draw(st.permutations(range(sum(sizes)))))
    origins = [[next(rows) for _ in range(size)] for size in sizes]
    values = st.integers(0, 9).map(lambda i: i << 20) | st.integers(0, 5).map(lambda i: i * 2) | st.integers(0, 2**62)
    project = draw(st.lists(values.map(lambda i: 2 * i + 1), min_size=sum(sizes), max_size=sum(sizes)))
    holders = st.sets(st.integers(0, len(licenses) - 1)).map(sorted)
    return Case(licenses, origins, project, draw(st.lists(holders, max_size=5)))


def bounds(lists: list[list[int]]) -> list[int]:
    """Where each of the lists begins in all of them, one after the other."""
    return np.cumsum([0, *map(len, lists)]).tolist()


def flat(lists: list[list[int]]) -> list[int]:
    """The lists, one after the other."""
    return [item for found in lists for item in found]


@given(cases(), st.integers(1, 12), st.integers(0, 2))
def test_documents_licenses_and_projects_are_counted(case: Case, cap: int, turns: int) -> None:
    """For each span over several Segments, and projects exactly until there are more than the cap."""
    licensed = Licensed(
        np.array(bounds(case.licenses), np.int64), np.array(flat(case.licenses), np.uint32), np.empty(0, np.int32)
    )
    owned = np.array(bounds(case.origins), np.uint32)
    origins = Origins(owned, np.array(flat(case.origins), np.int64), np.array(case.project, np.uint64))
    parts = [[held[turn :: turns + 1] for held in case.spans] for turn in range(turns + 1)]
    columns = [(np.array(flat(part), np.int64), np.array(bounds(part), np.int64)) for part in parts]
    sizes = np.zeros(len(case.spans), np.int64)
    for documents, ends in columns:
        count_origins(documents, ends, owned, sizes)
    assert sizes.tolist() == [sum(len(case.origins[document]) for document in held) for held in case.spans]
    room = [1 << min(size, cap + 1).bit_length() for size in sizes.tolist()]
    tables = np.cumsum([0, *room])
    projects = np.zeros(tables[-1], np.uint64)
    counts, used = np.zeros((len(case.spans), 5), np.int64), np.full((len(case.spans), 5), -1, np.int64)
    totals = np.zeros((3, len(case.spans)), np.int64)
    for documents, ends in columns:
        tally(documents, ends, licensed, origins, cap, counts, used, projects, tables, totals)
    names = [[case.project[row] for row in rows] for rows in case.origins]
    for span, held in enumerate(case.spans):
        expected, under, met = twins.sums(held, case.licenses, names, cap)
        assert totals[:, span].tolist() == [expected, met, len(under)]
        assert {int(number): int(counts[span, number]) for number in used[span, : totals[2, span]]} == under
