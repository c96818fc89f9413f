"""A Snapshot does not change while it is held, and threads may share it."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import numpy as np
from oracle.library import reader

from codecite.indexer import open_index
from codecite.indexer.build import add
from codecite.indexer.corpus.units import Unit
from codecite.indexer.records import EvidenceKind, FileMark, LicenseEvidence, Origin, Package, SourceFile
from codecite.indexer.store.manifest import read_manifest, segment_directory
from codecite.indexer.store.section import write_array
from codecite.indexer.store.snapshot import Snapshot


def code(number: int, lines: int = 40) -> bytes:
    """A file that shares some functions with those of neighbouring numbers."""
    return b"".join(
        b"def function_%d(value, other):\n    return value + other * %d\n" % (i, i * i)
        for i in range(number * 10, number * 10 + lines)
    )


def fill(directory: Path, name: str, numbers: range) -> None:
    """Add files with these contents."""
    add(directory, [Unit(Package(name), reader([SourceFile(f"m{i}.py", code(i)) for i in numbers]))])


def test_an_index_opened_before_a_publish_keeps_its_answers(tmp_path: Path) -> None:
    """To the word; one opened after it answers from both generations."""
    fill(tmp_path, "one", range(4))
    held = open_index(tmp_path)
    before = held.check(code(2)).to_dict()
    stats = held.stats()
    fill(tmp_path, "two", range(2, 9))
    assert held.check(code(2)).to_dict() == before
    assert held.check(code(8, 3)).to_dict()["matches"] == []
    assert [item.generation for item in held.coverage] == [1]
    assert held.stats()[0].documents == stats[0].documents == 4
    after = open_index(tmp_path)
    assert after.check(code(8, 3)).to_dict()["matches"]
    assert after.coverage[0].generation == 2
    assert {source["purl"] or source["path"] for source in after.check(code(2)).to_dict()["matches"][0]["sources"]}


def test_an_index_opened_before_its_files_were_removed_still_answers(tmp_path: Path) -> None:
    """What is mapped stays, as a compaction will need."""
    fill(tmp_path, "one", range(6))
    held = open_index(tmp_path)
    expected = [open_index(tmp_path).check(code(i)).to_dict() for i in range(6)]
    for path in (tmp_path / "segments").rglob("*.*"):
        path.unlink()
    assert [held.check(code(i)).to_dict() for i in range(6)] == expected


def test_threads_that_share_an_index_get_the_answers_of_one(tmp_path: Path) -> None:
    """Kernels run without the GIL on shared arrays; what they write is each thread's own."""
    fill(tmp_path, "one", range(40))
    fill(tmp_path, "two", range(20, 60))
    texts = [code(i)[i : 1500 + 20 * i] + b"\n#\n" + code(59 - i)[:700] for i in range(60)]
    alone = open_index(tmp_path)
    expected = [json.dumps(alone.check(text).to_dict()) for text in texts]
    assert all(len(json.loads(answer)["matches"]) >= 2 for answer in expected)
    shared = open_index(tmp_path)
    with ThreadPoolExecutor(8) as executor:
        for _ in range(3):
            answers = list(executor.map(lambda text: json.dumps(shared.check(text).to_dict()), texts))
            assert answers == expected


def test_a_document_is_live_as_long_as_an_origin_is_wherever_that_stands(tmp_path: Path) -> None:
    """Its own Segment's are gone, one of another Segment is left, then that goes too."""
    fill(tmp_path, "one", range(3))
    fill(tmp_path, "two", range(2, 4))
    manifest = read_manifest(tmp_path)

    def without(*removed: list[int]) -> Snapshot:
        entries = []
        for entry, rows in zip(manifest.segments, removed, strict=True):
            write_array(segment_directory(tmp_path, entry.name) / "removed-9.npy", np.array(rows, np.uint32))
            entries.append(replace(entry, removed="removed-9.npy" if rows else None))
        return Snapshot(tmp_path, replace(manifest, segments=tuple(entries)))

    def origins(snapshot: Snapshot) -> list[list[list[str]]]:
        found = []
        for opened in snapshot.segments:
            bounds, rows = opened.origins.bounds.tolist(), opened.origins.rows.tolist()
            paths = [[snapshot.origin(row).path for row in rows[a:b]] for a, b in pairwise(bounds)]
            assert opened.live.tolist() == [bool(of) for of in paths]
            found.append(paths)
        return found

    whole = without([], [])
    assert origins(whole) == [[["m0.py"], ["m1.py"], ["m2.py", "m2.py"]], [["m3.py"]]]
    assert (whole.size, whole.sources) == ((4, sum(len(code(i)) for i in range(4))), {"one", "two"})
    some = without([0, 2], [])
    assert origins(some) == [[[], ["m1.py"], ["m2.py"]], [["m3.py"]]]
    assert (some.size, some.sources) == ((3, sum(len(code(i)) for i in (1, 2, 3))), {"one", "two"})
    none = without([0, 1, 2], [1])
    assert (none.size, none.sources) == ((1, len(code(3))), {"two"})


def test_an_origin_comes_back_with_all_that_was_said_of_it(tmp_path: Path) -> None:
    """Language and marks, too; what a name has that is not Unicode as an escape."""
    tag = LicenseEvidence(EvidenceKind.SPDX_TAG, "ISC", "line 1", "SPDX-License-Identifier: ISC")
    field = LicenseEvidence(EvidenceKind.PACKAGE_METADATA, "MIT", "License", "MIT")
    marks = FileMark.GENERATED, FileMark.MINIFIED
    package = Package("s", "pkg:a/b@1", "https://r", "v1", "2024-05-01", "file:///x", (field,), "f", "c")
    file = SourceFile("a\udcff.js", code(1), (tag,), ("Copyright A", "(c) B"), "JavaScript", marks)
    add(tmp_path, [Unit(package, reader([file, SourceFile("plain", code(2))]))])
    snapshot = Snapshot(tmp_path)
    said = ("pkg:a/b@1", "https://r", "v1"), ("file:///x", "2024-05-01")
    first, second = snapshot.origin(0), snapshot.origin(1)
    assert first == Origin(
        *said[0], "a\\udcff.js", *said[1], "ISC", (tag, field), False, file.copyright, "JavaScript", marks
    )
    assert second == Origin(*said[0], "plain", *said[1], "MIT", (field,), False, ())
