"""A model that writes what it was given, in pieces of four characters, as slowly as it is told.

In: a text. Out: a Model. It stands where a test needs to know each piece; real models are in the tests of the doors.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass, field

from codecite.generator.model import ModelLicense, Sampling
from codecite.indexer.errors import ModelError


@dataclass
class Parrot:
    """The model; `closed` counts the completions that were given up or over. It fails at character `fails_at`."""

    text: str
    seconds: float = 0.0
    fails_at: int | None = None
    name: str = "parrot"
    license: ModelLicense | None = None
    closed: int = 0

    def write(self, prompt: str, suffix: str | None, sampling: Sampling) -> Writing:
        """Begin."""
        del prompt, suffix
        return Writing(self, sampling)


@dataclass
class Writing:
    """One completion."""

    parrot: Parrot
    sampling: Sampling
    at: int = 0
    pieces: int = 0
    notes: list[str] = field(default_factory=list)

    @property
    def spent(self) -> bool:
        """Whether the budget ended it."""
        return self.pieces == self.sampling.max_new_tokens

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        if self.parrot.fails_at is not None and self.at >= self.parrot.fails_at:
            raise ModelError("the model broke")
        if self.spent or self.at >= len(self.parrot.text):
            raise StopIteration
        time.sleep(self.parrot.seconds)
        piece = self.parrot.text[self.at : self.at + 4]
        self.at += 4
        self.pieces += 1
        return piece

    def go_back(self, characters: int) -> int | None:
        """It cannot."""
        del characters
        return None

    def close(self) -> None:
        """Counted."""
        self.parrot.closed += 1
