"""`codecite check`: the Report on files, on standard input, or on a file of completions.

In: bytes, of files or of JSON lines. Out: Reports, as text or JSON; the exit code of the worst verdict. What cannot
be read is named, and the rest is answered still. It refuses to know how passages are found.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

import click

from codecite.indexer.errors import CodeciteError, TextError
from codecite.indexer.records import Outcome, Report
from codecite.search_api.cli.options import (
    ERROR,
    FAIL,
    OK,
    answer,
    colour_wanted,
    compiling_to_read,
    complain,
    format_option,
    indexes_option,
    note,
    sources_option,
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
@indexes_option
@format_option
def check(files: tuple[str, ...], batch: str | None, sources: int, indexes: tuple[Path, ...], form: str) -> int:
    """Show where the passages of a text come from.

    Lists each passage that stands in the index, with its files, lines and licences. Reads standard input where no
    FILE is given. As JSON, one file gives one Report, several give a Report a line with its `path`.
    """
    if batch is not None and files:
        raise click.UsageError("--batch takes no further files")
    from codecite.indexer import open_index

    index = open_index(*indexes)
    with compiling_to_read():
        if batch is not None:
            return _check_batch(index, batch, sources)
        return _check_files(index, files or (_STDIN,), sources, form)


def exit_code(report: Report) -> int:
    """1 where the verdict is `fail`, else 0."""
    return FAIL if report.verdict.outcome is Outcome.FAIL else OK


def _check_files(index: Index, files: tuple[str, ...], sources: int, form: str) -> int:
    code = OK
    for name in files:
        try:
            text = _read(name).decode("utf-8", "surrogateescape")
            report = index.check(text, sources=sources)
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
        code = max(code, exit_code(report))
    if form == "text":
        click.echo("\n".join(render_coverage(index.coverage)))
    return code


def _read(name: str) -> bytes:
    if name != _STDIN:
        return Path(name).read_bytes()
    if sys.stdin.isatty():
        note("reading the text from this terminal; end it with Ctrl-D")
    return sys.stdin.buffer.read()


def _check_batch(index: Index, batch: str, sources: int) -> int:
    if batch == _STDIN:
        return _check_lines(index, sys.stdin.buffer, batch, sources)
    with Path(batch).open("rb") as lines:
        return _check_lines(index, lines, batch, sources)


def _check_lines(index: Index, lines: BinaryIO | Iterable[bytes], batch: str, sources: int) -> int:
    code = OK
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        try:
            identifier, text = _completion(line)
            report = index.check(text, sources=sources)
        except (TextError, ValueError) as error:
            complain(f"{batch}, line {number}: {error}")
            code = ERROR
            continue
        answer({"id": identifier, **report.to_dict()}, line=True)
        code = max(code, exit_code(report))
    return code


def _completion(line: bytes) -> tuple[Any, str]:
    """The id and the text of one line of a batch; ValueError says what is wrong with it."""
    try:
        record = json.loads(line)
    except RecursionError:
        raise ValueError("nested too deeply") from None
    if not isinstance(record, dict):
        raise ValueError('not an object with "id" and "text"')
    if "id" not in record:
        raise ValueError('has no "id"')
    if not isinstance(record.get("text"), str):
        raise ValueError('has no "text" that is a string')
    return record["id"], record["text"]
