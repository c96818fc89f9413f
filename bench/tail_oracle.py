"""What `check` must answer over the corpus of heads, found without fingerprints.

In: the trees and the dataset that the index was made of, read once more, and texts of ASCII. Out: for each text its
matches with counts, licences and first sources, as `tests/oracle` names them. It refuses to know the index: which
passages stand where is asked of one suffix array for each licence; the rules of the contract are those of
`tests/oracle/reading.py`, the order of sources is written down here once more.
"""

from __future__ import annotations

import ctypes
import hashlib
import sys
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import tail_heads
from pydivsufsort import divsufsort
from pydivsufsort.divsufsort import libdivsufsort

from codecite.indexer.corpus.rows import parse_columns
from codecite.indexer.corpus.sources import read_sources
from codecite.indexer.corpus.units import Item, Pending, Reading, Unit
from codecite.indexer.licenses.effective import effective
from codecite.indexer.records import Package, SourceFile

sys.path.append(str(Path(__file__).parents[1] / "tests"))
from oracle import reading

GUARANTEE, PERIOD, CAP, COMMON = 50, 25, 1000, 20
STRIDE = 25


class Texts:
    """Documents under one licence that can be asked where a text stands."""

    def __init__(self, numbers: list[int], texts: list[bytes]) -> None:
        self.numbers = np.array(numbers)
        self.text = b"\n" + b"\n".join(texts) + b"\n"
        self._starts = np.cumsum([1, *(len(text) + 1 for text in texts)])[:-1]
        self._array = divsufsort(self.text)
        self._places = ctypes.cast(ctypes.c_char_p(self.text), ctypes.POINTER(ctypes.c_uint8))
        self._suffixes = self._array.ctypes.data_as(ctypes.POINTER(ctypes.c_int32))
        self._first = ctypes.c_int32()

    def _search(self, passage: bytes) -> int:
        wanted = ctypes.cast(ctypes.c_char_p(passage), ctypes.POINTER(ctypes.c_uint8))
        size = len(self.text)
        count: int = libdivsufsort.sa_search(
            self._places, size, wanted, len(passage), self._suffixes, size, ctypes.byref(self._first)
        )
        return count

    def holds(self, passage: bytes) -> bool:
        """Whether the passage stands in any of them."""
        return self._search(passage) > 0

    def places(self, passage: bytes) -> tuple[Any, Any]:
        """The documents that hold it, by number, and its first place in each."""
        count = self._search(passage)
        places = np.sort(self._array[self._first.value : self._first.value + count]) if count else np.empty(0, int)
        found, first = np.unique(np.searchsorted(self._starts, places, side="right") - 1, return_index=True)
        return self.numbers[found], places[first] - self._starts[found]


class Oracle:
    """The documents with their places, and what is known of them."""

    def __init__(self, trees: list[str], dataset: Path) -> None:
        reading_options = Reading(columns=parse_columns(tail_heads.COLUMNS))
        self._raw: list[bytes] = []
        self._swhids: list[str] = []
        known: dict[bytes, int] = {}
        origins: list[tuple[tuple[Any, ...], int, dict[str, Any]]] = []
        for unit in read_sources([*trees, str(dataset)], installed=False, reading=reading_options):
            for package, file in opened(unit):
                number = known.setdefault(file.content, len(known))
                if number == len(self._raw):
                    self._raw.append(file.content)
                    blob = b"blob %d\0" % len(file.content) + file.content
                    self._swhids.append("swh:1:cnt:" + hashlib.sha1(blob).hexdigest())
                origins.append(self._origin(number, package, file))
        origins.sort(key=lambda origin: origin[0])
        self._facts = [facts for _, _, facts in origins]
        self._owner = np.array([number for _, number, _ in origins])
        projects: dict[str, int] = {}
        self._project = np.array([projects.setdefault(order[2], len(projects)) for order, _, _ in origins])
        members: dict[str, set[int]] = defaultdict(set)
        for _, number, facts in origins:
            members[facts["license"]].add(number)
        canonical = [raw.translate(None, reading.WHITE) for raw in self._raw]
        self._texts = {
            name: Texts(sorted(numbers), [canonical[number] for number in sorted(numbers)])
            for name, numbers in sorted(members.items())
        }
        self._heads = [head.encode() for head in tail_heads.heads()]
        self._offsets = [reading.canonical(head)[1] for head in self._heads]

    @property
    def documents(self) -> int:
        """How many there are."""
        return len(self._raw)

    def _origin(self, number: int, package: Package, file: SourceFile) -> tuple[tuple[Any, ...], int, dict[str, Any]]:
        """Its place in the total order, its document, and what a Report says of it."""
        purl = package.purl and package.purl.rpartition("@")[0] if "@" in (package.purl or "") else package.purl
        project = purl or package.repository or package.source
        order = package.released is None, package.released or "", project, file.path, self._swhids[number]
        facts = {
            "swhid": self._swhids[number],
            "license": effective((*file.evidence, *package.evidence)),
            "purl": package.purl,
            "repository": package.repository,
            "path": file.path,
            "released": package.released,
            "language": file.language,
            "file_marks": [str(mark) for mark in file.marks],
        }
        return order, number, facts

    def matches(self, text: str) -> list[dict[str, Any]]:
        """The matches of a text, by start and then longest first, in plain JSON values."""
        query = reading.Query(text.encode("ascii"))
        spans: set[reading.Span] = set()
        for texts in self._texts.values():
            pieces = range(0, len(query.canonical) - STRIDE + 1, STRIDE)
            if any(texts.holds(query.canonical[start : start + STRIDE]) for start in pieces):
                maximal = reading.maximal_spans(query.canonical, texts, GUARANTEE)  # type: ignore[arg-type]
                spans |= set(reading.thin_runs(maximal, reading.query_runs(query.canonical, GUARANTEE, PERIOD)))
        ordered = sorted(spans, key=lambda span: (span[0], -span[1]))
        return [asdict(self._match(query, span, ordered)) for span in ordered]

    def _match(self, query: reading.Query, span: reading.Span, spans: list[reading.Span]) -> reading.ExpectedMatch:
        passage = query.canonical[slice(*span)]
        licenses: dict[str, int] = {}
        holders: dict[int, int] = {}
        for name, texts in self._texts.items():
            numbers, places = texts.places(passage)
            if len(numbers):
                licenses[name] = len(numbers)
                holders.update(zip(numbers.tolist(), places.tolist(), strict=True))
        rows = np.flatnonzero(np.isin(self._owner, list(holders)))
        projects = len(np.unique(self._project[rows]))
        start, end = query.raw_span(span)
        wanted = query.raw[start:end]
        sources = []
        for row in rows[:5].tolist():
            number = int(self._owner[row])
            low, high = self._place(number, holders[number], len(passage))
            raw = self._raw[number]
            kind = "verbatim" if raw[low:high] == wanted else "reformatted"
            lines = {"start_line": reading.line(raw, low), "end_line": reading.line(raw, high)}
            sources.append(reading.ExpectedSource(kind=kind, **self._facts[row], **lines))
        verbatim = any(source.kind == "verbatim" for source in sources) or any(
            self._raw[number][slice(*self._place(number, place, len(passage)))] == wanted
            for number, place in holders.items()
        )
        outer = [other for other in spans if reading.around(other, span)]
        smallest = min(outer, key=lambda other: (other[1] - other[0], other[0]), default=None)
        return reading.ExpectedMatch(
            *query.code_points(span),
            byte_start=start,
            byte_end=end,
            start_line=reading.line(query.raw, start),
            end_line=reading.line(query.raw, end),
            bytes=len(passage),
            bytes_in_text=len(passage),
            kind="verbatim" if verbatim else "reformatted",
            documents=min(len(holders), CAP),
            documents_capped=len(holders) > CAP,
            projects=min(projects, CAP),
            projects_capped=projects > CAP,
            common=projects > COMMON,
            licenses={name: min(count, CAP) for name, count in licenses.items()},
            licenses_capped=any(count > CAP for count in licenses.values()),
            within=None if smallest is None else query.code_points(smallest),
            sources=tuple(sources),
        )

    def _place(self, number: int, place: int, length: int) -> tuple[int, int]:
        """The raw bytes from the first to the last canonical one; what lies in the head is known by its form."""
        raw = self._raw[number]
        for head, offsets in zip(self._heads, self._offsets, strict=True):
            if place + length <= len(offsets) and raw.startswith(head):
                break
        else:
            offsets = reading.canonical(raw)[1]
        return int(offsets[place]), int(offsets[place + length - 1]) + 1


def opened(unit: Unit) -> Iterator[tuple[Package, SourceFile]]:
    """All files of a unit and of the units inside it, read; what is skipped is left out."""
    for item in unit.files():
        found: Item = item.load() if isinstance(item, Pending) else item
        if isinstance(found, Unit):
            yield from opened(found)
        elif isinstance(found, SourceFile):
            yield unit.package, found
