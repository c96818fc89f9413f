"""Any bytes are indexed and checked: characters that a span cuts, bytes that are not UTF-8, NULs, nothing at all."""

from __future__ import annotations

import random
import string
from pathlib import Path

import pytest
from oracle.library import Library, build
from oracle.reading import Place

from codecite.indexer.errors import TextError

MIT, GPL = Place("MIT", path="m.py"), Place("GPL-3.0-only", path="g.py")


def noise(seed: int, length: int) -> str:
    """Letters without white space that repeat nothing."""
    return "".join(random.Random(seed).choices(string.ascii_letters, k=length))


def pair(directory: Path, first: bytes, second: bytes = b"") -> Library:
    """A library of two documents under two licenses."""
    return build(directory / "index", [(first, [MIT]), (second, [GPL])])


@pytest.mark.parametrize("length", [44, 47, 48, 49, 50, 51, 80])
@pytest.mark.parametrize(("mine", "yours"), [("é", "è"), ("é", "©"), ("€", "₭"), ("😀", "😁"), ("😀", "🤀"), ("á", "€")])
def test_a_cut_character_is_left_out(tmp_path: Path, length: int, mine: str, yours: str) -> None:
    """Bytes that two characters share count towards the guarantee and are trimmed from the span."""
    text = noise(1, length)
    library = pair(tmp_path, f"{mine}{text}{mine} {noise(2, 60)}".encode())
    for left in (mine, yours, "x"):
        for right in (mine, yours, "x"):
            library.check(f"é {left}{text}{right} {noise(2, 30)}")


def test_spans_that_trimming_makes_equal_are_one(tmp_path: Path) -> None:
    """Two licenses whose passages differ by a part of a character share one Match."""
    text = noise(1, 60)
    library = pair(tmp_path, f"{text}é".encode(), f"{text}!".encode())
    (match,) = library.check(f"{text}è").matches
    assert (match.bytes, match.licenses) == (60, {"MIT": 1, "GPL-3.0-only": 1})


def test_spans_that_trimming_puts_inside_another_go(tmp_path: Path) -> None:
    """A passage that was maximal by a part of a character only is not reported inside a longer one."""
    text = noise(1, 60)
    library = build(tmp_path / "index", [(f"{text}é".encode(), [MIT]), (f"x{text}!".encode(), [MIT])])
    assert [(match.start, match.end) for match in library.check(f"x{text}è").matches] == [(0, 61)]


def test_a_span_trimmed_below_the_guarantee_counts_passages_that_reach_it(tmp_path: Path) -> None:
    """Of a span that trimming left shorter than T, the sources are places where a passage of T stands around it."""
    text = noise(1, 48)
    library = pair(tmp_path, f"{text}\né{text}é\n".encode(), f"{text}{noise(2, 30)}".encode())
    (match,) = library.check(f"©{text}è").matches
    assert (match.bytes, match.licenses, match.sources[0].start_line) == (48, {"MIT": 1}, 2)


@pytest.mark.parametrize("seed", range(4))
def test_text_of_many_scripts(tmp_path: Path, seed: int) -> None:
    """Offsets are code points and bytes, in text whose characters have one to four bytes."""
    chance = random.Random(seed)
    letters = "aé€😀ß中文🤀è \n"
    contents = ["".join(chance.choices(letters, k=400)) for _ in range(4)]
    library = build(tmp_path / "index", [(text.encode(), [chance.choice([MIT, GPL])]) for text in contents])
    for _ in range(4):
        pieces = []
        for text in chance.choices(contents, k=5):
            start = chance.randrange(350)
            pieces.append(text[start : start + chance.randint(10, 60)])
        library.check("".join(pieces), pieces[0], pieces[1])


@pytest.mark.parametrize("seed", range(4))
def test_bytes_that_are_not_utf8(tmp_path: Path, seed: int) -> None:
    """Each byte that is not UTF-8 is one code point, in documents and queries alike, given as bytes or escaped."""
    chance = random.Random(seed)
    letters = [b"a", b"b", b"\xff", b"\xc3", b"\xa9", b"\xe2\x82", b"\xe2\x82\xac", b"\xf0\x9f", b"\xed\xa0\x80", b" "]
    contents = [b"".join(chance.choices(letters, k=200)) for _ in range(3)]
    library = build(tmp_path / "index", [(content, [chance.choice([MIT, GPL])]) for content in contents])
    for _ in range(4):
        query = b"".join(content[(at := chance.randrange(150)) : at + 70] for content in contents)
        assert library.check(query) == library.check(query.decode("utf-8", "surrogateescape"))


def test_white_space_between_the_bytes_of_a_character(tmp_path: Path) -> None:
    """Canonical text may join bytes to a character that the text does not have; offsets follow the text."""
    text = noise(1, 60).encode()
    library = pair(tmp_path, b"\xc3\xa9" + text + b"\xe2\x82\xac")
    library.check(b"\xc3 \xa9" + text + b"\xe2\n\x82 \xac")
    library.check(b"\xc3\xa9" + text + b"\xe2\x82 \xac")


@pytest.mark.parametrize("offset", [0, 7, 70])
@pytest.mark.parametrize("surrogate", ["\ud800", "\udc7f", "\udd00", "\udfff"])
def test_other_lone_surrogates_are_an_error_with_their_offset(tmp_path: Path, offset: int, surrogate: str) -> None:
    """A surrogate that escapes no byte cannot be checked, and the message names where it stands."""
    library = pair(tmp_path, noise(1, 80).encode())
    with pytest.raises(TextError, match=rf"\b{offset}\b"):
        library.index.check(noise(1, 80)[:offset] + surrogate + "tail")


@pytest.mark.parametrize("query", ["", b"", " \n\t\r\v\f", "\n" * 1000, "x", b"\x00", "\u2003" * 10])
def test_hardly_any_text_matches_nothing(tmp_path: Path, query: str | bytes) -> None:
    """Empty text, white space alone and a single character give an empty Report."""
    library = pair(tmp_path, noise(1, 80).encode())
    assert not library.check(query).matches


def test_an_index_of_documents_too_short_answers(tmp_path: Path) -> None:
    """An index without a fingerprint gives an empty Report."""
    assert not pair(tmp_path, b"x").check(noise(1, 80)).matches


def test_nul_bytes_in_a_query(tmp_path: Path) -> None:
    """A NUL in the query is a byte like any other and ends nothing."""
    text = noise(1, 80)
    library = pair(tmp_path, text.encode(), b"\n" * 9000 + b"\0" * 60 + text[::-1].encode())
    assert len(library.check(f"{text}\0{text}").matches) == 2
    assert library.check("\0" * 55 + text[::-1]).matches
    library.check("\0" * 1000)


def test_pieces_may_be_str_or_bytes(tmp_path: Path) -> None:
    """Context and text may be given in either form."""
    text = noise(1, 40) + "é" + noise(2, 40)
    library = pair(tmp_path, text.encode())
    report = library.check(text[40:], text[:40].encode(), b"\xff")
    assert report == library.check(text[40:].encode(), text[:40], "\udcff")
    assert report.matches[0].bytes == 82


def test_one_line_of_a_megabyte(tmp_path: Path) -> None:
    """A huge line is indexed, and its end is found in a query that is a huge line too."""
    line = noise(1, 1_000_000)
    library = pair(tmp_path, line.encode())
    answer = library.index.check(noise(2, 1_000_000) + line[-60:]).to_dict()["matches"]
    assert [(match["start"], match["end"]) for match in answer] == [(1_000_000, 1_000_060)]
