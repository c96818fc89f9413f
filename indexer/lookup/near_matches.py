"""Near passages to Matches of kind `near`, with their counts and sources.

In: a Snapshot, a CheckedText, the exact passages that it holds. Out: Matches. What an exact Match says already is left
out: a near passage whose Document holds most of it exactly, or that stands exactly elsewhere under all licences of the
Document, whose evidence claims nothing else. It refuses to know of policies and JSON.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence

import numpy as np

from codecite.indexer.lookup.exact import Passage
from codecite.indexer.lookup.matches import match_id
from codecite.indexer.lookup.near import CANDIDATES, NearHolder, NearPassage, find_near
from codecite.indexer.lookup.sources import Claim
from codecite.indexer.lookup.stream import SPACE
from codecite.indexer.records import Counts, Kind, Match, Measure, Source
from codecite.indexer.store.documents import raw_of
from codecite.indexer.store.snapshot import Snapshot
from codecite.indexer.text.checked import CheckedText

_COVERED = 0.9


def find_near_matches(
    snapshot: Snapshot,
    text: CheckedText,
    exact: Sequence[Passage],
    sources: int,
    more: Callable[[Counts], int],
    claim: Claim,
) -> list[tuple[Match, tuple[Source, ...]]]:
    """The near Matches of a text, by start, each with its first `sources` sources, or as many as `more` says.

    Where it wants any and there are others, the first of each `claim` come last.
    """
    made = []
    for passage in find_near(snapshot, text):
        start, end = (_canonical(text.bytes[:at]) for at in (passage.start, passage.end))
        holders = [one for one in passage.holders if not _said(snapshot, exact, start, end, one, claim)]
        if holders:
            made.append(_match(snapshot, text, passage, holders, (start, end), sources, more, claim))
    return made


def _match(
    snapshot: Snapshot,
    text: CheckedText,
    passage: NearPassage,
    holders: Sequence[NearHolder],
    canonical: tuple[int, int],
    sources: int,
    more: Callable[[Counts], int],
    claim: Claim,
) -> tuple[Match, tuple[Source, ...]]:
    counts = _counts(snapshot, holders)
    point, end = text.code_points(np.array([passage.start, passage.end], np.int64)).tolist()
    index = snapshot.manifest.id
    inside = min(canonical[1], text.end) - max(canonical[0], text.begin)
    match = Match(
        id=match_id(index, Kind.NEAR, point, end, text.canonical[canonical[0] : canonical[1]].data),
        within=None,
        index=index,
        start=point,
        end=end,
        byte_start=passage.start,
        byte_end=passage.end,
        canonical_start=canonical[0],
        canonical_end=canonical[1],
        start_line=1 + text.bytes.count(b"\n", 0, passage.start),
        end_line=1 + text.bytes.count(b"\n", 0, passage.end),
        length=canonical[1] - canonical[0],
        bytes_in_text=inside,
        kind=Kind.NEAR,
        counts=counts,
        similarity=round(max(one.similarity for one in holders), 4),
        measure=Measure.ALIGNED_TOKENS,
    )
    seen = more(counts)
    return match, _sources(snapshot, holders, max(sources, seen), claim if seen else None)


def _said(snapshot: Snapshot, exact: Sequence[Passage], start: int, end: int, holder: NearHolder, claim: Claim) -> bool:
    """Whether exact Matches say already what this Document has to do with the passage."""
    mine = _licenses(snapshot, holder)
    here, elsewhere = [], []
    for passage in exact:
        if passage.start < end and passage.end > start:
            span = max(passage.start, start), min(passage.end, end)
            if any(n == holder.segment and holder.document in documents for n, documents, *_ in passage.held.holders):
                here.append(span)
            if mine <= passage.held.licenses.keys():
                elsewhere.append(span)
    enough = _COVERED * (end - start)
    if _covered(here) >= enough:
        return True
    if _covered(elsewhere) < enough:
        return False
    return not snapshot.claims(np.array(rows_of(snapshot, holder.segment, holder.document), np.int64), claim)


def _covered(spans: list[tuple[int, int]]) -> int:
    """How much the spans cover together."""
    covered, reach = 0, 0
    for start, end in sorted(spans):
        covered += max(0, end - max(start, reach))
        reach = max(reach, end)
    return covered


def _licenses(snapshot: Snapshot, holder: NearHolder) -> set[str]:
    licensed = snapshot.segments[holder.segment].licensed
    numbers = licensed.numbers[licensed.bounds[holder.document] : licensed.bounds[holder.document + 1]]
    return {snapshot.expressions[number] for number in numbers.tolist()}


def rows_of(snapshot: Snapshot, segment: int, document: int) -> list[int]:
    """The numbers of the live Origins of a Document."""
    origins = snapshot.segments[segment].origins
    rows: list[int] = origins.rows[origins.bounds[document] : origins.bounds[document + 1]].tolist()
    return rows


def _counts(snapshot: Snapshot, holders: Sequence[NearHolder]) -> Counts:
    """Of the Documents that were verified: where as many were as may be, there may be more."""
    config = snapshot.manifest.config
    capped = len(holders) >= CANDIDATES
    projects: set[int] = set()
    licenses: dict[str, int] = {}
    for holder in holders:
        named = snapshot.segments[holder.segment].origins.project
        projects.update(int(named[row]) for row in rows_of(snapshot, holder.segment, holder.document))
        for license in _licenses(snapshot, holder):
            licenses[license] = licenses.get(license, 0) + 1
    return Counts(
        documents=len(holders),
        documents_capped=capped,
        projects=min(len(projects), config.count_cap),
        projects_capped=capped or len(projects) > config.count_cap,
        licenses=dict(sorted(licenses.items(), key=lambda item: (-item[1], item[0]))),
        licenses_capped=capped,
        common=len(projects) > config.common_projects,
    )


def _sources(snapshot: Snapshot, holders: Sequence[NearHolder], wanted: int, claim: Claim | None) -> tuple[Source, ...]:
    """The first Origins in the total order of sources; behind them the first of each `claim` among the others."""
    found = []
    for holder in holders:
        segment = snapshot.segments[holder.segment].segment
        digest = segment.contents[holder.document].tobytes().hex()
        found += [
            (snapshot.order_of(row, digest), row, digest, holder)
            for row in rows_of(snapshot, holder.segment, holder.document)
        ]
    found.sort(key=lambda item: item[0])
    others = found[wanted:]
    if claim is not None and others:
        firsts: dict[Hashable, int] = {}
        for said, at in snapshot.claims(np.array([row for _, row, *_ in others], np.int64), claim):
            firsts[said] = min(firsts.get(said, at), at)
        others = [others[at] for at in sorted(firsts.values())]
    else:
        others = []
    sources = []
    for _, row, digest, holder in found[:wanted] + others:
        raw = raw_of(snapshot.segments[holder.segment].segment, holder.document)
        first, last = 1 + raw.count(b"\n", 0, holder.start), 1 + raw.count(b"\n", 0, holder.end)
        sources.append(Source(f"swh:1:cnt:{digest}", Kind.NEAR, snapshot.origin(row), first, last))
    return tuple(sources)


def _canonical(raw: bytes) -> int:
    return len(raw.translate(None, SPACE))
