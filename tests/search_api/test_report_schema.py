"""The published schema of a Report holds what the commands write, and would notice what is amiss."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest

ROOT = Path(__file__).resolve().parents[2]
SCHEMA = json.loads((ROOT / "docs" / "codecite-report-1.schema.json").read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def answer(codecite, corpus: Path, index: Path) -> dict[str, Any]:
    """The Report of a module that stands in the index twice."""
    done = codecite("check", corpus / "bisect.py", "--index", index, "--format", "json")
    return json.loads(done.stdout)


def test_the_schema_is_one() -> None:
    """It is a valid JSON Schema itself."""
    jsonschema.Draft202012Validator.check_schema(SCHEMA)


def test_what_check_writes_follows_the_schema(codecite, index: Path, answer: dict[str, Any]) -> None:
    """A Report with Matches, and one of a text that nobody has."""
    assert answer["matches"][0]["sources"]
    jsonschema.validate(answer, SCHEMA)
    empty = json.loads(codecite("check", "-", "--index", index, "--format", "json", stdin="x = 1\n").stdout)
    assert empty["matches"] == []
    jsonschema.validate(empty, SCHEMA)


def test_every_key_of_a_report_stands_in_the_schema(answer: dict[str, Any]) -> None:
    """Nothing is written that the schema does not describe."""
    match = SCHEMA["$defs"]["match"]["properties"]
    assert answer.keys() == SCHEMA["properties"].keys() - {"notes", "generation"}
    assert answer["indexes"][0].keys() == SCHEMA["$defs"]["index"]["properties"].keys()
    assert answer["matches"][0].keys() == match.keys()
    assert answer["matches"][0]["sources"][0].keys() == SCHEMA["$defs"]["source"]["properties"].keys() - {"record"}


@pytest.mark.parametrize(
    ("key", "value"), [("kind", "copied"), ("bytes", 0), ("within", "outer"), ("licenses", {}), ("sources", None)]
)
def test_a_wrong_value_does_not_pass(answer: dict[str, Any], key: str, value: object) -> None:
    """The schema is no formality."""
    wrong = copy.deepcopy(answer)
    wrong["matches"][0][key] = value
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(wrong, SCHEMA)
