"""The sources of `index add` -> Units.

In: paths as the user gave them, and whether to read what is installed. Out: Units, one for each. This module refuses
to know how any source is read: it only tells them apart.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator, Sequence
from pathlib import Path

from codecite.indexer.corpus.archive import archive
from codecite.indexer.corpus.containers import is_archive
from codecite.indexer.corpus.files import absolute, printable
from codecite.indexer.corpus.git import is_repository, repository
from codecite.indexer.corpus.installed import installed as installed_distributions
from codecite.indexer.corpus.kinds import Reader, reader_of
from codecite.indexer.corpus.tree import single_file, tree
from codecite.indexer.corpus.units import Reading, Unit
from codecite.indexer.errors import SourceError

SUPPORTED = (
    "directory trees, single files, archives (zip, tar, wheels, sdists, jars, packages of npm, cargo and gem), git "
    "repositories, Debian source packages (.dsc) and datasets (.jsonl, .parquet)"
)

_UNSUPPORTED = (".7z", ".rar", ".rpm", ".deb", ".conda", ".cab", ".iso", ".lz", ".lzma", ".z", ".cpio", ".arrow")
"""Containers of many files: taken as one file they would be indexed as what they are not."""


def read_sources(specs: Sequence[str], *, installed: bool, reading: Reading) -> Iterator[Unit]:
    """The Units of the given paths in their order (each path once), then those of the installed distributions.

    Every path is looked at before the first Unit comes, so that a wrong one costs nothing. Raises SourceError for a
    path that is missing, cannot be opened, or is of a kind that is not read.
    """
    distinct: dict[str, str] = {}
    for spec in specs:
        distinct.setdefault(absolute(spec), spec)
    readers = [(path, _reader(spec, reading)) for path, spec in distinct.items()]
    return _units(readers, installed, reading)


def _units(readers: list[tuple[str, Reader]], installed: bool, reading: Reading) -> Iterator[Unit]:
    for path, reader in readers:
        yield reader(path, reading, printable(path))
    if installed:
        yield from installed_distributions(reading)


def _reader(spec: str, reading: Reading) -> Reader:
    """What reads the path; SourceError if nothing does."""
    name = printable(spec)
    try:
        mode = Path(spec).stat().st_mode
        if stat.S_ISDIR(mode):
            os.scandir(spec).close()
        elif stat.S_ISREG(mode):
            with open(spec, "rb") as stream:  # noqa: PTH123 - a path need not be UTF-8
                head = stream.read(512)
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise SourceError(
            f"{name}: cannot be read ({reason}); check the path; what can be read are {SUPPORTED}"
        ) from error
    if stat.S_ISDIR(mode):
        return _folder_reader(spec, name, reading)
    if not stat.S_ISREG(mode):
        raise SourceError(f"{name}: neither a file nor a folder; what can be read are {SUPPORTED}")
    if spec.lower().endswith(_UNSUPPORTED):
        raise SourceError(
            f"{name}: files of this kind are not read; unpack it and give the folder. Read are {SUPPORTED}"
        )
    reader = reader_of(spec)
    if reader is not None:
        return reader
    return archive if is_archive(head) else lambda path, reading, source: single_file(path, reading)


def _folder_reader(spec: str, name: str, reading: Reading) -> Reader:
    """A bare repository is read as one, a working tree only at a revision: else its files are what is on disk."""
    is_git = is_repository(spec)
    if is_git and (reading.revision is not None or not (Path(spec) / ".git").exists()):
        unit = repository(spec, reading, printable(absolute(spec)))
        return lambda path, reading, source: unit
    if reading.revision is not None:
        raise SourceError(f"{name}: no git repository, so there is no revision {reading.revision} of it")
    return lambda path, reading, source: tree(path, reading)
