"""A wheel becomes a Unit with what its metadata declares."""

from __future__ import annotations

import importlib.metadata
import os
import random
import stat
import sysconfig
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from codecite.indexer.config import IndexConfig
from codecite.indexer.corpus.python import purl
from codecite.indexer.corpus.wheel import wheel
from codecite.indexer.errors import SourceError
from codecite.indexer.licenses.effective import effective
from codecite.indexer.records import EvidenceKind, Skipped, SkipReason, SourceFile

METADATA = "Metadata-Version: 2.4\nName: Some_Thing\nVersion: 1.0+local\nLicense-Expression: mit\n"


def write(path: Path, members: dict[str, bytes], method: int = zipfile.ZIP_DEFLATED) -> str:
    """A wheel with these members; its path."""
    with zipfile.ZipFile(path, "w", method) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return os.fspath(path)


def test_every_member_of_a_real_wheel_is_read_or_skipped(wheels: dict[str, Path], config: IndexConfig) -> None:
    """Files appear under their paths in the archive, byte for byte."""
    for path in wheels.values():
        unit = wheel(os.fspath(path), config)
        found = {item.path: item for item in unit.files()}
        with zipfile.ZipFile(path) as archive:
            assert list(found) == [name for name in archive.namelist() if not name.endswith("/")]
            for name, item in found.items():
                if isinstance(item, SourceFile):
                    assert item.content == archive.read(name)
            assert unit.size == sum(member.file_size for member in archive.infolist())
        assert any(name.endswith(".py") for name, item in found.items() if isinstance(item, SourceFile))


def test_a_real_wheel_says_who_it_is(wheels: dict[str, Path], config: IndexConfig) -> None:
    """purl, repository, license with its file, place and fingerprint come from the metadata."""
    package = wheel(os.fspath(wheels["click"]), config).package
    assert package.purl == f"pkg:pypi/click@{importlib.metadata.version('click')}"
    assert package.repository == "https://github.com/pallets/click"
    assert effective(package.evidence) == "BSD-3-Clause"
    files = [item for item in package.evidence if item.kind is EvidenceKind.LICENSE_FILE]
    assert [item.expression for item in files] == [None]
    assert files[0].where.endswith("LICENSE.txt")
    assert files[0].text == "Copyright 2014 Pallets"
    assert package.url == wheels["click"].as_uri()
    assert package.source == os.fspath(wheels["click"])
    assert package.released is None


def test_bundled_wheels_of_python_are_read(require: Callable[..., None], config: IndexConfig) -> None:
    """The wheels that Python carries for `ensurepip` are wheels as their makers built them."""
    require("ensurepip")
    folder = Path(sysconfig.get_paths()["stdlib"]) / "ensurepip" / "_bundled"
    for path in folder.glob("*.whl"):
        unit = wheel(os.fspath(path), config)
        assert effective(unit.package.evidence) == "MIT"
        assert sum(isinstance(item, SourceFile) for item in unit.files()) > 50


def test_the_fingerprint_follows_name_version_and_record(tmp_path: Path, config: IndexConfig) -> None:
    """The same content in another file is the same package; another RECORD is another."""
    info = "some_thing-1.0+local.dist-info"

    def fingerprint(file: str, record: bytes | None) -> str | None:
        members = {f"{info}/METADATA": METADATA.encode(), "x.py": b"x = 1\n"}
        if record is not None:
            members[f"{info}/RECORD"] = record
        return wheel(write(tmp_path / file, members), config).package.fingerprint

    first = fingerprint("a.whl", b"x.py,,6\n")
    assert first is not None
    assert fingerprint("b.whl", b"x.py,,6\n") == first
    assert fingerprint("c.whl", b"x.py,,7\n") != first
    assert fingerprint("d.whl", None) is None


def test_license_files_are_found_where_metadata_or_their_names_say(tmp_path: Path, config: IndexConfig) -> None:
    """Metadata 2.4 puts them into `licenses/`, older tools beside METADATA, still older ones name none."""
    info = "some_thing-1.0+local.dist-info"
    members = {
        f"{info}/METADATA": (
            METADATA + "License-File: LICENSE\nLicense-File: sub/COPYING\nLicense-File: gone\n"
        ).encode(),
        f"{info}/licenses/LICENSE": b"\n\n  The MIT License  \nrest",
        f"{info}/COPYING": b"A text",
        f"{info}/NOTICE": b"not named",
    }
    unnamed = {**members, f"{info}/METADATA": METADATA.encode()}

    def found(name: str, content: dict[str, bytes]) -> list[tuple[str, str]]:
        evidence = wheel(write(tmp_path / name, content), config).package.evidence
        return [(item.where, item.text) for item in evidence if item.kind is EvidenceKind.LICENSE_FILE]

    assert found("named.whl", members) == [
        (f"{info}/licenses/LICENSE", "The MIT License"),
        (f"{info}/COPYING", "A text"),
    ]
    assert [where for where, _ in found("unnamed.whl", unnamed)] == [
        f"{info}/COPYING",
        f"{info}/NOTICE",
        f"{info}/licenses/LICENSE",
    ]


def test_members_that_cannot_be_indexed_are_skipped(tmp_path: Path) -> None:
    """Folders are no files; links, ways out of the archive, large, empty and binary members have their reasons."""
    link = zipfile.ZipInfo("link.py")
    link.external_attr = (stat.S_IFLNK | 0o777) << 16
    path = write(
        tmp_path / "some_thing-1.0-py3-none-any.whl",
        {
            "some_thing-1.0.dist-info/METADATA": METADATA.encode(),
            "../out.py": b"x = 1\n",
            "/root.py": b"x = 1\n",
            "large.py": b"x" * 20_001,
            "empty.py": b"",
            "binary.so": b"\x7fELF\0",
            "wide.py": "\ufeffx = 1".encode("utf-16-le"),
        },
    )
    with zipfile.ZipFile(path, "a") as archive:
        archive.mkdir("folder")
        archive.writestr(link, "large.py")
    unit = wheel(path, IndexConfig(max_file_bytes=20_000))
    found = {item.path: item.reason if isinstance(item, Skipped) else item.content for item in unit.files()}
    assert found == {
        "some_thing-1.0.dist-info/METADATA": METADATA.encode(),
        "../out.py": SkipReason.BAD_PATH,
        "/root.py": SkipReason.BAD_PATH,
        "large.py": SkipReason.TOO_LARGE,
        "empty.py": SkipReason.EMPTY,
        "binary.so": SkipReason.BINARY,
        "wide.py": b"x = 1",
        "link.py": SkipReason.NOT_A_FILE,
    }


def test_an_encrypted_member_is_skipped(tmp_path: Path, config: IndexConfig) -> None:
    """The flag that says so stands in the member's two headers."""
    members = {"some_thing-1.0.dist-info/METADATA": METADATA.encode(), "x.py": b"x = 1\n"}
    path = Path(write(tmp_path / "x.whl", members, zipfile.ZIP_STORED))
    content = bytearray(path.read_bytes())
    content[content.rindex(b"PK\x03\x04") + 6] |= 1
    content[content.rindex(b"PK\x01\x02") + 8] |= 1
    path.write_bytes(content)
    assert Skipped("x.py", SkipReason.ENCRYPTED) in list(wheel(os.fspath(path), config).files())


@pytest.mark.parametrize("kept", [0, 10, 1000, -1])
def test_a_truncated_wheel_is_refused_when_it_is_opened(
    wheels: dict[str, Path], tmp_path: Path, config: IndexConfig, kept: int
) -> None:
    """The message names the wheel and what mends it."""
    path = tmp_path / "truncated.whl"
    path.write_bytes(wheels["click"].read_bytes()[:kept])
    with pytest.raises(SourceError, match=r"truncated\.whl: not a complete wheel .*download or build it again"):
        wheel(os.fspath(path), config)


def test_a_zip_without_metadata_is_no_wheel(tmp_path: Path, config: IndexConfig) -> None:
    """An archive that was merely renamed has nothing to attribute its files to."""
    with pytest.raises(SourceError, match=r"x\.whl: not a wheel: no folder"):
        wheel(write(tmp_path / "x.whl", {"x.py": b"x = 1\n"}), config)


def test_a_damaged_member_stops_the_reading_by_its_name(tmp_path: Path, config: IndexConfig) -> None:
    """What stands before it has come; the error names wheel and member."""
    members = {
        "some_thing-1.0.dist-info/METADATA": METADATA.encode(),
        "good.py": b"x = 1\n",
        "bad.py": b"MARK = 1\n" * 2000,
    }
    path = Path(write(tmp_path / "damaged.whl", members, zipfile.ZIP_STORED))
    content = path.read_bytes()
    place = content.rindex(b"MARK")
    path.write_bytes(content[:place] + b"HARM" + content[place + 4 :])
    files = wheel(os.fspath(path), config).files()
    assert [next(files).path for _ in range(2)] == list(members)[:2]
    with pytest.raises(SourceError, match=r"damaged\.whl: member bad\.py is damaged"):
        next(files)


def test_no_damage_does_more_than_a_source_error(wheels: dict[str, Path], tmp_path: Path, config: IndexConfig) -> None:
    """Two hundred wheels with some bytes changed are read, or refused by the one error that names them."""
    original = wheels["iniconfig"].read_bytes()
    chance = random.Random(3)
    path = tmp_path / "harmed.whl"
    refused = 0
    for _ in range(200):
        content = bytearray(original)
        # Half of them in the directory at the archive's end, where the structure is.
        low = len(content) - 1500 if chance.random() < 0.5 else 0
        for _ in range(chance.randint(1, 4)):
            content[chance.randrange(low, len(content))] = chance.randrange(256)
        path.write_bytes(content)
        try:
            list(wheel(os.fspath(path), config).files())
        except SourceError as error:
            assert "harmed.whl" in str(error)
            refused += 1
    assert refused > 50


def test_names_and_versions_are_written_as_the_purl_specification_says() -> None:
    """Lower case, dashes for underscores, and what is not plain in a version escaped."""
    assert purl("Some_Thing", "1.0+local") == "pkg:pypi/some-thing@1.0%2Blocal"
    assert purl("zope.interface", "1!2.0") == "pkg:pypi/zope.interface@1%212.0"
    assert purl("x", "") == "pkg:pypi/x"
