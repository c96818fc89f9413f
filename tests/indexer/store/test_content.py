"""The content store: blocks with their tables, behind a dictionary that is worth its bytes."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise

import lz4.block
import numpy as np
import pytest
import twins

from codecite.indexer.config import BLOCK
from codecite.indexer.kernels.lz4 import MAX_DICTIONARY
from codecite.indexer.store.content import BlockCompressor, train_dictionary


def code(number: int, size: int) -> bytes:
    """Text that repeats itself as code does."""
    lines = (b"def f_%d_%d(value):\n\treturn value + %d\r\n" % (number, i, i * number) for i in range(size // 30 + 1))
    return b"".join(lines)[:size]


@pytest.mark.parametrize("size", [0, 1, BLOCK - 1, BLOCK, BLOCK + 1, 5 * BLOCK + 33])
@pytest.mark.parametrize("dictionary", [b"", code(3, 3000)])
def test_blocks_and_their_tables_describe_the_raw_bytes(size: int, dictionary: bytes) -> None:
    """Ends, raw bytes, canonical bytes and line feeds of each block."""
    raw = code(1, size)
    blocks = BlockCompressor(dictionary).compress(np.frombuffer(raw, np.uint8))
    pieces = [raw[at : at + BLOCK] for at in range(0, size, BLOCK)]
    assert blocks.raw.tolist() == [len(piece) for piece in pieces]
    assert blocks.canonical.tolist() == [len(twins.canonical(piece)) for piece in pieces]
    assert blocks.lines.tolist() == [piece.count(b"\n") for piece in pieces]
    packed = blocks.data.tobytes()
    bounds = [0, *blocks.ends.tolist()]
    assert bounds[-1] == len(packed)
    for piece, (first, last) in zip(pieces, pairwise(bounds), strict=True):
        assert lz4.block.decompress(packed[first:last], uncompressed_size=len(piece), dict=dictionary) == piece


def test_a_trained_dictionary_makes_blocks_smaller_and_stays_within_reach() -> None:
    """Every byte of it can be referred to from the end of a block."""
    texts = [code(number, 8000) for number in range(200)]
    dictionary = train_dictionary(texts)
    assert 1024 < len(dictionary) <= MAX_DICTIONARY
    raw = np.frombuffer(b"".join(texts[::20]), np.uint8)
    with_it, without = BlockCompressor(dictionary).compress(raw), BlockCompressor(b"").compress(raw)
    assert len(with_it.data) < 0.9 * len(without.data)


@pytest.mark.parametrize("texts", [[], [b""], [b"x"], [code(1, 2000)], [bytes(200_000)], [b"ab" * 50_000]])
def test_where_there_is_little_to_learn_blocks_still_come_back(texts: list[bytes]) -> None:
    """An empty dictionary, or a useless one."""
    dictionary = train_dictionary(texts)
    assert len(dictionary) <= MAX_DICTIONARY
    raw = b"".join(texts)[:BLOCK]
    blocks = BlockCompressor(dictionary).compress(np.frombuffer(raw, np.uint8))
    if raw:
        assert lz4.block.decompress(blocks.data.tobytes(), uncompressed_size=len(raw), dict=dictionary) == raw


def test_threads_may_share_a_compressor() -> None:
    """Its tables of the dictionary are only read."""
    compressor = BlockCompressor(code(0, 5000))
    texts = [np.frombuffer(code(number, 50_000), np.uint8) for number in range(12)]
    alone = [compressor.compress(text).data.tobytes() for text in texts]
    with ThreadPoolExecutor(4) as executor:
        for _ in range(3):
            assert [blocks.data.tobytes() for blocks in executor.map(compressor.compress, texts)] == alone
