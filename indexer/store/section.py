"""The frame around every file of a Segment: a standard payload, then checksums and a trailer.

In: bytes. Out: a file; from a file, its payload mapped. It refuses to know what the payload is.

    payload     a .npy array, an Arrow IPC stream, or the content blocks: readable with public tools, since all of
                these ignore what follows their own end
    checksums   one little-endian 64-bit XXH3 for each 64 KiB of the payload, seeded with the CRC-32 of the file's
                name, so that a file under another's name does not pass
    trailer     32 bytes: magic `codecite`, format version (4), block size (4), payload length (8), and the XXH3 of
                the checksums and the 24 bytes before it (8)

The frame costs 8 bytes in 65,536 and 32 a file. Format versions: 0, in the making; nothing has been released.
"""

from __future__ import annotations

import mmap
import os
import struct
import zlib
from pathlib import Path
from tokenize import TokenError
from typing import IO

import numpy as np
import xxhash

from codecite.indexer.errors import IndexCorruptError, IndexMissingError, IndexVersionError
from codecite.indexer.kernels.types import Array

FORMAT_VERSION = 0
MAGIC = b"codecite"
BLOCK = 65536
_HEAD = struct.Struct("<8sIIQ")
_TRAILER_BYTES = _HEAD.size + 8


class SectionWriter:
    """A section that is being written; `close` (or leaving the `with`) frames it and brings it to the disk."""

    def __init__(self, path: Path) -> None:
        self._file: IO[bytes] = path.open("wb")
        self._seed = zlib.crc32(path.name.encode())
        self._checksums: list[int] = []
        self._pending = xxhash.xxh3_64(seed=self._seed)
        self._room = BLOCK
        self.length = 0

    def write(self, data: bytes | memoryview) -> None:
        """Append to the payload."""
        view = memoryview(data).cast("B") if len(data) else memoryview(b"")
        self._file.write(view)
        self.length += len(view)
        while len(view) >= self._room:
            self._pending.update(view[: self._room])
            self._checksums.append(self._pending.intdigest())
            view = view[self._room :]
            self._pending = xxhash.xxh3_64(seed=self._seed)
            self._room = BLOCK
        self._pending.update(view)
        self._room -= len(view)

    def close(self) -> None:
        """Write the checksums and the trailer, and wait until the disk has all of it."""
        if self._room < BLOCK:
            self._checksums.append(self._pending.intdigest())
        checksums = struct.pack(f"<{len(self._checksums)}Q", *self._checksums)
        head = _HEAD.pack(MAGIC, FORMAT_VERSION, BLOCK, self.length)
        own = xxhash.xxh3_64_intdigest(checksums + head, seed=self._seed)
        self._file.write(checksums + head + struct.pack("<Q", own))
        self._file.flush()
        os.fsync(self._file.fileno())
        self._file.close()

    def __enter__(self) -> SectionWriter:
        return self

    def __exit__(self, *failure: object) -> None:
        if failure[0] is None:
            self.close()
        else:
            self._file.close()


def write_array(path: Path, array: Array) -> None:
    """Write an array as a section whose payload is a .npy file."""
    with SectionWriter(path) as section:
        np.lib.format.write_array(section, np.ascontiguousarray(array), allow_pickle=False)


class Section:
    """A framed file, mapped: its payload, and its checksums to hold the payload against."""

    def __init__(self, path: Path) -> None:
        self.path = path
        try:
            with path.open("rb") as file:
                size = os.fstat(file.fileno()).st_size
                if size < _TRAILER_BYTES:
                    raise self._corrupt(f"is {size} bytes long, too short for its trailer", 0)
                self._map = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
        except FileNotFoundError:
            raise IndexMissingError(f"{path}: the index lacks this file; build the index again") from None
        except OSError as error:
            raise IndexCorruptError(f"{path}: cannot be read ({error.strerror}); check its permissions") from None
        trailer = self._map[size - _TRAILER_BYTES :]
        magic, version, block, self.length = _HEAD.unpack_from(trailer)
        if magic != MAGIC:
            raise self._corrupt("has no codecite trailer (cut short, or no section)", size - _TRAILER_BYTES)
        if version != FORMAT_VERSION:
            raise IndexVersionError(
                f"{path}: written in format {version}, this version reads {FORMAT_VERSION}; build the index again"
            )
        blocks = -(-self.length // BLOCK)
        if block != BLOCK or size != self.length + 8 * blocks + _TRAILER_BYTES:
            raise self._corrupt("does not have the length that its trailer says", size - _TRAILER_BYTES)
        self._seed = zlib.crc32(path.name.encode())
        table = self._map[self.length : size - 8]
        if xxhash.xxh3_64_intdigest(table, seed=self._seed) != struct.unpack("<Q", self._map[size - 8 :])[0]:
            raise self._corrupt("has a checksum table that does not agree with itself", self.length)
        self._checksums = struct.unpack_from(f"<{blocks}Q", table)

    def _corrupt(self, what: str, offset: int) -> IndexCorruptError:
        return IndexCorruptError(f"{self.path}: at byte {offset}: {what}; build the index again")

    @property
    def payload(self) -> memoryview:
        """The bytes of the payload."""
        return memoryview(self._map)[: self.length]

    def check(self) -> None:
        """Raise IndexCorruptError for the first block that does not have its checksum."""
        for problem in self.problems():
            raise IndexCorruptError(problem)

    def problems(self) -> list[str]:
        """Hold every block against its checksum; one sentence for each that fails."""
        found = []
        payload = self.payload
        for i, expected in enumerate(self._checksums):
            block = payload[i * BLOCK : (i + 1) * BLOCK]
            if xxhash.xxh3_64_intdigest(block, seed=self._seed) != expected:
                found.append(str(self._corrupt("a block of 64 KiB does not have its checksum", i * BLOCK)))
        return found


def read_array(path: Path, *, checked: bool = True) -> Array:
    """Map the array of a section, read-only; its checksums are held against it first, unless told otherwise."""
    section = Section(path)
    if checked:
        section.check()
    payload = section.payload
    stream = _Reader(payload)
    try:
        version = np.lib.format.read_magic(stream)  # type: ignore[arg-type]
        if version != (1, 0):
            raise ValueError
        shape, _, dtype = np.lib.format.read_array_header_1_0(stream)  # type: ignore[arg-type]
        array = np.frombuffer(payload[stream.at :], dtype=dtype)
        return array.reshape(shape)
    except (ValueError, SyntaxError, TokenError):
        raise IndexCorruptError(f"{path}: at byte 0: is not the array it should be; build the index again") from None


class _Reader:
    """The head of a memory view as the file that numpy wants to read its header from."""

    def __init__(self, view: memoryview) -> None:
        self._view = view
        self.at = 0

    def read(self, count: int) -> bytes:
        piece = bytes(self._view[self.at : self.at + count])
        self.at += len(piece)
        return piece
