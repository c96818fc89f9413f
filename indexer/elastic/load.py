"""The write path on one screen: units of a corpus in, one more generation of an index on a cluster published.

In: units (`corpus/units.py`), the place of an index. Out: a new generation of it. It refuses to know how a source is
read, and how passages are found.

All ids follow from what is stored, so whatever is sent twice is there once. Content is sent as it comes, the first
piece of a Document last; Origins are sent with the number of this load, which no reader sees before the manifest says
so. A loader that is killed leaves content without visible Origins, which the next one finds there, and Origins of its
load, which the next one deletes. Between two units a generation is published now and then.

Several loaders, each with its partition, fill an index under construction (`publishing.py`) without a lease.
"""

from __future__ import annotations

import os
import time
from collections import Counter, deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from dataclasses import replace
from typing import TypeVar
from uuid import uuid4

from codecite.indexer.config import IndexConfig
from codecite.indexer.corpus.units import Pending, Unit
from codecite.indexer.elastic.client import Cluster, paged
from codecite.indexer.elastic.figures import tally
from codecite.indexer.elastic.manifest import Held, Lease, Published, building, make, read
from codecite.indexer.elastic.mapping import key_of_origin, piece_id, shown, signed
from codecite.indexer.elastic.pieces import encode_batch, head_of
from codecite.indexer.elastic.place import parse_place
from codecite.indexer.elastic.publishing import (
    Partition,
    clear_left_overs,
    finish_partition,
    finish_removal,
    replicate,
    settle,
)
from codecite.indexer.elastic.rows import Rows, complete_action, hash_of, loaded, origin_action, package_action, under
from codecite.indexer.errors import ConfigError, IndexMissingError
from codecite.indexer.intake import Intake
from codecite.indexer.keeping import AddResult, Keeping, Progress
from codecite.indexer.licenses.named import LicenseFilter
from codecite.indexer.records import Package, SourceFile
from codecite.indexer.store.origins import NewOrigin

T = TypeVar("T")

_BATCH = 2 << 20
_BULK = 4 << 20
_ROWS = 2000
_AHEAD = 4
_ORIGINS = 1 << 19
"""New Origins after which a generation is published between two units."""


def add(
    url: str,
    units: Iterable[Unit],
    *,
    config: IndexConfig | None = None,
    sync: bool = False,
    only_licenses: LicenseFilter | None = None,
    lexical: bool = True,
    partition: Partition | None = None,
    second: Callable[[SourceFile], SourceFile] | None = None,
    progress: Callable[[Progress], None] | None = None,
) -> AddResult:
    """Add what is new in `units` to the index at `url` (made if there is none) and publish it.

    As `build.add` does for an index in a directory. With a `partition`, that part of the units goes to the index under
    construction, which `publishing.publish` makes the index.
    Raises ClusterError, ConfigError, IndexLockedError, IndexVersionError, IndexWriteError.
    """
    began = time.monotonic()
    cluster = Cluster(parse_place(url))
    try:
        held = _opened(cluster, None if partition is None else building(cluster), config, only_licenses, lexical)
        lease = None if partition is not None else Lease(cluster, held)
        with ThreadPoolExecutor(max(2, len(os.sched_getaffinity(0)))) as executor:
            load = _Load(cluster, held, lease, executor, progress, sync=sync)
            Intake(load, executor, second).read(load.watched(partition.of(units) if partition else units))
            load.finish()
            if partition is not None:
                finish_partition(cluster, partition, load.sources, whole=not load.failures)
        generation = held.published.generation if lease is None else lease.held.published.generation
        if lease is not None:
            lease.release()
        return load.result(generation, sync, time.monotonic() - began)
    finally:
        cluster.close()


def _opened(
    cluster: Cluster, alias: str | None, config: IndexConfig | None, only: LicenseFilter | None, lexical: bool
) -> Held:
    try:
        held = read(cluster, alias)
    except IndexMissingError:
        admitted = None if only is None else str(only)
        new = Published(uuid4().hex, config=config or IndexConfig(), license_filter=admitted, searchable=lexical)
        if alias is not None:
            # What was taken down stays out of a rebuilt index.
            with suppress(IndexMissingError):
                new = replace(new, takedowns=read(cluster).published.takedowns)
        held = make(cluster, alias or cluster.place.name, new)
    admitted = held.published.license_filter
    if only is not None and str(only) != admitted:
        said = f"only what is under {admitted}" if admitted else "any licence"
        raise ConfigError(f"{cluster.place.url}: holds {said}; to hold only {only}, make another index")
    return held


class _Load(Keeping):
    """The state of one `add`: what is on its way to the cluster, and what was met."""

    def __init__(
        self,
        cluster: Cluster,
        held: Held,
        lease: Lease | None,
        executor: ThreadPoolExecutor,
        progress: Callable[[Progress], None] | None,
        *,
        sync: bool,
    ) -> None:
        super().__init__(held.published.license_filter, held.published.rules, progress)
        self._cluster = cluster
        self._index = held.index
        self._lexical = held.published.searchable
        self._lease = lease
        self._executor = executor
        self._sync = sync
        self._rows = Rows(cluster, held.index)
        self._load = held.published.loaded + 1
        self.sources: set[str] = set()
        self._met_sources: set[str] = set()
        self._met: set[int] = set()
        self._sent: set[int] = set()
        self._seen: set[bytes] = set()
        self._batch: list[tuple[bytes, bytes]] = []
        self._held_bytes = 0
        self._lines: list[bytes] = []
        self._packages: dict[Package, int | None] = {}
        self._under: Counter[int] = Counter()
        self._running: deque[Future[None]] = deque()
        if lease is not None:
            clear_left_overs(cluster, lease)
            finish_removal(cluster, lease)
        self._refresh()

    def watched(self, units: Iterable[Unit]) -> Iterator[Unit]:
        """The units; between them a generation is published now and then."""
        for unit in units:
            self._met_sources.add(unit.package.source)
            yield unit
            if len(self._sent) >= _ORIGINS and self._lease is not None:
                self._publish()

    def is_known(self, package: Package) -> bool:
        """Whether the Package was read to its end before, and nothing of it was removed since."""
        named = hash_of(package.source, package.fingerprint)
        visible = loaded(0, self._load - 1)
        query = {"bool": {"filter": [{"term": {"packaged": named}}, visible]}}
        hits = self._cluster.hits(self._index, query, {"_source": ["row"]})
        complete = {hit["_source"]["row"]["complete"] for hit in hits}
        known = bool(complete)
        if known:
            stands = {"bool": {"filter": [{"term": {"under": named}}, visible]}}
            count = self._cluster.count(self._index, stands)
            known = count in complete
            if known:
                self._under.update({name: count for name in under(package) if name != named})
                if self._sync:
                    here = self._rows.hits([{"term": {"under": named}}, visible])
                    self._met.update(int(row.key, 16) for row in here)
        self.unchanged_packages += known
        self.tell(package)
        return known

    def unchanged(self, files: list[tuple[Package, Pending]]) -> list[bool]:
        """Which files have the stamp of a visible Origin."""
        stamps = [signed(self.stamp(package, pending.stamp)) for package, pending in files]
        filters = [{"terms": {"stamp": [stamp for stamp in stamps if stamp]}}, loaded(0, self._load - 1)]
        found = set()
        for hit in self._cluster.hits(self._index, {"bool": {"filter": filters}}, {"_source": ["stamp"]}):
            found.add(hit["_source"]["stamp"])
            self._met.add(key_of_origin(hit["_id"]))
        same = [stamp in found for stamp in stamps]
        self.unchanged_files += sum(same)
        self.tell(files[-1][0])
        return same

    def take(self, package: Package, file: SourceFile, digest: bytes, stamp: int) -> NewOrigin | None:
        """Send the content, unless it was sent, if its Origin may be."""
        origin = self.origin_of(package, file, digest, stamp)
        if origin is not None and digest not in self._seen:
            self._seen.add(digest)
            self._batch.append((digest, file.content))
            self._held_bytes += len(file.content)
            if self._held_bytes >= _BATCH:
                self._send_batch()
        return origin

    def commit(self, origins: list[NewOrigin]) -> None:
        """Send Origins, each once."""
        for origin in origins:
            self._met.add(origin.key)
            if origin.key in self._sent:
                continue
            self._sent.add(origin.key)
            self.sources.add(origin.package.source)
            self._under.update(under(origin.package))
            self._packages.setdefault(origin.package, None)
            self._lines.append(origin_action(origin, self.package_key(origin.package), self._load))
        if len(self._lines) >= _ROWS:
            self._send_rows()

    def complete(self, package: Package) -> None:
        """Note that the Package was read to its end."""
        self._packages[package] = self._under[hash_of(package.source, package.fingerprint)]

    def finish(self) -> None:
        """Send what is left, and publish everything."""
        if self._lease is None:
            self._drain()
            return
        self._publish()
        gone = self._met_sources - self.broken
        if self._sync and gone:
            self.removed = settle(self._cluster, self._lease, gone, self._met)

    def _publish(self) -> None:
        """Make what was sent visible."""
        lease = self._held_lease()
        self._drain()
        old = lease.held.published
        more = [loaded(self._load, self._load), {"exists": {"field": "digest"}}]
        origins = (origin for page in paged(self._rows.hits(more)) for origin in self._rows.read(page))
        change = tally(self._cluster, self._index, self._rows, origins, (0, old.loaded), 1)
        if change.sums["origins"] or self._packages or old.generation == 0:
            packages = self._cluster.count(self._index, {"exists": {"field": "named"}})
            figures = change.added_to(old.figures, packages)
            lease.publish(old.following(figures, {*old.sources, *self.sources}, loaded=self._load))
            if old.generation == 0:
                replicate(self._cluster, self._index)
            for name in ("documents", "origins", "bytes"):
                setattr(self, name, getattr(self, name) + change.sums[name])
            self._load += 1
        self._sent.clear()
        self._packages.clear()

    def _drain(self) -> None:
        """Send all that waits, and wait until it can be searched."""
        self._send_batch()
        for package, complete in self._packages.items():
            key = self.package_key(package)
            self._lines.append(package_action(package, key, self._load))
            if complete is not None:
                self._lines.append(complete_action(package, key, self._load, complete))
        self._send_rows()
        while self._running:
            self._running.popleft().result()
        self._refresh()

    def _refresh(self) -> None:
        self._cluster.call(lambda client: client.indices.refresh(index=self._index), writing=True)

    def _held_lease(self) -> Lease:
        if self._lease is None:
            raise ConfigError("an index under construction is published by 'codecite index publish'")
        return self._lease

    def _send_batch(self) -> None:
        if self._batch:
            self._submit(self._write_contents, self._batch)
        self._batch, self._held_bytes = [], 0

    def _send_rows(self) -> None:
        if self._lines:
            self._submit(self._write, self._lines)
        self._lines = []

    def _submit(self, what: Callable[[list[T]], None], items: list[T]) -> None:
        """Let a thread send something; wait while too much is on its way."""
        self._running.append(self._executor.submit(what, items))
        while len(self._running) > _AHEAD or (self._running and self._running[0].done()):
            self._running.popleft().result()
        if self._lease is not None:
            self._lease.renew()

    def _write_contents(self, batch: list[tuple[bytes, bytes]]) -> None:
        query = {"ids": {"values": [piece_id(digest, 0) for digest, _ in batch]}}
        hits = self._cluster.hits(self._index, query, shown("head"))
        known = {head_of(hit["fields"]["head"][0]).digest for hit in hits}
        new = [each for each in batch if each[0] not in known]
        if new:
            further, first = encode_batch(new, lexical=self._lexical)
            self._write(further)
            self._write(first)

    def _write(self, lines: Sequence[bytes]) -> None:
        begin = size = 0
        for i, line in enumerate(lines):
            size += len(line)
            if size >= _BULK or i + 1 == len(lines):
                self._cluster.bulk(self._index, lines[begin : i + 1])
                begin, size = i + 1, 0
