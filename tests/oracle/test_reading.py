"""The oracle against what is plainer still: all substrings of tiny texts, and examples worked by hand."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from oracle.reading import Oracle, Place, Query, Span, query_runs

T, P = 6, 3
"""A guarantee and a longest period so small that all substrings can be tried; T = 2 P, as in the contract."""


def substrings(text: bytes, least: int) -> set[Span]:
    """Every span of at least `least` bytes."""
    return {(start, end) for start in range(len(text)) for end in range(start + least, len(text) + 1)}


def outermost(spans: set[Span]) -> set[Span]:
    """The spans that lie inside no other."""
    return {s for s in spans if not any(s != o and o[0] <= s[0] and s[1] <= o[1] for o in spans)}


def runs(query: bytes) -> set[Span]:
    """The maximal substrings of at least T bytes with a period of at most P."""
    return outermost(
        {
            (start, end)
            for start, end in substrings(query, T)
            if any(query[start : end - p] == query[start + p : end] for p in range(1, P + 1))
        }
    )


def reported(query: bytes, documents: list[bytes]) -> set[Span]:
    """The maximal spans, thinned in runs by the words of the contract."""
    spans = outermost({(s, e) for s, e in substrings(query, T) if any(query[s:e] in text for text in documents)})
    kept = set(spans)
    for run in runs(query):
        inside = sorted(span for span in spans if run[0] <= span[0] and span[1] <= run[1])
        kept -= set(inside)
        last = None
        while inside:
            reachable = [span for span in inside if last is not None and span[0] <= last[1]]
            last = max(reachable, key=lambda span: span[1]) if reachable else inside[0]
            kept.add(last)
            inside = [span for span in inside if span > last]
    return kept


tiny = st.text("ab", max_size=24) | st.text("abc ", max_size=24) | st.text("é€ab", max_size=12)
documents = st.lists(st.tuples(tiny, st.sets(st.sampled_from(["MIT", "GPL-3.0-only", "ISC"]), min_size=1)), max_size=5)


@given(documents, tiny | st.text("ab", max_size=40))
def test_spans_are_those_of_all_substrings(documents: list[tuple[str, set[str]]], query: str) -> None:
    """For each expression the oracle reports what trying every substring reports."""
    oracle = Oracle(
        [(text.encode(), [Place(expression) for expression in under]) for text, under in documents],
        guarantee=T,
        period=P,
    )
    asked = Query("".join(query.split()).encode())
    for expression, corpus in oracle.by_license.items():
        texts = ["".join(text.split()).encode() for text, under in documents if text and expression in under]
        trimmed = {asked.trim(span) for span in reported(asked.canonical, texts)}
        assert oracle.spans(asked, corpus) == outermost(trimmed)


@given(documents, st.text("ab ", max_size=24))
def test_counts_are_those_of_substring_tests(documents: list[tuple[str, set[str]]], query: str) -> None:
    """Documents, licenses and kinds are what `in` says of every document."""
    oracle = Oracle(
        [(text.encode(), [Place(expression) for expression in sorted(under)]) for text, under in documents],
        guarantee=T,
        period=P,
    )
    under: dict[str, set[str]] = {}
    for text, expressions in documents:
        if text:
            under.setdefault(text, set()).update(expressions)
    for match in oracle.check(query).matches:
        raw = query[match.start : match.end]
        passage = "".join(raw.split())
        holding = [text for text in under if passage in "".join(text.split())]
        assert match.documents == len(holding)
        assert match.licenses == {
            expression: sum(expression in under[text] for text in holding)
            for expression in {expression for text in holding for expression in under[text]}
        }
        assert match.kind == "reformatted" or any(raw in text for text in holding)
        assert match.bytes == match.bytes_in_text == len(passage)


@given(st.text("ab", max_size=40))
def test_runs_are_those_of_all_substrings(query: str) -> None:
    """A run is found where trying every substring finds it."""
    assert set(query_runs(query.encode(), T, P)) == runs(query.encode())


def test_a_cut_character_is_left_out_on_both_sides() -> None:
    """The bytes shared with the neighbours of a character are not reported."""
    oracle = Oracle([("é".encode() + b"x" * 6 + "€".encode(), [Place()])], guarantee=T, period=P)
    (match,) = oracle.check("\u00c9" + "x" * 6 + "\u20ad").matches
    assert (match.start, match.end, match.byte_start, match.byte_end, match.bytes) == (1, 7, 2, 8, 6)


def test_a_byte_that_is_not_utf8_is_a_code_point() -> None:
    """Offsets of what is not UTF-8 count each such byte once."""
    oracle = Oracle([(b"abcdef", [Place()])], guarantee=T, period=P)
    (match,) = oracle.check(b"\xff\xe2\x82\n abc\ndef\xff").matches
    assert (match.start, match.end, match.start_line, match.end_line) == (5, 12, 2, 3)
    assert match.kind == "reformatted"


def test_within_names_the_smallest_passage_around() -> None:
    """A shorter passage under a second license names the longer one around it, and both count the documents."""
    oracle = Oracle([(b"0123456789", [Place("MIT")]), (b"--234567--", [Place("ISC", path="b")])], guarantee=T, period=P)
    outer, inner = oracle.check("0123456789").matches
    assert (outer.start, outer.end, outer.licenses, outer.within) == (0, 10, {"MIT": 1}, None)
    assert (inner.start, inner.end, inner.licenses, inner.within) == (2, 8, {"MIT": 1, "ISC": 1}, (0, 10))


def test_sources_follow_the_total_order() -> None:
    """Release date with undated last, then project, then path."""
    places = [
        Place(purl="pkg:pypi/b@2", path="z"),
        Place(purl="pkg:pypi/b@1", path="y", released="2024-02-01"),
        Place(repository="https://example.org/a", path="x", released="2024-02-01"),
        Place(source="tree", path="w", released="2023-01-01"),
    ]
    oracle = Oracle([(b"0123456789", places)], guarantee=T, period=P)
    (match,) = oracle.check("0123456789", sources=3).matches
    assert [source.path for source in match.sources] == ["w", "x", "y"]
    assert (match.documents, match.projects) == (1, 3)
