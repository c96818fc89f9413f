"""A completion in the making, held against transformers' own, and the way back."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from codecite.generator.demo import demo_prompts
from codecite.generator.local import LocalModel
from codecite.generator.model import Sampling
from codecite.indexer.errors import ModelError

PROMPTS = [prompt.prompt for prompt in demo_prompts()]


@pytest.fixture(scope="module")
def model(require: Callable[..., None]) -> LocalModel:
    """The demo model."""
    require("torch", "transformers")
    return LocalModel.load("demo")


def test_the_pieces_are_the_text_of_the_tokens(model: LocalModel) -> None:
    """Joined they are what all tokens decode to at once; most of them are one token's."""
    import torch

    for prompt in PROMPTS:
        writing = model.write(prompt, None, Sampling(60))
        pieces = list(writing)
        start = model._prompts.start(prompt, None, 60)
        ids = torch.tensor([start.ids])
        new = writing._ids[len(start.ids) :]
        text = model._prompts.decode([*start.ids, *new])[len(model._prompts.decode(start.ids)) :]
        assert "".join(pieces) == text[len(start.healed) :]
        assert len(pieces) >= 0.9 * len(new)
        if not start.healed:
            answer = model._model.generate(ids, max_new_tokens=60, do_sample=False)[0, len(start.ids) :].tolist()
            assert [number for number in answer if number not in model._stops] == new


@pytest.mark.parametrize("temperature", [0.0, 0.9])
@pytest.mark.parametrize("croppable", [True, False])
def test_going_back_is_as_if_the_rest_had_never_been(
    model: LocalModel, temperature: float, croppable: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What was kept stays, another token comes next, and what follows is what the model writes after that text."""
    import torch

    for prompt in PROMPTS[:4]:
        writing = model.write(prompt, None, Sampling(40, temperature, seed=3))
        text = "".join(writing)
        for characters in (len(text), len(text) // 2, 7, 0):
            before = writing._ids[:]
            if not croppable and writing._past is not None:
                monkeypatch.setattr(type(writing._past), "is_croppable", property(lambda _: False))
            left = writing.go_back(characters)
            assert left <= characters
            assert "".join(text)[:left] == writing._text[len(writing._start.healed) :]
            position = len(writing._ids)
            text = text[:left] + "".join(writing)
            new = writing._ids
            if position < len(before) and position < len(new):
                assert new[position] != before[position]
            if temperature == 0 and position + 1 < len(new):
                ids = torch.tensor([new[: position + 1]])
                rest = model._model.generate(ids, max_new_tokens=len(new) - position - 1, do_sample=False)
                assert [number for number in rest[0].tolist() if number not in model._stops] == new
        assert writing._ids[: len(writing._start.ids)] == writing._start.ids


def test_every_way_on_is_forbidden_once(model: LocalModel) -> None:
    """Sent back to the same place again and again, the model takes the next likeliest token each time."""
    import torch

    writing = model.write(PROMPTS[0], PROMPTS[1], Sampling(5))
    next(writing)
    start = writing._start.ids
    with torch.inference_mode():
        scores = model._model(input_ids=torch.tensor([start])).logits[0, -1].double()
    order: list[int] = scores.argsort(descending=True).tolist()
    seen = []
    for _ in range(6):
        seen.append(writing._ids[len(start)] if len(writing._ids) > len(start) else writing._ended)
        assert writing.go_back(0) == 0
        next(writing, None)
    assert seen == order[:6]


def test_a_completion_ends_before_the_first_stop_string(model: LocalModel) -> None:
    """Also where it spans several tokens; what may begin one is held back until that is decided."""
    whole = model.complete(PROMPTS[2], max_new_tokens=60)
    for at in range(3, 120, 13):
        stop = whole[at : at + 9]
        writing = model.write(PROMPTS[2], None, Sampling(60, stop=(stop, "never to be found")))
        told = ""
        for piece in writing:
            told += piece
            assert stop not in told
        assert told == whole[: whole.index(stop)]
    assert "".join(model.write(PROMPTS[2], None, Sampling(60, stop=("\x00",)))) == whole


def test_sampling_keeps_to_the_likeliest(model: LocalModel) -> None:
    """top_k 1 and a tiny top_p are greedy, whatever the temperature; a seed repeats."""
    greedy = model.complete(PROMPTS[0], max_new_tokens=30)
    for sampling in (Sampling(30, 5.0, top_k=1, seed=1), Sampling(30, 5.0, top_p=1e-9, seed=2)):
        assert "".join(model.write(PROMPTS[0], None, sampling)) == greedy
    wild = Sampling(30, 2.0, top_p=0.9, top_k=50, seed=4)
    assert "".join(model.write(PROMPTS[0], None, wild)) == "".join(model.write(PROMPTS[0], None, wild)) != greedy


def test_a_prompt_that_ends_within_a_token_is_healed(model: LocalModel) -> None:
    """Cut anywhere within what the model would write, it goes on from there as it would have."""
    healed = 0
    for prompt in PROMPTS[1:4]:
        whole = model.complete(prompt, max_new_tokens=40)
        for cut in range(1, 25):
            start = model._prompts.start(prompt + whole[:cut], None, 40)
            if start.healed:
                healed += 1
                rest = model.complete(prompt + whole[:cut], max_new_tokens=40)
                assert (whole[:cut] + rest)[:60] == whole[:60], (prompt, cut)
    assert healed > 30


@pytest.mark.parametrize(
    "settings", [{"top_p": 0.0}, {"top_p": 1.5}, {"top_k": -1}, {"stop": ("",)}, {"temperature": float("nan")}]
)
def test_what_no_model_can_follow_is_an_error(settings: dict[str, object]) -> None:
    """Before a model is asked."""
    with pytest.raises(ModelError):
        Sampling(**settings)  # type: ignore[arg-type]


def test_smaller_weights_need_their_package(require: Callable[..., None]) -> None:
    """One sentence that says what to install, or which kinds there are."""
    require("torch", "transformers")
    with pytest.raises(ModelError, match="4bit or 8bit"):
        LocalModel.load("demo", quantize="2bit")
    with pytest.raises(ModelError, match="pip install bitsandbytes"):
        LocalModel.load("demo", quantize="4bit")
