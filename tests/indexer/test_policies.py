"""Checks of an index under a policy.

Own projects are as good as absent: the answers are those of an index they were removed from. What a Report shows does
not change its verdict.
"""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from oracle.library import reader

from codecite.indexer import open_index
from codecite.indexer.attribution.policy import Exempt, Origins, Policy
from codecite.indexer.build import add
from codecite.indexer.corpus.units import Unit
from codecite.indexer.records import EvidenceKind, LicenseEvidence, Mark, Outcome, Package, SourceFile
from codecite.indexer.store.takedowns import TakedownKind, parse_takedown
from codecite.indexer.upkeep import remove


def evidence(license: str) -> tuple[LicenseEvidence, ...]:
    """What a package declares."""
    return (LicenseEvidence(EvidenceKind.PACKAGE_METADATA, license, "License", license),)


OURS = Package("ours", "pkg:pypi/ours@2", "https://example.org/team/ours", evidence=evidence("GPL-3.0-only"))
THEIRS = Package("theirs", "pkg:pypi/theirs@1", evidence=evidence("MIT"))
LINES = [f"def step_{i}(value):\n    return value * {i} + {i * i}\n" for i in range(60)]


@pytest.fixture(scope="module")
def index(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Our project holds a file of theirs with more behind it, and one that they have, too; two Segments."""
    path = tmp_path_factory.mktemp("own") / "index"
    files = {
        OURS: {"a.py": LINES[:40], "same.py": LINES[50:]},
        THEIRS: {"a.py": LINES[:30], "same.py": LINES[50:], "b.py": LINES[35:50]},
    }
    for package, held in files.items():
        add(path, [Unit(package, reader([SourceFile(name, "".join(text).encode()) for name, text in held.items()]))])
    return path


@pytest.mark.parametrize(
    ("pattern", "kind", "rule"),
    [
        ("pkg:pypi/ours", TakedownKind.PURL, "pkg:pypi/ours"),
        ("pkg:pypi/o*", TakedownKind.PURL, "pkg:pypi/ours"),
        ("https://example.org/team/*", TakedownKind.REPOSITORY, "https://example.org/team/ours"),
        ("pkg:pypi/theirs", TakedownKind.PURL, "pkg:pypi/theirs"),
    ],
)
def test_own_projects_are_not_searched(
    index: Path, pattern: str, kind: TakedownKind, rule: str, tmp_path: Path
) -> None:
    """Nor do their passages hide others: what is left is maximal."""
    copy = tmp_path / "copy"
    shutil.copytree(index, copy)
    remove(copy, [parse_takedown(kind, rule)])
    text = "".join(LINES)
    own = open_index(index)
    seen = own.check(text, policy=Policy(own_projects=(pattern,)), sources=9).to_dict()
    removed = open_index(copy).check(text, policy=Policy(), sources=9).to_dict()
    assert seen["matches"] == removed["matches"]
    assert len(seen["matches"]) > 1
    assert seen["indexes"][0]["documents"] == removed["indexes"][0]["documents"]
    whole = own.check(text, policy=Policy(), sources=9).to_dict()
    assert whole["matches"] != seen["matches"]
    assert {license for match in whole["matches"] for license in match["licenses"]} == {"GPL-3.0-only", "MIT"}


def test_a_pattern_that_fits_nothing_changes_nothing(index: Path) -> None:
    """A purl is compared without its version."""
    own, text = open_index(index), "".join(LINES)
    for pattern in ("pkg:pypi/our", "pkg:pypi/ours@2", "ours"):
        assert own.check(text, policy=Policy(own_projects=(pattern,))) == own.check(text, policy=Policy())


EXEMPT = Exempt("ours", None, path="src/*")
WHOLE: frozenset[Mark] = frozenset()


@pytest.mark.parametrize(
    ("policy", "expected"),
    [
        (Policy(rules={"GPL-3.0-only": Outcome.FAIL}, pass_over=WHOLE), Outcome.FAIL),
        (Policy(rules={"MIT": Outcome.FAIL}, exceptions=(EXEMPT,), pass_over=WHOLE), Outcome.PASS),
        (Policy(rules={"MIT": Outcome.WARN}, origins=Origins.EARLIEST, pass_over=WHOLE), Outcome.WARN),
    ],
    ids=["license-conflict", "exceptions", "earliest"],
)
def test_the_verdict_does_not_depend_on_how_many_sources_are_shown(
    policy: Policy, expected: Outcome, tmp_path: Path
) -> None:
    """Nor do its reasons: nine files under one tag, the last of them in a package that says something else."""
    tag = (LicenseEvidence(EvidenceKind.SPDX_TAG, "MIT", "line 1", "MIT"),)
    text = "".join(LINES)
    for number in range(9):
        declared = evidence("GPL-3.0-only" if number == 8 else "MIT")
        package = Package("them", f"pkg:pypi/p{number}@1", released=f"202{number}-01-01", evidence=declared)
        file = SourceFile("src/a.py", f"{text}\nlast = {number}\n".encode(), tag)
        add(tmp_path, [Unit(package, reader([file]))])
    index = open_index(tmp_path)
    reports = [index.check(text, policy=policy, sources=shown) for shown in (0, 1, 5, 9, 300)]
    assert [len(report.attributions[0].sources) for report in reports] == [0, 1, 5, 9, 9]
    assert {report.verdict for report in reports} == {reports[0].verdict}
    assert reports[0].verdict.outcome is expected
    assert [source.origin.conflict for source in reports[-1].attributions[0].sources] == [False] * 8 + [True]


def test_a_claim_beyond_the_sources_that_are_looked_at_one_by_one_is_judged(tmp_path: Path) -> None:
    """Of 430 sources in two Segments four disagree with their tag, behind the first 200: what is new is told."""
    text = "".join(LINES)
    said = {250: "GPL-3.0-only", 251: "GPL-3.0-only", 420: "AGPL-3.0-only", 421: "Zlib"}
    for part in (range(240, 430), range(240)):
        units = []
        for number in part:
            tag = (LicenseEvidence(EvidenceKind.SPDX_TAG, "MIT", "line 1", "MIT"),)
            released = f"20{number // 12:02}-{number % 12 + 1:02}-01"
            package = Package(
                "them", f"pkg:pypi/p{number}@1", released=released, evidence=evidence(said.get(number, "MIT"))
            )
            file = SourceFile(f"src/a{number}.py", f"{text}\nlast = {number}\n".encode(), tag)
            units.append(Unit(package, reader([file])))
        add(tmp_path, units)
    policy = Policy(
        rules={"GPL-3.0-only": Outcome.WARN, "AGPL-3.0-only": Outcome.FAIL, "MIT": Outcome.PASS},
        common=True,
        pass_over=WHOLE,
    )
    index = open_index(tmp_path)
    reports = [index.check(text, policy=policy, sources=shown) for shown in (1, 300, 1000)]
    assert {report.verdict for report in reports} == {reports[0].verdict}
    assert [len(report.attributions[0].sources) for report in reports] == [1, 300, 430]
    verdict = reports[0].verdict
    assert verdict.outcome is Outcome.FAIL
    told = [(reason.rule, reason.message.split(" is taken", 1)[0]) for reason in verdict.reasons]
    assert told == [("license-conflict", "src/a250.py"), ("license-conflict", "src/a420.py")]
    remove(tmp_path, [parse_takedown(TakedownKind.PURL, "pkg:pypi/p420")])
    assert open_index(tmp_path).check(text, policy=policy).verdict.outcome is Outcome.WARN
