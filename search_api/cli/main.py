"""The edge of the command line: the list of commands, and what becomes of errors.

In: the arguments of the process. Out: an exit code (0 answered, 1 the verdict is `fail`, 2 an error) and, for an
error that a user can cause, one line on standard error. It refuses to know what a command does.

The modules of the commands import numpy, numba, pyarrow and torch only when a command runs, so that
`codecite --help` stays quick.
"""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Sequence

import click

from codecite.indexer.errors import CodeciteError
from codecite.search_api.cli.check import check
from codecite.search_api.cli.demo import demo
from codecite.search_api.cli.fingerprint import fingerprint
from codecite.search_api.cli.generate import generate
from codecite.search_api.cli.index import index
from codecite.search_api.cli.ledger import ledger
from codecite.search_api.cli.mcp import mcp
from codecite.search_api.cli.notice import notice
from codecite.search_api.cli.options import ERROR, OK, complain
from codecite.search_api.cli.policy import policy
from codecite.search_api.cli.scan import scan
from codecite.search_api.cli.search import search
from codecite.search_api.cli.serve import key, serve
from codecite.search_api.cli.similar import similar
from codecite.search_api.cli.warm import warm


class _Root(click.Group):
    """The group of all commands; a reader that has gone away (`codecite ... | head`) ends it in silence."""

    def invoke(self, ctx: click.Context) -> object:
        """Run the command; its exit code is its return value."""
        try:
            return super().invoke(ctx)
        except BrokenPipeError:
            raise click.exceptions.Exit(ERROR) from None


@click.group(cls=_Root, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(package_name="codecite")
def cli() -> None:
    """Tell where code came from: every passage it shares with a corpus, where, and under which licence."""


for _command in (
    check,
    fingerprint,
    generate,
    demo,
    index,
    key,
    ledger,
    mcp,
    notice,
    policy,
    scan,
    search,
    serve,
    similar,
    warm,
):
    cli.add_command(_command)


def run(arguments: Sequence[str]) -> int:
    """Run one command line; return its exit code."""
    try:
        code = cli.main(list(arguments), prog_name="codecite", standalone_mode=False)
    except CodeciteError as error:
        complain(str(error))
        code = ERROR
    except click.ClickException as error:
        error.show()
        code = ERROR
    except (click.Abort, KeyboardInterrupt):
        complain("interrupted")
        code = ERROR
    except OSError as error:
        complain(str(error))
        code = ERROR
    except Exception as error:
        if os.environ.get("CODECITE_TRACEBACK"):
            raise
        complain(f"a bug in codecite: {type(error).__name__}: {error}; with CODECITE_TRACEBACK=1 it says where")
        code = ERROR
    try:
        sys.stdout.flush()
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        code = ERROR
    return code if isinstance(code, int) else OK


def main() -> None:
    """Run the command line of this process."""
    for stream in (sys.stdout, sys.stderr):
        stream.reconfigure(errors="backslashreplace")  # type: ignore[union-attr]
    if os.getpid() == 1:  # in a container; the kernel keeps from process 1 what it has no handler for
        signal.signal(signal.SIGTERM, signal.default_int_handler)
    sys.exit(run(sys.argv[1:]))
