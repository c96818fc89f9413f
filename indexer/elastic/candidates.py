"""A query to what Documents on a cluster may share with it: fingerprints asked for, pieces fetched, stretches cut out.

In: canonical text, a reader of pieces. Out: for each Document the stretches that hold all it shares with the query, and
a stand-in content made of them. It refuses to know of Origins.

Nothing shared is lost: the cluster names every piece with a fingerprint of the query (`pieces.py` says in which pieces
one is noted); where the first or last k-gram of what was fetched is one of the query, the neighbour is fetched, too;
and `kernels/shared.py` leaves out only what cannot hold a passage. A stand-in has the stretches of its Document in
their lines, with a byte between them that the query has nowhere, so a passage stands in it exactly where it stands in
the Document; what else the Document holds, the query does not share.
"""

from __future__ import annotations

from collections import OrderedDict, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from threading import Lock

import numpy as np

from codecite.indexer.config import GUARANTEE, WINDOW
from codecite.indexer.elastic.client import PAGE, TERMS, Cluster, Hit
from codecite.indexer.elastic.mapping import MASK, piece_id, shown
from codecite.indexer.elastic.pieces import Head, content_of, head_of
from codecite.indexer.errors import IndexCorruptError
from codecite.indexer.kernels.shared import find_shared, mark_kgrams
from codecite.indexer.kernels.types import Bytes, Flags, Words
from codecite.indexer.kernels.winnow import CHUNK

_KEPT = 64 << 20
"""Bytes of pieces that are kept once read."""
_AT_ONCE = 4096
"""Documents that are looked at together."""
_FEW = 100
"""Pieces that are sent with the first answer; where there may be more, only those that are not held are asked for."""
_WHOLE = ("head", "content")
_FLAGS = 64
_MOST_FLAGS = 1 << 27

Stretches = list[tuple[int, bytes]]
"""Of a Document: stretches of its raw bytes in their order, each with the line feeds before it."""


@dataclass(frozen=True, slots=True)
class Piece:
    """A piece, fetched."""

    head: Head
    raw: bytes


class Pieces:
    """The pieces of one Elasticsearch index. The last ones that were read are kept. Threads may share it."""

    def __init__(self, cluster: Cluster, index: str) -> None:
        self._cluster = cluster
        self._index = index
        self._kept: OrderedDict[tuple[bytes, int], Piece] = OrderedDict()
        self._bytes = 0
        self._lock = Lock()

    def holding(self, hashes: Words) -> dict[tuple[bytes, int], Head]:
        """The pieces that one of some fingerprints is noted in."""
        wanted = np.unique(hashes & np.uint64(MASK)).tolist()
        found: dict[tuple[bytes, int], Head] = {}
        for at in range(0, len(wanted), TERMS):
            query = {"terms": {"fp": wanted[at : at + TERMS]}}
            few = self._cluster.ask(self._index, {"query": query, "size": _FEW, "sort": ["_doc"], **shown(*_WHOLE)})
            hits = few["hits"]["hits"]
            if len(hits) < _FEW:
                pieces = [_piece(hit) for hit in hits]
                self._keep(pieces)
                found.update(((piece.head.digest, piece.head.number), piece.head) for piece in pieces)
                continue
            for hit in self._cluster.hits(self._index, query, shown("head")):
                head = head_of(hit["fields"]["head"][0])
                found[head.digest, head.number] = head
        return found

    def read(self, wanted: Iterable[tuple[bytes, int]]) -> dict[tuple[bytes, int], Piece]:
        """Pieces by SHA-1 and number. One that is not there (any more) is left out."""
        found: dict[tuple[bytes, int], Piece] = {}
        missing = []
        with self._lock:
            for key in wanted:
                piece = self._kept.get(key)
                if piece is None:
                    missing.append(key)
                else:
                    self._kept.move_to_end(key)
                    found[key] = piece
        for at in range(0, len(missing), PAGE):
            names = [piece_id(*key) for key in missing[at : at + PAGE]]
            query = {"ids": {"values": names}}
            for hit in self._cluster.hits(self._index, query, shown(*_WHOLE)):
                piece = _piece(hit)
                found[piece.head.digest, piece.head.number] = piece
        self._keep([found[key] for key in missing if key in found])
        return found

    def contents(self, digests: Sequence[bytes]) -> dict[bytes, bytes]:
        """Whole Documents by their SHA-1s; one that is not there is left out."""
        first = self.read([(digest, 0) for digest in digests])
        more = self.read((digest, n) for (digest, _), piece in first.items() for n in range(1, piece.head.count))
        found = {}
        for (digest, _), piece in first.items():
            rest = [more.get((digest, number)) for number in range(1, piece.head.count)]
            if any(part is None for part in rest):
                raise IndexCorruptError(
                    f"{self._cluster.place.url}: a piece of swh:1:cnt:{digest.hex()} is missing; run 'codecite index "
                    "verify', then add its source again"
                )
            found[digest] = b"".join([piece.raw, *(part.raw for part in rest if part is not None)])
        return found

    def _keep(self, pieces: Sequence[Piece]) -> None:
        with self._lock:
            for piece in pieces:
                key = piece.head.digest, piece.head.number
                if key not in self._kept:
                    self._kept[key] = piece
                    self._bytes += len(piece.raw)
            while self._bytes > _KEPT:
                self._bytes -= len(self._kept.popitem(last=False)[1].raw)


def _piece(hit: Hit) -> Piece:
    head = head_of(hit["fields"]["head"][0])
    return Piece(head, content_of(hit["fields"]["content"][0], head))


def find_candidates(pieces: Pieces, canonical: Bytes, hashes: Words) -> dict[bytes, Stretches]:
    """For each Document that may share a passage with a query, by SHA-1, the stretches that hold all it shares.

    `hashes` are the fingerprints of the query side.
    """
    if len(canonical) < GUARANTEE or not len(hashes):
        return {}
    table = _table(canonical)
    heads: defaultdict[bytes, dict[int, Head]] = defaultdict(dict)
    for (digest, number), head in pieces.holding(hashes).items():
        heads[digest][number] = head
    found: dict[bytes, Stretches] = {}
    digests = list(heads)
    for at in range(0, len(digests), _AT_ONCE):
        some = digests[at : at + _AT_ONCE]
        found |= _stretches(pieces, {digest: heads[digest] for digest in some}, table)
    return found


def _table(canonical: Bytes) -> Flags:
    size = min(_MOST_FLAGS, 1 << (_FLAGS * len(canonical)).bit_length())
    table = np.zeros(max(size, 1 << 16), np.bool_)
    mark_kgrams(canonical, table, np.empty(CHUNK, np.uint64))
    return table


def _stretches(pieces: Pieces, heads: dict[bytes, dict[int, Head]], table: Flags) -> dict[bytes, Stretches]:
    """The stretches of some Documents of which some pieces are known to be needed."""
    counts = {digest: next(iter(held.values())).count for digest, held in heads.items()}
    held: defaultdict[bytes, dict[int, Piece]] = defaultdict(dict)
    wanted = [(digest, number) for digest, numbers in heads.items() for number in numbers]
    found: dict[bytes, Stretches] = {}
    asked = set(wanted)
    while wanted:
        for (digest, number), piece in pieces.read(wanted).items():
            held[digest][number] = piece
        changed = {digest for digest, _ in wanted}
        runs = [run for digest in changed if digest in held for run in _runs(held[digest])]
        lines, edges = _shared(runs, table)
        for digest in changed:
            found.pop(digest, None)
        more: set[tuple[bytes, int]] = set()
        for run, said, (first, last) in zip(runs, lines, edges, strict=True):
            digest = run[0].head.digest
            if said:
                found.setdefault(digest, []).extend(said)
            before, behind = run[0].head.number - 1, run[-1].head.number + 1
            if first and before >= 0:
                more.add((digest, before))
            if last and behind < counts[digest]:
                more.add((digest, behind))
        # One that was asked for and is not there was removed meanwhile.
        wanted = sorted(more - asked)
        asked |= more
    return found


def _runs(held: dict[int, Piece]) -> Iterator[list[Piece]]:
    """The pieces of a Document in their order, those that follow each other together."""
    run: list[Piece] = []
    for number in sorted(held):
        if run and run[-1].head.number + 1 != number:
            yield run
            run = []
        run.append(held[number])
    if run:
        yield run


def _shared(runs: Sequence[list[Piece]], table: Flags) -> tuple[list[Stretches], list[tuple[bool, bool]]]:
    """The stretches of each run, and whether it may go on before and behind."""
    joined = [b"".join(piece.raw for piece in run) for run in runs]
    sizes = np.array([len(raw) for raw in joined], np.int64)
    whole = b"".join(joined)
    raw = np.frombuffer(whole, np.uint8)
    stretches = np.empty((3, len(raw) // WINDOW + len(runs) + 1), np.int64)
    edges = np.zeros((2, len(runs)), np.bool_)
    canonical = np.empty(int(sizes.max(initial=0)), np.uint8)
    ends = np.cumsum(sizes)
    count = find_shared(raw, ends, table, canonical, np.empty(CHUNK, np.uint64), stretches, edges)
    found: list[Stretches] = [[] for _ in runs]
    starts = (ends - sizes).tolist()
    last, at, before = -1, 0, 0
    for number, begin, end in stretches[:, :count].T.tolist():
        if number != last:
            last, at, before = number, starts[number], runs[number][0].head.lines
        before += whole.count(b"\n", at, begin)
        at = begin
        found[number].append((before, whole[begin:end]))
    flags = edges.tolist()
    return found, list(zip(flags[0], flags[1], strict=True))


def warm_up(raw: bytes) -> None:
    """Compile the kernels that only this module calls."""
    _shared([[Piece(Head(bytes(20), 0, 1, 0), raw)]], _table(np.frombuffer(raw, np.uint8)))


def stand_in(stretches: Stretches, between: bytes) -> bytes:
    """A content with some stretches of a Document in their lines, and `between` around each."""
    parts: list[bytes] = []
    line = 0
    for before, raw in stretches:
        parts += [b"\n" * (before - line), between, raw, between]
        line = before + raw.count(b"\n")
    return b"".join(parts)


def separator(canonical: Bytes) -> bytes:
    """Bytes that stand nowhere in a query: one, or where it has all 250, several."""
    counts = np.bincount(canonical, minlength=256)
    counts[[9, 10, 11, 12, 13, 32]] = 1
    free = np.flatnonzero(counts == 0)
    if len(free):
        return bytes([int(free[-1])])
    text = canonical.tobytes()
    number = 0
    while (found := number.to_bytes(8, "big").replace(b"\n", b"\x80")) in text or found.translate(
        None, b" \t\v\f\r"
    ) != found:
        number += 1
    return found
