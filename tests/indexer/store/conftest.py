"""A small index, written once, that each test may have a copy of to damage."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from oracle.library import reader

from codecite.indexer.build import add
from codecite.indexer.corpus.units import Unit
from codecite.indexer.records import Package, SourceFile


def code(number: int, lines: int = 12) -> bytes:
    """A file like no other."""
    return b"".join(
        b"def function_%d_%d(value):\n    return value + %d\n" % (number, i, i * number) for i in range(lines)
    )


@pytest.fixture(scope="session")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An index of two Segments; the second has an Origin of a Document of the first."""
    directory = tmp_path_factory.mktemp("written") / "index"
    first = [SourceFile(f"m{i}.py", code(i)) for i in range(4)]
    second = [SourceFile("n.py", code(9)), SourceFile("copy.py", first[1].content)]
    for name, files in (("one", first), ("two", second)):
        add(directory, [Unit(Package(name, purl=f"pkg:pypi/{name}@1"), reader(files))])
    return directory


@pytest.fixture
def index(written: Path, tmp_path: Path) -> Path:
    """A copy of it."""
    return Path(shutil.copytree(written, tmp_path / "index"))
