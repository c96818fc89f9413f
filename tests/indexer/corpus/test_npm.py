"""An npm package says who it is in its own `package.json`."""

from __future__ import annotations

import json
from typing import Any

import pytest

from codecite.indexer.corpus.describe import Described, describe
from codecite.indexer.licenses.effective import effective


def described(manifest: dict[str, Any], folder: str = "package/", **others: str) -> Described | None:
    """What a tarball with this manifest says."""
    files = {f"{folder}package.json": json.dumps(manifest).encode(), f"{folder}index.js": b""}
    files |= {name: text.encode() for name, text in others.items()}
    return describe("x-1.0.0.tgz", list(files), files.__getitem__)


def test_name_repository_revision_and_license_come_from_the_manifest() -> None:
    """The manifest of a scoped package, with all that npm writes into it."""
    found = described(
        {
            "name": "@babel/core",
            "version": "7.26.0",
            "license": "MIT",
            "repository": {
                "type": "git",
                "url": "git+https://github.com/babel/babel.git",
                "directory": "packages/core",
            },
            "gitHead": "0f9a3d1a2b3c4d5e6f708192a3b4c5d6e7f80912",
        }
    )
    assert found is not None
    assert found.purl == "pkg:npm/%40babel/core@7.26.0"
    assert found.repository == "https://github.com/babel/babel"
    assert found.revision == "0f9a3d1a2b3c4d5e6f708192a3b4c5d6e7f80912"
    assert [(item.expression, item.where, item.text) for item in found.evidence] == [
        ("MIT", "package.json license", "MIT")
    ]


@pytest.mark.parametrize(
    ("repository", "url"),
    [
        ("github:a/b", "https://github.com/a/b"),
        ("a/b", "https://github.com/a/b"),
        ("a/b#branch", "https://github.com/a/b"),
        ("gitlab:a/b", "https://gitlab.com/a/b"),
        ("bitbucket:a/b", "https://bitbucket.org/a/b"),
        ("git://github.com/a/b.git", "https://github.com/a/b"),
        ({"url": "a/b"}, "https://github.com/a/b"),
        ({"url": ["a/b"]}, "https://github.com/home/page"),
        ("gist:11081aaa281", "https://github.com/home/page"),
        (7, "https://github.com/home/page"),
        (None, "https://github.com/home/page"),
    ],
)
def test_repositories_may_be_written_short(repository: object, url: str) -> None:
    """npm's shorthands are spelt out; without one a home page on a forge is the repository."""
    manifest = {
        "name": "x",
        "version": "1",
        "repository": repository,
        "homepage": "https://github.com/home/page#readme",
    }
    found = described(manifest)
    assert found is not None
    assert found.repository == url


def test_the_folder_of_a_tarball_may_have_any_name() -> None:
    """Some packages are not packed into `package/`."""
    found = described({"name": "@types/node", "version": "22.0.0", "license": "MIT"}, "node/")
    assert found is not None
    assert found.purl == "pkg:npm/%40types/node@22.0.0"


def test_a_manifest_further_down_is_not_the_packages_own() -> None:
    """What is carried along in `node_modules` or as a test fixture describes itself."""
    inner = json.dumps({"name": "inner", "version": "1.0.0", "license": "GPL-3.0-only"})
    assert described({"name": "x"}, "package/", **{"package/node_modules/inner/package.json": inner}) is None
    files = {"docs/a.md": b"", "web/package.json": inner.encode()}
    assert describe("x.zip", list(files), files.__getitem__) is None


@pytest.mark.parametrize("manifest", [{"name": "x"}, {"version": "1"}, {"name": ["x"], "version": {}}, {}])
def test_what_is_not_published_has_no_name(manifest: dict[str, Any]) -> None:
    """Without a name and a version, both texts, a manifest configures a tool."""
    assert described(manifest) is None


def test_a_broken_manifest_is_told_and_says_nothing() -> None:
    """The evidence names the file and what is wrong with it; nothing weaker takes its place."""
    files = {"package/package.json": b'{"name": "x",', "package/Cargo.toml": b'[package]\nname = "y"\nversion = "1"\n'}
    found = describe("x.tgz", list(files), files.__getitem__)
    assert found is not None
    assert found.purl is None
    assert effective(found.evidence) == "NOASSERTION"
    assert found.evidence[0].where == "package/package.json"
    assert found.evidence[0].text.startswith("cannot be read: Expecting property name")


def test_a_revision_is_a_whole_hash() -> None:
    """Anything else names no commit."""
    for head in ("main", "0f9a3d1", 5, None):
        found = described({"name": "x", "version": "1", "gitHead": head})
        assert found is not None
        assert found.revision is None
