"""Groups of postings, and how their contexts are stored, agree with plain Python."""

from __future__ import annotations

import numpy as np
import twins
from hypothesis import given
from hypothesis import strategies as st
from oracle.repeats import Posted, cases, grouped

from codecite.indexer.kernels.contexts import NONE
from codecite.indexer.kernels.frequent import GAP, GAP_SHIFT
from codecite.indexer.kernels.grouping import CUT, SIDE, SIDE_BITS, finish_groups


@given(cases, st.integers(0, 3))
def test_groups_hold_the_postings_that_nothing_tells_apart(case: Posted, gap: int) -> None:
    """Those of a list, and all of them, in ascending order; each group says where they begin."""
    found = grouped(case, gap)
    names = case.names()
    lists, groups = found.frequent.lists, found.frequent.groups
    assert found.bad == 0
    for number, postings in enumerate(case.lists):
        expected: dict[int, list[tuple[int, int]]] = {}
        for posting in postings:
            expected.setdefault(names[posting], []).append(posting)
        mine = found.groups[lists[2, number] : lists[2, number + 1]]
        assert sorted(mine) == sorted(map(sorted, expected.values()))
        begins = (groups[lists[2, number] : lists[2, number + 1], 0] & np.uint64(NONE)).astype(np.int64)
        assert begins.tolist() == np.cumsum([lists[0, number], *map(len, mine)])[:-1].tolist()


@given(cases)
def test_the_next_of_a_group_is_that_of_its_postings(case: Posted) -> None:
    """With how far on it begins."""
    found = grouped(case)
    of = {posting: group for group, members in enumerate(found.groups) for posting in members}
    for group, members in enumerate(found.groups):
        following = int(found.frequent.groups[group, 0] >> np.uint64(32))
        is_cut = found.frequent.groups[group, 1] & CUT != 0
        gap = int((found.frequent.groups[group, 1] >> GAP_SHIFT) & GAP)
        for posting in members:
            after = case.next_of(posting)
            assert is_cut == (after is not None and after == case.cut_of(posting))
            expected = case.list_of(after) if is_cut and after else of.get(after, NONE)
            assert following == expected
            assert gap == (0 if after is None else after[1] - posting[1])


@given(cases)
def test_contexts_are_stored_as_what_they_do_not_share(case: Posted) -> None:
    """Each of a list once, in order, before the k-gram and then behind; groups name theirs and go by those behind."""
    found = grouped(case)
    lists, groups, coded = found.frequent.lists, found.frequent.groups, found.frequent.contexts
    for number in range(len(case.lists)):
        mine = range(int(lists[2, number]), int(lists[2, number + 1]))
        around = [twins.surroundings(case.raw[owner], at) for owner, at in (found.groups[group][0] for group in mine)]
        before, behind = sorted({sides[0] for sides in around}), sorted({sides[1] for sides in around})
        by_length = [sorted(side, key=lambda text: (text.ljust(31, b"\0"), len(text))) for side in (before, behind)]
        assert lists[4:6, number].tolist() == [len(before), len(behind)]
        stored = coded[lists[3, number] : lists[3, number + 1]].tobytes()
        assert stored == b"".join(map(twins.front_coded, by_length))
        packed = [int(groups[group, 1]) for group in mine]
        assert [by_length[0][side >> SIDE_BITS & int(SIDE)] for side in packed] == [sides[0] for sides in around]
        assert [by_length[1][side & int(SIDE)] for side in packed] == [sides[1] for sides in around]
        assert sorted(packed, key=lambda side: side & int(SIDE)) == packed


@given(st.integers(2, 400), st.integers(1, 3), st.randoms())
def test_large_lists_are_sorted_as_small_ones(count: int, kinds: int, chance: object) -> None:
    """Copies of few kinds, some hundred to a list, in any order."""
    texts = [b"%d" % kind * 40 + b"x" * 25 + b"y" * (30 + kind) for kind in range(kinds)]
    chosen = [chance.randrange(kinds) for _ in range(count)]  # type: ignore[attr-defined]
    case = Posted([texts[kind] for kind in chosen], [[(number, 40) for number in range(count)]])
    found = grouped(case)
    expected = [[(i, 40) for i, kind in enumerate(chosen) if kind == wanted] for wanted in sorted(set(chosen))]
    assert sorted(found.groups) == sorted(expected)


def test_a_collision_of_digests_is_counted() -> None:
    """Postings of one group that have other nexts than the first of it."""
    groups, sides = np.array([[0, 0]], np.uint32), np.zeros(1, np.uint64)
    members, positions = np.arange(4, dtype=np.uint32), 10 * np.arange(4, dtype=np.uint32)
    following = np.array([NONE, 0, NONE, 1], np.uint32)
    of, order = np.empty((2, 4), np.uint32)
    lists, diverging = np.zeros(4, np.uint32), np.zeros(1, bool)
    firsts = np.array([0, 4], np.uint32)
    found = finish_groups(groups, sides, members, firsts, following, positions, lists, diverging, of, order)
    assert found == 2
