"""Texts -> the ids that a local model goes on from.

In: a prompt, perhaps a suffix, and how many tokens are to come. Out: a Start. It refuses to know of weights.

Control tokens (those that are no text: special ones, those of a fill-in form, and what is spelt as they are) are never
read from a text: a text that spells one is cut inside the spelling, and its parts are encoded one by one.
"""

from __future__ import annotations

import re
from typing import Any

from codecite.generator.fim import form_of
from codecite.generator.writing import Start
from codecite.indexer.errors import ModelError, TextError

_CONTROL = re.compile(r"<.+>|\[[A-Z_]+\]|▁<[A-Z]+>")
"""How tokens are spelt that are no text, though a tokenizer may not call them special."""


_HEALED = 3
"""Tokens at the end of a prompt that may be written anew."""


class Prompts:
    """The tokenizer of a model that goes by `name` and has room for `context` tokens (None: any number).

    `form` is how the model is asked for a middle, None if it cannot be. `control` are the ids of control tokens.
    """

    def __init__(self, name: str, tokenizer: Any, context: int | None) -> None:
        self.context = context
        self._name = name
        self._tokenizer = tokenizer
        self._vocabulary: dict[str, int] = tokenizer.get_vocab()
        self.form = form_of(self._vocabulary)
        added = tokenizer.added_tokens_decoder.values()
        control = {token.content for token in added if token.special or _CONTROL.fullmatch(token.content.strip())}
        control |= set(tokenizer.all_special_tokens)
        if self.form is not None:
            control.update(self.form.tokens, self.form.stops)
        self._spellings = tuple(sorted(control.intersection(self._vocabulary), key=lambda text: (-len(text), text)))
        self.control = frozenset(self._vocabulary[text] for text in self._spellings)
        self._texts: list[str] = []

    def start(self, prompt: str, suffix: str | None, budget: int) -> Start:
        """What the model goes on from, with room for `budget` tokens in the context. Raises ModelError, TextError."""
        room = None if self.context is None else self.context - budget
        form = self.form
        frame = 1 if suffix is None else 4
        if room is not None and room < frame:
            raise ModelError(
                f"max_new_tokens is {budget}, which leaves no room for a prompt: "
                f"{self._name} has a context of {self.context} tokens"
            )
        if suffix is None:
            ids = self._plain("prompt", prompt, add_special_tokens=True) or [self._first()]
            cut = 0 if room is None else max(0, len(ids) - room)
            return self._healed(Start(ids[cut:], notes=_cut("prompt", "first", cut)), prompt)
        if form is None:
            raise ModelError(f"{self._name} cannot fill in the middle: its tokenizer has no tokens for it")
        left, right = self._plain("prompt", prompt), self._plain("suffix", suffix)
        start = self._starts() if form.start else []
        notes: list[str] = []
        if room is not None:
            space = room - len(form.tokens) - len(start)
            kept = right[: max(space // 2, space - len(left))]
            behind = left[max(0, len(left) + len(kept) - space) :]
            notes += _cut("prompt", "first", len(left) - len(behind)) + _cut("suffix", "last", len(right) - len(kept))
            left, right = behind, kept
        parts = {"prefix": left, "suffix": right}
        ids = [number for part in form.order for number in parts.get(part, [self._vocabulary.get(part, 0)])]
        return Start([*start, *ids], notes=notes)

    def _healed(self, start: Start, prompt: str) -> Start:
        """Without the last tokens of the prompt, as many as some one token begins with the text of and goes on."""
        whole = self.decode(start.ids)
        for taken in range(min(_HEALED, len(start.ids) - 1), 0, -1):
            text = whole[len(self.decode(start.ids[:-taken])) :]
            if (
                text
                and prompt.endswith(text)
                and any(known.startswith(text) and known != text for known in self._token_texts())
            ):
                return Start(start.ids[:-taken], text, self._beginning, start.notes)
        return start

    def _beginning(self, text: str) -> list[int]:
        """The tokens that a text which begins with this one may begin with."""
        return [
            number
            for number, known in enumerate(self._token_texts())
            if known and (known.startswith(text) or text.startswith(known))
        ]

    def _token_texts(self) -> list[str]:
        """What each token adds to a text; empty for those that are no text."""
        if not self._texts:
            names = self._tokenizer.convert_ids_to_tokens(range(len(self._tokenizer)))
            if any("▁" in name for name in names[:2000] if name):
                texts = [(name or "").replace("▁", " ") for name in names]
            else:
                texts = self._tokenizer.batch_decode([[number] for number in range(len(names))])
            control = set(self._spellings)
            self._texts = ["" if name in control else text for name, text in zip(names, texts, strict=True)]
        return self._texts

    def _plain(self, name: str, text: str, add_special_tokens: bool = False) -> list[int]:
        """The ids of a text, in which no control token is one, however it is spelt."""
        try:
            text.encode()
        except UnicodeEncodeError as error:
            raise TextError(f"the {name} has a lone surrogate at offset {error.start}") from error
        parts = [text]
        for token in self._spellings:
            if token in text:
                parts = [piece for part in parts for piece in _apart(part, token)]
        ids: list[int] = []
        for number, part in enumerate(parts):
            encoded = self._tokenizer(
                part, add_special_tokens=add_special_tokens and not number, split_special_tokens=True, verbose=False
            )
            ids += encoded["input_ids"]
        return ids

    def _first(self) -> int:
        for token in (self._tokenizer.bos_token_id, self._tokenizer.eos_token_id):
            if token is not None:
                return int(token)
        raise ModelError(f"{self._name} needs a prompt: its tokenizer has no token to begin with")

    def _starts(self) -> list[int]:
        bos = self._tokenizer.bos_token_id
        return [] if bos is None else [int(bos)]

    def decode(self, ids: list[int]) -> str:
        """The text of ids, without control tokens that are special."""
        text: str = self._tokenizer.decode(ids, skip_special_tokens=True, clean_up_tokenization_spaces=False)
        return text


def _cut(what: str, where: str, tokens: int) -> list[str]:
    return [f"the {what} was cut: its {where} {tokens:,} tokens are left out"] if tokens else []


def _apart(text: str, token: str) -> list[str]:
    """The text in parts, so that no part holds the token's spelling: it is cut after its first character."""
    first, *others = text.split(token)
    parts = [first + token[0]] if others else [first]
    for number, other in enumerate(others, start=1):
        parts.append(token[1:] + other + (token[0] if number < len(others) else ""))
    return parts
