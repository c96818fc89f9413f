"""The unit of a corpus: one distribution, wheel or tree.

In: nothing. Out: the shape in which every reader of this room hands over what it read. It refuses to know how a
source is laid out, or what the index does with it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from codecite.indexer.records import Package, Skipped, SourceFile


@dataclass(frozen=True, slots=True)
class Unit:
    """A Package and the way to read its files; nothing is read before `files` is called.

    `size` is the number of bytes that reading is expected to go through, for a progress bar.
    """

    package: Package
    files: Callable[[], Iterator[SourceFile | Skipped]]
    size: int = 0
