"""A file -> the gaps between its lines in which a comment of its own may stand.

In: the lines of a file, its path. Out: for each gap whether a comment line there stays a comment and changes nothing.
Gap n is the one above line n (from 1). It refuses to know what is inserted.

Python is read with its own tokenizer. Of other languages a small scanner knows block comments, strings over several
lines and lines that go on; where it has no rules for a language, only gaps before a line that begins at the margin, or
at a blank line, count. Unknown kinds of files have no gaps: nothing is written into them.
"""

from __future__ import annotations

import io
import re
import tokenize
from collections.abc import Sequence

from codecite.indexer.attribution.snippets import comment_style

_KNOWN_NAMES = {"makefile", "dockerfile", "gemfile", "rakefile"}
_PLAIN = {"json", "txt", "csv", "tsv", "lock", "map", "ipynb", "svgz", "rst", "log"}
_PROLOG = re.compile(r"#!|\s*<\?(?:xml|php)|\s*<!doctype|\ufeff", re.IGNORECASE)
_CODING = re.compile(r"^[ \t\f]*#.*?coding[:=][ \t]*[-\w.]+")


def may_hold(path: str) -> bool:
    """Whether comments may be written into a file of this name."""
    name = path.rpartition("/")[2].lower()
    if name in _KNOWN_NAMES:
        return True
    suffix = name.rpartition(".")[2] if "." in name else ""
    return bool(suffix) and suffix not in _PLAIN and (comment_style(path) != ("# ", "") or suffix in _HASHED)


_SUFFIXES = """py pyi pyx sh bash zsh fish rb pl pm r jl yaml yml toml tcl cmake mk ex exs nix ps1 coffee awk cfg conf
properties tf nim"""
_HASHED = frozenset(_SUFFIXES.split())


def safe_gaps(path: str, lines: Sequence[str]) -> list[bool]:
    """Whether a comment may stand above each line, and (the last) below all of them."""
    head, _ = comment_style(path)
    if path.endswith((".py", ".pyi")):
        gaps = _python(lines)
    elif head in ("// ", "/* "):
        gaps = _braces(lines)
    else:
        gaps = [True, *(_at_margin(lines, number) for number in range(1, len(lines))), True]
    for number in range(len(lines)):
        if (number == 0 and _PROLOG.match(lines[0])) or (number < 2 and _CODING.match(lines[number])):
            gaps[: number + 1] = [False] * (number + 1)
    return gaps


def _at_margin(lines: Sequence[str], number: int) -> bool:
    line, above = lines[number], lines[number - 1]
    return (not line[:1].isspace() or not line.strip() or not above.strip()) and not above.rstrip().endswith("\\")


def _python(lines: Sequence[str]) -> list[bool]:
    gaps = [True] * (len(lines) + 1)
    for number, line in enumerate(lines):
        if line.rstrip("\r").endswith("\\"):
            gaps[number + 1] = False
    try:
        for token in tokenize.generate_tokens(io.StringIO("\n".join(lines) + "\n").readline):
            if token.end[0] > token.start[0] and token.type not in (tokenize.NEWLINE, tokenize.NL, tokenize.DEDENT):
                for number in range(token.start[0], token.end[0]):
                    gaps[number] = False
    except (tokenize.TokenError, SyntaxError, IndentationError):
        return [True, *(_at_margin(lines, number) for number in range(1, len(lines))), True]
    return gaps


def _braces(lines: Sequence[str]) -> list[bool]:
    """Languages with `//` and block comments; a backquote opens a string over lines."""
    gaps = [True]
    inside = ""
    for line in lines:
        at = 0
        while at < len(line):
            pair, sign = line[at : at + 2], line[at]
            if inside:
                closing = "*/" if inside == "/*" else inside
                if sign == "\\" and inside != "/*":
                    at += 2
                elif line.startswith(closing, at):
                    inside = ""
                    at += len(closing)
                else:
                    at += 1
            elif pair == "//":
                break
            elif pair == "/*":
                inside = pair
                at += 2
            elif sign == "`" or line.startswith('"""', at):
                inside = "`" if sign == "`" else '"""'
                at += len(inside)
            elif sign in "\"'":
                at = _after_string(line, at)
            else:
                at += 1
        gaps.append(not inside and not line.rstrip("\r").endswith("\\"))
    gaps[-1] = True
    return gaps


def _after_string(line: str, at: int) -> int:
    """Behind a string of one line; behind its quote where it does not end (a lifetime, an apostrophe)."""
    end = at + 1
    while end < len(line):
        if line[end] == "\\":
            end += 2
        elif line[end] == line[at]:
            return end + 1
        else:
            end += 1
    return at + 1
