"""The write side of frequent fingerprints: which they are, and the text around their postings.

In: the postings of a Segment, and the text they stand in. Out: the context of each posting of a frequent list, and
what follows it. It refuses to know of files.

The *context* of a posting is the `REACH` canonical bytes before its k-gram (the nearest first) and as many behind it,
fewer where its Document ends. Its *next* is the last frequent posting that begins at most `REACH` bytes further on in
the same Document, where the context behind is whole.
"""

from __future__ import annotations

import numpy as np

from codecite.indexer.config import KGRAM, WINDOW
from codecite.indexer.kernels.jit import kernel, making_kernel, part
from codecite.indexer.kernels.memory import load64
from codecite.indexer.kernels.types import Any16, Any32, Bytes, Ints, Words

REACH = WINDOW
"""Canonical bytes of context: what agrees that far holds another window, and so another fingerprint."""
ROW = 64
"""Bytes of a context in memory: behind the k-gram from 0 on, its length at 31; before it from 32 on, its length
at 63; zeros between."""
BEFORE = 32
WORDS = ROW // 8
NONE = np.uint32(0xFFFFFFFF)
_SPACES = np.uint64(0x2121212121212121)
_HIGH_BITS = np.uint64(0x8080808080808080)
_P1 = np.uint64(0x9E3779B185EBCA87)
_P2 = np.uint64(0xC2B2AE3D27D4EB4F)
_DIGIT_BITS = 11


@kernel
def frequent_lists(buckets: Any32, tags: Any16, first: int, least: int, bounds: Ints) -> int:
    """Find the lists of at least `least` postings in a stretch of buckets; return how many there are.

    `buckets` holds where each begins and where the last ends, `tags` the tags of those postings, from number `first`
    on. `bounds` (2 x n) gets where each list begins and ends, for as many as it has room.
    """
    count = 0
    for b in range(len(buckets) - 1):
        begin = np.int64(buckets[b])
        end = np.int64(buckets[b + 1])
        if end - begin < least:
            continue
        j = begin
        while j < end:
            last = j + 1
            while last < end and tags[last - first] == tags[j - first]:
                last += 1
            if last - j >= least:
                if count < bounds.shape[1]:
                    bounds[0, count] = j
                    bounds[1, count] = last
                count += 1
            j = last
    return count


@making_kernel
def order_by_position(positions: Any32, order: Any32) -> None:
    """Write to `order` the numbers of the positions, ascending by position (a radix sort)."""
    count = len(positions)
    other = np.empty(count, np.uint32)
    counts = np.empty((1 << _DIGIT_BITS) + 1, np.int64)
    for i in range(count):
        other[i] = i
    mask = np.uint32((1 << _DIGIT_BITS) - 1)
    for turn in range(3):
        source, target = (other, order) if turn % 2 == 0 else (order, other)
        shift = np.uint32(turn * _DIGIT_BITS)
        counts[:] = 0
        for i in range(count):
            counts[np.int64((positions[i] >> shift) & mask) + 1] += 1
        for digit in range(1 << _DIGIT_BITS):
            counts[digit + 1] += counts[digit]
        for i in range(count):
            digit = np.int64((positions[source[i]] >> shift) & mask)
            target[counts[digit]] = source[i]
            counts[digit] += 1


@part
def _mixed(state: np.uint64, word: np.uint64) -> np.uint64:
    state = (state ^ word) * _P1
    return (state ^ (state >> np.uint64(29))) * _P2


@part
def _is_space(byte: int) -> bool:
    return byte == 32 or (byte >= 9 and byte <= 13)


@kernel
def gather(
    raw: Bytes,
    starts: Ints,
    canonical: Ints,
    positions: Any32,
    order: Any32,
    first: int,
    contexts: Bytes,
    digests: Words,
) -> int:
    """Collect the contexts of the postings in some Documents; return the number of the first posting behind them.

    `raw` is the text of the Documents, which begin at `starts` (the end of the last included) there and at `canonical`
    in the Segment. `order` names the postings by position; `first` is the first of them in these Documents. `contexts`
    (rows of ROW bytes, zeros before) gets theirs by number, `digests` (by place in `order`) a hash of each context with
    its white space.
    """
    i = first
    for document in range(len(starts) - 1):
        begin = canonical[document]
        end = canonical[document + 1]
        at = starts[document]
        position = begin
        while i < len(order) and np.int64(positions[order[i]]) < end:
            p = np.int64(positions[order[i]])
            left = max(begin, p - REACH)
            while position < left:
                if left - position >= 8 and at + 8 <= starts[document + 1]:
                    word = load64(raw, at)
                    if (word - _SPACES) & ~word & _HIGH_BITS == 0:
                        at += 8
                        position += 8
                        continue
                position += 0 if _is_space(raw[at]) else 1
                at += 1
            while _is_space(raw[at]):
                at += 1
            stop = min(end, p + KGRAM + REACH)
            row = np.int64(order[i]) * ROW
            state = _P2
            x = at
            c = left
            while c < stop:
                byte = raw[x]
                x += 1
                if _is_space(byte):
                    state = (state ^ (np.uint64(byte) | np.uint64((c - left) << 8))) * _P1
                    state ^= state >> np.uint64(29)
                    continue
                if c >= p + KGRAM:
                    contexts[row + c - p - KGRAM] = byte
                elif c < p:
                    contexts[row + BEFORE + p - 1 - c] = byte
                c += 1
            contexts[row + 31] = stop - p - KGRAM
            contexts[row + 63] = p - left
            for w in range(WORDS):
                state = _mixed(state, load64(contexts, row + 8 * w))
            digests[i] = state
            i += 1
    return i


@kernel
def link(positions: Any32, order: Any32, contexts: Bytes, digests: Words, following: Any32) -> None:
    """Find the next of each posting, and make the digest of each one of all its chain.

    `digests` go by place in `order`, as `gather` left them; `following` gets, by number, the number of the next or
    NONE.
    """
    ahead = len(order) - 1
    for i in range(len(order) - 1, -1, -1):
        p = np.int64(positions[order[i]])
        while np.int64(positions[order[ahead]]) > p + REACH:
            ahead -= 1
        if ahead > i and contexts[np.int64(order[i]) * ROW + 31] == REACH:
            following[order[i]] = order[ahead]
            digests[i] = _mixed(digests[i] + np.uint64(np.int64(positions[order[ahead]]) - p), digests[ahead])
        else:
            following[order[i]] = NONE


@kernel
def by_number(order: Any32, digests: Words, out: Words) -> None:
    """Put digests that go by place in `order` where their numbers say."""
    for i in range(len(order)):
        out[order[i]] = digests[i]
