"""The head of a file -> what the file itself says of its licence and copyright.

In: a file's bytes, any bytes. Out: its `SPDX-License-Identifier` tags as evidence, and its copyright lines as they
stand. This module refuses to know of the file's name and language, and reads no licence texts.

Only the first 8 KiB are looked at: that is where tags and notices belong, and what a file quotes or embeds further
down is not said of the file. A tag counts only where a comment or a plain line begins with it; in a string, behind
code, or with a placeholder for its value it is merely mentioned (a linter's source does that). After a first tag
an indented one is an example in a text, not another licence.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from codecite.indexer.licenses.expression import MAX_EXPRESSION, normalize
from codecite.indexer.records import EvidenceKind, LicenseEvidence

HEAD = 8192
"""Bytes of a file that are looked at."""

MAX_LINES = 32
"""Copyright lines that are kept of one file."""

MAX_LINE = 300
"""Bytes kept of a longer line (minified code), around the notice."""

_TAG = b"SPDX-License-Identifier"
_LEADER = re.compile(
    rb"(?:\xef\xbb\xbf)?[\s/*#;%!.<>{@|~:\\-]*"  # the marks with which most languages begin a comment
    rb"(?:(?:rem|REM|dnl|@c|\"\"\"|'''|\(\*|\"\s|'\s)\s*)?"  # and the words and quotes of others
)
_VALUE = re.compile(
    rb"\s*:[ \t]*([A-Za-z0-9(][A-Za-z0-9.+\-() \t:/,&|_]*?)\s*"
    rb"(?:\*+/|--+%?>|\*\)|#\}|%\}|\|#|-\}|\"\"\"|'''|\*+$|#+$|;+$|$)"  # the end of the line or of the comment
)
_INDENTED = re.compile(rb"  |\t")

_MARKS = (b"opyright", b"OPYRIGHT", b"(c)", b"(C)", b"\xc2\xa9")
_NOTICE = re.compile(
    rb"Copyright"
    rb"|(?i:copyright)[\s:]*(?:\([cC]\)|\xc2\xa9|[12][0-9]{3})"
    rb"|(?<![\w)\]])\([cC]\)\s*(?:[12][0-9]{3}|[A-Z])"
    rb"|\xc2\xa9"
)


def read_head(content: bytes) -> tuple[tuple[LicenseEvidence, ...], tuple[str, ...]]:
    """The SPDX tags (one evidence a line, in order) and the copyright lines of the first 8 KiB.

    A copyright line holds `Copyright`, or `(c)` before a year or a name, or the sign for it; `copyright` in lower
    or upper case counts before a year or such a sign only, since licence texts are full of the word.

    >>> read_head(b"// SPDX-License-Identifier: mit\\n// Copyright (c) 2020 A. Author\\n")[1]
    ('// Copyright (c) 2020 A. Author',)
    """
    head = content[:HEAD]
    if len(content) > HEAD:
        whole = head.rfind(b"\n") + 1
        if len(head) - whole < MAX_EXPRESSION:  # a line cut in two would be misread; of a longer one enough is there
            head = head[:whole] or head
    evidence = _tags(head) if _TAG in head else ()
    for mark in _MARKS:
        if mark in head:
            return evidence, _notices(head)
    return evidence, ()


_OWNED = re.compile(
    r"(?i:copyright|copr\.)[\s:]*(?:(?i:by|\(c\)|&copy;)|\xa9|[12][0-9]{3})|(?:\([cC]\)|\xa9)\s*[12][0-9]{3}"
)
_TEMPLATE = re.compile(
    r"i\.e\.|[<\[{(](?:yyyy|19yy|years?|name|owner|copyright)\b|\(C\) (?:19yy|yyyy|year)\b|notices?\b.*permission|"
    r"Free Software Foundation|Creative Commons|Licen[cs]e (?:text )?(?:copyright|steward)|shall|must|above copyright",
    re.IGNORECASE,
)
"""What stands in texts of licences: places to be filled in, conditions, and whom the text itself belongs to."""


def owners(text: bytes) -> tuple[str, ...]:
    """The copyright lines of a licence or notice file, those of the licence's own text left out.

    >>> owners(b"Copyright [yyyy] [name of copyright owner]\\nCopyright (c) 2020 A. Author\\n")
    ('Copyright (c) 2020 A. Author',)
    """
    return tuple(line for line in _notices(text) if _OWNED.search(line) and not _TEMPLATE.search(line))


def _tags(head: bytes) -> tuple[LicenseEvidence, ...]:
    found: list[LicenseEvidence] = []
    for at in _places(head, _TAG):
        start = head.rfind(b"\n", 0, at) + 1
        if not _LEADER.fullmatch(head, start, at) or (found and _INDENTED.match(head, start)):
            continue
        value = _VALUE.match(head, at + len(_TAG), _line_end(head, at))
        if value is None:
            continue
        expression = normalize(value.group(1).decode("ascii"))
        line = head.count(b"\n", 0, start) + 1
        found.append(LicenseEvidence(EvidenceKind.SPDX_TAG, expression, f"line {line}", _text(head[at : value.end(1)])))
    return tuple(found)


def _notices(head: bytes) -> tuple[str, ...]:
    lines: dict[str, None] = {}
    end = -1
    for place in sorted(place for mark in _MARKS for place in _places(head, mark)):
        if place < end:
            continue
        start = head.rfind(b"\n", 0, place) + 1
        end = _line_end(head, place)
        notice = _NOTICE.search(head, start, end)
        if notice is None:
            continue
        if end - start > MAX_LINE:
            start = max(start, notice.start() - MAX_LINE // 3)
        lines[_text(head[start : min(end, start + MAX_LINE)])] = None
        if len(lines) == MAX_LINES:
            break
    return tuple(lines)


def _places(head: bytes, mark: bytes) -> Iterator[int]:
    place = head.find(mark)
    while place >= 0:
        yield place
        place = head.find(mark, place + len(mark))


def _line_end(head: bytes, position: int) -> int:
    end = head.find(b"\n", position)
    return len(head) if end < 0 else end


def _text(line: bytes) -> str:
    """The line as text: UTF-8, or Latin-1, which every byte is."""
    try:
        return line.decode("utf-8").strip()
    except UnicodeDecodeError:
        return line.decode("latin-1").strip()
