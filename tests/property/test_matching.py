"""Whole Reports equal the oracle's, on documents and queries that hypothesis draws to repeat, overlap and be cut.

A case is a pool of blocks, documents and queries that are slices of them one after the other: so passages recur at
all lengths around the guarantee, in all phases of a period, and under any set of licenses.
"""

from __future__ import annotations

import itertools
import random
import tempfile
from dataclasses import dataclass, replace
from pathlib import Path
from unittest.mock import patch

from hypothesis import given, settings
from hypothesis import strategies as st
from oracle.library import build
from oracle.reading import Place
from oracle.repeats import diverging, seeds

from codecite.indexer.store import frequent

LICENSES = ["MIT", "GPL-3.0-only", "Apache-2.0", "NOASSERTION"]
WORDS = ["return", "self", "value", "for_each", "0x00,", "(", ")", "=", "----------", "index", "é", "if_not_None"]


def examples(share: int) -> settings:
    """The given part, in percent, of the examples that the chosen profile allows."""
    return settings(max_examples=settings().max_examples * share // 100)


@dataclass(frozen=True)
class Case:
    """Documents with their places, how they are added, the caps, and queries: before, text, after.

    `least` is the number of postings from which on a list is frequent; indexes as small as these have none of 128.
    `diverging` is a seed for which chains are cut, or None.
    """

    documents: list[tuple[bytes, list[Place]]]
    adds: int
    cap: int
    common: int
    queries: list[tuple[bytes, bytes, bytes]]
    least: int = 2
    diverging: int | None = None


@st.composite
def cases(draw: st.DrawFn, pools: st.SearchStrategy[list[bytes]]) -> Case:
    """A Case whose texts are joined from the blocks of one pool, each whole or without some bytes at its ends."""
    pool = draw(pools)
    cut = st.just(0) | st.integers(0, 40)
    place = st.builds(
        Place,
        license=st.sampled_from(LICENSES),
        purl=st.sampled_from([None, "pkg:pypi/a@1", "pkg:pypi/a@2", "pkg:pypi/b@1"]),
        repository=st.sampled_from([None, "https://example.org/r"]),
        source=st.sampled_from(["tree", "wheel"]),
        path=st.sampled_from(["a", "b", "B/a"]),
        released=st.sampled_from([None, "2020-01-01", "2021-01-01"]),
    )
    glue = st.sampled_from([b"", b"", b"\n", b" ", b"!", b"\t ", b"ours"])

    @st.composite
    def text(draw: st.DrawFn, pieces: int) -> bytes:
        joined = b""
        for _ in range(draw(st.integers(0, pieces))):
            block = draw(st.sampled_from(pool))
            start, end = draw(cut), len(block) - draw(cut)
            joined += block[start:end] + draw(glue)
        return joined

    nothing = st.just(b"")
    documents = draw(st.lists(st.tuples(text(4), st.lists(place, min_size=1, max_size=3)), max_size=6))
    number = itertools.count()  # of two sources that agree in all else, the contract does not say which is first
    return Case(
        documents=[
            (content, [replace(place, path=f"{place.path}{next(number)}.py") for place in places])
            for content, places in documents
        ],
        adds=draw(st.integers(1, 3)),
        cap=draw(st.sampled_from([1000, 1000, 1, 2])),
        common=draw(st.integers(0, 3)),
        queries=draw(
            st.lists(st.tuples(text(3) | nothing, text(6), text(3) | nothing), min_size=1, max_size=4),
        ),
        least=draw(st.sampled_from([1, 2, 2, 3, 5, 128])),
        diverging=draw(seeds),
    )


def periodic(unit: bytes, length: int, phase: int) -> bytes:
    """`length` bytes of the repeated unit, from `phase` on."""
    return (unit * (length + phase))[phase : phase + length]


def pool(blocks: st.SearchStrategy[bytes]) -> st.SearchStrategy[list[bytes]]:
    """Up to five blocks."""
    return st.lists(blocks, min_size=1, max_size=5)


few_letters = st.text("ab", min_size=1, max_size=200) | st.text("abc", min_size=30, max_size=150)
units = st.sampled_from([b"-", b"*", b"ab", b"aab", b"0,"]) | st.text("ab-", min_size=1, max_size=30).map(str.encode)
rulers = st.lists(units, min_size=1, max_size=2).flatmap(
    lambda chosen: st.lists(
        st.builds(periodic, st.sampled_from(chosen), st.integers(30, 200), st.integers(0, 30)), min_size=1, max_size=5
    )
)
words = st.lists(st.sampled_from(WORDS), min_size=5, max_size=40).map(lambda chosen: " ".join(chosen).encode())
characters = st.builds(
    "{}{}{}".format,
    st.sampled_from(["", "é", "è", "á", "€", "₭", "😀", "😁"]),
    st.sampled_from(["pqrstuvw" * 6, "€" * 16, ("xyzé" * 11)[1:] + "abc", "0123456789" * 5, "中文字" * 9]),
    st.sampled_from(["", "é", "è", "á", "€", "₭", "😀", "😁"]),
).map(str.encode)
raw = st.lists(
    st.sampled_from(
        [b"a", b"\xff", b"\xc3", b"\xa9", b"\xe2\x82", b"\xac", b"\xf0\x9f", b"\xed\xa0\x80", b" ", b"\r\n"]
    ),
    min_size=40,
    max_size=90,
).map(b"".join)


def holds(case: Case) -> None:
    """The index and the oracle agree on every query of the case."""
    with (
        tempfile.TemporaryDirectory() as directory,
        patch.object(frequent, "LEAST", case.least),
        diverging(case.diverging),
    ):
        library = build(Path(directory) / "index", case.documents, case.adds, case.cap, case.common)
        for before, text, after in case.queries:
            library.check(text, before, after)


@examples(60)
@given(cases(pool(few_letters.map(str.encode))))
def test_texts_of_few_letters(case: Case) -> None:
    """Texts of two or three letters share passages everywhere."""
    holds(case)


@examples(60)
@given(cases(rulers))
def test_rulers(case: Case) -> None:
    """Repeated units of up to thirty bytes, in all lengths and phases, beside each other and with odd bytes between."""
    holds(case)


@examples(60)
@given(cases(pool(words)))
def test_splices_of_words(case: Case) -> None:
    """Sequences of words as code has them, cut and joined."""
    holds(case)


@examples(60)
@given(
    st.lists(
        st.tuples(st.integers(0, 400), st.integers(50, 300), st.sets(st.sampled_from(LICENSES[:3]), min_size=1)),
        min_size=2,
        max_size=8,
    ),
    st.integers(1, 3),
)
def test_slices_of_one_text(slices: list[tuple[int, int, set[str]]], adds: int) -> None:
    """Passages of one text that overlap in every way hide each other only where one lies inside the other."""
    text = bytes(random.Random(0).choices(range(33, 127), k=600))
    documents = [
        (
            text[start : start + length] + b"\n" + bytes([number] * 3),
            [Place(expression, path=f"{expression}/{number}") for expression in sorted(under)],
        )
        for number, (start, length, under) in enumerate(slices, 128)
    ]
    holds(Case(documents, adds, 1000, 20, [(b"", text, b""), (b"", text[100:350], text[:70])]))


@examples(40)
@given(cases(pool(characters) | pool(raw)))
def test_characters_and_other_bytes(case: Case) -> None:
    """Characters that share bytes, and bytes that are no characters; context that cuts none of them."""
    whole = [query if not is_cut(query) else mended(query) for query in case.queries]
    holds(replace(case, queries=whole))


def is_cut(query: tuple[bytes, bytes, bytes]) -> bool:
    """Whether a character stands across the borders of the text."""
    parts = [part.decode("utf-8", "surrogateescape") for part in query]
    return "".join(parts) != b"".join(query).decode("utf-8", "surrogateescape")


def mended(query: tuple[bytes, bytes, bytes]) -> tuple[bytes, bytes, bytes]:
    """The query with a replacement character for each byte that is not UTF-8 in its part."""
    before, text, after = (part.decode("utf-8", "replace").encode() for part in query)
    return before, text, after
