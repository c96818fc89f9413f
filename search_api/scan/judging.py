"""A Report on a file -> its Findings.

In: the Attributions of a file with what the policy says of them, what attributions stand there, the lines that a change
adds. Out: Findings, and the Attributions that count. It refuses to know where files come from and how findings are
shown.

A passage is judged whole. In a change it is a finding only if the lines that the change adds hold so much of it as an
index finds (50 bytes), and if those lines did not stand in what the change replaces: what is merely moved is not new.
"""

from __future__ import annotations

import hashlib
import re
import zlib
from bisect import bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from codecite.indexer.attribution.judge import license_outcome
from codecite.indexer.attribution.policy import MIN_BYTES, Policy
from codecite.indexer.config import GUARANTEE
from codecite.indexer.licenses.categories import category
from codecite.indexer.records import Attribution, Category, FileMark, Kind, Outcome, Reason, Source
from codecite.search_api.scan.records import SEVERITY_OF, Finding, Lines, Rule, Severity
from codecite.search_api.scan.satisfied import FileStanding, Standing

_SPACE = b"\t\n\v\f\r "
_SHOWN = 12
_WORD = re.compile(rb"\w+|[^\w\s]")
_WORDS = 5
_HASHES = 128
_ONE_IN = 4
_COVERED = 0.8
_LACKING = (Rule.VERBATIM_UNATTRIBUTED, Rule.ATTRIBUTION_MISSING, Rule.CANDIDATE_UNATTRIBUTED)


@dataclass(frozen=True, slots=True)
class File:
    """A file as it was checked: `starts` are the bytes at which its lines begin."""

    path: str
    content: bytes
    starts: tuple[int, ...]
    added: tuple[Lines, ...] | None
    marks: tuple[FileMark, ...]

    def line_at(self, byte: int) -> int:
        """The line that holds a byte."""
        return bisect_right(self.starts, byte)

    def lines(self, first: int, last: int) -> bytes:
        """The bytes of a run of lines."""
        end = self.starts[last] if last < len(self.starts) else len(self.content)
        return self.content[self.starts[first - 1] : end]


def starts_of(content: bytes) -> tuple[int, ...]:
    """The bytes at which the lines of a file begin."""
    return (0, *(found.end() for found in re.finditer(rb"\n", content)))


def canonical(text: bytes) -> bytes:
    """A text without white space."""
    return text.translate(None, _SPACE)


def counts(attribution: Attribution, policy: Policy) -> bool:
    """Whether a policy judges the passage at all."""
    match = attribution.match
    return (
        match.bytes_in_text >= policy.min_bytes
        and match.kind is not Kind.GENERATED
        and not policy.pass_over.intersection(attribution.marks)
        and (policy.common or not match.counts.common)
    )


def passage_lines(file: File, attribution: Attribution) -> Lines:
    """The lines of a passage, without those at its ends of which it holds white space only."""
    match = attribution.match
    raw = file.content[match.byte_start : match.byte_end]
    begin = match.byte_start + len(raw) - len(raw.lstrip(_SPACE))
    end = match.byte_end - (len(raw) - len(raw.rstrip(_SPACE)))
    return file.line_at(begin), file.line_at(max(begin, end - 1))


def findings_of(
    file: File,
    attributions: Sequence[Attribution],
    reasons: Iterable[Reason],
    policy: Policy,
    standing: FileStanding,
    before: Sequence[bytes],
) -> tuple[list[Finding], list[Attribution]]:
    """The Findings of a file, by place, and the Attributions that are satisfied. The mends are not filled in."""
    said: dict[str, list[Reason]] = {}
    for reason in reasons:
        said.setdefault(reason.match or "", []).append(reason)
    found: list[Finding] = []
    satisfied: list[Attribution] = []
    for attribution in attributions:
        lines = passage_lines(file, attribution)
        regions = _new_regions(file, attribution, lines, before)
        if not regions:
            continue
        why = said.get(attribution.match.id, [])
        judged = _judged(attribution, why, policy, standing, lines)
        if judged is None:
            satisfied.append(attribution)
        elif judged[0] is not None:
            found.append(_finding(file, attribution, judged[0], judged[1], why, policy, regions))
    return _without_inner(found, satisfied), satisfied


def _judged(
    attribution: Attribution, why: list[Reason], policy: Policy, standing: FileStanding, lines: Lines
) -> tuple[Rule | None, Severity] | None:
    """The rule and the severity; None where the attribution stands, no rule where none is asked for."""
    outcome = attribution.outcome
    if outcome is not Outcome.PASS:
        allowed = {name for name in attribution.match.counts.licenses if license_outcome(name, policy) is Outcome.PASS}
        if outcome is Outcome.WARN and allowed:
            stands, license = standing.of(attribution, lines)
            if stands is Standing.WHOLE and license in allowed:
                return None
        return _rule(attribution, why, policy), SEVERITY_OF[outcome]
    short = attribution.match.bytes_in_text < MIN_BYTES
    if short or attribution.match.counts.common or not _asks(attribution):
        return None, Severity.NOTE
    stands, _ = standing.of(attribution, lines)
    if stands is Standing.WHOLE:
        return None
    if attribution.match.kind is Kind.CANDIDATE:
        return Rule.CANDIDATE_UNATTRIBUTED, Severity.WARNING
    rule = Rule.ATTRIBUTION_MISSING if stands is Standing.LICENSE else Rule.VERBATIM_UNATTRIBUTED
    return rule, Severity.WARNING


def _rule(attribution: Attribution, why: list[Reason], policy: Policy) -> Rule:
    if attribution.match.kind is Kind.CANDIDATE:
        return Rule.CANDIDATE_DENIED
    of_license = [item for item in why if item.rule not in ("license-conflict", "origins.show-both")]
    if not of_license and why:
        return Rule.LICENSE_CONFLICT
    licenses = attribution.match.counts.licenses
    bad = [name for name in licenses if license_outcome(name, policy) is not Outcome.PASS]
    if bad and all(category(name) is Category.UNKNOWN for name in bad):
        return Rule.LICENSE_UNKNOWN
    return Rule.NEAR_DENIED if str(attribution.match.kind) == "near" else Rule.VERBATIM_DENIED


def _asks(attribution: Attribution) -> bool:
    """Whether every licence of the passage that is shown asks for a notice."""
    asked = [any(duty.startswith("include-") for duty in source.obligations) for source in attribution.sources]
    return bool(asked) and all(asked)


def _new_regions(file: File, attribution: Attribution, lines: Lines, before: Sequence[bytes]) -> tuple[Lines, ...]:
    """The lines of a passage that count, the largest run first: all, or those that a change adds."""
    if file.added is None:
        return (lines,)
    match = attribution.match
    regions, size = [], 0
    for first, last in file.added:
        region = max(first, lines[0]), min(last, lines[1])
        if region[0] > region[1]:
            continue
        begin = max(match.byte_start, file.starts[region[0] - 1])
        end = min(match.byte_end, file.starts[region[1]] if region[1] < len(file.starts) else len(file.content))
        text = canonical(file.content[begin:end])
        if text and not any(text in old for old in before):
            regions.append((region, len(text)))
            size += len(text)
    if size < GUARANTEE:
        return ()
    return tuple(region for region, _ in sorted(regions, key=lambda item: -item[1]))


def _finding(
    file: File,
    attribution: Attribution,
    rule: Rule,
    severity: Severity,
    why: list[Reason],
    policy: Policy,
    regions: tuple[Lines, ...],
) -> Finding:
    match = attribution.match
    passage = file.content[match.byte_start : match.byte_end]
    first, last = regions[0]
    shown = file.lines(first, min(last, first + _SHOWN - 1)).decode("utf-8", "replace").split("\n")
    return Finding(
        path=file.path,
        rule=rule,
        severity=severity,
        message=_message(attribution, rule, why),
        mend=_mend(attribution, rule, policy),
        regions=regions,
        byte_start=match.byte_start,
        byte_end=match.byte_end,
        attribution=attribution,
        excerpt=tuple(line.rstrip("\r") for line in shown[: min(_SHOWN, last - first + 1)]),
        licenses=tuple(sorted(match.counts.licenses)),
        fingerprint=fingerprint_of(rule, passage),
        marks=file.marks,
    )


def fingerprint_of(rule: Rule, passage: bytes) -> str:
    """What is the same of a passage that was moved, renamed with its file, or laid out anew."""
    return hashlib.sha256(f"{rule}\0".encode() + canonical(passage)).hexdigest()[:32]


def hashes_of(passage: bytes) -> tuple[int, ...]:
    """Hashes of runs of five words, those that begin with words of a fixed sample: most
    are the same after a small edit, wherever it is.
    """
    words = _WORD.findall(passage)
    begins = [at for at in range(len(words) - _WORDS + 1) if zlib.crc32(words[at]) % _ONE_IN == 0]
    return tuple(sorted({zlib.crc32(b" ".join(words[at : at + _WORDS])) for at in begins})[:_HASHES])


def place_of(source: Source) -> str:
    """A source in a line: package, path and lines."""
    origin = source.origin
    project = origin.purl or origin.repository
    lines = f"{source.start_line}-{source.end_line}"
    return f"{project}: {origin.path}:{lines}" if project else f"{origin.path}:{lines}"


def _message(attribution: Attribution, rule: Rule, why: list[Reason]) -> str:
    match = attribution.match
    size = f"{match.bytes_in_text:,} bytes"
    if match.kind is Kind.CANDIDATE:
        said = [_short(item.message) for item in why]
        return candidate_message(attribution, said or ["Its licence asks for a notice; none stands here"])
    if not attribution.sources:
        return f"{size} stand in the index under {', '.join(sorted(match.counts.licenses))}"
    source = attribution.sources[0]
    evidence = next((item for item in source.origin.evidence if item.expression == source.origin.license), None)
    believed = f" by its {evidence.kind.replace('_', ' ')}, {evidence.where}" if evidence else ""
    text = f"{size} stand {match.kind} in {place_of(source)}, which is under {source.origin.license}{believed}"
    if why:
        return f"{text}. {'; '.join(dict.fromkeys(_short(item.message) for item in why))}"
    if rule is Rule.ATTRIBUTION_MISSING:
        return f"{text}; the licence is named here, its owner is not"
    return f"{text}, which asks for a notice ({', '.join(source.obligations)}); none stands here"


def candidate_message(attribution: Attribution, said: Iterable[str]) -> str:
    """What is to be said of fingerprints whose text was not compared."""
    match = attribution.match
    licenses = ", ".join(sorted(match.counts.licenses))
    text = f"the fingerprints of {match.length:,} bytes or more stand in the index under {licenses}"
    if attribution.sources:
        whole = next((source for source in attribution.sources if source.kind is Kind.VERBATIM), None)
        known = f"; the whole file is {place_of(whole)}, by its SWHID" if whole is not None else ""
        text += f", first in {place_of(attribution.sources[0])}{known}"
    if not any(source.kind is Kind.VERBATIM for source in attribution.sources):
        text += "; not verified, since no text was compared"
    return f"{text}. {'; '.join(dict.fromkeys(said))}"


def _short(message: str) -> str:
    """A reason without the place that the finding itself has."""
    return re.sub(r"^lines \d+-\d+: \d+ bytes stand in ", "in ", message)


def _mend(attribution: Attribution, rule: Rule, policy: Policy) -> str:
    if rule is Rule.CANDIDATE_UNATTRIBUTED:
        return "Scan the file itself, or compare it with the place; if it is a copy, say whose code it is."
    if rule in (Rule.VERBATIM_UNATTRIBUTED, Rule.ATTRIBUTION_MISSING):
        return "Say whose code it is: `codecite scan --fix` writes the REUSE block and the entry in NOTICE."
    license = next(iter(sorted(attribution.match.counts.licenses)), "")
    if rule is Rule.CANDIDATE_DENIED:
        first = (
            "Scan the file itself, or compare it with the place; if it is a copy, remove it, or, if that was agreed, "
        )
    elif rule in (Rule.LICENSE_UNKNOWN, Rule.LICENSE_CONFLICT):
        first = "Find out the licence from the project itself; if it allows the use, "
    else:
        first = "Remove or rewrite the passage, or use the project as a dependency; if the use was agreed on, "
    return f'{first}add to the policy {policy.name}: [[exceptions]] license = "{license}", reason = "...".'


def _without_inner(found: list[Finding], satisfied: list[Attribution]) -> list[Finding]:
    """Without findings that say what a longer passage says already.

    One that a policy is against says so of the same rule and all the licences; one that lacks a notice lies within a
    passage, attributed or not, that asks for as much.
    """
    kept: list[Finding] = []
    for finding in sorted(found, key=lambda item: (item.byte_start - item.byte_end, item.byte_start)):
        spans = [(item.byte_start, item.byte_end) for item in kept if _says(item, finding)]
        if finding.rule in _LACKING:
            spans += [(item.match.byte_start, item.match.byte_end) for item in satisfied if _asks_for(item, finding)]
        covered = sum(max(0, min(end, finding.byte_end) - max(start, finding.byte_start)) for start, end in spans)
        if covered < _COVERED * (finding.byte_end - finding.byte_start):
            kept.append(finding)
    return sorted(kept, key=lambda item: (item.regions[0], item.rule))


def with_hashes(finding: Finding, content: bytes) -> Finding:
    """The finding with what a baseline knows it by."""
    return replace(finding, hashes=hashes_of(content[finding.byte_start : finding.byte_end]))


def _says(outer: Finding, inner: Finding) -> bool:
    if inner.rule in _LACKING:
        return outer.rule in _LACKING and outer.attribution is not None and _asks_for(outer.attribution, inner)
    return outer.rule is inner.rule and set(inner.licenses) <= set(outer.licenses)


def _asks_for(outer: Attribution, inner: Finding) -> bool:
    """Whether a passage asks for all that the first source of another asks for."""
    source = inner.source
    return source is not None and any(set(source.obligations) <= set(item.obligations) for item in outer.sources)
