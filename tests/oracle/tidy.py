"""What tests of the store look at: whether a folder holds anything but an index, and what a Model answers.

In: the folder of an index, or a Model. Out: a failed assertion, or answers. It refuses to know how either came to be.
"""

from __future__ import annotations

import os
import shutil
from pathlib import Path

from oracle.pool import QUERIES
from oracle.store_model import Model, answers

from codecite.indexer import open_index
from codecite.indexer.store.manifest import read_manifest

MEMORY = Path("/dev/shm") if os.access("/dev/shm", os.W_OK) else None
"""A folder in memory, where the machine has one, for tests that write much and ask for no disk."""


def holds_nothing_else(index: Path) -> None:
    """There is nothing in the folder but what the manifest names."""
    manifest = read_manifest(index)
    named = {"manifest.json", "lock", "segments"} | ({manifest.takedowns} if manifest.takedowns else set())
    assert {path.name for path in index.iterdir()} == named
    assert {path.name for path in (index / "segments").iterdir()} == {entry.name for entry in manifest.segments}
    lists = {(path.parent.name, path.name) for path in index.glob("segments/*/removed-*")}
    assert lists == {(entry.name, entry.removed) for entry in manifest.segments if entry.removed}
    assert {path.name for path in index.glob("segments/*/postings-*")} == set()


def said(place: Path, state: Model) -> list[str]:
    """What an index of that state answers, written in a folder of `place` that is gone again."""
    state.write(place / "made", 0)
    found = answers(open_index(place / "made"), QUERIES)
    shutil.rmtree(place / "made")
    return found
