"""The figures of a generation: what the new Origins of a load add, what removed ones take away.

In: Figures, Origins. Out: Figures. Each Document counts once for each of its licences, so what was visible of it before
is asked for. It refuses to know how figures are shown.
"""

from __future__ import annotations

from base64 import b64decode
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from codecite.indexer.elastic.client import PAGE, Cluster
from codecite.indexer.elastic.manifest import Figures
from codecite.indexer.elastic.mapping import SIZE, piece_id, shown
from codecite.indexer.elastic.pieces import head_of
from codecite.indexer.elastic.rows import Rows
from codecite.indexer.licenses.categories import category
from codecite.indexer.records import EvidenceKind
from codecite.indexer.store.origins import NewOrigin
from codecite.indexer.store.tables import evidence_from_json

_KINDS = (*map(str, EvidenceKind), "none")


@dataclass(slots=True)
class Tally:
    """What changes: sums and counts, each of which may be negative."""

    sums: Counter[str] = field(default_factory=Counter)
    licenses: Counter[str] = field(default_factory=Counter)
    categories: Counter[str] = field(default_factory=Counter)
    languages: Counter[str] = field(default_factory=Counter)
    evidence: Counter[str] = field(default_factory=Counter)

    def added_to(self, figures: Figures, packages: int) -> Figures:
        """The figures after the change."""
        sums = {
            name: getattr(figures, name) + self.sums[name]
            for name in ("documents", "bytes", "canonical_bytes", "postings", "origins")
        }
        order = {kind: number for number, kind in enumerate(_KINDS)}
        evidence = _summed(figures.evidence, self.evidence)
        return Figures(
            **sums,
            packages=packages,
            licenses=_ranked(_summed(figures.licenses, self.licenses)),
            categories=_ranked(_summed(figures.categories, self.categories)),
            languages=_ranked(_summed(figures.languages, self.languages)),
            evidence={kind: evidence[kind] for kind in sorted(evidence, key=lambda kind: order[kind])},
        )


def tally(
    cluster: Cluster, index: str, rows: Rows, origins: Iterable[NewOrigin], others: tuple[int, int], sign: int
) -> Tally:
    """What Origins change that come (`sign` 1) or go (-1), where those of the loads `others` are there besides."""
    found = Tally()
    licenses: defaultdict[bytes, set[str]] = defaultdict(set)
    for origin in origins:
        licenses[origin.digest].add(origin.license)
        found.sums["origins"] += sign
        if origin.language:
            found.languages[origin.language] += sign
        found.evidence[_strongest(origin)] += sign
    digests = list(licenses)
    for at in range(0, len(digests), PAGE):
        some = digests[at : at + PAGE]
        kept: defaultdict[bytes, set[str]] = defaultdict(set)
        for origin in rows.origins([digest.hex() for digest in some], others):
            kept[origin.digest].add(origin.license)
        sizes = sizes_of(cluster, index, [digest for digest in some if digest not in kept])
        for digest in some:
            alone = licenses[digest] - kept[digest]
            groups = set(map(category, licenses[digest])) - set(map(category, kept[digest]))
            found.licenses.update(dict.fromkeys(alone, sign))
            found.categories.update({str(name): sign for name in groups})
            if not kept[digest]:
                size, canonical, postings = sizes[digest]
                found.sums.update(
                    {
                        "documents": sign,
                        "bytes": sign * size,
                        "canonical_bytes": sign * canonical,
                        "postings": sign * postings,
                    }
                )
    return found


def sizes_of(cluster: Cluster, index: str, digests: Sequence[bytes]) -> dict[bytes, tuple[int, int, int]]:
    """Raw bytes, canonical bytes and postings of Documents."""
    query = {"ids": {"values": [piece_id(digest, 0) for digest in digests]}}
    fields = (hit["fields"] for hit in cluster.hits(index, query, shown("head", "size")))
    return {head_of(each["head"][0]).digest: SIZE.unpack(b64decode(each["size"][0])) for each in fields}


def _strongest(origin: NewOrigin) -> str:
    evidence = (*evidence_from_json(origin.evidence), *origin.package.evidence)
    return _KINDS[min((_KINDS.index(item.kind) for item in evidence if item.expression), default=len(_KINDS) - 1)]


def _summed(old: Mapping[str, int], more: Mapping[str, int]) -> dict[str, int]:
    found = Counter(old)
    found.update(more)
    return {name: number for name, number in found.items() if number}


def _ranked(counts: Mapping[str, int]) -> dict[str, int]:
    return dict(sorted(counts.items(), key=lambda item: (-item[1], item[0])))
