"""The unit of a corpus: one distribution, archive, revision, row or tree.

In: nothing. Out: the shape in which every reader of this room hands over what it read. It refuses to know how a
source is laid out, or what the index does with it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Union

from xxhash import xxh3_64_hexdigest

from codecite.indexer.errors import SourceError
from codecite.indexer.records import Package, Skipped, SourceFile

MAX_FILE_BYTES = 16 * 1024 * 1024
"""Larger files are not read, unless one says so: they are tables that a program wrote."""


@dataclass(frozen=True, slots=True)
class Pending:
    """A file that is not read, or not looked into, yet.

    `load` does that, on any thread, at any time after it was handed over; a SourceError of it breaks the whole unit.
    `size` is the number of bytes that it holds or will read. `stamp` is a hash, of 64 bits and not 0, of all that says
    that the file and what is near it are unchanged (size, times, inode): what has the same path and stamp as before is
    not loaded. 0 is always loaded.
    """

    path: str
    size: int
    load: Callable[[], SourceFile | Skipped]
    stamp: int = 0


Item = Union[Pending, SourceFile, Skipped, "Unit", SourceError]
"""What a unit gives: its files, units inside it, and the errors of units (rows, say) that could not be read."""


@dataclass(frozen=True, slots=True)
class Unit:
    """A Package and the way to read its files; nothing is read before `files` is called.

    A unit enters the index whole or not at all: if `files` raises SourceError, nothing that it gave is kept, units
    inside it included. An error that concerns one unit inside it only is given as an item instead. A unit that is not
    `whole` (a tree, a dataset) only holds others: each file and unit in it stands for itself, and stays. `size` is the
    number of bytes that reading is expected to go through, for a progress bar.
    """

    package: Package
    files: Callable[[], Iterator[Item]]
    size: int = 0
    whole: bool = True


@dataclass(frozen=True, slots=True)
class Columns:
    """The columns of a dataset, by what they hold; the defaults are those of The Stack."""

    content: str = "content"
    repository: str = "max_stars_repo_name"
    revision: str = "max_stars_repo_head_hexsha"
    path: str = "max_stars_repo_path"
    licenses: str = "max_stars_repo_licenses"
    language: str = "lang"
    digest: str = "hexsha"
    released: str = ""


@dataclass(frozen=True, slots=True)
class Reading:
    """How sources are read: what is left out, and the names of a dataset's columns.

    `excluded` says whether a path (with `/` between folders, relative to its tree or archive; a folder's ends in `/`)
    is left out; what lies in an excluded folder is never asked for. `excludes` are the patterns that it goes by.
    `revision` is the one at which repositories are read. `twice` says that heads are read by a second detector, too.
    """

    max_file_bytes: int = MAX_FILE_BYTES
    excluded: Callable[[str], bool] = lambda path: False
    excludes: tuple[str, ...] = ()
    revision: str | None = None
    columns: Columns = Columns()
    twice: bool = False

    def mark(self, fingerprint: str) -> str:
        """The fingerprint of what is read this way: read otherwise, there may be more in it, or less."""
        if self.twice:
            fingerprint += "+twice"
        if not self.excludes and self.max_file_bytes == MAX_FILE_BYTES:
            return fingerprint
        return f"{fingerprint}+{xxh3_64_hexdigest(repr((self.max_file_bytes, self.excludes)).encode())}"
