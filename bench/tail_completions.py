"""Completions of the demo model, many at a time.

In: the demo model, and the Python files of installed packages, which the prompts are cut from. Out:
`tail-queries/completions.jsonl` in the cache folder: texts of 2,000 characters. It refuses to know who answers them.

Sampled at temperature .8 (every fourth at 0, which recites most), half a context of new tokens at a time: the second
half of what stands becomes the prompt of the next piece, until 2,000 characters are there. The tokens that end a
completion are left out, so that each grows so long. It is done in batches with the model itself, since
`LocalModel.complete` takes one prompt; the tokens are drawn from the same distribution. At most 1,000 distinct ones
are made, some ten minutes of one core; of more the same come again.

    python bench/tail_completions.py [N]
"""

from __future__ import annotations

import json
import random
import sys
import sysconfig
import time
from pathlib import Path
from typing import Any

import pinned
from queries import CHARACTERS

DISTINCT = 1000
BATCH = 125
PROMPT = 100
TEMPERATURE = 0.8
SEED = 5


def main() -> None:
    """Make them."""
    print(write(int(sys.argv[1]) if len(sys.argv) > 1 else DISTINCT))


def write(count: int) -> Path:
    """The file, with `count` completions or as many as are ever made; batches that stand in it are kept."""
    path = pinned.cache() / "tail-queries" / "completions.jsonl"
    path.parent.mkdir(exist_ok=True)
    batches = -(-min(count, DISTINCT) // BATCH)
    made = sum(1 for _ in path.open("rb")) // BATCH if path.exists() else 0
    if made < batches:
        writer = Writer()
        for number in range(made, batches):
            began = time.monotonic()
            rows = [json.dumps({"text": text, "path": prompt}) + "\n" for prompt, text in writer.batch(number)]
            with path.open("a", encoding="utf-8") as output:
                output.writelines(rows)
            print(f"{BATCH} completions: {time.monotonic() - began:.0f} s", file=sys.stderr, flush=True)
    return path


class Writer:
    """The model with its prompts."""

    def __init__(self) -> None:
        import torch

        from codecite.generator.local import LocalModel

        torch.set_num_threads(1)
        model = LocalModel.load("demo")
        self._torch, self._model, self._tokenizer = torch, model._model, model._prompts._tokenizer
        self._stops = sorted(model._stops)
        self._room = (model.context or 256) // 2
        folder = Path(sysconfig.get_paths()["purelib"])
        self._files = sorted(path for path in folder.rglob("*.py") if path.stat().st_size > 4 * CHARACTERS)

    def batch(self, number: int) -> list[tuple[str, str]]:
        """The prompts' places, and what the model writes after them."""
        torch, draw = self._torch, random.Random(f"{SEED} {number}")
        chance = torch.Generator().manual_seed(SEED + number)
        places, prompts = zip(*(self._prompt(draw) for _ in range(BATCH)), strict=True)
        rows = torch.tensor(prompts)
        begun = rows.shape[1]
        while True:
            written = [self._text(row[begun:]) for row in rows.tolist()]
            if min(map(len, written)) >= CHARACTERS:
                return [(place, text[:CHARACTERS]) for place, text in zip(places, written, strict=True)]
            rows = torch.cat([rows, self._piece(rows[:, -self._room :], chance)], dim=1)

    def _prompt(self, draw: random.Random) -> tuple[str, list[int]]:
        """A prompt of so many tokens, cut anywhere from a file at the start of a line."""
        while True:
            path = draw.choice(self._files)
            lines = path.read_text(encoding="utf-8", errors="replace").splitlines(keepends=True)
            first = draw.randrange(len(lines))
            tokens: list[int] = self._tokenizer("".join(lines[first : first + PROMPT]))["input_ids"][:PROMPT]
            if len(tokens) == PROMPT:
                return f"{path.parent.name}/{path.name}:{first + 1}", tokens

    def _piece(self, rows: Any, chance: Any) -> Any:
        """Half a context of new tokens for each row."""
        torch = self._torch
        step, past, new = rows, None, []
        with torch.inference_mode():
            for _ in range(self._room - 1):
                answer = self._model(input_ids=step, past_key_values=past, use_cache=True)
                past, scores = answer.past_key_values, answer.logits[:, -1]
                scores[:, self._stops] = -torch.inf
                shares = torch.softmax(scores / TEMPERATURE, dim=-1).cumsum(dim=-1)
                drawn = torch.rand(len(rows), 1, generator=chance) * shares[:, -1:]
                step = torch.searchsorted(shares, drawn).clamp(max=shares.shape[1] - 1)
                step[::4] = scores[::4].argmax(dim=-1, keepdim=True)
                new.append(step)
        return torch.cat(new, dim=1)

    def _text(self, tokens: list[int]) -> str:
        text: str = self._tokenizer.decode(tokens, skip_special_tokens=True, clean_up_tokenization_spaces=False)
        return text


if __name__ == "__main__":
    main()
