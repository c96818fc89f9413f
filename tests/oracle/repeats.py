"""Documents that repeat, the frequent lists of their fingerprints, and these put into groups by the kernels.

In: what hypothesis draws. Out: Documents, their postings as plain numbers and as the arrays kernels take, and a
Frequent in memory. It refuses to know of files and of queries.
"""

from __future__ import annotations

import random
from bisect import bisect_right
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import accumulate, pairwise
from unittest.mock import patch

import numpy as np
import twins
from hypothesis import strategies as st

from codecite.indexer.config import KGRAM
from codecite.indexer.kernels.checked import trusted
from codecite.indexer.kernels.contexts import (
    NONE,
    REACH,
    ROW,
    collapse,
    cut,
    gather,
    link,
    mark_blocks,
    order_by_position,
)
from codecite.indexer.kernels.frequent import DIVERGING, Frequent
from codecite.indexer.kernels.grouping import finish_groups, group_lists
from codecite.indexer.store import frequent as store

seeds = st.none() | st.integers(0, 99)
"""Of lists that are taken for diverging ones."""
WORDS = ["return", "self", "value", "for_each", "0x00,", "(", ")", "=", "----------", "index", "é", "if_not_None"]
GUARDED = 7
"""Sections that have guards."""

few_letters = st.text("ab", min_size=60, max_size=120) | st.text("abc", min_size=60, max_size=120)
words = st.lists(st.sampled_from(WORDS), min_size=10, max_size=30).map(" ".join)
rulers = st.builds(
    lambda unit, length, phase: (unit * (length + phase))[phase : phase + length],
    st.sampled_from(["-", "*", "ab", "aab", "0, ", "abcdefghijk"]),
    st.integers(50, 170),
    st.integers(0, 11),
)
blocks = (few_letters | words | rulers).map(str.encode)


@st.composite
def joined(draw: st.DrawFn, pool: list[bytes], most: int = 3) -> bytes:
    """Blocks of a pool, whole or cut, one after the other, some with another white space or another byte."""
    text = b""
    for _ in range(draw(st.integers(1, most))):
        block = draw(st.sampled_from(pool))
        start, end = draw(st.sampled_from([0, 0, 3, 30])), len(block) - draw(st.sampled_from([0, 0, 2, 31]))
        piece = bytearray(block[start:end])
        for at in draw(st.lists(st.integers(0, max(len(piece) - 1, 0)), max_size=2)):
            piece[at : at + draw(st.integers(0, 1))] = draw(st.sampled_from([b" ", b"\n", b"!", b"\t "]))
        text += piece + draw(st.sampled_from([b"", b"\n", b" ", b"!", b"ours"]))
    return text


@st.composite
def documents(draw: st.DrawFn) -> list[bytes]:
    """Up to six Documents of one pool; copies, and copies with edits, among them."""
    pool = draw(st.lists(blocks, min_size=1, max_size=3))
    return draw(st.lists(joined(pool), min_size=1, max_size=6))


@dataclass(frozen=True)
class Posted:
    """Documents one after the other, and their frequent lists: pairs of a Document and a position in it.

    `diverging` are the numbers of those whose chains are cut.
    """

    raw: list[bytes]
    lists: list[list[tuple[int, int]]]
    diverging: frozenset[int] = frozenset()

    @property
    def canonical(self) -> list[int]:
        """Where each Document begins in the canonical text."""
        return [0, *accumulate(len(twins.canonical(raw)) for raw in self.raw)]

    @property
    def starts(self) -> list[int]:
        """Where each Document begins in the raw text."""
        return [0, *accumulate(map(len, self.raw))]

    @property
    def flat(self) -> list[tuple[int, int]]:
        """The postings, one list after the other: their numbers are what kernels go by."""
        return [posting for found in self.lists for posting in found]

    @property
    def frequent(self) -> list[list[int]]:
        """The frequent postings of each Document, ascending."""
        return [sorted(at for owner, at in self.flat if owner == number) for number in range(len(self.raw))]

    @property
    def positions(self) -> np.ndarray:
        """Where they stand in the canonical text."""
        canonical = self.canonical
        return np.array([canonical[owner] + at for owner, at in self.flat], np.uint32)

    def names(self) -> dict[tuple[int, int], int]:
        """The number of each posting's chain (`twins.chained`)."""
        frequent = self.frequent
        kgrams = {self.kgram(number) for number in self.diverging}
        numbers = twins.chained(list(zip(self.raw, frequent, strict=True)), kgrams)
        return {
            (owner, at): numbers[owner][i] for owner, positions in enumerate(frequent) for i, at in enumerate(positions)
        }

    def kgram(self, number: int) -> bytes:
        """The k-gram of a list."""
        owner, at = self.lists[number][0]
        return twins.canonical(self.raw[owner])[at : at + KGRAM]

    def list_of(self, posting: tuple[int, int]) -> int:
        """The list of a posting."""
        return next(number for number, members in enumerate(self.lists) if posting in members)

    def cut_of(self, posting: tuple[int, int]) -> tuple[int, int] | None:
        """The posting before which the chain of one is cut."""
        while self.list_of(posting) in self.diverging:
            after = self.next_of(posting)
            if after is None:
                return None
            if self.list_of(after) not in self.diverging:
                return after
            posting = after
        return None

    def next_of(self, posting: tuple[int, int]) -> tuple[int, int] | None:
        """The next of a posting."""
        owner, at = posting
        positions = self.frequent[owner]
        after = twins.nexts(positions, len(twins.canonical(self.raw[owner])))[positions.index(at)]
        return None if after is None else (owner, positions[after])


def posted(raw: list[bytes], least: int) -> Posted:
    """The Documents with their lists of `least` postings or more, by hash."""
    lists: dict[int, list[tuple[int, int]]] = {}
    for owner, content in enumerate(raw):
        for value, at in twins.document_selection(twins.canonical(content)):
            lists.setdefault(value, []).append((owner, at))
    return Posted(raw, [lists[value] for value in sorted(lists) if len(lists[value]) >= least])


whole_cases = st.builds(posted, documents(), st.integers(1, 3))


@st.composite
def _cut(draw: st.DrawFn) -> Posted:
    """Documents with their lists, of which some diverge: any but those in which a posting follows another."""
    case = draw(whole_cases)
    may = [
        number
        for number, members in enumerate(case.lists)
        if not any(case.next_of(posting) in members for posting in members)
    ]
    chosen = draw(st.sets(st.sampled_from(may))) if may else set()
    return Posted(case.raw, case.lists, frozenset(chosen))


cases = _cut()


def has_period(text: bytes, period: int) -> bool:
    """Whether all of a text goes on with a period."""
    return text[period:] == text[: len(text) - period]


@st.composite
def ruled(draw: st.DrawFn) -> tuple[Posted, int, int]:
    """Documents with rulers of one unit in all lengths and phases; its period, and a list whose k-gram lies in them."""
    unit = draw(st.sampled_from([b"-", b"ab", b"aab", b"0,0x", b"abcdefghijk", bytes(range(97, 97 + KGRAM))]))
    edges = st.sampled_from(
        [b"", b"", b"x", b"\n", b"end of text", b"return value + index * 26;", unit[::-1] * 2 + b"!"]
    )
    raw = []
    for _ in range(draw(st.integers(2, 6))):
        text = draw(edges)
        for _ in range(draw(st.integers(1, 2))):
            phase, length = draw(st.integers(0, len(unit) - 1)), draw(st.integers(76, 240) | st.integers(76, 110))
            text += (unit * 270)[phase : phase + length] + draw(edges)
        raw.append(text)
    case = posted(raw, draw(st.integers(1, 2)))
    kgrams = [twins.canonical(raw[owner])[at : at + KGRAM] for owner, at in (found[0] for found in case.lists)]
    return case, len(unit), draw(st.sampled_from([i for i, text in enumerate(kgrams) if has_period(text, len(unit))]))


@contextmanager
def diverging(seed: int | None) -> Iterator[None]:
    """Segments are written with half of their lists taken for diverging ones, by chance; as ever if `seed` is None."""
    if seed is None:
        yield
        return
    chance = random.Random(seed)

    def choose(sizes: np.ndarray, *others: np.ndarray) -> None:
        others[-1][:] &= np.array([chance.random() < 0.5 for _ in sizes], bool)

    with patch.object(store, "DIVERGING", 1), patch.object(store, "find_diverging", choose):
        yield


def keys(seed: int) -> np.ndarray:
    """Keys for digests, more than any needs."""
    return np.random.default_rng(seed).integers(0, 2**64, 1024, np.uint64)


def blocks_of(positions: np.ndarray, starts: list[int]) -> set[int]:
    """The blocks that hold the postings and REACH bytes on either side."""
    held: set[int] = set()
    for position in positions.tolist():
        first, last = max(position - REACH, starts[0]), min(position + KGRAM + REACH, starts[-1]) - 1
        held |= set(range(bisect_right(starts, first) - 1, bisect_right(starts, last)))
    return held


def gathered(
    case: Posted, pieces: int = 1, wanted: bool = True, size: int = 2048
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """The order of the postings by position; contexts (if wanted), whether whole, digests and spaces in this order."""
    positions = case.positions
    order = np.empty(len(positions), np.uint32)
    order_by_position(positions, order)
    positions = positions[order]
    contexts = np.full(len(positions) * ROW if wanted else 0, 255, np.uint8)
    whole, (digests, spaces) = np.full(len(positions), 9, np.uint8), np.zeros((2, len(positions)), np.uint64)
    starts, canonical = np.array(case.starts, np.int64), np.array(case.canonical, np.int64)
    edges = sorted({0, len(case.raw), *(len(case.raw) * piece // pieces for piece in range(1, pieces))})
    for first, last in pairwise(edges):
        joined = b"".join(case.raw[first:last])
        mine = starts[first : last + 1] - starts[first]
        begin, end = np.searchsorted(positions, canonical[[first, last]]).tolist()
        cuts = np.arange(0, len(joined) + size, size).clip(0, len(joined))
        before = [int(canonical[first]) + len(twins.canonical(joined[:cut])) for cut in cuts]
        here = positions[begin:end]
        text = np.frombuffer(bytearray(joined or b"\0"), np.uint8).copy()
        wanted = np.zeros(len(cuts) - 1, bool)
        mark_blocks(here, np.array(before, np.int64), wanted)
        assert blocks_of(here, before) <= set(np.flatnonzero(wanted).tolist())
        for block in set(range(len(cuts) - 1)) - blocks_of(here, before):
            text[cuts[block] : cuts[block + 1]] = 0xA5
        rows = contexts[begin * ROW : end * ROW]
        table = np.array([cuts, before], np.int64)
        work = np.empty(ROW, np.uint8)
        gather(
            text,
            table,
            mine,
            canonical[first : last + 1],
            here,
            keys(1),
            work,
            rows,
            whole[begin:end],
            digests[begin:end],
            spaces[begin:end],
        )
    return order, contexts, whole, digests, spaces


def numbered(case: Posted) -> tuple[np.ndarray, np.ndarray]:
    """The list of each posting, by number, and which lists diverge."""
    lists = np.repeat(np.arange(len(case.lists), dtype=np.uint32), [len(members) for members in case.lists])
    return lists, np.array([number in case.diverging for number in range(len(case.lists))], bool)


def linked(case: Posted) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Contexts, nexts, the digests of chains and the spaces, all by number."""
    order, contexts, whole, local, spaces = gathered(case)
    following, digests = np.zeros(len(order), np.uint32), np.zeros_like(local)
    lists, diverging = numbered(case)
    work = np.empty(ROW, np.uint8)
    link(case.positions[order], whole, keys(2), work, local, digests, following)
    cut(case.positions[order], following, lists[order], diverging, keys(2), work, local, digests)
    rows, named, after = np.empty((len(order), ROW), np.uint8), np.empty_like(digests), np.full_like(following, NONE)
    spaced = np.empty_like(spaces)
    rows[order], named[order], spaced[order] = contexts.reshape(-1, ROW), digests, spaces
    found = following != NONE
    after[order[found]] = order[following[found]]
    return rows.ravel(), after, named, spaced


@dataclass(frozen=True)
class Grouped:
    """The sections, which postings each group has, and how many of them have another next than the rest."""

    frequent: Frequent
    groups: list[list[tuple[int, int]]]
    bad: int


def grouped(case: Posted, gap: int = 0) -> Grouped:
    """The lists of a case put into groups, as if `gap` rare postings lay before each list."""
    contexts, following, digests, spaces = linked(case)
    sizes = np.array([len(found) for found in case.lists], np.int64)
    count = len(digests)
    members, firsts, kept = np.empty(count, np.uint32), np.empty(count + 1, np.uint32), np.empty_like(sizes)
    made = collapse(sizes, digests, members, firsts, kept)
    firsts[made] = count
    firsts = firsts[: made + 1].copy()
    ones = members[firsts[:-1]]
    groups, sides, coded = np.empty((made, 2), np.uint32), np.empty(made, np.uint64), np.empty(made * ROW, np.uint8)
    tables = np.empty((4, len(sizes)), np.int64)
    length = group_lists(kept, 0, ones, contexts, digests[ones], groups, sides, coded, tables)
    ends = np.cumsum(sizes + gap)
    lists = np.zeros((7, len(sizes) + 1), np.int64)
    lists[:2, :-1], lists[2:6, :-1] = (ends - sizes, ends), tables
    lists[:4, -1] = np.iinfo(np.int64).max, np.iinfo(np.int64).max, made, length
    of, order = np.empty((2, count), np.uint32)
    list_of, diverging = numbered(case)
    bad = finish_groups(groups, sides, members, firsts, following, case.positions, list_of, diverging, of, order)
    flat = case.flat
    parts = [[flat[i] for i in part] for part in np.split(order, groups[1:, 0])] if made else []
    begins = (groups[:, 0] + np.repeat(ends - np.cumsum(sizes), kept)).astype(np.uint64)
    records = np.stack([begins | groups[:, 1].astype(np.uint64) << np.uint64(32), sides], axis=1)
    rows: list[tuple[int, int]] = []
    places = case.positions
    positions = np.zeros(int(ends[-1]) if len(ends) else 0, np.uint32)
    for number, members in enumerate(case.lists):
        lists[6, number] = DIVERGING if number in case.diverging else len(rows)
        first = int(np.cumsum(sizes)[number] - sizes[number])
        mine = sorted(range(first, first + len(members)), key=lambda i: int(places[i]))
        if number not in case.diverging:
            rows += [(int(places[i]) | int(of[i]) << 32, int(spaces[i])) for i in mine]
        stand = order[int(np.flatnonzero(list_of[order] == number)[0]) :][: len(members)]
        positions[lists[0, number] : lists[1, number]] = places[stand]
    resumed = np.array(rows, np.uint64).reshape(-1, 2)
    frequent = Frequent(lists, records, coded[:length].copy(), resumed, positions, trusted(GUARDED))
    return Grouped(frequent, parts, bad)
