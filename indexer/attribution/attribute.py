"""Passages to Attributions: ids, offsets, kinds and the first sources.

In: the Passages of one Snapshot, in the text they were found in. Out: Attributions. It refuses to know how passages
are found and what a policy says of them.
"""

from __future__ import annotations

import hashlib

import numpy as np

from codecite.indexer.config import IndexConfig
from codecite.indexer.kernels.holders import first_origins
from codecite.indexer.kernels.segment import place_passage
from codecite.indexer.kernels.types import Bytes
from codecite.indexer.lookup.exact import Passage
from codecite.indexer.records import Attribution, Counts, Kind, Match, Source
from codecite.indexer.store.snapshot import Snapshot
from codecite.indexer.text.checked import CheckedText


def attribute(snapshot: Snapshot, text: CheckedText, passages: list[Passage], sources: int) -> list[Attribution]:
    """The Attributions of the passages, in their order, each with its first `sources` Origins."""
    if not passages:
        return []
    positions = sorted({place for passage in passages for place in (passage.start, passage.end - 1)})
    offsets, lines, points = (column.tolist() for column in text.place(positions))
    place = dict(zip(positions, zip(offsets, lines, points, strict=True), strict=True))
    ends = text.code_points(np.array([offset + 1 for offset in offsets], np.int64)).tolist()
    end_point = dict(zip(positions, ends, strict=True))
    index = snapshot.manifest.id
    made: list[Attribution] = []
    around: list[tuple[int, int, str]] = []
    for passage in passages:
        first, line, point = place[passage.start]
        last, end_line, _ = place[passage.end - 1]
        raw = text.raw[first : last + 1]
        kind, found = _sources(snapshot, passage, raw, sources)
        end = end_point[passage.end - 1]
        digest = hashlib.sha256(f"{index}\0{kind}\0{point}\0{end}\0".encode())
        digest.update(text.canonical[passage.start : passage.end])
        match = Match(
            id=digest.hexdigest()[:16],
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
            bytes_in_text=min(passage.end, text.end) - max(passage.start, text.begin),
            kind=kind,
            counts=_counts(passage, snapshot.manifest.config),
        )
        around.append((passage.start, passage.end, match.id))
        made.append(Attribution(match, found))
    return made


def _counts(passage: Passage, config: IndexConfig) -> Counts:
    cap = config.count_cap
    return Counts(
        documents=min(passage.documents, cap),
        documents_capped=passage.documents > cap,
        projects=min(passage.projects, cap),
        projects_capped=passage.projects > cap,
        licenses={name: min(count, cap) for name, count in passage.licenses.items()},
        licenses_capped=any(count > cap for count in passage.licenses.values()),
        common=passage.projects > config.common_projects,
    )


def _within(passage: Passage, around: list[tuple[int, int, str]]) -> str | None:
    """The id of the smallest passage around this one, the leftmost of equals; those around it came before it."""
    best: tuple[int, int, str] | None = None
    for start, end, name in around:
        if start <= passage.start and end >= passage.end and (best is None or end - start < best[1] - best[0]):
            best = start, end, name
    return best[2] if best else None


def _sources(snapshot: Snapshot, passage: Passage, raw: Bytes, wanted: int) -> tuple[Kind, tuple[Source, ...]]:
    """The strongest kind over all holders, and the first Origins in the total order with the kind of each."""
    candidates: list[tuple[tuple[str, str, str, str], int, str, int, int, int]] = []
    offset = passage.start - passage.searched[0]
    length = passage.end - passage.start
    rows = np.empty(max(wanted, 1), np.int64)
    owners = np.empty(max(wanted, 1), np.int64)
    for number, documents, places in passage.holders:
        opened = snapshot.segments[number]
        for first, rank in snapshot.ranks(number):
            count = first_origins(documents, opened.origins, first, rank, rows, owners)
            for row, owner in zip(rows[:count].tolist(), owners[:count].tolist(), strict=True):
                document = int(documents[owner])
                swhid = f"swh:1:cnt:{opened.segment.contents[document].tobytes().hex()}"
                order = snapshot.order_of(row, swhid)
                candidates.append((order, row, swhid, number, document, int(places[owner]) + offset))
    candidates.sort()
    kinds: dict[tuple[int, int], tuple[Kind, int, int]] = {}
    lines = np.empty(2, np.int64)

    def place(number: int, document: int, start: int) -> tuple[Kind, int, int]:
        known = kinds.get((number, document))
        if known is None:
            opened = snapshot.segments[number]
            scratch = opened.take_scratch()
            same = place_passage(opened.segment.arrays, scratch, document, start, length, raw, lines)
            opened.scratches.append(scratch)
            kind = Kind.VERBATIM if same else Kind.REFORMATTED
            known = kinds[number, document] = kind, int(lines[0]), int(lines[1])
        return known

    found = []
    for _, row, swhid, number, document, start in candidates[:wanted]:
        kind, first, last = place(number, document, start)
        found.append(Source(swhid, kind, snapshot.origin(row), first, last))
    strongest = Kind.REFORMATTED
    if any(source.kind is Kind.VERBATIM for source in found):
        strongest = Kind.VERBATIM
    else:
        for number, documents, places in passage.holders:
            for document, start in zip(documents.tolist(), places.tolist(), strict=True):
                if place(number, document, start + offset)[0] is Kind.VERBATIM:
                    strongest = Kind.VERBATIM
                    break
    return strongest, tuple(found)
