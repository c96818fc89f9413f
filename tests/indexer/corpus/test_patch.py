"""The files that a `.diff.gz` adds come out of it, and what else it does is named."""

from __future__ import annotations

import gzip
import io
import random
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from codecite.indexer.corpus.patch import added_files
from codecite.indexer.errors import SourceError
from codecite.indexer.records import Skipped, SkipReason

DIFF = b"""diff -Naur x-1.orig/debian/rules x-1/debian/rules
--- x-1.orig/debian/rules\t1970-01-01 00:00:00 +0000
+++ x-1/debian/rules\t2020-01-01 00:00:00 +0000
@@ -0,0 +1,3 @@
+#!/usr/bin/make -f
+--- not a head
+
--- x-1.orig/x.c
+++ x-1/x.c
@@ -1 +1 @@
-old
+new
@@ -7,0 +7 @@
+more
--- x-1.orig/debian/last
+++ x-1/debian/last
@@ -0,0 +1 @@
+no end
\\ No newline at end of file
"""


def read(diff: bytes) -> tuple[dict[str, bytes], list[Skipped]]:
    """What is in the diff, packed."""
    return added_files(io.BytesIO(gzip.compress(diff)), "x.diff.gz")


def test_added_files_come_with_their_contents_and_changes_are_named() -> None:
    """Lines that look like the head of a file may stand in one; a last line may have no end."""
    added, others = read(DIFF)
    assert added == {"debian/rules": b"#!/usr/bin/make -f\n--- not a head\n\n", "debian/last": b"no end"}
    assert [(item.path, item.reason) for item in others] == [("x.c", SkipReason.NOT_A_FILE)]


def test_what_diff_writes_of_new_files_is_read_back(require: Callable[..., None], tmp_path: Path) -> None:
    """The program `diff` is the other way round."""
    require("diff")
    chance = random.Random(1)
    files = {
        f"debian/{n}": b"".join(chance.choices([b"+", b"-", b" ", b"@@ -0,0 +1 @@\n", b"x\n", b"\n", b"\\ "], k=n))
        for n in range(1, 40)
    }
    for name, content in files.items():
        (tmp_path / "new" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "new" / name).write_bytes(content)
    (tmp_path / "old").mkdir()
    diff = subprocess.run(["diff", "-Nru", "old", "new"], cwd=tmp_path, capture_output=True, check=False).stdout
    assert read(diff) == (files, [])


@pytest.mark.parametrize("name", [b"/etc/passwd", b"x/../../y", b"x\\y", b""])
def test_names_that_lead_out_of_the_package_are_skipped(name: bytes) -> None:
    """Nothing is written anyway; but no such path is told on."""
    added, others = read(b"--- x\n+++ " + name + b"\n@@ -0,0 +1 @@\n+x\n")
    assert not added
    assert [item.reason for item in others] == [SkipReason.BAD_PATH]


@pytest.mark.parametrize(
    ("diff", "expected"),
    [
        (b"--- x/a\n@@ -0,0 +1 @@\n+x\n", "line 2 is damaged .*new name"),
        (b"@@ -0,0 +1 @@\n+x\n", "line 1 is damaged .*hunk of no file"),
        (b"--- x/a\n", "line 1 is damaged .*new name"),
        (b"--- x/a\n+++ x/a\n@@ -0,0 +1,3 @@\n+x\n", "line 5 is damaged .*fewer lines"),
        (b"--- x/a\n+++ x/a\n@@ -0,0 +1,3 @@\n+x\n--- x/b\n+++ x/b\nz", "line 7 is damaged .*fewer lines"),
    ],
)
def test_a_damaged_diff_is_named_with_its_line(diff: bytes, expected: str) -> None:
    """A hunk that is cut short is not a shorter file."""
    with pytest.raises(SourceError, match=rf"x\.diff\.gz: {expected}.*download"):
        read(diff)


def test_truncated_and_exploding_streams_are_refused() -> None:
    """Before they cost anything."""
    with pytest.raises(SourceError, match=r"x\.diff\.gz"):
        added_files(io.BytesIO(gzip.compress(DIFF)[:-9]), "x.diff.gz")
    with pytest.raises(SourceError, match=r"x\.diff\.gz: expands to more"):
        added_files(io.BytesIO(gzip.compress(bytes(1 << 20), 1) * 300), "x.diff.gz")


def test_no_damage_does_more_than_a_source_error() -> None:
    """Five hundred diffs with some bytes changed are read, or refused by the one error."""
    chance = random.Random(2)
    refused = 0
    for _ in range(500):
        content = bytearray(DIFF)
        for _ in range(chance.randint(1, 4)):
            content[chance.randrange(len(content))] = chance.choice(b"\n+- @0,9/x")
        try:
            read(bytes(content))
        except SourceError:
            refused += 1
    assert 20 < refused < 480
