"""Patterns leave out what git leaves out by the same patterns, and what can match nothing is an error."""

from __future__ import annotations

import re
import shutil
import subprocess
import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from codecite.indexer.corpus.patterns import Excludes, read_patterns
from codecite.indexer.errors import ConfigError

needs_git = pytest.mark.skipif(shutil.which("git") is None, reason="git is missing: it is the oracle for patterns")

NAMES = ("a", "b", "ab", "a.c", "b.c", "-", "]", "^x", "x y", "a[b", "!n", "#h", "\\q", "build")
TOKENS = (
    *(
        "a",
        "b",
        "x",
        "build",
        ".c",
        "*",
        "*",
        "*",
        "?",
        "/",
        "/",
        "**",
        "**/",
        "/**",
        "/**/",
        "***",
        "-",
        "]",
        "^",
        "!",
        "#",
    ),
    *(
        "[ab]",
        "[!a]",
        "[^a]",
        "[]a]",
        "[^]]",
        "[a-c]",
        "[!-]",
        "[a\\]-c]",
        "[[:alpha:]]",
        "[![:punct:]]",
        "[",
        "\\",
        " ",
    ),
    *("\\ ", "\\/", "\\#", "\\!", "\\*", "\\\\"),
)
STARS_IN_A_NAME = re.compile(r"[^/*]\*\*")
"""Where git 2.39 differs from its own documentation: `x**/**` leaves out a file `x1`."""


@pytest.fixture(scope="module")
def repository(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An empty repository: the paths that git is asked about need not exist but for folders."""
    root = tmp_path_factory.mktemp("repository")
    subprocess.run(["git", "init", "-q", root], check=True)
    for outer in NAMES[::2]:
        for inner in NAMES[1::2]:
            (root / outer / inner).mkdir(parents=True)
            (root / outer / inner / "a").write_bytes(b"")
            (root / outer / inner / "b.c").mkdir()
        for name in NAMES[::3]:
            if not (root / outer / name).exists():
                (root / outer / name).write_bytes(b"")
    for name in NAMES[1::2]:
        (root / name).write_bytes(b"")
    return root


@pytest.fixture(scope="module")
def paths(repository: Path) -> list[str]:
    """All paths in the repository, those of folders with a `/`."""
    found = [path for path in repository.rglob("*") if ".git" not in path.relative_to(repository).parts]
    return [path.relative_to(repository).as_posix() + "/" * path.is_dir() for path in found]


def git_excludes(root: Path, patterns: list[str], paths: list[str]) -> set[str]:
    """Which of the paths git leaves out."""
    (root / ".git" / "info" / "exclude").write_text("\n".join(patterns) + "\n")
    asked = "".join(path.rstrip("/") + "\0" for path in paths)
    command = ["git", "-C", str(root), "check-ignore", "--no-index", "-z", "--stdin"]
    done = subprocess.run(command, input=asked.encode(), capture_output=True, check=False)
    assert done.returncode in (0, 1), done.stderr
    return set(filter(None, done.stdout.decode().split("\0")))


def accepted(pattern: str) -> bool:
    """Whether the pattern is one."""
    try:
        Excludes([pattern])
    except ConfigError:
        return False
    return True


@needs_git
@given(patterns=st.lists(st.lists(st.sampled_from(TOKENS), min_size=1, max_size=6).map("".join), max_size=4))
def test_what_git_leaves_out_is_left_out(repository: Path, paths: list[str], patterns: list[str]) -> None:
    """Of a tree with folders in folders exactly what `git check-ignore` names is left out."""
    patterns = [pattern for pattern in patterns if accepted(pattern) and not STARS_IN_A_NAME.search(pattern)]
    excluded = Excludes(patterns)
    assert {path.rstrip("/") for path in paths if excluded(path)} == git_excludes(repository, patterns, paths)


@needs_git
@given(pattern=st.lists(st.sampled_from(TOKENS), min_size=1, max_size=5).map("".join))
def test_a_refused_pattern_leaves_out_nothing_in_git(repository: Path, paths: list[str], pattern: str) -> None:
    """What is an error here is a pattern by which git leaves out nothing."""
    if not accepted(pattern):
        assert git_excludes(repository, [pattern], paths) == set()


@pytest.mark.parametrize(
    ("patterns", "left_out", "kept"),
    [
        (["*.pyc"], ["a.pyc", "a/b/c.pyc"], ["a.py", "a.pyc.txt"]),
        (["build/"], ["build/", "a/build/", "build/x", "a/build/x/y"], ["build", "a/build"]),
        (["/docs/*.md"], ["docs/a.md"], ["x/docs/a.md", "docs/x/a.md"]),
        (["*", "!*/", "!*.c"], ["a.h", "x/a.h"], ["x/", "a.c", "x/y/a.c"]),
        (["*", "!src/"], ["a", "lib/", "src/a"], ["src/"]),
        (["x/", "!x/keep"], ["x/", "x/keep"], ["keep"]),
        (["x/*", "!x/keep"], ["x/other"], ["x/", "x/keep"]),
        (["a/**/z"], ["a/z", "a/b/c/z"], ["z", "b/a/z"]),
        (["a/**"], ["a/b", "a/b/c"], ["a/", "a"]),
        (["[[:digit:]]?"], ["1x", "d/2\N{GREEK SMALL LETTER ALPHA}"], ["x1", "1"]),
        (["a b\\ ", "c  "], ["a b ", "c"], ["a b", "c "]),
        ([], [], ["a", "b/"]),
    ],
)
def test_patterns_have_the_meaning_that_git_documents(
    patterns: list[str], left_out: list[str], kept: list[str]
) -> None:
    """Folders, roots, double stars, taking back, classes and spaces."""
    excluded = Excludes(patterns)
    assert [path for path in left_out if not excluded(path)] == []
    assert [path for path in kept if excluded(path)] == []


@pytest.mark.parametrize(
    ("pattern", "why"),
    [
        ("a[bc", "closing bracket"),
        ("[z-a]", "empty range z-a"),
        ("[[:alfa:]]", "unknown class [:alfa:]"),
        ("a\\", "lone backslash"),
        ("", "matches nothing"),
        ("!", "matches nothing"),
        ("/", "matches nothing"),
        ("a//b", "matches nothing"),
        ("#a", "is a comment"),
    ],
)
def test_a_pattern_that_can_match_nothing_is_an_error(pattern: str, why: str) -> None:
    """The error names the pattern, and says what mends it."""
    with pytest.raises(ConfigError, match=re.escape(why)) as caught:
        Excludes(["*.c", pattern])
    assert repr(pattern) in str(caught.value)


def test_a_file_of_patterns_is_read_as_git_reads_it(tmp_path: Path) -> None:
    """Comments and empty lines, carriage returns and a byte order mark are not patterns."""
    path = tmp_path / "patterns"
    path.write_bytes(b"\xef\xbb\xbf*.pyc\r\n\n# comment\n  \n!keep.pyc\n\\#a")
    assert read_patterns(path) == ["*.pyc", "!keep.pyc", "\\#a"]


@pytest.mark.parametrize(
    ("content", "why"),
    [(b"*.c\n\na[b\n", "line 3: the pattern 'a[b'"), (b"a\xff", "byte 1: is not UTF-8"), (None, "cannot be read")],
)
def test_a_bad_file_of_patterns_is_named_with_the_place(tmp_path: Path, content: bytes | None, why: str) -> None:
    """The error names the file, and the line or byte."""
    path = tmp_path / "patterns"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(ConfigError, match=re.escape(f"{path}")) as caught:
        read_patterns(path)
    assert why in str(caught.value)


def test_hostile_patterns_and_paths_take_no_time() -> None:
    """Many stars against a long name, and thousands of folders in folders, are answered at once."""
    began = time.monotonic()
    assert not Excludes(["*a*a*a*a*a*a*a*b"])("a" * 5000)
    assert Excludes(["*.c"])("a/" * 5000 + "x.c")
    assert not Excludes(["**/a/**/b/"])("a/" * 300 + "x")
    assert time.monotonic() - began < 5
