"""The MinHash kernels agree with their twins: shingles, signatures, sets, band keys."""

from __future__ import annotations

import doctest

import numba
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from oracle import minhash as twin

from codecite.indexer.kernels import lanes, minhash
from codecite.indexer.kernels.lanes import LANES
from codecite.indexer.kernels.minhash import CHUNK, STATE

_lower_lanes = lanes.lower_lanes

words = st.sampled_from([b"a", b"_", b"x1", b"self", b"\xc3\xa9", b"\xff\x80", b"a_rather_longer_name_than_most"])
gaps = st.sampled_from([b" ", b"\n", b".", b"(", b"\x00", b", '", b"@[`{/:\x7f"])
code = st.lists(st.tuples(words, gaps), max_size=40).map(lambda pairs: b"".join(a + b for a, b in pairs))
texts = st.binary(max_size=120) | code | st.builds(lambda a, b, c: a + b + c, gaps, code, words)
hashes64 = st.lists(st.integers(0, 2**64 - 1), max_size=100)


@numba.njit
def call_lanes(numbers, count, factors, offsets, row, first):  # type: ignore[no-untyped-def]
    """A way in from Python."""
    _lower_lanes(numbers, count, factors, offsets, row, first)


def array(text: bytes) -> np.ndarray:
    """The bytes as a kernel takes them."""
    return np.frombuffer(bytearray(text), np.uint8)


def noise(size: int, dtype: type = np.uint64) -> np.ndarray:
    """Scratch of just that size, full of noise."""
    return np.full(size, 0xABCDEF, dtype)


def hash_shingles(text: bytes) -> list[int]:
    """The kernel's hashes of all shingles, in order."""
    hashes = noise(len(text) // 2 + 1)
    count = minhash.hash_shingles(array(text), np.zeros(STATE, np.uint64), hashes)
    return hashes[:count].tolist()


def permuted(seed: int, count: int) -> tuple[np.ndarray, np.ndarray]:
    """Some permutations: odd factors, offsets."""
    rng = np.random.default_rng(seed)
    factors = rng.integers(0, 2**31, count, np.uint32) * np.uint32(2) + np.uint32(1)
    return factors, rng.integers(0, 2**32, count, np.uint32)


def sign(documents: list[bytes], factors: np.ndarray, offsets: np.ndarray) -> list[list[int]]:
    """The kernel's signatures of a batch."""
    rows = noise(len(documents) * len(factors), np.uint32).reshape(len(documents), len(factors))
    ends = np.cumsum([len(document) for document in documents], dtype=np.int64)
    work = noise(STATE), noise(CHUNK), noise(CHUNK, np.uint32)
    minhash.sign(array(b"".join(documents)), ends, factors, offsets, *work, rows)
    return rows.tolist()


def pairs(factors: np.ndarray, offsets: np.ndarray) -> list[tuple[int, int]]:
    """The permutations as the twin takes them."""
    return list(zip(factors.tolist(), offsets.tolist(), strict=True))


def test_every_twin_shows_a_worked_example_that_holds() -> None:
    """A specification with a wrong example would mislead whoever reads it first."""
    result = doctest.testmod(twin)
    assert result.failed == 0
    assert result.attempted >= 8


@given(texts)
def test_shingles_are_hashed_as_the_twin_hashes_them(text: bytes) -> None:
    """In order, with repetitions, whatever the bytes are."""
    assert hash_shingles(text) == [twin.hash64(shingle) for shingle in twin.shingles(text)]


@pytest.mark.parametrize("byte", range(256))
def test_each_byte_is_of_a_word_or_between_words(byte: int) -> None:
    """Tried inside, before and behind words, in short texts and in long ones."""
    for pattern in (b"%c", b"a%cb", b"%ca b c d e", b"a b c d e f%c", b"a b%cc d e f g"):
        text = pattern % byte
        assert hash_shingles(text) == [twin.hash64(shingle) for shingle in twin.shingles(text)]


@given(st.lists(texts, max_size=4), st.integers(0, 2**32), st.sampled_from([LANES, 3 * LANES]))
def test_documents_of_a_batch_are_signed_each_for_itself(documents: list[bytes], seed: int, count: int) -> None:
    """No shingle crosses a border, and nothing is left over from the one before."""
    factors, offsets = permuted(seed, count)
    expected = [
        twin.signature(map(twin.hash64, twin.shingles(document)), pairs(factors, offsets)) for document in documents
    ]
    assert sign(documents, factors, offsets) == expected


@pytest.mark.parametrize("words", [CHUNK + 3, CHUNK + 4, CHUNK + 5, 2 * CHUNK + 4, 2 * CHUNK + 30])
@pytest.mark.parametrize("tail", [b"", b" ;\n"])
def test_texts_that_end_near_the_border_of_a_chunk_are_signed_whole(words: int, tail: bytes) -> None:
    """The words before the border are remembered behind it, and white space at the end makes no shingle."""
    text = b" ".join(b"w%d" % (number * number) for number in range(words)) + tail
    factors, offsets = permuted(words, LANES)
    expected = twin.signature(map(twin.hash64, twin.shingles(text)), pairs(factors, offsets))
    assert sign([text], factors, offsets) == [expected]
    assert len(hash_shingles(text)) == words - 4


@given(hashes64, st.integers(0, 2**32), st.sampled_from([LANES, 3 * LANES]))
def test_given_hashes_are_signed_by_their_low_halves(given_hashes: list[int], seed: int, count: int) -> None:
    """Any numbers, none of them included."""
    factors, offsets = permuted(seed, count)
    row = noise(count, np.uint32)
    minhash.sign_hashes(np.array(given_hashes, np.uint64), factors, offsets, noise(CHUNK, np.uint32), row)
    assert row.tolist() == twin.signature(given_hashes, pairs(factors, offsets))


@given(st.lists(st.integers(0, 30) | st.just(2**64 - 1), max_size=60))
def test_of_equal_numbers_one_is_kept(numbers: list[int]) -> None:
    """The head of the array is the sorted set."""
    ascending = np.array(sorted(numbers), np.uint64)
    count = minhash.drop_repeated(ascending)
    assert ascending[:count].tolist() == sorted(set(numbers))


@given(st.sets(st.integers(0, 60) | st.just(2**64 - 1)), st.sets(st.integers(0, 60) | st.just(2**64 - 1)))
def test_shared_numbers_are_counted(a: set[int], b: set[int]) -> None:
    """As sets count them."""
    ours = (np.array(sorted(numbers), np.uint64) for numbers in (a, b))
    assert minhash.count_shared(*ours) == len(a & b)


@given(st.integers(1, 6), st.integers(1, 6), st.integers(0, 3), st.integers(0, 2**32))
def test_band_keys_are_those_of_the_twin(bands: int, length: int, over: int, seed: int) -> None:
    """Numbers behind the last whole band do not count."""
    rows = np.random.default_rng(seed).integers(0, 2**32, (3, bands * length + over), np.uint32)
    keys = np.empty((3, bands), np.uint64)
    minhash.key_bands(rows, length, keys)
    assert keys.tolist() == [twin.band_keys(row, bands, length) for row in rows.tolist()]


@given(st.lists(st.integers(0, 2**32 - 1), max_size=40), st.integers(0, 2**32), st.integers(0, 3))
def test_lanes_are_lowered_where_they_stand_and_nowhere_else(numbers: list[int], seed: int, block: int) -> None:
    """The minimum of what stood there and of all images; no numbers change nothing."""
    factors, offsets = permuted(seed, 4 * LANES)
    row = np.random.default_rng(seed).integers(0, 2**32, 4 * LANES, np.uint32)
    images = np.array(numbers, np.uint32)[:, np.newaxis] * factors + offsets
    expected = row.copy()
    here = slice(block * LANES, (block + 1) * LANES)
    expected[here] = np.vstack([row, images]).min(axis=0)[here]
    call_lanes(np.array(numbers, np.uint32), len(numbers), factors, offsets, row, block * LANES)
    assert row.tolist() == expected.tolist()
