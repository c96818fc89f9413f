"""`codecite ledger`: what this service generated, what of it a text shares, and what of it is forgotten.

In: the directory of a ledger. Out: its records, as text or JSON. It refuses to know how they are kept.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import click

from codecite.search_api.cli.options import OK, answer, ensure_compiled, format_option, note
from codecite.search_api.cli.printable import count, printable

if TYPE_CHECKING:
    from codecite.indexer.ledger import Record

_ledger_option: Callable[[Callable[..., int]], Callable[..., int]] = click.option(
    "--ledger", "place", required=True, metavar="DIR", envvar="CODECITE_LEDGER", show_envvar=True, help="The ledger."
)


@click.group()
def ledger() -> None:
    """Look after a ledger of completions."""


@ledger.command(name="list")
@_ledger_option
@format_option
def list_records(place: str, form: str) -> int:
    """List the records, oldest first. As JSON, a record a line."""
    from codecite.indexer.ledger import Ledger

    with closing(Ledger(place, reading=True)) as opened:
        for record in opened.records():
            if form == "json":
                answer(record.to_dict(), line=True)
            else:
                click.echo(_line(record))
    return OK


@ledger.command()
@click.argument("file", default="-", metavar="[FILE|-]")
@_ledger_option
@format_option
def match(file: str, place: str, form: str) -> int:
    """Say which records share fingerprints with a text.

    These include records whose text was not kept: every one that shares a passage of 50 bytes with the text, and
    perhaps others, since without a text nothing can be compared. 'codecite check --index DIR' compares those with one.
    """
    from codecite.indexer.ledger import Ledger

    text = sys.stdin.buffer.read() if file == "-" else Path(file).read_bytes()
    with closing(Ledger(place, reading=True)) as opened:
        found = opened.match(text)
    for record, shared in found:
        if form == "json":
            answer({**record.to_dict(), "fingerprints": shared}, line=True)
        else:
            click.echo(f"{count(shared, 'fingerprint')} of {_line(record)}")
    if not found and form == "text":
        click.echo("no fingerprint of it is in the ledger")
    return OK


@ledger.command()
@_ledger_option
def compact(place: str) -> int:
    """Bring all texts into the ledger's index."""
    from codecite.indexer.ledger import Ledger

    ensure_compiled()
    with closing(Ledger(place, reading=True)) as opened:
        click.echo(f"{printable(place)}: {count(opened.compact(), 'text')} brought into the index")
    return OK


@ledger.command()
@click.option("--id", "ids", multiple=True, metavar="ID", help="The record with this id; may be given again.")
@click.option("--older-than-days", type=click.FloatRange(min=0), metavar="N", help="All records older than N days.")
@_ledger_option
def forget(ids: tuple[str, ...], older_than_days: float | None, place: str) -> int:
    """Erase records for good, from the log and from the index."""
    from codecite.indexer.ledger import Ledger

    if not ids and older_than_days is None:
        raise click.UsageError("give --id or --older-than-days")
    before = None if older_than_days is None else datetime.now(UTC) - timedelta(days=older_than_days)
    ensure_compiled()
    with closing(Ledger(place, reading=True)) as opened:
        gone = opened.forget(ids=ids, before=before)
    click.echo(f"{printable(place)}: {count(gone, 'record')} erased")
    if ids and gone < len(set(ids)):
        note("codecite: not every id is that of a record")
    return OK


def _line(record: Record) -> str:
    licenses = f", passages under {', '.join(record.licenses)}" if record.licenses else ""
    return printable(f"{record.id}  {record.time}  {record.model}  {record.outcome}{licenses}")
