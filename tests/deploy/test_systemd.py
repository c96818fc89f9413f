"""The systemd units: verified, hardened, and what they forbid is not what the program does."""

from __future__ import annotations

import configparser
import os
import re
import shlex
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from urllib.error import URLError
from urllib.request import Request, urlopen

import pytest
from oracle.deployed import DEPLOY, read_command
from oracle.served import free_port

pytestmark = pytest.mark.slow  # `.ci/run` runs them by themselves

ROOT = DEPLOY.parent
UNITS = DEPLOY / "systemd"
SERVICES = ("codecite.service", "codecite-add.service")
REFUSED_AND_FINE = {"mbind"}
"""Where memory lies among nodes; who asks (pyarrow's allocator) goes on without."""


class Options(dict[str, object]):
    """The options of a section, those that come again as lists."""

    def __setitem__(self, key: str, value: object) -> None:
        if isinstance(value, list) and isinstance(self.get(key), list):
            value = [*self[key], *value]  # type: ignore[misc]
        super().__setitem__(key, value)


def unit(name: str) -> configparser.RawConfigParser:
    """A unit, read; a value is its lines, those of options that come again together."""
    found = configparser.RawConfigParser(strict=False, dict_type=Options, delimiters=("=",), comment_prefixes=("#",))
    found.optionxform = str  # type: ignore[assignment,method-assign]
    found.read(UNITS / name, encoding="utf-8")
    return found


def test_systemd_takes_them(require: Callable[..., None], tmp_path: Path) -> None:
    """With the program where they look for it."""
    require("systemd-analyze")
    for file in UNITS.iterdir():
        text = file.read_text(encoding="utf-8")
        (tmp_path / file.name).write_text(text.replace("/opt/codecite/bin/codecite", sys.executable))
    ended = subprocess.run(
        ["systemd-analyze", "verify", *map(str, sorted(tmp_path.iterdir()))],
        capture_output=True,
        text=True,
        check=False,
    )
    assert (ended.returncode, [line for line in ended.stderr.splitlines() if "codecite" in line]) == (0, [])


@pytest.mark.parametrize("name", SERVICES)
def test_systemd_calls_them_safe(require: Callable[..., None], name: str) -> None:
    """An exposure of less than 1.5, of 10."""
    require("systemd-analyze")
    command = ["systemd-analyze", "security", "--offline=true", "--no-pager", "--threshold=15", str(UNITS / name)]
    ended = subprocess.run(command, capture_output=True, text=True, check=False)
    assert "Overall exposure level" in ended.stdout, ended.stderr
    assert ended.returncode == 0, ended.stdout[-200:]


@pytest.mark.parametrize("name", SERVICES)
def test_their_commands_are_the_programs(name: str) -> None:
    """The command line takes them, and what is read is what is written."""
    lines = unit(name).get("Service", "ExecStart").splitlines()
    seen = []
    for line in lines:
        program, *words = shlex.split(line)
        assert program == "/opt/codecite/bin/codecite"
        command, given = read_command(words)
        seen.append(command)
        assert {str(place) for place in given.get("indexes", (given.get("directory"),))} == {"/var/lib/codecite/index"}
        if command == "serve":
            stop = int(unit(name).get("Service", "TimeoutStopSec"))
            assert stop > given["grace"]
            assert unit(name).get("Service", "LoadCredential").split(":")[0] == given["api_key_file"].name
    assert seen == {"codecite.service": ["serve"], "codecite-add.service": ["index add", "index compact"]}[name]


def calls(name: str) -> set[str]:
    """The system calls of a set, those of the sets in it too, as this machine's systemd knows them."""
    told = subprocess.run(
        ["systemd-analyze", "syscall-filter", "--no-pager", name], capture_output=True, text=True, check=True
    )
    found: set[str] = set()
    for line in told.stdout.splitlines()[1:]:
        word = line.strip()
        if word and not word.startswith("#"):
            found |= calls(word) if word.startswith("@") else {word}
    return found


def test_what_they_forbid_is_not_what_the_program_does(require: Callable[..., None], tmp_path: Path) -> None:
    """The system calls of an addition, a compaction and a server that answers, as strace sees them."""
    require("systemd-analyze", "strace")
    allowed: set[str] = set()
    for line in unit("codecite.service").get("Service", "SystemCallFilter").splitlines():
        named = [calls(word) for word in line.removeprefix("~").split()]
        allowed = allowed.difference(*named) if line.startswith("~") else allowed.union(*named)
    index, port = tmp_path / "index", free_port()
    codecite = [sys.executable, "-m", "codecite.search_api.cli"]
    traces = []

    def traced(*words: str) -> list[str]:
        traces.append(tmp_path / f"trace{len(traces)}")
        return ["strace", "-f", "-qq", "-o", str(traces[-1]), *codecite, *words]

    for words in (("add", str(ROOT / "deploy")), ("compact",)):
        done = subprocess.run(traced("index", *words, "--index", str(index)), capture_output=True, check=False)
        assert done.returncode == 0, done.stderr
    with subprocess.Popen(
        traced("serve", "--port", str(port), "--index", str(index)), stderr=subprocess.PIPE
    ) as server:
        try:
            end = time.monotonic() + 120
            while time.monotonic() < end and server.poll() is None:
                try:
                    urlopen(f"http://127.0.0.1:{port}/readyz", timeout=5).close()
                    break
                except URLError:
                    time.sleep(0.1)
            body, head = b'{"text": "x = 1"}', {"Content-Type": "application/json"}
            with urlopen(Request(f"http://127.0.0.1:{port}/api/v1/check", body, head), timeout=60) as answer:
                assert answer.status == 200
            first = traces[-1].read_text(errors="replace").split(maxsplit=1)[0]
            os.kill(int(first), signal.SIGTERM)
            assert server.wait(60) == 0
        finally:
            server.kill()
    used = {call for trace in traces for call in re.findall(r"^\d+ +(\w+)\(", trace.read_text(errors="replace"), re.M)}
    assert {"openat", "mmap", "accept4", "futex"} <= used
    assert used - allowed <= REFUSED_AND_FINE
