"""`codecite generate`: a completion, and the Report of exactly that completion.

In: a model (a directory, `demo`, the URL of a server), a prompt, perhaps a suffix. Out: the completion with its shared
passages, as text or JSON, or each event as it happens. It refuses to know how a model writes.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, closing
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

import click

from codecite.search_api.cli.options import (
    ERROR,
    answer,
    colour_wanted,
    compiling_to_read,
    complain,
    ensure_compiled,
    exit_code,
    format_option,
    indexes_option,
    note,
    policy_option,
    strict_option,
)
from codecite.search_api.cli.printable import count, printable
from codecite.search_api.cli.render_text import render_coverage, render_report

if TYPE_CHECKING:
    from codecite.generator.events import Generation
    from codecite.generator.model import Model


@click.command()
@click.option(
    "--model",
    "place",
    required=True,
    metavar="DIR|URL|demo",
    help="A transformers checkpoint, an OpenAI-compatible completion server, or the demo model.",
)
@click.option("--served-model", metavar="NAME", help="Which model of the server; its only one by default.")
@click.option("--key-file", metavar="FILE", help="The key of the server; else CODECITE_MODEL_KEY has it.")
@click.option("--tokenizer", metavar="DIR", help="The tokenizer of a served model, where the server has no /tokenize.")
@click.option(
    "--timeout", type=click.FloatRange(min=0.1), default=60.0, metavar="S", help="Seconds to wait for a server."
)
@click.option("--prompt", metavar="TEXT", help="What stands before the completion.")
@click.option("--prompt-file", type=click.File("rb"), metavar="FILE|-", help="The same, from a file.")
@click.option("--suffix", metavar="TEXT", help="What stands after the completion.")
@click.option("--assistant", is_flag=True, help="Take the prompt as a request, in words, to a base model.")
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
@click.option(
    "--top-p", type=click.FloatRange(0.0, 1.0, min_open=True), default=1.0, metavar="P", help="Sample from this share."
)
@click.option(
    "--top-k", type=click.IntRange(min=0), default=0, metavar="K", help="Sample from so many tokens; 0 is all."
)
@click.option("--seed", type=click.IntRange(min=0), metavar="N", help="Makes sampling repeatable.")
@click.option("--stop", multiple=True, metavar="TEXT", help="End before this text; may be given again.")
@click.option("--dtype", metavar="NAME", help="The torch type of the weights, such as bfloat16.")
@click.option("--device", metavar="NAME", help="The torch device, such as cuda:1.")
@click.option("--quantize", type=click.Choice(["4bit", "8bit"]), help="Load smaller weights; needs bitsandbytes.")
@click.option("--ledger", "ledger_place", metavar="DIR", help="Record the completion in this ledger.")
@click.option("--without-text", is_flag=True, help="Of the completion, the ledger keeps fingerprints only.")
@click.option("--events", is_flag=True, help="Write each event as it happens, as a line of JSON.")
@policy_option
@strict_option
@indexes_option
@format_option
def generate(
    place: str,
    served_model: str | None,
    key_file: str | None,
    tokenizer: str | None,
    timeout: float,
    prompt: str | None,
    prompt_file: BinaryIO | None,
    suffix: str | None,
    assistant: bool,
    max_new_tokens: int,
    temperature: float,
    top_p: float,
    top_k: int,
    seed: int | None,
    stop: tuple[str, ...],
    dtype: str | None,
    device: str | None,
    quantize: str | None,
    ledger_place: str | None,
    without_text: bool,
    events: bool,
    policy: str,
    strict: bool,
    indexes: tuple[Path | str, ...],
    form: str,
) -> int:
    """Complete a prompt and check the completion.

    The policy says what becomes of a passage that it denies (generator.on_denial): it is shown, or the completion is
    cut before it, or the model is sent back to write something else, or nothing is shown. As JSON, the Report with
    one more key: `generation`, which names the `model` with its licence, what was `prevented`, and the `text`.
    """
    before = _prompt(prompt, prompt_file)
    from codecite.generator.events import End
    from codecite.generator.generator import Generator
    from codecite.generator.local import LocalModel
    from codecite.generator.model import Sampling
    from codecite.generator.remote import RemoteModel, is_url
    from codecite.indexer import open_index
    from codecite.indexer.attribution.policy import load_policy
    from codecite.indexer.ledger import Ledger
    from codecite.search_api.answers import event_object

    if assistant:
        from codecite.generator.assistant import STOP, assistant_prompt

        before, stop = assistant_prompt(before), (*stop, STOP)
    held = load_policy(policy)
    sampling = Sampling(max_new_tokens, temperature, top_p, top_k, seed, stop)
    index = open_index(*indexes)
    model: Model
    if is_url(place):
        model = RemoteModel.connect(place, model=served_model, key_file=key_file, tokenizer=tokenizer, timeout=timeout)
    else:
        model = LocalModel.load(place, dtype, device, quantize)
    _say_license(model)
    with compiling_to_read(), ExitStack() as stack:
        ledger = None if ledger_place is None else stack.enter_context(closing(Ledger(ledger_place)))
        generator = Generator(model, index, held, ledger, keep_text=not without_text)
        for event in generator.stream(before, suffix, sampling):
            if events:
                answer(event_object(event), line=True)
            if isinstance(event, End):
                done = event.generation
        if ledger is not None:
            ensure_compiled()
            ledger.compact()
    if not events:
        _show(done, before, suffix, form)
    for text in done.report.notes:
        note(f"codecite: {printable(text)}")
    if done.error is not None:
        complain(done.error)
        return ERROR
    return exit_code(done.report, strict=strict)


def _say_license(model: Model) -> None:
    """What the model's card says, once, at the start."""
    stated = model.license
    if stated is None:
        return
    note(f"codecite: the model's licence is {printable(stated.license)}")
    for restriction in stated.restrictions:
        note(f"codecite:     {printable(restriction)}")


def _show(done: Generation, before: str, suffix: str | None, form: str) -> None:
    if form == "json":
        from codecite.search_api.answers import report_with_text

        answer(report_with_text(done))
    else:
        text = before + done.completion + (suffix or "")
        lines = render_report(done.report, text, title="completion", colour=colour_wanted(), whole=True)
        click.echo("\n".join([*lines, *_prevented(done), *render_coverage(done.report.indexes)]))


def _prevented(done: Generation) -> Iterator[str]:
    """What was not let stand, a line each."""
    written = done.report.generation
    for item in written.prevented if written else ():
        match = item.attribution.match
        licenses = printable(", ".join(match.counts.licenses))
        yield f"prevented ({item.action}): {count(match.bytes_in_text, 'byte')} of a passage under {licenses}"


def _prompt(text: str | None, file: BinaryIO | None) -> str:
    if text is not None and file is None:
        return text
    if file is not None and text is None:
        return file.read().decode("utf-8", "surrogateescape")
    raise click.UsageError("give either --prompt or --prompt-file")
