"""A Debian source package becomes a Unit of the files that it unpacks to."""

from __future__ import annotations

import gzip
import hashlib
import importlib.metadata
import io
import os
import subprocess
import tarfile
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from codecite.indexer.corpus.debian import source_package
from codecite.indexer.corpus.units import Pending, Reading, Unit
from codecite.indexer.errors import SourceError
from codecite.indexer.licenses.effective import effective
from codecite.indexer.records import EvidenceKind, Package, Skipped, SkipReason, SourceFile

COPYRIGHT = b"""Format: https://www.debian.org/doc/packaging-manuals/copyright-format/1.0/

Files: *
Copyright: 2014 Pallets
License: BSD-3-clause

Files: debian/*
Copyright: 2020 P. Packager
License: GPL-2+ or Expat

License: BSD-3-clause
 Text.

License: GPL-2+
 Text.

License: Expat
 Text.
"""
CHANGELOG = b"""click (1:8.1~rc1+dfsg-2) unstable; urgency=medium

  * New upstream release.

 -- P. Packager <p@example.org>  Fri, 01 Mar 2024 01:30:00 +0200

click (1:8.0-1) unstable; urgency=medium

  * Older.

 -- P. Packager <p@example.org>  Mon, 01 Jan 2018 00:00:00 +0000
"""
DEBIAN = {
    "debian/changelog": CHANGELOG,
    "debian/control": b"Source: click\nMaintainer: x\n\nPackage: x\nArchitecture: all\n",
    "debian/copyright": COPYRIGHT,
    "debian/rules": b"#!/usr/bin/make -f\n%:\n\tdh $@\n",
    "debian/source/format": b"3.0 (quilt)\n",
    "debian/patches/series": b"a.patch\n",
}
VERSION = "1:8.1~rc1+dfsg-2"
UPSTREAM, FULL = "8.1~rc1+dfsg", "8.1~rc1+dfsg-2"
SIGNATURE = "-----BEGIN PGP SIGNATURE-----\n\niQIz\n-----END PGP SIGNATURE-----\n"


def tar(files: dict[str, bytes], compression: str = "gz", top: str = "", links: dict[str, str] | None = None) -> bytes:
    """A tarball with these files, all below the folder `top`."""
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode=f"w:{compression}") as archive:  # type: ignore[call-overload]
        for name, content in files.items():
            member = tarfile.TarInfo(top + name)
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
        for name, target in (links or {}).items():
            link = tarfile.TarInfo(top + name)
            link.type, link.linkname = tarfile.SYMTYPE, target
            archive.addfile(link)
    return packed.getvalue()


def upstream() -> dict[str, bytes]:
    """Real sources: those of the installed click."""
    files = importlib.metadata.files("click") or []
    found = {str(file): Path(str(file.locate())).read_bytes() for file in files if file.suffix == ".py"}
    return {"LICENSE.txt": b"Copyright 2014 Pallets\n", "setup.cfg": b"[metadata]\n", **found}


def diff(old: dict[str, bytes], new: dict[str, bytes], folder: Path) -> bytes:
    """What the program `diff` writes of the way from one to the other, packed."""
    for top, files in (("click.orig", old), ("click", new)):
        for name, content in files.items():
            (folder / top / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / top / name).write_bytes(content)
    done = subprocess.run(["diff", "-Nru", "click.orig", "click"], cwd=folder, capture_output=True, check=False)
    return gzip.compress(done.stdout)


def write(folder: Path, kind: str, parts: dict[str, bytes], extra: str = "", *, signed: bool = False) -> Path:
    """The `.dsc` of a source package with these parts, which are written beside it."""
    folder.mkdir(parents=True, exist_ok=True)
    sums: dict[str, list[str]] = {"sha256": [], "md5": []}
    for name, content in parts.items():
        (folder / name).write_bytes(content)
        for algorithm, lines in sums.items():
            lines.append(f" {hashlib.new(algorithm, content).hexdigest()} {len(content)} {name}")
    text = f"Format: {kind}\nSource: click\nBinary: x\nArchitecture: all\nVersion: {VERSION}\nMaintainer: x\n{extra}"
    text += "\n".join(["Checksums-Sha256:", *sums["sha256"], "Files:", *sums["md5"], ""])
    if signed:
        text = f"-----BEGIN PGP SIGNED MESSAGE-----\nHash: SHA512\n\n{text}\n{SIGNATURE}"
    path = folder / f"click_{FULL}.dsc"
    path.write_text(text)
    return path


def quilt(folder: Path, extra: str = "") -> Path:
    """A signed package of format 3.0 (quilt) with a component."""
    parts = {
        f"click_{UPSTREAM}.orig.tar.gz": tar(upstream(), "gz", "click-8.1/"),
        f"click_{UPSTREAM}.orig-docs.tar.bz2": tar({"index.rst": b"Docs\n"}, "bz2", "manual-1/"),
        f"click_{FULL}.debian.tar.xz": tar(DEBIAN, "xz"),
    }
    return write(folder, "3.0 (quilt)", parts, extra, signed=True)


@dataclass
class Read:
    """What was read of a package."""

    package: Package
    files: dict[str, SourceFile] = field(default_factory=dict)
    skipped: dict[str, SkipReason] = field(default_factory=dict)


def read(path: Path, reading: Reading | None = None) -> Read:
    """The package that the `.dsc` describes."""
    (unit,) = (_read(unit) for unit in source_package(os.fspath(path), reading or Reading(), "given").files())
    return unit


def _read(unit: object) -> Read:
    assert isinstance(unit, Unit)
    found = Read(unit.package)
    for item in unit.files():
        loaded = item.load() if isinstance(item, Pending) else item
        if isinstance(loaded, SourceFile):
            found.files[loaded.path] = loaded
        else:
            assert isinstance(loaded, Skipped)
            found.skipped[loaded.path] = loaded.reason
    return found


def unpacked(path: Path, folder: Path) -> dict[str, bytes]:
    """What `dpkg-source` makes of the package, patches left alone."""
    command = ["dpkg-source", "--no-check", "--skip-patches", "-x", os.fspath(path), os.fspath(folder)]
    subprocess.run(command, check=True, capture_output=True)
    files = [place for place in folder.rglob("*") if place.is_file() and not place.is_symlink()]
    return {place.relative_to(folder).as_posix(): place.read_bytes() for place in files}


def test_the_files_are_those_that_dpkg_source_unpacks(require: Callable[..., None], tmp_path: Path) -> None:
    """Of every format: with components, native, and with a diff that only adds."""
    require("dpkg-source", "diff")
    paths = [quilt(tmp_path / "quilt")]
    native = tar({**upstream(), **DEBIAN}, "xz", "click/")
    paths.append(write(tmp_path / "native", "3.0 (native)", {f"click_{FULL}.tar.xz": native}))
    added = {f"click_{UPSTREAM}.orig.tar.gz": tar(upstream(), "gz", "click-8.1.orig/")}
    added[f"click_{FULL}.diff.gz"] = diff(upstream(), upstream() | DEBIAN, tmp_path)
    paths.append(write(tmp_path / "old", "1.0", added))
    for path in paths:
        found = read(path)
        assert not found.skipped
        assert {name: file.content for name, file in found.files.items()} == unpacked(path, path.parent / "x")


def test_a_package_says_who_it_is(tmp_path: Path) -> None:
    """Purl, repository, the changelog's newest day in UTC; the container is the `.dsc`, whatever lies beside it."""
    path = quilt(tmp_path, extra="Vcs-Git: https://salsa.debian.org/python/click.git -b main\n")
    outer = source_package(os.fspath(path), Reading(), "given").package
    found = read(path).package
    assert found.purl == "pkg:deb/debian/click@1:8.1~rc1%2Bdfsg-2?arch=source"
    assert found.repository == "https://salsa.debian.org/python/click"
    assert found.released == "2024-02-29"
    assert (found.source, found.url, found.evidence) == ("given", path.as_uri(), ())
    assert outer.fingerprint
    assert outer.fingerprint == outer.container == found.container
    assert found.fingerprint is None
    path.write_text(path.read_text() + "\n")
    assert source_package(os.fspath(path), Reading(), "given").package.fingerprint != outer.fingerprint


@pytest.mark.parametrize(
    ("extra", "expected"),
    [
        (
            "Vcs-Browser: https://salsa.debian.org/a/b\nHomepage: https://github.com/c/d\n",
            "https://salsa.debian.org/a/b",
        ),
        ("Homepage: https://github.com/c/d\n", "https://github.com/c/d"),
        ("Homepage: https://example.org/\n", None),
    ],
)
def test_the_repository_is_where_the_package_is_worked_on(tmp_path: Path, extra: str, expected: str | None) -> None:
    """Else that of the project, if its home page is one."""
    assert read(quilt(tmp_path, extra=extra)).package.repository == expected


def test_debian_copyright_is_evidence_for_each_file(tmp_path: Path) -> None:
    """It goes before the licence file near it, and gives the notices that the file has not."""
    found = read(quilt(tmp_path)).files
    core = found["click/core.py"]
    assert [(item.kind, item.expression) for item in core.evidence] == [
        (EvidenceKind.DEP5, "BSD-3-Clause"),
        (EvidenceKind.LICENSE_FILE, None),
    ]
    assert core.copyright == ("2014 Pallets",)
    assert effective(found["debian/rules"].evidence) == "GPL-2.0-or-later OR MIT"
    assert found["LICENSE.txt"].copyright == ("Copyright 2014 Pallets",)
    assert found["click/core.py"].language == "Python"


def test_free_text_in_debian_copyright_is_evidence_of_the_package(tmp_path: Path) -> None:
    """As a licence file that nothing classified."""
    content = tar({**DEBIAN, "debian/copyright": b"\nThis is free.\n"}, "gz", "click/")
    found = read(write(tmp_path, "3.0 (native)", {f"click_{FULL}.tar.gz": content}))
    evidence = [(item.kind, item.expression, item.where, item.text) for item in found.package.evidence]
    assert evidence == [(EvidenceKind.LICENSE_FILE, None, "debian/copyright", "This is free.")]
    assert found.files["debian/rules"].evidence == ()


def test_what_is_not_read_is_skipped_by_name(require: Callable[..., None], tmp_path: Path) -> None:
    """Changes of a diff, what the package replaces, signatures, links, ways out, large and excluded files."""
    require("diff")
    old, new = {"x.c": b"old\n", "y.c": b"y\n"}, {"x.c": b"new\n", "y.c": b"y\n", **DEBIAN}
    parts = {f"click_{UPSTREAM}.orig.tar.gz": tar(old, "gz", "click-8.1/", {"z.c": "y.c"})}
    parts |= {f"click_{UPSTREAM}.orig.tar.gz.asc": b"no", f"click_{FULL}.diff.gz": diff(old, new, tmp_path)}
    found = read(write(tmp_path / "old", "1.0", parts))
    assert found.files["x.c"].content == b"old\n"
    assert found.skipped == {
        f"click_{FULL}.diff.gz/x.c": SkipReason.NOT_A_FILE,
        f"click_{UPSTREAM}.orig.tar.gz.asc": SkipReason.NOT_A_FILE,
        "z.c": SkipReason.NOT_A_FILE,
    }
    parts = {
        f"click_{UPSTREAM}.orig.tar.gz": tar(
            {"a.c": b"x" * 5000, "debian/x": b"x\n", "../b.c": b"b\n", "docs/c": b"c\n"}
        ),
        f"click_{UPSTREAM}.orig-docs.tar.gz": tar({"a/x": b"x\n", "b": b"b\n"}),
        f"click_{FULL}.debian.tar.gz": tar(DEBIAN),
    }
    reading = Reading(max_file_bytes=4999, excluded=lambda path: path == "debian/patches/")
    found = read(write(tmp_path / "new", "3.0 (quilt)", parts), reading)
    assert found.skipped == {
        "a.c": SkipReason.TOO_LARGE,
        "../b.c": SkipReason.BAD_PATH,
        "debian/": SkipReason.EXCLUDED,
        "docs/": SkipReason.EXCLUDED,
        "debian/patches/": SkipReason.EXCLUDED,
    }
    assert {"docs/a/x", "docs/b", "debian/rules"} <= found.files.keys()


def test_a_listed_file_that_is_missing_or_another_is_named(tmp_path: Path) -> None:
    """Before anything is indexed; the size is looked at first."""
    path = quilt(tmp_path)
    part = tmp_path / f"click_{UPSTREAM}.orig-docs.tar.bz2"
    content = part.read_bytes()
    for damage, message in (
        (content[:-1] + b"x", "has another sha256"),
        (content[:-1], r"has \d+ bytes where \d+ are"),
    ):
        part.write_bytes(damage)
        with pytest.raises(SourceError, match=rf"\.dsc: click_.*orig-docs\.tar\.bz2 {message}.*download"):
            read(path)
    part.unlink()
    with pytest.raises(
        SourceError, match=r"\.dsc: lists click_.*orig-docs\.tar\.bz2, which is not beside it; download"
    ):
        read(path)


def test_a_tarball_that_is_none_is_named(tmp_path: Path) -> None:
    """Its checksum may be right all the same."""
    path = write(tmp_path, "3.0 (native)", {f"click_{FULL}.tar.gz": gzip.compress(b"no tarball")})
    with pytest.raises(SourceError, match=r"\.dsc: click_.*\.tar\.gz: "):
        read(path)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("Format: 3.0 (quilt)", "Format: 3.0 (git)", r"format 3\.0 \(git\) is not read"),
        ("Format: 3.0 (quilt)", "Format: 1.0", r"which is no source package of format 1\.0"),
        ("Source: click\n", "", r"no field Source"),
        (f"{FULL}.debian.tar.xz", "../x.debian.tar.xz", r"line \d+ is no checksum, size and name"),
        (f"{FULL}.debian.tar.xz", f"{FULL}.exe", r"which is no source package"),
        ("-----BEGIN PGP SIGNATURE-----", "", r"ends before its signature"),
    ],
)
def test_a_dsc_that_is_not_one_is_named(tmp_path: Path, old: str, new: str, message: str) -> None:
    """With what is wrong in it, when its files are asked for and not before."""
    path = quilt(tmp_path)
    path.write_text(path.read_text().replace(old, new))
    with pytest.raises(SourceError, match=rf"click_.*\.dsc: .*{message}"):
        read(path)


def test_the_md5_of_old_packages_is_checked(tmp_path: Path) -> None:
    """They list nothing better."""
    path = quilt(tmp_path)
    path.write_text(path.read_text().replace("Checksums-Sha256:", "X-Other:"))
    assert "docs/index.rst" in read(path).files
    path.write_text(path.read_text().replace("\nFiles:\n ", "\nFiles:\n f"))
    with pytest.raises(SourceError, match=r"orig\.tar\.gz has another md5"):
        read(path)


def test_only_what_the_signature_covers_is_read(tmp_path: Path) -> None:
    """Fields before and behind it do not count; a line that begins with a dash is escaped."""
    path = quilt(tmp_path, extra="Comment: x\n- Homepage: https://github.com/c/d\n")
    path.write_text(path.read_text() + "\nSource: evil\n")
    package = read(path).package
    assert package.purl is not None
    assert "click" in package.purl
    assert package.repository == "https://github.com/c/d"


def test_a_dsc_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    """Missing, a folder, or empty."""
    (tmp_path / "folder.dsc").mkdir()
    (tmp_path / "empty.dsc").write_bytes(b"")
    for name in ("missing", "folder", "empty"):
        with pytest.raises(SourceError, match=rf"{name}\.dsc: "):
            read(tmp_path / f"{name}.dsc")
