"""The edge: help, version, interruption, and what the commands have in common."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from importlib.metadata import version
from pathlib import Path

import click
import pytest

from codecite.search_api.cli.main import cli


def commands(group: click.Group, prefix: tuple[str, ...] = ()) -> list[tuple[str, ...]]:
    """The words of every command."""
    found: list[tuple[str, ...]] = []
    for name, command in sorted(group.commands.items()):
        words = (*prefix, name)
        found.extend(commands(command, words) if isinstance(command, click.Group) else [words])
    return found


@pytest.mark.parametrize("words", commands(cli), ids=" ".join)
def test_every_command_explains_itself_and_each_of_its_options(codecite, words: tuple[str, ...]) -> None:
    """`--help` answers, and no option stands without a word on what it does."""
    assert "Usage: codecite" in codecite(*words, "--help").stdout
    command: click.Command = cli
    for word in words:
        assert isinstance(command, click.Group)
        command = command.commands[word]
    for parameter in command.params:
        if isinstance(parameter, click.Option):
            assert parameter.help, parameter.name


def test_version_is_that_of_the_distribution(process) -> None:
    """`codecite --version` prints what is installed."""
    assert process("--version").stdout.split()[-1] == version("codecite")


def test_an_unknown_command_is_exit_code_2(codecite) -> None:
    """What is no command is named so."""
    done = codecite("teleport")
    assert done.returncode == 2
    assert "No such command" in done.stderr


def test_an_interrupt_leaves_no_traceback(index: Path) -> None:
    """Ctrl-C while the command waits for its input is one line and exit code 2."""
    command = [sys.executable, "-m", "codecite.search_api.cli", "check", "--batch", "-", "--index", str(index)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdin.write(b'{"id": 1, "text": "x"}\n')
        process.stdin.flush()
        process.stdout.readline()
        process.send_signal(signal.SIGINT)
        complaint = process.stderr.read()
        assert process.wait(60) == 2
    assert complaint.split() == b"codecite: interrupted".split()


def test_process_1_of_a_container_can_be_ended(index: Path) -> None:
    """The kernel keeps SIGTERM from a process 1 without a handler; here it ends like an interruption."""
    space = ["unshare", "--pid", "--fork", "--kill-child"]
    if subprocess.run([*space, "true"], capture_output=True, check=False).returncode:
        pytest.skip("no process numbers of its own can be given to a process here: it takes root")
    command = [*space, sys.executable, "-m", "codecite.search_api.cli", "check", "--index", str(index), "-"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        try:
            os.kill(_listening_for_sigterm(process.pid), signal.SIGTERM)
            assert process.wait(60) == 2
            assert process.stderr is not None
            assert process.stderr.read().split() == b"codecite: interrupted".split()
        finally:
            process.kill()


def _listening_for_sigterm(parent: int) -> int:
    """The child of a process, as soon as it has a handler for SIGTERM."""
    end = time.monotonic() + 60
    while time.monotonic() < end:
        for child in Path(f"/proc/{parent}/task/{parent}/children").read_text().split():
            caught = Path(f"/proc/{child}/status").read_text().split("SigCgt:")[1].split()[0]
            if int(caught, 16) >> (signal.SIGTERM - 1) & 1:
                return int(child)
        time.sleep(0.05)
    raise AssertionError("no handler for SIGTERM was set")
