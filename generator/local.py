"""A code model on this machine: any directory that transformers' AutoModelForCausalLM reads, or the demo model.

In: a prompt, perhaps a suffix to meet. Out: exactly the text that the model puts between them, in pieces. It refuses to
know of the index. torch and transformers are imported only when a model is loaded, and nothing is ever fetched: a model
is a directory of files.
"""

from __future__ import annotations

import importlib
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from codecite.generator.card import read_card
from codecite.generator.demo import DEMO_MODEL
from codecite.generator.fim import FillIn
from codecite.generator.model import MAX_NEW_TOKENS, ModelLicense, Sampling
from codecite.generator.prompt import Prompts
from codecite.generator.writing import LocalWriting
from codecite.indexer.errors import ModelError

QUANTIZED = ("4bit", "8bit")


@dataclass(frozen=True, slots=True, eq=False)
class LocalModel:
    """A loaded causal language model with its tokenizer. Make one with `LocalModel.load`.

    `name` is what it was loaded as, `license` what its card says. `context` is the number of tokens that prompt and
    completion may have together, None where the model states no limit. `fill_in` is how it is asked for a middle, None
    if it cannot be.
    """

    name: str
    context: int | None
    license: ModelLicense | None
    fill_in: FillIn | None
    _model: Any = field(repr=False)
    _prompts: Prompts = field(repr=False)
    _stops: frozenset[int] = field(repr=False)

    @classmethod
    def load(
        cls, place: str | Path, dtype: str | None = None, device: str | None = None, quantize: str | None = None
    ) -> LocalModel:
        """Load the directory `place` (config, weights, tokenizer), or the demo model where `place` is `demo`.

        `dtype` is a torch name such as `bfloat16`; None is float32 on a CPU and the checkpoint's own elsewhere.
        `device` is a torch device such as `cuda:1`; None is the first GPU, else the CPU. `quantize` is one of QUANTIZED
        and needs bitsandbytes. Code that lies beside the weights is not run. Raises ModelError where the packages, the
        directory or one of its files is missing or broken, or where the weights do not fill the model.
        """
        directory = DEMO_MODEL if place == "demo" else Path(place)
        if not directory.is_dir():
            raise ModelError(f"no model at {directory}: there is no such directory")
        if not (directory / "config.json").is_file():
            raise ModelError(f"no model at {directory}: it has no config.json")
        torch, transformers = _package("torch"), _package("transformers")
        target = _device(torch, device)
        options: dict[str, Any] = {"dtype": _dtype(torch, dtype, target)}
        if quantize is not None:
            options["quantization_config"] = _quantization(transformers, quantize)
            options["device_map"] = {"": target}
        with _quiet(transformers), _said_of(directory):
            tokenizer = transformers.AutoTokenizer.from_pretrained(
                directory, local_files_only=True, trust_remote_code=False
            )
            model, loading = transformers.AutoModelForCausalLM.from_pretrained(
                directory, local_files_only=True, trust_remote_code=False, output_loading_info=True, **options
            )
            model = (model if quantize else model.to(target)).eval()
        if loading["missing_keys"]:  # transformers would go on with random numbers in their place
            raise ModelError(f"{directory} lacks weights of its model, such as {min(loading['missing_keys'])}")
        prompts = Prompts(str(place), tokenizer, getattr(model.config, "max_position_embeddings", None))
        return cls(
            name=str(place),
            context=prompts.context,
            license=read_card(directory),
            fill_in=prompts.form,
            _model=model,
            _prompts=prompts,
            _stops=frozenset([*_ends(model), *prompts.control]),
        )

    def write(self, prompt: str, suffix: str | None, sampling: Sampling) -> LocalWriting:
        """Begin the text that belongs after `prompt` and, where `suffix` is given, before it.

        What does not fit the context is cut, and a note says so: the prompt at its left, the suffix at its right. A
        prompt that ends within what the model knows as one token is healed: the model writes that token anew, as far
        as it begins with what stands there. Raises ModelError for what the model cannot follow, TextError for text
        that is not UTF-8.
        """
        start = self._prompts.start(prompt, suffix, sampling.max_new_tokens)
        return LocalWriting(self._model, self._prompts.decode, self._stops, start, sampling)

    def complete(
        self,
        prompt: str,
        suffix: str | None = None,
        max_new_tokens: int = MAX_NEW_TOKENS,
        temperature: float = 0.0,
        seed: int | None = None,
    ) -> str:
        """All that `write` gives."""
        sampling = Sampling(max_new_tokens=max_new_tokens, temperature=temperature, seed=seed)
        return "".join(self.write(prompt, suffix, sampling))


def load_tokenizer(directory: Path) -> Any:
    """The tokenizer in a directory. Raises ModelError."""
    transformers = _package("transformers")
    if not directory.is_dir():
        raise ModelError(f"no tokenizer at {directory}: there is no such directory")
    with _quiet(transformers), _said_of(directory):
        return transformers.AutoTokenizer.from_pretrained(directory, local_files_only=True, trust_remote_code=False)


def _package(name: str, mend: str = "pip install 'codecite[generate]'") -> Any:
    try:
        return importlib.import_module(name)
    except (ImportError, OSError) as error:  # OSError: a shared library that torch needs
        raise ModelError(
            f"a local model needs {name}, which cannot be imported ({_first_line(error)}): {mend}"
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


def _quantization(transformers: Any, wanted: str) -> Any:
    if wanted not in QUANTIZED:
        raise ModelError(f"quantize is {wanted!r}: it can be {' or '.join(QUANTIZED)}")
    _package("bitsandbytes", "pip install bitsandbytes")
    return transformers.BitsAndBytesConfig(**{f"load_in_{wanted}": True})


def _ends(model: Any) -> list[int]:
    """The ids that the model itself declares to be ends."""
    ends = model.generation_config.eos_token_id
    return [number for number in (ends if isinstance(ends, list) else [ends]) if number is not None]


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
