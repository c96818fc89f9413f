"""The distributions installed in this Python -> Units.

In: `importlib.metadata`, which knows them. Out: one Unit for each, in the order of the import path, with the files
its RECORD lists under the paths that stand there. Of an editable install that is what RECORD lists and no more.
Bytecode is skipped unread. This module refuses to know of wheels, and of files that no distribution owns.
"""

from __future__ import annotations

import csv
import email
import os
import re
from collections.abc import Iterator
from email.message import Message
from importlib.metadata import Distribution, distributions
from pathlib import Path

from codecite.indexer.config import IndexConfig
from codecite.indexer.corpus.files import HEAD, printable, read_path
from codecite.indexer.corpus.python import field, license_files, package
from codecite.indexer.corpus.units import Unit
from codecite.indexer.records import Package, Skipped, SkipReason, SourceFile

_BYTECODE = (".pyc", ".pyo")


def installed(config: IndexConfig, path: list[str] | None = None) -> Iterator[Unit]:
    """A Unit for each distribution on the import path (or on `path`), each name once, as Python resolves it.

    Where two of one name are found the first is what gets imported, so the others are passed over. A distribution
    whose metadata cannot be read becomes a Unit with nothing but the Skipped that says so.
    """
    seen: set[str] = set()
    for distribution in distributions() if path is None else distributions(path=path):
        message = _metadata(distribution)
        key = re.sub(r"[-_.]+", "-", field(message, "Name")).lower() or str(_place(distribution))
        if key not in seen:
            seen.add(key)
            yield _unit(distribution, message, config)


def _unit(distribution: Distribution, message: Message, config: IndexConfig) -> Unit:
    root = Path(str(distribution.locate_file(""))).absolute()
    if not field(message, "Name"):
        skipped = Skipped(_place(distribution).name, SkipReason.UNREADABLE, "no readable metadata; reinstall it")
        return Unit(Package(source="installed", url=root.as_uri()), lambda: iter([skipped]))
    record = _text(distribution, "RECORD")
    sizes = _recorded(record) if record is not None else _unrecorded(distribution, root)
    info = next((name.rpartition("/")[0] for name in sizes if name.endswith(".dist-info/METADATA")), None)
    licenses = license_files(message, info, sizes) if info else []
    described = package(
        message,
        source="installed",
        url=root.as_uri(),
        record=None if record is None else record.encode(),
        licenses=[(name, _head(root / name)) for name in licenses],
    )

    def files() -> Iterator[SourceFile | Skipped]:
        if not sizes:
            yield Skipped(_place(distribution).name, SkipReason.MISSING, "nothing lists its files")
        for name in sizes:
            if _bytecode(name):
                yield Skipped(printable(name), SkipReason.BINARY, "bytecode, not read")
            else:
                yield read_path(str(root / name), printable(name), config, follow=True)

    expected = (size for name, size in sizes.items() if size <= config.max_file_bytes and not _bytecode(name))
    return Unit(described, files, sum(expected))


def _metadata(distribution: Distribution) -> Message:
    """The core metadata of a distribution (an old `.egg-info` may be that file itself); empty if there is none."""
    texts = (_text(distribution, name) for name in ("METADATA", "PKG-INFO", ""))
    return email.message_from_string(next(filter(None, texts), ""))


def _recorded(record: str) -> dict[str, int]:
    """The files that a RECORD lists, and their sizes in bytes (0 where it does not say)."""
    rows = csv.reader(record.splitlines())
    return {row[0]: int(row[2]) if len(row) > 2 and row[2].isdecimal() else 0 for row in rows if row and row[0]}


def _unrecorded(distribution: Distribution, root: Path) -> dict[str, int]:
    """The files of a distribution without RECORD: what its installer noted, else its top-level modules.

    So are most packages of Debian. A top-level folder without `__init__.py` is passed over: it is a namespace, in
    which other distributions have their files too.
    """
    noted = _text(distribution, "installed-files.txt")
    if noted is not None:
        names = [os.path.normpath(_place(distribution) / name) for name in noted.splitlines() if name]
    else:
        modules = [root / name for name in (_text(distribution, "top_level.txt") or "").split()]
        names = [str(path) for module in modules for path in _module(module)]
    return {os.path.relpath(name, root).replace(os.sep, "/"): _size(Path(name)) for name in names}


def _module(place: Path) -> Iterator[Path]:
    """The files of the package or module at `place` (a path without suffix)."""
    if (place / "__init__.py").is_file():
        for folder, folders, names in os.walk(place):
            folders.sort()
            yield from (Path(folder, name) for name in sorted(names))
    elif place.with_name(f"{place.name}.py").is_file():
        yield place.with_name(f"{place.name}.py")


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:
        return 0


def _bytecode(name: str) -> bool:
    return name.endswith(_BYTECODE) or "__pycache__/" in name


def _head(path: Path) -> bytes:
    try:
        with path.open("rb") as stream:
            return stream.read(HEAD)
    except (OSError, ValueError):
        return b""


def _text(distribution: Distribution, name: str) -> str | None:
    """A file of the metadata, None if it is not there or no UTF-8."""
    try:
        return distribution.read_text(name)
    except (OSError, UnicodeDecodeError):
        return None


def _place(distribution: Distribution) -> Path:
    """The path of the distribution's metadata, which importlib keeps to itself; else the folder it is in."""
    return Path(str(getattr(distribution, "_path", distribution.locate_file(""))))
