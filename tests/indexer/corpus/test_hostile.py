"""Hostile and damaged archives are refused by name and reason, early, and with no other error than SourceError."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import os
import random
import struct
import subprocess
import sys
import tarfile
import time
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
import zstandard
from hypothesis import given
from hypothesis import strategies as st

from codecite.indexer.corpus import members
from codecite.indexer.corpus.containers import open_container
from codecite.indexer.errors import SourceError
from codecite.indexer.records import SkipReason

BAD_NAMES = ["/etc/passwd", "../out.py", "a/../../out.py", "C:/x.py", "a\\b.py", "..", "a\nb.py", "\x1b[2J.py"]
MEGABYTE = bytes(1 << 20)


def read_all(content: bytes) -> list[str]:
    """The members of an archive, each read to its end."""
    with open_container(io.BytesIO(content), "the archive", size=len(content)) as container:
        for member in container.members:
            container.read(member)
        return [member.name for member in container.members]


def refusals(content: bytes) -> dict[str, tuple[SkipReason, str]]:
    """What the archive refuses; the one other member is `good.py`."""
    with open_container(io.BytesIO(content), "the archive", size=len(content)) as container:
        assert [container.read(member) for member in container.members if member.name == "good.py"] == [b"x = 1\n"]
        return {item.path: (item.reason, item.detail) for item in container.refused}


def zipped(names: list[str | zipfile.ZipInfo], method: int = zipfile.ZIP_STORED) -> bytes:
    """A zip archive with members of these names."""
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", method) as archive:
        for name in names:
            archive.writestr(name, b"x = 1\n")
    return stream.getvalue()


def tarred(infos: list[tarfile.TarInfo], style: int = tarfile.GNU_FORMAT) -> bytes:
    """A tar archive with these members and `good.py`."""
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w", format=style, encoding="utf-8", errors="surrogateescape") as archive:
        for info in (*infos, tarfile.TarInfo("good.py")):
            info.size = 6 if info.isreg() else 0
            archive.addfile(info, io.BytesIO(b"x = 1\n"))
    return stream.getvalue()


def typed(name: str, kind: bytes, target: str = "") -> tarfile.TarInfo:
    """A member of a type."""
    info = tarfile.TarInfo(name)
    info.type, info.linkname = kind, target
    return info


def test_paths_that_lead_out_are_refused_in_both_kinds() -> None:
    """Each is named, printable, with its reason; the other members are read."""
    for content in (zipped([*BAD_NAMES, "good.py"]), tarred([tarfile.TarInfo(name) for name in BAD_NAMES])):
        found = refusals(content)
        assert {reason for reason, _ in found.values()} == {SkipReason.BAD_PATH}
        assert set(found) == {*BAD_NAMES[:-2], "a\\x0ab.py", "\\x1b[2J.py"}


def test_a_path_that_no_file_system_takes_is_refused() -> None:
    """Its folders alone would fill the memory; the beginning of it is shown."""
    long, just = "folder/" * 1000 + "x.py", "x" * 4093 + ".py"
    for content in (zipped([long, "good.py"]), tarred([tarfile.TarInfo(long)])):
        (path, found), *others = refusals(content).items()
        assert (path, found, others) == (f"{long[:80]}...", (SkipReason.BAD_PATH, "longer than 4,096 bytes"), [])
    assert read_all(zipped([just])) == [just]


def test_what_is_no_regular_file_is_refused() -> None:
    """Links, devices and pipes are named with what they are; nothing follows them."""
    kinds = {
        "link": (tarfile.SYMTYPE, "a symbolic link to /etc/passwd"),
        "hard": (tarfile.LNKTYPE, "a hard link to /etc/passwd"),
        "pipe": (tarfile.FIFOTYPE, "a pipe"),
        "device": (tarfile.CHRTYPE, "a device"),
        "disk": (tarfile.BLKTYPE, "a device"),
        "odd": (b"Q", "an entry of type b'Q'"),
    }
    found = refusals(tarred([typed(name, kind, "/etc/passwd") for name, (kind, _) in kinds.items()]))
    assert found == {name: (SkipReason.NOT_A_FILE, detail) for name, (_, detail) in kinds.items()}
    modes = {"link": 0o120777, "pipe": 0o010644, "device": 0o020644, "socket": 0o140644}
    infos = []
    for name, mode in modes.items():
        infos.append(zipfile.ZipInfo(name))
        infos[-1].external_attr = mode << 16
    assert {name: reason for name, (reason, _) in refusals(zipped([*infos, "good.py"])).items()} == dict.fromkeys(
        modes, SkipReason.NOT_A_FILE
    )


def test_sparse_files_of_gnu_tar_are_refused(tmp_path: Path, require: Callable[..., None]) -> None:
    """All three forms of them, and the member behind them is found."""
    require("tar")
    with (tmp_path / "sparse").open("wb") as stream:
        for place in range(0, 4 << 20, 1 << 17):
            stream.seek(place)
            stream.write(b"x")
    (tmp_path / "good.py").write_bytes(b"x = 1\n")
    for form in (["gnu"], ["posix", "--sparse-version=0.1"], ["posix", "--sparse-version=1.0"]):
        command = ["tar", "-c", "--sparse", f"--format={form[0]}", *form[1:], "sparse", "good.py"]
        content = subprocess.run(command, cwd=tmp_path, capture_output=True, check=True).stdout
        assert refusals(content) == {"sparse": (SkipReason.UNREADABLE, "a sparse file")}


def test_names_that_are_not_utf_8_are_kept_printable() -> None:
    """Their bytes stand as escapes."""
    raw = b"caf\xe9.py"
    content = zipped(["cafe.py"]).replace(b"cafe.py", raw)
    assert read_all(content) == ["caf\\xe9.py"]
    assert "caf\\xe9.py" in read_all(tarred([tarfile.TarInfo(raw.decode("utf-8", "surrogateescape"))]))


def test_encrypted_and_unknown_members_are_refused() -> None:
    """The flag, and the number of a method that nobody here reads."""
    content = bytearray(zipped(["good.py", "secret.py", "imploded.py"]))
    places = [place for place in range(len(content)) if content[place : place + 4] == b"PK\x01\x02"]
    content[places[1] + 8] |= 1
    content[places[2] + 10] = 6
    assert refusals(bytes(content)) == {
        "secret.py": (SkipReason.ENCRYPTED, ""),
        "imploded.py": (SkipReason.UNREADABLE, "compression method 6 is not read"),
    }


def bomb_zip() -> bytes:
    """Three hundred megabytes of zeros in a third of one, its sizes honest."""
    stream = io.BytesIO()
    with (
        zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive,
        archive.open("zeros", "w", force_zip64=True) as it,
    ):
        for _ in range(300):
            it.write(MEGABYTE)
    return stream.getvalue()


def bomb_tar(pack: Callable[[bytes], bytes]) -> bytes:
    """A tar archive of one member of a gigabyte of zeros, compressed piece by piece."""
    info = tarfile.TarInfo("zeros")
    info.size = 1 << 30
    piece = pack(MEGABYTE * 16)
    return pack(info.tobuf(tarfile.GNU_FORMAT)) + piece * 64 + pack(bytes(1024))


@pytest.mark.parametrize("kind", ["zip", "gz", "bz2", "xz", "zst"])
def test_a_bomb_is_refused_before_it_goes_off(kind: str) -> None:
    """In little time and memory, by the archive's name and the limit."""
    packs: dict[str, Callable[[bytes], bytes]] = {
        "gz": gzip.compress,
        "bz2": bz2.compress,
        "xz": lzma.compress,
        "zst": zstandard.compress,
    }
    content = bomb_zip() if kind == "zip" else bomb_tar(packs[kind])
    assert len(content) < 2 << 20
    program = (
        "import sys, io, time\n"
        "from pathlib import Path\n"
        "from codecite.indexer.corpus.containers import open_container\n"
        "from codecite.indexer.errors import SourceError\n"
        "content = sys.stdin.buffer.read()\n"
        "began = time.process_time()\n"
        "try:\n"
        "    open_container(io.BytesIO(content), 'the bomb', size=len(content))\n"
        "except SourceError as error:\n"
        "    print(error)\n"
        "peak = Path('/proc/self/status').read_text().partition('VmHWM:')[2].split()[0]\n"
        "print(time.process_time() - began, peak)\n"
    )
    done = subprocess.run([sys.executable, "-c", program], input=content, capture_output=True, check=True)
    message, figures = done.stdout.decode().splitlines()
    seconds, kilobytes = map(float, figures.split())
    assert message.startswith("the bomb: expands to more than ")
    assert seconds < 5
    assert kilobytes < 300_000


@pytest.mark.parametrize("pack", [gzip.compress, bz2.compress, lzma.compress, zstandard.compress])
def test_empty_streams_in_great_number_cost_little(pack: Callable[[bytes], bytes]) -> None:
    """With padding between them; what comes last is read."""
    stream = pack(b"") + bytes(4)
    count = (2 << 20) // len(stream)
    began = time.process_time()
    assert read_all(stream * count + pack(tarred([]))) == ["good.py"]
    assert time.process_time() - began < 12


def test_a_million_entries_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """As soon as they are too many: a zip says how many there are, a tar is counted."""
    monkeypatch.setattr(members, "MAX_MEMBERS", 20)
    names: list[str | zipfile.ZipInfo] = [f"{number}.py" for number in range(21)]
    for content in (zipped(names), tarred([tarfile.TarInfo(str(name)) for name in names])):
        with pytest.raises(SourceError, match="the archive: holds more than 20 entries"):
            read_all(content)
    assert len(read_all(zipped(names[:20]))) == 20
    monkeypatch.setattr(members, "MAX_MEMBERS", 1_000_000)
    count = 1_000_001
    end = struct.pack("<4sHHHHIIH", b"PK\x05\x06", 0, 0, 0xFFFF, 0xFFFF, 0xFFFFFFFF, 0xFFFFFFFF, 0)
    wide = struct.pack("<4sQHHIIQQQQ", b"PK\x06\x06", 44, 45, 45, 0, 0, count, count, 0, 0)
    began = time.process_time()
    with pytest.raises(SourceError, match="more than 1,000,000 entries"):
        read_all(wide + struct.pack("<4sIQI", b"PK\x06\x07", 0, 0, 1) + end)
    assert time.process_time() - began < 0.5


def test_members_that_overlap_are_refused() -> None:
    """The bomb in which every member is the same bytes again."""
    content = zipped(["first.py", "again.py"])
    end = content.index(b"PK\x05\x06")
    second = content.rindex(b"PK\x01\x02")
    entry = bytearray(content[second:end])
    struct.pack_into("<I", entry, 42, 0)
    with pytest.raises(SourceError, match="its members overlap at byte 0"):
        read_all(content[:second] + bytes(entry) + content[end:])


def test_a_lying_size_and_a_wrong_checksum_are_found() -> None:
    """The directory says one thing, the content is another: the member is named."""
    for method in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA):
        for at, value in ((24, 5), (24, 7), (16, 12345)):
            content = bytearray(zipped(["x.py"], method))
            struct.pack_into("<I", content, content.index(b"PK\x01\x02") + at, value)
            with pytest.raises(SourceError, match=r"the archive: member x\.py is damaged \(.*\); download or build"):
                read_all(bytes(content))


def test_what_stands_behind_the_end_of_a_tar_is_told() -> None:
    """No program for tar would read it, and none would say so."""
    content = tarred([]) + tarred([tarfile.TarInfo("hidden.py")])
    assert list(refusals(content).values()) == [(SkipReason.NOT_A_FILE, "no part of the archive")]


def archives() -> dict[str, bytes]:
    """A small archive of each kind, of real code."""
    source = Path(os.fspath(random.__file__)).read_bytes()[:20_000]
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w", format=tarfile.PAX_FORMAT) as archive:
        for name in ("a.py", "b/" + "long" * 40 + ".py", "caf\xe9.py"):
            info = tarfile.TarInfo(name)
            info.size = len(source)
            archive.addfile(info, io.BytesIO(source))
    plain = stream.getvalue()
    found = {"tar": plain, "gz": gzip.compress(plain), "bz2": bz2.compress(plain), "xz": lzma.compress(plain)}
    found["zst"] = zstandard.ZstdCompressor(write_checksum=True).compress(plain)
    for name, method in (("zip", zipfile.ZIP_DEFLATED), ("zip-lzma", zipfile.ZIP_LZMA), ("zip-bz2", zipfile.ZIP_BZIP2)):
        stream = io.BytesIO()
        with zipfile.ZipFile(stream, "w", method) as zipping:
            for member in ("a.py", "b/c.py"):
                zipping.writestr(member, source)
        found[name] = stream.getvalue()
    return found


ARCHIVES = archives()


@pytest.mark.parametrize("kind", ARCHIVES)
def test_a_truncated_archive_is_refused_wherever_it_ends(kind: str) -> None:
    """But within the zeros that fill the last block of a tar."""
    content = ARCHIVES[kind]
    whole = len(content.rstrip(b"\0")) + 1024 if kind == "tar" else len(content)
    for length in [*range(0, min(whole, 1200), 7), *range(0, whole, whole // 60), whole - 1]:
        if kind == "tar" and length >= whole - 1024:
            continue
        with pytest.raises(SourceError, match="the archive: "):
            read_all(content[:length])


@pytest.mark.parametrize("kind", ARCHIVES)
def test_a_changed_byte_never_does_more_than_a_source_error(kind: str) -> None:
    """Five hundred archives with some bytes changed."""
    chance = random.Random(5)
    refused = 0
    for _ in range(500):
        content = bytearray(ARCHIVES[kind])
        for _ in range(chance.randint(1, 3)):
            near_an_end = chance.random() < 0.5
            place = chance.randrange(min(600, len(content))) if near_an_end else chance.randrange(len(content))
            content[-place if chance.random() < 0.5 else place] = chance.randrange(256)
        try:
            read_all(bytes(content))
        except SourceError as error:
            assert str(error).startswith("the archive: ")
            refused += 1
    assert refused > (50 if kind == "tar" else 200)


@given(st.sampled_from([b"PK\x03\x04", b"\x1f\x8b\x08", b"BZh9", b"\xfd7zXZ\0", b"\x28\xb5\x2f\xfd", b""]), st.binary())
def test_any_bytes_are_an_archive_or_a_source_error(magic: bytes, rest: bytes) -> None:
    """Nothing else comes out of them."""
    try:
        read_all(magic + rest)
    except SourceError as error:
        assert str(error).startswith("the archive: ")


def test_reading_leaves_no_file_open() -> None:
    """Also of archives that were refused."""
    before = len(os.listdir("/proc/self/fd")) if Path("/proc/self/fd").exists() else 0  # noqa: PTH208
    for content in ARCHIVES.values():
        read_all(content)
        with pytest.raises(SourceError):
            read_all(content[: len(content) // 2])
    assert (len(os.listdir("/proc/self/fd")) if before else 0) == before  # noqa: PTH208
