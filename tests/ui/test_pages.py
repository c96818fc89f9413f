"""The five pages, walked through as a person would: in a real browser, over a real index, with the demo model."""

from __future__ import annotations

import hashlib
import importlib.util
import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

SITE = Path(str(importlib.util.find_spec("numpy").origin)).parent.parent  # type: ignore[union-attr]
MIXINS = (SITE / "numpy" / "lib" / "mixins.py").read_text(encoding="utf-8")
PICTURES = os.environ.get("CODECITE_PICTURES")


def picture(page: Any, name: str) -> None:
    """Keep how a page looks, where that is asked for."""
    if PICTURES:
        page.screenshot(path=str(Path(PICTURES) / f"{name}.png"))


def hostile_code() -> str:
    """The text of the file that means harm."""
    code = (Path(__file__).parent / "conftest.py").read_text()
    begin = code.index("CODE = f'''") + 11
    made = code[begin : code.index("'''", begin)].replace("{{number}}", "1")
    return made.replace("{HOSTILE}", "<img src=x onerror=\"document.title='broken in'\">") * 3


def test_a_completion_is_marked_while_it_is_written_and_attributed(page: Any, address: str) -> None:
    """Its passages have cards: licences, both sides, an attribution to copy, a way to the lines."""
    page.goto(address)
    at = MIXINS.index("class NDArrayOperatorsMixin")
    page.fill("#text", MIXINS[:at] + "class NDArrayOperatorsMixin:\n")
    page.press("#text", "Control+End")
    page.click("#complete")
    page.locator("#shown mark").first.wait_for(timeout=60_000)
    page.locator("#status", has_text="Verdict").wait_for(timeout=60_000)
    card = page.locator(".card").first
    assert "mixins.py" in card.inner_text()
    assert "Licence" in card.inner_text()
    card.get_by_role("button", name="Copy attribution").first.click()
    card.get_by_text("copied").first.wait_for()
    assert "mixins.py" in page.evaluate("() => navigator.clipboard.readText()")
    card.get_by_role("button", name="Both sides").first.click()
    page.locator(".sides tr").nth(1).wait_for()
    own, theirs = page.locator(".sides td").nth(0).inner_text(), page.locator(".sides td").nth(1).inner_text()
    assert own.split(maxsplit=1)[1].strip() in theirs  # a passage may begin within the source's line
    assert page.locator(".sides .keyword", has_text="def").count() >= 1
    picture(page, "write")
    told = card.inner_text()
    with page.expect_request("**/api/v1/generate") as sent:
        card.get_by_role("button", name="Regenerate without this passage").click()
    assert sent.value.post_data_json["deny"] == ["NOASSERTION"]  # one file of a package, whose licence lies elsewhere
    assert "NOASSERTION" in told
    page.locator("#status", has_text="prevented").wait_for(timeout=60_000)
    page.locator("#accept:enabled, #complete:enabled").first.wait_for()
    page.click("#complete")
    page.locator("#status", has_text="Writing").wait_for()
    page.locator("#status", has_text="Verdict").wait_for(timeout=60_000)
    page.locator(".sides").wait_for(state="detached")
    page.click("#accept")
    assert len(page.input_value("#text")) > len(MIXINS[:at]) + 40
    card.get_by_role("link", name="The file").first.click()
    page.locator("#origins li").first.wait_for()
    assert "mixins.py" in page.locator("#origins").inner_text()


def test_a_completion_is_written_where_the_cursor_stands(page: Any, address: str) -> None:
    """What follows the cursor is the suffix, and still follows what was accepted."""
    before, after = MIXINS[:400], "\n# the end of the file\n"
    page.goto(address)
    page.fill("#text", before + after)
    page.evaluate(f"() => document.getElementById('text').setSelectionRange({len(before)}, {len(before)})")
    with page.expect_request("**/api/v1/generate") as sent:
        page.click("#complete")
    asked = sent.value.post_data_json
    assert (asked["prompt"], asked["suffix"]) == (before, after)
    page.locator("#status", has_text="Verdict").wait_for(timeout=60_000)
    page.click("#accept:enabled")
    text = page.input_value("#text")
    assert text.startswith(before)
    assert text.endswith(after)
    assert len(text) > len(before + after)


def test_two_sides_are_paired_by_their_equal_lines(page: Any, address: str) -> None:
    """Lines that only one side has stand alone, lines that differ are told apart, white space aside."""
    page.goto(address)
    found = page.evaluate(
        "async () => (await import('/static/sides.js')).paired(['a', 'b', 'd', 'e'], ['a', 'x', 'y', 'd'])"
    )
    assert found == [[0, 0], [1, 1], [None, 2], [2, 3], [3, None]]
    rows = page.evaluate("""async () => {
      const { aligned } = await import('/static/sides.js');
      const parts = [{ start_line: 7, text: 'a = 1\\nb = 3\\n', highlighted: null }];
      const table = aligned('a=1\\nb = 2', 1, parts, 'both');
      return [...table.querySelectorAll('tbody tr')].map((row) => row.className);
    }""")
    assert rows == ["", "differs"]


def test_files_are_checked_filtered_and_downloaded(page: Any, address: str, tmp_path: Path) -> None:
    """A table of them; the Reports as JSON; what must be shipped."""
    copied = (SITE / "click" / "utils.py").read_text()[:4000]
    (tmp_path / "copied.py").write_text(copied + hostile_code())
    (tmp_path / "own.py").write_text("print('nothing that stands anywhere else')\n")
    page.goto(f"{address}/check")
    page.set_input_files("#files", [tmp_path / "copied.py", tmp_path / "own.py"])
    page.locator("#status", has_text="2 checked").wait_for()
    assert page.locator("#rows tr").count() == 2
    page.select_option("#kind", "verbatim")
    assert page.locator("#rows tr").count() == 1
    page.get_by_role("button", name="copied.py").click()
    assert page.locator("#shown mark").count() >= 1
    picture(page, "check")
    with page.expect_download() as kept:
        page.click("#report")
    reports = json.loads(Path(kept.value.path()).read_text())
    assert [report["path"] for report in reports] == ["copied.py", "own.py"]
    with page.expect_download() as kept:
        page.click("#notice")
    assert "GPL-3.0-only" in Path(kept.value.path()).read_text()


def test_a_search_leads_to_a_document(page: Any, address: str) -> None:
    """By the keyboard alone; facets narrow it; hits come in pages."""
    page.goto(f"{address}/search")
    page.focus("#query")
    page.keyboard.type("make_response")
    page.keyboard.press("Enter")
    page.locator("#hits li").first.wait_for()
    assert page.locator("#hits .word").first.inner_text()
    picture(page, "search")
    page.locator("#languages button").first.click()
    page.locator("#status", has_text="files").wait_for()
    assert 'language:"' in page.input_value("#query")
    page.locator("#hits a").first.click()
    page.locator("#origins li").first.wait_for()
    assert "#L" in page.url
    picture(page, "document")


def test_what_the_index_holds_is_told(page: Any, address: str) -> None:
    """Licences as a chart, the model and its licence, what no match means."""
    page.goto(f"{address}/about")
    page.locator("table caption", has_text="Files by licence").wait_for()
    assert "GPL-3.0-only" in page.locator("#indexes").inner_text()
    assert "demo" in page.locator("#model").inner_text()
    assert "never means that code is original" in page.locator("footer").inner_text()
    picture(page, "about")


def test_names_and_texts_that_mean_harm_do_none(page: Any, address: str) -> None:
    """They are shown as they stand: nothing of them runs, nothing is markup."""
    page.goto(f"{address}/search?q=hostile_1")
    page.locator("#hits li").first.wait_for()
    assert "<b onmouseover=alert(1)>.py" in page.locator("#hits").inner_text()
    assert page.locator("#hits img, #hits script, #hits b").count() == 0
    page.goto(f"{address}/check")
    page.fill("#pasted", hostile_code())
    page.click("#go")
    page.locator("#shown mark").first.wait_for()
    assert page.locator("#shown img, #cards img, #cards script, #cards b").count() == 0
    assert page.locator("mark.fail").count() >= 1


def swhid_of(path: Path) -> str:
    """The name of a content."""
    content = path.read_bytes()
    return f"swh:1:cnt:{hashlib.sha1(b'blob %d' % len(content) + bytes(1) + content).hexdigest()}"


CORE = swhid_of(SITE / "click" / "core.py")
VIEWS = ["/", "/check", "/search?q=make_response", f"/search?like={CORE}", f"/documents/{CORE}#L10-L20", "/about"]


@pytest.mark.parametrize("place", VIEWS, ids=lambda place: place.partition("swh:")[0])
@pytest.mark.parametrize("look", ["light", "dark", "phone", "phone-dark"])
def test_pages_are_accessible(
    require: Callable[..., None],
    browser: Any,
    address: str,
    place: str,
    look: str,
    whole_texts: None,
    tmp_path: Path,
) -> None:
    """axe-core finds nothing, in either scheme and on a phone, where nothing is wider than the screen."""
    require("axe_playwright_python")
    from axe_playwright_python.sync_playwright import Axe

    size = {"width": 390, "height": 700} if "phone" in look else {"width": 1200, "height": 900}
    context = browser.new_context(viewport=size, color_scheme="dark" if "dark" in look else "light", bypass_csp=True)
    page = context.new_page()
    page.goto(f"{address}{place}")
    page.wait_for_load_state("networkidle")
    if place == "/check":
        (tmp_path / "copied.py").write_text(hostile_code())
        (tmp_path / "empty.py").write_text("")
        page.set_input_files("#files", [tmp_path / "copied.py", tmp_path / "empty.py"])
        page.locator("#status", has_text="1 not checked").wait_for()
        page.locator("#skipped summary").click()
        page.get_by_role("button", name="copied.py").click()
        page.get_by_role("button", name="Both sides").first.click()
        page.locator(".sides tr").nth(1).wait_for()
    elif place == "/about":
        page.select_option("#optout-kind", "path")
        page.fill("#optout-value", "*.py")
        page.click("#optout-preview")
        page.locator("#optout-files li").first.wait_for()
    elif place.startswith("/documents/"):
        page.locator(".line.chosen").first.wait_for()
    found = Axe().run(page)
    assert found.violations_count == 0, found.generate_report()
    assert page.evaluate("() => document.documentElement.scrollWidth <= window.innerWidth")
    context.close()


def test_the_first_load_is_small(browser: Any, address: str) -> None:
    """At most 200 KB, of this server alone."""
    context = browser.new_context()
    page = context.new_page()
    sizes: list[int] = []
    page.on("response", lambda answer: sizes.append(len(answer.body())))
    page.goto(address)
    page.wait_for_load_state("networkidle")
    assert len(sizes) >= 4
    assert sum(sizes) <= 200_000
    context.close()
