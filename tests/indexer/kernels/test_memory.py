"""Agreement by words of eight bytes equals agreement byte by byte, at every alignment."""

from __future__ import annotations

import numba
import numpy as np
import pytest
import twins
from hypothesis import given
from hypothesis import strategies as st

from codecite.indexer.kernels import memory

_prefix, _suffix = memory.common_prefix, memory.common_suffix


@numba.njit
def call_prefix(a, i, b, j, limit):  # type: ignore[no-untyped-def]
    """A way in from Python."""
    return _prefix(a, i, b, j, limit)


@numba.njit
def call_suffix(a, i, b, j, limit):  # type: ignore[no-untyped-def]
    """A way in from Python."""
    return _suffix(a, i, b, j, limit)


def array(text: bytes) -> np.ndarray:
    """The bytes as a kernel takes them."""
    return np.frombuffer(bytearray(text), np.uint8)


@pytest.mark.parametrize("limit", range(26))
def test_a_difference_is_found_at_every_place_and_alignment(limit: int) -> None:
    """Also where the first bytes beyond the limit agree, or the arrays end there."""
    for i in range(9):
        for j in (0, 3, 8):
            for room in (0, 9):
                for at in [*range(limit), None]:
                    a = array(bytes(i) + b"\x01" * limit + b"\x01" * room)
                    b = array(bytes(j) + b"\x01" * limit + b"\x01" * room)
                    if at is not None:
                        b[j + at] = 0x81
                    expected = limit if at is None else at
                    assert call_prefix(a, i, b, j, limit) == expected, (i, j, at)
                    reverse = limit if at is None else limit - 1 - at
                    assert call_suffix(a, i + limit, b, j + limit, limit) == reverse, (i, j, at)


@given(st.text("ab", max_size=40).map(str.encode), st.text("ab", max_size=40).map(str.encode), st.data())
def test_both_directions_agree_with_their_twin(a: bytes, b: bytes, data: st.DataObject) -> None:
    """From any two places, up to any limit that both texts can bear."""
    i, j = data.draw(st.integers(0, len(a))), data.draw(st.integers(0, len(b)))
    limit = data.draw(st.integers(0, min(len(a) - i, len(b) - j)))
    expected = twins.agreement(a[i : i + limit], b[j : j + limit])
    assert call_prefix(array(a), i, array(b), j, limit) == expected
    limit = data.draw(st.integers(0, min(i, j)))
    expected = twins.agreement(a[i - limit : i][::-1], b[j - limit : j][::-1])
    assert call_suffix(array(a), i, array(b), j, limit) == expected
