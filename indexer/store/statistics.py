"""Figures of an index: licences and sizes.

In: an opened Snapshot. Out: counts. It refuses to know how they are shown.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from codecite.indexer.store.manifest import Manifest, segment_directory
from codecite.indexer.store.snapshot import Snapshot


def licenses_of(snapshot: Snapshot) -> dict[str, int]:
    """How many Documents stand under each expression, most first."""
    counts = np.zeros(len(snapshot.expressions), np.int64)
    for opened in snapshot.segments:
        counts += np.bincount(opened.licensed.numbers, minlength=len(counts))
    pairs = [pair for pair in zip(snapshot.expressions, counts.tolist(), strict=True) if pair[1]]
    return dict(sorted(pairs, key=lambda pair: (-pair[1], pair[0])))


def packages_of(snapshot: Snapshot) -> int:
    """How many Packages there are; one that has rows in several Segments counts once."""
    fields = ("source", "purl", "repository", "revision", "url")
    found: set[tuple[str | None, ...]] = set()
    for opened in snapshot.segments:
        found.update(zip(*(opened.segment.packages[name].to_pylist() for name in fields), strict=True))
    return len(found)


def size_on_disk(directory: Path, manifest: Manifest) -> int:
    """The bytes of all files of the live Segments and of the manifest."""
    size = (directory / "manifest.json").stat().st_size
    for entry in manifest.segments:
        size += sum(path.stat().st_size for path in segment_directory(directory, entry.name).iterdir())
    return size
