"""Takedowns: every spelling of a thing is one rule, and each rule hides what it names and nothing else."""

from __future__ import annotations

import json
import re
import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pathspec import GitIgnoreSpec

from codecite.indexer.errors import ConfigError, IndexVersionError
from codecite.indexer.records import Package
from codecite.indexer.store.takedowns import Takedown, TakedownKind, Takedowns, parse_takedown, read_opt_outs

PURL, REPOSITORY, OWNER, PATH, SWHID = TakedownKind
DIGEST = bytes(range(20))


def package(purl: str | None = None, repository: str | None = None, revision: str | None = None) -> Package:
    """A Package of these names."""
    return Package(source="/corpus", purl=purl, repository=repository, revision=revision)


def hides(kind: TakedownKind, text: str, found: Package) -> bool:
    """Whether a rule hides a Package."""
    rule = parse_takedown(kind, text)
    hiding = Takedowns([rule]).hides_package(found)
    assert hiding in (None, rule)
    return hiding is not None


@pytest.mark.parametrize(
    ("kind", "spellings", "value"),
    [
        (
            REPOSITORY,
            [
                *(
                    "foo/bar",
                    "Foo/Bar",
                    "github.com/foo/bar",
                    "https://github.com/foo/bar",
                    "http://www.github.com/foo/bar/",
                ),
                *(
                    "https://github.com/foo/bar.git",
                    "git+https://github.com/foo/bar.git#main",
                    "git@github.com:foo/bar.git",
                ),
                *(
                    "ssh://git@github.com/foo/bar",
                    "ssh://git@github.com:22/foo/bar",
                    "ssh://git@github.com:foo/bar.git",
                ),
                *(
                    "git://GitHub.com/FOO/bar.git",
                    "git+ssh://git@github.com/foo/bar.git",
                    "scm:git:https://github.com/foo/bar",
                ),
                *(
                    "https://user:secret@github.com/foo/bar",
                    "https://github.com/foo/bar/tree/main/src?x=1#readme",
                    " foo/bar ",
                ),
            ],
            "github.com/foo/bar",
        ),
        (
            REPOSITORY,
            [
                "https://gitlab.com/a/b/c",
                "https://gitlab.com/a/b/c/-/tree/main",
                "git@gitlab.com:A/B/C.git",
                "gitlab.com/a/b/c",
            ],
            "gitlab.com/a/b/c",
        ),
        (REPOSITORY, ["https://git.sr.ht/~a/b", "git@git.sr.ht:~a/b", "git.sr.ht/~a/b"], "git.sr.ht/~a/b"),
        (
            REPOSITORY,
            ["git://git.example.org/pub/x.git", "https://git.example.org:8080/pub/x"],
            "git.example.org/pub/x",
        ),
        (
            OWNER,
            ["foo", "Foo", "@foo", "github.com/foo", "https://github.com/FOO/", "http://www.github.com/foo"],
            "github.com/foo",
        ),
        (OWNER, ["gitlab.com/group/sub", "https://gitlab.com/Group/Sub"], "gitlab.com/group/sub"),
        (
            PURL,
            ["pkg:pypi/foo-bar", "pkg:PyPI/Foo_Bar", "pkg:pypi/foo.bar?x=y", "pkg://pypi/foo--bar#sub/path"],
            "pkg:pypi/foo-bar",
        ),
        (PURL, ["pkg:npm/%40babel/core@7.0.0", "pkg:npm/@babel/core@7.0.0"], "pkg:npm/%40babel/core@7.0.0"),
        (PURL, ["pkg:npm/JSONStream"], "pkg:npm/JSONStream"),
        (
            PURL,
            ["pkg:deb/debian/bash@1%3a2+b", "pkg:deb/Debian/bash@1:2%2Bb?arch=amd64"],
            "pkg:deb/debian/bash@1:2%2Bb",
        ),
        (
            SWHID,
            ["swh:1:cnt:" + "aB" * 20, "SWH:1:CNT:" + "ab" * 20 + ";origin=https://x.org"],
            "swh:1:cnt:" + "ab" * 20,
        ),
        (PATH, ["*.pem", "*.pem  "], "*.pem"),
    ],
)
def test_spellings_of_a_thing_are_one_rule(kind: TakedownKind, spellings: list[str], value: str) -> None:
    """URLs, cases and ways of writing come to one normal form, which is its own normal form."""
    assert {parse_takedown(kind, text) for text in [*spellings, value]} == {Takedown(kind, value)}


@pytest.mark.parametrize(
    ("kind", "text", "mend"),
    [
        (REPOSITORY, "foo", "OWNER/NAME"),
        (REPOSITORY, "a/b/c", "https://HOST/OWNER/NAME"),
        (REPOSITORY, "https://github.com/foo", "OWNER/NAME"),
        (REPOSITORY, "file:///srv/x/y", "https://HOST"),
        (REPOSITORY, "https://[bad/x/y", "https://HOST"),
        (REPOSITORY, "", "OWNER/NAME"),
        (OWNER, "foo/bar", "HOST/OWNER"),
        (OWNER, "example.org", "HOST/OWNER"),
        (OWNER, "two words", "HOST/OWNER"),
        (PURL, "pypi/foo", "pkg:pypi/NAME"),
        (PURL, "pkg:pypi", "pkg:pypi/NAME"),
        (PURL, "pkg:golang/a@v1/b", "pkg:pypi/NAME"),
        (SWHID, "swh:1:dir:" + "ab" * 20, "swh:1:cnt:"),
        (SWHID, "ab" * 20, "swh:1:cnt:"),
        (PATH, "", ".gitignore"),
        (PATH, "!a", ".gitignore"),
        (PATH, "# a", ".gitignore"),
        (PATH, "[z-a]", ".gitignore"),
        (PATH, "a[", ".gitignore"),
        (PATH, "a//b", ".gitignore"),
    ],
)
def test_what_is_no_rule_is_an_error_that_shows_one(kind: TakedownKind, text: str, mend: str) -> None:
    """The error quotes what was written and gives the form of a rule."""
    with pytest.raises(ConfigError, match=re.escape(mend)) as caught:
        parse_takedown(kind, text)
    assert repr(text) in str(caught.value)


@pytest.mark.parametrize(
    ("kind", "text", "hidden", "shown"),
    [
        (
            PURL,
            "pkg:pypi/foo",
            [package("pkg:pypi/foo"), package("pkg:pypi/foo@1.0"), package("pkg:pypi/Foo@2%2Bcpu?x=y")],
            [package("pkg:pypi/foobar@1"), package("pkg:npm/foo"), package(), package("nonsense")],
        ),
        (PURL, "pkg:pypi/foo@1", [package("pkg:pypi/foo@1")], [package("pkg:pypi/foo@1.0"), package("pkg:pypi/foo")]),
        (PURL, "pkg:npm/@b/c", [package("pkg:npm/%40b/c@1")], [package("pkg:npm/c@1"), package("pkg:npm/%40b/d")]),
        (
            PURL,
            "pkg:github/foo/bar@abc",
            [package("pkg:github/foo/bar@abc"), package(None, "https://github.com/Foo/Bar.git", "abc")],
            [package(None, "https://github.com/foo/bar", "abd"), package(None, "https://github.com/foo/bar")],
        ),
        (
            REPOSITORY,
            "foo/bar",
            [
                *(package(None, "https://github.com/foo/bar"), package("pkg:pypi/x@1", "git@github.com:Foo/Bar.git")),
                *(package("pkg:github/foo/bar@1"), package("pkg:golang/github.com/foo/bar/v2@v2.1.0")),
            ],
            [
                package(None, "https://github.com/foo/bar2"),
                package(None, "https://gitlab.com/foo/bar"),
                package("pkg:npm/foo/bar"),
            ],
        ),
        (
            OWNER,
            "foo",
            [
                package(None, "http://github.com/foo/any"),
                package("pkg:github/FOO/x"),
                package("pkg:golang/github.com/foo/x@v1"),
            ],
            [
                package(None, "https://github.com/food/x"),
                package(None, "https://gitlab.com/foo/x"),
                package("pkg:pypi/foo"),
            ],
        ),
        (
            OWNER,
            "gitlab.com/group",
            [package(None, "https://gitlab.com/group/sub/x"), package(None, "https://gitlab.com/group/x")],
            [package(None, "https://gitlab.com/groups/x"), package(None, "https://gitlab.com/other/group")],
        ),
    ],
)
def test_a_rule_hides_the_packages_it_names(
    kind: TakedownKind, text: str, hidden: list[Package], shown: list[Package]
) -> None:
    """All versions or one, whatever way the repository is known, and no neighbour of it."""
    assert [found for found in hidden if not hides(kind, text, found)] == []
    assert [found for found in shown if hides(kind, text, found)] == []


WORDS = st.sampled_from(["a", "b", "src", "x.pem", "a.c"])
FOLDERS = st.lists(WORDS, min_size=1, max_size=4).map("/".join)
PATTERNS = st.builds(
    lambda head, words, tail: head + "/".join(words) + tail,
    st.sampled_from(["", "/", "**/"]),
    st.lists(WORDS | st.sampled_from(["*", "*.c", "?", "[ab]", "**"]), min_size=1, max_size=3),
    st.sampled_from(["", "/", "/**"]),
)


@given(st.lists(PATTERNS, max_size=5), FOLDERS)
def test_paths_are_hidden_as_gitignore_has_it(patterns: list[str], path: str) -> None:
    """The patterns without wild cards, which are looked up, and those with them agree with pathspec's."""
    takedowns = Takedowns(parse_takedown(PATH, pattern) for pattern in patterns)
    rule = takedowns.hides_path(path)
    assert (rule is not None) == GitIgnoreSpec.from_lines(patterns).match_file(path)
    assert rule is None or GitIgnoreSpec.from_lines([rule.value]).match_file(path)


def test_a_content_is_hidden_by_its_digest() -> None:
    """The rule for a SWHID hides that content and no other."""
    rule = parse_takedown(SWHID, f"swh:1:cnt:{DIGEST.hex()}")
    takedowns = Takedowns([rule])
    assert takedowns.hides_content(DIGEST) == rule == takedowns.contents[DIGEST]
    assert takedowns.hides_content(DIGEST[::-1]) is None
    assert takedowns.hides_package(package("pkg:pypi/x")) is takedowns.hides_path("x") is None


RULES = st.one_of(
    st.sampled_from(["foo", "gitlab.com/a", "a-b"]).map(lambda text: parse_takedown(OWNER, text)),
    st.sampled_from(["a/b", "gitlab.com/a/b/c"]).map(lambda text: parse_takedown(REPOSITORY, text)),
    st.sampled_from(["pkg:pypi/x", "pkg:npm/%40a/b@1"]).map(lambda text: parse_takedown(PURL, text)),
    PATTERNS.map(lambda text: parse_takedown(PATH, text)),
    st.binary(min_size=20, max_size=20).map(lambda sha1: parse_takedown(SWHID, f"swh:1:cnt:{sha1.hex()}")),
)


@given(st.lists(RULES), st.lists(RULES))
def test_the_json_form_keeps_every_rule_and_no_order(some: list[Takedown], more: list[Takedown]) -> None:
    """Written and read again the rules are the same, and the same rules are written alike; merging loses none."""
    takedowns = Takedowns(some).merged(more)
    assert takedowns.rules == {*some, *more}
    fields = json.loads(json.dumps(takedowns.to_json()))
    assert Takedowns.from_json(fields).rules == takedowns.rules
    assert Takedowns(more).merged(some).to_json() == fields


def test_a_kind_of_rule_from_the_future_is_named() -> None:
    """Rules that this version cannot keep to are not passed over."""
    with pytest.raises(IndexVersionError, match="mood"):
        Takedowns.from_json({"takedowns": {"mood": ["x"]}})


def test_a_list_of_opt_outs_is_read(tmp_path: Path) -> None:
    """Names, repositories, URLs, purls and SWHIDs, bullets and comments, each rule once."""
    path = tmp_path / "opt-outs.txt"
    path.write_text(
        "\ufeff# opted out\r\nalice\n\n - bob/tool\n* https://gitlab.com/group/x.git # since 2024\nAlice\n"
        "https://github.com/Carol\ngit@github.com:dave/d.git\ncodeberg.org/eve\npkg:pypi/x@1\n"
        f"swh:1:cnt:{DIGEST.hex()}\n"
    )
    assert [str(rule) for rule in read_opt_outs(path)] == [
        "owner github.com/alice",
        "repository github.com/bob/tool",
        "repository gitlab.com/group/x",
        "owner github.com/carol",
        "repository github.com/dave/d",
        "owner codeberg.org/eve",
        "purl pkg:pypi/x@1",
        f"swhid swh:1:cnt:{DIGEST.hex()}",
    ]


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (b"alice\n\ntwo words\n", "line 3: 'two words' is no opt-out"),
        (b"- all\n", "line 1: 'all' says not whose"),
        (b"a/b/c\n", "line 1: 'a/b/c' is no opt-out"),
        (b"alice\npkg:x\n", "line 2: 'pkg:x' is no purl"),
        (b"example.org\n", "line 1: 'example.org' is no opt-out"),
        (b"al\xffice", "byte 2: is not UTF-8"),
        (None, "cannot be read"),
    ],
)
def test_a_bad_list_of_opt_outs_is_named_with_the_place(tmp_path: Path, content: bytes | None, why: str) -> None:
    """The error names the file, and the line or byte."""
    path = tmp_path / "opt-outs.txt"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(ConfigError, match=re.escape(str(path))) as caught:
        read_opt_outs(path)
    assert why in str(caught.value)


@given(st.text(max_size=30), st.text(max_size=30))
def test_no_name_of_a_package_fails(purl: str, repository: str) -> None:
    """Whatever metadata calls a package, asking whether it is hidden gives an answer."""
    takedowns = Takedowns([parse_takedown(OWNER, "foo"), parse_takedown(PURL, "pkg:pypi/foo")])
    for found in (package(purl, repository), package("pkg:golang/" + purl, "https://" + repository, purl)):
        assert takedowns.hides_package(found) is None


def test_a_hundred_thousand_rules_cost_no_more_than_one() -> None:
    """Packages, paths and contents are looked up, not compared with each rule."""
    rules = [parse_takedown(OWNER, f"owner{number}") for number in range(40_000)]
    rules += [parse_takedown(PATH, f"secrets/{number}.txt") for number in range(20_000)]
    rules += [parse_takedown(SWHID, f"swh:1:cnt:{number:040x}") for number in range(40_000)]
    takedowns = Takedowns(rules)
    began = time.monotonic()
    for number in range(2000):
        assert takedowns.hides_package(package(None, f"https://github.com/owner{number}/x"))
        assert takedowns.hides_path(f"secrets/{number}.txt/x")
        assert not takedowns.hides_path(f"x/secrets/{number}.txt")
        assert not takedowns.hides_content(number.to_bytes(20, "little") if number % 256 else b"\1" * 20)
        assert rules[-1] in takedowns.rules
    assert time.monotonic() - began < 2
