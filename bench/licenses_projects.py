"""Heads of files in the packages of projects, against the licence that each project states for its own.

In: packages, each with its files, the stated licence, and expressions read by hand in single files that are from
elsewhere. Out: a table: of the heads that hold a notice, how many state what was stated, every other expression, how
many leave it to a file, and of how many nothing was read. It refuses to know how heads are read.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

from licenses_judge import holds_notice

from codecite.indexer.corpus.files import look_into
from codecite.indexer.corpus.nearby import NOTHING
from codecite.indexer.licenses.comments import head_comments
from codecite.indexer.licenses.notice import NOTICE_HEAD
from codecite.indexer.records import EvidenceKind, SourceFile

_HEADS = (EvidenceKind.SPDX_TAG, EvidenceKind.FILE_HEADER)


@dataclass(frozen=True, slots=True)
class Project:
    """One package: its name, its files by path, the licence stated for it, what single files of others say."""

    name: str
    files: Iterable[tuple[str, bytes]]
    license: str
    others: frozenset[str] = frozenset()


def table(projects: Iterable[Project], examples: int) -> list[str]:
    """A line for each project, with `examples` of its differences, and the shares of all."""
    lines: list[str] = []
    right, stated, to_file, unread = 0, 0, 0, 0
    for project in projects:
        found: Counter[str] = Counter()
        at: dict[str, str] = {}
        left, none, silent = 0, [], 0
        for path, content in project.files:
            notice, expression = _read(path, content)
            if expression:
                found[expression] += 1
                at.setdefault(expression, path)
            elif notice:
                left += 1
            elif holds_notice(head_comments(content[:NOTICE_HEAD]).text):
                none.append(path)
            else:
                silent += 1
        good = sum(count for one, count in found.items() if one == project.license or one in project.others)
        right, stated = right + good, stated + found.total()
        to_file, unread = to_file + left, unread + len(none)
        lines.append(
            f"{good:6,} of {found.total():6,} {project.name} ({project.license}); {left} leave it to a file,"
            f" of {len(none)} nothing was read, {silent} hold no notice"
        )
        wrong = [one for one in found.most_common() if one[0] != project.license and one[0] not in project.others]
        lines += [f"       read {one}, {count} times, {at[one]}" for one, count in wrong[:examples]]
        lines += [f"       nothing read: {path}" for path in none[: min(examples, 3)]]
    heads = stated + unread
    return [
        *lines,
        f"right: {right:,} of {heads:,} heads that state a licence, {right / max(heads, 1):.1%};"
        f" NOASSERTION: {unread:,}, {unread / max(heads, 1):.1%}; {to_file:,} more leave it to a file",
    ]


def _read(path: str, content: bytes) -> tuple[bool, str | None]:
    """Whether a head holds a notice or tag, and the first expression that it states."""
    file = look_into(path, content, NOTHING)
    heads = [item for item in file.evidence if item.kind in _HEADS] if isinstance(file, SourceFile) else []
    return bool(heads), next((item.expression for item in heads if item.expression), None)
