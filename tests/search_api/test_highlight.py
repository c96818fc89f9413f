"""The lines of a source in coloured pieces."""

from __future__ import annotations

import pytest

pytest.importorskip("pygments")

from codecite.search_api.highlight import highlighted

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
