"""The library on one screen: an opened index, and the Report on a text.

In: directories of indexes, texts. Out: Reports. It puts lookup and attribution together and knows no more of either.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from codecite.indexer.attribution.attribute import attribute, described
from codecite.indexer.attribution.judge import claim_of, is_own, sources_wanted
from codecite.indexer.attribution.policy import Policy, load_policy
from codecite.indexer.config import GUARANTEE
from codecite.indexer.errors import ConfigError, IndexMissingError
from codecite.indexer.fingerprint.handover import Fingerprinted
from codecite.indexer.ledger import index_of_ledger, with_records
from codecite.indexer.licenses.categories import category
from codecite.indexer.lookup.candidates import look_up
from codecite.indexer.lookup.clusters import ClusterStats, cluster_table, find_clusters, write_clusters
from codecite.indexer.lookup.documents import Document, digest_named, find_document, known_of
from codecite.indexer.lookup.exact import Passage, find_passages
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
from codecite.indexer.store.documents import file_of
from codecite.indexer.store.lexical import LexicalReader
from codecite.indexer.store.manifest import read_manifest
from codecite.indexer.store.snapshot import Snapshot
from codecite.indexer.store.statistics import evidence_of, groups_of, languages_of, licenses_of, packages_of
from codecite.indexer.stream import Part, StreamChecker
from codecite.indexer.text.checked import CheckedText, encode
from codecite.indexer.upkeep import read_takedowns

_MOST_HITS = 10_000
_VIEWS = 8
"""Sets of own projects for which a view of the index is kept."""


@dataclass(frozen=True, slots=True)
class IndexStats:
    """What an index holds, without what was removed; sizes are bytes.

    `licenses` counts the Documents under each expression, `categories` those under licences of each category,
    `languages` the Origins in each language, `evidence` the Origins whose licence is believed for each kind of
    evidence (`none` where nothing states one). `license_filter` is what the index may hold. Of `packages`,
    `postings`, `canonical_bytes` and `index_bytes`, what is removed counts until it is erased.
    """

    id: str
    generation: int
    built: str
    documents: int
    origins: int
    packages: int
    postings: int
    bytes: int
    canonical_bytes: int
    index_bytes: int
    sources: tuple[str, ...]
    licenses: Mapping[str, int]
    categories: Mapping[str, int]
    languages: Mapping[str, int]
    evidence: Mapping[str, int]
    license_filter: str | None
    segments: int
    takedowns: int


class Index:
    """One or several indexes, each on the generation that was live when it was opened. Threads may share it."""

    def __init__(self, directories: tuple[Path, ...]) -> None:
        self._directories = directories
        self._snapshots = tuple(Snapshot(directory) for directory in directories)
        self._coverage = tuple(snapshot.coverage for snapshot in self._snapshots)
        self._readers: dict[Path, LexicalReader] = {}
        self._views: dict[tuple[str, ...], tuple[tuple[Snapshot, ...], tuple[Coverage, ...]]] = {}

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
        """Which passages of `text` stand in the index, where, under which licences.

        `before` and `after` are its context: a passage that begins or ends there is found, and reported if it holds
        at least one byte of `text`; offsets count from the head of `before`. Each Match shows its first `sources`
        Origins. `policy` judges them: a Policy, the name of a ready one or a file; `audit` if it is None. With `near`,
        or where the policy wants it, renamed and edited passages are Matches, too. Passages with less than `shortest`
        bytes in the text are left out, which saves the time to look at them. Raises
        TextError for a lone surrogate, IndexCorruptError for a damaged file, PolicyError for a policy's.
        """
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

    def stream(
        self,
        *,
        before: str | bytes = "",
        after: str | bytes = "",
        policy: Policy | str | Path | None = None,
        sources: int = 5,
        patience: int | None = None,
    ) -> StreamChecker:
        """Check a text while it is being written, in its context; the options are those of `check`.

        Looks become rarer while a passage goes on; `patience` is how many canonical bytes are left without one at most.
        """
        held = policy if isinstance(policy, Policy) else load_policy(policy or "audit")
        return StreamChecker(self, before, after, held, sources, patience)

    def look(self, part: Part, policy: Policy, sources: int = 5) -> tuple[Attribution, ...]:
        """What a StreamChecker asks for: the passages of a part of a text that end where it is new, or right before."""
        snapshots, _ = self._seen_by(policy)
        checked = CheckedText(part.raw[part.own :], part.raw[part.context : part.own])
        new = len(part.raw[part.context : part.new].translate(None, SPACE))
        matches = self._matches(snapshots, checked, policy, sources, partial(sources_wanted, policy), new)
        return attribute(matches, part.raw, policy, sources, part.context)[0]

    def _matches(
        self,
        snapshots: tuple[Snapshot, ...],
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
        for directory, snapshot in zip(self._directories, snapshots, strict=True):
            passages = [item for item in find_passages(snapshot, text, shortest) if item.end >= beyond]
            matches = find_matches(snapshot, text, passages, sources, more, policy.min_bytes, claim_of)
            if near:
                found_near = find_near_matches(snapshot, text, passages, sources, more)
                matches += [item for item in found_near if item[0].bytes_in_text >= shortest]
            found += with_records(directory, matches) if snapshot.manifest.generated else matches
        return found

    def _seen_by(self, policy: Policy) -> tuple[tuple[Snapshot, ...], tuple[Coverage, ...]]:
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
    ) -> SearchReport:
        """The Documents that hold the words of a query, the best first, `limit` of them from number `offset` on.

        How a query is written says `lookup/query.py`; the options narrow it as its fields do. Raises QueryError,
        ConfigError for numbers out of range, NotSearchableError for an index without a lexical part.
        """
        if not 1 <= limit <= _MOST_HITS or not 0 <= offset <= _MOST_HITS:
            raise ConfigError(f"limit is {limit}, offset is {offset}; {_MOST_HITS:,} are the most, 1 hit the least")
        options = {"language": language, "license": license, "repository": repository, "path": path}
        asked = parse_query(query)
        more = tuple((name, value) for name, value in options.items() if value)
        asked = replace(asked, fields=asked.fields + more)
        found: list[tuple[float, str, SearchHit]] = []
        total, capped = 0, False
        for directory, snapshot in zip(self._directories, self._snapshots, strict=True):
            hits, count, open_ended = search(snapshot, self._reader(directory, snapshot), asked, offset + limit)
            index = snapshot.manifest.id
            for hit in hits:
                made = SearchHit(index, hit.score, described(hit.source), hit.snippet, hit.terms)
                found.append((-hit.score, hit.source.swhid, made))
            total, capped = total + count, capped or open_ended
        found.sort(key=lambda each: each[:2])
        chosen = tuple(hit for _, _, hit in found[offset : offset + limit])
        return SearchReport(self._coverage, query, offset, total, capped, chosen)

    def _reader(self, directory: Path, snapshot: Snapshot) -> LexicalReader | None:
        named = snapshot.manifest.lexical
        if named is None:
            return None
        reader = self._readers.get(directory)
        if reader is None:
            reader = self._readers[directory] = LexicalReader(directory, named[0])
        return reader

    def similar(self, text: str | bytes, *, limit: int = 10, at_least: float = 0.5) -> SimilarReport:
        """The `limit` Documents most similar to a text, as whole files, with their Jaccard similarity.

        It is that of the sets of five consecutive words, exact; those below `at_least` (0 to 1) are left out. Raises
        ConfigError for numbers out of range, TextError for a lone surrogate, IndexCorruptError for a damaged file.
        """
        if limit < 1 or not 0 <= at_least <= 1:
            raise ConfigError(f"limit is {limit} (1 or more), at_least is {at_least} (from 0 to 1)")
        content = encode(text, "text")
        found: list[tuple[float, str, SimilarFile]] = []
        for snapshot in self._snapshots:
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
        """Where the fingerprints of a file stand, whose text stays where it is; nothing of it is verified.

        A passage of `shortest` bytes (at least the guarantee) that `check` would find lies around a candidate. The
        policy judges candidates by how long they may be. Raises IndexCorruptError, PolicyError.
        """
        held = policy if isinstance(policy, Policy) else load_policy(policy or "audit")
        looked = look_up(self._seen_by(held)[0], file, sources, max(sources, sources_wanted(held)), shortest)
        candidates, verdict = attribute(looked.found, None, held, sources)
        known = tuple(map(described, looked.known))
        return Recognised(file, known, looked.known_origins, candidates, verdict, looked.passed_over)

    def lookup(self, text: str | bytes, *, before: str | bytes = "", after: str | bytes = "") -> list[list[Passage]]:
        """The bare passages of `text` in each index: spans, counts and licence sets, without sources."""
        checked = CheckedText(text, before, after)
        return [find_passages(snapshot, checked) for snapshot in self._snapshots]

    def file_beside(self, source: Mapping[str, Any], path: str) -> bytes | None:
        """The file at `path` of the package that a source (in a Report's JSON form) is from; None if it is not held."""
        found = (file_of(snapshot, source, path) for snapshot in self._snapshots)
        return next((content for content in found if content is not None), None)

    def document(self, swhid: str, sources: int = 100) -> Document | None:
        """The Document with this SWHID and its first `sources` Origins; None where no index holds it (any more)."""
        digest = digest_named(swhid)
        if digest is None:
            return None
        for snapshot in self._snapshots:
            found = find_document(snapshot, digest, sources)
            if found is not None:
                return replace(found, sources=tuple(map(described, found.sources)))
        return None

    def known(self, swhids: Iterable[str]) -> set[str]:
        """Which of these SWHIDs are those of Documents that an index holds."""
        digests = {digest: swhid for swhid in swhids if (digest := digest_named(swhid)) is not None}
        return {digests[digest] for snapshot in self._snapshots for digest in known_of(snapshot, digests)}

    def match_wfp(self, file: WfpFile, least_hits: int = LEAST_HITS, least_lines: int = 0) -> WfpMatch | None:
        """Where a file stands of which SCANOSS's fingerprints are here: as a whole, else the most of it."""
        found = [find_wfp(snapshot, file, least_hits, least_lines) for snapshot in self._snapshots]
        return max(filter(None, found), key=lambda match: (match.whole, match.hits), default=None)

    @property
    def scanoss(self) -> bool:
        """Whether all indexes have SCANOSS's fingerprints."""
        return all(snapshot.manifest.scanoss for snapshot in self._snapshots)

    @property
    def directories(self) -> tuple[Path, ...]:
        """Where each index lies."""
        return self._directories

    @property
    def coverage(self) -> tuple[Coverage, ...]:
        """What each index holds."""
        return self._coverage

    def stats(self) -> tuple[IndexStats, ...]:
        """The figures of each index."""
        return tuple(
            _stats(directory, snapshot) for directory, snapshot in zip(self._directories, self._snapshots, strict=True)
        )

    def clusters(self, export: Path | None = None) -> tuple[tuple[ClusterStats, ...], ...]:
        """How much of each index is nearly the same, at each threshold of `lookup/clusters.py`.

        The Documents in clusters are written to the parquet file `export`, each index's after the other's.
        """
        found = [find_clusters(snapshot) for snapshot in self._snapshots]
        if export is not None:
            write_clusters(map(cluster_table, self._snapshots, found), export)
        return tuple(clusters.stats() for clusters in found)


def _takedowns_in_force(directory: Path) -> int:
    """How many rules the latest generation has, whichever is open; writers may publish others meanwhile."""
    while True:
        manifest = read_manifest(directory)
        try:
            return len(read_takedowns(directory, manifest).rules)
        except IndexMissingError:
            if read_manifest(directory).generation == manifest.generation:
                raise


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
        takedowns=_takedowns_in_force(directory),
    )


def open_index(*paths: str | Path) -> Index:
    """Open the indexes in the given directories together; a ledger's own directory stands for its index.

    Raises IndexMissingError where there is none, IndexCorruptError and IndexVersionError where it cannot be read.
    """
    return Index(tuple(index_of_ledger(Path(path)) for path in paths))
