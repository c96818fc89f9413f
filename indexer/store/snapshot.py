"""A Snapshot: one published generation of an index, opened. It does not change while it is held.

In: the directory of an index. Out: its Segments, with licences numbered over all of them and every Document's
Origins together, whichever Segment they stand in. It refuses to know of queries.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from codecite.indexer.errors import IndexCorruptError
from codecite.indexer.kernels.holders import Origins
from codecite.indexer.kernels.licensed import Licensed, map_granules
from codecite.indexer.kernels.segment import GRANULE_BITS, Scratch, new_scratch
from codecite.indexer.kernels.types import Any32, Array, Ints, Words
from codecite.indexer.records import NOASSERTION, Coverage, LicenseEvidence, Origin
from codecite.indexer.store.known import digest_keys
from codecite.indexer.store.manifest import Manifest, read_manifest
from codecite.indexer.store.segment import Segment
from codecite.indexer.store.tables import source_order


@dataclass(frozen=True, slots=True)
class OpenSegment:
    """A Segment as lookups see it: its arrays, the licences and Origins of its Documents, and spare scratches.

    Origins are numbered over the whole Snapshot; `origins.project` is a column over all of them.
    """

    segment: Segment
    licensed: Licensed
    origins: Origins
    scratches: list[Scratch]

    @contextmanager
    def scratch(self) -> Iterator[Scratch]:
        """A scratch that no other thread holds, for the time of one kernel call.

        Raises IndexCorruptError if a block was not well formed.
        """
        try:
            scratch = self.scratches.pop()
        except IndexError:
            scratch = new_scratch(self.segment.arrays.dictionary)
        yield scratch
        if scratch.status[0]:
            at = int(self.segment.arrays.block_offset[int(scratch.status[0]) - 1])
            raise IndexCorruptError(
                f"{self.segment.path / 'content.lz4'}: at byte {at}: a block does not decode; "
                "run 'codecite index verify', then build the index again"
            )
        self.scratches.append(scratch)


class Snapshot:
    """All Segments of one generation."""

    def __init__(self, directory: Path) -> None:
        self.manifest: Manifest = read_manifest(directory)
        segments = [Segment(directory, entry) for entry in self.manifest.segments]
        self._first_origin = np.cumsum([0, *(len(segment.origin_document) for segment in segments)])
        self._owners = segments
        numbers: dict[str, int] = {}
        tables = [[numbers.setdefault(text, len(numbers)) for text in segment.expressions] for segment in segments]
        self.expressions: tuple[str, ...] = tuple(numbers)
        project: Words = _joined([segment.origin_project for segment in segments], np.uint64)
        foreign = _foreign_origins(segments, self._first_origin)
        self.segments: tuple[OpenSegment, ...] = tuple(
            self._open(i, segment, np.array(tables[i], np.uint32), project, foreign[i])
            for i, segment in enumerate(segments)
        )
        owners = [np.unique(np.searchsorted(self._first_origin, rows[1], side="right") - 1) for rows in foreign]
        self._ranks = [
            [(int(self._first_origin[j]), segments[j].origin_rank) for j in {i, *others.tolist()}]
            for i, others in enumerate(owners)
        ]

    def _open(self, i: int, segment: Segment, numbers: Any32, project: Words, foreign: Ints) -> OpenSegment:
        count = segment.entry.documents
        rows = np.arange(int(segment.origin_bounds[count]), dtype=np.int64) + self._first_origin[i]
        bounds = segment.origin_bounds
        owners, licenses = segment.licenses
        licenses = numbers[licenses] if len(numbers) else licenses
        if foreign.shape[1]:
            documents = np.concatenate([segment.origin_document[: len(rows)].astype(np.int64), foreign[0]])
            order = np.argsort(documents, kind="stable")
            rows = np.concatenate([rows, foreign[1]])[order]
            bounds = np.searchsorted(documents[order], np.arange(count + 1)).astype(np.uint32)
            more = np.array([self._license_number(int(row)) for row in foreign[1]], np.uint64)
            pairs = np.unique(
                np.concatenate(
                    [
                        owners.astype(np.uint64) << np.uint64(32) | licenses,
                        foreign[0].astype(np.uint64) << np.uint64(32) | more,
                    ]
                )
            )
            owners, licenses = (pairs >> np.uint64(32)).astype(np.uint32), pairs.astype(np.uint32)
        owned = np.searchsorted(owners, np.arange(count + 1, dtype=np.uint32)).astype(np.int64)
        licenses = np.ascontiguousarray(licenses)
        of_granule = np.empty((segment.entry.canonical_bytes >> GRANULE_BITS) + 1, np.int32)
        map_granules(segment.arrays.document_canonical, owned, licenses, of_granule)
        licensed = Licensed(owned, licenses, of_granule)
        return OpenSegment(segment, licensed, Origins(bounds, rows, project), [])

    def ranks(self, number: int) -> list[tuple[int, Any32]]:
        """For each Segment in which Origins of the Documents of Segment `number` stand: its first Origin, its ranks."""
        return self._ranks[number]

    def _owner(self, origin: int) -> tuple[Segment, int]:
        i = int(np.searchsorted(self._first_origin, origin, side="right")) - 1
        return self._owners[i], origin - int(self._first_origin[i])

    def _license_number(self, origin: int) -> int:
        segment, row = self._owner(origin)
        return self.expressions.index(segment.expressions[segment.origin_license[row]])

    def origin(self, number: int) -> Origin:
        """An Origin by its number, with all its evidence."""
        segment, row = self._owner(number)
        package, _ = segment.package_of(row)
        evidence: tuple[LicenseEvidence, ...] = (*segment.evidence_of(row), *package.evidence)
        path = segment.path_of(row)
        return Origin(
            purl=package.purl,
            repository=package.repository,
            revision=package.revision,
            path=path,
            url=package.url,
            released=package.released,
            license=segment.expressions[segment.origin_license[row]] or NOASSERTION,
            evidence=evidence,
            conflict=False,
            copyright=segment.copyright_of(row),
        )

    def order_of(self, number: int, digest: str) -> tuple[str, ...]:
        """Where an Origin of the Document with this SHA-1 (hexadecimal) stands in the total order of sources."""
        segment, row = self._owner(number)
        package, project = segment.package_of(row)
        return source_order(package, project, segment.path_of(row), digest)

    @property
    def coverage(self) -> Coverage:
        """What this generation holds."""
        manifest = self.manifest
        return Coverage(
            id=manifest.id,
            generation=manifest.generation,
            built=manifest.built,
            documents=sum(entry.documents for entry in manifest.segments),
            bytes=sum(entry.bytes for entry in manifest.segments),
            sources=manifest.sources,
            license_filter=None,
            guarantee_bytes=manifest.config.guarantee,
        )


def _joined(columns: list[Array], dtype: type[np.generic]) -> Array:
    """One column over all Segments; that of a single Segment stays mapped."""
    if len(columns) == 1:
        return columns[0]
    return np.concatenate([np.empty(0, dtype), *columns])


def _foreign_origins(segments: list[Segment], first_origin: Array) -> list[Ints]:
    """For each Segment, the Origins that stand in others: an array of their Documents and one of their numbers."""
    found: list[list[Ints]] = [[np.empty((2, 0), np.int64)] for _ in segments]
    for i, segment in enumerate(segments):
        if not len(segment.foreign):
            continue
        local = segment.entry.documents
        begin = int(segment.origin_bounds[local])
        named = segment.origin_document[begin:].astype(np.int64) - local
        rows = np.arange(begin, len(segment.origin_document), dtype=np.int64) + first_origin[i]
        for j, other in enumerate(segments):
            if j == i or not len(other.contents):
                continue
            _, here, there = np.intersect1d(
                digest_keys(segment.foreign), digest_keys(other.contents), assume_unique=True, return_indices=True
            )
            document = np.full(len(segment.foreign), -1, np.int64)
            document[here] = there
            known = document[named] >= 0
            found[j].append(np.stack([document[named][known], rows[known]]))
    return [np.concatenate(parts, axis=1) for parts in found]
