"""From its members it is told which package an archive is, and of which ecosystem."""

from __future__ import annotations

import gzip
import json
import random
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from codecite.indexer.corpus.describe import describe
from codecite.indexer.errors import SourceError
from codecite.indexer.licenses.effective import effective

NPM = json.dumps({"name": "js", "version": "1.0.0", "license": "MIT"}).encode()
CARGO = b'[package]\nname = "rs"\nversion = "1.0.0"\nlicense = "MIT"\n'
PYTHON = b'[project]\nname = "py"\nversion = "1.0.0"\nlicense = "MIT"\n'
CORE = b"Metadata-Version: 2.4\nName: py\nVersion: 1.0.0\nLicense: MIT\nProject-URL: Source, https://github.com/a/b\n"
POM = b"<project><groupId>g</groupId><artifactId>j</artifactId><version>1.0.0</version></project>"
NUSPEC = b"<package><metadata><id>Net</id><version>1.0.0</version></metadata></package>"
GEM = b"--- !ruby/object:Gem::X\nname: rb\nversion: !ruby/object:Gem::Version\n  version: 1.0.0\nlicenses:\n- MIT\n"

ARCHIVES: dict[str, tuple[str, dict[str, bytes]]] = {
    "pkg:npm/js@1.0.0": ("js.tgz", {"package/package.json": NPM, "package/Cargo.toml": CARGO}),
    "pkg:cargo/rs@1.0.0": (
        "rs.crate",
        {"rs-1.0.0/Cargo.toml": CARGO, "rs-1.0.0/pyproject.toml": PYTHON, "rs-1.0.0/package.json": NPM},
    ),
    "pkg:pypi/py@1.0.0": (
        "py.tar.gz",
        {"py/PKG-INFO": CORE, "py/Cargo.toml": CARGO, "py/package.json": NPM, "py/pyproject.toml": b"["},
    ),
    "pkg:maven/g/j@1.0.0": ("j-1.0.0.jar", {"META-INF/maven/g/j/pom.xml": POM, "package.json": NPM}),
    "pkg:nuget/Net@1.0.0": ("net.nupkg", {"Net.nuspec": NUSPEC, "package.json": NPM, "Cargo.toml": CARGO}),
    "pkg:gem/rb@1.0.0": ("rb.gem", {"metadata.gz": gzip.compress(GEM), "data.tar.gz": b""}),
    "pkg:golang/github.com/Azure/x/v2@v2.0.0%2Bincompatible": (
        "v2.0.0.zip",
        {
            "github.com/Azure/x/v2@v2.0.0+incompatible/go.mod": b"",
            "github.com/Azure/x/v2@v2.0.0+incompatible/package.json": NPM,
        },
    ),
}


@pytest.mark.parametrize("purl", ARCHIVES)
def test_what_a_registrys_tools_wrote_tells_what_an_archive_is(purl: str) -> None:
    """Files of other ecosystems at the top do not change it."""
    name, files = ARCHIVES[purl]
    found = describe(name, list(files), files.__getitem__)
    assert found is not None
    assert found.purl == purl
    assert describe(name, list(files)[::-1], files.__getitem__) == found


def test_an_archive_of_sources_is_what_people_wrote_at_its_top() -> None:
    """A download from a forge: the first of the manifests that names a package."""
    files = {"x-main/package.json": b'{"private": true}', "x-main/Cargo.toml": CARGO, "x-main/src/a.rs": b""}
    found = describe("x-main.zip", list(files), files.__getitem__)
    assert found is not None
    assert found.purl == "pkg:cargo/rs@1.0.0"


@pytest.mark.parametrize(
    "files",
    [
        {},
        {"a.txt": b""},
        {"x/vendor/package.json": NPM, "x/vendor/Cargo.toml": CARGO, "x/a": b""},
        {"a/PKG-INFO": CORE, "b/PKG-INFO": CORE},
        {"META-INF/maven/g/j/pom.xml": POM, "META-INF/MANIFEST.MF": b""},
        {"github.com/a/b@v1.0.0/go.mod": b"", "github.com/a/c@v1.0.0/go.mod": b""},
        {"x@y/a": b""},
    ],
)
def test_where_nothing_tells_nothing_is_made_up(files: dict[str, bytes]) -> None:
    """Metadata below the top describe something else; a pom alone makes no jar."""
    assert describe("x.zip", list(files), files.__getitem__) is None


def test_an_archive_need_not_have_a_folder_around_all() -> None:
    """Then what lies at its top is its own."""
    files = {"package.json": NPM, "x/package.json": b"{", "x/y": b""}
    found = describe("x.zip", list(files), files.__getitem__)
    assert found is not None
    assert found.purl == "pkg:npm/js@1.0.0"


def test_the_repository_of_a_go_module_is_in_its_name() -> None:
    """Where the name begins with a forge."""
    for module, url in (
        ("github.com/a/b/v2", "https://github.com/a/b"),
        ("golang.org/x/text", None),
        ("gopkg.in/yaml.v3", None),
    ):
        found = describe("v2.zip", [f"{module}@v2.0.0/go.mod"], lambda path: b"")
        assert found is not None
        assert (found.repository, found.evidence) == (url, ())


def test_a_damaged_member_is_the_archives_error() -> None:
    """What reading raises is passed on."""

    def read(path: str) -> bytes:
        raise SourceError(f"x.tgz: member {path} is damaged")

    with pytest.raises(SourceError, match="package/package"):
        describe("x.tgz", ["package/package.json"], read)


def test_no_damage_to_metadata_is_an_error(tmp_path: Path) -> None:
    """Three hundred times some bytes are changed, cut or repeated: the package is told, or what is wrong with it."""
    chance = random.Random(5)
    unread = 0
    for _ in range(300):
        name, files = ARCHIVES[chance.choice(list(ARCHIVES))]
        harmed = {path: _harmed(content, chance) for path, content in files.items()}
        found = describe(name, list(harmed), harmed.__getitem__, beside=tmp_path)
        if found is None:
            continue
        assert found.purl is None or found.purl.startswith("pkg:")
        assert effective(found.evidence)
        for text in (found.purl, found.repository, found.revision, *(item.text for item in found.evidence)):
            (text or "").encode()
        unread += any(item.text.startswith("cannot be read") for item in found.evidence)
    assert unread > 30


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["type", "url", "name", "a"]), inner),
    max_leaves=6,
)
FIELDS = ("name", "version", "license", "licenses", "repository", "homepage", "gitHead", "metadata", "date", "package")


@given(st.dictionaries(st.sampled_from(FIELDS), VALUES))
def test_fields_of_any_type_are_no_error(document: dict[str, object]) -> None:
    """A manifest holds what its author liked; JSON is YAML too, and so the same tries gems."""
    text = json.dumps(document).encode()
    for name, files in (("x.tgz", {"package/package.json": text}), ("x.gem", {"metadata.gz": gzip.compress(text)})):
        found = describe(name, list(files), files.__getitem__)
        assert found is None or found.purl is None or found.purl.startswith("pkg:")


def _harmed(content: bytes, chance: random.Random) -> bytes:
    """The content with some bytes changed, cut off, or put in again."""
    harmed = bytearray(content)
    for _ in range(chance.randint(0, 4) if harmed else 0):
        place = chance.randrange(len(harmed))
        match chance.randrange(3):
            case 0:
                harmed[place] = chance.randrange(256)
            case 1:
                del harmed[place : place + chance.randint(1, 20)]
            case _:
                harmed[place:place] = harmed[: chance.randint(1, 200)]
        if not harmed:
            break
    return bytes(harmed)
