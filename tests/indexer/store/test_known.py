"""What an index holds, as a writer asks: exactly what was added and not removed is known."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from codecite.indexer.build import add
from codecite.indexer.corpus.units import Pending, Unit
from codecite.indexer.records import Package, SourceFile
from codecite.indexer.store import known
from codecite.indexer.store.known import Contents, Known
from codecite.indexer.store.manifest import read_manifest, segment_directory
from codecite.indexer.store.section import read_array, write_array
from codecite.indexer.store.tables import numbers_of, read_table

heads = st.sampled_from([bytes(8), b"\xff" * 8, b"\x80" + bytes(7), b"aaaaaaab"])
digests = st.builds(bytes.__add__, heads, st.sampled_from([bytes(12), bytes(11) + b"\1", b"b" * 12]))


@given(st.lists(st.sets(digests), max_size=4), st.lists(digests | st.binary(min_size=20, max_size=20)))
def test_contents_are_known_by_all_their_bytes(segments: list[set[bytes]], asked: list[bytes]) -> None:
    """Also those that agree in their first bytes, and those that end in zeros."""
    contents = Contents()
    for found in segments:
        contents.add(np.frombuffer(b"".join(sorted(found, reverse=True)), np.uint8).reshape(-1, 20))
    held = set().union(*segments)
    assert [digest in contents for digest in [*asked, *held]] == [digest in held for digest in [*asked, *held]]


def content(number: int) -> bytes:
    """A file like no other."""
    return b"def function_%d(value):\n    return value * %d\n" % (number, number)


def pending(number: int) -> Pending:
    """The file with the stamp of its number; the third has none."""
    file = SourceFile(f"{number}.py", content(number))
    return Pending(file.path, 1, lambda: file, number if number != 3 else 0)


@pytest.fixture
def index(tmp_path: Path) -> Path:
    """Two Segments: a tree and an archive in one, a larger archive with one inside it in the other."""
    tree = Unit(Package("tree"), lambda: iter([pending(1), pending(2)]), whole=False)
    add(tmp_path, [tree, Unit(Package("a", fingerprint="A"), lambda: iter([pending(3)]))])
    inner = Unit(Package("b", purl="pkg:generic/i@1", fingerprint="I", container="B"), lambda: iter([pending(5)]))
    add(tmp_path, [Unit(Package("b", fingerprint="B", container="B"), lambda: iter([pending(4), inner]))])
    return tmp_path


def column(index: Path, name: str) -> list[int]:
    """A column of the Origins of all Segments."""
    places = [segment_directory(index, entry.name) for entry in read_manifest(index).segments]
    return [value for place in places for value in numbers_of(read_table(place / "origins.arrow")[name]).tolist()]


def opened(index: Path, removed: Callable[[int, int], bool] = lambda segment, row: False) -> Known:
    """What is known, with some Origins removed."""
    manifest = read_manifest(index)
    entries = []
    for number, entry in enumerate(manifest.segments):
        rows = [row for row in range(entry.origins) if removed(number, row)]
        write_array(segment_directory(index, entry.name) / "removed-9.npy", np.array(rows, np.uint32))
        entries.append(replace(entry, removed="removed-9.npy" if rows else None))
    return Known(index, replace(manifest, segments=tuple(entries)))


def test_an_empty_index_knows_nothing(tmp_path: Path) -> None:
    """No Segment at all."""
    add(tmp_path, [])
    found = Known(tmp_path, read_manifest(tmp_path))
    assert not found.has_origin(1)
    assert found.unchanged(np.array([0, 1], np.uint64)).tolist() == [False, False]
    assert not found.is_complete(Package("a", fingerprint="A"))
    assert (found.unmet({"a"}), found.removed()) == ([], [])
    assert bytes(20) not in found.contents


def test_documents_and_origins_of_all_segments_are_known(index: Path) -> None:
    """By their SHA-1s and their keys; what is asked for is met."""
    found = opened(index)
    for entry in read_manifest(index).segments:
        for digest in read_array(segment_directory(index, entry.name) / "contents.npy"):
            assert digest.tobytes() in found.contents
    keys = column(index, "key")
    assert len(keys) == 5
    assert not found.has_origin(next(key for key in range(9) if key not in keys))
    assert not found.met.any()
    assert found.has_origin(keys[3])
    assert found.met.tolist() == [False, False, False, True, False]


def test_an_origin_that_was_removed_is_not_known(index: Path) -> None:
    """Neither by its key nor by its stamp, nor its Package as complete; its Document is still there."""
    found = opened(index, lambda segment, row: segment == 1)
    keys, stamps = column(index, "key"), np.array(column(index, "stamp"), np.uint64)
    assert [found.has_origin(key) for key in keys] == [True, True, True, False, False]
    assert found.unchanged(stamps).tolist() == [True, True, False, False, False]
    assert not found.is_complete(Package("b", fingerprint="B"))
    assert found.is_complete(Package("a", fingerprint="A"))
    assert [flags.tolist() for flags in found.removed()] == [[False] * 3, [True] * 2]
    digest = read_array(segment_directory(index, read_manifest(index).segments[1].name) / "contents.npy")[0]
    assert digest.tobytes() in found.contents


def test_a_stamp_that_is_known_meets_its_origin_and_zero_is_none(index: Path) -> None:
    """Many at once."""
    found = opened(index)
    stamps = column(index, "stamp")
    assert [stamp > 0 for stamp in stamps] == [True, True, False, True, True]
    asked = np.array([stamps[4], 0, 12345, stamps[0]], np.uint64)
    assert found.unchanged(asked).tolist() == [True, False, False, True]
    assert found.met.tolist() == [True, False, False, False, True]


def test_a_complete_package_meets_all_that_was_found_in_it(index: Path) -> None:
    """Of its own source; one inside it meets its own."""
    assert not opened(index).is_complete(Package("other", fingerprint="B"))
    for fingerprint, met in (("B", [False] * 3 + [True] * 2), ("I", [False] * 4 + [True]), ("C", [False] * 5)):
        found = opened(index)
        assert found.is_complete(Package("b", fingerprint=fingerprint)) == any(met)
        assert found.met.tolist() == met


def test_a_package_that_lost_an_origin_is_read_again(index: Path) -> None:
    """So is what it was found in; another one in there is not."""
    found = opened(index, lambda segment, row: (segment, row) == (1, 0))
    assert not found.is_complete(Package("b", fingerprint="B"))
    assert found.is_complete(Package("b", fingerprint="I"))


def test_what_was_not_met_of_a_source_is_told_by_segment(index: Path) -> None:
    """Only live Origins, and only of the sources asked for."""
    found = opened(index, lambda segment, row: (segment, row) == (0, 1))
    found.has_origin(column(index, "key")[4])
    assert [flags.tolist() for flags in found.unmet({"tree", "b"})] == [[True, False, False], [True, False]]
    assert [flags.tolist() for flags in found.unmet({"a"})] == [[False, False, True], [False, False]]
    assert not any(flags.any() for flags in found.unmet(set()))


@pytest.mark.parametrize("gather", [1, 2, 7, 1000])
def test_what_a_build_adds_is_known_at_once(index: Path, gather: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Keys, however many are gathered before they are sorted, and Packages."""
    monkeypatch.setattr(known, "_GATHER", gather)
    found = opened(index)
    added = [3 * key * (1 << 56) % (1 << 64) for key in range(1, 60)]
    for i, key in enumerate(added):
        assert not found.has_origin(key)
        found.add_origin(key, Package("c", fingerprint="F", container="B"))
        assert found.has_origin(added[i // 2])
        assert found.has_origin(key)
    assert not found.has_origin(2)


def test_a_package_is_complete_as_long_as_it_holds_what_it_held_when_it_was_read(index: Path) -> None:
    """What is found in it counts; the same fingerprint in another source is another's."""
    found = opened(index)
    outer, inner = Package("c", fingerprint="O", container="O"), Package("c", fingerprint="P", container="O")
    for key in (1, 2, 3):
        found.add_origin(key, inner if key == 3 else outer)
    assert not found.is_complete(outer)
    assert (found.complete(inner), found.complete(outer)) == (1, 3)
    assert found.is_complete(inner)
    assert found.is_complete(outer)
    assert not found.is_complete(replace(outer, source="d"))
    found.add_origin(4, inner)
    assert not found.is_complete(inner)
    assert not found.is_complete(outer)
    assert found.complete(Package("c", fingerprint="empty")) == 0
    assert found.is_complete(Package("c", fingerprint="empty"))
