"""SCANOSS's fingerprints of a file (WFP) -> the Document that it is, or that shares the most of them.

In: a Snapshot; the lines of a WFP. Out: at most one Document, with the lines on either side. It refuses to know of the
protocol that these come by, and says nothing of a passage but that its hashes agree: a WFP has no text.

A file is a Document if its size and its MD5 are: that needs nothing but the Documents. A snippet is told by hashes,
if the index has them (`store/scanoss.py`). Hashes have 32 bits, so strangers are met: what counts is that some follow
each other in both files, at about the same distance.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from codecite.indexer.errors import TextError
from codecite.indexer.kernels.types import Array, Ints
from codecite.indexer.lookup.documents import find_document
from codecite.indexer.records import Source
from codecite.indexer.store.documents import raw_of
from codecite.indexer.store.scanoss import WfpReader
from codecite.indexer.store.snapshot import OpenSegment, Snapshot

LEAST_HITS = 4
"""Hashes that a snippet has at least, if nobody asks for another number."""
_LOOKED_AT = 64
"""Documents of a Segment of which the places are compared, those with the most hashes first."""
_GAP = 16
"""Lines between two hashes of one run, in the file."""
_DRIFT = 8
"""Lines by which their distances in the two files may differ."""

_HEAD = re.compile(r"file=([0-9a-f]{32}),(\d{1,12}),(.*)")
_LINE = re.compile(r"(\d{1,9})=([0-9a-f]{8}(?:,[0-9a-f]{8})*)")
_OTHER = re.compile(r"[a-z][a-z0-9_]*=.*")

Range = tuple[int, int]
"""A first and a last line."""


@dataclass(frozen=True, slots=True)
class WfpFile:
    """A file of a WFP: its path as it stands there, the MD5 and the size of its content, hashes with their lines."""

    path: str
    md5: str
    size: int
    hashes: tuple[int, ...]
    lines: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class WfpMatch:
    """The Document that a file is (`whole`), or that has `hits` of its hashes in the `ranges` of lines.

    `held` are the same ranges in the Document, `source` its first source, `origins` how many it has.
    """

    whole: bool
    md5: str
    source: Source
    origins: int
    hits: int
    ranges: tuple[Range, ...] = ()
    held: tuple[Range, ...] = ()


def parse_wfp(text: str) -> list[WfpFile]:
    """The files of a WFP. Raises TextError that names the line; fields of other kinds are passed over."""
    files: list[WfpFile] = []
    head: tuple[str, str, int] | None = None
    hashes: list[int] = []
    lines: list[int] = []

    def end() -> None:
        if head is not None:
            files.append(WfpFile(*head, tuple(hashes), tuple(lines)))

    for number, line in enumerate(text.split("\n"), start=1):
        line = line.rstrip("\r")
        found = _HEAD.fullmatch(line)
        if found:
            end()
            head, hashes, lines = (found[3], found[1], int(found[2])), [], []
            continue
        found = _LINE.fullmatch(line)
        if found and head is not None:
            told = [int(value, 16) for value in found[2].split(",")]
            hashes += told
            lines += [int(found[1])] * len(told)
        elif line and (head is None or not _OTHER.fullmatch(line)):
            raise TextError(f"WFP: line {number}: is neither file=MD5,SIZE,PATH nor LINE=HASH,...; {line[:40]!r}")
    end()
    return files


def find_wfp(snapshot: Snapshot, file: WfpFile, least_hits: int, least_lines: int) -> WfpMatch | None:
    """The Document that a file is, else the one that shares the most with it; None where there is none."""
    whole = _whole(snapshot, file)
    if whole is not None or not snapshot.manifest.scanoss or not file.hashes:
        return whole
    best: tuple[int, tuple[str, ...], bytes, list[tuple[Range, Range]]] | None = None
    for opened in snapshot.segments:
        for document, hits, runs in _shared(opened, file, least_hits):
            if sum(mine[1] - mine[0] + 1 for mine, _ in runs) < least_lines or (best is not None and hits < -best[0]):
                continue
            digest = opened.segment.contents[document].tobytes()
            begin, end = opened.origins.bounds[document : document + 2]
            order = min(snapshot.order_of(row, digest.hex()) for row in opened.origins.rows[begin:end].tolist())
            candidate = -hits, order, digest, runs
            best = candidate if best is None else min(best, candidate, key=lambda item: item[:2])
    if best is None:
        return None
    found = find_document(snapshot, best[2], 1)
    if found is None:
        return None
    md5 = hashlib.md5(found.content, usedforsecurity=False).hexdigest()
    mine, theirs = zip(*best[3], strict=True)
    return WfpMatch(False, md5, found.sources[0], found.origins, -best[0], mine, theirs)


def _whole(snapshot: Snapshot, file: WfpFile) -> WfpMatch | None:
    if not file.size:
        return None
    for opened in snapshot.segments:
        segment = opened.segment
        for document in np.flatnonzero((np.diff(segment.document_raw) == file.size) & opened.live).tolist():
            if hashlib.md5(raw_of(segment, document), usedforsecurity=False).hexdigest() == file.md5:
                found = find_document(snapshot, segment.contents[document].tobytes(), 1)
                if found is not None:
                    return WfpMatch(True, file.md5, found.sources[0], found.origins, len(file.hashes))
    return None


def _shared(
    opened: OpenSegment, file: WfpFile, least_hits: int
) -> Iterator[tuple[int, int, list[tuple[Range, Range]]]]:
    """The live Documents with so many hashes in runs: how many, and the lines of each run on either side."""
    reader = WfpReader(opened.segment)
    try:
        found = list(reader.places(sorted(set(file.hashes))))
    finally:
        reader.close()
    if not found:
        return
    values = np.repeat(np.array([value for value, _, _ in found], np.int64), [len(item[1]) for item in found])
    documents: Ints = np.concatenate([item[1] for item in found])
    lines: Ints = np.concatenate([item[2] for item in found])
    live = opened.live[documents]
    values, documents, lines = values[live], documents[live], lines[live]
    pairs = np.unique(np.stack([documents, values], axis=1), axis=0)
    held, counts = np.unique(pairs[:, 0], return_counts=True)
    order = np.argsort(-counts, kind="stable")[:_LOOKED_AT]
    for document, count in zip(held[order].tolist(), counts[order].tolist(), strict=True):
        if count < least_hits:
            break
        here = documents == document
        hits, runs = _runs(file, values[here], lines[here])
        if hits >= least_hits:
            yield document, hits, runs


def _runs(file: WfpFile, values: Array, lines: Array) -> tuple[int, list[tuple[Range, Range]]]:
    """How many hashes of a file follow each other in a Document as they do in it, and the lines of the runs."""
    by_value: dict[int, list[int]] = {}
    for value, line in zip(values.tolist(), lines.tolist(), strict=True):
        by_value.setdefault(value, []).append(line)
    runs: list[list[tuple[int, int]]] = []
    for value, line in zip(file.hashes, file.lines, strict=True):
        places = by_value.get(value)
        if places is None:
            continue
        previous = runs[-1][-1] if runs else None
        if previous is not None:
            shift = previous[1] - previous[0]
            place = min(places, key=lambda there: abs(there - line - shift))
            if line - previous[0] <= _GAP and abs(place - line - shift) <= _DRIFT and place >= previous[1]:
                runs[-1].append((line, place))
                continue
        runs.append([(line, places[0])])
    kept = [run for run in runs if len(run) > 1]
    return sum(map(len, kept)), [((run[0][0], run[-1][0]), (run[0][1], run[-1][1])) for run in kept]
