"""`codecite similar`: the files most similar to one, as wholes.

In: the bytes of a file. Out: files with their similarity, as text or JSON. It refuses to know how they are found.
"""

from __future__ import annotations

from pathlib import Path

import click

from codecite.indexer.errors import CodeciteError
from codecite.indexer.records import SimilarReport
from codecite.search_api.cli.check import read_input
from codecite.search_api.cli.options import (
    ERROR,
    OK,
    answer,
    compiling_to_read,
    complain,
    format_option,
    indexes_option,
)
from codecite.search_api.cli.printable import printable
from codecite.search_api.cli.render_text import render_coverage


@click.command()
@click.argument("file", metavar="FILE|-", default="-")
@click.option("--limit", type=click.IntRange(1, 1000), default=10, show_default=True, help="How many files to show.")
@click.option(
    "--at-least",
    type=click.FloatRange(0, 1),
    default=0.5,
    show_default=True,
    help="The smallest similarity that is shown.",
)
@indexes_option
@format_option
def similar(file: str, limit: int, at_least: float, indexes: tuple[Path | str, ...], form: str) -> int:
    """Show the files of the index that are most similar to a file.

    The similarity is Jaccard's, of the sets of five consecutive words: 1 for the same words in the same order, 0 where
    no five are shared.
    """
    from codecite.indexer import open_index

    index = open_index(*indexes)
    try:
        with compiling_to_read():
            report = index.similar(read_input(file), limit=limit, at_least=at_least)
    except (OSError, CodeciteError) as error:
        complain(f"{file}: {error.strerror if isinstance(error, OSError) and error.strerror else error}")
        return ERROR
    if form == "json":
        answer(report.to_dict())
        return OK
    searched = [line for line in render_coverage(report.indexes) if not line.startswith("Every passage")]
    click.echo("\n".join([*_lines(report), *searched]))
    return OK


def _lines(report: SimilarReport) -> list[str]:
    lines = [] if report.files else [f"no file with a similarity of {report.at_least:g} or more"]
    for file in report.files:
        origin = file.source.origin
        place = origin.purl or origin.repository or origin.url or ""
        more = f", in {file.origins:,} places" if file.origins > 1 else ""
        lines.append(f"{file.similarity:.3f}  {printable(origin.path)}")
        lines.append(f"       {printable(f'{place}, licence {origin.license}, {file.source.category}{more}')}")
    return lines
