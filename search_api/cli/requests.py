"""`codecite index requests`: what people asked a server to leave out; it is shown, carried out, or turned down.

In: the log that `codecite serve --removal-requests` writes, the directory of an index, decisions. Out: the requests,
and what was removed, as text or JSON. It refuses to know how a request came.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from codecite.indexer.errors import ConfigError
from codecite.search_api.cli.options import OK, answer, complain, format_option, written_index_option
from codecite.search_api.cli.printable import count, printable
from codecite.search_api.cli.upkeep import removed

if TYPE_CHECKING:
    from codecite.indexer.store.takedowns import Takedown
    from codecite.indexer.upkeep import RemoveResult
    from codecite.search_api.removals import Removal


@click.command()
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--accept", multiple=True, metavar="ID", help="Take out what is asked for, for good; again for another.")
@click.option("--reject", multiple=True, metavar="ID", help="Turn it down.")
@click.option("--all", "every", is_flag=True, help="Show those that are decided, too.")
@written_index_option
@format_option
def requests(
    file: Path, accept: tuple[str, ...], reject: tuple[str, ...], every: bool, directory: Path | str, form: str
) -> int:
    """Show the requests of people to be left out, and decide them.

    FILE is that of 'codecite serve --removal-requests'. What is accepted is removed as by 'codecite index remove': it
    is no longer found, does not come back, and is erased by the next 'codecite index compact'.
    """
    from codecite.search_api.removals import RemovalLog

    log = RemovalLog(file)
    found, damaged = log.read()
    if damaged:
        complain(f"{file}: {count(len(damaged), 'line')} cannot be read, the first is {damaged[0]}; look at it by hand")
    if accept or reject:
        return _decided(log, _open(found, accept, reject), set(accept), directory, form)
    shown = [item for item in found if every or item.state == "open"]
    if form == "json":
        answer({"requests": [_object(item) for item in shown]})
    else:
        click.echo("\n".join(_lines(shown, file, directory)))
    return OK


def _open(found: Sequence[Removal], accept: Sequence[str], reject: Sequence[str]) -> list[Removal]:
    """The requests to decide; ConfigError before anything is done, where one is none."""
    by_id = {item.id: item for item in found}
    chosen = dict.fromkeys((*accept, *reject))
    if len(chosen) < len({*accept}) + len({*reject}):
        raise click.UsageError("one request is both to be accepted and rejected")
    for name in chosen:
        if name not in by_id:
            raise ConfigError(f"{name!r} is no request; without --accept and --reject this command lists them")
        if by_id[name].state != "open":
            raise ConfigError(f"the request {name} is {by_id[name].state} already")
    return [by_id[name] for name in chosen]


def _decided(log: Any, chosen: list[Removal], accepted: set[str], directory: Path | str, form: str) -> int:
    """Remove first, then note it: what a kill leaves open can be accepted again."""
    rules = [item.rule for item in chosen if item.id in accepted]
    result = removed(directory, rules) if rules else None
    log.decide({item.id: "accepted" if item.id in accepted else "rejected" for item in chosen})
    if form == "json":
        done = {} if result is None else {"generation": result.generation, "origins": result.origins}
        answer({"accepted": [i.id for i in chosen if i.id in accepted], "rejected": _rest(chosen, accepted), **done})
    else:
        click.echo("\n".join(_done(chosen, accepted, result)))
    return OK


def _rest(chosen: list[Removal], accepted: set[str]) -> list[str]:
    return [item.id for item in chosen if item.id not in accepted]


def _done(chosen: list[Removal], accepted: set[str], result: RemoveResult | None) -> Iterator[str]:
    for item in chosen:
        yield f"{item.id}  {'accepted' if item.id in accepted else 'rejected'}  {printable(str(item.rule))}"
    if result is not None:
        yield (
            f"generation {result.generation}: removed {count(result.origins, 'place')}, "
            f"{count(result.documents, 'document')} no longer found, {result.kept:,} still found, at other places"
        )
        yield "'codecite index compact' erases from the disk what is no longer found"


def _would_remove(directory: Path | str, rule: Takedown) -> tuple[int, tuple[tuple[str, str, str], ...]]:
    """How many places a rule would take out, and the first of the files; a cluster tells their number only."""
    from codecite.indexer.upkeep import selected

    if not isinstance(directory, Path):
        return removed(directory, [rule], dry_run=True).origins, ()
    now = selected(directory, (rule,), 3)
    return now.origins, now.files


def _lines(shown: Sequence[Removal], file: Path, directory: Path | str) -> Iterator[str]:
    yield f"{printable(str(file))}: {count(len(shown), 'request')}"
    for item in shown:
        yield f"{item.id}  {item.at}  {item.state}  {printable(str(item.rule))}"
        yield f"    asked by {printable(item.contact)}"
        if item.reason:
            yield f"    because {printable(item.reason)}"
        if item.state == "open":
            origins, files = _would_remove(directory, item.rule)
            yield f"    would remove {count(origins, 'place')} ({item.origins:,} when it was asked)"
            for path, project, _ in files:
                yield f"        {printable(f'{project} {path}'.strip())}"
    if any(item.state == "open" for item in shown):
        yield "decide with --accept ID, --reject ID"


def _object(item: Removal) -> dict[str, Any]:
    rule = {"kind": str(item.rule.kind), "value": item.rule.value}
    about = {"reason": item.reason, "contact": item.contact, "origins": item.origins}
    return {"id": item.id, "at": item.at, "state": item.state, **rule, **about}
