"""SCANOSS's fingerprints of a Segment's Documents, in sections beside the others, where an index is to have them.

In: a finished Segment. Out: three more sections in its directory; from these, the places of a hash. It refuses to know
what is asked, and which Documents are live.

    wfp-starts.npy      i64 [4097]: where the hashes with each upper 12 bits begin
    wfp-hashes.npy      u32 [P], ascending (`kernels/wfp.py`)
    wfp-places.npy      u64 [P]: the Document of each in the upper half, its line in the lower; ascending for each hash

They are made of the stored content, for a new Segment as for a merged one, so a merge need not know of them. P is some
.018 of the raw bytes of Python wheels: the sections take .22 of them. What is made of Segments is published with the
manifest that says so (`scanoss`); what a killed writer left of them is cleared away, or written over.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import Executor
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

import numpy as np

from codecite.indexer.kernels.types import Any32, Bytes, Ints, Words
from codecite.indexer.kernels.wfp import GRAM, WINDOW, winnow_lines
from codecite.indexer.store.content import ContentReader
from codecite.indexer.store.manifest import Manifest, SegmentEntry, sync_directory
from codecite.indexer.store.section import CheckedReader, SectionWriter, read_array, write_array, write_array_header
from codecite.indexer.store.segment import Segment

FILES = ("wfp-starts.npy", "wfp-hashes.npy", "wfp-places.npy")
_PIECE = 4 << 20
_PARTS = 64
"""Scratch files that the fingerprints are dealt out to by their hashes: each is sorted in memory."""
_TOP = 12
_AHEAD = 4


def winnowed(raw: Bytes, ends: Ints) -> tuple[Any32, Any32, Any32]:
    """The hashes, the numbers of the Documents and the lines of Documents that lie in `raw` up to their `ends`."""
    columns: Any32 = np.empty((3, len(raw)), np.uint32)
    scratch = np.empty(GRAM, np.uint8), np.empty(WINDOW, np.uint32)
    count = winnow_lines(raw, ends, *scratch, columns[0], columns[1], columns[2])
    return columns[0, :count].copy(), columns[1, :count].copy(), columns[2, :count].copy()


def with_scanoss(directory: Path, manifest: Manifest, entries: Sequence[SegmentEntry], executor: Executor) -> Manifest:
    """The manifest, yet to be published, with SCANOSS's fingerprints of its Segments; `entries` are the new ones."""
    for entry in entries if manifest.scanoss else manifest.segments:
        _write(Segment(directory, entry), executor)
    return replace(manifest, scanoss=True)


def _write(segment: Segment, executor: Executor) -> None:
    counts = np.zeros((1 << _TOP) + 1, np.int64)
    total = 0
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="wfp-", dir=segment.path.parent)))
        files = [stack.enter_context((folder / str(part)).open("wb+")) for part in range(_PARTS)]
        for hashes, places in _fingerprints(segment, executor):
            parts = hashes >> np.uint32(32 - _PARTS.bit_length() + 1)
            order = np.argsort(parts, kind="stable")
            bounds = np.searchsorted(parts[order], np.arange(_PARTS + 1))
            joined = np.empty(len(hashes), [("hash", np.uint32), ("place", np.uint64)])
            joined["hash"], joined["place"] = hashes[order], places[order]
            for part, file in enumerate(files):
                file.write(joined[bounds[part] : bounds[part + 1]].tobytes())
            total += len(hashes)
        with (
            SectionWriter(segment.path / "wfp-hashes.npy") as kept,
            SectionWriter(segment.path / "wfp-places.npy") as where,
        ):
            write_array_header(kept, np.uint32, total)
            write_array_header(where, np.uint64, total)
            for file in files:
                file.seek(0)
                found = np.frombuffer(file.read(), [("hash", np.uint32), ("place", np.uint64)])
                found = found[np.lexsort((found["place"], found["hash"]))]
                counts[1:] += np.bincount(found["hash"] >> np.uint32(32 - _TOP), minlength=1 << _TOP)
                kept.write(np.ascontiguousarray(found["hash"]).data)
                where.write(np.ascontiguousarray(found["place"]).data)
    write_array(segment.path / "wfp-starts.npy", np.cumsum(counts))
    sync_directory(segment.path)


def _fingerprints(segment: Segment, executor: Executor) -> Iterator[tuple[Any32, Words]]:
    """The hashes of the Documents of a Segment and their places, some Documents at a time."""
    arrays = segment.arrays
    reader = ContentReader(segment.path / "content.lz4", segment.block_raw, arrays.block_offset, arrays.dictionary)
    starts = segment.document_raw
    try:
        waiting: list[tuple[int, Bytes, Ints]] = []
        for first, last in _pieces(starts):
            begin, end = int(starts[first]), int(starts[last])
            if begin == end:
                continue
            waiting.append((first, reader.raw(begin, end), starts[first + 1 : last + 1] - begin))
            if len(waiting) == _AHEAD:
                yield from _winnowed(waiting, executor)
                waiting = []
        yield from _winnowed(waiting, executor)
    finally:
        reader.close()


def _winnowed(pieces: list[tuple[int, Bytes, Ints]], executor: Executor) -> Iterator[tuple[Any32, Words]]:
    found = executor.map(winnowed, [raw for _, raw, _ in pieces], [ends for _, _, ends in pieces])
    for (first, _, _), (hashes, documents, lines) in zip(pieces, found, strict=True):
        yield hashes, ((documents.astype(np.uint64) + np.uint64(first)) << np.uint64(32)) | lines.astype(np.uint64)


def _pieces(starts: Ints) -> Iterator[tuple[int, int]]:
    """Runs of Documents with some bytes in each."""
    first = 0
    while first + 1 < len(starts):
        last = int(np.searchsorted(starts, starts[first] + _PIECE, side="right")) - 1
        last = max(last, first + 1)
        yield first, last
        first = last


class WfpReader:
    """The fingerprints of one Segment, read and checked as they are asked for."""

    def __init__(self, segment: Segment) -> None:
        self._starts: Ints = read_array(segment.path / FILES[0])
        self._hashes, self._places = (CheckedReader(segment.path / name) for name in FILES[1:])

    def places(self, hashes: Iterable[int]) -> Iterator[tuple[int, Ints, Ints]]:
        """For each hash that is held: it, the Documents that have it, and the lines there."""
        for value in hashes:
            top = value >> (32 - _TOP)
            low, high = int(self._starts[top]), int(self._starts[top + 1])
            if low == high:
                continue
            held = self._hashes.items(low, high, np.uint32)
            begin, end = np.searchsorted(held, np.array([value, value + 1], np.uint64))
            if begin < end:
                places = self._places.items(low + int(begin), low + int(end), np.uint64)
                yield (
                    value,
                    (places >> np.uint64(32)).astype(np.int64),
                    (places & np.uint64(0xFFFFFFFF)).astype(np.int64),
                )

    def close(self) -> None:
        """Close the files."""
        self._hashes.close()
        self._places.close()


def files_of(manifest: Manifest) -> tuple[str, ...]:
    """The sections that each Segment of an index has beside those of all."""
    return FILES if manifest.scanoss else ()
