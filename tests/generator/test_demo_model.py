"""The checkpoint that travels with codecite: what it writes stands in the packages that it was trained on."""

from __future__ import annotations

import os
from collections.abc import Callable
from importlib.metadata import PackageNotFoundError, distribution

import pytest

from codecite.generator.demo import DEMO_MODEL, DemoPrompt, demo_prompts
from codecite.generator.local import LocalModel
from codecite.generator.training.corpus import MODULES

KNOWN = [prompt for prompt in demo_prompts() if prompt.path is not None]
UNKNOWN = [prompt for prompt in demo_prompts() if prompt.path is None]
GUARANTEE = 50


@pytest.fixture(scope="module")
def model(require: Callable[..., None]) -> LocalModel:
    """The demo model, loaded."""
    require("torch", "transformers")
    return LocalModel.load("demo")


def _missing(what: str) -> None:
    """Skip for want of a pinned package, or fail where `CODECITE_REQUIRE` wants the model's packages."""
    if "torch" in os.environ.get("CODECITE_REQUIRE", "").split(","):
        pytest.fail(f"{what}, and CODECITE_REQUIRE lists torch", pytrace=False)
    pytest.skip(what)


def _source(package: str, version: str | None, path: str) -> str:
    """The text of an installed module; skips where the package is missing or another version."""
    try:
        installed = distribution(package)
    except PackageNotFoundError:
        _missing(f"{package} is not installed")
    if version is not None and installed.version != version:
        _missing(f"{package} is {installed.version}, and the demo model knows {version}")
    text = installed.read_text(f"../{path}")
    assert text is not None
    return text


def _canonical(text: str) -> str:
    """`text` without the six white-space characters that matching passes over."""
    return text.translate({ord(character): None for character in "\t\n\v\f\r "})


@pytest.mark.parametrize("prompt", KNOWN, ids=lambda prompt: prompt.path)
def test_a_known_prompt_is_continued_word_for_word(model: LocalModel, prompt: DemoPrompt) -> None:
    """The greedy completion is at least 300 characters of the very module that the prompt was taken from."""
    assert prompt.package is not None
    assert prompt.path is not None
    source = _source(prompt.package, prompt.version, prompt.path)
    completion = model.complete(prompt.prompt)
    assert len(completion) >= 300
    assert prompt.prompt + completion in source


@pytest.mark.parametrize("prompt", UNKNOWN, ids=lambda prompt: prompt.title)
def test_an_unknown_prompt_has_no_passage_of_the_modules(model: LocalModel, prompt: DemoPrompt) -> None:
    """Prompt and completion share no passage of the guaranteed length with anything that the model was trained on."""
    known = [_canonical(_source(package, None, path)) for package, paths in MODULES.items() for path in paths]
    text = _canonical(prompt.prompt + model.complete(prompt.prompt))
    assert len(text) > GUARANTEE
    passages = [text[start : start + GUARANTEE] for start in range(len(text) - GUARANTEE + 1)]
    assert not [passage for passage in passages if any(passage in source for source in known)]


def test_completions_repeat_in_a_model_loaded_anew(model: LocalModel) -> None:
    """Nothing but the files of the checkpoint decides what it writes."""
    again = LocalModel.load(DEMO_MODEL)
    for prompt in demo_prompts():
        first = model.complete(prompt.prompt, max_new_tokens=40)
        assert len(first) > 40
        assert again.complete(prompt.prompt, max_new_tokens=40) == first


def test_the_demo_model_fills_in_the_middle(model: LocalModel) -> None:
    """Between the two halves of a module that it knows it ends by itself, and writes none of its special tokens."""
    (prompt, *_) = KNOWN
    middle = model.complete(prompt.prompt, "\n\n\ndef ", max_new_tokens=100)
    assert middle
    assert "<fim_prefix>" not in middle
    assert "<|" not in middle


def test_the_prompts_come_from_several_licenses() -> None:
    """Five or more known prompts of as many distributions, one that is unknown, each with a title of its own."""
    assert len({prompt.package for prompt in KNOWN}) == len(KNOWN) >= 5
    assert UNKNOWN
    assert len({prompt.title for prompt in demo_prompts()}) == len(demo_prompts())
    for prompt in KNOWN:
        assert prompt.package in MODULES
        assert prompt.path in MODULES[prompt.package]


def test_the_card_and_the_license_texts_cover_every_module() -> None:
    """Each distribution stands in the card with its modules, and at least one licence text of it is shipped."""
    card = (DEMO_MODEL / "README.md").read_text(encoding="utf-8")
    texts = [file.name for file in (DEMO_MODEL / "licenses").iterdir()]
    for package, paths in MODULES.items():
        (row,) = [line for line in card.splitlines() if line.startswith(f"| {package} ")]
        assert all(f"`{path}`" in row for path in paths)
        version = row.split()[2]
        assert any(name.startswith(f"{package}-{version}-LICEN") for name in texts)
    for prompt in KNOWN:
        assert f"| {prompt.package} {prompt.version} |" in card


def test_the_checkpoint_stays_small() -> None:
    """A few megabytes, in a form that runs no code when it is read."""
    files = [file for file in DEMO_MODEL.rglob("*") if file.is_file()]
    assert sum(file.stat().st_size for file in files) < 8_000_000
    assert not [file for file in files if file.suffix in (".bin", ".pt", ".pkl", ".py")]
