"""The frame around a file: no changed byte, no missing end and no wrong name goes unnoticed."""

from __future__ import annotations

import re
import struct
import zlib
from pathlib import Path

import numpy as np
import pytest
import xxhash
from hypothesis import given
from hypothesis import strategies as st

from codecite.indexer.errors import CodeciteError, IndexCorruptError, IndexMissingError, IndexVersionError
from codecite.indexer.store.section import (
    BLOCK,
    FORMAT,
    FORMAT_VERSION,
    CheckedReader,
    Section,
    SectionWriter,
    read_array,
    write_array,
)

TRAILER = 32


def write(path: Path, payload: bytes) -> bytes:
    """Write a section; the bytes of the whole file."""
    with SectionWriter(path) as section:
        section.write(payload)
    return path.read_bytes()


def complaint(path: Path) -> str:
    """What is wrong with a section: on opening it, or on walking it; empty if nothing is."""
    try:
        return "\n".join(Section(path).problems())
    except CodeciteError as error:
        return str(error)


@pytest.mark.parametrize("size", [0, 1, BLOCK - 1, BLOCK, BLOCK + 1, 3 * BLOCK])
def test_a_section_gives_its_payload_back(tmp_path: Path, size: int) -> None:
    """Empty, small, and about the borders of the checked blocks."""
    payload = np.random.default_rng(size).integers(0, 256, size, np.uint8).tobytes()
    write(tmp_path / "a", payload)
    section = Section(tmp_path / "a")
    assert bytes(section.payload) == payload
    assert section.length == size
    assert section.problems() == []


def test_a_section_is_framed_as_its_module_specifies(tmp_path: Path) -> None:
    """Checksums and trailer, taken apart by hand."""
    payload = bytes(range(256)) * 600
    whole = write(tmp_path / "a.npy", payload)
    seed = zlib.crc32(f"{tmp_path.name}/a.npy".encode())
    blocks = [payload[at : at + 65536] for at in range(0, len(payload), 65536)]
    checksums = b"".join(struct.pack("<Q", xxhash.xxh64_intdigest(block, seed=seed)) for block in blocks)
    head = b"codecite" + struct.pack("<HHIQ", *FORMAT_VERSION, 65536, len(payload))
    own = struct.pack("<Q", xxhash.xxh64_intdigest(checksums + head, seed=seed))
    assert whole == payload + checksums + head + own


@given(st.lists(st.integers(0, 3 * BLOCK), max_size=6))
def test_it_does_not_matter_in_which_pieces_a_section_is_written(
    tmp_path_factory: pytest.TempPathFactory, sizes: list[int]
) -> None:
    """Pieces may be empty, and longer than a block."""
    folder = tmp_path_factory.getbasetemp()
    payload = (bytes(range(251)) * (sum(sizes) // 251 + 1))[: sum(sizes)]
    whole = write(folder / "pieces", payload)
    at = 0
    with SectionWriter(folder / "pieces") as section:
        for size in sizes:
            section.write(payload[at : at + size])
            at += size
    assert (folder / "pieces").read_bytes() == whole


def test_every_changed_byte_is_noticed_and_named(tmp_path: Path) -> None:
    """Payload, checksums and trailer: the file is named, and where its frame allows it the place."""
    path = tmp_path / "small.npy"
    whole = write(path, bytes(range(100)))
    for at in range(len(whole)):
        for change in (0x01, 0x80):
            path.write_bytes(whole[:at] + bytes([whole[at] ^ change]) + whole[at + 1 :])
            found = complaint(path)
            assert str(path) in found, at
            version = len(whole) - TRAILER + 8 <= at < len(whole) - TRAILER + 12
            assert "at byte " in found or (version and "format" in found), (at, found)


def test_the_damaged_block_is_named_by_its_offset(tmp_path: Path) -> None:
    """One sentence for each block, with the byte at which it begins."""
    path = tmp_path / "big"
    whole = bytearray(write(path, bytes(4 * BLOCK + 10)))
    for at in (BLOCK, 2 * BLOCK - 1, 4 * BLOCK + 9):
        whole[at] ^= 4
    path.write_bytes(whole)
    problems = Section(path).problems()
    assert [f"{path}: at byte {place}:" in text for place, text in zip((BLOCK, 4 * BLOCK), problems, strict=True)] == [
        True,
        True,
    ]


def test_every_truncation_is_noticed(tmp_path: Path) -> None:
    """A file cut short anywhere is refused, with its name."""
    path = tmp_path / "short"
    whole = write(path, b"payload " * 20)
    for size in range(len(whole)):
        path.write_bytes(whole[:size])
        with pytest.raises(IndexCorruptError, match="short: at byte"):
            Section(path)


def test_bytes_behind_the_end_are_noticed(tmp_path: Path) -> None:
    """One too many is as wrong as one too few."""
    path = tmp_path / "long"
    whole = write(path, b"payload")
    for more in (b"\0", b"x" * 8, whole[-TRAILER:]):
        path.write_bytes(whole + more)
        assert str(path) in complaint(path)


def test_a_section_under_anothers_name_is_refused(tmp_path: Path) -> None:
    """Each checksum is seeded with the file's name and that of its Segment."""
    write(tmp_path / "tags.npy", b"the same bytes")
    (tmp_path / "tags.npy").rename(tmp_path / "positions.npy")
    with pytest.raises(IndexCorruptError, match=r"positions\.npy"):
        Section(tmp_path / "positions.npy")
    (tmp_path / "other").mkdir()
    (tmp_path / "positions.npy").rename(tmp_path / "other" / "tags.npy")
    with pytest.raises(IndexCorruptError, match=r"other/tags\.npy"):
        Section(tmp_path / "other" / "tags.npy")


def test_another_version_is_named(tmp_path: Path) -> None:
    """The message says which version the file has and which is read."""
    path = tmp_path / "old"
    whole = bytearray(write(path, b"payload"))
    struct.pack_into("<HH", whole, len(whole) - TRAILER + 8, 7, 5)
    path.write_bytes(whole)
    with pytest.raises(IndexVersionError, match=rf"format 7\.5, this version reads {re.escape(FORMAT)};"):
        Section(path)


def test_a_missing_section_is_named(tmp_path: Path) -> None:
    """The index lacks a file."""
    with pytest.raises(IndexMissingError, match=r"gone\.npy"):
        Section(tmp_path / "gone.npy")


def test_a_folder_in_the_place_of_a_section_is_refused(tmp_path: Path) -> None:
    """What cannot be read is said to be unreadable."""
    (tmp_path / "folder.npy").mkdir()
    with pytest.raises(IndexCorruptError, match=r"folder\.npy: cannot be read"):
        Section(tmp_path / "folder.npy")


@pytest.mark.parametrize(
    "array",
    [
        np.arange(10, dtype=np.uint16),
        np.zeros((3, 0), np.int64),
        np.arange(12, dtype=np.int64).reshape(4, 3)[:, ::2],
        np.empty(0, np.uint8),
    ],
)
def test_an_array_comes_back_mapped_and_public_tools_map_it_too(tmp_path: Path, array: np.ndarray) -> None:
    """The frame follows the end of the .npy file, where numpy does not look."""
    path = tmp_path / "a.npy"
    write_array(path, array)
    ours = read_array(path)
    np.testing.assert_array_equal(ours, array, strict=True)
    assert not ours.flags.writeable
    np.testing.assert_array_equal(np.load(path), array, strict=True)
    if array.size:
        np.testing.assert_array_equal(np.load(path, mmap_mode="r"), array, strict=True)


def test_no_damage_to_the_head_of_an_array_escapes_as_a_foreign_error(tmp_path: Path) -> None:
    """A head that makes no sense is an error of ours, which names the file."""
    path = tmp_path / "a.npy"
    write_array(path, np.arange(20, dtype=np.uint32))
    whole = path.read_bytes()
    for at in range(128):
        for value in (0x00, 0x0A, 0x20, 0x27, 0x28, 0x5C, 0x7B, 0x80, whole[at] ^ 1, whole[at] ^ 16):
            path.write_bytes(whole[:at] + bytes([value]) + whole[at + 1 :])
            try:
                read_array(path)
            except IndexCorruptError as error:
                assert str(path) in str(error)


@given(st.integers(0, 3 * BLOCK + 100), st.data())
def test_pieces_are_read_from_the_file_and_checked(
    tmp_path_factory: pytest.TempPathFactory, size: int, data: st.DataObject
) -> None:
    """A piece in a damaged block is refused with its place; all others come back, empty ones too."""
    path = tmp_path_factory.getbasetemp() / "pieces.bin"
    payload = np.random.default_rng(size).integers(0, 256, size, np.uint8).tobytes()
    whole = bytearray(write(path, payload))
    bad = data.draw(st.none() | st.integers(0, size - 1)) if size else None
    if bad is not None:
        whole[bad] ^= 1
        path.write_bytes(whole)
    reader = CheckedReader(path)
    places = st.integers(0, size) | st.integers(0, size // BLOCK).map(lambda block: block * BLOCK)
    for one, other in data.draw(st.lists(st.tuples(places, places), max_size=5)):
        begin, end = min(one, other), max(one, other)
        if bad is not None and begin < end and begin // BLOCK <= bad // BLOCK <= (end - 1) // BLOCK:
            with pytest.raises(IndexCorruptError, match=rf"pieces\.bin: at byte {bad // BLOCK * BLOCK}: "):
                reader.read(begin, end)
        else:
            assert bytes(reader.read(begin, end)) == payload[begin:end]
    reader.close()


def test_a_piece_that_ends_where_damage_begins_is_read(tmp_path: Path) -> None:
    """Only the blocks that it lies in are checked."""
    path = tmp_path / "a"
    whole = bytearray(write(path, bytes(3 * BLOCK)))
    whole[BLOCK] ^= 1
    path.write_bytes(whole)
    reader = CheckedReader(path)
    assert bytes(reader.read(5, BLOCK)) == bytes(BLOCK - 5)
    assert bytes(reader.read(2 * BLOCK, 3 * BLOCK)) == bytes(BLOCK)
    with pytest.raises(IndexCorruptError, match=f"at byte {BLOCK}: "):
        reader.read(5, BLOCK + 1)
    reader.close()


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.uint32, np.int64])
def test_items_are_read_from_the_array_of_a_file(tmp_path: Path, dtype: type[np.generic]) -> None:
    """They begin behind its header; an empty array has none."""
    array = np.arange(50_000).astype(dtype)
    write_array(tmp_path / "a.npy", array)
    write_array(tmp_path / "none.npy", array[:0])
    reader, none = CheckedReader(tmp_path / "a.npy"), CheckedReader(tmp_path / "none.npy")
    assert (reader.length_of(dtype), none.length_of(dtype)) == (50_000, 0)
    for begin, end in ((0, 50_000), (0, 0), (7, 8), (8_000, 33_000), (49_999, 50_000)):
        np.testing.assert_array_equal(reader.items(begin, end, dtype), array[begin:end], strict=True)
    reader.close()
    none.close()
