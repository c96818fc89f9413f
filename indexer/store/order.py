"""The total order of sources: release date (undated last), project, path, SWHID; what is equal so far, by what else
tells two places apart.

In: Origins, one by one or as columns. Out: a sort key for one, the ranks of all. Both say the same. It refuses to know
what is shown.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from codecite.indexer.kernels.types import Any32, Array, Words
from codecite.indexer.records import Package

SAME_PLACE = 7
"""So many parts of the key tell places apart; two that differ behind them are copies of one."""


def source_order(package: Package, project: str, path: str, digest: str, key: int) -> tuple[str, ...]:
    """What sources are sorted by.

    `digest` is the Document's SHA-1, hexadecimal; `key` the Origin's own, which ends all ties.
    """
    first = (package.released or "~", project, path, digest)
    return (
        *first,
        package.purl or "",
        package.repository or "",
        package.revision or "",
        package.url or "",
        package.source,
        f"{key:016x}",
    )


def ranks(package: Any32, paths: pa.Array, digests: Array, keys: Words, packages: Mapping[str, pa.Array]) -> Any32:
    """The place of each Origin in that order: of its Package (row of `packages`), path, SHA-1 (u8 [n, 20]) and key."""
    if not len(package):
        return np.empty(0, np.uint32)
    first = _numbered(packages, ("released", "project"))
    last = _numbered(packages, ("purl", "repository", "revision", "url", "source"))
    _, digest = np.unique(np.ascontiguousarray(digests).view("S20").ravel(), return_inverse=True)
    columns = {"first": first[package], "path": paths, "digest": digest, "last": last[package], "key": keys}
    table = pa.table({name: pa.array(column) for name, column in columns.items()})
    order = pc.sort_indices(table, sort_keys=[(name, "ascending") for name in columns]).to_numpy()
    found = np.empty(len(order), np.uint32)
    found[order] = np.arange(len(order), dtype=np.uint32)
    return found


def _numbered(packages: Mapping[str, pa.Array], fields: tuple[str, ...]) -> Array:
    """Packages numbered in the order of the given fields; equal ones alike."""
    missing = {name: "~" if name == "released" else "" for name in fields}
    columns = {name: pc.if_else(_empty(packages[name]), missing[name], packages[name]) for name in fields}
    order = pc.sort_indices(pa.table(columns), sort_keys=[(name, "ascending") for name in fields]).to_numpy()
    new = np.zeros(len(order), bool)
    for column in columns.values():
        codes = column.dictionary_encode().indices.to_numpy()[order]
        new[1:] |= codes[1:] != codes[:-1]
    numbers = np.empty(len(order), np.int64)
    numbers[order] = np.cumsum(new)
    return numbers


def _empty(column: pa.Array) -> pa.Array:
    return pc.or_(pc.is_null(column), pc.equal(pc.fill_null(column, ""), ""))
