"""The text of a check: received as str or bytes, with its context, ready for the kernels.

In: before, text and after. Out: the bytes of all three, their canonical text, and for canonical positions the offsets
in bytes, code points and lines of the text as received. It refuses to know of the index.
"""

from __future__ import annotations

import hashlib

import numpy as np

from codecite.indexer.errors import TextError
from codecite.indexer.kernels.canonical import (
    canonicalize,
    code_point_starts,
    code_point_starts_of,
    count_starts,
    locate,
)
from codecite.indexer.kernels.types import Bytes, Ints


def encode(text: str | bytes, what: str) -> bytes:
    """The bytes of a text; escaped bytes (surrogateescape) become themselves.

    Raises TextError, naming the offset, for any other lone surrogate.
    """
    if isinstance(text, bytes):
        return text
    try:
        return text.encode("utf-8")
    except UnicodeEncodeError:
        pass
    try:
        return text.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError as error:
        raise TextError(
            f"{what}: at offset {error.start} stands a lone surrogate (U+{ord(text[error.start]):04X}), which is no "
            "text; replace it, or pass the bytes"
        ) from None


def _starts(part: str | bytes, raw: bytes) -> Bytes:
    """1 where a code point of the text as received begins."""
    encoded = np.frombuffer(raw, np.uint8)
    starts = np.empty(len(raw), np.uint8)
    try:
        raw.decode("utf-8")
        if isinstance(part, bytes) or part.isascii() or len(part.encode("utf-8", "ignore")) == len(raw):
            code_point_starts(encoded, starts)
            return starts
    except UnicodeDecodeError:
        pass
    received = part if isinstance(part, str) else raw.decode("utf-8", "surrogateescape")
    points = np.frombuffer(received.encode("utf-32-le", "surrogatepass"), np.uint32)
    code_point_starts_of(points, starts)
    return starts


class CheckedText:
    """Before + text + after.

    `raw` holds the bytes, `canonical` the canonical text. `begin` and `end` bound the text alone in canonical bytes,
    `start_point` and `end_point` in code points, `own` in bytes. Of plain ASCII bytes and code points are the same.
    """

    def __init__(self, text: str | bytes, before: str | bytes = "", after: str | bytes = "") -> None:
        parts = [(before, encode(before, "before")), (text, encode(text, "text")), (after, encode(after, "after"))]
        self.sha256 = hashlib.sha256(parts[1][1]).hexdigest()
        self.bytes = b"".join(raw for _, raw in parts)
        self.raw: Bytes = np.frombuffer(self.bytes, np.uint8)
        room = np.empty(len(self.raw), np.uint8)
        self.canonical: Bytes = room[: canonicalize(self.raw, room)]
        first, last = len(parts[0][1]), len(parts[0][1]) + len(parts[1][1])
        self.own = first, last
        self.begin = canonicalize(self.raw[:first], np.empty(first, np.uint8)) if first else 0
        self.end = len(self.canonical)
        if last < len(self.raw):
            self.end -= canonicalize(self.raw[last:], np.empty(len(self.raw) - last, np.uint8))
        self._starts: Bytes | None = None
        self._canonical_starts: Bytes | None = None
        self.start_point, self.end_point = first, last
        if not self.bytes.isascii():
            if all(isinstance(part, bytes) for part, _ in parts):
                self._starts = _starts(self.bytes, self.bytes)
            else:
                self._starts = np.concatenate([_starts(part, raw) for part, raw in parts])
            space = (self.raw == 32) | ((self.raw >= 9) & (self.raw <= 13))
            self._canonical_starts = self._starts[~space]
            self.start_point = int(self._starts[:first].sum())
            self.end_point = int(self._starts[:last].sum())

    def trim(self, start: int, end: int) -> tuple[int, int]:
        """The canonical span without the parts of code points at its ends."""
        starts = self._canonical_starts
        if starts is not None:
            while start < end and not starts[start]:
                start += 1
            while start < end < len(starts) and not starts[end]:
                end -= 1
        return start, end

    def place(self, positions: list[int]) -> tuple[Ints, Ints, Ints]:
        """For ascending canonical positions: their byte offsets, their lines (from 1), and the code points before
        each byte offset."""
        wanted = np.array(positions, np.int64)
        offsets = np.empty(len(wanted), np.int64)
        lines = np.empty(len(wanted), np.int64)
        locate(self.raw, wanted, offsets, lines)
        return offsets, lines, self.code_points(offsets)

    def code_points(self, offsets: Ints) -> Ints:
        """How many code points begin before each of the ascending byte offsets."""
        if self._starts is None:
            return offsets
        counts = np.empty(len(offsets), np.int64)
        count_starts(self._starts, offsets, counts)
        return counts
