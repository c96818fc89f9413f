"""Verdicts: each licence is judged, by the most exact rule, and each outcome has its reason."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest
from hypothesis import given
from oracle.expressions import choices, trees_of, written

from codecite.indexer.attribution.judge import judge, license_outcome
from codecite.indexer.attribution.policy import Exempt, Origins, Policy, load_policy
from codecite.indexer.licenses.expression import normalize
from codecite.indexer.records import (
    Attribution,
    Counts,
    EvidenceKind,
    Kind,
    LicenseEvidence,
    Mark,
    Match,
    Origin,
    Outcome,
    Source,
)

PASS, WARN, FAIL = Outcome
ORDER = list(Outcome)
RULES = {"permissive": PASS, "unknown": WARN, "GPL-2.0-only": FAIL, "GPL-2.0-only WITH Linux-syscall-note": WARN}
POLICY = Policy(name="test", rules=RULES, default=FAIL, min_bytes=100)
TODAY = date(2026, 6, 1)


def attribution(
    licenses: dict[str, int], sources: tuple[Source, ...] = (), *, inside: int = 200, common: bool = False
) -> Attribution:
    """A passage of 300 bytes under some licences."""
    counts = Counts(sum(licenses.values()), False, 1, False, licenses, False, common)
    match = Match("ab" * 8, None, "index", 0, 300, 0, 300, 0, 300, 3, 9, 300, inside, Kind.VERBATIM, counts)
    return Attribution(match, sources)


def source(license: str, *others: str, path: str = "src/a.c", purl: str = "pkg:pypi/them@1") -> Source:
    """A source under a licence by its tag; its package says others."""
    evidence = [LicenseEvidence(EvidenceKind.SPDX_TAG, license, "line 1", license)]
    evidence += [LicenseEvidence(EvidenceKind.PACKAGE_METADATA, other, "License", other) for other in others]
    origin = Origin(purl, None, None, path, None, None, license, tuple(evidence), bool(others), ())
    return Source("swh:1:cnt:" + "0" * 40, Kind.VERBATIM, origin, 1, 9)


def outcome(item: Attribution, policy: Policy = POLICY) -> Outcome:
    """That of the only passage, which is the Verdict's."""
    (judged,), verdict = judge([item], policy, TODAY)
    assert judged == replace(item, outcome=verdict.outcome)
    assert bool(verdict.reasons) == (verdict.outcome is not PASS)
    assert {reason.match for reason in verdict.reasons} <= {item.match.id}
    return verdict.outcome


LEAF = {"MIT": PASS, "Zlib": PASS, "GPL-2.0-only": FAIL, "LicenseRef-X": WARN, "MPL-2.0": FAIL}
LEAF["GPL-2.0-only WITH Linux-syscall-note"] = WARN


@given(trees_of([*LEAF]))
def test_an_or_may_choose_and_an_and_may_not(tree: object) -> None:
    """The best choice counts, and of it the worst licence."""
    ranks = [max(ORDER.index(LEAF[one]) for one in choice) for choice in choices(tree)]
    assert license_outcome(normalize(written(tree)) or "", POLICY) is ORDER[min(ranks)]


def test_the_most_exact_rule_decides() -> None:
    """A whole expression before its parts, a licence before its category, the default last."""
    assert outcome(attribution({"GPL-2.0-only OR MIT": 1})) is PASS
    strict = replace(POLICY, rules=RULES | {"GPL-2.0-only OR MIT": FAIL, "Zlib": FAIL})
    assert outcome(attribution({"GPL-2.0-only OR MIT": 1}), strict) is FAIL
    assert outcome(attribution({"Zlib": 1}), strict) is FAIL
    assert outcome(attribution({"GPL-2.0-only WITH Classpath-exception-2.0": 1})) is FAIL
    assert outcome(attribution({"NOASSERTION": 1})) is WARN
    assert outcome(attribution({"NOASSERTION": 1}), replace(POLICY, rules=RULES | {"NOASSERTION": FAIL})) is FAIL


@pytest.mark.parametrize("name", ["permissive-only", "weak-copyleft", "attribution-only", "strict"])
def test_no_policy_takes_what_states_no_licence_for_permissive(name: str) -> None:
    """NOASSERTION and names that nobody knows."""
    for license in ("NOASSERTION", "LicenseRef-Nobody-Knows"):
        assert outcome(attribution({license: 1}), load_policy(name)) is not PASS


def test_audit_never_fails() -> None:
    """Whatever the licence."""
    for license in ("NOASSERTION", "GPL-3.0-only", "BUSL-1.1"):
        assert outcome(attribution({license: 1}), load_policy("audit")) is PASS


def test_bytes_inside_the_text_count_and_marks_and_common_passages_may_be_passed_over() -> None:
    """What lies in the prompt is not held against the completion."""
    denied = attribution({"GPL-2.0-only": 1}, inside=100)
    assert outcome(denied) is FAIL
    assert outcome(attribution({"GPL-2.0-only": 1}, inside=99)) is PASS
    assert outcome(replace(denied, marks=(Mark.IMPORTS,))) is PASS
    assert outcome(replace(denied, marks=(Mark.IMPORTS,)), replace(POLICY, pass_over=frozenset())) is FAIL
    common = attribution({"GPL-2.0-only": 1}, common=True)
    assert (outcome(common), outcome(common, replace(POLICY, common=False))) == (FAIL, PASS)


@pytest.mark.parametrize(
    ("licenses", "expected"),
    [
        (("MIT", "GPL-2.0-only"), {"show-both": WARN, "strictest": FAIL, "any-allowed": PASS, "earliest": PASS}),
        (("GPL-2.0-only", "MIT"), {"show-both": WARN, "strictest": FAIL, "any-allowed": PASS, "earliest": FAIL}),
        (
            ("NOASSERTION", "GPL-2.0-only"),
            {"show-both": FAIL, "strictest": FAIL, "any-allowed": WARN, "earliest": WARN},
        ),
        (("MIT", "NOASSERTION"), {"show-both": WARN, "strictest": WARN, "any-allowed": PASS, "earliest": PASS}),
    ],
)
def test_a_passage_under_several_licences(licenses: tuple[str, ...], expected: dict[str, Outcome]) -> None:
    """The first source shown is the earliest; both licences are named where one is denied."""
    item = attribution(dict.fromkeys(licenses, 1), tuple(map(source, licenses)))
    found = {str(origins): outcome(item, replace(POLICY, origins=origins)) for origins in Origins}
    assert found == expected
    _, verdict = judge([item], POLICY, TODAY)
    if FAIL in map(LEAF.get, licenses):
        assert "GPL-2.0-only" in verdict.reasons[0].message + verdict.reasons[-1].message
        if "MIT" in licenses:
            assert "also stands under MIT" in verdict.reasons[-1].message


def test_a_licence_that_is_not_shown_is_judged_all_the_same() -> None:
    """Sources are the first N; licences are all of them."""
    policy = replace(POLICY, origins=Origins.STRICTEST)
    assert outcome(attribution({"MIT": 7, "GPL-2.0-only": 1}, (source("MIT"),)), policy) is FAIL


def test_the_licence_of_the_project_decides_with_the_rules() -> None:
    """The worse of the two, with the reason in a sentence; a pair that is in no table is a warning."""
    policy = Policy(name="apache", outbound="Apache-2.0")
    assert outcome(attribution({"MIT": 1}), policy) is PASS
    assert outcome(attribution({"LicenseRef-X": 1}), policy) is WARN
    assert outcome(attribution({"GPL-2.0-only OR MIT": 1}), policy) is PASS
    _, verdict = judge([attribution({"GPL-2.0-only": 1})], policy, TODAY)
    assert verdict.outcome is FAIL
    assert verdict.reasons[0].rule == "outbound"
    assert "GPL-2.0-only code may not become part of a work under Apache-2.0" in verdict.reasons[0].message
    assert outcome(attribution({"MIT": 1}), replace(policy, rules={"MIT": FAIL})) is FAIL


def test_evidence_that_disagrees_is_judged_and_the_worse_counts() -> None:
    """A permissive tag in a package that says GPL is shown with both."""
    item = attribution({"MIT": 1}, (source("MIT", "GPL-2.0-only"),))
    (judged,), verdict = judge([item], POLICY, TODAY)
    assert judged.outcome is FAIL
    assert [reason.rule for reason in verdict.reasons] == ["license-conflict"]
    assert "taken to be under MIT, but package_metadata (License) says GPL-2.0-only" in verdict.reasons[0].message
    assert outcome(attribution({"MIT": 1}, (source("MIT", "Zlib"),))) is PASS


def test_exceptions_hold_until_their_day_and_for_what_they_name() -> None:
    """By licence, project and path; one that speaks of places holds only if all sources under the licence are there."""

    def held(*, license: str | None = None, project: str | None = None, path: str | None = None) -> Outcome:
        exempt = Exempt("we asked", TODAY, license, project, path)
        mine = source("GPL-2.0-only", path="src/a.c"), source("GPL-2.0-only", path="src/b.c"), source("MIT")
        return outcome(attribution({"GPL-2.0-only": 2}, mine), replace(POLICY, exceptions=(exempt,)))

    assert held(license="GPL-2.0-only") is PASS
    assert held(license="GPL-3.0-only") is FAIL
    assert held(project="pkg:pypi/them") is PASS
    assert held(project="pkg:pypi/the") is FAIL
    assert held(path="src/*") is PASS
    assert held(path="src/a*") is FAIL
    assert held(license="GPL-2.0-only", project="pkg:pypi/t*", path="*.c") is PASS
    expired = replace(POLICY, exceptions=(Exempt("we asked", date(2026, 5, 31), "GPL-2.0-only"),))
    _, verdict = judge([attribution({"GPL-2.0-only": 2})], expired, TODAY)
    assert verdict.outcome is FAIL
    assert "the exception for it (we asked) expired on 2026-05-31" in verdict.reasons[0].message
    hidden = replace(POLICY, exceptions=(Exempt("r", None, path="*"),))
    assert outcome(attribution({"GPL-2.0-only": 2}), hidden) is FAIL


def test_a_reason_names_the_rule_the_place_and_the_evidence() -> None:
    """So that one can look it up."""
    item = attribution({"GPL-2.0-only": 1_000, "MIT": 1}, (source("GPL-2.0-only"),))
    _, verdict = judge([item], replace(POLICY, origins=Origins.STRICTEST), TODAY)
    assert [reason.rule for reason in verdict.reasons] == ["licenses.deny"]
    assert verdict.reasons[0].message == (
        "lines 3-9: 200 bytes stand in 1,000 files under GPL-2.0-only; GPL-2.0-only denied by test "
        "(pkg:pypi/them@1: src/a.c; spdx_tag, line 1)"
    )
