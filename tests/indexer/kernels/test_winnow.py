"""Winnowing: both sides agree with their twins, and what a Document chose in a shared window the query has too."""

from __future__ import annotations

import random
from collections.abc import Iterator

import numba
import numpy as np
import pytest
import twins
from hypothesis import given
from hypothesis import strategies as st

from codecite.indexer.config import GUARANTEE, KGRAM, WINDOW
from codecite.indexer.kernels import winnow
from codecite.indexer.kernels.documents import fingerprint_documents
from codecite.indexer.kernels.winnow import CHUNK

_select_document, _select_query, _hash_kgrams = winnow.select_document, winnow.select_query, winnow.hash_kgrams


@numba.njit
def call_document(text, base, hashes, positions, count, work):  # type: ignore[no-untyped-def]
    """A way in from Python."""
    return _select_document(text, base, hashes, positions, count, work)


@numba.njit
def call_query(text, positions, hashes, windows, begins, work):  # type: ignore[no-untyped-def]
    """A way in from Python."""
    return _select_query(text, positions, hashes, windows, begins, work)


@numba.njit
def call_hash(text, first, last, state, out, at):  # type: ignore[no-untyped-def]
    """A way in from Python."""
    return _hash_kgrams(text, first, last, state, out, at)


def array(text: bytes) -> np.ndarray:
    """The bytes as a kernel takes them."""
    return np.frombuffer(bytearray(text), np.uint8)


def work() -> np.ndarray:
    """Scratch of just the size that is asked for, full of noise."""
    return np.full(CHUNK + WINDOW, 0xABCDEF, np.uint64)


def select_document(text: bytes, base: int = 0) -> list[tuple[int, int]]:
    """The kernel's fingerprints of a Document: hash and position."""
    hashes, positions = np.zeros(len(text), np.uint64), np.zeros(len(text), np.int64)
    count = call_document(array(text), base, hashes, positions, 0, work())
    return list(zip(hashes[:count].tolist(), positions[:count].tolist(), strict=True))


def select_query(text: bytes) -> list[tuple[int, int, list[int]]]:
    """The kernel's fingerprints of a query: hash, first window and positions of each minimum."""
    room = max(len(text) - KGRAM + 1, 0) + 1
    hashes = np.zeros(room, np.uint64)
    positions, windows, begins = (np.full(room, -1, np.int64) for _ in range(3))
    minima = call_query(array(text), positions, hashes, windows, begins, work())
    assert windows[minima] == max(0, len(text) - GUARANTEE + 1)
    return [(int(hashes[i]), int(windows[i]), positions[begins[i] : begins[i + 1]].tolist()) for i in range(minima)]


def query_positions(text: bytes) -> list[int]:
    """All positions that a query selects, in the order the kernel gave them."""
    return [position for _, _, positions in select_query(text) for position in positions]


def repeated(unit: bytes, length: int) -> bytes:
    """A ruler of the given length."""
    return (unit * (length // len(unit) + 1))[:length]


few_letters = st.text("ab", max_size=160).map(str.encode) | st.text("abc", max_size=160).map(str.encode)
rulers = st.builds(repeated, st.binary(min_size=1, max_size=30), st.integers(0, 160))
pieces = st.lists(few_letters | rulers, max_size=4).map(b"".join)
texts = st.binary(max_size=160) | few_letters | rulers | pieces


@given(texts)
def test_a_document_selects_what_robust_winnowing_chooses(text: bytes) -> None:
    """Hashes and positions, in order."""
    assert select_document(text) == twins.document_selection(text)


@given(texts)
def test_a_query_selects_every_holder_of_each_window_minimum(text: bytes) -> None:
    """Hashes, first windows and positions of all minima."""
    assert select_query(text) == twins.query_selection(text)


@given(st.binary(min_size=KGRAM, max_size=120), st.data())
def test_hashes_fed_in_two_parts_equal_those_of_the_whole(text: bytes, data: st.DataObject) -> None:
    """The state carries the rolling hash on; nothing else is written."""
    kgrams = len(text) - KGRAM + 1
    cut = data.draw(st.integers(1, kgrams))
    out = np.full(kgrams + 6, 77, np.uint64)
    state = call_hash(array(text), 0, cut, np.uint64(0), out, 3)
    if cut < kgrams:
        call_hash(array(text), cut, kgrams, np.uint64(state), out, 3 + cut)
    assert out.tolist() == [77, 77, 77, *twins.hashes(text), 77, 77, 77]


def borders() -> Iterator[int]:
    """Lengths around every size that the kernels treat specially."""
    for size in (0, KGRAM, WINDOW, GUARANTEE, GUARANTEE + WINDOW):
        yield from range(max(0, size - 3), size + 4)


@pytest.mark.parametrize("unit", [b"-", b"ab", bytes(range(7)), bytes(range(25)), bytes(range(26)), bytes(range(27))])
def test_rulers_of_every_length_around_the_borders_agree(unit: bytes) -> None:
    """Lengths about 0, k, w, T and T + w."""
    for length in borders():
        text = repeated(unit, length)
        assert select_document(text) == twins.document_selection(text), length
        assert select_query(text) == twins.query_selection(text), length


@pytest.mark.parametrize("extra", [-1, 0, 1, KGRAM - 2, KGRAM - 1, KGRAM, WINDOW, GUARANTEE - 1, GUARANTEE])
def test_texts_that_end_near_the_border_of_a_chunk_agree(extra: int) -> None:
    """The hashes of w - 1 k-grams are carried from one chunk to the next."""
    rng = random.Random(extra)
    for alphabet in (b"-", b"-" * 60 + b"a", bytes(range(256))):
        text = bytes(rng.choices(alphabet, k=CHUNK + extra))
        assert select_document(text) == twins.document_selection(text)
        assert select_query(text) == twins.query_selection(text)


def test_a_text_of_several_chunks_agrees() -> None:
    """Ties stand across the borders of chunks: a ruler goes through two of them."""
    rng = random.Random(3)
    text = rng.randbytes(CHUNK - 40) + b"-" * 120 + rng.randbytes(CHUNK - 60) + b"ab" * 60 + rng.randbytes(300)
    assert select_document(text) == twins.document_selection(text)
    assert select_query(text) == twins.query_selection(text)


@given(texts, st.data())
def test_the_selection_of_a_prefix_is_a_prefix_of_the_selection(text: bytes, data: st.DataObject) -> None:
    """On both sides, so that what was selected while streaming stays selected."""
    cut = data.draw(st.integers(0, len(text)))
    document, query = select_document(text[:cut]), query_positions(text[:cut])
    assert select_document(text)[: len(document)] == document
    assert query_positions(text)[: len(query)] == query


shared = st.text("ab", min_size=GUARANTEE, max_size=150).map(str.encode) | st.builds(
    repeated, st.binary(min_size=1, max_size=30), st.integers(GUARANTEE, 150)
)
around = few_letters | rulers


@given(shared | st.binary(min_size=GUARANTEE, max_size=100), around, around, around, around)
def test_what_a_document_chose_in_a_shared_window_the_query_selects_there(
    passage: bytes, before: bytes, after: bytes, query_before: bytes, query_after: bytes
) -> None:
    """The theorem that the guarantee rests on: whatever surrounds the passage on either side."""
    document = before + passage + after
    stored = {position for _, position in select_document(document)}
    chosen = twins.choices(twins.hashes(document))
    selected = set(query_positions(query_before + passage + query_after))
    for window in range(len(passage) - GUARANTEE + 1):
        position = chosen[len(before) + window]
        assert position in stored
        assert position - len(before) + len(query_before) in selected


@given(shared, around, around, around, around)
def test_every_shared_passage_of_the_guaranteed_length_has_a_common_fingerprint(
    passage: bytes, before: bytes, after: bytes, query_before: bytes, query_after: bytes
) -> None:
    """The guarantee itself, said without the twin: same hash, same place in the passage, whole k-gram inside it."""
    inside = range(len(passage) - KGRAM + 1)
    stored = {(value, at - len(before)) for value, at in select_document(before + passage + after)}
    asked = {
        (value, at - len(query_before))
        for value, _, positions in select_query(query_before + passage + query_after)
        for at in positions
    }
    assert any(at in inside for _, at in stored & asked)


@given(st.lists(texts, max_size=5))
def test_documents_of_a_batch_are_fingerprinted_each_for_itself(documents: list[bytes]) -> None:
    """White space goes, positions count from the head of the batch, and no window crosses a border."""
    raw = array(b"".join(documents))
    ends = np.cumsum([len(document) for document in documents], dtype=np.int64)
    canonical, canonical_ends = np.empty(len(raw), np.uint8), np.empty(len(ends), np.int64)
    hashes, positions = np.empty(len(raw), np.uint64), np.empty(len(raw), np.int64)
    count = fingerprint_documents(raw, ends, canonical, canonical_ends, hashes, positions, work())
    expected = []
    base = 0
    for document in documents:
        text = twins.canonical(document)
        expected += [(value, base + position) for value, position in twins.document_selection(text)]
        base += len(text)
    assert list(zip(hashes[:count].tolist(), positions[:count].tolist(), strict=True)) == expected
    assert canonical[:base].tobytes() == twins.canonical(b"".join(documents))
    assert canonical_ends[-1:].tolist() == ([base] if documents else [])
