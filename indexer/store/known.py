"""What an index already holds, as the writer asks: contents, Origins and Packages.

In: the published Segments. Out: membership tests. It refuses to know what is done with what is new.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import numpy as np

from codecite.indexer.kernels.types import Array
from codecite.indexer.store.manifest import Manifest, segment_directory
from codecite.indexer.store.section import read_array
from codecite.indexer.store.tables import numbers_of, read_table


def digest_keys(digests: Array) -> Array:
    """SHA-1s, `uint8 [n, 20]`, as one sortable value each (all of one length, so that padding cannot confuse them)."""
    return np.ascontiguousarray(digests).view("S20").ravel()


class Contents:
    """The SHA-1s of all Documents of the finished Segments."""

    def __init__(self, digests: Iterable[Array]) -> None:
        self._known = [np.sort(digest_keys(array)) for array in digests if len(array)]
        self._new: set[bytes] = set()

    def add_all(self, digests: Iterable[bytes]) -> None:
        """Add the Documents of a Segment that this build finished."""
        self._new.update(digests)

    def __contains__(self, digest: bytes) -> bool:
        if digest in self._new:
            return True
        key = np.frombuffer(digest, "S20")[0]
        for array in self._known:
            at = int(np.searchsorted(array, key))
            if at < len(array) and array[at] == key:
                return True
        return False


class Known:
    """What the published Segments of an index hold."""

    def __init__(self, directory: Path, manifest: Manifest) -> None:
        places = [segment_directory(directory, entry.name) for entry in manifest.segments]
        self.contents = Contents(read_array(place / "contents.npy") for place in places)
        tables = [read_table(place / "origins.arrow") for place in places]
        keys = [numbers_of(table["key"]) for table in tables]
        self._keys = np.sort(np.concatenate([np.empty(0, np.uint64), *keys]))
        self._new: set[int] = set()
        self.fingerprints: set[str] = set()
        for place in places:
            column = read_table(place / "packages.arrow")["fingerprint"]
            self.fingerprints.update(text for text in column.to_pylist() if text is not None)

    def add_origin(self, key: int) -> bool:
        """Remember an Origin; False if it was known."""
        if key in self._new:
            return False
        wanted = np.uint64(key)
        at = int(np.searchsorted(self._keys, wanted))
        if at < len(self._keys) and self._keys[at] == wanted:
            return False
        self._new.add(key)
        return True
