"""Documents that repeat, the frequent lists of their fingerprints, and these put into groups by the kernels.

In: what hypothesis draws. Out: Documents, their postings as plain numbers and as the arrays kernels take, and a
Frequent in memory. It refuses to know of files and of queries.
"""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass
from itertools import accumulate, pairwise

import numpy as np
import twins
from hypothesis import strategies as st

from codecite.indexer.config import KGRAM
from codecite.indexer.kernels.checked import trusted
from codecite.indexer.kernels.contexts import NONE, REACH, ROW, collapse, gather, link, mark_blocks, order_by_position
from codecite.indexer.kernels.frequent import Frequent
from codecite.indexer.kernels.grouping import finish_groups, group_lists

WORDS = ["return", "self", "value", "for_each", "0x00,", "(", ")", "=", "----------", "index", "é", "if_not_None"]
GUARDED = 6
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
    """Documents one after the other, and their frequent lists: pairs of a Document and a position in it."""

    raw: list[bytes]
    lists: list[list[tuple[int, int]]]

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
        numbers = twins.chained(list(zip(self.raw, frequent, strict=True)))
        return {
            (owner, at): numbers[owner][i] for owner, positions in enumerate(frequent) for i, at in enumerate(positions)
        }

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


cases = st.builds(posted, documents(), st.integers(1, 3))


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
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """The order of the postings by position; contexts (if wanted), whether whole, and digests in this order."""
    positions = case.positions
    order = np.empty(len(positions), np.uint32)
    order_by_position(positions, order)
    positions = positions[order]
    contexts = np.full(len(positions) * ROW if wanted else 0, 255, np.uint8)
    whole, digests = np.full(len(positions), 9, np.uint8), np.zeros(len(positions), np.uint64)
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
        )
    return order, contexts, whole, digests


def linked(case: Posted) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Contexts, nexts and the digests of chains, all by number."""
    order, contexts, whole, digests = gathered(case)
    following = np.zeros(len(order), np.uint32)
    link(case.positions[order], whole, keys(2), np.empty(ROW, np.uint8), digests, following)
    rows, named, after = np.empty((len(order), ROW), np.uint8), np.empty_like(digests), np.full_like(following, NONE)
    rows[order], named[order] = contexts.reshape(-1, ROW), digests
    found = following != NONE
    after[order[found]] = order[following[found]]
    return rows.ravel(), after, named


@dataclass(frozen=True)
class Grouped:
    """The sections, which postings each group has, and how many of them have another next than the rest."""

    frequent: Frequent
    groups: list[list[tuple[int, int]]]
    bad: int


def grouped(case: Posted, gap: int = 0) -> Grouped:
    """The lists of a case put into groups, as if `gap` rare postings lay before each list."""
    contexts, following, digests = linked(case)
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
    lists = np.zeros((6, len(sizes) + 1), np.int64)
    lists[:2, :-1], lists[2:, :-1] = (ends - sizes, ends), tables
    lists[:4, -1] = np.iinfo(np.int64).max, np.iinfo(np.int64).max, made, length
    of, order = np.empty((2, count), np.uint32)
    bad = finish_groups(groups, sides, members, firsts, following, case.positions, of, order)
    flat = case.flat
    parts = [[flat[i] for i in part] for part in np.split(order, groups[1:, 0])] if made else []
    begins = (groups[:, 0] + np.repeat(ends - np.cumsum(sizes), kept)).astype(np.uint64)
    records = np.stack([begins | groups[:, 1].astype(np.uint64) << np.uint64(32), sides], axis=1)
    return Grouped(Frequent(lists, records, coded[:length].copy(), trusted(GUARDED)), parts, bad)
