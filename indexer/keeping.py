"""What every build does with files, wherever it keeps them: which may enter, as which Origin; and the counts.

In: Packages and read files. Out: Origins, and what was skipped, failed and counted. It refuses to know where content
and Origins are kept, and which are known.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import xxhash

from codecite.indexer.errors import SourceError
from codecite.indexer.licenses.effective import effective
from codecite.indexer.licenses.named import LicenseFilter
from codecite.indexer.records import Package, Skipped, SkipReason, SourceFile
from codecite.indexer.store.origins import NewOrigin
from codecite.indexer.store.tables import evidence_to_json
from codecite.indexer.store.takedowns import Takedown, Takedowns

_EXAMPLES = 1000
_FEW_EXAMPLES = 5
_HARMLESS = {
    SkipReason.BINARY,
    SkipReason.EMPTY,
    SkipReason.VERSION_CONTROL,
    SkipReason.EXCLUDED,
    SkipReason.TOO_LARGE,
    SkipReason.LICENSE,
}
"""Reasons of which a few examples say enough."""


@dataclass(slots=True)
class SkipSummary:
    """How many files were skipped for one reason, and the first of them: a few, or 1,000 of those that were refused."""

    count: int = 0
    examples: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a build has come: bytes and files read, files skipped or unchanged, and the unit at hand."""

    bytes: int
    files: int
    skipped: int
    unchanged: int
    unit: str


@dataclass(frozen=True, slots=True)
class AddResult:
    """What `add` did.

    `documents`, `origins` and `bytes` are new; `removed` counts the Origins that a sync took out. `unchanged` counts
    Packages that were not read again, `unchanged_files` files. `failures` names the units that could not be read.
    """

    generation: int
    documents: int
    origins: int
    bytes: int
    removed: int
    unchanged: int
    unchanged_files: int
    skipped: Mapping[SkipReason, SkipSummary]
    failures: tuple[str, ...]
    unsynced: tuple[str, ...]
    seconds: float


class Keeping:
    """The part of a Keeper (`intake.py`) that is the same for all. `admitted` are the licences that may enter."""

    def __init__(self, admitted: str | None, takedowns: Takedowns, progress: Callable[[Progress], None] | None) -> None:
        self._filter = LicenseFilter.parse(admitted) if admitted else None
        self._takedowns = takedowns
        self._report = progress
        self._keys: dict[Package, bytes] = {}
        self._files = self._read = 0
        self.documents = self.origins = self.bytes = self.removed = 0
        self.unchanged_packages = self.unchanged_files = 0
        self.skipped: dict[SkipReason, SkipSummary] = {}
        self.failures: list[str] = []
        self.broken: set[str] = set()

    def result(self, generation: int, sync: bool, seconds: float) -> AddResult:
        """What was done, in a generation and so many seconds."""
        return AddResult(
            generation,
            self.documents,
            self.origins,
            self.bytes,
            self.removed,
            self.unchanged_packages,
            self.unchanged_files,
            self.skipped,
            tuple(self.failures),
            tuple(sorted(self.broken)) if sync else (),
            seconds,
        )

    def refused(self, package: Package) -> Skipped | None:
        """Why the Package is taken down, if it is."""
        rule = self._takedowns.hides_package(package)
        return None if rule is None else _taken_down(package.purl or package.repository or package.source, rule)

    def origin_of(self, package: Package, file: SourceFile, digest: bytes, stamp: int) -> NewOrigin | None:
        """The Origin of a file; None, which is counted, where it may not enter."""
        self._files += 1
        self._read += len(file.content)
        self.tell(package)
        rule = self._takedowns.hides_path(file.path) or self._takedowns.hides_content(digest)
        if rule is not None:
            self.skip(package, _taken_down(file.path, rule))
            return None
        license = effective(file.evidence, package.evidence)
        if self._filter is not None and not self._filter.admits(license):
            self.skip(package, Skipped(file.path, SkipReason.LICENSE, license))
            return None
        evidence = evidence_to_json(file.evidence) if file.evidence else "[]"
        text = "\0".join((file.path, evidence, *file.copyright)).encode("utf-8", "surrogateescape")
        key = xxhash.xxh3_64_intdigest(self.package_key(package) + digest + text)
        return NewOrigin(
            package,
            digest,
            file.path,
            license,
            evidence,
            "\n".join(file.copyright),
            file.language or "",
            " ".join(file.marks),
            key,
            self.stamp(package, stamp),
        )

    def skip(self, package: Package, file: Skipped) -> None:
        """Count a skipped file, and keep the first few as examples."""
        summary = self.skipped.setdefault(file.reason, SkipSummary())
        summary.count += 1
        self.tell(package)
        if len(summary.examples) < (_FEW_EXAMPLES if file.reason in _HARMLESS else _EXAMPLES):
            detail = f" ({file.detail})" if file.detail else ""
            summary.examples.append(f"{package.purl or package.source}: {file.path}{detail}")

    def fail(self, package: Package, error: SourceError) -> None:
        """Note what could not be read."""
        self.failures.append(str(error))
        self.broken.add(package.source)

    def stamp(self, package: Package, stamp: int) -> int:
        """A file's stamp, told apart by its Package; 0 stays 0."""
        return (stamp ^ int.from_bytes(self.package_key(package), "little")) or 1 if stamp else 0

    def package_key(self, package: Package) -> bytes:
        """The hash of all that a Package says."""
        key = self._keys.get(package)
        if key is None:
            if len(self._keys) > 1 << 16:
                self._keys.clear()
            key = self._keys[package] = xxhash.xxh3_64_digest(repr(package).encode("utf-8", "surrogateescape"))
        return key

    def tell(self, package: Package) -> None:
        """Report how far it has come."""
        if self._report is not None:
            skipped = sum(summary.count for summary in self.skipped.values())
            name = package.purl or package.source
            self._report(Progress(self._read, self._files, skipped, self.unchanged_files, name))


def _taken_down(name: str, rule: Takedown) -> Skipped:
    return Skipped(name, SkipReason.TAKEN_DOWN, f"{rule.kind} {rule.value}")
