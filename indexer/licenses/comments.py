"""The comments at the head of a file, as plain words.

In: the beginning of a file, any bytes, in any language. Out: the text of the comments that come before its code,
without their marks, in lower case, one space between words; and a way back to lines. It refuses to know what they say.

Where the language is not known no parser helps: whatever most languages begin comments with counts as a comment. Code
is passed over, up to so many bytes: package clauses, include guards and imports may stand there.
"""

from __future__ import annotations

import re
from typing import NamedTuple

_HEAD_ENDS = 1200
"""Bytes between comments after which the head is over."""

_COMMENT = re.compile(
    rb"/\*.*?(?:\*/|\Z)"
    rb"|<!--.*?(?:-->|\Z)"
    rb"|^[ \t]*\(\*.*?(?:\*\)|\Z)"
    rb"|\{-.*?(?:-\}|\Z)"
    rb"|--\[\[.*?(?:\]\]|\Z)"
    rb"|<%--.*?(?:--%>|\Z)"
    rb'|^[rRuUbB]?""".*?(?:"""|\Z)'
    rb"|^[rRuUbB]?'''.*?(?:'''|\Z)"
    rb"|^=(?:begin|pod).*?(?:^=(?:end|cut)|\Z)"
    rb"|^[ \t]*(?:\#(?![ \t]*(?:ifn?def\b|endif\b|pragma\b|undef\b|(?:include|import)[ \t]*[<\"]"
    rb"|define[ \t]+\w*[A-Z_]{2}|if[ \t]*(?:defined\b|[!(\d]|\w*[A-Z_]{2})))|//|;|--|%|!|\.?\\\"|\"|'"
    rb"|(?:rem|REM|dnl|@c)[ \t]|\.\.[ \t])[^\n]*",
    re.DOTALL | re.MULTILINE,
)
_LEADERS = re.compile(r"^[ \t]*(?:[#;%!*/\\\"'|:>.-]+|(?:dnl|rem|@c)\b)[ \t]*", re.MULTILINE)
_MARKS = re.compile(r"[^a-z0-9().,:;/+&@\"'-]+|[-.,:;/+*\"']{2,}")


class Comments(NamedTuple):
    """The words of the comments; `starts` and `lines` say at which line of the file each comment begins."""

    text: str
    starts: tuple[int, ...]
    lines: tuple[int, ...]

    def line_of(self, place: int) -> int:
        """The line of the comment that holds a place of the text, or of its line where comments are lines."""
        number = 1
        for start, line in zip(self.starts, self.lines, strict=True):
            if start > place:
                break
            number = line
        return number


def plain_words(text: str) -> str:
    """A text in lower case, without what frames and bullets it, one space between words."""
    return " ".join(_MARKS.sub(" ", _LEADERS.sub("", text.lower())).split())


def head_comments(head: bytes) -> Comments:
    """The comments before the code in the beginning of a file.

    >>> head_comments(b"/*\\n * Some  words,\\n * more.\\n */\\nint x;\\n").text
    'some words, more.'
    """
    pieces: list[str] = []
    starts: list[int] = []
    lines: list[int] = []
    length = end = counted = code = 0
    line = 1
    for comment in _COMMENT.finditer(head):
        code += comment.start() - end
        if code > _HEAD_ENDS:
            break
        line += head.count(b"\n", counted, comment.start())
        counted = comment.start()
        end = comment.end()
        words = plain_words(comment.group().decode("latin-1"))
        if words:
            pieces.append(words)
            starts.append(length)
            lines.append(line)
            length += len(words) + 1
    return Comments(" ".join(pieces), tuple(starts), tuple(lines))
