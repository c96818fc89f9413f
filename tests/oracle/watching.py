"""A reader that opens an index over and over while others write to it, as a process of its own.

In: the directory of an index as argument; standard input, which is closed when it is enough. Out: a JSON line for each
time: the generation that was open, and a digest of what it answered. It refuses to know what is written meanwhile.
"""

from __future__ import annotations

import hashlib
import json
import select
import sys
from collections.abc import Iterable
from pathlib import Path

from oracle.pool import QUERIES
from oracle.store_model import answers

from codecite.indexer import open_index


def digest(answered: Iterable[str]) -> str:
    """One value for all answers."""
    return hashlib.sha256("\n".join(answered).encode()).hexdigest()


def look(directory: Path) -> tuple[int, str]:
    """The generation that is live now, and a digest of its answers."""
    index = open_index(directory)
    answered = answers(index, QUERIES)
    index.stats()
    return index.coverage[0].generation, digest(answered)


def _watch(directory: Path) -> None:
    while True:
        sys.stdout.write(json.dumps(look(directory)) + "\n")
        sys.stdout.flush()
        if select.select([sys.stdin], [], [], 0)[0]:
            return


if __name__ == "__main__":
    _watch(Path(sys.argv[1]))
