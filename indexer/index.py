"""The library on one screen: an opened index, and the Report on a text.

In: directories of indexes, texts. Out: Reports. It puts lookup and attribution together and knows no more of either.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Hashable, Iterable, Mapping
from dataclasses import replace
from functools import partial
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from codecite.indexer.attribution.attribute import attribute, described
from codecite.indexer.attribution.judge import claim_of, is_own, sources_wanted
from codecite.indexer.attribution.policy import Policy, load_policy
from codecite.indexer.backend import Index as Index
from codecite.indexer.backend import IndexStats as IndexStats
from codecite.indexer.config import GUARANTEE
from codecite.indexer.elastic.place import is_elastic
from codecite.indexer.errors import ConfigError
from codecite.indexer.fingerprint.handover import Fingerprinted
from codecite.indexer.ledger import index_of_ledger, with_records
from codecite.indexer.licenses.categories import category
from codecite.indexer.lookup.candidates import look_up
from codecite.indexer.lookup.clusters import ClusterStats, cluster_table, find_clusters, write_clusters
from codecite.indexer.lookup.documents import Document, digest_named, find_document, known_of
from codecite.indexer.lookup.exact import Passage, find_passages
from codecite.indexer.lookup.facets import Facets
from codecite.indexer.lookup.lexical import search
from codecite.indexer.lookup.matches import find_matches
from codecite.indexer.lookup.near_matches import find_near_matches
from codecite.indexer.lookup.query import parse_query
from codecite.indexer.lookup.recognised import Recognised
from codecite.indexer.lookup.similar import find_similar, first_source
from codecite.indexer.lookup.stream import SPACE
from codecite.indexer.lookup.wfp import LEAST_HITS, WfpFile, WfpMatch, find_wfp
from codecite.indexer.records import (
    Attribution,
    Counts,
    Coverage,
    Match,
    Measure,
    Report,
    SearchHit,
    SearchReport,
    SimilarFile,
    SimilarReport,
    Source,
)
from codecite.indexer.remote.index import connect, is_server
from codecite.indexer.store.documents import file_of
from codecite.indexer.store.lexical import LexicalReader
from codecite.indexer.store.manifest import manifest_stamp, read_manifest
from codecite.indexer.store.snapshot import Snapshot
from codecite.indexer.store.statistics import evidence_of, groups_of, languages_of, licenses_of, packages_of
from codecite.indexer.stream import Part
from codecite.indexer.text.checked import CheckedText, encode
from codecite.indexer.together import TogetherIndex
from codecite.indexer.upkeep import takedowns_in_force

if TYPE_CHECKING:
    from codecite.indexer.elastic.snapshot import ElasticSnapshot

_MOST_HITS = 10_000
_VIEWS = 8
"""Sets of own projects for which a view of the index is kept."""


class EmbeddedIndex(Index):
    """One or several indexes that are read from here, each on the generation that was live when it was opened.

    They lie in directories, or on clusters: of those, what a question bears on is fetched and read as a directory is.
    """

    def __init__(self, directories: tuple[Path | str, ...]) -> None:
        self._directories = directories
        self._snapshots: tuple[Snapshot | ElasticSnapshot, ...] = tuple(map(_opened, directories))
        self._coverage = tuple(snapshot.coverage for snapshot in self._snapshots)
        self._readers: dict[Path | str, LexicalReader] = {}
        self._views: dict[tuple[str, ...], tuple[tuple[Snapshot | ElasticSnapshot, ...], tuple[Coverage, ...]]] = {}

    def check(
        self,
        text: str | bytes,
        *,
        before: str | bytes = "",
        after: str | bytes = "",
        policy: Policy | str | Path | None = None,
        sources: int = 5,
        near: bool = False,
        shortest: int = 1,
    ) -> Report:
        """As `Index.check`."""
        held = policy if isinstance(policy, Policy) else load_policy(policy or "audit")
        snapshots, coverage = self._seen_by(held)
        checked = CheckedText(text, before, after)
        more = sources_wanted(held)
        near = near or held.near
        matches = self._matches(snapshots, checked, held, sources, lambda counts: more, near=near, shortest=shortest)
        if len(snapshots) > 1 or near:
            matches.sort(key=lambda item: (item[0].start, -item[0].end))
        attributions, verdict = attribute(matches, checked.bytes, held, sources)
        return Report(
            indexes=coverage,
            text_sha256=checked.sha256,
            text_start=checked.start_point,
            text_end=checked.end_point,
            attributions=attributions,
            verdict=verdict,
            policy_name=held.name,
            policy_sha256=held.sha256,
        )

    def look(self, part: Part, policy: Policy, sources: int = 5) -> tuple[Attribution, ...]:
        """As `Index.look`."""
        snapshots, _ = self._seen_by(policy)
        checked = CheckedText(part.raw[part.own :], part.raw[part.context : part.own])
        new = len(part.raw[part.context : part.new].translate(None, SPACE))
        matches = self._matches(snapshots, checked, policy, sources, partial(sources_wanted, policy), new)
        return attribute(matches, part.raw, policy, sources, part.context)[0]

    def _matches(
        self,
        snapshots: tuple[Snapshot | ElasticSnapshot, ...],
        text: CheckedText,
        policy: Policy,
        sources: int,
        more: Callable[[Counts], int],
        beyond: int = 0,
        near: bool = False,
        shortest: int = 1,
    ) -> list[tuple[Match, tuple[Source, ...]]]:
        """The Matches in each index, with as many sources as are to be shown, or as the policy must see."""
        found = []
        for directory, held in zip(self._directories, snapshots, strict=True):
            snapshot = held if isinstance(held, Snapshot) else held.about(text, near=near)
            passages = [item for item in find_passages(snapshot, text, shortest) if item.end >= beyond]
            matches = find_matches(snapshot, text, passages, sources, more, policy.min_bytes, claim_of)
            if near:
                found_near = find_near_matches(snapshot, text, passages, sources, more, claim_of)
                matches += [item for item in found_near if item[0].bytes_in_text >= shortest]
            found += with_records(Path(directory), matches) if snapshot.manifest.generated else matches
        return found

    def _seen_by(self, policy: Policy) -> tuple[tuple[Snapshot | ElasticSnapshot, ...], tuple[Coverage, ...]]:
        """What a policy has searched: its own projects are as good as absent."""
        own = policy.own_projects
        if not own:
            return self._snapshots, self._coverage
        found = self._views.get(own)
        if found is None:
            snapshots = tuple(snapshot.without(partial(is_own, own)) for snapshot in self._snapshots)
            found = snapshots, tuple(snapshot.coverage for snapshot in snapshots)
            if len(self._views) >= _VIEWS:
                self._views.clear()
            self._views[own] = found
        return found

    def search(
        self,
        query: str,
        *,
        language: str | None = None,
        license: str | None = None,
        repository: str | None = None,
        path: str | None = None,
        limit: int = 10,
        offset: int = 0,
        facets: bool = False,
    ) -> SearchReport:
        """As `Index.search`."""
        if not 1 <= limit <= _MOST_HITS or not 0 <= offset <= _MOST_HITS:
            raise ConfigError(f"limit is {limit}, offset is {offset}; {_MOST_HITS:,} are the most, 1 hit the least")
        options = {"language": language, "license": license, "repository": repository, "path": path}
        asked = parse_query(query)
        more = tuple((name, value) for name, value in options.items() if value)
        asked = replace(asked, fields=asked.fields + more)
        found: list[tuple[float, str, SearchHit]] = []
        total, capped, tally = 0, False, Facets() if facets else None
        for directory, snapshot in zip(self._directories, self._snapshots, strict=True):
            if isinstance(snapshot, Snapshot):
                reader = self._reader(directory, snapshot)
                hits, count, open_ended = search(snapshot, reader, asked, offset + limit, tally)
            else:
                hits, count, open_ended = snapshot.search(asked, offset + limit, tally)
            index = snapshot.manifest.id
            for hit in hits:
                made = SearchHit(index, hit.score, described(hit.source), hit.snippet, hit.terms)
                found.append((-hit.score, hit.source.swhid, made))
            total, capped = total + count, capped or open_ended
        found.sort(key=lambda each: each[:2])
        chosen = tuple(hit for _, _, hit in found[offset : offset + limit])
        counts = None if tally is None else tally.counts()
        return SearchReport(self._coverage, query, offset, total, capped, chosen, counts)

    def _reader(self, directory: Path | str, snapshot: Snapshot) -> LexicalReader | None:
        named = snapshot.manifest.lexical
        if named is None:
            return None
        reader = self._readers.get(directory)
        if reader is None:
            reader = self._readers[directory] = LexicalReader(Path(directory), named[0])
        return reader

    def similar(self, text: str | bytes, *, limit: int = 10, at_least: float = 0.5) -> SimilarReport:
        """As `Index.similar`."""
        if limit < 1 or not 0 <= at_least <= 1:
            raise ConfigError(f"limit is {limit} (1 or more), at_least is {at_least} (from 0 to 1)")
        content = encode(text, "text")
        found: list[tuple[float, str, SimilarFile]] = []
        for held in self._snapshots:
            snapshot = held if isinstance(held, Snapshot) else held.alike(content, limit)
            for item in find_similar(snapshot, content, limit, at_least):
                source, origins = first_source(snapshot, item)
                index, measure = snapshot.manifest.id, Measure.JACCARD
                made = SimilarFile(index, item.similarity, measure, described(source), origins)
                found.append((-item.similarity, source.swhid, made))
        files = tuple(file for _, _, file in sorted(found, key=lambda each: each[:2])[:limit])
        return SimilarReport(self._coverage, hashlib.sha256(content).hexdigest(), at_least, files)

    def recognise(
        self,
        file: Fingerprinted,
        *,
        policy: Policy | str | Path | None = None,
        sources: int = 5,
        shortest: int = GUARANTEE,
    ) -> Recognised:
        """As `Index.recognise`."""
        held = policy if isinstance(policy, Policy) else load_policy(policy or "audit")
        looked = look_up(
            self._in_directories(self._seen_by(held)[0]), file, sources, max(sources, sources_wanted(held)), shortest
        )
        candidates, verdict = attribute(looked.found, None, held, sources)
        known = tuple(map(described, looked.known))
        return Recognised(file, known, looked.known_origins, candidates, verdict, looked.passed_over)

    def lookup(self, text: str | bytes, *, before: str | bytes = "", after: str | bytes = "") -> list[list[Passage]]:
        """The bare passages of `text` in each index: spans, counts and licence sets, without sources."""
        checked = CheckedText(text, before, after)
        snapshots = (held if isinstance(held, Snapshot) else held.about(checked) for held in self._snapshots)
        return [find_passages(snapshot, checked) for snapshot in snapshots]

    def file_beside(self, source: Mapping[str, Any], path: str) -> bytes | None:
        """As `Index.file_beside`."""
        snapshots = (held if isinstance(held, Snapshot) else held.at(path) for held in self._snapshots)
        found = (file_of(snapshot, source, path) for snapshot in snapshots)
        return next((content for content in found if content is not None), None)

    def document(self, swhid: str, sources: int = 100) -> Document | None:
        """As `Index.document`."""
        digest = digest_named(swhid)
        if digest is None:
            return None
        for held in self._snapshots:
            snapshot = held if isinstance(held, Snapshot) else held.of([digest])
            found = find_document(snapshot, digest, sources)
            if found is not None:
                return replace(found, sources=tuple(map(described, found.sources)))
        return None

    def known(self, swhids: Iterable[str]) -> set[str]:
        """As `Index.known`."""
        digests = {digest: swhid for swhid in swhids if (digest := digest_named(swhid)) is not None}
        snapshots = (
            held if isinstance(held, Snapshot) else held.of(list(digests), contents=False) for held in self._snapshots
        )
        return {digests[digest] for snapshot in snapshots for digest in known_of(snapshot, digests)}

    def match_wfp(self, file: WfpFile, least_hits: int = LEAST_HITS, least_lines: int = 0) -> WfpMatch | None:
        """As `Index.match_wfp`."""
        snapshots = self._in_directories(self._snapshots)
        found = [find_wfp(snapshot, file, least_hits, least_lines) for snapshot in snapshots]
        return max(filter(None, found), key=lambda match: (match.whole, match.hits), default=None)

    @property
    def scanoss(self) -> bool:
        """As `Index.scanoss`."""
        return all(isinstance(held, Snapshot) and held.manifest.scanoss for held in self._snapshots)

    def _in_directories(self, snapshots: tuple[Snapshot | ElasticSnapshot, ...]) -> list[Snapshot]:
        """The same, if all lie in directories."""
        found = [snapshot for snapshot in snapshots if isinstance(snapshot, Snapshot)]
        if len(found) < len(snapshots):
            raise ConfigError(f"{', '.join(self.places)}: this is asked of indexes in a directory only")
        return found

    @property
    def directories(self) -> tuple[Path, ...]:
        """As `Index.directories`."""
        return tuple(place for place in self._directories if isinstance(place, Path))

    def stamps(self) -> tuple[Hashable, ...]:
        """As `Index.stamps`."""
        held = zip(self._directories, self._snapshots, strict=True)
        return tuple(
            manifest_stamp(Path(place)) if isinstance(snapshot, Snapshot) else snapshot.latest()
            for place, snapshot in held
        )

    def is_latest(self) -> bool:
        """As `Index.is_latest`."""
        held = zip(self._directories, self._snapshots, strict=True)
        latest = (
            read_manifest(Path(place)).generation if isinstance(snapshot, Snapshot) else snapshot.latest()[1]
            for place, snapshot in held
        )
        return all(found == item.generation for found, item in zip(latest, self._coverage, strict=True))

    @property
    def places(self) -> tuple[str, ...]:
        """As `Index.places`."""
        return tuple(map(str, self._directories))

    @property
    def coverage(self) -> tuple[Coverage, ...]:
        """What each index holds."""
        return self._coverage

    def stats(self) -> tuple[IndexStats, ...]:
        """As `Index.stats`."""
        held = zip(self._directories, self._snapshots, strict=True)
        return tuple(
            _stats(Path(directory), snapshot) if isinstance(snapshot, Snapshot) else IndexStats(**snapshot.stats())
            for directory, snapshot in held
        )

    def clusters(self, export: Path | None = None) -> tuple[tuple[ClusterStats, ...], ...]:
        """As `Index.clusters`."""
        snapshots = self._in_directories(self._snapshots)
        found = [find_clusters(snapshot) for snapshot in snapshots]
        if export is not None:
            write_clusters(map(cluster_table, snapshots, found), export)
        return tuple(clusters.stats() for clusters in found)


def _opened(place: Path | str) -> Snapshot | ElasticSnapshot:
    if isinstance(place, Path):
        return Snapshot(place)
    from codecite.indexer.elastic.snapshot import ElasticSnapshot

    return ElasticSnapshot(place)


def _stats(directory: Path, snapshot: Snapshot) -> IndexStats:
    manifest = snapshot.manifest
    entries = manifest.segments
    documents, size = snapshot.size
    return IndexStats(
        id=manifest.id,
        generation=manifest.generation,
        built=manifest.built,
        documents=documents,
        origins=sum(int(np.count_nonzero(opened.segment.live)) for opened in snapshot.segments),
        packages=packages_of(snapshot),
        postings=sum(entry.postings for entry in entries),
        bytes=size,
        canonical_bytes=sum(entry.canonical_bytes for entry in entries),
        index_bytes=snapshot.index_bytes,
        sources=manifest.sources,
        licenses=licenses_of(snapshot),
        categories=groups_of(snapshot, category),
        languages=languages_of(snapshot),
        evidence=evidence_of(snapshot),
        license_filter=manifest.license_filter,
        segments=len(entries),
        takedowns=takedowns_in_force(directory),
    )


def open_index(*places: str | Path) -> Index:
    """Open the indexes at the given places together.

    A place is a directory (a ledger's own stands for its index), `es+http(s)://HOST:PORT/NAME` for an index on an
    Elasticsearch cluster, or the address of a codecite server (`remote/`). Raises IndexMissingError where there is
    none, IndexCorruptError and IndexVersionError where it cannot be read, ClusterError and RemoteError where a cluster
    or a server does not answer, ConfigError where it refuses.
    """
    parts: list[Index] = []
    for served, some in groupby(places, is_server):
        if served:
            parts += [connect(str(place)) for place in some]
        else:
            here = (str(place) if is_elastic(place) else index_of_ledger(Path(place)) for place in some)
            parts.append(EmbeddedIndex(tuple(here)))
    if not parts:
        parts.append(EmbeddedIndex(()))
    return parts[0] if len(parts) == 1 else TogetherIndex(tuple(parts))
