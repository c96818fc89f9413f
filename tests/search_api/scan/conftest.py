"""Real repositories and a real index: wheels made anew from installed packages, and functions cut out of them."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from oracle.projects import Repository, functions_of, own_code, wheel_of

PACKAGES = ("reuse", "click", "attrs", "certifi", "packaging")
"""GPL-3.0-or-later, BSD-3-Clause, MIT, MPL-2.0, Apache-2.0 OR BSD-2-Clause."""

ScanJson = Callable[..., dict[str, Any]]


@pytest.fixture(scope="session")
def wheels(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheels."""
    folder = tmp_path_factory.mktemp("wheels")
    for name in PACKAGES:
        wheel_of(name, folder)
    return folder


@pytest.fixture(scope="session")
def upstream(process, wheels: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The index of the wheels."""
    directory = tmp_path_factory.mktemp("upstream") / "index"
    done = process("index", "add", wheels, "--index", directory)
    assert done.returncode == 0, done.stderr
    return directory


@pytest.fixture
def scanned(codecite, upstream: Path) -> ScanJson:
    """Run `codecite scan --output json` and read its answer; a verdict `fail` is as good as another."""

    def run(*arguments: str | Path, stdin: str | bytes = b"") -> dict[str, Any]:
        done = codecite("scan", *arguments, "--output", "json", "--index", upstream, stdin=stdin)
        assert done.returncode in (0, 1), done.stderr
        read: dict[str, Any] = json.loads(done.stdout)
        assert (done.returncode == 1) == (read["outcome"] == "fail")
        return read

    return run


@pytest.fixture
def repository(tmp_path: Path) -> Repository:
    """A project under Apache-2.0 with a little code of its own."""
    made = Repository(tmp_path / "project")
    made.root.mkdir()
    made.git("init", "-q", "-b", "main")
    made.write("app/own.py", own_code(1))
    made.write("LICENSE", "Apache License\nVersion 2.0, January 2004\nhttp://www.apache.org/licenses/\n")
    made.commit("begin")
    return made


@pytest.fixture(scope="session")
def gpl_functions() -> list[str]:
    """Functions of `reuse`, which is GPL-3.0-or-later."""
    return functions_of("reuse")
