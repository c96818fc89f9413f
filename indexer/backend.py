"""What every index answers, wherever it lies: the contract that an embedded index, one on a server and several together
are held to by the same tests.

In: texts, queries. Out: Reports. It refuses to know how an index finds; the policy's part in that is the index's own.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from codecite.indexer.attribution.policy import Policy, load_policy
from codecite.indexer.config import GUARANTEE
from codecite.indexer.errors import ConfigError, TextError
from codecite.indexer.fingerprint.handover import Fingerprinted
from codecite.indexer.lookup.clusters import ClusterStats
from codecite.indexer.lookup.documents import Document
from codecite.indexer.lookup.recognised import Recognised
from codecite.indexer.lookup.wfp import LEAST_HITS, WfpFile, WfpMatch
from codecite.indexer.records import Attribution, Coverage, Report, SearchReport, SimilarReport
from codecite.indexer.stream import Part, StreamChecker


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


class Index(ABC):
    """One or several indexes, opened. Threads may share it."""

    @abstractmethod
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
        bytes in the text are left out, which saves the time to look at them. Raises TextError for a text that cannot
        be checked (a lone surrogate), PolicyError for a policy's, IndexCorruptError for a damaged file, RemoteError
        where a server does not answer.
        """

    def check_many(
        self,
        texts: Sequence[str | bytes],
        *,
        policy: Policy | str | Path | None = None,
        sources: int = 5,
        shortest: int = 1,
    ) -> Iterator[Report | TextError]:
        """The Report of each text, in their order, or why it cannot be checked; the options are those of `check`.

        Reports come as they are made: those before an error are there.
        """
        for text in texts:
            try:
                yield self.check(text, policy=policy, sources=sources, shortest=shortest)
            except TextError as error:
                yield error

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

    @abstractmethod
    def look(self, part: Part, policy: Policy, sources: int = 5) -> tuple[Attribution, ...]:
        """What a StreamChecker asks for: the passages of a part of a text that end where it is new, or right before."""

    @abstractmethod
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
        """The Documents that hold the words of a query, the best first, `limit` of them from number `offset` on.

        How a query is written says `lookup/query.py`; the options narrow it as its fields do. With `facets`, the
        languages and licences of all that are counted have their counts. Raises QueryError, ConfigError for numbers
        out of range, NotSearchableError for an index without a lexical part.
        """

    @abstractmethod
    def similar(self, text: str | bytes, *, limit: int = 10, at_least: float = 0.5) -> SimilarReport:
        """The `limit` Documents most similar to a text, as whole files, with their Jaccard similarity.

        It is that of the sets of five consecutive words, exact; those below `at_least` (0 to 1) are left out. Raises
        ConfigError for numbers out of range, TextError for a lone surrogate, IndexCorruptError for a damaged file.
        """

    @abstractmethod
    def document(self, swhid: str, sources: int = 100) -> Document | None:
        """The Document with this SWHID and its first `sources` Origins; None where no index holds it (any more)."""

    @abstractmethod
    def file_beside(self, source: Mapping[str, Any], path: str) -> bytes | None:
        """The file at `path` of the package that a source (in a Report's JSON form) is from; None if it is not held."""

    @abstractmethod
    def stats(self) -> tuple[IndexStats, ...]:
        """The figures of each index."""

    def clusters(self, export: Path | None = None) -> tuple[tuple[ClusterStats, ...], ...]:
        """How much of each index is nearly the same, at each threshold of `lookup/clusters.py`.

        The Documents in clusters are written to the parquet file `export`, each index's after the other's. Raises
        ConfigError where that cannot be counted from here.
        """
        raise ConfigError(f"{', '.join(self.places)}: clusters are counted on the machine that an index lies on")

    @property
    @abstractmethod
    def coverage(self) -> tuple[Coverage, ...]:
        """What each index holds."""

    @property
    @abstractmethod
    def places(self) -> tuple[str, ...]:
        """Where each index is: a directory, an address. `open_index(*places)` opens their latest generations."""

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
        policy judges candidates by how long they may be. Raises IndexCorruptError, PolicyError, ConfigError where
        fingerprints cannot be looked up from here.
        """
        raise ConfigError(f"{', '.join(self.places)}: fingerprints are looked up in indexes in a directory only")

    def known(self, swhids: Iterable[str]) -> set[str]:
        """Which of these SWHIDs are those of Documents that an index holds."""
        return {swhid for swhid in swhids if self.document(swhid, 1) is not None}

    def match_wfp(self, file: WfpFile, least_hits: int = LEAST_HITS, least_lines: int = 0) -> WfpMatch | None:
        """Where a file stands of which SCANOSS's fingerprints are here: as a whole, else the most of it.

        Raises ConfigError where they cannot be looked up from here.
        """
        raise ConfigError(f"{', '.join(self.places)}: SCANOSS's fingerprints are in indexes in a directory only")

    @property
    def scanoss(self) -> bool:
        """Whether all indexes have SCANOSS's fingerprints."""
        return False

    def stamps(self) -> tuple[Hashable, ...]:
        """What changes when a later generation is published of an index that is read from here."""
        return ()

    def is_latest(self) -> bool:
        """Whether no later generation is published of an index that is read from here."""
        return True

    @property
    def directories(self) -> tuple[Path, ...]:
        """Where those indexes lie that are on this machine."""
        return ()
