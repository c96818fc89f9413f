"""What an index already holds, as the writer asks: contents, Origins, unchanged files and Packages.

In: the published Segments. Out: membership tests, and which of the Origins were met again. It refuses to know what is
done with what is new. What was removed is not known.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import numpy as np

from codecite.indexer.kernels.types import Array, Flags, Ints, Words
from codecite.indexer.records import Package
from codecite.indexer.store.manifest import Manifest, segment_directory
from codecite.indexer.store.section import read_array
from codecite.indexer.store.tables import numbers_of, read_table

_GATHER = 1 << 16


def digest_keys(digests: Array) -> Array:
    """SHA-1s, `uint8 [n, 20]`, as one sortable value each (all of one length, so that padding cannot confuse them)."""
    return np.ascontiguousarray(digests).view("S20").ravel()


class _Sorted:
    """A growing set of sortable values: sorted arrays, and a small set of what came last."""

    def __init__(self, arrays: Iterable[Array], dtype: str) -> None:
        self._arrays = [np.sort(array) for array in arrays if len(array)]
        self._dtype = dtype
        self._new: set[bytes | int] = set()

    def add(self, value: bytes | int) -> None:
        self._new.add(value)
        if len(self._new) >= _GATHER:
            self._arrays.append(np.sort(np.array(list(self._new), self._dtype)))
            self._new.clear()
            if len(self._arrays) > 16:
                self._arrays = [np.sort(np.concatenate(self._arrays))]

    def __contains__(self, value: bytes | int) -> bool:
        if value in self._new:
            return True
        wanted = np.array(value, self._dtype)
        for array in self._arrays:
            at = int(np.searchsorted(array, wanted))
            if at < len(array) and array[at] == wanted:
                return True
        return False


class _Rows:
    """Which Origin has a value: those that are live, by value."""

    def __init__(self, values: Words, live: Flags) -> None:
        rows = np.flatnonzero(live & (values != 0))
        order = np.argsort(values[rows])
        self._rows: Ints = rows[order]
        self._values: Words = values[self._rows]

    def find(self, wanted: Words) -> Ints:
        """The Origin of each value, -1 where there is none."""
        if not len(self._values):
            return np.full(len(wanted), -1, np.int64)
        at = np.minimum(np.searchsorted(self._values, wanted), len(self._values) - 1)
        return np.where(self._values[at] == wanted, self._rows[at], -1)


class Known:
    """What the published Segments of an index hold, and which of their Origins a build `met`."""

    def __init__(self, directory: Path, manifest: Manifest) -> None:
        places = [segment_directory(directory, entry.name) for entry in manifest.segments]
        self.contents = _Sorted((digest_keys(read_array(place / "contents.npy")) for place in places), "S20")
        tables = [read_table(place / "origins.arrow") for place in places]
        self._sizes = [len(table["key"]) for table in tables]
        first = np.cumsum([0, *self._sizes])
        live = np.ones(int(first[-1]), bool)
        for place, entry, begin in zip(places, manifest.segments, first[:-1].tolist(), strict=True):
            if entry.removed:
                live[read_array(place / entry.removed).astype(np.int64) + begin] = False
        self.live: Flags = live
        self.met: Flags = np.zeros(len(live), bool)
        self._keys = _Rows(_column(tables, "key"), live)
        self._stamps = _Rows(_column(tables, "stamp"), live)
        self._new = _Sorted((), "u8")
        self._sources: list[tuple[str, Ints]] = []
        self._complete: dict[tuple[str, str], list[Ints]] = {}
        for place, table, begin in zip(places, tables, first[:-1].tolist(), strict=True):
            self._read_packages(place, numbers_of(table["package"]), begin)

    def _read_packages(self, place: Path, package: Array, begin: int) -> None:
        """Note the Packages of a Segment, those that lost no Origin as complete, with their Origins."""
        columns = read_table(place / "packages.arrow")
        count = len(columns["source"])
        order = np.argsort(package, kind="stable") + begin
        bounds = np.searchsorted(package[order - begin], np.arange(count + 1)).tolist()
        lost = np.bincount(package[~self.live[begin : begin + len(package)]], minlength=count)
        names = (columns[name].to_pylist() for name in ("source", "fingerprint", "container"))
        for i, (source, *prints) in enumerate(zip(*names, strict=True)):
            rows = order[bounds[i] : bounds[i + 1]]
            self._sources.append((source, rows))
            for number, found in enumerate(prints):
                if found is not None and not lost[i]:
                    known = self._complete.setdefault((source, found), [])
                    known.append(rows)
                    if number == 0:
                        known.append(_COMPLETE)

    def is_complete(self, package: Package) -> bool:
        """Whether a Package with this fingerprint was read to its end; if so, its Origins are met."""
        known = self._complete.get((package.source, package.fingerprint or ""))
        if known is None or not any(rows is _COMPLETE for rows in known):
            return False
        for rows in known:
            self.met[rows] = True
        return True

    def complete(self, package: Package) -> None:
        """Remember that a Package was read to its end."""
        self._complete.setdefault((package.source, package.fingerprint or ""), []).append(_COMPLETE)

    def unchanged(self, stamps: Words) -> Flags:
        """Which stamps are those of live Origins; these are met. 0 is none."""
        rows = self._stamps.find(stamps)
        self.met[rows[rows >= 0]] = True
        return rows >= 0

    def has_origin(self, key: int) -> bool:
        """Whether an Origin is in; if so, it is met."""
        row = int(self._keys.find(np.array([key], np.uint64))[0])
        if row >= 0:
            self.met[row] = True
        return row >= 0 or key in self._new

    def add_origin(self, key: int) -> None:
        """Remember an Origin."""
        self._new.add(key)

    def unmet(self, sources: set[str]) -> list[Flags]:
        """For each Segment, which live Origins of these sources were not met."""
        flags = np.zeros(len(self.live), bool)
        for source, rows in self._sources:
            if source in sources:
                flags[rows] = True
        flags &= self.live & ~self.met
        return np.split(flags, np.cumsum(self._sizes)[:-1]) if self._sizes else []

    def removed(self) -> list[Flags]:
        """For each Segment, which Origins are removed already."""
        return np.split(~self.live, np.cumsum(self._sizes)[:-1]) if self._sizes else []


_COMPLETE: Ints = np.empty(0, np.int64)
"""Among the Origins under a fingerprint: it is that of a Package read to its end."""


def _column(tables: list[dict[str, Array]], name: str) -> Words:
    return np.concatenate([np.empty(0, np.uint64), *(numbers_of(table[name]) for table in tables)])
