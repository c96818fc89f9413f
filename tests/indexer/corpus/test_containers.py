"""Archives of every kind are opened by their bytes, and give what `zipfile` and `tarfile` give."""

from __future__ import annotations

import io
import lzma
import os
import struct
import subprocess
import tarfile
import tempfile
import zipfile
from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
import zstandard

from codecite.indexer.corpus import containers
from codecite.indexer.corpus.containers import is_archive, is_archive_name, open_container
from codecite.indexer.errors import SourceError
from codecite.indexer.records import Skipped

FOLDER = Path(os.fspath(pytest.__file__)).parent


def opened(content: bytes) -> tuple[dict[str, bytes], list[Skipped]]:
    """What an archive holds, by name, and what it refuses."""
    with open_container(io.BytesIO(content), "the archive", size=len(content)) as container:
        assert [member.size for member in container.members] == [
            len(container.read(item)) for item in container.members
        ]
        return {member.name: container.read(member) for member in container.members}, container.refused


def tarred(style: int = tarfile.PAX_FORMAT) -> bytes:
    """A tar archive of a folder of real code."""
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w", format=style) as archive:
        archive.add(FOLDER, "pytest", filter=lambda info: None if info.name.endswith(".pyc") else info)
    return stream.getvalue()


def truth(content: bytes) -> dict[str, bytes]:
    """What `tarfile` finds in a tar archive."""
    found = {}
    with tarfile.open(fileobj=io.BytesIO(content)) as archive:
        for info in archive:
            stream = archive.extractfile(info) if info.isreg() else None
            if stream is not None:
                found[info.name] = stream.read()
    return found


@pytest.mark.parametrize("style", [tarfile.USTAR_FORMAT, tarfile.GNU_FORMAT, tarfile.PAX_FORMAT])
def test_a_tar_of_each_format_gives_what_tarfile_gives(style: int) -> None:
    """Members in their order, byte for byte."""
    content = tarred(style)
    found, refused = opened(content)
    assert list(found.items()) == list(truth(content).items())
    assert refused == []


@pytest.mark.parametrize("how", [["gzip", "-c"], ["bzip2", "-c"], ["xz", "-c"], ["zstd", "-q", "-c"]])
def test_a_compressed_tar_is_the_same(how: list[str], require: Callable[..., None]) -> None:
    """The system's own programs wrote them; two streams behind each other are one."""
    require(how[0])
    plain = tarred()

    def packed(content: bytes) -> bytes:
        return subprocess.run(how, input=content, capture_output=True, check=True).stdout

    found = truth(plain)
    assert opened(packed(plain))[0] == found
    assert opened(packed(plain[:50_000]) + packed(plain[50_000:]) + bytes(512))[0] == found


@pytest.mark.parametrize(
    "method", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA], ids=str
)
@pytest.mark.parametrize("before", [b"", b"#!/bin/sh\nexec java -jar $0\n"], ids=["plain", "behind-a-script"])
def test_a_zip_of_each_method_gives_what_zipfile_gives(method: int, before: bytes) -> None:
    """Folders are no members; a script may stand before the archive."""
    stream = io.BytesIO(before)
    stream.seek(0, 2)
    with zipfile.ZipFile(stream, "a", method) as archive:
        for path in sorted(FOLDER.rglob("*.py")):
            archive.write(path, path.relative_to(FOLDER).as_posix())
        archive.mkdir("folder")
        archive.writestr("empty", b"")
    with zipfile.ZipFile(stream) as archive:
        expected = {name: archive.read(name) for name in archive.namelist() if name != "folder/"}
    assert list(opened(stream.getvalue())[0].items()) == list(expected.items())


def test_a_zip_of_zstd_and_xz_members_is_read() -> None:
    """`zipfile` writes neither, so their numbers are put in the place of another's."""
    text = b"int main(void) { return 0; }\n" * 100
    for method, packed in ((93, zstandard.compress(text)), (95, lzma.compress(text))):
        stream = io.BytesIO()
        with zipfile.ZipFile(stream, "w") as archive:
            archive.writestr("x.c", packed)
        content = bytearray(stream.getvalue())
        for start, at in ((content.index(b"PK\x03\x04"), 8), (content.index(b"PK\x01\x02"), 10)):
            struct.pack_into("<H", content, start + at, method)
            struct.pack_into("<I", content, start + at + 6, zipfile.crc32(text))  # type: ignore[attr-defined]
            struct.pack_into("<I", content, start + at + 14, len(text))
        assert opened(bytes(content)) == ({"x.c": text}, [])


def test_a_zip_with_numbers_of_64_bits_is_read() -> None:
    """A writer that cannot know the size beforehand uses them for small members too."""
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive, archive.open("x.py", "w", force_zip64=True) as member:
        member.write(b"x = 1\n")
    assert opened(stream.getvalue())[0] == {"x.py": b"x = 1\n"}
    content = stream.getvalue()
    start, end = content.index(b"PK\x01\x02"), content.index(b"PK\x05\x06")
    wide = struct.pack("<4sQHHIIQQQQ", b"PK\x06\x06", 44, 45, 45, 0, 0, 1, 1, end - start, start)
    locator = struct.pack("<4sIQI", b"PK\x06\x07", 0, end, 1)
    last = struct.pack("<4sHHHHIIH", b"PK\x05\x06", 0, 0, 0xFFFF, 0xFFFF, 0xFFFFFFFF, 0xFFFFFFFF, 0)
    for narrow in (last, content[end:]):  # the numbers that fit may stand there all the same
        assert opened(content[:end] + wide + locator + narrow)[0] == {"x.py": b"x = 1\n"}


def test_what_system_tar_writes_is_read(tmp_path: Path, require: Callable[..., None]) -> None:
    """Long names, a leading `./`, and the oldest format, which has no magic."""
    require("tar")
    (tmp_path / ("long" * 30)).mkdir()
    (tmp_path / ("long" * 30) / ("name" * 30)).write_bytes(b"x = 1\n")
    (tmp_path / "short.py").write_bytes(b"y = 2\n")
    for style, names in (("gnu", ["."]), ("posix", ["."]), ("v7", ["short.py"])):
        done = subprocess.run(["tar", "-c", f"--format={style}", *names], cwd=tmp_path, capture_output=True, check=True)
        found, refused = opened(done.stdout)
        assert refused == []
        assert found["short.py"] == b"y = 2\n"
        assert found.get("long" * 30 + "/" + "name" * 30) == (None if style == "v7" else b"x = 1\n")


def test_a_large_tar_goes_through_a_temporary_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, require: Callable[..., None]
) -> None:
    """What does not fit into memory goes where TMPDIR says; where that is full, the error says so."""
    require("xz")
    content = lzma.compress(tarred())
    monkeypatch.setattr(containers, "SPOOL", 1000)
    monkeypatch.setattr(tempfile, "tempdir", os.fspath(tmp_path))
    assert opened(content)[0] == truth(lzma.decompress(content))
    assert list(tmp_path.iterdir()) == []

    def full(**_: Any) -> Any:
        return Path("/dev/full").open("w+b", buffering=0)

    monkeypatch.setattr(tempfile, "TemporaryFile", full)
    with pytest.raises(SourceError, match=rf"the archive: no room to expand it in {tmp_path} .*TMPDIR"):
        opened(content)


def test_duplicate_names_are_both_kept() -> None:
    """An archive that was appended to holds both versions of a file."""
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w") as archive:
        for content in (b"x = 1\n", b"x = 2\n"):
            info = tarfile.TarInfo("x.py")
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))
    content = stream.getvalue()
    with open_container(io.BytesIO(content), "it", size=len(content)) as container:
        assert [(member.name, container.read(member)) for member in container.members] == [
            ("x.py", b"x = 1\n"),
            ("x.py", b"x = 2\n"),
        ]


@pytest.mark.parametrize("kind", ["zip", "tar"])
def test_the_newest_plausible_date_is_told(kind: str) -> None:
    """Days that build tools invent, and days to come, are no dates of release."""
    to_come = date.today() + timedelta(days=3)
    invented = [date(1980, 1, 1), date(1985, 10, 26), date(2006, 7, 24), date(2016, 1, 1)]
    invented += [date(2020, 2, 2), to_come]

    def newest(days: list[date]) -> str | None:
        stream = io.BytesIO()
        if kind == "zip":
            with zipfile.ZipFile(stream, "w") as archive:
                for day in days:
                    archive.writestr(zipfile.ZipInfo(str(day), (day.year, day.month, day.day, 12, 0, 0)), b"x")
        else:
            with tarfile.open(fileobj=stream, mode="w") as tar:
                for day in days:
                    info = tarfile.TarInfo(str(day))
                    info.mtime = (day - date(1970, 1, 1)).days * 86400 + 3600
                    tar.addfile(info)
        size = stream.tell()
        with open_container(stream, "it", size=size) as container:
            return container.newest

    assert newest(invented) is None
    assert newest([*invented, date(2019, 5, 1), date(2021, 3, 4), date(2020, 12, 31)]) == "2021-03-04"


def test_the_commit_that_git_archive_notes_is_told(tmp_path: Path, require: Callable[..., None]) -> None:
    """It stands in a tar's global header and in a zip's comment."""
    require("git")
    author = {
        "GIT_AUTHOR_NAME": "a",
        "GIT_AUTHOR_EMAIL": "a@b",
        "GIT_COMMITTER_NAME": "a",
        "GIT_COMMITTER_EMAIL": "a@b",
    }
    environment = {**os.environ, **author}

    def git(*arguments: str) -> bytes:
        command = ["git", *arguments]
        return subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, check=True).stdout

    git("init", "-q")
    (tmp_path / "x.py").write_bytes(b"x = 1\n")
    git("add", ".")
    git("commit", "-qm", "one")
    for style in ("tar", "zip"):
        content = git("archive", f"--format={style}", "HEAD")
        with open_container(io.BytesIO(content), "it", size=len(content)) as container:
            assert container.comment == git("rev-parse", "HEAD").decode().strip()


def test_a_compressed_file_is_no_archive() -> None:
    """One file that was merely compressed has no members."""
    with pytest.raises(SourceError, match="one compressed file and no archive; expand it first"):
        opened(lzma.compress(b"x = 1\n" * 1000))


def test_archives_are_told_by_their_first_bytes() -> None:
    """A name only makes one look."""
    assert is_archive_name("a.WHL")
    assert is_archive_name("b/linux-6.1.tar.xz")
    assert not is_archive_name("x.py.gz")
    assert is_archive(tarred()[:512])
    assert is_archive(b"PK\x03\x04")
    assert not is_archive(b"a text that is called x.zip" + bytes(600))
    assert not is_archive(bytes(1024))
