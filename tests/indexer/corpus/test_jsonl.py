"""JSON Lines give a row for each good line, and name each bad one."""

from __future__ import annotations

import gzip
import json
import os
import zlib
from pathlib import Path

import pytest
import zstandard
from hypothesis import given
from hypothesis import strategies as st

from codecite.indexer.corpus import jsonl, members
from codecite.indexer.corpus.jsonl import lines
from codecite.indexer.corpus.row import Row
from codecite.indexer.errors import SourceError

TEXTS = [path.read_text("utf-8") for path in sorted(Path(json.__file__).parent.glob("*.py"))]
"""Real files: Python's json package."""

BODY = b"".join(json.dumps({"content": text, "n": n}).encode() + b"\n" for n, text in enumerate(TEXTS * 5))
COMPRESS = {"plain": bytes, "gzip": gzip.compress, "zstd": zstandard.compress}


def read(folder: Path, data: bytes) -> list[Row | SourceError]:
    """What a file of these bytes gives."""
    (folder / "a.jsonl").write_bytes(data)
    return list(lines(os.fspath(folder / "a.jsonl"), "content"))


def numbers(found: list[Row | SourceError]) -> list[object]:
    """The column `n` of the rows."""
    return [row.values["n"] for row in found if isinstance(row, Row)]


@pytest.mark.parametrize("kind", COMPRESS)
def test_lines_are_rows_with_their_places(tmp_path: Path, kind: str) -> None:
    """The number of the line, and where it begins in the text before it was compressed."""
    found = read(tmp_path, COMPRESS[kind](BODY))
    offset = 0
    for number, (row, line) in enumerate(zip(found, BODY.splitlines(keepends=True), strict=True), 1):
        assert row == Row(number, f"line {number} (byte {offset:,})", json.loads(line))
        offset += len(line)


@pytest.mark.parametrize("kind", ["gzip", "zstd"])
def test_compressed_parts_one_after_the_other_are_one_file(tmp_path: Path, kind: str) -> None:
    """As `cat` joins them."""
    assert numbers(read(tmp_path, COMPRESS[kind](BODY) * 3)) == list(range(len(TEXTS) * 5)) * 3


def test_byte_order_mark_blank_lines_and_a_missing_last_newline_are_no_rows(tmp_path: Path) -> None:
    """Lines keep their numbers."""
    found = read(tmp_path, b'\xef\xbb\xbf{"content": "a"}\r\n\n  \n{"content": "b"}')
    assert [(row.number, row.values["content"]) for row in found if isinstance(row, Row)] == [(1, "a"), (4, "b")]
    assert len(found) == 2


@pytest.mark.parametrize(
    ("line", "message"),
    [
        (b'{"content": "x"', "not JSON: Expecting ',' delimiter at character 16; mend the line"),
        (b"[1]", r"JSON of another kind \(list\); each line holds one object"),
        (b'{"content": "\xff"}', "not UTF-8 at byte 13 of the line; write the row again as UTF-8"),
        (b"[" * 100_000, "JSON that cannot be read .*recursion"),
        (b'{"content": ' + b"9" * 5000 + b"}", "JSON that cannot be read .*digits"),
    ],
)
def test_a_broken_line_is_named_and_the_others_go_on(tmp_path: Path, line: bytes, message: str) -> None:
    """File, line, byte and mend."""
    good = b'{"content": "x"}\n'
    first, broken, last = read(tmp_path, good + line + b"\n" + good)
    assert isinstance(broken, SourceError)
    assert str(broken).startswith(f"{tmp_path}/a.jsonl: line 2 (byte 17): ")
    with pytest.raises(SourceError, match=message):
        raise broken
    assert isinstance(first, Row)
    assert isinstance(last, Row)
    assert last.place == f"line 3 (byte {18 + len(line):,})"


def test_a_line_over_the_limit_is_named_and_passed_over(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is not held; a line of just the limit is read."""
    good = b'{"content": "x"}\n'
    monkeypatch.setattr(jsonl, "MAX_LINE", len(good))
    found = read(tmp_path, good + b" " + good + b"x" * 3_000_000 + b"\n" + good)
    assert [isinstance(item, Row) for item in found] == [True, False, False, True]
    assert "line 3 (byte 35): longer than 17 bytes; leave the row out or cut its text" in str(found[2])


@pytest.mark.parametrize("kind", ["gzip", "zstd"])
@pytest.mark.parametrize("share", [0.02, 0.3, 0.7, 0.99])
def test_of_a_truncated_file_the_rows_before_the_break_come_first(tmp_path: Path, kind: str, share: float) -> None:
    """Then the error with the place; as many rows as the format's own tool can expand."""
    data = COMPRESS[kind](BODY * 20)
    cut = data[: int(len(data) * share)]
    if kind == "gzip":
        expanded = zlib.decompressobj(31).decompress(cut)
    else:
        expanded = zstandard.ZstdDecompressor().decompressobj().decompress(cut)
    if not (complete := expanded.count(b"\n")):
        with pytest.raises(SourceError, match="cut off or damaged after line 0"):
            read(tmp_path, cut)
        return
    *found, broken = read(tmp_path, cut)
    assert len(found) == complete
    assert isinstance(broken, SourceError)
    assert f"a.jsonl: cut off or damaged after line {complete} (byte" in str(broken)
    assert str(broken).endswith("; download or write the file again")


def test_a_wrong_checksum_is_named_at_the_end(tmp_path: Path) -> None:
    """The rows have been given by then."""
    data = bytearray(gzip.compress(BODY))
    data[-6] ^= 1
    *found, broken = read(tmp_path, bytes(data))
    assert numbers(found) == list(range(len(TEXTS) * 5))
    assert "CRC check failed" in str(broken)


def test_a_first_row_without_the_column_names_those_that_there_are(tmp_path: Path) -> None:
    """And the option that mends it."""
    with pytest.raises(SourceError, match=r"no column content among code, id; .* --columns content=NAME"):
        read(tmp_path, b'{"code": "x", "id": 1}\n')


def test_an_empty_file_has_no_rows(tmp_path: Path) -> None:
    """It is no error."""
    assert read(tmp_path, b"") == []


@given(st.sampled_from(sorted(COMPRESS)), st.integers(0, 1 << 20), st.binary(max_size=6), st.booleans())
def test_whatever_the_bytes_are_only_source_errors_come(
    tmp_path_factory: pytest.TempPathFactory, kind: str, at: int, junk: bytes, cut: bool
) -> None:
    """Bytes are replaced anywhere, or the file ends there."""
    data = COMPRESS[kind](BODY[:4000])
    at %= len(data)
    folder = tmp_path_factory.mktemp("fuzz", numbered=True)
    try:
        found = read(folder, data[:at] + junk + (b"" if cut else data[at + len(junk) :]))
    except SourceError as error:
        assert "a.jsonl" in str(error)
    else:
        assert all(isinstance(item, Row | SourceError) for item in found)


@pytest.mark.parametrize("kind", ["gzip", "zstd"])
def test_a_file_that_expands_too_far_ends_at_the_limit(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    """The rows before it are given; in one line or in many."""
    monkeypatch.setattr(members, "FREE_BYTES", 5 << 20)
    monkeypatch.setattr(jsonl, "MAX_LINE", 1 << 20)
    row = b'{"content": "a"}\n'
    for bomb in (b" " * (9 << 20), (b" " * 99_999 + row) * 90):
        (tmp_path / "a.jsonl").write_bytes(COMPRESS[kind](row + bomb))
        found = lines(os.fspath(tmp_path / "a.jsonl"), "content")
        assert isinstance(next(found), Row)
        with pytest.raises(SourceError, match=r"a\.jsonl: expands to more than 5,242,880 bytes"):
            list(found)


def test_a_file_of_empty_lines_is_given_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The limit is on those that come one after the other."""
    monkeypatch.setattr(jsonl, "MAX_EMPTY", 100)
    row = b'{"content": "a"}\n'
    assert len(read(tmp_path, (row + b"\n" * 100) * 5)) == 5
    first, second, error = read(tmp_path, row + b"\n" * 100 + row + b"\n" * 101 + row)
    assert isinstance(first, Row)
    assert isinstance(second, Row)
    assert "more than 100 lines without anything in them" in str(error)


def test_what_json_says_of_a_line_is_said_in_one_sentence(tmp_path: Path) -> None:
    """A line break within a text, as an export by hand leaves it."""
    (error, *_) = read(tmp_path, b'{"content": "a\n"}\n')
    assert "not JSON: Invalid control character at character 15; mend the line" in str(error)
