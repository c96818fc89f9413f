"""Looking after an index: what is taken out is not found, stays out and is erased; what is merged answers as before."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

import lz4.block
import numpy as np
import pytest
from oracle.library import reader

from codecite.indexer import open_index
from codecite.indexer.build import add
from codecite.indexer.config import BLOCK
from codecite.indexer.corpus.units import Unit
from codecite.indexer.errors import IndexCorruptError, IndexMissingError
from codecite.indexer.records import EvidenceKind, LicenseEvidence, Package, SkipReason, SourceFile
from codecite.indexer.store import tiers
from codecite.indexer.store.manifest import read_manifest
from codecite.indexer.store.takedowns import Takedown, TakedownKind, parse_takedown
from codecite.indexer.store.tiers import FANOUT
from codecite.indexer.store.verify import verify
from codecite.indexer.upkeep import compact, remove, selected


def code(number: int, lines: int = 30) -> bytes:
    """A file like no other."""
    return b"".join(
        b"def function_%d_%d(value):\n    return value + %d\n" % (number, i, i * number) for i in range(lines)
    )


def swhid(content: bytes) -> str:
    """The name of a Document."""
    return "swh:1:cnt:" + hashlib.sha1(b"blob %d\0" % len(content) + content, usedforsecurity=False).hexdigest()


A1, A2 = (
    Package("wheels", f"pkg:pypi/a@{i}", "https://example.org/team/a", fingerprint=f"a{i}", container=f"a{i}")
    for i in (1, 2)
)
B = Package("tree", repository="https://github.com/Someone/B.git")
C = Package("data", "pkg:npm/c@1", fingerprint="c")
CONTENTS = {A1: (1, 2, 3), A2: (2, 3, 4), B: (3, 5), C: (1, 6, 7)}


def unit(package: Package) -> Unit:
    """One of the Packages with its files."""
    return Unit(package, reader([SourceFile(f"src/m{i}.py", code(i)) for i in CONTENTS[package]]))


@pytest.fixture
def index(tmp_path: Path) -> Path:
    """Seven Documents with eleven Origins, in three Segments."""
    for packages in ((A1, A2), (B,), (C,)):
        add(tmp_path, [unit(package) for package in packages])
    return tmp_path


def found(index: Path) -> dict[int, list[str]]:
    """For each content the projects at which it is found."""
    opened = open_index(index)
    places: dict[int, list[str]] = {}
    for number in range(1, 8):
        for match in opened.check(code(number), sources=20).to_dict()["matches"]:
            places[number] = [source["purl"] or source["repository"] for source in match["sources"]]
    return places


a1, a2, c, b = "pkg:pypi/a@1", "pkg:pypi/a@2", "pkg:npm/c@1", "https://github.com/Someone/B.git"
ALL = {1: [c, a1], 2: [a1, a2], 3: [b, a1, a2], 4: [a2], 5: [b], 6: [c], 7: [c]}
REMOVALS = [
    # kind, rule, Origins, Documents lost, Documents that others keep, what is left of ALL
    (TakedownKind.PURL, "pkg:pypi/A", 6, 2, 2, {1: [c], 3: [b], 5: [b], 6: [c], 7: [c]}),
    (TakedownKind.PURL, "pkg:pypi/a@2", 3, 1, 2, {**ALL, 2: [a1], 3: [b, a1], 4: None}),
    (TakedownKind.REPOSITORY, "git@github.com:someone/b.git", 2, 1, 1, {**ALL, 3: [a1, a2], 5: None}),
    (TakedownKind.OWNER, "example.org/team", 6, 2, 2, {1: [c], 3: [b], 5: [b], 6: [c], 7: [c]}),
    (TakedownKind.PATH, "m3.py", 3, 1, 0, {**ALL, 3: None}),
    (TakedownKind.PATH, "/src/m[67].py", 2, 2, 0, {**ALL, 6: None, 7: None}),
    (TakedownKind.SWHID, swhid(code(1)), 2, 1, 0, {**ALL, 1: None}),
    (TakedownKind.PURL, "pkg:pypi/nothing", 0, 0, 0, ALL),
]


@pytest.mark.parametrize(("kind", "text", "origins", "lost", "kept", "left"), REMOVALS)
def test_what_a_rule_hides_is_not_found_and_stays_out(
    index: Path, kind: TakedownKind, text: str, origins: int, lost: int, kept: int, left: dict[int, Any]
) -> None:
    """At once, after a compaction and when it is added again; a dry run says the same and changes nothing."""
    rule = parse_takedown(kind, text)
    left = {number: places for number, places in left.items() if places}
    whole = {path: path.read_bytes() for path in index.rglob("*") if path.is_file()}
    dry = remove(index, [rule], dry_run=True)
    assert {path: path.read_bytes() for path in index.rglob("*") if path.is_file()} == whole
    assert found(index) == ALL
    result = remove(index, [rule])
    for said in (dry, result):
        assert (said.rules, said.origins, said.documents, said.kept) == ((rule,), origins, lost, kept)
        assert sum(said.packages.values()) == origins
    assert (dry.generation, result.generation) == (3, 4)
    for step in range(3):
        assert found(index) == left
        assert open_index(index).coverage[0].documents == 7 - lost
        assert open_index(index).coverage[0].bytes == sum(len(code(number)) for number in left)
        assert verify(index).problems == ()
        if step == 0:
            assert compact(index).erased == lost
        else:
            again = add(index, [unit(package) for package in CONTENTS])
            assert (again.documents, again.origins) == (0, 0)
            assert step == 2 or (SkipReason.TAKEN_DOWN in again.skipped) == (origins > 0)


def test_the_projects_that_lose_most_are_named_first(index: Path) -> None:
    """With the number of their Origins."""
    rules = [parse_takedown(TakedownKind.PATH, "m3.py"), parse_takedown(TakedownKind.REPOSITORY, "someone/b")]
    result = remove(index, rules, dry_run=True)
    assert list(result.packages.items()) == [("pkg:pypi/a", 2), (B.repository, 2)]
    assert (result.origins, result.documents, result.kept) == (4, 2, 0)


def test_a_rule_that_is_known_is_not_a_new_generation(index: Path) -> None:
    """Nor is no rule at all; rules of several removals are remembered together."""
    first, second = (parse_takedown(TakedownKind.PATH, text) for text in ("m1.py", "m2.py"))
    assert remove(index, [first, first]).rules == (first,)
    before = (index / "manifest.json").read_bytes()
    for rules in ([first], [], [first, first]):
        result = remove(index, rules)
        assert (result.generation, result.rules, result.origins) == (4, (), 0)
        assert (index / "manifest.json").read_bytes() == before
    assert remove(index, [first, second]).rules == (second,)
    assert len(list(index.glob("takedowns-*.json"))) == 1
    assert found(index).keys() == {3, 4, 5, 6, 7}
    assert add(index, [unit(A1)]).skipped[SkipReason.TAKEN_DOWN].count == 2


def test_a_rule_may_come_before_what_it_hides(tmp_path: Path) -> None:
    """It is skipped by name, and nothing of it is stored."""
    add(tmp_path, [])
    rule = parse_takedown(TakedownKind.PURL, "pkg:npm/c")
    assert remove(tmp_path, [rule]).rules == (rule,)
    result = add(tmp_path, [unit(C)])
    assert result.skipped[SkipReason.TAKEN_DOWN].examples == ["pkg:npm/c@1: pkg:npm/c@1 (purl pkg:npm/c)"]
    assert (result.documents, result.origins, list((tmp_path / "segments").iterdir())) == (0, 0, [])


def test_takedowns_that_are_lost_stop_the_writer(index: Path) -> None:
    """Without them what was taken out might come back."""
    remove(index, [parse_takedown(TakedownKind.PATH, "m1.py")])
    (place,) = index.glob("takedowns-*.json")
    whole = place.read_bytes()
    place.unlink()
    with pytest.raises(IndexMissingError, match=rf"{place.name}: the index lacks this file"):
        add(index, [unit(A1)])
    place.write_bytes(whole.replace(b"m1.py", b"m2.py"))
    with pytest.raises(IndexCorruptError, match=place.name):
        remove(index, [])
    place.write_bytes(whole)
    assert remove(index, []).generation == 4


def everything(index: Path) -> bytes:
    """All bytes of an index: of the files, and of the content and what it was compressed with."""
    files = (path for path in sorted(index.rglob("*")) if path.is_file() and not path.name.startswith("takedowns-"))
    pieces = [path.read_bytes() for path in files]
    for place in (index / "segments").iterdir():
        dictionary, packed = np.load(place / "dictionary.npy").tobytes(), (place / "content.lz4").read_bytes()
        offsets = np.load(place / "blocks.npy")[0].tolist()
        for first, last in pairwise(offsets):
            block = packed[first:last]
            pieces.append(lz4.block.decompress(block, uncompressed_size=BLOCK, dict=dictionary))
    return b"".join(pieces)


def secret_unit(secret: str) -> Unit:
    """A Package that bears a secret in everything that is stored of it; most of the corpus, so that it is learned."""
    evidence = LicenseEvidence(EvidenceKind.PACKAGE_METADATA, f"LicenseRef-{secret}", "License", f"evidence {secret}")
    header = LicenseEvidence(EvidenceKind.FILE_HEADER, "MIT", "line 1", f"header {secret}")
    package = Package("secrets", f"pkg:generic/{secret}@1", evidence=(evidence,), url=f"file:///{secret}")
    content = b"".join(b"# %s %d\n%s" % (secret.encode(), i, code(i, 2)) for i in range(100))
    files = [
        SourceFile(f"{secret}/{i}.py", content + b"%d" % i, (header,), (f"Copyright {secret}",), secret)
        for i in range(9)
    ]
    return Unit(package, reader(files))


@pytest.mark.parametrize("alone", [False, True])
def test_a_compaction_erases_every_byte_of_what_was_taken_out(tmp_path: Path, alone: bool) -> None:
    """Content, dictionary, paths, names, evidence: whether its Segment is merged with others or not."""
    secret = "tellnobodythissecret"
    add(tmp_path, [secret_unit(secret), unit(A1)])
    if not alone:
        add(tmp_path, [unit(B)])
    assert everything(tmp_path).count(secret.encode()) > 100
    remove(tmp_path, [parse_takedown(TakedownKind.PURL, f"pkg:generic/{secret}")])
    expected = found(tmp_path)
    compact(tmp_path)
    assert secret.encode() not in everything(tmp_path)
    assert found(tmp_path) == expected
    assert set(expected) == ({1, 2, 3} if alone else {1, 2, 3, 5})


def test_a_compaction_leaves_one_segment_and_the_same_answers(index: Path) -> None:
    """And says so; a second one finds nothing to do."""
    before = sum(path.stat().st_size for path in index.rglob("*") if path.name != "lock" and path.is_file())
    result = compact(index)
    assert (result.generation, result.segments_before, result.segments, result.erased) == (4, 3, 1, 0)
    assert result.bytes_before == before
    assert result.bytes == sum(
        path.stat().st_size for path in index.rglob("*") if path.name != "lock" and path.is_file()
    )
    assert found(index) == ALL
    again = compact(index)
    assert (again.generation, again.segments_before, again.segments) == (4, 1, 1)
    assert verify(index).problems == ()


def test_a_compaction_of_an_empty_index_does_nothing(tmp_path: Path) -> None:
    """Nor does one where there is no index, which it does not make."""
    add(tmp_path / "empty", [])
    assert compact(tmp_path / "empty").generation == 1
    with pytest.raises(IndexMissingError):
        compact(tmp_path / "none")
    with pytest.raises(IndexMissingError):
        remove(tmp_path / "none", [])
    assert not (tmp_path / "none").exists()


def test_what_is_left_of_nothing_is_an_empty_index(index: Path) -> None:
    """All Origins removed: no Segment stays, and what comes later is found."""
    assert remove(index, [parse_takedown(TakedownKind.PATH, "src/")]).documents == 7
    assert found(index) == {}
    assert compact(index).segments == 0
    assert open_index(index).coverage[0].sources == ()
    add(index, [Unit(Package("new"), reader([SourceFile("new.py", code(1))]))])
    assert found(index) == {1: [None]}


@pytest.mark.parametrize("compacts", [False, True])
def test_a_package_that_lost_files_is_read_again(index: Path, compacts: bool) -> None:
    """Its fingerprint no longer says that it is in; that of a Package that lost none still does."""
    remove(index, [parse_takedown(TakedownKind.SWHID, swhid(code(4)))])
    if compacts:
        compact(index)
    result = add(index, [unit(A1), unit(A2), unit(C)])
    assert (result.unchanged, result.origins, result.skipped[SkipReason.TAKEN_DOWN].count) == (2, 0, 1)


def test_many_additions_are_merged_on_the_way(tmp_path: Path) -> None:
    """There are never as many small Segments as make a tier full, and the answers are those of one addition."""
    packages = [Package("s", f"pkg:pypi/p{i}@1", fingerprint=f"f{i}") for i in range(25)]
    units = [
        Unit(package, reader([SourceFile(f"{i}.py", code(i % 7 + 1)), SourceFile("own.py", code(50 + i))]))
        for i, package in enumerate(packages)
    ]
    for item in units:
        add(tmp_path / "many", [item])
        assert len(read_manifest(tmp_path / "many").segments) < FANOUT
    add(tmp_path / "one", units)
    assert found(tmp_path / "many") == found(tmp_path / "one")
    for i in range(25):
        assert open_index(tmp_path / "many").check(code(50 + i)).attributions
    assert add(tmp_path / "many", units).unchanged == 25
    assert verify(tmp_path / "many").problems == ()


@pytest.mark.parametrize("together", [True, False])
def test_documents_that_only_others_name_survive_a_compaction(
    index: Path, together: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Their own Segment holds no Origin of theirs any more, and may be merged with the others or alone."""
    if not together:
        monkeypatch.setattr(tiers, "MAX_ORIGINS", 2)
    assert remove_origins(index, [A1, A2]) == 6
    expected = found(index)
    assert expected == {1: [c], 3: [b], 5: [b], 6: [c], 7: [c]}
    result = compact(index)
    assert (result.segments, result.erased) == (1 if together else 3, 2)
    assert found(index) == expected
    assert verify(index).problems == ()


def test_a_package_without_files_is_still_remembered_after_a_compaction(index: Path) -> None:
    """It is not read again."""
    empty = Unit(Package("none", fingerprint="e"), reader([]))
    add(index, [empty])
    assert compact(index).segments == 1
    assert add(index, [empty, unit(C)]).unchanged == 2


def remove_origins(index: Path, packages: Sequence[Package]) -> int:
    """Sync the source of these Packages away."""
    gone = Unit(Package(packages[0].source), reader([]), whole=False)
    return add(index, [gone], sync=True).removed


def test_rules_are_shown_as_they_are_written() -> None:
    """In the reason for which a file is skipped, say."""
    assert str(Takedown(TakedownKind.PATH, "*.pem")) == "path *.pem"


@pytest.mark.parametrize(("kind", "rule", "origins", "lost", "kept", "left"), REMOVALS)
def test_what_would_go_is_told_file_by_file(
    index: Path, kind: TakedownKind, rule: str, origins: int, lost: int, kept: int, left: dict[int, list[str] | None]
) -> None:
    """The counts of a removal, the files that it hides, no more of them than asked for; nothing changes."""
    rules = (parse_takedown(kind, rule),)
    told = selected(index, rules, 100)
    assert (told.origins, told.documents, told.kept) == (origins, lost, kept)
    gone = [
        (number, place) for number, places in ALL.items() for place in places if place not in (left.get(number) or [])
    ]
    assert sorted((file, project) for file, project, _ in told.files) == sorted(
        (f"src/m{number}.py", place) for number, place in gone
    )
    assert {name for _, _, name in told.files} == {swhid(code(number)) for number, _ in gone}
    few = selected(index, rules, 2)
    assert (few.origins, len(few.files)) == (origins, min(2, origins))
    assert read_manifest(index).generation == 3
