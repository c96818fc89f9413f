"""A Snapshot does not change while it is held, and threads may share it."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from oracle.library import reader

from codecite.indexer import open_index
from codecite.indexer.build import add
from codecite.indexer.corpus.units import Unit
from codecite.indexer.records import Package, SourceFile


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
