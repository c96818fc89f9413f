"""Ways to change a function that a person or a model has, each a function of its text and of chance.

In: the text of a Python function. Out: the changed text, or None where the change cannot be made. It refuses to know
how anything is found.
"""

from __future__ import annotations

import ast
import builtins
import io
import keyword
import random
import subprocess
import sys
import textwrap
import tokenize
from collections.abc import Callable
from pathlib import Path

import black

_RUFF = (str(Path(sys.executable).with_name("ruff")), "format", "--isolated", "--no-cache")
_NEW = ("alpha", "beta", "gamma", "delta", "holder", "entry", "total", "work", "spare", "record", "field", "unit")


def verbatim(text: str, chance: random.Random) -> str | None:
    """As it is."""
    del chance
    return text


def comments_removed(text: str, chance: random.Random) -> str | None:
    """Without comments and docstrings."""
    del chance
    try:
        docs = _docstring_lines(textwrap.dedent(text))
    except SyntaxError:
        return None
    lines = textwrap.dedent(text).split("\n")
    kept = []
    for number, line in enumerate(lines, 1):
        if number in docs or line.strip().startswith("#"):
            continue
        kept.append(line)
    return "\n".join(kept)


def _docstring_lines(text: str) -> set[int]:
    found: set[int] = set()
    for node in ast.walk(ast.parse(text)):
        defined = isinstance(node, ast.FunctionDef | ast.ClassDef | ast.AsyncFunctionDef)
        if defined and ast.get_docstring(node) is not None:
            first = node.body[0]
            found |= set(range(first.lineno, (first.end_lineno or first.lineno) + 1))
    return found


def unparsed(text: str, chance: random.Random) -> str | None:
    """As the standard library writes it down anew: other quotes, line ends, spaces, no comments."""
    del chance
    try:
        return ast.unparse(ast.parse(textwrap.dedent(text)))
    except (SyntaxError, RecursionError):
        return None


def by_black(text: str, chance: random.Random) -> str | None:
    """As black writes it, in lines of 60."""
    del chance
    try:
        return black.format_str(textwrap.dedent(text), mode=black.Mode(line_length=60))
    except (ValueError, RecursionError):
        return None


def by_ruff(text: str, chance: random.Random) -> str | None:
    """As ruff writes it, in lines of 120 with single quotes and tabs."""
    del chance
    command = [*_RUFF, "--line-length", "120", "--config", "format.quote-style='single'"]
    command += ["--config", "format.indent-style='tab'", "-"]
    ran = subprocess.run(command, input=textwrap.dedent(text), capture_output=True, text=True)
    return ran.stdout if ran.returncode == 0 else None


def three_names(text: str, chance: random.Random) -> str | None:
    """Three names of its own are others."""
    names = sorted(own_names(text))
    return renamed(text, chance.sample(names, 3), chance) if len(names) >= 3 else None


def all_names(text: str, chance: random.Random) -> str | None:
    """All names of its own (the function's, its arguments', its variables') are others."""
    names = sorted(own_names(text))
    return renamed(text, names, chance) if names else None


def one_line_in_ten(text: str, chance: random.Random) -> str | None:
    """One line in ten, at least one, is another statement."""
    lines = text.split("\n")
    places = [at for at, line in enumerate(lines) if at and line.strip()]
    if not places:
        return None
    for at in chance.sample(places, max(1, len(lines) // 10)):
        lines[at] = _indent(lines[at]) + f"{chance.choice(_NEW)} = {chance.choice(_NEW)}({chance.randint(2, 99)})"
    return "\n".join(lines)


def two_lines_inserted(text: str, chance: random.Random) -> str | None:
    """Two statements are new, in two places."""
    lines = text.split("\n")
    for _ in range(2):
        at = chance.randrange(1, len(lines) + 1)
        where = _indent(lines[at - 1])
        lines.insert(at, where + f"{chance.choice(_NEW)} = {chance.choice(_NEW)} + {chance.randint(2, 99)}")
    return "\n".join(lines)


def reordered(text: str, chance: random.Random) -> str | None:
    """Two neighbouring statements of its body have changed places."""
    try:
        tree = ast.parse(textwrap.dedent(text))
    except SyntaxError:
        return None
    body = tree.body[0].body if tree.body and isinstance(tree.body[0], ast.FunctionDef) else []
    places = [i for i in range(len(body) - 1) if body[i + 1].lineno > (body[i].end_lineno or 0)]
    if not places:
        return None
    at = chance.choice(places)
    lines = textwrap.dedent(text).split("\n")
    one = lines[body[at].lineno - 1 : body[at].end_lineno]
    between = lines[body[at].end_lineno or 0 : body[at + 1].lineno - 1]
    other = lines[body[at + 1].lineno - 1 : body[at + 1].end_lineno]
    return "\n".join(lines[: body[at].lineno - 1] + other + between + one + lines[body[at + 1].end_lineno or 0 :])


def own_names(text: str) -> set[str]:
    """The names that a function binds."""
    try:
        tree = ast.parse(textwrap.dedent(text))
    except SyntaxError:
        return set()
    found = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.arg):
            found.add(node.arg)
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            found.add(node.id)
        elif isinstance(node, ast.FunctionDef):
            found.add(node.name)
    return {name for name in found if not keyword.iskeyword(name) and not hasattr(builtins, name) and name != "self"}


def renamed(text: str, names: list[str], chance: random.Random) -> str | None:
    """The text with each of the names another one, wherever it stands as a name."""
    table = {name: f"{chance.choice(_NEW)}_{number}" for number, name in enumerate(names)}
    out = []
    try:
        for token in tokenize.generate_tokens(io.StringIO(text).readline):
            new = table.get(token.string, token.string) if token.type == tokenize.NAME else token.string
            out.append((token, new))
    except (tokenize.TokenError, IndentationError):
        return None
    lines = text.split("\n")
    for token, new in reversed(out):
        if new != token.string:
            row, column = token.start
            line = lines[row - 1]
            lines[row - 1] = line[:column] + new + line[column + len(token.string) :]
    return "\n".join(lines)


def _indent(line: str) -> str:
    return line[: len(line) - len(line.lstrip())]


MUTATIONS: dict[str, Callable[[str, random.Random], str | None]] = {
    "verbatim": verbatim,
    "reformatted by black": by_black,
    "reformatted by ruff": by_ruff,
    "unparsed": unparsed,
    "comments removed": comments_removed,
    "3 names renamed": three_names,
    "all names renamed": all_names,
    "one line in ten edited": one_line_in_ten,
    "two lines inserted": two_lines_inserted,
    "statements reordered": reordered,
}
