"""What the generator asks of a code model, wherever it runs.

In: nothing. Out: the protocol `Model`, the settings `Sampling`, and what a model's card says of its licence. It refuses
to know of any kind of model and of the index.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol

from codecite.indexer.errors import ModelError

MAX_NEW_TOKENS = 128


@dataclass(frozen=True, slots=True)
class Sampling:
    """How a completion is drawn, and where it ends.

    `temperature` 0 takes the likeliest token each time, more samples; `top_p` keeps the likeliest tokens that have this
    share together, `top_k` that many (0 is all). `seed` makes sampling repeatable. The completion ends before the first
    of the `stop` strings. Raises ModelError for what no model can follow.
    """

    max_new_tokens: int = MAX_NEW_TOKENS
    temperature: float = 0.0
    top_p: float = 1.0
    top_k: int = 0
    seed: int | None = None
    stop: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if self.max_new_tokens < 1:
            raise ModelError(f"max_new_tokens is {self.max_new_tokens}: at least 1 is needed")
        if not (math.isfinite(self.temperature) and self.temperature >= 0):
            raise ModelError(f"temperature is {self.temperature}: 0 or a positive number is needed")
        if not 0 < self.top_p <= 1:
            raise ModelError(f"top_p is {self.top_p}: more than 0 and at most 1 is needed")
        if self.top_k < 0:
            raise ModelError(f"top_k is {self.top_k}: 0 or a positive number is needed")
        if not all(self.stop):
            raise ModelError("a stop string is empty: every text holds it")


@dataclass(frozen=True, slots=True)
class ModelLicense:
    """What a model's card says of its licence: an SPDX expression or a LicenseRef, and the uses that it forbids."""

    license: str
    restrictions: tuple[str, ...] = ()


class Writing(Protocol):
    """One completion in the making: an iterator over pieces of its text, whose concatenation is the completion."""

    @property
    def notes(self) -> list[str]:
        """What a reader should know: the prompt was cut, the server ended early."""

    @property
    def spent(self) -> bool:
        """Whether it ended since as many tokens as were asked for had come, and might have gone on."""

    def __iter__(self) -> Iterator[str]:
        """Itself."""

    def __next__(self) -> str:
        """The next piece, in whole code points and perhaps empty; StopIteration at the end. Raises ModelError."""

    def go_back(self, characters: int) -> int | None:
        """Take the text back to at most so many characters (code points) and forbid what then came next there.

        How many characters are left (no more than asked: tokens are taken back whole); iteration goes on from there,
        also after the end. None where this model cannot, and then nothing has changed.
        """

    def close(self) -> None:
        """Give up what is left of it. May be called again."""


class Model(Protocol):
    """A code model."""

    @property
    def name(self) -> str:
        """What it was loaded as."""

    @property
    def license(self) -> ModelLicense | None:
        """What its card says of its licence; None where there is no card."""

    def write(self, prompt: str, suffix: str | None, sampling: Sampling) -> Writing:
        """Begin the text that belongs after `prompt` and, where `suffix` is given, before it.

        Holds no special token; special tokens spelt out in `prompt` or `suffix` are read as plain text. Raises
        ModelError, TextError.
        """
