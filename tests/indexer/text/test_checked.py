"""The text of a check: offsets in bytes, code points and lines are those of the text as received."""

from __future__ import annotations

import hashlib

import pytest
import twins
from hypothesis import example, given
from hypothesis import strategies as st

from codecite.indexer.errors import TextError
from codecite.indexer.text.checked import CheckedText, encode

characters = st.characters(exclude_categories=["Cs"]) | st.characters(min_codepoint=0xDC80, max_codepoint=0xDCFF)
strings = st.text(st.sampled_from("ab \n\r\té€😀\udcff\udcc3\udca9") | characters, max_size=30)
raws = st.binary(max_size=30) | st.lists(
    st.sampled_from([b"a", b" ", b"\n", b"\xc3", b"\xa9", b"\xe2\x82", b"\xac", b"\xed\xa0\x80", "é😀".encode()])
).map(b"".join)


def holds(checked: CheckedText, received: str, raw: bytes) -> None:
    """Every canonical position lies where the received text says."""
    assert checked.bytes == raw
    assert checked.canonical.tobytes() == twins.canonical(raw)
    expected = twins.places(raw)
    offsets, lines, points = (column.tolist() for column in checked.place(list(range(len(expected)))))
    assert list(zip(offsets, lines, strict=True)) == expected
    starting = twins.starts(received)
    assert points == twins.counts(starting, offsets)


@given(strings, strings, strings)
@example("", "\udcc3\udca9 x", "")
@example("\udcc3", "\udca9é", "\udce2\udc82\udcac")
def test_positions_in_strings_lie_where_the_strings_say(before: str, text: str, after: str) -> None:
    """Also where bytes were escaped, even if together they would be a character."""
    received = before + text + after
    parts = [part.encode("utf-8", "surrogateescape") for part in (before, text, after)]
    checked = CheckedText(text, before, after)
    holds(checked, received, b"".join(parts))
    assert (checked.start_point, checked.end_point) == (len(before), len(before) + len(text))
    begin = len(twins.canonical(parts[0]))
    assert (checked.begin, checked.end) == (begin, begin + len(twins.canonical(parts[1])))
    assert checked.sha256 == hashlib.sha256(parts[1]).hexdigest()


@given(raws)
def test_positions_in_bytes_are_those_of_their_decoding(raw: bytes) -> None:
    """Bytes that are no UTF-8 count a code point each."""
    received = raw.decode("utf-8", "surrogateescape")
    checked = CheckedText(raw)
    holds(checked, received, raw)
    assert (checked.start_point, checked.end_point) == (0, len(received))


@given(raws)
def test_bytes_and_their_decoding_are_placed_alike(raw: bytes) -> None:
    """A file read as bytes and as text gives one answer."""
    checked, decoded = CheckedText(raw), CheckedText(raw.decode("utf-8", "surrogateescape"))
    positions = list(range(len(checked.canonical)))
    for one, other in zip(checked.place(positions), decoded.place(positions), strict=True):
        assert one.tolist() == other.tolist()


@given(strings, st.data())
def test_a_span_is_trimmed_to_whole_code_points(text: str, data: st.DataObject) -> None:
    """Inward, and no farther than it must."""
    checked = CheckedText(text)
    kept = "".join(point for point in text if point not in "\t\n\v\f\r ")
    borders = [sum(len(point.encode("utf-8", "surrogateescape")) for point in kept[:i]) for i in range(len(kept) + 1)]
    start = data.draw(st.integers(0, borders[-1]))
    end = data.draw(st.integers(start, borders[-1]))
    first, last = checked.trim(start, end)
    inside = [border for border in borders if start <= border <= end]
    if len(inside) > 1:
        assert (first, last) == (inside[0], inside[-1])
    else:
        assert first == last


@pytest.mark.parametrize(("text", "offset"), [("ab\ud800", 2), ("\udc7f", 0), ("é\udbff!", 1), ("\udcff\udd00", 1)])
def test_other_lone_surrogates_are_an_error_that_names_the_offset(text: str, offset: int) -> None:
    """In the text and in its context, which is named."""
    with pytest.raises(TextError, match=f"before: at offset {offset} stands a lone surrogate"):
        CheckedText("", before=text)
    with pytest.raises(TextError, match=f"text: at offset {offset} "):
        CheckedText(text)


def test_bytes_are_taken_as_they_are() -> None:
    """Any of them."""
    raw = bytes(range(256))
    assert encode(raw, "text") == raw
    assert encode(raw.decode("utf-8", "surrogateescape"), "text") == raw


def test_an_empty_text_has_nothing_to_place() -> None:
    """With and without context."""
    for checked in (CheckedText(""), CheckedText("", "é", "x"), CheckedText(b" \n")):
        assert checked.begin == checked.end
        assert [column.tolist() for column in checked.place([])] == [[], [], []]
