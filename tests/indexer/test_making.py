"""A Segment in the making: what it keeps, what it counts, which dictionary it takes, what its projects are called."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from concurrent.futures import Executor, ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from codecite.indexer import making
from codecite.indexer.config import IndexConfig
from codecite.indexer.making import SegmentMaker, project_name
from codecite.indexer.records import Package
from codecite.indexer.store.manifest import Manifest, SegmentEntry, new_manifest, segment_directory
from codecite.indexer.store.origins import NewOrigin
from codecite.indexer.store.section import read_array
from codecite.indexer.store.segment import Segment

TREE = Package("tree")
DONE = Package("wheel", "pkg:pypi/a@1", fingerprint="f")


@pytest.fixture
def executor() -> Iterator[Executor]:
    """Two threads."""
    with ThreadPoolExecutor(2) as threads:
        yield threads


@pytest.fixture
def empty(tmp_path: Path) -> Manifest:
    """An index without a Segment."""
    (tmp_path / "segments").mkdir()
    return new_manifest(IndexConfig())


def code(word: str, lines: int) -> bytes:
    """Lines that repeat a word as code does."""
    return b"".join(
        b"def %s_%d(value):\n    return %s + %d\n" % (word.encode(), i, word.encode(), i) for i in range(lines)
    )


def digest(content: bytes) -> bytes:
    """Any 20 bytes that are the content's own."""
    return hashlib.sha1(content, usedforsecurity=False).digest()


def origin(content: bytes, package: Package = TREE, path: str = "a.py") -> NewOrigin:
    """An Origin of this content."""
    return NewOrigin(package, digest(content), path, "MIT", "[]", "", "", "", hash(path) % 2**60, 0)


def make(maker: SegmentMaker, contents: list[bytes]) -> SegmentEntry:
    """Finish a Segment with these contents, an Origin each."""
    for i, content in enumerate(contents):
        maker.take(digest(content), content)
        maker.place(origin(content, path=f"{i}.py"))
    maker.finish()
    (entry,) = maker.finished
    return entry


def dictionary(directory: Path, entry: SegmentEntry) -> bytes:
    """The dictionary of a Segment."""
    return read_array(segment_directory(directory, entry.name) / "dictionary.npy").tobytes()


def test_a_content_is_kept_once_and_counted_where_an_origin_names_it(
    tmp_path: Path, empty: Manifest, executor: Executor
) -> None:
    """A Document without an Origin is stored but does not count."""
    maker = SegmentMaker(tmp_path, empty, executor)
    first, second, unnamed = code("one", 30), code("two", 30), code("three", 3)
    for content in (first, second, first, unnamed):
        maker.take(digest(content), content)
    for content, path in ((first, "a"), (second, "b"), (first, "c")):
        maker.place(origin(content, path=path))
    maker.place(origin(b"elsewhere", path="d"))
    assert maker.origins == 4
    contents = maker.finish()
    assert [row.tobytes() for row in contents] == [digest(first), digest(second), digest(unnamed)]
    assert (maker.documents, maker.bytes) == (2, len(first) + len(second))
    (entry,) = maker.finished
    assert (entry.documents, entry.origins, entry.packages) == (3, 4, 1)
    assert entry.bytes == len(first + second + unnamed)
    segment = Segment(tmp_path, entry)
    assert segment.origin_bounds.tolist() == [0, 2, 3, 3]
    assert [row.tobytes() for row in segment.foreign] == [digest(b"elsewhere")]


def test_nothing_makes_no_segment(tmp_path: Path, empty: Manifest, executor: Executor) -> None:
    """Content that no Origin names makes none either, unless it must be written since there is no more room."""
    maker = SegmentMaker(tmp_path, empty, executor)
    assert maker.finish().shape == (0, 20)
    maker.take(digest(b"x"), b"x")
    assert maker.finish().shape == (0, 20)
    assert (maker.finished, list((tmp_path / "segments").iterdir())) == ([], [])
    assert maker.finish(forced=True).shape == (1, 20)
    assert maker.finished[0].documents == 1


def test_a_package_that_was_read_to_its_end_is_marked(tmp_path: Path, empty: Manifest, executor: Executor) -> None:
    """With the number of its Origins; one without a file makes a Segment of its own."""
    maker = SegmentMaker(tmp_path, empty, executor)
    half = replace(DONE, fingerprint="half")
    maker.take(digest(b"x"), b"x")
    for package in (half, DONE):
        maker.place(origin(b"x", package, package.fingerprint or ""))
    maker.complete(DONE, 1)
    maker.finish()
    found = Segment(tmp_path, maker.finished[0])
    assert [found.package(number) for number in range(2)] == [half, DONE]
    assert found.packages["complete"].to_pylist() == [None, 1]
    alone = SegmentMaker(tmp_path, empty, executor)
    alone.complete(DONE, 0)
    alone.finish()
    entry = alone.finished[0]
    assert (entry.documents, entry.origins, entry.packages, entry.postings) == (0, 0, 1, 0)
    assert Segment(tmp_path, entry).package(0) == DONE


def test_a_small_segment_takes_the_dictionary_of_the_largest(
    tmp_path: Path, empty: Manifest, executor: Executor, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Until there is enough text for one of its own; the first trains on what little it has."""
    monkeypatch.setattr(making, "SAMPLE_BYTES", 1 << 17)
    monkeypatch.setattr(making, "_BATCH", 1 << 14)
    small, more, large = code("small", 1500), code("more", 300), code("large", 5000)
    first = make(SegmentMaker(tmp_path, empty, executor), [small])
    assert b"small" in dictionary(tmp_path, first)
    assert first.bytes < 1 << 17
    one = empty.following((first,), (), None)
    second = make(SegmentMaker(tmp_path, one, executor), [more])
    assert dictionary(tmp_path, second) == dictionary(tmp_path, first)
    third = make(SegmentMaker(tmp_path, one, executor), [large])
    assert b"large" in dictionary(tmp_path, third)
    assert b"small" not in dictionary(tmp_path, third)
    all_three = empty.following((first, third, second), (), None)
    for content in (code("other", 300), code("another", 5000)):
        assert dictionary(tmp_path, make(SegmentMaker(tmp_path, all_three, executor), [content])) == dictionary(
            tmp_path, third
        )


def test_too_little_text_for_a_dictionary_has_none_until_there_is_enough(
    tmp_path: Path, empty: Manifest, executor: Executor
) -> None:
    """A largest Segment with an empty dictionary has none to share."""
    first = make(SegmentMaker(tmp_path, empty, executor), [code("tiny", 3)])
    assert dictionary(tmp_path, first) == b""
    second = make(SegmentMaker(tmp_path, empty.following((first,), (), None), executor), [code("small", 1500)])
    assert b"small" in dictionary(tmp_path, second)


def test_batches_come_out_in_their_order(
    tmp_path: Path, empty: Manifest, executor: Executor, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whichever thread was done first."""
    monkeypatch.setattr(making, "SAMPLE_BYTES", 1 << 15)
    monkeypatch.setattr(making, "_BATCH", 1000)
    monkeypatch.setattr(making, "_AHEAD", 3)
    contents = [code(f"word{i}", 1 + i * 37 % 60) for i in range(60)]
    entry = make(SegmentMaker(tmp_path, empty, executor), contents)
    segment = Segment(tmp_path, entry)
    assert np.diff(segment.document_raw).tolist() == [len(content) for content in contents]
    assert [row.tobytes() for row in segment.contents] == [digest(content) for content in contents]
    assert entry.canonical_bytes == sum(len(b"".join(content.split())) for content in contents)


def test_a_segment_says_when_it_is_full(
    tmp_path: Path, empty: Manifest, executor: Executor, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By its bytes before more come in, by its Origins and Packages afterwards."""
    monkeypatch.setattr(making, "MAX_CANONICAL", 100)
    monkeypatch.setattr(making, "_MAX_ORIGINS", 3)
    monkeypatch.setattr(making, "_MAX_PACKAGES", 2)
    maker = SegmentMaker(tmp_path, empty, executor)
    maker.take(digest(b"x"), b"x" * 60)
    assert maker.has_room(40)
    assert not maker.has_room(41)
    for i in range(3):
        assert not maker.full
        maker.place(origin(b"x", path=str(i)))
    assert maker.full
    other = SegmentMaker(tmp_path, empty, executor)
    other.complete(TREE, 0)
    assert not other.full
    other.complete(DONE, 0)
    assert other.full


@pytest.mark.parametrize(
    ("purl", "repository", "name"),
    [
        ("pkg:pypi/a@1.0", None, "pkg:pypi/a"),
        ("pkg:deb/debian/a@1?arch=source#x", "https://example.org", "pkg:deb/debian/a"),
        ("pkg:npm/%40scope/a@2", None, "pkg:npm/%40scope/a"),
        (None, "https://example.org/r", "https://example.org/r"),
        (None, None, "tree"),
    ],
)
def test_a_project_is_the_purl_without_its_version_else_the_repository(
    purl: str | None, repository: str | None, name: str
) -> None:
    """And where there is neither, the source."""
    assert project_name(replace(TREE, purl=purl, repository=repository)) == name
