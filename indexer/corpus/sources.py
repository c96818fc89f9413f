"""The sources of `index add` -> Units.

In: paths as the user gave them, and whether to read what is installed. Out: Units, one for each. This module refuses
to know how any source is read: it only tells them apart.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator, Sequence
from itertools import chain
from pathlib import Path

from codecite.indexer.config import IndexConfig
from codecite.indexer.corpus.files import absolute, printable
from codecite.indexer.corpus.installed import installed as installed_distributions
from codecite.indexer.corpus.tree import single_file, tree
from codecite.indexer.corpus.units import Unit
from codecite.indexer.corpus.wheel import wheel
from codecite.indexer.errors import SourceError

SUPPORTED = "directory trees, single files and wheels (.whl)"

_UNSUPPORTED = (
    *(".tar", ".tar.gz", ".tgz", ".tar.bz2", ".tbz2", ".tar.xz", ".txz", ".tar.zst", ".zip", ".7z", ".rar", ".gz"),
    *(".bz2", ".xz", ".zst", ".jar", ".war", ".egg", ".conda", ".deb", ".rpm", ".crate", ".gem", ".nupkg"),
    *(".jsonl", ".parquet", ".arrow"),
)
"""Containers of many files: taken as one file they would be indexed as what they are not."""


def read_sources(specs: Sequence[str], *, installed: bool, config: IndexConfig) -> Iterator[Unit]:
    """The Units of the given paths in their order (each path once), then those of the installed distributions.

    Every path is looked at before the first Unit comes, so that a wrong one costs nothing. Raises SourceError for a
    path that is missing, cannot be opened, or is of a kind that is not read.
    """
    distinct: dict[str, str] = {}
    for spec in specs:
        distinct.setdefault(absolute(spec), spec)
    units = [_unit(spec, config) for spec in distinct.values()]
    return chain(units, installed_distributions(config) if installed else ())


def _unit(spec: str, config: IndexConfig) -> Unit:
    name = printable(spec)
    try:
        mode = Path(spec).stat().st_mode
        if stat.S_ISDIR(mode):
            os.scandir(spec).close()
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise SourceError(
            f"{name}: cannot be read ({reason}); check the path; what can be read are {SUPPORTED}"
        ) from error
    if stat.S_ISDIR(mode):
        return tree(spec, config)
    if not stat.S_ISREG(mode):
        raise SourceError(f"{name}: neither a file nor a folder; what can be read are {SUPPORTED}")
    lower = spec.lower()
    if lower.endswith(".whl"):
        return wheel(spec, config)
    if lower.endswith(_UNSUPPORTED):
        raise SourceError(
            f"{name}: this kind of archive is not read; unpack it and give the folder. Read are {SUPPORTED}"
        )
    return single_file(spec, config)
