"""One completion of a local model in the making: token by token, its text, and the way back.

In: the ids that the model is to go on from, how to sample. Out: pieces of text, in whole code points. It refuses to
know how prompts become ids, and of the index.

The text of the new tokens is what they add to the text of all ids: so decoders that treat the first token in a way
of their own (SentencePiece's leading space) give the same as decoding all at once. Only the last few tokens are decoded
anew each time.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from codecite.generator.model import Sampling
from codecite.indexer.errors import ModelError

_AROUND = 8
"""Tokens before the new ones with which they are decoded."""

_PARTIAL = "\ufffd"
"""What a decoder gives for the part of a character."""

_PARTS = 4
"""Tokens that one character may be made of; what is no character after that many is told as it is."""


@dataclass(slots=True)
class Start:
    """What a completion goes on from: never no ids.

    `healed` is the text of tokens that were taken off the prompt's end: the model writes it anew, and it is no part of
    the completion. `beginning` gives the tokens with which what is left of it may begin.
    """

    ids: list[int]
    healed: str = ""
    beginning: Callable[[str], Sequence[int]] = lambda _: ()
    notes: list[str] = field(default_factory=list)


class LocalWriting:
    """A completion of a transformers model. `notes` says what a reader should know of it.

    Of the new tokens `_ends` has the length of the text after each, `_clean` whether that text is whole (a token may
    hold a part of a character). All lengths of text are in code points and count what was healed.
    """

    def __init__(
        self, model: Any, decode: Callable[[list[int]], str], stops: frozenset[int], start: Start, sampling: Sampling
    ) -> None:
        import torch

        self.notes = start.notes
        self._torch = torch
        self._model = model
        self._decode = decode
        self._stops = stops
        self._start = start
        self._sampling = sampling
        self._longest_stop = max(map(len, sampling.stop), default=0)
        self._chance = torch.Generator(model.device)
        if sampling.seed is None:
            self._chance.seed()
        else:
            self._chance.manual_seed(sampling.seed)
        self._past: Any = None
        self._ids = list(start.ids)
        self._forbidden: dict[int, set[int]] = {}
        self._ends: list[int] = []
        self._clean: list[bool] = []
        self._whole = len(start.ids)
        self._text = ""
        self._given = len(start.healed)
        self._ended: int | None = None
        self._over = False

    def __iter__(self) -> Iterator[str]:
        """Itself."""
        return self

    def __next__(self) -> str:
        """The text of the next token, or of several where a character or a stop string is not yet decided."""
        while not self._over:
            token = self._token()
            if token is None:
                self._over = True
                self._complete()
            else:
                self._take(token)
            piece = self._decided()
            if piece:
                return piece
        raise StopIteration

    def go_back(self, characters: int) -> int:
        """Keep as many whole tokens as have at most so many characters, and forbid the one that came next."""
        healed = len(self._start.healed)
        kept = sum(end <= healed + characters for end in self._ends)
        while kept and not self._clean[kept - 1]:
            kept -= 1
        position = len(self._start.ids) + kept
        came = self._ids[position] if position < len(self._ids) else self._ended
        self._forbidden = {place: tokens for place, tokens in self._forbidden.items() if place <= position}
        if came is not None:
            self._forbidden.setdefault(position, set()).add(came)
        del self._ids[position:], self._ends[kept:], self._clean[kept:]
        self._whole = position
        self._text = self._text[: self._ends[-1] if kept else 0]
        self._given = max(healed, min(self._given, len(self._text)))
        self._past = _taken_back(self._past, position - 1)
        self._ended, self._over = None, False
        return max(0, len(self._text) - healed)

    @property
    def spent(self) -> bool:
        """Whether it ended since as many tokens as were asked for had come."""
        return self._over and self._ended is None and len(self._ends) == self._sampling.max_new_tokens

    def close(self) -> None:
        """End it, and let the cache go."""
        self._over, self._past = True, None
        self._given = max(self._given, len(self._text))

    def _token(self) -> int | None:
        """The next token; None where the completion ends."""
        if len(self._ends) == self._sampling.max_new_tokens:
            return None
        try:
            token = self._draw(self._scores())
        except RuntimeError as error:
            raise ModelError(f"the model cannot go on: {str(error).strip().partition(chr(10))[0]}") from error
        if token is None or token in self._stops:
            self._ended = token
            return None
        return token

    def _scores(self) -> Any:
        torch = self._torch
        known = 0 if self._past is None else self._past.get_seq_length()
        step = torch.tensor([self._ids[known:]], device=self._model.device)
        with torch.inference_mode():
            answer = self._model(input_ids=step, past_key_values=self._past, use_cache=True)
            self._past = answer.past_key_values
            scores = answer.logits[0, -1].double()
            if len(self._text) < len(self._start.healed):
                left = self._start.healed[len(self._text) :]
                allowed = torch.tensor(self._start.beginning(left), device=scores.device)
                scores = torch.full_like(scores, -torch.inf).index_copy(0, allowed, scores[allowed])
            forbidden = self._forbidden.get(len(self._ids))
            if forbidden:
                scores[list(forbidden)] = -torch.inf
        return scores

    def _draw(self, scores: Any) -> int | None:
        """A token by its chance; None where none is left."""
        torch, sampling = self._torch, self._sampling
        best = scores.max()
        if best == -torch.inf:
            return None
        if sampling.temperature == 0:
            return int(scores.argmax())
        likely = torch.softmax((scores - best) / sampling.temperature, dim=-1)
        if 0 < sampling.top_k < len(likely):
            likely[likely < likely.topk(sampling.top_k).values[-1]] = 0
        if sampling.top_p < 1:
            ranked, order = likely.sort(descending=True)
            likely[order[ranked.cumsum(0) - ranked >= sampling.top_p * ranked.sum()]] = 0
        return int(torch.multinomial(likely, 1, generator=self._chance))

    def _take(self, token: int) -> None:
        """Add a token and, unless it ends in half a character, its text."""
        self._ids.append(token)
        text = self._undecoded()
        if not text.endswith(_PARTIAL) or len(self._ids) - self._whole > _PARTS:
            self._text += text
            self._whole = len(self._ids)
        self._ends.append(len(self._text))
        self._clean.append(self._whole == len(self._ids))

    def _undecoded(self) -> str:
        """The text of the tokens that is not there yet."""
        begin = max(0, self._whole - _AROUND)
        known = self._decode(self._ids[begin : self._whole])
        return self._decode(self._ids[begin:])[len(known) :]

    def _complete(self) -> None:
        """The last text, at the end: of a character that the budget cut in two, nothing."""
        if self._whole == len(self._ids):
            return
        text = self._undecoded()
        if len(self._ends) == self._sampling.max_new_tokens and text.endswith(_PARTIAL):
            text = text[:-1]
        self._text += text
        self._whole = len(self._ids)
        self._ends[-1] = len(self._text)

    def _decided(self) -> str:
        """What of the text no stop string can take back any more, up to the end of a token."""
        end = len(self._text)
        if self._sampling.stop:
            begin = max(len(self._start.healed), self._given - self._longest_stop)
            found = [at for stop in self._sampling.stop if (at := self._text.find(stop, begin)) >= 0]
            if found:
                self._over = True
                end = min(found)
                self._text = self._text[:end]
                self._ends = [min(length, end) for length in self._ends]
            elif not self._over:
                end -= max(_begun(self._text, stop) for stop in self._sampling.stop)
                end = max((length for length in self._ends if length <= end), default=0)
        piece = self._text[self._given : end]
        self._given = max(self._given, end)
        return piece


def _begun(text: str, stop: str) -> int:
    """How many characters at the end of the text begin the stop string."""
    return next((size for size in range(min(len(stop) - 1, len(text)), 0, -1) if text.endswith(stop[:size])), 0)


def _taken_back(past: Any, length: int) -> Any:
    """The cache without what came after the first `length` ids; None where that has to be computed anew."""
    if past is None or length < 1 or not getattr(past, "is_croppable", True):
        return None
    surplus = past.get_seq_length() - length
    if surplus > 0:
        past.crop(-surplus)
    return past if 0 < past.get_seq_length() <= length else None
