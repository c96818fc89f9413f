"""Write the command reference, docs/commands.md, from the commands themselves (`make docs`).

In: the commands. Out: Markdown on standard output. A test fails where the file differs from it.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator

import click

from codecite.search_api.cli.main import cli

OPENING = """\
# Commands

`make docs` writes this page from the commands themselves. Exit codes: 0 answered, 1 the verdict is `fail`, 2 an error,
which is one line on standard error. `CODECITE_INDEX` names the index where no `--index` does; several are separated
as in `PATH`. Progress bars appear on a terminal only, and `NO_COLOR` turns colours off.
"""


NAMES = {"help_option_names": cli.context_settings["help_option_names"]}


def sections(command: click.Command, words: tuple[str, ...]) -> Iterator[str]:
    """The help of `command` and of those below it, each under its own heading."""
    if isinstance(command, click.Group):
        for name in sorted(command.commands):
            yield from sections(command.commands[name], (*words, name))
        return
    context = click.Context(command, info_name=" ".join(words), terminal_width=100, **NAMES)
    yield f"\n## `{' '.join(words)}`\n\n```text\n{command.get_help(context)}\n```\n"


if __name__ == "__main__":
    sys.stdout.write(OPENING + "".join(sections(cli, ("codecite",))))
