"""What a tree says without opening its files: stamps, what is near, what is left out, and units inside it."""

from __future__ import annotations

import json
import os
import shutil
import time
import zipfile
from pathlib import Path
from typing import Any

import pyarrow
import pyarrow.parquet
import pytest

from codecite.indexer.corpus.tree import SETTLED, single_file, tree
from codecite.indexer.corpus.units import Pending, Reading, Unit
from codecite.indexer.records import Skipped, SkipReason

SOURCE = Path(os.fspath(pytest.__file__)).parent.parent / "_pytest"


def settle(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the walk take place well after the files were written."""
    now = time.time_ns() + 2 * SETTLED
    monkeypatch.setattr(time, "time_ns", lambda: now)


def stamps(root: Path) -> dict[str, int]:
    """The stamp of each file."""
    items = tree(os.fspath(root), Reading()).files()
    return {item.path: item.stamp for item in items if isinstance(item, Pending)}


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """A tree of real code with a licence file."""
    shutil.copytree(SOURCE, tmp_path / "tree", ignore=shutil.ignore_patterns("__pycache__"))
    (tmp_path / "tree" / "LICENSE").write_text("The MIT License\n")
    return tmp_path / "tree"


def test_an_unchanged_file_keeps_its_stamp(copy: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Stamps are not 0 and differ from each other; one walk opens the licence file alone."""
    settle(monkeypatch)
    first = stamps(copy)
    assert stamps(copy) == first
    assert 0 not in first.values()
    assert len(set(first.values())) == len(first) > 50
    opened = []
    real = os.open
    monkeypatch.setattr(os, "open", lambda path, *rest, **more: opened.append(path) or real(path, *rest, **more))
    stamps(copy)
    assert opened == [os.fspath(copy / "LICENSE")]


@pytest.mark.parametrize("change", ["content", "time", "replaced", "size"])
def test_a_changed_file_gets_another_stamp(copy: Path, monkeypatch: pytest.MonkeyPatch, change: str) -> None:
    """Also one whose old size and time were put back; no other file does."""
    path = copy / "fixtures.py"
    status = path.stat()
    settle(monkeypatch)
    before = stamps(copy)
    if change == "content":
        path.write_bytes(path.read_bytes()[::-1])
        os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))
    elif change == "time":
        os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns - 10**12))
    elif change == "replaced":
        shutil.copy2(path, copy.parent / "other")
        (copy.parent / "other").rename(path)
    else:
        path.write_bytes(path.read_bytes() + b"\n")
    after = stamps(copy)
    assert {name for name in after if after[name] != before[name]} == {"fixtures.py"}


def test_a_file_changed_just_now_has_no_stamp(tmp_path: Path) -> None:
    """It could be changed again without its times telling."""
    (tmp_path / "new.py").write_text("x = 1\n")
    assert stamps(tmp_path) == {"new.py": 0}
    (item,) = single_file(os.fspath(tmp_path / "new.py"), Reading()).files()
    assert isinstance(item, Pending)
    assert item.stamp == 0


def test_a_changed_licence_changes_the_stamps_near_it(copy: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is said of a file is part of what is stored of it."""
    settle(monkeypatch)
    (copy / "mark" / "COPYING").write_text("GNU General Public License\n")
    before = stamps(copy)
    (copy / "LICENSE").write_text("Apache License 2.0\n")
    after = stamps(copy)
    same = {name for name in after if after[name] == before[name]}
    assert same == {name for name in after if name.startswith("mark/")} != set()


def test_files_carry_the_evidence_of_the_licences_near_them(tmp_path: Path, read: Any, reading: Reading) -> None:
    """Those of the nearest folder upwards, and of its `LICENSES`."""
    for name, text in {
        "LICENSE": "The MIT License",
        "a.py": "x = 1",
        "src/b.py": "# SPDX-License-Identifier: Apache-2.0",
        "vendor/LICENSES/GPL-2.0-only.txt": "GNU GENERAL PUBLIC LICENSE",
        "vendor/c/d.c": "int x;",
    }.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(f"{text}\n")
    found = read(tree(os.fspath(tmp_path), reading))
    said = {path: [(item.where, item.text) for item in file.evidence] for path, file in found.files.items()}
    assert said["a.py"] == [("LICENSE", "The MIT License")]
    assert [where for where, _ in said["src/b.py"]] == ["line 1", "LICENSE"]
    assert said["vendor/c/d.c"] == [("vendor/LICENSES/GPL-2.0-only.txt", "GNU GENERAL PUBLIC LICENSE")]


def test_what_is_excluded_is_told_and_not_entered(tmp_path: Path, reading: Reading) -> None:
    """A folder is one skip, and nothing in it is asked for."""
    asked = []

    def excluded(path: str) -> bool:
        asked.append(path)
        return path in ("build/", "x.min.js")

    for name in ("build/deep/a.py", "src/b.py", "x.min.js"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("x\n")
    items = list(tree(os.fspath(tmp_path), Reading(excluded=excluded)).files())
    assert [item.path for item in items if isinstance(item, Pending)] == ["src/b.py"]
    assert [item for item in items if isinstance(item, Skipped)] == [
        Skipped("build/", SkipReason.EXCLUDED),
        Skipped("x.min.js", SkipReason.EXCLUDED),
    ]
    assert asked == ["build/", "src/", "src/b.py", "x.min.js"]


def test_archives_in_a_tree_are_units_of_their_own(
    tmp_path: Path, wheels: dict[str, Path], read: Any, reading: Reading
) -> None:
    """With their own package; a broken one is an error, and a text of such a name a file."""
    (tmp_path / "deep").mkdir()
    shutil.copy(wheels["iniconfig"], tmp_path / "deep")
    (tmp_path / "broken.zip").write_bytes(wheels["iniconfig"].read_bytes()[:2000])
    (tmp_path / "fake.jar").write_text("a text\n")
    (tmp_path / "link.zip").symlink_to("broken.zip")
    found = read(tree(os.fspath(tmp_path), reading))
    package = found.packages["iniconfig/__init__.py"]
    assert package.purl is not None
    assert package.purl.startswith("pkg:pypi/iniconfig@")
    assert package.source == os.fspath(tmp_path)
    assert package.url == (tmp_path / "deep" / wheels["iniconfig"].name).as_uri()
    assert found.packages["fake.jar"].source == os.fspath(tmp_path)
    assert found.reasons["link.zip"] == "not-a-file"
    (error,) = found.errors
    assert error.startswith(f"{tmp_path}/broken.zip: not a complete archive")
    assert not tree(os.fspath(tmp_path), reading).whole


def test_datasets_in_a_tree_are_told_from_other_data(tmp_path: Path, read: Any, reading: Reading) -> None:
    """Rows of code are rows; data of tests that merely have such a suffix are files."""
    row = {"content": "x = 1\n", "max_stars_repo_name": "o/n", "max_stars_repo_path": "x.py"}
    table = {name: [value] for name, value in row.items()}
    (tmp_path / "code.jsonl").write_text(json.dumps(row) + "\n")
    pyarrow.parquet.write_table(pyarrow.table(table), tmp_path / "code.parquet")
    (tmp_path / "events.jsonl").write_text('{"event": "click"}\n')
    pyarrow.parquet.write_table(pyarrow.table({"event": ["click"]}), tmp_path / "events.parquet")
    units = {item.package.url for item in tree(os.fspath(tmp_path), reading).files() if isinstance(item, Unit)}
    assert units == {(tmp_path / "code.jsonl").as_uri(), (tmp_path / "code.parquet").as_uri()}
    for path in ("code.jsonl", "code.parquet"):
        with zipfile.ZipFile(tmp_path / f"{path}.zip", "w") as archive:
            archive.write(tmp_path / path, path)
        (tmp_path / path).unlink()
    found = read(tree(os.fspath(tmp_path), reading))
    assert set(found.files) == {"events.jsonl", "code.jsonl"}
    assert found.reasons == {"events.parquet": "binary", "code.parquet": "binary"}


def test_a_large_tree_is_walked_quickly(tmp_path: Path) -> None:
    """Some microseconds a file, as a second run on an unchanged tree does nothing else."""
    for folder in range(20):
        (tmp_path / str(folder)).mkdir()
        for number in range(250):
            (tmp_path / str(folder) / f"{number}.c").write_bytes(b"x")
    unit = tree(os.fspath(tmp_path), Reading())
    sum(1 for _ in unit.files())
    began = time.process_time()
    assert sum(1 for _ in unit.files()) == 5000
    assert time.process_time() - began < 0.5
