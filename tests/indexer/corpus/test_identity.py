"""Packages and repositories have one name each, however metadata spell it."""

from __future__ import annotations

import pytest

from codecite.indexer.corpus.identity import MAX_NAME, purl, repository_url


@pytest.mark.parametrize(
    ("kind", "namespace", "name", "version", "expected"),
    [
        ("pypi", "", "Some_Thing", "1.0+local", "pkg:pypi/some-thing@1.0%2Blocal"),
        ("pypi", "", "zope.interface", "1!2.0", "pkg:pypi/zope.interface@1%212.0"),
        ("pypi", "", "x", "", "pkg:pypi/x"),
        ("npm", "@babel", "core", "7.0.0-rc.1", "pkg:npm/%40babel/core@7.0.0-rc.1"),
        ("npm", "", "JSONStream", "1.3.5", "pkg:npm/JSONStream@1.3.5"),
        ("maven", "org.apache.commons", "commons-lang3", "3.17.0", "pkg:maven/org.apache.commons/commons-lang3@3.17.0"),
        ("cargo", "", "zstd-sys", "2.0.13+zstd.1.5.6", "pkg:cargo/zstd-sys@2.0.13%2Bzstd.1.5.6"),
        ("gem", "", "RedCloth", "4.3.4", "pkg:gem/RedCloth@4.3.4"),
        ("nuget", "", "Newtonsoft.Json", "13.0.1", "pkg:nuget/Newtonsoft.Json@13.0.1"),
        (
            "golang",
            "github.com/Azure",
            "go-autorest",
            "v14.2.0+incompatible",
            "pkg:golang/github.com/Azure/go-autorest@v14.2.0%2Bincompatible",
        ),
        ("deb", "debian", "hello", "1:2.10-3~x", "pkg:deb/debian/hello@1:2.10-3~x"),
        ("github", "Pallets", "Flask", "abc", "pkg:github/pallets/flask@abc"),
        ("npm", "", "a b/\u00fc", "1 2", "pkg:npm/a%20b%2F%C3%BC@1%202"),
    ],
)
def test_purls_are_written_as_the_specification_says(
    kind: str, namespace: str, name: str, version: str, expected: str
) -> None:
    """Case and dashes follow the rules of the type, and what is not plain is escaped."""
    assert purl(kind, name, version, namespace) == expected


def test_what_is_no_name_makes_no_purl() -> None:
    """An empty name, or one that no registry would take."""
    assert purl("npm", "", "1.0") is None
    assert purl("npm", "x" * (MAX_NAME + 1), "1.0") is None
    assert purl("npm", "x", "1" * (MAX_NAME + 1)) is None


@pytest.mark.parametrize(
    ("text", "url"),
    [
        ("https://github.com/pallets/flask/", "https://github.com/pallets/flask"),
        ("http://www.github.com/a/b.git", "https://github.com/a/b"),
        ("git+https://user:secret@github.com/a/b.git#readme", "https://github.com/a/b"),
        ("git+ssh://git@github.com/a/b.git", "https://github.com/a/b"),
        ("git@github.com:a/b.git", "https://github.com/a/b"),
        ("ssh://git@github.com:a/b.git", "https://github.com/a/b"),
        ("git://github.com/a/b.git#v1", "https://github.com/a/b"),
        ("scm:git:git@github.com:a/b.git", "https://github.com/a/b"),
        ("SCM:git:https://github.com/a/b/tree/main/sub", "https://github.com/a/b"),
        ("https://gitlab.com/a/b/c/-/tree/main", "https://gitlab.com/a/b/c"),
        ("scm:svn:http://svn.example.org/repos/x", "http://svn.example.org/repos/x"),
        ("ssh://git@git.example.org:2222/a/b", "ssh://git.example.org:2222/a/b"),
        ("git@git.example.org:a/b", "ssh://git.example.org/a/b"),
        ("https://user:secret@git.example.org/x?h=main", "https://git.example.org/x"),
        ("https://github.com/onlyowner", None),
        ("owner/name", None),
        ("http://[::1", None),
        ("javascript:alert(1)", None),
        ("file:///etc/passwd", None),
        ("https://git.example.org/" + "x" * 1000, None),
        ("", None),
    ],
)
def test_every_spelling_of_a_repository_becomes_one(text: str, url: str | None) -> None:
    """Branches, folders, credentials and suffixes go; on forges the scheme is always https."""
    assert repository_url(text) == url


def test_a_home_page_is_a_repository_only_on_a_forge() -> None:
    """Anywhere else it is a page about the project."""
    assert repository_url("https://example.org/project", forges_only=True) is None
    assert repository_url("https://codeberg.org/a/b", forges_only=True) == "https://codeberg.org/a/b"
