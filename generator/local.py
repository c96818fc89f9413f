"""A code model on this machine: any directory that transformers' AutoModelForCausalLM reads, or the demo model.

In: a prompt, perhaps a suffix to meet. Out: exactly the text that the model puts between them. Knows nothing of the
index. torch and transformers are imported only when a model is loaded, and nothing is ever fetched: a model is a
directory of files.
"""

from __future__ import annotations

import importlib
import math
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from codecite.generator.demo import DEMO_MODEL
from codecite.indexer.errors import ModelError, TextError

FIM_PREFIX, FIM_SUFFIX, FIM_MIDDLE = "<fim_prefix>", "<fim_suffix>", "<fim_middle>"
"""StarCoder's tokens for filling in the middle: prefix, then suffix, then the middle is asked for."""

MAX_NEW_TOKENS = 128


@dataclass(frozen=True, slots=True, eq=False)
class LocalModel:
    """A loaded causal language model with its tokenizer. Make one with `LocalModel.load`.

    `name` is what it was loaded as. `context` is the number of tokens that prompt and completion may have together,
    None where the model states no limit.
    """

    name: str
    context: int | None
    _model: Any = field(repr=False)
    _tokenizer: Any = field(repr=False)
    _stops: frozenset[int] = field(repr=False)

    @classmethod
    def load(cls, place: str | Path, dtype: str | None = None, device: str | None = None) -> LocalModel:
        """Load the directory `place` (config, weights, tokenizer), or the demo model where `place` is `demo`.

        `dtype` is a torch name such as `bfloat16`; None is float32 on a CPU and the checkpoint's own elsewhere.
        `device` is a torch device such as `cuda:1`; None is the first GPU, else the CPU. Code that lies beside the
        weights is not run. Raises ModelError where the packages, the directory or one of its files is missing or
        broken, or where the weights do not fill the model.
        """
        directory = DEMO_MODEL if place == "demo" else Path(place)
        if not directory.is_dir():
            raise ModelError(f"no model at {directory}: there is no such directory")
        if not (directory / "config.json").is_file():
            raise ModelError(f"no model at {directory}: it has no config.json")
        torch, transformers = _package("torch"), _package("transformers")
        target = _device(torch, device)
        kind = _dtype(torch, dtype, target)
        with _quiet(transformers), _said_of(directory):
            tokenizer = transformers.AutoTokenizer.from_pretrained(
                directory, local_files_only=True, trust_remote_code=False
            )
            model, loading = transformers.AutoModelForCausalLM.from_pretrained(
                directory, local_files_only=True, trust_remote_code=False, dtype=kind, output_loading_info=True
            )
            model = model.to(target).eval()
        if loading["missing_keys"]:  # transformers would go on with random numbers in their place
            raise ModelError(f"{directory} lacks weights of its model, such as {min(loading['missing_keys'])}")
        return cls(
            name=str(place),
            context=getattr(model.config, "max_position_embeddings", None),
            _model=model,
            _tokenizer=tokenizer,
            _stops=_stops(model, tokenizer),
        )

    def complete(
        self,
        prompt: str,
        suffix: str | None = None,
        max_new_tokens: int = MAX_NEW_TOKENS,
        temperature: float = 0.0,
        seed: int | None = None,
    ) -> str:
        """The text that the model writes after `prompt` and, where `suffix` is given, before it.

        Ends at the model's own end or at `max_new_tokens`; holds no special token, and special tokens spelt out in
        `prompt` or `suffix` are read as plain text. `temperature` 0 takes the likeliest token each time, more samples;
        `seed` makes sampling repeatable. What does not fit the context is cut: the prompt at its left, the suffix at
        its right. Raises ModelError for settings that the model cannot follow, TextError for text that is not UTF-8.
        """
        if max_new_tokens < 1:
            raise ModelError(f"max_new_tokens is {max_new_tokens}: at least 1 is needed")
        if not (math.isfinite(temperature) and temperature >= 0):
            raise ModelError(f"temperature is {temperature}: 0 or a positive number is needed")
        ids = self._encode(prompt, suffix, max_new_tokens)
        try:
            new = list(self._run(ids, max_new_tokens, temperature, seed))
        except RuntimeError as error:
            raise ModelError(f"{self.name} cannot complete this prompt: {_first_line(error)}") from error
        before = self._decode(ids)
        completion = self._decode(ids + new)[len(before) :]
        if len(new) == max_new_tokens and completion.endswith("\ufffd"):
            completion = completion[:-1]  # the budget ended between the bytes of one character
        return completion

    def _encode(self, prompt: str, suffix: str | None, max_new_tokens: int) -> list[int]:
        """The token ids to go on from, never empty, with room for `max_new_tokens` in the context."""
        room = None if self.context is None else self.context - max_new_tokens
        frame = 1 if suffix is None else 4
        if room is not None and room < frame:
            raise ModelError(
                f"max_new_tokens is {max_new_tokens}, which leaves no room for a prompt: "
                f"{self.name} has a context of {self.context} tokens"
            )
        if suffix is None:
            ids = self._plain("prompt", prompt, add_special_tokens=True)
            if not ids:
                ids = [self._start()]
            return ids if room is None else ids[-room:]
        vocabulary = self._tokenizer.get_vocab()
        if not {FIM_PREFIX, FIM_SUFFIX, FIM_MIDDLE} <= vocabulary.keys():
            raise ModelError(f"{self.name} cannot fill in the middle: its tokenizer has no {FIM_PREFIX}")
        left = self._plain("prompt", prompt)
        right = self._plain("suffix", suffix)
        if room is not None:
            space = room - 3
            right = right[: max(space // 2, space - len(left))]
            left = left[max(0, len(left) + len(right) - space) :]
        return [vocabulary[FIM_PREFIX], *left, vocabulary[FIM_SUFFIX], *right, vocabulary[FIM_MIDDLE]]

    def _plain(self, name: str, text: str, add_special_tokens: bool = False) -> list[int]:
        try:
            text.encode()
        except UnicodeEncodeError as error:
            raise TextError(f"the {name} has a lone surrogate at offset {error.start}") from error
        encoded = self._tokenizer(text, add_special_tokens=add_special_tokens, split_special_tokens=True, verbose=False)
        ids: list[int] = encoded["input_ids"]
        return ids

    def _start(self) -> int:
        for token in (self._tokenizer.bos_token_id, self._tokenizer.eos_token_id):
            if token is not None:
                return int(token)
        raise ModelError(f"{self.name} needs a prompt: its tokenizer has no token to begin with")

    def _run(self, ids: list[int], max_new_tokens: int, temperature: float, seed: int | None) -> Iterator[int]:
        """The new token ids one by one, without the token that ends them."""
        torch = _package("torch")
        device = self._model.device
        chance = torch.Generator(device)
        if seed is None:
            chance.seed()
        else:
            chance.manual_seed(seed)
        step, past = torch.tensor([ids], device=device), None
        for _ in range(max_new_tokens):
            with torch.inference_mode():
                answer = self._model(input_ids=step, past_key_values=past, use_cache=True)
                scores = answer.logits[0, -1].double()
                if temperature > 0:
                    likely = torch.softmax((scores - scores.max()) / temperature, dim=-1)
                    step = torch.multinomial(likely, 1, generator=chance)[None]
                else:
                    step = scores.argmax()[None, None]
            past = answer.past_key_values
            token = int(step)
            if token in self._stops:
                return
            yield token

    def _decode(self, ids: list[int]) -> str:
        text: str = self._tokenizer.decode(ids, skip_special_tokens=True, clean_up_tokenization_spaces=False)
        return text


def _package(name: str) -> Any:
    try:
        return importlib.import_module(name)
    except (ImportError, OSError) as error:  # OSError: a shared library that torch needs
        raise ModelError(
            f"a local model needs {name}, which cannot be imported ({_first_line(error)}): "
            "pip install 'codecite[generate]'"
        ) from error


def _device(torch: Any, wanted: str | None) -> Any:
    try:
        return torch.device(wanted or ("cuda" if torch.cuda.is_available() else "cpu"))
    except RuntimeError as error:
        raise ModelError(f"{wanted!r} is not a device that torch knows, such as 'cpu' or 'cuda:0'") from error


def _dtype(torch: Any, wanted: str | None, device: Any) -> Any:
    if wanted is None:
        return torch.float32 if device.type == "cpu" else "auto"
    kind = getattr(torch, wanted, None)
    if not (isinstance(kind, torch.dtype) and kind.is_floating_point):
        raise ModelError(f"{wanted!r} is not a dtype for weights, such as 'float32' or 'bfloat16'")
    return kind


def _stops(model: Any, tokenizer: Any) -> frozenset[int]:
    """The ids that end a completion: the model's declared ends and every special token, none of which is text."""
    ends = model.generation_config.eos_token_id
    declared = ends if isinstance(ends, list) else [ends]
    special = [number for number, token in tokenizer.added_tokens_decoder.items() if token.special]
    return frozenset(number for number in [*declared, *special, *tokenizer.all_special_ids] if number is not None)


@contextmanager
def _quiet(transformers: Any) -> Iterator[None]:
    """Hold back transformers' progress bars and remarks: what matters of them is raised."""
    log = transformers.utils.logging
    verbosity, bars = log.get_verbosity(), log.is_progress_bar_enabled()
    log.set_verbosity(log.CRITICAL)
    log.disable_progress_bar()
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        log.set_verbosity(verbosity)
        if bars:
            log.enable_progress_bar()


@contextmanager
def _said_of(directory: Path) -> Iterator[None]:
    """Turn whatever a loader raises into one sentence: its parsers raise plain Exceptions of many kinds."""
    try:
        yield
    except Exception as error:
        raise ModelError(f"{directory} cannot be loaded as a model: {_first_line(error)}") from error


def _first_line(error: BaseException) -> str:
    text = str(error).strip()
    return text.splitlines()[0] if text else type(error).__name__
