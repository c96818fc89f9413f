"""Searching: facets over all hits, near-duplicates, permanent links to lines."""

from __future__ import annotations

import hashlib
import importlib.util
import re
from pathlib import Path
from typing import Any

from codecite.indexer import open_index

CLICK = Path(str(importlib.util.find_spec("click").origin)).parent  # type: ignore[union-attr]


def counts_in(page: Any, name: str) -> dict[str, int]:
    """The facets shown."""
    texts = page.locator(f"#{name} button").all_inner_texts()
    return {name: int(count) for name, count in (re.fullmatch(r"(.*) \((\d+)\)", text).groups() for text in texts)}  # type: ignore[union-attr]


def test_facets_count_all_hits(page: Any, address: str, index: Path) -> None:
    """More than the page shows; narrowing by one leaves as many as it says."""
    page.goto(f"{address}/search?q=import")
    page.locator("#hits li").first.wait_for()
    total = open_index(index).search("import").total
    assert page.locator("#hits > li").count() == 20 < total
    shown = counts_in(page, "languages")
    assert shown["Python"] > 20
    licenses = counts_in(page, "licenses")
    assert licenses["NOASSERTION"] > 20
    page.get_by_role("button", name="NOASSERTION").click()
    page.locator("#licenses li", has_text="chosen").wait_for()
    assert page.locator("#status").inner_text() == f"{licenses['NOASSERTION']:,} files."
    assert page.input_value("#query") == 'import license:"NOASSERTION"'
    page.go_back()
    page.locator("#status", has_text=f"{total} files.").wait_for()
    assert counts_in(page, "languages") == shown


def test_near_duplicates_of_a_hit_are_a_link_away(page: Any, address: str) -> None:
    """By the keyboard; they are files of the index, their similarity is told, the file itself is not among them."""
    page.goto(f"{address}/search?q=needle_of_twins")
    link = page.get_by_role("link", name="Near-duplicates of").first
    link.wait_for()
    own = page.locator("#hits a").first.inner_text()
    link.focus()
    page.keyboard.press("Enter")
    page.locator("#status", has_text="nearly").wait_for()
    assert own in page.locator("#status").inner_text()
    others = page.locator("#hits > li").all_inner_texts()
    assert len(others) == 1
    assert own not in others[0]
    assert re.search(r"[5-9]\d % of its words in a row are the same, in 1 place near-duplicates", others[0])
    page.go_back()
    page.locator("#hits pre").first.wait_for()


def swhid_of(path: Path) -> str:
    """The name of a content."""
    content = path.read_bytes()
    return f"swh:1:cnt:{hashlib.sha1(b'blob %d' % len(content) + bytes(1) + content).hexdigest()}"


def chosen(page: Any) -> list[int]:
    """The lines that are marked."""
    return [
        int(name.removeprefix("L")) for name in page.eval_on_selector_all(".line.chosen", "all => all.map(e => e.id)")
    ]


def test_a_permanent_link_leads_to_its_lines(page: Any, address: str, whole_texts: None) -> None:
    """They are marked and in view, also far down, and when the address changes; a line number is a link."""
    swhid = swhid_of(CLICK / "core.py")
    text = (CLICK / "core.py").read_text().split("\n")
    page.goto(f"{address}/documents/{swhid}#L2810-L2820")
    page.locator(".line.chosen").first.wait_for()
    assert chosen(page) == list(range(2810, 2821))
    inside = page.locator("#L2815").evaluate(
        "e => { const a = e.getBoundingClientRect(), b = document.getElementById('shown').getBoundingClientRect();"
        " return a.top >= b.top && a.bottom <= b.bottom && a.top >= 0 && a.bottom <= innerHeight; }"
    )
    assert inside
    assert page.locator("#L2815").inner_text().rstrip("\n") == f"{2815:5}  {text[2814]}".rstrip("\n")
    page.fill("#lines", "10-12")
    page.press("#lines", "Enter")
    page.locator("#L10.chosen").wait_for()
    assert page.url.endswith("#L10-L12")
    assert chosen(page) == [10, 11, 12]
    page.locator("#L14 .no").click(modifiers=["Shift"])
    page.locator("#L14.chosen").wait_for()
    assert page.url.endswith("#L10-L14")
    page.go_back()
    page.locator("#L14:not(.chosen)").wait_for()
    assert chosen(page) == [10, 11, 12]
    page.reload()
    page.locator("#L12.chosen").wait_for()
    page.click("#later")
    page.locator("#L2815").wait_for()
    shown = page.eval_on_selector_all(".line", "all => all.map((e) => e.textContent.slice(7))")
    assert "".join(shown) == "\n".join(text)[: len("".join(shown))] and len(shown) == len(text) - 1


def test_where_no_text_is_served_the_lines_are_named(page: Any, address: str) -> None:
    """The policy shows none of it: the page says so, and which lines the link means."""
    swhid = swhid_of(CLICK / "core.py")
    page.goto(f"{address}/documents/{swhid}#L10-L20")
    page.locator("#shown", has_text="does not show whole files").wait_for()
    assert "lines 10 to 20" in page.locator("#shown").inner_text()
