"""`codecite generate` and `codecite demo`: completions of the model that ships, and the Reports on them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from codecite.generator.demo import demo_prompts
from codecite.indexer import open_index

PROMPT = "def wrap(text):\n    "


def test_the_report_of_a_completion_is_that_of_the_library(require, process, index: Path) -> None:
    """`generate` answers exactly `check(completion, before=prompt, after=suffix)`, and names its model."""
    require("torch", "transformers")
    arguments = ("--model", "demo", "--prompt", PROMPT, "--suffix", "\n", "--max-new-tokens", "24")
    done = process("generate", *arguments, "--index", index, "--format", "json")
    assert done.returncode == 0, done.stderr
    report = json.loads(done.stdout)
    generation = report.pop("generation")
    assert generation["model"] == "demo"
    assert report == open_index(index).check(generation["text"], before=PROMPT, after="\n").to_dict()


def test_a_prompt_may_come_from_a_file(require, codecite, index: Path) -> None:
    """`--prompt-file -` keeps the line end that a shell would have taken from `--prompt`."""
    require("torch", "transformers")
    arguments = ("--model", "demo", "--max-new-tokens", "8", "--index", index, "--format", "json")
    named = codecite("generate", "--prompt", "import os\n", *arguments)
    read = codecite("generate", "--prompt-file", "-", *arguments, stdin="import os\n")
    assert named.returncode == 0, named.stderr
    assert named.stdout == read.stdout


def test_a_missing_model_is_one_line_and_exit_code_2(codecite, index: Path, tmp_path: Path) -> None:
    """The message names the directory."""
    done = codecite("generate", "--model", tmp_path / "none", "--prompt", "x", "--index", index)
    assert done.returncode == 2
    assert len(done.stderr.splitlines()) == 1
    assert str(tmp_path / "none") in done.stderr


@pytest.mark.parametrize("prompts", [(), ("--prompt", "x", "--prompt-file", "-")], ids=["none", "two"])
def test_exactly_one_prompt_is_wanted(codecite, index: Path, prompts: tuple[str, ...]) -> None:
    """None and two are wrong usage."""
    done = codecite("generate", "--model", "demo", *prompts, "--index", index)
    assert done.returncode == 2
    assert "--prompt" in done.stderr


@pytest.mark.slow
def test_the_demo_finds_the_completions_where_the_prompts_were_taken_from(require, process, tmp_path: Path) -> None:
    """It indexes what is installed, names the file of each known prompt, and is quick the second time."""
    require("torch", "transformers", "flask")
    first = process("demo", XDG_CACHE_HOME=str(tmp_path))
    assert first.returncode == 0, first.stderr
    completions = first.stdout.split("=" * 100)[1:-1]
    for prompt, shown in zip(demo_prompts(), completions, strict=True):
        assert prompt.title in shown
        if prompt.path is not None:
            assert "[1] line" in shown
            assert f"{prompt.path}:" in shown
            assert f"{str(prompt.package).lower().replace('_', '-')}@{prompt.version}" in shown
    second = process("demo", XDG_CACHE_HOME=str(tmp_path))
    assert "added      0 documents" in second.stdout
    assert second.stdout.split("=" * 100)[1:] == first.stdout.split("=" * 100)[1:]
