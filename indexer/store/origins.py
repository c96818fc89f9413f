"""The Origins of a Segment on their way to the disk: gathered row by row, or column by column from other Segments.

In: Origins with the Documents and Packages they belong to. Out: the sections `origins`, `packages`, `origin_bounds`,
`licenses` and `foreign`. It refuses to know what a Document holds.
"""

from __future__ import annotations

from array import array
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pyarrow as pa
import xxhash

from codecite.indexer.kernels.types import Array, Ints
from codecite.indexer.records import Package
from codecite.indexer.store.order import ranks
from codecite.indexer.store.section import write_array
from codecite.indexer.store.tables import ORIGIN_POOLS, Pooled, utf8, write_origins, write_packages


class NewOrigin(NamedTuple):
    """One Origin as it is stored: of the Document with the SHA-1 `digest`, in a Package; the rest are columns."""

    package: Package
    digest: bytes
    path: str
    license: str
    evidence: str
    copyright: str
    language: str
    marks: str
    key: int
    stamp: int


@dataclass(frozen=True, slots=True)
class OriginColumns:
    """The Origins of a Segment, a row each, in any order.

    `document` (i64) is a Document of the Segment, or the number of its Documents + an entry of `foreign` (u8 [M, 20],
    SHA-1s). `package` (u32) is a row of `packages`, the columns of that table.
    """

    document: Ints
    package: Array
    key: Array
    stamp: Array
    paths: pa.Array
    pools: Mapping[str, Pooled]
    packages: Mapping[str, pa.Array]
    foreign: Array


class OriginRows:
    """Origins gathered one by one."""

    def __init__(self) -> None:
        self._documents = array("q")
        self._packages = array("L")
        self._keys = array("Q")
        self._stamps = array("Q")
        self._paths: list[str] = []
        self._pools: dict[str, dict[str, int]] = {name: {} for name in ORIGIN_POOLS}
        self._pooled = {name: array("L") for name in ORIGIN_POOLS}
        self._foreign: dict[bytes, int] = {}

    def __len__(self) -> int:
        return len(self._paths)

    def append(self, origin: NewOrigin, package: int, document: int | None) -> None:
        """Add a row: `document` is its number in this Segment, None for a Document of another one."""
        if document is None:
            document = -1 - self._foreign.setdefault(origin.digest, len(self._foreign))
        self._documents.append(document)
        self._packages.append(package)
        self._keys.append(origin.key)
        self._stamps.append(origin.stamp)
        self._paths.append(origin.path)
        for name, pool in self._pools.items():
            self._pooled[name].append(pool.setdefault(getattr(origin, name), len(pool)))

    def columns(self, documents: int, packages: Mapping[str, pa.Array]) -> OriginColumns:
        """All rows, of a Segment with so many Documents and these `packages`."""
        numbers = np.array(self._documents, np.int64)
        named = numbers < 0
        numbers[named] = documents - 1 - numbers[named]
        return OriginColumns(
            numbers,
            np.array(self._packages, np.uint32),
            np.array(self._keys, np.uint64),
            np.array(self._stamps, np.uint64),
            pa.array([utf8(path) for path in self._paths], pa.large_string()),
            {name: (np.array(self._pooled[name], np.int64), list(pool)) for name, pool in self._pools.items()},
            packages,
            np.frombuffer(b"".join(self._foreign), np.uint8).reshape(-1, 20),
        )


def write_origin_sections(directory: Path, contents: Array, rows: OriginColumns) -> None:
    """Write the Origins of a Segment whose Documents have the SHA-1s `contents` (u8 [N, 20])."""
    count = len(contents)
    order = np.argsort(rows.document, kind="stable")
    document = rows.document[order]
    package = rows.package[order]
    paths = rows.paths.take(pa.array(order))
    pools = {name: (indices[order], texts) for name, (indices, texts) in rows.pools.items()}
    digests = np.concatenate([contents, rows.foreign])[document] if len(document) else contents[:0]
    hashes = [xxhash.xxh3_64_intdigest(name.as_py().encode()) for name in rows.packages["project"]]
    numbers = {
        "document": document,
        "package": package,
        "project": np.array(hashes, np.uint64)[package] if len(package) else np.empty(0, np.uint64),
        "rank": ranks(package, paths, digests, rows.key[order], rows.packages),
        "key": rows.key[order],
        "stamp": rows.stamp[order],
    }
    write_origins(directory / "origins.arrow", numbers, paths, pools)
    write_packages(directory / "packages.arrow", rows.packages)
    bounds = np.searchsorted(document, np.arange(count + 1)).astype(np.uint32)
    write_array(directory / "origin_bounds.npy", bounds)
    write_array(directory / "licenses.npy", licensed_pairs(document, pools["license"][0], count))
    write_array(directory / "foreign.npy", rows.foreign)


def licensed_pairs(document: Array, license: Array, count: int) -> Array:
    """The distinct pairs of a Document (those below `count`) and a licence: u32 [2, pairs], by Document."""
    local = document < count
    pairs = np.unique(document[local].astype(np.uint64) << np.uint64(32) | license[local].astype(np.uint64))
    return np.stack([(pairs >> np.uint64(32)).astype(np.uint32), pairs.astype(np.uint32)])
