"""What a person sees: marked text, passages and sources, numbers, and the bar that no pipe gets."""

from __future__ import annotations

import io
import re
import sys
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from codecite.indexer.records import (
    Attribution,
    Counts,
    Coverage,
    EvidenceKind,
    Kind,
    LicenseEvidence,
    Match,
    Origin,
    Report,
    Source,
    Verdict,
)
from codecite.search_api.cli import progress
from codecite.search_api.cli.marked_text import Span, marked_text
from codecite.search_api.cli.printable import count, printable, size
from codecite.search_api.cli.render_text import render_coverage, render_report


def marked(text: str, *spans: tuple[int, int], colour: bool = False, own: tuple[int, int] | None = None) -> list[str]:
    """The lines of `text` with spans labelled 1, 2, ..."""
    labelled = [Span(start, end, str(number)) for number, (start, end) in enumerate(sorted(spans), start=1)]
    return list(marked_text(text, labelled, own=own or (0, len(text)), colour=colour))


def test_marks_stand_where_a_passage_begins_and_ends() -> None:
    """The margin names the passage on each of its lines, the marks its first and last character."""
    assert marked("ab\ncd\nef\n", (1, 4)) == ["1 1 | a«b", "2 1 | c»d", "3   | ef"]


def test_overlapping_passages_share_one_pair_of_marks() -> None:
    """The margin tells them apart."""
    assert marked("ab\ncd\nef", (0, 4), (3, 7)) == ["1   1 | «ab", "2 1,2 | cd", "3   2 | e»f"]


def test_lines_of_the_context_bear_a_colon() -> None:
    """A prompt can be told from its completion."""
    assert [line[4] for line in marked("ab\ncd\nef", (0, 8), own=(3, 5))] == [":", "|", ":"]


def test_far_lines_without_a_passage_are_left_out_and_counted() -> None:
    """Two lines stay on each side of a passage."""
    text = "".join(f"line {number}\n" for number in range(100))
    start = text.index("line 50")
    lines = marked(text, (start, start + 7))
    assert [line.split("|")[-1].strip() for line in lines] == [
        "… 48 lines",
        "line 48",
        "line 49",
        "«line 50»",
        "line 51",
        "line 52",
        "… 47 lines",
    ]


def test_a_text_that_is_wanted_whole_leaves_nothing_out() -> None:
    """A completion is shown to its last line, with a passage in it or without."""
    text = "".join(f"line {number}\n" for number in range(100))
    lines = list(marked_text(text, [], own=(0, len(text)), colour=False, whole=True))
    assert [line.split("| ")[1] for line in lines] == text.splitlines()


def test_a_line_of_a_million_characters_is_cut_and_says_so() -> None:
    """Nobody's terminal is flooded."""
    (line,) = marked("x" * 1_000_000, (10, 999_999))
    assert len(line) < 500
    assert "1,000,000 characters" in line


@given(
    st.text(alphabet="ab \t\r\n\x1b«é\ud800", max_size=200),
    st.lists(st.tuples(st.integers(0, 200), st.integers(1, 90))),
)
def test_every_line_that_holds_a_passage_names_it(text: str, drawn: list[tuple[int, int]]) -> None:
    """For any text and spans, no line of a span is without its margin, and no control character comes through."""
    spans = [(start, min(start + length, len(text))) for start, length in drawn if start < len(text)]
    # Like every passage, these begin and end with a canonical byte.
    spans = [(start, end) for start, end in spans if text[start:end] == text[start:end].strip(" \t\n\r")]
    lines = marked(text, *spans[:2])
    shown = {int(line.split()[0]): line for line in lines if not line.lstrip().startswith("…")}
    for start, end in spans[:2]:
        for number in range(text.count("\n", 0, start) + 1, text.count("\n", 0, end) + 1):
            if number in shown and text.split("\n")[number - 1]:
                assert re.match(r" *\d+ +[12]", shown[number])
    assert not any(unicodedata.category(character) in {"Cc", "Cs"} for line in lines for character in line)


@given(st.text())
def test_printable_text_holds_nothing_that_a_terminal_obeys(text: str) -> None:
    """No control character, no bidirectional mark and no lone surrogate is left; what is harmless stays."""
    safe = printable(text)
    assert not any(unicodedata.category(character) in {"Cc", "Cs", "Zl", "Zp"} for character in safe)
    assert not set(safe) & set("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\u200b\ufeff")
    if text.isascii() and text.isprintable():
        assert safe == text


def test_counts_and_sizes_read_as_people_write_them() -> None:
    """Singular, plural, thousands, caps and decimal units."""
    assert [count(1, "file"), count(2345, "file"), count(1000, "file", capped=True)] == [
        "1 file",
        "2,345 files",
        "1,000 or more files",
    ]
    assert [size(1), size(999), size(999_999), size(17_200_000)] == ["1 byte", "999 bytes", "1.0 MB", "17.2 MB"]


ORIGIN = Origin(
    purl="pkg:pypi/flask@3.1.3",
    repository=None,
    revision=None,
    path="flask/app.py",
    url=None,
    released="2025-02-01",
    license="BSD-3-Clause",
    evidence=(LicenseEvidence(EvidenceKind.PACKAGE_METADATA, "BSD-3-Clause", "License-Expression", "BSD-3-Clause"),),
    conflict=False,
    copyright=("Copyright 2010 Pallets",),
)


def attribution(identifier: str, start: int, end: int, within: str | None = None, documents: int = 1) -> Attribution:
    """A passage of Flask's at these places of a text without white space."""
    match = Match(
        identifier, within, "i", start, end, start, end, start, end, 1, 1, end - start, end - start, Kind.VERBATIM,
        Counts(documents, documents >= 1000, 1, False, {"BSD-3-Clause": documents}, documents >= 1000, documents > 20),
    )  # fmt: skip
    return Attribution(match, (Source("swh:1:cnt:0", Kind.VERBATIM, ORIGIN, 20, 24),))


def rendered(*attributions: Attribution, length: int = 300) -> str:
    """A Report of these passages as a person reads it."""
    coverage = Coverage("0123", 3, "2026-01-01T00:00:00Z", 12, 3400, ("installed",), None, 50)
    report = Report((coverage,), "00", 0, length, attributions, Verdict())
    lines = render_report(report, "x" * length, title="mine.py", colour=False)
    return "\n".join([*lines, *render_coverage(report.indexes)])


def test_a_passage_is_listed_with_all_that_is_known_of_its_source() -> None:
    """Lines, bytes, kind, counts, file, package, license with its reason, copyright."""
    shown = rendered(attribution("a", 0, 100))
    assert "mine.py: 1 shared passage" in shown
    assert "[1] line 1: 100 bytes, verbatim" in shown
    assert "in 1 document of 1 project: BSD-3-Clause (1)" in shown
    assert "flask/app.py:20-24" in shown
    assert "pkg:pypi/flask@3.1.3, released 2025-02-01, licence BSD-3-Clause (by its package metadata)" in shown
    assert "Copyright 2010 Pallets" in shown
    assert "Searched: 12 documents, 3.4 kB, from installed (index 0123, generation 3" in shown


def test_a_passage_inside_another_is_shown_under_it() -> None:
    """Its number says so, and it counts as no passage of its own; beyond three they are counted."""
    inner = [attribution(f"b{number}", 10 + number, 80 + number, within="a") for number in range(5)]
    shown = rendered(attribution("a", 0, 100), *inner)
    assert "mine.py: 1 shared passage" in shown
    assert "    [1.1] line 1: 70 bytes" in shown
    assert "[1.4]" not in shown
    assert "and 2 more passages inside it" in shown


def test_a_common_passage_is_marked_and_its_capped_counts_say_so() -> None:
    """A cap is never shown as an exact count."""
    shown = rendered(attribution("a", 0, 100, documents=1000))
    assert "verbatim, common" in shown
    assert "in 1,000 or more documents" in shown
    assert "BSD-3-Clause (1,000) or more each" in shown


class Terminal(io.StringIO):
    """A stream that is a terminal."""

    def isatty(self) -> bool:
        """It is."""
        return True


@pytest.mark.parametrize(
    ("stream", "patience", "drawn"), [(Terminal, 0.0, True), (Terminal, 60.0, False), (io.StringIO, 0.0, False)]
)
def test_a_bar_is_drawn_on_a_terminal_for_what_takes_long(
    monkeypatch: pytest.MonkeyPatch, stream: type[io.StringIO], patience: float, drawn: bool
) -> None:
    """Neither a pipe nor a short job gets one; what was drawn is wiped at the end."""
    written = stream()
    monkeypatch.setattr(sys, "stderr", written)
    monkeypatch.setattr(progress, "_PATIENCE", patience)
    with progress.ProgressBar() as bar:
        assert bar.due is drawn
        if bar.due:
            bar.draw("torch", 500, 0.5)
            bar.draw("flask", 600, None)
    halfway, _, unknown = written.getvalue().partition("flask")
    assert ("50%" in halfway) is drawn
    assert "%" not in unknown
    assert written.getvalue().endswith("\r\x1b[2K") is drawn
