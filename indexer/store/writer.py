"""The writer of one Segment: Documents and Origins in, a finished directory out.

In: blocks of content, the Documents they hold, their postings, then the Origins. Out: the sections of a Segment. It
refuses to know where files come from and which Segments exist besides.

A Segment is a directory of sections (`section.py`). N Documents lie one after the other, in raw and in canonical
bytes; all positions count from the head of the Segment. With the share of 1.27 GB of C files that each takes:

    content.lz4         .344    blocks of 2 KiB, one after the other (`content.py`)
    dictionary.npy              u8, what the blocks may refer back to
    blocks.npy          .016    i64 [4, blocks + 1]: where each block begins in content.lz4, in the raw bytes, in the
                                canonical bytes, and the line feeds before it
    documents.npy       .0015   i64 [3, N + 1]: where each Document begins in the raw and the canonical bytes, and the
                                line feeds before it
    contents.npy        .0012   u8 [N, 20]: the SHA-1 of each Document as a git blob, which is its SWHID
    buckets.npy         .026    u32, where each bucket of postings begins (`kernels/postings.py`)
    tags.npy            .112    u16, of each posting
    positions.npy       .225    u32, of each posting; in frequent lists by group, then ascending
    lists.npy           .0006   i64 [7, L + 1]: the frequent lists (`kernels/frequent.py`)
    kgrams.npy          .0002   u8 [L, 32]: their k-grams (`frequent.py`)
    groups.npy          .048    u64 [G, 2]: their groups of postings
    contexts.npy        .034    u8: the text around the groups
    resumed.npy         .001    u64 [R, 2]: where chains that are cut go on
    rest.npy            0       u8 or u16, of each posting; only in Segments below some 1.2 GB, there .055
    near-*.npy          .NEAR   buckets, tags, positions (ascending) and rest of the fingerprints of tokens, whose
                                positions are those of the first token of each run
    signatures.npy      .03     u32 [N * 128]: the MinHash signature of each Document (`kernels/minhash.py`)
    origins.arrow       .0076   the Origins (`tables.py`)
    packages.arrow              the Packages
    origin_bounds.npy   .0002   u32 [N + 1]: the Origins of Document d are the rows from origin_bounds[d]
    licenses.npy        .0005   u32 [2, pairs]: Document and licence (its number in the pool of origins.arrow)
    foreign.npy                 u8 [M, 20]: the Documents of other Segments that Origins here name
    wfp-*.npy           .22     only where SCANOSS's fingerprints are wanted (`scanoss.py`)
    removed-G.npy               u32, ascending: the Origins that are out since generation G, where the manifest says so

All told .82 of the whole linux source.

A Document without a live Origin, here or in another Segment, is not found; the next merge leaves it out.
"""

from __future__ import annotations

from concurrent.futures import Executor
from pathlib import Path

import numpy as np

from codecite.indexer.kernels.documents import Fingerprints
from codecite.indexer.kernels.types import Array, Ints
from codecite.indexer.store.content import Blocks
from codecite.indexer.store.frequent import SegmentText, write_frequent
from codecite.indexer.store.manifest import SegmentEntry, sync_directory
from codecite.indexer.store.origins import OriginColumns, write_origin_sections
from codecite.indexer.store.section import SectionWriter, write_array, write_array_header
from codecite.indexer.store.spool import NEAR, PostingSpool, Source, write_postings

MAX_CANONICAL = 1 << 31
"""Canonical bytes a Segment may hold. Positions are 32 bits wide; half of that keeps a merge below 1 GiB of memory."""


_PIECE = 1 << 22
PERMUTATIONS = 128
"""Numbers in a MinHash signature."""


class SegmentWriter:
    """Writes one Segment into its own directory; nothing refers to it before the manifest does."""

    def __init__(self, directory: Path) -> None:
        directory.mkdir()
        self._directory = directory
        self._content = SectionWriter(directory / "content.lz4")
        self._spool = PostingSpool(directory)
        self._near = PostingSpool(directory, prefix=NEAR)
        self._signatures = (directory / "signatures").open("wb+")
        self._blocks: list[Array] = []
        self._documents: list[Array] = []
        self.raw_bytes = 0
        self.canonical_bytes = 0

    def add(self, blocks: Blocks, fingerprints: Fingerprints, sizes: Ints) -> None:
        """Append a batch of Documents, whose raw bytes are `sizes`, in the order of their numbers."""
        self._spool.add(fingerprints.exact, self.canonical_bytes)
        self._near.add(fingerprints.near, self.canonical_bytes)
        self.add_signatures(fingerprints.signatures)
        self.add_blocks(blocks)
        self.add_documents(np.stack([sizes, fingerprints.canonical, fingerprints.lines]))

    def add_blocks(self, blocks: Blocks) -> None:
        """Append blocks of content."""
        self._content.write(blocks.data.data)
        self._blocks.append(np.stack([np.diff(blocks.ends, prepend=0), blocks.raw, blocks.canonical, blocks.lines]))

    def add_signatures(self, rows: Array) -> None:
        """Append the signatures of Documents, u32 [n, 128]."""
        self._signatures.write(np.ascontiguousarray(rows).data)

    def add_documents(self, sizes: Ints) -> None:
        """Append Documents: an array (3 x n) of their raw bytes, canonical bytes and line feeds."""
        self._documents.append(sizes)
        self.raw_bytes += int(sizes[0].sum())
        self.canonical_bytes += int(sizes[1].sum())

    def finish(
        self,
        dictionary: Array,
        contents: Array,
        origins: OriginColumns,
        executor: Executor,
        postings: tuple[Source, Source] | None = None,
    ) -> SegmentEntry:
        """Write what is left and bring all of it to the disk.

        `contents` are the SHA-1s of the Documents, u8 [N, 20]. `postings` stand in for those of the batches added, of
        text and of tokens.
        """
        directory = self._directory
        self._content.close()
        exact, near = postings or (Source(each.count, 64, each.group) for each in (self._spool, self._near))
        blocks, documents = _starts(self._blocks, 4), _starts(self._documents, 3)
        unordered = directory / "positions"
        buckets = write_postings(directory, *exact, executor, unordered)
        self._spool.clear()
        text = SegmentText(directory / "content.lz4", dictionary, blocks, documents)
        write_frequent(directory, unordered, buckets, text, executor)
        write_postings(directory, *near, executor, unordered, NEAR)
        self._near.clear()
        _write_all(directory / f"{NEAR}positions.npy", near.postings, unordered)
        self._signatures.close()
        _write_all(directory / "signatures.npy", len(contents) * PERMUTATIONS, directory / "signatures")
        write_array(directory / "dictionary.npy", dictionary)
        write_array(directory / "blocks.npy", blocks)
        write_array(directory / "documents.npy", documents)
        write_array(directory / "contents.npy", contents)
        write_origin_sections(directory, contents, origins)
        sync_directory(directory)
        sync_directory(directory.parent)
        return SegmentEntry(
            directory.name,
            len(contents),
            len(origins.document),
            len(origins.packages["source"]),
            exact.postings,
            self.raw_bytes,
            self.canonical_bytes,
        )


def _write_all(path: Path, count: int, bare: Path) -> None:
    """Write the u32s of a file, which goes, as a section."""
    with SectionWriter(path) as section, bare.open("rb") as items:
        write_array_header(section, np.uint32, count)
        while piece := items.read(_PIECE):
            section.write(memoryview(piece))
    bare.unlink()


def _starts(sizes: list[Array], rows: int) -> Ints:
    """Sizes in batches to the place where each begins, with the end of the last."""
    joined = np.concatenate([np.zeros((rows, 1), np.int64), *sizes], axis=1)
    return np.cumsum(joined, axis=1)
