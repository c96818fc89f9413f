"""Canonical text: the bytes of a text without its ASCII white space, and the way back to the text.

In: `uint8` arrays. Out: `uint8` arrays and `int64` offsets. It refuses to know of documents and of hashes.
The way back is not stored: it is found again by one scan, for just the positions that are asked for.
"""

from __future__ import annotations

import numpy as np

from codecite.indexer.kernels.jit import kernel
from codecite.indexer.kernels.memory import load64, store64
from codecite.indexer.kernels.types import Bytes, Ints

_SPACES = np.uint64(0x2121212121212121)
_HIGH_BITS = np.uint64(0x8080808080808080)


@kernel
def canonicalize(raw: Bytes, out: Bytes) -> int:
    """Write the canonical text of `raw` to the head of `out` and return its length.

    `b"if x:\\n\\treturn"` becomes `b"ifx:return"`. `out` holds at least `len(raw)` bytes and may be `raw` itself.
    Eight bytes of which none is below 33 (the usual test for a small byte in a word) are copied at once.
    """
    length = 0
    done = 0
    while done + 8 <= len(raw) and length + 8 <= len(out):
        word = load64(raw, done)
        if (word - _SPACES) & ~word & _HIGH_BITS == 0:
            store64(out, length, word)
            length += 8
        else:
            for _ in range(8):
                byte = word & np.uint64(255)
                word >>= np.uint64(8)
                out[length] = byte
                length += 0 if (byte == 32 or (byte >= 9 and byte <= 13)) else 1
        done += 8
    for i in range(done, len(raw)):
        byte = raw[i]
        out[length] = byte
        length += 0 if (byte == 32 or (byte >= 9 and byte <= 13)) else 1
    return length


@kernel
def locate(raw: Bytes, wanted: Ints, where: Ints, lines: Ints) -> None:
    """Find the raw offset and the line (from 1) of each canonical position.

    `wanted` holds ascending canonical positions in `[0, canonical length)`; `where` and `lines` (as long) receive
    the raw byte offsets and the number of line feeds before them plus one. In `b"a\\nb c"` the positions `[0, 2]`
    lie at the offsets `[0, 4]`, in the lines `[1, 2]`.
    """
    count = len(wanted)
    found = 0
    position = 0
    line = 1
    for i in range(len(raw)):
        if found == count:
            return
        byte = raw[i]
        if byte == 32 or (byte >= 9 and byte <= 13):
            line += byte == 10
            continue
        while found < count and wanted[found] == position:
            where[found] = i
            lines[found] = line
            found += 1
        position += 1


@kernel
def count_starts(starts: Bytes, offsets: Ints, counts: Ints) -> None:
    """For ascending byte offsets, count the code points that begin before each.

    `starts[i]` is 1 where a code point begins at byte i. For the text `b"\\xc3\\xa9x"` (`starts` = 1, 0, 1) the
    offsets `[0, 2, 3]` count `[0, 1, 2]`.
    """
    total = 0
    at = 0
    for i in range(len(offsets)):
        while at < offsets[i]:
            total += starts[at]
            at += 1
        counts[i] = total


@kernel
def code_point_starts(raw: Bytes, starts: Bytes) -> None:
    """Mark where the code points of valid UTF-8 begin: every byte that is no continuation byte."""
    for i in range(len(raw)):
        starts[i] = 1 if (raw[i] & 0xC0) != 0x80 else 0


@kernel
def code_point_starts_of(points: np.ndarray[tuple[int], np.dtype[np.uint32]], starts: Bytes) -> None:
    """Mark where the given code points begin in their UTF-8 form; an escaped byte (DC80-DCFF) takes one byte.

    `starts` is as long as the encoded text. The points `[0xDCFF, 0xE9]` give `[1, 1, 0]`.
    """
    at = 0
    for i in range(len(points)):
        point = points[i]
        starts[at] = 1
        at += 1
        if point < 0x80 or (point >= 0xDC80 and point <= 0xDCFF):
            continue
        trailing = 1 if point < 0x800 else (2 if point < 0x10000 else 3)
        for _ in range(trailing):
            starts[at] = 0
            at += 1
