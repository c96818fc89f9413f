"""Files of which an index gets the fingerprints only -> what they are known from, as the scanner has it.

In: the bytes of a file, or its fingerprints alone. Out: candidates as Attributions in their places, Findings. It
refuses to know where the index is, and to show it any text: marks and attributions that stand here are read here.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from codecite.indexer.attribution.judge import judge, sources_wanted
from codecite.indexer.attribution.marks import marks_within
from codecite.indexer.attribution.policy import Policy
from codecite.indexer.fingerprint.handover import Fingerprinted, fingerprinted
from codecite.indexer.records import Attribution, Outcome, Reason
from codecite.indexer.text.checked import CheckedText
from codecite.search_api.scan.judging import candidate_message, counts, fingerprint_of
from codecite.search_api.scan.records import SEVERITY_OF, Finding, Rule, Scanned

if TYPE_CHECKING:
    from codecite.indexer import Index

_ALLOWED = "The policy lets that pass; whether a notice stands there cannot be told from fingerprints"


def recognised(
    index: Index, path: str, content: bytes, policy: Policy, sources: int, shortest: int
) -> tuple[Sequence[Attribution], tuple[Reason, ...]]:
    """The candidates of a file that is here, in their places, with their marks, judged; and the reasons."""
    wanted = max(sources, sources_wanted(policy))
    found = index.recognise(fingerprinted(path, content), policy=policy, sources=wanted, shortest=shortest)
    placed = _placed(found.candidates, content)
    judged, verdict = judge(placed, policy)
    return [replace(item, sources=item.sources[:sources]) for item in judged], verdict.reasons


def _placed(candidates: Sequence[Attribution], content: bytes) -> list[Attribution]:
    """Candidates with the bytes, code points and lines of what their fingerprints show."""
    spans = [(item.match.canonical_start, item.match.canonical_end) for item in candidates]
    positions = sorted({place for start, end in spans for place in (start, end - 1)})
    text = CheckedText(content)
    offsets, lines, points = (column.tolist() for column in text.place(positions))
    place = dict(zip(positions, zip(offsets, lines, points, strict=True), strict=True))
    made = []
    for item, (start, end) in zip(candidates, spans, strict=True):
        first, line, point = place[start]
        last, end_line, last_point = place[end - 1]
        match = replace(
            item.match,
            start=point,
            end=last_point + 1,
            byte_start=first,
            byte_end=last + 1,
            start_line=line,
            end_line=end_line,
        )
        made.append(replace(item, match=match, marks=marks_within(content, first, last + 1)))
    return made


def scanned_unread(index: Index, file: Fingerprinted, policy: Policy, sources: int, shortest: int) -> Scanned:
    """A file whose text is elsewhere: a Finding for each candidate, a mere note where the policy is not against it.

    Whether a notice stands there cannot be told, nor what the text consists of.
    """
    found = index.recognise(file, policy=policy, sources=sources, shortest=shortest)
    passages = tuple(item for item in found.candidates if counts(item, policy))
    findings = tuple(_finding(file, item, found.verdict.reasons) for item in passages)
    return Scanned(
        file.path, file.swhid, "", "", file.size, file.canonical, file.lines, findings=findings, passages=passages
    )


def _finding(file: Fingerprinted, item: Attribution, reasons: Sequence[Reason]) -> Finding:
    match = item.match
    said = [reason.message for reason in reasons if reason.match == match.id]
    allowed = item.outcome is Outcome.PASS
    rule = Rule.CANDIDATE_UNATTRIBUTED if allowed else Rule.CANDIDATE_DENIED
    return Finding(
        path=file.path,
        rule=rule,
        severity=SEVERITY_OF[item.outcome],
        message=candidate_message(item, said or [_ALLOWED]),
        mend="Scan the file itself where it is, or compare it with the place that is named.",
        regions=((match.start_line, match.end_line),),
        attribution=item,
        licenses=tuple(sorted(match.counts.licenses)),
        fingerprint=fingerprint_of(rule, match.id.encode()),
    )
