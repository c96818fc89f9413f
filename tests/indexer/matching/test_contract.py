"""The sentences of the matching contract, one by one, on documents made for each."""

from __future__ import annotations

import itertools
import random
import string
from dataclasses import replace
from pathlib import Path

import pytest
from oracle.library import build
from oracle.reading import Place

from codecite.indexer import open_index
from codecite.indexer.build import add
from codecite.indexer.corpus.units import Unit
from codecite.indexer.records import EvidenceKind, LicenseEvidence, Package, SourceFile

MIT, GPL, ISC = Place("MIT", path="m.py"), Place("GPL-3.0-only", path="g.py"), Place("ISC", path="i.py")


def noise(seed: int, length: int) -> str:
    """Letters without white space that repeat nothing."""
    return "".join(random.Random(seed).choices(string.ascii_letters, k=length))


@pytest.mark.parametrize("length", [49, 50, 51, 75, 76, 101])
def test_the_guarantee_begins_at_fifty_bytes(tmp_path: Path, length: int) -> None:
    """Fifty shared bytes are found wherever they begin on either side, forty-nine are not."""
    shared = noise(1, length)
    contents = [noise(2, before) + shared + noise(3, 40) for before in range(0, 60, 7)]
    library = build(tmp_path / "index", [(text.encode(), [MIT]) for text in contents])
    for before in range(0, 60, 11):
        report = library.check(noise(4, before) + shared + noise(5, 30))
        assert len(report.matches) == (length >= 50)


def test_files_shorter_than_the_guarantee_match_nothing(tmp_path: Path) -> None:
    """A file of 49 canonical bytes is no source, one of 50 is, and each may be the whole query."""
    short, exact = noise(1, 49), noise(2, 50)
    library = build(tmp_path / "index", [(short.encode(), [MIT]), (b" \n" + exact.encode() + b"\n", [GPL])])
    assert not library.check(short).matches
    assert not library.check(short + exact[:49]).matches
    assert library.check(short + exact).matches[0].bytes == 50


def test_a_longer_passage_hides_none_of_another_license(tmp_path: Path) -> None:
    """A GPL file's shorter passage stands inside an MIT file's longer one and names it."""
    text = noise(1, 300)
    contents = [(text, [MIT]), (noise(2, 30) + text[40:200], [GPL]), (text[60:120], [MIT, GPL])]
    library = build(tmp_path / "index", [(content.encode(), places) for content, places in contents])
    outer, inner = library.check(noise(3, 20) + text).matches
    assert (outer.licenses, outer.bytes) == ({"MIT": 1}, 300)
    assert (inner.licenses, inner.within) == ({"MIT": 1, "GPL-3.0-only": 1}, (outer.start, outer.end))


def test_a_passage_between_two_that_overlap_is_found(tmp_path: Path) -> None:
    """A passage that two others cover together, neither of them alone, is maximal and found."""
    text = noise(1, 400)
    slices = [(103, 223), (140, 260), (144, 264)]
    contents = [(f"{text[start:end]}\n{start}".encode(), [Place(path=f"{start}.py")]) for start, end in slices]
    library = build(tmp_path / "index", contents)
    assert [(match.start, match.end) for match in library.check(text).matches] == slices


def test_equal_spans_of_two_licenses_are_one_match(tmp_path: Path) -> None:
    """Equal spans merge, and every license under which the text stands is named with its documents."""
    text = noise(1, 80)
    contents = [(noise(n, 20) + text + noise(n, 5), [place]) for n, place in enumerate([MIT, MIT, GPL, ISC], 2)]
    library = build(tmp_path / "index", [(content.encode(), places) for content, places in contents])
    (match,) = library.check("!" + text + "!").matches
    assert match.licenses == {"MIT": 2, "GPL-3.0-only": 1, "ISC": 1}


def test_one_document_of_many_origins_counts_once(tmp_path: Path) -> None:
    """An exact duplicate adds places, projects and licenses, not documents."""
    text = noise(1, 90).encode()
    places = [Place("MIT", f"pkg:pypi/p{n}@1", path=f"{n}.py") for n in range(3)] + [GPL]
    (match,) = build(tmp_path / "index", [(text, places)], adds=2).check(text).matches
    assert (match.documents, match.projects, len(match.sources)) == (1, 4, 4)
    assert match.licenses == {"MIT": 1, "GPL-3.0-only": 1}


def test_versions_of_one_purl_are_one_project(tmp_path: Path) -> None:
    """The version is no part of a project's name; without a purl the repository names it, then the source."""
    text = noise(1, 90)
    places = [
        Place(purl="pkg:pypi/a@1", path="1"),
        Place(purl="pkg:pypi/a@2", path="2", repository="https://example.org/a"),
        Place(purl="pkg:npm/%40scope/a@2", path="3"),
        Place(repository="https://example.org/a", path="4"),
        Place(repository="https://example.org/a", path="5", source="other"),
        Place(source="other", path="6"),
    ]
    library = build(tmp_path / "index", [((text + "#" * n).encode(), [place]) for n, place in enumerate(places)])
    assert max(match.projects for match in library.check(text).matches) == 4


def test_sources_come_in_one_order(tmp_path: Path) -> None:
    """Release date with undated last, project, path, SWHID, over all documents however they were added."""
    text = noise(1, 90)
    chance = random.Random(7)
    contents = [
        (
            (text + f"\n{n}").encode(),
            [
                Place(
                    chance.choice(["MIT", "ISC"]),
                    chance.choice(["pkg:pypi/a@1", "pkg:pypi/a@2", "pkg:pypi/B@1", None]),
                    chance.choice([None, "https://example.org/a"]),
                    path=chance.choice(["x.py", "y.py", f"z{n}.py"]),
                    released=chance.choice([None, "2019-12-31", "2020-01-01", "2020-01-01"]),
                )
            ],
        )
        for n in range(60)
    ]
    library = build(tmp_path / "index", contents, adds=3)
    for number in (1, 5, 60, 100):
        library.check(text, sources=number)


def test_a_passage_in_two_thousand_files_under_three_licenses(tmp_path: Path) -> None:
    """The counts stop at the cap with their flags; the license set and the first sources are over all files."""
    text, rare = noise(1, 120), "GPL-3.0-only"
    kinds = ["MIT"] * 1500 + ["Apache-2.0"] * 499 + [rare]
    dates = ["2001-01-01" if kind == rare else f"20{99 - n // 40}-01-01" for n, kind in enumerate(kinds)]
    contents = [
        (
            f"{noise(n + 10, 30)}\n{text[:60]}{' ' * (n % 3)}{text[60:]}\n{noise(n + 10, 10)}".encode(),
            [Place(kind, f"pkg:pypi/p{n % 1200}@{n}", path=f"{n}.py", released=dates[n])],
        )
        for n, kind in enumerate(kinds)
    ]
    library = build(tmp_path / "index", contents)
    (match,) = library.check("<" + text + ">").matches
    assert (match.documents, match.documents_capped, match.common) == (1000, True, True)
    assert match.licenses == {"MIT": 1000, "Apache-2.0": 499, rare: 1}
    assert match.sources[0].license == rare


@pytest.mark.parametrize("documents", [1, 2, 3, 4, 5])
def test_counts_are_exact_below_the_cap(tmp_path: Path, documents: int) -> None:
    """Around the caps each count and each flag is the contract's."""
    text = noise(1, 60)
    contents = [(f"{noise(n + 2, 9)}\n{text}".encode(), [Place(source=f"tree{n}")]) for n in range(documents)]
    match = build(tmp_path / "index", contents, cap=3, common=2).check(text).matches[0]
    assert match.documents == min(documents, 3)
    assert match.common == (documents > 2)


def test_a_passage_that_comes_twice_in_the_query_is_two_matches(tmp_path: Path) -> None:
    """Both places are reported, with the same document counted once in each."""
    text = noise(1, 70)
    library = build(tmp_path / "index", [(f"{text}\n{text}\n".encode(), [MIT])])
    assert [match.bytes for match in library.check(f"{text}!{text}").matches] == [70, 70]
    assert [match.bytes for match in library.check(f"{text} {text}").matches] == [140]


def test_a_document_shows_its_first_place(tmp_path: Path) -> None:
    """A document that holds the passage twice is reformatted if its first place is, though the second is verbatim."""
    text = noise(1, 70)
    spaced = text[:30] + " " + text[30:]
    library = build(tmp_path / "index", [(f"\n{spaced}\n\n{text}\n".encode(), [MIT])])
    (match,) = library.check(text).matches
    assert (match.kind, match.sources[0].start_line) == ("reformatted", 2)
    assert library.check(spaced).matches[0].kind == "verbatim"


def test_a_match_shows_its_strongest_kind(tmp_path: Path) -> None:
    """One verbatim document makes the Match verbatim, also where its source is not among those shown."""
    text = noise(1, 70)
    spaced = text[:30] + "\n" + text[30:]
    contents = [(spaced, Place(released="2001-01-01")), (f"-{text}", Place(path="b", released="2002-01-01"))]
    library = build(tmp_path / "index", [(content.encode(), [place]) for content, place in contents])
    (match,) = library.check(text, sources=1).matches
    assert (match.kind, [source.kind for source in match.sources]) == ("verbatim", ["reformatted"])


def test_line_ends_are_white_space(tmp_path: Path) -> None:
    """The lines of a text with carriage returns match those without, reformatted, and count by line feeds."""
    lines = [noise(n, 20) for n in range(9)]
    library = build(tmp_path / "index", [("\n".join(lines).encode(), [MIT]), ("\r\n".join(lines).encode(), [GPL])])
    assert {s.license: s.kind for s in library.check("\r\n".join(lines)).matches[0].sources} == {
        "MIT": "reformatted",
        "GPL-3.0-only": "verbatim",
    }
    assert library.check("ours\n" + "\n".join(lines[2:6])).matches[0].start_line == 2
    assert library.check("\r".join(lines)).matches[0].end_line == 1


def test_empty_documents_are_no_documents(tmp_path: Path) -> None:
    """Nothing is found in what holds nothing, and only documents with content are covered."""
    text = noise(1, 60).encode()
    library = build(tmp_path / "index", [(b"", [MIT]), (text, [GPL])])
    library.check(text)
    assert library.index.check(text).to_dict()["indexes"][0]["documents"] == 1


@pytest.mark.parametrize("adds", [1, 2, 5])
def test_several_adds_answer_like_one(tmp_path: Path, adds: int) -> None:
    """However the documents and the places of one document are dealt to segments, the answer is the same."""
    text = noise(1, 400)
    contents = []
    for n in range(24):
        start = 37 * n % 300
        places = [Place(["MIT", "ISC", "Zlib"][(n + k) % 3], f"pkg:pypi/p{k}@1", path=f"{n}") for k in range(n % 4)]
        contents.append((f"{text[start : start + 120]}\n{n % 20}".encode(), places or [MIT]))
    library = build(tmp_path / "index", contents, adds=adds)
    library.check(text)
    library.check(text[250:] + text[:250], sources=30)


def test_sources_of_one_document_in_several_segments_keep_the_order(tmp_path: Path) -> None:
    """The places of an exact duplicate, dealt to two segments, are shown in the one order of all sources."""
    places = [Place(path=f"{n}.py", released="2020-01-01" if n == 6 else None) for n in range(1, 7)]
    (match,) = build(tmp_path / "index", [(noise(1, 60).encode(), places)], adds=2).check(noise(1, 60)).matches
    assert [source.path for source in match.sources] == ["6.py", "1.py", "2.py", "3.py", "4.py"]


@pytest.mark.parametrize("adds", [1, 2, 4])
def test_a_place_that_was_read_from_two_sources_is_shown_once(tmp_path: Path, adds: int) -> None:
    """However many copies come before the others; a copy that says another thing of the place is another one."""
    copies = [Place("MIT", "pkg:pypi/a@1", source=f"wheel{n}", path="a.py") for n in range(4)]
    others = [replace(copies[0], path="b.py"), replace(copies[1], purl="pkg:pypi/a@2"), replace(copies[2], source="c")]
    library = build(tmp_path / "index", [(noise(1, 60).encode(), [*copies, *others, MIT])], adds=adds)
    for number in (0, 1, 2, 3, 10):
        (match,) = library.check(noise(1, 60), sources=number).matches
        assert (match.documents, match.projects) == (1, 2)
    assert [source.path for source in match.sources] == ["a.py", "a.py", "b.py", "m.py"]


def test_sources_say_in_what_language_they_are_and_what_kind_of_file(tmp_path: Path) -> None:
    """Each for itself, also of one Document."""
    places = [
        Place(path="a.min.js", language="JavaScript", marks=("minified", "vendored")),
        Place(path="b.txt", language="Text"),
        Place(path="c", marks=("generated",)),
    ]
    (match,) = build(tmp_path / "index", [(noise(1, 60).encode(), places)], adds=2).check(noise(1, 60)).matches
    assert [source.language for source in match.sources] == ["JavaScript", "Text", None]
    assert [source.file_marks for source in match.sources] == [["minified", "vendored"], [], ["generated"]]


@pytest.mark.parametrize("order", list(itertools.permutations(range(4))))
def test_slices_that_cover_each_other_are_all_found(tmp_path: Path, order: tuple[int, ...]) -> None:
    """Each in a Segment of its own, in any order: what one Segment passes over, the next may not make forget."""
    text = noise(1, 400)
    slices = [text[103:223], text[140:260], text[144:264], text[20:330]]
    contents = [(f"{slices[n]}\n{n}".encode(), [GPL if n == 3 else MIT]) for n in order]
    library = build(tmp_path / "index", contents, adds=4)
    assert len(library.check(text).matches) == 4
    library.check(text[90:300])


def test_adding_the_same_again_changes_no_answer(tmp_path: Path) -> None:
    """An origin that the index has already is not a second one."""
    text = noise(1, 90).encode()
    unit = Unit(Package("tree"), lambda: iter([SourceFile("a.py", text)]))
    reports = []
    for _ in range(2):
        add(tmp_path / "index", [unit])
        reports.append(open_index(tmp_path / "index").check(text).to_dict()["matches"])
    assert reports[0] == reports[1]


def test_evidence_in_the_file_is_stronger_than_the_package(tmp_path: Path) -> None:
    """The license of an origin is that of its file's tag, before that of its package."""
    text = noise(1, 90).encode()
    tag = LicenseEvidence(EvidenceKind.SPDX_TAG, "ISC", "line 1", "SPDX-License-Identifier: ISC")
    field = LicenseEvidence(EvidenceKind.PACKAGE_METADATA, "MIT", "License-Expression", "MIT")
    package = Package("tree", evidence=(field,))
    add(tmp_path / "index", [Unit(package, lambda: iter([SourceFile("a.py", text, (tag,))]))])
    (match,) = open_index(tmp_path / "index").check(text).to_dict()["matches"]
    assert match["licenses"] == {"ISC": 1}
    assert [item["kind"] for item in match["sources"][0]["license_evidence"]] == ["spdx_tag", "package_metadata"]


def test_context_alone_is_not_reported(tmp_path: Path) -> None:
    """A passage must hold a byte of the text; one that only touches it is the context's own."""
    text = noise(1, 120)
    library = build(tmp_path / "index", [(text.encode(), [MIT])])
    assert [match.bytes_in_text for match in library.check(text[60:], text[:60]).matches] == [60]
    assert [match.bytes_in_text for match in library.check(text[119:], text[:119], "after").matches] == [1]
    assert [match.bytes_in_text for match in library.check(text[:1], "before", text[1:]).matches] == [1]
    assert [match.bytes for match in library.check(text[40:80], text[:40], text[80:]).matches] == [120]
    assert not library.check("ours", text, text).matches
    assert not library.check("", text[:60], text[60:]).matches
    assert not library.check(" \n\t", text[:60], text[60:]).matches
    assert not library.check("!" + text[:49], text).matches
