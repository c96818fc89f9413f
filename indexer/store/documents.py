"""A path in a Package -> the bytes of the file that stands there.

In: an opened Snapshot, what names a Package, a path. Out: the raw bytes of the Document, read from its blocks. It
refuses to know what they are wanted for.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from codecite.indexer.config import BLOCK
from codecite.indexer.errors import IndexCorruptError
from codecite.indexer.kernels.checked import touch_bytes
from codecite.indexer.kernels.lz4 import expand
from codecite.indexer.kernels.segment import CONTENT
from codecite.indexer.store.segment import Segment
from codecite.indexer.store.snapshot import Snapshot

NAMES = ("purl", "repository", "revision", "url")
"""What an Origin says of its Package."""


def file_of(snapshot: Snapshot, package: Mapping[str, str | None], path: str) -> bytes | None:
    """The file at `path` of the Package with these NAMES; None where the index does not hold it (any more)."""
    segments = [opened.segment for opened in snapshot.segments]
    for segment in segments:
        for document in _documents(segment, package, path):
            if document < segment.entry.documents:
                return raw_of(segment, document)
            digest = segment.foreign[document - segment.entry.documents]
            for other in segments:
                found = np.flatnonzero((other.contents.reshape(-1, 20) == digest).all(axis=1))
                if len(found):
                    return raw_of(other, int(found[0]))
    return None


def _documents(segment: Segment, package: Mapping[str, str | None], path: str) -> list[int]:
    """The Documents of the live Origins there."""
    fitting = pa.array(np.ones(len(segment.packages["source"]), bool))
    for name in NAMES:
        column, wanted = segment.packages[name], package.get(name)
        same = pc.is_null(column) if wanted is None else pc.fill_null(pc.equal(column, wanted), False)
        fitting = pc.and_(fitting, same)
    rows = np.flatnonzero(fitting.to_numpy(zero_copy_only=False))
    if not len(rows):
        return []
    here = pc.equal(segment.columns["path"], path).to_numpy(zero_copy_only=False)
    origins = np.flatnonzero(here & segment.live & np.isin(segment.origin_package, rows))
    return [int(segment.origin_document[origin]) for origin in origins]


def raw_of(segment: Segment, document: int) -> bytes:
    """The raw bytes of a Document of a Segment, which may have been merged away since it was opened.

    Raises IndexCorruptError for a block that is damaged.
    """
    begin, end = (int(at) for at in segment.document_raw[document : document + 2])
    if begin == end:
        return b""
    first = int(np.searchsorted(segment.block_raw, begin, side="right")) - 1
    last = int(np.searchsorted(segment.block_raw, end))
    arrays = segment.arrays
    offsets, starts = arrays.block_offset[first : last + 1], segment.block_raw[first : last + 1]
    touch_bytes(arrays.guards, CONTENT, int(offsets[0]), int(offsets[-1]))
    segment.raise_if_damaged()
    out = np.empty(int(starts[-1] - starts[0]), np.uint8)
    data = arrays.content[int(offsets[0]) : int(offsets[-1])]
    wanted = np.ones(last - first, bool)
    bad = expand(data, offsets[1:] - offsets[0], starts - starts[0], wanted, arrays.dictionary, BLOCK, out)
    if bad >= 0:
        place = segment.path / "content.lz4"
        raise IndexCorruptError(f"{place}: at byte {offsets[bad]}: a block does not decode; build the index again")
    return out[begin - int(starts[0]) : end - int(starts[0])].tobytes()


def place_of(snapshot: Snapshot, key: str) -> tuple[int, int] | None:
    """The Segment and the number of the Document with this SHA-1 (hexadecimal); None where no live Origin names it."""
    digest = bytes.fromhex(key)
    for number, opened in enumerate(snapshot.segments):
        for document in opened.segment.documents_of(digest):
            if opened.live_at(document):
                return number, document
    return None
