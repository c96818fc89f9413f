"""`codecite generate`: a completion, and the Report of exactly that completion.

In: a model's directory (or `demo`), a prompt, perhaps a suffix. Out: the completion with its shared passages, as text
or JSON. It refuses to know how a model writes.
"""

from __future__ import annotations

from pathlib import Path
from typing import BinaryIO

import click

from codecite.search_api.cli.options import (
    answer,
    colour_wanted,
    compiling_to_read,
    exit_code,
    format_option,
    indexes_option,
    policy_option,
    strict_option,
)
from codecite.search_api.cli.render_text import render_coverage, render_report


@click.command()
@click.option("--model", required=True, metavar="DIR|demo", help="A transformers checkpoint, or the demo model.")
@click.option("--prompt", metavar="TEXT", help="What stands before the completion.")
@click.option("--prompt-file", type=click.File("rb"), metavar="FILE|-", help="The same, from a file.")
@click.option("--suffix", metavar="TEXT", help="What stands after the completion.")
@click.option(
    "--max-new-tokens",
    type=click.IntRange(min=1),
    default=128,
    show_default=True,
    metavar="N",
    help="Where the completion ends at the latest.",
)
@click.option(
    "--temperature",
    type=click.FloatRange(min=0.0),
    default=0.0,
    show_default=True,
    metavar="T",
    help="0 takes the likeliest token each time; more samples.",
)
@click.option("--seed", type=click.IntRange(min=0), metavar="N", help="Makes sampling repeatable.")
@policy_option
@strict_option
@indexes_option
@format_option
def generate(
    model: str,
    prompt: str | None,
    prompt_file: BinaryIO | None,
    suffix: str | None,
    max_new_tokens: int,
    temperature: float,
    seed: int | None,
    policy: str,
    strict: bool,
    indexes: tuple[Path, ...],
    form: str,
) -> int:
    """Complete a prompt and check the completion.

    As JSON, the Report with one more key: `generation`, which holds the `model` and the `text` it wrote.
    """
    before = _prompt(prompt, prompt_file)
    from codecite.generator.generator import Generator
    from codecite.generator.local import LocalModel
    from codecite.indexer import open_index
    from codecite.indexer.attribution.policy import load_policy

    held = load_policy(policy)
    index = open_index(*indexes)
    generator = Generator(LocalModel.load(model), index, held)
    with compiling_to_read():
        done = generator.complete(before, suffix, max_new_tokens=max_new_tokens, temperature=temperature, seed=seed)
    if form == "json":
        answer({**done.report.to_dict(), "generation": {"model": model, "text": done.completion}})
    else:
        text = before + done.completion + (suffix or "")
        lines = render_report(done.report, text, title="completion", colour=colour_wanted(), whole=True)
        click.echo("\n".join([*lines, *render_coverage(done.report.indexes)]))
    return exit_code(done.report, strict=strict)


def _prompt(text: str | None, file: BinaryIO | None) -> str:
    if text is not None and file is None:
        return text
    if file is not None and text is None:
        return file.read().decode("utf-8", "surrogateescape")
    raise click.UsageError("give either --prompt or --prompt-file")
