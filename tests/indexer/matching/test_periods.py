"""Rulers, tables of zeros and other repetition: the answers stay few, and each is exactly the contract's."""

from __future__ import annotations

import random
import string
import time
from pathlib import Path

import pytest
from oracle.library import build
from oracle.reading import Place

MIT, GPL = Place("MIT", path="m.py"), Place("GPL-3.0-only", path="g.py")


def noise(seed: int, length: int) -> str:
    """Letters without white space that repeat nothing."""
    return "".join(random.Random(seed).choices(string.ascii_letters, k=length))


@pytest.mark.parametrize("unit", ["-", "=-", "0,", "0x00,", "abcdefg", "0.0, 0.0, 1.0, ", string.ascii_letters[:25]])
@pytest.mark.parametrize("held", [50, 51, 60, 99, 160])
def test_rulers_of_differing_lengths(tmp_path: Path, unit: str, held: int) -> None:
    """A ruler of the query, longer, as long or shorter than the document's, is covered by few overlapping spans."""
    ruler = unit * 200
    library = build(tmp_path / "index", [(f"{noise(1, 30)}{ruler[:held]}!".encode(), [MIT])])
    for asked in (49, 50, 75, 100, 160, 400):
        library.check(ruler[:asked])
        library.check(noise(2, 20) + ruler[1 : asked + 1] + noise(3, 20))


@pytest.mark.parametrize("unit", ["*", "ab", "abc", "0, ", "one, two, three, "])
def test_rulers_of_differing_phases_and_licenses(tmp_path: Path, unit: str) -> None:
    """Documents whose rulers begin in other phases, at their edges or inside, under two licenses."""
    ruler = unit * 100
    contents = [
        (ruler[:90], [MIT]),
        (ruler[1:71] + noise(1, 30), [GPL]),
        (noise(2, 30) + ruler[2:62], [GPL]),
        (noise(3, 10) + ruler[:55] + noise(4, 10) + ruler[3:80], [MIT]),
    ]
    library = build(tmp_path / "index", [(text.encode(), places) for text, places in contents])
    for asked in (50, 89, 90, 91, 180, 270):
        for lead in ("", "x", noise(5, 60)):
            library.check(lead + ruler[:asked])
            library.check(lead + ruler[2 : asked + 2] + lead)


def test_spans_that_stick_out_of_a_run_are_ordinary(tmp_path: Path) -> None:
    """A comment's ruler with its slash, and text that runs into a ruler, are maximal spans like any other."""
    contents = [
        ("/" + "*" * 60 + "/", [MIT]),
        ("/" + "*" * 75 + "\n * Copyright", [GPL]),
        (noise(1, 40) + "*" * 70 + noise(2, 40), [MIT]),
    ]
    library = build(tmp_path / "index", [(text.encode(), places) for text, places in contents])
    for stars in (49, 58, 59, 60, 61, 75, 76, 140, 300):
        library.check("/" + "*" * stars + "/")
        library.check("/" + "*" * stars + "\n * Copyright")
        library.check(noise(1, 40) + "*" * stars + noise(2, 40))


def test_runs_next_to_runs(tmp_path: Path) -> None:
    """Where one run ends and another begins, the spans across the border are reported beside the runs' own."""
    contents = [("-" * 60 + "=" * 60, [MIT]), ("=" * 55 + "-" * 100, [GPL]), ("-=" * 40 + "-" * 70, [MIT, GPL])]
    library = build(tmp_path / "index", [(text.encode(), places) for text, places in contents])
    for query in ("-" * 80 + "=" * 80 + "-" * 80, "=-" * 60 + "-" * 120, "-" * 51 + "=" * 51, "-" * 30 + "=" * 30):
        library.check(query)
        library.check(query + query)


@pytest.mark.parametrize("unit", ["a-", "abc", "0x0,", "abcdefghijkl"])
@pytest.mark.parametrize("length", range(50, 56))
def test_the_same_ruler_again(tmp_path: Path, unit: str, length: int) -> None:
    """Two rulers in a row, out of step where they meet, are two passages with the same document."""
    ruler = (unit * 60)[:length]
    library = build(tmp_path / "index", [(ruler.encode(), [MIT])])
    assert {match.documents for match in library.check(ruler + ruler).matches} == {1}
    library.check(ruler + ruler[1:] + ruler)


def test_tables_of_zeros(tmp_path: Path) -> None:
    """Tables with an odd entry here and there, in rows of differing length."""
    chance = random.Random(3)

    def table(rows: int) -> str:
        return "\n".join("0x00, " * chance.randint(4, 20) + chance.choice(["", "0x01, "]) for _ in range(rows))

    contents = [(table(12).encode(), [chance.choice([MIT, GPL])]) for _ in range(6)]
    library = build(tmp_path / "index", contents)
    for _ in range(4):
        library.check("static const u8 t[] = {" + table(15) + "};")


def test_periods_longer_than_a_k_gram_are_no_runs(tmp_path: Path) -> None:
    """With a period of 26 bytes every maximal span is reported."""
    unit = noise(1, 26)
    library = build(tmp_path / "index", [((unit * 3).encode(), [MIT]), (b"!" + unit[5:].encode() * 4, [GPL])])
    assert len(library.check(unit * 6).matches) == 4
    library.check(unit[3:] * 5 + unit[5:] * 5)


def test_runs_across_the_context(tmp_path: Path) -> None:
    """A run that begins in the prompt is thinned as a whole; only spans with a byte of the text are shown."""
    library = build(tmp_path / "index", [(b"-" * 60, [MIT]), (b"-=" * 40, [GPL])])
    for before, text, after in [(100, 100, 100), (59, 1, 59), (60, 1, 0), (10, 40, 300), (300, 0, 300)]:
        library.check("-" * text, "-" * before, "-" * after)
        library.check("-=" * text, "-=" * before, "=-" * after)


def test_a_million_of_one_character(tmp_path: Path) -> None:
    """A query of one character a million times is answered in time, by spans that overlap no more than they must."""
    library = build(tmp_path / "index", [(b"-" * 1000, [MIT]), (b"=" * 70, [GPL])])
    began = time.monotonic()
    matches = library.index.check("-" * 1_000_000).to_dict()["matches"]
    assert time.monotonic() - began < 60
    assert [(match["start"], match["end"]) for match in matches] == [
        (start, start + 1000) for start in range(0, 1_000_000, 1000)
    ]
    assert {match["documents"] for match in matches} == {1}


def test_a_document_of_one_character_a_million_times(tmp_path: Path) -> None:
    """Where the document is the ruler, the query is one passage; a shorter ruler covers it by two."""
    library = build(tmp_path / "index", [(b"x" * 1_000_000, [MIT]), (b"-" + b"x" * 100, [GPL])])
    matches = library.index.check("x" * 150).to_dict()["matches"]
    assert [(match["start"], match["end"], match["licenses"]) for match in matches] == [
        (0, 150, {"MIT": 1}),
        (0, 100, {"MIT": 1, "GPL-3.0-only": 1}),
        (50, 150, {"MIT": 1, "GPL-3.0-only": 1}),
    ]
