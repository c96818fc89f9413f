"""A directory tree, or one file -> a Unit.

In: a path. Out: a Unit whose files come in sorted order, each under its path relative to the tree, with `/` between
the folders; archives, datasets and Debian source packages in it are Units of their own. Nothing outside the tree is
read: symbolic links are not followed. This module refuses to know of version control beyond the names of its folders.

The tree is walked once, and little is opened: licence files (their beginnings) and what packages that were unpacked in
it declare, both for the files near them, and what may be units inside. Every other file is handed over unread, with a
stamp by which it is known again.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import xxhash

from codecite.indexer.corpus.debian import parts_of
from codecite.indexer.corpus.describe import declared_in
from codecite.indexer.corpus.files import MAX_METADATA, READER, absolute, printable, read_path, too_large, unreadable
from codecite.indexer.corpus.kinds import reader_in_tree
from codecite.indexer.corpus.nearby import Near, evidence_of, is_license_file, is_license_folder
from codecite.indexer.corpus.units import Item, Pending, Reading, Unit
from codecite.indexer.errors import SourceError
from codecite.indexer.licenses.reuse import (
    DEP5,
    FOLDER,
    TOML,
    Annotations,
    Declared,
    declared_of,
    is_declaration,
    read_annotations,
    read_sidecar,
    sidecar_of,
)
from codecite.indexer.licenses.texts import TEXT_BYTES
from codecite.indexer.records import LicenseEvidence, Package, Skipped, SkipReason

SETTLED = 2_000_000_000
"""Nanoseconds after which a file's times tell whether it was changed again: clocks of file systems are that coarse."""

_VERSION_CONTROL = {".git", ".hg", ".svn"}
_NO_WAIT = getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_NOFOLLOW", 0)


def tree(root: str, reading: Reading) -> Unit:
    """The Unit of a directory. Its size is not known before it was walked."""
    root = absolute(root)
    return Unit(_package(root), partial(_walk, root, reading), whole=False)


def single_file(path: str, reading: Reading) -> Unit:
    """The Unit of one file, which a symbolic link may name."""
    path = absolute(path)

    def files() -> Iterator[Item]:
        name = printable(Path(path).name)
        try:
            status = os.stat(path)  # noqa: PTH116 - a path need not be UTF-8
        except OSError as error:
            yield unreadable(name, error)
            return
        load = partial(read_path, path, name, reading, follow=True)
        yield Pending(name, status.st_size, load, _stamp(name, status, time.time_ns(), READER))

    return Unit(_package(path), files, Path(path).stat().st_size)


def _package(path: str) -> Package:
    return Package(source=printable(path), url=Path(path).as_uri())


class _Folder:
    """A folder that is being walked: its name in the tree (with a `/`, but for the tree itself), and what is near.

    `near` is the evidence of licence files, `package` that of the metadata of the package that it belongs to; `seed`
    stands for both in stamps, `annotations` and `sidecars` are what REUSE declares, `parts` the files that a
    Debian source package in it is made of. What is near the folder around it is near it, too.
    """

    __slots__ = ("annotations", "name", "near", "now", "package", "parts", "seed", "sidecars")

    def __init__(self, name: str, around: _Folder | None = None) -> None:
        self.name = name
        self.near: tuple[LicenseEvidence, ...] = around.near if around else ()
        self.package: tuple[LicenseEvidence, ...] = around.package if around else ()
        self.seed: int = around.seed if around else READER
        self.annotations: tuple[Annotations, ...] = around.annotations if around else ()
        self.sidecars: dict[str, bytes] = {}
        self.now = time.time_ns()
        self.parts: frozenset[str] = frozenset()

    def declared(self, path: str) -> tuple[Declared, ...]:
        """What is declared of the file at `path`, which is in it."""
        if not self.annotations and not self.sidecars:
            return ()
        beside = sidecar_of(path)
        text = self.sidecars.get(beside)
        return declared_of(path, self.annotations, None if text is None else read_sidecar(beside, text))


_Stack = list[tuple[_Folder, os.DirEntry[str]]]


def _walk(root: str, reading: Reading) -> Iterator[Item]:
    """All that is below the root, in sorted order."""
    source = printable(root)
    stack: _Stack = []
    unlisted = _list(root, _Folder(""), stack)
    if unlisted is not None:
        yield unlisted
    while stack:
        folder, entry = stack.pop()
        name = folder.name + printable(entry.name)
        try:
            if entry.name in _VERSION_CONTROL:
                yield Skipped(name, SkipReason.VERSION_CONTROL, "skipped as a whole")
            elif entry.is_file(follow_symlinks=False):
                if reading.excluded(name):
                    yield Skipped(name, SkipReason.EXCLUDED)
                elif entry.name not in folder.parts:
                    reader = reader_in_tree(entry.path, entry.name, reading.columns)
                    if reader is None:
                        yield _file(entry, name, folder, reading)
                    else:
                        yield reader(entry.path, reading, source)
            elif entry.is_dir(follow_symlinks=False):
                if reading.excluded(f"{name}/"):
                    yield Skipped(f"{name}/", SkipReason.EXCLUDED)
                else:
                    unlisted = _list(entry.path, _Folder(f"{name}/", folder), stack)
                    if unlisted is not None:
                        yield unlisted
            else:
                link = entry.is_symlink()
                yield Skipped(name, SkipReason.NOT_A_FILE, "a symbolic link" if link else "a pipe, socket or device")
        except OSError as error:
            yield unreadable(name, error)
        except SourceError as error:
            yield error


def _file(entry: os.DirEntry[str], name: str, folder: _Folder, reading: Reading) -> Item:
    status = entry.stat(follow_symlinks=False)
    size = status.st_size
    if not size:
        return Skipped(name, SkipReason.EMPTY)
    if size > reading.max_file_bytes:
        return too_large(name, size, reading)
    declared = folder.declared(name)
    seed = _hashed(declared, folder.seed) if declared else folder.seed
    if reading.twice:
        seed = _hashed("twice", seed)
    load = partial(read_path, entry.path, name, reading, Near(folder.near + folder.package, declared), follow=False)
    return Pending(name, size, load, _stamp(name, status, folder.now, seed))


def _stamp(name: str, status: os.stat_result, now: int, seed: int) -> int:
    """What says that a file is as it was; 0 for one that has changed so lately that its times may stay if it does."""
    changed, moved = status.st_mtime_ns, status.st_ctime_ns
    if changed > now - SETTLED or moved > now - SETTLED:
        return 0
    state = f"{name}\0{status.st_size} {changed} {moved} {status.st_ino}"
    return xxhash.xxh3_64_intdigest(state.encode("utf-8", "surrogateescape"), seed) or 1


def _list(path: str, folder: _Folder, stack: _Stack) -> Skipped | None:
    """Put what is in a folder on the stack, last first, and note what is said of its licence; or why it cannot be."""
    try:
        with os.scandir(path) as entries:
            found = sorted(entries, key=_name, reverse=True)
    except OSError as error:
        return unreadable(folder.name.rstrip("/"), error)
    texts: dict[str, bytes] = {}
    for entry in found:
        if is_license_file(entry.name) and entry.is_file(follow_symlinks=False):
            texts[folder.name + printable(entry.name)] = _beginning(entry.path)
        elif is_license_folder(entry.name) and entry.is_dir(follow_symlinks=False):
            texts.update(_texts_in(entry, f"{folder.name}{entry.name}/"))
        elif is_declaration(entry.name) and entry.is_file(follow_symlinks=False):
            _declare(folder, folder.name + printable(entry.name), entry.path)
        elif entry.name == FOLDER and entry.is_dir(follow_symlinks=False):
            _declare(folder, folder.name + DEP5, f"{entry.path}/dep5")
        elif entry.name.lower().endswith(".dsc"):
            folder.parts |= parts_of(_beginning(entry.path, MAX_METADATA)) - {entry.name}
    near = evidence_of(texts)
    files = [printable(entry.name) for entry in found if entry.is_file(follow_symlinks=False)]
    package = declared_in(folder.name, files, lambda name: _beginning(f"{path}/{name}", MAX_METADATA))
    if near or package:
        folder.near, folder.package = near or folder.near, package
        folder.seed = _hashed((folder.near, package), READER)
    stack.extend((folder, entry) for entry in found)
    return None


def _declare(folder: _Folder, path: str, place: str) -> None:
    """Take in a file that declares something of others."""
    text = _beginning(place)
    if path.endswith((TOML, DEP5)):
        folder.annotations += (read_annotations(path, text),)
    elif text:
        folder.sidecars[path] = text


def _hashed(near: object, seed: int) -> int:
    return xxhash.xxh3_64_intdigest(repr(near).encode("utf-8", "surrogateescape"), seed)


def _name(entry: os.DirEntry[str]) -> str:
    return entry.name


def _texts_in(folder: os.DirEntry[str], name: str) -> dict[str, bytes]:
    """The beginnings of the texts in a `LICENSES` folder, by their paths in the tree."""
    try:
        with os.scandir(folder.path) as entries:
            found = {name + printable(entry.name): entry.path for entry in entries}
    except OSError:
        return {}
    return {path: _beginning(place) for path, place in found.items() if is_license_file(path)}


def _beginning(path: str, size: int = TEXT_BYTES) -> bytes:
    """The first bytes of a file, none of what cannot be read: that is told where the file itself is."""
    try:
        with open(os.open(path, os.O_RDONLY | _NO_WAIT), "rb", buffering=0) as stream:  # noqa: PTH123
            return stream.read(size) or b""
    except OSError:
        return b""
