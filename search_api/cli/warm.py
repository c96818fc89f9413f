"""`codecite warm`: compile every kernel now, so that no later command has to.

In: nothing. Out: one line that says how long it took. It refuses to know which kernels there are.
"""

from __future__ import annotations

import time

import click

from codecite.search_api.cli.options import OK


@click.command()
def warm() -> int:
    """Compile what a first run would compile."""
    begun = time.monotonic()
    from codecite.indexer.warm import warm as warm_kernels

    warm_kernels()
    click.echo(f"compiled in {time.monotonic() - begun:.1f} s; later commands start at once")
    return OK
