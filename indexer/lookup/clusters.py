"""How much of an index is nearly the same: Documents of a Jaccard similarity above a threshold, joined to clusters.

In: a Snapshot. Out: clusters of its live Documents, over all Segments, and their figures. It refuses to know how they
are shown.

The stored signatures are cut to 32 bands of four numbers: a pair of similarity .7 shares a band with the probability
.9998, one of .85 always. Pairs that do are verified: where the estimate of their signatures is three standard errors
above a threshold, it decides; three below, too; in between the exact Jaccard similarity of their shingles, made from
the stored text, does. An estimate alone is wrong by .04 as often as not, which moves whole clusters; to read every
text takes minutes, and only those in doubt, and not yet joined by others, need it. A cluster is what such pairs connect
(single linkage), so that two of its Documents may be less similar than the threshold. Documents without a word are in
none. In a band that more than `_WINDOW` different signatures share, each is compared with so many that follow it.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from codecite.indexer.errors import ConfigError
from codecite.indexer.fingerprint.minhash import (
    PERMUTATIONS,
    Banding,
    band_keys,
    has_words,
    overlap,
    shingles,
)
from codecite.indexer.kernels.clusters import compare_band, flatten, join, root_of, touch_rows
from codecite.indexer.kernels.types import Any32, Array, Ints, Words
from codecite.indexer.lookup.near_matches import rows_of
from codecite.indexer.store.documents import raw_of
from codecite.indexer.store.segment import SIGNATURES
from codecite.indexer.store.snapshot import Snapshot

THRESHOLDS = (0.7, 0.85)
_BANDING = Banding(32, 4)
_ERRORS = 3
_WINDOW = 2000
_KEPT = 4096
"""Sets of shingles that are kept while pairs are verified: some 8 KB each."""


@dataclass(frozen=True, slots=True)
class ClusterStats:
    """What is nearly the same at a threshold.

    `documents` are in `clusters` of two or more, `largest` in the largest. One Document of each cluster kept, the
    longest, `dropped_documents` and `dropped_bytes` would go; the shares are of all live Documents and their bytes.
    """

    threshold: float
    documents: int
    clusters: int
    largest: int
    dropped_documents: int
    dropped_bytes: int
    share_of_documents: float
    share_of_bytes: float


@dataclass(frozen=True, slots=True)
class Clusters:
    """The live Documents (Segment and number), their raw sizes and digests, and for each threshold where they stand.

    `representative[t][i]` is the place of the Document that stands for the cluster of Document i: i itself where it is
    in none, else the longest of it, among equals that with the smallest SHA-1.
    """

    segment: Ints
    document: Ints
    sizes: Ints
    digests: Array
    representative: tuple[Ints, ...]

    def stats(self) -> tuple[ClusterStats, ...]:
        """The figures at each threshold."""
        return tuple(
            _figures(threshold, chosen, self.sizes)
            for threshold, chosen in zip(THRESHOLDS, self.representative, strict=True)
        )


def find_clusters(snapshot: Snapshot) -> Clusters:
    """The clusters of all live Documents at each of the THRESHOLDS."""
    segments, documents, sizes, digests, rows = _live(snapshot)
    worded = np.flatnonzero(has_words(rows))
    forests = _join_alike(snapshot, rows[worded], segments[worded], documents[worded])
    order = np.lexsort((*digests.T[::-1], -sizes)) if len(sizes) else np.empty(0, np.int64)
    place = np.empty(len(sizes), np.int64)
    place[order] = np.arange(len(sizes))
    chosen = []
    for forest in forests:
        root = np.arange(len(sizes))
        root[worded] = worded[forest]
        best = np.full(len(sizes), len(sizes), np.int64)
        np.minimum.at(best, root, place)
        chosen.append(order[best[root]])
    return Clusters(segments, documents, sizes, digests, tuple(chosen))


def _live(snapshot: Snapshot) -> tuple[Ints, Ints, Ints, Array, Any32]:
    """Of each live Document its Segment, number, raw size, SHA-1 and signature."""
    parts = []
    for number, opened in enumerate(snapshot.segments):
        segment = opened.segment
        count = segment.entry.documents
        touch_rows(segment.near.guards, SIGNATURES, count, PERMUTATIONS)
        segment.raise_if_damaged()
        live = np.flatnonzero(opened.live)
        rows = segment.signatures[: count * PERMUTATIONS].reshape(-1, PERMUTATIONS)[live]
        digests = segment.contents.reshape(-1).view(np.uint8).reshape(-1, 20)[live]
        parts.append((np.full(len(live), number), live, np.diff(segment.document_raw)[live], digests, rows))
    if not parts:
        none = np.empty(0, np.int64)
        return none, none, none, np.empty((0, 20), np.uint8), np.empty((0, PERMUTATIONS), np.uint32)
    segments, documents, sizes, digests, rows = (np.concatenate(column) for column in zip(*parts, strict=True))
    return segments, documents, sizes, digests, rows


def _join_alike(snapshot: Snapshot, rows: Any32, segments: Ints, documents: Ints) -> Ints:
    """For each threshold the smallest row that each row is connected with: int64[thresholds, n]."""
    _, first, same = np.unique(rows.view(f"V{4 * PERMUTATIONS}").ravel(), return_index=True, return_inverse=True)
    distinct = np.ascontiguousarray(rows[first])
    limits = np.array(THRESHOLDS)
    slack = _ERRORS * np.sqrt(limits * (1 - limits) / PERMUTATIONS)
    sure = np.ceil(np.minimum(limits + slack, 1) * PERMUTATIONS).astype(np.int64)
    doubt = np.ceil((limits - slack) * PERMUTATIONS).astype(np.int64)
    forests = np.tile(np.arange(len(distinct)), (len(limits), 1))
    keys = band_keys(distinct, _BANDING)
    bands = [np.ascontiguousarray(column) for column in keys.T]
    orders = [np.argsort(column, kind="stable") for column in bands]
    nothing = np.empty((2, 0), np.int64)
    for column, order in zip(bands, orders, strict=True):
        compare_band(column, order, distinct, _WINDOW, sure, doubt, forests, nothing, 0)
    found = []
    for column, order in zip(bands, orders, strict=True):
        pairs = np.empty((2, 1 << 16), np.int64)
        used = compare_band(column, order, distinct, _WINDOW, sure, doubt, forests, pairs, 0)
        if used > pairs.shape[1]:
            pairs = np.empty((2, used), np.int64)
            compare_band(column, order, distinct, _WINDOW, sure, doubt, forests, pairs, 0)
        found.append(pairs[0, :used] * len(distinct) + pairs[1, :used])
    _verify(snapshot, np.unique(np.concatenate(found)), forests, segments[first], documents[first])
    for forest in forests:
        flatten(forest)
    joined: Ints = first[forests[:, same]]
    return joined


def _verify(snapshot: Snapshot, pairs: Ints, forests: Ints, segments: Ints, documents: Ints) -> None:
    """Join what the exact similarity joins, of pairs a * n + b."""
    kept: OrderedDict[int, Words] = OrderedDict()

    def known(row: int) -> Words:
        held = kept.pop(row, None)
        if held is None:
            held = shingles(raw_of(snapshot.segments[segments[row]].segment, int(documents[row])))
            if len(kept) >= _KEPT:
                kept.popitem(last=False)
        kept[row] = held
        return held

    for pair in pairs.tolist():
        a, b = divmod(pair, len(segments))
        if all(root_of(forest, a) == root_of(forest, b) for forest in forests):
            continue
        similarity = overlap(known(a), known(b))
        for threshold, forest in zip(THRESHOLDS, forests, strict=True):
            if similarity >= threshold:
                join(forest, a, b)


def _figures(threshold: float, chosen: Ints, sizes: Ints) -> ClusterStats:
    members = np.bincount(chosen, minlength=len(chosen))
    clusters = members[members > 1]
    dropped = chosen != np.arange(len(chosen))
    documents, size = int(np.count_nonzero(dropped)), int(sizes[dropped].sum())
    return ClusterStats(
        threshold=threshold,
        documents=int(clusters.sum()),
        clusters=len(clusters),
        largest=int(clusters.max(initial=0)),
        dropped_documents=documents,
        dropped_bytes=size,
        share_of_documents=documents / len(chosen) if len(chosen) else 0.0,
        share_of_bytes=size / total if (total := int(sizes.sum())) else 0.0,
    )


def cluster_table(snapshot: Snapshot, clusters: Clusters) -> pa.Table:
    """A row for each Document in a cluster, for each threshold: the largest clusters first, numbered from 1."""
    columns: dict[str, list[object]] = {
        name: [] for name in ("threshold", "swhid", "cluster", "size", "representative", "path", "license")
    }
    names = [f"swh:1:cnt:{digest.tobytes().hex()}" for digest in clusters.digests]
    for threshold, chosen in zip(THRESHOLDS, clusters.representative, strict=True):
        members = np.bincount(chosen, minlength=len(chosen))
        ranked = sorted(np.flatnonzero(members > 1).tolist(), key=lambda each: (-members[each], names[each]))
        number = {row: at for at, row in enumerate(ranked, 1)}
        listed = np.flatnonzero(members[chosen] > 1).tolist()
        for row in sorted(listed, key=lambda each: (number[int(chosen[each])], names[each])):
            leader = int(chosen[row])
            first = _first_row(snapshot, int(clusters.segment[row]), int(clusters.document[row]), names[row])
            origin = snapshot.origin(first)
            made = (threshold, names[row], number[leader], int(members[leader]), names[leader])
            for column, value in zip(columns.values(), (*made, origin.path, origin.license), strict=True):
                column.append(value)
    types = (pa.float64(), pa.string(), pa.int64(), pa.int64(), pa.string(), pa.string(), pa.string())
    return pa.table({name: pa.array(columns[name], kind) for name, kind in zip(columns, types, strict=True)})


def _first_row(snapshot: Snapshot, segment: int, document: int, swhid: str) -> int:
    digest = swhid.rpartition(":")[2]
    return min(rows_of(snapshot, segment, document), key=lambda row: snapshot.order_of(row, digest))


def write_clusters(tables: Iterable[pa.Table], path: Path) -> None:
    """Write them as parquet, one after the other."""
    table = pa.concat_tables(tables)
    try:
        pq.write_table(table, path)
    except OSError as problem:
        raise ConfigError(f"{path}: cannot be written: {problem.strerror or problem}") from None
