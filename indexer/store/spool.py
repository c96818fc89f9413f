"""The spool: postings on their way to the disk, sorted in memory that does not grow with the corpus.

In: batches of postings, grouped by the top bits of their hash, in the order of their positions. Out: the sections
`buckets`, `tags` and `rest`, and the positions. It refuses to know what a position means.

Groups are gathered in memory up to a budget, then written to a scratch file, group after group; at the end each
group is read back, sorted and appended to the sections, one after the other.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Executor
from pathlib import Path
from typing import NamedTuple, TypeVar

import numpy as np

from codecite.indexer.kernels.documents import Grouped
from codecite.indexer.kernels.postings import KNOWN_BITS, PARTITION_BITS, TAG_BITS, rest_bits, sort_partition
from codecite.indexer.kernels.types import Any16, Any32, Array, Ints, Words
from codecite.indexer.store.section import SectionWriter, write_array, write_array_header

GROUPS = 1 << PARTITION_BITS
_BUDGET = 256 << 20
_POSTING = 12
_PER_BUCKET = 16
_AHEAD = 4
_AT_ONCE = 1 << 16
"""Postings that a thread sorts before it hands them over; small groups go together."""

T = TypeVar("T")
Group = tuple[Words, Any32]
"""The hashes and positions of a group."""


NEAR = "near-"
"""How the sections of the fingerprints of tokens are called beside those of the text."""


class Source(NamedTuple):
    """Where postings come from: their number, the bits known of each hash, and the groups of them."""

    postings: int
    known: int
    group: Callable[[int], Group]


class PostingSpool:
    """Gathers the postings of one Segment, for `write_postings` to sort."""

    def __init__(self, scratch: Path, budget: int = _BUDGET, prefix: str = "") -> None:
        self._scratch = scratch
        self._prefix = prefix
        self._budget = budget
        self._batches: list[tuple[Words, Any32, Ints]] = []
        self._held = 0
        self._spilled: list[tuple[Path, Ints]] = []
        self.count = 0

    def add(self, fingerprints: Grouped, base: int) -> None:
        """Take a batch whose canonical text begins at `base` in the Segment."""
        positions = fingerprints.positions + np.uint32(base)
        self._batches.append((fingerprints.hashes, positions, fingerprints.bounds))
        self.count += len(positions)
        self._held += len(positions) * _POSTING
        if self._held > self._budget:
            self._spill()

    def _spill(self) -> None:
        path = self._scratch / f"{self._prefix}postings-{len(self._spilled)}"
        sizes = np.zeros(GROUPS, np.int64)
        with path.open("wb") as file:
            for group in range(GROUPS):
                hashes, positions = self._held_group(group)
                file.write(hashes.data)
                file.write(positions.data)
                sizes[group] = len(hashes)
        self._spilled.append((path, np.concatenate(([0], np.cumsum(sizes)))))
        self._batches.clear()
        self._held = 0

    def _held_group(self, group: int) -> tuple[Words, Any32]:
        hashes = [batch[0][batch[2][group] : batch[2][group + 1]] for batch in self._batches]
        positions = [batch[1][batch[2][group] : batch[2][group + 1]] for batch in self._batches]
        return (
            np.concatenate(hashes or [np.empty(0, np.uint64)]),
            np.concatenate(positions or [np.empty(0, np.uint32)]),
        )

    def group(self, number: int) -> Group:
        """All postings of a group, in the order of their positions."""
        if len(self._batches) == 1 and not self._spilled:
            hashes_of_all, positions_of_all, bounds = self._batches[0]
            here = slice(bounds[number], bounds[number + 1])
            return hashes_of_all[here].copy(), positions_of_all[here].copy()
        hashes, positions = [], []
        for path, bounds in self._spilled:
            count = int(bounds[number + 1] - bounds[number])
            at = int(bounds[number]) * _POSTING
            hashes.append(np.fromfile(path, np.uint64, count, offset=at))
            positions.append(np.fromfile(path, np.uint32, count, offset=at + 8 * count))
        held = self._held_group(number)
        return np.concatenate([*hashes, held[0]]), np.concatenate([*positions, held[1]])

    def clear(self) -> None:
        """Remove the scratch files."""
        for path, _ in self._spilled:
            path.unlink()
        self._spilled.clear()
        self._batches.clear()


def write_postings(
    directory: Path,
    count: int,
    known: int,
    group: Callable[[int], Group],
    executor: Executor,
    unordered: Path,
    prefix: str = "",
) -> Any32:
    """Sort `count` postings into the sections of `directory`, group after group; returns where buckets begin.

    `known` bits of each hash are known; where they are few, buckets are larger. The positions go to the file
    `unordered`, as bare u32: those of frequent lists are yet to be put in order. `prefix` begins the names of sections.
    """
    bits = min(max(PARTITION_BITS, (count // _PER_BUCKET).bit_length()), known - TAG_BITS)
    kept = rest_bits(bits) if known >= KNOWN_BITS else 0
    narrow = np.uint8 if rest_bits(bits) <= 8 else np.uint16
    buckets = np.zeros((1 << bits) + 1, np.uint32)

    def sort(numbers: range) -> list[tuple[Any16, Any32, Array]]:
        found = []
        for number in numbers:
            hashes, positions = group(number)
            if not len(hashes):
                continue
            tags, rest = np.empty((2, len(hashes)), np.uint16)
            sort_partition(hashes, positions, bits, kept, buckets, tags, rest)
            found.append((tags, positions, rest.astype(narrow)))
        return found

    with (
        SectionWriter(directory / f"{prefix}tags.npy") as tags,
        unordered.open("wb") as positions,
        SectionWriter(directory / f"{prefix}rest.npy") as rest,
    ):
        write_array_header(tags, np.uint16, count)
        write_array_header(rest, narrow, count if kept else 0)
        step = max(1, min(GROUPS // 16, _AT_ONCE // max(count // GROUPS, 1)))
        pieces = [range(i, min(i + step, GROUPS)) for i in range(0, GROUPS, step)] if count else []
        for found in _in_order(executor, sort, pieces):
            for group_tags, group_positions, group_rest in found:
                tags.write(group_tags.data)
                positions.write(group_positions.data)
                if kept:
                    rest.write(group_rest.data)
    buckets = np.cumsum(buckets, dtype=np.uint32)
    write_array(directory / f"{prefix}buckets.npy", buckets)
    return buckets


def _in_order(executor: Executor, sort: Callable[[range], T], pieces: list[range]) -> Iterator[T]:
    """The sorted groups in order, some of them ahead of the writer."""
    running = deque(executor.submit(sort, piece) for piece in pieces[:_AHEAD])
    for piece in [*pieces[_AHEAD:], *([None] * min(_AHEAD, len(pieces)))]:
        yield running.popleft().result()
        if piece is not None:
            running.append(executor.submit(sort, piece))
