"""A unified diff -> the lines it adds, and the text that it makes.

In: the bytes of a diff, with or without git's headers, and the file as it lies in the tree. Out: for each path the runs
of added lines, and the new content. It refuses to know where the diff is from.

What is not of the form of a hunk is passed over, as `patch` does: mails and logs around a diff are no error.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from codecite.indexer.errors import SourceError
from codecite.search_api.scan.records import Lines

_HUNK = re.compile(rb"@@ -(\d+)(?:,(\d+))? \+(\d+)(?:,(\d+))? @@")
_ESCAPED = re.compile(rb"\\([0-7]{3}|.)", re.DOTALL)
_LETTERS = {b"a": b"\a", b"b": b"\b", b"f": b"\f", b"n": b"\n", b"r": b"\r", b"t": b"\t", b"v": b"\v"}
_NOWHERE = b"/dev/null"
_GAP = b"\1\2\3\2\1\n"
"""Stands for lines that a diff does not show, so that no passage runs across: no code holds these bytes."""


@dataclass(slots=True)
class Hunk:
    """Where a hunk begins on both sides, its new lines (with whether each is added), and its old ones."""

    old_start: int
    new_start: int
    new: list[tuple[bytes, bool]] = field(default_factory=list)
    old: list[bytes] = field(default_factory=list)


def parse_patch(patch: bytes) -> Iterator[tuple[str, list[Hunk]]]:
    """The path and the hunks of each file that is there afterwards. Raises SourceError for a hunk that is cut off."""
    lines = patch.split(b"\n")
    path: str | None = None
    hunks: list[Hunk] = []
    at = 0
    while at < len(lines):
        line = lines[at]
        head = _HUNK.match(line)
        if line.startswith(b"--- ") and at + 1 < len(lines) and lines[at + 1].startswith(b"+++ "):
            if path is not None and hunks:
                yield path, hunks
            path, hunks = _path(lines[at + 1][4:]), []
            at += 2
        elif head and path is not None:
            hunk, at = _hunk(lines, at, head)
            hunks.append(hunk)
        elif line.startswith(b"diff --git ") and hunks:
            if path is not None:
                yield path, hunks
            path, hunks = None, []
            at += 1
        else:
            at += 1
    if path is not None and hunks:
        yield path, hunks


def added_lines(patch: bytes) -> dict[str, list[Lines]]:
    """The runs of lines that a diff adds, by path."""
    return {path: runs_of(hunks) for path, hunks in parse_patch(patch)}


def runs_of(hunks: list[Hunk]) -> list[Lines]:
    """The runs of added lines of a file."""
    runs: list[Lines] = []
    for hunk in hunks:
        for number, (_, added) in enumerate(hunk.new, hunk.new_start):
            if added and runs and runs[-1][1] == number - 1:
                runs[-1] = runs[-1][0], number
            elif added:
                runs.append((number, number))
    return runs


def content_after(hunks: list[Hunk], current: bytes | None) -> bytes:
    """The content that a diff makes of a file.

    `current` is the file in the tree, before or after the diff was applied; where it is neither, what the diff itself
    shows is all that is known.
    """
    lines = [] if current is None else current.split(b"\n")
    plain = [line.removesuffix(b"\r") for line in lines]
    if current is not None and all(_stands(plain, hunk.new_start, [text for text, _ in hunk.new]) for hunk in hunks):
        return current
    if current is not None and all(_stands(plain, hunk.old_start, hunk.old) for hunk in hunks):
        made, at = [], 0
        for hunk in hunks:
            begin = hunk.old_start - 1 if hunk.old else hunk.old_start
            made += lines[at:begin] + [text for text, _ in hunk.new]
            at = begin + len(hunk.old)
        return b"\n".join(made + lines[at:])
    shown, number = [], 1
    for hunk in hunks:
        missing = hunk.new_start - number
        if missing > 0:
            shown.append(_GAP + b"\n" * (missing - 1))
        shown += [text + b"\n" for text, _ in hunk.new]
        number = hunk.new_start + len(hunk.new)
    return b"".join(shown)


def _stands(lines: list[bytes], start: int, wanted: list[bytes]) -> bool:
    begin = max(0, start - 1)
    return lines[begin : begin + len(wanted)] == [line.removesuffix(b"\r") for line in wanted]


def _hunk(lines: list[bytes], at: int, head: re.Match[bytes]) -> tuple[Hunk, int]:
    old_start, old_left, new_start, new_left = (1 if number is None else int(number) for number in head.groups())
    hunk = Hunk(old_start, new_start)
    place = at + 1
    while old_left > 0 or new_left > 0:
        if place >= len(lines):
            raise SourceError(f"the diff ends in the hunk of its line {at + 1}; give all of it")
        line = lines[place]
        place += 1
        sign, text = line[:1], line[1:]
        if sign == b"+":
            hunk.new.append((text, True))
            new_left -= 1
        elif sign == b"-":
            hunk.old.append(text)
            old_left -= 1
        elif sign in (b" ", b"", b"\r"):  # mailers strip the space of an empty line
            hunk.new.append((text, False))
            hunk.old.append(text)
            old_left, new_left = old_left - 1, new_left - 1
        elif sign != b"\\":
            raise SourceError(f"line {place} of the diff is no part of the hunk of its line {at + 1}; give it whole")
    return hunk, place


def _path(text: bytes) -> str | None:
    """The path behind `+++ `: without `b/`, the date that `diff` writes, and git's quotes; None for no file."""
    text = text.removesuffix(b"\r")
    if text.startswith(b'"'):
        text = _ESCAPED.sub(_unescaped, text[1 : text.rindex(b'"')] if text.count(b'"') > 1 else text[1:])
    else:
        text = text.partition(b"\t")[0]
    if text == _NOWHERE:
        return None
    return os.fsdecode(text.removeprefix(b"b/"))


def _unescaped(found: re.Match[bytes]) -> bytes:
    sign = found.group(1)
    return bytes([int(sign, 8)]) if len(sign) == 3 else _LETTERS.get(sign, sign)
