"""The text of a file -> its lines in coloured pieces, by Pygments.

In: a text, the path that tells its language. Out: for each line its pieces, each a CSS class and a text. It refuses to
write markup: the page makes elements of the pieces, so nothing that an index holds can be any. A file is read from its
head to the last line that is wanted, since a line alone does not tell whether it lies in a comment.
"""

from __future__ import annotations

import json
import threading
from collections import OrderedDict
from collections.abc import Iterator
from functools import cache
from typing import Any

from pygments.lexers import get_lexer_for_filename
from pygments.token import Comment, Keyword, Literal, Name, Number, String
from pygments.util import ClassNotFound

_LONGEST = 256 << 10
"""Characters beyond which a file is shown plain: a lexer takes about a second for so many."""
_KEPT = 32 << 20
"""Bytes of coloured files that are kept: some sixty of the longest."""
_LINE = 64
"""Bytes that a line takes beside its text."""
_CLASSES = (
    (Comment, "comment"),
    (Keyword, "keyword"),
    (String, "string"),
    (Number, "number"),
    (Literal, "string"),
    (Name.Function, "name"),
    (Name.Class, "name"),
    (Name.Decorator, "name"),
)

Line = list[tuple[str, str]]


class Colours:
    """Files that were coloured, by SWHID and name, up to `size` bytes of them; the ones asked for last stay.

    A name is part of it since it tells the language. Threads share it.
    """

    def __init__(self, size: int = _KEPT) -> None:
        self._room = size
        self._held: OrderedDict[tuple[str, str], tuple[str, ...] | None] = OrderedDict()
        self._lock = threading.Lock()

    def lines(self, swhid: str, text: str, path: str, first: int, last: int) -> list[Line] | None:
        """The lines `first` to `last` (from 1, inclusive); None as `highlighted` says."""
        key = swhid, path.rpartition("/")[2]
        with self._lock:
            known = key in self._held
            held = self._held.get(key)
            if known:
                self._held.move_to_end(key)
        if not known or (held is not None and len(held) < last):
            coloured = highlighted(text, path, last)
            held = None if coloured is None else tuple(json.dumps(line, separators=(",", ":")) for line in coloured)
            self._keep(key, held)
        if held is None:
            return None
        lines: list[Line] = json.loads(f"[{','.join(held[first - 1 : last])}]")
        return lines

    def _keep(self, key: tuple[str, str], lines: tuple[str, ...] | None) -> None:
        with self._lock:
            self._room += _size(self._held.pop(key, None))
            self._held[key] = lines
            self._room -= _size(lines)
            while self._room < 0 and self._held:
                self._room += _size(self._held.popitem(last=False)[1])


def _size(lines: tuple[str, ...] | None) -> int:
    return _LINE + sum(_LINE + len(line) for line in lines or ())


def highlighted(text: str, path: str, last: int | None = None) -> list[Line] | None:
    """The lines up to number `last`, without their ends; None for a language that is not known or too long a text."""
    if len(text) > _LONGEST:
        return None
    try:
        lexer = get_lexer_for_filename(path.rpartition("/")[2])
    except ClassNotFound:
        return None
    lines: list[Line] = [[]]
    for name, piece in _pieces(lexer, text):
        if piece == "\n":
            if len(lines) == last:
                break
            lines.append([])
        elif lines[-1] and lines[-1][-1][0] == name:
            lines[-1][-1] = name, lines[-1][-1][1] + piece
        else:
            lines[-1].append((name, piece))
    return lines


def _pieces(lexer: Any, text: str) -> Iterator[tuple[str, str]]:
    """Pieces of lines, and line feeds."""
    for _, token, value in lexer.get_tokens_unprocessed(text):
        name = _class_of(token)
        for number, piece in enumerate(value.split("\n")):
            if number:
                yield "", "\n"
            if piece:
                yield name, piece


@cache
def _class_of(token: Any) -> str:
    return next((name for kind, name in _CLASSES if token in kind), "")
