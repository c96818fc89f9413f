"""A file of JSON Lines, plain or compressed by gzip or zstd -> its rows.

In: a path. Out: a Row for each line that holds an object, a SourceError for each that does not, in the file's order;
lines of nothing but white space are passed over. Of a file that is cut off or damaged come the rows before the break,
then the error that names it. At most one line is held at a time. This module refuses to know what the columns mean,
and the file's name: its first bytes tell how it is compressed.
"""

from __future__ import annotations

import gzip
import io
import json
import os
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from codecite.indexer.corpus.files import printable
from codecite.indexer.corpus.members import PIECE, Allowance
from codecite.indexer.corpus.row import Row, without_content
from codecite.indexer.errors import SourceError

if TYPE_CHECKING:
    from zstandard import ZstdDecompressionObj

MAX_LINE = 128 * 1024 * 1024
"""Bytes; a text of 16 MiB takes up to 96 MiB of JSON. A longer line is passed over piecewise, and named."""

MAX_EMPTY = 1_000_000
"""Lines of nothing but white space, one after the other; of a file that has more the rest is not read."""

_GZIP = b"\x1f\x8b"
_ZSTD = b"\x28\xb5\x2f\xfd"
_MARK = b"\xef\xbb\xbf"
_PIECE = 1024
"""Compressed bytes that are expanded at a time: zstd makes no more than 32,768 of one, so 32 MiB at most."""

_DAMAGE = (OSError, EOFError, zlib.error)
_AGAIN = "download or write the file again"


def lines(path: str, content: str) -> Iterator[Row | SourceError]:
    """The rows of a file whose texts are in the column `content`.

    Raises SourceError if the file cannot be opened, or if its first object has no such column: then none will.
    """
    name = printable(path)
    number = end = 0
    first = True
    try:
        with Path(path).open("rb") as file, _expanded(file) as stream:
            allowance = None if stream is file else Allowance(name, os.fstat(file.fileno()).st_size)
            for number, start, line in _lines(stream, allowance):
                place = f"line {number} (byte {start:,})"
                end = start + len(line or b"")
                found = _object(line, number)
                if isinstance(found, str):
                    yield SourceError(f"{name}: {place}: {found}")
                elif found is not None:
                    if first and content not in found:
                        raise without_content(name, content, found.keys())
                    first = False
                    yield Row(number, place, found)
    except _DAMAGE as error:
        broken = SourceError(f"{name}: cut off or damaged after line {number} (byte {end:,}): {error}; {_AGAIN}")
        if not number:
            raise broken from error
        yield broken


def _lines(stream: BinaryIO, allowance: Allowance | None) -> Iterator[tuple[int, int, bytes | None]]:
    """The number of each line, where it begins in the expanded file, and the line; None for one that is too long.

    Lines of nothing but white space are counted only. SourceError where the file expands beyond its allowance, OSError
    where there is nothing in it for too long.
    """
    number = full = offset = taken = 0
    while line := stream.readline(MAX_LINE + 1):
        number += 1
        start = offset
        offset += len(line)
        if allowance is not None and offset - taken >= PIECE:
            allowance.take_bytes(offset - taken)
            taken = offset
        if len(line) <= MAX_LINE:
            if not line.isspace():
                full = number
                yield number, start, line
            elif number - full > MAX_EMPTY:
                raise OSError(f"more than {MAX_EMPTY:,} lines without anything in them")
            continue
        while line and not line.endswith(b"\n"):
            line = stream.readline(1 << 20)
            offset += len(line)
            if allowance is not None:
                allowance.take_bytes(offset - taken)
                taken = offset
        yield number, start, None


def _object(line: bytes | None, number: int) -> dict[str, object] | str | None:
    """The object of a line, None for an empty line, or what is wrong with it and what mends that."""
    if line is None:
        return f"longer than {MAX_LINE:,} bytes; leave the row out or cut its text"
    if number == 1:
        line = line.removeprefix(_MARK)
    try:
        text = line.decode()
        if not text.strip():
            return None
        found = json.loads(text)
    except UnicodeDecodeError as error:
        return f"not UTF-8 at byte {error.start:,} of the line; write the row again as UTF-8"
    except json.JSONDecodeError as error:
        where = min(error.pos, len(text.rstrip())) + 1
        wrong = f"{error.msg.removesuffix(' at')} at character {where:,}"
        return f"not JSON: {wrong}; mend the line, or write each row on one line"
    except (ValueError, RecursionError, MemoryError) as error:
        return f"JSON that cannot be read ({error}); mend the line or leave the row out"
    if not isinstance(found, dict):
        return f"JSON of another kind ({type(found).__name__}); each line holds one object, column by column"
    return found


def _expanded(file: BinaryIO) -> BinaryIO:
    """The bytes of the file as they were before they were compressed, if they were."""
    magic = file.read(4)
    file.seek(0)
    if magic.startswith(_GZIP):
        return gzip.GzipFile(fileobj=file)  # type: ignore[return-value]
    if magic == _ZSTD:
        return io.BufferedReader(_Zstd(file), 1 << 16)
    return file


class _Zstd(io.RawIOBase):
    """The contents of zstd frames, one after the other. Unlike the library's reader it notices a missing end."""

    def __init__(self, file: BinaryIO) -> None:
        from zstandard import ZstdDecompressor

        self._file = file
        self._decompressor = ZstdDecompressor()
        self._frame: ZstdDecompressionObj | None = None
        self._compressed = b""
        self._held = memoryview(b"")

    def readable(self) -> bool:
        """It is."""
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        """Fill the buffer as far as what is expanded goes; expand more if that is nothing. 0 at the end."""
        while not self._held and self._expand():
            pass
        size = min(len(buffer), len(self._held))
        buffer[:size] = self._held[:size]
        self._held = self._held[size:]
        return size

    def _expand(self) -> bool:
        """Expand the next piece; False at the end. Raises OSError for what is no zstd, or lacks its end."""
        from zstandard import ZstdError

        piece = self._compressed or self._file.read(_PIECE)
        if not piece:
            if self._frame is not None:
                raise OSError("the compressed data has no end")
            return False
        frame = self._frame or self._decompressor.decompressobj()
        try:
            self._held = memoryview(frame.decompress(piece))
        except ZstdError as error:
            raise OSError(str(error)) from error
        self._compressed = frame.unused_data if frame.eof else b""
        self._frame = None if frame.eof else frame
        return True
