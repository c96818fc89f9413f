"""The same documents as a real index and as an oracle, and the comparison of their answers.

In: documents with the places they were seen at. Out: a Library, whose `check` asks both sides and fails with the
first differences named. It refuses to know how either side finds its answer: the index is written by `add`, read by
`open_index`, and compared in its JSON form. A test may have it opened in another way (`OPEN`), over a server say.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

from oracle.reading import ExpectedMatch, ExpectedReport, ExpectedSource, Oracle, Place

from codecite.indexer import open_index
from codecite.indexer.build import add
from codecite.indexer.config import IndexConfig
from codecite.indexer.corpus.units import Unit
from codecite.indexer.records import NOASSERTION, EvidenceKind, FileMark, LicenseEvidence, Package, Skipped, SourceFile

Documents = Sequence[tuple[bytes, Sequence[Place]]]


OPEN: list[Callable[[Path], Any]] = [open_index]
"""How an index that was built is opened: as the last one says."""


@dataclass(frozen=True)
class Library:
    """An index and the oracle over the same documents."""

    index: Any
    oracle: Oracle

    def check(
        self, text: str | bytes, before: str | bytes = "", after: str | bytes = "", sources: int = 5
    ) -> ExpectedReport:
        """The Report that both sides agree on."""
        expected = self.oracle.check(text, before, after, sources)
        answer = self.index.check(text, before=before, after=after, sources=sources).to_dict()
        coverage = answer["indexes"][0]
        assert (coverage["documents"], coverage["bytes"]) == self.oracle.size
        assert coverage["sources"] == self.oracle.sources
        observed = read(answer)
        assert observed.matches == expected.matches, differences(expected, observed)
        assert observed == expected
        return expected


def build(directory: Path, documents: Documents, adds: int = 1, cap: int = 1000, common: int = 20) -> Library:
    """Write the documents in `adds` calls of `add`, dealt out in turn, and set the oracle beside them."""
    seen = [(content, place) for content, places in documents for place in places]
    for turn in range(adds):
        add(directory, units(seen[turn::adds]), config=IndexConfig(count_cap=cap, common_projects=common))
    return Library(OPEN[-1](directory), Oracle(documents, cap=cap, common=common))


def units(seen: Sequence[tuple[bytes, Place]]) -> list[Unit]:
    """One Unit for all places that agree in everything a Package says."""
    packages: dict[Package, list[SourceFile]] = defaultdict(list)
    for content, place in seen:
        evidence = LicenseEvidence(EvidenceKind.PACKAGE_METADATA, place.license, "License-Expression", place.license)
        package = Package(
            source=place.source,
            purl=place.purl,
            repository=place.repository,
            released=place.released,
            evidence=() if place.license == NOASSERTION else (evidence,),
        )
        marks = tuple(map(FileMark, place.marks))
        packages[package].append(SourceFile(place.path, content, language=place.language, marks=marks))
    return [Unit(package, reader(files)) for package, files in packages.items()]


def reader(files: Sequence[SourceFile]) -> Callable[[], Iterator[SourceFile | Skipped]]:
    """The `files` of a Unit that are in memory already."""
    return lambda: iter(files)


def read(answer: dict[str, Any]) -> ExpectedReport:
    """The facts of a JSON Report that the oracle speaks of; what else the contract says of ids is held here."""
    by_id = {match["id"]: match for match in answer["matches"]}
    assert len(by_id) == len(answer["matches"]), "two Matches have one id"
    assert all(len(identity) == 16 and int(identity, 16) >= 0 for identity in by_id)
    assert all(match["index"] == answer["indexes"][0]["id"] for match in answer["matches"])
    matches = []
    for match in sorted(answer["matches"], key=lambda match: (match["start"], -match["end"])):
        outer = None if match["within"] is None else by_id[match["within"]]
        facts = {field.name: match[field.name] for field in fields(ExpectedMatch)}
        facts["within"] = None if outer is None else (outer["start"], outer["end"])
        facts["sources"] = tuple(
            ExpectedSource(**{field.name: source[field.name] for field in fields(ExpectedSource)})
            for source in match["sources"]
        )
        matches.append(ExpectedMatch(**facts))
    text = answer["text"]
    return ExpectedReport(text["sha256"], text["start"], text["end"], tuple(matches))


def differences(expected: ExpectedReport, observed: ExpectedReport) -> str:
    """What is missed, what is invented and which facts differ, in code point spans of the text with its context."""
    wanted = {(match.start, match.end): match for match in expected.matches}
    given = {(match.start, match.end): match for match in observed.matches}
    missed, invented = sorted(wanted.keys() - given.keys()), sorted(given.keys() - wanted.keys())
    lines = [f"missed {len(missed)}: {missed[:5]}", f"invented {len(invented)}: {invented[:5]}"]
    if len(given) != len(observed.matches):
        lines.append("a span is reported twice")
    for span in sorted(wanted.keys() & given.keys()):
        for field in fields(ExpectedMatch):
            due, got = getattr(wanted[span], field.name), getattr(given[span], field.name)
            if due != got:
                lines.append(f"{span} {field.name}: expected {due!r}, observed {got!r}")
    return "\n".join(lines[:20])
