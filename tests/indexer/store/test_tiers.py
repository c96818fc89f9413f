"""When Segments are merged: few of them stay, each byte is written few times, and none grows beyond its bounds."""

from __future__ import annotations

from itertools import zip_longest

import pytest
from hypothesis import given
from hypothesis import strategies as st

from codecite.indexer.store.manifest import SegmentEntry
from codecite.indexer.store.tiers import FANOUT, MAX_ORIGINS, due, packed, tier
from codecite.indexer.store.writer import MAX_CANONICAL

MEGA = 1 << 20


def entry(raw: int, canonical: int | None = None, origins: int = 1) -> SegmentEntry:
    """A Segment of so many raw bytes."""
    return SegmentEntry("name", 1, origins, 1, 1, raw, raw * 7 // 10 if canonical is None else canonical)


def joined(entries: list[SegmentEntry]) -> SegmentEntry:
    """What a merge of them is, where they share nothing."""
    return entry(
        sum(one.bytes for one in entries),
        sum(one.canonical_bytes for one in entries),
        sum(one.origins for one in entries),
    )


def settled(entries: list[SegmentEntry]) -> tuple[list[SegmentEntry], int]:
    """Merge for as long as something is due; the Segments then, and the bytes written on the way."""
    written = 0
    while (group := due(entries)) is not None:
        assert len(group) == len(set(group)) > 1
        merged = joined([entries[i] for i in group])
        written += merged.bytes
        entries = [one for i, one in enumerate(entries) if i not in group]
        entries.insert(min(group), merged)
    return entries, written


sizes = st.integers(0, 40 * MEGA) | st.integers(0, 6 << 30)
entries_of = st.builds(
    entry, sizes, st.none() | st.integers(0, MAX_CANONICAL), st.integers(0, 100) | st.integers(0, MAX_ORIGINS)
)


@given(st.lists(sizes, max_size=20))
def test_segments_of_one_tier_are_of_one_size(chosen: list[int]) -> None:
    """Those of a tier above the first differ by less than a factor of ten, and larger ones have no lower tier."""
    for one in chosen:
        for other in chosen:
            assert one > other or tier(one) <= tier(other)
            if tier(one) == tier(other) > 0:
                assert one < FANOUT * other


@given(st.lists(entries_of, max_size=40))
def test_merging_comes_to_an_end_within_the_bounds(chosen: list[SegmentEntry]) -> None:
    """Only what fits is merged, and where all is small no tier is full in the end."""
    after, _ = settled(chosen)
    assert joined(after) == joined(chosen)
    for one in after:
        assert one in chosen or (one.canonical_bytes <= MAX_CANONICAL and one.origins <= MAX_ORIGINS)
    total = joined(chosen)
    if total.canonical_bytes <= MAX_CANONICAL and total.origins <= MAX_ORIGINS:
        tiers = [tier(one.bytes) for one in after]
        assert all(tiers.count(number) < FANOUT for number in tiers)


@pytest.mark.parametrize(("size", "count", "times"), [(10 * MEGA, 100, 2.1), (MEGA // 4, 1000, 3.1), (100, 2000, 120)])
def test_many_additions_leave_few_segments_and_are_written_few_times(size: int, count: int, times: float) -> None:
    """One by one; nothing so small as to be in the first tier is worth more than that."""
    entries: list[SegmentEntry] = []
    written = 0
    most = 0
    for _ in range(count):
        entries, more = settled([*entries, entry(size)])
        written += more
        most = max(most, len(entries))
    assert sum(one.bytes for one in entries) == size * count
    assert most < FANOUT * (tier(size * count) + 1)
    assert written <= times * size * count


def test_a_full_tier_takes_all_smaller_segments_along() -> None:
    """Ten of one size with what came between them, wherever they stand; the larger one stays."""
    large, some, small = entry(900 * MEGA), [entry(20 * MEGA)] * 9, entry(MEGA)
    assert due([large, *some, small]) is None
    assert due([large, *some, small, entry(4 * MEGA)]) == [*range(1, 12)]


def test_a_merge_that_would_fill_the_next_tier_takes_all_of_that_along() -> None:
    """Nine of 100 MB and the tenth ten of 10 MB become one at once; with eight of 100 MB only the ten do."""
    tens = [entry(10 * MEGA)] * 10
    assert due([*[entry(100 * MEGA)] * 9, *tens]) == [*range(19)]
    assert due([*[entry(100 * MEGA)] * 8, *tens]) == [*range(8, 18)]
    assert due([*[entry(40 * MEGA)] * 9, *[entry(4 * MEGA)] * 9, *[entry(MEGA // 2)] * 10]) == [*range(28)]
    assert due([*[entry(1000 * MEGA)] * 9, *[entry(100 * MEGA)] * 9, *tens]) == [*range(9, 28)]


@given(st.lists(entries_of, max_size=30))
def test_all_segments_are_packed_in_their_order_into_as_few_as_they_fit(chosen: list[SegmentEntry]) -> None:
    """Each once, none beyond the bounds unless it alone is; no group could have taken the next one, too."""
    groups = packed(chosen)
    assert [i for group in groups for i in group] == list(range(len(chosen)))

    def fits(numbers: list[int]) -> bool:
        total = joined([chosen[i] for i in numbers])
        return total.canonical_bytes <= MAX_CANONICAL and total.origins <= MAX_ORIGINS

    for group, following in zip_longest(groups, groups[1:]):
        assert len(group) == 1 or fits(group)
        assert following is None or not fits([*group, following[0]])
