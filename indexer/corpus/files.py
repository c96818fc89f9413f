"""One file's bytes -> a SourceFile, or the reason why it is skipped.

In: a path on disk, or the bytes, and the evidence of the licence files near it. Out: a SourceFile whose content is
text of any encoding (UTF-16 behind a byte order mark is decoded and handed over as UTF-8) with all that is to be said
of it, or a Skipped. This module refuses to know where the files of a source are listed.
"""

from __future__ import annotations

import errno
import os
import stat
from contextlib import suppress
from io import FileIO

from codecite.indexer.corpus.language import language_of, marks_of
from codecite.indexer.corpus.nearby import NOTHING, Near
from codecite.indexer.corpus.units import Reading
from codecite.indexer.licenses.head import read_head
from codecite.indexer.licenses.notice import read_notice
from codecite.indexer.licenses.reuse import with_declared
from codecite.indexer.records import Skipped, SkipReason, SourceFile

READER = 7
"""Raised whenever the same bytes are read as something else than before: stamps and fingerprints hold it."""

MAX_METADATA = 4 << 20
"""Bytes of a file of metadata that are read."""

HEAD = 8192
"""Bytes that are read before a file is judged; a NUL among them makes it binary."""

_BYTE_ORDER_MARKS = (b"\xff\xfe", b"\xfe\xff")
_FLAGS = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)
_NO_FOLLOW = getattr(os, "O_NOFOLLOW", 0)
_ABSENT = {errno.ENOENT, errno.ENOTDIR}
_ODD = {errno.ELOOP, errno.ENXIO, errno.EISDIR}


def read_path(path: str, name: str, reading: Reading, near: Near = NOTHING, *, follow: bool) -> SourceFile | Skipped:
    """The file at `path`, called `name` in its source; `follow` says whether a symbolic link is one.

    No more than 8 KiB are read of what is skipped.
    """
    try:
        descriptor = os.open(path, _FLAGS if follow else _FLAGS | _NO_FOLLOW)
    except (OSError, ValueError) as error:
        return unreadable(name, error)
    status = os.fstat(descriptor)
    if not stat.S_ISREG(status.st_mode):  # before FileIO, which raises for a folder
        os.close(descriptor)
        return Skipped(name, SkipReason.NOT_A_FILE, "a folder, pipe, socket or device")
    with FileIO(descriptor) as stream:
        if status.st_size > reading.max_file_bytes:
            return too_large(name, status.st_size, reading)
        try:
            head = stream.read(min(status.st_size, HEAD))
            content = head if len(head) == status.st_size or _binary(head) else _rest(stream, head, status.st_size)
        except OSError as error:
            return unreadable(name, error)
    return look_into(name, content, near)


def look_into(name: str, content: bytes, near: Near = NOTHING) -> SourceFile | Skipped:
    """The file that holds these bytes, called `name` in its source; evidence `near` it goes behind its own."""
    head = content[:HEAD]
    if head.startswith(_BYTE_ORDER_MARKS):
        with suppress(UnicodeDecodeError):  # else it is no UTF-16 after all: text if it holds no NUL
            content = content.decode("utf-16").encode()
        head = content[:HEAD]
    if not content:
        return Skipped(name, SkipReason.EMPTY)
    if b"\0" in head:
        return Skipped(name, SkipReason.BINARY, f"NUL at byte {head.index(0)}")
    evidence, notices = with_declared(near.declared, *read_head(content))
    notice = read_notice(content)
    if notice is not None:
        evidence = (*evidence, notice)
    language = language_of(name, content)
    return SourceFile(name, content, (*evidence, *near.evidence), notices, language, marks_of(name, content))


def too_large(name: str, size: int, reading: Reading) -> Skipped:
    """The Skipped for a file over the limit."""
    return Skipped(name, SkipReason.TOO_LARGE, f"{size:,} bytes, the limit is {reading.max_file_bytes:,}")


def absolute(path: str) -> str:
    """The path from the root, without `..`; a symbolic link in it keeps the name that the user gave."""
    return os.path.abspath(path)  # noqa: PTH100 - Path.resolve follows links, Path.absolute keeps `..`


def printable(name: str) -> str:
    """A file name as text: bytes of it that are not UTF-8 stand as `\\xff`."""
    try:
        name.encode()
    except UnicodeEncodeError:
        return os.fsencode(name).decode("utf-8", "backslashreplace")
    return name


def unreadable(name: str, error: OSError | ValueError) -> Skipped:
    """The Skipped for a file that cannot be opened or read."""
    if not isinstance(error, OSError):
        return Skipped(name, SkipReason.BAD_PATH, str(error))
    reason = SkipReason.UNREADABLE
    if error.errno in _ABSENT:
        reason = SkipReason.MISSING
    elif error.errno in _ODD:
        reason = SkipReason.NOT_A_FILE
    return Skipped(name, reason, error.strerror or str(error))


def _binary(head: bytes) -> bool:
    return b"\0" in head and not head.startswith(_BYTE_ORDER_MARKS)


def _rest(stream: FileIO, head: bytes, size: int) -> bytes:
    parts = [head]
    missing = size - len(head)
    while missing > 0:
        part = stream.read(missing)
        if not part:
            break
        parts.append(part)
        missing -= len(part)
    return b"".join(parts)
