"""What is asked for from so many bytes on is what is there from so many bytes on."""

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st
from oracle.library import Library
from oracle.realcode import excerpt

SHORTEST = (50, 60, 74, 75, 76, 90, 100, 120, 150, 151, 200, 400)


def agrees(library: Library, query: bytes, shortest: int, before: bytes = b"") -> None:
    """Compare with all Matches, the short ones left out."""
    whole = library.index.check(query, before=before, sources=3).attributions
    asked = library.index.check(query, before=before, sources=3, shortest=shortest).attributions
    assert list(asked) == [item for item in whole if item.match.bytes_in_text >= shortest]


@pytest.mark.parametrize("seed", range(40))
def test_splices_of_real_code(real_code: Library, files: list[bytes], seed: int) -> None:
    """Slices of all lengths between words of one's own, rulers among them."""
    chance = random.Random(seed)
    parts = []
    for _ in range(12):
        parts.append(excerpt(chance, chance.choice(files), chance.choice((80, 130, 180, 230, 300, 600))))
        glue = (b"", b"\nours = 1\n", b"-" * chance.randint(1, 300), b"ab " * chance.randint(1, 90))
        parts.append(chance.choice(glue))
    for shortest in chance.sample(SHORTEST, 4):
        agrees(real_code, b"".join(parts), shortest)


@given(st.data())
def test_slices_of_exactly_so_many_bytes(real_code: Library, files: list[bytes], data: st.DataObject) -> None:
    """One byte more or less than is asked for, in a context or without."""
    content = data.draw(st.sampled_from(files))
    shortest = data.draw(st.sampled_from(SHORTEST))
    dense = b"".join(content.split())
    start = data.draw(st.integers(0, max(0, len(dense) - shortest - 2)))
    size = shortest + data.draw(st.integers(-2, 2))
    query = b"\x01\x02" + dense[start : start + size] + b"\x03\x04"
    cut = data.draw(st.sampled_from((0, 0, len(query) // 3)))
    agrees(real_code, query[cut:], shortest, query[:cut])
