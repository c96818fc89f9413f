"""A Snapshot: one published generation of an index, opened. It does not change while it is held.

In: the directory of an index. Out: its Segments, with licences numbered over all of them and every Document's live
Origins together, whichever Segment they stand in. A Document without one is as good as absent. It refuses to know of
queries.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Hashable, Iterator
from contextlib import contextmanager
from copy import copy
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from codecite.indexer.errors import IndexCorruptError, IndexMissingError
from codecite.indexer.kernels.frequent import Agreements, forget, new_agreements
from codecite.indexer.kernels.holders import Origins
from codecite.indexer.kernels.licensed import Licensed, map_granules
from codecite.indexer.kernels.segment import GRANULE_BITS, Scratch, new_scratch
from codecite.indexer.kernels.types import Any32, Array, Flags, Ints, Words
from codecite.indexer.records import NOASSERTION, Coverage, EvidenceKind, LicenseEvidence, Origin, Package
from codecite.indexer.store.known import digest_keys
from codecite.indexer.store.manifest import Manifest, read_manifest
from codecite.indexer.store.order import source_order
from codecite.indexer.store.origins import licensed_pairs
from codecite.indexer.store.segment import Segment

_TEXT = 1 << 16
"""Canonical bytes of a text whose scratch is kept for the next one."""
_ORIGINS = 1 << 14
"""Origins that are kept once read."""
_STRENGTH = {kind: strength for strength, kind in enumerate(EvidenceKind)}


@dataclass(frozen=True, slots=True)
class OpenSegment:
    """A Segment as lookups see it: its arrays, the licences and Origins of its Documents, and spare scratches.

    Origins are numbered over the whole Snapshot; `origins.project` is a column over all of them. `kept` is for what a
    lookup makes of Documents and may want again.
    """

    segment: Segment
    licensed: Licensed
    origins: Origins
    scratches: list[Scratch]
    spare: list[Agreements]
    kept: OrderedDict[int, Any]

    def agreements(self, length: int) -> Agreements:
        """A scratch for a text of so many canonical bytes, until it is given back."""
        try:
            known = self.spare.pop()
        except IndexError:
            return new_agreements(self.segment.frequent.lists, max(length, _TEXT))
        if len(known.at) <= length:
            return new_agreements(self.segment.frequent.lists, length)
        return known

    def give_back(self, known: Agreements) -> None:
        """Give back what `agreements` lent."""
        if len(known.at) <= _TEXT + 1:
            forget(known)
            self.spare.append(known)

    @contextmanager
    def scratch(self) -> Iterator[Scratch]:
        """A scratch that no other thread holds, for the time of one kernel call.

        Raises IndexCorruptError if a block was not well formed.
        """
        try:
            scratch = self.scratches.pop()
        except IndexError:
            scratch = new_scratch(self.segment.arrays.dictionary, self.segment.entry.documents)
        yield scratch
        if scratch.status[0]:
            self.segment.raise_if_damaged()
            at = int(self.segment.arrays.block_offset[int(scratch.status[0]) - 1])
            raise IndexCorruptError(
                f"{self.segment.path / 'content.lz4'}: at byte {at}: a block does not decode; "
                "run 'codecite index verify', then build the index again"
            )
        self.segment.raise_if_damaged()
        self.scratches.append(scratch)

    def live_at(self, document: int) -> bool:
        """Whether a Document has a live Origin."""
        return bool(self.origins.bounds[document + 1] > self.origins.bounds[document])

    @property
    def live(self) -> Flags:
        """Which Documents have a live Origin: a flag for each."""
        return self.origins.bounds[1:] > self.origins.bounds[:-1]


class Snapshot:
    """All Segments of one generation: the published one, or that of a manifest that is yet to be published."""

    def __init__(self, directory: Path, manifest: Manifest | None = None) -> None:
        self.manifest, segments = _opened(directory, manifest)
        self._assemble(segments)

    def without(self, hides: Callable[[Package], bool]) -> Snapshot:
        """The same generation as if the Origins in some Packages were not there."""
        view = copy(self)
        view._assemble([segment.without(hides) for segment in self._owners])
        return view

    def _assemble(self, segments: list[Segment]) -> None:
        self._origins: dict[int, Origin] = {}
        self._first_origin = np.cumsum([0, *(len(segment.origin_document) for segment in segments)])
        self._owners = segments
        numbers: dict[str, int] = {}
        tables = [[numbers.setdefault(text, len(numbers)) for text in segment.expressions] for segment in segments]
        self.expressions: tuple[str, ...] = tuple(numbers)
        tabled = [np.array(table, np.uint32) for table in tables]
        named = any(len(segment.foreign) for segment in segments)
        columns = [table[segment.origin_license] for table, segment in zip(tabled, segments, strict=True) if named]
        self._row_licenses: Any32 = _joined(columns, np.uint32)
        project: Words = _joined([segment.origin_project for segment in segments], np.uint64)
        foreign = _foreign_origins(segments, self._first_origin)
        self.segments: tuple[OpenSegment, ...] = tuple(
            self._open(i, segment, tabled[i], project, foreign[i]) for i, segment in enumerate(segments)
        )
        owners = [np.unique(np.searchsorted(self._first_origin, rows[1], side="right") - 1) for rows in foreign]
        self._ranks = [
            [(int(self._first_origin[j]), segments[j].origin_rank) for j in {i, *others.tolist()}]
            for i, others in enumerate(owners)
        ]

    def _open(self, i: int, segment: Segment, numbers: Any32, project: Words, foreign: Ints) -> OpenSegment:
        count = segment.entry.documents
        own = int(segment.origin_bounds[count])
        rows = np.arange(own, dtype=np.int64) + self._first_origin[i]
        bounds = segment.origin_bounds
        owners, licenses = segment.licenses
        licenses = numbers[licenses] if len(numbers) else licenses
        if segment.removed is not None or foreign.shape[1]:
            kept = segment.live[:own]
            documents = np.concatenate([segment.origin_document[:own][kept].astype(np.int64), foreign[0]])
            order = np.argsort(documents, kind="stable")
            rows = np.concatenate([rows[kept], foreign[1]])[order]
            bounds = np.searchsorted(documents[order], np.arange(count + 1)).astype(np.uint32)
            local = numbers[segment.origin_license[:own][kept]] if len(numbers) else np.empty(0, np.uint32)
            more = self._row_licenses[foreign[1]]
            owners, licenses = licensed_pairs(documents, np.concatenate([local, more]), count)
        owned = np.searchsorted(owners, np.arange(count + 1, dtype=np.uint32)).astype(np.int64)
        licenses = np.ascontiguousarray(licenses)
        of_granule = np.empty((segment.entry.canonical_bytes >> GRANULE_BITS) + 1, np.int32)
        map_granules(segment.arrays.document_canonical, owned, licenses, of_granule)
        licensed = Licensed(owned, licenses, of_granule)
        return OpenSegment(segment, licensed, Origins(bounds, rows, project), [], [], OrderedDict())

    def ranks(self, number: int) -> list[tuple[int, Any32]]:
        """For each Segment in which Origins of the Documents of Segment `number` stand: its first Origin, its ranks."""
        return self._ranks[number]

    def _owner(self, origin: int) -> tuple[Segment, int]:
        i = int(np.searchsorted(self._first_origin, origin, side="right")) - 1
        return self._owners[i], origin - int(self._first_origin[i])

    def origin(self, number: int) -> Origin:
        """An Origin by its number, with all its evidence."""
        known = self._origins.get(number)
        if known is None:
            if len(self._origins) >= _ORIGINS:
                self._origins.clear()
            known = self._origins[number] = self._read_origin(number)
        return known

    def kind_of(self, number: int) -> tuple[str, str | None]:
        """The licence and the language of an Origin, which is not read for that."""
        segment, row = self._owner(number)
        return segment.expressions[segment.origin_license[row]] or NOASSERTION, segment.language_of(row)

    def _read_origin(self, number: int) -> Origin:
        segment, row = self._owner(number)
        package, _ = segment.package_of(row)
        evidence: dict[LicenseEvidence, None] = dict.fromkeys((*segment.evidence_of(row), *package.evidence))
        path = segment.path_of(row)
        return Origin(
            purl=package.purl,
            repository=package.repository,
            revision=package.revision,
            path=path,
            url=package.url,
            released=package.released,
            license=segment.expressions[segment.origin_license[row]] or NOASSERTION,
            evidence=tuple(sorted(evidence, key=lambda item: _STRENGTH[item.kind])),
            conflict=False,
            copyright=segment.copyright_of(row) or _copyright(segment.evidence_of(row)) or _copyright(package.evidence),
            language=segment.language_of(row),
            marks=segment.marks_of(row),
        )

    def claims(
        self, rows: Ints, claim: Callable[[str, tuple[LicenseEvidence, ...]], Hashable | None]
    ) -> list[tuple[Hashable, int]]:
        """What the evidence of Origins claims against their licences, with which of `rows` says so first.

        A claim may come once from each Segment that the Origins stand in.
        """
        found: list[tuple[Hashable, int]] = []
        owners = np.searchsorted(self._first_origin, rows, side="right") - 1
        for i in np.unique(owners).tolist():
            here = np.flatnonzero(owners == i)
            segment, local = self._owners[i], rows[here] - self._first_origin[i]
            order = np.argsort(segment.origin_rank[local], kind="stable")
            _, firsts = np.unique(segment.grounds(local[order]), return_index=True)
            said: dict[Hashable, int] = {}
            for at in np.sort(firsts).tolist():
                row = int(local[order[at]])
                license = segment.expressions[segment.origin_license[row]] or NOASSERTION
                evidence = (*segment.evidence_of(row), *segment.package_of(row)[0].evidence)
                what = claim(license, evidence)
                if what is not None:
                    said.setdefault(what, int(here[order[at]]))
            found += said.items()
        return found

    def order_of(self, number: int, digest: str) -> tuple[str, ...]:
        """Where an Origin of the Document with this SHA-1 (hexadecimal) stands in the total order of sources."""
        segment, row = self._owner(number)
        package, project = segment.package_of(row)
        return source_order(package, project, segment.path_of(row), digest, int(segment.origin_key[row]))

    @property
    def coverage(self) -> Coverage:
        """What this generation holds."""
        manifest = self.manifest
        documents, size = self.size
        return Coverage(
            id=manifest.id,
            generation=manifest.generation,
            built=manifest.built,
            documents=documents,
            bytes=size,
            sources=manifest.sources,
            license_filter=manifest.license_filter,
            guarantee_bytes=manifest.config.guarantee,
        )

    @property
    def size(self) -> tuple[int, int]:
        """How many Documents are live, and their raw bytes."""
        documents = size = 0
        for opened in self.segments:
            live = opened.live
            documents += int(np.count_nonzero(live))
            starts = opened.segment.document_raw
            size += int(starts[-1] if live.all() else np.diff(starts)[live].sum())
        return documents, size

    @property
    def index_bytes(self) -> int:
        """The bytes of all files of the Segments when they were opened."""
        return sum(segment.file_bytes for segment in self._owners)

    @property
    def sources(self) -> set[str]:
        """The sources of all live Origins."""
        found: set[str] = set()
        for segment in self._owners:
            packages = np.unique(segment.origin_package[segment.live])
            found.update(segment.packages["source"].take(pa.array(packages)).unique().to_pylist())
        return found


def _copyright(evidence: tuple[LicenseEvidence, ...]) -> tuple[str, ...]:
    """The copyright lines of licence and notice files, each once."""
    return tuple(dict.fromkeys(line for item in evidence for line in item.copyright))


def _opened(directory: Path, manifest: Manifest | None) -> tuple[Manifest, list[Segment]]:
    """The Segments of a manifest. Where a writer publishes and clears away meanwhile, those of the next generation."""
    found = manifest or read_manifest(directory)
    while True:
        try:
            return found, [Segment(directory, entry) for entry in found.segments]
        except IndexMissingError:
            latest = read_manifest(directory)
            if manifest is not None or latest.generation == found.generation:
                raise
            found = latest


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
        kept = segment.live[begin:]
        named = named[kept]
        rows = (np.arange(begin, len(segment.origin_document), dtype=np.int64) + first_origin[i])[kept]
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
