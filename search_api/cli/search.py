"""`codecite search`: the files that hold what a person looks for.

In: words, phrases, fields. Out: hits with their lines, as text or JSON. It refuses to know how they are ranked.
"""

from __future__ import annotations

from pathlib import Path

import click

from codecite.indexer.errors import CodeciteError
from codecite.indexer.records import SearchHit, SearchReport
from codecite.search_api.cli.options import (
    ERROR,
    OK,
    answer,
    colour_wanted,
    compiling_to_read,
    complain,
    format_option,
    indexes_option,
)
from codecite.search_api.cli.printable import printable


@click.command()
@click.argument("query", nargs=-1, required=True, metavar="QUERY...")
@click.option("--language", metavar="NAME", help="Only files in this language.")
@click.option("--license", metavar="EXPRESSION", help="Only files under this licence.")
@click.option("--repository", metavar="PART", help="Only files of repositories or packages whose name has this part.")
@click.option("--path", metavar="PART", help="Only files whose path has this part.")
@click.option("--limit", type=click.IntRange(1, 1000), default=10, show_default=True, help="How many hits to show.")
@click.option("--offset", type=click.IntRange(0, 9000), default=0, show_default=True, help="How many to leave out.")
@indexes_option
@format_option
def search(
    query: tuple[str, ...],
    language: str | None,
    license: str | None,
    repository: str | None,
    path: str | None,
    limit: int,
    offset: int,
    indexes: tuple[Path | str, ...],
    form: str,
) -> int:
    """Search the index by words.

    Names of code are found in all their spellings: parseUrl finds parse_url, too. "..." is a phrase; -word leaves out
    what holds it (write -- before a query that begins so); license:MIT, language:Python, repo:NAME and path:src/ narrow
    the search.
    """
    from codecite.indexer import open_index

    index = open_index(*indexes)
    try:
        with compiling_to_read():
            report = index.search(
                " ".join(query),
                language=language,
                license=license,
                repository=repository,
                path=path,
                limit=limit,
                offset=offset,
            )
    except (OSError, CodeciteError) as error:
        complain(str(error))
        return ERROR
    if form == "json":
        answer(report.to_dict())
    else:
        click.echo("\n".join(_lines(report)))
    return OK


def _lines(report: SearchReport) -> list[str]:
    more = " or more" if report.total_capped else ""
    lines = [f"{report.total:,}{more} {'file' if report.total == 1 and not more else 'files'}"]
    for rank, hit in enumerate(report.hits, start=report.offset + 1):
        origin = hit.source.origin
        place = origin.purl or origin.repository or origin.url or ""
        lines += ["", f"{rank}. {printable(origin.path)}:{hit.source.start_line}  ({hit.score:.2f})"]
        lines.append(f"    {printable(f'{place}, licence {origin.license}, {hit.source.category}')}")
        lines += [f"    | {line}" for line in _snippet(hit).split("\n")]
    return lines


def _snippet(hit: SearchHit) -> str:
    """The lines with what was searched for marked: in colour on a terminal, else between guillemets."""
    colour = colour_wanted()
    shown, at = "", 0
    for start, end in hit.terms:
        word = printable(hit.snippet[start:end])
        marked = click.style(word, bold=True, fg="yellow") if colour else f"\u00ab{word}\u00bb"
        shown += _printable(hit.snippet[at:start]) + marked
        at = end
    return shown + _printable(hit.snippet[at:])


def _printable(text: str) -> str:
    return "\n".join(printable(line) for line in text.split("\n"))
