"""Marks are right on labelled passages, and hold under what must not matter.

`labelled.tsv` names passages of installed packages (marks, path, start, end, digest) that were drawn at random, near
imports, notices, numbers and rulers as well as anywhere, and labelled by eye; they are read where they are installed.
`excerpts.txt` holds short passages in other languages, and hard ones. `-` says that a passage has no mark.
"""

from __future__ import annotations

import hashlib
import json
import sysconfig
import time
from functools import cache
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from codecite.indexer.attribution.imports import FIRST_WORDS
from codecite.indexer.attribution.marks import marks_of, marks_within
from codecite.indexer.attribution.notice_words import LEGAL, PLAIN
from codecite.indexer.records import Mark

HERE = Path(__file__).resolve().parent
SCHEMA = HERE.parents[2] / "docs" / "codecite-report-1.schema.json"
FLOOR = {Mark.IMPORTS: (0.95, 0.92), Mark.LICENSE_NOTICE: (0.97, 0.88), Mark.LOW_INFORMATION: (0.94, 0.95)}
"""Precision and recall that the rules keep; what was measured stands in docs/marks.md."""
LONG = 100_000

Labelled = tuple[frozenset[str], bytes, int, int, str]


@cache
def excerpts() -> list[Labelled]:
    """The passages of `excerpts.txt`."""
    made = []
    for part in (HERE / "excerpts.txt").read_text(encoding="utf-8").split("\n== ")[1:]:
        head, _, text = part.partition("\n")
        marks = head.split(" | ")[0]
        raw = text.encode()
        made.append((frozenset(marks.split(",")) - {"-"}, raw, 0, len(raw), head))
    return made


@cache
def installed() -> list[Labelled]:
    """The passages of `labelled.tsv` that still stand where they were labelled."""
    made = []
    for line in (HERE / "labelled.tsv").read_text(encoding="utf-8").splitlines():
        marks, path, start, end, digest = line.split("\t")
        file = Path(sysconfig.get_paths()["purelib"]) / path
        raw = file.read_bytes() if file.exists() else b""
        if hashlib.sha256(raw[int(start) : int(end)]).hexdigest()[:8] == digest:
            made.append((frozenset(marks.split(",")) - {"-"}, raw, int(start), int(end), f"{path}:{start}"))
    return made


def test_the_labelled_set_is_large_and_has_every_kind() -> None:
    """At least 150 of the labelled passages are there, and each mark, and none, has enough of them."""
    passages = [*excerpts(), *installed()]
    assert len(passages) >= 150, "too many packages have changed: draw and label passages anew"
    for mark in Mark:
        assert sum(mark in marks for marks, *_ in passages) >= 15
    assert sum(not marks for marks, *_ in passages) >= 60


@pytest.mark.parametrize("mark", list(Mark))
def test_marks_agree_with_what_a_reader_says(mark: Mark) -> None:
    """Precision and recall over the labelled passages stay above the floor."""
    right, wrong, missed = 0, [], []
    for marks, raw, start, end, name in [*excerpts(), *installed()]:
        got = mark in marks_within(raw, start, end)
        right += got and mark in marks
        if got and mark not in marks:
            wrong.append(name)
        if mark in marks and not got:
            missed.append(name)
    precision, recall = right / (right + len(wrong)), right / (right + len(missed))
    print(f"{mark}: precision {precision:.3f}, recall {recall:.3f} ({right} right)")  # noqa: T201
    assert precision >= FLOOR[mark][0] and recall >= FLOOR[mark][1], (wrong, missed)


def test_the_schema_names_every_mark() -> None:
    """The published schema enumerates the marks, sorted as a Report has them."""
    schema = json.loads(SCHEMA.read_text(encoding="utf-8"))
    assert schema["$defs"]["match"]["properties"]["marks"]["items"]["enum"] == sorted(Mark)


def test_words_are_as_they_are_compared() -> None:
    """The lists hold runs of small letters, and no word is on both."""
    assert not LEGAL & PLAIN
    for word in LEGAL | PLAIN | FIRST_WORDS:
        assert word.isalpha() and word == word.lower()


@pytest.mark.parametrize("comment", ["# ", "// ", " * ", "-- ", ";; ", "% ", "dnl ", "REM ", "<!-- ", "! ", ""])
def test_a_notice_is_one_behind_any_comment_sign(comment: str) -> None:
    """What begins the lines of a notice does not matter."""
    notice = (
        "This program is free software; you can redistribute it and/or modify\n"
        "it under the terms of the GNU General Public License as published by\n"
        "the Free Software Foundation; either version 2 of the License, or\n"
    )
    assert marks_of("".join(f"{comment}{line}\n" for line in notice.splitlines())) == (Mark.LICENSE_NOTICE,)


@pytest.mark.parametrize("labelled", excerpts(), ids=lambda item: str(item[4]))
def test_line_ends_do_not_matter(labelled: Labelled) -> None:
    """CR LF and CR give what LF gives, as str and as bytes."""
    raw = labelled[1]
    expected = marks_of(raw)
    for changed in (raw.replace(b"\n", b"\r\n"), raw.replace(b"\n", b"\r")):
        assert marks_of(changed) == marks_of(changed.decode()) == expected


def test_a_list_that_was_opened_before_the_passage_is_an_import() -> None:
    """The context says what the names of a passage are."""
    names = "    alpha_of_the_first,\n    beta_of_the_second,\n    gamma_of_the_third,\n"
    assert marks_of(names, before="from package.module import (\n") == (Mark.IMPORTS,)
    assert marks_of(names, before="values = frozenset((\n") == ()
    assert marks_of("AlphaOfTheFirst, BetaOfTheSecond", before="from package import ") == (Mark.IMPORTS,)


@given(st.text(st.characters(), max_size=60))
def test_any_text_has_marks(text: str) -> None:
    """Any str is judged, lone surrogates included."""
    assert set(marks_of(text, text, text)) <= set(Mark)


PIECES = [
    b"import ",
    b"from x import (",
    b"#include <a.h>\n",
    b"use a::{",
    b"/*",
    b"*/",
    b"copyright (c) 2020 ",
    b"= {",
]


@given(st.lists(st.sampled_from(PIECES) | st.binary(max_size=12), max_size=40), st.binary(max_size=40))
def test_any_bytes_have_marks(parts: list[bytes], around: bytes) -> None:
    """Any bytes and their surrogateescape text get the same marks, sorted, each once."""
    raw = b"".join(parts)
    marks = marks_of(raw, around, around)
    assert list(marks) == sorted(set(marks))
    assert marks_of(raw) == marks_of(raw.decode("utf-8", "surrogateescape"))


@pytest.mark.parametrize(
    "unit",
    [
        *(
            b"x",
            b" ",
            b"\xff",
            b"import ",
            b"import a,",
            b"import x,\\\n",
            b"use a::{",
            b"from a import b, ",
            b"use x qw(",
        ),
        *(b"(c) ", b"copyright\n", b"// license\n", b"a@", b"#if (", b"= require(", b"*/ /* ", b"0x1f, "),
    ],
)
def test_long_passages_take_linear_time(unit: bytes) -> None:
    """A passage of 100 kB, in one line or in many, is judged in well under two seconds."""
    passage = unit * (LONG // len(unit))
    begun = time.thread_time()
    marks_of(passage)
    assert time.thread_time() - begun < 2
