"""Attributions held against a policy: an outcome for each, and the Verdict with its reasons.

In: Attributions, a Policy, the day. Out: the Attributions with their outcomes, and a Verdict. It refuses to know how
a policy is written and how passages are found.

All licences of a passage are judged, whether or not a source under them is shown; so is what evidence that disagrees
claims: of the first SOURCES_SEEN sources all, of the others what none before them claims. What a ledger has is shown
and not judged: whose text it is, the other indexes say. How many sources a Report shows changes nothing. Every outcome
but `pass` has its reason: which rule, which licence, which evidence.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date
from fnmatch import fnmatchcase

from codecite.indexer.attribution.policy import Exempt, Origins, Policy
from codecite.indexer.licenses.categories import category
from codecite.indexer.licenses.compatibility import Answer, compatibility
from codecite.indexer.licenses.effective import disagrees
from codecite.indexer.licenses.expression import Node, parse
from codecite.indexer.records import (
    Attribution,
    Counts,
    Kind,
    LicenseEvidence,
    Origin,
    Outcome,
    Package,
    Reason,
    Source,
    Verdict,
)

SOURCES_SEEN = 200
"""So many sources of a passage are looked at one by one: for all reasons, and for the places that exceptions name."""

_RANK = {outcome: rank for rank, outcome in enumerate(Outcome)}


@dataclass(frozen=True, slots=True)
class _Judged:
    """What a policy says of one licence, by which rule, in words."""

    outcome: Outcome
    rule: str
    why: str


def sources_wanted(policy: Policy, counts: Counts | None = None) -> int:
    """How many sources of a Match the policy must see for its reasons, or for the outcome of one with `counts` alone.

    None where it can say nothing worse than it says of the licences; its exceptions may have to see all.
    """
    said = _sayable(policy)
    if said == {Outcome.PASS}:
        return 0
    if counts is None or policy.exceptions or policy.origins is Origins.EARLIEST:
        return SOURCES_SEEN
    outcome = _together([_of_expression(license, policy).outcome for license in counts.licenses], policy)
    return 0 if outcome is worst(said) else SOURCES_SEEN


def _sayable(policy: Policy) -> set[Outcome]:
    """The outcomes that a policy may give a licence."""
    return {policy.default, *policy.rules.values()} | ({Outcome.FAIL} if policy.outbound is not None else set())


def claim_of(license: str, evidence: tuple[LicenseEvidence, ...]) -> tuple[str, frozenset[str]] | None:
    """What evidence that disagrees with a licence says; None where it agrees."""
    if not disagrees(license, evidence):
        return None
    return license, frozenset(item.expression for item in evidence if item.expression not in (None, license))


def judge(
    attributions: Iterable[Attribution], policy: Policy, today: date | None = None
) -> tuple[tuple[Attribution, ...], Verdict]:
    """Each Attribution with its outcome, in their order, and the Verdict: the worst outcome, with all reasons."""
    if _sayable(policy) == {Outcome.PASS}:
        return tuple(replace(attribution, outcome=Outcome.PASS) for attribution in attributions), Verdict()
    day = today or date.today()
    said = _Said(policy)
    judged, reasons = [], []
    for attribution in attributions:
        outcome, found = _outcome(attribution, policy, said, day)
        judged.append(replace(attribution, outcome=outcome))
        reasons += found
    return tuple(judged), Verdict(worst(item.outcome for item in judged), tuple(reasons))


def worst(outcomes: Iterable[Outcome]) -> Outcome:
    """The worst of some outcomes; PASS where there is none."""
    return max(outcomes, key=_RANK.__getitem__, default=Outcome.PASS)


def license_outcome(expression: str, policy: Policy) -> Outcome:
    """What a policy says of an expression, exceptions aside."""
    return _of_expression(expression, policy).outcome


class _Said(dict[str, _Judged]):
    """What a policy says of each expression, which is looked at once: passages of one text share most of theirs."""

    def __init__(self, policy: Policy) -> None:
        super().__init__()
        self._policy = policy

    def __missing__(self, expression: str) -> _Judged:
        found = self[expression] = _of_expression(expression, self._policy)
        return found


def _outcome(attribution: Attribution, policy: Policy, said: _Said, day: date) -> tuple[Outcome, list[Reason]]:
    sources = attribution.sources
    attribution = replace(attribution, sources=sources[:SOURCES_SEEN])
    match = attribution.match
    marks = policy.pass_over.intersection(attribution.marks)
    generated = match.kind is Kind.GENERATED
    if match.bytes_in_text < policy.min_bytes or generated or marks or (match.counts.common and not policy.common):
        return Outcome.PASS, []
    judged: dict[str, _Judged] = {}
    expired: dict[str, Exempt] = {}
    for license in match.counts.licenses:
        judged[license] = said[license]
        if judged[license].outcome is not Outcome.PASS:
            exempt = _exempt(license, attribution, policy)
            if exempt is not None and (exempt.expires is None or day <= exempt.expires):
                judged[license] = _Judged(Outcome.PASS, "exceptions", exempt.reason)
            elif exempt is not None:
                expired[license] = exempt
    outcome = _together([item.outcome for item in judged.values()], policy)
    if policy.origins is Origins.EARLIEST and attribution.sources:
        outcome = judged[attribution.sources[0].origin.license].outcome
    reasons = []
    if outcome is not Outcome.PASS:
        reasons = [
            Reason(item.rule, match.id, _sentence(license, item, attribution, policy, expired.get(license)))
            for license, item in judged.items()
            if item.outcome is not Outcome.PASS
        ]
        if policy.origins is Origins.SHOW_BOTH and Outcome.FAIL in {item.outcome for item in judged.values()}:
            allowed = [license for license, item in judged.items() if item.outcome is Outcome.PASS]
            if allowed:
                text = f"the passage also stands under {', '.join(allowed)}, allowed by {policy.name}: no failure"
                reasons.append(Reason("origins.show-both", match.id, text))
    conflict, conflicts = _conflicts(sources, said, match.id, outcome)
    return conflict, reasons + conflicts


def _together(outcomes: Sequence[Outcome], policy: Policy) -> Outcome:
    """The outcome of a passage whose licences have these, unless the earliest source decides."""
    if policy.origins is Origins.ANY_ALLOWED:
        return min(outcomes, key=_RANK.__getitem__, default=Outcome.PASS)
    if policy.origins is Origins.SHOW_BOTH and Outcome.PASS in outcomes and Outcome.FAIL in outcomes:
        return Outcome.WARN
    return worst(outcomes)


def _of_expression(expression: str, policy: Policy) -> _Judged:
    tree = parse(expression)
    if tree is None:
        return _ruled(expression, expression, policy)
    return _of_tree(tree, policy)


def _of_tree(tree: Node, policy: Policy) -> _Judged:
    """By a rule for just this expression, else by its parts: of an `OR` the best, of an `AND` the worst."""
    if not tree.operator or str(tree) in policy.rules:
        return _ruled(str(tree), tree.license or str(tree), policy)
    parts = [_of_tree(part, policy) for part in tree.parts]
    return (max if tree.operator == "AND" else min)(parts, key=lambda part: _RANK[part.outcome])


def _ruled(expression: str, bare: str, policy: Policy) -> _Judged:
    """What the rules say of a licence (with its exception, without it, by its category), and of it in the project."""
    kind = category(expression)
    for name in (expression, bare, kind):
        if name in policy.rules:
            outcome = policy.rules[name]
            break
    else:
        name, outcome = "default", policy.default
    rule = f"licenses.{_KEYS[outcome]}" if name != "default" else "licenses.default"
    what = f"is {kind}, and " if name == kind else ""
    by_rule = _Judged(outcome, rule, f"{expression} {what}{_SAYS[outcome]} by {policy.name}")
    if policy.outbound is None:
        return by_rule
    pair = compatibility(expression, policy.outbound)
    by_pair = _Judged(_OF_PAIR[pair.answer], "outbound", pair.sentence)
    return max(by_rule, by_pair, key=lambda item: _RANK[item.outcome])


_KEYS = {Outcome.PASS: "allow", Outcome.WARN: "warn", Outcome.FAIL: "deny"}
_SAYS = {Outcome.PASS: "allowed", Outcome.WARN: "warned of", Outcome.FAIL: "denied"}
_OF_PAIR = {
    Answer.COMPATIBLE: Outcome.PASS,
    Answer.DEPENDS: Outcome.WARN,
    Answer.UNKNOWN: Outcome.WARN,
    Answer.INCOMPATIBLE: Outcome.FAIL,
}


def _exempt(license: str, attribution: Attribution, policy: Policy) -> Exempt | None:
    """The exception that all sources under a licence fall under; of those the one that expires last.

    One that speaks of projects or paths holds only where all sources can be seen.
    """
    found = []
    under = [source.origin for source in attribution.sources if source.origin.license == license]
    all_seen = bool(under) and len(attribution.sources) < SOURCES_SEEN
    for exempt in policy.exceptions:
        if exempt.license is not None and exempt.license != license:
            continue
        narrow = exempt.project is not None or exempt.path is not None
        if not narrow or (all_seen and all(_covers(exempt, origin) for origin in under)):
            found.append(exempt)
    return max(found, key=lambda exempt: exempt.expires or date.max, default=None)


def is_own(patterns: Sequence[str], package: Package) -> bool:
    """Whether a Package is one of the projects that a policy calls its own."""
    names = _projects(package.purl, package.repository)
    if package.url:
        names.append(package.url)
    return any(fnmatchcase(name, pattern) for name in names for pattern in patterns)


def _projects(purl: str | None, repository: str | None) -> list[str]:
    """What a project goes by: its purl without the version, and its repository."""
    bare = None if purl is None else purl.split("?", 1)[0].split("#", 1)[0].rsplit("@", 1)[0]
    return [name for name in (bare, repository) if name]


def _covers(exempt: Exempt, origin: Origin) -> bool:
    projects = _projects(origin.purl, origin.repository)
    if exempt.project is not None and not any(fnmatchcase(name, exempt.project) for name in projects):
        return False
    return exempt.path is None or fnmatchcase(origin.path, exempt.path)


def _conflicts(sources: tuple[Source, ...], said: _Said, match: str, outcome: Outcome) -> tuple[Outcome, list[Reason]]:
    """The outcome where evidence that disagrees makes it worse, and the reasons."""
    reasons: dict[Reason, None] = {}
    claimed = set()
    for i, source in enumerate(sources):
        origin = source.origin
        if not origin.conflict:
            continue
        claim = claim_of(origin.license, origin.evidence)
        if i >= SOURCES_SEEN and claim in claimed:
            continue
        claimed.add(claim)
        for evidence in origin.evidence:
            if evidence.expression is None or evidence.expression == origin.license:
                continue
            judged = said[evidence.expression]
            if _RANK[judged.outcome] > _RANK[said[origin.license].outcome]:
                outcome = worst([outcome, judged.outcome])
                text = (
                    f"{origin.path} is taken to be under {origin.license}, but {evidence.kind} ({evidence.where}) says "
                    f"{evidence.expression}: {judged.why}"
                )
                reasons[Reason("license-conflict", match, text)] = None
    return outcome, list(reasons)


def _sentence(license: str, judged: _Judged, attribution: Attribution, policy: Policy, expired: Exempt | None) -> str:
    match = attribution.match
    documents = match.counts.licenses[license]
    more = " or more" if match.counts.licenses_capped else ""
    text = (
        f"lines {match.start_line}-{match.end_line}: {match.bytes_in_text} bytes stand in {documents:,}{more} "
        f"file{'s' if documents != 1 else ''} under {license}; {judged.why}"
    )
    shown = next((source for source in attribution.sources if source.origin.license == license), None)
    if shown is not None:
        text += f" ({_where(shown)})"
    if expired is not None:
        text += f"; the exception for it ({expired.reason}) expired on {expired.expires}"
    return text


def _where(source: Source) -> str:
    origin = source.origin
    place = ": ".join(name for name in (origin.purl or origin.repository, origin.path) if name)
    evidence = next((item for item in origin.evidence if item.expression == origin.license), None)
    return f"{place}; {evidence.kind}, {evidence.where}" if evidence else place
