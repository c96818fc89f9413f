"""Fingerprints without their text -> candidates: where an index holds the same fingerprints in the same order.

In: a Snapshot and a Fingerprinted. Out: Matches of the kind `candidate`, with their sources. It refuses to know of
policies and JSON, and never says that a passage agrees: no text is compared.

A passage of T bytes or more that the file shares with a Document has in each window of k-grams a fingerprint that the
Document selected, and it is among the file's (`kernels/winnow.py`). These lie on one diagonal: they are as far apart in
the Document as in the file, and no two neighbours farther than a window. So such *runs* are what is looked for, and
every shared passage lies around one. What a run shows is the text from its first k-gram to its last
(`bytes_at_least`); a window less one on either side may belong to the passage, too (`bytes_at_most`).

A Segment keeps some 40 bits of each hash: one lookup in some 4,000 finds a stranger. A run of two fingerprints or more
is none by chance.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from codecite.indexer.config import GUARANTEE, KGRAM, WINDOW
from codecite.indexer.fingerprint.handover import Fingerprinted
from codecite.indexer.kernels.canonical import locate
from codecite.indexer.kernels.near import read_places
from codecite.indexer.kernels.postings import find_lists
from codecite.indexer.kernels.types import Bytes, Flags, Ints
from codecite.indexer.lookup.documents import digest_named, find_document
from codecite.indexer.lookup.exact import Held, Passage, tallied
from codecite.indexer.lookup.matches import counts_of, match_id
from codecite.indexer.lookup.sources import first_origins_of
from codecite.indexer.records import Counts, Kind, Match, Source
from codecite.indexer.store.documents import raw_of
from codecite.indexer.store.snapshot import OpenSegment, Snapshot

REPEATED = 16, 1 << 16
"""A hash at more places of the file that makes more pairs with places in a Segment is passed over, and counted."""
_REACH = 1 << 31
"""More than any place, in a Segment or in a file."""
_AT_ONCE = 1 << 23
"""Pairs that are held at a time."""
_TEXTS = 64
"""Texts of Documents that are kept while lines are counted in them."""


class _Runs(NamedTuple):
    """Runs in all Segments: the first and last position of their fingerprints, the Segment, its Document, the place
    of the first one there."""

    first: Ints
    last: Ints
    segment: Ints
    document: Ints
    place: Ints


class LookedUp(NamedTuple):
    """What `Recognised` has, before a policy has judged it: each candidate has as many sources as were wanted."""

    known: tuple[Source, ...]
    known_origins: int
    found: list[tuple[Match, tuple[Source, ...]]]
    passed_over: int


def look_up(snapshots: Sequence[Snapshot], file: Fingerprinted, shown: int, wanted: int, shortest: int) -> LookedUp:
    """What some indexes hold of a file: of the whole its first `shown` sources; the candidates that may have `shortest`
    bytes, by place, each with its first `wanted` ones. They are maximal for each licence, as passages are."""
    known: tuple[Source, ...] = ()
    origins = passed_over = 0
    found: list[tuple[Match, tuple[Source, ...]]] = []
    digest = digest_named(file.swhid)
    for snapshot in snapshots:
        whole = None if digest is None else find_document(snapshot, digest, shown)
        if whole is not None:
            known, origins = known or whole.sources, origins + whole.origins
        runs, passed = _all_runs(snapshot, file, max(shortest, GUARANTEE))
        passed_over = max(passed_over, passed)
        spans = _maximal(snapshot, runs)
        held = _held(snapshot, runs, spans) if spans else []
        texts = _Texts(snapshot)
        for (start, last), holders in zip(spans, held, strict=True):
            span = start, last + KGRAM
            counts = counts_of(holders, snapshot.manifest.config)
            sources = _sources(snapshot, file.swhid, Passage(span, span, holders), shown, wanted, texts)
            found.append((_match(snapshot, file, span, counts), sources))
    found.sort(key=lambda item: (item[0].canonical_start, -item[0].canonical_end))
    return LookedUp(known, origins, found, passed_over)


def _all_runs(snapshot: Snapshot, file: Fingerprinted, shortest: int) -> tuple[_Runs, int]:
    found, passed_over = [np.empty((5, 0), np.int64)], 0
    if len(file.hashes):
        for number, opened in enumerate(snapshot.segments):
            runs, passed = _runs_in(opened, number, file, shortest)
            found.append(runs)
            passed_over = max(passed_over, passed)
    return _Runs(*np.concatenate(found, axis=1)), passed_over


def _runs_in(opened: OpenSegment, number: int, file: Fingerprinted, shortest: int) -> tuple[Ints, int]:
    """The runs in one Segment (a column each of `_Runs`), and how many fingerprints were passed over."""
    segment, arrays = opened.segment, opened.segment.arrays
    hashes, of, times = np.unique(file.hashes, return_inverse=True, return_counts=True)
    low, high = np.empty((2, len(hashes)), np.int64)
    find_lists(hashes, arrays.buckets, arrays.tags, arrays.guards, low, high)
    segment.raise_if_damaged()
    sizes = high - low
    often = (times > REPEATED[0]) & (sizes * times > REPEATED[1])
    passed_over = int(times[often].sum())
    sizes[often] = 0
    counts = sizes[of]
    useful = np.flatnonzero(counts)
    if not len(useful):
        return np.empty((5, 0), np.int64), passed_over
    low, high, counts = low[of][useful], (low + sizes)[of][useful], counts[useful]
    ends = np.cumsum(counts)
    starts = arrays.document_canonical
    parts = int(ends[-1]) // _AT_ONCE + 1
    bounds = starts[np.linspace(0, len(starts) - 1, parts + 1).astype(np.int64)]
    pieces = np.split(np.arange(len(useful)), np.searchsorted(ends, np.arange(1, parts) * _AT_ONCE))
    found = []
    for begin, end in zip(bounds[:-1].tolist(), bounds[1:].tolist(), strict=True):
        kept = []
        for piece in pieces:
            places = np.empty(int(counts[piece].sum()), np.int64)
            read_places(arrays.positions, arrays.guards, low[piece], high[piece], int(starts[-1]), places)
            segment.raise_if_damaged()
            here = (places >= begin) & (places < end)
            kept.append(np.stack([np.repeat(file.positions[useful[piece]], counts[piece])[here], places[here]]))
        found.append(_joined(opened, number, np.concatenate(kept, axis=1), file, shortest))
    return np.concatenate(found, axis=1), passed_over


def _joined(opened: OpenSegment, number: int, pairs: Ints, file: Fingerprinted, shortest: int) -> Ints:
    """Pairs of places, put together to runs; those that may have `shortest` bytes and are of a live Document."""
    starts = opened.segment.arrays.document_canonical
    documents = np.searchsorted(starts, pairs[1], side="right") - 1
    live = opened.live[documents]
    (mine, theirs), documents = pairs[:, live], documents[live]
    order = np.argsort((theirs - mine + _REACH) * _REACH + mine, kind="stable")
    mine, theirs, documents = mine[order], theirs[order], documents[order]
    begins = np.ones(len(mine), bool)
    begins[1:] = (np.diff(documents) != 0) | (np.diff(theirs - mine) != 0) | (np.diff(mine) > WINDOW)
    heads = np.flatnonzero(begins)
    tails = np.append(heads[1:], len(mine))[: len(heads)] - 1
    first, last, document = mine[heads], mine[tails], documents[heads]
    runs = np.stack([first, last, np.full(len(heads), number), document, theirs[heads] - starts[document]])
    wide: Flags = _at_most(first, last + KGRAM, file.canonical) >= shortest
    return runs[:, wide]


def _at_most(start: Ints, end: Ints, canonical: int) -> Ints:
    """How long a passage may be of which the fingerprints show this much."""
    longest: Ints = np.minimum(end + WINDOW - 1, canonical) - np.maximum(start - WINDOW + 1, 0)
    return longest


def _maximal(snapshot: Snapshot, runs: _Runs) -> list[tuple[int, int]]:
    """The first and last positions of runs that lie inside no other one under the same licence, by place."""
    rows = [np.empty((3, 0), np.int64)]
    for number, opened in enumerate(snapshot.segments):
        here = np.flatnonzero(runs.segment == number)
        documents = runs.document[here]
        bounds = opened.licensed.bounds
        counts = bounds[documents + 1] - bounds[documents]
        behind = np.arange(int(counts.sum())) - np.repeat(np.cumsum(counts) - counts, counts)
        licenses = opened.licensed.numbers[np.repeat(bounds[documents], counts) + behind].astype(np.int64)
        which = np.repeat(here, counts)
        rows.append(np.stack([licenses, runs.first[which], runs.last[which]]))
    licenses, first, last = np.concatenate(rows, axis=1)
    order = np.lexsort((-last, first, licenses))
    # Licences come one after the other, so one that is behind outweighs whatever came before it.
    reached = licenses[order] * _REACH + last[order]
    farthest = np.maximum.accumulate(reached)
    beyond = np.ones(len(order), bool)
    beyond[1:] = reached[1:] > farthest[:-1]
    kept = set(zip(first[order][beyond].tolist(), last[order][beyond].tolist(), strict=True))
    return sorted(kept, key=lambda span: (span[0], -span[1]))


def _held(snapshot: Snapshot, runs: _Runs, spans: list[tuple[int, int]]) -> list[Held]:
    """Who holds all fingerprints of each span in a run: the holders are the Documents, with the span's first place."""
    of_spans: list[list[tuple[Ints, Ints]]] = [[] for _ in snapshot.segments]
    for start, end in spans:
        around = np.flatnonzero((runs.first <= start) & (runs.last >= end))
        places = runs.place[around] + start - runs.first[around]
        owner = runs.segment[around] * _REACH + runs.document[around]
        order = np.lexsort((places, owner))
        owner, places = owner[order], places[order]
        first = np.ones(len(owner), bool)
        first[1:] = owner[1:] != owner[:-1]
        owner, places = owner[first], places[first]
        bounds = np.searchsorted(owner, np.arange(len(of_spans) + 1) * _REACH).tolist()
        for number, held in enumerate(of_spans):
            here = slice(bounds[number], bounds[number + 1])
            held.append((owner[here] % _REACH, places[here]))
    joined = [
        (np.concatenate([documents for documents, _ in held]), np.cumsum([0, *(len(item[0]) for item in held)]))
        for held in of_spans
    ]
    found = []
    for span, counts in enumerate(tallied(snapshot, snapshot.segments, joined)):
        holders = []
        for number, held in enumerate(of_spans):
            documents, places = held[span]
            if len(documents):
                # As exact lookup has them: places count from the head of the Segment.
                at = places + snapshot.segments[number].segment.arrays.document_canonical[documents]
                holders.append((number, documents, at, at))
        found.append(Held(*counts, tuple(holders)))
    return found


def _match(snapshot: Snapshot, file: Fingerprinted, span: tuple[int, int], counts: Counts) -> Match:
    start, end = span
    first = int(np.searchsorted(file.positions, start))
    last = int(np.searchsorted(file.positions, end - KGRAM))
    index = snapshot.manifest.id
    longest = int(_at_most(np.array([start]), np.array([end]), file.canonical)[0])
    return Match(
        id=match_id(index, Kind.CANDIDATE, start, end, file.hashes[first : last + 1].tobytes()),
        within=None,
        index=index,
        start=0,
        end=0,
        byte_start=0,
        byte_end=0,
        canonical_start=start,
        canonical_end=end,
        start_line=int(file.at_lines[first]),
        end_line=int(file.at_lines[last]),
        length=end - start,
        bytes_in_text=longest,
        kind=Kind.CANDIDATE,
        counts=counts,
    )


class _Texts:
    """The texts of Documents that candidates are shown in: each is read once."""

    def __init__(self, snapshot: Snapshot) -> None:
        self._snapshot = snapshot
        self._known: dict[tuple[int, int], Bytes] = {}

    def lines(self, number: int, document: int, begin: int, end: int) -> tuple[int, int]:
        """The lines on which canonical bytes `[begin, end)` of a Document of Segment `number` stand."""
        raw = self._known.get((number, document))
        if raw is None:
            if len(self._known) >= _TEXTS:
                self._known.clear()
            raw = np.frombuffer(raw_of(self._snapshot.segments[number].segment, document), np.uint8)
            self._known[number, document] = raw
        where, lines = np.empty((2, 2), np.int64)
        locate(raw, np.array([begin, end - 1], np.int64), where, lines)
        return int(lines[0]), int(lines[1])


def _sources(
    snapshot: Snapshot, whole: str, passage: Passage, shown: int, wanted: int, texts: _Texts
) -> tuple[Source, ...]:
    """The first sources, those that are shown with their lines; what is the whole file is verbatim."""
    found: list[Source] = []
    for row, digest, number, document, at in first_origins_of(snapshot, passage, wanted):
        lines = 0, 0
        if len(found) < shown:
            begin = at - int(snapshot.segments[number].segment.arrays.document_canonical[document])
            lines = texts.lines(number, document, begin, begin + passage.end - passage.start)
        swhid = f"swh:1:cnt:{digest}"
        kind = Kind.VERBATIM if swhid == whole else Kind.CANDIDATE
        found.append(Source(swhid, kind, snapshot.origin(row), *lines))
    return tuple(found)
