"""A NuGet package says who it is in its `.nuspec`."""

from __future__ import annotations

from codecite.indexer.corpus.describe import Described, describe
from codecite.indexer.records import EvidenceKind

HASH = "0a2e291c0d9c0c7675d445703e51750363a549ef"


def described(metadata: str, **others: bytes) -> Described | None:
    """What a package with these elements in its `.nuspec` says."""
    nuspec = f'<package xmlns="urn:nuspec"><metadata>{metadata}</metadata></package>'
    files = {"X.nuspec": b"\xef\xbb\xbf" + nuspec.encode(), "lib/net45/X.dll": b"MZ", **others}
    return describe("x.1.0.0.nupkg", list(files), files.__getitem__)


def test_name_repository_revision_and_license_come_from_the_nuspec() -> None:
    """The license is an expression; the URL beside it is a page about that field."""
    found = described(
        '<id>Newtonsoft.Json</id><version>13.0.1</version><license type="expression">MIT</license>'
        "<licenseUrl>https://example.org/about</licenseUrl>"
        f'<repository type="git" url="https://github.com/a/b.git" commit="{HASH}"/>'
    )
    assert found is not None
    assert found.purl == "pkg:nuget/Newtonsoft.Json@13.0.1"
    assert found.repository == "https://github.com/a/b"
    assert found.revision == HASH
    assert [(item.expression, item.where) for item in found.evidence] == [("MIT", "nuspec license")]


def test_old_packages_give_the_url_of_their_license() -> None:
    """And a project page, which on a forge is the repository."""
    found = described(
        "<id>X</id><version>1</version><licenseUrl>http://www.apache.org/licenses/LICENSE-2.0</licenseUrl>"
        "<projectUrl>https://github.com/a/b/wiki</projectUrl>"
    )
    assert found is not None
    assert found.repository == "https://github.com/a/b"
    assert [(item.expression, item.where) for item in found.evidence] == [("Apache-2.0", "nuspec licenseUrl")]


def test_a_license_file_in_the_package_is_kept() -> None:
    """Its text stays evidence; its path is no license name."""
    found = described(
        '<id>X</id><version>1</version><license type="file">legal.txt</license>', **{"legal.txt": b"Terms\n"}
    )
    assert found is not None
    assert [(item.kind, item.where, item.text) for item in found.evidence] == [
        (EvidenceKind.LICENSE_FILE, "legal.txt", "Terms")
    ]


def test_a_nuspec_that_is_not_the_packages_own_says_nothing() -> None:
    """One further down, or several at the top."""
    nuspec = b"<package><metadata><id>X</id><version>1</version></metadata></package>"
    for files in ({"a/X.nuspec": nuspec, "b": b""}, {"X.nuspec": nuspec, "Y.nuspec": nuspec}):
        assert describe("x.zip", list(files), files.__getitem__) is None
