"""Real wheels and trees for the readers."""

from __future__ import annotations

import importlib.metadata
import os
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from codecite.indexer.corpus.units import Item, Pending, Reading, Unit
from codecite.indexer.errors import SourceError
from codecite.indexer.records import Package, Skipped, SourceFile

REAL = ("click", "hypothesis", "pytest", "iniconfig")
"""Distributions that whoever runs the tests has installed."""


def pack(name: str, folder: Path) -> Path:
    """A wheel with the files of the installed distribution of this name, all that its RECORD lists below its root."""
    distribution = importlib.metadata.distribution(name)
    path = folder / f"{name}-{distribution.version}-py3-none-any.whl"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for file in distribution.files or ():
            if ".." not in file.parts and file.suffix != ".pyc":
                archive.write(os.fspath(distribution.locate_file(file)), file.as_posix())
    return path


@pytest.fixture(scope="session")
def wheels(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """A real wheel of each of the distributions in `REAL`."""
    folder = tmp_path_factory.mktemp("wheels")
    return {name: pack(name, folder) for name in REAL}


@pytest.fixture
def reading() -> Reading:
    """The default way to read."""
    return Reading()


@dataclass
class Found:
    """All that a unit gave, units inside it included: files by path, with their packages, skips and errors."""

    files: dict[str, SourceFile] = field(default_factory=dict)
    skipped: dict[str, Skipped] = field(default_factory=dict)
    errors: list[str] = field(default_factory=list)
    packages: dict[str, Package] = field(default_factory=dict)

    @property
    def reasons(self) -> dict[str, str]:
        """The reason for which each path is skipped."""
        return {path: str(item.reason) for path, item in self.skipped.items()}

    def take(self, unit: Unit) -> None:
        """Read the unit to its end."""
        try:
            for item in unit.files():
                self._item(item, unit.package)
        except SourceError as error:
            self.errors.append(str(error))

    def _item(self, item: Item, package: Package) -> None:
        if isinstance(item, Unit):
            self.take(item)
        elif isinstance(item, SourceError):
            self.errors.append(str(item))
        else:
            read = item.load() if isinstance(item, Pending) else item
            known: dict[str, SourceFile] | dict[str, Skipped] = (
                self.skipped if isinstance(read, Skipped) else self.files
            )
            assert read.path not in known, f"{read.path} came twice"
            known[read.path] = read  # type: ignore[assignment]
            self.packages[read.path] = package


@pytest.fixture(scope="session")
def read() -> Callable[[Unit], Found]:
    """A call that reads a unit, and all units inside it, as a build does."""

    def everything(unit: Unit) -> Found:
        found = Found()
        found.take(unit)
        return found

    return everything


@pytest.fixture
def unprivileged() -> Iterator[Callable[[], None]]:
    """A call that lets the test go on as a user whom file permissions hold back."""
    user = os.geteuid()

    def drop() -> None:
        if user == 0:
            os.seteuid(65534)

    yield drop
    os.seteuid(user)
