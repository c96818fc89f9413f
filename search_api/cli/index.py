"""`codecite index`: the commands that write an index and look after it, and of these `stats` and `verify`.

In: directories of indexes. Out: what is in them, and what is damaged, as text or JSON. It refuses to know how indexes
are laid out.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from codecite.search_api.cli.add import add
from codecite.search_api.cli.options import ERROR, OK, answer, complain, format_option, indexes_option
from codecite.search_api.cli.printable import count, printable, size
from codecite.search_api.cli.requests import requests
from codecite.search_api.cli.upkeep import compact, remove

if TYPE_CHECKING:
    from codecite.indexer.index import IndexStats
    from codecite.indexer.lookup.clusters import ClusterStats

_LICENSES_SHOWN = 25
_LANGUAGES_SHOWN = 8


@click.group()
def index() -> None:
    """Write an index and look after it."""


for _command in (add, compact, remove, requests):
    index.add_command(_command)


@index.command()
@indexes_option
@click.option(
    "--clusters",
    is_flag=True,
    help="Say, too, how much is nearly the same: files of a Jaccard similarity of .7 and of .85, joined to clusters.",
)
@click.option(
    "--export",
    metavar="FILE",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Write the clusters to this parquet file (with --clusters).",
)
@format_option
def stats(indexes: tuple[Path, ...], clusters: bool, export: Path | None, form: str) -> int:
    """Say what the index holds, and under which licences."""
    from codecite.indexer import open_index

    if export is not None and not clusters:
        raise click.UsageError("--export writes clusters: give --clusters, too")
    opened = open_index(*indexes)
    found = opened.clusters(export) if clusters else (None,) * len(indexes)
    for directory, figures, alike in zip(indexes, opened.stats(), found, strict=True):
        if form == "json":
            more = {} if alike is None else {"clusters": [asdict(each) for each in alike]}
            answer({"path": str(directory), **_stats_object(figures), **more}, line=len(indexes) > 1)
        else:
            click.echo("\n".join(_stats_lines(figures, directory) + [_cluster_line(each) for each in alike or ()]))
    return OK


def _cluster_line(alike: ClusterStats) -> str:
    if not alike.clusters:
        return f"  no two are similar at {alike.threshold}"
    return (
        f"  similar at {alike.threshold}: {count(alike.documents, 'document')} in {count(alike.clusters, 'cluster')}, "
        f"the largest of {alike.largest:,}; one kept of each, {alike.share_of_documents:.1%} of the documents "
        f"and {alike.share_of_bytes:.1%} of the bytes would go"
    )


def _stats_object(figures: IndexStats) -> dict[str, Any]:
    return {
        "id": figures.id,
        "generation": figures.generation,
        "built": figures.built,
        "documents": figures.documents,
        "origins": figures.origins,
        "packages": figures.packages,
        "postings": figures.postings,
        "bytes": figures.bytes,
        "canonical_bytes": figures.canonical_bytes,
        "index_bytes": figures.index_bytes,
        "segments": figures.segments,
        "takedowns": figures.takedowns,
        "license_filter": figures.license_filter,
        "licenses": dict(figures.licenses),
        "categories": dict(figures.categories),
        "evidence": dict(figures.evidence),
        "languages": dict(figures.languages),
        "sources": list(figures.sources),
    }


def _stats_lines(figures: IndexStats, directory: Path) -> list[str]:
    share = figures.index_bytes / figures.bytes if figures.bytes else 0.0
    lines = [
        f"{printable(str(directory))}: generation {figures.generation}, built {figures.built}",
        f"  {count(figures.documents, 'document')} seen in {count(figures.origins, 'place')} "
        f"of {count(figures.packages, 'package')}",
        f"  {size(figures.bytes)} of source, {size(figures.canonical_bytes)} without white space; "
        f"the index takes {size(figures.index_bytes)} ({share:.2f} of the source) "
        f"in {count(figures.segments, 'segment')}",
    ]
    if figures.takedowns:
        lines.append(f"  {count(figures.takedowns, 'takedown')} in force ('codecite index remove --list' has them)")
    if figures.license_filter:
        lines.append(f"  holds only what is under {printable(figures.license_filter)}")
    if figures.languages:
        lines.append(f"  {_languages(figures)}")
    if figures.evidence:
        lines.append(f"  places by evidence: {_listed(figures.evidence)}")
    if figures.categories:
        lines.append(f"  documents by category: {_listed(figures.categories)}")
    ranked = sorted(figures.licenses.items(), key=lambda item: (-item[1], item[0]))
    width = max((len(f"{documents:,}") for _, documents in ranked), default=0)
    lines.extend(
        f"  {documents:>{width},}  {printable(expression)}" for expression, documents in ranked[:_LICENSES_SHOWN]
    )
    if len(ranked) > _LICENSES_SHOWN:
        lines.append(f"  and {count(len(ranked) - _LICENSES_SHOWN, 'more license')} (--format json has all)")
    return lines


def _listed(counts: Mapping[str, int]) -> str:
    return ", ".join(f"{name.replace('_', ' ')} {number:,}" for name, number in counts.items())


def _languages(figures: IndexStats) -> str:
    ranked = list(figures.languages.items())
    shown = ", ".join(f"{printable(name)} {places:,}" for name, places in ranked[:_LANGUAGES_SHOWN])
    more = len(ranked) - _LANGUAGES_SHOWN
    return f"places by language: {shown}" + (f" and {count(more, 'more language')}" if more > 0 else "")


@index.command()
@indexes_option
@format_option
def verify(indexes: tuple[Path, ...], form: str) -> int:
    """Walk every checksum of the index; the exit code is 2 where one is wrong."""
    from codecite.indexer.store.verify import verify as verify_index

    code = OK
    for directory in indexes:
        result = verify_index(directory)
        if form == "json":
            answer(
                {
                    "path": str(directory),
                    "files": result.files,
                    "bytes": result.bytes,
                    "problems": list(result.problems),
                },
                line=len(indexes) > 1,
            )
        else:
            outcome = count(len(result.problems), "problem") if result.problems else "all sound"
            files = f"{count(result.files, 'file')} ({size(result.bytes)})"
            click.echo(f"{printable(str(directory))}: {files}: {outcome}")
        for problem in result.problems:
            complain(problem)
            code = ERROR
    return code
