"""Sources as plain data: what units would give, where they break, and what must be in an index after they were added.

In: Plans. Out: the Units that `add` reads, and for each Plan the places that it gives. It refuses to know how the
index keeps anything: `gives` is the contract of `corpus/units.py` and nothing else.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from enum import StrEnum

import xxhash

from codecite.indexer.corpus.units import Item, Pending, Unit
from codecite.indexer.errors import SourceError
from codecite.indexer.records import EvidenceKind, FileMark, LicenseEvidence, Package, Skipped, SourceFile


class Fault(StrEnum):
    """What goes wrong in the middle of a unit: it breaks off, a file cannot be loaded, or a part is given up."""

    BREAKS = "breaks"
    UNREADABLE = "unreadable"
    ROW = "row"


@dataclass(frozen=True)
class File:
    """A file of a Plan; it may be handed over unread, with a stamp or without."""

    path: str
    content: bytes
    license: str | None = None
    pending: bool = False
    stamped: bool = False


@dataclass(frozen=True)
class Plan:
    """A unit: its Package (without fingerprint), what it gives, and whether its content has a fingerprint."""

    package: Package
    items: tuple[File | Plan | Skipped | Fault, ...] = ()
    whole: bool = True
    printed: bool = False


@dataclass(frozen=True)
class Seen:
    """One place of a content in the index: what an Origin says, but for what follows from its path."""

    package: Package
    path: str
    content: bytes
    license: str | None

    @property
    def project(self) -> str:
        """The purl without its version, else the repository, else the source."""
        purl = self.package.purl and self.package.purl.rpartition("@")[0]
        return purl or self.package.repository or self.package.source

    @property
    def effective(self) -> str:
        """The license of the file, else of the Package."""
        return self.license or next((str(item.expression) for item in self.package.evidence), "NOASSERTION")


def sound(plan: Plan) -> Plan:
    """The Plan without its faults."""
    items = (sound(item) if isinstance(item, Plan) else item for item in plan.items if not isinstance(item, Fault))
    return replace(plan, items=tuple(items))


def parts(plan: Plan) -> Iterator[Plan]:
    """The Plan and all Plans in it."""
    yield plan
    for item in plan.items:
        if isinstance(item, Plan):
            yield from parts(item)


def fingerprint(plan: Plan) -> str:
    """What a digest of the bytes would be: whether reading them fails does not count."""
    return f"xxh3:{xxhash.xxh3_64_hexdigest(repr(sound(plan)).encode())}"


def packaged(plan: Plan, container: str | None = None) -> Package:
    """The Package of a Plan that stands in what has the fingerprint `container`.

    What holds units, or goes in piece by piece, is its own container, like an archive; files alone are not, like an
    installed distribution.
    """
    own = fingerprint(plan) if plan.printed and container is None else None
    parted = not plan.whole or len(list(parts(plan))) > 1
    return replace(plan.package, fingerprint=own, container=container or (own if parted else None))


def unit(plan: Plan, container: str | None = None) -> Unit:
    """The Unit of a Plan that stands in what has the fingerprint `container`."""
    package = packaged(plan, container)
    inside = container or package.fingerprint

    def files() -> Iterator[Item]:
        for item in plan.items:
            if isinstance(item, Plan):
                yield unit(item, inside)
            elif isinstance(item, File):
                yield pending(item) if item.pending else read(item)
            elif item is Fault.BREAKS:
                raise SourceError(f"{plan.package.source}: cut short")
            elif item is Fault.UNREADABLE:
                yield Pending("unreadable.py", 9, unreadable)
            elif item is Fault.ROW:
                yield SourceError(f"{plan.package.source}: a broken row")
            elif isinstance(item, Skipped):
                yield item

    return Unit(package, files, whole=plan.whole)


def read(file: File) -> SourceFile:
    """The file as a reader hands it over: language and marks follow from its path."""
    said = () if file.license is None else (evidence(EvidenceKind.SPDX_TAG, file.license),)
    lines = () if file.license is None else (f"Copyright the people of {file.license}",)
    language = "Python" if file.path.endswith(".py") else None
    marks = (FileMark.VENDORED,) if file.path.startswith("vendor/") else ()
    return SourceFile(file.path, file.content, said, lines, language, marks)


def pending(file: File) -> Pending:
    """The file, not read yet."""
    stamp = xxhash.xxh3_64_intdigest(repr(file).encode()) or 1
    return Pending(file.path, len(file.content), lambda: read(file), stamp if file.stamped else 0)


def unreadable() -> SourceFile | Skipped:
    """Load a file that nobody can."""
    raise SourceError("unreadable.py: cannot be read")


def evidence(kind: EvidenceKind, license: str) -> LicenseEvidence:
    """One piece of evidence."""
    return LicenseEvidence(kind, license, "line 1" if kind is EvidenceKind.SPDX_TAG else "License-Expression", license)


def gives(plan: Plan, refused: Callable[[Package], bool], container: str | None = None) -> tuple[list[Seen], int]:
    """The places that reading a Plan must leave in the index, and how many failures are to be named.

    Of a refused Package no file is looked at; other Packages in it are.
    """
    package = packaged(plan, container)
    own = not refused(package)
    found: list[Seen] = []
    failures = 0
    broken = False
    for item in plan.items:
        if isinstance(item, Plan):
            inner, count = gives(item, refused, container or package.fingerprint)
            found += inner
            failures += count
        elif isinstance(item, File):
            found += [Seen(package, item.path, item.content, item.license)] if item.content and own else []
        elif item is Fault.ROW:
            failures += 1
        elif item is Fault.BREAKS:
            broken = True
            break
        elif item is Fault.UNREADABLE:
            broken = broken or own
    return [] if broken and plan.whole else found, failures + broken
