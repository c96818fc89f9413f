"""An opened Segment: its sections mapped, ready for the kernels.

In: the directory of a finished Segment. Out: arrays and columns. It refuses to know of queries and of other
Segments.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from codecite.indexer.errors import IndexCorruptError
from codecite.indexer.kernels.segment import GRANULE_BITS, SegmentArrays, first_of_granules
from codecite.indexer.kernels.types import Ints, Ints32
from codecite.indexer.records import LicenseEvidence, Package
from codecite.indexer.store.manifest import SegmentEntry, segment_directory
from codecite.indexer.store.section import Section, read_array
from codecite.indexer.store.tables import Strings, evidence_from_json, numbers_of, package_of, read_table

UNCHECKED = frozenset({"tags", "positions"})
"""Arrays that are not held against their checksums at opening: large, and kernels refuse what they cannot use."""
ARRAYS = (
    "dictionary",
    "blocks",
    "documents",
    "contents",
    "buckets",
    "tags",
    "positions",
    "origin_bounds",
    "licenses",
    "foreign",
)


def _granules(starts: Ints) -> Ints32:
    first = np.empty((int(starts[-1]) >> GRANULE_BITS) + 2, np.int32)
    first_of_granules(starts, first)
    return first


class Segment:
    """The sections of one Segment. Columns of Origins are NumPy arrays; texts are decoded a row at a time."""

    def __init__(self, directory: Path, entry: SegmentEntry) -> None:
        self.path = segment_directory(directory, entry.name)
        self.entry = entry
        arrays = {name: read_array(self.path / f"{name}.npy", checked=name not in UNCHECKED) for name in ARRAYS}
        self.contents = arrays["contents"]
        self.foreign = arrays["foreign"]
        self.origin_bounds = arrays["origin_bounds"]
        self.licenses = arrays["licenses"]
        if len(self.contents) != entry.documents or len(arrays["tags"]) != entry.postings:
            raise IndexCorruptError(f"{self.path}: is not the Segment that the manifest names; build the index again")
        blocks, documents = arrays["blocks"], arrays["documents"]
        self.arrays = SegmentArrays(
            content=np.frombuffer(Section(self.path / "content.lz4").payload, np.uint8),
            dictionary=arrays["dictionary"],
            block_offset=blocks[0],
            block_canonical=blocks[2],
            block_lines=blocks[3],
            document_canonical=documents[1],
            document_lines=documents[2],
            buckets=arrays["buckets"],
            tags=arrays["tags"],
            positions=arrays["positions"],
            block_of_granule=_granules(blocks[2]),
            document_of_granule=_granules(documents[1]),
        )
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
        self._known_packages: dict[int, tuple[Package, str]] = {}
        self._known_evidence: dict[int, tuple[LicenseEvidence, ...]] = {}
        self._known_copyright: dict[int, tuple[str, ...]] = {}

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

    def copyright_of(self, origin: int) -> tuple[str, ...]:
        """The copyright lines of the file of an Origin."""
        number = int(self._copyright[0][origin])
        lines = self._known_copyright.get(number)
        if lines is None:
            text = self._copyright[1][number]
            lines = self._known_copyright[number] = tuple(text.split("\n")) if text else ()
        return lines

    def package_of(self, origin: int) -> tuple[Package, str]:
        """The Package of an Origin and the name of its project."""
        number = int(self.origin_package[origin])
        known = self._known_packages.get(number)
        if known is None:
            known = package_of(self.packages, number), self.packages["project"][number].as_py()
            self._known_packages[number] = known
        return known
