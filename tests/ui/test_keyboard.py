"""Everything that the pages offer can be reached and done without a mouse, in the order in which it stands."""

from __future__ import annotations

from pathlib import Path
from typing import Any


def reached(page: Any, most: int = 60) -> list[str]:
    """The ids of what Tab goes through from the head of the page, in their order."""
    page.evaluate("() => { document.body.tabIndex = -1; document.body.focus(); }")
    found: list[str] = []
    for _ in range(most):
        page.keyboard.press("Tab")
        here = page.evaluate("() => document.activeElement.id || document.activeElement.innerText.slice(0, 40)")
        if here in ("", found[0] if found else None):
            break
        found.append(here)
    return found


def test_files_are_checked_by_the_keyboard(page: Any, address: str, tmp_path: Path, code: str) -> None:
    """Choose, filter, open a file, its passages, the reasons, the downloads: in this order."""
    (tmp_path / "denied.py").write_text(code)
    (tmp_path / "empty.py").write_text("")
    page.goto(f"{address}/check")
    page.set_input_files("#files", [tmp_path / "denied.py", tmp_path / "empty.py"])
    page.locator("#status", has_text="1 checked, 1 not checked").wait_for()
    order = reached(page)
    wanted = ["files", "folder", "pasted", "go", "report", "notice", "spdx", "sarif", "verdict", "kind", "license"]
    assert [name for name in order if name in wanted] == wanted
    assert order.index("license") < order.index("denied.py") < order.index("1 not checked") < order.index("shown")
    page.focus("#skipped summary")
    page.keyboard.press("Enter")
    page.locator("#skipped li", has_text="empty.py: empty").wait_for()
    page.get_by_role("button", name="denied.py").focus()
    page.keyboard.press("Enter")
    page.locator("#shown mark").first.wait_for()
    assert page.evaluate("() => document.activeElement.id") == "shown"
    for name in ("spdx", "sarif"):
        page.focus(f"#{name}")
        with page.expect_download() as kept:
            page.keyboard.press("Enter")
        assert Path(kept.value.path()).stat().st_size > 100


def test_marked_passages_are_reached_by_the_keyboard(page: Any, address: str, code: str) -> None:
    """Enter at a mark leads to its card."""
    page.goto(f"{address}/check")
    page.fill("#pasted", code)
    page.focus("#go")
    page.keyboard.press("Enter")
    page.locator("#shown mark").first.wait_for()
    page.keyboard.press("Tab")
    assert page.evaluate("() => document.activeElement.closest('mark') !== null")
    page.keyboard.press("Enter")
    assert page.evaluate("() => document.activeElement.className").startswith("card")


def test_a_search_is_narrowed_by_the_keyboard(page: Any, address: str) -> None:
    """From the field over the hits to the facets."""
    page.goto(f"{address}/search")
    page.focus("#query")
    page.keyboard.type("import")
    page.keyboard.press("Enter")
    page.locator("#licenses button").first.wait_for()
    order = reached(page, 120)
    assert order.index("query") < order.index("more") < next(at for at, name in enumerate(order) if "Python (" in name)
    page.locator("#languages button").first.focus()
    page.keyboard.press("Enter")
    page.locator("#languages li", has_text="chosen").wait_for()
    assert 'language:"' in page.input_value("#query")


def test_a_document_is_gone_through_by_the_keyboard(page: Any, address: str, whole_texts: None) -> None:
    """Its lines by their numbers; the text itself can be scrolled."""
    page.goto(f"{address}/search?q=needle_of_twins_7")
    page.locator("#hits a").first.focus()
    page.keyboard.press("Enter")
    page.locator("#L1").wait_for()
    order = reached(page)
    assert order.index("lines") < order.index("shown")
    page.focus("#lines")
    page.keyboard.press("Control+a")
    page.keyboard.type("3-5")
    page.keyboard.press("Enter")
    page.locator("#L5.chosen").wait_for()
    assert page.url.endswith("#L3-L5")
