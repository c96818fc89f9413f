"""Code in any language, and what is none, comes apart into the same tokens however it is laid out."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from codecite.indexer.config import NEAR_K, NEAR_T, NEAR_W
from codecite.indexer.kernels.near import fingerprint_tokens, hash_runs, select_all
from codecite.indexer.kernels.tokens import KEYWORDS, NUMBER, STRING, WORD, fnv
from codecite.indexer.text.tokens import tokens_of

PIECES = st.lists(
    st.sampled_from(
        [
            *(
                b"alpha",
                b"Beta_2",
                b"if",
                b"return",
                b"(",
                b")",
                b"[",
                b"]",
                b",",
                b";",
                b"=",
                b"==",
                b"->",
                b".",
                b"+",
            ),
            *(b"12", b"0x1F", b'"text"', b"'c'", b"# note\n", b"// note\n", b"/* note */", b"\n", b" ", b"\xc3\xa9t"),
        ]
    ),
    max_size=80,
)


def words(content: bytes) -> list[bytes]:
    """The tokens as they stand."""
    tokens = tokens_of(content)
    return [content[a:b] for a, b in zip(tokens.starts.tolist(), tokens.ends.tolist(), strict=True)]


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (b"def f(a, b = 1.5e3,):  # note\n    return a->b", b"def f ( a , b = 1.5e3 ) : return a -> b"),
        (b"#include <x.h>\n# a comment\nint y; // more", b"# include < x . h > int y"),
        (b"x = '''one\ntwo'''", b"x = '''one\ntwo'''"),
        (b"it's a \"quote", b"it ' s a \" quote"),
        (b"a /* b */ c /* d", b"a c / * d"),
        (b"rb'x' f\"{y}\"", b"rb'x' f\"{y}\""),
        (b"#[derive(Debug)]", b"# [ derive ( Debug ) ]"),
        (b"<!-- gone --><p>", b"< p >"),
        (b"", b""),
    ],
)
def test_tokens_of_several_languages(content: bytes, expected: bytes) -> None:
    """White space, comments, semicolons and commas before brackets are none."""
    found = words(content)
    assert b" ".join(found) == expected


def test_names_and_values_are_classes_and_keywords_stay() -> None:
    """A hash of the keyword itself; the table holds what the twin of the hash says."""
    tokens = tokens_of(b"while total > 3 and name == 'x':")
    assert tokens.classes.tolist() == [
        1 << 63 | fnv(b"while"),
        int(WORD),
        ord(">"),
        int(NUMBER),
        1 << 63 | fnv(b"and"),
        int(WORD),
        ord("=") | ord("=") << 8,
        int(STRING),
        ord(":"),
    ]
    assert fnv(b"while") in KEYWORDS.tolist()
    assert tokens.names[1] == fnv(b"total")


@given(st.binary(max_size=300) | PIECES.map(b"".join))
def test_any_bytes_have_tokens_in_order(content: bytes) -> None:
    """They do not overlap, hold no white space at their ends, and stand where they say in the canonical text."""
    tokens = tokens_of(content)
    assert len(tokens) <= len(content)
    assert (tokens.ends > tokens.starts).all()
    assert (tokens.starts[1:] >= tokens.ends[:-1]).all()
    canonical = [len(content[:at].translate(None, b"\t\n\v\f\r ")) for at in tokens.starts.tolist()]
    assert tokens.canonical.tolist() == canonical


@given(st.lists(st.sampled_from([b"alpha", b"if", b"(", b")", b"=", b"7", b"'s'", b"[", b"]", b"."]), max_size=60))
def test_layout_changes_nothing(pieces: list[bytes]) -> None:
    """Spaces, lines and comments between tokens."""
    one, other = b" ".join(pieces), b"\n\t/* x, */ ".join(pieces)
    assert tokens_of(one).classes.tolist() == tokens_of(other).classes.tolist()
    assert tokens_of(one).names.tolist() == tokens_of(other).names.tolist()


def selected(content: bytes) -> tuple[list[tuple[int, int]], list[tuple[int, int]]]:
    """The hashes and first tokens that the Document's side keeps, and those of the query's side."""
    raw = np.frombuffer(content, np.uint8)
    size = len(content)
    classes, names, hashes = np.empty((3, max(1, 2 * size)), np.uint64)
    starts, stops, positions = np.empty((3, max(1, 2 * size)), np.int64)
    ends = np.array([size], np.int64)
    count = fingerprint_tokens(raw, ends, KEYWORDS, classes, names, starts, stops, hashes, positions)
    tokens = tokens_of(content)
    first = {at: number for number, at in enumerate(tokens.canonical.tolist())}
    kept = [(int(h), first[int(p)]) for h, p in zip(hashes[:count], positions[:count], strict=True)]
    runs = np.empty(len(tokens) + 1, np.uint64)
    made = hash_runs(tokens.classes, len(tokens), runs)
    chosen = np.empty(len(tokens) + 1, np.int64)
    asked = [(int(runs[at]), int(at)) for at in chosen[: select_all(runs, made, chosen)]]
    return kept, asked


@given(PIECES.map(b" ".join), PIECES.map(b" ".join), PIECES.map(b" ".join), st.randoms())
def test_what_two_texts_share_has_a_fingerprint_on_both_sides(
    before: bytes, shared: bytes, behind: bytes, chance: object
) -> None:
    """Of every NEAR_T tokens, whatever stands around them: windows of brute force say which are chosen."""
    document, query = b" ".join([before, shared, behind]), b" ".join([behind, shared, before])
    kept, _ = selected(document)
    _, asked = selected(query)
    tokens, wanted = tokens_of(document), tokens_of(query)
    hashes = {value for value, _ in kept} & {value for value, _ in asked}
    longest = common_run(wanted.classes.tolist(), tokens.classes.tolist())
    if longest >= NEAR_T:
        assert hashes
    del chance


def common_run(one: list[int], other: list[int]) -> int:
    """The length of the longest run of equal classes, by dynamic programming."""
    best, row = 0, [0] * (len(other) + 1)
    for value in one:
        new = [0] * (len(other) + 1)
        for j, stands in enumerate(other, 1):
            if value == stands:
                new[j] = row[j - 1] + 1
                best = max(best, new[j])
        row = new
    return best


@given(PIECES.map(b" ".join))
def test_both_sides_choose_minima_of_windows(content: bytes) -> None:
    """The query's side all of them, the Document's side one of each window."""
    kept, asked = selected(content)
    tokens = tokens_of(content)
    runs = np.empty(len(tokens) + 1, np.uint64)
    made = hash_runs(tokens.classes, len(tokens), runs)
    values = runs[:made].tolist()
    windows = [range(at, at + NEAR_W) for at in range(made - NEAR_W + 1)]
    minima = [{at for at in window if values[at] == min(values[i] for i in window)} for window in windows]
    assert [at for _, at in asked] == sorted(set().union(*minima))
    places = {at for _, at in kept}
    assert places <= {at for _, at in asked}
    assert all(places & window for window in minima)
    assert all(values[at] == value for value, at in kept)
    assert made == max(0, len(tokens) - NEAR_K + 1)
