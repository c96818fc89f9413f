"""A directory tree, or one file -> a Unit.

In: a path. Out: a Unit whose files come in sorted order, each under its path relative to the tree, with `/` between
the folders. Nothing outside the tree is read: symbolic links are not followed. This module refuses to know of
version control beyond the names of its folders.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from codecite.indexer.config import IndexConfig
from codecite.indexer.corpus.files import absolute, printable, read_path, unreadable
from codecite.indexer.corpus.units import Unit
from codecite.indexer.records import Package, Skipped, SkipReason, SourceFile

_VERSION_CONTROL = {".git", ".hg", ".svn"}


def tree(root: str, config: IndexConfig) -> Unit:
    """The Unit of a directory. Its size counts the regular files that are not too large."""
    root = absolute(root)
    size = sum(_size(found, config) for found in _walk(root) if isinstance(found, _Entry))

    def files() -> Iterator[SourceFile | Skipped]:
        for found in _walk(root):
            yield read_path(found.path, found.name, config, follow=False) if isinstance(found, _Entry) else found

    return Unit(_package(root), files, size)


def single_file(path: str, config: IndexConfig) -> Unit:
    """The Unit of one file, which a symbolic link may name."""
    path = absolute(path)

    def files() -> Iterator[SourceFile | Skipped]:
        yield read_path(path, printable(Path(path).name), config, follow=True)

    return Unit(_package(path), files, Path(path).stat().st_size)


def _package(path: str) -> Package:
    return Package(source=printable(path), url=Path(path).as_uri())


class _Entry:
    """A file or folder of the tree: its path on disk, and its name in the tree."""

    __slots__ = ("entry", "name", "path")

    def __init__(self, entry: os.DirEntry[str], name: str) -> None:
        self.entry = entry
        self.path = entry.path
        self.name = name


def _walk(root: str) -> Iterator[_Entry | Skipped]:
    """Every regular file below the root in sorted order, and a Skipped for all else but folders."""
    stack = _children(root, "")
    while stack:
        found = stack.pop()
        if isinstance(found, Skipped):
            yield found
        elif found.entry.name in _VERSION_CONTROL:
            yield Skipped(found.name, SkipReason.VERSION_CONTROL, "skipped as a whole")
        elif found.entry.is_symlink():
            yield Skipped(found.name, SkipReason.NOT_A_FILE, "a symbolic link")
        elif found.entry.is_dir(follow_symlinks=False):
            stack.extend(_children(found.path, found.name))
        elif found.entry.is_file(follow_symlinks=False):
            yield found
        else:
            yield Skipped(found.name, SkipReason.NOT_A_FILE, "a pipe, socket or device")


def _children(folder: str, name: str) -> list[_Entry | Skipped]:
    """What is in a folder, last first; the Skipped of a folder that cannot be listed."""
    try:
        with os.scandir(folder) as entries:
            ordered = sorted(entries, key=lambda entry: entry.name, reverse=True)
    except OSError as error:
        return [unreadable(name, error)]
    return [_Entry(entry, f"{name}/{printable(entry.name)}" if name else printable(entry.name)) for entry in ordered]


def _size(found: _Entry, config: IndexConfig) -> int:
    try:
        size = found.entry.stat(follow_symlinks=False).st_size
    except OSError:
        return 0
    return size if size <= config.max_file_bytes else 0
