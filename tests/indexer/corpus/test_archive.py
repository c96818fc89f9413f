"""An archive becomes the Unit of a file, and in it that of the package that its metadata say it is."""

from __future__ import annotations

import gzip
import importlib.metadata
import io
import os
import random
import sysconfig
import tarfile
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from codecite.indexer.corpus import archive as module
from codecite.indexer.corpus import members
from codecite.indexer.corpus.archive import archive
from codecite.indexer.corpus.units import Pending, Reading, Unit
from codecite.indexer.licenses.effective import effective
from codecite.indexer.records import EvidenceKind, Package, Skipped, SkipReason

Read = Callable[[Unit], Any]
PACKAGE_JSON = b'{"name": "@scope/thing", "version": "1.2.3", "license": "MIT", "repository": "github:o/thing"}'


def zipped(files: dict[str, bytes], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    """A zip archive with these members."""
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", method) as writer:
        for name, content in files.items():
            writer.writestr(name, content)
    return stream.getvalue()


def tarred(files: dict[str, bytes], mode: str = "w:gz") -> bytes:
    """A tar archive with these members."""
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode=mode) as writer:  # type: ignore[call-overload]
        for name, content in files.items():
            info = tarfile.TarInfo(name)
            info.size = len(content)
            writer.addfile(info, io.BytesIO(content))
    return stream.getvalue()


@pytest.fixture
def found(tmp_path: Path, read: Read, reading: Reading) -> Callable[..., Any]:
    """A call that reads an archive of these bytes and this name."""

    def look(content: bytes, name: str = "outer.zip", reading: Reading = reading) -> Any:
        (tmp_path / name).write_bytes(content)
        return read(archive(os.fspath(tmp_path / name), reading))

    return look


def inside(unit: Unit) -> Package:
    """The package in an archive's file."""
    (contents,) = unit.files()
    assert isinstance(contents, Unit)
    return contents.package


def test_every_member_of_a_real_wheel_is_read_or_skipped(wheels: dict[str, Path], read: Read, reading: Reading) -> None:
    """Files appear under their paths in the archive, byte for byte."""
    for path in wheels.values():
        found = read(archive(os.fspath(path), reading))
        with zipfile.ZipFile(path) as truth:
            assert {*found.files, *found.skipped} == {name for name in truth.namelist() if not name.endswith("/")}
            assert all(file.content == truth.read(name) for name, file in found.files.items())
        assert found.errors == []
        assert any(file.language == "Python" for file in found.files.values())


def test_a_real_wheel_says_who_it_is(wheels: dict[str, Path], reading: Reading) -> None:
    """purl, repository, license with its file and place come from the metadata; the file itself is known by digest."""
    unit = archive(os.fspath(wheels["click"]), reading)
    assert (unit.package.purl, unit.package.evidence) == (None, ())
    assert unit.package.fingerprint == unit.package.container
    assert unit.size == wheels["click"].stat().st_size
    package = inside(unit)
    assert package.purl == f"pkg:pypi/click@{importlib.metadata.version('click')}"
    assert package.repository == "https://github.com/pallets/click"
    assert effective(package.evidence) == "BSD-3-Clause"
    files = [item for item in package.evidence if item.kind is EvidenceKind.LICENSE_FILE]
    assert [(item.expression, item.text) for item in files] == [("BSD-3-Clause", "Copyright 2014 Pallets")]
    assert (package.source, package.url) == (os.fspath(wheels["click"]), wheels["click"].as_uri())
    assert (package.fingerprint, package.container) == (None, unit.package.fingerprint)


def test_bundled_wheels_of_python_are_read(require: Callable[..., None], read: Read, reading: Reading) -> None:
    """The wheels that Python carries for `ensurepip` are wheels as their makers built them."""
    require("ensurepip")
    folder = Path(sysconfig.get_paths()["stdlib"]) / "ensurepip" / "_bundled"
    for path in folder.glob("*.whl"):
        unit = archive(os.fspath(path), reading)
        assert effective(inside(unit).evidence) == "MIT"
        assert len(read(unit).files) > 50


def test_the_fingerprint_follows_the_bytes(tmp_path: Path, reading: Reading) -> None:
    """A copy is the same, a changed byte is another, and a file that is not there has none."""
    content = zipped({"x.py": b"x = 1\n"})
    for name, given in (("a.zip", content), ("b.zip", content), ("c.zip", content + b"\0")):
        (tmp_path / name).write_bytes(given)
    prints = [archive(os.fspath(tmp_path / name), reading).package.fingerprint for name in ("a.zip", "b.zip", "c.zip")]
    assert prints[0] is not None
    assert prints[0].startswith("xxh3:")
    assert prints[0] == prints[1] != prints[2]
    assert archive(os.fspath(tmp_path / "gone.zip"), reading).package.fingerprint is None


def test_packages_of_other_ecosystems_are_named(found: Callable[..., Any]) -> None:
    """An npm tarball and a crate have one top folder, and licence files in it."""
    npm = found(
        tarred(
            {"package/package.json": PACKAGE_JSON, "package/x.js": b"var x;\n", "package/LICENSE": b"\nMIT License\n"}
        ),
        "thing-1.2.3.tgz",
    )
    package = npm.packages["package/x.js"]
    assert (package.purl, package.repository) == ("pkg:npm/%40scope/thing@1.2.3", "https://github.com/o/thing")
    assert effective(package.evidence) == "MIT"
    assert [(item.where, item.text) for item in npm.files["package/x.js"].evidence] == [
        ("package/LICENSE", "MIT License")
    ]
    cargo = b'[package]\nname = "thing"\nversion = "1.0.0"\nlicense = "MIT/Apache-2.0"\n'
    crate = found(
        tarred({"thing-1.0.0/Cargo.toml": cargo, "thing-1.0.0/src/lib.rs": b"fn x() {}\n"}), "thing-1.0.0.crate"
    )
    assert crate.packages["thing-1.0.0/src/lib.rs"].purl == "pkg:cargo/thing@1.0.0"


def test_the_files_of_a_gem_have_their_paths_in_the_gem(found: Callable[..., Any]) -> None:
    """The archive inside is how gems are packed, and no part of a path."""
    metadata = (
        b"--- !ruby/object:Gem::Specification\nname: thing\nversion: !ruby/object:Gem::Version\n  version: 1.0.0\n"
    )
    content = tarred(
        {
            "metadata.gz": gzip.compress(metadata + b"licenses:\n- MIT\n"),
            "data.tar.gz": tarred({"lib/thing.rb": b"X = 1\n", "LICENSE.txt": b"The MIT License\n"}),
            "checksums.yaml.gz": gzip.compress(b"---\n"),
        },
        "w",
    )
    gem = found(content, "thing-1.0.0.gem")
    assert set(gem.files) == {"lib/thing.rb", "LICENSE.txt"}
    assert gem.packages["lib/thing.rb"].purl == "pkg:gem/thing@1.0.0"
    assert [item.where for item in gem.files["lib/thing.rb"].evidence] == ["LICENSE.txt"]
    assert gem.reasons == {"metadata.gz": "binary", "checksums.yaml.gz": "binary"}


def test_an_archive_inside_an_archive_is_a_package_or_a_part(found: Callable[..., Any]) -> None:
    """What has metadata is itself; what has none belongs to the outer, with the licence files near it."""
    content = zipped(
        {
            "top.py": b"x = 1\n",
            "vendor/LICENSE": b"Copyright someone\n",
            "vendor/plain.tar.gz": tarred({"a/b.py": b"y = 2\n"}),
            "vendor/thing.tgz": tarred({"package/package.json": PACKAGE_JSON, "package/x.js": b"var x;\n"}),
        }
    )
    outer = found(content)
    assert set(outer.files) == {
        "top.py",
        "vendor/LICENSE",
        "vendor/plain.tar.gz/a/b.py",
        "package/package.json",
        "package/x.js",
    }
    own, part = outer.packages["package/x.js"], outer.packages["vendor/plain.tar.gz/a/b.py"]
    assert own.purl == "pkg:npm/%40scope/thing@1.2.3"
    assert part == outer.packages["top.py"]
    assert own.url == f"{part.url}#vendor/thing.tgz"
    assert (own.source, own.container) == (part.source, part.container)
    assert [item.where for item in outer.files["vendor/plain.tar.gz/a/b.py"].evidence] == ["vendor/LICENSE"]
    assert outer.files["package/x.js"].evidence == ()


def test_archives_are_read_to_a_depth(found: Callable[..., Any]) -> None:
    """Four within each other; the fifth is told."""
    content = zipped({"deep.py": b"x = 1\n"})
    for level in range(5, 1, -1):
        content = zipped({f"{level}.zip": content, f"in{level - 1}.py": b"y = 2\n"})
    outer = found(content)
    assert outer.reasons == {"2.zip/3.zip/4.zip/5.zip": str(SkipReason.TOO_DEEP)}
    assert "2.zip/3.zip/4.zip/in4.py" in outer.files


def test_a_broken_archive_inside_is_one_error(found: Callable[..., Any]) -> None:
    """It is named with both archives; what is around it is read, and so is what is an archive by name only."""
    inner = zipped({"b.py": b"y = 2\n"})
    content = zipped({"a.py": b"x = 1\n", "broken.zip": inner[:-10], "fake.jar": b"a text\n", "good.zip": inner})
    outer = found(content)
    assert set(outer.files) == {"a.py", "fake.jar", "good.zip/b.py"}
    (error,) = outer.errors
    assert "outer.zip: broken.zip: not a complete archive" in error
    damaged = zipped({"c.py": b"MARK = 1\n"}, zipfile.ZIP_STORED).replace(b"MARK", b"HARM")
    outer = found(zipped({"a.py": b"x = 1\n", "damaged.zip": damaged}))
    assert set(outer.files) == {"a.py"}
    assert "outer.zip: damaged.zip: member c.py is damaged (its checksum is wrong)" in outer.errors[0]


def test_archives_inside_share_one_allowance(found: Callable[..., Any], monkeypatch: pytest.MonkeyPatch) -> None:
    """Many small bombs are one large one, and told once, not each."""
    monkeypatch.setattr(members, "FREE_BYTES", 5 << 20)
    bomb = tarred({"zeros": bytes(2 << 20)}, "w:xz")
    outer = found(
        zipped({**{f"{number}.tar.xz": bomb for number in range(5)}, "good.py": b"x = 1\n"}),
        reading=Reading(max_file_bytes=1 << 20),
    )
    assert set(outer.files) == {"good.py"}
    assert [error.rpartition(": ")[2].split(",")[0] for error in outer.errors] == ["expands to more than 5"]
    shown = {path: item.detail for path, item in outer.skipped.items() if path.endswith(".xz")}
    assert shown == dict.fromkeys(("3.tar.xz", "4.tar.xz"), "an archive; what is before it expands too far already")


def test_a_large_archive_inside_is_told(found: Callable[..., Any], monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing of it is expanded."""
    monkeypatch.setattr(module, "MAX_INNER", 100)
    assert found(zipped({"inner.zip": zipped({"a.py": b"x = 1\n"})})).reasons == {"inner.zip": "too-large"}


def test_what_cannot_be_indexed_or_is_left_out_is_told(found: Callable[..., Any]) -> None:
    """Refused names, large, empty and binary members, files and folders that the user excludes."""
    names = {
        "../out.py": b"x = 1\n",
        "large.py": b"x" * 20_001,
        "empty.py": b"",
        "binary.so": b"\x7fELF\0",
        "wide.py": "\ufeffx = 1".encode("utf-16-le"),
        "docs/a.md": b"a\n",
        "docs/b/c.md": b"c\n",
        "x.min.js": b"x\n",
    }
    reading = Reading(max_file_bytes=20_000, excluded=lambda path: path in ("docs/", "x.min.js"))
    outer = found(zipped(names), "outer.zip", reading)
    assert {name: file.content for name, file in outer.files.items()} == {"wide.py": b"x = 1"}
    assert outer.reasons == {
        "../out.py": "bad-path",
        "large.py": "too-large",
        "empty.py": "empty",
        "binary.so": "binary",
        "docs/": "excluded",
        "x.min.js": "excluded",
    }
    assert outer.skipped["large.py"] == Skipped("large.py", SkipReason.TOO_LARGE, "20,001 bytes, the limit is 20,000")


@pytest.mark.parametrize("kept", [0, 10, 1000, -1])
def test_a_truncated_archive_is_an_error_that_names_it(
    wheels: dict[str, Path], found: Callable[..., Any], kept: int
) -> None:
    """Nothing of it comes, and the message says what mends it."""
    outer = found(wheels["click"].read_bytes()[:kept], "truncated.whl")
    assert outer.files == {}
    assert len(outer.errors) == 1
    assert "truncated.whl: not a complete archive" in outer.errors[0]
    assert outer.errors[0].endswith("download or build it again")


def test_an_archive_that_went_away_is_an_error(tmp_path: Path, read: Read, reading: Reading) -> None:
    """Making the unit is no error yet."""
    found = read(archive(os.fspath(tmp_path / "gone.zip"), reading))
    (error,) = found.errors
    assert error.startswith(f"{tmp_path}/gone.zip: cannot be read (No such file or directory); check the path")


def test_files_are_looked_into_after_the_archive_was_closed(wheels: dict[str, Path], reading: Reading) -> None:
    """A file that waits holds its own bytes."""
    pending: list[Pending] = []
    for contents in archive(os.fspath(wheels["iniconfig"]), reading).files():
        assert isinstance(contents, Unit)
        pending += [item for item in contents.files() if isinstance(item, Pending)]
    with zipfile.ZipFile(wheels["iniconfig"]) as truth:
        for item in pending:
            loaded = item.load()
            assert isinstance(loaded, Skipped) or loaded.content == truth.read(item.path)
    assert len(pending) > 3


def test_no_damage_does_more_than_a_source_error(wheels: dict[str, Path], found: Callable[..., Any]) -> None:
    """Two hundred wheels with some bytes changed are read, or refused by the one error that names them."""
    original = wheels["iniconfig"].read_bytes()
    chance = random.Random(3)
    refused = 0
    for _ in range(200):
        content = bytearray(original)
        # Half of them in the directory at the archive's end, where the structure is.
        low = len(content) - 1500 if chance.random() < 0.5 else 0
        for _ in range(chance.randint(1, 4)):
            content[chance.randrange(low, len(content))] = chance.randrange(256)
        outer = found(bytes(content), "harmed.whl")
        assert all("harmed.whl" in error for error in outer.errors)
        refused += bool(outer.errors)
    assert refused > 50
