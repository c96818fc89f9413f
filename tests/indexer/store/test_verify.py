"""Verify: a sound index has no problems, and each kind of damage is found with its file and its place."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from codecite.indexer.errors import IndexMissingError
from codecite.indexer.store.manifest import read_manifest, write_sealed
from codecite.indexer.store.section import Section
from codecite.indexer.store.takedowns import TakedownKind, parse_takedown
from codecite.indexer.store.verify import FILES, verify
from codecite.indexer.upkeep import remove


def sections(index: Path) -> list[Path]:
    """All files of all Segments."""
    return sorted(path for segment in (index / "segments").iterdir() for path in segment.iterdir())


def test_a_sound_index_has_no_problems(written: Path) -> None:
    """Every file of every Segment is walked, and the manifest."""
    result = verify(written)
    assert result.problems == ()
    assert len(sections(written)) == 2 * len(FILES)
    assert result.files == 1 + 2 * len(FILES)
    manifest = (written / "manifest.json").stat().st_size
    assert result.bytes == manifest + sum(Section(path).length for path in sections(written))


@pytest.mark.parametrize("name", FILES)
def test_a_changed_byte_in_any_file_is_found(index: Path, name: str) -> None:
    """In its payload, its checksums and its trailer; nothing else is blamed."""
    path = next(path for path in sections(index) if path.name == name)
    whole = path.read_bytes()
    length = Section(path).length
    for at in sorted({*range(0, length, max(1, length // 5)), max(0, length - 1), length, len(whole) - 1}):
        path.write_bytes(whole[:at] + bytes([whole[at] ^ 0x10]) + whole[at + 1 :])
        problems = verify(index).problems
        assert len(problems) == 1, (at, problems)
        assert problems[0].startswith(f"{path}: at byte ")
    path.write_bytes(whole)
    assert verify(index).problems == ()


@pytest.mark.parametrize("name", FILES)
def test_a_file_cut_short_emptied_or_gone_is_found(index: Path, name: str) -> None:
    """Each once, by its name."""
    path = next(path for path in sections(index) if path.name == name)
    whole = path.read_bytes()
    for size in (0, len(whole) // 2, len(whole) - 1):
        path.write_bytes(whole[:size])
        (problem,) = verify(index).problems
        assert problem.startswith(f"{path}: at byte ")
    path.unlink()
    (problem,) = verify(index).problems
    assert problem.startswith(f"{path}: the index lacks this file")


def test_damage_in_several_files_is_found_all_at_once(index: Path) -> None:
    """Verify goes on after the first."""
    damaged = sections(index)[::3]
    for path in damaged:
        whole = bytearray(path.read_bytes())
        whole[0] ^= 1
        path.write_bytes(whole)
    problems = sorted(verify(index).problems)
    assert len(problems) == len(damaged)
    assert all(problem.startswith(f"{path}: ") for path, problem in zip(damaged, problems, strict=True))


def test_a_segment_that_is_gone_is_found(index: Path) -> None:
    """Each of its files is missed."""
    name = read_manifest(index).segments[0].name
    shutil.rmtree(index / "segments" / name)
    problems = verify(index).problems
    assert len(problems) == len(FILES)
    assert all(name in problem for problem in problems)


def test_one_segment_in_the_place_of_another_is_found(index: Path) -> None:
    """All checksums would hold, were they not those of a Segment of another name."""
    first, second = (index / "segments" / entry.name for entry in read_manifest(index).segments)
    shutil.rmtree(first)
    shutil.copytree(second, first)
    problems = verify(index).problems
    assert len(problems) == len(FILES)
    assert all(problem.startswith(f"{first}/") for problem in problems)


def test_a_manifest_with_wrong_counts_is_found(index: Path) -> None:
    """Documents and postings are held against the Segment."""
    whole = (index / "manifest.json").read_bytes()
    for field in ("documents", "postings"):
        fields = json.loads(whole)
        fields["segments"][0][field] += 1
        del fields["checksum"]
        write_sealed(index / "manifest.json", fields)
        (problem,) = verify(index).problems
        assert "is not the Segment that the manifest names" in problem
    (index / "manifest.json").write_bytes(whole)
    assert verify(index).problems == ()


def test_a_list_of_removed_origins_is_walked_too(index: Path) -> None:
    """And the takedowns: damaged or gone, they are named."""
    remove(index, [parse_takedown(TakedownKind.PATH, "m1.py")])
    assert verify(index).problems == ()
    manifest = read_manifest(index)
    assert verify(index).files == 2 + 2 * len(FILES) + 1
    (removed,) = index.glob("segments/*/removed-*.npy")
    for path in (removed, index / str(manifest.takedowns)):
        whole = path.read_bytes()
        for at in range(0, len(whole), 7):
            path.write_bytes(whole[:at] + bytes([whole[at] ^ 0x10]) + whole[at + 1 :])
            (problem,) = verify(index).problems
            assert problem.startswith(f"{path}: ")
        path.unlink()
        (problem,) = verify(index).problems
        assert problem.startswith(f"{path}: the index lacks this file")
        path.write_bytes(whole)
    assert verify(index).problems == ()


def test_where_there_is_no_index_nothing_can_be_verified(tmp_path: Path) -> None:
    """That is an error, not a problem of an index."""
    with pytest.raises(IndexMissingError):
        verify(tmp_path)
