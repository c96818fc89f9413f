"""A small real corpus, its index, and the command line as a process of its own."""

from __future__ import annotations

import os
import subprocess
import sys
import sysconfig
from collections.abc import Callable
from pathlib import Path

import pytest

Run = Callable[..., subprocess.CompletedProcess[str]]

STDLIB = Path(sysconfig.get_paths()["stdlib"])
MODULES = ("textwrap.py", "shlex.py", "bisect.py", "heapq.py", "json/decoder.py", "json/scanner.py")


@pytest.fixture(scope="session")
def codecite(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """Run `codecite` with these arguments in a process of its own; no terminal, no index but the one it is given."""
    home = tmp_path_factory.mktemp("home")

    def run(*arguments: str | Path, stdin: str | bytes = b"", **environment: str) -> subprocess.CompletedProcess[str]:
        outside = {key: value for key, value in os.environ.items() if not key.startswith(("CODECITE_", "XDG_"))}
        done = subprocess.run(
            [sys.executable, "-m", "codecite.search_api.cli", *map(os.fspath, arguments)],
            input=stdin.encode() if isinstance(stdin, str) else stdin,
            capture_output=True,
            env={**outside, "XDG_DATA_HOME": str(home), **environment},
            check=False,
            timeout=300,
        )
        return subprocess.CompletedProcess(
            done.args, done.returncode, done.stdout.decode("utf-8"), done.stderr.decode("utf-8")
        )

    return run


@pytest.fixture(scope="session")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A tree of real modules: two of them under a license tag, one of them twice, and one file that is no text."""
    tree = tmp_path_factory.mktemp("corpus")
    for number, name in enumerate(MODULES):
        target = tree / name
        target.parent.mkdir(exist_ok=True)
        head = "# SPDX-License-Identifier: PSF-2.0\n# Copyright (c) 2001 Some Body\n" if number < 2 else ""
        target.write_text(head + (STDLIB / name).read_text(encoding="utf-8"), encoding="utf-8")
    (tree / "vendored").mkdir()
    (tree / "vendored" / "bisect.py").write_bytes((tree / "bisect.py").read_bytes())
    (tree / "image.bin").write_bytes(b"\x00\x01\x02" * 500)
    return tree


@pytest.fixture(scope="session")
def index(codecite: Run, corpus: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The index of the corpus, made by the command line."""
    directory = tmp_path_factory.mktemp("made") / "index"
    done = codecite("index", "add", corpus, "--index", directory)
    assert done.returncode == 0, done.stderr
    return directory


@pytest.fixture(scope="session")
def passage(corpus: Path) -> str:
    """Twenty lines of a module of the corpus."""
    return "\n".join((corpus / "textwrap.py").read_text(encoding="utf-8").split("\n")[120:140]) + "\n"
