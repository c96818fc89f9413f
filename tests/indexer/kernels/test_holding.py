"""Who holds many spans, and what that adds up to, agrees with plain Python."""

from __future__ import annotations

import hashlib
import tempfile
from dataclasses import dataclass
from pathlib import Path
from unittest.mock import patch

import numpy as np
import twins
from hypothesis import given, settings
from hypothesis import strategies as st
from oracle.library import build
from oracle.reading import Place
from oracle.repeats import diverging, documents, ruled, seeds

from codecite.indexer.config import GUARANTEE, KGRAM, WINDOW
from codecite.indexer.kernels.found import Query
from codecite.indexer.kernels.holders import Origins
from codecite.indexer.kernels.holding import count_origins, tally
from codecite.indexer.kernels.licensed import Licensed
from codecite.indexer.kernels.query import analyze, assign_runs
from codecite.indexer.kernels.winnow import CHUNK
from codecite.indexer.lookup.lists import Lists
from codecite.indexer.store import frequent
from codecite.indexer.store.snapshot import Snapshot


@dataclass(frozen=True)
class Case:
    """Documents with their licences and Origins, the project of each Origin, and which Documents hold each span."""

    licenses: list[list[int]]
    origins: list[list[int]]
    project: list[int]
    spans: list[list[int]]


@st.composite
def cases(draw: st.DrawFn) -> Case:
    """A few Documents and spans; projects that coincide, and whose hashes fall on the same places of a table."""
    licenses = draw(st.lists(st.sets(st.integers(0, 4), min_size=1).map(sorted), min_size=1, max_size=12))
    sizes = [draw(st.integers(0, 4)) for _ in licenses]
    rows = iter(draw(st.permutations(range(sum(sizes)))))
    origins = [[next(rows) for _ in range(size)] for size in sizes]
    values = st.integers(0, 9).map(lambda i: i << 20) | st.integers(0, 5).map(lambda i: i * 2) | st.integers(0, 2**62)
    project = draw(st.lists(values.map(lambda i: 2 * i + 1), min_size=sum(sizes), max_size=sum(sizes)))
    holders = st.sets(st.integers(0, len(licenses) - 1)).map(sorted)
    return Case(licenses, origins, project, draw(st.lists(holders, max_size=5)))


def bounds(lists: list[list[int]]) -> list[int]:
    """Where each of the lists begins in all of them, one after the other."""
    return np.cumsum([0, *map(len, lists)]).tolist()


def flat(lists: list[list[int]]) -> list[int]:
    """The lists, one after the other."""
    return [item for found in lists for item in found]


@given(cases(), st.integers(1, 12), st.integers(0, 2))
def test_documents_licenses_and_projects_are_counted(case: Case, cap: int, turns: int) -> None:
    """For each span over several Segments, and projects exactly until there are more than the cap."""
    licensed = Licensed(
        np.array(bounds(case.licenses), np.int64), np.array(flat(case.licenses), np.uint32), np.empty(0, np.int32)
    )
    owned = np.array(bounds(case.origins), np.uint32)
    origins = Origins(owned, np.array(flat(case.origins), np.int64), np.array(case.project, np.uint64))
    parts = [[held[turn :: turns + 1] for held in case.spans] for turn in range(turns + 1)]
    columns = [(np.array(flat(part), np.int64), np.array(bounds(part), np.int64)) for part in parts]
    sizes = np.zeros(len(case.spans), np.int64)
    for found, ends in columns:
        count_origins(found, ends, owned, sizes)
    assert sizes.tolist() == [sum(len(case.origins[document]) for document in held) for held in case.spans]
    room = [1 << min(size, cap + 1).bit_length() for size in sizes.tolist()]
    tables = np.cumsum([0, *room])
    projects = np.zeros(tables[-1], np.uint64)
    counts, used = np.zeros((len(case.spans), 5), np.int64), np.full((len(case.spans), 5), -1, np.int64)
    totals = np.zeros((3, len(case.spans)), np.int64)
    for found, ends in columns:
        tally(found, ends, licensed, origins, cap, counts, used, projects, tables, totals)
    names = [[case.project[row] for row in rows] for rows in case.origins]
    for span, held in enumerate(case.spans):
        expected, under, met = twins.sums(held, case.licenses, names, cap)
        assert totals[:, span].tolist() == [expected, met, len(under)]
        assert {int(number): int(counts[span, number]) for number in used[span, : totals[2, span]]} == under


def taken_apart(text: bytes) -> tuple[Query, np.ndarray]:
    """The fingerprints, minima and runs of a canonical text, and the hashes of its minima."""
    canonical = np.frombuffer(bytearray(text), np.uint8)
    room = len(text) - KGRAM + 2
    positions, windows, begins = np.empty((3, room), np.int64)
    hashes, runs = np.empty(room, np.uint64), np.empty((3, room), np.int64)
    minima, count = analyze(canonical, positions, hashes, windows, begins, np.empty(CHUNK + WINDOW, np.uint64), runs)
    positions = positions[: begins[minima]]
    runs = np.ascontiguousarray(runs[:, :count][:, np.argsort(runs[0, :count], kind="stable")])
    run_of, first_of = np.empty((2, len(positions)), np.int64)
    assign_runs(positions, begins[: minima + 1], runs[0], runs[1], run_of, first_of)
    columns = positions, begins[: minima + 1], windows[: minima + 1], run_of, first_of
    return Query(canonical, *columns, *runs), hashes[:minima]


@st.composite
def asked(draw: st.DrawFn, raw: list[bytes]) -> tuple[bytes, list[tuple[int, int]]]:
    """A text of pieces of Documents, and spans of it that somebody may hold."""
    canonical = [twins.canonical(content) for content in raw]
    text = b""
    spans = []
    for _ in range(draw(st.integers(1, 4))):
        content = draw(st.sampled_from(canonical))
        first = draw(st.integers(0, max(0, len(content) - GUARANTEE)))
        piece = content[first : draw(st.integers(first + GUARANTEE, first + 3 * GUARANTEE))]
        start, end = len(text), len(text) + len(piece)
        text += piece + draw(st.sampled_from([b"", b"?", b"own"]))
        spans += [(start, end), (start + draw(st.integers(0, 30)), end - draw(st.integers(0, 30)))]
    text += b"." * max(0, GUARANTEE - len(text))
    start = draw(st.integers(0, len(text) - GUARANTEE))
    spans.append((start, draw(st.integers(start + GUARANTEE, len(text)))))
    return text, [span for span in spans if span[1] - span[0] >= GUARANTEE]


@settings(max_examples=max(1, settings().max_examples * 40 // 100))
@given(documents() | ruled().map(lambda ruler: ruler[0].raw), st.integers(1, 3) | st.just(128), seeds, st.data())
def test_documents_that_hold_a_span_are_found(
    raw: list[bytes], least: int, seed: int | None, data: st.DataObject
) -> None:
    """Each once with the first place there, whether the lists are frequent or rare; and its white spaces there."""
    text, spans = data.draw(asked(raw))
    query, hashes = taken_apart(text)
    with tempfile.TemporaryDirectory() as directory, patch.object(frequent, "LEAST", least), diverging(seed):
        index = Path(directory) / "index"
        build(index, [(content, [Place()]) for content in raw])
        opened = Snapshot(index).segments[0]
        lists = Lists(opened, query, hashes)
        lists.begin()
        held = lists.hold(np.array(spans, np.int64).T.copy())
        lists.close()
        of = {hashlib.sha1(b"blob %d\0" % len(content) + content).digest(): content for content in raw}
        stored = [of[digest.tobytes()] for digest in opened.segment.contents]
        starts = opened.segment.arrays.document_canonical
    for number, (start, end) in enumerate(spans):
        found, places, leaders = (column.tolist() for column in held.of(number))
        local = [int(place - starts[document]) for document, place in zip(found, places, strict=True)]
        assert dict(zip(found, local, strict=True)) == twins.holding(stored, text[start:end])
        assert len(set(found)) == len(found)
        spaced = {passage(stored, starts, place, end - start) for place in places}
        assert {passage(stored, starts, place, end - start) for place in leaders} == spaced


def passage(stored: list[bytes], starts: np.ndarray, place: int, length: int) -> bytes:
    """The raw text of a passage that begins at a canonical place of the Segment."""
    owner = int(np.searchsorted(starts, place, side="right")) - 1
    offsets = [offset for offset, _ in twins.places(stored[owner])]
    first = place - int(starts[owner])
    return stored[owner][offsets[first] : offsets[first + length - 1] + 1]
