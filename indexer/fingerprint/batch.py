"""A batch of Documents to canonical lengths and fingerprints of both kinds, ready for the spool.

In: the raw bytes of some Documents and where each ends. Out: arrays. It refuses to know of files and Segments. Runs
without the GIL, so that threads share the work.
"""

from __future__ import annotations

import numpy as np

from codecite.indexer.config import WINDOW
from codecite.indexer.fingerprint.minhash import PERMUTATIONS, signatures
from codecite.indexer.kernels.documents import Fingerprints, Grouped, fingerprint_documents, measure
from codecite.indexer.kernels.minhash import EMPTY
from codecite.indexer.kernels.near import fingerprint_tokens
from codecite.indexer.kernels.postings import PARTITION_BITS, partition
from codecite.indexer.kernels.tokens import KEYWORDS
from codecite.indexer.kernels.types import Bytes, Ints, Words
from codecite.indexer.kernels.winnow import CHUNK


def fingerprint_batch(raw: Bytes, ends: Ints, *, exact_only: bool = False) -> Fingerprints:
    """Fingerprint the Documents that lie in `raw` one after the other, each up to its end in `ends`.

    With `exact_only` there are no fingerprints of tokens, and signatures of texts without a word.
    """
    canonical = np.empty(len(raw), np.uint8)
    canonical_ends = np.empty(len(ends), np.int64)
    hashes = np.empty(len(raw), np.uint64)
    positions = np.empty(len(raw), np.int64)
    work = np.empty(CHUNK + WINDOW, np.uint64)
    count = fingerprint_documents(raw, ends, canonical, canonical_ends, hashes, positions, work)
    del canonical
    exact = _grouped(hashes[:count], positions[:count])
    sizes = np.empty(len(ends), np.int64)
    lines = np.empty(len(ends), np.int64)
    measure(raw, ends, sizes, lines)
    if exact_only:
        none = np.full((len(ends), PERMUTATIONS), EMPTY, np.uint32)
        return Fingerprints(sizes, lines, exact, _grouped(hashes[:0], positions[:0]), none)
    longest = int(np.diff(ends, prepend=0).max(initial=0))
    classes, names = np.empty((2, longest), np.uint64)
    starts, stops = np.empty((2, longest), np.int64)
    count = fingerprint_tokens(raw, ends, KEYWORDS, classes, names, starts, stops, hashes, positions)
    near = _grouped(hashes[:count], positions[:count])
    return Fingerprints(sizes, lines, exact, near, signatures(raw, ends))


def _grouped(hashes: Words, positions: Ints) -> Grouped:
    grouped = np.empty(len(hashes), np.uint64)
    places = np.empty(len(hashes), np.uint32)
    bounds = np.empty((1 << PARTITION_BITS) + 1, np.int64)
    partition(hashes, positions, grouped, places, bounds)
    return Grouped(grouped, places, bounds)
