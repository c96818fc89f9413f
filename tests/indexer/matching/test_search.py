"""A search finds and ranks what brute force does, on an index built at once and in parts, and shows where it stands."""

from __future__ import annotations

import json
import shutil
import stat
import sysconfig
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import jsonschema
import pytest
from hypothesis import given
from hypothesis import strategies as st
from oracle import bm25

from codecite.indexer import open_index
from codecite.indexer.build import add
from codecite.indexer.corpus.units import Unit
from codecite.indexer.errors import ConfigError, NotSearchableError, QueryError
from codecite.indexer.lookup.query import parse_query
from codecite.indexer.records import EvidenceKind, LicenseEvidence, Package, SearchReport, SourceFile
from codecite.indexer.store.manifest import publish, read_manifest
from codecite.indexer.store.takedowns import TakedownKind, parse_takedown
from codecite.indexer.text.terms import terms_of
from codecite.indexer.upkeep import compact, remove

SCHEMA = json.loads((Path(__file__).parents[3] / "docs" / "codecite-search-1.schema.json").read_text())
SITE = Path(sysconfig.get_paths()["purelib"])
REAL = {
    path.name: path.read_text(encoding="utf-8")
    for package in ("click", "flask", "packaging")
    for path in sorted((SITE / package).glob("*.py"))
    if path.stat().st_size
}
QUERIES = ["parse version", "parseUrl", "HTTPException handler", "self", "context_settings", "__init__ return echo"]


def unit(names: list[str], license: str = "MIT", texts: dict[str, str] = REAL) -> Unit:
    """A package of these files."""
    evidence = (LicenseEvidence(EvidenceKind.PACKAGE_METADATA, license, "License", license),)
    files = [SourceFile(name, texts[name].encode(), (), (), "Python") for name in names]
    package = Package("here", purl=f"pkg:pypi/{license.lower()}@1", evidence=evidence)
    return Unit(package, lambda: iter(files))


@pytest.fixture(scope="module")
def directory(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Real modules in three additions, under two licences, merged by none."""
    place = tmp_path_factory.mktemp("search") / "index"
    names = sorted(REAL)
    for part, license in enumerate(("MIT", "MIT", "Apache-2.0")):
        add(place, [unit(names[part::3], license)], lexical=True)
    return place


def ranked(report: SearchReport) -> list[tuple[str, float]]:
    """Paths and scores."""
    return [(hit.source.origin.path, hit.score) for hit in report.hits]


@pytest.mark.parametrize("query", QUERIES)
def test_hits_have_the_scores_of_brute_force(directory: Path, query: str) -> None:
    """All that hold a term, in the order of their scores."""
    expected = bm25.scores(
        {name: terms_of(text.encode()).split() for name, text in REAL.items()}, terms_of(query.encode()).split()
    )
    report = open_index(directory).search(query, limit=200)
    jsonschema.validate(report.to_dict(), SCHEMA)
    assert dict(ranked(report)) == pytest.approx(expected, rel=1e-4)
    assert [score for _, score in ranked(report)] == sorted((score for _, score in ranked(report)), reverse=True)
    assert (report.total, report.total_capped) == (len(expected), False)


def test_many_additions_and_a_merge_answer_as_one(directory: Path, tmp_path: Path) -> None:
    """Statistics are over everything, whatever Segment it is in."""
    add(tmp_path / "one", [unit(sorted(REAL))], lexical=True)
    shutil.copytree(directory, tmp_path / "merged")
    compact(tmp_path / "merged")
    for query in QUERIES:
        answers = [
            ranked(open_index(place).search(query, limit=200))
            for place in (directory, tmp_path / "one", tmp_path / "merged")
        ]
        for answer in answers[1:]:
            assert dict(answer) == pytest.approx(dict(answers[0]), rel=1e-5)


def test_snippets_show_the_terms(directory: Path) -> None:
    """The lines hold them at the places given, and stand in the file where they say."""
    for query in QUERIES:
        wanted = set(terms_of(query.encode()).split())
        for hit in open_index(directory).search(query).hits:
            lines = REAL[hit.source.origin.path].split("\n")
            shown = hit.snippet.split("\n")
            first = hit.source.start_line - 1
            assert [line[:400] for line in lines[first : first + len(shown)]] == shown
            assert hit.terms
            for start, end in hit.terms:
                assert set(terms_of(hit.snippet[start:end].encode()).split()) & wanted


def test_phrases_exclusions_and_fields_narrow_a_search(directory: Path) -> None:
    """As brute force over the terms says."""
    terms = {name: f" {terms_of(text.encode())}" for name, text in REAL.items()}
    index = open_index(directory)

    def found(query: str, **options: str) -> set[str]:
        return {path for path, _ in ranked(index.search(query, limit=200, **options))}  # type: ignore[arg-type]

    assert found('"import annotations"') == {name for name in terms if " import annotations " in terms[name]}
    assert found("import -flask") == {
        name for name in terms if " import " in terms[name] and " flask " not in terms[name]
    }
    assert found('import -"import annotations"') == {
        name for name in terms if " import " in terms[name] and " import annotations " not in terms[name]
    }
    apache = set(sorted(REAL)[2::3])
    holding = {name for name in terms if " import " in terms[name]}
    for query, options in (("import license:Apache-2.0", {}), ("import", {"license": "apache-2.0"})):
        assert found(query, **options) == holding & apache
    assert found("import language:python") == holding
    assert found("import language:C") == set()
    assert found("import path:ap") == {name for name in holding if "ap" in name}
    assert found("import repo:pypi/apache") == holding & apache


def test_pages_are_parts_of_the_whole(directory: Path) -> None:
    """Nothing twice, nothing missing, also where scores are equal."""
    index = open_index(directory)
    whole = index.search("import", limit=200)
    pages = [hit for offset in range(0, 200, 7) for hit in index.search("import", limit=7, offset=offset).hits]
    assert tuple(pages) == whole.hits
    assert index.search("import", limit=7, offset=7).to_dict()["hits"][0]["rank"] == 8


def test_equal_scores_have_one_order(tmp_path: Path) -> None:
    """More of them than are read at a time; pages never overlap."""
    texts = {f"{i}.txt": f"common words here {i:05}" for i in range(400)}
    add(tmp_path / "index", [unit(list(texts), texts=texts)], lexical=True)
    index = open_index(tmp_path / "index")
    pages = [
        hit.source.swhid for offset in range(0, 400, 9) for hit in index.search("common", limit=9, offset=offset).hits
    ]
    assert len(pages) == len(set(pages)) == 400
    assert pages == sorted(pages)


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ('say "hello', "character 5"),
        ("license: x", "license: says nothing"),
        ("...", "no word"),
        ("-only", "no word"),
        ("", "no word"),
        ("x" * 3000, "3,000 characters"),
    ],
)
def test_what_cannot_be_searched_for_says_why(directory: Path, query: str, said: str) -> None:
    """With the place, and how it is written."""
    with pytest.raises(QueryError, match=said):
        open_index(directory).search(query)


@given(st.text(max_size=60))
def test_any_text_is_a_search_or_says_why_not(text: str) -> None:
    """Nothing else happens."""
    try:
        query = parse_query(text)
    except QueryError as error:
        assert str(error)
    else:
        assert query.words or query.phrases


def test_odd_requests_are_refused(directory: Path) -> None:
    """Numbers out of range; hostile words find nothing."""
    index = open_index(directory)
    with pytest.raises(ConfigError, match="limit is 0"):
        index.search("x", limit=0)
    for query in ("zzzzqqq", "terms:x OR (", "a" * 150, "\0 \ud7ff", "* ? ~2 ^3"):
        with suppress(QueryError):
            assert isinstance(index.search(query).total, int)


def test_what_was_taken_out_is_not_found_and_then_erased(directory: Path, tmp_path: Path) -> None:
    """Hidden at once; no byte of its words is left in the index that compacting makes anew."""
    shutil.copytree(directory, tmp_path / "index")
    add(tmp_path / "index", [unit(["odd.py"], "ISC", {"odd.py": "xylophonequartz = 1\n"})])
    assert [path for path, _ in ranked(open_index(tmp_path / "index").search("xylophonequartz"))] == ["odd.py"]
    remove(tmp_path / "index", [parse_takedown(TakedownKind.PATH, "odd.py")])
    assert open_index(tmp_path / "index").search("xylophonequartz").hits == ()
    compact(tmp_path / "index")
    left = b"".join(path.read_bytes() for path in (tmp_path / "index").rglob("*") if path.is_file())
    assert b"xylophonequartz" not in left
    assert dict(ranked(open_index(tmp_path / "index").search("version"))) == pytest.approx(
        dict(ranked(open_index(directory).search("version")))
    )


def test_what_a_killed_writer_left_counts_for_nothing(directory: Path, tmp_path: Path) -> None:
    """It was killed between the commit here and the manifest: hits are as before, and the next writer makes it anew."""
    shutil.copytree(directory, tmp_path / "index")
    before = read_manifest(tmp_path / "index")
    expected = ranked(open_index(directory).search("import", limit=200))
    add(tmp_path / "index", [unit(["lost.py"], "ISC", {"lost.py": "import lost_and_found\n"})])
    publish(tmp_path / "index", before)  # as if it had never come to that
    assert {path for path, _ in ranked(open_index(tmp_path / "index").search("import", limit=200))} == {
        path for path, _ in expected
    }
    add(tmp_path / "index", [unit(["new.py"], "ISC", {"new.py": "import something_new\n"})])
    index = open_index(tmp_path / "index")
    assert index.search("lost_and_found").total == 0 or "lost" not in str(ranked(index.search("lost_and_found")))
    assert ranked(index.search("something_new"))[0][0] == "new.py"
    assert read_manifest(tmp_path / "index").lexical != before.lexical
    assert [path.name for path in (tmp_path / "index").glob("lexical-*")] == [
        read_manifest(tmp_path / "index").lexical[0]
    ]  # type: ignore[index]


def test_an_index_without_words_says_how_to_get_them(tmp_path: Path) -> None:
    """The next addition that wants them makes them of what is stored."""
    names = sorted(REAL)[:4]
    add(tmp_path / "index", [unit(names)])
    with pytest.raises(NotSearchableError, match="codecite index add"):
        open_index(tmp_path / "index").search("import")
    add(tmp_path / "index", [unit(names)], lexical=True)
    assert open_index(tmp_path / "index").search("import").total
    publish(tmp_path / "index", replace(read_manifest(tmp_path / "index"), lexical=None))
    add(tmp_path / "index", [unit(sorted(REAL)[4:6])], lexical=True)
    assert open_index(tmp_path / "index").search("import").total > 4


def test_an_index_that_may_only_be_read_is_searched(directory: Path, tmp_path: Path) -> None:
    """Through links; nothing is written beside it."""
    shutil.copytree(directory, tmp_path / "index")
    names = sorted(path.name for path in (tmp_path / "index").rglob("*"))
    for path in [tmp_path / "index", *(tmp_path / "index").rglob("*")]:
        path.chmod(path.stat().st_mode & ~(stat.S_IWUSR | stat.S_IWGRP | stat.S_IWOTH))
    try:
        assert open_index(tmp_path / "index").search("import").total
        assert sorted(path.name for path in (tmp_path / "index").rglob("*") if path.suffix != ".lock") == [
            name for name in names if not name.endswith(".lock")
        ]
    finally:
        for path in [tmp_path / "index", *(tmp_path / "index").rglob("*")]:
            path.chmod(path.stat().st_mode | stat.S_IWUSR)


@pytest.mark.parametrize(
    ("word", "terms"),
    [
        ("parseUrl", "parseurl parse url"),
        ("parse_url", "parse_url parse url"),
        ("HTTPServer2", "httpserver2 http server 2"),
        ("__init__", "__init__ init"),
        ("x", "x"),
        ("ABC", "abc"),
        ("caf\u00e9Bar", "caf\u00e9bar caf\u00e9 bar"),
        ("x" * 101, ""),
    ],
)
def test_names_are_terms_whole_and_in_parts(word: str, terms: str) -> None:
    """As the module says."""
    assert terms_of(word.encode()).split() == terms.split()


@given(st.binary(max_size=200))
def test_any_bytes_have_terms(content: bytes) -> None:
    """In lower case, without white space."""
    for term in terms_of(content).split(" "):
        assert term == "".join(letter.lower() if letter.isascii() else letter for letter in term)


def test_facets_count_what_narrowing_leaves(tmp_path: Path) -> None:
    """Each language and licence: as many as the search has hits when it is narrowed by it; none is missing."""
    place = tmp_path / "index"
    names = sorted(REAL)
    licenses = ["MIT", "Apache-2.0 OR MIT", "GPL-2.0-only WITH Classpath-exception-2.0", "NOASSERTION"]
    for part, license in enumerate(licenses):
        evidence = () if license == "NOASSERTION" else (_said(license),)
        package = Package("here", purl=f"pkg:pypi/p{part}@1", evidence=evidence)
        # Neighbours overlap, so that some Documents have Origins of two kinds.
        files = [
            SourceFile(name, REAL[name].encode(), (), (), ("Python", "Cython", None)[number % 3])
            for number, name in enumerate(names)
            if number % 4 in (part, (part + 1) % 4)
        ]
        add(place, [Unit(package, lambda files=files: iter(files))], lexical=True)  # type: ignore[misc]
    index = open_index(place)
    for query in ("import", "self -flask", '"import annotations"', "import license:MIT"):
        report = index.search(query, limit=1, facets=True)
        jsonschema.validate(report.to_dict(), SCHEMA)
        assert report.facets is not None and not report.total_capped
        for name, option in (("languages", "language"), ("licenses", "license")):
            assert report.facets[name]
            for value, count in report.facets[name].items():
                assert index.search(query, **{option: value}).total == count, (query, value)  # type: ignore[arg-type]
        shown = index.search(query, limit=200).hits
        assert {hit.source.origin.language for hit in shown} - {None} <= set(report.facets["languages"])
    assert index.search("import").facets is None
    assert "facets" not in index.search("import").to_dict()


def _said(license: str) -> LicenseEvidence:
    return LicenseEvidence(EvidenceKind.PACKAGE_METADATA, license, "License", license)


def test_facets_stop_where_counting_stops(tmp_path: Path) -> None:
    """Of more hits than are counted, the counts are of those, and it is said that there are more."""
    files = [SourceFile(f"{number}.py", b"needle = %d\n" % number, (), (), "Python") for number in range(1100)]
    add(tmp_path / "index", [Unit(Package("here"), lambda: iter(files))], lexical=True)
    report = open_index(tmp_path / "index").search("needle", limit=5, facets=True)
    assert (report.total, report.total_capped) == (1000, True)
    assert report.facets == {"languages": {"Python": 1000}, "licenses": {"NOASSERTION": 1000}}
