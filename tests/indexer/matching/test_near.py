"""Renamed, edited and reformatted passages are found; exact ones are not said twice, and foreign code is not found."""

from __future__ import annotations

import json
import random
import re
from dataclasses import replace
from pathlib import Path

import jsonschema
import pytest

from codecite.indexer import open_index
from codecite.indexer.attribution.policy import Policy, load_policy
from codecite.indexer.build import add
from codecite.indexer.corpus.units import Unit
from codecite.indexer.index import Index
from codecite.indexer.records import (
    EvidenceKind,
    Kind,
    LicenseEvidence,
    Measure,
    Outcome,
    Package,
    Report,
    SourceFile,
)
from codecite.indexer.store.takedowns import TakedownKind, parse_takedown
from codecite.indexer.upkeep import compact, remove

SCHEMA = json.loads((Path(__file__).parents[3] / "docs" / "codecite-report-1.schema.json").read_text())
FUNCTION = '''def merge_intervals(intervals, tolerance=0):
    """Join the intervals that overlap."""
    ordered = sorted(intervals, key=lambda item: item[0])
    merged = []
    for start, stop in ordered:
        if merged and start <= merged[-1][1] + tolerance:
            merged[-1] = (merged[-1][0], max(merged[-1][1], stop))
        else:
            merged.append((start, stop))
    gaps = []
    for before, behind in zip(merged, merged[1:]):
        gaps.append(behind[0] - before[1])
    longest = max((stop - start for start, stop in merged), default=0)
    return merged, gaps, longest
'''
HEAD = "import sys\n\nLIMIT = 3\n\n\n"
OTHER = """class Reader:
    def __init__(self, stream, encoding="utf-8"):
        self.stream = stream
        self.encoding = encoding
        self.closed = False

    def lines(self):
        while not self.closed:
            piece = self.stream.readline()
            if not piece:
                self.closed = True
                return
            yield piece.decode(self.encoding).rstrip("\\n")
"""


def package(name: str, license: str) -> Package:
    """A package under a licence."""
    evidence = (LicenseEvidence(EvidenceKind.PACKAGE_METADATA, license, "License", license),)
    return Package("here", purl=f"pkg:pypi/{name}@1", evidence=evidence)


def unit(name: str, license: str, *texts: str) -> Unit:
    """A package of these files."""
    files = [SourceFile(f"{number}.py", text.encode()) for number, text in enumerate(texts)]
    return Unit(package(name, license), lambda: iter(files))


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    """A GPL package with the function, an MIT one with something else."""
    add(tmp_path / "index", [unit("ours", "GPL-3.0-only", HEAD + FUNCTION), unit("other", "MIT", OTHER)])
    return tmp_path / "index"


def renamed(text: str) -> str:
    """All of its own names are others."""
    names = "merge_intervals intervals tolerance ordered item merged start stop gaps before behind longest"
    return re.sub(rf"\b({'|'.join(names.split())})\b", lambda name: f"x{sum(name[0].encode()) % 1009}", text)


def near(report: Report) -> list[tuple[int, int, dict[str, int]]]:
    """The lines and licences of the near Matches."""
    found = [item.match for item in report.attributions if item.match.kind is Kind.NEAR]
    return [(match.start_line, match.end_line, dict(match.counts.licenses)) for match in found]


CHANGES = {
    "renamed": renamed(FUNCTION),
    "renamed in part": FUNCTION.replace("merged", "joined").replace("ordered", "in_order").replace("stop", "end"),
    "renamed and reformatted": renamed(FUNCTION).replace("(start, stop)", "(\n    start, stop,\n)"),
    "with other comments": FUNCTION.replace('"""Join the intervals that overlap."""', "# ours"),
    "renamed, with lines between": renamed(FUNCTION).replace(
        "    merged = []\n", "    merged = []\n    count = len(ordered)\n    print(count)\n"
    ),
    "edited": renamed(FUNCTION).replace("else:", "elif True:").replace("default=0", "default=None"),
}


@pytest.mark.parametrize("change", CHANGES)
def test_a_changed_function_is_found_with_its_places(directory: Path, change: str) -> None:
    """In the text and in the source, with its licence, and how much of it agrees."""
    text = "\n\n" + CHANGES[change] + "\n\nprint('something of our own', LIMIT)\n"
    report = open_index(directory).check(text, near=True)
    found = [item for item in report.attributions if item.match.kind is Kind.NEAR]
    assert len(found) == 1
    match = found[0].match
    assert match.start_line <= 6
    assert match.end_line >= text[: text.index("print('some")].count("\n") - 4
    assert match.measure is Measure.ALIGNED_TOKENS
    assert match.similarity is not None
    assert 0.75 < match.similarity <= 1
    assert dict(match.counts.licenses) == {"GPL-3.0-only": 1}
    (source,) = found[0].sources
    assert (source.origin.path, source.kind) == ("0.py", Kind.NEAR)
    assert source.start_line >= 6
    assert source.end_line == (HEAD + FUNCTION).count("\n")
    jsonschema.validate(report.to_dict(), SCHEMA)


def test_what_stands_there_exactly_is_not_said_twice(directory: Path) -> None:
    """One Match of it, as without near ones; and none of what is not asked for."""
    index = open_index(directory)
    assert near(index.check(FUNCTION, near=True)) == []
    assert index.check(FUNCTION, near=True).attributions == index.check(FUNCTION).attributions
    assert near(index.check(renamed(FUNCTION))) == []


def test_a_licence_that_stands_only_nearly_is_not_hidden_by_an_exact_copy(directory: Path) -> None:
    """A renamed copy under another licence has a Match of its own."""
    add(directory, [unit("copier", "Apache-2.0", renamed(FUNCTION))])
    report = open_index(directory).check(FUNCTION, near=True)
    kinds = {str(item.match.kind): set(item.match.counts.licenses) for item in report.attributions}
    assert kinds == {"verbatim": {"GPL-3.0-only"}, "near": {"Apache-2.0"}}


def test_foreign_code_is_not_found(directory: Path) -> None:
    """Nor what merely looks alike: other functions of the same shape of life."""
    other = (
        "def split_words(text, limit=0):\n    words = text.split()\n    found = []\n    for word in words:\n"
        "        if len(word) > limit:\n            found.append(word)\n    return found, len(words)\n"
    )
    assert near(open_index(directory).check(other, near=True)) == []
    signs = ["if", "a", "b", "(", ")", "[", "]", "=", "3", "for", "in", ".", ",", "x"]
    noise = " ".join(random.Random(1).choices(signs, k=400))
    assert near(open_index(directory).check(noise, near=True)) == []
    for text in ("", "x", "\0\xff" * 500, "(" * 10_000):
        assert near(open_index(directory).check(text, near=True)) == []


def test_segments_merged_answer_as_before(directory: Path) -> None:
    """Near passages are those of the corpus, however many Segments it is in."""
    add(directory, [unit("copier", "Apache-2.0", renamed(FUNCTION))])
    text = CHANGES["renamed in part"].replace("gaps", "holes").replace("before", "left")
    before = near(open_index(directory).check(text, near=True))
    assert before[0][2] == {"Apache-2.0": 1, "GPL-3.0-only": 1}
    compact(directory)
    assert near(open_index(directory).check(text, near=True)) == before


def test_what_was_taken_out_is_not_found(directory: Path) -> None:
    """Before the next merge and behind it."""
    remove(directory, [parse_takedown(TakedownKind.PURL, "pkg:pypi/ours")])
    assert near(open_index(directory).check(renamed(FUNCTION), near=True)) == []
    compact(directory)
    assert near(open_index(directory).check(renamed(FUNCTION), near=True)) == []


def test_a_policy_may_want_them_and_judges_them(directory: Path, tmp_path: Path) -> None:
    """`near = true` in the file of a policy, with its verdict."""
    place = tmp_path / "policy.toml"
    place.write_text('name = "p"\n[licenses]\ndeny = ["strong-copyleft"]\n[passages]\nmin_bytes = 150\nnear = true\n')
    policy = load_policy(place)
    assert policy.near
    index = open_index(directory)
    assert index.check(renamed(FUNCTION), policy=policy).verdict.outcome is Outcome.FAIL
    assert index.check(renamed(FUNCTION), policy=replace(policy, near=False)).verdict.outcome is Outcome.PASS
    own = replace(policy, own_projects=("pkg:pypi/ours",))
    assert index.check(renamed(FUNCTION), policy=own).verdict.outcome is Outcome.PASS


def test_a_stream_has_them_at_its_end(directory: Path) -> None:
    """The Report of `finish` is that of one check; what lies in the context alone is not told."""
    index: Index = open_index(directory)
    policy = Policy(near=True)
    text = renamed(FUNCTION)
    checker = index.stream(before=text[:100], policy=policy)
    for at in range(100, len(text), 7):
        checker.feed(text[at : at + 7])
    assert checker.finish() == index.check(text[100:], before=text[:100], policy=policy)
    assert near(checker.finish())
    assert near(index.check("print(1)\n", before=text + "\n", policy=policy)) == []


def test_a_claim_is_not_hidden_by_an_exact_passage_under_the_same_licence(tmp_path: Path) -> None:
    """A changed copy under MIT whose package says GPL is told beside an exact one that is under MIT and no other."""
    tag = (LicenseEvidence(EvidenceKind.SPDX_TAG, "MIT", "line 1", "MIT"),)
    copies = {"agreeing": ("MIT", FUNCTION), "claiming": ("GPL-3.0-only", renamed(FUNCTION))}
    for name, (declared, text) in copies.items():
        files = [SourceFile("a.py", text.encode(), tag)]
        add(tmp_path, [Unit(package(name, declared), lambda files=files: iter(files))])
    policy = Policy(rules={"GPL-3.0-only": Outcome.FAIL, "MIT": Outcome.PASS}, min_bytes=50)
    report = open_index(tmp_path).check(FUNCTION, policy=policy, near=True)
    assert [item.outcome for item in report.attributions if item.match.kind is Kind.NEAR] == [Outcome.FAIL]
    assert [reason.rule for reason in report.verdict.reasons] == ["license-conflict"]
    remove(tmp_path, [parse_takedown(TakedownKind.PURL, "pkg:pypi/claiming")])
    report = open_index(tmp_path).check(FUNCTION, policy=policy, near=True)
    assert near(report) == []
    assert report.verdict.outcome is Outcome.PASS


def test_a_claim_beyond_the_sources_of_a_near_passage_is_judged(tmp_path: Path) -> None:
    """One Document of 240 packages: the last of them says something else of it."""
    tag = (LicenseEvidence(EvidenceKind.SPDX_TAG, "MIT", "line 1", "MIT"),)
    units = []
    for number in range(240):
        made = replace(
            package(f"p{number}", "GPL-3.0-only" if number == 239 else "MIT"),
            released=f"20{number // 12:02}-{number % 12 + 1:02}-01",
        )
        files = [SourceFile("a.py", FUNCTION.encode(), tag)]
        units.append(Unit(made, lambda files=files: iter(files)))
    add(tmp_path, units)
    policy = Policy(rules={"GPL-3.0-only": Outcome.FAIL, "MIT": Outcome.PASS}, min_bytes=50, common=True)
    reports = [
        open_index(tmp_path).check(renamed(FUNCTION), policy=policy, near=True, sources=shown) for shown in (1, 240)
    ]
    assert [len(report.attributions[0].sources) for report in reports] == [1, 240]
    assert {report.verdict for report in reports} == {reports[0].verdict}
    assert reports[0].verdict.outcome is Outcome.FAIL
