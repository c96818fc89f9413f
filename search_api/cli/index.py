"""`codecite index add`, `stats` and `verify`: write an index, say what is in it, walk its checksums.

In: sources and the directory of an index. Out: what was done, skipped and could not be read, as text or JSON. It
refuses to know how sources are read or indexes are laid out.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from codecite.search_api.cli.options import (
    ERROR,
    OK,
    answer,
    complain,
    ensure_compiled,
    format_option,
    indexes_option,
    written_index_option,
)
from codecite.search_api.cli.printable import count, printable, size
from codecite.search_api.cli.progress import ProgressBar

if TYPE_CHECKING:
    from codecite.indexer.build import AddResult, Progress
    from codecite.indexer.corpus.units import Unit
    from codecite.indexer.index import IndexStats

_LICENSES_SHOWN = 25
_EXAMPLES_SHOWN = 2


@click.group()
def index() -> None:
    """Write an index and look after it."""


@index.command()
@click.argument("sources", nargs=-1, metavar="[SOURCE...]")
@click.option("--installed", is_flag=True, help="Add every distribution installed in this Python.")
@written_index_option
@format_option
def add(sources: tuple[str, ...], installed: bool, directory: Path, form: str) -> int:
    """Add directory trees, single files and wheels to the index.

    Running it again adds only what is new. What cannot be read is named, and the exit code is 2; the rest is added
    still.
    """
    if not sources and not installed:
        raise click.UsageError("name a SOURCE, or give --installed")
    result = add_sources(directory, sources, installed=installed)
    if form == "json":
        answer(_result_object(result))
    else:
        click.echo("\n".join(result_lines(result, directory)))
    for failure in result.failures:
        complain(failure)
    return ERROR if result.failures else OK


def add_sources(directory: Path, sources: tuple[str, ...], *, installed: bool) -> AddResult:
    """Add to the index in `directory`, with a progress bar."""
    from codecite.indexer.build import add as add_units
    from codecite.indexer.config import IndexConfig
    from codecite.indexer.corpus.sources import read_sources

    ensure_compiled()
    config = IndexConfig()
    way = _Way(list(read_sources(sources, installed=installed, config=config)))
    with ProgressBar() as bar:

        def show(progress: Progress) -> None:
            name = progress.unit.rpartition("/")[2]
            bar.update(way.done(progress.bytes), way.total, f"{progress.files:,} files  {name}")

        return add_units(directory, way, config=config, progress=show)


class _Way:
    """Units in their order, and how far through them a reader is: what it skips counts once the unit is over."""

    def __init__(self, units: list[Unit]) -> None:
        self.total = sum(unit.size for unit in units)
        self._units = units
        self._passed = 0
        self._size = 0
        self._base = 0
        self._read = 0

    def __iter__(self) -> Iterator[Unit]:
        for unit in self._units:
            self._size, self._base = unit.size, self._read
            yield unit
            self._passed += unit.size

    def done(self, read: int) -> int:
        """Of `total`, where `read` bytes were indexed so far."""
        self._read = read
        return self._passed + min(read - self._base, self._size)


def result_lines(result: AddResult, directory: Path) -> list[str]:
    """What an `add` did, for a person."""
    lines = [
        f"{printable(str(directory))}: generation {result.generation}, in {result.seconds:.1f} s",
        f"  added      {count(result.documents, 'document')} ({size(result.bytes)}) seen in "
        f"{count(result.origins, 'place')}",
        f"  unchanged  {count(result.unchanged, 'package')}",
    ]
    for reason, summary in result.skipped.items():
        lines.append(f"  skipped    {count(summary.count, 'file')} ({reason}), such as")
        lines.extend(f"                 {printable(example)}" for example in summary.examples[:_EXAMPLES_SHOWN])
    return lines


def _result_object(result: AddResult) -> dict[str, Any]:
    return {
        "generation": result.generation,
        "documents": result.documents,
        "origins": result.origins,
        "bytes": result.bytes,
        "unchanged": result.unchanged,
        "skipped": {
            str(reason): {"count": summary.count, "examples": list(summary.examples)}
            for reason, summary in result.skipped.items()
        },
        "failures": list(result.failures),
        "seconds": round(result.seconds, 3),
    }


@index.command()
@indexes_option
@format_option
def stats(indexes: tuple[Path, ...], form: str) -> int:
    """Say what the index holds, and under which licences."""
    from codecite.indexer import open_index

    for directory, figures in zip(indexes, open_index(*indexes).stats(), strict=True):
        if form == "json":
            answer({"path": str(directory), **_stats_object(figures)}, line=len(indexes) > 1)
        else:
            click.echo("\n".join(_stats_lines(figures, directory)))
    return OK


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
        "licenses": dict(figures.licenses),
        "sources": list(figures.sources),
    }


def _stats_lines(figures: IndexStats, directory: Path) -> list[str]:
    share = figures.index_bytes / figures.bytes if figures.bytes else 0.0
    lines = [
        f"{printable(str(directory))}: generation {figures.generation}, built {figures.built}",
        f"  {count(figures.documents, 'document')} seen in {count(figures.origins, 'place')} "
        f"of {count(figures.packages, 'package')}",
        f"  {size(figures.bytes)} of source, {size(figures.canonical_bytes)} without white space; "
        f"the index takes {size(figures.index_bytes)} ({share:.2f} of the source)",
    ]
    ranked = sorted(figures.licenses.items(), key=lambda item: (-item[1], item[0]))
    width = max((len(f"{documents:,}") for _, documents in ranked), default=0)
    lines.extend(
        f"  {documents:>{width},}  {printable(expression)}" for expression, documents in ranked[:_LICENSES_SHOWN]
    )
    if len(ranked) > _LICENSES_SHOWN:
        lines.append(f"  and {count(len(ranked) - _LICENSES_SHOWN, 'more license')} (--format json has all)")
    return lines


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
