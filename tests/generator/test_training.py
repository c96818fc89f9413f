"""The parts of the training script that can be wrong without the loss showing it."""

from __future__ import annotations

import random
from collections.abc import Callable
from itertools import islice
from pathlib import Path

import pytest

from codecite.generator.training.corpus import MODULES, Module, Terms, read_modules, read_terms
from codecite.indexer.errors import SourceError

TEXTS = [
    "".join(f"def function_{number}(value: int) -> int:\n    return value + {number}\n\n\n" for number in range(40)),
    "".join(f"class Überklasse{number}:\n    name = 'é日🦜{number}'\n\n\n" for number in range(40)),
]


@pytest.fixture(scope="module", autouse=True)
def _torch(require: Callable[..., None]) -> None:
    require("torch", "transformers", "tokenizers")


def test_orthogonal_brings_every_singular_value_near_one() -> None:
    """Wide, tall and square matrices alike keep their shape and lose the spread of their singular values."""
    import torch

    from codecite.generator.training.muon import orthogonal

    chance = torch.Generator().manual_seed(1)
    for shape in ((64, 256), (256, 64), (32, 32)):
        matrix = torch.randn(shape, generator=chance)
        values = torch.linalg.svdvals(orthogonal(matrix))
        assert orthogonal(matrix).shape == matrix.shape
        assert values.max() < 1.3
        assert values.median() > 0.65


def test_muon_goes_downhill() -> None:
    """A least-squares problem over a matrix is solved by steps that shrink."""
    import torch

    from codecite.generator.training.muon import Muon

    chance = torch.Generator().manual_seed(1)
    target = torch.randn(20, 30, generator=chance) * 0.1
    weight = torch.zeros(20, 30, requires_grad=True)
    muon = Muon([weight])
    for step in range(200):
        ((weight - target) ** 2).sum().backward()
        muon.step(0.05 * (1 - step / 200))
        weight.grad = None
    assert float(((weight.detach() - target) ** 2).mean()) < 0.01 * float((target**2).mean())


def test_windows_are_text_of_the_files() -> None:
    """A plain window is a piece of one file; a window to fill in the middle is one too, put back in order."""
    from codecite.generator.training import train

    tokenizer = train.train_tokenizer(TEXTS)
    end, prefix, middle, suffix = (
        tokenizer.token_to_id(token) for token in (train.END, train.FIM_PREFIX, train.FIM_MIDDLE, train.FIM_SUFFIX)
    )
    filled = plain = 0
    for ids in islice(train.windows(TEXTS, tokenizer, random.Random(1)), 300):
        assert len(ids) == train.CONTEXT + 1
        ids = ids[: ids.index(end)] if end in ids else ids
        if ids and ids[0] == prefix:
            if middle not in ids:
                continue  # so long that the window ends before the middle
            filled += 1
            first, second = ids.index(suffix), ids.index(middle)
            ids = ids[1:first] + ids[second + 1 :] + ids[first + 1 : second]
            if len(ids) == train.CONTEXT - 2:
                continue  # the window ends inside the middle
        else:
            plain += 1
        text = tokenizer.decode(ids).rstrip("\ufffd")
        assert any(text in known for known in TEXTS)
    assert filled > 50
    assert plain > 150


def test_the_corpus_names_what_is_not_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    """A distribution or a module that is missing is an error with its name."""
    monkeypatch.setitem(MODULES, "no-such-distribution", ("none.py",))
    with pytest.raises(SourceError, match="no-such-distribution is not installed"):
        read_terms()
    monkeypatch.delitem(MODULES, "no-such-distribution")
    monkeypatch.setitem(MODULES, "click", ("click/none.py",))
    with pytest.raises(SourceError, match=r"has no click/none\.py|is not installed"):
        read_modules()


def test_the_card_lists_packages_licenses_and_recipe(tmp_path: Path) -> None:
    """The card and the licence texts are written from what was read, and stale texts go."""
    from codecite.generator.training.card import write_card

    (tmp_path / "licenses").mkdir()
    (tmp_path / "licenses" / "old-1-LICENSE").write_text("stale")
    modules = (Module("one", "1.0", "one/a.py", "x" * 10), Module("one", "1.0", "one/b.py", "y" * 5))
    terms = (Terms("one", "1.0", "MIT", (("LICENSE", "Permission is granted\n"), ("NOTICE", "Made by one\n"))),)
    write_card(tmp_path, modules, terms, {"seed": 20})
    card = (tmp_path / "README.md").read_text()
    assert "| one 1.0 | MIT | `one/a.py`, `one/b.py` |" in card
    assert "15 characters, 2 modules" in card
    assert "| seed | 20 |" in card
    texts = {file.name: file.read_text() for file in (tmp_path / "licenses").iterdir()}
    assert texts == {"one-1.0-LICENSE": "Permission is granted\n", "one-1.0-NOTICE": "Made by one\n"}
