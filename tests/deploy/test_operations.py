"""The operator's page: its commands work while a server answers, and its figures are the measured ones."""

from __future__ import annotations

import importlib.util
import json
import re
import shutil
import subprocess
import sys
import time
import tomllib
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from oracle.deployed import DEPLOY
from oracle.served import Served

pytestmark = pytest.mark.slow  # `.ci/run` runs them by themselves

ROOT = DEPLOY.parent
PAGE = (DEPLOY / "README.md").read_text(encoding="utf-8")


def commands(heading: str) -> str:
    """The commands under a heading."""
    found = re.search(rf"^### {heading}\n.*?^```sh\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
    assert found is not None, heading
    return found.group(1)


def test_an_index_is_backed_up_and_restored_while_a_server_answers(
    require: Callable[..., None], index: Path, passage: str, tmp_path: Path
) -> None:
    """By the page's own commands: what was added since is gone, what was taken down is not there again."""
    require("flock", "waitress", "flask", "prometheus_client")
    held = tmp_path / "held"
    held.mkdir()
    shutil.copytree(index, held / "index")
    (tmp_path / "opt-outs.txt").write_text("https://github.com/nobody/nothing\n")
    (tmp_path / "codecite").write_text(f'#!/bin/sh\nexec "{sys.executable}" -m codecite.search_api.cli "$@"\n')
    (tmp_path / "codecite").chmod(0o755)

    def run(script: str) -> None:
        script = script.replace("/var/lib/codecite", str(held)).replace("/etc/codecite", str(tmp_path))
        script = f"set -e\nPATH={tmp_path}:$PATH\n{script}"
        done = subprocess.run(["bash", "-c", script], capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr

    (tmp_path / "more").mkdir()
    (tmp_path / "more" / "again.py").write_text(f"# another place\n{passage}")
    with Served("--index", held / "index") as server:

        def documents() -> int:
            status, answered = server.post("/api/v1/check", {"text": passage})
            assert status == 200
            return int(answered["matches"][0]["documents"]) if answered["matches"] else 0

        def soon(expected: int) -> None:
            end = time.monotonic() + 20
            while documents() != expected:
                assert time.monotonic() < end
                time.sleep(0.1)

        soon(1)
        run(commands("Back up"))
        run(f"codecite index add {tmp_path}/more --index {held}/index")
        soon(2)
        run(commands("Restore"))
        soon(1)
        assert (held / "in-force.txt").exists()
        run(f"codecite index remove --path 'search_api/streams.py' --path 'streams.py' --index {held}/index")
        soon(0)


@pytest.fixture(scope="module")
def writer() -> ModuleType:
    """The module that writes docs/the-stack.md."""
    spec = importlib.util.spec_from_file_location("write_the_stack", ROOT / "docs" / "write_the_stack.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def inputs() -> tuple[dict[str, Any], dict[str, Any]]:
    """What was measured, and what is assumed."""
    sizing = json.loads((ROOT / "docs" / "sizing.json").read_text(encoding="utf-8"))
    return sizing, tomllib.loads((ROOT / "docs" / "the-stack.toml").read_text(encoding="utf-8"))


def test_the_plan_is_written_from_the_figures(
    writer: ModuleType, inputs: tuple[dict[str, Any], dict[str, Any]]
) -> None:
    """`make docs` would change nothing, and the operator's page has the same table."""
    sizing, held = inputs
    assert writer.page(sizing, held) == (ROOT / "docs" / "the-stack.md").read_text(encoding="utf-8")
    assert writer.measured(sizing) in PAGE


def test_the_plans_arithmetic(writer: ModuleType, inputs: tuple[dict[str, Any], dict[str, Any]]) -> None:
    """By round figures that can be reckoned in the head; Elasticsearch's column is empty until it is measured."""
    _, held = inputs
    corpus = {"corpus_bytes": 10**9, "index_bytes": 8 * 10**8, "build_cpu_seconds": 80, "compact_cpu_seconds": 20}
    corpus |= {"parts": {"buckets.npy": 10**7, "tags.npy": 9 * 10**7, "content.lz4": 10**8}}
    held = held | {
        "corpus": {"bytes": 10**12},
        "node": {"cores": 10, "disk_bytes": 2 * 10**11, "fill": 0.5, "core_speed": 2.0}
        | {"memory_bytes": 2 * 10**10, "memory_fill": 0.5, "efficiency": 0.5},
        "prices": {"core_hour": 0.5, "terabyte_month": 100.0},
        "elasticsearch": {"replicas": 1},
    }
    found = writer.plan({"corpora": {"one": corpus}}, held)
    assert found["elasticsearch"] is None
    embedded = found["embedded"]
    assert (embedded["bytes"], embedded["by_disk"], embedded["by_memory"], embedded["nodes"]) == (8e11, 8, 10, 10)
    assert embedded["core_hours"] == pytest.approx(100_000 / 2 / 3600)
    assert embedded["hours"] == pytest.approx(100_000 / 2 / 3600 / 50)
    assert embedded["build_dollars"] == pytest.approx(100_000 / 2 / 3600 / 2)
    assert embedded["disk_dollars_a_month"] == pytest.approx(200)
    assert embedded["core_dollars_a_month"] == pytest.approx(10 * 10 * 730 * 0.5)
    held["elasticsearch"] |= {"bytes_per_byte": 1.5, "bytes_per_core_second": 10**6}
    there = writer.plan({"corpora": {"one": corpus}}, held)["elasticsearch"]
    assert (there["bytes"], there["nodes"]) == (3e12, 30)
    assert there["core_hours"] == pytest.approx(10**6 / 2 / 3600)
