"""The write path on one screen: units of a corpus in, one more generation of the index published.

In: units (`corpus/units.py`). Out: a new generation of the index. It refuses to know how a source is read, how text
is matched and how a Segment is laid out.

`Intake` reads the units; what they give comes here, where known content is told by its SHA-1 and new content goes to
the Segment in the making (`making.py`). Segments that are full are published between two units.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import numpy as np

from codecite.indexer.config import IndexConfig
from codecite.indexer.corpus.units import Pending, Unit
from codecite.indexer.errors import ConfigError
from codecite.indexer.intake import Intake
from codecite.indexer.keeping import AddResult, Keeping, Progress
from codecite.indexer.licenses.named import LicenseFilter
from codecite.indexer.making import SegmentMaker
from codecite.indexer.records import Package, SourceFile
from codecite.indexer.store.known import Known
from codecite.indexer.store.lexical import written
from codecite.indexer.store.manifest import Manifest, new_manifest, publish, read_manifest, remove_left_overs, writing
from codecite.indexer.store.origins import NewOrigin
from codecite.indexer.store.scanoss import with_scanoss
from codecite.indexer.upkeep import merge_due, read_takedowns, without


def add(
    directory: Path,
    units: Iterable[Unit],
    *,
    config: IndexConfig | None = None,
    sync: bool = False,
    only_licenses: LicenseFilter | None = None,
    generated: bool = False,
    lexical: bool = False,
    second: Callable[[SourceFile], SourceFile] | None = None,
    scanoss: bool = False,
    progress: Callable[[Progress], None] | None = None,
) -> AddResult:
    """Add what is new in `units` to the index in `directory` (made if there is none) and publish it.

    Packages whose fingerprint is known are not read, nor files whose stamp is; known Documents get their new Origins,
    known Origins are not stored again. A unit that cannot be read to its end leaves nothing, is named in the result,
    and is read again the next time. With `sync`, what the index holds of the sources of these units and they no longer
    have is removed, unless one of their units failed (`unsynced` names them).
    `only_licenses` belongs to the index: it is set when the index is made, holds for all that is added later, and is in
    the coverage of every Report. `generated` makes the index that of a ledger, `lexical` one that can be searched by
    words, `scanoss` one that can be asked for SCANOSS's fingerprints; both it stays. `second` adds to the evidence of a
    file (`licenses/scancode.py`).
    Raises IndexLockedError, IndexWriteError, IndexVersionError, IndexCorruptError, and ConfigError for a filter that is
    not the index's own.
    """
    began = time.monotonic()
    with writing(directory):
        if (directory / "manifest.json").exists():
            manifest = read_manifest(directory)
        else:
            manifest = replace(new_manifest(config or IndexConfig()), generated=generated)
        manifest = _filtered(directory, manifest, only_licenses)
        remove_left_overs(directory, manifest)
        with ThreadPoolExecutor(len(os.sched_getaffinity(0))) as executor:
            build = _Build(directory, manifest, executor, progress, lexical=lexical, scanoss=scanoss)
            Intake(build, executor, second).read(build.watched(units))
            build.finish(sync=sync)
            remove_left_overs(directory, build.manifest)
            manifest = merge_due(directory, build.manifest, executor)
    return build.result(manifest.generation, sync, time.monotonic() - began)


class _Build(Keeping):
    """The state of one `add`: what is known, what was met, and the Segment that new content goes to."""

    def __init__(
        self,
        directory: Path,
        manifest: Manifest,
        executor: ThreadPoolExecutor,
        progress: Callable[[Progress], None] | None,
        *,
        lexical: bool,
        scanoss: bool,
    ) -> None:
        super().__init__(manifest.license_filter, read_takedowns(directory, manifest), progress)
        self.manifest = manifest
        self._lexical = lexical or manifest.lexical is not None
        self._scanoss = scanoss or manifest.scanoss
        self._directory = directory
        self._executor = executor
        self._first = len(manifest.segments)
        self._known = Known(directory, manifest)
        self._maker = SegmentMaker(directory, manifest, executor)
        self._sources: set[str] = set()
        self._met_sources: set[str] = set()
        self._unplaced: dict[bytes, int] = {}

    def watched(self, units: Iterable[Unit]) -> Iterator[Unit]:
        """The units; between them a full Segment is published."""
        for unit in units:
            self._met_sources.add(unit.package.source)
            yield unit
            if self._maker.finished:
                self._publish()

    def is_known(self, package: Package) -> bool:
        """Whether the Package was read to its end before."""
        known = self._known.is_complete(package)
        self.unchanged_packages += known
        self.tell(package)
        return known

    def unchanged(self, files: list[tuple[Package, Pending]]) -> list[bool]:
        """Which files have the stamp of a live Origin."""
        stamps = [self.stamp(package, pending.stamp) for package, pending in files]
        same: list[bool] = self._known.unchanged(np.array(stamps, np.uint64)).tolist()
        self.unchanged_files += sum(same)
        self.tell(files[-1][0])
        return same

    def take(self, package: Package, file: SourceFile, digest: bytes, stamp: int) -> NewOrigin | None:
        """Keep the content, if it is new and its Origin may be."""
        origin = self.origin_of(package, file, digest, stamp)
        if origin is None or self._known.has_origin(origin.key):
            return None
        if digest not in self._known.contents and not self._maker.holds(digest):
            if not self._maker.has_room(len(file.content)):
                self._close(forced=True)
            self._maker.take(digest, file.content)
        return origin

    def commit(self, origins: list[NewOrigin]) -> None:
        """Store Origins, those that are new."""
        for origin in origins:
            if not self._known.has_origin(origin.key):
                self._known.add_origin(origin.key, origin.package)
                self._sources.add(origin.package.source)
                self._maker.place(origin)
                self.origins += 1
                size = self._unplaced.pop(origin.digest, None)
                if size is not None:
                    self.documents += 1
                    self.bytes += size
        if self._maker.full:
            self._close()

    def complete(self, package: Package) -> None:
        """Store that the Package is complete."""
        self._maker.complete(package, self._known.complete(package))

    def finish(self, *, sync: bool) -> None:
        """Write what is left, and publish everything."""
        self._close()
        lacking = (self._lexical and self.manifest.lexical is None) or (self._scanoss and not self.manifest.scanoss)
        if self._maker.finished or self.manifest.generation == 0 or lacking:
            self._publish()
        if sync:
            gone = self._known.unmet(self._met_sources - self.broken)
            self.removed = sum(int(np.count_nonzero(flags)) for flags in gone)
            if self.removed:
                old = [flags | more for flags, more in zip(self._known.removed(), gone, strict=True)]
                new = [np.zeros(entry.origins, bool) for entry in self.manifest.segments[self._first :]]
                self.manifest = without(self._directory, self.manifest, [*old, *new], self.manifest.takedowns)

    def _close(self, *, forced: bool = False) -> None:
        """End the Segment in the making, and begin another."""
        self._known.contents.add(self._maker.finish(forced=forced))
        self.documents += self._maker.documents
        self.bytes += self._maker.bytes
        self._unplaced |= self._maker.unplaced
        finished = self._maker.finished
        self._maker = SegmentMaker(self._directory, self.manifest, self._executor)
        self._maker.finished = finished

    def _publish(self) -> None:
        entries = (*self.manifest.segments, *self._maker.finished)
        sources = (*self.manifest.sources, *self._sources)
        self.manifest = self.manifest.following(entries, sources, self.manifest.takedowns)
        if self._lexical:
            self.manifest = written(self._directory, self.manifest, self._maker.finished, self._executor)
        if self._scanoss:
            self.manifest = with_scanoss(self._directory, self.manifest, self._maker.finished, self._executor)
        publish(self._directory, self.manifest)
        self._maker.finished = []


def _filtered(directory: Path, manifest: Manifest, only: LicenseFilter | None) -> Manifest:
    """The manifest with its filter: that of a new index is set, that of any other stays."""
    if only is None or str(only) == manifest.license_filter:
        return manifest
    if manifest.generation:
        held = f"only what is under {manifest.license_filter}" if manifest.license_filter else "any licence"
        raise ConfigError(f"{directory}: holds {held}; to hold only {only}, make another index")
    return replace(manifest, license_filter=str(only))
