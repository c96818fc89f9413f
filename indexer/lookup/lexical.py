"""Search: the Documents that hold what a person looks for, the best first.

In: a Snapshot, a SearchQuery. Out: SearchHits with the lines that fit best, and which terms stand there. It refuses to
know of policies and JSON.

The lexical index ranks; what the Snapshot does not show is passed over, phrases are looked for in the stored text, and
fields are held against the Origins. Equal scores are ordered by SHA-1, so that pages of one Snapshot never overlap.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import accumulate
from typing import Protocol

from codecite.indexer.errors import NotSearchableError
from codecite.indexer.lookup.facets import Facets
from codecite.indexer.lookup.near_matches import rows_of
from codecite.indexer.lookup.query import SearchQuery
from codecite.indexer.records import NOASSERTION, Kind, Source
from codecite.indexer.store.documents import place_of, raw_of
from codecite.indexer.store.lexical import LexicalReader, Ranked
from codecite.indexer.store.snapshot import Snapshot
from codecite.indexer.text.terms import terms_of

COUNTED = 1000
"""Hits that are counted; where there may be more, that is said."""

_LINES = 5
_WIDE = 400
_WORD = re.compile(rb"[A-Za-z0-9_\x80-\xff]+")


@dataclass(frozen=True, slots=True)
class Hit:
    """A Document that fits: score, first fitting Origin, best lines, and where terms stand there (code points)."""

    score: float
    source: Source
    snippet: str
    terms: tuple[tuple[int, int], ...]


class Ranking(Protocol):
    """What ranks Documents (`LexicalReader.ranked`)."""

    def ranked(self, any_of: Iterable[str], all_of: Iterable[str], none_of: Iterable[str], limit: int) -> Ranked:
        """The best Documents with some terms, with all, without any."""


Opened = tuple[Snapshot, Callable[[str], bytes]]
"""A Snapshot that shows what is visible of some Documents, and what reads their contents by SHA-1 (hexadecimal)."""


def search(
    snapshot: Snapshot, reader: LexicalReader | None, query: SearchQuery, wanted: int, facets: Facets | None = None
) -> tuple[list[Hit], int, bool]:
    """The first `wanted` hits, how many there are, and whether there may be more than that; `facets` are told of all.

    Raises NotSearchableError for an index without a lexical one.
    """
    if reader is None:
        raise not_searchable(snapshot.manifest.id)

    def read(key: str) -> bytes:
        place = place_of(snapshot, key)
        return b"" if place is None else raw_of(snapshot.segments[place[0]].segment, place[1])

    # Where the lexical index has no Document that is not visible, its count is that of the hits.
    whole = reader.documents == snapshot.size[0]
    return search_ranked(lambda keys: (snapshot, read), reader, query, wanted, facets, whole=whole)


def not_searchable(index: str) -> NotSearchableError:
    """The error of an index without a lexical part."""
    return NotSearchableError(
        f"the index {index} cannot be searched by words; 'codecite index add' with any of its "
        "sources makes that part of it"
    )


def search_ranked(
    opened: Callable[[Sequence[str]], Opened],
    reader: Ranking,
    query: SearchQuery,
    wanted: int,
    facets: Facets | None = None,
    *,
    whole: bool = False,
) -> tuple[list[Hit], int, bool]:
    """The same where `opened` shows the Documents that were ranked, given by their SHA-1s in their order.

    If the `whole` of what is ranked is visible, no more of it is looked at than is shown, unless more must be looked at
    for what is not ranked.
    """
    most = max(wanted, COUNTED)
    any_of = dict.fromkeys(term for word in query.words for term in word)
    all_of = dict.fromkeys(term for phrase in query.phrases for term in phrase)
    # Of a word that is left out its own term, of a phrase nothing before the text was looked at.
    none_of = dict.fromkeys(terms[0] for terms in query.without if _is_word(terms))
    checked = bool(query.phrases or query.fields or not all(map(_is_word, query.without)))
    counted_there = whole and not checked and facets is None
    scan = wanted if counted_there else most
    room = max(64, 2 * scan)
    while True:
        ranked = reader.ranked(any_of, all_of, none_of, room)
        complete = len(ranked.hits) >= ranked.count
        hits = sorted(ranked.hits, key=lambda hit: (-hit[0], hit[1]))
        if not complete:
            # Of equal scores at the end not all are known.
            hits = [hit for hit in hits if hit[0] > ranked.hits[-1][0]]
        snapshot, read = opened([key for _, key in hits])
        found: list[Hit] = []
        counted: list[list[int]] = []
        for score, key in hits:
            place = place_of(snapshot, key)
            if place is None:
                continue
            rows = _fitting(snapshot, place, query)
            if not rows:
                continue
            if len(found) < wanted or (checked and (query.phrases or query.without)):
                content = read(key)
                if not _holds_phrases(content, query):
                    continue
                if len(found) < wanted:
                    found.append(_hit(snapshot, score, key, rows, content, query))
            counted.append(rows)
            if len(counted) >= scan:
                break
        full = len(counted) >= scan
        if counted_there and (full or complete):
            return found, min(ranked.count, most), ranked.count >= most
        if full or complete or len(found) >= wanted:
            if facets is not None:
                for rows in counted:
                    facets.add(snapshot, rows)
            return found, len(counted), full or not complete
        room *= 4


def _is_word(terms: Sequence[str]) -> bool:
    """Whether the terms are those of one word: itself, and its parts."""
    return len(terms) == 1 or len("".join(terms[1:])) <= len(terms[0])


def _fitting(snapshot: Snapshot, place: tuple[int, int], query: SearchQuery) -> list[int]:
    """The Origins of a Document that the fields let in, in their total order."""
    rows = rows_of(snapshot, *place)
    if query.fields:
        rows = [row for row in rows if _fits(snapshot, row, query)]
    digest = snapshot.segments[place[0]].segment.contents[place[1]].tobytes().hex()
    return sorted(rows, key=lambda row: snapshot.order_of(row, digest))


def _fits(snapshot: Snapshot, row: int, query: SearchQuery) -> bool:
    origin = snapshot.origin(row)
    for field, value in query.fields:
        wanted = value.lower()
        if field == "license":
            names = re.split(r"[ ()]+", (origin.license or NOASSERTION).lower())
            fits = wanted == origin.license.lower() or wanted in names
        elif field == "language":
            fits = wanted == (origin.language or "").lower()
        elif field == "repository":
            fits = wanted in f"{origin.repository or ''} {origin.purl or ''}".lower()
        else:
            fits = wanted in origin.path.lower()
        if not fits:
            return False
    return True


def _holds_phrases(content: bytes, query: SearchQuery) -> bool:
    """Whether a text holds all phrases, and none that is to be left out."""
    if not query.phrases and all(map(_is_word, query.without)):
        return True
    terms = f" {terms_of(content)}"
    return all(f" {' '.join(phrase)} " in terms for phrase in query.phrases) and not any(
        f" {' '.join(phrase)} " in terms for phrase in query.without
    )


def _hit(snapshot: Snapshot, score: float, key: str, rows: Sequence[int], content: bytes, query: SearchQuery) -> Hit:
    wanted = {term for terms in (*query.words, *query.phrases) for term in terms}
    lines = content.split(b"\n")
    found: list[tuple[int, str]] = []
    for number in _lines_with(content, lines, [term.encode() for term in wanted]):
        if len(lines[number]) <= 10 * _WIDE:
            found += [(number, term) for word in _WORD.findall(lines[number]) for term in _terms_in(word) & wanted]
    first = _best(found)
    last = min(first + _LINES, len(lines))
    snippet, spans, at = [], [], 0
    for line in lines[first:last]:
        shown = line[:_WIDE].decode("utf-8", "replace").rstrip("\r")
        named = (word for word in re.finditer(r"\w+", shown) if _terms_in(word[0].encode()) & wanted)
        spans += [(at + word.start(), at + word.end()) for word in named]
        snippet.append(shown)
        at += len(shown) + 1
    source = Source(f"swh:1:cnt:{key}", Kind.VERBATIM, snapshot.origin(rows[0]), first + 1, max(first + 1, last))
    return Hit(score, source, "\n".join(snippet), tuple(spans))


def _lines_with(content: bytes, lines: Sequence[bytes], parts: Iterable[bytes]) -> list[int]:
    """The numbers of the lines that hold one of these, whatever the case: every term is a part of its word."""
    starts = [0, *accumulate(len(line) + 1 for line in lines)]
    lowered = content.lower()
    found: set[int] = set()
    for part in parts:
        at = lowered.find(part)
        while at >= 0:
            number = bisect_right(starts, at) - 1
            found.add(number)
            at = lowered.find(part, starts[number + 1])
    return sorted(found)


@lru_cache(maxsize=1 << 14)
def _terms_in(word: bytes) -> frozenset[str]:
    return frozenset(terms_of(word).split())


def _best(found: Sequence[tuple[int, str]]) -> int:
    """The first of the lines that together hold most of what is looked for."""
    best, first = (0, 0), 0
    end = 0
    for begin in range(len(found)):
        while end < len(found) and found[end][0] < found[begin][0] + _LINES:
            end += 1
        here = len({term for _, term in found[begin:end]}), end - begin
        if here > best:
            best, first = here, found[begin][0]
    return first
