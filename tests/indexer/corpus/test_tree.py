"""A directory tree, or one file, becomes a Unit from which nothing is missing without a reason."""

from __future__ import annotations

import os
import shutil
import socket
import sysconfig
import tempfile
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from codecite.indexer.corpus.files import HEAD, read_path
from codecite.indexer.corpus.tree import single_file, tree
from codecite.indexer.corpus.units import Pending, Reading, Unit
from codecite.indexer.records import Skipped, SkipReason, SourceFile


def loaded(unit: Unit) -> list[SourceFile | Skipped]:
    """What a unit without others in it gives, read."""
    found = []
    for item in unit.files():
        assert isinstance(item, (Pending, Skipped))
        found.append(item.load() if isinstance(item, Pending) else item)
    return found


def read(root: Path, reading: Reading) -> dict[str, SourceFile | Skipped]:
    """What a tree holds, by path."""
    found = loaded(tree(os.fspath(root), reading))
    assert len({item.path for item in found}) == len(found)
    return {item.path: item for item in found}


def reasons(found: dict[str, SourceFile | Skipped]) -> dict[str, SkipReason | None]:
    """The reason for which each path is skipped, None for a file that was read."""
    return {path: item.reason if isinstance(item, Skipped) else None for path, item in found.items()}


def test_a_real_tree_is_read_completely(reading: Reading) -> None:
    """Of the standard library's json and email packages every file is read or skipped, byte for byte and in order."""
    for name in ("json", "email"):
        root = Path(sysconfig.get_paths()["stdlib"]) / name
        on_disk = {path.relative_to(root).as_posix(): path for path in root.rglob("*") if path.is_file()}
        found = read(root, reading)
        assert found.keys() == on_disk.keys()
        assert list(found) == sorted(found, key=lambda path: path.split("/"))
        texts = {path: item for path, item in found.items() if isinstance(item, SourceFile)}
        assert all(item.content == on_disk[path].read_bytes() for path, item in texts.items())
        assert {texts[path].language for path in texts if path.endswith(".py")} == {"Python"}


def test_a_tree_is_named_by_its_path(tmp_path: Path, reading: Reading) -> None:
    """The package of a tree has a place, and no name of a distribution."""
    (tmp_path / "sub folder").mkdir()
    package = tree(os.fspath(tmp_path / "sub folder" / ".." / "sub folder"), reading).package
    assert package.source == os.fspath(tmp_path / "sub folder")
    assert package.url == (tmp_path / "sub folder").as_uri()
    assert (package.purl, package.fingerprint, package.evidence) == (None, None, ())


def test_what_is_no_text_is_skipped_for_a_reason(tmp_path: Path, reading: Reading) -> None:
    """Each kind of thing that a folder may hold is either read or told of."""
    (tmp_path / "a.py").write_bytes(b"x = 1\n")
    (tmp_path / "latin.py").write_bytes("# Jürgen\n".encode("latin-1"))
    (tmp_path / "late-nul.py").write_bytes(b"#" * HEAD + b"\0")
    (tmp_path / "nul.bin").write_bytes(b"#" * (HEAD - 1) + b"\0")
    (tmp_path / "empty").touch()
    (tmp_path / "link").symlink_to("a.py")
    (tmp_path / "loop").symlink_to(".")
    (tmp_path / "dangling").symlink_to("nowhere")
    os.mkfifo(tmp_path / "pipe")
    with socket.socket(socket.AF_UNIX) as listener:
        here = Path.cwd()
        os.chdir(tmp_path)  # a socket's path is short
        listener.bind("socket")
        os.chdir(here)
    for folder in (".git", "sub/.hg", "sub/.svn"):
        (tmp_path / folder).mkdir(parents=True)
        (tmp_path / folder / "config").write_text("text")
    (tmp_path / "sub" / "module").mkdir()
    (tmp_path / "sub" / "module" / ".git").write_text("gitdir: ../../.git/modules/module\n")
    assert reasons(read(tmp_path, reading)) == {
        ".git": SkipReason.VERSION_CONTROL,
        "a.py": None,
        "dangling": SkipReason.NOT_A_FILE,
        "empty": SkipReason.EMPTY,
        "late-nul.py": None,
        "latin.py": None,
        "link": SkipReason.NOT_A_FILE,
        "loop": SkipReason.NOT_A_FILE,
        "nul.bin": SkipReason.BINARY,
        "pipe": SkipReason.NOT_A_FILE,
        "socket": SkipReason.NOT_A_FILE,
        "sub/.hg": SkipReason.VERSION_CONTROL,
        "sub/.svn": SkipReason.VERSION_CONTROL,
        "sub/module/.git": SkipReason.VERSION_CONTROL,
    }


def test_a_file_over_the_limit_is_not_read(tmp_path: Path) -> None:
    """A file of exactly the limit is read, one byte more is told with both sizes."""
    (tmp_path / "fits").write_bytes(b"x" * 20_000)
    (tmp_path / "over").write_bytes(b"x" * 20_001)
    found = read(tmp_path, Reading(max_file_bytes=20_000))
    assert isinstance(found["fits"], SourceFile)
    assert found["over"] == Skipped("over", SkipReason.TOO_LARGE, "20,001 bytes, the limit is 20,000")


@pytest.mark.parametrize("codec", ["utf-16-le", "utf-16-be"])
def test_utf_16_behind_its_mark_is_handed_over_as_utf_8(tmp_path: Path, reading: Reading, codec: str) -> None:
    """A decoded file has its license tag like any other."""
    text = '// SPDX-License-Identifier: MIT\r\nString name = "Jürgen 🎉 日本";\n'
    (tmp_path / "wide.java").write_bytes(("\ufeff" + text).encode(codec))
    found = read(tmp_path, reading)["wide.java"]
    assert isinstance(found, SourceFile)
    assert found.content == text.encode()
    assert [item.expression for item in found.evidence] == ["MIT"]


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"\xff\xfe", SkipReason.EMPTY),
        (b"\xff\xfea\0b", SkipReason.BINARY),
        (b"\xff\xfe\x00\xd8a\0", SkipReason.BINARY),
        ("\ufeffint x;".encode("utf-32-le"), SkipReason.BINARY),
        (b"\xff\xfeabc", None),
    ],
    ids=["mark-alone", "odd-length", "lone-surrogate", "utf-32", "no-nul"],
)
def test_what_only_looks_like_utf_16_is_judged_by_its_nuls(
    tmp_path: Path, reading: Reading, content: bytes, reason: SkipReason | None
) -> None:
    """A mark before bytes that are no UTF-16 does not make a binary file text, nor a text binary."""
    (tmp_path / "file").write_bytes(content)
    assert reasons(read(tmp_path, reading)) == {"file": reason}


def test_names_that_are_not_utf_8_become_printable(tmp_path: Path, reading: Reading) -> None:
    """The bytes that are no UTF-8 stand as escapes, and the file is read."""
    (Path(os.fsdecode(os.fsencode(tmp_path) + b"/caf\xe9"))).mkdir()
    Path(os.fsdecode(os.fsencode(tmp_path) + b"/caf\xe9/\xff.py")).write_bytes(b"x = 1\n")
    assert reasons(read(tmp_path, reading)) == {"caf\\xe9/\\xff.py": None}
    package = tree(os.fsdecode(os.fsencode(tmp_path) + b"/caf\xe9"), reading).package
    assert package.source == f"{tmp_path}/caf\\xe9"
    assert package.url == f"{tmp_path.as_uri()}/caf%E9"


def test_what_may_not_be_read_is_told(reading: Reading, unprivileged: Callable[[], None]) -> None:
    """A closed file and a closed folder are one skip each; the rest of the tree is read."""
    folder = Path(tempfile.mkdtemp())  # tmp_path lies below a folder that another user may not enter
    folder.chmod(0o755)
    try:
        (folder / "closed").mkdir()
        (folder / "closed" / "inside.py").write_text("x = 1\n")
        (folder / "open.py").write_text("x = 1\n")
        (folder / "secret.py").write_text("x = 1\n")
        (folder / "secret.py").chmod(0)
        (folder / "closed").chmod(0)
        unprivileged()
        found = read(folder, reading)
    finally:
        os.seteuid(os.getuid())
        (folder / "closed").chmod(0o700)
        shutil.rmtree(folder)
    assert reasons(found) == {
        "closed": SkipReason.UNREADABLE,
        "open.py": None,
        "secret.py": SkipReason.UNREADABLE,
    }


def test_a_tree_deeper_than_a_path_may_be_long_ends(tmp_path: Path, reading: Reading) -> None:
    """Where the system refuses a path the folder is skipped, and nothing recurses without end."""
    here = Path.cwd()
    try:
        os.chdir(tmp_path)
        for _ in range(25):
            os.mkdir("d" * 200)  # noqa: PTH102 - an absolute path would be too long
            os.chdir("d" * 200)
        Path("deep.py").write_text("x = 1\n")
    finally:
        os.chdir(here)
    (found,) = read(tmp_path, reading).values()
    assert isinstance(found, Skipped)
    assert found.reason == SkipReason.UNREADABLE


def test_a_file_that_went_away_is_missing(tmp_path: Path, reading: Reading) -> None:
    """Between listing and reading a file may be deleted."""
    (tmp_path / "a.py").write_text("x = 1\n")
    (tmp_path / "b.py").write_text("y = 2\n")
    first, second = tree(os.fspath(tmp_path), reading).files()
    assert isinstance(first, Pending)
    assert isinstance(second, Pending)
    assert first.load().path == "a.py"
    (tmp_path / "b.py").unlink()
    assert second.load() == Skipped("b.py", SkipReason.MISSING, "No such file or directory")
    assert read_path("nul\0byte", "nul\0byte", reading, follow=True).path == "nul\0byte"


def test_a_single_file_is_a_unit_of_its_own(tmp_path: Path, reading: Reading) -> None:
    """Its path in the source is its name, also behind a link that the user gave."""
    (tmp_path / "real.py").write_bytes(b"# Copyright 2020 A. Author\nx = 1\n")
    (tmp_path / "link.py").symlink_to("real.py")
    unit = single_file(os.fspath(tmp_path / "link.py"), reading)
    assert unit.package.source == os.fspath(tmp_path / "link.py")
    assert unit.package.url == (tmp_path / "link.py").as_uri()
    content, notice = b"# Copyright 2020 A. Author\nx = 1\n", "# Copyright 2020 A. Author"
    assert loaded(unit) == [SourceFile("link.py", content, (), (notice,), "Python")]
    assert unit.size == len(content)


@given(st.binary(max_size=60), st.sampled_from([b"", b"\xff\xfe", b"\xfe\xff", b"\xef\xbb\xbf"]))
def test_any_bytes_are_read_as_they_are_or_skipped(
    tmp_path_factory: pytest.TempPathFactory, content: bytes, mark: bytes
) -> None:
    """A file without a UTF-16 mark is handed over unchanged unless it is empty or holds a NUL."""
    path = tmp_path_factory.getbasetemp() / "any-bytes"
    path.write_bytes(mark + content)
    found = read_path(os.fspath(path), "any", Reading(), follow=False)
    if mark in (b"", b"\xef\xbb\xbf") and not content.startswith((b"\xff\xfe", b"\xfe\xff")):
        if not mark + content:
            assert found == Skipped("any", SkipReason.EMPTY)
        elif b"\0" in content:
            assert isinstance(found, Skipped)
            assert found.reason == SkipReason.BINARY
        else:
            assert isinstance(found, SourceFile)
            assert found.content == mark + content
    elif isinstance(found, SourceFile):
        assert b"\0" not in found.content


FIRMWARE = b"[Defines]\n  PLATFORM_NAME = Shell\n[LibraryClasses]\n  main.c notes.txt\n"


def test_what_only_has_the_name_of_a_debian_source_package_is_a_file(tmp_path: Path, reading: Reading) -> None:
    """So has the description of a firmware's build; the files that it names are there too."""
    for name, content in (("Shell.dsc", FIRMWARE), ("main.c", b"int main;\n"), ("notes.txt", b"of main\n")):
        (tmp_path / name).write_bytes(content)
    assert reasons(read(tmp_path, reading)) == {"Shell.dsc": None, "main.c": None, "notes.txt": None}


def test_only_the_parts_of_a_debian_source_package_go_with_it(tmp_path: Path, reading: Reading) -> None:
    """Those of its lists, however far down they stand; a file that its fields mention is one like any other."""
    listed = "".join(f" {number:032x} {number} part-{number}.tar.gz\n" for number in range(200))
    head = "Format: 1.0\nSource: hello\nBinary: hello\nVersion: 1\nPackage-List:\n" + " hello deb\n" * 500
    (tmp_path / "hello_1.dsc").write_text(f"{head}Files:\n{listed}", encoding="utf-8")
    for name in ("hello", "part-0.tar.gz", "part-199.tar.gz"):
        (tmp_path / name).write_bytes(b"a file\n")
    hello, package = tree(os.fspath(tmp_path), reading).files()
    assert isinstance(hello, Pending)
    assert hello.path == "hello"
    assert isinstance(package, Unit)


def test_a_folder_is_no_file(tmp_path: Path) -> None:
    """Also where a RECORD lists one, as some distributions' do."""
    found = read_path(os.fspath(tmp_path), "vendor", Reading(), follow=True)
    assert isinstance(found, Skipped)
    assert found.reason is SkipReason.NOT_A_FILE
