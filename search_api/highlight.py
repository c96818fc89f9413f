"""The text of a file -> its lines in coloured pieces, by Pygments.

In: a text, the path that tells its language. Out: for each line its pieces, each a CSS class and a text. It refuses to
write markup: the page makes elements of the pieces, so nothing that an index holds can be any. The whole file is read,
since a line alone does not tell whether it lies in a comment.
"""

from __future__ import annotations

from pygments.lexers import get_lexer_for_filename
from pygments.token import Comment, Keyword, Literal, Name, Number, String
from pygments.util import ClassNotFound

_LONGEST = 256 << 10
"""Characters of a file beyond which it is shown plain: a lexer takes about a second for so many."""
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


def highlighted(text: str, path: str) -> list[Line] | None:
    """The lines, without their ends; None for a language that is not known and for a file that is too long."""
    if len(text) > _LONGEST:
        return None
    try:
        lexer = get_lexer_for_filename(path.rpartition("/")[2])
    except ClassNotFound:
        return None
    lines: list[Line] = [[]]
    for _, token, value in lexer.get_tokens_unprocessed(text):
        name = next((name for kind, name in _CLASSES if token in kind), "")
        for number, piece in enumerate(value.split("\n")):
            if number:
                lines.append([])
            if piece and lines[-1] and lines[-1][-1][0] == name:
                lines[-1][-1] = name, lines[-1][-1][1] + piece
            elif piece:
                lines[-1].append((name, piece))
    return lines
