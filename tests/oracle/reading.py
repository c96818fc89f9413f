"""An independent reading of the matching contract, plain enough to be believed.

In: documents (bytes with the places they were seen at) and a text with its context. Out: the passages that a Report
must hold. It refuses to know the product: no module of codecite is imported, nothing is hashed or winnowed. Every
question "does this text stand in that corpus" goes to a suffix array over the canonical documents, joined by a line
feed, which is white space and therefore in no canonical text.
"""

from __future__ import annotations

import hashlib
from bisect import bisect_left, bisect_right
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import Any

import numpy as np
import numpy.typing as npt
from pydivsufsort import divsufsort, sa_search

WHITE = b"\t\n\v\f\r "
SEPARATOR = b"\n"

Span = tuple[int, int]
"""Half-open, in canonical bytes of the query."""


@dataclass(frozen=True)
class Place:
    """One place at which a document was seen."""

    license: str = "MIT"
    purl: str | None = None
    repository: str | None = None
    source: str = "tree"
    path: str = "a.py"
    released: str | None = None
    language: str | None = None
    marks: tuple[str, ...] = ()

    @property
    def project(self) -> str:
        """The purl without its version, else the repository, else the source of the package."""
        if self.purl is not None:
            return self.purl.rsplit("@", 1)[0] if "@" in self.purl.rsplit("/", 1)[-1] else self.purl
        return self.repository if self.repository is not None else self.source


@dataclass(frozen=True)
class ExpectedSource:
    """One place of a document that holds a passage, and the lines of the passage there."""

    swhid: str
    kind: str
    license: str
    purl: str | None
    repository: str | None
    path: str
    released: str | None
    language: str | None
    file_marks: list[str]
    start_line: int
    end_line: int


@dataclass(frozen=True)
class ExpectedMatch:
    """What a Report must say of one passage; `within` is the code point span of the smallest Match around it."""

    start: int
    end: int
    byte_start: int
    byte_end: int
    start_line: int
    end_line: int
    bytes: int
    bytes_in_text: int
    kind: str
    documents: int
    documents_capped: bool
    projects: int
    projects_capped: bool
    common: bool
    licenses: dict[str, int]
    licenses_capped: bool
    within: Span | None
    sources: tuple[ExpectedSource, ...]


@dataclass(frozen=True)
class ExpectedReport:
    """The passages of one text, by start and then longest first."""

    sha256: str
    text_start: int
    text_end: int
    matches: tuple[ExpectedMatch, ...]


class Document:
    """One distinct content with the places it was seen at."""

    def __init__(self, raw: bytes) -> None:
        self.raw = raw
        self.canonical, self.offsets = canonical(raw)
        self.places: list[Place] = []
        self.swhid = "swh:1:cnt:" + hashlib.sha1(b"blob %d\0" % len(raw) + raw).hexdigest()

    @property
    def licenses(self) -> set[str]:
        """Every expression under which the document was seen."""
        return {place.license for place in self.places}


class Corpus:
    """Canonical documents that can be asked where a text stands."""

    def __init__(self, documents: Iterable[Document]) -> None:
        self.documents = list(documents)
        self.text = SEPARATOR + b"".join(document.canonical + SEPARATOR for document in self.documents)
        self.starts = list(accumulate((len(document.canonical) + 1 for document in self.documents), initial=1))
        self.suffixes = divsufsort(self.text)

    def holds(self, passage: bytes) -> bool:
        """Whether the passage stands in any document."""
        return bool(sa_search(self.text, self.suffixes, passage)[0])

    def places(self, passage: bytes) -> dict[int, list[int]]:
        """The documents (by number) that hold the passage, each with its canonical offsets there, ascending."""
        count, first = sa_search(self.text, self.suffixes, passage)
        found: dict[int, list[int]] = defaultdict(list)
        for position in np.sort(self.suffixes[first : first + count]).tolist() if count else ():
            number = bisect_right(self.starts, position) - 1
            found[number].append(position - self.starts[number])
        return found


class Oracle:
    """What `check` must answer over the given documents.

    `guarantee` is T and `period` the longest period of a query run, both in canonical bytes; `cap` and `common` are
    the cap of the counts and the number of projects above which a passage is common.
    """

    def __init__(
        self,
        documents: Iterable[tuple[bytes, Sequence[Place]]],
        *,
        guarantee: int = 50,
        period: int = 25,
        cap: int = 1000,
        common: int = 20,
    ) -> None:
        self.guarantee, self.period, self.cap, self.common = guarantee, period, cap, common
        distinct: dict[bytes, Document] = {}
        for raw, places in documents:
            if raw:
                distinct.setdefault(raw, Document(raw)).places.extend(places)
        self.corpus = Corpus(distinct.values())
        by_license: dict[str, list[Document]] = defaultdict(list)
        for document in self.corpus.documents:
            for expression in document.licenses:
                by_license[expression].append(document)
        self.by_license = {expression: Corpus(members) for expression, members in sorted(by_license.items())}

    @property
    def size(self) -> tuple[int, int]:
        """How many distinct documents there are, and their raw bytes."""
        return len(self.corpus.documents), sum(len(document.raw) for document in self.corpus.documents)

    @property
    def sources(self) -> list[str]:
        """The sources of all places, in order."""
        return sorted({place.source for document in self.corpus.documents for place in document.places})

    def check(
        self, text: str | bytes, before: str | bytes = b"", after: str | bytes = b"", sources: int = 5
    ) -> ExpectedReport:
        """The Report of `text` in its context."""
        head, middle, tail = (as_bytes(part) for part in (before, text, after))
        query = Query(head + middle + tail)
        lower = len(canonical(head)[0])
        upper = lower + len(canonical(middle)[0])
        spans: set[Span] = set()
        for corpus in self.by_license.values():
            spans |= {span for span in self.spans(query, corpus) if common_bytes(span, (lower, upper)) > 0}
        ordered = sorted(spans, key=lambda span: (span[0], -span[1]))
        return ExpectedReport(
            sha256=hashlib.sha256(middle).hexdigest(),
            text_start=len(decode(head)),
            text_end=len(decode(head)) + len(decode(middle)),
            matches=tuple(self._match(query, span, ordered, (lower, upper), sources) for span in ordered),
        )

    def spans(self, query: Query, corpus: Corpus) -> set[Span]:
        """The spans reported for one expression: maximal, thinned in query runs, trimmed to whole code points."""
        maximal = maximal_spans(query.canonical, corpus, self.guarantee)
        kept = thin_runs(maximal, query_runs(query.canonical, self.guarantee, self.period))
        trimmed = {query.trim(span) for span in kept}
        return {span for span in trimmed if not any(around(other, span) for other in trimmed)}

    def _match(self, query: Query, span: Span, all_spans: list[Span], text: Span, sources: int) -> ExpectedMatch:
        held = [
            (self.corpus.documents[number], first)
            for number, offsets in self.corpus.places(query.canonical[slice(*span)]).items()
            if (first := self._first(query, span, self.corpus.documents[number], offsets)) is not None
        ]
        licenses: dict[str, int] = defaultdict(int)
        candidates: list[tuple[tuple[Any, Any, str], ExpectedSource]] = []
        projects: set[str] = set()
        for document, first in held:
            last = first + span[1] - span[0] - 1
            raw_start, raw_end = int(document.offsets[first]), int(document.offsets[last]) + 1
            verbatim = document.raw[raw_start:raw_end] == query.raw[slice(*query.raw_span(span))]
            kind = "verbatim" if verbatim else "reformatted"
            lines = line(document.raw, raw_start), line(document.raw, raw_end)
            for expression in document.licenses:
                licenses[expression] += 1
            for place in document.places:
                projects.add(place.project)
                facts = place.license, place.purl, place.repository, place.path, place.released, place.language
                order = place.released is None, place.released or "", place.project, place.path, document.swhid
                copy = place.purl or "", place.repository or ""
                source = ExpectedSource(document.swhid, kind, *facts, list(place.marks), *lines)
                candidates.append(((order, copy, place.source), source))
        candidates.sort(key=lambda candidate: candidate[0])
        candidates = [
            candidate
            for i, candidate in enumerate(candidates)
            if i == 0 or candidate[0][:2] != candidates[i - 1][0][:2]  # copies of one place, read from two sources
        ]
        byte_start, byte_end = query.raw_span(span)
        outer = [other for other in all_spans if around(other, span)]
        smallest = min(outer, key=lambda other: (other[1] - other[0], other[0]), default=None)
        return ExpectedMatch(
            *query.code_points(span),
            byte_start=byte_start,
            byte_end=byte_end,
            start_line=line(query.raw, byte_start),
            end_line=line(query.raw, byte_end),
            bytes=span[1] - span[0],
            bytes_in_text=common_bytes(span, text),
            kind="verbatim" if any(source.kind == "verbatim" for _, source in candidates) else "reformatted",
            documents=min(len(held), self.cap),
            documents_capped=len(held) > self.cap,
            projects=min(len(projects), self.cap),
            projects_capped=len(projects) > self.cap,
            common=len(projects) > self.common,
            licenses={expression: min(count, self.cap) for expression, count in licenses.items()},
            licenses_capped=any(count > self.cap for count in licenses.values()),
            within=None if smallest is None else query.code_points(smallest),
            sources=tuple(source for _, source in candidates[:sources]),
        )

    def _first(self, query: Query, span: Span, document: Document, offsets: list[int]) -> int | None:
        """The first place in the document; of a span trimmed below T, the first inside a passage of at least T."""
        for offset in offsets:
            if span[1] - span[0] >= self.guarantee:
                return offset
            left = agreement(query.canonical[: span[0]][::-1], document.canonical[:offset][::-1])
            right = agreement(query.canonical[span[0] :], document.canonical[offset:])
            if left + right >= self.guarantee:
                return offset
        return None


class Query:
    """A text with its canonical form and its code points."""

    def __init__(self, raw: bytes) -> None:
        self.raw = raw
        self.canonical, self.offsets = canonical(raw)
        lengths = (len(as_bytes(character)) for character in decode(raw))
        self.borders = list(accumulate(lengths, initial=0))
        """The byte offset of every code point, and the end."""
        self._border_set = set(self.borders)

    def raw_span(self, span: Span) -> Span:
        """The bytes from the first to the last canonical byte of the span."""
        return int(self.offsets[span[0]]), int(self.offsets[span[1] - 1]) + 1

    def code_points(self, span: Span) -> Span:
        """The same in code points; the span must be trimmed."""
        start, end = self.raw_span(span)
        return bisect_left(self.borders, start), bisect_left(self.borders, end)

    def trim(self, span: Span) -> Span:
        """The span without the parts of characters that it cuts."""
        start, end = span
        while self.offsets[start] not in self._border_set:
            start += 1
        while self.offsets[end - 1] + 1 not in self._border_set:
            end -= 1
        return start, end


def as_bytes(text: str | bytes) -> bytes:
    """UTF-8; escaped bytes become themselves."""
    return text if isinstance(text, bytes) else text.encode("utf-8", "surrogateescape")


def decode(raw: bytes) -> str:
    """The code points of any bytes; each byte that is not UTF-8 is one."""
    return raw.decode("utf-8", "surrogateescape")


def canonical(raw: bytes) -> tuple[bytes, npt.NDArray[np.int64]]:
    """The bytes without ASCII white space, and the offset of each in `raw`."""
    return raw.translate(None, WHITE), np.flatnonzero(~np.isin(np.frombuffer(raw, np.uint8), list(WHITE)))


def line(raw: bytes, offset: int) -> int:
    """The line in which the offset lies, from 1."""
    return raw.count(b"\n", 0, offset) + 1


def around(outer: Span, inner: Span) -> bool:
    """Whether `inner` lies inside `outer` and is not the same."""
    return outer != inner and outer[0] <= inner[0] and inner[1] <= outer[1]


def common_bytes(one: Span, other: Span) -> int:
    """How many bytes lie in both; below 1 where there is none."""
    return min(one[1], other[1]) - max(one[0], other[0])


def agreement(left: bytes, right: bytes) -> int:
    """The length of the common prefix."""
    return next(
        (at for at, pair in enumerate(zip(left, right, strict=False)) if pair[0] != pair[1]), min(len(left), len(right))
    )


def maximal_spans(query: bytes, corpus: Corpus, guarantee: int) -> list[Span]:
    """Every span of at least `guarantee` bytes that stands in the corpus and lies inside no other such span."""
    spans: list[Span] = []
    reach = 0
    for start in range(len(query) - guarantee + 1):
        end = max(reach, start + guarantee)
        if not corpus.holds(query[start:end]):
            continue
        while end < len(query) and corpus.holds(query[start : end + 1]):
            end += 1
        if end > reach:
            spans.append((start, end))
            reach = end
    return spans


def query_runs(query: bytes, guarantee: int, period: int) -> list[Span]:
    """The maximal stretches of at least `guarantee` bytes that repeat with a period of at most `period`."""
    letters = np.frombuffer(query, np.uint8)
    runs: set[Span] = set()
    for distance in range(1, min(period, len(query) - 1) + 1):
        same = np.concatenate(([False], letters[distance:] == letters[:-distance], [False]))
        edges = np.flatnonzero(same[1:] != same[:-1]).tolist()
        for start, end in zip(edges[::2], edges[1::2], strict=True):
            if end + distance - start >= guarantee:
                runs.add((start, end + distance))
    return sorted(runs)


def thin_runs(spans: list[Span], runs: list[Span]) -> Iterator[Span]:
    """The spans without those that a query run makes superfluous."""
    inside: dict[Span, list[Span]] = defaultdict(list)
    for span in spans:
        run = next((run for run in runs if run[0] <= span[0] and span[1] <= run[1]), None)
        if run is None:
            yield span
        else:
            inside[run].append(span)
    for members in inside.values():
        at = 0
        while at < len(members):
            yield members[at]
            reachable = [other for other in range(at + 1, len(members)) if members[other][0] <= members[at][1]]
            at = reachable[-1] if reachable else at + 1
