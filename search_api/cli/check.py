"""`codecite check`: the Report on files or on standard input; a file of completions goes to `batch.py`.

In: bytes of files. Out: Reports, as text or JSON; the exit code of the worst verdict. What cannot
be read is named, and the rest is answered still. It refuses to know how passages are found.
"""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import click

from codecite.indexer.errors import CodeciteError
from codecite.search_api.cli.batch import Asked, check_batch
from codecite.search_api.cli.options import (
    ERROR,
    OK,
    answer,
    colour_wanted,
    compiling_to_read,
    complain,
    exit_code,
    format_option,
    indexes_option,
    note,
    policy_option,
    sources_option,
    strict_option,
)
from codecite.search_api.cli.render_text import render_coverage, render_report

if TYPE_CHECKING:
    from codecite.indexer import Index

_STDIN = "-"


@click.command()
@click.argument("files", nargs=-1, metavar="[FILE...|-]")
@click.option(
    "--batch",
    metavar="FILE.jsonl",
    help='Check the lines {"id", "text"} of a file (- is standard input); answer in lines {"id", ...Report}.',
)
@sources_option
@click.option("--near", is_flag=True, help="Find renamed, edited and reordered passages, too.")
@policy_option
@strict_option
@indexes_option
@format_option
def check(
    files: tuple[str, ...],
    batch: str | None,
    sources: int,
    near: bool,
    policy: str,
    strict: bool,
    indexes: tuple[Path | str, ...],
    form: str,
) -> int:
    """Show where the passages of a text come from.

    Lists each passage that stands in the index, with its files, lines and licences, and what the policy says of it.
    Reads standard input where no
    FILE is given. As JSON, one file gives one Report, several give a Report a line with its `path`.
    """
    if batch is not None and files:
        raise click.UsageError("--batch takes no further files")
    from codecite.indexer import open_index
    from codecite.indexer.attribution.policy import load_policy

    held = load_policy(policy)
    asked = Asked(sources, replace(held, near=held.near or near), strict)
    index = open_index(*indexes)
    with compiling_to_read():
        if batch is not None:
            return check_batch(index, batch, asked)
        return _check_files(index, files or (_STDIN,), asked, form)


def _check_files(index: Index, files: tuple[str, ...], asked: Asked, form: str) -> int:
    code = OK
    for name in files:
        try:
            text = read_input(name).decode("utf-8", "surrogateescape")
            report = index.check(text, policy=asked.policy, sources=asked.sources)
        except (OSError, CodeciteError) as error:
            complain(f"{name}: {error.strerror if isinstance(error, OSError) and error.strerror else error}")
            code = ERROR
            continue
        if form == "text":
            title = "standard input" if name == _STDIN else name
            click.echo("\n".join(render_report(report, text, title=title, colour=colour_wanted())))
        elif len(files) == 1:
            answer(report.to_dict())
        else:
            answer({"path": name, **report.to_dict()}, line=True)
        code = max(code, exit_code(report, strict=asked.strict))
    if form == "text":
        click.echo("\n".join(render_coverage(index.coverage)))
    return code


def read_input(name: str) -> bytes:
    """The bytes of a file, or of standard input for `-`."""
    if name != _STDIN:
        return Path(name).read_bytes()
    if sys.stdin.isatty():
        note("reading the text from this terminal; end it with Ctrl-D")
    return sys.stdin.buffer.read()
