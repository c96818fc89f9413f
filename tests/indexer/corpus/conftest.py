"""Real wheels and trees for the readers."""

from __future__ import annotations

import importlib.metadata
import os
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from codecite.indexer.config import IndexConfig

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
def config() -> IndexConfig:
    """The default configuration."""
    return IndexConfig()


@pytest.fixture
def unprivileged() -> Iterator[Callable[[], None]]:
    """A call that lets the test go on as a user whom file permissions hold back."""
    user = os.geteuid()

    def drop() -> None:
        if user == 0:
            os.seteuid(65534)

    yield drop
    os.seteuid(user)
