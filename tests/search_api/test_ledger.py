"""`codecite generate --ledger` and `codecite ledger`."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from codecite.generator.demo import demo_prompts

PROMPT = demo_prompts()[1].prompt


def test_what_was_generated_is_listed_matched_checked_and_forgotten(
    require, codecite, index: Path, tmp_path: Path
) -> None:
    """From the completion to its erasure."""
    require("torch", "transformers")
    ledger = tmp_path / "ledger"
    options = ("--model", "demo", "--index", index, "--max-new-tokens", "60", "--format", "json", "--ledger", ledger)
    made = codecite("generate", "--prompt", PROMPT, *options)
    assert made.returncode == 0, made.stderr
    generation = json.loads(made.stdout)["generation"]
    listed = codecite("ledger", "list", "--ledger", ledger, "--format", "json").stdout
    assert [json.loads(line)["id"] for line in listed.splitlines()] == [generation["record"]]
    text = generation["text"]
    checked = codecite("check", "--index", index, "--index", ledger, stdin=text)
    assert ", generated" in checked.stdout
    assert "generated here by demo at " in checked.stdout
    bare = codecite("generate", "--prompt", PROMPT, *options, "--without-text")
    name = json.loads(bare.stdout)["generation"]["record"]
    matched = codecite("ledger", "match", "--ledger", ledger, "--format", "json", stdin=text).stdout
    assert {json.loads(line)["id"] for line in matched.splitlines()} == {name, generation["record"]}
    assert codecite("ledger", "forget", "--id", name, "--ledger", ledger).stdout.endswith("1 record erased\n")
    assert "2 records" not in codecite("ledger", "forget", "--older-than-days", "0", "--ledger", ledger).stdout
    assert codecite("ledger", "match", "-", "--ledger", ledger, stdin="x").stdout.startswith("no fingerprint")


@pytest.mark.parametrize("command", [("list",), ("match", "-"), ("compact",), ("forget", "--id", "x")])
def test_a_ledger_that_is_not_there_is_an_error(codecite, tmp_path: Path, command: tuple[str, ...]) -> None:
    """One line that says how one is made."""
    done = codecite("ledger", *command, "--ledger", tmp_path / "none")
    assert done.returncode == 2
    assert "no ledger here" in done.stderr
    assert len(done.stderr.splitlines()) == 1


def test_forgetting_everything_has_to_be_said(codecite, tmp_path: Path) -> None:
    """Without an id or an age nothing is erased."""
    done = codecite("ledger", "forget", "--ledger", tmp_path)
    assert done.returncode == 2
    assert "--older-than-days" in done.stderr
