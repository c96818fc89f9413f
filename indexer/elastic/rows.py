"""Origins and Packages as rows on a cluster.

In: NewOrigins, Packages. Out: actions for `Cluster.bulk`; from the rows of a cluster, NewOrigins again. It refuses to
know which of them are visible.
"""

from __future__ import annotations

import json
from base64 import b64encode
from collections import OrderedDict
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, NamedTuple

import xxhash
import zstandard

from codecite.indexer.elastic.client import TERMS, Cluster, Hit
from codecite.indexer.elastic.mapping import complete_id, key_of_package, origin_id, package_id, shown, signed
from codecite.indexer.elastic.pieces import action, unpacked
from codecite.indexer.records import Package
from codecite.indexer.store.origins import NewOrigin
from codecite.indexer.store.tables import PACKAGE_TEXTS, evidence_from_json, evidence_to_json, utf8

_LEVEL = 3
_PACKAGES = 1 << 14


def hash_of(*texts: str | None) -> int:
    """A hash of some texts, as a cluster keeps it."""
    return signed(xxhash.xxh3_64_intdigest("\0".join(text or "" for text in texts).encode("utf-8", "surrogateescape")))


def path_of(path: str) -> int:
    """The hash of a path, as it is stored."""
    return hash_of(utf8(path))


def under(package: Package) -> list[int]:
    """The hashes of the fingerprints that the Origins of a Package stand under."""
    named = dict.fromkeys(name for name in (package.fingerprint, package.container) if name is not None)
    return [hash_of(package.source, name) for name in named]


def origin_action(origin: NewOrigin, package: bytes, load: int) -> bytes:
    """The action for an Origin; `package` is the key of its Package."""
    fields: dict[str, Any] = {
        "digest": origin.digest.hex(),
        "package": package.hex(),
        "load": load,
        "source": hash_of(origin.package.source),
        "path": path_of(origin.path),
        "origin": b64encode(_packed(origin, package)).decode(),
    }
    if origin.stamp:
        fields["stamp"] = signed(origin.stamp)
    if stands := under(origin.package):
        fields["under"] = stands
    return action("create", origin_id(origin.key), json.dumps(fields))


def package_action(package: Package, key: bytes, load: int) -> bytes:
    """The action for a Package."""
    row = {name: utf8(getattr(package, name)) for name in PACKAGE_TEXTS}
    row["evidence"] = utf8(evidence_to_json(package.evidence))
    named = hash_of(package.source, package.purl, package.repository, package.revision, package.url)
    return action("create", package_id(key), json.dumps({"load": load, "named": named, "row": row}))


def complete_action(package: Package, key: bytes, load: int, origins: int) -> bytes:
    """The action for a Package that was read whole, with so many Origins under its fingerprint."""
    fields = {"load": load, "packaged": hash_of(package.source, package.fingerprint), "row": {"complete": origins}}
    return action("index", complete_id(key), json.dumps(fields))


class Row(NamedTuple):
    """An Origin as it is stored; keys and SHA-1 are hexadecimal."""

    key: str
    digest: str
    package: str
    path: str
    license: str
    evidence: str
    copyright: str
    language: str
    marks: str


def _packed(origin: NewOrigin, package: bytes) -> bytes:
    values = [utf8(getattr(origin, name)) for name in Row._fields[3:]]
    text = json.dumps([f"{origin.key:016x}", origin.digest.hex(), package.hex(), *values], separators=(",", ":"))
    return zstandard.ZstdCompressor(level=_LEVEL).compress(text.encode())


class Rows:
    """The rows of one Elasticsearch index, read. Packages that were read are kept."""

    def __init__(self, cluster: Cluster, index: str) -> None:
        self._cluster = cluster
        self._index = index
        self._packages: OrderedDict[str, Package] = OrderedDict()

    def origins(self, digests: Sequence[str], loads: tuple[int, int]) -> list[NewOrigin]:
        """The Origins of Documents (SHA-1, hexadecimal) from the loads of a range (both ends in it)."""
        hits: list[Row] = []
        for at in range(0, len(digests), TERMS):
            named = {"terms": {"digest": digests[at : at + TERMS]}}
            hits += self.hits([named, loaded(*loads)])
        return self.read(hits)

    def hits(self, filters: list[dict[str, Any]]) -> Iterator[Row]:
        """The Origins that fit all filters, raw."""
        for hit in self._cluster.hits(self._index, {"bool": {"filter": filters}}, shown("origin")):
            yield Row(*json.loads(unpacked(hit["fields"]["origin"][0])))

    def read(self, rows: Iterable[Row]) -> list[NewOrigin]:
        """Raw Origins with their Packages."""
        held = list(rows)
        packages = self.packages(dict.fromkeys(row.package for row in held))
        return [
            NewOrigin(packages[row.package], bytes.fromhex(row.digest), *row[3:], key=int(row.key, 16), stamp=0)
            for row in held
        ]

    def packages(self, keys: Iterable[str]) -> dict[str, Package]:
        """Packages by their keys, hexadecimal."""
        wanted = list(keys)
        found = {key: package for key in wanted if (package := self._packages.get(key)) is not None}
        missing = [key for key in wanted if key not in found]
        for at in range(0, len(missing), TERMS):
            ids = {package_id(bytes.fromhex(key)): key for key in missing[at : at + TERMS]}
            for hit in self._cluster.hits(self._index, {"ids": {"values": list(ids)}}, {"_source": ["row"]}):
                found[ids[hit["_id"]]] = self._packages[ids[hit["_id"]]] = _package(hit)
        while len(self._packages) > _PACKAGES:
            self._packages.popitem(last=False)
        return found

    def all_packages(self) -> Iterator[tuple[str, Package]]:
        """All Packages with their keys, hexadecimal."""
        for hit in self._cluster.hits(self._index, {"exists": {"field": "named"}}, {"_source": ["row"]}):
            yield key_of_package(hit["_id"]).hex(), _package(hit)


def _package(hit: Hit) -> Package:
    row = hit["_source"]["row"]
    return Package(**{name: row[name] for name in PACKAGE_TEXTS}, evidence=evidence_from_json(row["evidence"]))


def loaded(first: int, last: int) -> dict[str, Any]:
    """A filter: what came in the loads of a range, both ends in it."""
    return {"range": {"load": {"gte": first, "lte": last}}}
