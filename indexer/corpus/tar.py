"""A tar stream -> what it holds.

In: a stream that can be read at random, and its length. Out: a Listing. It is read here and not by `tarfile`, which
takes a damaged header for the end of the archive and what stands behind it for nothing. This module refuses to know
of compression.

Read are the POSIX formats (ustar, pax), GNU's long names and numbers, and the oldest tar, which has no magic. What is
no regular file is refused by name: links, devices, pipes, sparse files, and types of other programs. A header whose
checksum is wrong and a member that runs over the end are a SourceError with the offset.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO

from codecite.indexer.corpus.members import (
    PIECE,
    Allowance,
    Listing,
    Member,
    bad_path,
    damaged,
    day_of,
    incomplete,
    member_name,
    newest,
)
from codecite.indexer.errors import SourceError
from codecite.indexer.records import Skipped, SkipReason

BLOCK = 512

_ZEROS = bytes(BLOCK)
_MAX_EXTENDED = 1 << 20
"""Bytes of a pax header or of a GNU long name."""

_FIELDS = struct.Struct("100s 8x 8x 8x 12s 12s 8s c 100s 6s 2x 32x 32x 8x 8x 155s 12x")
_REGULAR = (b"0", b"\0", b"7")
_EXTENDED = (b"x", b"X", b"g", b"L", b"K")
_FOLDERS = (b"5", b"D")
_WITHOUT_DATA = {
    b"1": "a hard link",
    b"2": "a symbolic link",
    b"3": "a device",
    b"4": "a device",
    b"6": "a pipe",
}


@dataclass(slots=True)
class _Header:
    """A header as it stands there, or with what extended headers before it say instead; `start` is of the data."""

    name: bytes
    kind: bytes
    size: int
    time: int
    target: bytes
    sparse: bool = False
    start: int = 0


class _Reader:
    """The stream, and what of it is no entry: the archive's comment, and what stands behind its end."""

    def __init__(self, stream: BinaryIO, name: str, length: int) -> None:
        self._stream = stream
        self._name = name
        self.length = length
        self.comment = ""
        self.behind: int | None = None

    def at(self, offset: int, size: int) -> bytes:
        """Exactly so many bytes."""
        if offset + size > self.length:
            raise self.error(self.length, "it ends")
        self._stream.seek(offset)
        data = self._stream.read(size)
        if len(data) < size:
            raise self.error(offset + len(data), "it has become shorter, and ends")
        return data

    def error(self, offset: int, wrong: object) -> SourceError:
        """The SourceError for what is wrong at an offset."""
        return incomplete(self._name, f"{wrong} at byte {offset:,}")


def begins_tar(block: bytes) -> bool:
    """Whether a tar archive may begin with this block."""
    try:
        return len(block) == BLOCK and bool(_header(block))
    except ValueError:
        return False


def list_tar(stream: BinaryIO, name: str, length: int, allowance: Allowance, *, whole: bool) -> Listing:
    """What the tar archive of `length` bytes in the stream holds.

    `whole` says that the stream is known to be so, by a checksum: then the blocks of zeros at the end may be missing.
    """
    reader = _Reader(stream, name, length)
    members: list[Member] = []
    refused: list[Skipped] = []
    places: list[int] = []
    days: set[int] = set()
    for header in _entries(reader, allowance, whole):
        found = _member(header, len(places))
        if isinstance(found, Member):
            members.append(found)
            places.append(header.start)
            days.add(day_of(header.time))
        elif found is not None:
            refused.append(found)
    if reader.behind is not None:
        shown = f"(behind the end, at byte {reader.behind:,})"
        refused.append(Skipped(shown, SkipReason.NOT_A_FILE, "no part of the archive"))

    def pieces(place: int) -> Iterator[bytes]:
        member = members[place]
        try:
            stream.seek(places[place])
            left = member.size
            while left:
                piece = stream.read(min(left, PIECE))
                if not piece:
                    raise damaged(name, member.name, "the archive has become shorter")
                left -= len(piece)
                yield piece
        except OSError as error:
            raise damaged(name, member.name, error) from error

    return Listing(members, refused, newest(days), reader.comment, pieces)


def _entries(reader: _Reader, allowance: Allowance, whole: bool) -> Iterator[_Header]:
    """The entries in their order, extended headers applied to what they stand before."""
    extended: dict[bytes, bytes] = {}
    offset = 0
    while offset < reader.length or not whole:
        block = reader.at(offset, BLOCK)
        if block == _ZEROS:
            reader.behind = _behind(reader, offset)
            return
        allowance.take_members(1)
        try:
            header = _header(block)
            header.start = offset + BLOCK
            if header.kind in _EXTENDED:
                extended |= _extension(reader, header)
                offset = header.start + _padded(header.size)
                continue
            header.size = int(extended.get(b"size", header.size))
            header.time = int(float(extended.get(b"mtime", header.time)))
            if header.size < 0:
                raise ValueError("a negative size")
        except (ValueError, OverflowError) as error:
            raise reader.error(offset, error) from error
        header.name = extended.get(b"GNU.sparse.name") or extended.get(b"path") or header.name
        header.sparse = header.kind == b"S" or any(key.startswith(b"GNU.sparse.") for key in extended)
        extended = {}
        if header.kind == b"S":
            header.start = _after_sparse_map(reader, block, header.start)
        offset = header.start
        if header.kind not in _WITHOUT_DATA and header.kind != b"5":
            if header.start + header.size > reader.length:
                raise reader.error(reader.length, f"it ends within {member_name(header.name)[0]},")
            offset += _padded(header.size)
        yield header


def _member(header: _Header, place: int) -> Member | Skipped | None:
    """What an entry is: a member, or refused; None for a folder."""
    if header.kind in _FOLDERS or (header.kind in _REGULAR and header.name.endswith(b"/")):
        return None
    shown, wrong = member_name(header.name)
    if wrong:
        return bad_path(shown, wrong)
    if header.kind in _WITHOUT_DATA:
        target = f" to {member_name(header.target)[0]}" if header.kind in b"12" else ""
        return Skipped(shown, SkipReason.NOT_A_FILE, _WITHOUT_DATA[header.kind] + target)
    if header.sparse:
        return Skipped(shown, SkipReason.UNREADABLE, "a sparse file")
    if header.kind not in _REGULAR:
        return Skipped(shown, SkipReason.NOT_A_FILE, f"an entry of type {header.kind!r}")
    return Member(shown, header.size, place)


def _extension(reader: _Reader, header: _Header) -> dict[bytes, bytes]:
    """What an extended header says of the entry behind it; ValueError where that is none."""
    if header.size > _MAX_EXTENDED:
        raise ValueError(f"an extended header of {header.size:,} bytes")
    data = reader.at(header.start, header.size)
    if header.kind == b"L":
        return {b"path": data.split(b"\0", 1)[0]}
    if header.kind == b"K":
        return {}
    records = _records(data)
    reader.comment = records.get(b"comment", b"").decode("utf-8", "replace") or reader.comment
    return {} if header.kind == b"g" else records


def _header(block: bytes) -> _Header:
    """The fields of a header block; ValueError says what is wrong with it."""
    name, size, moment, stated, kind, target, magic, prefix = _FIELDS.unpack(block)
    over = sum(block) - sum(stated) + 8 * 32 - _number(stated)
    if over and over != 256 * sum(byte > 127 for byte in block):  # some summed signed bytes
        raise ValueError("a header with a wrong checksum")
    name = name.split(b"\0", 1)[0]
    if magic == b"ustar\0" and prefix[0]:
        name = prefix.split(b"\0", 1)[0] + b"/" + name
    try:
        time = _number(moment)
    except ValueError:
        time = 0
    return _Header(name, kind, _number(size), time, target.split(b"\0", 1)[0])


def _number(field: bytes) -> int:
    """A number in octal digits, or in GNU's form for large ones: a set first bit, then big-endian bytes."""
    if field[0] & 0x80:
        value = int.from_bytes(field, "big") - (0x80 << 8 * (len(field) - 1))
        if value >= 1 << 62:
            raise ValueError("a header with a negative number")
        return value
    digits = field.split(b"\0", 1)[0].strip(b" ")
    if digits and not digits.isdigit():
        raise ValueError("a header with a number that is none")
    return int(digits or b"0", 8)


def _records(data: bytes) -> dict[bytes, bytes]:
    """The `LENGTH KEY=VALUE` lines of a pax header; ValueError where there are none."""
    records: dict[bytes, bytes] = {}
    place = 0
    while place < len(data) and data[place]:
        digits, space, _ = data[place : place + 20].partition(b" ")
        length = int(digits) if space and digits.isdigit() else 0
        line = data[place : place + length]
        key, equals, value = line[len(digits) + 1 : -1].partition(b"=")
        if not equals or not line.endswith(b"\n") or len(line) < length:
            raise ValueError("an extended header that is none")
        records[key] = value
        place += length
    return records


def _after_sparse_map(reader: _Reader, block: bytes, offset: int) -> int:
    """Where the data of an old GNU sparse file begin: its map may go on in further blocks."""
    more = block[482]
    while more:
        more = reader.at(offset, BLOCK)[504]
        offset += BLOCK
    return offset


def _behind(reader: _Reader, offset: int) -> int | None:
    """Where something stands behind the end of the archive, which no program for tar would read; None: nowhere."""
    while offset < reader.length:
        data = reader.at(offset, min(PIECE, reader.length - offset))
        rest = data.lstrip(b"\0")
        offset += len(data) - len(rest)
        if rest:
            return offset
    return None


def _padded(size: int) -> int:
    return -(-size // BLOCK) * BLOCK
