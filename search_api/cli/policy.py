"""`codecite policy`: the policies that ship, what one of them says, and whether a file is one.

In: names and files. Out: their text, or what is wrong with them. It refuses to know how a policy is applied.
"""

from __future__ import annotations

import click

from codecite.search_api.cli.options import OK, answer, format_option
from codecite.search_api.cli.printable import printable


@click.group()
def policy() -> None:
    """Show and check policies."""


@policy.command(name="list")
@format_option
def list_policies(form: str) -> int:
    """List the policies that ship, and the tables that they are judged by."""
    from codecite.indexer.attribution.policy import READY, load_policy
    from codecite.indexer.licenses.tables import tables

    found = [load_policy(name) for name in READY]
    sources = tables().sources
    if form == "json":
        shown = {kind: {"name": one.name, "date": one.date, "license": one.license} for kind, one in sources.items()}
        names = [{"name": one.name, "sha256": one.sha256, "description": one.description} for one in found]
        answer({"policies": names, "tables": shown})
        return OK
    width = max(map(len, READY))
    for one in found:
        click.echo(f"{one.name:<{width}}  {one.description}")
    click.echo("")
    for kind, source in sources.items():
        click.echo(f"{kind}: {source.name} of {source.date} ({source.license})")
    return OK


@policy.command()
@click.argument("name")
def show(name: str) -> int:
    """Print the TOML of a policy that ships, to start one's own from."""
    from codecite.indexer.attribution.policy import READY, ready_text

    if name not in READY:
        raise click.BadParameter(f"there is no ready policy {printable(name)}; there are {', '.join(READY)}")
    click.echo(ready_text(name), nl=False)
    return OK


@policy.command()
@click.argument("file", type=click.Path(dir_okay=False))
@format_option
def check(file: str, form: str) -> int:
    """Say whether a file is a policy, and what it allows, warns of and denies."""
    from codecite.indexer.attribution.policy import load_policy
    from codecite.indexer.records import Outcome

    held = load_policy(file)
    words = {Outcome.PASS: "allow", Outcome.WARN: "warn", Outcome.FAIL: "deny"}
    rules = {word: [name for name, said in held.rules.items() if said is outcome] for outcome, word in words.items()}
    if form == "json":
        answer({"name": held.name, "sha256": held.sha256, **rules, "default": words[held.default]})
        return OK
    click.echo(f"{printable(file)}: the policy {printable(held.name)} is well formed.")
    for word, names in rules.items():
        if names:
            click.echo(f"    {word}: {printable(', '.join(names))}")
    click.echo(f"    all else: {words[held.default]}")
    return OK
