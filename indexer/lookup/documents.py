"""A SWHID -> the Document with this content, and where it was seen.

In: an opened Snapshot, the SWHID of a content. Out: its raw bytes and its first live Origins in the total order of
sources (`store/order.py`). It refuses to know who may see them.
"""

from __future__ import annotations

import heapq
import re
from collections.abc import Iterable
from dataclasses import dataclass

from codecite.indexer.records import Kind, Source
from codecite.indexer.store.documents import raw_of
from codecite.indexer.store.snapshot import Snapshot

_SWHID = re.compile(r"swh:1:cnt:([0-9a-f]{40})")


@dataclass(frozen=True, slots=True)
class Document:
    """A content of the index: its bytes, its first `sources` (each over the whole of it), and how many there are."""

    swhid: str
    content: bytes
    sources: tuple[Source, ...]
    origins: int


def digest_named(swhid: str) -> bytes | None:
    """The SHA-1 in the SWHID of a content; None for what is none.

    >>> digest_named("swh:1:cnt:" + "0" * 40) == bytes(20), digest_named("swh:1:dir:" + "0" * 40)
    (True, None)
    """
    found = _SWHID.fullmatch(swhid)
    return bytes.fromhex(found.group(1)) if found else None


def known_of(snapshot: Snapshot, digests: Iterable[bytes]) -> set[bytes]:
    """Which of these SHA-1s are those of Documents with a live Origin."""
    live = [(opened.segment, opened.live) for opened in snapshot.segments]
    return {
        digest
        for digest in digests
        if any(flags[document] for segment, flags in live for document in segment.documents_of(digest))
    }


def find_document(snapshot: Snapshot, digest: bytes, sources: int) -> Document | None:
    """The Document with this SHA-1 and its first `sources` live Origins; None where no live Origin names it."""
    for opened in snapshot.segments:
        for document in opened.segment.documents_of(digest):
            begin, end = (int(at) for at in opened.origins.bounds[document : document + 2])
            if begin == end:
                continue
            name, content = digest.hex(), raw_of(opened.segment, document)
            rows = opened.origins.rows[begin:end].tolist()
            first = heapq.nsmallest(sources, rows, key=lambda row: snapshot.order_of(row, name))
            swhid, lines = f"swh:1:cnt:{name}", content.count(b"\n") + (not content.endswith(b"\n"))
            held = tuple(Source(swhid, Kind.VERBATIM, snapshot.origin(row), 1, lines) for row in first)
            return Document(swhid, content, held, len(rows))
    return None
