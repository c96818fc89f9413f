"""The form to be left out, filled in by the keyboard alone."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

HARM = "<img src=x onerror=\"document.title='broken in'\">"


def test_a_request_is_looked_at_and_sent_by_the_keyboard(page: Any, address: str, index: Path) -> None:
    """What would go is listed file by file; what is written is shown as it stands and noted."""
    page.goto(f"{address}/about")
    page.locator("#indexes section").first.wait_for()
    page.focus("#optout-kind")
    page.keyboard.type("files")
    page.keyboard.press("Tab")
    page.keyboard.type("one.py")
    page.keyboard.press("Tab")
    page.keyboard.type(HARM)
    page.keyboard.press("Tab")
    page.keyboard.type("anna@example.org")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    page.locator("#optout-status", has_text="nothing is asked for yet").wait_for()
    assert page.locator("#optout-files li").all_inner_texts() == [" one.py".strip()]
    assert "1 places" in page.locator("#optout-files p").inner_text()
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    page.locator("#optout-status", has_text="Noted as request").wait_for()
    said = json.loads((index.parent / "requests.jsonl").read_text().splitlines()[-1])
    assert (said["kind"], said["value"], said["reason"], said["origins"]) == ("path", "one.py", HARM, 1)
    assert said["id"] in page.locator("#optout-status").inner_text()
    assert page.input_value("#optout-value") == ""


def test_what_cannot_be_asked_for_is_said(page: Any, address: str) -> None:
    """By the server's words, and as text."""
    page.goto(f"{address}/about")
    page.select_option("#optout-kind", "repository")
    page.fill("#optout-value", HARM)
    page.click("#optout-preview")
    page.locator("#optout-status", has_text="is no repository to take down").wait_for()
    assert page.locator("#optout-status img").count() == 0
