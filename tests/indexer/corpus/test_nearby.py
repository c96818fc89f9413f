"""The licence files near a file are those of the nearest folder upwards that has any."""

from __future__ import annotations

import pytest

from codecite.indexer.corpus.nearby import MAX_FILES, Nearby, is_license_file
from codecite.indexer.records import EvidenceKind, LicenseEvidence


@pytest.mark.parametrize(
    "path",
    [
        "LICENSE",
        "license.txt",
        "LICENCE.md",
        "LICENSE-MIT",
        "LICENSE.APACHE2",
        "LICENSE_1_0.txt",
        "COPYING",
        "COPYING.LESSER",
        "COPYING3",
        "COPYING.LIB",
        "COPYRIGHT",
        "Copyright.rst",
        "NOTICE",
        "NOTICE.txt",
        "NOTICES",
        "UNLICENSE",
        "MIT-LICENSE",
        "a/b/LICENSES.txt",
        "LICENSES/GPL-2.0-only.txt",
        "sub/LICENSES/MIT.txt",
        "LICENSE-2.0",
        "LICENSE.BSD-3-Clause",
        "License",
        "debian/copyright",
    ],
)
def test_licence_and_notice_files_are_known_by_their_names(path: str) -> None:
    """With every suffix that people give them."""
    assert is_license_file(path)


@pytest.mark.parametrize(
    "path",
    [
        "license.py",
        "licenses.go",
        "copyright.c",
        "notice.js",
        "LICENSE.html",
        "license-checker.ts",
        "licensed.txt",
        "relicense.md",
        "LICENSES/README.c",
        "noticeboard",
        "copyingtest.txt",
        "src/main.c",
        "LICENSES/sub/x.c",
        "license.json",
        "copyright.service.ts",
    ],
)
def test_what_is_only_named_after_them_is_no_licence_file(path: str) -> None:
    """A module about licences says nothing of its own."""
    assert not is_license_file(path)


def where(near: Nearby, path: str) -> list[str]:
    """The paths of the evidence near a path."""
    return [item.where for item in near.of(path).evidence]


def test_the_nearest_folder_that_has_any_counts() -> None:
    """Not those further up, nor beside it; a `LICENSES` folder belongs to the folder it is in."""
    near = Nearby(
        {
            "LICENSE": b"top\n",
            "NOTICE": b"notice\n",
            "vendor/x/COPYING": b"x\n",
            "vendor/y/LICENSES/MIT.txt": b"MIT\n",
            "vendor/y/x.py": b"no licence file\n",
        }
    )
    assert where(near, "a.py") == where(near, "src/deep/er/a.py") == where(near, "vendor/z.c") == ["LICENSE", "NOTICE"]
    assert where(near, "vendor/x/src/a.c") == ["vendor/x/COPYING"]
    assert where(near, "vendor/y/a.c") == ["vendor/y/LICENSES/MIT.txt"]


def test_where_no_folder_has_any_there_is_what_is_around() -> None:
    """Nothing, or what is near the archive that the files are in."""
    outer = (LicenseEvidence(EvidenceKind.LICENSE_FILE, None, "LICENSE", "top"),)
    assert Nearby({"sub/LICENSE": b"x"}).of("a/b.py").evidence == ()
    assert Nearby({"sub/LICENSE": b"x"}, outer).of("a/b.py").evidence == outer
    assert where(Nearby({"sub/LICENSE": b"x"}, outer), "sub/b.py") == ["sub/LICENSE"]
    assert where(Nearby({"LICENSE.md": b"x"}, outer), "b.py") == ["LICENSE.md"]


def test_the_first_line_is_kept() -> None:
    """Not the empty ones before it, and no more than 200 characters, whatever the bytes."""
    texts = {
        "LICENSE": b"\n \n   The MIT License   \nrest",
        "COPYING": b"x" * 5000,
        "NOTICE": b"caf\xe9",
        "UNLICENSE": b"",
    }
    found = {item.where: item for item in Nearby(texts).of("a.py").evidence}
    assert {path: item.text for path, item in found.items()} == {
        "COPYING": "x" * 200,
        "LICENSE": "The MIT License",
        "NOTICE": "caf\ufffd",
        "UNLICENSE": "",
    }
    assert {item.kind for item in found.values()} == {EvidenceKind.LICENSE_FILE}
    assert {path for path, item in found.items() if item.expression} == {"LICENSE"}


def test_no_more_than_some_files_are_kept() -> None:
    """The first by their paths."""
    assert (
        where(Nearby({f"LICENSE-{number}": b"x" for number in range(20)}), "a")
        == sorted(f"LICENSE-{number}" for number in range(20))[:MAX_FILES]
    )


def test_a_path_may_go_through_any_number_of_folders() -> None:
    """More than Python would call functions in each other."""
    near = Nearby({"a/LICENSE": b"MIT"})
    assert where(near, "a/" * 3000 + "x.py") == ["a/LICENSE"]
    assert where(near, "b/" * 3000 + "x.py") == []
