"""The sources of `index add` are told apart, and what cannot be read is refused before anything is."""

from __future__ import annotations

import itertools
import json
import os
import shutil
import subprocess
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from codecite.indexer.corpus.sources import read_sources
from codecite.indexer.corpus.units import Reading, Unit
from codecite.indexer.errors import SourceError


def units(*paths: Path, reading: Reading) -> Iterator[Unit]:
    """The units of these sources."""
    return read_sources([os.fspath(path) for path in paths], installed=False, reading=reading)


def test_each_kind_of_source_has_its_reader(
    wheels: dict[str, Path], tmp_path: Path, read: Any, reading: Reading
) -> None:
    """They come in the order given, each path once, and then what is installed."""
    (tmp_path / "tree").mkdir()
    (tmp_path / "tree" / "two.py").write_text("x = 2\n")
    (tmp_path / "one.py").write_text("x = 1\n")
    row = {"content": "x = 3\n", "max_stars_repo_name": "o/n", "max_stars_repo_path": "three.py"}
    (tmp_path / "data.jsonl").write_text(json.dumps(row) + "\n")
    shutil.copy(wheels["iniconfig"], tmp_path / "no-suffix")
    specs = [tmp_path / name for name in ("tree", "one.py", "data.jsonl", "no-suffix")]
    found = list(units(*specs, tmp_path / "tree" / ".." / "tree", reading=reading))
    assert [unit.package.source for unit in found] == [os.fspath(spec) for spec in specs]
    files = [set(read(unit).files) for unit in found]
    assert files[:3] == [{"two.py"}, {"one.py"}, {"three.py"}]
    assert "iniconfig/__init__.py" in files[3]
    both = read_sources([os.fspath(specs[1])], installed=True, reading=reading)
    assert [unit.package.source for unit in itertools.islice(both, 2)] == [os.fspath(specs[1]), "installed"]
    assert list(read_sources([], installed=False, reading=reading)) == []


def test_a_missing_path_is_refused_before_any_unit_comes(tmp_path: Path, reading: Reading) -> None:
    """The message names the path, the reason and what can be read."""
    with pytest.raises(SourceError, match=r"nowhere: cannot be read \(No such file or directory\).*wheels"):
        units(tmp_path, tmp_path / "nowhere", reading=reading)


@pytest.mark.parametrize("name", ["x.7z", "x.RAR", "x.rpm", "x.deb", "x.conda"])
def test_archives_of_other_kinds_are_refused(tmp_path: Path, reading: Reading, name: str) -> None:
    """Taken as one file they would be indexed as what they are not."""
    (tmp_path / name).write_bytes(b"7z\xbc\xaf")
    with pytest.raises(SourceError, match=r"not read; unpack it and give the folder\. Read are directory trees"):
        units(tmp_path / name, reading=reading)


@pytest.mark.parametrize("name", ["x.tar.gz", "x.jar", "x.whl"])
def test_what_is_an_archive_by_name_only_is_an_error_of_its_unit(
    tmp_path: Path, read: Any, reading: Reading, name: str
) -> None:
    """The other sources are read all the same."""
    (tmp_path / name).write_bytes(b"a text\n")
    (tmp_path / "one.py").write_text("x = 1\n")
    broken, good = (read(unit) for unit in units(tmp_path / name, tmp_path / "one.py", reading=reading))
    assert [error.split(": ")[1].split(" (")[0] for error in broken.errors] == ["not a complete archive"]
    assert set(good.files) == {"one.py"}


def test_what_is_neither_file_nor_folder_is_refused(tmp_path: Path, reading: Reading) -> None:
    """A pipe would keep the reader waiting."""
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(SourceError, match="pipe: neither a file nor a folder"):
        units(tmp_path / "pipe", reading=reading)


def test_a_repository_is_read_as_one_when_it_is_bare_or_at_a_revision(
    tmp_path: Path, read: Any, reading: Reading, require: Callable[..., None]
) -> None:
    """Without a revision the files of a working tree are those on disk."""
    require("git")

    def git(*arguments: str) -> None:
        identity = ["-c", "user.name=a", "-c", "user.email=a@example.org"]
        subprocess.run(["git", *identity, *arguments], cwd=tmp_path, capture_output=True, check=True)

    git("init", "-q", "work")
    (tmp_path / "work" / "a.py").write_text("x = 1\n")
    git("-C", "work", "add", ".")
    git("-C", "work", "commit", "-qm", "one")
    (tmp_path / "work" / "a.py").write_text("x = 2\n")
    git("clone", "-q", "--bare", "work", "bare")
    for name, revision, content in (
        ("work", None, b"x = 2\n"),
        ("work", "HEAD", b"x = 1\n"),
        ("bare", None, b"x = 1\n"),
    ):
        (unit,) = units(tmp_path / name, reading=Reading(revision=revision))
        assert read(unit).files["a.py"].content == content
    with pytest.raises(SourceError, match="no git repository, so there is no revision v1 of it"):
        units(tmp_path, reading=Reading(revision="v1"))


def test_units_can_be_read_twice_and_by_several_threads(
    wheels: dict[str, Path], tmp_path: Path, read: Any, reading: Reading
) -> None:
    """Each call of `files` reads anew and shares nothing."""
    shutil.copytree(Path(os.fspath(pytest.__file__)).parent, tmp_path / "tree")
    for unit in units(wheels["pytest"], tmp_path / "tree", reading=reading):
        with ThreadPoolExecutor(3) as executor:
            found = list(executor.map(read, [unit] * 3))
        assert found == [read(unit)] * 3
