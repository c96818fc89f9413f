"""Which lists are frequent, the text around their postings, and what follows each, agree with plain Python."""

from __future__ import annotations

from itertools import pairwise, product

import numpy as np
import pytest
import twins
from hypothesis import example, given
from hypothesis import strategies as st
from oracle.repeats import Posted, cases, gathered, linked, posted

from codecite.indexer.config import KGRAM
from codecite.indexer.kernels.contexts import (
    BEFORE,
    KGRAM_AT,
    NAME_BITS,
    NAMES,
    NONE,
    REACH,
    ROW,
    collapse,
    frequent_lists,
    order_by_position,
)


@given(st.lists(st.lists(st.integers(0, 3), max_size=9).map(sorted), max_size=6), st.integers(1, 4), st.integers(0, 9))
def test_lists_of_enough_postings_are_found(tags: list[list[int]], least: int, first: int) -> None:
    """A list is a stretch of one bucket with one tag; as many are written as there is room for, and all counted."""
    buckets = np.cumsum([first, *map(len, tags)]).astype(np.uint32)
    flat = np.array([tag for bucket in tags for tag in bucket], np.uint16)
    expected = [
        (int(begin) + bucket.index(tag), int(begin) + bucket.index(tag) + bucket.count(tag))
        for begin, bucket in zip(buckets, tags, strict=False)
        for tag in sorted(set(bucket))
        if bucket.count(tag) >= least
    ]
    for room in (len(flat) // least + 1, 1, 0):
        bounds = np.full((2, room), -1, np.int64)
        assert frequent_lists(buckets, flat, first, least, bounds) == len(expected)
        assert list(map(tuple, bounds.T.tolist()))[: len(expected)] == expected[:room]


@given(st.sets(st.integers(0, 300) | st.integers(0, 2**32 - 1)), st.randoms())
def test_postings_are_put_in_the_order_of_their_positions(chosen: set[int], chance: object) -> None:
    """However they stand, and whichever of their 32 bits differ."""
    values = list(chosen)
    chance.shuffle(values)  # type: ignore[attr-defined]
    positions = np.array(values, np.uint32)
    order = np.empty(len(positions), np.uint32)
    order_by_position(positions, order)
    assert order.tolist() == np.argsort(positions).tolist()


def side(contexts: np.ndarray, number: int, offset: int) -> bytes:
    """One side of a context, of which the rest of its row is zero."""
    row = contexts[number * ROW + offset : number * ROW + offset + 32]
    assert not row[row[31] : 31].any()
    return row[: row[31]].tobytes()


@given(cases, st.integers(1, 4), st.sampled_from([3, 40, 2048]))
@example(posted([b"\t  " + b"a" * 60], 1), 1, 3)  # a block of white space only, which is not read
def test_contexts_are_the_text_around_postings(case: Posted, pieces: int, size: int) -> None:
    """On either side, cut where the Document ends; digests are equal where the white space is, too.

    Blocks that hold nothing of that are not read.
    """
    order, contexts, whole, digests, spaced = gathered(case, pieces, size=size)
    for bare, part in zip(gathered(case, wanted=False), (order, [], whole, digests, spaced), strict=True):
        assert bare.tolist() == list(part)
    place = {number: i for i, number in enumerate(order.tolist())}
    named: dict[object, int] = {}
    for number, (owner, at) in enumerate(case.flat):
        before, behind, raw = twins.surroundings(case.raw[owner], at)
        kgram = twins.canonical(case.raw[owner])[at : at + KGRAM]
        assert contexts[place[number] * ROW + KGRAM_AT :][:KGRAM].tobytes() == kgram
        assert (side(contexts, place[number], BEFORE), side(contexts, place[number], 0)) == (before, behind)
        assert whole[place[number]] == (len(behind) == REACH)
        assert int(spaced[place[number]]) == spaces_behind(case.raw[owner], at)
        digest = int(digests[place[number]])
        assert named.setdefault((before, kgram, behind, *spaces(raw)), digest) == digest
    assert len(set(named.values())) == len(named)


INDENTS = [b" " * blanks for blanks in range(12)] + [
    b"\t" * tabs + b" " * blank for tabs in (1, 2, 3, 4) for blank in (0, 1)
]
NAMED = [feeds + indent for feeds in (b"", b"\n", b"\n\n") for indent in INDENTS]
"""White space that has a name, in the order of the names."""


def spaces_behind(raw: bytes, position: int) -> int:
    r"""Which white space comes before each canonical byte behind a k-gram, within its context: two bits each.

    None, a blank, a line feed, anything else; the nearest lowest. Above all of them names of the first two others.

    >>> spaces_behind(b"a" * 25 + b" bc\n d\te\nf", 0) == 753 + (22 << 52) + (13 << 58)
    True
    """
    offsets = [i for i, byte in enumerate(raw) if byte not in twins.WHITE_SPACE]
    first, last = position + KGRAM, min(len(offsets), position + KGRAM + REACH)
    before = [raw[offsets[i - 1] + 1 : offsets[i]] for i in range(first, last)]
    codes = [{b"": 0, b" ": 1, b"\n": 2}.get(space, 3) for space in before]
    others = [
        NAMED.index(space) + 1 if space in NAMED else 0 for space, code in zip(before, codes, strict=True) if code == 3
    ]
    found = sum(code << (2 * number) for number, code in enumerate(codes))
    return found + sum(name << (NAMES + NAME_BITS * i) for i, name in enumerate(others[:2]))


def test_each_white_space_has_the_name_of_no_other() -> None:
    """All up to four bytes long, and all that have a name; up to three of them in a context."""
    short = [bytes(space) for length in range(1, 5) for space in product(b"\t\n \r", repeat=length)]
    found = [*short, *NAMED, b"\n" + b" " * 300, b"\t" * 300, b"\n" * 300]
    raw = [b"a" * KGRAM + one + b"b" + other + b"c" + one + b"d" * 30 for one, other in pairwise(found)]
    case = Posted(raw, [[(number, 0) for number in range(len(raw))]])
    order, _, _, _, spaced = gathered(case, 1)
    for number, bits in zip(order.tolist(), spaced.tolist(), strict=True):
        assert bits == spaces_behind(raw[number], 0)


def spaces(raw: bytes) -> list[tuple[int, int]]:
    """The white space of a text: each byte, and how many others come before it."""
    return [(len(twins.canonical(raw[:at])), byte) for at, byte in enumerate(raw) if byte in twins.WHITE_SPACE]


@given(cases)
def test_the_next_of_a_posting_is_the_last_in_sight(case: Posted) -> None:
    """None where the Document ends in sight."""
    _, following, *_ = linked(case)
    flat = case.flat
    for number, after in enumerate(following.tolist()):
        assert (None if after == NONE else flat[after]) == case.next_of(flat[number])


@given(cases)
def test_digests_are_equal_where_nothing_tells_chains_apart(case: Posted) -> None:
    """Within one list, which says what the k-gram is; and differ elsewhere."""
    _, _, digests, _ = linked(case)
    names = case.names()
    number = 0
    for found in case.lists:
        mine = digests[number : number + len(found)].tolist()
        number += len(found)
        for i, one in enumerate(found):
            for j, other in enumerate(found[:i]):
                same = (
                    mine[i] == mine[j]
                    and twins.surroundings(case.raw[one[0]], one[1])[:2]
                    == twins.surroundings(case.raw[other[0]], other[1])[:2]
                )
                assert same == (names[one] == names[other])


@pytest.mark.parametrize(
    ("length", "positions", "next_of_first"),
    [(120, [0, 26], 1), (120, [0, 27], None), (51, [0, 20], 1), (50, [0, 20], None), (120, [0, 9, 26, 27], 2)],
)
def test_a_next_lies_as_far_on_as_the_context_goes(
    length: int, positions: list[int], next_of_first: int | None
) -> None:
    """Not a byte further, and only where the context is whole."""
    case = Posted([bytes(range(33, 33 + length))], [[(0, at)] for at in positions])
    _, following, *_ = linked(case)
    assert following[0] == (NONE if next_of_first is None else next_of_first)


@given(st.lists(st.lists(st.integers(0, 3) | st.integers(0, 2**64 - 1), max_size=9), max_size=6))
def test_postings_of_one_digest_are_brought_together(lists: list[list[int]]) -> None:
    """Within each list, by digest and then by number."""
    flat = np.array([digest for found in lists for digest in found], np.uint64)
    members, firsts = np.full((2, len(flat)), 99, np.uint32)
    kept = np.full(len(lists), -1, np.int64)
    count = collapse(np.array([len(found) for found in lists], np.int64), flat, members, firsts, kept)
    assert kept.tolist() == [len(set(found)) for found in lists]
    expected: list[list[int]] = []
    begin = 0
    for found in lists:
        expected += [[begin + i for i, other in enumerate(found) if other == digest] for digest in sorted(set(found))]
        begin += len(found)
    assert [part.tolist() for part in np.split(members, firsts[1:count])][: count or 0] == expected
