"""The kernels of canonical text agree with their twins."""

from __future__ import annotations

import numpy as np
import twins
from hypothesis import given
from hypothesis import strategies as st

from codecite.indexer.kernels import canonical as kernels
from codecite.indexer.kernels.documents import measure

raws = st.binary(max_size=120) | st.text("a \n\t\r\v\f\x08\x0e\x1c\x85é", max_size=120).map(str.encode)
characters = st.characters(exclude_categories=["Cs"]) | st.characters(min_codepoint=0xDC80, max_codepoint=0xDCFF)


def array(data: bytes) -> np.ndarray:
    """The bytes as a kernel takes them."""
    return np.frombuffer(bytearray(data), np.uint8)


def canonicalized(raw: bytes) -> bytes:
    """What the kernel makes of `raw`, in an array of just that length."""
    out = np.empty(len(raw), np.uint8)
    return out[: kernels.canonicalize(array(raw), out)].tobytes()


@given(raws)
def test_canonical_text_drops_the_six_white_space_bytes_and_nothing_else(raw: bytes) -> None:
    """Any bytes come out as the twin says."""
    assert canonicalized(raw) == twins.canonical(raw)


def test_each_byte_value_is_kept_or_dropped_as_specified() -> None:
    """All 256 values, one at a time."""
    for value in range(256):
        assert canonicalized(bytes([value])) == twins.canonical(bytes([value])), value


@given(raws, st.data())
def test_the_canonical_text_of_a_prefix_is_a_prefix(raw: bytes, data: st.DataObject) -> None:
    """Streaming and batch agree because of this."""
    cut = data.draw(st.integers(0, len(raw)))
    assert canonicalized(raw).startswith(canonicalized(raw[:cut]))


@given(raws)
def test_a_text_may_be_made_canonical_in_place(raw: bytes) -> None:
    """The output may be the input."""
    text = array(raw)
    assert text[: kernels.canonicalize(text, text)].tobytes() == twins.canonical(raw)


@given(raws, st.data())
def test_every_canonical_position_is_located(raw: bytes, data: st.DataObject) -> None:
    """Ascending positions, some asked for twice, come back with their offsets and lines."""
    expected = twins.places(raw)
    positions = st.integers(0, len(expected) - 1) if expected else st.nothing()
    wanted = sorted(data.draw(st.lists(positions, max_size=10))) if expected else []
    where = np.full(len(wanted), -1, np.int64)
    lines = np.full(len(wanted), -1, np.int64)
    kernels.locate(array(raw), np.array(wanted, np.int64), where, lines)
    assert list(zip(where.tolist(), lines.tolist(), strict=True)) == [expected[position] for position in wanted]


@given(st.text(characters, max_size=60))
def test_code_points_start_where_the_encoded_text_says(text: str) -> None:
    """Also where bytes were escaped, alone or side by side."""
    expected = twins.starts(text)
    marked = np.full(len(expected), 9, np.uint8)
    kernels.code_point_starts_of(np.array([ord(point) for point in text], np.uint32), marked)
    assert marked.tolist() == expected


@given(st.text(st.characters(exclude_categories=["Cs"]), max_size=60))
def test_in_valid_utf8_the_bytes_alone_tell_where_code_points_start(text: str) -> None:
    """The short way agrees with the long one."""
    expected = twins.starts(text)
    marked = np.full(len(expected), 9, np.uint8)
    kernels.code_point_starts(array(text.encode()), marked)
    assert marked.tolist() == expected


@given(st.lists(st.integers(0, 1), max_size=60), st.data())
def test_the_code_points_before_each_offset_are_counted(starting: list[int], data: st.DataObject) -> None:
    """For offsets that ascend and may repeat."""
    offsets = sorted(data.draw(st.lists(st.integers(0, len(starting)), max_size=10)))
    counts = np.full(len(offsets), -1, np.int64)
    kernels.count_starts(np.array(starting, np.uint8), np.array(offsets, np.int64), counts)
    assert counts.tolist() == twins.counts(starting, offsets)


@given(st.lists(raws, max_size=6))
def test_stretches_are_measured_in_canonical_bytes_and_line_feeds(stretches: list[bytes]) -> None:
    """Empty ones too."""
    ends = np.cumsum([len(raw) for raw in stretches], dtype=np.int64)
    kept, feeds = np.full(len(ends), -1, np.int64), np.full(len(ends), -1, np.int64)
    measure(array(b"".join(stretches)), ends, kept, feeds)
    assert kept.tolist() == [len(twins.canonical(raw)) for raw in stretches]
    assert feeds.tolist() == [raw.count(b"\n") for raw in stretches]
