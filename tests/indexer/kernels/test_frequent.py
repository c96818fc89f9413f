"""How far frequent lists agree with a text, by contexts and by chains, equals agreement byte by byte."""

from __future__ import annotations

import numba
import numpy as np
import pytest
import twins
from hypothesis import given
from hypothesis import strategies as st
from oracle.repeats import Posted, cases, grouped, ruled

from codecite.indexer.config import KGRAM
from codecite.indexer.kernels import frequent as kernels
from codecite.indexer.kernels.contexts import REACH
from codecite.indexer.kernels.following import periodic
from codecite.indexer.kernels.frequent import (
    CLOSED,
    CUT_OFF,
    OPEN,
    STATE,
    STATE_BITS,
    find_frequent,
    forget,
    new_agreements,
)
from codecite.indexer.kernels.onward import chain, follow_lists

_agree, _before, _behind, _chain = kernels.agree, kernels.before, kernels.behind, chain
_end, _first, _first_with, _list_of = (
    kernels.end_posting,
    kernels.first_posting,
    kernels.first_with,
    kernels.list_of_group,
)
_periodic = periodic


@numba.njit
def call_agree(frequent, known, text, number, q):  # type: ignore[no-untyped-def]
    """A way in from Python."""
    return _agree(frequent, known, text, number, q)


@numba.njit
def call_sides(frequent, known, number, begin, group):  # type: ignore[no-untyped-def]
    """A way in from Python."""
    return _before(frequent, known, begin, group), _behind(frequent, known, number, begin, group)


@numba.njit
def call_chain(frequent, known, text, number, group, q, period):  # type: ignore[no-untyped-def]
    """A way in from Python."""
    return _chain(frequent, known, text, number, group, q, period)


@numba.njit
def call_group(frequent, group, context):  # type: ignore[no-untyped-def]
    """A way in from Python."""
    number = _list_of(frequent, group)
    return number, _first(frequent, group), _end(frequent, number, group), _first_with(frequent, number, context)


@numba.njit
def call_periodic(text, start, period, q):  # type: ignore[no-untyped-def]
    """A way in from Python."""
    return _periodic(text, start, period, q)


def array(text: bytes) -> np.ndarray:
    """The bytes as a kernel takes them."""
    return np.frombuffer(bytearray(text), np.uint8)


@st.composite
def asked(draw: st.DrawFn, case: Posted) -> tuple[bytes, int, int]:
    """A canonical text that holds the k-gram of a list somewhere: that text, the list, the place."""
    number = draw(st.integers(0, len(case.lists) - 1))
    owner, at = draw(st.sampled_from(case.lists[number]))
    document = twins.canonical(case.raw[owner])
    text = bytearray(document)
    for place in draw(st.lists(st.integers(0, len(text) - 1), max_size=2)):
        if not at <= place < at + KGRAM:
            text[place] = draw(st.sampled_from(b"ab!"))
    first, last = draw(st.integers(0, at)), draw(st.integers(at + KGRAM, len(text)))
    ahead = draw(st.sampled_from([b"", b"?", bytes(document[-40:])]))
    after = draw(st.sampled_from([b"", b"?", bytes(document[:60])]))
    return ahead + bytes(text[first:last]) + after, number, len(ahead) + at - first


def ended(case: Posted, posting: tuple[int, int], text: bytes, q: int) -> tuple[int, int]:
    """How far the chain of a posting agrees with a text, and how it ends."""
    owner, at = posting
    positions = case.frequent[owner]
    length, is_open = twins.chain(case.raw[owner], positions, positions.index(at), text, q)
    onward = case.cut_of(posting)
    if onward is not None:
        last = posting
        while (after := case.next_of(last)) != onward:
            last = after or onward
        if at + KGRAM + length >= last[1] + KGRAM + REACH:
            return onward[1] - at, CUT_OFF
    return length, OPEN if is_open else CLOSED


@given(cases.filter(lambda case: case.lists), st.data())
def test_contexts_agree_with_the_text_on_either_side(case: Posted, data: st.DataObject) -> None:
    """For all groups of a list at once, and asked again the answers are there."""
    found = grouped(case)
    frequent = found.frequent
    text, number, q = data.draw(asked(case))
    known = new_agreements(frequent.lists, len(text))
    begin = call_agree(frequent, known, array(text), number, q)
    for group in range(frequent.lists[2, number], frequent.lists[2, number + 1]):
        owner, at = found.groups[group][0]
        before, behind, _ = twins.surroundings(case.raw[owner], at)
        expected = twins.agreement(before, text[:q][::-1]), twins.agreement(behind, text[q + KGRAM :])
        assert call_sides(frequent, known, number, begin, group) == expected
    assert call_agree(frequent, known, array(b"\0" * len(text)), number, q) == begin


@given(cases.filter(lambda case: case.lists), st.data())
def test_chains_say_how_far_documents_agree(case: Posted, data: st.DataObject) -> None:
    """From any group of a list to the end of its chain, with one scratch for several texts."""
    found = grouped(case)
    frequent = found.frequent
    known = new_agreements(frequent.lists, 2000)
    for text, number, q in data.draw(st.lists(asked(case), min_size=1, max_size=3)):
        for group in range(frequent.lists[2, number], frequent.lists[2, number + 1]):
            expected = ended(case, found.groups[group][-1], text, q)
            for _ in range(2):
                length = call_chain(frequent, known, array(text), number, group, q, 0)
                assert (length, known.state[STATE]) == expected
        forget(known)


@given(cases.filter(lambda case: case.lists), st.data())
def test_lists_followed_from_the_end_say_what_chains_do(case: Posted, data: st.DataObject) -> None:
    """For every place of a text where a k-gram of a frequent list stands, and as much of the table as fits."""
    found = grouped(case)
    frequent = found.frequent
    text, _, _ = data.draw(asked(case))
    known = new_agreements(frequent.lists, len(text))
    known = known._replace(ahead=known.ahead[: data.draw(st.sampled_from([0, 1, 7, 1 << 20]))])
    at_number = [
        (q, number)
        for q in range(len(text) - KGRAM + 1)
        for number, members in enumerate(case.lists)
        if text[q : q + KGRAM] == twins.canonical(case.raw[members[0][0]])[members[0][1] :][:KGRAM]
    ]
    places, numbers = np.array(at_number, np.int64).reshape(-1, 2).T
    follow_lists(frequent, known, array(text), numbers, places)
    filled = 0
    for q, number in reversed(at_number):
        first, end = frequent.lists[2, number : number + 2]
        fits = filled + end - first <= len(known.ahead)
        assert known.ahead_at[q] == (filled if fits else -1)
        for group in range(first, end):
            length, state = ended(case, found.groups[group][-1], text, q)
            if fits:
                assert known.ahead[filled + group - first] == (length << STATE_BITS) + state
            assert call_chain(frequent, known, array(text), number, group, q, 0) == length
            assert known.state[STATE] == state
        filled += fits * (end - first)


@given(ruled(), st.integers(0, 99))
def test_chains_go_on_with_a_period(ruler: tuple[Posted, int, int], phase: int) -> None:
    """As if the text went on with it for ever, whichever of its places is asked."""
    case, period, number = ruler
    owner, at = case.lists[number][0]
    kgram = twins.canonical(case.raw[owner])[at : at + KGRAM]
    unit, phase = kgram[:period], phase % period
    pattern = call_periodic(array(b"?" + (unit * 99)[period - phase :][: 4 * KGRAM]), 1, period, 1 + phase)
    endless = unit * 600
    assert pattern[REACH:].tobytes() == endless[: len(pattern) - REACH]
    assert pattern[:REACH].tobytes() == endless[-REACH:]
    found = grouped(case)
    frequent, positions = found.frequent, case.frequent
    known = new_agreements(frequent.lists, len(pattern))
    for group in range(frequent.lists[2, number], frequent.lists[2, number + 1]):
        owner, at = found.groups[group][0]
        expected = twins.chain(case.raw[owner], positions[owner], positions[owner].index(at), endless, 0)
        length = call_chain(frequent, known, pattern, number, group, REACH, period)
        assert (length, known.state[STATE] == OPEN) == expected


@pytest.mark.parametrize("fingerprints", [10, 256, 600])
def test_long_rulers_make_long_chains(fingerprints: int) -> None:
    """Longer than the path that is remembered, and asked from the first group, the last and one between."""
    document = b"-" * (26 * fingerprints + 40)
    case = Posted([document], [[(0, at) for at in range(25, len(document) - KGRAM, 26)]])
    found = grouped(case)
    known = new_agreements(found.frequent.lists, len(document))
    for group in (0, len(found.groups) // 2, len(found.groups) - 1):
        ((_, at),) = found.groups[group]
        assert call_chain(found.frequent, known, array(document), 0, group, at, 0) == len(document) - at - KGRAM
        assert known.state[STATE] == CLOSED


@given(cases, st.integers(0, 3))
def test_groups_say_which_list_and_postings_they_have(case: Posted, gap: int) -> None:
    """Where they begin and end, and which is the first of a context behind."""
    found = grouped(case, gap)
    frequent = found.frequent
    for group, members in enumerate(found.groups):
        context = int(frequent.groups[group, 1]) & int(kernels.SIDE)
        number, first, end, one = call_group(frequent, group, context)
        assert frequent.lists[2, number] <= group < frequent.lists[2, number + 1]
        assert end - first == len(members)
        assert one <= group
        assert int(frequent.groups[one, 1]) & int(kernels.SIDE) == context
        assert one == frequent.lists[2, number] or int(frequent.groups[one - 1, 1]) & int(kernels.SIDE) < context


@given(cases, st.integers(1, 3))
def test_frequent_lists_are_told_by_where_they_begin(case: Posted, gap: int) -> None:
    """Rare lists and empty ones are none, nor are those of several k-grams; another k-gram's are empty."""
    lists = grouped(case, gap).frequent.lists
    begins, ends = lists[0, :-1], lists[1, :-1]
    low = np.concatenate([begins, begins - 1, begins, ends[-1:]])
    high = np.concatenate([ends, begins, begins, ends[-1:] + 1])
    numbers = np.full(len(low), -2, np.int64)
    text = bytearray(i * 7 % 251 for i in range(25 * len(low)))
    kgrams = np.zeros((len(begins), 32), np.uint8)
    for number in range(len(begins)):
        kgrams[number, :25] = text[25 * number : 25 * number + 25]
    kgrams[::3, 31] = 1
    kgrams[1::3, 7] ^= 1
    places = np.arange(0, 25 * len(low), 25)
    before = high - low
    find_frequent(np.frombuffer(text, np.uint8), places, low, high, lists, kgrams, numbers)
    expected = [number if number % 3 == 2 else -1 for number in range(len(begins))]
    assert numbers.tolist() == expected + [-1] * (len(low) - len(begins))
    kept = [number for number in range(len(low)) if number >= len(begins) or number % 3 != 1]
    assert (high - low).tolist() == [int(before[i]) if i in kept else 0 for i in range(len(low))]
