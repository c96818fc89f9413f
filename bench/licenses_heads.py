"""Notices in heads against a licence that is known otherwise: tags of the kernel, `debian/copyright` of packages.

In: files, each with the expression that is known of it. Out: Judged, and tables of them. It refuses to know where the
files are from.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

from licenses_judge import APART, Outcome, holds_notice, judge

from codecite.indexer.licenses.comments import head_comments
from codecite.indexer.licenses.notice import NOTICE_HEAD, read_notice

_TAG = b"SPDX-License-Identifier"


@dataclass(frozen=True, slots=True)
class Judged:
    """A head that holds a notice: the file, what is stated of it elsewhere, what was read, how they compare."""

    path: str
    stated: str
    found: str | None
    outcome: Outcome


def judge_head(path: str, head: bytes, stated: str) -> Judged | None:
    """The head without its tags compared with what is stated; None where it holds no notice."""
    if _TAG in head:
        head = b"".join(line for line in head.splitlines(keepends=True) if _TAG not in line)
    notice = read_notice(head)
    words = head_comments(head[:NOTICE_HEAD]).text
    if notice is None and not holds_notice(words):
        return None
    found = notice.expression if notice else None
    return Judged(path, stated, found, judge(stated, found, words, notice=notice is not None))


def table(heads: Iterable[Judged], examples: int) -> list[str]:
    """Lines that count the outcomes, give the shares, and show what is behind each that is not right."""
    heads = list(heads)
    counts = Counter(head.outcome for head in heads)
    judged = sum(count for outcome, count in counts.items() if outcome not in APART)
    lines = [f"{len(heads):,} heads hold a notice"]
    lines += [f"  {counts[outcome]:6,}  {outcome.value}" for outcome in Outcome if counts[outcome]]
    right, none, left = counts[Outcome.RIGHT], counts[Outcome.NONE], counts[Outcome.FILE]
    as_stated = right + counts[Outcome.EXCEPTION]
    lines += [
        f"right: {right:,} of the {judged:,} that the head decides, {right / max(judged, 1):.1%}"
        f" (of all heads, exceptions let pass: {as_stated / max(len(heads), 1):.1%})",
        f"NOASSERTION: {none:,}, {none / max(judged, 1):.1%}"
        f" (of all heads, with those left to a file: {(none + left) / max(len(heads), 1):.1%})",
    ]
    for outcome in Outcome:
        if outcome is Outcome.RIGHT or not counts[outcome]:
            continue
        lines.append(f"-- {outcome.value}")
        pairs = Counter((head.stated, head.found) for head in heads if head.outcome is outcome)
        for (stated, found), count in pairs.most_common(examples):
            path = min(
                head.path for head in heads if (head.outcome, head.stated, head.found) == (outcome, stated, found)
            )
            lines.append(f"  {count:4} stated {stated} | read {found} | {path}")
    return lines
