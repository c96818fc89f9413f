"""What is left out by name: patterns in the manner of `.gitignore`.

In: patterns, or a file of them. Out: `Excludes`, which says of a path whether it is left out, as `Reading.excluded`
wants it. This module refuses to know what lies at a path.

The rules are git's (gitignore, "pattern format"; the tests ask `git check-ignore`). `*`, `?` and `[a-z]` stand for
characters other than `/`; `**` between slashes stands for any folders. A pattern with a slash at its head or inside
begins at the root, any other matches a name at any depth; one that ends in a slash matches folders only. `!` takes
back what a pattern before it left out, and the last pattern that matches decides; but what lies in a folder that is
left out stays out. `\\` takes a character for itself. Trailing spaces do not count.

Two differences: `?` and `[...]` take a character of Unicode where git takes a byte, and a pattern that git passes over
in silence, since it can match nothing, is an error here. (pathspec was tried: it judges files, so that after `*` a
`!src/` does not take the folder back, and it reads `[[:alpha:]]` otherwise.)

A path costs some 3 us with twenty patterns, its folder being known.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from itertools import groupby
from pathlib import Path

from codecite.indexer.errors import ConfigError

_FOLDERS_KNOWN = 1 << 16
_STAR, _FOLDERS_OR_NONE, _ANYTHING, _SOMETHING = "[^/]*", "(?:.*/)?", ".*", ".+"
_SLASHES = ("/", _FOLDERS_OR_NONE, _ANYTHING, _SOMETHING)
_CLASSES = {
    "alnum": "0-9A-Za-z",
    "alpha": "A-Za-z",
    "blank": r" \t",
    "cntrl": r"\x00-\x1f\x7f",
    "digit": "0-9",
    "graph": "!-~",
    "lower": "a-z",
    "print": " -~",
    "punct": r"!-/:-@\[-`{-~",
    "space": r" \t\n\v\f\r",
    "upper": "A-Z",
    "xdigit": "0-9A-Fa-f",
}


class Excludes:
    """Says of a path, relative to its tree or archive, whether the patterns leave it out.

    A folder's path ends in `/`. A path in a folder that is left out is left out too. Several threads may ask at once.
    Raises ConfigError for a pattern that is none or can match nothing.
    """

    def __init__(self, patterns: Sequence[str]) -> None:
        parsed = [_parse(pattern) for pattern in patterns]
        groups = [(sign, [regex for _, regex in group]) for sign, group in groupby(parsed, key=lambda found: found[0])]
        # The last pattern that matches decides; of neighbours that decide alike, any.
        self._groups = [(sign, re.compile("|".join(group), re.DOTALL)) for sign, group in reversed(groups)]
        self._folders: dict[str, bool] = {}

    def __call__(self, path: str) -> bool:
        """Whether the path is left out."""
        folder = path[: path.rfind("/", 0, len(path) - 1) + 1]
        return (bool(folder) and self._inside(folder)) or self._matches(path)

    def _inside(self, folder: str) -> bool:
        """Whether the folder, or one around it, is left out."""
        known = self._folders.get(folder)
        if known is None:
            known = any(self._matches(around) for around in _from_the_root(folder))
            if len(self._folders) >= _FOLDERS_KNOWN:
                self._folders = {}
            self._folders[folder] = known
        return known

    def _matches(self, path: str) -> bool:
        return next((sign for sign, regex in self._groups if regex.fullmatch(path)), False)


def read_patterns(path: Path) -> list[str]:
    """The patterns of a file, one a line; empty lines and those that begin with `#` are none.

    Raises ConfigError for a file that cannot be read, and for a bad pattern, with its line.
    """
    try:
        text = path.read_bytes().decode("utf-8-sig")
    except OSError as error:
        raise ConfigError(f"{path}: cannot be read ({error.strerror}); name a file of patterns") from None
    except UnicodeDecodeError as error:
        raise ConfigError(f"{path}: byte {error.start}: is not UTF-8; save the patterns as UTF-8") from None
    patterns = []
    for number, line in enumerate(text.split("\n"), 1):
        pattern = line.removesuffix("\r")
        if pattern.startswith("#") or not pattern.strip(" "):
            continue
        try:
            _parse(pattern)
        except ConfigError as error:
            raise ConfigError(f"{path}, line {number}: {error}") from None
        patterns.append(pattern)
    return patterns


def _from_the_root(folder: str) -> Iterator[str]:
    """`a/`, `a/b/`, `a/b/c/` for `a/b/c/`."""
    end = folder.find("/")
    while end >= 0:
        yield folder[: end + 1]
        end = folder.find("/", end + 1)


def _parse(pattern: str) -> tuple[bool, str]:
    """Whether the pattern leaves out or takes back, and the regular expression for the whole of a path."""
    if pattern.startswith("#"):
        raise ConfigError(f"the pattern {pattern!r} is a comment; write \\# for a name that begins with #")
    rest = pattern.removeprefix("!")
    while rest.endswith(" ") and not _is_escaped(rest):
        rest = rest[:-1]
    folder_only = rest.endswith("/")
    rest = rest.removesuffix("/")
    anchored = "/" in rest
    body = _translate(pattern, rest.removeprefix("/"))
    if not body or "//" in rest:
        raise ConfigError(f"the pattern {pattern!r} matches nothing; write ** for everything")
    return not pattern.startswith("!"), f"{'' if anchored else _FOLDERS_OR_NONE}{body}{'/' if folder_only else '/?'}"


def _is_escaped(text: str) -> bool:
    """Whether an odd number of backslashes stands before the last character."""
    before = text[:-1]
    return (len(before) - len(before.rstrip("\\"))) % 2 == 1


def _translate(pattern: str, text: str) -> str:
    """The regular expression for the text of a pattern, without its `!` and the slashes at its ends.

    Of several stars in a name all but the last may take the least that lets what follows match, and need not be tried
    again: so matching takes no more than quadratic time.
    """
    parts: list[str] = []
    at, star = 0, None
    while at < len(text):
        char = text[at]
        at += 1
        if char == "*":
            begin = at - 1
            while text[at : at + 1] == "*":
                at += 1
            part, at = _stars(text, begin, at)
        elif char == "?":
            part = "[^/]"
        elif char == "[":
            part, at = _bracket(pattern, text, at)
        elif char == "\\":
            if at == len(text):
                raise ConfigError(f"the pattern {pattern!r} ends in a lone backslash; write \\\\ for a backslash")
            part = re.escape(text[at])
            at += 1
        else:
            part = re.escape(char)
        if part == _STAR:
            if star is not None:
                parts[star] = "(?>[^/]*?"
                parts.append(")")
            star = len(parts)
        elif part in _SLASHES:
            star = None
        parts.append(part)
    return "".join(parts)


def _stars(text: str, begin: int, end: int) -> tuple[str, int]:
    """The expression for a run of stars, and where to go on: `**` counts as such between slashes only."""
    follows = text[end : end + 2]
    heads = text[begin - 1 : begin] in ("", "/")
    if end - begin > 1 and heads and (follows[:1] in ("", "/") or follows == r"\/"):
        if follows.startswith("/"):
            return _FOLDERS_OR_NONE, end + 1
        # At the end, all that is in the folder, but not the folder itself.
        return _ANYTHING if follows else _SOMETHING, end
    return "[^/]+" if heads and follows[:1] in ("", "/") else _STAR, end


def _bracket(pattern: str, text: str, at: int) -> tuple[str, int]:
    """The expression for the characters between brackets, and where to go on; `at` is behind the opening one."""
    negated = text[at : at + 1] in ("!", "^")
    begin = at = at + negated
    members: list[str] = []
    low: str | None = None
    while at < len(text) and (text[at] != "]" or at == begin):
        named = re.compile(r"\[:([^\]]*):\]").match(text, at)
        if named:
            if named.group(1) not in _CLASSES:
                raise ConfigError(
                    f"the pattern {pattern!r} has an unknown class {named.group()}; use one like [:alpha:]"
                )
            members.append(_CLASSES[named.group(1)])
            low, at = None, named.end()
        elif text[at] == "-" and low is not None and text[at + 1 : at + 2] not in ("", "]"):
            high, at = _member(text, at + 1)
            if high < low:
                raise ConfigError(f"the pattern {pattern!r} has an empty range {low}-{high}; write {high}-{low}")
            members[-1] = f"{re.escape(low)}-{re.escape(high)}"
            low = None
        else:
            low, at = _member(text, at)
            members.append(re.escape(low))
    if at >= len(text):
        raise ConfigError(f"the pattern {pattern!r} lacks a closing bracket; write \\[ for a bracket")
    return f"(?!/)[{'^' if negated else ''}{''.join(members)}]", at + 1


def _member(text: str, at: int) -> tuple[str, int]:
    """One character between brackets, and where to go on; a backslash stands before one that is meant as it is."""
    if text[at] == "\\" and at + 1 < len(text):
        at += 1
    return text[at], at + 1
