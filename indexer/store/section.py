"""The frame around every file of a Segment: a standard payload, then checksums and a trailer.

In: bytes. Out: a file; from a file, its payload mapped. It refuses to know what the payload is.

    payload     a .npy array, an Arrow IPC stream, or the content blocks: readable with public tools, since all of
                these ignore what follows their own end
    checksums   one little-endian XXH64 for each 64 KiB of the payload, seeded with the CRC-32 of the Segment's and the
                file's name, so that neither a file under another's name passes nor one of another Segment
    trailer     32 bytes: magic `codecite`, format version (2 + 2), block size (4), payload length (8), and the XXH64
                of the checksums and the 24 bytes before it (8)

The frame costs 8 bytes in 65,536 and 32 a file.

History. Nothing has been released: versions 0.x are drafts, read by no other draft.
    0.1     XXH3 in place of XXH64 (kernels cannot compute it), names without the Segment's
    0.3     sections `rest` and `removed`; stamps, languages and marks of Origins; when a Package was complete
    0.4     sections `lists`, `kgrams`, `groups` and `contexts`; the postings of frequent lists stand in groups
    0.6     section `resumed`: chains that are cut
"""

from __future__ import annotations

import mmap
import os
import re
import struct
import zlib
from pathlib import Path
from typing import IO

import numpy as np
import xxhash

from codecite.indexer.errors import IndexCorruptError, IndexMissingError, IndexVersionError
from codecite.indexer.kernels.checked import BLOCK_BITS, Guarded
from codecite.indexer.kernels.types import Array, Words

FORMAT_VERSION = (0, 6)
FORMAT = ".".join(map(str, FORMAT_VERSION))
MAGIC = b"codecite"
BLOCK = 1 << BLOCK_BITS
_HEAD = struct.Struct("<8sHHIQ")
_HEADER = re.compile(
    rb"\x93NUMPY\x01\x00..\{'descr': '([<|][uif][1248])', 'fortran_order': False, 'shape': \(([\d, ]*)\), \} *\n",
    re.DOTALL,
)
_TRAILER_BYTES = _HEAD.size + 8


def _seed(path: Path) -> int:
    return zlib.crc32(f"{path.parent.name}/{path.name}".encode())


class SectionWriter:
    """A section that is being written; `close` (or leaving the `with`) frames it and brings it to the disk."""

    def __init__(self, path: Path) -> None:
        self._file: IO[bytes] = path.open("wb")
        self._seed = _seed(path)
        self._checksums: list[int] = []
        self._pending = xxhash.xxh64(seed=self._seed)
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
            self._pending = xxhash.xxh64(seed=self._seed)
            self._room = BLOCK
        self._pending.update(view)
        self._room -= len(view)

    @property
    def closed(self) -> bool:
        """Whether the section is finished, or was given up."""
        return self._file.closed

    def flush(self) -> None:
        """Nothing: `close` brings everything to the disk."""

    def close(self) -> None:
        """Write the checksums and the trailer, and wait until the disk has all of it."""
        if self.closed:
            return
        if self._room < BLOCK:
            self._checksums.append(self._pending.intdigest())
        checksums = struct.pack(f"<{len(self._checksums)}Q", *self._checksums)
        head = _HEAD.pack(MAGIC, *FORMAT_VERSION, BLOCK, self.length)
        own = xxhash.xxh64_intdigest(checksums + head, seed=self._seed)
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


def write_array_header(section: SectionWriter, dtype: type[np.generic], count: int) -> None:
    """Write the head of a .npy file; the caller writes as many items."""
    header = {"descr": np.dtype(dtype).str, "fortran_order": False, "shape": (count,)}
    np.lib.format.write_array_header_1_0(section, header)


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
        magic, major, minor, block, length = _HEAD.unpack_from(trailer)
        self.length: int = length
        if magic != MAGIC:
            raise self._corrupt("has no codecite trailer (cut short, or no section)", size - _TRAILER_BYTES)
        if (major, minor) != FORMAT_VERSION:
            raise IndexVersionError(
                f"{path}: at byte {size - _TRAILER_BYTES + len(MAGIC)}: written in format {major}.{minor}, "
                f"this version reads {FORMAT}; build the index again"
            )
        blocks = -(-self.length // BLOCK)
        if block != BLOCK or size != self.length + 8 * blocks + _TRAILER_BYTES:
            raise self._corrupt("does not have the length that its trailer says", size - _TRAILER_BYTES)
        self.seed = _seed(path)
        table = self._map[self.length : size - 8]
        if xxhash.xxh64_intdigest(table, seed=self.seed) != struct.unpack("<Q", self._map[size - 8 :])[0]:
            raise self._corrupt("has a checksum table that does not agree with itself", self.length)
        self.checksums: Words = np.frombuffer(table, np.dtype("<u8"), blocks)

    def _corrupt(self, what: str, offset: int) -> IndexCorruptError:
        return IndexCorruptError(f"{self.path}: at byte {offset}: {what}; build the index again")

    @property
    def payload(self) -> memoryview:
        """The bytes of the payload."""
        return memoryview(self._map)[: self.length]

    def guarded(self) -> Guarded:
        """The payload for kernels, which check a block when they first touch it."""
        payload = np.frombuffer(self._map, np.uint8, self.length)
        seen = np.zeros(len(self.checksums), np.uint8)
        return Guarded(payload, self.checksums, self.seed, _data_offset(payload), seen)

    def check_head(self) -> None:
        """Raise IndexCorruptError if the first block, which says what the payload is, does not have its checksum."""
        if self.length and xxhash.xxh64_intdigest(self.payload[:BLOCK], seed=self.seed) != self.checksums[0]:
            raise self.damaged(0)

    def damaged(self, block: int) -> IndexCorruptError:
        """What to raise for a block that does not have its checksum."""
        return self._corrupt("a block of 64 KiB does not have its checksum", block * BLOCK)

    def check(self) -> None:
        """Raise IndexCorruptError for the first block that does not have its checksum."""
        for problem in self.problems():
            raise IndexCorruptError(problem)

    def problems(self) -> list[str]:
        """Hold every block against its checksum; one sentence for each that fails."""
        found = []
        payload = self.payload
        for i, expected in enumerate(self.checksums.tolist()):
            block = payload[i * BLOCK : (i + 1) * BLOCK]
            if xxhash.xxh64_intdigest(block, seed=self.seed) != expected:
                found.append(str(self.damaged(i)))
        return found


class CheckedReader:
    """Reads pieces of a payload from the file, not through a mapping: what a merge goes through is not held."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._section = Section(path)
        self._data = _data_offset(np.frombuffer(self._section.payload[:16], np.uint8))
        self._file = path.open("rb")

    def read(self, begin: int, end: int) -> memoryview:
        """The bytes `[begin, end)` of the payload.

        Raises IndexCorruptError where a block does not have its checksum.
        """
        first = begin >> BLOCK_BITS
        length = min(((end - 1) >> BLOCK_BITS) + 1 << BLOCK_BITS, self._section.length) - (first << BLOCK_BITS)
        if end <= begin:
            return memoryview(b"")
        data = memoryview(os.pread(self._file.fileno(), length, first << BLOCK_BITS))
        for block in range(-(-len(data) // BLOCK)):
            piece = data[block * BLOCK : (block + 1) * BLOCK]
            if xxhash.xxh64_intdigest(piece, seed=self._section.seed) != self._section.checksums[first + block]:
                raise self._section.damaged(first + block)
        return data[begin - (first << BLOCK_BITS) : end - (first << BLOCK_BITS)]

    def items(self, begin: int, end: int, dtype: type[np.generic]) -> Array:
        """Items `[begin, end)` of the array that the payload holds."""
        size = np.dtype(dtype).itemsize
        at = self._data
        return np.frombuffer(self.read(at + begin * size, at + end * size), dtype)

    def length_of(self, dtype: type[np.generic]) -> int:
        """How many items of that type the payload holds behind its header."""
        return (self._section.length - self._data) // np.dtype(dtype).itemsize

    def close(self) -> None:
        """Close the file."""
        self._file.close()


def _data_offset(payload: Array) -> int:
    """Where the data of a .npy file begins; 0 for any other payload."""
    if payload[:6].tobytes() != b"\x93NUMPY":
        return 0
    return 10 + int.from_bytes(payload[8:10].tobytes(), "little")


def read_array(path: Path) -> Array:
    """Map the array of a section, read-only; its checksums are held against it first."""
    section = Section(path)
    section.check()
    return array_of(section)


def array_of(section: Section) -> Array:
    """The array that the payload of a section is, not checked.

    The header is read as strictly as it was written; NumPy's own way, through a Python parser, takes longer and fails
    where threads do it at once (in Python 3.11).
    """
    payload = section.payload
    at = 10 + int.from_bytes(payload[8:10], "little")
    header = _HEADER.fullmatch(payload[:at])
    if header is None:
        raise IndexCorruptError(
            f"{section.path}: at byte 0: is not the array it should be; build the index again"
        ) from None
    shape = tuple(int(size) for size in header[2].split(b",") if size.strip())
    try:
        return np.frombuffer(payload[at:], np.dtype(header[1].decode())).reshape(shape)
    except ValueError:
        raise IndexCorruptError(
            f"{section.path}: at byte {at}: holds less or more than its head says; build the index again"
        ) from None
