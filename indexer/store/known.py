"""What an index already holds, as the writer asks: contents, Origins, unchanged files and Packages.

In: the published Segments. Out: membership tests, and which of the Origins were met again. It refuses to know what is
done with what is new. What was removed is not known.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from codecite.indexer.kernels.types import Array, Flags, Ints, Words
from codecite.indexer.records import Package
from codecite.indexer.store.manifest import Manifest, segment_directory
from codecite.indexer.store.section import read_array
from codecite.indexer.store.tables import numbers_of, read_table

_GATHER = 1 << 19


def digest_keys(digests: Array) -> Array:
    """SHA-1s, `uint8 [n, 20]`, as one sortable value each (all of one length, so that padding cannot confuse them)."""
    return np.ascontiguousarray(digests).view("S20").ravel()


class _Values:
    """Sorted 64-bit values, each with a number: looked up one by one (in a microsecond) or many at once."""

    def __init__(self, values: Words, numbers: Ints) -> None:
        order = np.argsort(values, kind="stable")
        self._values: Words = np.ascontiguousarray(values[order])
        self._numbers: Ints = numbers[order]
        self._view = memoryview(self._values.data)

    def __len__(self) -> int:
        return len(self._view)

    def numbers(self, value: int) -> list[int]:
        """The numbers of a value, ascending."""
        at = bisect_left(self._view, value)
        if at == len(self._view) or self._view[at] != value:
            return []
        return self._numbers[at : bisect_right(self._view, value, lo=at)].tolist()  # type: ignore[no-any-return]

    def find(self, wanted: Words) -> Ints:
        """One number of each value, -1 where there is none."""
        if not len(self):
            return np.full(len(wanted), -1, np.int64)
        at = np.minimum(np.searchsorted(self._values, wanted), len(self) - 1)
        return np.where(self._values[at] == wanted, self._numbers[at], -1)


class Contents:
    """The SHA-1s of Documents, found by their first eight bytes and then compared as a whole."""

    def __init__(self) -> None:
        self._parts: list[tuple[_Values, Array]] = []

    def add(self, digests: Array) -> None:
        """Add the Documents of a Segment, u8 [n, 20]."""
        heads = np.ascontiguousarray(digests[:, :8]).view(">u8").ravel().astype(np.uint64)
        self._parts.append((_Values(heads, np.arange(len(digests), dtype=np.int64)), digests))

    def __contains__(self, digest: bytes) -> bool:
        head = int.from_bytes(digest[:8], "big")
        return any(
            digests[number].tobytes() == digest for values, digests in self._parts for number in values.numbers(head)
        )


class _NewKeys:
    """The keys of Origins that a build adds: the last ones in a set, the others sorted."""

    def __init__(self) -> None:
        self._last: set[int] = set()
        self._sorted: list[_Values] = []

    def add(self, key: int) -> None:
        """Add a key."""
        self._last.add(key)
        if len(self._last) >= _GATHER:
            values = np.fromiter(self._last, np.uint64, len(self._last))
            self._sorted.append(_Values(values, np.zeros(len(values), np.int64)))
            self._last.clear()

    def __contains__(self, key: int) -> bool:
        return key in self._last or any(values.numbers(key) for values in self._sorted)


@dataclass(slots=True)
class _Under:
    """What the index holds under a fingerprint, as a Package's own or its container's.

    `live` Origins, `rows` of those that are published; and how many there were whenever it was read to its end.
    """

    live: int = 0
    rows: list[Ints] = field(default_factory=list)
    complete: set[int] = field(default_factory=set)


class Known:
    """What the published Segments of an index hold, and which of their Origins a build `met`."""

    def __init__(self, directory: Path, manifest: Manifest) -> None:
        places = [segment_directory(directory, entry.name) for entry in manifest.segments]
        self.contents = Contents()
        if places:
            self.contents.add(np.concatenate([read_array(place / "contents.npy") for place in places]))
        tables = [read_table(place / "origins.arrow") for place in places]
        self._sizes = [len(table["key"]) for table in tables]
        first = np.cumsum([0, *self._sizes])
        live = np.ones(int(first[-1]), bool)
        for place, entry, begin in zip(places, manifest.segments, first[:-1].tolist(), strict=True):
            if entry.removed:
                live[read_array(place / entry.removed).astype(np.int64) + begin] = False
        self.live: Flags = live
        self.met: Flags = np.zeros(len(live), bool)
        rows = np.flatnonzero(live)
        self._keys = _Values(_column(tables, "key")[rows], rows)
        stamps = _column(tables, "stamp")
        rows = np.flatnonzero(live & (stamps != 0))
        self._stamps = _Values(stamps[rows], rows)
        self._new = _NewKeys()
        self._sources: list[tuple[str, Ints]] = []
        self._under: dict[tuple[str, str], _Under] = {}
        for place, table, begin in zip(places, tables, first[:-1].tolist(), strict=True):
            self._read_packages(place, numbers_of(table["package"]), begin)

    def _read_packages(self, place: Path, package: Array, begin: int) -> None:
        """Note the Packages of a Segment, those that lost no Origin as complete, with their Origins."""
        columns = read_table(place / "packages.arrow")
        count = len(columns["source"])
        order = np.argsort(package, kind="stable") + begin
        bounds = np.searchsorted(package[order - begin], np.arange(count + 1)).tolist()
        live = np.bincount(package[self.live[begin : begin + len(package)]], minlength=count).tolist()
        names = (columns[name].to_pylist() for name in ("source", "fingerprint", "container", "complete"))
        for i, (source, fingerprint, container, complete) in enumerate(zip(*names, strict=True)):
            rows = order[bounds[i] : bounds[i + 1]]
            self._sources.append((source, rows))
            for found in {fingerprint, container} - {None}:
                under = self._under.setdefault((source, found), _Under())
                under.rows.append(rows)
                under.live += live[i]
            if complete is not None:
                self._under[source, fingerprint].complete.add(complete)

    def is_complete(self, package: Package) -> bool:
        """Whether a Package with this fingerprint was read to its end and lost nothing; if so, its Origins are met."""
        under = self._under.get((package.source, package.fingerprint or ""))
        if under is None or under.live not in under.complete:
            return False
        for rows in under.rows:
            self.met[rows] = True
        return True

    def complete(self, package: Package) -> int:
        """Remember that a Package was read to its end; returns how many Origins there are under its fingerprint."""
        under = self._under.setdefault((package.source, package.fingerprint or ""), _Under())
        under.complete.add(under.live)
        return under.live

    def unchanged(self, stamps: Words) -> Flags:
        """Which stamps are those of live Origins; these are met. 0 is none."""
        rows = self._stamps.find(stamps)
        self.met[rows[rows >= 0]] = True
        return rows >= 0

    def has_origin(self, key: int) -> bool:
        """Whether an Origin is in; if so, it is met."""
        rows = self._keys.numbers(key)
        for row in rows:
            self.met[row] = True
        return bool(rows) or key in self._new

    def add_origin(self, key: int, package: Package) -> None:
        """Remember an Origin."""
        self._new.add(key)
        for found in {package.fingerprint, package.container} - {None}:
            self._under.setdefault((package.source, str(found)), _Under()).live += 1

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


def _column(tables: list[dict[str, Array]], name: str) -> Words:
    return np.concatenate([np.empty(0, np.uint64), *(numbers_of(table[name]) for table in tables)])
