"""Several indexes as one, wherever each lies: embedded ones, servers.

In: opened indexes. Out: what an embedded index of them all would answer. It refuses to know how each answers.

A passage is judged by itself, in its index. So the Attributions of all stand in the order of their places, the indexes
in that in which they were named; each keeps its reasons; the verdict is the worst.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeVar

from codecite.indexer.attribution.judge import worst
from codecite.indexer.attribution.policy import Policy, load_policy
from codecite.indexer.backend import Index, IndexStats
from codecite.indexer.errors import TextError
from codecite.indexer.lookup.documents import Document
from codecite.indexer.records import Attribution, Coverage, Report, SearchReport, SimilarReport, Verdict
from codecite.indexer.stream import Part

T = TypeVar("T")


class TogetherIndex(Index):
    """Indexes that are asked one after the other, at least one."""

    def __init__(self, parts: tuple[Index, ...]) -> None:
        self._parts = parts

    def check(
        self,
        text: str | bytes,
        *,
        before: str | bytes = "",
        after: str | bytes = "",
        policy: Policy | str | Path | None = None,
        sources: int = 5,
        near: bool = False,
        shortest: int = 1,
    ) -> Report:
        """As `Index.check`."""
        held = policy if isinstance(policy, Policy) else load_policy(policy or "audit")
        return _joined(
            [
                part.check(text, before=before, after=after, policy=held, sources=sources, near=near, shortest=shortest)
                for part in self._parts
            ]
        )

    def check_many(
        self,
        texts: Sequence[str | bytes],
        *,
        policy: Policy | str | Path | None = None,
        sources: int = 5,
        shortest: int = 1,
    ) -> Iterator[Report | TextError]:
        """As `Index.check_many`."""
        held = policy if isinstance(policy, Policy) else load_policy(policy or "audit")
        answers = [part.check_many(texts, policy=held, sources=sources, shortest=shortest) for part in self._parts]
        return map(_joined_or_wrong, zip(*answers, strict=True))

    def look(self, part: Part, policy: Policy, sources: int = 5) -> tuple[Attribution, ...]:
        """As `Index.look`."""
        return tuple(item for index in self._parts for item in index.look(part, policy, sources))

    def search(
        self,
        query: str,
        *,
        language: str | None = None,
        license: str | None = None,
        repository: str | None = None,
        path: str | None = None,
        limit: int = 10,
        offset: int = 0,
        facets: bool = False,
    ) -> SearchReport:
        """As `Index.search`."""
        options = {"language": language, "license": license, "repository": repository, "path": path}
        found = [part.search(query, limit=offset + limit, offset=0, facets=facets, **options) for part in self._parts]
        hits = sorted((hit for report in found for hit in report.hits), key=lambda hit: (-hit.score, hit.source.swhid))
        return SearchReport(
            self.coverage,
            query,
            offset,
            sum(report.total for report in found),
            any(report.total_capped for report in found),
            tuple(hits[offset : offset + limit]),
            _summed([report.facets or {} for report in found]) if facets else None,
        )

    def similar(self, text: str | bytes, *, limit: int = 10, at_least: float = 0.5) -> SimilarReport:
        """As `Index.similar`."""
        found = [part.similar(text, limit=limit, at_least=at_least) for part in self._parts]
        files = [file for report in found for file in report.files]
        files.sort(key=lambda file: (-file.similarity, file.source.swhid))
        return replace(found[0], indexes=self.coverage, files=tuple(files[:limit]))

    def document(self, swhid: str, sources: int = 100) -> Document | None:
        """As `Index.document`."""
        return self._first(lambda part: part.document(swhid, sources))

    def file_beside(self, source: Mapping[str, Any], path: str) -> bytes | None:
        """As `Index.file_beside`."""
        return self._first(lambda part: part.file_beside(source, path))

    def _first(self, ask: Callable[[Index], T | None]) -> T | None:
        return next((found for found in map(ask, self._parts) if found is not None), None)

    def stats(self) -> tuple[IndexStats, ...]:
        """As `Index.stats`."""
        return tuple(item for part in self._parts for item in part.stats())

    @property
    def coverage(self) -> tuple[Coverage, ...]:
        """What each index holds."""
        return tuple(item for part in self._parts for item in part.coverage)

    @property
    def places(self) -> tuple[str, ...]:
        """Where each index is."""
        return tuple(place for part in self._parts for place in part.places)

    def stamps(self) -> tuple[Hashable, ...]:
        """As `Index.stamps`."""
        return tuple(stamp for part in self._parts for stamp in part.stamps())

    def is_latest(self) -> bool:
        """As `Index.is_latest`."""
        return all(part.is_latest() for part in self._parts)

    @property
    def directories(self) -> tuple[Path, ...]:
        """Where those lie that are on this machine."""
        return tuple(directory for part in self._parts for directory in part.directories)


def _summed(counts: Sequence[Mapping[str, Mapping[str, int]]]) -> dict[str, dict[str, int]]:
    """The counts of all, most first, then by name."""
    summed = {}
    for name in counts[0]:
        total: Counter[str] = Counter()
        for each in counts:
            total.update(each.get(name, {}))
        summed[name] = dict(sorted(total.items(), key=lambda item: (-item[1], item[0])))
    return summed


def _in_order(items: Iterable[Attribution]) -> tuple[Attribution, ...]:
    return tuple(sorted(items, key=lambda item: (item.match.start, -item.match.end)))


def _joined(reports: Sequence[Report]) -> Report:
    attributions = _in_order(item for report in reports for item in report.attributions)
    place = {item.match.id: number for number, item in enumerate(attributions)}
    reasons = [reason for report in reports for reason in report.verdict.reasons]
    reasons.sort(key=lambda reason: place.get(reason.match or "", -1))
    return replace(
        reports[0],
        indexes=tuple(item for report in reports for item in report.indexes),
        attributions=attributions,
        verdict=Verdict(worst(report.verdict.outcome for report in reports), tuple(reasons)),
        notes=tuple(note for report in reports for note in report.notes),
    )


def _joined_or_wrong(answers: Sequence[Report | TextError]) -> Report | TextError:
    reports = [answer for answer in answers if isinstance(answer, Report)]
    wrong = next((answer for answer in answers if not isinstance(answer, Report)), None)
    return _joined(reports) if wrong is None else wrong
