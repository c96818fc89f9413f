"""MinHash of texts: equal to datasketch's, with bands chosen as datasketch chooses them, and Jaccard exact."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from oracle import minhash as twin

from codecite.indexer.errors import ConfigError
from codecite.indexer.fingerprint import minhash
from codecite.indexer.fingerprint.minhash import PERMUTATIONS, SCHEME, SEED, Banding

ROOT = Path(__file__).resolve().parents[3]
words = st.sampled_from([b"a", b"_", b"x1", b"self", b"\xc3\xa9", b"\xff\x80", b"return"])
code = st.lists(st.tuples(words, st.sampled_from([b" ", b"\n", b".(", b", "])), max_size=40).map(
    lambda pairs: b"".join(a + b for a, b in pairs)
)
texts = st.binary(max_size=120) | code
CORNERS = [
    b"",
    b"\n \t",
    b"+-*/",
    b"a",
    b"a b",
    b"a b c d",
    b"a b c d e",
    b"a b c d e f",
    b"\xff\xfe\x00\x80 \xc3(",
    b"\x00",
]
MILLION = [b"a" * 10**6, b" " * 10**6, b"a " * (10**6 // 2), b"\xff" * 10**6, b"\x00" * 10**6]


@pytest.fixture(scope="session")
def datasketch(require: Callable[..., None]) -> Any:
    """The real datasketch."""
    require("datasketch")
    return import_module("datasketch")


def theirs(datasketch: Any, shingles: list[bytes]) -> Any:
    """datasketch's MinHash of shingles, with our hash."""
    made = datasketch.MinHash(PERMUTATIONS, seed=SEED, scheme=SCHEME, hashfunc=minhash.hash_shingle)
    made.update_batch(shingles)
    return made


def ours(text: bytes) -> list[int]:
    """The twin's signature."""
    factors, offsets = (numbers.tolist() for numbers in minhash.permutations())
    hashes = {shingle: twin.hash64(shingle) for shingle in twin.shingles(text)}
    return twin.signature(hashes.values(), list(zip(factors, offsets, strict=True)))


def test_the_permutations_are_datasketchs(datasketch: Any) -> None:
    """128 for seed 1, odd factors, nobody can change them."""
    assert np.array_equal(np.array(minhash.permutations()), datasketch.MinHash(128, seed=1, scheme=SCHEME).permutations)
    with pytest.raises(ValueError, match="read-only"):
        minhash.permutations()[0][0] = 1


@given(texts)
def test_a_signature_is_the_twins(text: bytes) -> None:
    """Whatever the bytes are."""
    row = minhash.signature(text)
    assert row.dtype == np.uint32
    assert row.tolist() == ours(text)


@given(texts)
def test_a_signature_is_datasketchs(datasketch: Any, text: bytes) -> None:
    """For the same shingles and the same hash."""
    assert np.array_equal(minhash.signature(text), theirs(datasketch, twin.shingles(text)).hashvalues)


@pytest.mark.parametrize("text", CORNERS + MILLION, ids=lambda text: f"{text[:8]!r}-{len(text)}")
def test_short_odd_and_endless_texts_are_signed_like_any_other(datasketch: Any, text: bytes) -> None:
    """Nothing, a word, no UTF-8, one character a million times: signature and set are right."""
    shingles = sorted(set(twin.shingles(text)))
    row = minhash.signature(text)
    assert np.array_equal(row, theirs(datasketch, shingles).hashvalues)
    assert minhash.shingles(text).tolist() == sorted(map(twin.fingerprint_of, shingles))
    assert minhash.has_words(row[np.newaxis])[0] == bool(shingles)
    assert minhash.jaccard(text, text) == bool(shingles)


def test_real_files_are_signed_as_datasketch_signs_them(datasketch: Any) -> None:
    """This very project's sources in one batch, loaded as a LeanMinHash, with datasketch's own estimate."""
    files = sorted((ROOT / "indexer" / "kernels").glob("*.py"))[:8]
    documents = [path.read_bytes() for path in files]
    ends = np.cumsum([len(document) for document in documents], dtype=np.int64)
    rows = minhash.signatures(np.frombuffer(b"".join(documents), np.uint8), ends)
    made = [theirs(datasketch, twin.shingles(document)) for document in documents]
    lean = [datasketch.LeanMinHash(seed=SEED, hashvalues=row, scheme=SCHEME) for row in rows]
    assert lean == [datasketch.LeanMinHash(each) for each in made]
    assert minhash.estimate(rows[0], rows[1]) == lean[0].jaccard(made[1])
    assert minhash.estimate(rows[0], rows[0]) == 1


@given(texts, texts, texts)
def test_jaccard_is_that_of_the_sets_of_shingles_themselves(a: bytes, b: bytes, shared: bytes) -> None:
    """Shingles compared as bytes give the same ratio."""
    a, b = a + b" " + shared, b + b" " + shared
    assert minhash.jaccard(a, b) == twin.jaccard(a, b)
    assert minhash.jaccard(b, a) == minhash.jaccard(a, b)


def test_layout_quotes_and_brackets_do_not_count() -> None:
    """A file that a formatter went over stays the same set."""
    assert minhash.jaccard(b"x = f(a, 'b')\nreturn x\n", b'x=f(\n    a,\n    "b",\n)\n\treturn (x)') == 1
    assert minhash.jaccard(b"a b c d e f", b"a b c d e g") == pytest.approx(1 / 3)


def test_an_estimate_is_near_the_truth() -> None:
    """Four standard errors, over pairs that share more and more."""
    names = [b"name_%d" % number for number in range(3000)]
    for shared in range(0, 3000, 250):
        a, b = b" ".join(names), b" ".join(names[3000 - shared :] + [name + b"x" for name in names[shared:]])
        true = minhash.jaccard(a, b)
        error = (true * (1 - true) / PERMUTATIONS) ** 0.5
        assert abs(minhash.estimate(minhash.signature(a), minhash.signature(b)) - true) <= 4 * error + 0.01


@pytest.mark.parametrize("weight", [0.5, 0.1, 0.9])
def test_bands_are_chosen_as_datasketch_chooses_them(datasketch: Any, weight: float) -> None:
    """For thresholds over the whole of [0, 1]; its choice is a private function, so one of its objects is asked too."""
    optimum = import_module("datasketch.lsh")._optimal_param
    for threshold in [number / 20 for number in range(21)] + [0.123, 0.777, 0.999]:
        assert minhash.choose_banding(threshold, weight) == optimum(threshold, PERMUTATIONS, weight, 1 - weight)
    made = datasketch.MinHashLSH(0.7, PERMUTATIONS, weights=(weight, 1 - weight))
    assert minhash.choose_banding(0.7, weight) == (made.b, made.r)


@pytest.mark.parametrize(("threshold", "weight"), [(-0.1, 0.5), (1.1, 0.5), (0.5, 2.0), (float("nan"), 0.5)])
def test_a_threshold_that_is_none_is_an_error(threshold: float, weight: float) -> None:
    """The message names both numbers."""
    with pytest.raises(ConfigError, match="both lie in"):
        minhash.choose_banding(threshold, weight)


def test_those_that_agree_in_a_band_share_its_key_and_no_other() -> None:
    """Column by column, and no key stands for two bands."""
    rows = np.random.default_rng(8).integers(0, 2**32, (50, PERMUTATIONS), np.uint32)
    rows[1, 13:26] = rows[0, 13:26]
    rows[2] = rows[3, 0]
    keys = minhash.band_keys(rows, Banding(9, 13))
    assert keys.shape == (50, 9)
    assert (keys[0] == keys[1]).tolist() == [False, True] + 7 * [False]
    assert len(np.unique(keys)) == keys.size - 1
