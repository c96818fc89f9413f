"""Passages to Matches: ids, offsets in the text as received, nesting, counts under their caps.

In: a Snapshot and a CheckedText. Out: Matches with their sources. It refuses to know of policies and JSON.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence

import numpy as np

from codecite.indexer.config import IndexConfig
from codecite.indexer.lookup.exact import Held, Passage
from codecite.indexer.lookup.sources import Claim, find_sources
from codecite.indexer.records import Counts, Kind, Match, Source
from codecite.indexer.store.snapshot import Snapshot
from codecite.indexer.text.checked import CheckedText


def find_matches(
    snapshot: Snapshot,
    text: CheckedText,
    passages: Sequence[Passage],
    sources: int,
    more: Callable[[Counts], int] = lambda counts: 0,
    least: int = 0,
    claim: Claim | None = None,
) -> list[tuple[Match, tuple[Source, ...]]]:
    """The Matches of the passages of a text, in their order, each with its first `sources` sources.

    Those with `least` bytes in the text get as many as `more` says of their counts, if that is more, the rest of them
    without their places; where it wants any and there are others, the first of each `claim` come last.
    """
    if not passages:
        return []
    positions = sorted({place for passage in passages for place in (passage.start, passage.end - 1)})
    offsets, lines, points = (column.tolist() for column in text.place(positions))
    place = dict(zip(positions, zip(offsets, lines, points, strict=True), strict=True))
    ends = text.code_points(np.array([offset + 1 for offset in offsets], np.int64)).tolist()
    end_point = dict(zip(positions, ends, strict=True))
    index = snapshot.manifest.id
    made = []
    around: list[tuple[int, int, str]] = []
    known: dict[tuple[int, bytes] | None, tuple[Kind, tuple[Source, ...]]] = {}
    for passage in passages:
        first, line, point = place[passage.start]
        last, end_line, _ = place[passage.end - 1]
        raw = text.raw[first : last + 1]
        inside = min(passage.end, text.end) - max(passage.start, text.begin)
        counts = counts_of(passage.held, snapshot.manifest.config)
        seen = more(counts) if inside >= least else 0
        wanted = max(sources, seen)
        key = (seen, raw.tobytes()) if passage.searched == passage.span else None
        answer = known.get(key)
        if answer is None:
            answer = find_sources(snapshot, passage, raw, sources, wanted, claim if seen else None)
            if key is not None:
                known[key] = answer
        kind, found = answer
        end = end_point[passage.end - 1]
        match = Match(
            id=match_id(index, kind, point, end, text.canonical[passage.start : passage.end].data),
            within=_within(passage, around),
            index=index,
            start=point,
            end=end,
            byte_start=first,
            byte_end=last + 1,
            canonical_start=passage.start,
            canonical_end=passage.end,
            start_line=line,
            end_line=end_line,
            length=passage.end - passage.start,
            bytes_in_text=inside,
            kind=kind,
            counts=counts,
        )
        around.append((passage.start, passage.end, match.id))
        made.append((match, found))
    return made


def match_id(index: str, kind: Kind, start: int, end: int, canonical: bytes | memoryview) -> str:
    """The id of a Match: of the index, how it agrees, its code points and its canonical text."""
    digest = hashlib.sha256(f"{index}\0{kind}\0{start}\0{end}\0".encode())
    digest.update(canonical)
    return digest.hexdigest()[:16]


def counts_of(held: Held, config: IndexConfig) -> Counts:
    """How common a passage is, under the caps."""
    cap = config.count_cap
    return Counts(
        documents=min(held.documents, cap),
        documents_capped=held.documents > cap,
        projects=min(held.projects, cap),
        projects_capped=held.projects > cap,
        licenses={name: min(count, cap) for name, count in held.licenses.items()},
        licenses_capped=any(count > cap for count in held.licenses.values()),
        common=held.projects > config.common_projects,
    )


def _within(passage: Passage, around: list[tuple[int, int, str]]) -> str | None:
    """The id of the smallest passage around this one, the leftmost of equals.

    `around` holds the passages before it, by start; those that end before this one begins are dropped from it.
    """
    around[:] = [item for item in around if item[1] > passage.start]
    holding = [item for item in around if item[1] >= passage.end]
    return min(holding, key=lambda item: item[1] - item[0])[2] if holding else None
