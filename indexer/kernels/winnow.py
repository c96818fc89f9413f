"""Fingerprints: rolling hashes of all k-grams, and the selection of some of them by winnowing.

In: canonical bytes. Out: 64-bit hashes and the positions of their k-grams. It refuses to know of documents' names,
of files and of the index.

The selection is the local algorithm of Schleimer, Wilkerson and Aiken (Winnowing, SIGMOD 2003): of every w
consecutive k-grams one with the smallest hash. The two sides break ties differently, and only complete windows
select, so the selection of a prefix is a prefix of the selection:

- a Document keeps robust winnowing's choice: the minimum selected last stays as long as its window holds nothing
  smaller, else the rightmost minimum is taken (so a ruler costs one posting in w bytes);
- a query takes every position that holds the minimum of one of its windows.

Whatever the Document chose in a window it shares with the query is therefore among the query's. The hash is the
polynomial sum(c[i] * BASE**(k-1-i)) modulo 2**64, finished by the 64-bit mixer of MurmurHash3 (Appleby, public
domain), since the polynomial's low bits are weak.
"""

from __future__ import annotations

import numpy as np

from codecite.indexer.config import KGRAM, WINDOW
from codecite.indexer.kernels.jit import part
from codecite.indexer.kernels.types import Bytes, Ints, Words

BASE = np.uint64(0x9E3779B97F4A7C15)
_LEAVING = np.uint64(pow(int(BASE), KGRAM, 2**64))
_MIX1 = np.uint64(0xFF51AFD7ED558CCD)
_MIX2 = np.uint64(0xC4CEB9FE1A85EC53)
_SHIFT = np.uint64(33)
CHUNK = 8192
"""k-grams hashed at a time: the hashes of a chunk stay in the first-level cache."""


@part
def hash_kgrams(text: Bytes, first: int, last: int, state: np.uint64, out: Words, at: int) -> np.uint64:
    """Write the hashes of the k-grams that begin at `first`..`last - 1` to `out[at:]`.

    `state` is the polynomial of the k-gram before `first` (0 when `first` is 0); returns that of the last one.
    """
    rolling = state
    begin = first
    if first == 0 and last > 0:
        rolling = np.uint64(0)
        for i in range(KGRAM):
            rolling = rolling * BASE + np.uint64(text[i])
        out[at] = rolling
        begin = 1
    for i in range(begin, last):
        rolling = rolling * BASE + np.uint64(text[i + KGRAM - 1]) - np.uint64(text[i - 1]) * _LEAVING
        out[at + i - first] = rolling
    for j in range(at, at + last - first):
        x = out[j]
        x = (x ^ (x >> _SHIFT)) * _MIX1
        x = (x ^ (x >> _SHIFT)) * _MIX2
        out[j] = x ^ (x >> _SHIFT)
    return rolling


@part
def select_document(text: Bytes, base: int, hashes: Words, positions: Ints, count: int, work: Words) -> int:
    """Append a Document's fingerprints to `hashes` and `positions`, from index `count` on; return the new count.

    `text` is one Document's canonical text, `base` is added to every position. `work` holds `CHUNK + WINDOW`
    hashes. A text of fewer than k + w - 1 bytes has none; a ruler of 100 equal bytes has the positions 25 and 51.
    """
    kgrams = len(text) - KGRAM + 1
    if kgrams < WINDOW:
        return count
    kept = WINDOW - 1
    state = np.uint64(0)
    chosen = -1
    smallest = np.uint64(0)
    first = 0
    while first < kgrams:
        last = min(first + CHUNK, kgrams)
        state = hash_kgrams(text, first, last, state, work, kept)
        shift = kept - first
        for i in range(max(first, WINDOW - 1), last):
            start = i - WINDOW + 1
            value = work[i + shift]
            if chosen < start:
                chosen = start
                smallest = work[start + shift]
                for j in range(start + 1, i + 1):
                    if work[j + shift] <= smallest:
                        smallest = work[j + shift]
                        chosen = j
            elif value < smallest:
                chosen = i
                smallest = value
            else:
                continue
            hashes[count] = smallest
            positions[count] = base + chosen
            count += 1
        for j in range(kept):
            work[j] = work[last - first + j]
        first = last
    return count


@part
def select_query(text: Bytes, positions: Ints, hashes: Words, windows: Ints, begins: Ints, work: Words) -> int:
    """Find the fingerprints of a query, grouped by the window minimum that selected them; return how many minima.

    `positions` receives the fingerprints (ascending), and for each minimum (in the order of the windows) `hashes`
    its hash, `windows` its first window, `begins` the index of its first fingerprint. The fingerprints of minimum
    m are those from `begins[m]` to `begins[m + 1]`; the windows from `windows[m]` to `windows[m + 1]` have it as
    their minimum. All four have room for one entry more than the text has bytes. A ruler of 60 equal bytes has
    one minimum with the 36 positions 0..35, for the windows 0..10.
    """
    kgrams = len(text) - KGRAM + 1
    count = 0
    minima = 0
    kept = WINDOW - 1
    state = np.uint64(0)
    newest = -1
    smallest = np.uint64(0)
    first = 0
    while first < kgrams and kgrams >= WINDOW:
        last = min(first + CHUNK, kgrams)
        state = hash_kgrams(text, first, last, state, work, kept)
        shift = kept - first
        for i in range(max(first, WINDOW - 1), last):
            start = i - WINDOW + 1
            value = work[i + shift]
            if newest >= start:
                if value > smallest:
                    continue
                if value < smallest:
                    windows[minima] = start
                    begins[minima] = count
                    hashes[minima] = value
                    minima += 1
                    smallest = value
                newest = i
                positions[count] = i
                count += 1
                continue
            smallest = work[start + shift]
            for j in range(start + 1, i + 1):
                smallest = min(smallest, work[j + shift])
            windows[minima] = start
            begins[minima] = count
            hashes[minima] = smallest
            minima += 1
            for j in range(start, i + 1):
                if work[j + shift] == smallest:
                    newest = j
                    positions[count] = j
                    count += 1
        for j in range(kept):
            work[j] = work[last - first + j]
        first = last
    windows[minima] = max(0, kgrams - WINDOW + 1)
    begins[minima] = count
    return minima
