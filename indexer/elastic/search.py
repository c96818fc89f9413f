"""Search on a cluster: BM25 ranks there, everything else is `lookup/lexical.py`.

In: an ElasticSnapshot, a SearchQuery. Out: Hits. It refuses to know of policies and JSON.

Terms are made on our side and taken apart at white space there, so both kinds of index rank by the same terms.
Statistics are those of all shards (`dfs_query_then_fetch`), and scores those of an embedded index.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

from codecite.indexer.elastic.client import PAGE
from codecite.indexer.elastic.mapping import shown
from codecite.indexer.elastic.pieces import head_of
from codecite.indexer.elastic.snapshot import ElasticSnapshot
from codecite.indexer.lookup.facets import Facets
from codecite.indexer.lookup.lexical import Hit, Opened, not_searchable, search_ranked
from codecite.indexer.lookup.query import SearchQuery
from codecite.indexer.store.lexical import Ranked

_AHEAD = 32
"""Contents that are read together."""


class ClusterRanking:
    """Ranks the Documents of one Elasticsearch index."""

    def __init__(self, snapshot: ElasticSnapshot) -> None:
        self._snapshot = snapshot

    def ranked(self, any_of: Iterable[str], all_of: Iterable[str], none_of: Iterable[str], limit: int) -> Ranked:
        """As `LexicalReader.ranked`; at most the first 10,000."""
        kinds = (("should", any_of), ("must", all_of), ("must_not", none_of))
        clauses: dict[str, Any] = {kind: [{"term": {"terms": term}} for term in terms] for kind, terms in kinds}
        if clauses["should"] and not clauses["must"]:
            clauses["minimum_should_match"] = 1
        body = {
            "query": {"bool": clauses},
            "size": min(limit, PAGE),
            "track_total_hits": True,
            **shown("head"),
        }
        snapshot = self._snapshot
        found = snapshot.cluster.ask(snapshot.index, body, search_type="dfs_query_then_fetch")["hits"]
        hits = tuple((float(hit["_score"]), head_of(hit["fields"]["head"][0]).digest.hex()) for hit in found["hits"])
        total = int(found["total"]["value"])
        return Ranked(hits, len(hits) if len(hits) == PAGE else total)


def search(
    snapshot: ElasticSnapshot, query: SearchQuery, wanted: int, facets: Facets | None = None
) -> tuple[list[Hit], int, bool]:
    """As `lookup.lexical.search`."""
    if not snapshot.published.searchable:
        raise not_searchable(snapshot.manifest.id)

    def opened(keys: Sequence[str]) -> Opened:
        shown = snapshot.of([bytes.fromhex(key) for key in keys], contents=False)
        return shown, _reader(snapshot, keys)

    return search_ranked(opened, ClusterRanking(snapshot), query, wanted, facets)


def _reader(snapshot: ElasticSnapshot, keys: Sequence[str]) -> Callable[[str], bytes]:
    """Reads contents, and some of those that are asked for next."""
    order = {key: number for number, key in enumerate(keys)}
    known: dict[str, bytes] = {}

    def read(key: str) -> bytes:
        if key not in known:
            at = order[key]
            found = snapshot.pieces.contents([bytes.fromhex(each) for each in keys[at : at + _AHEAD]])
            known.update((digest.hex(), content) for digest, content in found.items())
        return known.get(key, b"")

    return read
