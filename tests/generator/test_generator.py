"""Generator: a real model and a real index put together."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace

import pytest

from codecite.generator.demo import demo_prompts
from codecite.generator.generator import Generator
from codecite.generator.local import LocalModel
from codecite.generator.model import Sampling
from codecite.indexer import open_index
from codecite.indexer.build import add
from codecite.indexer.corpus.units import Unit
from codecite.indexer.records import EvidenceKind, LicenseEvidence, Package, Skipped, SourceFile

PROMPT = demo_prompts()[0].prompt
SUFFIX = "\n\n\ndef last() -> None:\n"


@pytest.fixture(scope="module")
def generator(require: Callable[..., None], tmp_path_factory: pytest.TempPathFactory) -> Generator:
    """The demo model, and an index that holds one file: what the model makes of PROMPT and SUFFIX."""
    require("torch", "transformers")
    model = LocalModel.load("demo")
    content = PROMPT + model.complete(PROMPT) + "\n" + model.complete(PROMPT, SUFFIX) + SUFFIX

    def files() -> Iterator[SourceFile | Skipped]:
        yield SourceFile("parrot.py", content.encode())

    evidence = LicenseEvidence(EvidenceKind.PACKAGE_METADATA, "MIT", "License-Expression", "MIT")
    directory = tmp_path_factory.mktemp("index") / "index"
    add(directory, [Unit(Package("here", purl="pkg:pypi/parrot@1", evidence=(evidence,)), files)])
    return Generator(model, open_index(directory))


def test_a_completion_comes_with_its_report(generator: Generator) -> None:
    """The passage of a completion that stands in the index is found with its file and license, prompt included."""
    done = generator.complete(PROMPT)
    assert done.completion == generator.model.complete(PROMPT)
    (attribution,) = done.report.attributions
    assert (attribution.match.start, attribution.match.end) == (0, len(PROMPT + done.completion))
    assert dict(attribution.match.counts.licenses) == {"MIT": 1}
    assert attribution.sources[0].origin.path == "parrot.py"


@pytest.mark.parametrize("suffix", [None, "", SUFFIX])
@pytest.mark.parametrize("prompt", [PROMPT, ""])
def test_the_report_is_the_check_of_the_completion_in_its_place(
    generator: Generator, prompt: str, suffix: str | None
) -> None:
    """`complete` answers exactly what `check` answers for the completion between prompt and suffix."""
    done = generator.complete(prompt, suffix, Sampling(max_new_tokens=60))
    report = replace(done.report, generation=None)
    assert report == generator.index.check(done.completion, before=prompt, after=suffix or "")
    assert done.report.text_start == len(prompt)
    assert done.report.text_end == len(prompt + done.completion)


def test_settings_reach_the_model(generator: Generator) -> None:
    """Length, temperature and seed are the model's, and the same text comes back."""
    drawn = generator.complete(PROMPT, None, Sampling(max_new_tokens=20, temperature=2.0, seed=4)).completion
    assert drawn == generator.model.complete(PROMPT, max_new_tokens=20, temperature=2.0, seed=4)
    assert drawn != generator.complete(PROMPT, None, Sampling(max_new_tokens=20)).completion
