"""The documentation is true: its commands run, its paths exist, and the command reference is that of the commands."""

from __future__ import annotations

import itertools
import os
import re
import subprocess
import sys
from pathlib import Path

import click
import pytest

from codecite.search_api.cli.main import cli

ROOT = Path(__file__).resolve().parent.parent
PAGES = (
    "README.md",
    "ARCHITECTURE.md",
    "CHANGELOG.md",
    "docs/sources.md",
    "docs/operations.md",
    "docs/common.md",
    "docs/http.md",
    "docs/marks.md",
    "docs/scanner.md",
    "docs/the-stack.md",
    "deploy/README.md",
)


def text_of(page: str) -> str:
    """A page of the repository."""
    return (ROOT / page).read_text(encoding="utf-8")


def blocks(page: str, language: str) -> list[str]:
    """The fenced blocks of one language."""
    return re.findall(rf"^```{language}\n(.*?)^```$", text_of(page), re.MULTILINE | re.DOTALL)


def test_the_command_reference_is_current() -> None:
    """`make docs` would change nothing."""
    written = subprocess.run(
        [sys.executable, ROOT / "docs" / "write_commands.py"], capture_output=True, text=True, check=True
    )
    assert written.stdout == text_of("docs/commands.md")


def test_every_path_in_the_map_exists() -> None:
    """What ARCHITECTURE.md sends a reader to is there."""
    for path in re.findall(r"`((?:[\w.]+/)+[\w.]*|\w+\.(?:md|toml|txt|py))`", text_of("ARCHITECTURE.md")):
        assert (ROOT / path).exists(), path


def test_the_map_names_every_room() -> None:
    """A folder with code stands in the table of rooms, by itself or as part of the room around it."""
    rooms = {
        line.split("`")[1].rstrip("/") for line in text_of("ARCHITECTURE.md").splitlines() if line.startswith("| `")
    }
    for top in ("indexer", "generator", "search_api"):
        for module in (ROOT / top).rglob("*.py"):
            folder = module.parent.relative_to(ROOT)
            if str(folder) in {"indexer", "search_api"}:
                continue
            assert rooms & {str(place) for place in (folder, *folder.parents)}, f"{folder} is not in ARCHITECTURE.md"


@pytest.mark.parametrize("page", PAGES)
def test_every_codecite_command_a_page_shows_exists(page: str) -> None:
    """Each `codecite WORDS` in a page names commands and options that are there."""
    for line in re.findall(r"codecite ((?:index )?[a-z]+[^\n`]*)", "\n".join(shown(page))):
        command: click.Command = cli
        words = line.split()
        while isinstance(command, click.Group):
            assert words[0] in command.commands, line
            command = command.commands[words.pop(0)]
        options = {name for parameter in command.params for name in (*parameter.opts, *parameter.secondary_opts)}
        assert {word for word in words if word.startswith("--")} <= options | {"--help"}, line


def shown(page: str) -> list[str]:
    """The lines of a page that show a command: those of its shell blocks."""
    shell = "".join(blocks(page, "sh")) + "".join(blocks(page, "console"))
    return [line.removeprefix("$ ") for line in shell.splitlines()]


def test_every_make_target_the_readme_shows_exists() -> None:
    """`make WORD` names a target."""
    targets = set(re.findall(r"^([a-z-]+):", text_of("Makefile"), re.MULTILINE))
    assert set(re.findall(r"\bmake ([a-z-]+)", "\n".join(shown("README.md")))) <= targets


def pattern_of(expected: str) -> str:
    """A shown output as a regular expression: a line `...` stands for any lines, `...` in a line for anything in it."""
    return "".join(
        r"(?:.*\n)*?" if line.strip() == "..." else re.escape(line).replace(re.escape("..."), ".*") + r"\n"
        for line in expected.splitlines()
    )


def split_step(step: str) -> tuple[str, str]:
    """A command, which goes on in lines that begin with `> `, and the output shown under it."""
    first, *rest = step.splitlines()
    more = list(itertools.takewhile(lambda line: line.startswith("> "), rest))
    return "\n".join([first, *(line[2:] for line in more)]), "\n".join(rest[len(more) :])


LARGEST = ("torch", "transformers", "sympy", "triton", "nvidia", "numpy", "pyarrow", "networkx", "numba", "llvmlite")
"""What of an installation of codecite is most of it, and in none of the README's answers."""

SHORTER = f"""#!{sys.executable}
import sys
from codecite.search_api.cli.main import main
if sys.argv[1:3] == ["index", "add"]:
    sys.argv += [word for name in {LARGEST} for word in ("--exclude", f"/{{name}}/")]
main()
"""
"""The command, which leaves those out."""


@pytest.mark.parametrize("whole", [False, pytest.param(True, marks=pytest.mark.slow)], ids=["without-torch", "whole"])
def test_the_examples_of_the_readme_run_and_answer_what_it_shows(require, tmp_path: Path, whole: bool) -> None:
    """The console session and the library's example, in their order, on what is installed here."""
    require("torch", "transformers", "flask")
    environment = {key: value for key, value in os.environ.items() if not key.startswith(("CODECITE_", "XDG_"))}
    (tmp_path / "bin").mkdir()
    if not whole:
        (tmp_path / "bin" / "codecite").write_text(SHORTER)
        (tmp_path / "bin" / "codecite").chmod(0o755)
    path = f"{tmp_path / 'bin'}:{Path(sys.executable).parent}:{os.environ['PATH']}"
    environment |= {"XDG_DATA_HOME": str(tmp_path), "PATH": path}

    def run(*command: str) -> str:
        done = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path, env=environment, check=False)
        assert done.returncode == 0, done.stderr
        return done.stdout

    (session,) = blocks("README.md", "console")
    for step in re.split(r"^\$ ", session, flags=re.MULTILINE)[1:]:
        command, expected = split_step(step)
        answered = run("bash", "-c", command)
        assert re.fullmatch(pattern_of(expected), answered), f"{command}\n{answered}"
    for example in blocks("README.md", "python"):
        expected = "".join(re.findall(r"^# prints (.*\n)", example, re.MULTILINE))
        assert re.fullmatch(pattern_of(expected), run(sys.executable, "-c", example))
