"""A zip archive -> what it holds.

In: a stream that can be read at random, and its length. Out: a Listing. It is read here and not by `zipfile`, which
builds the whole directory before anything can be counted, and expands what overlaps. This module refuses to know what
the members are.

The directory at the end of the file decides. Its members may not overlap (a bomb would expand the same bytes again and
again), their sizes are added up before anything is expanded, and each must expand to exactly the size and the checksum
that it states. Methods: stored, deflated, bzip2, LZMA, xz, zstd.
"""

from __future__ import annotations

import bz2
import stat
import struct
import zlib
from collections.abc import Callable, Iterator
from typing import BinaryIO, NamedTuple

from codecite.indexer.corpus.expand import DAMAGE, MEMORY, Decoder, Inflate, Zstd, xz
from codecite.indexer.corpus.members import (
    PIECE,
    Allowance,
    Listing,
    Member,
    bad_path,
    damaged,
    day_of_dos,
    incomplete,
    member_name,
    newest,
)
from codecite.indexer.errors import SourceError
from codecite.indexer.records import Skipped, SkipReason

MAGIC = (b"PK\x03\x04", b"PK\x05\x06")

_END = struct.Struct("<4s H H H H I I H")
_LOCATOR = struct.Struct("<4s I Q I")
_END64 = struct.Struct("<4s Q H H I I Q Q Q Q")
_ENTRY = struct.Struct("<4s 4x H H 2x H I I I H H H H 2x I I")
_LOCAL = struct.Struct("<4s 2x H 18x H H")
_MAX_COMMENT = 0xFFFF
_MAX_DIRECTORY = 256 << 20
_ENCRYPTED = 0x2041
"""The flags of an encrypted member, of strong encryption, and of an encrypted directory."""

_STORED, _LZMA = 0, 14
_DECODERS: dict[int, Callable[[], Decoder]] = {
    8: lambda: Inflate(-15),
    12: bz2.BZ2Decompressor,
    93: Zstd,
    95: xz,
}


class _Entry(NamedTuple):
    raw: bytes
    flags: int
    method: int
    day: int
    crc: int
    packed: int
    size: int
    mode: int
    offset: int


class _Directory(NamedTuple):
    offset: int
    size: int
    total: int
    wide: bool
    shift: int
    comment: str


def list_zip(stream: BinaryIO, name: str, length: int, allowance: Allowance) -> Listing:
    """What the zip archive of `length` bytes in the stream holds."""
    try:
        directory = _directory(stream, length)
        allowance.take_members(directory.total)
        entries = list(_entries(stream, directory))
        _refuse_overlap(entries, directory.offset)
    except (ValueError, OSError, struct.error) as error:
        raise incomplete(name, error) from error
    members: list[Member] = []
    refused: list[Skipped] = []
    places: list[_Entry] = []
    days: set[int] = set()
    for entry in entries:
        if entry.raw.endswith(b"/") and not entry.size:
            continue
        member = _member(entry, len(places))
        if isinstance(member, Skipped):
            refused.append(member)
        else:
            days.add(entry.day)
            members.append(member)
            places.append(entry)
    allowance.take_bytes(sum(entry.size for entry in places))

    def pieces(place: int) -> Iterator[bytes]:
        entry, shown = places[place], members[place].name
        try:
            yield from _expanded(stream, entry)
        except SourceError:
            raise
        except (*DAMAGE, struct.error) as error:
            raise damaged(name, shown, error) from error

    return Listing(members, refused, newest(map(day_of_dos, days)), directory.comment, pieces)


def _directory(stream: BinaryIO, length: int) -> _Directory:
    """Where the directory is, by the record that ends the file; `shift` bytes may stand before the archive."""
    tail_at = max(0, length - _END.size - _MAX_COMMENT)
    stream.seek(tail_at)
    tail = stream.read(length - tail_at)
    place = tail.rfind(b"PK\x05\x06")
    while place >= 0:
        if place + _END.size <= len(tail):
            magic, disk, first, _here, count, size, offset, comment = _END.unpack_from(tail, place)
            if place + _END.size + comment == len(tail):
                break
        place = tail.rfind(b"PK\x05\x06", 0, place)
    else:
        raise ValueError("its end, with the list of its members, is missing")
    end = tail_at + place
    wide = False
    if end >= _LOCATOR.size:
        stream.seek(end - _LOCATOR.size)
        magic, _disk, at, _disks = _LOCATOR.unpack(stream.read(_LOCATOR.size))
        wide = magic == b"PK\x06\x07"
    if wide:
        end -= _LOCATOR.size + _END64.size
        stream.seek(max(end, 0))
        magic, _size, _by, _for, disk, first, _here, count, size, offset = _END64.unpack(stream.read(_END64.size))
        if magic != b"PK\x06\x06" or at > end:
            raise ValueError("the list of its members is damaged")
    if disk or first:
        raise ValueError("it is one part of several; join them first")
    shift = end - size - offset
    if shift < 0 or size > _MAX_DIRECTORY:
        raise ValueError("the list of its members is damaged")
    text = tail[place + _END.size :].decode("utf-8", "replace")
    return _Directory(offset + shift, size, count, wide, shift, text)


def _entries(stream: BinaryIO, directory: _Directory) -> Iterator[_Entry]:
    stream.seek(directory.offset)
    data = stream.read(directory.size)
    place = found = 0
    while place < len(data):
        magic, flags, method, moment, crc, packed, size, *lengths, attributes, offset = _ENTRY.unpack_from(data, place)
        of_name, of_extra, of_comment, disk = lengths
        extra_at = place + _ENTRY.size + of_name
        if magic != b"PK\x01\x02" or extra_at + of_extra + of_comment > len(data):
            raise ValueError(f"the list of its members is damaged at its entry {found + 1}")
        if 0xFFFFFFFF in (packed, size, offset):
            size, packed, offset = _wide(data[extra_at : extra_at + of_extra], size, packed, offset)
        found += 1
        if (found > directory.total and directory.wide) or disk not in (0, 0xFFFF):
            raise ValueError(f"the list of its members is damaged at its entry {found}")
        raw = data[place + _ENTRY.size : extra_at]
        yield _Entry(raw, flags, method, moment, crc, packed, size, attributes >> 16, offset + directory.shift)
        place = extra_at + of_extra + of_comment
    if len(data) < directory.size or (found - directory.total) % (1 << 64 if directory.wide else 1 << 16):
        raise ValueError(f"the list of its members ends after {found:,} of {directory.total:,}")


def _wide(extra: bytes, size: int, packed: int, offset: int) -> tuple[int, int, int]:
    """The numbers of 64 bits that an extra field holds for those that did not fit."""
    place = 0
    while place + 4 <= len(extra):
        kind, length = struct.unpack_from("<HH", extra, place)
        if kind == 1:
            numbers = iter(struct.unpack_from(f"<{min(length, 24) // 8}Q", extra, place + 4))
            try:
                size = next(numbers) if size == 0xFFFFFFFF else size
                packed = next(numbers) if packed == 0xFFFFFFFF else packed
                offset = next(numbers) if offset == 0xFFFFFFFF else offset
            except StopIteration:
                raise ValueError("a size of 64 bits is missing") from None
            break
        place += 4 + length
    return size, packed, offset


def _refuse_overlap(entries: list[_Entry], end: int) -> None:
    """ValueError where the bytes of two members, or of a member and the directory, must overlap."""
    before = 0
    for entry in sorted(entries, key=lambda entry: entry.offset):
        if entry.offset < before:
            raise ValueError(f"its members overlap at byte {entry.offset:,}, as in a bomb")
        before = entry.offset + _LOCAL.size + len(entry.raw) + entry.packed
    if before > end:
        raise ValueError("its last member overlaps the list of members")


def _member(entry: _Entry, place: int) -> Member | Skipped:
    shown, wrong = member_name(entry.raw)
    kind = stat.S_IFMT(entry.mode)
    if wrong:
        return bad_path(shown, wrong)
    if stat.S_ISLNK(kind):
        return Skipped(shown, SkipReason.NOT_A_FILE, "a symbolic link")
    if kind not in (0, stat.S_IFREG, stat.S_IFDIR):
        return Skipped(shown, SkipReason.NOT_A_FILE, "a pipe, socket or device")
    if entry.flags & _ENCRYPTED:
        return Skipped(shown, SkipReason.ENCRYPTED)
    if entry.method not in (_STORED, _LZMA, *_DECODERS):
        return Skipped(shown, SkipReason.UNREADABLE, f"compression method {entry.method} is not read")
    return Member(shown, entry.size, place)


def _expanded(stream: BinaryIO, entry: _Entry) -> Iterator[bytes]:
    """The content of a member in pieces; ValueError and others where it is not what the directory says."""
    stream.seek(entry.offset)
    magic, _flags, of_name, of_extra = _LOCAL.unpack(stream.read(_LOCAL.size))
    if magic != b"PK\x03\x04" or stream.read(of_name) != entry.raw:
        raise ValueError("its header is not what the list of members says")
    stream.seek(of_extra, 1)
    crc = given = 0
    for piece in _decoded(stream, entry):
        crc = zlib.crc32(piece, crc)
        given += len(piece)
        if given > entry.size:
            raise ValueError(f"it is longer than the {entry.size:,} bytes that it states")
        yield piece
    if given != entry.size:
        raise ValueError(f"{given:,} of {entry.size:,} bytes")
    if crc != entry.crc:
        raise ValueError("its checksum is wrong")


def _decoded(stream: BinaryIO, entry: _Entry) -> Iterator[bytes]:
    left = entry.packed
    decoder = None
    if entry.method == _LZMA:
        _version, length = struct.unpack("<HH", stream.read(4))
        decoder = _lzma(stream.read(length))
        left -= 4 + length
    elif entry.method != _STORED:
        decoder = _DECODERS[entry.method]()
    while left > 0 if decoder is None else not decoder.eof:
        data = b""
        if decoder is None or decoder.needs_input:
            data = stream.read(min(left, PIECE))
            left -= len(data)
            if not data:
                if entry.method == _LZMA:  # its end need not be marked
                    return
                raise ValueError("its compressed content ends early")
        yield data if decoder is None else decoder.decompress(data, PIECE)


def _lzma(properties: bytes) -> Decoder:
    """A decoder of raw LZMA, given the header that makes a stream with a limit of memory of it."""
    import lzma

    decoder = lzma.LZMADecompressor(lzma.FORMAT_ALONE, MEMORY)
    decoder.decompress(properties[:5] + b"\xff" * 8)
    return decoder
