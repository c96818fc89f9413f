"""A model that stops when it is told to, or when its time is up, so that what it wrote till then still gets its Report.

In: any Model, a deadline. Out: the same Model, whose Writing then ends; afterwards `spent` says whether it ended for
want of tokens. It refuses to know of the index. Each completion has a Bounded of its own.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator

from codecite.generator.model import Model, ModelLicense, Sampling, Writing


class Bounded:
    """A model for one completion, of `seconds` at most; `stop` ends it from any thread, so does `given_up`."""

    def __init__(self, model: Model, seconds: float, given_up: Callable[[], bool] = lambda: False) -> None:
        self._model = model
        self._seconds = seconds
        self._deadline = time.monotonic() + seconds
        self._given_up = given_up
        self._stop = threading.Event()
        self._writing: Writing | None = None

    @property
    def name(self) -> str:
        """What the model was loaded as."""
        return self._model.name

    @property
    def license(self) -> ModelLicense | None:
        """What its card says."""
        return self._model.license

    @property
    def spent(self) -> bool:
        """Whether the completion ended since as many tokens as were asked for had come."""
        return self._writing is not None and bool(getattr(self._writing, "spent", False))

    def stop(self) -> None:
        """End the completion where it is."""
        self._stop.set()

    def write(self, prompt: str, suffix: str | None, sampling: Sampling) -> Writing:
        """Begin the completion."""
        self._writing = self._model.write(prompt, suffix, sampling)
        return _BoundedWriting(self._writing, self.over)

    def over(self) -> str | None:
        """Why the completion ends now; None while it may go on."""
        if self._stop.is_set() or self._given_up():
            return "the completion was stopped by its reader"
        if time.monotonic() > self._deadline:
            return f"the completion was ended after {self._seconds:g} seconds"
        return None


class _BoundedWriting:
    """A Writing that asks before each piece whether it may go on."""

    def __init__(self, writing: Writing, over: Callable[[], str | None]) -> None:
        self._writing = writing
        self._over = over
        self._why: list[str] = []

    @property
    def notes(self) -> list[str]:
        """Those of the Writing, and why it ended."""
        return [*self._writing.notes, *self._why]

    @property
    def spent(self) -> bool:
        """That of the Writing."""
        return not self._why and self._writing.spent

    def __iter__(self) -> Iterator[str]:
        """Itself."""
        return self

    def __next__(self) -> str:
        """The next piece."""
        why = self._over()
        if why is not None:
            self._why = [why]
            raise StopIteration
        return next(self._writing)

    def go_back(self, characters: int) -> int | None:
        """Take the text back."""
        return self._writing.go_back(characters)

    def close(self) -> None:
        """Give it up."""
        self._writing.close()
