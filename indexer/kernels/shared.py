"""Which stretches of some texts a query may share: a quick sieve before anything is compared.

In: the canonical text of a query, raw texts. Out: stretches of the raw texts. It refuses to know where texts are from.

All k-grams of the query are marked in a table of flags, by the low bits of their hashes. A passage of T = k + w - 1
canonical bytes that a text shares with it is one of w consecutive k-grams which are all marked. So nothing shared is
missed; what only looks so for its hashes (some do) is found out later, when bytes are compared.
"""

from __future__ import annotations

import numpy as np

from codecite.indexer.config import KGRAM, WINDOW
from codecite.indexer.kernels.canonical import canonicalize
from codecite.indexer.kernels.jit import kernel
from codecite.indexer.kernels.types import Bytes, Flags, Ints, Words
from codecite.indexer.kernels.winnow import CHUNK, hash_kgrams


@kernel
def mark_kgrams(text: Bytes, table: Flags, work: Words) -> None:
    """Mark the k-grams of a canonical text in `table`, whose length is a power of two. `work` holds CHUNK hashes."""
    mask = np.uint64(len(table) - 1)
    kgrams = len(text) - KGRAM + 1
    state = np.uint64(0)
    first = 0
    while first < kgrams:
        last = min(first + CHUNK, kgrams)
        state = hash_kgrams(text, first, last, state, work, 0)
        for i in range(last - first):
            table[work[i] & mask] = True
        first = last


@kernel
def find_shared(
    raw: Bytes, ends: Ints, table: Flags, canonical: Bytes, work: Words, stretches: Ints, edges: Flags
) -> int:
    """Write the stretches that texts may share to `stretches`; return how many there are.

    The texts lie in `raw` up to their `ends`. A stretch (a column of 3) is the number of its text and its raw bytes,
    from its first canonical byte to behind its last. `edges` (2 x texts) says whether the first and the last k-gram of
    each text are marked. `canonical` has room for the longest text, `stretches` for one in WINDOW bytes and one a text.
    """
    mask = np.uint64(len(table) - 1)
    count = 0
    begin = 0
    for d in range(len(ends)):
        part = raw[begin : ends[d]]
        length = canonicalize(part, canonical)
        kgrams = length - KGRAM + 1
        edges[0, d] = False
        edges[1, d] = False
        state = np.uint64(0)
        first = 0
        run = 0
        place = 0
        offset = 0
        open_end = -1
        while first < kgrams:
            last = min(first + CHUNK, kgrams)
            state = hash_kgrams(canonical[:length], first, last, state, work, 0)
            for i in range(first, last):
                marked = table[work[i - first] & mask]
                if i == 0:
                    edges[0, d] = marked
                if i + 1 == kgrams:
                    edges[1, d] = marked
                run = run + 1 if marked else 0
                if run >= WINDOW:
                    start = i - run + 1
                    if open_end >= start:
                        open_end = i + KGRAM
                    else:
                        if open_end >= 0:
                            place, offset = _raw_end(part, place, offset, open_end)
                            stretches[2, count - 1] = begin + offset
                        place, offset = _raw_start(part, place, offset, start)
                        stretches[0, count] = d
                        stretches[1, count] = begin + offset
                        count += 1
                        open_end = i + KGRAM
            first = last
        if open_end >= 0:
            place, offset = _raw_end(part, place, offset, open_end)
            stretches[2, count - 1] = begin + offset
        begin = ends[d]
    return count


@kernel
def _raw_start(part: Bytes, place: int, offset: int, wanted: int) -> tuple[int, int]:
    """Go on to the raw offset of the canonical byte number `wanted`; `place` canonical bytes lie before `offset`."""
    while True:
        byte = part[offset]
        if not (byte == 32 or (byte >= 9 and byte <= 13)):
            if place == wanted:
                return place, offset
            place += 1
        offset += 1


@kernel
def _raw_end(part: Bytes, place: int, offset: int, wanted: int) -> tuple[int, int]:
    """Go on to right behind the canonical byte number `wanted - 1`."""
    while place < wanted:
        byte = part[offset]
        if not (byte == 32 or (byte >= 9 and byte <= 13)):
            place += 1
        offset += 1
    return place, offset
