"""A disk that is full: the error says so and what mends it, what was published stays, and nothing is left behind.

The disk is a small tmpfs of its own, where this process may mount one, and a limit on the size of files, which every
process may set for its children.
"""

from __future__ import annotations

import os
import resource
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import click
import pytest
from oracle.killing import NEXT, WORKS, base, do, small, states
from oracle.planned import File, Plan, unit
from oracle.pool import QUERIES, package
from oracle.store_model import answers
from oracle.tidy import holds_nothing_else, said

from codecite.indexer import making, open_index
from codecite.indexer.build import add
from codecite.indexer.errors import IndexWriteError
from codecite.indexer.store import tiers, writer
from codecite.indexer.store.verify import verify

ROOM = 4 << 20
LINES = [b"int value_%d = %d;\n" % (i, i * i * 7919 % 1_000_003) for i in range(40_000)]


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 4 MB."""
    place = tmp_path / "disk"
    place.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", f"size={ROOM}", "none", str(place)], capture_output=True, check=False
    )
    if mounted.returncode:
        pytest.skip("a small tmpfs cannot be mounted here: it takes root")
    yield place
    subprocess.run(["umount", "-l", str(place)], check=True)


@pytest.fixture
def small_limits(monkeypatch: pytest.MonkeyPatch) -> None:
    """Small Segments, merged soon; undone after the test."""
    for module, name in ((making, "MAX_CANONICAL"), (making, "_BATCH"), (tiers, "FANOUT"), (writer, "PostingSpool")):
        monkeypatch.setattr(module, name, getattr(module, name))
    small()


def leave(disk: Path, room: int) -> None:
    """Fill the disk until so many bytes are left."""
    (disk / "filler").unlink(missing_ok=True)
    status = os.statvfs(disk)
    with (disk / "filler").open("wb") as file:
        file.write(bytes(max(0, status.f_bavail * status.f_frsize - room)))


@pytest.mark.usefixtures("small_limits")
@pytest.mark.parametrize("work", WORKS)
def test_a_disk_that_is_full_at_any_point_loses_nothing(disk: Path, tmp_path: Path, work: str) -> None:
    """With ever more room until it is enough: first before anything is written, then within every file."""
    whole = tmp_path / "whole"
    model = base(whole)
    possible = [said(tmp_path, state) for state in states(work, model)]
    refused = 0
    for room in range(0, ROOM // 2, 16 << 10):
        index = disk / "index"
        shutil.copytree(whole, index)
        leave(disk, room)
        try:
            do(work, index)
            break
        except IndexWriteError as error:
            refused += 1
            assert str(error).startswith(f"{index}: cannot be written (No space left on device")
            assert "what was published before is whole; make room and run it again" in str(error)
        assert answers(open_index(index), QUERIES) in possible
        assert verify(index).problems == ()
        holds_nothing_else(index)
        (disk / "filler").unlink()
        do(work, index)
        assert answers(open_index(index), QUERIES) == possible[-1]
        shutil.rmtree(index)
    assert refused > 0
    assert answers(open_index(disk / "index"), QUERIES) == possible[-1]


def test_what_fills_the_disk_is_taken_away_again(disk: Path) -> None:
    """Several megabytes that were written before the end are free again, and the same add succeeds with more room."""
    index = disk / "index"
    add(index, [unit(plan) for plan in NEXT])
    before = answers(open_index(index), QUERIES)
    free = os.statvfs(disk).f_bavail
    large = [
        Plan(package("/large", 4, None), tuple(File(f"{i}.c", b"".join(LINES[i::7]) * 2) for i in range(7))),
        Plan(package("/large", 0, None), (File("noise.c", os.urandom(ROOM).hex().encode()),)),
    ]
    with pytest.raises(IndexWriteError, match="No space left on device"):
        add(index, [unit(plan) for plan in large])
    assert answers(open_index(index), QUERIES) == before
    assert os.statvfs(disk).f_bavail >= free - 1  # the lock names its last holder
    subprocess.run(["mount", "-o", f"remount,size={10 * ROOM}", str(disk)], check=True)
    assert add(index, [unit(plan) for plan in large]).documents == 8
    assert open_index(index).check(LINES[7] + LINES[14] + LINES[21] + LINES[28]).attributions


def test_a_disk_without_any_room_says_so_for_a_new_index(disk: Path) -> None:
    """Not even a folder can be made, or a byte be written."""
    for room in (0, 4096, 8192):
        leave(disk, room)
        with pytest.raises(IndexWriteError, match=r"No space left on device.*make room"):
            add(disk / "new", [unit(plan) for plan in NEXT])
    (disk / "filler").unlink()
    assert add(disk / "new", [unit(plan) for plan in NEXT]).documents == 1


@pytest.mark.parametrize("limit", [1, 3000, 100_000])
def test_a_limit_on_files_ends_the_command_with_one_line_and_code_2(tmp_path: Path, limit: int) -> None:
    """No traceback; the index is as it was, and the same command succeeds without the limit."""
    index, tree = tmp_path / "index", tmp_path / "tree"
    add(index, [unit(plan) for plan in NEXT])
    before = answers(open_index(index), QUERIES)
    shutil.copytree(Path(click.__file__).parent, tree, ignore=shutil.ignore_patterns("__pycache__"))
    command = [sys.executable, "-m", "codecite.search_api.cli", "index", "add", str(tree), "--index", str(index)]

    warm = [*command[:-1], str(tmp_path / "other")]  # compiled kernels are files, too
    subprocess.run(warm, capture_output=True, check=True)

    def limited() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))

    ended = subprocess.run(command, preexec_fn=limited, capture_output=True, text=True, check=False)
    assert (ended.returncode, ended.stdout) == (2, "")
    assert "Traceback" not in ended.stderr
    (line,) = ended.stderr.strip().splitlines()
    assert f"{index}: cannot be written (File too large" in line
    assert "make room and run it again" in line
    assert answers(open_index(index), QUERIES) == before
    assert verify(index).problems == ()
    holds_nothing_else(index)
    ended = subprocess.run(command, capture_output=True, text=True, check=False)
    assert ended.returncode == 0
    assert len(open_index(index).check((tree / "core.py").read_bytes()).attributions) > 0
