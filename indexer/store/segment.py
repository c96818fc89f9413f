"""An opened Segment: its sections mapped, ready for the kernels.

In: the directory of a finished Segment. Out: arrays and columns, and which Origins were removed. It refuses to know
of queries and of other Segments.
"""

from __future__ import annotations

from collections.abc import Callable
from copy import copy
from pathlib import Path
from typing import NamedTuple

import numpy as np

from codecite.indexer.errors import IndexCorruptError, IndexMissingError
from codecite.indexer.kernels.checked import first_damage, guard
from codecite.indexer.kernels.frequent import Frequent
from codecite.indexer.kernels.segment import (
    BUCKETS,
    CONTENT,
    CONTEXTS,
    GRANULE_BITS,
    GROUPS,
    POSITIONS,
    RESUMED,
    TAGS,
    SegmentArrays,
    first_of_granules,
)
from codecite.indexer.kernels.types import Any16, Any32, Flags, Ints, Ints32, Words
from codecite.indexer.records import FileMark, LicenseEvidence, Package
from codecite.indexer.store.manifest import SegmentEntry, segment_directory
from codecite.indexer.store.section import Section, array_of, read_array
from codecite.indexer.store.spool import NEAR
from codecite.indexer.store.tables import Strings, evidence_from_json, numbers_of, package_of, read_table

GUARDED = {
    CONTENT: "content.lz4",
    BUCKETS: "buckets.npy",
    TAGS: "tags.npy",
    POSITIONS: "positions.npy",
    GROUPS: "groups.npy",
    CONTEXTS: "contexts.npy",
    RESUMED: "resumed.npy",
}
"""Sections whose blocks are held against their checksums when they are first touched."""
ARRAYS = ("dictionary", "blocks", "documents", "lists", "kgrams", "contents", "origin_bounds", "licenses", "foreign")
"""Arrays that are checked as a whole when the Segment is opened."""
SIGNATURES = POSITIONS + 1
NEAR_GUARDED = {
    CONTENT: "content.lz4",
    BUCKETS: f"{NEAR}buckets.npy",
    TAGS: f"{NEAR}tags.npy",
    POSITIONS: f"{NEAR}positions.npy",
    SIGNATURES: "signatures.npy",
}
"""The same of the fingerprints of tokens and the signatures; the content stands for the number that it has."""
REST = ("rest.npy", f"{NEAR}rest.npy")
"""What only a merge reads."""


class Postings(NamedTuple):
    """Postings as `find_lists` takes them."""

    buckets: Any32
    tags: Any16
    positions: Any32
    guards: Words


def _granules(starts: Ints) -> Ints32:
    first = np.empty((int(starts[-1]) >> GRANULE_BITS) + 2, np.int32)
    first_of_granules(starts, first)
    return first


class Segment:
    """The sections of one Segment. Columns of Origins are NumPy arrays; texts are decoded a row at a time."""

    def __init__(self, directory: Path, entry: SegmentEntry) -> None:
        self.path = segment_directory(directory, entry.name)
        self.entry = entry
        try:
            self.file_bytes = sum(file.stat().st_size for file in self.path.iterdir())
        except FileNotFoundError:
            raise IndexMissingError(f"{self.path}: the index lacks this Segment; build the index again") from None
        arrays = {name: read_array(self.path / f"{name}.npy") for name in ARRAYS}
        self._sections = {number: Section(self.path / name) for number, name in GUARDED.items()}
        for section in self._sections.values():
            section.check_head()
        self._guarded = [section.guarded() for section in self._sections.values()]
        buckets, tags, positions = (array_of(self._sections[number]) for number in (BUCKETS, TAGS, POSITIONS))
        self.contents = arrays["contents"]
        self._by_digest: tuple[Words, Ints] | None = None
        self.foreign = arrays["foreign"]
        self.origin_bounds = arrays["origin_bounds"]
        self.licenses = arrays["licenses"]
        self.removed: Any32 | None = read_array(self.path / entry.removed) if entry.removed else None
        if len(self.contents) != entry.documents or len(tags) != entry.postings:
            raise IndexCorruptError(f"{self.path}: is not the Segment that the manifest names; build the index again")
        blocks, documents = arrays["blocks"], arrays["documents"]
        self.block_raw: Ints = blocks[1]
        self.document_raw: Ints = documents[0]
        self.arrays = SegmentArrays(
            content=self._guarded[CONTENT].payload,
            dictionary=arrays["dictionary"],
            block_offset=blocks[0],
            block_canonical=blocks[2],
            block_lines=blocks[3],
            document_canonical=documents[1],
            document_lines=documents[2],
            buckets=buckets,
            tags=tags,
            positions=positions,
            block_of_granule=_granules(blocks[2]),
            document_of_granule=_granules(documents[1]),
            guards=guard(self._guarded),
        )
        self._near_sections = {number: Section(self.path / name) for number, name in NEAR_GUARDED.items()}
        for section in self._near_sections.values():
            section.check_head()
        self._near_guarded = [section.guarded() for section in self._near_sections.values()]
        near = [array_of(self._near_sections[number]) for number in (BUCKETS, TAGS, POSITIONS)]
        self.near = Postings(near[0], near[1], near[2], guard(self._near_guarded))
        self.signatures: Any32 = array_of(self._near_sections[SIGNATURES])
        groups, contexts, resumed = (array_of(self._sections[number]) for number in (GROUPS, CONTEXTS, RESUMED))
        self.kgrams = arrays["kgrams"]
        self.frequent = Frequent(arrays["lists"], groups, contexts, resumed, positions, self.arrays.guards)
        columns = read_table(self.path / "origins.arrow")
        self.origin_document = numbers_of(columns["document"])
        self.origin_package = numbers_of(columns["package"])
        self.origin_project = numbers_of(columns["project"])
        self.origin_rank = numbers_of(columns["rank"])
        self.origin_license = numbers_of(columns["license"].indices)
        self.expressions: list[str] = columns["license"].dictionary.to_pylist()
        self._paths = Strings(columns["path"])
        self._evidence = (numbers_of(columns["evidence"].indices), Strings(columns["evidence"].dictionary))
        self._copyright = (numbers_of(columns["copyright"].indices), Strings(columns["copyright"].dictionary))
        self.packages = read_table(self.path / "packages.arrow")
        self.origin_key = numbers_of(columns["key"])
        self.origin_stamp = numbers_of(columns["stamp"])
        self.columns = columns
        self._language = (numbers_of(columns["language"].indices), columns["language"].dictionary.to_pylist())
        self._marks = (numbers_of(columns["marks"].indices), columns["marks"].dictionary.to_pylist())
        self._known_packages: dict[int, tuple[Package, str]] = {}
        self._known_evidence: dict[int, tuple[LicenseEvidence, ...]] = {}
        self._known_copyright: dict[int, tuple[str, ...]] = {}

    @property
    def live(self) -> Flags:
        """Which Origins are not removed: a flag for each."""
        flags = np.ones(len(self.origin_document), bool)
        if self.removed is not None:
            flags[self.removed] = False
        return flags

    def without(self, hides: Callable[[Package], bool]) -> Segment:
        """The same Segment with the Origins of some Packages removed, too."""
        count = len(self.packages["source"])
        packages = np.array([hides(self.package(i)) for i in range(count)], bool)
        if not packages.any():
            return self
        view = copy(self)
        view.removed = np.flatnonzero(~self.live | packages[self.origin_package]).astype(np.uint32)
        return view

    def raise_if_damaged(self) -> None:
        """Raise IndexCorruptError if a block that was touched did not have its checksum."""
        for guards, sections in ((self.arrays.guards, self._sections), (self.near.guards, self._near_sections)):
            damage = first_damage(guards)
            if damage is not None:
                section, block = damage
                raise sections[section].damaged(block)

    def path_of(self, origin: int) -> str:
        """The path of an Origin."""
        return self._paths[origin]

    def evidence_of(self, origin: int) -> tuple[LicenseEvidence, ...]:
        """What the file of an Origin itself says of its licence."""
        number = int(self._evidence[0][origin])
        evidence = self._known_evidence.get(number)
        if evidence is None:
            evidence = self._known_evidence[number] = evidence_from_json(self._evidence[1][number])
        return evidence

    def grounds(self, origins: Ints) -> Ints:
        """A number for each Origin; those with the same one have the same licence, for the same reasons."""
        own = self._evidence[0][origins].astype(np.int64) * len(self.packages["source"]) + self.origin_package[origins]
        return own * len(self.expressions) + self.origin_license[origins]

    def copyright_of(self, origin: int) -> tuple[str, ...]:
        """The copyright lines of the file of an Origin."""
        number = int(self._copyright[0][origin])
        lines = self._known_copyright.get(number)
        if lines is None:
            text = self._copyright[1][number]
            lines = self._known_copyright[number] = tuple(text.split("\n")) if text else ()
        return lines

    def documents_of(self, digest: bytes) -> list[int]:
        """The numbers of the Documents with this SHA-1 (20 bytes)."""
        if self._by_digest is None:
            heads = np.ascontiguousarray(self.contents[:, :8]).view(">u8").ravel().astype(np.uint64)
            order = np.argsort(heads, kind="stable")
            self._by_digest = heads[order], order
        heads, order = self._by_digest
        head = np.uint64(int.from_bytes(digest[:8], "big"))
        begin, end = np.searchsorted(heads, head, "left"), np.searchsorted(heads, head, "right")
        return [document for document in order[begin:end].tolist() if self.contents[document].tobytes() == digest]

    def language_of(self, origin: int) -> str | None:
        """The language of an Origin."""
        return self._language[1][self._language[0][origin]] or None

    def marks_of(self, origin: int) -> tuple[FileMark, ...]:
        """What kind of file an Origin is."""
        return tuple(map(FileMark, self._marks[1][self._marks[0][origin]].split()))

    def package_of(self, origin: int) -> tuple[Package, str]:
        """The Package of an Origin and the name of its project."""
        number = int(self.origin_package[origin])
        known = self._known_packages.get(number)
        if known is None:
            known = self.package(number), self.packages["project"][number].as_py()
            self._known_packages[number] = known
        return known

    def package(self, number: int) -> Package:
        """A row of the table of Packages."""
        return package_of(self.packages, number)
