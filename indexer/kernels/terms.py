"""Code to the terms that a person searches for: identifiers as they stand and in their parts.

In: the bytes of a text. Out: its terms in their order, in lower case, with a space behind each: what a whitespace
analyser of any search engine takes apart alike. It refuses to know of queries and engines.

A word is a longest run of ASCII letters, digits, `_` and bytes above 127. It is a term; where it has several parts
(`parse_url`, `parseUrl`, `HTTPServer2`) each of these is one behind it. Parts end at `_`, between letters and digits,
before a capital behind a small letter, and before the last of several capitals that a small letter follows. Words of
more than MOST bytes are no terms: they are data.
"""

from __future__ import annotations

from codecite.indexer.kernels.jit import inlined, kernel
from codecite.indexer.kernels.types import Bytes

MOST = 100
ROOM = 3
"""So many bytes are written for each that is read, at most, and one more."""


@inlined
def _kind(byte: int) -> int:
    """0 for what is in no word, 1 for `_`, 2 for digits, 3 for capitals, 4 for all other letters."""
    if byte >= 128 or (byte >= 97 and byte <= 122):
        return 4
    if byte >= 65 and byte <= 90:
        return 3
    if byte >= 48 and byte <= 57:
        return 2
    return 1 if byte == 95 else 0


@kernel
def write_terms(text: Bytes, out: Bytes) -> int:
    """Write the terms of a text to `out`; return how many bytes that are."""
    size = 0
    at = 0
    end = len(text)
    while at < end:
        if _kind(text[at]) == 0:
            at += 1
            continue
        begin = at
        while at < end and _kind(text[at]) != 0:
            at += 1
        if at - begin > MOST:
            continue
        first = size
        for i in range(begin, at):
            byte = text[i]
            out[size] = byte | 32 if byte >= 65 and byte <= 90 else byte
            size += 1
        out[size] = 32
        size += 1
        parts = 0
        start = -1
        for i in range(begin, at + 1):
            kind = _kind(text[i]) if i < at else 1
            cut = kind == 1
            if start >= 0 and not cut:
                before = _kind(text[i - 1])
                cut = (kind == 2) != (before == 2) or (kind == 3 and before == 4)
                if kind == 3 and before == 3 and i + 1 < at:
                    cut = _kind(text[i + 1]) == 4
            if start >= 0 and cut:
                for k in range(start, i):
                    byte = text[k]
                    out[size] = byte | 32 if byte >= 65 and byte <= 90 else byte
                    size += 1
                out[size] = 32
                size += 1
                parts += 1
                start = -1
            if start < 0 and kind != 1:
                start = i
        if parts == 1 and size - first == 2 * (at - begin + 1):
            size = first + at - begin + 1
    return size
