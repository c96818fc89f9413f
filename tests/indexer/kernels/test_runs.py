"""Runs: what the kernel finds by words of eight bytes equals what trying every period finds."""

from __future__ import annotations

import numba
import numpy as np
import twins
from hypothesis import example, given
from hypothesis import strategies as st

from codecite.indexer.config import KGRAM
from codecite.indexer.kernels import runs as kernels
from codecite.indexer.kernels.query import assign_runs

_find_runs = kernels.find_runs


@numba.njit
def call(text, starts, ends, periods):  # type: ignore[no-untyped-def]
    """A way in from Python."""
    return _find_runs(text, starts, ends, periods)


def find_runs(text: bytes, room: int) -> tuple[int, list[tuple[int, int, int]]]:
    """How many runs the kernel counts, and those it writes into arrays of the given length."""
    found = np.full((3, room), -1, np.int64)
    count = call(np.frombuffer(bytearray(text), np.uint8), found[0], found[1], found[2])
    return count, [tuple(run) for run in found[:, : min(count, room)].T.tolist()]


def repeated(unit: bytes, length: int, phase: int) -> bytes:
    """A ruler of the given length that begins inside its unit."""
    return (unit * (length + phase))[phase : phase + length]


ruler = st.builds(
    repeated,
    st.text("ab", min_size=1, max_size=30).map(str.encode) | st.binary(min_size=1, max_size=27),
    st.integers(1, 130),
    st.integers(0, 30),
)
texts = st.lists(ruler | st.binary(max_size=12), max_size=6).map(b"".join)


@given(texts | st.text("ab", max_size=200).map(str.encode))
@example(b"")
@example(b"x" * 15)
def test_every_run_is_found_with_its_smallest_period(text: bytes) -> None:
    """And nothing else is."""
    count, found = find_runs(text, 64)
    assert sorted(found) == twins.runs(text)
    assert count == len(found)


def test_runs_of_every_period_and_length_about_the_shortest_are_found() -> None:
    """At each offset within a word of eight bytes."""
    for period in range(1, KGRAM + 3):
        unit = bytes(range(1, period + 1))
        for length in (KGRAM + period - 1, KGRAM + period, KGRAM + period + 1, 2 * KGRAM + 2 * period):
            for before in range(9):
                text = b"\xff" * before + repeated(unit, length, 0) + b"\xfe"
                assert sorted(find_runs(text, 8)[1]) == twins.runs(text), (period, length, before)


@given(st.lists(st.tuples(ruler, st.binary(max_size=3)), max_size=6), st.integers(0, 3))
def test_with_too_little_room_the_count_says_how_much_is_enough(parts: list[tuple[bytes, bytes]], room: int) -> None:
    """What was written is right; called again with that room, the kernel finds and counts exactly all."""
    text = b"".join(piece for part in parts for piece in part)
    count, found = find_runs(text, room)
    expected = twins.runs(text)
    assert set(found) <= set(expected)
    assert len(found) == min(len(expected), room)
    assert count == len(expected) or count > max(room, len(expected))
    again, found = find_runs(text, count)
    assert (again, sorted(found)) == (len(expected), expected)


@st.composite
def stretches(draw: st.DrawFn) -> tuple[list[list[int]], list[tuple[int, int]]]:
    """Fingerprints of some minima, ascending, and runs in the order of their starts, none inside another."""
    positions = draw(st.lists(st.integers(0, 120), unique=True, max_size=20).map(sorted))
    cuts = sorted(draw(st.lists(st.integers(0, len(positions)), max_size=4)))
    groups = [positions[a:b] for a, b in zip([0, *cuts], [*cuts, len(positions)], strict=True)]
    drawn = draw(st.lists(st.tuples(st.integers(0, 120), st.integers(KGRAM + 1, 90)), max_size=4))
    kept: list[tuple[int, int]] = []
    for start, length in sorted(drawn):
        if not kept or (start > kept[-1][0] and start + length > kept[-1][1]):
            kept.append((start, start + length))
    return [group for group in groups if group], kept


@given(stretches())
def test_each_fingerprint_knows_its_run_and_who_stands_for_it(
    case: tuple[list[list[int]], list[tuple[int, int]]],
) -> None:
    """The first run that holds its whole k-gram, and the first fingerprint of the same minimum in that run."""
    groups, runs = case
    positions = np.array([position for group in groups for position in group], np.int64)
    begins = np.cumsum([0, *(len(group) for group in groups)], dtype=np.int64)
    starts, ends = (np.array([run[side] for run in runs], np.int64) for side in (0, 1))
    run_of, first_of = np.full(len(positions), -7, np.int64), np.full(len(positions), -7, np.int64)
    assign_runs(positions, begins, starts, ends, run_of, first_of)
    expected = []
    for group in groups:
        offset = len(expected)
        owners = [
            next((r for r, (start, end) in enumerate(runs) if start <= at and end >= at + KGRAM), -1) for at in group
        ]
        firsts = [i if owner < 0 else owners.index(owner) for i, owner in enumerate(owners)]
        expected += [(owner, offset + first) for owner, first in zip(owners, firsts, strict=True)]
    assert list(zip(run_of.tolist(), first_of.tolist(), strict=True)) == expected
