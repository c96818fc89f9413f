"""What an index on a cluster does beside finding passages: loads, figures, removal, partitions, publishing, errors."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import cluster
import pytest
from oracle.library import units
from oracle.reading import Place

from codecite.indexer import open_index
from codecite.indexer.build import add as add_embedded
from codecite.indexer.corpus.units import Pending, Unit
from codecite.indexer.elastic.client import Cluster
from codecite.indexer.elastic.load import add
from codecite.indexer.elastic.manifest import Lease, read
from codecite.indexer.elastic.place import parse_place
from codecite.indexer.elastic.publishing import Partition, compact, publish, remove
from codecite.indexer.elastic.verify import verify
from codecite.indexer.errors import (
    ClusterError,
    ConfigError,
    IndexLockedError,
    IndexMissingError,
    IndexVersionError,
    IndexWriteError,
)
from codecite.indexer.records import Package, SourceFile
from codecite.indexer.store.takedowns import TakedownKind, parse_takedown

LOOKUP = sorted((Path(__file__).parents[3] / "indexer" / "lookup").glob("*.py"))
MIT, GPL = Place("MIT", "pkg:pypi/m@1", path="m.py"), Place("GPL-3.0-only", "pkg:pypi/g@1", path="g.py")


def _corpus() -> list[tuple[bytes, Sequence[Place]]]:
    """Real modules, every third of which two packages hold."""
    return [
        (
            path.read_bytes(),
            [Place("MIT", "pkg:pypi/m@1", path=path.name, language="Python")] + [GPL] * (number % 3 == 0),
        )
        for number, path in enumerate(path for path in LOOKUP if path.stat().st_size)
    ]


def _units() -> list[Unit]:
    return units([(content, place) for content, places in _corpus() for place in places])


def _comparable(url: str | Path) -> dict[str, object]:
    figures = open_index(url).stats()[0]
    names = ("documents", "origins", "packages", "postings", "bytes", "canonical_bytes", "licenses", "categories")
    return {name: getattr(figures, name) for name in (*names, "languages", "evidence", "sources")}


def test_figures_are_those_of_an_embedded_index(place: Callable[[], str], tmp_path: Path) -> None:
    """After two loads, of which the second only adds places, and after a removal."""
    url = place()
    add_embedded(tmp_path / "index", _units())
    add(url, _units()[:1])
    again = add(url, _units())
    assert add(url, _units()).origins == 0
    assert again.documents == 0 or again.origins
    assert _comparable(url) == _comparable(tmp_path / "index")
    assert verify(url).problems == ()


def test_search_and_similar_give_the_hits_of_an_embedded_index(place: Callable[[], str], tmp_path: Path) -> None:
    """The same files for words, phrases and fields, with scores that differ by the rounding of lengths only."""
    url = place()
    add_embedded(tmp_path / "index", _units(), lexical=True)
    add(url, _units())
    here, there = open_index(tmp_path / "index"), open_index(url)
    for query in ("snapshot passage", '"license expression" -near', "winnow license:MIT", "path:near tokens"):
        ours, theirs = here.search(query, limit=30), there.search(query, limit=30)
        assert {hit.source.swhid: hit.snippet for hit in ours.hits} == {
            hit.source.swhid: hit.snippet for hit in theirs.hits
        }
        assert ours.total == theirs.total
        scores = {hit.source.swhid: hit.score for hit in theirs.hits}
        assert [hit.score for hit in ours.hits] == pytest.approx(
            [scores[hit.source.swhid] for hit in ours.hits], rel=0.01
        )
    text = LOOKUP[3].read_bytes()[:-200] + b"\nof = another\n"
    ours, theirs = here.similar(text), there.similar(text)
    assert ours.files
    assert [(file.similarity, file.source.swhid, file.origins) for file in ours.files] == [
        (file.similarity, file.source.swhid, file.origins) for file in theirs.files
    ]
    swhid = ours.files[0].source.swhid
    assert here.document(swhid) == there.document(swhid)


def test_near_passages_are_found(place: Callable[[], str], tmp_path: Path) -> None:
    """A file with its names changed is found as it is in an embedded index."""
    url = place()
    add_embedded(tmp_path / "index", _units())
    add(url, _units())
    text = LOOKUP[4].read_bytes()[:3000].replace(b"snapshot", b"generation").replace(b"query", b"asked")
    answers = [open_index(each).check(text, near=True).attributions for each in (tmp_path / "index", url)]
    spans = [{(item.match.kind, item.match.start, item.match.end) for item in found} for found in answers]
    assert spans[0] == spans[1]


def test_an_own_project_is_as_good_as_absent(place: Callable[[], str], tmp_path: Path) -> None:
    """Its places are hidden, and the coverage is without them."""
    policy = tmp_path / "policy.toml"
    policy.write_text('name = "own"\n\n[passages]\nown_projects = ["pkg:pypi/m"]\n')
    url = place()
    add_embedded(tmp_path / "index", _units())
    add(url, _units())
    text = LOOKUP[4].read_bytes()
    ours, theirs = (open_index(each).check(text, policy=policy) for each in (tmp_path / "index", url))
    assert (ours.indexes[0].documents, ours.indexes[0].bytes) == (theirs.indexes[0].documents, theirs.indexes[0].bytes)
    assert [item.match.counts for item in ours.attributions] == [item.match.counts for item in theirs.attributions]


def test_what_is_removed_is_gone_for_good(node: cluster.Node, place: Callable[[], str]) -> None:
    """It is not found, its content is erased, adding its source again does not bring it back."""
    url = place()
    add(url, _units())
    rule = parse_takedown(TakedownKind.PURL, "pkg:pypi/m")
    planned = remove(url, [rule], dry_run=True)
    gone = _corpus()[1][0]
    named = "swh:1:cnt:" + hashlib.sha1(b"blob %d\0" % len(gone) + gone).hexdigest()
    strange = "swh:1:cnt:" + "0" * 40
    assert open_index(url).known([named, strange]) == {named}
    done = remove(url, [rule])
    assert open_index(url).known([named, strange]) == set()
    assert (planned.origins, planned.documents, planned.kept) == (done.origins, done.documents, done.kept)
    assert done.documents > 0 < done.kept
    found = open_index(url).check(gone, sources=50).attributions
    assert not {source.origin.purl for item in found for source in item.sources} & {"pkg:pypi/m@1"}
    assert max((item.match.length for item in found), default=0) < len(gone) / 4
    name = url.rpartition("/")[2]
    left = cluster.ask(node.url, f"/{name}/_count", method="POST", body={"query": {"exists": {"field": "size"}}})[
        "count"
    ]
    assert left == open_index(url).stats()[0].documents == done.kept
    assert add(url, _units()).documents == 0
    compact(url)
    assert verify(url).problems == ()


def test_sync_removes_what_a_source_no_longer_holds(place: Callable[[], str]) -> None:
    """And nothing else."""

    def unit(names: Sequence[int]) -> Unit:
        def files() -> Iterator[SourceFile]:
            yield from (SourceFile(f"{n}.py", LOOKUP[n].read_bytes()) for n in names)

        return Unit(Package("/tree"), files)

    url = place()
    add(url, [unit([1, 2, 3])])
    result = add(url, [unit([2, 3, 4])], sync=True)
    assert (result.removed, result.documents) == (1, 1)
    assert open_index(url).coverage[0].documents == 3
    assert verify(url).problems == ()


def test_unchanged_files_and_known_packages_are_not_read_again(place: Callable[[], str]) -> None:
    """A stamp and a fingerprint say so."""
    read_files: list[str] = []

    def load(path: Path) -> Callable[[], SourceFile]:
        def reader() -> SourceFile:
            read_files.append(path.name)
            return SourceFile(path.name, path.read_bytes())

        return reader

    def tree() -> Iterator[Pending]:
        yield from (Pending(path.name, 1, load(path), stamp=7 + n) for n, path in enumerate(LOOKUP[1:4]))

    def wheel() -> Iterator[Pending]:
        yield from (Pending(path.name, 1, load(path)) for path in LOOKUP[4:6])

    all_units = [Unit(Package("/tree"), tree, whole=False), Unit(Package("/w", fingerprint="f"), wheel)]
    url = place()
    add(url, all_units)
    assert len(read_files) == 5
    again = add(url, all_units, sync=True)
    assert len(read_files) == 5
    assert (again.unchanged, again.unchanged_files, again.removed) == (1, 3, 0)


def test_partitions_fill_one_index_that_is_published_at_once(place: Callable[[], str], tmp_path: Path) -> None:
    """Loaders beside each other, one of which runs twice; nothing shows before `publish`, which waits for all."""
    url = place()
    add(url, _units()[:1])
    before = open_index(url)
    threads = [
        threading.Thread(target=add, args=(url, _units()), kwargs={"partition": Partition(number, 3)})
        for number in (1, 2, 2)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with pytest.raises(ConfigError, match="3/3"):
        publish(url)
    assert open_index(url).coverage == before.coverage
    add(url, _units(), partition=Partition(3, 3))
    publish(url)
    add_embedded(tmp_path / "index", _units())
    assert _comparable(url) == _comparable(tmp_path / "index")
    # Who opened the old one still has it.
    assert before.check(LOOKUP[4].read_bytes()) is not None
    with pytest.raises(IndexMissingError, match="under construction"):
        publish(url)


def test_one_writer_at_a_time(place: Callable[[], str]) -> None:
    """A second one is told who holds the index; one whose lease was taken over publishes nothing."""
    url = place()
    add(url, _units()[:1])
    there = Cluster(parse_place(url))
    lease = Lease(there, read(there))
    with pytest.raises(IndexLockedError, match="is writing to this index"):
        add(url, _units())
    stale = read(there)
    lease.release()
    lease.held = stale
    with pytest.raises(IndexLockedError, match="nothing was published"):
        lease.publish(stale.published)
    there.close()


def test_errors_say_what_to_do(node: cluster.Node, place: Callable[[], str]) -> None:
    """An index that is not there, a host that is not there, another form, a full disk, a full memory."""
    url = place()
    with pytest.raises(IndexMissingError, match="codecite index add"):
        open_index(url)
    with pytest.raises(ClusterError, match="cannot be reached"):
        open_index(f"es+http://127.0.0.1:{cluster.free_ports(1)[0]}/x")
    name = url.rpartition("/")[2]
    cluster.ask(node.url, f"/{name}", method="PUT", body={"mappings": {"properties": {"a": {"type": "keyword"}}}})
    with pytest.raises(IndexVersionError, match="codecite-elasticsearch-1"):
        open_index(url)
    url = place()
    name = url.rpartition("/")[2]
    add(url, _units()[:1])
    block = {"index.blocks.read_only_allow_delete": True}
    cluster.ask(node.url, f"/{name}/_settings", method="PUT", body=block)
    with pytest.raises(IndexWriteError, match="make room"):
        add(url, _units())
    cluster.ask(node.url, f"/{name}/_settings", method="PUT", body={"index.blocks.read_only_allow_delete": None})
    small = {"transient": {"network.breaker.inflight_requests.limit": "1kb"}}
    cluster.ask(node.url, "/_cluster/settings", method="PUT", body=small)
    try:
        with pytest.raises(ClusterError, match="heap"):
            open_index(url).check(b"".join(path.read_bytes() for path in LOOKUP))
    finally:
        none = {"transient": {"network.breaker.inflight_requests.limit": None}}
        cluster.ask(node.url, "/_cluster/settings", method="PUT", body=none)


def test_many_hits_are_paged_and_none_is_lost(place: Callable[[], str], monkeypatch: pytest.MonkeyPatch) -> None:
    """However small a page is, the Report is the same."""
    from codecite.indexer.elastic import client

    url = place()
    head = b"# A head that all of these files have, of more than fifty bytes, so that each of them is found by it.\n"
    add(url, units([(head + b"%d" % n * 40, Place("MIT", f"pkg:pypi/p{n}@1", path=f"{n}.py")) for n in range(60)]))
    expected = open_index(url).check(head).to_dict()
    assert expected["matches"][0]["documents"] == 60
    monkeypatch.setattr(client, "PAGE", 7)
    assert open_index(url).check(head).to_dict() == expected


def test_a_passage_is_found_across_pieces(place: Callable[[], str], tmp_path: Path) -> None:
    """Wherever it lies in a large file, from one piece to the next or over many, with white space among it."""
    lines = [b"line_%d = value(%d)  \n\t" % (n * n % 9973, n) for n in range(3000)]
    seen = [
        (b"".join(lines), Place("MIT", path="large.py")),
        (b"\n" * 20_000 + b"x" * 60, Place("ISC", path="blank.py")),
    ]
    url = place()
    add(url, units(seen))
    add_embedded(tmp_path / "index", units(seen))
    here, there = open_index(tmp_path / "index"), open_index(url)
    for at in (*range(150, 230), 900, 2990):
        for count in (3, 4, 700):
            text = b"unlike " + b"".join(lines[at : at + count]) + b" anything"
            answers = [index.check(text).attributions for index in (here, there)]
            facts = [
                [(a.match.start, a.match.end, [(s.start_line, s.end_line, s.kind) for s in a.sources]) for a in found]
                for found in answers
            ]
            assert facts[0] == facts[1]
    assert there.check(b"x" * 60).attributions
