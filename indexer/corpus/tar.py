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
from codecite.indexer.records import Skipped, SkipReason

BLOCK = 512

_ZEROS = bytes(BLOCK)
_MAX_EXTENDED = 1 << 20
"""Bytes of a pax header or of a GNU long name."""

_FIELDS = struct.Struct("100s 8x 8x 8x 12s 12s 8s c 100s 6s 2x 32x 32x 8x 8x 155s 12x")
_REGULAR = (b"0", b"\0", b"7")
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
    name: bytes
    kind: bytes
    size: int
    time: int
    target: bytes


class _Reader:
    def __init__(self, stream: BinaryIO, name: str, length: int) -> None:
        self._stream = stream
        self._name = name
        self.length = length

    def at(self, offset: int, size: int) -> bytes:
        """Exactly so many bytes, which are there."""
        if offset + size > self.length:
            raise incomplete(self._name, f"it ends at byte {self.length:,}, within what begins at byte {offset:,}")
        self._stream.seek(offset)
        data = self._stream.read(size)
        if len(data) < size:
            raise incomplete(self._name, f"it ends within what begins at byte {offset:,}")
        return data

    def header(self, block: bytes, offset: int) -> _Header:
        """The header in a block; SourceError where the checksum or a number is wrong."""
        try:
            return _header(block)
        except ValueError as error:
            raise incomplete(self._name, f"{error} at byte {offset:,}") from error


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
    comment = ""
    extended: dict[bytes, bytes] = {}
    offset = 0
    while offset < length or not whole:
        block = reader.at(offset, BLOCK)
        if block == _ZEROS:
            refused += _behind(reader, offset)
            break
        header = reader.header(block, offset)
        allowance.take_members(1)
        start = offset + BLOCK
        if header.kind in (b"x", b"X", b"g", b"L", b"K"):
            if header.size > _MAX_EXTENDED:
                raise incomplete(name, f"an extended header of {header.size:,} bytes at byte {offset:,}")
            data = reader.at(start, header.size)
            if header.kind == b"L":
                extended[b"path"] = data.split(b"\0", 1)[0]
            elif header.kind != b"K":
                records = _records(data, name, offset)
                comment = records.get(b"comment", b"").decode("utf-8", "replace") or comment
                extended.update(records if header.kind != b"g" else {})
            offset = start + _padded(header.size)
            continue
        try:
            size = int(extended[b"size"]) if b"size" in extended else header.size
            moment = int(float(extended[b"mtime"])) if b"mtime" in extended else header.time
        except (ValueError, OverflowError) as error:
            raise incomplete(name, f"a number that is none in the extended header before byte {offset:,}") from error
        if size < 0:
            raise incomplete(name, f"a negative size at byte {offset:,}")
        sparse = header.kind == b"S" or any(key.startswith(b"GNU.sparse.") for key in extended)
        shown, wrong = member_name(extended.get(b"GNU.sparse.name") or extended.get(b"path") or header.name)
        folder = header.kind in _FOLDERS or (header.kind in _REGULAR and header.name.endswith(b"/"))
        extended = {}
        if header.kind == b"S":
            start = _after_sparse_map(reader, block, start)
        offset = start if header.kind in _WITHOUT_DATA or header.kind == b"5" else start + _padded(size)
        if offset > length and start + size > length:
            raise incomplete(name, f"it ends at byte {length:,}, within its member {shown}")
        if folder:
            continue
        if wrong:
            refused.append(bad_path(shown, wrong))
        elif header.kind in _WITHOUT_DATA:
            target = f" to {member_name(header.target)[0]}" if header.kind in b"12" else ""
            refused.append(Skipped(shown, SkipReason.NOT_A_FILE, _WITHOUT_DATA[header.kind] + target))
        elif sparse:
            refused.append(Skipped(shown, SkipReason.UNREADABLE, "a sparse file"))
        elif header.kind not in _REGULAR:
            refused.append(Skipped(shown, SkipReason.NOT_A_FILE, f"an entry of type {header.kind!r}"))
        else:
            days.add(day_of(moment))
            members.append(Member(shown, size, len(places)))
            places.append(start)

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

    return Listing(members, refused, newest(days), comment, pieces)


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


def _records(data: bytes, name: str, offset: int) -> dict[bytes, bytes]:
    """The `LENGTH KEY=VALUE` lines of a pax header."""
    records: dict[bytes, bytes] = {}
    place = 0
    while place < len(data) and data[place]:
        digits, space, _ = data[place : place + 20].partition(b" ")
        length = int(digits) if space and digits.isdigit() else 0
        line = data[place : place + length]
        key, equals, value = line[len(digits) + 1 : -1].partition(b"=")
        if not equals or not line.endswith(b"\n") or len(line) < length:
            raise incomplete(name, f"an extended header that is none at byte {offset:,}")
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


def _behind(reader: _Reader, offset: int) -> list[Skipped]:
    """What stands behind the end of the archive, which no program for tar would read either."""
    while offset < reader.length:
        data = reader.at(offset, min(PIECE, reader.length - offset))
        if data.strip(b"\0"):
            offset += len(data) - len(data.lstrip(b"\0"))
            return [Skipped(f"(behind the end, at byte {offset:,})", SkipReason.NOT_A_FILE, "no part of the archive")]
        offset += len(data)
    return []


def _padded(size: int) -> int:
    return -(-size // BLOCK) * BLOCK


