"""`codecite demo`: the main job, on the code that is installed on this machine.

In: nothing but this Python's own packages. Out: an index of them, and the completions of the demo model with their
passages, files, lines and licences. It refuses to know how an index or a model works.
"""

from __future__ import annotations

import hashlib
import shlex
import sys
from pathlib import Path

import click

from codecite.indexer.config import IndexConfig
from codecite.search_api.cli.add import add_sources, result_lines
from codecite.search_api.cli.options import ERROR, OK, colour_wanted, complain, note, user_directory
from codecite.search_api.cli.printable import printable
from codecite.search_api.cli.render_text import render_coverage, render_report

_RULE = "=" * 100


def _demo_index() -> Path:
    """One index for each Python environment, since what is installed differs, for each configuration and format."""
    from codecite.indexer.store.section import FORMAT

    identity = f"{sys.prefix}\0{IndexConfig()}\0{FORMAT}".encode("utf-8", "surrogateescape")
    environment = hashlib.sha256(identity).hexdigest()[:12]
    return user_directory("XDG_CACHE_HOME", ".cache") / f"demo-{environment}"


@click.command()
@click.option(
    "--index",
    "directory",
    metavar="DIR",
    type=click.Path(file_okay=False, path_type=Path),
    default=_demo_index,
    show_default="one per user and environment, in the cache",
    help="Where the demo's index lies.",
)
def demo(directory: Path) -> int:
    """Try everything on what is installed here.

    Indexes every package of this Python, lets a small model write code, and shows where that code comes from.
    """
    from codecite.generator.demo import demo_prompts
    from codecite.generator.generator import Generator
    from codecite.generator.local import LocalModel
    from codecite.indexer import open_index

    note("codecite: loading the demo model")
    model = LocalModel.load("demo")
    note("codecite: indexing every package that is installed here")
    result = add_sources(directory, (), installed=True, sync=True)
    colour = colour_wanted()
    click.echo("\n".join(result_lines(result, directory)))
    for failure in result.failures:
        complain(failure)
    generator = Generator(model, open_index(directory))
    for number, prompt in enumerate(demo_prompts(), start=1):
        done = generator.complete(prompt.prompt)
        title = f"Completion {number}, {prompt.title}"
        text = prompt.prompt + done.completion
        click.echo("\n" + _RULE)
        click.echo("\n".join(render_report(done.report, text, title=title, colour=colour, whole=True)))
    click.echo("\n" + _RULE + "\n".join(render_coverage(generator.index.coverage)))
    click.echo("\n".join(_next_steps(directory)))
    return ERROR if result.failures else OK


def _next_steps(directory: Path) -> list[str]:
    index = f"--index {shlex.quote(printable(str(directory)))}"
    return [
        "",
        "What to try next:",
        f"  codecite check FILE {index}",
        "      where a file of yours stands in what is installed here",
        f"  codecite generate --model demo --prompt 'def load_file(' {index}",
        "      another completion; --model DIR takes any transformers checkpoint",
        f"  codecite index stats {index}",
        "      what was indexed, and under which licences",
        "  codecite index add DIRECTORY package.whl",
        "      an index of your own, which `codecite check` then reads",
    ]
