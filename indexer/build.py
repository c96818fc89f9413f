"""The write path on one screen: units of a corpus in, one more Segment published.

In: units (`corpus/units.py`). Out: a new generation of the index. It refuses to know how a source is read, how text
is matched and how a Segment is laid out.

The calling thread reads, tells known content by its SHA-1 and gathers batches; a few threads fingerprint and
compress them without the GIL. The first batches wait until there is enough text to train the dictionary on.
"""

from __future__ import annotations

import hashlib
import os
import time
from collections import deque
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from uuid import uuid4

import numpy as np
import xxhash

from codecite.indexer.config import IndexConfig
from codecite.indexer.corpus.units import Unit
from codecite.indexer.errors import SourceError
from codecite.indexer.fingerprint.batch import fingerprint_batch
from codecite.indexer.kernels.documents import Fingerprints
from codecite.indexer.kernels.types import Ints
from codecite.indexer.licenses.effective import effective
from codecite.indexer.records import Package, Skipped, SkipReason, SourceFile
from codecite.indexer.store.content import SAMPLE_BYTES, BlockCompressor, Blocks, train_dictionary
from codecite.indexer.store.known import Known
from codecite.indexer.store.manifest import (
    SegmentEntry,
    new_manifest,
    publish,
    read_manifest,
    remove_left_overs,
    segment_directory,
    writing,
)
from codecite.indexer.store.tables import evidence_to_json
from codecite.indexer.store.writer import MAX_CANONICAL, OriginRow, Project, SegmentWriter

_BATCH = 4 << 20
_EXAMPLES = 5
_AHEAD = 4


@dataclass(slots=True)
class SkipSummary:
    """How many files were skipped for one reason, and the first few of them."""

    count: int = 0
    examples: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a build has come: bytes and files read, and the unit at hand."""

    bytes: int
    files: int
    unit: str


@dataclass(frozen=True, slots=True)
class AddResult:
    """What `add` did. `failures` names the units that could not be read to their end."""

    generation: int
    documents: int
    origins: int
    bytes: int
    unchanged: int
    skipped: Mapping[SkipReason, SkipSummary]
    failures: tuple[str, ...]
    seconds: float


def add(
    directory: Path,
    units: Iterable[Unit],
    *,
    config: IndexConfig | None = None,
    progress: Callable[[Progress], None] | None = None,
) -> AddResult:
    """Add what is new in `units` to the index in `directory` (made if there is none) and publish it as one generation.

    Packages whose fingerprint is known are not read, known Documents get their new Origins, known Origins are not
    stored again. A unit that cannot be read to its end is named in the result, and read again the next time.
    Raises IndexLockedError, IndexVersionError, IndexCorruptError.
    """
    began = time.monotonic()
    with writing(directory):
        if (directory / "manifest.json").exists():
            manifest = read_manifest(directory)
        else:
            manifest = new_manifest(config or IndexConfig())
        remove_left_overs(directory, manifest)
        build = _Build(directory, Known(directory, manifest), progress)
        with ThreadPoolExecutor(os.cpu_count() or 1) as executor:
            entries = build.run(units, executor)
        if entries:
            built = datetime.now(UTC).isoformat(timespec="seconds")
            manifest = manifest.with_segments(entries, tuple(build.sources), built)
            publish(directory, manifest)
        elif manifest.generation == 0:
            publish(directory, manifest)
    return AddResult(
        manifest.generation,
        sum(entry.documents for entry in entries),
        sum(entry.origins for entry in entries),
        sum(entry.bytes for entry in entries),
        build.unchanged,
        build.skipped,
        tuple(build.failures),
        time.monotonic() - began,
    )


class _Build:
    """The state of one `add`: what was read, and the Segment it goes to."""

    def __init__(self, directory: Path, known: Known, progress: Callable[[Progress], None] | None) -> None:
        self._directory = directory
        self._known = known
        self._report = progress
        self._files = 0
        self._bytes = 0
        self.unchanged = 0
        self.skipped: dict[SkipReason, SkipSummary] = {}
        self.failures: list[str] = []
        self.sources: dict[str, None] = {}

    def run(self, units: Iterable[Unit], executor: ThreadPoolExecutor) -> tuple[SegmentEntry, ...]:
        """Read all units; return the Segments they filled."""
        entries: list[SegmentEntry] = []
        segment = _Segment(self._directory, executor)
        for unit in units:
            if unit.package.fingerprint is not None and unit.package.fingerprint in self._known.fingerprints:
                self.unchanged += 1
                continue
            complete = True
            files = unit.files()
            try:
                for file in files:
                    if isinstance(file, Skipped) or not file.content:
                        self._skip(unit, file if isinstance(file, Skipped) else Skipped(file.path, SkipReason.EMPTY))
                        continue
                    if segment.full(len(file.content)):
                        entries += segment.finish(self._known)
                        segment = _Segment(self._directory, executor)
                    self._take(unit.package, file, segment)
            except SourceError as error:
                self.failures.append(str(error))
                complete = False
            if unit.package.source not in self.sources:
                self.sources[unit.package.source] = None
            if complete and unit.package.fingerprint is not None:
                self._known.fingerprints.add(unit.package.fingerprint)
                segment.complete(unit.package)
        return (*entries, *segment.finish(self._known))

    def _skip(self, unit: Unit, file: Skipped) -> None:
        summary = self.skipped.setdefault(file.reason, SkipSummary())
        summary.count += 1
        if len(summary.examples) < _EXAMPLES:
            detail = f" ({file.detail})" if file.detail else ""
            summary.examples.append(f"{unit.package.purl or unit.package.source}: {file.path}{detail}")

    def _take(self, package: Package, file: SourceFile, segment: _Segment) -> None:
        content = file.content
        digest = hashlib.sha1(b"blob %d\0" % len(content), usedforsecurity=False)
        digest.update(content)
        self._files += 1
        self._bytes += len(content)
        segment.take(package, file, digest.digest(), self._known)
        if self._report is not None:
            self._report(Progress(self._bytes, self._files, package.purl or package.source))


class _Segment:
    """A Segment in the making: its writer, the batch at hand, and its rows."""

    def __init__(self, directory: Path, executor: ThreadPoolExecutor) -> None:
        self._directory = segment_directory(directory, uuid4().hex[:16])
        self._writer: SegmentWriter | None = None
        self._executor = executor
        self._contents: dict[bytes, int] = {}
        self._origins: list[OriginRow] = []
        self.packages: dict[Package, int] = {}
        self._complete: set[Package] = set()
        self._projects: list[Project] = []
        self._batch: list[bytes] = []
        self._held = 0
        self._raw = 0
        self._waiting: list[list[bytes]] = []
        self._compressor: BlockCompressor | None = None
        self._running: deque[tuple[Future[tuple[Blocks, Fingerprints]], Ints]] = deque()

    def full(self, size: int) -> bool:
        """Whether so many more raw bytes could exceed what a Segment holds."""
        return self._raw + size > MAX_CANONICAL

    def complete(self, package: Package) -> None:
        """A Package was read to its end: its fingerprint may be stored."""
        self._number(package)
        self._complete.add(package)

    def _number(self, package: Package) -> int:
        number = self.packages.get(package)
        if number is None:
            number = self.packages[package] = len(self.packages)
            name = project_name(package)
            self._projects.append(Project(name, xxhash.xxh3_64_intdigest(name.encode("utf-8", "surrogateescape"))))
        return number

    def take(self, package: Package, file: SourceFile, digest: bytes, known: Known) -> None:
        """Store one file: its content if that is new, its Origin if that is new."""
        place = f"{package.purl or package.source}\0{file.path}\0".encode("utf-8", "surrogateescape")
        key = xxhash.xxh3_64_intdigest(place + digest)
        if not known.add_origin(key):
            return
        document: int | bytes
        if digest in known.contents:
            document = digest
        elif digest in self._contents:
            document = self._contents[digest]
        else:
            document = self._contents[digest] = len(self._contents)
            self._batch.append(file.content)
            self._held += len(file.content)
            self._raw += len(file.content)
            if self._held >= _BATCH:
                self._flush()
        evidence = (*file.evidence, *package.evidence)
        self._origins.append(
            OriginRow(
                document,
                self._number(package),
                file.path,
                effective(evidence),
                evidence_to_json(file.evidence) if file.evidence else "[]",
                "\n".join(file.copyright),
                key,
            )
        )

    def _flush(self) -> None:
        if self._batch:
            self._waiting.append(self._batch)
        self._batch = []
        self._held = 0
        if self._compressor is not None or self._raw >= SAMPLE_BYTES:
            self._submit_waiting()

    def _submit_waiting(self) -> BlockCompressor:
        """Hand over what waits; the first time, train the dictionary on it."""
        if self._compressor is None:
            self._compressor = BlockCompressor(train_dictionary([b"".join(batch) for batch in self._waiting]))
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

    def finish(self, known: Known) -> list[SegmentEntry]:
        """Write the Segment, if there is anything in it."""
        if not self._origins and not self._complete:
            return []
        self._flush()
        compressor = self._submit_waiting()
        while self._running:
            self._collect()
        writer = self._writer or SegmentWriter(self._directory)
        known.contents.add_all(self._contents)
        packages = [
            package if package in self._complete else replace(package, fingerprint=None) for package in self.packages
        ]
        entry = writer.finish(
            compressor.dictionary,
            list(self._contents),
            self._origins,
            packages,
            self._projects,
            self._executor,
        )
        return [entry]


def _process(compressor: BlockCompressor, joined: bytes, ends: Ints) -> tuple[Blocks, Fingerprints]:
    """What a thread does with a batch."""
    raw = np.frombuffer(joined, np.uint8)
    return compressor.compress(raw), fingerprint_batch(raw, ends)


def project_name(package: Package) -> str:
    """What the Origins of a Package count as: the purl without its version, else the repository, else the source."""
    if package.purl is not None:
        return package.purl.split("?", 1)[0].split("#", 1)[0].rsplit("@", 1)[0]
    return package.repository or package.source
