"""`codecite index compact` and `remove`: make an index smaller, and take something out of it for good.

In: the directory of an index; what must go, named by its package, repository, owner, path or content. Out: what was
done, or would be, as text or JSON. It refuses to know how an index forgets.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from codecite.indexer.elastic.place import is_elastic
from codecite.search_api.cli.options import OK, answer, ensure_compiled, format_option, written_index_option
from codecite.search_api.cli.printable import count, printable, size

if TYPE_CHECKING:
    from codecite.indexer.store.takedowns import Takedown, Takedowns
    from codecite.indexer.upkeep import CompactResult, RemoveResult

_PROJECTS_SHOWN = 25
_RULES_SHOWN = 25


@click.command()
@written_index_option
@format_option
def compact(directory: Path | str, form: str) -> int:
    """Merge the parts of the index, and erase what was removed."""
    if is_elastic(directory):
        from codecite.indexer.elastic.publishing import compact as compact_on_cluster

        result = compact_on_cluster(str(directory))
    else:
        from codecite.indexer.upkeep import compact as compact_index

        ensure_compiled()
        result = compact_index(Path(directory))
    if form == "json":
        answer(_compacted_object(result))
    else:
        click.echo("\n".join(_compacted_lines(result, directory)))
    return OK


def _compacted_lines(result: CompactResult, directory: Path | str) -> Iterator[str]:
    yield f"{printable(str(directory))}: generation {result.generation}, in {result.seconds:.1f} s"
    yield f"  segments   {result.segments:,}, from {result.segments_before:,}"
    yield f"  on disk    {size(result.bytes)}, from {size(result.bytes_before)}"
    yield f"  erased     {count(result.erased, 'document')}"


def _compacted_object(result: CompactResult) -> dict[str, Any]:
    return {
        "generation": result.generation,
        "segments_before": result.segments_before,
        "segments": result.segments,
        "bytes_before": result.bytes_before,
        "bytes": result.bytes,
        "erased": result.erased,
        "seconds": round(result.seconds, 3),
    }


@click.command()
@click.option("--purl", multiple=True, metavar="PURL", help="A package; without @VERSION, all its versions.")
@click.option("--repository", multiple=True, metavar="REPO", help="A repository: its URL, or OWNER/NAME on GitHub.")
@click.option(
    "--owner", multiple=True, metavar="OWNER", help="All repositories of an owner: HOST/OWNER, or OWNER on GitHub."
)
@click.option("--path", multiple=True, metavar="PATTERN", help="Files, by a pattern in the manner of .gitignore.")
@click.option("--swhid", multiple=True, metavar="SWHID", help="One content, wherever it was found.")
@click.option(
    "--opt-outs", "lists", multiple=True, type=click.Path(path_type=Path), metavar="FILE", help="A list of opt-outs."
)
@click.option("--dry-run", is_flag=True, help="Only say what would go.")
@click.option("--list", "listed", is_flag=True, help="Only say what is in force.")
@written_index_option
@format_option
def remove(
    purl: tuple[str, ...],
    repository: tuple[str, ...],
    owner: tuple[str, ...],
    path: tuple[str, ...],
    swhid: tuple[str, ...],
    lists: tuple[Path, ...],
    dry_run: bool,
    listed: bool,
    directory: Path | str,
    form: str,
) -> int:
    """Take something out of the index for good.

    Every option that names something may be given again. What is named is no longer found from now on, and is not
    added again; `codecite index compact` erases it from the disk. An --opt-outs FILE has an owner, OWNER/NAME, URL,
    purl or SWHID a line.
    """
    named = {"purl": purl, "repository": repository, "owner": owner, "path": path, "swhid": swhid}
    if listed:
        if lists or dry_run or any(named.values()):
            raise click.UsageError("--list says what is in force; it takes no other option than --index and --format")
        return _show_list(directory, form)
    if not lists and not any(named.values()):
        raise click.UsageError("name what is to go: --purl, --repository, --owner, --path, --swhid or --opt-outs")
    from codecite.indexer.store.takedowns import TakedownKind, parse_takedown, read_opt_outs

    rules = [parse_takedown(TakedownKind(kind), text) for kind, texts in named.items() for text in texts]
    rules += [rule for place in lists for rule in read_opt_outs(place)]
    result = removed(directory, rules, dry_run=dry_run)
    if form == "json":
        answer(_removed_object(result, dry_run))
    else:
        click.echo("\n".join(_removed_lines(result, directory, dry_run)))
    return OK


def removed(place: Path | str, rules: Sequence[Takedown], *, dry_run: bool = False) -> RemoveResult:
    """Take out of the index at a place what the rules name, or say what that would be."""
    if is_elastic(place):
        from codecite.indexer.elastic.publishing import remove as remove_on_cluster

        return remove_on_cluster(str(place), rules, dry_run=dry_run)
    from codecite.indexer.upkeep import remove as remove_from_index

    return remove_from_index(Path(place), rules, dry_run=dry_run)


def _show_list(directory: Path | str, form: str) -> int:
    generation, takedowns = _in_force(directory)
    rules = list(takedowns.rules)
    if form == "json":
        answer({"generation": generation, "takedowns": _rules_object(rules)})
    else:
        head = f"{printable(str(directory))}: generation {generation}, {count(len(rules), 'takedown')} in force"
        click.echo("\n".join([head, *(f"  {rule.kind:<10}  {printable(rule.value)}" for rule in rules)]))
    return OK


def _in_force(place: Path | str) -> tuple[int, Takedowns]:
    if is_elastic(place):
        from codecite.indexer.elastic.publishing import takedowns_of

        return takedowns_of(str(place))
    from codecite.indexer.store.manifest import read_manifest
    from codecite.indexer.upkeep import read_takedowns

    manifest = read_manifest(Path(place))
    return manifest.generation, read_takedowns(Path(place), manifest)


@click.command()
@written_index_option
@format_option
def publish(directory: Path | str, form: str) -> int:
    """Make an index under construction on a cluster the index, in one step.

    What `codecite index add --partition` loaded takes the place of what is there under this name. That stays beside it
    until the next time.
    """
    if not is_elastic(directory):
        raise click.UsageError(
            f"{directory} is no index on a cluster; what is added to a directory is published at once"
        )
    from codecite.indexer.elastic.publishing import publish as publish_on_cluster

    published = publish_on_cluster(str(directory))
    figures = published.figures
    if form == "json":
        answer({"id": published.id, "generation": published.generation, "documents": figures.documents})
    else:
        held = (
            f"{count(figures.documents, 'document')} ({size(figures.bytes)}) seen in {count(figures.origins, 'place')}"
        )
        click.echo(f"{printable(str(directory))}: generation {published.generation}: {held}")
    return OK


def _removed_lines(result: RemoveResult, directory: Path | str, dry_run: bool) -> Iterator[str]:
    place = printable(str(directory))
    if dry_run:
        yield f"{place}: a dry run, nothing was changed"
        places, gone, stay = "would remove", "would no longer be found", "would still be, at other places"
    else:
        yield f"{place}: generation {result.generation}, in {result.seconds:.1f} s"
        places, gone, stay = "removed", "no longer found", "still found, at other places"
    yield f"  {count(len(result.rules), 'takedown')} not in force before{':' if result.rules else ''}"
    for rule in result.rules[:_RULES_SHOWN]:
        yield f"      {rule.kind:<10}  {printable(rule.value)}"
    yield from _more(len(result.rules) - _RULES_SHOWN, "takedown")
    yield f"  {places} {count(result.origins, 'place')}{':' if result.packages else ''}"
    width = max((len(f"{number:,}") for number in result.packages.values()), default=0)
    for project, number in list(result.packages.items())[:_PROJECTS_SHOWN]:
        yield f"      {number:>{width},}  {printable(project)}"
    yield from _more(len(result.packages) - _PROJECTS_SHOWN, "project")
    yield f"  {count(result.documents, 'document')} {gone}, {result.kept:,} {stay}"
    if result.origins and not dry_run:
        yield "  'codecite index compact' erases from the disk what is no longer found"


def _more(number: int, noun: str) -> Iterator[str]:
    if number > 0:
        yield f"      and {count(number, f'more {noun}')} (--format json has all)"


def _removed_object(result: RemoveResult, dry_run: bool) -> dict[str, Any]:
    return {
        "dry_run": dry_run,
        "generation": result.generation,
        "takedowns": _rules_object(result.rules),
        "origins": result.origins,
        "projects": dict(result.packages),
        "documents": result.documents,
        "kept": result.kept,
        "seconds": round(result.seconds, 3),
    }


def _rules_object(rules: Sequence[Takedown]) -> list[dict[str, str]]:
    return [{"kind": str(rule.kind), "value": rule.value} for rule in rules]
