"""A Python package says who it is in its core metadata, and names its repository under many labels."""

from __future__ import annotations

import email
import importlib.metadata

import pytest

from codecite.indexer.corpus.describe import Described, describe
from codecite.indexer.corpus.python import repository
from codecite.indexer.licenses.effective import effective
from codecite.indexer.records import EvidenceKind

METADATA = "Metadata-Version: 2.4\nName: Some_Thing\nVersion: 1.0+local\nLicense-Expression: mit\n"


def described(files: dict[str, str], name: str = "x.whl") -> Described | None:
    """What an archive with these files says."""
    content = {path: text.encode() for path, text in files.items()}
    return describe(name, list(content), content.__getitem__)


def license_files(found: Described | None) -> list[tuple[str, str]]:
    """The license files that are evidence: path and first line."""
    assert found is not None
    return [(item.where, item.text) for item in found.evidence if item.kind is EvidenceKind.LICENSE_FILE]


@pytest.mark.parametrize(
    ("lines", "url"),
    [
        (["Project-URL: Source, https://github.com/pallets/flask/"], "https://github.com/pallets/flask"),
        (["Project-URL: repository, https://github.com/a/b.git"], "https://github.com/a/b"),
        (["Project-URL: Source Code, https://github.com/a/b/tree/main/sub"], "https://github.com/a/b"),
        (["Project-URL: Code, https://gitlab.com/a/b/c/-/tree/main"], "https://gitlab.com/a/b/c"),
        (["Project-URL: GitHub, git+https://user:secret@www.github.com/a/b"], "https://github.com/a/b"),
        (["Project-URL: Source, https://git.example.org/project?h=main"], "https://git.example.org/project"),
        (["Project-URL: Homepage, https://x.example.org", "Home-page: https://codeberg.org/a/b"], None),
        (["Home-page: https://codeberg.org/a/b/"], "https://codeberg.org/a/b"),
        (
            ["Project-URL: Source, https://github.com/onlyowner", "Home-page: https://github.com/a/b"],
            "https://github.com/a/b",
        ),
        (
            ["Project-URL: Homepage, https://github.com/a/b", "Project-URL: Source, https://github.com/c/d"],
            "https://github.com/c/d",
        ),
        (["Project-URL: Documentation, https://github.com/a/b"], None),
        (["Home-page: https://www.example.org/project"], None),
        (["Project-URL: Source, not a url", "Home-page: http://[::1"], None),
        (["Project-URL: Source"], None),
        ([], None),
    ],
)
def test_the_repository_is_found_and_trimmed(lines: list[str], url: str | None) -> None:
    """Branches, folders, credentials and suffixes go; a home page counts only where repositories live."""
    assert repository(email.message_from_string("\n".join(["Name: x", *lines, ""]))) == url


@pytest.mark.parametrize(("name", "license"), [("click", "BSD-3-Clause"), ("pytest", "MIT"), ("hypothesis", "MPL-2.0")])
def test_a_real_wheel_says_who_it_is(name: str, license: str) -> None:
    """purl, repository, license with its file, read from what is installed."""
    distribution = importlib.metadata.distribution(name)
    paths = {file.as_posix(): file for file in distribution.files or () if ".." not in file.parts}
    found = describe(f"{name}.whl", list(paths), lambda path: paths[path].read_binary())
    assert found is not None
    assert found.purl == f"pkg:pypi/{name}@{distribution.version}"
    assert found.repository is not None
    assert found.repository.startswith("https://github.com/")
    assert effective(found.evidence) == license
    assert license_files(found)


def test_license_files_are_found_where_metadata_or_their_names_say() -> None:
    """Metadata 2.4 puts them into `licenses/`, older tools beside METADATA, still older ones name none."""
    info = "some_thing-1.0+local.dist-info"
    named = METADATA + "License-File: LICENSE\nLicense-File: sub/COPYING\nLicense-File: gone\n"
    files = {
        f"{info}/METADATA": named,
        f"{info}/licenses/LICENSE": "\n\n  The MIT License  \nrest",
        f"{info}/COPYING": "A text",
        f"{info}/NOTICE": "not named",
        "vendored/LICENSE": "Another",
    }
    assert license_files(described(files)) == [
        (f"{info}/COPYING", "A text"),
        (f"{info}/licenses/LICENSE", "The MIT License"),
    ]
    unnamed = license_files(described({**files, f"{info}/METADATA": METADATA}))
    assert [where for where, _ in unnamed] == [f"{info}/COPYING", f"{info}/NOTICE", f"{info}/licenses/LICENSE"]


@pytest.mark.parametrize("place", ["some_thing-1.0/PKG-INFO", "EGG-INFO/PKG-INFO", "PKG-INFO"])
def test_sdists_and_eggs_are_described_by_pkg_info(place: str) -> None:
    """At the top, even if the package is built by tools of other ecosystems."""
    folder = place.rpartition("PKG-INFO")[0]
    files = {
        place: METADATA,
        f"{folder}Cargo.toml": "[package",
        f"{folder}pyproject.toml": "[project",
        f"{folder}a": "",
    }
    found = described(files)
    assert found is not None
    assert (found.purl, effective(found.evidence)) == ("pkg:pypi/some-thing@1.0%2Blocal", "MIT")


def test_the_license_files_of_an_sdist_are_those_that_it_names() -> None:
    """Others lie near the files they are for."""
    files = {"x-1/PKG-INFO": METADATA + "License-File: LICENSE\n", "x-1/LICENSE": "A", "x-1/vendored/LICENSE": "B"}
    assert license_files(described(files, "x-1.tar.gz")) == [("x-1/LICENSE", "A")]


def test_metadata_further_down_is_not_the_archives_own() -> None:
    """A folder of installed packages is no wheel, and neither is one with two of them."""
    assert described({"site/x-1.dist-info/METADATA": METADATA, "a": ""}) is None
    assert described({"x-1.dist-info/METADATA": METADATA, "y-1.dist-info/METADATA": METADATA}) is None
    assert described({"x-1/src/x.egg-info/PKG-INFO": METADATA, "x-1/a": ""}) is None
    assert described({"x-1/PKG-INFO": "no field\n", "x-1/a": ""}) is None


def test_a_tree_of_sources_is_described_by_its_project() -> None:
    """`[project]` of a `pyproject.toml`, where there is no PKG-INFO."""
    project = """
        [project]
        name = "Some_Thing"
        version = "1.0"
        license = { file = "terms.rst" }
        classifiers = ["License :: OSI Approved :: ISC License (ISCL)", "Topic :: Other"]
        urls = { "Source Code" = "https://github.com/a/b/tree/main", Homepage = "https://example.org" }
    """
    found = described({"x-main/pyproject.toml": project, "x-main/terms.rst": "Terms", "x-main/package.json": "{"})
    assert found is not None
    assert (found.purl, found.repository) == ("pkg:pypi/some-thing@1.0", "https://github.com/a/b")
    assert license_files(found) == [("x-main/terms.rst", "Terms")]
    assert effective(found.evidence) == "ISC"


def test_a_project_may_say_little() -> None:
    """A version that is made when building is left out; a file that configures tools only names no package."""
    found = described({"x/pyproject.toml": '[project]\nname = "x"\ndynamic = ["version"]\nurls = 1\n', "x/a": ""})
    assert found is not None
    assert (found.purl, found.repository, found.evidence) == ("pkg:pypi/x", None, ())
    assert described({"x/pyproject.toml": "[tool.ruff]\n", "x/a": ""}) is None
