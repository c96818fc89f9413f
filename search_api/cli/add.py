"""`codecite index add`: sources into an index.

In: sources, what is to be left out of them, and the directory of an index. Out: what was added, removed, unchanged,
skipped and could not be read, as text or JSON. It refuses to know how sources are read or indexes are laid out.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import nullcontext
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from codecite.indexer.records import SkipReason
from codecite.search_api.cli.options import (
    ERROR,
    OK,
    answer,
    complain,
    ensure_compiled,
    format_option,
    note,
    written_index_option,
)
from codecite.search_api.cli.printable import count, printable, size
from codecite.search_api.cli.progress import ProgressBar

if TYPE_CHECKING:
    from codecite.indexer.corpus.units import Reading, Unit
    from codecite.indexer.keeping import AddResult, Progress, SkipSummary
    from codecite.indexer.licenses.named import LicenseFilter

_EXAMPLES_SHOWN = 2
_REFUSALS_SHOWN = 10
_LARGEST_FILE = 1 << 31
_REFUSALS = {
    SkipReason.BAD_PATH,
    SkipReason.ENCRYPTED,
    SkipReason.TOO_DEEP,
    SkipReason.UNREADABLE,
    SkipReason.MISSING,
    SkipReason.TAKEN_DOWN,
}
"""Reasons that a person may want to look into, file by file; of the others two examples say enough."""


@click.command()
@click.argument("sources", nargs=-1, metavar="[SOURCE...]")
@click.option("--installed", is_flag=True, help="Add every distribution installed in this Python.")
@click.option("--sync", is_flag=True, help="Also remove what these sources held before and no longer hold.")
@click.option("--keep-going", is_flag=True, help="Exit with 0 where something could not be read; it is named still.")
@click.option(
    "--exclude",
    "patterns",
    multiple=True,
    metavar="PATTERN",
    help="Leave out what matches, in the manner of .gitignore; may be given again.",
)
@click.option(
    "--exclude-from",
    "pattern_files",
    multiple=True,
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="The same, a pattern a line; these come before those of --exclude.",
)
@click.option(
    "--only-licenses",
    "only",
    metavar="LICENSES",
    help="Of a new index: hold only what is under these categories and SPDX expressions ('permissive, MPL-2.0').",
)
@click.option(
    "--scancode",
    is_flag=True,
    help="Ask ScanCode where a head has words of a licence that codecite cannot name; codecite[scancode] has it.",
)
@click.option("--revision", metavar="REV", help="Read directories as git repositories, at this revision.")
@click.option(
    "--columns",
    metavar="MAP",
    help="The columns of datasets: the-stack (the default), the-stack-v2, starcoderdata, or KEY=COLUMN,...",
)
@click.option(
    "--max-file-bytes",
    type=click.IntRange(min=1, max=_LARGEST_FILE),
    metavar="N",
    help="Skip files that are larger; 16 MiB by default.",
)
@click.option(
    "--search/--no-search",
    "lexical",
    default=True,
    show_default=True,
    help="Whether a new index can be searched by words; one that can always will.",
)
@click.option(
    "--scanoss",
    is_flag=True,
    help="Keep SCANOSS's fingerprints, too, for scanoss-py and others; an index that has them keeps them.",
)
@click.option(
    "--partition",
    metavar="I/N",
    help="On a cluster: load part I of N into the index that 'codecite index publish' then publishes.",
)
@written_index_option
@format_option
def add(
    sources: tuple[str, ...],
    installed: bool,
    sync: bool,
    keep_going: bool,
    patterns: tuple[str, ...],
    pattern_files: tuple[Path, ...],
    only: str | None,
    scancode: bool,
    revision: str | None,
    columns: str | None,
    max_file_bytes: int | None,
    lexical: bool,
    scanoss: bool,
    partition: str | None,
    directory: Path | str,
    form: str,
) -> int:
    """Add code to the index.

    A SOURCE is a directory tree, a file, an archive, a git repository, a Debian source package (.dsc) or a dataset
    (.jsonl, .parquet); docs/sources.md has them all. Running it again adds only what is new. What cannot be read is
    named, and the exit code is 2; the rest is added still.
    """
    if not sources and not installed:
        raise click.UsageError("name a SOURCE, or give --installed")
    if revision is not None and not any(Path(source).is_dir() for source in sources):
        raise click.UsageError("--revision is of git repositories; name one as a SOURCE")
    reading = _reading(patterns, pattern_files, revision, columns, max_file_bytes, twice=scancode)
    result = add_sources(
        directory,
        sources,
        installed=installed,
        sync=sync,
        reading=reading,
        only_licenses=_filter(only),
        lexical=lexical,
        scanoss=scanoss,
        partition=partition,
    )
    if form == "json":
        answer(_result_object(result))
    else:
        click.echo("\n".join(result_lines(result, directory)))
    for failure in result.failures:
        complain(failure)
    for source in result.unsynced:
        note(f"codecite: nothing of {printable(source)} was removed, since not all of it could be read")
    return ERROR if result.failures and not keep_going else OK


def _filter(only: str | None) -> LicenseFilter | None:
    if only is None:
        return None
    from codecite.indexer.licenses.named import LicenseFilter

    try:
        return LicenseFilter.parse(only)
    except ValueError as error:
        raise click.BadParameter(f"--only-licenses: {error}") from None


def _reading(
    patterns: tuple[str, ...],
    pattern_files: tuple[Path, ...],
    revision: str | None,
    columns: str | None,
    max_file_bytes: int | None,
    *,
    twice: bool,
) -> Reading:
    from codecite.indexer.corpus.patterns import Excludes, read_patterns
    from codecite.indexer.corpus.units import Reading

    fields: dict[str, Any] = {"revision": revision, "twice": twice}
    left_out = [pattern for path in pattern_files for pattern in read_patterns(path)] + list(patterns)
    if left_out:
        fields.update(excluded=Excludes(left_out), excludes=tuple(left_out))
    if columns is not None:
        from codecite.indexer.corpus.rows import parse_columns

        fields["columns"] = parse_columns(columns)
    if max_file_bytes is not None:
        fields["max_file_bytes"] = max_file_bytes
    return Reading(**fields)


def add_sources(
    directory: Path | str,
    sources: Sequence[str],
    *,
    installed: bool,
    sync: bool = False,
    reading: Reading | None = None,
    only_licenses: LicenseFilter | None = None,
    lexical: bool = True,
    partition: str | None = None,
    scanoss: bool = False,
) -> AddResult:
    """Add to the index in `directory`, or at a place on a cluster; by ScanCode as well, where the reading says `twice`.

    With a progress bar.
    """
    from codecite.indexer.corpus.sources import read_sources
    from codecite.indexer.corpus.units import Reading
    from codecite.indexer.licenses.scancode import ScanCode

    add_units = _adding(directory, partition, scanoss)

    reading = reading or Reading()
    second = ScanCode() if reading.twice else None
    named = read_sources(sources, installed=False, reading=reading)
    ensure_compiled()
    packages = list(read_sources((), installed=installed, reading=reading))
    way = _Way(named, packages, sources)
    with ProgressBar() as bar, second or nullcontext():

        def show(progress: Progress) -> None:
            way.read = progress.bytes
            if bar.due:
                bar.draw(_progress_line(progress), progress.bytes, way.share)

        shown = show if bar.wanted else None
        return add_units(
            way,
            sync=sync,
            only_licenses=only_licenses,
            lexical=lexical,
            second=second.read if second else None,
            progress=shown,
        )


def _adding(place: Path | str, partition: str | None, scanoss: bool) -> Callable[..., AddResult]:
    """What adds units to the index at a place."""
    from codecite.indexer.elastic.place import is_elastic

    if is_elastic(place):
        from codecite.indexer.elastic.load import add as add_to_cluster
        from codecite.indexer.elastic.publishing import parse_partition

        if scanoss:
            raise click.UsageError("--scanoss is of an index in a directory: --index DIR")
        part = None if partition is None else parse_partition(partition)
        return partial(add_to_cluster, str(place), partition=part)
    if partition is not None:
        raise click.UsageError("--partition is of an index on a cluster: --index es+https://HOST/NAME")
    from codecite.indexer.build import add as add_to_directory

    return partial(add_to_directory, Path(place), scanoss=scanoss)


def _progress_line(progress: Progress) -> str:
    parts = [count(progress.files, "file"), size(progress.bytes)]
    if progress.skipped:
        parts.append(f"{progress.skipped:,} skipped")
    if progress.unchanged:
        parts.append(f"{progress.unchanged:,} unchanged")
    return "  ".join([*parts, printable(progress.unit.rpartition("/")[2])])


class _Way:
    """The units in their order, and how far through them a reader is, where every one of them tells its size.

    `read` is how many bytes were indexed so far. What a unit skips counts once the unit is over; an archive holds
    more than it measures, and counts no further than that.
    """

    def __init__(self, named: Iterator[Unit], packages: Sequence[Unit], sources: Sequence[str]) -> None:
        self._named = named
        self._packages = packages
        self._total = _total(sources, packages)
        self._passed = 0
        self._size = 0
        self._base = 0
        self.read = 0

    def __iter__(self) -> Iterator[Unit]:
        for units in (self._named, self._packages):
            for unit in units:
                self._size, self._base = unit.size, self.read
                yield unit
                self._passed += unit.size

    @property
    def share(self) -> float | None:
        """The part of all that is done, from 0 to 1; None where that is not known."""
        done = self._passed + min(self.read - self._base, self._size)
        return done / self._total if 0 < done < self._total else None


def _total(sources: Sequence[str], packages: Sequence[Unit]) -> int:
    """The bytes of all sources; 0 if there is a directory among them, whose bytes nobody has counted."""
    paths = [Path(source) for source in sources]
    if not all(path.is_file() for path in paths):
        return 0
    return sum(path.stat().st_size for path in paths) + sum(unit.size for unit in packages)


def result_lines(result: AddResult, directory: Path | str) -> list[str]:
    """What an `add` did, for a person."""
    lines = [
        f"{printable(str(directory))}: generation {result.generation}, in {result.seconds:.1f} s",
        f"  added      {count(result.documents, 'document')} ({size(result.bytes)}) seen in "
        f"{count(result.origins, 'place')}",
    ]
    if result.removed:
        lines.append(f"  removed    {count(result.removed, 'place')} that the sources no longer hold")
    lines.append(f"  unchanged  {count(result.unchanged, 'package')}, {count(result.unchanged_files, 'file')}")
    for reason, summary in sorted(result.skipped.items()):
        lines.extend(_skipped_lines(reason, summary))
    return lines


def _skipped_lines(reason: SkipReason, summary: SkipSummary) -> Iterator[str]:
    shown = summary.examples[: _REFUSALS_SHOWN if reason in _REFUSALS else _EXAMPLES_SHOWN]
    such_as = ", such as" if summary.count > len(shown) else ":"
    yield f"  skipped    {count(summary.count, 'file')} ({reason}){such_as}"
    yield from (f"                 {printable(example)}" for example in shown)


def _result_object(result: AddResult) -> dict[str, Any]:
    return {
        "generation": result.generation,
        "documents": result.documents,
        "origins": result.origins,
        "bytes": result.bytes,
        "removed": result.removed,
        "unchanged_packages": result.unchanged,
        "unchanged_files": result.unchanged_files,
        "skipped": {
            str(reason): {"count": summary.count, "examples": list(summary.examples)}
            for reason, summary in sorted(result.skipped.items())
        },
        "failures": list(result.failures),
        "unsynced": list(result.unsynced),
        "seconds": round(result.seconds, 3),
    }
