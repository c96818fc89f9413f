"""The nouns of codecite: frozen dataclasses that cross the rooms.

In: values that the rooms computed. Out: the same values, named, and of a Report its one JSON form (`to_dict`).
This module knows nothing of files or of the index.

Lengths are canonical bytes (the text without its ASCII white space) unless a name says otherwise. Offsets are
half-open. Lines count from 1 and are inclusive.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from codecite.indexer.report_json import report_to_dict, search_to_dict, similar_to_dict

NOASSERTION = "NOASSERTION"
"""The SPDX word for a licence that nothing states."""


class EvidenceKind(StrEnum):
    """Why a licence is believed, strongest first."""

    SPDX_TAG = "spdx_tag"
    FILE_HEADER = "file_header"
    DEP5 = "dep5"
    LICENSE_FILE = "license_file"
    PACKAGE_METADATA = "package_metadata"
    DATASET_FIELD = "dataset_field"


class Category(StrEnum):
    """What kind of licence it is, from the one that asks least to the one that is to be trusted least."""

    PUBLIC_DOMAIN = "public-domain"
    PERMISSIVE = "permissive"
    WEAK_COPYLEFT = "weak-copyleft"
    STRONG_COPYLEFT = "strong-copyleft"
    NETWORK_COPYLEFT = "network-copyleft"
    PROPRIETARY = "proprietary"
    UNKNOWN = "unknown"


class SkipReason(StrEnum):
    """Why a file of a source is not in the index. Every skipped file has exactly one of these."""

    BINARY = "binary"
    TOO_LARGE = "too-large"
    EMPTY = "empty"
    UNREADABLE = "unreadable"
    NOT_A_FILE = "not-a-file"
    MISSING = "missing"
    BAD_PATH = "bad-path"
    ENCRYPTED = "encrypted"
    TOO_DEEP = "too-deep"
    VERSION_CONTROL = "version-control"
    EXCLUDED = "excluded"
    TAKEN_DOWN = "taken-down"
    LICENSE = "license"


class FileMark(StrEnum):
    """What kind of file an Origin is, beside its language; marked files are indexed like all others."""

    GENERATED = "generated"
    MINIFIED = "minified"
    VENDORED = "vendored"


class Kind(StrEnum):
    """How a passage agrees with its source, strongest first; a candidate does so by its fingerprints alone."""

    VERBATIM = "verbatim"
    REFORMATTED = "reformatted"
    NEAR = "near"
    GENERATED = "generated"
    CANDIDATE = "candidate"


class Mark(StrEnum):
    """What a passage consists of, where that is next to nothing of its author's; `docs/marks.md` has the rules."""

    IMPORTS = "imports"
    LICENSE_NOTICE = "license-notice"
    LOW_INFORMATION = "low-information"


class Outcome(StrEnum):
    """What a policy says, from the best to the worst."""

    PASS = "pass"
    WARN = "warn"
    FAIL = "fail"


@dataclass(frozen=True, slots=True)
class LicenseEvidence:
    """One reason to believe a licence.

    `expression` is the SPDX expression it supports, None for a licence text that was kept but not classified.
    `where` says where it was read (`line 3`, `License-Expression`, `numpy-2.4.dist-info/LICENSE.txt`), `text`
    what stood there; `copyright` has the copyright lines of a licence or notice file.
    """

    kind: EvidenceKind
    expression: str | None
    where: str
    text: str
    copyright: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Package:
    """What the files of one distribution, archive, revision or tree have in common.

    `source` is what `index add` was given (`installed`, or the absolute path), also for what was found inside it.
    `released` is an ISO date (`2024-05-01`). `url` is the place of the whole, a `file:` URL for what lies on this
    machine. `fingerprint` identifies the content (a digest of the archive; of name, version and RECORD): what has a
    known one is not read again; None is always read. `container` is the fingerprint of the outermost archive or file
    that this was found in.
    """

    source: str
    purl: str | None = None
    repository: str | None = None
    revision: str | None = None
    released: str | None = None
    url: str | None = None
    evidence: tuple[LicenseEvidence, ...] = ()
    fingerprint: str | None = None
    container: str | None = None


@dataclass(frozen=True, slots=True)
class SourceFile:
    """One file of a source, read: its bytes, what they and the files near it say of its licence, and what it is.

    `language` is a name of Linguist's (`C++`), None where none fits.
    """

    path: str
    content: bytes
    evidence: tuple[LicenseEvidence, ...] = ()
    copyright: tuple[str, ...] = ()
    language: str | None = None
    marks: tuple[FileMark, ...] = ()


@dataclass(frozen=True, slots=True)
class Skipped:
    """One file of a source that is not indexed, and why."""

    path: str
    reason: SkipReason
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Origin:
    """One place a Document was seen.

    `license` is the effective SPDX expression: that of the strongest evidence that supports one, else NOASSERTION.
    `evidence` stands strongest first. `conflict` says that the evidence disagrees. `copyright` has the lines of
    the file's own head, else those of the nearest licence and notice files, else those of its package's.
    """

    purl: str | None
    repository: str | None
    revision: str | None
    path: str
    url: str | None
    released: str | None
    license: str
    evidence: tuple[LicenseEvidence, ...]
    conflict: bool
    copyright: tuple[str, ...]
    language: str | None = None
    marks: tuple[FileMark, ...] = ()


@dataclass(frozen=True, slots=True)
class Source:
    """One Origin of a Document that holds a passage, with the passage's place in that Document.

    `category` and `obligations` are those of the Origin's licence (`licenses/categories.py` has all obligations).
    `record` is that of a ledger (`ledger.py`), in its JSON form.
    """

    swhid: str
    kind: Kind
    origin: Origin
    start_line: int
    end_line: int
    category: Category = Category.UNKNOWN
    obligations: tuple[str, ...] = ()
    record: Mapping[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class Counts:
    """How common a passage is. Each count is exact up to the cap; beyond it, it is the cap and its flag is set."""

    documents: int
    documents_capped: bool
    projects: int
    projects_capped: bool
    licenses: Mapping[str, int]
    licenses_capped: bool
    common: bool


class Measure(StrEnum):
    """What a similarity measures."""

    ALIGNED_TOKENS = "aligned_tokens"
    JACCARD = "jaccard"


@dataclass(frozen=True, slots=True)
class Match:
    """A maximal passage that the query shares with Documents of one index.

    `start` and `end` are code points of the text as received (with its context), `byte_start` and `byte_end` its
    UTF-8 bytes, `canonical_start` and `canonical_end` its canonical bytes. `bytes_in_text` is the part of
    `length` outside the context. `within` is the id of the smallest Match around this one. A `near` one says how
    similar its most similar Document is, from 0 to 1, and by which measure.
    """

    id: str
    within: str | None
    index: str
    start: int
    end: int
    byte_start: int
    byte_end: int
    canonical_start: int
    canonical_end: int
    start_line: int
    end_line: int
    length: int
    bytes_in_text: int
    kind: Kind
    counts: Counts
    similarity: float | None = None
    measure: Measure | None = None


@dataclass(frozen=True, slots=True)
class Attribution:
    """A Match with the first sources of the total order (release date, project, path, SWHID)."""

    match: Match
    sources: tuple[Source, ...]
    outcome: Outcome = Outcome.PASS
    marks: tuple[Mark, ...] = ()


@dataclass(frozen=True, slots=True)
class Coverage:
    """What an index holds, so that a reader knows what 'no match' means."""

    id: str
    generation: int
    built: str
    documents: int
    bytes: int
    sources: tuple[str, ...]
    license_filter: str | None
    guarantee_bytes: int


@dataclass(frozen=True, slots=True)
class SearchHit:
    """A Document that fits a search: `source` is its first fitting Origin with the lines of `snippet`.

    `terms` are the places in `snippet` (code points) of what was searched for.
    """

    index: str
    score: float
    source: Source
    snippet: str
    terms: tuple[tuple[int, int], ...]


@dataclass(frozen=True, slots=True)
class SearchReport:
    """The hits of a search from `offset` on, the best first. `total` and `facets` count all of them, unless capped."""

    indexes: tuple[Coverage, ...]
    query: str
    offset: int
    total: int
    total_capped: bool
    hits: tuple[SearchHit, ...]
    facets: Mapping[str, Mapping[str, int]] | None = None

    def to_dict(self) -> dict[str, Any]:
        """The JSON form, `codecite-search/1`."""
        return search_to_dict(self)


@dataclass(frozen=True, slots=True)
class SimilarFile:
    """A Document that is similar to a text: its first Origin in the total order, and how many it has."""

    index: str
    similarity: float
    measure: Measure
    source: Source
    origins: int


@dataclass(frozen=True, slots=True)
class SimilarReport:
    """The Documents most similar to a text, as whole files, the most similar first."""

    indexes: tuple[Coverage, ...]
    text_sha256: str
    at_least: float
    files: tuple[SimilarFile, ...]

    def to_dict(self) -> dict[str, Any]:
        """The JSON form, `codecite-similar/1`."""
        return similar_to_dict(self)


@dataclass(frozen=True, slots=True)
class Reason:
    """One sentence of a Verdict: the rule, the Match it speaks of, and why."""

    rule: str
    match: str | None
    message: str


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a policy says of the Attributions of a text."""

    outcome: Outcome = Outcome.PASS
    reasons: tuple[Reason, ...] = ()


@dataclass(frozen=True, slots=True)
class Prevented:
    """A passage that the generator did not let stand.

    What it did (`truncate`, `regenerate`, `block`), and the passage as it was then: its offsets are those of the text
    that was taken back.
    """

    action: str
    attribution: Attribution


@dataclass(frozen=True, slots=True)
class Written:
    """What wrote the text: a model, its licence and the uses that it forbids; and what was prevented, in order.

    `record` is the id of the ledger's record of it.
    """

    model: str
    license: str | None = None
    restrictions: tuple[str, ...] = ()
    prevented: tuple[Prevented, ...] = ()
    record: str | None = None


@dataclass(frozen=True, slots=True)
class Report:
    """The whole answer to one text.

    `notes` are sentences that a reader should know. `text_sha256` hashes the bytes of the text alone; `text_start` and
    `text_end` place it, in code points, within before + text + after.
    """

    indexes: tuple[Coverage, ...]
    text_sha256: str
    text_start: int
    text_end: int
    attributions: tuple[Attribution, ...]
    verdict: Verdict
    policy_name: str = "audit"
    policy_sha256: str | None = None
    notes: tuple[str, ...] = ()
    generation: Written | None = None

    def to_dict(self) -> dict[str, Any]:
        """The one JSON form, `codecite-report/1`: the same from the library, the command line and HTTP."""
        return report_to_dict(self)
