"""The diff of a Debian source package of format 1.0 -> the files that it adds.

In: the open `.diff.gz`. Out: the added files with their contents, and a Skipped for each file that it changes. This
module refuses to apply a change: the file that is changed is elsewhere.

In a unified diff a file is added where its one hunk replaces nothing (`@@ -0,0 +1,12 @@`). The numbers in a hunk's
head say how many lines follow; fewer are damage, named with its line. Text between the files is passed over.
"""

from __future__ import annotations

import io
import re
from collections.abc import Iterator
from typing import BinaryIO

from codecite.indexer.corpus.expand import expanded, gzip
from codecite.indexer.corpus.members import Allowance, bad_path, member_name
from codecite.indexer.errors import SourceError
from codecite.indexer.records import Skipped, SkipReason

_HUNK = re.compile(rb"@@ -(\d+)(?:,(\d+))? \+(\d+)(?:,(\d+))? @@")
_NO_NEWLINE = b"\\ "


def added_files(stream: BinaryIO, name: str) -> tuple[dict[str, bytes], list[Skipped]]:
    """The files that the diff adds, by their paths without the first folder, and what it does to others.

    Raises SourceError, under the name, where the stream is damaged, expands to more than 256 MiB or is no diff.
    """
    text = io.BytesIO()
    for piece in expanded(stream, name, gzip, Allowance(name, 0)):
        text.write(piece)
    text.seek(0)
    added: dict[str, bytes] = {}
    others: list[Skipped] = []
    for raw, content in _patched(enumerate(text, 1), name):
        path, wrong = member_name(raw)
        path = path.partition("/")[2] or path
        if wrong:
            others.append(bad_path(path, wrong))
        elif content is None:
            others.append(Skipped(path, SkipReason.NOT_A_FILE, "a change, not applied: indexed is the upstream's file"))
        else:
            added[path] = content
    return added, others


def _patched(lines: Iterator[tuple[int, bytes]], name: str) -> Iterator[tuple[bytes, bytes | None]]:
    """Each file of the diff, by its name there, with its content if it is a new one."""
    path: bytes | None = None
    content: bytearray | None = None
    hunks = 0
    for number, line in lines:
        hunk = _HUNK.match(line)
        if line.startswith(b"--- "):
            if path is not None and hunks:
                yield path, None if content is None else bytes(content)
            number, line = next(lines, (number, b""))
            if not line.startswith(b"+++ "):
                raise _damaged(name, number, "the new name of a file is missing")
            path, content, hunks = line[4:].split(b"\t")[0].strip(), bytearray(), 0
        elif hunk:
            if path is None:
                raise _damaged(name, number, "a hunk of no file")
            hunks += 1
            old, new = (1 if count is None else int(count) for count in hunk.group(2, 4))
            if hunks > 1 or old or int(hunk.group(1)):
                content = None
            _hunk(lines, name, number, old, new, content)
        elif line.startswith(_NO_NEWLINE) and content:
            del content[-1:]
    if path is not None and hunks:
        yield path, None if content is None else bytes(content)


def _hunk(
    lines: Iterator[tuple[int, bytes]], name: str, number: int, old: int, new: int, content: bytearray | None
) -> None:
    """Read past one hunk; its new lines go to the content of a new file."""
    while old > 0 or new > 0:
        number, line = next(lines, (number + 1, b""))
        mark = line[:1]
        if mark not in (b"+", b"-", b" ", b"\n", b"\\") or not line:
            raise _damaged(name, number, "a hunk has fewer lines than its head says")
        old -= mark in (b"-", b" ", b"\n")
        new -= mark in (b"+", b" ", b"\n")
        if mark == b"+" and content is not None:
            content += line[1:]


def _damaged(name: str, number: int, reason: str) -> SourceError:
    return SourceError(f"{name}: line {number} is damaged ({reason}); download the package again")
