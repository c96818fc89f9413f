"""A compressed stream -> its bytes, checked, and never more of them than allowed.

In: a stream that gzip, bzip2, xz or zstd wrote (also several, one behind the other). Out: the expanded bytes, in
pieces; a SourceError where the stream is damaged, ends early, or expands too far. This module refuses to know what
the bytes are.
"""

from __future__ import annotations

import bz2
import lzma
import re
import zlib
from collections.abc import Callable, Iterator
from typing import Any, BinaryIO, Protocol

from codecite.indexer.corpus.members import PIECE, Allowance, incomplete

MEMORY = 192 << 20
"""Bytes that a decoder of LZMA may use; `xz -9` asks for 65 MiB."""

DAMAGE = (zlib.error, lzma.LZMAError, EOFError, OSError, ValueError, OverflowError, MemoryError)
"""What decoders raise on bytes that are not what they say."""

_BLOCK = 64 << 10
_FIRST = 512  # of which a decoder copies what it does not use, so that tiny streams in great number cost little
_ZSTD_BLOCK = 1 << 10  # of which each byte may stand for 32 KiB, and no limit can be set
_ZSTD_WINDOW = 128 << 20
_NOT_ZERO = re.compile(rb"[^\0]")


class Decoder(Protocol):
    """What `bz2` and `lzma` offer, and the others here in the same form."""

    @property
    def eof(self) -> bool:
        """Whether the end of the compressed stream was reached."""

    @property
    def needs_input(self) -> bool:
        """Whether nothing more comes without more bytes."""

    @property
    def unused_data(self) -> bytes:
        """What stood behind the end."""

    def decompress(self, data: bytes, /, max_length: int = -1) -> bytes:
        """At most `max_length` expanded bytes."""


class Inflate:
    """zlib's decoder; `bits` as there (31: gzip with its checksum, -15: raw)."""

    def __init__(self, bits: int) -> None:
        self._decoder = zlib.decompressobj(bits)
        self._full = False

    @property
    def eof(self) -> bool:
        """See Decoder."""
        return self._decoder.eof

    @property
    def needs_input(self) -> bool:
        """See Decoder."""
        return not self._full

    @property
    def unused_data(self) -> bytes:
        """See Decoder."""
        return self._decoder.unused_data

    def decompress(self, data: bytes, /, max_length: int = -1) -> bytes:
        """See Decoder."""
        piece = self._decoder.decompress(self._decoder.unconsumed_tail + data, max_length)
        self._full = len(piece) == max_length
        return piece


class Zstd:
    """The decoder of zstandard, to which a limited number of bytes is fed at a time."""

    def __init__(self) -> None:
        import zstandard

        self._error = zstandard.ZstdError
        self._decoder: Any = zstandard.ZstdDecompressor(max_window_size=_ZSTD_WINDOW).decompressobj()
        self._waiting = memoryview(b"")

    @property
    def eof(self) -> bool:
        """See Decoder."""
        return bool(self._decoder.eof)

    @property
    def needs_input(self) -> bool:
        """See Decoder."""
        return not self._waiting

    @property
    def unused_data(self) -> bytes:
        """See Decoder."""
        return bytes(self._decoder.unused_data) + bytes(self._waiting)

    def decompress(self, data: bytes, /, max_length: int = -1) -> bytes:
        """See Decoder; the limit is that of the bytes fed at a time."""
        if data:
            self._waiting = memoryview(data)
        part, self._waiting = self._waiting[:_ZSTD_BLOCK], self._waiting[_ZSTD_BLOCK:]
        try:
            return bytes(self._decoder.decompress(part))
        except self._error as error:
            raise ValueError(str(error)) from error


def xz() -> Decoder:
    """A decoder of xz."""
    return lzma.LZMADecompressor(lzma.FORMAT_XZ, MEMORY)


def gzip() -> Decoder:
    """A decoder of gzip."""
    return Inflate(31)


_MAGIC: dict[bytes, Callable[[], Decoder]] = {
    b"\x1f\x8b\x08": gzip,
    b"BZh": bz2.BZ2Decompressor,
    b"\xfd7zXZ\0": xz,
    b"\x28\xb5\x2f\xfd": Zstd,
}


def decoder_of(head: bytes) -> Callable[[], Decoder] | None:
    """What makes a decoder for a stream that begins like this; None if it is not compressed."""
    return next((decoder for magic, decoder in _MAGIC.items() if head.startswith(magic)), None)


def expanded(stream: BinaryIO, name: str, decoder: Callable[[], Decoder], allowance: Allowance) -> Iterator[bytes]:
    """The expanded bytes of the stream from where it stands to its end. Zeros behind an end are padding."""
    current = decoder()
    read = given = at = 0
    step = _BLOCK
    block = b""
    try:
        while True:
            data = b""
            if current.eof:
                at -= len(current.unused_data)
                while (found := _NOT_ZERO.search(block, at)) is None:
                    block, at = stream.read(_BLOCK), 0
                    read += len(block)
                    if not block:
                        return
                at = found.start()
                current, step = decoder(), _FIRST
            if current.needs_input:
                if at == len(block):
                    block, at = stream.read(_BLOCK), 0
                    read += len(block)
                    if not block:
                        raise incomplete(name, f"the compressed stream ends after {read:,} bytes")
                data = block[at : at + step]
                at += len(data)
                step = min(2 * step, _BLOCK)
            piece = current.decompress(data, PIECE)
            given += len(piece)
            allowance.refuse_ratio(given, read)
            allowance.take_bytes(len(piece))
            yield piece
    except DAMAGE as error:
        raise incomplete(name, f"{error} near byte {read:,}") from error
