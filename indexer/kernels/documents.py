"""The write side of the text: a batch of Documents to canonical text, fingerprints and block tables.

In: the raw bytes of some Documents, one after the other. Out: their canonical text, their fingerprints, and for
each block of the content store where its canonical bytes and its lines begin. It refuses to know of files.
"""

from __future__ import annotations

from typing import NamedTuple

from codecite.indexer.kernels.canonical import canonicalize
from codecite.indexer.kernels.jit import kernel
from codecite.indexer.kernels.types import Any32, Bytes, Ints, Words
from codecite.indexer.kernels.winnow import select_document


class Grouped(NamedTuple):
    """Fingerprints of a batch of Documents, grouped by the top bits of their hash.

    `hashes` and `positions` (in the canonical text of the whole batch) stand in groups that begin at `bounds`.
    """

    hashes: Words
    positions: Any32
    bounds: Ints


class Fingerprints(NamedTuple):
    """A batch of Documents: canonical bytes, line feeds, the fingerprints of text and of tokens, MinHash signatures."""

    canonical: Ints
    lines: Ints
    exact: Grouped
    near: Grouped
    signatures: Any32


@kernel
def fingerprint_documents(
    raw: Bytes, ends: Ints, canonical: Bytes, canonical_ends: Ints, hashes: Words, positions: Ints, work: Words
) -> int:
    """Fingerprint the Documents that lie in `raw` up to their `ends`; return the number of fingerprints.

    `canonical` receives their canonical texts, `canonical_ends` where each ends there; `positions` count from the
    head of `canonical`.
    """
    count = 0
    begin = 0
    at = 0
    for i in range(len(ends)):
        length = canonicalize(raw[begin : ends[i]], canonical[at:])
        count = select_document(canonical[at : at + length], at, hashes, positions, count, work)
        begin = ends[i]
        at += length
        canonical_ends[i] = at
    return count


@kernel
def measure(raw: Bytes, ends: Ints, canonical: Ints, lines: Ints) -> None:
    """For each stretch of `raw` up to its end in `ends`, count its canonical bytes and its line feeds."""
    begin = 0
    for i in range(len(ends)):
        kept = 0
        feeds = 0
        for j in range(begin, ends[i]):
            byte = raw[j]
            kept += 0 if (byte == 32 or (byte >= 9 and byte <= 13)) else 1
            feeds += 1 if byte == 10 else 0
        canonical[i] = kept
        lines[i] = feeds
        begin = ends[i]
