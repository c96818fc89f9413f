"""The demo model's place and the prompts that it is shown with.

In: nothing. Out: the directory of the checkpoint that travels with codecite, and `DemoPrompt` rows. Knows nothing of
how a model is loaded.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

DEMO_MODEL = Path(__file__).parent / "demo_model"
"""A GPTBigCode checkpoint in the form that transformers saves, with a model card and the licences of its sources."""


@dataclass(frozen=True, slots=True)
class DemoPrompt:
    """One prompt of the demo.

    `package`, `version` and `path` name the module whose text the model goes on with, and which the prompt was taken
    from; all three are None for a prompt that the model knows no source for.
    """

    title: str
    prompt: str
    package: str | None
    version: str | None
    path: str | None


def demo_prompts() -> tuple[DemoPrompt, ...]:
    """The prompts of the demo, in the order in which they are shown."""
    rows = json.loads((DEMO_MODEL / "prompts.json").read_text(encoding="utf-8"))
    return tuple(DemoPrompt(**row) for row in rows)
