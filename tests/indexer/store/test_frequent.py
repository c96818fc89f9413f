"""The sections of frequent lists, as they are written, merged, compacted and taken down, hold what was specified."""

from __future__ import annotations

import hashlib
import random
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from unittest.mock import patch

import numpy as np
import pytest
import twins
from hypothesis import given, settings
from hypothesis import strategies as st
from oracle.library import Library, build
from oracle.reading import Oracle, Place
from oracle.repeats import Posted, documents

from codecite.indexer import open_index
from codecite.indexer.kernels.contexts import NONE
from codecite.indexer.kernels.frequent import GAP, GAP_SHIFT, Frequent
from codecite.indexer.kernels.grouping import SIDE, SIDE_BITS
from codecite.indexer.store import frequent
from codecite.indexer.store.segment import Segment
from codecite.indexer.store.snapshot import Snapshot
from codecite.indexer.store.takedowns import TakedownKind, parse_takedown
from codecite.indexer.upkeep import compact, remove

Posting = tuple[bytes, int]
"""The content of a Document and a position in it."""


@dataclass(frozen=True)
class Group:
    """A group as read from the sections: its postings, its contexts, the first posting and the place of its next."""

    members: tuple[Posting, ...]
    before: bytes
    behind: bytes
    following: Posting | None
    gap: int


def contexts(coded: bytes, count: int, before: bytes = b"") -> tuple[list[bytes], bytes]:
    """Some front-coded contexts, and what is left."""
    found = []
    for _ in range(count):
        head, coded = coded[0], coded[1:]
        length = 26
        if head & 32:
            length, coded = coded[0], coded[1:]
        shared = head & 31
        before, coded = before[:shared] + coded[: length - shared], coded[length - shared :]
        found.append(before)
    return found, coded


def lists(segment: Segment, raw: Sequence[bytes]) -> list[list[Group]]:
    """The groups of each frequent list, with Documents in the place of their numbers."""
    of = {hashlib.sha1(b"blob %d\0" % len(content) + content).digest(): content for content in raw}
    owners = [of[digest.tobytes()] for digest in segment.contents]
    starts = segment.arrays.document_canonical

    def posting(number: int) -> Posting:
        place = int(segment.arrays.positions[number])
        owner = int(np.searchsorted(starts, place, side="right")) - 1
        return owners[owner], place - int(starts[owner])

    table: Frequent = segment.frequent
    found = []
    for number in range(table.lists.shape[1] - 1):
        _, stop, first, at, before, behind, _ = table.lists[:, number].tolist()
        end, until = table.lists[2:4, number + 1].tolist()
        ahead, rest = contexts(table.contexts[at:until].tobytes(), before)
        after, rest = contexts(rest, behind)
        assert rest == b""
        begins = [int(table.groups[group, 0]) & int(NONE) for group in range(first, end)]
        mine = []
        for group, low, high in zip(range(first, end), begins, [*begins[1:], stop], strict=True):
            following, sides = int(table.groups[group, 0]) >> 32, int(table.groups[group, 1])
            positions = segment.arrays.positions[low:high].tolist()
            assert positions == sorted(positions)
            mine.append(
                Group(
                    tuple(posting(i) for i in range(low, high)),
                    ahead[sides >> SIDE_BITS & int(SIDE)],
                    after[sides & int(SIDE)],
                    None if following == NONE else posting(int(table.groups[following, 0]) & int(NONE)),
                    sides >> int(GAP_SHIFT) & int(GAP),
                )
            )
        found.append(mine)
    return found


def is_specified(segment: Segment, raw: Sequence[bytes], least: int) -> list[list[Group]]:
    """The sections hold the lists of so many postings, in groups of equal chains."""
    contents = sorted(set(raw))
    pairs = [
        (value, (content, at))
        for content in contents
        for value, at in twins.document_selection(twins.canonical(content))
    ]
    bits = (len(segment.arrays.buckets) - 1).bit_length() - 1
    of: dict[int, list[Posting]] = {}
    for value, posting in pairs:
        of.setdefault(value >> 48 - bits, []).append(posting)
    numbers = {content: number for number, content in enumerate(contents)}
    wanted = [[(numbers[content], at) for content, at in of[key]] for key in sorted(of) if len(of[key]) >= least]
    case = Posted(contents, wanted)
    names = case.names()
    observed = lists(segment, raw)
    assert len(observed) == len(wanted)
    for groups, postings in zip(observed, wanted, strict=True):
        expected: dict[int, list[Posting]] = {}
        for owner, at in postings:
            expected.setdefault(names[owner, at], []).append((contents[owner], at))
        assert sorted(sorted(group.members) for group in groups) == sorted(map(sorted, expected.values()))
        for group in groups:
            for content, at in group.members:
                assert (group.before, group.behind) == twins.surroundings(content, at)[:2]
                after = case.next_of((numbers[content], at))
                assert group.gap == (0 if after is None else after[1] - at)
                assert (group.following is None) == (after is None)
                if after is not None:
                    owner, place = group.following or (b"", 0)
                    assert names[numbers[owner], place] == names[after]
    return observed


def alike(groups: list[list[Group]]) -> list[list[tuple[list[Posting], bytes, bytes, int]]]:
    """The groups without the order of Documents, which differs from one way of building to another."""
    return [
        sorted((sorted(group.members), group.before, group.behind, group.gap) for group in found) for found in groups
    ]


@settings(max_examples=max(1, settings().max_examples * 30 // 100))
@given(documents(), st.integers(1, 3) | st.just(128))
def test_the_sections_hold_the_lists_of_enough_postings(raw: list[bytes], least: int) -> None:
    """Each list in groups that nothing tells apart, with their contexts and nexts."""
    with tempfile.TemporaryDirectory() as directory, patch.object(frequent, "LEAST", least):
        index = Path(directory) / "index"
        build(index, [(content, [Place()]) for content in raw])
        is_specified(Snapshot(index).segments[0].segment, raw, least)


def copies(count: int, seed: int = 1) -> list[bytes]:
    """Documents with one of two heads, of which some have another white space, and with tails of their own."""
    chance = random.Random(seed)
    heads = [bytes(chance.choices(range(97, 123), k=length)) for length in (300, 140)]
    found = []
    for number in range(count):
        head = heads[number % 5 == 0]
        head = head[: 90 + number % 3] + (b" " if number % 4 else b"\n") + head[90 + number % 3 :]
        tail = b"-" * 80 if number % 6 == 0 else b""
        found.append(b"%d\n" % number * (number % 2) + head + tail + bytes(chance.choices(range(65, 91), k=60)))
    return found


def segments(index: Path) -> list[Segment]:
    """The Segments of an index."""
    return [opened.segment for opened in Snapshot(index).segments]


def sizes(raw: list[bytes]) -> list[int]:
    """How many postings each list has."""
    found: dict[int, int] = {}
    for content in set(raw):
        for value, _ in twins.document_selection(twins.canonical(content)):
            found[value] = found.get(value, 0) + 1
    return list(found.values())


@pytest.mark.parametrize("times", [1, 2, 4, 8])
def test_where_they_are_too_many_lists_are_frequent_from_more_postings_on(tmp_path: Path, times: int) -> None:
    """Twice as many, four times as many, and so on, until they fit in memory."""
    chance = random.Random(2)
    heads = [bytes(chance.choices(range(97, 123), k=120)) for _ in range(3)]
    parts = [b"".join(head for head, share in zip(heads, (1, 2, 4), strict=True) if i % share == 0) for i in range(50)]
    raw = [part + bytes(chance.choices(range(65, 91), k=60)) for part in parts]
    most = sum(size for size in sizes(raw) if size >= 10 * times)
    assert times == 1 or sum(size for size in sizes(raw) if size >= 5 * times) > most
    with patch.object(frequent, "LEAST", 10), patch.object(frequent, "MOST", most):
        build(tmp_path / "index", [(content, [Place()]) for content in raw])
    (segment,) = segments(tmp_path / "index")
    found = is_specified(segment, raw, 10 * times)
    assert sum(len(group.members) for groups in found for group in groups) == most


def test_lists_go_whose_groups_are_too_many(tmp_path: Path) -> None:
    """First those with most groups for their postings; what is left answers as ever."""
    chance = random.Random(4)
    shared = bytes(chance.choices(range(97, 123), k=300))
    raw = [shared + bytes(chance.choices(range(65, 91), k=80)) + b"%d" % (i % 3) for i in range(40)]
    made = [(content, [Place(path=f"{number}.py")]) for number, content in enumerate(raw)]
    with patch.object(frequent, "LEAST", 10), patch.object(frequent, "MOST_GROUPS", 100):
        build(tmp_path / "index", made)
    (segment,) = segments(tmp_path / "index")
    assert 0 < len(segment.frequent.groups) <= 100
    library = Library(open_index(tmp_path / "index"), Oracle(made, cap=1000, common=20))
    library.check(raw[3])
    library.check(shared[50:200])


@pytest.mark.parametrize("adds", [2, 5])
def test_a_merge_groups_as_if_all_was_written_at_once(tmp_path: Path, adds: int) -> None:
    """Lists that were rare in every Segment before are frequent after it."""
    raw = copies(60)
    made = [(content, [Place(path=f"{number}.py")]) for number, content in enumerate(raw)]
    with patch.object(frequent, "LEAST", 20):
        build(tmp_path / "once", made)
        build(tmp_path / "parts", made, adds=adds)
        compact(tmp_path / "parts")
        (once,), (merged,) = segments(tmp_path / "once"), segments(tmp_path / "parts")
    assert alike(is_specified(merged, raw, 20)) == alike(is_specified(once, raw, 20))
    library = Library(open_index(tmp_path / "parts"), Oracle(made, cap=1000, common=20))
    for number in (0, 7, 59):
        library.check(raw[number])


def test_what_was_removed_is_in_no_group_after_a_merge(tmp_path: Path) -> None:
    """Before it, Documents without an Origin are in groups still, and hold nothing."""
    raw = copies(60)
    made = [
        (
            content,
            [
                Place(
                    "MIT" if number % 3 else "ISC",
                    f"pkg:pypi/{'kept' if number % 3 else 'gone'}@1",
                    path=f"{number}.py",
                )
            ],
        )
        for number, content in enumerate(raw)
    ]
    kept = [item for number, item in enumerate(made) if number % 3]
    index = tmp_path / "index"
    oracle = Oracle(kept, cap=1000, common=20)
    with patch.object(frequent, "LEAST", 10):
        build(index, made)
        before = segments(index)[0].frequent.groups.tobytes()
        remove(index, [parse_takedown(TakedownKind.PURL, "pkg:pypi/gone")])
        for turn in range(2):
            library = Library(open_index(index), oracle)
            for number in (0, 1, 5, 30):
                library.check(raw[number])
            if turn == 0:
                assert segments(index)[0].frequent.groups.tobytes() == before
                compact(index)
        (segment,) = segments(index)
    is_specified(segment, [content for content, _ in kept], 10)
