"""Clusters of similar files: what comparing all pairs finds, without what was removed, however many Segments."""

from __future__ import annotations

import re
import sysconfig
from functools import cache
from itertools import combinations
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from oracle.library import reader

from codecite.indexer import open_index
from codecite.indexer.build import add
from codecite.indexer.corpus.units import Unit
from codecite.indexer.errors import ConfigError
from codecite.indexer.index import Index
from codecite.indexer.lookup.clusters import THRESHOLDS
from codecite.indexer.records import EvidenceKind, LicenseEvidence, Package, SourceFile
from codecite.indexer.store.takedowns import TakedownKind, parse_takedown
from codecite.indexer.upkeep import remove


@cache
def corpus() -> tuple[bytes, ...]:
    """Real files of the standard library, and of some of them versions with ever more lines left out."""
    library = sorted(Path(sysconfig.get_path("stdlib")).glob("*.py"))
    files = [path.read_bytes() for path in library if 2000 < path.stat().st_size < 20_000][:70]
    for number, content in enumerate(files[:40]):
        lines = content.splitlines(keepends=True)
        every = 4 + number
        files.append(b"".join(line for at, line in enumerate(lines) if at % every))
        files.append(b"".join(line for at, line in enumerate(lines) if at % (2 * every) != 1))
    files += [b"\n", b" - \n", b"one two\n", b"one two\n\n"]
    return tuple(dict.fromkeys(files))


@cache
def expected(contents: tuple[bytes, ...]) -> dict[float, set[frozenset[int]]]:
    """The clusters by the definition: the sets of five consecutive words of all pairs, exactly."""
    sets = []
    for content in contents:
        words = re.findall(rb"[A-Za-z0-9_\x80-\xff]+", content)
        sets.append({tuple(words[i : i + 5]) for i in range(max(1, len(words) - 4))} if words else set())
    similar = {
        (a, b): len(sets[a] & sets[b]) / len(sets[a] | sets[b])
        for a, b in combinations(range(len(sets)), 2)
        if sets[a] and sets[b]
    }
    found = {}
    for threshold in THRESHOLDS:
        clusters = {i: frozenset([i]) for i in range(len(sets))}
        for (a, b), similarity in similar.items():
            if similarity >= threshold and clusters[a] != clusters[b]:
                joined = clusters[a] | clusters[b]
                clusters.update(dict.fromkeys(joined, joined))
        found[threshold] = {cluster for cluster in clusters.values() if len(cluster) > 1}
    return found


def unit(name: str, contents: tuple[bytes, ...]) -> Unit:
    """A package of these contents."""
    evidence = LicenseEvidence(EvidenceKind.PACKAGE_METADATA, "MIT", "License-Expression", "MIT")
    files = [SourceFile(f"{name}{i}.py", content) for i, content in enumerate(contents)]
    return Unit(Package(name, f"pkg:pypi/{name}@1", evidence=(evidence,)), reader(files))  # type: ignore[arg-type]


def exported(index: Index, path: Path) -> list[dict[str, object]]:
    """The rows that are written."""
    index.clusters(path)
    rows: list[dict[str, object]] = pq.read_table(path).to_pylist()
    return rows


def test_clusters_are_those_of_all_pairs(tmp_path: Path) -> None:
    """At each threshold, for the figures and for every Document; as many as there are make the test worth it."""
    contents = corpus()
    add(tmp_path / "index", [unit("a", contents)])
    index = open_index(tmp_path / "index")
    (stats,) = index.clusters()
    rows = exported(index, tmp_path / "clusters.parquet")
    total = sum(map(len, contents))
    for figures, threshold in zip(stats, THRESHOLDS, strict=True):
        clusters = expected(contents)[threshold]
        assert len(clusters) > 10
        assert figures.threshold == threshold
        assert figures.documents == sum(map(len, clusters))
        assert (figures.clusters, figures.largest) == (len(clusters), max(map(len, clusters)))
        kept = sum(max(len(contents[i]) for i in cluster) for cluster in clusters)
        dropped = sum(len(contents[i]) for cluster in clusters for i in cluster) - kept
        assert figures.dropped_bytes == dropped
        assert figures.share_of_bytes == pytest.approx(dropped / total)
        assert figures.share_of_documents == pytest.approx((figures.documents - len(clusters)) / len(contents))
        members: dict[object, set[int]] = {}
        for row in rows:
            if row["threshold"] == threshold:
                assert row["license"] == "MIT"
                members.setdefault(row["cluster"], set()).add(int(str(row["path"])[1:-3]))
        assert set(map(frozenset, members.values())) == clusters
        assert sorted(members) == list(range(1, len(clusters) + 1))
        for row in rows:
            if row["threshold"] == threshold:
                assert row["size"] == len(members[row["cluster"]])


def test_several_segments_are_as_one(tmp_path: Path) -> None:
    """The same figures, the same clusters of the same representatives."""
    contents = corpus()
    add(tmp_path / "one", [unit("a", contents)])
    for number in range(3):
        add(tmp_path / "three", [unit("bcd"[number], contents[number::3])])
    one, three = open_index(tmp_path / "one"), open_index(tmp_path / "three")
    assert three.stats()[0].segments > 1
    assert one.clusters() == three.clusters()
    rows = [exported(index, tmp_path / "clusters.parquet") for index in (one, three)]
    first, second = ([{**row, "path": ""} for row in each] for each in rows)
    assert first == second


def test_what_is_removed_is_not_counted(tmp_path: Path) -> None:
    """Neither in clusters nor in the whole; an index without anything has no cluster."""
    contents = corpus()
    add(tmp_path / "index", [unit("a", contents[::2]), unit("b", contents[1::2])])
    add(tmp_path / "half", [unit("a", contents[::2])])
    remove(tmp_path / "index", [parse_takedown(TakedownKind.PURL, "pkg:pypi/b@1")])
    assert open_index(tmp_path / "index").clusters() == open_index(tmp_path / "half").clusters()
    remove(tmp_path / "index", [parse_takedown(TakedownKind.PURL, "pkg:pypi/a@1")])
    (stats,) = open_index(tmp_path / "index").clusters()
    assert {(each.documents, each.clusters, each.largest, each.share_of_bytes) for each in stats} == {(0, 0, 0, 0.0)}


def test_a_file_that_cannot_be_written_is_an_error(tmp_path: Path) -> None:
    """It is named."""
    add(tmp_path / "index", [unit("a", corpus()[:3])])
    with pytest.raises(ConfigError, match="nowhere"):
        open_index(tmp_path / "index").clusters(tmp_path / "nowhere" / "clusters.parquet")
