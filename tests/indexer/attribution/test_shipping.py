"""Notices: what is required and nothing else, in one order, whatever the Report was."""

from __future__ import annotations

import json
import random
from collections.abc import Mapping
from dataclasses import replace
from html.parser import HTMLParser
from typing import Any

import pytest
from markdown_it import MarkdownIt

from codecite.indexer.attribution.policy import Policy, load_policy
from codecite.indexer.attribution.shipped import as_html, as_markdown, as_text
from codecite.indexer.attribution.shipping import Notice, chosen_branch, notice_of
from codecite.indexer.attribution.snippets import comment_style, snippets_of
from codecite.indexer.licenses.tables import license_text, tables
from codecite.indexer.records import Mark, Outcome

ANY = load_policy("attribution-only")
PERMISSIVE = load_policy("permissive-only")
FILES = {
    "NOTICE": b"Copyright 2020 Them\r\nThis holds <others'> work.\x07\n",
    "LICENSE": b"\xef\xbb\xbfDo as you like & tell ```nobody```.\n",
}


def source(license: str, project: str = "pkg:pypi/them@1", path: str = "a.py", **more: Any) -> dict[str, Any]:
    """A source of a Report in its JSON form."""
    files = more.pop("files", ())
    evidence = [{"kind": "license_file", "expression": None, "where": name, "text": ""} for name in files]
    return {
        "swhid": "swh:1:cnt:" + "0" * 40,
        "purl": project,
        "repository": None,
        "revision": None,
        "url": "https://them.example",
        "path": path,
        "start_line": 11,
        "end_line": 19,
        "license": license,
        "license_evidence": evidence,
        "copyright": ["# Copyright (c) 2020 A. Author"],
        **more,
    }


def match(*sources: dict[str, Any], name: str = "m", **more: Any) -> dict[str, Any]:
    """A passage of a Report with these sources."""
    return {
        "id": name,
        "within": None,
        "start_line": 1,
        "end_line": 9,
        "bytes_in_text": 200,
        "marks": [],
        "common": False,
        "licenses": {one["license"]: 1 for one in sources},
        "sources": list(sources),
        **more,
    }


def made(*matches: dict[str, Any], policy: Policy = ANY, path: str = "mine.py") -> Notice:
    """The Notice for one text with these passages; FILES stand in every package."""
    return notice_of([(path, {"matches": list(matches)})], policy, lambda _, name: FILES.get(name))


def credited(notice: Notice) -> list[tuple[str, str]]:
    """Project and licence of each credit."""
    return [(credit.project, credit.chosen) for credit in notice.credits]


def test_licences_projects_lines_and_texts_stand_once_and_sorted() -> None:
    """Two files of one project make one credit with both places; a licence's text comes once."""
    zlib = source("Zlib", "pkg:pypi/z@1")
    notice = made(
        match(zlib),
        match(source("MIT"), name="n"),
        match(source("MIT", path="b.py", copyright=["// (c) 2019 B", " * Copyright (c) 2020 A. Author */"]), name="o"),
    )
    assert credited(notice) == [("pkg:pypi/them@1", "MIT"), ("pkg:pypi/z@1", "Zlib")]
    assert notice.credits[0].copyright == ("Copyright (c) 2020 A. Author", "(c) 2019 B")
    assert [place.source_path for place in notice.credits[0].places] == ["a.py", "b.py"]
    assert [text.id for text in notice.texts] == ["MIT", "Zlib"]
    assert not notice.unsettled


def test_what_asks_for_nothing_or_is_not_judged_is_left_out() -> None:
    """0BSD, a dedication, short passages and marked ones need no notice."""
    notice = made(
        match(source("0BSD")),
        match(source("CC0-1.0")),
        match(source("MIT"), bytes_in_text=149),
        match(source("MIT"), marks=[str(Mark.IMPORTS)]),
    )
    assert notice == Notice((), (), ())
    common = replace(ANY, common=False)
    assert not made(match(source("MIT"), common=True), policy=common).credits
    assert made(match(source("MIT"), common=True)).credits


@pytest.mark.parametrize(
    ("license", "policy", "chosen"),
    [
        ("GPL-2.0-only OR MIT", ANY, "MIT"),
        ("Apache-2.0 OR MIT", ANY, "MIT"),
        ("(GPL-3.0-only OR MIT) AND (BSD-3-Clause OR Apache-2.0)", ANY, "BSD-3-Clause AND MIT"),
        ("GPL-2.0-only OR MIT", Policy(rules={"MIT": Outcome.FAIL}), "GPL-2.0-only"),
    ],
)
def test_of_a_choice_the_branch_is_taken_that_the_policy_likes_and_that_asks_for_least(
    license: str, policy: Policy, chosen: str
) -> None:
    """Its text is shipped and no other's; the snippet block states the whole expression."""
    assert chosen_branch(license, policy) == chosen
    notice = made(match(source(license)), policy=policy)
    assert [text.id for text in notice.texts] == chosen.split(" AND ")
    (snippet,) = snippets_of(notice)
    assert f"# SPDX-License-Identifier: {license}" in snippet.begin


def test_the_source_is_the_first_that_the_policy_allows() -> None:
    """A GPL file that comes first is credited only where the policy does not care."""
    both = match(source("GPL-3.0-only", "pkg:pypi/g@1"), source("MIT", "pkg:pypi/m@1"))
    assert credited(made(both, policy=load_policy("audit"))) == [("pkg:pypi/g@1", "GPL-3.0-only")]
    assert credited(made(both, policy=PERMISSIVE)) == [("pkg:pypi/m@1", "MIT")]
    only = made(match(source("GPL-3.0-only")), policy=PERMISSIVE)
    assert [item.license for item in only.unsettled] == ["GPL-3.0-only"]
    assert "permissive-only" in only.unsettled[0].message


def test_a_passage_inside_a_credited_one_is_credited_if_it_asks_for_more() -> None:
    """A GPL passage inside an MIT file is never hidden; an ISC one inside it asks for nothing that MIT does not."""
    outer = match(source("MIT"))
    for license, more in (("GPL-2.0-only", True), ("ISC", False)):
        inner = match(source(license, "pkg:pypi/in@1"), name="i", within="m")
        assert (("pkg:pypi/in@1", license) in credited(made(outer, inner))) is more
        assert ("pkg:pypi/in@1", license) in credited(made(inner))


def test_the_notice_file_of_an_apache_project_is_passed_on() -> None:
    """Its text without what a terminal obeys; one that is not in the index is named; MIT asks for none."""
    (credit,) = made(match(source("Apache-2.0", files=["NOTICE", "LICENSE"]))).credits
    assert [(file.path, file.text) for file in credit.notices] == [
        ("NOTICE", "Copyright 2020 Them\nThis holds <others'> work.")
    ]
    lost = made(match(source("Apache-2.0", files=["old/NOTICE.txt"])))
    assert [item.message for item in lost.unsettled] == ["old/NOTICE.txt was not found: pass it on by hand"]
    assert not made(match(source("MIT", files=["NOTICE"]))).credits[0].notices


def test_a_licence_of_no_list_comes_with_the_file_that_states_it() -> None:
    """As a permissive LicenseRef; one without a file is named, and one that nobody knows is not settled by a notice."""
    (text,) = made(match(source("LicenseRef-BSD", files=["LICENSE"]))).texts
    assert (text.id, text.text) == ("LicenseRef-BSD", "Do as you like & tell ```nobody```.")
    assert [item.license for item in made(match(source("LicenseRef-BSD"))).unsettled] == ["LicenseRef-BSD"]
    for unknown in ("NOASSERTION", "LicenseRef-Whatever"):
        notice = made(match(source(unknown)))
        assert not notice.credits
        assert [item.license for item in notice.unsettled] == [unknown]
    (shown,) = made(match(licenses={"MIT": 1}, name="x")).unsettled
    assert "--sources" in shown.message


def test_every_listed_licence_that_asks_for_its_text_has_one_without_blanks_to_fill_in() -> None:
    """The copyright lines stand in the place of `<year> <owner>`."""
    for license in tables().licenses:
        if license_text(license) is not None:
            for text in made(match(source(license))).texts:
                assert text.text
                assert "Copyright (c) <year> <" not in text.text, license


class _Text(HTMLParser):
    """All text of an HTML page, and its tags."""

    def __init__(self) -> None:
        super().__init__()
        self.text = ""
        self.tags: set[str] = set()

    def handle_starttag(self, tag: str, attrs: object) -> None:
        self.tags.add(tag)

    def handle_data(self, data: str) -> None:
        self.text += data


HOSTILE = "<script>x</script> **b** [a](b) `c` & d_e_f"


def test_every_form_holds_the_same_and_nothing_of_it_acts() -> None:
    """What others wrote is text: no tag in HTML, no markup in Markdown, fences longer than those inside."""
    odd = source("LicenseRef-BSD", "pkg:pypi/" + HOSTILE, files=["LICENSE"], copyright=[f"Copyright 2020 {HOSTILE}"])
    notice = made(match(source("Apache-2.0", files=["NOTICE"])), match(odd, name="n"))
    page = _Text()
    page.feed(as_html(notice, HOSTILE))
    assert "script" not in page.tags
    plain = as_text(notice, HOSTILE)
    tokens = MarkdownIt("commonmark").parse(as_markdown(notice, HOSTILE))
    inline = [child for token in tokens for child in token.children or ()]
    assert {child.type for child in inline} <= {"text", "text_special"}
    read = "\n".join([*("".join(child.content for child in token.children or ()) for token in tokens)])
    fenced = [token.content for token in tokens if token.type == "fence"]
    for wanted in (HOSTILE, f"Copyright 2020 {HOSTILE}", "pkg:pypi/them@1", "Copyright (c) 2020 A. Author"):
        assert wanted in plain
        assert wanted in page.text
        assert wanted in read
    for text in (*(text.text for text in notice.texts), notice.credits[0].notices[0].text):
        assert text in page.text
        assert f"{text}\n" in fenced


def test_no_two_runs_differ() -> None:
    """However the sources' mappings are ordered, and through JSON."""
    matches = [match(source(name, f"pkg:pypi/{name}@1"), name=name) for name in ("Zlib", "MIT", "Apache-2.0", "ISC")]
    first = made(*matches)
    shuffled: list[Mapping[str, Any]] = [dict(random.Random(1).sample(list(one.items()), len(one))) for one in matches]
    again = made(*json.loads(json.dumps(shuffled)))
    assert json.dumps(first.to_dict()) == json.dumps(again.to_dict())
    assert as_text(first, "t") == as_text(again, "t")


@pytest.mark.parametrize(
    ("path", "style"),
    [
        ("a.py", ("# ", "")),
        ("x/Makefile", ("# ", "")),
        ("a.h", ("/* ", " */")),
        ("a.RS", ("// ", "")),
        ("a.html", ("<!-- ", " -->")),
        ("noextension", ("# ", "")),
    ],
)
def test_comments_are_those_of_the_file(path: str, style: tuple[str, str]) -> None:
    """By the suffix, whatever its case."""
    assert comment_style(path) == style
