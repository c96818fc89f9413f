"""Filling in the middle: how each family of models wants to be asked.

In: the tokens that a tokenizer knows. Out: the form that they are for, or None. It refuses to know of models and ids.

Each family's tokens and order are those of its own publication: StarCoder and StarCoder2 (BigCode's model cards),
SantaCoder (arXiv 2301.03988), Code Llama (arXiv 2308.12950, section 2.3), Qwen2.5-Coder (arXiv 2409.12186), CodeGemma
(arXiv 2406.11409), DeepSeek-Coder (arXiv 2401.14196), Codestral (mistral-common's `encode_fim`). PSM means prefix,
suffix, then the middle is asked for; SPM suffix, prefix, middle.
"""

from __future__ import annotations

from collections.abc import Container
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class FillIn:
    """One form. A prompt is the parts of `order` in turn: a token, or `prefix` or `suffix` for the texts.

    `start` says that the tokenizer's own token for the start of a text comes first; `stops` end a completion beside
    the model's own ends.
    """

    name: str
    order: tuple[str, ...]
    stops: tuple[str, ...] = ()
    start: bool = False

    @property
    def tokens(self) -> tuple[str, ...]:
        """Its tokens, in their order."""
        return tuple(part for part in self.order if part not in ("prefix", "suffix"))


_BAR = "\uff5c"
"""DeepSeek writes a full-width bar."""

_STARCODER = ("<fim_pad>", "<file_sep>")

FORMS = (
    FillIn("StarCoder", ("<fim_prefix>", "prefix", "<fim_suffix>", "suffix", "<fim_middle>"), _STARCODER),
    FillIn("SantaCoder", ("<fim-prefix>", "prefix", "<fim-suffix>", "suffix", "<fim-middle>"), ("<fim-pad>",)),
    FillIn("Code Llama", ("▁<PRE>", "prefix", "▁<SUF>", "suffix", "▁<MID>"), ("▁<EOT>",), start=True),
    FillIn(
        "DeepSeek-Coder",
        (f"<{_BAR}fim▁begin{_BAR}>", "prefix", f"<{_BAR}fim▁hole{_BAR}>", "suffix", f"<{_BAR}fim▁end{_BAR}>"),
        (f"<{_BAR}end▁of▁sentence{_BAR}>", "<|EOT|>"),
        start=True,
    ),
    FillIn("Codestral", ("[SUFFIX]", "suffix", "[PREFIX]", "prefix"), start=True),
    FillIn(
        "CodeGemma",
        ("<|fim_prefix|>", "prefix", "<|fim_suffix|>", "suffix", "<|fim_middle|>"),
        ("<|file_separator|>",),
        start=True,
    ),
    FillIn(
        "Qwen2.5-Coder",
        ("<|fim_prefix|>", "prefix", "<|fim_suffix|>", "suffix", "<|fim_middle|>"),
        ("<|fim_pad|>", "<|repo_name|>", "<|file_sep|>", "<|endoftext|>"),
    ),
)
"""StarCoder2 has StarCoder's tokens. CodeGemma and Qwen2.5-Coder share theirs: what tells them apart is the stops."""


def form_of(vocabulary: Container[str]) -> FillIn | None:
    """The first form whose tokens are all there, and of those that share them the one whose first stop is, too."""
    fitting = [form for form in FORMS if all(token in vocabulary for token in form.tokens)]
    return next((form for form in fitting if not form.stops or form.stops[0] in vocabulary), next(iter(fitting), None))
