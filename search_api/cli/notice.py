"""`codecite notice`: what must be shipped with a text, for what of it stands in the index.

In: files, or Reports that were saved. Out: the Notice as text, Markdown, HTML or JSON, or the snippet blocks to put
around the passages. It refuses to know what a licence asks for.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from codecite.indexer.errors import SourceError
from codecite.search_api.cli.options import (
    OK,
    answer,
    compiling_to_read,
    complain,
    indexes_option,
    note,
    notice_policy_option,
)
from codecite.search_api.cli.printable import count

if TYPE_CHECKING:
    from codecite.indexer import Index
    from codecite.indexer.attribution.policy import Policy
    from codecite.indexer.attribution.shipping import Notice

_STDIN = "-"
_SOURCES = 20
_SCHEMA = "codecite-report/1"


@click.command()
@click.argument("files", nargs=-1, metavar="[FILE...|-]")
@click.option(
    "--format",
    "form",
    type=click.Choice(["text", "markdown", "html", "json"]),
    default="text",
    show_default=True,
    help="How to write it.",
)
@click.option("--snippets", is_flag=True, help="Write the REUSE blocks to put around the passages instead.")
@click.option("--title", default="Third-party notices", show_default=True, metavar="TEXT", help="The heading.")
@notice_policy_option
@indexes_option
def notice(
    files: tuple[str, ...], form: str, snippets: bool, title: str, policy: str, indexes: tuple[Path | str, ...]
) -> int:
    """Write the attributions to ship.

    A FILE is checked, or is a Report as 'codecite check --format json' wrote it (a Report a line where there are
    several). The notice names the projects by licence, with their copyright lines, and holds the full texts of the
    licences and the NOTICE files to pass on. What no notice settles (no licence known, denied by the policy) is named
    on standard error and, as JSON, under 'unsettled'.
    """
    from codecite.indexer import open_index
    from codecite.indexer.attribution.policy import load_policy
    from codecite.indexer.attribution.shipping import notice_of

    held = load_policy(policy)
    index = open_index(*indexes)
    with compiling_to_read():
        reports = [pair for name in files or (_STDIN,) for pair in _reports(index, name, held)]
    try:
        made = notice_of(reports, held, index.file_beside)
    except (KeyError, TypeError) as error:
        raise SourceError(f"a Report is not as 'codecite check' writes it ({error}); write it anew") from None
    if snippets:
        _write_snippets(made, form)
    elif form == "json":
        answer(made.to_dict())
    else:
        from codecite.indexer.attribution.shipped import as_html, as_markdown, as_text

        write = {"text": as_text, "markdown": as_markdown, "html": as_html}[form]
        click.echo(write(made, title), nl=False)
    for item in made.unsettled:
        place = f"{item.place.path}, lines {item.place.start_line}-{item.place.end_line}"
        complain(f"not settled: {place}: from {item.project} under {item.license}: {item.message}")
    if not made.credits:
        note(f"codecite: {count(len(reports), 'text')}: no passage asks for a notice")
    return OK


def _write_snippets(made: Notice, form: str) -> None:
    from codecite.indexer.attribution.snippets import snippets_of

    for snippet in snippets_of(made):
        place = snippet.place
        if form == "json":
            lines = {"start_line": place.start_line, "end_line": place.end_line}
            answer({"path": place.path, **lines, "begin": list(snippet.begin), "end": snippet.end}, line=True)
        else:
            click.echo(f"{place.path}: before line {place.start_line}:")
            click.echo("\n".join(snippet.begin))
            click.echo(f"{place.path}: after line {place.end_line}:")
            click.echo(f"{snippet.end}\n")


def _reports(index: Index, name: str, policy: Policy) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """The Reports that a file holds, with the paths they are of; or its own."""
    content = sys.stdin.buffer.read() if name == _STDIN else Path(name).read_bytes()
    saved = _saved(content)
    if saved is None:
        text = content.decode("utf-8", "surrogateescape")
        path = "standard input" if name == _STDIN else name
        yield path, index.check(text, policy=policy, sources=_SOURCES).to_dict()
        return
    for number, report in enumerate(saved, start=1):
        if not isinstance(report, dict) or report.get("schema") != _SCHEMA:
            raise SourceError(f"{name}: line {number}: is no Report ({_SCHEMA}); write it with 'codecite check'")
        yield str(report.get("path") or report.get("id") or name), report


def _saved(content: bytes) -> list[Any] | None:
    """The Reports in a file, one or one a line; None for a file that is none."""
    if not content.lstrip().startswith(b"{") or _SCHEMA.encode() not in content:
        return None
    try:
        return [json.loads(content)]
    except ValueError:
        pass
    try:
        return [json.loads(line) for line in content.splitlines() if line.strip()]
    except ValueError:
        return None
