"""A passage -> its marks: does it consist of imports, of a licence notice, of next to no information?

In: the raw text of a passage, and what stands before and after it. Out: its marks, in one order. It refuses to know of
Matches, of indexes, and in which language the passage is written. `docs/marks.md` has the rules in prose, with what
they were measured on.

Rules. Lines are cut at CR LF, LF and CR. A passage begins and ends anywhere; a line of which only a part lies in it is
judged whole, as far as it is known, and counts with its part.

* `imports`: every line that lies wholly in the passage is an import, a guard, blank, or a comment
  (`indexer/attribution/imports.py`); imports and guards hold at least 20 bytes that are not white space, half of
  them or more of imports; the parts of other lines at either end hold at most a quarter of that; comments that are no
  notice hold no more letters.
* `license-notice`: without the imports and guards, at least 25 letters are left; at least 80 % of them stand in lines
  of a notice (`indexer/attribution/notice.py`), and at least 10 % belong to legal words.
* `low-information`: `indexer/attribution/information.py`.

A notice with imports under it has both marks, since it holds nothing else.
"""

from __future__ import annotations

from codecite.indexer.attribution.imports import FIRST_WORDS, LineKind, kinds_of, may_go_on
from codecite.indexer.attribution.information import is_low
from codecite.indexer.attribution.notice import LETTERS, letters_of, may_be_notice
from codecite.indexer.records import Mark

_SPACE = b"\t\n\v\f\r "
_HEAD = 4096
_AROUND = 2048
_LINE_AROUND = 512
_IMPORT_BYTES = 20
_NOTICE_LETTERS = 25
_NOTICE_SHARE = 0.8
_LEGAL_SHARE = 0.1


def marks_of(passage: str | bytes, before: str | bytes = "", after: str | bytes = "") -> tuple[Mark, ...]:
    """The marks of a passage, sorted; of what stands around it at most 2,048 bytes are looked at."""
    raw = _bytes(passage)
    imports, notice = _imports_and_notice(raw, before, after)
    marks = []
    if imports:
        marks.append(Mark.IMPORTS)
    if notice:
        marks.append(Mark.LICENSE_NOTICE)
    if is_low(raw):
        marks.append(Mark.LOW_INFORMATION)
    return tuple(marks)


def marks_within(text: bytes, start: int, end: int) -> tuple[Mark, ...]:
    """The marks of the passage `text[start:end]`, judged in its place."""
    return marks_of(text[start:end], text[max(0, start - _AROUND) : start], text[end : end + _LINE_AROUND])


def _bytes(text: str | bytes) -> bytes:
    """The bytes of a text (escaped ones become themselves), its lines ended by LF."""
    if isinstance(text, bytes):
        raw = text
    else:
        try:
            raw = text.encode("utf-8", "surrogateescape")
        except UnicodeEncodeError:
            raw = text.encode("utf-8", "surrogatepass")
    return raw.replace(b"\r\n", b"\n").replace(b"\r", b"\n") if b"\r" in raw else raw


def _size(part: bytes) -> int:
    return len(part.translate(None, _SPACE))


def _imports_and_notice(raw: bytes, before: str | bytes, after: str | bytes) -> tuple[bool, bool]:
    words = raw[:_HEAD].translate(LETTERS).split()
    notice_left = may_be_notice(words)
    imports_left = not FIRST_WORDS.isdisjoint(words)
    above = _bytes(before[-_AROUND:])
    start = above.rfind(b"\n") + 1
    if not imports_left:
        first = above[start:].translate(LETTERS).split()
        imports_left = not FIRST_WORDS.isdisjoint(first) or may_go_on(above[:start])
    if not imports_left and not notice_left:
        return False, False
    below = _bytes(after[:_LINE_AROUND])
    parts = raw.split(b"\n")
    lines = parts.copy()
    lines[0] = above[start:] + lines[0]
    lines[-1] += below[: below.find(b"\n")] if b"\n" in below else below
    last = len(parts) - 1
    counts = _Counts()
    allowed = (1 - _NOTICE_SHARE) * len(raw)
    kinds = kinds_of(lines, above[:start])
    for number, (kind, line, part) in enumerate(zip(kinds, lines, parts, strict=False)):
        if kind is LineKind.OTHER and (0 < number < last or part == line):
            imports_left = False
        if not imports_left and not notice_left:
            return False, False
        counts.add(kind, line, part)
        if counts.letters - counts.notice > allowed:
            notice_left = False
    return imports_left and counts.are_imports(), notice_left and counts.are_notice()


class _Counts:
    """What was seen of the lines so far: bytes that are not white space, and letters."""

    __slots__ = ("guards", "imports", "legal", "letters", "notice", "outside", "remarks")

    def __init__(self) -> None:
        self.imports = self.guards = self.outside = 0
        self.letters = self.notice = self.legal = self.remarks = 0

    def add(self, kind: LineKind, line: bytes, part: bytes) -> None:
        """Counts a part of a line."""
        if kind is LineKind.IMPORT:
            self.imports += _size(part)
        elif kind is LineKind.GUARD:
            self.guards += _size(part)
        elif kind is LineKind.OTHER:
            self.outside += _size(part)
        if kind in (LineKind.COMMENT, LineKind.OTHER) or line.lstrip().startswith((b"#[", b"#![")):
            every, of_notice, of_law = letters_of(line, part)
            self.letters += every
            self.notice += of_notice
            self.legal += of_law
            if kind is LineKind.COMMENT:
                self.remarks += every - of_notice

    def are_imports(self) -> bool:
        """The rule of `imports`, but for the lines that must not be there."""
        whole = self.imports + self.guards
        return (
            whole >= _IMPORT_BYTES and self.imports * 2 >= whole and self.outside * 4 <= whole and self.remarks <= whole
        )

    def are_notice(self) -> bool:
        """The rule of `license-notice`."""
        return (
            self.letters >= _NOTICE_LETTERS
            and self.notice >= _NOTICE_SHARE * self.letters
            and self.legal >= _LEGAL_SHARE * self.letters
        )
