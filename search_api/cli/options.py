"""What several commands share: the options, the exit codes, and how to speak on the two streams.

In: an option's value, an answer, an error. Out: paths of indexes, JSON on standard output, lines on standard error.
It refuses to know what is asked of an index.
"""

from __future__ import annotations

import json
import os
import re
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from codecite.indexer.records import Outcome, Report
from codecite.indexer.remote.client import is_server
from codecite.search_api.cli.printable import printable

if TYPE_CHECKING:
    from codecite.indexer import Index

OK = 0
FAIL = 1
ERROR = 2

_COMPILING_AGAIN = (
    "codecite: compiling (some 30 to 60 seconds), each time, since no cache of compiled kernels can be written here; "
    "let NUMBA_CACHE_DIR name a directory that can be"
)
_COMPILING = "codecite: first run, compiling (once, some 30 to 60 seconds; `codecite warm` does it beforehand)"


def user_directory(variable: str, fallback: str) -> Path:
    """A per-user directory of the XDG base directory specification (`XDG_DATA_HOME`, `.local/share`)."""
    base = os.environ.get(variable, "")
    return (Path(base) if Path(base).is_absolute() else Path.home() / fallback) / "codecite"


def default_index() -> tuple[Path, ...]:
    """The index used where neither `--index` nor `CODECITE_INDEX` names one."""
    return (user_directory("XDG_DATA_HOME", ".local/share") / "index",)


class _PlaceOfIndex(click.Path):
    """A directory, or the address of a server; in the environment several stand between colons."""

    _ONE = re.compile(r"(?:[\w+.-]+://(?:[^/@\s]*@)?(?:\[[^\]]*\]|[^:/]*)(?::\d+)?(?:/[^:]*)?|[^:]+)")

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """A Path; an address as it is."""
        return value if "://" in str(value) else super().convert(value, param, ctx)

    def split_envvar_value(self, rv: str) -> list[str]:
        """The places in a variable."""
        return self._ONE.findall(rv)


Places = tuple[Path | str, ...]


def kept_here(places: Places) -> Places:
    """The indexes, which are written from here: in directories, or on clusters. A usage error for a codecite server."""
    for place in places:
        if is_server(place):
            raise click.UsageError(f"{place} is a server's: that is done on the machine that the index lies on")
    return places


def _only_one(_context: click.Context, _parameter: click.Parameter, value: Places) -> Path | str:
    if len(value) != 1:
        raise click.BadParameter(f"one index is written at a time, {len(value)} are named")
    return kept_here(value)[0]


def _index_option(
    name: str, says: str, callback: Callable[..., Path | str] | None = None
) -> Callable[[Callable[..., int]], Callable[..., int]]:
    return click.option(
        "--index",
        name,
        metavar="DIR|URL",
        multiple=True,
        type=_PlaceOfIndex(file_okay=False, path_type=Path),
        envvar="CODECITE_INDEX",
        show_envvar=True,
        default=default_index,
        show_default="one per user",
        callback=callback,
        help=says,
    )


indexes_option = _index_option(
    "indexes",
    "The index to read, or the address of a codecite server; give it again to read several together.",
)
written_index_option = _index_option("directory", "The index to write to.", callback=_only_one)
format_option = click.option(
    "--format", "form", type=click.Choice(["text", "json"]), default="text", show_default=True, help="How to answer."
)
sources_option = click.option(
    "--sources",
    type=click.IntRange(min=0),
    default=5,
    show_default=True,
    metavar="N",
    help="How many sources of a passage to show.",
)


def _policy_option(default: str) -> Callable[[Callable[..., int]], Callable[..., int]]:
    return click.option(
        "--policy",
        metavar="NAME|FILE",
        envvar="CODECITE_POLICY",
        show_envvar=True,
        default=default,
        show_default=True,
        help="The policy that passages are judged by: a ready one ('codecite policy list') or a TOML file.",
    )


policy_option = _policy_option("audit")
notice_policy_option = _policy_option("attribution-only")
strict_option = click.option("--strict", is_flag=True, help="Exit with 1 for the verdict 'warn', too.")


def answer(value: Mapping[str, Any], *, line: bool = False) -> None:
    """Write one JSON object to standard output, on one line or indented."""
    click.echo(json.dumps(value, indent=None if line else 2))


def exit_code(report: Report, *, strict: bool) -> int:
    """1 where the verdict is `fail` (where `strict`, also `warn`), else 0."""
    failing = (Outcome.FAIL, Outcome.WARN) if strict else (Outcome.FAIL,)
    return FAIL if report.verdict.outcome in failing else OK


def complain(message: str) -> None:
    """Write an error to standard error, on one line."""
    note(f"codecite: {printable(' '.join(message.split()))}")


def note(message: str) -> None:
    """Write a line for a person to standard error; silent where nobody reads it."""
    try:
        click.echo(message, err=True)
    except BrokenPipeError:
        return


def colour_wanted() -> bool:
    """Whether standard output is a terminal that may be given colours."""
    return sys.stdout.isatty() and "NO_COLOR" not in os.environ


def _say_compiling() -> None:
    from codecite.indexer.kernels.jit import has_cache

    note(_COMPILING if has_cache() else _COMPILING_AGAIN)


def ensure_compiled() -> None:
    """Compile what an index is built with, if that was not done yet, and say so: some seconds, once."""
    from codecite.indexer.kernels.jit import Warmth, is_cold
    from codecite.indexer.warm import warm

    if is_cold(Warmth.ALL):
        _say_compiling()
        warm()


@contextmanager
def compiling_to_read(index: Index) -> Iterator[None]:
    """Around checks: say that the first one compiles what it needs, where that was not done yet."""
    if all(map(is_server, index.places)):  # whatever runs kernels does so elsewhere
        yield
        return
    from codecite.indexer.kernels.jit import Warmth, is_cold, is_compiled, mark_warm
    from codecite.indexer.kernels.segment import place_passage

    cold = is_cold(Warmth.READING)
    if cold:
        _say_compiling()
    yield
    # The last kernel that a check with a Match calls: where it is compiled, all others are.
    if cold and is_compiled(place_passage):
        mark_warm(Warmth.READING)
