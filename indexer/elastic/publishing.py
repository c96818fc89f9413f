"""What becomes of an index on a cluster beside new content: partitions, publishing a rebuilt one, removal, erasing.

In: a Cluster, the lease of its writer. Out: new generations. It refuses to know how sources are read.

A removal first says so in the manifest, then deletes Origins, then publishes the figures without them; where it was
killed between, the next writer ends it. What has no Origin any more is deleted, content and all.
"""

from __future__ import annotations

import re
import time
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import xxhash

from codecite.indexer.corpus.units import Item, Pending, Unit
from codecite.indexer.elastic.client import PAGE, Cluster, paged
from codecite.indexer.elastic.figures import Tally, tally
from codecite.indexer.elastic.manifest import Figures, Lease, Published, building, read, write
from codecite.indexer.elastic.mapping import MANIFEST, origin_id, piece_id, shown
from codecite.indexer.elastic.pieces import head_of
from codecite.indexer.elastic.place import parse_place
from codecite.indexer.elastic.rows import Rows, hash_of, loaded
from codecite.indexer.errors import ConfigError, IndexLockedError, IndexMissingError
from codecite.indexer.making import project_name
from codecite.indexer.records import SourceFile
from codecite.indexer.store.origins import NewOrigin
from codecite.indexer.store.takedowns import Takedown, Takedowns
from codecite.indexer.upkeep import CompactResult, RemoveResult

_ORIGIN = {"exists": {"field": "digest"}}
_NONE = (1, 0)


@dataclass(frozen=True, slots=True)
class Partition:
    """Part `number` of `count`, from 1. Which part a file, row or package is in follows from its name alone."""

    number: int
    count: int

    def __str__(self) -> str:
        return f"{self.number}/{self.count}"

    def of(self, units: Iterable[Unit]) -> Iterator[Unit]:
        """The units without what is in other parts. What is whole or nothing is in one part."""
        for unit in units:
            if not unit.whole:
                yield replace(unit, files=self._inside(unit.files))
            elif self._has(f"{unit.package.source}\0{unit.package.purl}\0{unit.package.revision}"):
                yield unit

    def _inside(self, files: Callable[[], Iterator[Item]]) -> Callable[[], Iterator[Item]]:
        def mine() -> Iterator[Item]:
            for item in files():
                if isinstance(item, Unit):
                    yield from self.of([item])
                elif not isinstance(item, Pending | SourceFile) or self._has(item.path):
                    yield item

        return mine

    def _has(self, name: str) -> bool:
        return xxhash.xxh3_64_intdigest(name.encode("utf-8", "surrogateescape")) % self.count == self.number - 1


def parse_partition(text: str) -> Partition:
    """`2/8` as a Partition. Raises ConfigError."""
    found = re.fullmatch(r"(\d{1,6})/(\d{1,6})", text)
    if not found or not 1 <= int(found[1]) <= int(found[2]):
        raise ConfigError(f"{text!r} is no partition; write 2/8 for the second of eight")
    return Partition(int(found[1]), int(found[2]))


def finish_partition(cluster: Cluster, partition: Partition, sources: set[str], *, whole: bool) -> None:
    """Note in the index under construction that a partition is in it; where not all could be read, only its sources."""
    for _ in range(100):
        held = read(cluster, building(cluster))
        old = held.published
        done = {*old.partitions, str(partition)} if whole else set(old.partitions)
        try:
            write(
                cluster,
                held,
                replace(old, sources=tuple(sorted({*old.sources, *sources})), partitions=tuple(sorted(done))),
            )
        except IndexLockedError:
            time.sleep(0.05)
            continue
        return
    raise IndexLockedError(f"{cluster.place.url}: many others write to this index; run it again")


def publish(url: str) -> Published:
    """Make the index under construction the index, in one step. The one before stays beside it until the next time.

    Raises ConfigError where a partition is missing, IndexMissingError where nothing is under construction.
    """
    cluster = Cluster(parse_place(url))
    try:
        return _publish(cluster)
    finally:
        cluster.close()


def _publish(cluster: Cluster) -> Published:
    alias, name, url = building(cluster), cluster.place.name, cluster.place.url
    try:
        held = read(cluster, alias)
    except IndexMissingError:
        raise IndexMissingError(
            f"{url}: nothing is under construction here; 'codecite index add SOURCE --partition 1/1' begins with that"
        ) from None
    done = set(held.published.partitions)
    count = max((int(part.partition("/")[2]) for part in done), default=1)
    missing = [part for number in range(1, count + 1) if (part := f"{number}/{count}") not in done]
    if missing:
        raise ConfigError(f"{url}: not all is loaded yet; --partition {', '.join(missing[:8])} is missing")
    lease = Lease(cluster, held)
    try:
        rules = read(cluster).published.takedowns
    except IndexMissingError:
        rules = held.published.takedowns
    old = lease.held.published
    # What is under construction has one load.
    lease.publish(replace(old, loaded=1, takedowns=rules, removing=True))
    finish_removal(cluster, lease)
    lease.release()
    replicate(cluster, held.index)
    cluster.call(
        lambda client: client.options(request_timeout=600).cluster.health(
            index=held.index, wait_for_status="yellow", wait_for_no_relocating_shards=True, timeout="300s"
        )
    )
    found = cluster.call(lambda client: client.indices.get(index=f"{name}-*", features="aliases")).body
    mine = {each: set(fields["aliases"]) for each, fields in found.items() if re.fullmatch(rf"{name}-\d{{6}}", each)}
    before = [each for each, aliases in mine.items() if name in aliases]
    actions: list[dict[str, Any]] = [{"remove": {"index": each, "alias": name}} for each in before]
    actions += [{"add": {"index": held.index, "alias": name}}, {"remove": {"index": held.index, "alias": alias}}]
    cluster.call(lambda client: client.indices.update_aliases(actions=actions), writing=True)
    stale = sorted(mine.keys() - {held.index, *before})
    if stale:
        cluster.call(lambda client: client.indices.delete(index=stale, ignore_unavailable=True), writing=True)
    return lease.held.published


def replicate(cluster: Cluster, index: str) -> None:
    """Keep a copy of each shard on another node, if there is one; while an index is filled first there is none."""
    settings = {"index": {"auto_expand_replicas": "0-1"}}
    cluster.call(lambda client: client.indices.put_settings(index=index, settings=settings), writing=True)


def clear_left_overs(cluster: Cluster, lease: Lease) -> None:
    """Delete the Origins and Packages of a load that was never published."""
    held = lease.held
    _refresh(cluster, held.index)
    query = loaded(held.published.loaded + 1, 1 << 30)
    _delete(cluster, held.index, (hit["_id"] for hit in cluster.hits(held.index, query, {"_source": False})))


def finish_removal(cluster: Cluster, lease: Lease) -> None:
    """End a removal that was killed, if there is one: delete what the rules hide, and count what is left."""
    old = lease.held.published
    if not old.removing:
        return
    index = lease.held.index
    rows = Rows(cluster, index)
    if old.takedowns is not None:
        gone = _hidden(cluster, rows, Takedowns.from_json(old.takedowns), old.loaded)
        _delete(cluster, index, [origin_id(origin.key) for origin in gone])
    _refresh(cluster, index)
    everything = (origin for page in paged(rows.hits([_ORIGIN, loaded(0, old.loaded)])) for origin in rows.read(page))
    change = tally(cluster, index, rows, everything, _NONE, 1)
    _conclude(cluster, lease, change, Figures())


def settle(cluster: Cluster, lease: Lease, sources: Collection[str], met: Collection[int]) -> int:
    """Remove the Origins of some sources that were not met; how many these are."""
    held = lease.held
    rows = Rows(cluster, held.index)
    named = {"terms": {"source": [hash_of(source) for source in sources]}}
    here = rows.hits([named, loaded(0, held.published.loaded)])
    gone = rows.read([row for row in here if int(row.key, 16) not in met])
    if gone:
        _take_out(cluster, lease, rows, gone, held.published.takedowns)
    return len(gone)


def remove(url: str, rules: Iterable[Takedown], *, dry_run: bool = False) -> RemoveResult:
    """As `upkeep.remove`; what no Origin is left of is erased at once."""
    began = time.monotonic()
    cluster = Cluster(parse_place(url))
    try:
        held = read(cluster)
        lease = None if dry_run else Lease(cluster, held)
        if lease is not None:
            finish_removal(cluster, lease)
            held = lease.held
        published, rows = held.published, Rows(cluster, held.index)
        before = published.rules
        _refresh(cluster, held.index)
        new = tuple(rule for rule in dict.fromkeys(rules) if rule not in before.rules)
        after = before.merged(new)
        gone = _hidden(cluster, rows, after, published.loaded)
        packages = Counter(project_name(origin.package) for origin in gone)
        digests = {origin.digest for origin in gone}
        keys = {origin.key for origin in gone}
        left: set[bytes] = set()
        for origin in rows.origins([digest.hex() for digest in digests], (0, published.loaded)):
            if origin.key not in keys:
                left.add(origin.digest)
        if lease is not None:
            if gone or new:
                _take_out(cluster, lease, rows, gone, after.to_json())
            lease.release()
            published = lease.held.published
        return RemoveResult(
            published.generation,
            new,
            len(gone),
            len(digests - left),
            len(left),
            dict(packages.most_common()),
            time.monotonic() - began,
        )
    finally:
        cluster.close()


def compact(url: str) -> CompactResult:
    """Count anew, erase what no Origin is left of, and let the cluster merge away what was deleted."""
    began = time.monotonic()
    cluster = Cluster(parse_place(url))
    try:
        lease = Lease(cluster, read(cluster))
        clear_left_overs(cluster, lease)
        lease.publish(replace(lease.held.published, removing=True))
        finish_removal(cluster, lease)
        index = lease.held.index
        before = stored(cluster, index)
        erased = 0
        rows = Rows(cluster, index)
        for page in paged(cluster.hits(index, {"exists": {"field": "head"}}, shown("head"))):
            heads = [head_of(hit["fields"]["head"][0]) for hit in page]
            named = sorted({head.digest.hex() for head in heads})
            left = {origin.digest for origin in rows.origins(named, (0, 1 << 30))}
            gone = [head for head in heads if head.digest not in left]
            _delete(cluster, index, [piece_id(head.digest, head.number) for head in gone])
            erased += sum(head.number == 0 for head in gone)
        _refresh(cluster, index)
        cluster.call(
            lambda client: client.options(request_timeout=3600).indices.forcemerge(
                index=index, only_expunge_deletes=True
            ),
            writing=True,
        )
        lease.release()
        after = stored(cluster, index)
        generation = lease.held.published.generation
        return CompactResult(generation, before[1], after[1], before[0], after[0], erased, time.monotonic() - began)
    finally:
        cluster.close()


def takedowns_of(url: str) -> tuple[int, Takedowns]:
    """The generation of an index, and what must not be in it."""
    cluster = Cluster(parse_place(url))
    try:
        published = read(cluster).published
        return published.generation, published.rules
    finally:
        cluster.close()


def stored(cluster: Cluster, index: str) -> tuple[int, int]:
    """The bytes of all primary shards of an Elasticsearch index, and its Lucene segments."""
    found = cluster.call(lambda client: client.indices.stats(index=index, metric="store,segments")).body
    primaries = found["_all"]["primaries"]
    return int(primaries["store"]["size_in_bytes"]), int(primaries["segments"]["count"])


def _take_out(cluster: Cluster, lease: Lease, rows: Rows, gone: Sequence[NewOrigin], takedowns: Any) -> None:
    """Delete Origins, and publish the generation without them."""
    index = lease.held.index
    lease.publish(replace(lease.held.published, takedowns=takedowns, removing=True))
    _delete(cluster, index, [origin_id(origin.key) for origin in gone])
    _refresh(cluster, index)
    change = tally(cluster, index, rows, gone, (0, lease.held.published.loaded), -1)
    _erase(cluster, index, rows, {origin.digest for origin in gone})
    _refresh(cluster, index)
    _conclude(cluster, lease, change, lease.held.published.figures)


def _conclude(cluster: Cluster, lease: Lease, change: Tally, before: Figures) -> None:
    held = lease.held
    old = held.published
    packages = cluster.count(held.index, {"exists": {"field": "named"}})
    sources = set()
    for source in old.sources:
        here = [{"term": {"source": hash_of(source)}}, loaded(0, old.loaded)]
        if cluster.count(held.index, {"bool": {"filter": here}}):
            sources.add(source)
    lease.publish(old.following(change.added_to(before, packages), sources, removing=False))


def _hidden(cluster: Cluster, rows: Rows, takedowns: Takedowns, last: int) -> list[NewOrigin]:
    """The visible Origins that a takedown hides."""
    visible = loaded(0, last)
    if takedowns.paths:
        everything = (origin for page in paged(rows.hits([_ORIGIN, visible])) for origin in rows.read(page))
        return [
            origin
            for origin in everything
            if takedowns.hides_package(origin.package)
            or takedowns.hides_content(origin.digest)
            or takedowns.hides_path(origin.path)
        ]
    found: dict[int, NewOrigin] = {}
    keys = [key for key, package in rows.all_packages() if takedowns.hides_package(package)]
    for field, values in (("package", keys), ("digest", [digest.hex() for digest in takedowns.contents])):
        for at in range(0, len(values), PAGE):
            hits = rows.hits([{"terms": {field: values[at : at + PAGE]}}, visible])
            found.update((origin.key, origin) for origin in rows.read(hits))
    return list(found.values())


def _erase(cluster: Cluster, index: str, rows: Rows, digests: set[bytes]) -> None:
    """Delete the pieces of those of some Documents that no Origin names."""
    left = {origin.digest for origin in rows.origins([digest.hex() for digest in digests], (0, 1 << 30))}
    names = [piece_id(digest, 0) for digest in digests - left]
    for at in range(0, len(names), PAGE):
        some = names[at : at + PAGE]
        heads = [
            head_of(hit["fields"]["head"][0]) for hit in cluster.hits(index, {"ids": {"values": some}}, shown("head"))
        ]
        _delete(cluster, index, some)
        _delete(cluster, index, [piece_id(head.digest, n) for head in heads for n in range(1, head.count)])


def _delete(cluster: Cluster, index: str, names: Iterable[str]) -> None:
    lines = [f'{{"delete":{{"_id":"{name}"}}}}\n'.encode() for name in names if name != MANIFEST]
    for at in range(0, len(lines), PAGE):
        cluster.bulk(index, lines[at : at + PAGE])


def _refresh(cluster: Cluster, index: str) -> None:
    cluster.call(lambda client: client.indices.refresh(index=index), writing=True)
