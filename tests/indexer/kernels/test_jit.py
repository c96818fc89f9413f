"""The cache of compiled kernels: read where it cannot be written, and of one processor."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

READ_ONLY = 'mount --bind "$1" "$1" && mount -o remount,ro,bind "$1" && shift && exec "$@"'
ASK = """
import sys
from codecite.indexer.kernels import jit
cold = jit.is_cold(jit.Warmth.ALL)
assert jit._probe(3) == 3
if sys.argv[1:] == ["finish"]:
    jit.mark_warm(jit.Warmth.ALL)
print(cold, sum(jit._probe.stats.cache_hits.values()), jit._kernels[0]._cache.cache_path)
"""


def asked(cache: Path, *prefix: str, finish: bool = False, **environment: str) -> tuple[str, str, Path]:
    """Call one kernel in a process of its own: whether the cache is cold, how often it was hit, where it lies."""
    command = [*prefix, sys.executable, "-c", ASK, *(["finish"] if finish else [])]
    given = {**os.environ, "NUMBA_CACHE_DIR": str(cache), **environment}
    ended = subprocess.run(command, capture_output=True, text=True, check=False, env=given)
    assert ended.returncode == 0, ended.stderr
    cold, hits, place = ended.stdout.split()
    return cold, hits, Path(place)


@pytest.fixture
def cache(tmp_path: Path) -> Path:
    """A cache that can be written; skips where it could not be made read-only."""
    if subprocess.run(["unshare", "--mount", "true"], capture_output=True, check=False).returncode:
        pytest.skip("no mounts of its own can be given to a process here: it takes root")
    place = tmp_path / "kernels"
    place.mkdir()
    return place


@pytest.fixture
def read_only(cache: Path) -> list[str]:
    """What stands before a command that may not write to the cache."""
    return ["unshare", "--mount", "sh", "-c", READ_ONLY, "sh", str(cache)]


def test_a_finished_cache_is_read_where_it_cannot_be_written(cache: Path, read_only: list[str]) -> None:
    """No kernel is compiled again, nothing is written, and no other place is taken; for another processor one is."""
    assert asked(cache, finish=True)[:2] == ("True", "0")
    before = sorted(cache.rglob("*"))
    cold, hits, place = asked(cache, *read_only)
    assert (cold, hits) == ("False", "1")
    assert place.is_relative_to(cache)
    assert not asked(cache, *read_only, NUMBA_CPU_NAME="generic")[2].is_relative_to(cache)
    assert sorted(cache.rglob("*")) == before


def test_a_cache_that_is_not_finished_and_cannot_be_written_is_passed_over(cache: Path, read_only: list[str]) -> None:
    """Else each process would compile what is missing anew, and never say so."""
    asked(cache)
    assert not asked(cache, *read_only)[2].is_relative_to(cache)
