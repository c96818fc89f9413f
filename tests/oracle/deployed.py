"""What the files of deploy/ say, for the tests that hold them against the program.

In: words of a command line; YAML. Out: the command as the real command line reads it; documents. It refuses to know
what runs them.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import click
import yaml

from codecite.search_api.cli.main import cli

DEPLOY = Path(__file__).resolve().parents[2] / "deploy"


def read_command(words: Iterable[str]) -> tuple[str, Mapping[str, Any]]:
    """The command that `codecite WORDS` names and its parameters. Raises click.UsageError for what it would refuse."""
    command: click.Command = cli
    rest, path = list(words), []
    while isinstance(command, click.Group):
        path.append(rest.pop(0))
        found = command.get_command(click.Context(command), path[-1])
        if found is None:
            raise click.UsageError(f"{path[-1]} is no command")
        command = found
    with command.make_context(" ".join(path), rest) as context:
        return " ".join(path), dict(context.params)


def documents(path: Path) -> list[dict[str, Any]]:
    """The documents of a YAML file."""
    return [item for item in yaml.safe_load_all(path.read_text(encoding="utf-8")) if item]
