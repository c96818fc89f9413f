"""A Segment in the making: new content and new Origins in, a finished Segment out.

In: the contents of files with their SHA-1s, and Origins that name them. Out: a Segment on the disk. It refuses to know
which Segments exist besides, but for the dictionary that it may share with the largest.

Batches of content are fingerprinted and compressed in threads, without the GIL. The first wait until there is enough
text to train a dictionary on; a Segment too small for that takes that of the largest one, and merging them copies
blocks.
"""

from __future__ import annotations

from collections import deque
from concurrent.futures import Executor, Future
from pathlib import Path
from uuid import uuid4

import numpy as np

from codecite.indexer.fingerprint.batch import fingerprint_batch
from codecite.indexer.kernels.documents import Fingerprints
from codecite.indexer.kernels.types import Array, Ints
from codecite.indexer.records import Package
from codecite.indexer.store.content import SAMPLE_BYTES, BlockCompressor, Blocks, train_dictionary
from codecite.indexer.store.manifest import Manifest, SegmentEntry, segment_directory
from codecite.indexer.store.origins import NewOrigin, OriginRows
from codecite.indexer.store.section import read_array
from codecite.indexer.store.tables import package_columns
from codecite.indexer.store.writer import MAX_CANONICAL, SegmentWriter

_BATCH = 2 << 20
_AHEAD = 8
_MAX_ORIGINS = 1 << 20
"""Origins of one Segment: until it is finished they are held in memory, some 300 bytes each."""
_MAX_PACKAGES = 1 << 18


class SegmentMaker:
    """Gathers one Segment. `finished` are the Segments of this build that are yet to be published.

    Once it is finished `documents` and `bytes` count what has an Origin in it; `unplaced` has the sizes of the others.
    """

    def __init__(self, directory: Path, manifest: Manifest, executor: Executor) -> None:
        self._directory = segment_directory(directory, uuid4().hex[:16])
        self._shared = _dictionary(directory, manifest)
        self._writer: SegmentWriter | None = None
        self._executor = executor
        self._contents: dict[bytes, int] = {}
        self._sizes: list[int] = []
        self._rows = OriginRows()
        self._packages: dict[Package, int] = {}
        self._complete: dict[Package, int] = {}
        self._batch: list[bytes] = []
        self._held = 0
        self._raw = 0
        self._waiting: list[list[bytes]] = []
        self._compressor: BlockCompressor | None = None
        self._running: deque[tuple[Future[tuple[Blocks, Fingerprints]], Ints]] = deque()
        self.finished: list[SegmentEntry] = []
        self.documents = self.bytes = 0
        self.unplaced: dict[bytes, int] = {}

    @property
    def origins(self) -> int:
        """How many Origins it has."""
        return len(self._rows)

    @property
    def full(self) -> bool:
        """Whether it should be finished before more Origins come."""
        return len(self._rows) >= _MAX_ORIGINS or len(self._packages) >= _MAX_PACKAGES

    def has_room(self, size: int) -> bool:
        """Whether so many more raw bytes fit in for certain."""
        return self._raw + size <= MAX_CANONICAL

    def holds(self, digest: bytes) -> bool:
        """Whether the content with this SHA-1 is here already."""
        return digest in self._contents

    def take(self, digest: bytes, content: bytes) -> None:
        """Keep the content of a file, unless it is here already. A Document that gets no Origin is never found."""
        if self.holds(digest):
            return
        self._contents[digest] = len(self._contents)
        self._sizes.append(len(content))
        self._batch.append(content)
        self._held += len(content)
        self._raw += len(content)
        if self._held >= _BATCH:
            self._flush()

    def place(self, origin: NewOrigin) -> None:
        """Store an Origin, of a Document here or in another Segment."""
        self._rows.append(origin, self._number(origin.package), self._contents.get(origin.digest))

    def complete(self, package: Package, origins: int) -> None:
        """A Package was read to its end; the index holds so many Origins under its fingerprint."""
        self._number(package)
        self._complete[package] = origins

    def _number(self, package: Package) -> int:
        return self._packages.setdefault(package, len(self._packages))

    def _flush(self) -> None:
        if self._batch:
            self._waiting.append(self._batch)
        self._batch = []
        self._held = 0
        if self._compressor is not None or max(self._raw, self._shared[1]) >= SAMPLE_BYTES:
            self._submit_waiting()

    def _submit_waiting(self) -> BlockCompressor:
        """Hand over what waits; the first time, settle on a dictionary."""
        if self._compressor is None:
            shared, trained_on = self._shared
            enough = trained_on >= min(self._raw, SAMPLE_BYTES)
            samples = [b"".join(batch) for batch in self._waiting]
            self._compressor = BlockCompressor(shared if enough and shared else train_dictionary(samples))
        for batch in self._waiting:
            sizes = np.array([len(content) for content in batch], np.int64)
            future = self._executor.submit(_process, self._compressor, b"".join(batch), np.cumsum(sizes))
            self._running.append((future, sizes))
            while len(self._running) > _AHEAD:
                self._collect()
        self._waiting = []
        return self._compressor

    def _collect(self) -> None:
        future, sizes = self._running.popleft()
        blocks, fingerprints = future.result()
        if self._writer is None:
            self._writer = SegmentWriter(self._directory)
        self._writer.add(blocks, fingerprints, sizes)

    def finish(self, *, forced: bool = False) -> Array:
        """Write the Segment to `finished`, if there is an Origin in it or a complete Package (or `forced`).

        Returns the SHA-1s of its Documents, u8 [n, 20].
        """
        if not self._rows and not self._complete and not forced:
            for future, _ in self._running:
                future.result()
            return np.empty((0, 20), np.uint8)
        self._flush()
        compressor = self._submit_waiting()
        while self._running:
            self._collect()
        writer = self._writer or SegmentWriter(self._directory)
        digests = list(self._contents)
        packages = list(self._packages)
        columns = self._rows.columns(
            len(digests), package_columns(packages, map(project_name, packages), map(self._complete.get, packages))
        )
        named = np.unique(columns.document[columns.document < len(digests)])
        self.documents = len(named)
        self.bytes = int(np.array(self._sizes, np.int64)[named].sum())
        self.unplaced = {digests[i]: self._sizes[i] for i in set(range(len(digests))).difference(named.tolist())}
        contents = np.frombuffer(b"".join(digests), np.uint8).reshape(-1, 20)
        self.finished.append(writer.finish(compressor.dictionary, contents, columns, self._executor))
        return contents


def _process(compressor: BlockCompressor, joined: bytes, ends: Ints) -> tuple[Blocks, Fingerprints]:
    """What a thread does with a batch."""
    raw = np.frombuffer(joined, np.uint8)
    return compressor.compress(raw), fingerprint_batch(raw, ends)


def _dictionary(directory: Path, manifest: Manifest) -> tuple[bytes, int]:
    """The dictionary of the largest Segment, and how many raw bytes that has."""
    if not manifest.segments:
        return b"", 0
    entry = max(manifest.segments, key=lambda entry: entry.bytes)
    place = segment_directory(directory, entry.name)
    return read_array(place / "dictionary.npy").tobytes(), entry.bytes


def project_name(package: Package) -> str:
    """What the Origins of a Package count as: the purl without its version, else the repository, else the source."""
    if package.purl is not None:
        return package.purl.split("?", 1)[0].split("#", 1)[0].rsplit("@", 1)[0]
    return package.repository or package.source
