"""One file's bytes -> a SourceFile, or the reason why it is skipped.

In: a path on disk, or an open stream and its size. Out: a SourceFile whose content is text of any encoding (UTF-16
behind a byte order mark is decoded and handed over as UTF-8), or a Skipped. This module refuses to know where the
files of a source are listed.
"""

from __future__ import annotations

import errno
import os
import stat
from io import FileIO
from typing import Protocol

from codecite.indexer.config import IndexConfig
from codecite.indexer.licenses.head import read_head
from codecite.indexer.records import Skipped, SkipReason, SourceFile

HEAD = 8192
"""Bytes that are read before a file is judged; a NUL among them makes it binary."""

_BYTE_ORDER_MARKS = (b"\xff\xfe", b"\xfe\xff")
_FLAGS = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)
_NO_FOLLOW = getattr(os, "O_NOFOLLOW", 0)
_ABSENT = {errno.ENOENT, errno.ENOTDIR}
_ODD = {errno.ELOOP, errno.ENXIO, errno.EISDIR}


class Stream(Protocol):
    """What a file is read from: `read(n)` gives at most n bytes, none at the end."""

    def read(self, size: int, /) -> bytes | None:
        """At most `size` bytes."""


def read_path(path: str, name: str, config: IndexConfig, *, follow: bool) -> SourceFile | Skipped:
    """The file at `path`, called `name` in its source; `follow` says whether a symbolic link is one."""
    try:
        descriptor = os.open(path, _FLAGS if follow else _FLAGS | _NO_FOLLOW)
    except (OSError, ValueError) as error:
        return unreadable(name, error)
    with FileIO(descriptor) as stream:
        status = os.fstat(descriptor)
        if not stat.S_ISREG(status.st_mode):
            return Skipped(name, SkipReason.NOT_A_FILE, "a folder, pipe, socket or device")
        try:
            return read_stream(stream, status.st_size, name, config)
        except OSError as error:
            return unreadable(name, error)


def read_stream(stream: Stream, size: int, name: str, config: IndexConfig) -> SourceFile | Skipped:
    """The file that the stream holds. No more than 8 KiB are read of what is skipped."""
    if size > config.max_file_bytes:
        return Skipped(name, SkipReason.TOO_LARGE, f"{size:,} bytes, the limit is {config.max_file_bytes:,}")
    head = stream.read(min(size, HEAD)) if size else b""
    if not head:
        return Skipped(name, SkipReason.EMPTY)
    wide = head.startswith(_BYTE_ORDER_MARKS)
    if not wide and b"\0" in head:
        return Skipped(name, SkipReason.BINARY, f"NUL at byte {head.index(0)}")
    content = head if len(head) == size else _rest(stream, head, size)
    return _narrow(content, name) if wide else _source_file(name, content)


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


def _rest(stream: Stream, head: bytes, size: int) -> bytes:
    parts = [head]
    missing = size - len(head)
    while missing > 0:
        part = stream.read(missing)
        if not part:
            break
        parts.append(part)
        missing -= len(part)
    return b"".join(parts)


def _narrow(content: bytes, name: str) -> SourceFile | Skipped:
    """A file behind a UTF-16 byte order mark. One that is no UTF-16 after all is text if it holds no NUL."""
    try:
        decoded = content.decode("utf-16").encode()
    except UnicodeDecodeError:
        decoded = content
    if not decoded:
        return Skipped(name, SkipReason.EMPTY, "a byte order mark alone")
    if b"\0" in decoded[:HEAD]:
        return Skipped(name, SkipReason.BINARY, f"NUL at byte {decoded.index(0)}")
    return _source_file(name, decoded)


def _source_file(name: str, content: bytes) -> SourceFile:
    evidence, notices = read_head(content)
    return SourceFile(name, content, evidence, notices)
