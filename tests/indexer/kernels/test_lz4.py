"""The codec: what it writes every LZ4 library reads, what they write it reads, and no bytes lead it astray."""

from __future__ import annotations

import inspect
from itertools import pairwise

import lz4.block
import numba
import numpy as np
import pytest
import twins
from hypothesis import given
from hypothesis import strategies as st

from codecite.indexer.config import BLOCK
from codecite.indexer.kernels import lz4 as codec

_decompress_block = codec.decompress_block


@numba.njit
def call(source, at, end, work, begin, limit):  # type: ignore[no-untyped-def]
    """A way in from Python."""
    return _decompress_block(source, at, end, work, begin, limit)


def array(text: bytes) -> np.ndarray:
    """The bytes as a kernel takes them."""
    return np.frombuffer(bytearray(text), np.uint8)


def compress(raw: bytes, block: int = BLOCK, dictionary: bytes = b"") -> list[bytes]:
    """The compressed blocks, written into just the room that is asked for."""
    heads, previous = np.empty(1 << codec.HASH_BITS, np.int64), np.empty(len(dictionary), np.int64)
    codec.chain_dictionary(array(dictionary), heads, previous)
    count = -(-len(raw) // block)
    room = len(raw) + len(raw) // 200 + 16 * count
    out, ends = np.full(room + 64, 0xA5, np.uint8), np.zeros(count, np.int64)
    length = codec.compress(array(raw), block, array(dictionary), heads, previous, out[:room], ends)
    assert length <= room
    assert (out[room:] == 0xA5).all()
    assert ends[-1:].tolist() == ([length] if count else [])
    bounds = [0, *ends.tolist()]
    return [out[a:b].tobytes() for a, b in pairwise(bounds)]


def decompress(source: bytes, dictionary: bytes, limit: int, spare: int = 0, around: int = 0x5A) -> bytes | None:
    """Decode inside larger arrays full of one byte: what lies outside must neither change nor matter.

    `spare` bytes of room follow the limit; the block lies between two others in its array.
    """
    guard = bytes([around]) * 64
    sources = array(guard + source + guard)
    works = array(guard + dictionary + bytes([around]) * (limit + spare) + guard)
    work = works[64:-64]
    count = call(sources[64 : 64 + len(source)], 0, len(source), work, len(dictionary), limit)
    assert works[:64].tobytes() == guard
    assert works[-64:].tobytes() == guard
    assert work[: len(dictionary)].tobytes() == dictionary
    assert sources.tobytes() == guard + source + guard
    assert -1 <= count <= limit
    return None if count < 0 else work[len(dictionary) : len(dictionary) + count].tobytes()


letters = st.text("ab", max_size=200).map(str.encode)
words = st.lists(st.sampled_from([b"return ", b"self.", b"    ", b"value", b"\n", b"0x00, "]), max_size=60).map(
    b"".join
)
runs = st.builds(lambda unit, times: unit * times, st.binary(min_size=1, max_size=20), st.integers(0, 400))
raws = st.lists(letters | words | runs | st.binary(max_size=300), max_size=4).map(b"".join)
dictionaries = st.just(b"") | words | letters | st.binary(max_size=40)


@given(raws, dictionaries, st.integers(1, 700))
def test_what_is_compressed_every_lz4_library_reads(raw: bytes, dictionary: bytes, block: int) -> None:
    """Blocks of any size, behind any dictionary: read by the reference library, the twin and the kernel."""
    blocks = compress(raw, block, dictionary)
    assert len(blocks) == -(-len(raw) // block)
    for i, packed in enumerate(blocks):
        expected = raw[i * block : (i + 1) * block]
        assert lz4.block.decompress(packed, uncompressed_size=len(expected), dict=dictionary) == expected
        assert twins.lz4_decode(packed, dictionary, len(expected)) == expected
        for spare in (0, 16):
            assert decompress(packed, dictionary, len(expected), spare) == expected


@given(raws, dictionaries, st.sampled_from(["default", "fast", "high_compression"]))
def test_what_the_reference_library_compresses_is_read(raw: bytes, dictionary: bytes, mode: str) -> None:
    """The decoder knows the format, not just what its own compressor writes."""
    packed = lz4.block.compress(raw, mode=mode, store_size=False, dict=dictionary)
    assert decompress(packed, dictionary, len(raw)) == raw


def source_code() -> bytes:
    """Real text: Python's own library."""
    return b"".join(inspect.getsource(module).encode() for module in (inspect, pytest, lz4.block, st))


@pytest.mark.parametrize("size", [0, 1, 3, 4, 100, 4096, codec.MAX_DICTIONARY])
def test_real_text_comes_back_behind_dictionaries_of_every_size(size: int) -> None:
    """Up to the largest allowed, whose first byte a match in the last bytes of a block still reaches."""
    text = source_code()
    dictionary = (text * 3)[:size]
    raw = text[: 5 * BLOCK + 17] + dictionary[: 2 * BLOCK]
    blocks = compress(raw, BLOCK, dictionary)
    for i, packed in enumerate(blocks):
        expected = raw[i * BLOCK : (i + 1) * BLOCK]
        assert lz4.block.decompress(packed, uncompressed_size=len(expected), dict=dictionary) == expected
        assert decompress(packed, dictionary, len(expected), 16) == expected
    assert sum(map(len, blocks)) < len(raw) * 0.6


def test_random_bytes_fit_in_the_room_that_is_asked_for() -> None:
    """What cannot be compressed grows by no more than the stated bound."""
    raw = np.random.default_rng(1).integers(0, 256, 20_000, np.uint8).tobytes()
    for block in (1, 2, 13, 300, BLOCK, 20_000):
        assert b"".join(decompress(packed, b"", block) or b"" for packed in compress(raw, block)) == raw


def test_a_long_repetition_takes_a_few_bytes() -> None:
    """The match is found, and its length is told in as many bytes as it needs."""
    (packed,) = compress(b"-" * BLOCK)
    assert len(packed) < 40


def both(source: bytes, dictionary: bytes, limit: int) -> None:
    """The kernel gives what the specification gives, whatever lies around its arrays."""
    expected = twins.lz4_decode(source, dictionary, limit)
    for around in (0x00, 0xFF):
        for spare in (0, 16):
            assert decompress(source, dictionary, limit, spare, around) == expected


@given(raws, dictionaries, st.integers(0, 3), st.data())
def test_damaged_blocks_are_refused_or_decoded_within_bounds(
    raw: bytes, dictionary: bytes, changes: int, data: st.DataObject
) -> None:
    """Some bytes changed, or the end cut off: as the specification says, and nothing outside is read or written."""
    packed = bytearray(lz4.block.compress(raw, store_size=False, dict=dictionary))
    for _ in range(changes):
        packed[data.draw(st.integers(0, len(packed) - 1))] = data.draw(st.integers(0, 255))
    cut = data.draw(st.integers(0, len(packed)))
    for damaged in (bytes(packed), bytes(packed[:cut])):
        both(damaged, dictionary, len(raw))


@given(st.binary(max_size=60) | st.lists(st.sampled_from([0, 1, 4, 15, 16, 31, 240, 255])).map(bytes), dictionaries)
def test_arbitrary_bytes_are_refused_or_decoded_within_bounds(source: bytes, dictionary: bytes) -> None:
    """Bytes that never were a block."""
    for limit in (0, 7, 300):
        both(source, dictionary, limit)


def test_every_truncation_of_a_block_agrees_with_the_specification() -> None:
    """A prefix of a block is refused, save where a sequence of literals happens to end there."""
    raw = b"def f(self, value):\n    return self.value + value\n" * 5
    (packed,) = compress(raw)
    for cut in range(len(packed)):
        both(packed[:cut], b"", len(raw))
        assert decompress(packed[:cut], b"", len(raw)) != raw


@pytest.mark.parametrize(("at", "end"), [(-1, 4), (0, 200), (150, 160), (3, 2), (100, 101)])
def test_a_block_that_does_not_lie_in_its_array_is_refused(at: int, end: int) -> None:
    """Damaged tables may ask for anything."""
    assert call(array(bytes(100)), at, end, array(bytes(64)), 0, 64) == -1


@given(raws, dictionaries, st.integers(1, 700), st.data())
def test_many_blocks_are_decoded_at_once_up_to_the_first_that_is_damaged(
    raw: bytes, dictionary: bytes, block: int, data: st.DataObject
) -> None:
    """Those that are wanted, each in its place; nothing is written anywhere else."""
    blocks = compress(raw, block, dictionary)
    bad = None
    if blocks and data.draw(st.booleans()):
        bad = data.draw(st.integers(0, len(blocks) - 1))
        blocks[bad] = blocks[bad][: data.draw(st.integers(0, len(blocks[bad]) - 1))]
    wanted = data.draw(st.lists(st.booleans(), min_size=len(blocks), max_size=len(blocks)))
    sizes = [len(raw[at : at + block]) for at in range(0, len(raw), block)]
    starts = np.cumsum([0, *sizes], dtype=np.int64)
    room = len(raw) if data.draw(st.integers(0, 9)) else data.draw(st.integers(0, len(raw)))
    out = np.full(room + 32, 0xA5, np.uint8)
    ends = np.cumsum([len(packed) for packed in blocks], dtype=np.int64)
    source = array(b"".join(blocks))
    first = codec.expand(source, ends, starts, np.array(wanted, bool), array(dictionary), block, out[:room])
    expected = np.full(room + 32, 0xA5, np.uint8)
    for i, packed in enumerate(blocks):
        if not wanted[i]:
            continue
        piece = twins.lz4_decode(packed, dictionary, block)
        if piece is None or len(piece) != sizes[i] or starts[i + 1] > room:
            assert first == i
            break
        expected[starts[i] : starts[i + 1]] = array(piece)
    else:
        assert first == -1
    assert out.tolist() == expected.tolist()
