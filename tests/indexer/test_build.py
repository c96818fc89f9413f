"""The write path: what is new is added once, what is known is not, and how it was built does not show."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from oracle.library import reader

from codecite.indexer import making, open_index
from codecite.indexer.build import Progress, add
from codecite.indexer.corpus.units import Pending, Unit
from codecite.indexer.errors import IndexCorruptError, IndexVersionError, SourceError
from codecite.indexer.records import EvidenceKind, LicenseEvidence, Package, Skipped, SkipReason, SourceFile
from codecite.indexer.store import writer
from codecite.indexer.store.section import read_array
from codecite.indexer.store.spool import PostingSpool
from codecite.indexer.store.verify import verify


def code(number: int, lines: int = 30) -> bytes:
    """A file like no other."""
    return b"".join(
        b"def function_%d_%d(value):\n    return value + %d\n" % (number, i, i * number) for i in range(lines)
    )


def files(*numbers: int) -> list[SourceFile]:
    """Files with those contents."""
    return [SourceFile(f"m{number}.py", code(number)) for number in numbers]


def package(name: str, license: str | None = None, fingerprint: str | None = None) -> Package:
    """A Package of its own project, under a licence."""
    evidence = LicenseEvidence(EvidenceKind.PACKAGE_METADATA, license, "License-Expression", license or "")
    return Package(name, f"pkg:pypi/{name}@1", evidence=(evidence,) if license else (), fingerprint=fingerprint)


def unit(of: Package, found: Sequence[SourceFile | Skipped]) -> Unit:
    """A Unit that gives these files each time it is read."""
    return Unit(of, reader(found))  # type: ignore[arg-type]


@dataclass
class Watched:
    """A Unit that counts how often it was read, and may break off after some files."""

    of: Package
    found: Sequence[SourceFile]
    breaks_after: int | None = None
    read: int = 0

    def unit(self) -> Unit:
        """The Unit."""

        def give() -> Iterator[SourceFile | Skipped]:
            self.read += 1
            for i, file in enumerate(self.found):
                if i == self.breaks_after:
                    raise SourceError(f"{self.of.source}: cut short")
                yield file

        return Unit(self.of, give)


def answers(directory: Path, texts: Sequence[bytes]) -> list[Any]:
    """What an index says of the texts, without the ids, which are the index's own."""
    index = open_index(directory)
    said = []
    for text in texts:
        matches = index.check(text).to_dict()["matches"]
        spans = {match["id"]: (match["start"], match["end"]) for match in matches}
        for match in matches:
            match["within"] = spans.get(match["within"])
            del match["id"], match["index"]
        said.append(matches)
    return said


def test_adding_the_same_again_adds_nothing(tmp_path: Path) -> None:
    """No Document, no Origin, no Segment and no generation, whether or not the Package has a fingerprint."""
    units = [unit(package("a"), files(1, 2)), unit(package("b", fingerprint="f"), files(2, 3))]
    first = add(tmp_path, units)
    assert (first.generation, first.documents, first.origins, first.unchanged) == (1, 3, 4, 0)
    assert first.bytes == sum(len(code(number)) for number in (1, 2, 3))
    manifest = (tmp_path / "manifest.json").read_bytes()
    second = add(tmp_path, units)
    assert (second.generation, second.documents, second.origins, second.bytes, second.unchanged) == (1, 0, 0, 0, 1)
    assert (tmp_path / "manifest.json").read_bytes() == manifest
    assert len(list((tmp_path / "segments").iterdir())) == 1


def test_adding_nothing_makes_an_empty_index(tmp_path: Path) -> None:
    """It can be opened, checked against, verified and added to."""
    assert add(tmp_path, []).documents == 0
    assert open_index(tmp_path).check(code(1)).attributions == ()
    assert verify(tmp_path).problems == ()
    assert add(tmp_path, [unit(package("a"), files(1))]).documents == 1


def test_a_package_without_files_is_remembered_as_read(tmp_path: Path) -> None:
    """Its fingerprint is stored, so that it is not read again; it is not counted."""
    empty = Watched(package("e", fingerprint="f"), [])
    assert add(tmp_path, [empty.unit()]).documents == 0
    assert add(tmp_path, [empty.unit()]).unchanged == 1
    assert empty.read == 1
    assert open_index(tmp_path).stats()[0].packages == 0


def test_an_unchanged_fingerprint_is_not_read_again_and_a_changed_one_is(tmp_path: Path) -> None:
    """Within one add, too."""
    first = Watched(package("a", fingerprint="one"), files(1))
    again = Watched(package("a", fingerprint="one"), files(1))
    result = add(tmp_path, [first.unit(), again.unit()])
    assert (result.unchanged, again.read) == (1, 0)
    changed = Watched(package("a", fingerprint="two"), files(1, 2))
    result = add(tmp_path, [first.unit(), changed.unit()])
    assert (result.unchanged, first.read, changed.read) == (1, 1, 1)
    assert (result.documents, result.origins) == (1, 2)
    (match,) = open_index(tmp_path).check(code(1)).to_dict()["matches"]
    assert (match["documents"], len(match["sources"])) == (1, 1)


def test_a_package_that_broke_off_is_named_and_read_again_the_next_time(tmp_path: Path) -> None:
    """Nothing of it is found until then; the others of the same add are not held up."""
    broken = Watched(package("a", "MIT", "f"), files(1, 2, 3), breaks_after=2)
    result = add(tmp_path, [broken.unit(), unit(package("b"), files(2, 4))])
    assert result.failures == ("a: cut short",)
    assert (result.documents, result.origins) == (2, 2)
    (stats,) = open_index(tmp_path).stats()
    assert (stats.origins, stats.sources, stats.licenses) == (2, ("b",), {"NOASSERTION": 2})
    assert open_index(tmp_path).check(code(1)).to_dict()["matches"] == []
    broken.breaks_after = None
    result = add(tmp_path, [broken.unit()])
    assert (result.failures, result.unchanged, result.origins) == ((), 0, 3)
    assert (add(tmp_path, [broken.unit()]).unchanged, broken.read) == (1, 2)
    for number in (1, 2, 3):
        (match,) = open_index(tmp_path).check(code(number)).to_dict()["matches"]
        found = [(source["path"], source["license"]) for source in match["sources"]]
        assert found[0] == (f"m{number}.py", "MIT")
        assert match["licenses"]["MIT"] == match["documents"] == 1


def test_an_exact_copy_is_stored_once_with_all_its_origins(tmp_path: Path) -> None:
    """In one add or in several; an Origin in a new Segment counts for the Document of the old one."""
    add(tmp_path, [unit(package("a", "MIT"), [*files(1), SourceFile("copy.py", code(1))])])
    add(tmp_path, [unit(package("b", "GPL-3.0-only"), files(1))])
    add(tmp_path, [unit(package("c", "MIT"), files(1, 2))])
    (stats,) = open_index(tmp_path).stats()
    assert (stats.documents, stats.origins, stats.packages, stats.generation) == (2, 5, 3, 3)
    assert stats.licenses == {"MIT": 2, "GPL-3.0-only": 1}
    (match,) = open_index(tmp_path).check(code(1)).to_dict()["matches"]
    assert (match["documents"], match["projects"]) == (1, 3)
    assert match["licenses"] == {"MIT": 1, "GPL-3.0-only": 1}
    places = [(source["purl"], source["path"], source["license"]) for source in match["sources"]]
    assert places == [
        ("pkg:pypi/a@1", "copy.py", "MIT"),
        ("pkg:pypi/a@1", "m1.py", "MIT"),
        ("pkg:pypi/b@1", "m1.py", "GPL-3.0-only"),
        ("pkg:pypi/c@1", "m1.py", "MIT"),
    ]


def test_a_document_whose_digest_ends_in_zeros_is_known_again(tmp_path: Path) -> None:
    """Digests are compared as numpy strings, which drop zeros at the end."""
    content = next(
        text
        for text in (b"# number %d\n" % i for i in range(5000))
        if hashlib.sha1(b"blob %d\0" % len(text) + text).digest()[-1] == 0
    )
    assert add(tmp_path, [unit(package("a"), [SourceFile("z.py", content)])]).documents == 1
    result = add(tmp_path, [unit(package("b"), [SourceFile("z.py", content), *files(1)])])
    assert (result.documents, result.origins) == (1, 2)


def test_skipped_files_are_counted_by_reason_with_a_few_examples(tmp_path: Path) -> None:
    """An empty file is skipped, too."""
    skipped = [Skipped(f"b{i}", SkipReason.BINARY, "NUL") for i in range(9)]
    found = [*skipped, SourceFile("empty.py", b""), Skipped("big", SkipReason.TOO_LARGE), *files(1)]
    result = add(tmp_path, [unit(package("a"), found)])
    assert {reason: summary.count for reason, summary in result.skipped.items()} == {
        SkipReason.BINARY: 9,
        SkipReason.EMPTY: 1,
        SkipReason.TOO_LARGE: 1,
    }
    examples = result.skipped[SkipReason.BINARY].examples
    assert examples == [f"pkg:pypi/a@1: b{i} (NUL)" for i in range(len(examples))]
    assert 1 < len(examples) < 9
    assert result.skipped[SkipReason.TOO_LARGE].examples == ["pkg:pypi/a@1: big"]
    assert result.documents == 1


def test_progress_counts_every_file_that_is_read(tmp_path: Path) -> None:
    """Known ones as well."""
    seen: list[Progress] = []
    add(tmp_path, [unit(package("a"), files(1, 2)), unit(Package("tree"), files(2))], progress=seen.append)
    sizes = np.cumsum([len(code(number)) for number in (1, 2, 2)]).tolist()
    assert [(item.bytes, item.files) for item in seen] == list(zip(sizes, (1, 2, 3), strict=True))
    assert [item.unit for item in seen] == ["pkg:pypi/a@1", "pkg:pypi/a@1", "tree"]


def test_the_figures_of_an_index_add_up(tmp_path: Path) -> None:
    """Over three generations: what the results said, what the files weigh, what the sources are called."""
    results = [
        add(tmp_path, [unit(package(name, "MIT"), files(*numbers))])
        for name, numbers in (("a", (1, 2)), ("b", (2, 3)), ("c", (1, 3, 4)))
    ]
    (stats,) = open_index(tmp_path).stats()
    assert stats.documents == sum(result.documents for result in results) == 4
    assert stats.origins == sum(result.origins for result in results) == 7
    assert stats.bytes == sum(result.bytes for result in results) == sum(len(code(i)) for i in (1, 2, 3, 4))
    assert stats.canonical_bytes == sum(len(b"".join(code(i).split())) for i in (1, 2, 3, 4))
    tags = [read_array(path) for path in (tmp_path / "segments").glob("*/tags.npy")]
    assert stats.postings == sum(map(len, tags)) > 0
    assert (stats.packages, stats.sources, stats.licenses) == (3, ("a", "b", "c"), {"MIT": 4})
    segments = [path for path in (tmp_path / "segments").rglob("*") if path.is_file()]
    assert stats.index_bytes == sum(path.stat().st_size for path in segments)


def test_a_build_that_spills_writes_the_same_postings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """In many batches with a spill after each, and in one batch without."""
    units = [unit(package("a"), files(*range(40)))]
    add(tmp_path / "whole", units)
    monkeypatch.setattr(making, "_BATCH", 3000)
    scratch: list[int] = []

    class Small(PostingSpool):
        """Spills after each batch, and tells how many scratch files there are in the end."""

        def __init__(self, directory: Path, prefix: str = "") -> None:
            super().__init__(directory, 500, prefix)
            self.directory, self.prefix = directory, prefix

        def clear(self) -> None:
            scratch.append(len(list(self.directory.glob(f"{self.prefix}postings-*"))))
            super().clear()

    monkeypatch.setattr(writer, "PostingSpool", Small)
    add(tmp_path / "spilled", units)
    assert scratch[0] > 10
    assert scratch[1] > 2
    sections = ("buckets", "tags", "positions", "rest")
    for name in (*sections, *(f"near-{section}" for section in sections), "signatures"):
        whole, spilled = (
            read_array(next((tmp_path / side / "segments").iterdir()) / f"{name}.npy") for side in ("whole", "spilled")
        )
        np.testing.assert_array_equal(whole, spilled, strict=True)
    assert not list((tmp_path / "spilled").rglob("*postings-*"))
    texts = [code(3), code(30)[100:900] + code(7)[:200]]
    assert answers(tmp_path / "spilled", texts) == answers(tmp_path / "whole", texts)


def test_a_build_that_fills_several_segments_answers_like_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Copies stand on both sides of a border, and a Package that goes on in the next Segment is read once."""
    units = [
        unit(package("a", "MIT", "f"), files(*range(8))),
        unit(package("b", "GPL-3.0-only"), [*files(2, 5, 9), SourceFile("both.py", code(1) + code(6))]),
    ]
    whole = add(tmp_path / "one", units)
    monkeypatch.setattr(making, "MAX_CANONICAL", 4000)
    result = add(tmp_path / "many", units)
    assert (result.documents, result.origins, result.bytes) == (whole.documents, whole.origins, whole.bytes)
    assert len(list((tmp_path / "many" / "segments").iterdir())) > 3
    (one,), (many,) = open_index(tmp_path / "one").stats(), open_index(tmp_path / "many").stats()
    assert (many.documents, many.origins, many.bytes) == (one.documents, one.origins, one.bytes)
    assert many.licenses == one.licenses
    texts = [code(1), code(2) + code(9), code(5)[50:600] + code(6)]
    assert answers(tmp_path / "many", texts) == answers(tmp_path / "one", texts)
    assert add(tmp_path / "many", units).unchanged == 1
    assert verify(tmp_path / "many").problems == ()


def test_the_order_of_adds_does_not_show_in_the_answers(tmp_path: Path) -> None:
    """One add for all, or one for each."""
    units = [unit(package(name, "MIT"), files(*numbers)) for name, numbers in (("a", (1, 2)), ("b", (2, 3)))]
    add(tmp_path / "one", units)
    for item in reversed(units):
        add(tmp_path / "two", [item])
    texts = [code(1) + code(2) + code(3), code(2)[30:700]]
    assert answers(tmp_path / "two", texts) == answers(tmp_path / "one", texts)


def test_an_index_that_cannot_be_read_is_not_added_to(tmp_path: Path) -> None:
    """A broken manifest stays as it is."""
    add(tmp_path, [unit(package("a"), files(1))])
    for content, error in ((b"{", IndexCorruptError), (b'{"format": 99}', IndexVersionError)):
        (tmp_path / "manifest.json").write_bytes(content)
        with pytest.raises(error):
            add(tmp_path, [unit(package("b"), files(2))])
        assert (tmp_path / "manifest.json").read_bytes() == content


def test_an_error_that_is_none_of_ours_publishes_nothing(tmp_path: Path) -> None:
    """The last generation stays, the lock is given back, and the next add clears what was left."""
    add(tmp_path, [unit(package("a"), files(1))])

    def broken() -> Iterator[SourceFile]:
        yield from files(2)
        raise RuntimeError("a bug in a reader")

    with pytest.raises(RuntimeError):
        add(tmp_path, [Unit(package("b"), broken)])
    assert open_index(tmp_path).stats()[0].generation == 1
    assert add(tmp_path, [unit(package("c"), files(3))]).generation == 2
    assert len(list((tmp_path / "segments").iterdir())) == 2


def pending(found: SourceFile, stamp: int, loaded: list[str]) -> Pending:
    """A file that notes when it is loaded."""

    def load() -> SourceFile:
        loaded.append(found.path)
        return found

    return Pending(found.path, len(found.content), load, stamp)


def tree(loaded: list[str], stamps: dict[int, int]) -> Unit:
    """A tree of files with these stamps."""
    found = [pending(file, stamps[number], loaded) for number in stamps for file in files(number)]
    return Unit(Package("tree"), lambda: iter(found), whole=False)


def test_files_with_a_known_stamp_are_not_loaded_again(tmp_path: Path) -> None:
    """Those that changed are, and those whose stamp is 0; the same stamp elsewhere is another file's."""
    loaded: list[str] = []
    add(tmp_path, [tree(loaded, {1: 11, 2: 22, 3: 0})])
    assert sorted(loaded) == ["m1.py", "m2.py", "m3.py"]
    loaded.clear()
    result = add(tmp_path, [tree(loaded, {1: 11, 2: 23, 3: 0, 4: 44})])
    assert sorted(loaded) == ["m2.py", "m3.py", "m4.py"]
    assert (result.unchanged_files, result.documents, result.origins) == (1, 1, 1)
    loaded.clear()
    other = Unit(Package("elsewhere"), tree(loaded, {1: 11}).files, whole=False)
    assert (add(tmp_path, [other]).unchanged_files, loaded) == (0, ["m1.py"])


def test_a_sync_removes_what_a_source_no_longer_has(tmp_path: Path) -> None:
    """Of that source alone: what is unchanged, met again or of another source stays, copies of the Document too."""
    loaded: list[str] = []
    wheel = package("w", "MIT", "f")
    add(tmp_path, [tree(loaded, {1: 11, 2: 0, 3: 33}), unit(wheel, files(3, 4)), unit(package("x"), files(5))])
    result = add(tmp_path, [tree(loaded, {1: 11, 2: 0}), unit(wheel, files(3, 4))], sync=True)
    assert (result.removed, result.unsynced, result.unchanged) == (1, (), 1)
    (match,) = open_index(tmp_path).check(code(3)).to_dict()["matches"]
    assert [source["purl"] for source in match["sources"]] == ["pkg:pypi/w@1"]
    result = add(tmp_path, [tree(loaded, {2: 0})], sync=True)
    assert result.removed == 1
    assert [bool(open_index(tmp_path).check(code(i)).attributions) for i in range(1, 6)] == [False, *[True] * 4]
    assert open_index(tmp_path).coverage[0].sources == ("tree", "w", "x")
    assert add(tmp_path, [Unit(Package("tree"), reader([]), whole=False)], sync=True).removed == 1
    assert open_index(tmp_path).coverage[0].sources == ("w", "x")
    assert verify(tmp_path).problems == ()


def test_a_package_over_several_segments_is_complete(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is not read again, and a sync keeps all of it."""
    monkeypatch.setattr(making, "MAX_CANONICAL", 4000)
    monkeypatch.setattr(making, "_MAX_ORIGINS", 2)
    units = [unit(package("a", "MIT", "f"), files(*range(8))), unit(package("b", "MIT", "g"), files(8, 9))]
    add(tmp_path, units)
    result = add(tmp_path, units, sync=True)
    assert (result.unchanged, result.removed, result.generation) == (2, 0, add(tmp_path, []).generation)
    assert all(open_index(tmp_path).check(code(i)).attributions for i in range(10))


def test_a_source_that_broke_is_not_synced(tmp_path: Path) -> None:
    """What it lacks may just not have been read."""
    add(tmp_path, [unit(package("a"), files(1, 2)), unit(package("b"), files(3, 4))])
    broken = Watched(package("a"), files(1, 2), breaks_after=1)
    result = add(tmp_path, [broken.unit(), unit(package("b"), files(3))], sync=True)
    assert (result.removed, result.unsynced) == (1, ("a",))
    assert [bool(open_index(tmp_path).check(code(i)).attributions) for i in range(1, 5)] == [True, True, True, False]


def test_what_was_synced_away_may_come_back(tmp_path: Path) -> None:
    """It is read again, whatever its fingerprint and stamp; its content is stored still."""
    loaded: list[str] = []
    wheel = unit(package("w", "MIT", "f"), files(3))
    add(tmp_path, [tree(loaded, {1: 11}), wheel])
    add(tmp_path, [tree(loaded, {}), unit(package("w", "MIT", "g"), files(4))], sync=True)
    result = add(tmp_path, [tree(loaded, {1: 11}), wheel])
    assert (result.unchanged, result.unchanged_files, result.origins, result.documents) == (0, 0, 2, 0)
    assert all(open_index(tmp_path).check(code(i)).attributions for i in (1, 3, 4))
