"""An index over a server answers as the embedded one does, in all that a caller can see."""

from __future__ import annotations

import random
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from oracle.remote_corpus import HEADS, MODULES, NOTICE, TEXTS

from codecite.indexer import open_index
from codecite.indexer.attribution.policy import Exempt, Origins, Policy, load_policy
from codecite.indexer.build import add
from codecite.indexer.errors import ConfigError, NotSearchableError, QueryError, RemoteError, TextError
from codecite.indexer.index import Index
from codecite.indexer.records import Mark, Outcome, Report
from codecite.indexer.report_json import source_to_dict


def spliced(seed: int) -> bytes:
    """Parts of modules, noise, a ruler, an edited part, bytes that are no UTF-8."""
    chance = random.Random(seed)
    parts = []
    for _ in range(6):
        text = chance.choice(list(TEXTS.values()))
        begin = chance.randrange(len(text) - 800)
        parts.append(text[begin : begin + chance.randrange(60, 800)])
    parts[2] = parts[2].replace(b"self", b"this")
    return b"\nx = 1\n".join([*parts, "é→日本".encode(), b"\xff\xfe", b"-=" * 60])


POLICIES: dict[str, Policy] = {
    "audit": load_policy("audit"),
    "permissive": load_policy("permissive-only"),
    "strict": load_policy("strict"),
    "near": replace(load_policy("permissive-only"), near=True),
    "own": replace(load_policy("strict"), own_projects=("pkg:pypi/p1", "https://example.org/team/p2")),
    "exceptions": Policy(
        name="made here",
        rules={"GPL-2.0-only": Outcome.FAIL, "permissive": Outcome.WARN},
        min_bytes=60,
        outbound="MIT",
        origins=Origins.EARLIEST,
        pass_over=frozenset({Mark.IMPORTS}),
        common=False,
        exceptions=(Exempt("agreed", None, "GPL-2.0-only", "pkg:pypi/p1", "0/*"),),
    ),
}


def without_copyright(report: Report) -> Report:
    """The Report without what its JSON leaves out: the copyright lines of each piece of evidence."""

    def bare(source: Any) -> Any:
        evidence = tuple(replace(item, copyright=()) for item in source.origin.evidence)
        return replace(source, origin=replace(source.origin, evidence=evidence))

    items = tuple(replace(item, sources=tuple(map(bare, item.sources))) for item in report.attributions)
    return replace(report, attributions=items)


@pytest.mark.parametrize("name", POLICIES)
@pytest.mark.parametrize("seed", range(4))
def test_reports_are_equal(embedded: Index, remote: Index, seed: int, name: str) -> None:
    """In their JSON form and as records, under any policy: also one that no file states."""
    text = spliced(seed)
    for options in ({}, {"sources": 0}, {"sources": 100, "near": True}, {"shortest": 300}):
        here = embedded.check(text, policy=POLICIES[name], **options)
        there = remote.check(text, policy=POLICIES[name], **options)
        assert here.attributions or options
        assert there.to_dict() == here.to_dict()
        assert there == without_copyright(here)


@pytest.mark.parametrize("cut", range(0, 40, 3))
def test_reports_in_context_are_equal(embedded: Index, remote: Index, cut: int) -> None:
    """Wherever a text is parted from its context, in the midst of a character, too; as text and as bytes."""
    whole = (
        TEXTS["bisect.py"][100:400] + "é→日本\udcff".encode("utf-8", "surrogateescape") * 3 + TEXTS["heapq.py"][:300]
    )
    parts = whole[: 290 + cut], whole[290 + cut : 320 + cut], whole[320 + cut :]
    decoded = tuple(part.decode("utf-8", "surrogateescape") for part in parts)
    for before, text, after in (parts, decoded, (parts[0], *decoded[1:])):
        here = embedded.check(text, before=before, after=after)
        assert remote.check(text, before=before, after=after) == without_copyright(here)


def test_many_texts_are_checked_as_each_alone(embedded: Index, remote: Index) -> None:
    """In their order, whatever a batch holds; one that is no text is an error in its place."""
    texts: list[str | bytes] = [spliced(seed) for seed in range(70)]
    texts[3:3] = ["", "\ud800", "plain é", b"\x00" * 60]
    there = list(remote.check_many(texts, policy="strict", sources=2, shortest=70))
    here = list(embedded.check_many(texts, policy="strict", sources=2, shortest=70))
    assert len(there) == len(texts)
    for ours, theirs in zip(here, there, strict=True):
        if isinstance(ours, TextError):
            assert isinstance(theirs, TextError) and str(theirs) == str(ours)
        else:
            assert theirs == without_copyright(ours)


@pytest.mark.parametrize("patience", [None, 20])
@pytest.mark.parametrize("size", [1, 7, 60])
def test_a_stream_tells_the_same(embedded: Index, remote: Index, size: int, patience: int | None) -> None:
    """The events at each piece, and the Report at the end."""
    before = TEXTS["shlex.py"][:900].decode()
    text = TEXTS["shlex.py"][900:1500].decode() + "é→日本 other = 1\n" + TEXTS["heapq.py"][300:700].decode()
    ours, theirs = (
        index.stream(before=before, after="x", policy="strict", patience=patience) for index in (embedded, remote)
    )
    events = 0
    for at in range(0, len(text), size):
        here, there = ours.feed(text[at : at + size]), theirs.feed(text[at : at + size])
        assert [(item.state, item.attribution.match) for item in there] == [
            (item.state, item.attribution.match) for item in here
        ]
        assert [item.attribution.outcome for item in there] == [item.attribution.outcome for item in here]
        events += len(here)
    assert events and ours.looks == theirs.looks
    assert theirs.finish() == without_copyright(ours.finish())


@pytest.mark.parametrize(
    ("query", "options"),
    [
        ("heap item", {}),
        ("parse -string", {"limit": 3, "offset": 1}),
        ("self", {"license": "MIT", "path": "shlex"}),
        ("self", {"repository": "p1", "language": None}),
        ("self", {"facets": True, "limit": 2}),
        ("nothing_that_is_there", {}),
    ],
)
def test_searches_are_equal(embedded: Index, remote: Index, query: str, options: dict[str, Any]) -> None:
    """Hits, scores, snippets, totals."""
    assert remote.search(query, **options).to_dict() == embedded.search(query, **options).to_dict()


def test_similar_files_are_equal(embedded: Index, remote: Index) -> None:
    """Also for bytes that are no UTF-8."""
    for text in (*TEXTS.values(), TEXTS["shlex.py"] + b"\xff", "other"):
        for options in ({}, {"limit": 1}, {"at_least": 0.05, "limit": 1000}):
            assert remote.similar(text, **options).to_dict() == embedded.similar(text, **options).to_dict()


def test_documents_and_the_files_beside_them_are_equal(embedded: Index, remote: Index) -> None:
    """The bytes of a Document that the server shows; of files, those that evidence names."""
    report = embedded.check(b"".join(TEXTS.values()) + b"\xe9\xff odd bytes \x80 of p1 " * 9, sources=9)
    sources = [source for item in report.attributions for source in item.sources]
    assert len({source.swhid for source in sources}) > 6
    for source in sources:
        here, there = embedded.document(source.swhid), remote.document(source.swhid)
        assert here is not None and there is not None
        assert (there.content, there.origins, len(there.sources)) == (here.content, here.origins, len(here.sources))
        form = source_to_dict(source)
        assert remote.file_beside(form, "NOTICE") == embedded.file_beside(form, "NOTICE") == NOTICE
        assert embedded.file_beside(form, "odd.txt") is not None
        assert remote.file_beside(form, "odd.txt") is None, "a file that no evidence names is not to be passed on"
    assert remote.document("swh:1:cnt:" + "0" * 40) is None
    assert remote.document("no swhid") is None


def test_figures_and_coverage_are_equal(embedded: Index, remote: Index, address: str) -> None:
    """What an index holds."""
    assert remote.stats() == embedded.stats()
    assert remote.coverage == embedded.coverage
    assert remote.places == (address,) and remote.directories == ()
    with pytest.raises(ConfigError, match="clusters are counted on the machine"):
        remote.clusters()


def test_errors_are_those_of_the_library(remote: Index, address: str) -> None:
    """What the embedded index would raise, or what the server's limits are."""
    with pytest.raises(TextError, match="offset 3 stands a lone surrogate"):
        remote.check("abc\ud800")
    with pytest.raises(QueryError):
        remote.search('"open phrase')
    with pytest.raises(ConfigError, match="sources: is to be at most 100"):
        remote.check("text", sources=101)
    with pytest.raises(ConfigError, match="limit: is to be at most"):
        remote.search("self", limit=5000)


def test_a_server_that_shows_no_texts_says_so(embedded: Index, serve: Any) -> None:
    """A Document's text is withheld under the default policy; a check is answered."""
    there = open_index(serve(embedded))
    report = there.check(TEXTS["bisect.py"])
    assert report == without_copyright(embedded.check(TEXTS["bisect.py"]))
    with pytest.raises(RemoteError, match="does not show the text of swh:1:cnt:"):
        there.document(report.attributions[0].sources[0].swhid)


def test_an_index_without_words_cannot_be_searched_there_either(tmp_path: Path, serve: Any) -> None:
    """The error is the library's own."""
    from codecite.indexer.corpus.sources import read_sources
    from codecite.indexer.corpus.units import Reading

    (tmp_path / "tree").mkdir()
    (tmp_path / "tree" / "a.py").write_bytes(TEXTS["bisect.py"])
    add(tmp_path / "index", read_sources([str(tmp_path / "tree")], installed=False, reading=Reading()), lexical=False)
    with pytest.raises(NotSearchableError):
        open_index(serve(open_index(tmp_path / "index"))).search("bisect")


@pytest.mark.parametrize("order", ["here there", "there here", "there there2"])
def test_indexes_together_answer_as_embedded_ones_do(
    tmp_path: Path, directory: Path, address: str, serve: Any, order: str
) -> None:
    """Wherever each lies, in whichever order they are named."""
    other = tmp_path / "other"
    from codecite.indexer.corpus.sources import read_sources
    from codecite.indexer.corpus.units import Reading

    (tmp_path / "tree").mkdir()
    for number, name in enumerate(MODULES[:4]):
        head = f"# SPDX-License-Identifier: {HEADS[number % 3]}\n".encode()
        (tmp_path / "tree" / f"{number}.py").write_bytes(head + TEXTS[name])
    add(other, read_sources([str(tmp_path / "tree")], installed=False, reading=Reading()), lexical=True)
    there = serve(open_index(other))
    places, served = {
        "here there": ((directory, other), (directory, there)),
        "there here": ((directory, other), (address, other)),
        "there there2": ((directory, other), (address, there)),
    }[order]
    ours, theirs = open_index(*places), open_index(*served)
    for seed in range(4):
        for name in ("strict", "near", "own"):
            here, both = (index.check(spliced(seed), policy=POLICIES[name]) for index in (ours, theirs))
            assert len({item.match.index for item in here.attributions}) == 2
            assert both.to_dict() == here.to_dict()
    texts = [spliced(5), "\ud800", spliced(6)]
    assert [str(item) if isinstance(item, TextError) else item.to_dict() for item in theirs.check_many(texts)] == [
        str(item) if isinstance(item, TextError) else item.to_dict() for item in ours.check_many(texts)
    ]
    for options in ({"limit": 5, "offset": 2}, {"facets": True}):
        assert theirs.search("self", **options).to_dict() == ours.search("self", **options).to_dict()
    text = TEXTS["shlex.py"]
    assert theirs.similar(text, limit=3).to_dict() == ours.similar(text, limit=3).to_dict()
    assert theirs.stats() == ours.stats() and theirs.coverage == ours.coverage
    streams = [index.stream(before="", policy="strict") for index in (ours, theirs)]
    told = [[(item.state, item.attribution.match) for item in stream.feed(text.decode())] for stream in streams]
    assert told[0] == told[1] and told[0]


def test_a_new_generation_is_answered_from(tmp_path: Path, serve: Any) -> None:
    """An opened remote index follows what its server takes up, and says of which generation an answer is."""
    from codecite.indexer.corpus.sources import read_sources
    from codecite.indexer.corpus.units import Reading

    def added(name: str) -> None:
        (tmp_path / "tree").mkdir(exist_ok=True)
        (tmp_path / "tree" / name).write_bytes(TEXTS[name])
        add(tmp_path / "index", read_sources([str(tmp_path / "tree")], installed=False, reading=Reading()))

    added("bisect.py")
    index = open_index(serve(open_index(tmp_path / "index")))
    assert not index.check(TEXTS["heapq.py"][:2000]).attributions
    added("heapq.py")
    for _ in range(100):
        report = index.check(TEXTS["heapq.py"][:2000])
        if report.attributions:
            break
    assert report.attributions and [item.generation for item in report.indexes] == [2]
    assert index.coverage == report.indexes
