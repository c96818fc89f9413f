"""The lexical index: which Documents hold which terms, in one Tantivy index beside the Segments.

In: Documents of new Segments; terms. Out: Documents by their BM25 score, as SHA-1s. It refuses to know of queries as
people write them, and of licences and Origins: what a Snapshot does not show, its reader passes over.

It lies in the folder that the manifest names, with the number of the last commit that belongs to that generation. A
writer commits here first and publishes then; one that was killed between leaves a commit that no manifest names, and
the next writer makes the index anew from the stored content, in another folder. So does one that erases.
Content is not stored twice: a Document is its SHA-1 (`key`) and its terms, without their places.

Tantivy wants to write even where it only reads: where the folder is read-only it is opened through links.
"""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Iterable, Sequence
from concurrent.futures import Executor
from contextlib import suppress
from dataclasses import dataclass, replace
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import numpy as np

from codecite.indexer.errors import IndexCorruptError
from codecite.indexer.kernels.terms import ROOM, write_terms
from codecite.indexer.kernels.types import Bytes
from codecite.indexer.store.content import ContentReader
from codecite.indexer.store.manifest import Manifest, SegmentEntry
from codecite.indexer.store.segment import Segment

if TYPE_CHECKING:
    import tantivy

FOLDER = "lexical-"
_HEAP = 64 << 20
_PIECE = 4 << 20


@dataclass(frozen=True, slots=True)
class Ranked:
    """Documents by their score, the best first, and how many there are in all."""

    hits: tuple[tuple[float, str], ...]
    count: int


def written(directory: Path, manifest: Manifest, entries: Sequence[SegmentEntry], executor: Executor) -> Manifest:
    """The manifest, yet to be published, with a lexical index that holds the Documents of all its Segments.

    `entries` are those that it did not hold before. What another writer left unfinished is not built upon.
    """
    named = manifest.lexical
    if named is not None and _commit_of(directory / named[0]) == named[1]:
        place, new = directory / named[0], entries
    else:
        place, new = directory / f"{FOLDER}{uuid4().hex[:16]}", manifest.segments
        place.mkdir()
    index = _opened(place)
    writer = index.writer(heap_size=_HEAP, num_threads=1)
    for entry in new:
        for keys, texts in _batches(Segment(directory, entry)):
            for key, terms in zip(keys, executor.map(_terms, texts), strict=True):
                writer.add_document(_document(key, terms))
    number = int(writer.commit())
    writer.wait_merging_threads()
    _to_disk(place)
    return replace(manifest, lexical=(place.name, number))


def anew(directory: Path, manifest: Manifest, executor: Executor) -> Manifest:
    """The same, with an index that never held anything else."""
    return written(directory, replace(manifest, lexical=None), (), executor)


class LexicalReader:
    """The lexical index of one generation, or a later one: what came since, its reader passes over."""

    def __init__(self, directory: Path, name: str) -> None:
        self._scratch: tempfile.TemporaryDirectory[str] | None = None
        place = directory / name
        if not os.access(place, os.W_OK):
            self._scratch = tempfile.TemporaryDirectory(prefix="codecite-")
            for file in place.iterdir():
                if not file.name.endswith(".lock"):
                    (Path(self._scratch.name) / file.name).symlink_to(file.absolute())
            place = Path(self._scratch.name)
        try:
            self._index = _opened(place)
            self._searcher = self._index.searcher()
            self.documents = int(self._searcher.num_docs)
        except ValueError as error:
            raise IndexCorruptError(f"{directory / name}: {error}; run 'codecite index compact'") from None

    def ranked(self, any_of: Iterable[str], all_of: Iterable[str], none_of: Iterable[str], limit: int) -> Ranked:
        """The `limit` best Documents: with all terms of the second kind, some of the first, none of the third.

        The score is BM25 with Lucene's inverse document frequency, k1 = 1.2 and b = .75 over all terms of the first two
        kinds (Robertson, Zaragoza: The probabilistic relevance framework, 2009).
        """
        import tantivy

        kinds = ((tantivy.Occur.Should, any_of), (tantivy.Occur.Must, all_of), (tantivy.Occur.MustNot, none_of))
        clauses = [
            (kind, tantivy.Query.term_query(self._index.schema, "terms", term, index_option="freq"))
            for kind, terms in kinds
            for term in terms
        ]
        found: Any = self._searcher.search(tantivy.Query.boolean_query(clauses), limit, count=True)
        hits = tuple((float(score), str(self._searcher.doc(at)["key"][0])) for score, at in found.hits)
        return Ranked(hits, int(found.count or 0))


def _opened(place: Path) -> tantivy.Index:
    import tantivy

    schema = (
        tantivy.SchemaBuilder()
        .add_text_field("key", stored=True, tokenizer_name="raw", index_option="basic")
        .add_text_field("terms", stored=False, tokenizer_name="whitespace", index_option="freq")
        .build()
    )
    return tantivy.Index(schema, path=str(place))


def _document(key: str, terms: str) -> tantivy.Document:
    import tantivy

    return tantivy.Document(key=key, terms=terms)


def _commit_of(place: Path) -> int | None:
    """The number of the last commit in a folder; None where there is none that can be read."""
    with suppress(OSError, ValueError, KeyError, TypeError):
        return int(json.loads((place / "meta.json").read_bytes())["opstamp"])
    return None


def _terms(content: Bytes) -> str:
    out = np.empty(ROOM * len(content) + 2, np.uint8)
    return out[: write_terms(content, out)].tobytes().decode("utf-8", "replace")


def _batches(segment: Segment) -> Iterable[tuple[list[str], list[Bytes]]]:
    """The Documents of a Segment, some at a time: their SHA-1s and contents."""
    arrays, starts = segment.arrays, segment.document_raw
    reader = ContentReader(segment.path / "content.lz4", segment.block_raw, arrays.block_offset, arrays.dictionary)
    try:
        first, count = 0, segment.entry.documents
        while first < count:
            last = max(first + 1, int(np.searchsorted(starts, starts[first] + _PIECE, side="right")) - 1)
            last = min(last, count)
            raw = reader.raw(int(starts[first]), int(starts[last]))
            bounds = (starts[first : last + 1] - starts[first]).tolist()
            keys = [segment.contents[number].tobytes().hex() for number in range(first, last)]
            yield keys, [raw[begin:end] for begin, end in pairwise(bounds)]
            first = last
    finally:
        reader.close()


def _to_disk(place: Path) -> None:
    """Bring all files of a folder to the disk, and the folder itself."""
    for path in [*place.iterdir(), place, place.parent]:
        descriptor = os.open(path, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
