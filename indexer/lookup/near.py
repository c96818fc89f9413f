"""Near lookup: passages that were renamed, edited or reformatted, found by their normalised tokens.

In: a Snapshot and a CheckedText. Out: NearPassages, each with the Documents that hold it so. It refuses to know of
sources, policies and JSON.

Every run of NEAR_T tokens that a text shares with a Document, names aside, has a fingerprint on both sides
(`kernels/near.py`), so its Document is a candidate, unless all fingerprints of the passage are common: in more than
COMMON places they say nothing of where code comes from. Candidates are verified on the stored text: names are taken
for each other one to one, by what the shared runs say; the stretches around the runs are aligned (`kernels/align.py`);
and what agrees is weighed. What weighs LEAST bits is reported.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from codecite.indexer.config import NEAR_K, NEAR_T
from codecite.indexer.kernels.align import align, weigh
from codecite.indexer.kernels.near import hash_runs, read_places, select_all
from codecite.indexer.kernels.postings import find_lists
from codecite.indexer.kernels.tokens import COMMON_NAMES, WORD
from codecite.indexer.kernels.types import Ints, Words
from codecite.indexer.store.documents import raw_of
from codecite.indexer.store.snapshot import OpenSegment, Snapshot
from codecite.indexer.text.checked import CheckedText
from codecite.indexer.text.tokens import Tokens, tokens_of

COMMON = 1000
"""A fingerprint in more places of one Segment names no candidates."""

LEAST = 40.0
"""Bits that a near passage must weigh."""

CANDIDATES = 64
"""Documents of a Segment that are verified, those with the rarest fingerprints first."""

_AROUND = 96
"""Tokens on either side of the shared runs that are aligned with them."""
_BAND = 80
_APART = 160
_ALIKE = 0.8
_KEPT = 256
"""Documents of a Segment whose tokens are kept."""


@dataclass(frozen=True, slots=True)
class NearHolder:
    """A Document that holds a passage nearly: its Segment and number, and the bytes where."""

    segment: int
    document: int
    start: int
    end: int
    aligned: int
    similarity: float
    weight: float


@dataclass(frozen=True, slots=True)
class NearPassage:
    """A stretch of the text (bytes of all of it), and who holds it nearly, the most similar first."""

    start: int
    end: int
    holders: tuple[NearHolder, ...]


def find_near(snapshot: Snapshot, text: CheckedText) -> list[NearPassage]:
    """All near passages that hold at least one byte of the text itself, by start."""
    query = tokens_of(text.bytes)
    if len(query) < NEAR_T:
        return []
    runs, chosen = _selected(query)
    found: list[tuple[int, int, NearHolder]] = []
    for number, opened in enumerate(snapshot.segments):
        found += _in_segment(number, opened, query, chosen, runs[chosen])
    begin, end = text.own
    found = [item for item in found if item[0] < end and item[1] > begin]
    return _together(found)


def near_hashes(text: CheckedText) -> Words:
    """The fingerprints of the tokens of a text, those of the query side."""
    query = tokens_of(text.bytes)
    if len(query) < NEAR_T:
        return np.empty(0, np.uint64)
    runs, chosen = _selected(query)
    return runs[chosen]


def _selected(query: Tokens) -> tuple[Words, Ints]:
    """The hashes of all runs of tokens, and which of them are fingerprints."""
    runs = np.empty(len(query), np.uint64)
    count = hash_runs(query.classes, len(query), runs)
    chosen = np.empty(len(query), np.int64)
    return runs, chosen[: select_all(runs, count, chosen)]


def _in_segment(
    number: int, opened: OpenSegment, query: Tokens, chosen: Ints, hashes: Words
) -> Iterator[tuple[int, int, NearHolder]]:
    """The bytes of the query, and the Documents of one Segment that hold them nearly."""
    segment = opened.segment
    near = segment.near
    low, high = np.empty((2, len(hashes)), np.int64)
    find_lists(hashes, near.buckets, near.tags, near.guards, low, high)
    segment.raise_if_damaged()
    sizes = high - low
    useful = np.flatnonzero((sizes > 0) & (sizes <= COMMON))
    if not len(useful):
        return
    counts = sizes[useful]
    runs = np.repeat(chosen[useful], counts)
    bits = np.repeat(np.log2(max(len(near.tags), 2) / counts), counts)
    positions = np.empty(int(counts.sum()), np.int64)
    starts = segment.arrays.document_canonical
    read_places(near.positions, near.guards, low[useful], high[useful], int(starts[-1]), positions)
    segment.raise_if_damaged()
    documents = np.searchsorted(starts, positions, side="right") - 1
    live = opened.live[documents]
    runs, bits, positions, documents = runs[live], bits[live], positions[live], documents[live]
    order = np.lexsort((positions, runs, documents))
    runs, bits, positions, documents = runs[order], bits[order], positions[order], documents[order]
    # A run counts once for each Document, however often it stands there.
    first = np.ones(len(runs), bool)
    first[1:] = (documents[1:] != documents[:-1]) | (runs[1:] != runs[:-1])
    held, begins = np.unique(documents, return_index=True)
    weights = np.add.reduceat(np.where(first, bits, 0.0), begins) if len(begins) else np.empty(0)
    ends = np.append(begins[1:], len(documents))
    for which in np.argsort(-weights, kind="stable")[:CANDIDATES].tolist():
        document = int(held[which])
        part = slice(int(begins[which]), int(ends[which]))
        yield from _in_document(number, opened, document, query, runs[part], positions[part] - starts[document])


def _in_document(
    number: int, opened: OpenSegment, document: int, query: Tokens, runs: Ints, positions: Ints
) -> Iterator[tuple[int, int, NearHolder]]:
    other = _tokens(opened, document)
    places = np.searchsorted(other.canonical, positions)
    places = np.minimum(places, len(other) - 1)
    for seeds in _chains(runs, places):
        holder = _verified(number, document, query, other, *seeds)
        if holder is not None:
            yield holder


def _chains(runs: Ints, places: Ints) -> Iterator[tuple[Ints, Ints]]:
    """The seeds of one Document, in stretches that lie near one diagonal."""
    order = np.lexsort((runs, places - runs))
    runs, places = runs[order], places[order]
    diagonals = places - runs
    cut = np.flatnonzero(np.diff(diagonals) > _BAND // 2) + 1
    for on, off in zip(np.split(runs, cut), np.split(places, cut), strict=True):
        by_run = np.argsort(on, kind="stable")
        on, off = on[by_run], off[by_run]
        gaps = np.flatnonzero(np.diff(on) > _APART) + 1
        yield from zip(np.split(on, gaps), np.split(off, gaps), strict=True)


def _verified(
    number: int, document: int, query: Tokens, other: Tokens, runs: Ints, places: Ints
) -> tuple[int, int, NearHolder] | None:
    """The best alignment around some seeds, if it weighs enough."""
    taken = _renaming(query, other, runs, places)
    first, last = max(0, int(runs.min()) - _AROUND), min(len(query), int(runs.max()) + NEAR_K + _AROUND)
    begin, end = max(0, int(places.min()) - _AROUND), min(len(other), int(places.max()) + NEAR_K + _AROUND)
    diagonals = places - runs
    low = int(diagonals.min()) - _BAND + first - begin
    width = int(diagonals.max() - diagonals.min()) + 2 * _BAND + 1
    names = query.names[first:last]
    expected = np.array([taken.get(name, name) for name in names.tolist()], np.uint64)
    pairs = np.empty((2, min(last - first, end - begin)), np.int64)
    count = align(
        query.classes[first:last],
        names,
        expected,
        other.classes[begin:end],
        other.names[begin:end],
        low,
        width,
        pairs,
    )
    if count < NEAR_T:
        return None
    sizes = query.ends[first:last] - query.starts[first:last]
    pairs = pairs[:, :count]
    weight = weigh(query.classes[first:last], names, sizes, expected, other.names[begin:end], pairs, COMMON_NAMES)
    mine, theirs = pairs[0] + first, pairs[1] + begin
    length = int(mine[-1] - mine[0]) + 1
    if weight < LEAST:
        return None
    holder = NearHolder(
        number,
        document,
        int(other.starts[theirs[0]]),
        int(other.ends[theirs[-1]]),
        count,
        count / max(length, int(theirs[-1] - theirs[0]) + 1),
        weight,
    )
    return int(query.starts[mine[0]]), int(query.ends[mine[-1]]), holder


def _renaming(query: Tokens, other: Tokens, runs: Ints, places: Ints) -> dict[int, int]:
    """Which name of the query is taken for which, one to one: the pairs that the seeds have most often."""
    offsets = np.arange(NEAR_K)
    mine = (runs[:, None] + offsets).ravel()
    theirs = np.minimum((places[:, None] + offsets).ravel(), len(other) - 1)
    words = (query.classes[mine] == WORD) & (other.classes[theirs] == WORD)
    pairs = np.unique(np.stack([mine[words], theirs[words]], axis=1), axis=0)
    votes = Counter(zip(query.names[pairs[:, 0]].tolist(), other.names[pairs[:, 1]].tolist(), strict=True))
    taken: dict[int, int] = {}
    used: set[int] = set()
    for (name, stands), _ in sorted(votes.items(), key=lambda item: (-item[1], item[0][0] != item[0][1], item[0])):
        if name not in taken and stands not in used:
            taken[name] = stands
            used.add(stands)
    return taken


def _tokens(opened: OpenSegment, document: int) -> Tokens:
    """The tokens of a Document; those of the last ones are kept."""
    try:
        found: Tokens = opened.kept.pop(document)
    except KeyError:
        found = tokens_of(raw_of(opened.segment, document))
    opened.kept[document] = found
    while len(opened.kept) > _KEPT:
        try:
            opened.kept.popitem(last=False)
        except KeyError:  # another thread was quicker
            break
    return found


def _together(found: list[tuple[int, int, NearHolder]]) -> list[NearPassage]:
    """Alignments of about the same stretch of the query as one passage, the heaviest gives its ends."""
    groups: list[tuple[int, int, dict[tuple[int, int], NearHolder]]] = []
    for start, end, holder in sorted(found, key=lambda item: (-item[2].weight, item[0], item[1], item[2].segment)):
        for first, last, holders in groups:
            shared = min(end, last) - max(start, first)
            if shared >= _ALIKE * (max(end, last) - min(start, first)):
                holders.setdefault((holder.segment, holder.document), holder)
                break
        else:
            groups.append((start, end, {(holder.segment, holder.document): holder}))
    passages = [
        NearPassage(start, end, tuple(sorted(holders.values(), key=lambda one: (-one.similarity, one.segment))))
        for start, end, holders in groups
    ]
    return sorted(passages, key=lambda passage: (passage.start, -passage.end))
