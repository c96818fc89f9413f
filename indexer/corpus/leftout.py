"""The files that stay, where a source lists files and no folders.

In: entries with a path each, and `Reading.excluded`. Out: the entries that stay, and one Skipped for each file or
folder that is left out. This module refuses to know what the entries are, and how patterns are written.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Protocol, TypeVar

from codecite.indexer.records import Skipped, SkipReason


class Entry(Protocol):
    """What has a path: `/` between folders, relative to its source."""

    @property
    def path(self) -> str:
        """The path."""


E = TypeVar("E", bound=Entry)

_FOLDERS = 100_000
"""Folders of which the answer is kept at hand."""


def kept(entries: Iterable[E], excluded: Callable[[str], bool]) -> Iterator[E | Skipped]:
    """The entries that are not excluded. `excluded` is asked once for each folder, and never of what is in one that is.

    An excluded folder is given as one Skipped, at the first of the entries in it.
    """
    folders: dict[str, bool] = {}
    around: dict[str, str] = {"": ""}
    told: set[str] = set()
    for entry in entries:
        folder = entry.path.rpartition("/")[0]
        if folder not in around:
            if len(folders) > _FOLDERS:  # long paths in great number: what is forgotten is asked again
                folders.clear()
            around[folder] = _outermost(folder, excluded, folders)
        left_out = around[folder] or (entry.path if excluded(entry.path) else "")
        if not left_out:
            yield entry
        elif left_out not in told:
            told.add(left_out)
            yield Skipped(left_out, SkipReason.EXCLUDED)


def _outermost(folder: str, excluded: Callable[[str], bool], folders: dict[str, bool]) -> str:
    """The outermost excluded folder of those that the path goes through, with its `/`; empty if there is none."""
    end = 0
    while end < len(folder):
        end = folder.find("/", end + 1)
        end = len(folder) if end < 0 else end
        prefix = folder[:end] + "/"
        if prefix not in folders:
            folders[prefix] = excluded(prefix)
        if folders[prefix]:
            return prefix
    return ""
