"""The nouns of the scanner: frozen dataclasses that its rooms hand on.

In: values. Out: the same values, named, and the one JSON form of a scan (`report.py`). It refuses to know how they
came about. Lines count from 1 and are inclusive; bytes are offsets in the file as it was scanned, half-open.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING

from codecite.indexer.records import Attribution, Coverage, FileMark, Outcome, Skipped, Source

if TYPE_CHECKING:
    from codecite.indexer.fingerprint.handover import Fingerprinted

Lines = tuple[int, int]
"""The first and the last line of a run."""


class Rule(StrEnum):
    """What a finding says."""

    VERBATIM_DENIED = "verbatim-denied"
    NEAR_DENIED = "near-denied"
    CANDIDATE_DENIED = "candidate-denied"
    LICENSE_CONFLICT = "license-conflict"
    LICENSE_UNKNOWN = "license-unknown"
    VERBATIM_UNATTRIBUTED = "verbatim-unattributed"
    ATTRIBUTION_MISSING = "attribution-missing"
    CANDIDATE_UNATTRIBUTED = "candidate-unattributed"
    IGNORE_INVALID = "ignore-invalid"
    IGNORE_EXPIRED = "ignore-expired"
    IGNORE_UNUSED = "ignore-unused"
    INDEX_UNREACHABLE = "index-unreachable"


SAYS = {
    Rule.VERBATIM_DENIED: "A passage stands in code whose licence the policy does not let pass.",
    Rule.NEAR_DENIED: "A passage is nearly that of code whose licence the policy does not let pass.",
    Rule.CANDIDATE_DENIED: "Fingerprints are those of code whose licence the policy does not let pass; unverified.",
    Rule.LICENSE_CONFLICT: "The evidence about the licence of a passage's source disagrees.",
    Rule.LICENSE_UNKNOWN: "Nothing tells under which licence the source of a passage is.",
    Rule.VERBATIM_UNATTRIBUTED: "A passage is allowed, but its licence asks for a notice, and none stands here.",
    Rule.ATTRIBUTION_MISSING: "A passage's licence is named here, but whose code it is, is not.",
    Rule.CANDIDATE_UNATTRIBUTED: "Fingerprints are those of allowed code that asks for a notice; unverified.",
    Rule.IGNORE_INVALID: "A note to ignore a finding cannot be honoured.",
    Rule.IGNORE_EXPIRED: "A note to ignore a finding holds no longer.",
    Rule.IGNORE_UNUSED: "A note to ignore a finding stands where there is none.",
    Rule.INDEX_UNREACHABLE: "The index could not answer, so nothing is known of the code.",
}
"""What each rule means, in a sentence."""


class Severity(StrEnum):
    """How bad a finding is, from the least."""

    NOTE = "note"
    WARNING = "warning"
    ERROR = "error"


SEVERITY_OF = {Outcome.FAIL: Severity.ERROR, Outcome.WARN: Severity.WARNING, Outcome.PASS: Severity.NOTE}


@dataclass(frozen=True, slots=True)
class Target:
    """A file to scan: its path from the root, and its bytes, or where they lie, or only their fingerprints.

    `added` has the runs of lines that the change adds; None means that all of it counts.
    """

    path: str
    place: Path | None = None
    content: bytes | None = None
    added: tuple[Lines, ...] | None = None
    prints: Fingerprinted | None = None


@dataclass(frozen=True, slots=True)
class Targets:
    """All that is to be scanned.

    `root` is the folder that paths begin at, `before` the contents that the change replaces: what stood there before
    is not new. `notes` are sentences that the reader should know.
    """

    root: Path
    files: tuple[Target, ...]
    skipped: tuple[Skipped, ...] = ()
    before: tuple[bytes, ...] = ()
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Finding:
    """Something to be done about a place of a file.

    `regions` are the lines it speaks of, those of a change clipped to what it adds; the first is the place that it is
    shown at. `byte_start` and `byte_end` are those of the whole passage. `hashes` tell the passage again in a
    baseline after it was edited, `fingerprint` while it was not.
    """

    path: str
    rule: Rule
    severity: Severity
    message: str
    mend: str
    regions: tuple[Lines, ...]
    byte_start: int = 0
    byte_end: int = 0
    attribution: Attribution | None = None
    excerpt: tuple[str, ...] = ()
    licenses: tuple[str, ...] = ()
    fingerprint: str = ""
    hashes: tuple[int, ...] = ()
    marks: tuple[FileMark, ...] = ()

    @property
    def start_line(self) -> int:
        """The first line that it is shown at."""
        return self.regions[0][0]

    @property
    def end_line(self) -> int:
        """The last line of the run that it is shown at."""
        return self.regions[0][1]

    @property
    def source(self) -> Source | None:
        """The first source of the passage."""
        sources = self.attribution.sources if self.attribution else ()
        return sources[0] if sources else None


@dataclass(frozen=True, slots=True)
class Ignored:
    """A finding that a note in the file, or the baseline, takes back; and why."""

    finding: Finding
    reason: str


@dataclass(frozen=True, slots=True)
class Scanned:
    """One file that was scanned.

    `passages` are all Attributions that count (as long as the policy asks, not passed over), `satisfied` those whose
    attribution stands in the file or near it.
    """

    path: str
    swhid: str
    sha1: str
    sha256: str
    size: int
    canonical: int
    lines: int
    marks: tuple[FileMark, ...] = ()
    findings: tuple[Finding, ...] = ()
    ignored: tuple[Ignored, ...] = ()
    passages: tuple[Attribution, ...] = ()
    satisfied: tuple[Attribution, ...] = ()

    @property
    def apart(self) -> bool:
        """Whether it is listed apart: it was generated, or is a copy of somebody's by its folder."""
        return bool(self.marks)


@dataclass(frozen=True, slots=True)
class Component:
    """A package of which files, or parts of files, stand in what was scanned.

    `files` has for each path how it was told (`file`, `passage`) and the share of it that agrees; `versions` the
    versions that fit as well as `version`.
    """

    purl: str
    name: str
    version: str | None
    license: str
    files: tuple[tuple[str, str, float], ...]
    share: float
    versions: tuple[str, ...] = ()
    copyright: tuple[str, ...] = ()
    repository: str | None = None
    license_evidence: str = ""


@dataclass(frozen=True, slots=True)
class Scan:
    """The whole answer: what was scanned, the findings that count, and those listed apart."""

    root: str
    policy: str
    indexes: tuple[Coverage, ...]
    files: tuple[Scanned, ...]
    findings: tuple[Finding, ...]
    apart: tuple[Finding, ...]
    ignored: tuple[Ignored, ...]
    skipped: tuple[Skipped, ...]
    outcome: Outcome
    own: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    components: tuple[Component, ...] = field(default=())
    created: str = ""
