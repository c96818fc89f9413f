"""The writer of one Segment: Documents and Origins in, a finished directory out.

In: batches of raw Documents with their fingerprints and blocks, then the Origins. Out: the sections of a Segment.
It refuses to know where files come from and which Segments exist besides.

A Segment is a directory of sections (`section.py`). N Documents lie one after the other, in raw and in canonical
bytes; all positions count from the head of the Segment. With the share of 1.0 GB of C files that each took:

    content.lz4             blocks of 2 KiB, one after the other (`content.py`)
    dictionary.npy          u8, what the blocks may refer back to
    blocks.npy              i64 [4, blocks + 1]: where each block begins in content.lz4, in the raw bytes, in the
                            canonical bytes, and the line feeds before it
    documents.npy           i64 [3, N + 1]: where each Document begins in the raw and the canonical bytes, and the
                            line feeds before it
    contents.npy            u8 [N, 20]: the SHA-1 of each Document as a git blob, which is its SWHID
    buckets, tags, positions.npy    the postings (`kernels/postings.py`): u32, u16, u32
    origins.arrow, packages.arrow   the tables (`tables.py`)
    origin_bounds.npy       u32 [N + 1]: the Origins of Document d are the rows from origin_bounds[d]
    licenses.npy            u32 [2, pairs]: Document and licence (its number in the pool `license` of origins.arrow)
    foreign.npy             u8 [M, 20]: the Documents of older Segments that Origins here name
"""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import Executor
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np

from codecite.indexer.kernels.documents import Fingerprints
from codecite.indexer.kernels.types import Array, Ints
from codecite.indexer.records import Package
from codecite.indexer.store.content import Blocks
from codecite.indexer.store.manifest import SegmentEntry, sync_directory
from codecite.indexer.store.section import SectionWriter, write_array
from codecite.indexer.store.spool import PostingSpool
from codecite.indexer.store.tables import source_order, write_origins, write_packages

MAX_CANONICAL = (1 << 32) - (1 << 26)
"""Canonical bytes a Segment may hold: positions are 32 bits wide."""


class OriginRow(NamedTuple):
    """One Origin as it is stored. `document` is a number in this Segment, or the SHA-1 of an older one's Document."""

    document: int | bytes
    package: int
    path: str
    license: str
    evidence: str
    copyright: str
    key: int


class Pool:
    """Distinct texts, numbered in the order of their first use."""

    def __init__(self) -> None:
        self._numbers: dict[str, int] = {}

    def number(self, text: str) -> int:
        """The number of a text, new or known."""
        return self._numbers.setdefault(text, len(self._numbers))

    @property
    def texts(self) -> list[str]:
        """All texts, by number."""
        return list(self._numbers)


@dataclass(frozen=True, slots=True)
class Project:
    """What the Origins of a Package count as: its name and the hash of it."""

    name: str
    hash: int


class SegmentWriter:
    """Writes one Segment into its own directory; nothing refers to it before the manifest does."""

    def __init__(self, directory: Path) -> None:
        directory.mkdir()
        self._directory = directory
        self._content = SectionWriter(directory / "content.lz4")
        self._spool = PostingSpool(directory)
        self._blocks: list[Array] = []
        self._documents: list[Array] = []
        self._content_bytes = 0
        self.raw_bytes = 0
        self.canonical_bytes = 0

    def add(self, blocks: Blocks, fingerprints: Fingerprints, sizes: Ints) -> None:
        """Append a batch of Documents, whose raw bytes are `sizes`, in the order of their numbers."""
        self._content.write(blocks.data.data)
        self._blocks.append(np.stack([np.diff(blocks.ends, prepend=0), blocks.raw, blocks.canonical, blocks.lines]))
        self._documents.append(np.stack([sizes, fingerprints.canonical, fingerprints.lines]))
        self._spool.add(fingerprints, self.canonical_bytes)
        self.raw_bytes += int(sizes.sum())
        self.canonical_bytes += int(fingerprints.canonical.sum())

    def finish(
        self,
        dictionary: Array,
        contents: Sequence[bytes],
        origins: Sequence[OriginRow],
        packages: Sequence[Package],
        projects: Sequence[Project],
        executor: Executor,
    ) -> SegmentEntry:
        """Write what is left and bring all of it to the disk."""
        directory = self._directory
        self._content.close()
        self._spool.write(directory, executor)
        write_array(directory / "dictionary.npy", dictionary)
        write_array(directory / "blocks.npy", _starts(self._blocks, 4))
        write_array(directory / "documents.npy", _starts(self._documents, 3))
        write_array(directory / "contents.npy", _digests(contents))
        _write_origins(directory, contents, origins, packages, projects)
        sync_directory(directory)
        sync_directory(directory.parent)
        return SegmentEntry(
            directory.name,
            len(contents),
            len(origins),
            len(packages),
            self._spool.count,
            self.raw_bytes,
            self.canonical_bytes,
        )


def _starts(sizes: list[Array], rows: int) -> Ints:
    """Sizes in batches to the place where each begins, with the end of the last."""
    joined = np.concatenate([np.zeros((rows, 1), np.int64), *sizes], axis=1)
    return np.cumsum(joined, axis=1)


def _digests(contents: Sequence[bytes]) -> Array:
    return np.frombuffer(b"".join(contents), np.uint8).reshape(-1, 20)


def _write_origins(
    directory: Path,
    contents: Sequence[bytes],
    origins: Sequence[OriginRow],
    packages: Sequence[Package],
    projects: Sequence[Project],
) -> None:
    count = len(contents)
    foreign = {row.document: 0 for row in origins if isinstance(row.document, bytes)}
    foreign = {digest: count + i for i, digest in enumerate(foreign)}
    numbered = [(row.document if isinstance(row.document, int) else foreign[row.document], row) for row in origins]
    numbered.sort(key=lambda pair: pair[0])
    documents = np.array([number for number, _ in numbered], np.uint32)
    rows = [row for _, row in numbered]
    digests = [*contents, *foreign]

    def order(i: int) -> tuple[str, ...]:
        row = rows[i]
        return source_order(packages[row.package], projects[row.package].name, row.path, digests[documents[i]].hex())

    rank = np.empty(len(rows), np.uint32)
    rank[sorted(range(len(rows)), key=order)] = np.arange(len(rows), dtype=np.uint32)
    pools = {name: Pool() for name in ("license", "evidence", "copyright")}
    indices = {
        name: np.array([pool.number(getattr(row, name)) for row in rows], np.uint32) for name, pool in pools.items()
    }
    numbers: dict[str, Array] = {
        "document": documents,
        "package": np.array([row.package for row in rows], np.uint32),
        "project": np.array([projects[row.package].hash for row in rows], np.uint64),
        "rank": rank,
        "key": np.array([row.key for row in rows], np.uint64),
    }
    write_origins(
        directory / "origins.arrow",
        numbers,
        [row.path for row in rows],
        {name: (indices[name], pool.texts) for name, pool in pools.items()},
    )
    write_packages(directory / "packages.arrow", packages, [project.name for project in projects])
    bounds = np.searchsorted(documents, np.arange(count + 1, dtype=np.uint32)).astype(np.uint32)
    write_array(directory / "origin_bounds.npy", bounds)
    pairs = documents.astype(np.uint64) << np.uint64(32) | indices["license"].astype(np.uint64)
    distinct = np.unique(pairs[documents < count])
    write_array(
        directory / "licenses.npy",
        np.stack([(distinct >> np.uint64(32)).astype(np.uint32), distinct.astype(np.uint32)]),
    )
    write_array(directory / "foreign.npy", _digests(list(foreign)))
