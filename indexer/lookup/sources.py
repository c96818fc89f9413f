"""The sources of a Passage: how each agrees with it, and which come first.

In: a Passage with its holders. Out: its kind, and the first Origins in the total order (release date, undated last;
project; path; SWHID) with their lines. It refuses to know how passages are found.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable
from contextlib import ExitStack
from dataclasses import replace

import numpy as np

from codecite.indexer.kernels.holders import first_origins
from codecite.indexer.kernels.segment import Scratch, any_same, place_passage
from codecite.indexer.kernels.types import Bytes, Ints
from codecite.indexer.lookup.exact import Passage
from codecite.indexer.records import Kind, LicenseEvidence, Source
from codecite.indexer.store.order import SAME_PLACE
from codecite.indexer.store.snapshot import Snapshot

Place = tuple[Kind, int, int]
"""How a Document agrees with the passage, and its first and last line there."""
Claim = Callable[[str, tuple[LicenseEvidence, ...]], Hashable | None]
"""What the evidence for a licence claims against it; None where it agrees. It depends on nothing else."""


_NOWHERE: Place = (Kind.REFORMATTED, 0, 0)


class _Places:
    """Where the holders of one passage hold it: each Document is looked at once."""

    def __init__(self, snapshot: Snapshot, passage: Passage, raw: Bytes, stack: ExitStack) -> None:
        self._snapshot = snapshot
        self._stack = stack
        self._scratches: dict[int, Scratch] = {}
        self._raw = raw
        self._length = passage.end - passage.start
        self._offset = passage.start - passage.searched[0]
        self._known: dict[tuple[int, int], Place] = {}

    def place(self, number: int, document: int, start: int) -> Place:
        """The place in Document `document` of Segment `number`, where the searched span begins at `start`."""
        known = self._known.get((number, document))
        if known is None:
            opened = self._snapshot.segments[number]
            lines = np.empty(2, np.int64)
            same = place_passage(
                opened.segment.arrays,
                self._scratch(number),
                document,
                start + self._offset,
                self._length,
                self._raw,
                lines,
            )
            kind = Kind.VERBATIM if same else Kind.REFORMATTED
            known = self._known[number, document] = kind, int(lines[0]), int(lines[1])
        return known

    def any_verbatim(self, number: int, starts: Ints) -> bool:
        """Whether the searched span has the white space of the text at one of these places of Segment `number`."""
        arrays = self._snapshot.segments[number].segment.arrays
        return any_same(arrays, self._scratch(number), starts, self._offset, self._raw)

    def _scratch(self, number: int) -> Scratch:
        """A scratch of a Segment; when the stack ends it is given back, and damage that was met is an error."""
        scratch = self._scratches.get(number)
        if scratch is None:
            scratch = self._stack.enter_context(self._snapshot.segments[number].scratch())
            self._scratches[number] = scratch
        return scratch


def find_sources(
    snapshot: Snapshot, passage: Passage, raw: Bytes, shown: int, wanted: int, claim: Claim | None = None
) -> tuple[Kind, tuple[Source, ...]]:
    """The strongest kind over all holders, and the first `wanted` Origins; behind them the first of each `claim`.

    Those that are `shown` have the kind of their Document and their lines; the rest are there for what they say of
    licences: their kind is the weakest, their lines are 0. `raw` is the passage with the white space of the text, from
    its first to its last canonical byte.
    """
    found = []
    first = first_origins_of(snapshot, passage, wanted)
    if claim is not None and len(first) == wanted:
        first += _claiming(snapshot, passage, claim)
    with ExitStack() as stack:
        places = _Places(snapshot, passage, raw, stack)
        for i, (row, digest, number, document, start) in enumerate(first):
            kind, first_line, last_line = places.place(number, document, start) if i < shown else _NOWHERE
            found.append(Source(f"swh:1:cnt:{digest}", kind, snapshot.origin(row), first_line, last_line))
        verbatim = any(source.kind is Kind.VERBATIM for source in found) or _any_verbatim(passage, places)
    if snapshot.manifest.generated:
        return Kind.GENERATED, tuple(replace(source, kind=Kind.GENERATED) for source in found)
    return Kind.VERBATIM if verbatim else Kind.REFORMATTED, tuple(found)


def first_origins_of(snapshot: Snapshot, passage: Passage, wanted: int) -> list[tuple[int, str, int, int, int]]:
    """The first `wanted` Origins: number, SHA-1 of the Document, its Segment and number, the passage's place in it.

    One that was read from two copies of the same place is taken once.
    """
    room = wanted
    while True:
        candidates = []
        sure: tuple[str, ...] | None = None
        rows, owners = np.empty((2, room), np.int64)
        for number, documents, starts, _ in passage.held.holders:
            opened = snapshot.segments[number]
            for first, rank in snapshot.ranks(number):
                count = first_origins(documents, opened.origins, first, rank, rows, owners)
                for row, owner in zip(rows[:count].tolist(), owners[:count].tolist(), strict=True):
                    document = int(documents[owner])
                    digest = opened.segment.contents[document].tobytes().hex()
                    order = snapshot.order_of(row, digest)
                    candidates.append((order, row, digest, number, document, int(starts[owner])))
                if room and count == room:
                    # There may be more, all of them behind the last of these.
                    sure = min(sure or candidates[-1][0], candidates[-1][0])
        candidates.sort()
        distinct = [
            candidate[1:]
            for before, candidate in zip([None, *candidates], candidates, strict=False)
            if (before is None or before[0][:SAME_PLACE] != candidate[0][:SAME_PLACE])
            and (sure is None or candidate[0] <= sure)
        ]
        if sure is None or len(distinct) >= wanted:
            return distinct[:wanted]
        room *= 2


def _claiming(snapshot: Snapshot, passage: Passage, claim: Claim) -> list[tuple[int, str, int, int, int]]:
    """The first Origin of each claim, of all whose evidence claims anything, as `first_origins_of` has them."""
    earliest: dict[Hashable, tuple[tuple[str, ...], tuple[int, str, int, int, int]]] = {}
    for number, documents, starts, _ in passage.held.holders:
        opened = snapshot.segments[number]
        bounds = opened.origins.bounds
        counts = bounds[documents + 1].astype(np.int64) - bounds[documents]
        owners = np.repeat(np.arange(len(documents)), counts)
        behind = np.arange(len(owners)) - np.repeat(np.cumsum(counts) - counts, counts)
        rows = opened.origins.rows[bounds[documents][owners] + behind]
        for said, at in snapshot.claims(rows, claim):
            row, owner = int(rows[at]), owners[at]
            document = int(documents[owner])
            digest = opened.segment.contents[document].tobytes().hex()
            candidate = snapshot.order_of(row, digest), (row, digest, number, document, int(starts[owner]))
            earliest[said] = min(earliest.get(said, candidate), candidate)
    return [item for _, item in sorted(earliest.values())]


def _any_verbatim(passage: Passage, places: _Places) -> bool:
    """Whether any holder, shown or not, has the passage with the very white space of the text."""
    return any(places.any_verbatim(number, leaders) for number, _, _, leaders in passage.held.holders)
