"""MinHash of whole files: signatures, exact Jaccard, and bands that bring the similar together.

In: the raw bytes of texts. Out: arrays. It refuses to know of Segments, of how band keys are stored, and which similar
files are shown. What a shingle is and how it is hashed says `kernels/minhash.py`.

The signatures are those of datasketch 2.x with `scheme="affine32"`, `seed=1` and `hashfunc=hash_shingle` over shingles
of bytes: a row loads as `LeanMinHash(seed=SEED, hashvalues=row, scheme=SCHEME)`.
"""

from __future__ import annotations

from functools import cache
from typing import NamedTuple

import numpy as np

from codecite.indexer.errors import ConfigError
from codecite.indexer.kernels.minhash import (
    CHUNK,
    EMPTY,
    STATE,
    count_shared,
    drop_repeated,
    hash_bytes,
    hash_shingles,
    key_bands,
    sign,
)
from codecite.indexer.kernels.types import Any32, Bytes, Flags, Ints, Words

PERMUTATIONS = 128
"""Numbers in a signature. Its estimate of a Jaccard j has the standard error (j * (1 - j) / 128) ** .5: .044 at .5."""
SEED = 1
SCHEME = "affine32"
"""What datasketch calls the permutations."""


class Banding(NamedTuple):
    """How a signature is cut: `bands` bands of `rows` numbers each, at most `PERMUTATIONS` in all."""

    bands: int
    rows: int


@cache
def permutations() -> tuple[Any32, Any32]:
    """The a (odd) and the b of x -> a * x + b modulo 2**32: two read-only arrays, uint32[128].

    Drawn from NumPy's legacy Mersenne Twister, whose stream is frozen (NEP 19), in the order datasketch draws them.
    """
    draw = np.random.RandomState(SEED)
    factors = 2 * draw.randint(0, 2**31, PERMUTATIONS, np.uint32) + np.uint32(1)
    offsets = draw.randint(0, 2**32, PERMUTATIONS, np.uint32)
    factors.flags.writeable = offsets.flags.writeable = False
    return factors, offsets


def hash_shingle(shingle: bytes) -> int:
    """The 32-bit hash of a shingle, its words joined by single spaces: datasketch's `hashfunc`."""
    return int(hash_bytes(np.frombuffer(shingle, np.uint8))) & 0xFFFFFFFF


def signature(text: bytes) -> Any32:
    """The MinHash signature of a text, uint32[128]; every number is 2**32 - 1 where the text has no word."""
    rows: Any32 = signatures(np.frombuffer(text, np.uint8), np.array([len(text)], np.int64))[0]
    return rows


def signatures(raw: Bytes, ends: Ints) -> Any32:
    """The signatures of Documents that lie in `raw` one after the other, each up to its end in `ends` (int64[n]).

    Returns uint32[n, 128]. Runs without the GIL, in 14 KiB beside the result.
    """
    factors, offsets = permutations()
    rows = np.empty((len(ends), PERMUTATIONS), np.uint32)
    work = np.empty(CHUNK, np.uint64), np.empty(CHUNK, np.uint32)
    sign(raw, ends, factors, offsets, np.empty(STATE, np.uint64), *work, rows)
    return rows


def has_words(rows: Any32) -> Flags:
    """Which signatures of uint32[n, 128] are of a text with a word: bool[n]. All the others look alike, and are not."""
    flags: Flags = (rows != EMPTY).any(axis=1)
    return flags


def shingles(text: bytes) -> Words:
    """The set of a text's shingles: their 64-bit hashes, ascending, each once (uint64[m])."""
    hashes = np.empty(len(text) // 2 + 1, np.uint64)
    count = hash_shingles(np.frombuffer(text, np.uint8), np.zeros(STATE, np.uint64), hashes)
    hashes = np.sort(hashes[:count])
    return hashes[: drop_repeated(hashes)].copy()


def jaccard(a: bytes, b: bytes) -> float:
    """The Jaccard similarity of the shingle sets of two texts, in [0, 1]; see `overlap` for what exact means."""
    return overlap(shingles(a), shingles(b))


def overlap(a: Words, b: Words) -> float:
    """Shared shingles among all of both sets (as `shingles` gives them), in [0, 1]; 0 where both are empty.

    Exact: every shingle counts, none is sampled or estimated, and shingles are told apart by 64-bit hashes. In two
    texts of a million shingles each some two different ones have the same hash once in ten million pairs of texts,
    which would change the ratio by a millionth.
    """
    shared = int(count_shared(a, b))
    whole = len(a) + len(b) - shared
    return shared / whole if whole else 0.0


def estimate(a: Any32, b: Any32) -> float:
    """The Jaccard similarity as two signatures (uint32[128]) have it: the share of places at which they agree."""
    return float(np.count_nonzero(a == b)) / len(a)


@cache
def choose_banding(threshold: float, false_positive_weight: float = 0.5) -> Banding:
    """The banding that errs least about whether a pair's Jaccard similarity is above a threshold.

    A pair of similarity s shares a band with the probability 1 - (1 - s**r)**b (Leskovec, Rajaraman, Ullman: Mining of
    Massive Datasets, chapter 3). Of all b bands of r rows with b * r <= 128 this is the one with the smallest weighted
    sum of that, integrated below the threshold (false positives), and its complement, integrated above it (false
    negatives): Zhu, Nargesian, Pu, Miller, LSH Ensemble, VLDB 2016. Both are polynomials in s of degree b * r, so
    Gauss-Legendre quadrature with 65 nodes, exact up to degree 129, leaves only rounding. Ties: the fewest bands, then
    the fewest rows. Raises ConfigError for a threshold or a weight outside [0, 1].
    """
    if not (0 <= threshold <= 1 and 0 <= false_positive_weight <= 1):
        raise ConfigError(
            f"a threshold of {threshold} with the weight {false_positive_weight} chooses no bands; both lie in [0, 1]"
        )
    choices = [(b, r) for b in range(1, PERMUTATIONS + 1) for r in range(1, PERMUTATIONS // b + 1)]
    bands, rows = np.array(choices, np.float64).T[:, :, np.newaxis]
    nodes, weights = np.polynomial.legendre.leggauss(PERMUTATIONS // 2 + 1)
    below = threshold * (nodes + 1) / 2
    above = threshold + (1 - threshold) * (nodes + 1) / 2
    false_positives = (1 - (1 - below**rows) ** bands) @ weights * threshold / 2
    false_negatives = (1 - above**rows) ** bands @ weights * (1 - threshold) / 2
    errors = false_positive_weight * false_positives + (1 - false_positive_weight) * false_negatives
    return Banding(*choices[int(np.argmin(errors))])


def band_keys(rows: Any32, banding: Banding) -> Words:
    """The 64-bit keys of the bands of signatures uint32[n, 128]: uint64[n, bands].

    Two signatures that agree in a whole band have the same key in that column, and a key says which band it is of, so
    that all may stand in one table. Leave out signatures without words (`has_words`): they would all meet.
    """
    keys = np.empty((len(rows), banding.bands), np.uint64)
    key_bands(rows, banding.rows, keys)
    return keys
