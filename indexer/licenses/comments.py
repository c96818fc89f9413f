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
    rb"/\*[^*]*(?:\*(?!/)[^*]*)*(?:\*/|\Z)|<!--.*?(?:-->|\Z)|\{-.*?(?:-\}|\Z)"
    rb"|--\[\[.*?(?:\]\]|\Z)|<%--.*?(?:--%>|\Z)"
    rb"|\n(?:"
    rb"[ \t]*\(\*.*?(?:\*\)|\Z)"
    rb'|[rRuUbB]?"""[^"]*(?:"(?!"")[^"]*)*(?:"""|\Z)'
    rb"|[rRuUbB]?'''[^']*(?:'(?!'')[^']*)*(?:'''|\Z)"
    rb"|=(?:begin|pod).*?(?:^=(?:end|cut)|\Z)"
    rb"|[ \t]*(?:\#(?![ \t]*(?:ifn?def\b|endif\b|pragma\b|undef\b|(?:include|import)[ \t]*[<\"]"
    rb"|define[ \t]+\w*[A-Z_]{2}|if[ \t]*(?:defined\b|[!(\d]|\w*[A-Z_]{2})))|//|;|--(?!\[\[)|%|!|\.?\\\"|\"|'"
    rb"|(?:rem|REM|dnl|@c)[ \t]|\.\.[ \t])[^\n]*)",
    re.DOTALL | re.MULTILINE,
)
"""Each branch begins with a byte of its own, so that the bytes between comments are passed over quickly; what stands at
the head of a line begins with the end of the line before."""

_LINE_END = 10
_LINE = 160
"""Bytes of a comment of one line; a notice in longer ones is in one of them, whole."""

_LEADERS = re.compile(r"^[ \t]*(?:[#;%!*/\\\"'|:>.-]+|(?:dnl|rem|@c)\b)[ \t]*", re.MULTILINE)
_MARKS = re.compile(r"(?:[-.,:;/*\"']|(?<![0-9a-z])\+)[-.,:;/+*\"']+|\*")  # not the `+` of `GPLv2+"`
_KEPT = "abcdefghijklmnopqrstuvwxyz0123456789().,:;/+&@\"'-*\n"


class _Letters(dict[int, str]):
    """A table for `str.translate`: a space for what is no part of words."""

    def __missing__(self, letter: int) -> str:
        self[letter] = " "
        return " "


_LETTERS = _Letters((ord(letter), letter) for letter in _KEPT)


class Comments(NamedTuple):
    """The words of the comments; `head` and the `spans` of the comments in it tell the lines."""

    text: str
    head: bytes
    spans: tuple[tuple[int, int], ...]

    def line_of(self, place: int) -> int:
        """The line of the comment that holds a place of the text, or of its line where comments are lines."""
        words = self.text.count(" ", 0, place)
        for start, end in self.spans:
            words -= len(_words(self.head[start:end]))
            if words < 0:
                return self.head.count(b"\n", 0, start) + 1
        return 1


def plain_words(text: str) -> str:
    """A text in lower case, without what frames and bullets it, one space between words."""
    return " ".join(_MARKS.sub(" ", _LEADERS.sub("", text.lower()).translate(_LETTERS)).split())


def _words(comment: bytes) -> list[str]:
    return plain_words(comment.decode("latin-1")).split()


def head_comments(head: bytes, about: tuple[bytes, ...] = ()) -> Comments:
    """The comments before the code in the beginning of a file.

    A longer comment (one that spans lines as one) that holds none of the words `about`, in lower case, is passed over.

    >>> head_comments(b"/*\\n * Some  words,\\n * more.\\n */\\nint x;\\n").text
    'some words, more.'
    """
    spans: list[tuple[int, int]] = []
    end = code = 0
    lines = b"\n" + head
    for comment in _COMMENT.finditer(lines):
        start, stop = comment.span()
        start -= lines[start] != _LINE_END
        code += start - end
        if code > _HEAD_ENDS:
            break
        end = stop - 1
        if about and end - start > _LINE and not any(word in comment.group().lower() for word in about):
            continue
        spans.append((start, end))
    text = b"\n".join([head[start:end] for start, end in spans]).decode("latin-1")
    return Comments(plain_words(text), head, tuple(spans))
