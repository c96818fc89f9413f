"""The notes in a file by which findings are taken back: `codecite: ignore[rule] reason until 2027-01-01`.

In: the text of a file, the day. Out: for a Finding the note that takes it back; and what is wrong with notes, as
Findings. It refuses to know how findings come about.

A note stands in a comment, on the line above a passage, in it, or on the line after it; `ignore-file` holds for the
whole file. Several rules are separated by commas; `*` is every rule. The reason is needed; `until` names the last day.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import date

from codecite.search_api.scan.records import Finding, Lines, Rule, Severity

_NOTE = re.compile(
    r"(?:(?:^|(?<=\s))(?:#+|//+!?|/\*+|\*|--|;+|%+|<!--|\(\*|!|REM|rem|dnl)|^\s*['\"])\s*codecite:\s*"
    r"(?P<what>ignore(?:-file)?)(?:\[(?P<rules>[^\]]*)\])?(?P<rest>[^\n]*)"
)
_UNTIL = re.compile(r"\s*\buntil\s+(\S+)\s*$")
_CLOSING = re.compile(r"\s*(?:\*+/|-->|\*\))\s*$")


@dataclass(slots=True)
class Note:
    """One note; `used` turns true when it takes a finding back."""

    line: int
    rules: frozenset[str]
    reason: str
    until: date | None
    whole_file: bool
    used: bool = field(default=False)


def read_notes(path: str, text: str, today: date) -> tuple[list[Note], list[Finding]]:
    """The notes of a file that hold today, and findings about those that do not."""
    notes: list[Note] = []
    wrong: list[Finding] = []
    if "codecite:" not in text:
        return notes, wrong
    for number, line in enumerate(text.split("\n"), start=1):
        found = _NOTE.search(line) if "codecite:" in line else None
        if found is None:
            continue
        rest = _CLOSING.sub("", found["rest"].rstrip("\r"))
        until, problem = None, ""
        dated = _UNTIL.search(rest)
        if dated:
            rest = rest[: dated.start()]
            try:
                until = date.fromisoformat(dated.group(1))
            except ValueError:
                problem = f"{dated.group(1)} is no date; write it like 2027-01-31"
        rules = frozenset(rule.strip() for rule in (found["rules"] or "").split(",") if rule.strip())
        unknown = sorted(rules - {"*", *map(str, Rule)})
        if not rules:
            problem = "names no rule; write codecite: ignore[verbatim-denied] and why"
        elif unknown:
            problem = f"{unknown[0]!r} is no rule; name one of {', '.join(map(str, list(Rule)[:6]))}"
        elif not rest.strip():
            problem = "gives no reason; write it behind the bracket"
        if problem:
            wrong.append(_finding(path, number, Rule.IGNORE_INVALID, Severity.WARNING, f"the note to ignore {problem}"))
        elif until is not None and until < today:
            text_of = f"the note to ignore ({rest.strip()}) held until {until}"
            wrong.append(_finding(path, number, Rule.IGNORE_EXPIRED, Severity.WARNING, text_of))
        else:
            notes.append(Note(number, rules, rest.strip(), until, found["what"] == "ignore-file"))
    return notes, wrong


def note_for(finding: Finding, passage: Lines, notes: list[Note]) -> Note | None:
    """The first note that takes the finding back; it is used then."""
    for note in notes:
        near = note.whole_file or passage[0] - 1 <= note.line <= passage[1] + 1
        if near and (finding.rule in note.rules or "*" in note.rules):
            note.used = True
            return note
    return None


def unused(path: str, notes: list[Note], added: tuple[Lines, ...] | None) -> list[Finding]:
    """Findings about notes that took nothing back; in a change only those that it adds."""
    return [
        _finding(
            path,
            note.line,
            Rule.IGNORE_UNUSED,
            Severity.NOTE,
            f"the note to ignore {', '.join(sorted(note.rules))} takes nothing back; remove it",
        )
        for note in notes
        if not note.used and (added is None or any(first <= note.line <= last for first, last in added))
    ]


def _finding(path: str, line: int, rule: Rule, severity: Severity, message: str) -> Finding:
    mend = "Mend or remove the note." if rule is not Rule.IGNORE_EXPIRED else "Renew the note, or mend what it ignores."
    return Finding(path, rule, severity, message, mend, ((line, line),))
