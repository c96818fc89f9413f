"""LocalModel against transformers' own `generate`, on small checkpoints made here."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from codecite.generator.local import LocalModel
from codecite.indexer.errors import ModelError, TextError

END = "<|endoftext|>"
FIM_PREFIX, FIM_MIDDLE, FIM_SUFFIX = "<fim_prefix>", "<fim_middle>", "<fim_suffix>"
SPECIAL = (END, FIM_PREFIX, FIM_MIDDLE, FIM_SUFFIX)
CONTEXT = 64
TEXT = "naïve → 日本語, x = 🦜\n"
"""What the small model knows: characters of one, two, three and four bytes."""


@pytest.fixture(scope="module")
def checkpoint(require: Callable[..., None], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A GPTBigCode directory saved by `save_pretrained`: one token a byte, and TEXT followed by the end by heart."""
    require("torch", "transformers", "tokenizers")
    import torch
    from transformers import GPTBigCodeConfig, GPTBigCodeForCausalLM

    tokenizer = _tokenizer(SPECIAL)
    torch.manual_seed(3)
    model = GPTBigCodeForCausalLM(
        GPTBigCodeConfig(
            vocab_size=len(tokenizer), n_positions=CONTEXT, n_embd=32, n_layer=1, n_head=2, bos_token_id=0,
            eos_token_id=0, resid_pdrop=0.0, embd_pdrop=0.0, attn_pdrop=0.0,
        )
    )  # fmt: skip
    ids = torch.tensor([[*tokenizer(TEXT)["input_ids"], 0]])
    adam = torch.optim.Adam(model.parameters(), 0.01)
    for _ in range(120):
        loss = model(ids, labels=ids).loss
        loss.backward()
        adam.step()
        adam.zero_grad()
    assert loss.item() < 0.1
    place = tmp_path_factory.mktemp("model") / "parrot"
    model.save_pretrained(place)
    tokenizer.save_pretrained(place)
    return place


@pytest.fixture(scope="module")
def model(checkpoint: Path) -> LocalModel:
    """The checkpoint, loaded."""
    return LocalModel.load(checkpoint)


@pytest.fixture
def copy(checkpoint: Path, tmp_path: Path) -> Path:
    """The checkpoint in a folder of the test's own, to be broken."""
    return Path(shutil.copytree(checkpoint, tmp_path / "copy"))


@pytest.fixture(scope="module")
def oracle(checkpoint: Path) -> Iterator[Callable[[list[int], int], list[int]]]:
    """transformers' own greedy answer: ids in, new ids out."""
    import torch
    from transformers import AutoModelForCausalLM

    reference = AutoModelForCausalLM.from_pretrained(checkpoint, dtype=torch.float32)

    def generate(ids: list[int], count: int) -> list[int]:
        answer = reference.generate(
            torch.tensor([ids]), max_new_tokens=count, do_sample=False, eos_token_id=list(range(len(SPECIAL)))
        )
        new: list[int] = answer[0, len(ids) :].tolist()
        return [number for number in new if number >= len(SPECIAL)]

    yield generate


def _tokenizer(special: tuple[str, ...]) -> Any:
    """A byte-level tokenizer without merges: after the special tokens, the id of byte b is len(special) + b."""
    from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers
    from transformers import PreTrainedTokenizerFast

    printable = [*range(33, 127), *range(161, 173), *range(174, 256)]
    letters = {byte: chr(byte) for byte in printable}
    for number, byte in enumerate(byte for byte in range(256) if byte not in printable):
        letters[byte] = chr(256 + number)
    names = [*special, *(letters[byte] for byte in range(256))]
    tokenizer = Tokenizer(models.BPE({name: number for number, name in enumerate(names)}, []))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)
    tokenizer.decoder = decoders.ByteLevel()
    tokenizer.add_special_tokens([AddedToken(token, special=True) for token in special])
    return PreTrainedTokenizerFast(
        tokenizer_object=tokenizer, bos_token=END, eos_token=END, extra_special_tokens=list(special[1:])
    )


def _ids(text: str) -> list[int]:
    return [len(SPECIAL) + byte for byte in text.encode()]


def _text(ids: list[int]) -> str:
    return bytes(number - len(SPECIAL) for number in ids).decode(errors="replace")


def test_a_saved_directory_loads_and_completes_as_transformers_does(
    model: LocalModel, oracle: Callable[[list[int], int], list[int]]
) -> None:
    """Greedy completions of any saved checkpoint equal those of `generate` on the same ids."""
    for prompt in ("naïve →", "x = ", "日", "what it never saw", "\n"):
        assert model.complete(prompt, max_new_tokens=20) == _text(oracle(_ids(prompt), 20)).rstrip("\ufffd")


def test_a_completion_ends_at_the_models_own_end(model: LocalModel) -> None:
    """The text that the model knows is completed to its end, and the end itself is no text."""
    assert model.complete("naïve → 日", max_new_tokens=40) == "本語, x = 🦜\n"


def test_a_budget_that_ends_inside_a_character_leaves_whole_characters(model: LocalModel) -> None:
    """Every budget gives the longest whole text within its bytes, so prompt + completion is exact."""
    rest = TEXT.removeprefix("naïve").encode()
    for budget in range(1, len(rest) + 1):
        assert model.complete("naïve", max_new_tokens=budget) == rest[:budget].decode(errors="ignore")


def test_special_tokens_spelt_in_a_prompt_are_plain_text(
    model: LocalModel, oracle: Callable[[list[int], int], list[int]]
) -> None:
    """A prompt that spells `<|endoftext|>` or the tokens for filling in goes to the model letter by letter."""
    for prompt in (f"na{END}ïve", f"{FIM_PREFIX}naïve", f"日{FIM_MIDDLE}"):
        assert model.complete(prompt, max_new_tokens=12) == _text(oracle(_ids(prompt), 12)).rstrip("\ufffd")


def test_a_prompt_longer_than_the_context_is_cut_at_its_left(model: LocalModel) -> None:
    """Only the last tokens that leave room for the completion count, wherever the cut falls in a character."""
    kept = "naïve → 日"
    fill = CONTEXT - 20 - len(kept.encode())
    assert model.complete("?" * fill + kept, max_new_tokens=20) == model.complete("?" * 500 + kept, max_new_tokens=20)
    assert model.complete("é日" * 300 + kept, max_new_tokens=20).isprintable()


def test_a_suffix_is_met_through_the_fill_in_tokens(
    model: LocalModel, oracle: Callable[[list[int], int], list[int]]
) -> None:
    """Prompt and suffix reach the model as StarCoder frames them, spelt-out special tokens being plain text."""
    for prompt, suffix in (("naïve", "x ="), ("", "🦜"), ("naïve", ""), (f"a{FIM_SUFFIX}b", f"c{FIM_MIDDLE}")):
        frame = [1, *_ids(prompt), 3, *_ids(suffix), 2]
        assert model.complete(prompt, suffix, max_new_tokens=16) == _text(oracle(frame, 16)).rstrip("\ufffd")


def test_a_long_prompt_and_suffix_share_the_context(
    model: LocalModel, oracle: Callable[[list[int], int], list[int]]
) -> None:
    """The suffix keeps its beginning and the prompt its end, half of the room each unless one needs less."""
    room = CONTEXT - 20 - 3
    halves = [1, *_ids("p" * (room - room // 2)), 3, *_ids("s" * (room // 2)), 2]
    assert model.complete("p" * 400, "s" * 400, max_new_tokens=20) == _text(oracle(halves, 20)).rstrip("\ufffd")
    uneven = [1, *_ids("ab"), 3, *_ids("s" * (room - 2)), 2]
    assert model.complete("ab", "s" * 400, max_new_tokens=20) == _text(oracle(uneven, 20)).rstrip("\ufffd")


def test_an_empty_prompt_begins_with_the_start_token(
    model: LocalModel, oracle: Callable[[list[int], int], list[int]]
) -> None:
    """Without a prompt the model starts as after the beginning of a text."""
    assert model.complete("", max_new_tokens=8) == _text(oracle([0], 8)).rstrip("\ufffd")


def test_sampling_repeats_under_its_seed_alone(model: LocalModel) -> None:
    """The same seed gives the same text, other seeds give others, and a tiny temperature is the greedy answer."""
    drawn = [model.complete("naïve", max_new_tokens=20, temperature=3.0, seed=seed) for seed in (1, 1, 2, 3)]
    assert drawn[0] == drawn[1]
    assert len(set(drawn)) == 3
    greedy = model.complete("naïve", max_new_tokens=20)
    assert model.complete("naïve", max_new_tokens=20, temperature=1e-300, seed=1) == greedy


def test_sampling_leaves_the_global_random_state_alone(model: LocalModel) -> None:
    """A program that draws its own numbers from torch draws the same ones with completions in between."""
    import torch

    torch.manual_seed(5)
    expected = torch.rand(3).tolist()
    torch.manual_seed(5)
    model.complete("naïve", max_new_tokens=3, temperature=1.0)
    assert torch.rand(3).tolist() == expected


def test_a_tokenizer_without_fill_in_tokens_refuses_a_suffix(copy: Path) -> None:
    """A suffix is an error, not ignored, where the tokenizer cannot frame it."""
    names = (END, "<one>", "<two>", "<three>")
    _tokenizer(names).save_pretrained(copy)
    model = LocalModel.load(copy)
    assert model.complete("naïve → 日", max_new_tokens=3) == "本"
    with pytest.raises(ModelError, match="cannot fill in the middle"):
        model.complete("naïve", "x", max_new_tokens=8)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"max_new_tokens": 0}, "at least 1"),
        ({"max_new_tokens": CONTEXT}, f"a context of {CONTEXT} tokens"),
        ({"max_new_tokens": CONTEXT - 3, "suffix": "x"}, f"a context of {CONTEXT} tokens"),
        ({"temperature": -1.0}, "temperature is -1.0"),
        ({"temperature": float("nan")}, "temperature is nan"),
    ],
)
def test_settings_that_cannot_be_followed_are_errors(model: LocalModel, settings: dict[str, Any], message: str) -> None:
    """Each wrong setting is named with its value."""
    with pytest.raises(ModelError, match=message):
        model.complete("naïve", **settings)


def test_a_lone_surrogate_is_an_error_that_names_the_offset(model: LocalModel) -> None:
    """Text that has no UTF-8 form cannot be read by a model."""
    with pytest.raises(TextError, match="the prompt has a lone surrogate at offset 2"):
        model.complete("ab\udc80", max_new_tokens=8)
    with pytest.raises(TextError, match="the suffix has a lone surrogate at offset 0"):
        model.complete("ab", "\ud800", max_new_tokens=8)


def test_half_precision_is_kept_only_on_demand(copy: Path) -> None:
    """On a CPU a checkpoint stored in half precision computes in single precision unless told otherwise."""
    import torch
    from transformers import AutoModelForCausalLM

    AutoModelForCausalLM.from_pretrained(copy).half().save_pretrained(copy)
    assert LocalModel.load(copy, device="cpu")._model.dtype == torch.float32
    half = LocalModel.load(copy, dtype="bfloat16", device="cpu")
    assert half._model.dtype == torch.bfloat16
    assert half.complete("naïve → 日", max_new_tokens=40) == "本語, x = 🦜\n"


def _without_config(place: Path) -> None:
    (place / "config.json").unlink()


def _with_broken_config(place: Path) -> None:
    (place / "config.json").write_text('{"model_type": ')


def _of_an_unknown_kind(place: Path) -> None:
    (place / "config.json").write_text('{"model_type": "no-such-architecture"}')


def _without_weights(place: Path) -> None:
    (place / "model.safetensors").unlink()


def _with_cut_weights(place: Path) -> None:
    weights = place / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:-1000])


def _with_weights_that_are_not(place: Path) -> None:
    (place / "model.safetensors").write_bytes(b"version https://example.org/large-files\n")


def _with_a_tensor_less(place: Path) -> None:
    from safetensors.torch import load_file, save_file

    tensors = load_file(place / "model.safetensors")
    del tensors["transformer.h.0.mlp.c_fc.weight"]
    save_file(tensors, place / "model.safetensors", {"format": "pt"})


def _with_a_misshapen_tensor(place: Path) -> None:
    from safetensors.torch import load_file, save_file

    tensors = load_file(place / "model.safetensors")
    tensors["transformer.ln_f.weight"] = tensors["transformer.ln_f.weight"][:-1].clone()
    save_file(tensors, place / "model.safetensors", {"format": "pt"})


def _without_tokenizer(place: Path) -> None:
    for name in ("tokenizer.json", "tokenizer_config.json"):
        (place / name).unlink()


def _with_a_broken_tokenizer(place: Path) -> None:
    (place / "tokenizer.json").write_text('{"model": {}}')


def _with_code_of_its_own(place: Path) -> None:
    config = json.loads((place / "config.json").read_text())
    config |= {"model_type": "own", "auto_map": {"AutoConfig": "own.Own", "AutoModelForCausalLM": "own.OwnModel"}}
    (place / "config.json").write_text(json.dumps(config))
    (place / "own.py").write_text("raise SystemExit('ran')\n")


@pytest.mark.parametrize(
    "spoil",
    [
        _without_config,
        _with_broken_config,
        _of_an_unknown_kind,
        _without_weights,
        _with_cut_weights,
        _with_weights_that_are_not,
        _with_a_tensor_less,
        _with_a_misshapen_tensor,
        _without_tokenizer,
        _with_a_broken_tokenizer,
        _with_code_of_its_own,
    ],
)
def test_a_broken_directory_is_one_sentence_that_names_it(
    copy: Path, spoil: Callable[[Path], None], capfd: pytest.CaptureFixture[str]
) -> None:
    """Whatever is missing or broken, the error is one line with the directory in it, and nothing else is printed."""
    spoil(copy)
    with pytest.raises(ModelError) as caught:
        LocalModel.load(copy)
    message = str(caught.value)
    assert str(copy) in message
    assert "\n" not in message
    assert capfd.readouterr() == ("", "")


def test_a_place_that_is_no_directory_is_an_error(tmp_path: Path) -> None:
    """A missing directory and a file are told from a model before any package is imported."""
    file = tmp_path / "model"
    file.write_text("")
    for place in (tmp_path / "nowhere", file):
        with pytest.raises(ModelError, match="no such directory"):
            LocalModel.load(place)


def test_an_unknown_dtype_or_device_is_an_error(checkpoint: Path) -> None:
    """A name that torch does not know, or a dtype that weights cannot have, is named."""
    for dtype in ("int32", "nn", "nonsense"):
        with pytest.raises(ModelError, match=f"'{dtype}' is not a dtype"):
            LocalModel.load(checkpoint, dtype=dtype)
    with pytest.raises(ModelError, match="'toaster' is not a device"):
        LocalModel.load(checkpoint, device="toaster")


def test_loading_is_silent(checkpoint: Path) -> None:
    """In a fresh Python neither loading nor completing prints a bar, a remark or a warning."""
    ran = _python(
        "from codecite.generator.local import LocalModel\n"
        f"LocalModel.load({str(checkpoint)!r}).complete('x', max_new_tokens=8)"
    )
    assert (ran.returncode, ran.stdout, ran.stderr) == (0, "", "")


def test_importing_the_room_imports_no_model_package() -> None:
    """torch and transformers are imported when a model is loaded, not before."""
    ran = _python(
        "import sys, codecite.generator.demo, codecite.generator.local; "
        "print([name for name in ('torch', 'transformers', 'tokenizers') if name in sys.modules])"
    )
    assert ran.stdout == "[]\n"


@pytest.mark.parametrize("package", ["torch", "transformers"])
def test_a_missing_package_names_what_to_install(checkpoint: Path, package: str) -> None:
    """Where torch or transformers cannot be imported, the error says which extra brings them."""
    ran = _python(
        f"import sys; sys.modules[{package!r}] = None\n"
        "from codecite.generator.local import LocalModel\n"
        "from codecite.indexer.errors import ModelError\n"
        f"try: LocalModel.load({str(checkpoint)!r})\n"
        "except ModelError as error: print(error)"
    )
    assert f"needs {package}" in ran.stdout
    assert "pip install 'codecite[generate]'" in ran.stdout


def _python(program: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=300)
