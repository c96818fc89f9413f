"""Fingerprints of normalised tokens: rolling hashes of all runs of NEAR_K tokens, some of them selected by winnowing.

In: token classes (`tokens.py`). Out: 64-bit hashes and the numbers of the tokens at which their runs begin. It refuses
to know what is done with them. Whatever two texts share of NEAR_T = NEAR_K + NEAR_W - 1 tokens or more holds a window
that both select from; the Documents' side keeps robust winnowing's choice, the query's side takes every position that
holds its window's minimum (the theorem is in `winnow.py`).
"""

from __future__ import annotations

import numpy as np

from codecite.indexer.config import NEAR_K, NEAR_T, NEAR_W
from codecite.indexer.kernels.jit import kernel, part
from codecite.indexer.kernels.segment import posting
from codecite.indexer.kernels.tokens import tokenize
from codecite.indexer.kernels.types import Any32, Bytes, Ints, Words

_BASE = np.uint64(0xD6E8FEB86659FD93)
_LEAVING = np.uint64(pow(int(_BASE), NEAR_K, 2**64))
_MIX1 = np.uint64(0xFF51AFD7ED558CCD)
_MIX2 = np.uint64(0xC4CEB9FE1A85EC53)
_SHIFT = np.uint64(33)


@part
def _mixed(x: np.uint64) -> np.uint64:
    x = (x ^ (x >> _SHIFT)) * _MIX1
    x = (x ^ (x >> _SHIFT)) * _MIX2
    return x ^ (x >> _SHIFT)


@kernel
def hash_runs(classes: Words, count: int, hashes: Words) -> int:
    """Write the hash of each run of NEAR_K of the first `count` classes; return how many there are."""
    rolling = np.uint64(0)
    for i in range(count):
        rolling = rolling * _BASE + _mixed(classes[i])
        if i >= NEAR_K:
            rolling -= _mixed(classes[i - NEAR_K]) * _LEAVING
        if i >= NEAR_K - 1:
            hashes[i - NEAR_K + 1] = _mixed(rolling)
    return max(0, count - NEAR_K + 1)


@part
def _select(hashes: Words, runs: int, chosen: Ints) -> int:
    """Write the numbers of the runs that a Document keeps; return how many."""
    count = 0
    newest = -1
    smallest = np.uint64(0)
    for i in range(NEAR_W - 1, runs):
        start = i - NEAR_W + 1
        if newest < start:
            newest = start
            for j in range(start + 1, i + 1):
                if hashes[j] <= hashes[newest]:
                    newest = j
        elif hashes[i] < smallest:
            newest = i
        else:
            continue
        smallest = hashes[newest]
        chosen[count] = newest
        count += 1
    return count


@kernel
def select_all(hashes: Words, runs: int, chosen: Ints) -> int:
    """Write the numbers of all runs that hold the minimum of one of their windows, ascending; return how many."""
    count = 0
    done = -1
    for i in range(NEAR_W - 1, runs):
        start = i - NEAR_W + 1
        smallest = hashes[start]
        for j in range(start + 1, i + 1):
            smallest = min(smallest, hashes[j])
        for j in range(max(start, done + 1), i + 1):
            if hashes[j] == smallest:
                chosen[count] = j
                count += 1
                done = j
    return count


@kernel
def fingerprint_tokens(
    raw: Bytes,
    ends: Ints,
    keywords: Words,
    classes: Words,
    names: Words,
    starts: Ints,
    stops: Ints,
    hashes: Words,
    positions: Ints,
) -> int:
    """Write the fingerprints of the Documents that lie in `raw` up to their `ends`; return how many there are.

    `positions` get the canonical bytes before the first token of each run, from the head of the batch on. The other
    arrays are scratch with room for the longest Document.
    """
    count = 0
    begin = 0
    canonical = 0
    for d in range(len(ends)):
        text = raw[begin : ends[d]]
        begin = ends[d]
        tokens = tokenize(text, keywords, classes, names, starts, stops) if len(text) >= NEAR_T else 0
        runs = hash_runs(classes, tokens, names)
        chosen = _select(names, runs, stops)
        at = 0
        for c in range(chosen):
            token = starts[stops[c]]
            while at < token:
                canonical += 0 if (text[at] == 32 or (text[at] >= 9 and text[at] <= 13)) else 1
                at += 1
            hashes[count] = names[stops[c]]
            positions[count] = canonical
            count += 1
        while at < len(text):
            canonical += 0 if (text[at] == 32 or (text[at] >= 9 and text[at] <= 13)) else 1
            at += 1
    return count


@kernel
def read_places(positions: Any32, guards: Words, low: Ints, high: Ints, total: int, out: Ints) -> None:
    """Write the positions of the lists from `low` to `high`, one after the other; -1 for those in damaged blocks."""
    count = 0
    for i in range(len(low)):
        for j in range(low[i], high[i]):
            out[count] = posting(positions, guards, j, total)
            count += 1
