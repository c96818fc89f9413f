"""The manifest and the writer's lock: what is wrong is said by name, and there is one writer at a time."""

from __future__ import annotations

import errno
import json
import os
import platform
import re
import subprocess
import sys
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from codecite.indexer import open_index
from codecite.indexer.build import add
from codecite.indexer.config import IndexConfig
from codecite.indexer.errors import (
    IndexCorruptError,
    IndexLockedError,
    IndexMissingError,
    IndexVersionError,
    IndexWriteError,
)
from codecite.indexer.store.manifest import (
    SegmentEntry,
    new_manifest,
    publish,
    read_manifest,
    remove_left_overs,
    segment_directory,
    write_sealed,
    writing,
)
from codecite.indexer.store.section import FORMAT, write_array

HOLDER = """
import sys
from pathlib import Path
from codecite.indexer.store.manifest import writing
with writing(Path(sys.argv[1])):
    print("held", flush=True)
    sys.stdin.read()
"""


def reseal(index: Path, fields: dict[str, Any]) -> None:
    """Write a manifest with these fields and the checksum that they have."""
    fields.pop("checksum", None)
    write_sealed(index / "manifest.json", fields)


def fields_of(index: Path) -> dict[str, Any]:
    """The fields of the manifest."""
    return dict(json.loads((index / "manifest.json").read_bytes()))


def test_a_manifest_comes_back_as_it_was_published(tmp_path: Path) -> None:
    """All of it, its Segments, sources, takedowns and configuration."""
    entries = SegmentEntry("abc", 1, 2, 3, 4, 5, 6), SegmentEntry("def", 1, 2, 3, 4, 5, 6, "removed-1.npy")
    manifest = new_manifest(IndexConfig(count_cap=7)).following(entries, ("tree", "wheel"), "takedowns-1.json")
    publish(tmp_path, manifest)
    assert read_manifest(tmp_path) == manifest
    assert [path.name for path in tmp_path.iterdir()] == ["manifest.json"]


def test_the_next_generation_names_each_source_once() -> None:
    """In their order, whatever the order in which they were added."""
    first = new_manifest(IndexConfig()).following((), ("b", "a", "b"), None)
    second = first.following((), (*first.sources, "c", "a"), "takedowns-2.json")
    assert (second.id, second.generation, second.sources) == (first.id, 2, ("a", "b", "c"))
    assert (first.takedowns, second.takedowns) == (None, "takedowns-2.json")
    assert datetime.fromisoformat(second.built) >= datetime.fromisoformat(first.built)


def test_every_changed_byte_of_a_manifest_is_noticed(index: Path) -> None:
    """As a checksum, a format or JSON that does not hold."""
    path = index / "manifest.json"
    whole = path.read_bytes()
    for at in range(len(whole)):
        for change in (0x01, 0x20, 0x80):
            path.write_bytes(whole[:at] + bytes([whole[at] ^ change]) + whole[at + 1 :])
            with pytest.raises((IndexCorruptError, IndexVersionError), match=r"manifest\.json: "):
                read_manifest(index)


@pytest.mark.parametrize("content", [b"", b"{", b"\xff\xfe", b'{"format": '])
def test_a_manifest_that_is_not_json_is_named(index: Path, content: bytes) -> None:
    """With the file, and what mends it."""
    (index / "manifest.json").write_bytes(content)
    with pytest.raises(IndexCorruptError, match=r"manifest\.json: at byte \d+: is not JSON .* build the index again"):
        open_index(index)


@pytest.mark.parametrize("content", [b"[]", b"3", b"{}", b"null", b'{"format": 999}', b'{"format": "0"}'])
def test_a_manifest_of_another_format_is_named(index: Path, content: bytes) -> None:
    """With the format that is read."""
    (index / "manifest.json").write_bytes(content)
    with pytest.raises(IndexVersionError, match=f"this version reads {re.escape(FORMAT)};"):
        open_index(index)


def test_a_whole_manifest_of_another_format_is_told_by_its_format(index: Path) -> None:
    """Not by its checksum, which other versions may take in another way."""
    path = index / "manifest.json"
    path.write_bytes(path.read_bytes().replace(f'"format": "{FORMAT}"'.encode(), b'"format": "7.5"'))
    with pytest.raises(IndexVersionError, match=f"written in format 7.5, this version reads {re.escape(FORMAT)};"):
        open_index(index)


@pytest.mark.parametrize("field", ["id", "generation", "built", "config", "sources", "segments", "takedowns"])
def test_a_field_that_a_manifest_lacks_is_named(index: Path, field: str) -> None:
    """Any of them."""
    fields = fields_of(index)
    del fields[field]
    reseal(index, fields)
    with pytest.raises(IndexCorruptError, match=rf"manifest\.json: lacks a field \('{field}'\)"):
        open_index(index)


@pytest.mark.parametrize("field", ["name", "documents", "origins", "packages", "postings", "bytes", "canonical_bytes"])
def test_a_field_that_a_segment_entry_lacks_is_named(index: Path, field: str) -> None:
    """Also one too many is an error."""
    fields = fields_of(index)
    del fields["segments"][1][field]
    reseal(index, fields)
    with pytest.raises(IndexCorruptError, match=field):
        open_index(index)
    fields["segments"][1][field] = fields["segments"][0][field]
    fields["segments"][1]["shard"] = 1
    reseal(index, fields)
    with pytest.raises(IndexCorruptError, match="shard"):
        open_index(index)


@pytest.mark.parametrize(
    ("field", "value"),
    [(field, value) for field in ("config", "segments") for value in (3, "text", [3], [[]], None)]
    + [("sources", 3), ("sources", None)],
)
def test_a_field_of_the_wrong_shape_is_an_error_of_ours(index: Path, field: str, value: object) -> None:
    """The manifest is named."""
    fields = fields_of(index)
    fields[field] = value
    reseal(index, fields)
    with pytest.raises(IndexCorruptError, match=r"manifest\.json"):
        open_index(index)


def test_a_folder_without_an_index_says_how_to_make_one(tmp_path: Path) -> None:
    """A missing folder and a file in its place too."""
    (tmp_path / "file").write_bytes(b"")
    for place in (tmp_path, tmp_path / "nowhere", tmp_path / "file"):
        with pytest.raises(IndexMissingError, match="codecite index add"):
            open_index(place)


def test_a_second_process_cannot_write_while_one_does(index: Path) -> None:
    """It learns so at once; readers are not disturbed; when the holder is killed the lock is free."""
    child = subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(index)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    try:
        assert child.stdout is not None
        assert child.stdout.readline() == "held\n"
        with pytest.raises(IndexLockedError, match=rf"index: process {child.pid} on .* is writing to this index; wait"):
            add(index, [])
        assert open_index(index).stats()[0].documents == 5
    finally:
        child.kill()
        child.communicate()
    assert add(index, []).documents == 0


def test_a_second_writer_in_one_process_is_refused_too(tmp_path: Path) -> None:
    """A lock belongs to who opened it, not to the process."""
    with writing(tmp_path), pytest.raises(IndexLockedError), writing(tmp_path):
        pass
    with writing(tmp_path):
        pass


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_a_folder_that_cannot_be_written_to_is_named(tmp_path: Path) -> None:
    """With what to do instead."""
    tmp_path.chmod(0o500)
    with pytest.raises(IndexLockedError, match="give another --index"), writing(tmp_path / "index"):
        pass


def test_an_index_cannot_be_made_where_a_file_stands(tmp_path: Path) -> None:
    """The path is named."""
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(IndexLockedError, match="file: cannot be written to"):
        add(tmp_path / "file", [])


def test_left_overs_are_removed_and_live_segments_kept(index: Path) -> None:
    """Whatever a killed writer left beside them, a stray file too."""
    live = sorted(path.name for path in (index / "segments").iterdir())
    (index / "segments" / "0123456789abcdef").mkdir()
    (index / "segments" / "0123456789abcdef" / "content.lz4").write_bytes(b"half")
    (index / "segments" / "stray").write_bytes(b"")
    assert open_index(index).stats()[0].documents == 5
    remove_left_overs(index, read_manifest(index))
    assert sorted(path.name for path in (index / "segments").iterdir()) == live


def test_what_a_generation_no_longer_says_of_removed_origins_is_a_left_over(index: Path) -> None:
    """Of lists of removed Origins and of takedowns just those stay that the manifest names."""
    manifest = read_manifest(index)
    first, second = (segment_directory(index, entry.name) for entry in manifest.segments)
    for place in (first / "removed-1.npy", first / "removed-3.npy", second / "removed-3.npy"):
        write_array(place, np.zeros(1, np.uint32))
    for name in ("takedowns-1.json", "takedowns-3.json"):
        write_sealed(index / name, {"rules": []})
    entries = replace(manifest.segments[0], removed="removed-3.npy"), manifest.segments[1]
    remove_left_overs(index, manifest.following(entries, (), "takedowns-3.json"))
    assert [path.name for path in sorted(index.glob("takedowns-*"))] == ["takedowns-3.json"]
    assert sorted(index.rglob("removed-*")) == [first / "removed-3.npy"]


def test_a_disk_that_refuses_is_named_with_what_was_to_be_written(tmp_path: Path) -> None:
    """The lock is given back, and says no longer who held it."""
    refused = OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(tmp_path / "tags.npy"))
    message = r"index: cannot be written \(No space left on device at .*tags\.npy\)"
    with pytest.raises(IndexWriteError, match=message), writing(tmp_path / "index"):
        raise refused
    with writing(tmp_path / "index"):
        holder = (tmp_path / "index" / "lock").read_text()
        assert holder == f"process {os.getpid()} on {platform.node()}"
    assert (tmp_path / "index" / "lock").read_text() == ""


def test_a_manifest_that_was_half_written_beside_changes_nothing(index: Path) -> None:
    """Readers do not look at it, and the next writer writes over it."""
    (index / "manifest.json.new").write_text('{"format":')
    before = open_index(index).stats()
    manifest = read_manifest(index)
    publish(index, manifest)
    assert open_index(index).stats() == before
    assert not (index / "manifest.json.new").exists()
