"""The sources of `index add` are told apart, and what cannot be read is refused before anything is."""

from __future__ import annotations

import itertools
import os
import threading
from pathlib import Path

import pytest

from codecite.indexer.config import IndexConfig
from codecite.indexer.corpus.sources import read_sources
from codecite.indexer.errors import SourceError
from codecite.indexer.records import Skipped, SourceFile


def test_each_kind_of_source_has_its_reader(wheels: dict[str, Path], tmp_path: Path, config: IndexConfig) -> None:
    """A tree, a file and a wheel come in the order given, each path once, and then what is installed."""
    (tmp_path / "tree").mkdir()
    (tmp_path / "one.py").write_text("x = 1\n")
    specs = [tmp_path / "tree", tmp_path / "one.py", wheels["click"], tmp_path / "tree" / ".." / "tree"]
    units = list(read_sources([os.fspath(spec) for spec in specs], installed=False, config=config))
    assert [unit.package.source for unit in units] == [os.fspath(spec) for spec in specs[:3]]
    both = read_sources([os.fspath(specs[1])], installed=True, config=config)
    assert [unit.package.source for unit in itertools.islice(both, 2)] == [os.fspath(specs[1]), "installed"]
    assert list(read_sources([], installed=False, config=config)) == []


def test_a_missing_path_is_refused_before_any_unit_comes(tmp_path: Path, config: IndexConfig) -> None:
    """The message names the path, the reason and what can be read."""
    with pytest.raises(SourceError, match=r"nowhere: cannot be read \(No such file or directory\).*wheels"):
        read_sources([os.fspath(tmp_path), os.fspath(tmp_path / "nowhere")], installed=False, config=config)


@pytest.mark.parametrize("name", ["x.tar.gz", "x.ZIP", "x.jar", "x.tgz", "data.jsonl", "data.parquet", "x.deb"])
def test_archives_of_other_kinds_are_refused(tmp_path: Path, config: IndexConfig, name: str) -> None:
    """Taken as one file they would be indexed as what they are not."""
    (tmp_path / name).write_bytes(b"PK\x03\x04")
    with pytest.raises(SourceError, match=r"not read; unpack it.*directory trees, single files and wheels"):
        read_sources([os.fspath(tmp_path / name)], installed=False, config=config)


def test_what_is_neither_file_nor_folder_is_refused(tmp_path: Path, config: IndexConfig) -> None:
    """A pipe would keep the reader waiting."""
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(SourceError, match="pipe: neither a file nor a folder"):
        read_sources([os.fspath(tmp_path / "pipe")], installed=False, config=config)


def test_units_can_be_read_twice_and_by_several_threads(wheels: dict[str, Path], config: IndexConfig) -> None:
    """Each call of `files` reads anew and shares nothing."""
    unit, *_ = read_sources([os.fspath(wheels["pytest"])], installed=False, config=config)
    found: list[list[SourceFile | Skipped]] = []
    threads = [threading.Thread(target=lambda: found.append(list(unit.files()))) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 3
    assert found[0] == found[1] == found[2] == list(unit.files())
