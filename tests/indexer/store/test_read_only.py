"""An index on a read-only file system answers; who wants to write to it is told why that fails."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest
from oracle.killing import MORE, base
from oracle.planned import unit
from oracle.pool import CONTENTS, QUERIES, RULES
from oracle.store_model import answers
from oracle.tidy import said

from codecite.indexer import open_index
from codecite.indexer.build import add
from codecite.indexer.errors import CodeciteError
from codecite.indexer.store.verify import verify
from codecite.indexer.upkeep import compact, remove

ROOT = Path(__file__).parents[3]


@pytest.fixture
def index(tmp_path: Path) -> Iterator[Path]:
    """An index on a read-only mount, or, where this process may not mount, in folders that it may not write to."""
    place = tmp_path / "disk"
    place.mkdir()
    base(place / "index")
    command = ["mount", "--bind", str(place), str(place)]
    if subprocess.run(command, capture_output=True, check=False).returncode:
        if os.geteuid() == 0:
            pytest.skip("root may write to everything, and cannot mount here")
        found = [place, *place.rglob("*")]
        for path in found:
            path.chmod(0o500 if path.is_dir() else 0o400)
        yield place / "index"
        for path in found:
            path.chmod(0o700 if path.is_dir() else 0o600)
        return
    subprocess.run(["mount", "-o", "remount,ro,bind", str(place)], check=True)
    yield place / "index"
    subprocess.run(["umount", "-l", str(place)], check=True)


def command(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run the command line."""
    return subprocess.run(
        [sys.executable, "-m", "codecite.search_api.cli", *arguments],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, **environment},
    )


def test_a_read_only_index_answers_and_is_verified(index: Path, tmp_path: Path) -> None:
    """As one that can be written to; figures and dry runs as well."""
    model = base(tmp_path / "other")
    assert answers(open_index(index), QUERIES) == said(tmp_path, model)
    assert verify(index).problems == ()
    assert open_index(index).stats()[0].documents == model.figures()["documents"]
    assert remove(index, [RULES[4].takedown], dry_run=True).origins > 0


def test_a_writer_of_a_read_only_index_is_told_so(index: Path) -> None:
    """It names the index and the reason, and leaves nothing."""
    for write in (
        lambda: add(index, [unit(plan) for plan in MORE]),
        lambda: compact(index),
        lambda: remove(index, [RULES[4].takedown]),
    ):
        with pytest.raises(
            CodeciteError, match=rf"{re.escape(str(index))}: .*(Read-only file system|Permission denied)"
        ):
            write()
    assert verify(index).problems == ()


def test_the_command_line_works_on_a_read_only_index(index: Path, tmp_path: Path) -> None:
    """check, stats and verify answer; add ends with one line and exit code 2."""
    text = tmp_path / "text.py"
    text.write_bytes(CONTENTS[8])
    ended = command("check", "--format", "json", "--index", str(index), str(text))
    assert (ended.returncode, ended.stderr) == (0, "")
    assert json.loads(ended.stdout)["matches"] != []
    for name in ("stats", "verify"):
        assert command("index", name, "--index", str(index)).returncode == 0
    ended = command("index", "add", str(text), "--index", str(index))
    assert (ended.returncode, ended.stdout) == (2, "")
    (line,) = ended.stderr.splitlines()
    assert str(index) in line


@pytest.mark.slow
def test_a_container_that_is_read_only_keeps_its_kernels_elsewhere(index: Path, tmp_path: Path) -> None:
    """With the program on a read-only mount, too, `NUMBA_CACHE_DIR` says where; the second run finds them there."""
    namespace = ["unshare", "--mount"]
    if subprocess.run([*namespace, "true"], capture_output=True, check=False).returncode:
        pytest.skip("no mounts of its own can be given to a process here: it takes root")
    text, cache = tmp_path / "text.py", tmp_path / "kernels"
    text.write_bytes(CONTENTS[8])

    def checked() -> Sequence[object]:
        inside = (
            'mount --bind "$1" "$1" && mount -o remount,ro,bind "$1" && ! touch "$1/indexer/x" 2> /dev/null'
            ' && shift && exec "$@"'
        )
        arguments = [sys.executable, "-m", "codecite.search_api.cli", "check", "--format", "json"]
        ended = subprocess.run(
            [*namespace, "sh", "-c", inside, "sh", str(ROOT), *arguments, "--index", str(index), str(text)],
            capture_output=True,
            text=True,
            check=False,
            env={**os.environ, "NUMBA_CACHE_DIR": str(cache)},
        )
        assert ended.returncode == 0, ended.stderr
        found: Sequence[object] = json.loads(ended.stdout)["matches"]
        return found

    first = checked()
    assert first != []
    compiled = {path.name for path in cache.rglob("*.nbc")}
    assert compiled
    assert checked() == first
    assert {path.name for path in cache.rglob("*.nbc")} == compiled
