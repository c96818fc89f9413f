"""A small real corpus, its index, and the command line: in this process, and as one of its own where that matters."""

from __future__ import annotations

import io
import os
import subprocess
import sys
import sysconfig
from collections.abc import Callable
from pathlib import Path
from typing import Any
from unittest import mock

import pytest

from codecite.search_api.cli.main import main

Run = Callable[..., subprocess.CompletedProcess[str]]

STDLIB = Path(sysconfig.get_paths()["stdlib"])
MODULES = ("textwrap.py", "shlex.py", "bisect.py", "heapq.py", "json/decoder.py", "json/scanner.py")


@pytest.fixture(scope="session")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the command line keeps what is a user's own."""
    return tmp_path_factory.mktemp("home")


def environment_of(home: Path, more: dict[str, str]) -> dict[str, str]:
    """The environment of a command: nothing of the user's own settings, and `more`."""
    outside = {key: value for key, value in os.environ.items() if not key.startswith(("CODECITE_", "XDG_"))}
    return {**outside, "XDG_DATA_HOME": str(home), **more}


def encoded(stdin: str | bytes) -> bytes:
    """Standard input as bytes."""
    return stdin.encode() if isinstance(stdin, str) else stdin


@pytest.fixture(scope="session")
def codecite(home: Path) -> Run:
    """Run `codecite` with these arguments, in this process; no terminal, no index but the one it is given."""

    def run(*arguments: str | Path, stdin: str | bytes = b"", **environment: str) -> subprocess.CompletedProcess[str]:
        command = ["codecite", *map(os.fspath, arguments)]
        given, out, errors = (io.TextIOWrapper(io.BytesIO(text), "utf-8") for text in (encoded(stdin), b"", b""))
        with (
            mock.patch.multiple(sys, argv=command, stdin=given, stdout=out, stderr=errors),
            mock.patch.dict(os.environ, environment_of(home, environment), clear=True),
            pytest.raises(SystemExit) as ended,
        ):
            main()
        shown = []
        for stream in (out, errors):
            stream.flush()
            shown.append(stream.buffer.getvalue().decode("utf-8"))  # type: ignore[attr-defined]
        return subprocess.CompletedProcess(command, int(ended.value.code or 0), *shown)

    return run


@pytest.fixture(scope="session")
def process(home: Path) -> Run:
    """The same in a process of its own, for what depends on one: pipes, the time of the first run, the whole of it."""

    def run(*arguments: str | Path, stdin: str | bytes = b"", **environment: str) -> subprocess.CompletedProcess[str]:
        done = subprocess.run(
            [sys.executable, "-m", "codecite.search_api.cli", *map(os.fspath, arguments)],
            input=encoded(stdin),
            capture_output=True,
            env=environment_of(home, environment),
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
def index(process: Run, corpus: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The index of the corpus, made by the command line."""
    directory = tmp_path_factory.mktemp("made") / "index"
    done = process("index", "add", corpus, "--index", directory)
    assert done.returncode == 0, done.stderr
    return directory


@pytest.fixture(scope="session")
def passage(corpus: Path) -> str:
    """Twenty lines of a module of the corpus."""
    return "\n".join((corpus / "textwrap.py").read_text(encoding="utf-8").split("\n")[120:140]) + "\n"


@pytest.fixture
def client(require: Callable[..., None], index: Path) -> Any:
    """A client of the web application over the index of the corpus, without a model."""
    require("flask", "prometheus_client")
    from codecite.indexer import open_index
    from codecite.search_api.app import create_app

    return create_app(open_index(index)).test_client()
