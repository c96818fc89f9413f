"""Verification of an index on a cluster: that all is there that should be, and is what its name says.

In: the place of an index. Out: what is wrong, one sentence each. It changes nothing. Elasticsearch has checksums of its
own for its files; this walks what they cannot see.
"""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Iterable

from codecite.indexer.elastic.candidates import Pieces
from codecite.indexer.elastic.client import Cluster, paged
from codecite.indexer.elastic.manifest import Published, read
from codecite.indexer.elastic.mapping import shown
from codecite.indexer.elastic.pieces import head_of
from codecite.indexer.elastic.place import parse_place
from codecite.indexer.elastic.rows import Row, Rows, loaded
from codecite.indexer.errors import IndexCorruptError
from codecite.indexer.store.verify import VerifyResult

_AT_ONCE = 500


def verify(url: str) -> VerifyResult:
    """Hold every content against its SHA-1, every Origin against its Document and Package, and count.

    `files` counts Documents and Origins. Raises as `manifest.read`.
    """
    cluster = Cluster(parse_place(url))
    try:
        held = read(cluster)
        rows, pieces = Rows(cluster, held.index), Pieces(cluster, held.index)
        problems: list[str] = []
        named: defaultdict[bytes, int] = defaultdict(int)
        origins = 0
        visible = [{"exists": {"field": "digest"}}, loaded(0, held.published.loaded)]
        for page in paged(rows.hits(visible)):
            origins += len(page)
            for row in page:
                named[bytes.fromhex(row.digest)] += 1
            problems += _packages(rows, page)
        documents = size = 0
        for hits in paged(cluster.hits(held.index, {"exists": {"field": "size"}}, shown("head"))):
            digests = [head_of(hit["fields"]["head"][0]).digest for hit in hits]
            for at in range(0, len(digests), _AT_ONCE):
                for digest, content in _contents(pieces, digests[at : at + _AT_ONCE], problems):
                    found = hashlib.sha1(b"blob %d\0" % len(content) + content, usedforsecurity=False).digest()
                    if found != digest:
                        problems.append(f"{url}: swh:1:cnt:{digest.hex()}: is another content; add its source again")
                    if named.pop(digest, 0):
                        documents += 1
                        size += len(content)
        problems += [f"{url}: swh:1:cnt:{digest.hex()}: the content is missing; add its source" for digest in named]
        problems += _counts(url, held.published, documents, size, origins)
        return VerifyResult(documents + origins, size, tuple(problems))
    finally:
        cluster.close()


def _packages(rows: Rows, page: Iterable[Row]) -> list[str]:
    wanted = {row.package: row for row in page}
    found = rows.packages(wanted)
    return [
        f"{row.path}: the package of this place is missing; add its source again"
        for key, row in wanted.items()
        if key not in found
    ]


def _contents(pieces: Pieces, digests: list[bytes], problems: list[str]) -> Iterable[tuple[bytes, bytes]]:
    """The Documents that can be read, one by one where not all can be."""
    try:
        yield from pieces.contents(digests).items()
    except IndexCorruptError as error:
        if len(digests) == 1:
            problems.append(str(error))
            return
        for digest in digests:
            yield from _contents(pieces, [digest], problems)


def _counts(url: str, published: Published, documents: int, size: int, origins: int) -> list[str]:
    figures = published.figures
    expected = figures.documents, figures.bytes, figures.origins
    if (documents, size, origins) == expected:
        return []
    return [
        f"{url}: has {documents:,} documents of {size:,} bytes in {origins:,} places, its manifest says "
        f"{expected[0]:,}, {expected[1]:,} and {expected[2]:,}; run 'codecite index compact'"
    ]
