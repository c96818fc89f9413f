"""The distributions installed in this Python -> Units.

In: `importlib.metadata`, which knows them. Out: one Unit for each, in the order of the import path, with the files
its RECORD lists under the paths that stand there. Of an editable install that is what RECORD lists and no more.
Bytecode is skipped unread. This module refuses to know of wheels, and of files that no distribution owns.

A distribution is known by its name, version and RECORD, which holds a digest of every file; one without RECORD is
read each time. Nothing says when it was released: the dates of its files are those of the installation.
"""

from __future__ import annotations

import csv
import email
import hashlib
import os
import re
from collections.abc import Iterator
from email.message import Message
from functools import partial
from importlib.metadata import Distribution, distributions
from pathlib import Path

from codecite.indexer.corpus.files import READER, printable, read_path
from codecite.indexer.corpus.leftout import kept
from codecite.indexer.corpus.nearby import Nearby, is_near_file
from codecite.indexer.corpus.python import describe_message, field, files_inside, named_files
from codecite.indexer.corpus.units import Item, Pending, Reading, Unit
from codecite.indexer.licenses.texts import TEXT_BYTES
from codecite.indexer.records import Package, Skipped, SkipReason

_COUNT = re.compile(r"[0-9]{1,15}")
_BYTECODE = (".pyc", ".pyo")


def installed(reading: Reading, path: list[str] | None = None) -> Iterator[Unit]:
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
            yield _unit(distribution, message, reading)


def _unit(distribution: Distribution, message: Message, reading: Reading) -> Unit:
    root = Path(str(distribution.locate_file(""))).absolute()
    record = _text(distribution, "RECORD")
    try:
        sizes = _recorded(record) if record is not None else _unrecorded(distribution, root)
    except csv.Error:
        sizes, message = {}, Message()
    if not field(message, "Name"):
        skipped = Skipped(_place(distribution).name, SkipReason.UNREADABLE, "no readable metadata; reinstall it")
        return Unit(Package(source="installed", url=root.as_uri()), lambda: iter([skipped]))
    info = next((name.rpartition("/")[0] for name in sizes if name.endswith(".dist-info/METADATA")), None)
    texts = (named_files(message, info, sizes) or files_inside(info, sizes)) if info else []
    described = describe_message(message, {printable(name): _head(root / name) for name in texts})
    package = Package(
        source="installed",
        purl=described.purl,
        repository=described.repository,
        url=root.as_uri(),
        evidence=described.evidence,
        fingerprint=None if record is None else reading.mark(_fingerprint(message, record)),
    )

    def items() -> Iterator[Pending | Skipped]:
        near = Nearby({printable(name): _head(root / name) for name in sizes if _near(name, info)})
        for name, size in sizes.items():
            path = printable(name)
            if _bytecode(name):
                yield Skipped(path, SkipReason.BINARY, "bytecode, not read")
            else:
                load = partial(read_path, str(root / name), path, reading, near.of(path), follow=True)
                yield Pending(path, size, load)

    def files() -> Iterator[Item]:
        if not sizes:
            yield Skipped(_place(distribution).name, SkipReason.MISSING, "nothing lists its files")
        yield from kept(items(), reading.excluded)

    expected = (size for name, size in sizes.items() if size <= reading.max_file_bytes and not _bytecode(name))
    return Unit(package, files, sum(expected))


def _fingerprint(message: Message, record: str) -> str:
    digest = hashlib.sha256()
    for text in (field(message, "Name"), field(message, "Version"), record):
        part = text.encode("utf-8", "surrogatepass")
        digest.update(len(part).to_bytes(8, "little"))
        digest.update(part)
    return f"{digest.hexdigest()}/{READER}"


def _near(name: str, info: str | None) -> bool:
    """Whether this is a licence file of some of the files only: those in the metadata's folder are of the whole."""
    return is_near_file(name) and not (info and name.startswith(f"{info}/"))


def _metadata(distribution: Distribution) -> Message:
    """The core metadata of a distribution (an old `.egg-info` may be that file itself); empty if there is none."""
    texts = (_text(distribution, name) for name in ("METADATA", "PKG-INFO", ""))
    return email.message_from_string(next(filter(None, texts), ""))


def _recorded(record: str) -> dict[str, int]:
    """The files that a RECORD lists, and their sizes in bytes (0 where it does not say)."""
    rows = csv.reader(record.splitlines())
    return {row[0]: int(row[2]) if len(row) > 2 and _COUNT.fullmatch(row[2]) else 0 for row in rows if row and row[0]}


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
            return stream.read(TEXT_BYTES)
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
