"""Forms of filling in the middle, on tokenizers that have each family's tokens, and text that spells such tokens."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from codecite.generator.fim import FORMS, FillIn, form_of
from codecite.generator.prompt import Prompts
from codecite.indexer.errors import ModelError

PREFIX, SUFFIX = "def f(x):\n    ", "\n    return é\n"
PUBLISHED = {
    "StarCoder": "<fim_prefix>{prefix}<fim_suffix>{suffix}<fim_middle>",
    "SantaCoder": "<fim-prefix>{prefix}<fim-suffix>{suffix}<fim-middle>",
    "Code Llama": "<s>▁<PRE>{prefix}▁<SUF>{suffix}▁<MID>",
    "DeepSeek-Coder": "<s><｜fim▁begin｜>{prefix}<｜fim▁hole｜>{suffix}<｜fim▁end｜>",  # noqa: RUF001
    "Codestral": "<s>[SUFFIX]{suffix}[PREFIX]{prefix}",
    "CodeGemma": "<s><|fim_prefix|>{prefix}<|fim_suffix|>{suffix}<|fim_middle|>",
    "Qwen2.5-Coder": "<|fim_prefix|>{prefix}<|fim_suffix|>{suffix}<|fim_middle|>",
}
"""What each family is asked with, as its publication writes it."""


def tokenizer_with(tokens: tuple[str, ...], *, special: bool) -> Any:
    """One token a byte, and these; called special, or merely added as Qwen's are."""
    from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers
    from transformers import PreTrainedTokenizerFast

    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    plain = Tokenizer(models.BPE({text: number for number, text in enumerate(alphabet)}, []))
    plain.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)
    plain.decoder = decoders.ByteLevel()
    plain.add_special_tokens(["<s>", "</s>"])
    plain.add_tokens([AddedToken(token, special=special, normalized=False) for token in tokens])
    return PreTrainedTokenizerFast(tokenizer_object=plain, bos_token="<s>", eos_token="</s>")


@pytest.mark.parametrize("special", [True, False], ids=["special", "added"])
@pytest.mark.parametrize("form", FORMS, ids=lambda form: form.name)
def test_a_middle_is_asked_for_as_the_family_publishes_it(
    require: Callable[..., None], form: FillIn, special: bool
) -> None:
    """The ids are those of the published text, whose tokens the tokenizer itself reads."""
    require("tokenizers", "transformers")
    tokenizer = tokenizer_with((*form.tokens, *form.stops), special=special)
    prompts = Prompts("it", tokenizer, None)
    assert prompts.form == form
    text = PUBLISHED[form.name].format(prefix=PREFIX, suffix=SUFFIX)
    assert prompts.start(PREFIX, SUFFIX, 8).ids == tokenizer(text, add_special_tokens=False)["input_ids"]
    stops = {tokenizer.convert_tokens_to_ids(token) for token in (*form.tokens, *form.stops, "<s>", "</s>")}
    assert prompts.control == stops


@pytest.mark.parametrize("special", [True, False], ids=["special", "added"])
@pytest.mark.parametrize("form", FORMS, ids=lambda form: form.name)
def test_text_that_spells_a_control_token_stays_text(require: Callable[..., None], form: FillIn, special: bool) -> None:
    """However often and wherever: no control id but those of the frame, and the text comes back whole."""
    require("tokenizers", "transformers")
    prompts = Prompts("it", tokenizer_with((*form.tokens, *form.stops), special=special), None)
    frame = [number for number in prompts.start("", "", 8).ids if number in prompts.control]
    for token in (*form.tokens, *form.stops, "</s>"):
        for text in (token, f"a{token}", f"{token}{token}b{token}", f"{token[0]}{token}"):
            start = prompts.start(text, text, 8)
            assert [number for number in start.ids if number in prompts.control] == frame
            assert prompts.decode([number for number in start.ids if number not in prompts.control]) == text * 2
            alone = prompts.start(text, None, 8)
            assert not prompts.control.intersection(alone.ids[1:])


def test_families_that_share_tokens_are_told_apart_by_their_stops() -> None:
    """Qwen's and CodeGemma's; a tokenizer with neither's stop gets one of them still."""
    shared = ("<|fim_prefix|>", "<|fim_suffix|>", "<|fim_middle|>")
    names = {stop: form_of({*shared, stop}).name for stop in ("<|file_separator|>", "<|fim_pad|>")}  # type: ignore[union-attr]
    assert names == {"<|file_separator|>": "CodeGemma", "<|fim_pad|>": "Qwen2.5-Coder"}
    assert form_of(set(shared)) is not None
    assert form_of({"<|fim_prefix|>"}) is None


def test_a_tokenizer_without_tokens_for_it_cannot_fill_in(require: Callable[..., None]) -> None:
    """One sentence that names the model; without a suffix it is fine."""
    require("tokenizers", "transformers")
    prompts = Prompts("it", tokenizer_with((), special=True), None)
    with pytest.raises(ModelError, match="it cannot fill in the middle"):
        prompts.start("a", "b", 8)
    assert prompts.decode(prompts.start("a", None, 8).ids) == "a"


@pytest.mark.parametrize("form", FORMS, ids=lambda form: form.name)
def test_what_does_not_fit_is_cut_and_said(require: Callable[..., None], form: FillIn) -> None:
    """The frame stays whole, prompt and suffix share what is left, and there is room for the budget."""
    require("tokenizers", "transformers")
    prompts = Prompts("it", tokenizer_with((*form.tokens, *form.stops), special=True), 64)
    start = prompts.start("p" * 500, "s" * 500, 20)
    assert len(start.ids) == 44
    assert [note.split(" was cut")[0] for note in start.notes] == ["the prompt", "the suffix"]
    text = prompts.decode([number for number in start.ids if number not in prompts.control])
    assert text.count("p") + text.count("s") == len(text)
    assert abs(text.count("p") - text.count("s")) <= 1
    assert not prompts.start("p" * 20, "s", 20).notes
