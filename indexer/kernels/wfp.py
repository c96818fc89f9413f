"""SCANOSS's fingerprints (WFP): 32-bit hashes by winnowing, each with the line that it is told at.

In: the raw bytes of Documents. Out: hashes and lines. It refuses to know of files and of the index.

What is hashed are the ASCII letters and digits of a text, letters made small; all else goes. Of each 30 of them in a
row there is the CRC-32C; of every 64 of these in a row the smallest is chosen, and told again (as the CRC-32C of its
four bytes, the lowest first) where it is another value than the one chosen before, at the line of the last character
of the window. The format is public; the line by line equality with SCANOSS's own program is tested.

CRCs are linear over GF(2), so the CRC of the next 30 characters follows from that of the last: one table step for the
character that comes, one for what is left of the one that goes.
"""

from __future__ import annotations

import numpy as np

from codecite.indexer.kernels.jit import kernel, part
from codecite.indexer.kernels.types import Any32, Bytes, Ints

GRAM = 30
WINDOW = 64
_POLYNOMIAL = 0x82F63B78
_ALL = 0xFFFFFFFF


def _step(state: int, byte: int) -> int:
    state ^= byte
    for _ in range(8):
        state = (state >> 1) ^ (_POLYNOMIAL if state & 1 else 0)
    return state


def _after(state: int, zeros: int) -> int:
    for _ in range(zeros):
        state = _step(state, 0)
    return state


_TABLE = np.array([_step(0, byte) for byte in range(256)], np.uint32)
_LEAVING = np.array([_after(_step(0, byte), GRAM) for byte in range(256)], np.uint32)
_OF_GRAM = np.uint32(_after(_ALL, GRAM) ^ _ALL)
_EIGHT = np.uint32(8)
_LOW = np.uint32(0xFF)
_START = np.uint32(_ALL)


def _small(byte: int) -> int:
    """What a byte is hashed as; 0 for what goes."""
    character = chr(byte)
    return ord(character.lower()) if byte < 128 and character.isalnum() else 0


_HASHED_AS = np.array([_small(byte) for byte in range(256)], np.uint8)


@part
def _again(value: np.uint32) -> np.uint32:
    """The CRC-32C of the four bytes of a hash."""
    state = _START
    for i in range(4):
        byte = (value >> np.uint32(8 * i)) & _LOW
        state = (state >> _EIGHT) ^ _TABLE[(state ^ byte) & _LOW]
    return state ^ _START


@kernel
def winnow_lines(
    raw: Bytes, ends: Ints, grams: Bytes, window: Any32, hashes: Any32, documents: Any32, lines: Any32
) -> int:
    """Write the fingerprints of the Documents that lie in `raw` up to their `ends`; return how many there are.

    Each has its `hashes`, the number of its Document and its line (from 1). `grams` (GRAM) and `window` (WINDOW) are
    scratch; the others have room for as many as `raw` has bytes. A text of fewer than 93 letters and digits has none.
    """
    count = 0
    at = 0
    for d in range(len(ends)):
        line = 1
        taken = 0
        state = np.uint32(0)
        last = np.uint32(0)
        any_last = False
        smallest = np.uint32(0)
        newest = -1
        while at < ends[d]:
            byte = raw[at]
            at += 1
            if byte == 10:
                line += 1
                continue
            small = _HASHED_AS[byte]
            if small == 0:
                continue
            state = (state >> _EIGHT) ^ _TABLE[(state ^ np.uint32(small)) & _LOW]
            if taken >= GRAM:
                state ^= _LEAVING[grams[taken % GRAM]]
            grams[taken % GRAM] = small
            taken += 1
            gram = taken - GRAM
            if gram < 0:
                continue
            value = state ^ _OF_GRAM
            window[gram % WINDOW] = value
            if gram < WINDOW - 1:
                continue
            if newest >= 0 and newest > gram - WINDOW:
                if value <= smallest:
                    smallest = value
                    newest = gram
            else:
                smallest = value
                newest = gram
                for j in range(gram - WINDOW + 1, gram):
                    if window[j % WINDOW] < smallest:
                        smallest = window[j % WINDOW]
                        newest = j
            if not any_last or smallest != last:
                hashes[count] = _again(smallest)
                documents[count] = d
                lines[count] = line
                count += 1
                last = smallest
                any_last = True
    return count
