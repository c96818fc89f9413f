"""The frequent fingerprints of a Segment: their postings put into groups, with the text around them.

In: the sections of a Segment in the making, its postings sorted by hash and position. Out: `positions` in the order
of groups, and the sections `lists`, `kgrams`, `groups`, `contexts` and `resumed` (what they hold is in
`kernels/frequent.py`). It refuses to know what a query is.

A list is frequent from LEAST postings on; where that would be more postings than fit in memory only the longest are,
and where it would be too many groups those are not that have most for their postings. What of
the text is needed is read back in pieces, by all threads: for all contexts and their digests, or where these contexts
would not fit in memory for the digests, then for the contexts of those that differ. Everything else is sorting. That
postings of one group agree rests on their digests, whose keys are drawn anew for each Segment and kept nowhere.

    kgrams      u8 [L, 32]: the k-gram of each frequent list. The last byte is 1 where others have the same bucket and
                tag: then all postings of the list are verified one by one, and stand in the order of their positions
"""

from __future__ import annotations

import itertools
import secrets
from collections.abc import Callable, Iterator
from concurrent.futures import Executor
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from codecite.indexer.errors import IndexWriteError
from codecite.indexer.kernels.contexts import (
    KEYS,
    KGRAM_AT,
    NONE,
    ROW,
    collapse,
    cut,
    find_diverging,
    frequent_lists,
    gather,
    link,
    mark_blocks,
    order_by_position,
)
from codecite.indexer.kernels.grouping import CUT, finish_groups, group_lists
from codecite.indexer.kernels.types import Any32, Bytes, Flags, Ints, Words
from codecite.indexer.store.content import ContentReader
from codecite.indexer.store.section import CheckedReader, SectionWriter, write_array, write_array_header

LEAST = 192
"""Postings from which on a list is frequent."""
MOST = 24_000_000
"""Postings of frequent lists in one Segment, at most: some 45 bytes of memory each while it is written."""
MOST_GROUPS = 4_500_000
"""Groups in one Segment, at most: some 200 bytes of memory each; of so many postings all contexts fit in memory."""
DIVERGING = 1024
"""Postings from which on a list may be a diverging one (`kernels/contexts.py`)."""
_TIMES = 4
"""As many chains for each context make a list a diverging one."""
_PIECE = 4 << 20
_TASK = 1 << 17
_STRETCH = 1 << 20


@dataclass(frozen=True, slots=True)
class SegmentText:
    """The text of a Segment that is being written: the file of its blocks, and where blocks and Documents begin."""

    content: Path
    dictionary: Bytes
    blocks: Ints
    documents: Ints

    def reader(self) -> ContentReader:
        """The raw bytes, to be closed."""
        return ContentReader(self.content, self.blocks[1], self.blocks[0], self.dictionary)


def write_frequent(directory: Path, unordered: Path, buckets: Any32, text: SegmentText, executor: Executor) -> None:
    """Write the sections `positions`, `lists`, `kgrams`, `groups`, `contexts` and `resumed`.

    `unordered` holds the positions, sorted by list, as bare u32; the section `tags` is written already.
    """
    bounds = _bounds(directory / "tags.npy", buckets)
    while True:
        positions = _take(unordered, bounds)
        grouped = _grouped(bounds, positions, text, executor)
        if isinstance(grouped, _Grouped):
            break
        bounds = np.ascontiguousarray(bounds[:, grouped])
    write_array(directory / "lists.npy", grouped.lists)
    write_array(directory / "groups.npy", grouped.groups)
    write_array(directory / "kgrams.npy", grouped.kgrams)
    write_array(directory / "resumed.npy", grouped.resumed)
    with SectionWriter(directory / "contexts.npy") as section:
        write_array_header(section, np.uint8, sum(map(len, grouped.contexts)))
        for piece in grouped.contexts:
            section.write(piece.data)
    count = int(buckets[-1])
    pure = grouped.kgrams[:, -1] == 0
    order = grouped.order[np.repeat(pure, bounds[1] - bounds[0])]
    bounds = bounds[:, pure]
    with SectionWriter(directory / "positions.npy") as section:
        write_array_header(section, np.uint32, count)
        done = 0
        for begin, end, first, last in _stretches(bounds, count):
            stretch = np.fromfile(unordered, np.uint32, end - begin, offset=4 * begin)
            places = _places(bounds[:, first:last]) - begin
            stretch[places] = positions[order[done : done + len(places)]]
            done += len(places)
            section.write(stretch.data)


def _bounds(tags: Path, buckets: Any32) -> Ints:
    """Where the frequent lists begin and end, 2 x n."""
    reader = CheckedReader(tags)
    found = []
    step = max(1, len(buckets) * _STRETCH // max(1, int(buckets[-1])))
    for at in range(0, len(buckets) - 1, step):
        piece = buckets[at : at + step + 1]
        first, last = int(piece[0]), int(piece[-1])
        held = reader.items(first, last, np.uint16)
        bounds = np.empty((2, (last - first) // LEAST + 1), np.int64)
        count = frequent_lists(piece, held, first, LEAST, bounds)
        found.append(bounds[:, :count])
    reader.close()
    bounds = np.concatenate([np.empty((2, 0), np.int64), *found], axis=1)
    longest = np.argsort(bounds[0] - bounds[1], kind="stable")
    kept = np.sort(longest[np.cumsum((bounds[1] - bounds[0])[longest]) <= MOST])
    return np.ascontiguousarray(bounds[:, kept])


def _places(bounds: Ints) -> Ints:
    """The numbers of all postings of some lists, one list after the other."""
    sizes = bounds[1] - bounds[0]
    firsts = np.cumsum(sizes) - sizes
    places: Ints = np.arange(int(sizes.sum()), dtype=np.int64) + np.repeat(bounds[0] - firsts, sizes)
    return places


def _stretches(bounds: Ints, count: int) -> Iterator[tuple[int, int, int, int]]:
    """Stretches of postings that cut no frequent list: begin and end, the first list in it and the one behind."""
    begin = first = 0
    while begin < count:
        end = min(begin + _STRETCH, count)
        last = int(np.searchsorted(bounds[0], end))
        if last > first:
            end = max(end, int(bounds[1, last - 1]))
        yield begin, end, first, last
        begin, first = end, last


def _take(unordered: Path, bounds: Ints) -> Any32:
    """The positions of the frequent lists, one list after the other."""
    positions = np.empty(int((bounds[1] - bounds[0]).sum()), np.uint32)
    done = 0
    for begin, end, first, last in _stretches(bounds, int(bounds[1, -1]) if bounds.shape[1] else 0):
        stretch = np.fromfile(unordered, np.uint32, end - begin, offset=4 * begin)
        places = _places(bounds[:, first:last]) - begin
        positions[done : done + len(places)] = stretch[places]
        done += len(places)
    return positions


@dataclass(frozen=True, slots=True)
class _Grouped:
    """The sections, and in which order the postings go."""

    kgrams: Bytes
    lists: Ints
    groups: Words
    contexts: list[Bytes]
    resumed: Words
    order: Any32


def _grouped(bounds: Ints, positions: Any32, text: SegmentText, executor: Executor) -> _Grouped | Flags:
    """Group all postings of the frequent lists; or which of these to do without, where there are too many groups."""
    ascending = np.empty(len(positions), np.uint32)
    order_by_position(positions, ascending)
    place_of = np.empty_like(ascending)
    place_of[ascending] = np.arange(len(ascending), dtype=np.uint32)
    sizes = bounds[1] - bounds[0]
    list_of = np.repeat(np.arange(len(sizes), dtype=np.uint32), sizes)
    diverging, following, by_place, contexts = _chains(
        positions[ascending], sizes, list_of[ascending], place_of, text, executor
    )
    digests = by_place[place_of]
    del by_place
    follows = np.full(len(positions), NONE, np.uint32)
    linked = np.flatnonzero(following != NONE)
    follows[ascending[linked]] = ascending[following[linked]]
    del following, linked, ascending
    members, firsts = np.empty_like(positions), np.empty(len(positions) + 1, np.uint32)
    kept = np.empty(len(sizes), np.int64)
    count = collapse(sizes, digests, members, firsts, kept)
    if count > MOST_GROUPS:
        # Those go in which groups stand for few postings.
        worst = np.argsort(kept / sizes, kind="stable")
        stays = np.zeros(len(sizes), bool)
        stays[worst[np.cumsum(kept[worst]) <= MOST_GROUPS]] = True
        return stays
    firsts[count] = len(positions)
    firsts = firsts[: count + 1].copy()
    ones = members[firsts[:-1]]
    digests = digests[ones]
    if len(contexts):
        rows = place_of[ones]
    else:
        rows = np.arange(count, dtype=np.uint32)
        contexts, _ = _read_again(positions[ones], True, text, executor)
    numbers = np.cumsum(kept) - kept

    def group(task: tuple[int, int]) -> tuple[Any32, Words, Bytes, Ints]:
        mine = np.ascontiguousarray(kept[task[0] : task[1]])
        size = int(mine.sum())
        groups, sides = np.empty((size, 2), np.uint32), np.empty(size, np.uint64)
        coded, lists = np.empty(size * ROW, np.uint8), np.empty((4, len(mine)), np.int64)
        length = group_lists(mine, int(numbers[task[0]]), rows, contexts, digests, groups, sides, coded, lists)
        return groups, sides, coded[:length].copy(), lists

    lists = np.zeros((7, len(sizes) + 1), np.int64)
    lists[:2, :-1] = bounds
    tasks = _tasks(kept)
    parts = list(executor.map(group, tasks))
    kgrams = _kgrams(contexts.reshape(-1, ROW)[:, KGRAM_AT : KGRAM_AT + 32], rows, kept, tasks)
    contexts, digests = np.empty(0, np.uint8), np.empty(0, np.uint64)  # the largest, and not needed any more
    made = at = 0
    for (first, last), part in zip(tasks, parts, strict=True):
        lists[2:6, first:last] = part[3]
        lists[2, first:last] += made
        lists[3, first:last] += at
        made += len(part[0])
        at += len(part[2])
    lists[:4, -1] = np.iinfo(np.int64).max, np.iinfo(np.int64).max, made, at
    groups = np.concatenate([np.empty((0, 2), np.uint32), *(part[0] for part in parts)])
    sides = np.concatenate([np.empty(0, np.uint64), *(part[1] for part in parts)])
    order, of = np.empty_like(positions), np.empty_like(positions)
    if finish_groups(groups, sides, members, firsts, follows, positions, list_of, diverging, of, order):
        raise IndexWriteError(f"{text.content.parent}: two texts have one digest; index something more and try again")
    shifts = np.repeat(bounds[0] - (np.cumsum(sizes) - sizes), kept)
    begins = (groups[:, 0] + shifts).astype(np.uint64)
    records = np.stack([begins | groups[:, 1].astype(np.uint64) << np.uint64(32), sides], axis=1)
    lists[6, :-1] = np.where(diverging, -2, -1)
    resumed = np.unique(groups[sides & CUT != 0, 1])
    lengths = sizes[resumed]
    lists[6, resumed] = np.cumsum(lengths) - lengths
    lists[6, -1] = int(lengths.sum())
    numbers = _places(np.stack([np.cumsum(sizes) - sizes, np.cumsum(sizes)])[:, resumed])
    rows_of = positions[numbers].astype(np.uint64) | of[numbers].astype(np.uint64) << np.uint64(32)
    _, spaces = _read_again(positions[numbers], False, text, executor)
    table = np.stack([rows_of, spaces], axis=1)
    return _Grouped(kgrams, lists, records, [part[2] for part in parts], table, order)


def _kgrams(found: Bytes, rows: Any32, kept: Ints, tasks: list[tuple[int, int]]) -> Bytes:
    """The k-gram of each list, u8 [L, 32]; its last byte is 1 where the list holds others too.

    `found` has that of each group, in the rows that `rows` says.
    """
    firsts = np.append(np.cumsum(kept) - kept, len(rows))
    kgrams: Bytes = found[rows[firsts[:-1]]]
    for first, last in tasks:
        here = found[rows[firsts[first] : firsts[last]]]
        differs = (here != np.repeat(kgrams[first:last], kept[first:last], axis=0)).any(axis=1)
        kgrams[first:last, -1] = np.logical_or.reduceat(differs, firsts[first:last] - firsts[first])
    return kgrams


@dataclass(frozen=True, slots=True)
class _Around:
    """What `gather` finds around postings, by ascending positions; contexts in rows."""

    digests: Words
    whole: Bytes
    spaces: Words
    contexts: Bytes


def _chains(
    positions: Any32, sizes: Ints, list_of: Any32, place_of: Any32, text: SegmentText, executor: Executor
) -> tuple[Flags, Any32, Words, Bytes]:
    """Which lists diverge; the next of each posting, and the digest of its chain; contexts, if they are not too many.

    All but the lists, and `place_of`, go by ascending positions.
    """
    local, digests = np.empty((2, len(positions)), np.uint64)
    whole = np.empty(len(positions), np.uint8)
    fits = len(positions) <= MOST_GROUPS
    contexts = np.empty((len(positions) if fits else 0, ROW), np.uint8)

    def keep(part: slice, found: _Around) -> None:
        local[part], whole[part] = found.digests, found.whole
        if fits:
            contexts[part] = found.contexts.reshape(-1, ROW)

    _gather(positions, fits, keep, text, executor)
    following = np.empty(len(positions), np.uint32)
    keys, work = _keys(), np.empty(ROW, np.uint8)
    link(positions, whole, keys, work, local, digests, following)
    linked = np.flatnonzero(following != NONE)
    diverging: Flags = sizes >= DIVERGING
    diverging[list_of[linked][list_of[linked] == list_of[following[linked]]]] = False  # rulers: `kernels/following.py`
    del linked
    find_diverging(sizes, place_of, local, digests, _TIMES, diverging)
    if diverging.any():
        cut(positions, following, list_of, diverging, keys, work, local, digests)
    return diverging, following, digests, contexts.ravel()


def _read_again(positions: Any32, rows: bool, text: SegmentText, executor: Executor) -> tuple[Bytes, Words]:
    """The contexts (if `rows` are wanted) of postings at these positions, and the white space behind them."""
    order = np.argsort(positions, kind="stable")
    contexts = np.empty((len(positions) if rows else 0, ROW), np.uint8)
    spaces = np.empty(len(positions), np.uint64)

    def keep(part: slice, found: _Around) -> None:
        spaces[order[part]] = found.spaces
        if rows:
            contexts[order[part]] = found.contexts.reshape(-1, ROW)

    _gather(positions[order], rows, keep, text, executor)
    return contexts.ravel(), spaces


def _gather(
    positions: Any32,
    rows: bool,
    keep: Callable[[slice, _Around], None],
    text: SegmentText,
    executor: Executor,
) -> None:
    """Read the blocks that hold contexts of postings (and keep these if they are wanted), with all threads.

    `keep` is handed what `gather` finds of a stretch of the positions, which ascend.
    """
    raw, canonical = text.documents[0], text.documents[1]
    block_raw, block_canonical = text.blocks[1], text.blocks[2]
    reader = text.reader()
    keys = _keys()

    def collect(piece: tuple[int, int]) -> None:
        first, last = piece
        begin, end = np.searchsorted(positions, canonical[[first, last]]).tolist()
        if begin == end:
            return
        head = int(np.searchsorted(block_raw, raw[first], side="right")) - 1
        tail = int(np.searchsorted(block_raw, raw[last]))
        tables = np.stack([block_raw[head : tail + 1] - block_raw[head], block_canonical[head : tail + 1]])
        here = positions[begin:end]
        size = end - begin
        wanted = np.zeros(tail - head, bool)
        mark_blocks(here, tables[1], wanted)
        contexts = np.empty(size * ROW if rows else 0, np.uint8)
        work, whole = np.empty(ROW, np.uint8), np.empty(size, np.uint8)
        digests, spaces = np.empty((2, size), np.uint64)
        gather(
            reader.blocks(head, wanted),
            tables,
            raw[first : last + 1] - block_raw[head],
            canonical[first : last + 1],
            here,
            keys,
            work,
            contexts,
            whole,
            digests,
            spaces,
        )
        keep(slice(begin, end), _Around(digests, whole, spaces, contexts))

    try:
        for _ in executor.map(collect, _pieces(raw)):
            pass
    finally:
        reader.close()


def _keys() -> Words:
    """Random keys for digests."""
    return np.frombuffer(secrets.token_bytes(8 * KEYS), np.uint64)


def _pieces(raw: Ints) -> Iterator[tuple[int, int]]:
    """Runs of Documents of some 4 MiB: the first of each and the one behind."""
    first = 0
    while first < len(raw) - 1:
        last = max(first + 1, int(np.searchsorted(raw, raw[first] + _PIECE)))
        yield first, min(last, len(raw) - 1)
        first = last


def _tasks(sizes: Ints) -> list[tuple[int, int]]:
    """Runs of lists with some 100,000 postings: the first of each and the one behind."""
    ends = np.cumsum(sizes)
    edges = np.unique(np.searchsorted(ends, np.arange(0, int(sizes.sum()), _TASK), side="right"))
    return list(itertools.pairwise([*edges.tolist(), len(sizes)])) if len(sizes) else []
