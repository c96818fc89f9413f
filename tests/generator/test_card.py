"""What a model's card says of its licence, and the assistant's prompt."""

from __future__ import annotations

from pathlib import Path

import pytest

from codecite.generator.assistant import STOP, assistant_prompt
from codecite.generator.card import RESTRICTIONS, read_card
from codecite.indexer.licenses.tables import license_text

FRONT = "---\npipeline_tag: text-generation\n{}\ntags:\n- code\n---\n# A model\nlicense: none of this counts\n"


@pytest.mark.parametrize(
    ("fields", "license", "restricted"),
    [
        ("license: apache-2.0", "Apache-2.0", False),
        ('license: "mit"', "MIT", False),
        ("license: bigcode-openrail-m", "LicenseRef-bigcode-openrail-m", True),
        ("license: other\nlicense_name: deepseek-license", "LicenseRef-deepseek-license", False),
        ("license: openrail", "LicenseRef-openrail", True),
        ("license: creativeml-openrail-m # see below", "LicenseRef-creativeml-openrail-m", True),
    ],
)
def test_the_front_matter_names_the_licence(tmp_path: Path, fields: str, license: str, restricted: bool) -> None:
    """As SPDX where it has a name there; the uses that a responsible-AI licence forbids go with it."""
    (tmp_path / "README.md").write_text(FRONT.format(fields))
    card = read_card(tmp_path)
    assert card is not None
    assert card.license == license
    assert card.restrictions == (RESTRICTIONS if restricted else ())


def test_else_it_is_the_licence_file(tmp_path: Path) -> None:
    """A text of the SPDX list; nothing where there is neither."""
    assert read_card(tmp_path) is None
    (tmp_path / "README.md").write_bytes(b"\xff\xfe no front matter")
    assert read_card(tmp_path) is None
    apache = license_text("Apache-2.0")
    assert apache is not None
    (tmp_path / "LICENSE").write_text(apache[1])
    card = read_card(tmp_path)
    assert card is not None
    assert card.license == "Apache-2.0"


def test_a_request_stands_last_in_the_conversation() -> None:
    """What comes next is the assistant's turn, which the stop string ends."""
    prompt = assistant_prompt("  Reverse a list.\n")
    assert prompt.endswith("Human: Reverse a list.\n\nAssistant:")
    assert STOP in prompt
