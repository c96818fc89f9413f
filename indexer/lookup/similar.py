"""The Documents most similar to a text, as whole files.

In: a Snapshot and bytes. Out: Documents with their Jaccard similarity, the most similar first. It refuses to know of
policies and JSON.

All signatures are compared, which is quicker than it sounds (30 MB for 57,000 Documents) and misses nothing that a
table of bands would; those that agree most are candidates, and the exact Jaccard similarity of their shingles, made
from the stored text, is what is shown and ranked by.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from codecite.indexer.fingerprint.minhash import PERMUTATIONS, overlap, shingles, signature
from codecite.indexer.kernels.similar import count_equal
from codecite.indexer.lookup.near_matches import rows_of
from codecite.indexer.records import Kind, Source
from codecite.indexer.store.documents import raw_of
from codecite.indexer.store.segment import SIGNATURES
from codecite.indexer.store.snapshot import Snapshot

_SLACK = 0.13
"""Three standard errors of the estimate: so much lower may it be than the similarity."""
_MORE = 4


@dataclass(frozen=True, slots=True)
class SimilarDocument:
    """A Document, by its Segment and number, and the Jaccard similarity of its set of shingles, in [0, 1]."""

    segment: int
    document: int
    similarity: float


def find_similar(snapshot: Snapshot, content: bytes, limit: int, at_least: float) -> list[SimilarDocument]:
    """The `limit` most similar live Documents of a similarity of `at_least`; equal ones by their SHA-1."""
    mine = shingles(content)
    if not len(mine):
        return []
    row = signature(content)
    least = int(np.ceil(max(0.0, at_least - _SLACK) * PERMUTATIONS))
    candidates: list[tuple[int, int, int]] = []
    for number, opened in enumerate(snapshot.segments):
        segment = opened.segment
        counts = np.empty(segment.entry.documents, np.int32)
        count_equal(segment.signatures, segment.near.guards, SIGNATURES, row, counts)
        segment.raise_if_damaged()
        chosen = np.flatnonzero((counts >= max(1, least)) & opened.live)
        most = chosen[np.argsort(-counts[chosen], kind="stable")[: _MORE * limit]]
        candidates += [(-int(counts[document]), number, int(document)) for document in most.tolist()]
    found = []
    for _, number, document in sorted(candidates)[: _MORE * limit]:
        segment = snapshot.segments[number].segment
        similarity = overlap(mine, shingles(raw_of(segment, document)))
        if similarity >= at_least:
            digest = segment.contents[document].tobytes()
            found.append((-similarity, digest, SimilarDocument(number, document, similarity)))
    return [item for _, _, item in sorted(found, key=lambda each: each[:2])[:limit]]


def first_source(snapshot: Snapshot, found: SimilarDocument) -> tuple[Source, int]:
    """The first Origin of a Document in the total order of sources, whole, and how many it has."""
    segment = snapshot.segments[found.segment].segment
    digest = segment.contents[found.document].tobytes().hex()
    rows = rows_of(snapshot, found.segment, found.document)
    row = min(rows, key=lambda each: snapshot.order_of(each, digest))
    lines = raw_of(segment, found.document).rstrip(b"\n").count(b"\n") + 1
    return Source(f"swh:1:cnt:{digest}", Kind.NEAR, snapshot.origin(row), 1, lines), len(rows)
