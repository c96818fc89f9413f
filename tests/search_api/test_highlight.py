"""The lines of a source in coloured pieces."""

from __future__ import annotations

import pytest

pytest.importorskip("pygments")

from codecite.search_api import highlight
from codecite.search_api.highlight import Colours, highlighted

CODE = '#!/bin/env python\n"""A\ntext."""\n\ndef f(x):\r\n\treturn "<b>" + x  # why\n'


def test_the_pieces_of_each_line_are_the_line() -> None:
    """Nothing is added, lost or escaped, white space included."""
    lines = highlighted(CODE, "src/a.py")
    assert lines is not None
    assert ["".join(text for _, text in line) for line in lines] == CODE.split("\n")


def test_a_line_knows_what_it_lies_in() -> None:
    """The second line of a string is one, and what looks like markup is text."""
    lines = highlighted(CODE, "a.py")
    assert lines is not None
    assert lines[2] == [("string", 'text."""')]
    assert ("keyword", "def") in lines[4]
    assert ("string", '"<b>"') in lines[5]
    assert ("comment", "# why") in lines[5]


@pytest.mark.parametrize(("text", "path"), [("x = 1\n", "no.such-language"), ("x = 1\n" * 60_000, "a.py")])
def test_what_cannot_be_coloured_is_left_plain(text: str, path: str) -> None:
    """A language that is not known, and a file that is too long."""
    assert highlighted(text, path) is None


def test_lines_are_those_of_the_whole_file() -> None:
    """Whichever are asked for first, from the lexer or from what was kept."""
    text = "\n".join(f'"""{number}\n' if number % 7 == 0 else f"x_{number} = {number}  # n" for number in range(300))
    whole = highlighted(text, "a.py")
    assert whole is not None
    kept = Colours()
    for first, last in ((5, 9), (1, 3), (40, 200), (199, 201), (1, len(whole)), (8, 8)):
        found = kept.lines("swh:1", text, "src/a.py", first, last)
        assert found is not None
        assert [[tuple(piece) for piece in line] for line in found] == whole[first - 1 : last]
    assert kept.lines("swh:1", text, "a.unknown", 1, 3) is None


def test_no_more_is_kept_than_may_be() -> None:
    """What was asked for last stays; what does not fit is made again each time."""
    text = "x = 1\n" * 1000
    kept = Colours(400_000)
    for number in range(20):
        assert kept.lines(f"swh:{number}", text, "a.py", 1, 2000) is not None
        assert sum(len(line) for lines in kept._held.values() for line in lines or ()) <= 400_000
    assert 1 <= len(kept._held) < 20
    assert ("swh:19", "a.py") in kept._held
    small = Colours(10)
    assert small.lines("swh:1", text, "a.py", 1, 1) == small.lines("swh:1", text, "a.py", 1, 1)
    assert not small._held


def test_the_end_of_a_file_does_not_cost_its_head_twice(monkeypatch: pytest.MonkeyPatch) -> None:
    """A file is read by its lexer once, as far as it is asked for."""
    seen: list[int | None] = []
    real = highlight.highlighted

    def counted(text: str, path: str, last: int | None = None) -> object:
        seen.append(last)
        return real(text, path, last)

    monkeypatch.setattr(highlight, "highlighted", counted)
    kept = Colours()
    for last in (10, 10, 5, 50, 40, 50):
        kept.lines("swh:1", "x = 1\n" * 100, "a.py", 1, last)
    assert seen == [10, 50]
