"""The manifest of an index on a cluster: one document, replaced by compare-and-swap; that is the publish.

In: a Cluster. Out: what is published, and what is under construction. It refuses to know what pieces and Origins are.

The alias NAME stands for the published index NAME-000001, the alias NAME.next for one under construction. A manifest is
replaced only where it is still the one that was read (`if_seq_no`), so of two writers one fails. A writer has a lease
in it, which it renews; one that is gone (another process on this machine, or silent for LEASE seconds) is taken over,
and whatever it left unpublished is cleared away.
"""

from __future__ import annotations

import os
import platform
import re
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

from codecite.indexer.config import IndexConfig
from codecite.indexer.elastic.client import Cluster, missing
from codecite.indexer.elastic.mapping import FORMAT, MANIFEST, index_body
from codecite.indexer.errors import (
    ConfigError,
    IndexCorruptError,
    IndexLockedError,
    IndexVersionError,
)
from codecite.indexer.records import Coverage
from codecite.indexer.store.manifest import Manifest
from codecite.indexer.store.takedowns import Takedowns

LEASE = 120
"""Seconds after which a writer that said nothing is taken for dead."""
_RENEW = 20


@dataclass(frozen=True, slots=True)
class Figures:
    """What is visible: sums, and how many Documents or Origins there are under each name."""

    documents: int = 0
    bytes: int = 0
    canonical_bytes: int = 0
    postings: int = 0
    origins: int = 0
    packages: int = 0
    licenses: Mapping[str, int] = field(default_factory=dict)
    categories: Mapping[str, int] = field(default_factory=dict)
    languages: Mapping[str, int] = field(default_factory=dict)
    evidence: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Published:
    """One generation. Readers see the Origins of the loads up to `loaded`.

    `takedowns` is in the form of `Takedowns.to_json`; `removing` says that Origins which these hide may still be there.
    `partitions` are those that were loaded whole (`2/8`) into an index under construction.
    """

    id: str
    generation: int = 0
    built: str = ""
    config: IndexConfig = field(default_factory=IndexConfig)
    sources: tuple[str, ...] = ()
    license_filter: str | None = None
    searchable: bool = False
    loaded: int = 0
    figures: Figures = field(default_factory=Figures)
    takedowns: Mapping[str, Any] | None = None
    removing: bool = False
    partitions: tuple[str, ...] = ()
    writer: Mapping[str, Any] | None = None

    def following(self, figures: Figures, sources: set[str], **more: Any) -> Published:
        """The next generation, built now."""
        built = datetime.now(UTC).isoformat(timespec="seconds")
        return replace(
            self,
            generation=self.generation + 1,
            built=built,
            figures=figures,
            sources=tuple(sorted(sources)),
            **more,
        )

    @property
    def coverage(self) -> Coverage:
        """What this generation holds."""
        return Coverage(
            self.id,
            self.generation,
            self.built,
            self.figures.documents,
            self.figures.bytes,
            self.sources,
            self.license_filter,
            self.config.guarantee,
        )

    @property
    def rules(self) -> Takedowns:
        """What must not be in the index."""
        return Takedowns(()) if self.takedowns is None else Takedowns.from_json(self.takedowns)

    @property
    def manifest(self) -> Manifest:
        """The same in the form of an embedded index without Segments."""
        return Manifest(
            self.id, self.generation, self.built, self.config, self.sources, license_filter=self.license_filter
        )


@dataclass(frozen=True, slots=True)
class Held:
    """A manifest as it was read: the Elasticsearch index it lies in, and what a replacement must find unchanged."""

    index: str
    published: Published
    sequence: int
    term: int


def building(cluster: Cluster) -> str:
    """The alias of the index under construction."""
    return f"{cluster.place.name}.next"


def read(cluster: Cluster, alias: str | None = None) -> Held:
    """The manifest behind an alias, by default the published one. Raises IndexMissingError, IndexVersionError."""
    name = alias or cluster.place.name
    answer = cluster.call(lambda client: client.options(ignore_status=[404]).get(index=name, id=MANIFEST)).body
    if not answer.get("found"):
        if answer.get("found") is False:
            _raise_version(cluster, name)
        raise missing(cluster.place.url)
    fields = answer["_source"].get("row")
    if not isinstance(fields, dict) or fields.get("format") != FORMAT:
        _raise_version(cluster, name, (fields or {}).get("format"))
    try:
        values = {key: value for key, value in fields.items() if key != "format"}
        published = Published(
            **values
            | {
                "config": IndexConfig(**fields["config"]),
                "figures": Figures(**fields["figures"]),
                "sources": tuple(fields["sources"]),
                "partitions": tuple(fields["partitions"]),
            }
        )
    except ConfigError as error:
        raise IndexVersionError(f"{cluster.place.url}: {error}; build the index again") from None
    except (KeyError, TypeError) as error:
        raise IndexCorruptError(f"{cluster.place.url}: its manifest lacks a field ({error}); build it again") from None
    return Held(answer["_index"], published, answer["_seq_no"], answer["_primary_term"])


def _raise_version(cluster: Cluster, name: str, found: str | None = None) -> None:
    if found is None:
        answer = cluster.call(lambda client: client.indices.get_mapping(index=name)).body
        found = next(iter(answer.values()))["mappings"].get("_meta", {}).get("format")
    if found == FORMAT:
        # Its maker died before the manifest came, or is about to write it.
        raise missing(cluster.place.url)
    raise IndexVersionError(
        f"{cluster.place.url}: is in the form {found or 'of something else'}, this version reads {FORMAT}; "
        "build the index again: under another name, or with --partition 1/1 and 'codecite index publish'"
    )


def write(cluster: Cluster, held: Held, published: Published) -> Held:
    """Put a manifest in the place of the one that was read. Raises IndexLockedError where that is gone."""
    from elasticsearch import ConflictError

    def put(client: Any) -> Any:
        try:
            return client.index(
                index=held.index,
                id=MANIFEST,
                document={"row": {"format": FORMAT, **asdict(published)}},
                if_seq_no=held.sequence,
                if_primary_term=held.term,
            ).body
        except ConflictError:
            return None

    answer = cluster.call(put, writing=True)
    if answer is None:
        raise IndexLockedError(
            f"{cluster.place.url}: another process has written to this index meanwhile; nothing was published, run it "
            "again"
        )
    return Held(held.index, published, answer["_seq_no"], answer["_primary_term"])


def make(cluster: Cluster, alias: str, published: Published) -> Held:
    """Make a new Elasticsearch index behind an alias that stands for none; what another made meanwhile is taken."""
    from elasticsearch import ApiError

    name = cluster.place.name
    there = cluster.call(lambda client: client.indices.get(index=f"{name}-*", features="aliases")).body
    # One whose maker died before its manifest came has an alias already.
    if not any(alias in fields["aliases"] for fields in there.values()):
        numbers = [int(found[1]) for index in there if (found := re.fullmatch(re.escape(name) + r"-(\d{6})", index))]
        body = index_body(cluster.place.shards) | {"aliases": {alias: {}}}

        def create(client: Any) -> None:
            try:
                client.indices.create(index=f"{name}-{max(numbers, default=0) + 1:06d}", body=body)
            except ApiError as error:
                if "resource_already_exists" not in str(error):
                    raise

        cluster.call(create, writing=True)
    document = {"row": {"format": FORMAT, **asdict(published)}}
    cluster.call(
        lambda client: client.options(ignore_status=[409]).create(
            index=alias, id=MANIFEST, document=document, require_alias=True
        ),
        writing=True,
    )
    return read(cluster, alias)


class Lease:
    """The right to write an index, for as long as it is renewed. `held` is the manifest as this writer left it."""

    def __init__(self, cluster: Cluster, held: Held) -> None:
        self._cluster = cluster
        self._me = {"host": platform.node(), "process": os.getpid(), "token": uuid4().hex}
        other = held.published.writer
        if other is not None and _is_alive(other):
            raise IndexLockedError(
                f"{cluster.place.url}: process {other['process']} on {other['host']} is writing to this index; wait "
                f"until it is done and try again (if it is gone, in {LEASE} seconds)"
            )
        self.held = held
        self._renewed = 0.0
        self.renew()

    def renew(self) -> None:
        """Stay the writer; some seconds after the last time it costs nothing."""
        if time.monotonic() - self._renewed >= _RENEW:
            self._put(self.held.published, {**self._me, "until": time.time() + LEASE})

    def publish(self, published: Published) -> None:
        """Publish a generation, and stay the writer."""
        self._put(published, {**self._me, "until": time.time() + LEASE})

    def release(self) -> None:
        """Be the writer no more."""
        self._put(self.held.published, None)

    def _put(self, published: Published, writer: Mapping[str, Any] | None) -> None:
        self.held = write(self._cluster, self.held, replace(published, writer=writer))
        self._renewed = time.monotonic()


def _is_alive(writer: Mapping[str, Any]) -> bool:
    if writer["host"] == platform.node():
        try:
            os.kill(writer["process"], 0)
        except ProcessLookupError:
            return False
        except PermissionError:
            return True
    return bool(writer["until"] > time.time())
