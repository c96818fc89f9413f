"""Merging: whatever Segments become one, in whatever order, nothing that is live is lost and nothing else stays."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import lz4.block
import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from oracle.library import reader

from codecite.indexer import making, open_index, upkeep
from codecite.indexer.build import add
from codecite.indexer.config import BLOCK
from codecite.indexer.corpus.units import Unit
from codecite.indexer.errors import IndexCorruptError
from codecite.indexer.records import EvidenceKind, LicenseEvidence, Package, SourceFile
from codecite.indexer.store import merge as merging
from codecite.indexer.store import spool
from codecite.indexer.store.manifest import Manifest, publish, read_manifest, segment_directory
from codecite.indexer.store.merge import Part, merge
from codecite.indexer.store.section import read_array, write_array
from codecite.indexer.store.snapshot import Snapshot
from codecite.indexer.store.verify import verify


def code(number: int, lines: int) -> bytes:
    """Lines that no other number has."""
    return b"".join(b"def f_%d_%d(value):\n\treturn value + %d\n" % (number, i, i * number) for i in range(lines))


SHARED = code(1, 3)
POOL = [
    code(2, 4) + SHARED,
    b"x",
    SHARED + code(3, 200),
    b" \n\t" * 5,
    code(4, 80)[:BLOCK],
    code(5, 2),
    np.random.default_rng(0).integers(0, 256, 5000, np.uint8).tobytes(),
    code(6, 90)[: BLOCK + 1] + SHARED,
    b"-" * 300,
    code(7, 30),
]
LICENSES = ["MIT", "GPL-3.0-only", None]
DICTIONARIES = [b"", code(3, 30), code(6, 30)]
QUERY = b"\n#\n".join([*POOL[:6], POOL[7], b"-" * 170, code(7, 30)[100:900]])


def package(number: int) -> Package:
    """One of some Packages, of three licences; every other one has a fingerprint."""
    license = LICENSES[number % 3]
    evidence = LicenseEvidence(EvidenceKind.PACKAGE_METADATA, license, "License", license or "")
    fingerprint = f"f{number}" if number % 2 else None
    return Package("source", f"pkg:pypi/p{number}@1", evidence=(evidence,) * bool(license), fingerprint=fingerprint)


@dataclass(frozen=True)
class Addition:
    """One Segment: Origins (a Document of the pool, its Package), its dictionary, whether it keeps all known bits."""

    origins: Sequence[tuple[int, int]]
    dictionary: int = 0
    rest: bool = True


def build(directory: Path, additions: Sequence[Addition]) -> Manifest:
    """An index with a Segment for each addition."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(upkeep, "due", lambda entries: None)
        patch.setattr(making, "_dictionary", lambda directory, manifest: (b"", 0))
        for turn, addition in enumerate(additions):
            patch.setattr(making, "train_dictionary", lambda samples, at=addition.dictionary: DICTIONARIES[at])
            patch.setattr(spool, "KNOWN_BITS", 40 if addition.rest else 65)
            units = []
            for number in sorted({number for _, number in addition.origins}):
                chosen = [document for document, other in addition.origins if other == number]
                files = [SourceFile(f"{turn}/{i}.py", POOL[document]) for i, document in enumerate(chosen)]
                units.append(Unit(package(number), reader(files)))
            empty = Unit(Package("none", fingerprint=f"e{turn}"), reader([]))
            add(directory, units or [empty])
    return read_manifest(directory)


def without(directory: Path, manifest: Manifest, removed: Sequence[bool]) -> Manifest:
    """A generation without some of the Origins, flagged in their order."""
    entries, flags = [], iter(removed)
    for entry in manifest.segments:
        rows = [row for row in range(entry.origins) if next(flags, False)]
        write_array(segment_directory(directory, entry.name) / "removed-9.npy", np.array(rows, np.uint32))
        entries.append(replace(entry, removed="removed-9.npy" if rows else None))
    return replace(manifest, generation=manifest.generation + 1, segments=tuple(entries))


def merged(directory: Path, manifest: Manifest, group: Sequence[int]) -> Manifest:
    """A generation in which the group of Segments, in this order, is one, at the end of the others."""
    snapshot = Snapshot(directory, manifest)
    parts = [
        Part(opened.segment, opened.live, opened.segment.live) for opened in map(snapshot.segments.__getitem__, group)
    ]
    name = f"merged{manifest.generation}"
    with ThreadPoolExecutor(2) as executor:
        entry = merge(segment_directory(directory, name), parts, executor)
    others = [entry for i, entry in enumerate(manifest.segments) if i not in group]
    return replace(manifest, generation=manifest.generation + 1, segments=(*others, entry))


def live_origins(directory: Path, manifest: Manifest) -> list[Any]:
    """All that is stored of the live Origins."""
    found = []
    for opened in Snapshot(directory, manifest).segments:
        segment = opened.segment
        digests = [row.tobytes() for row in (*segment.contents, *segment.foreign)]
        rows = pa.table(segment.columns).to_pylist()
        for number, row in enumerate(rows):
            if segment.live[number]:
                del row["rank"]
                held, of = digests[row.pop("document")], replace(segment.package(row.pop("package")), fingerprint=None)
                found.append((row.pop("key"), held, of, row))
    return sorted(found, key=lambda item: item[0])


def live_documents(directory: Path, manifest: Manifest) -> set[bytes]:
    """The raw bytes of the Documents that are live, each decoded by a public library."""
    found = []
    for entry, opened in zip(manifest.segments, Snapshot(directory, manifest).segments, strict=True):
        decoded = documents(segment_directory(directory, entry.name))
        found += [raw for raw, live in zip(decoded, opened.live, strict=True) if live]
    assert len(found) == len(set(found))
    return set(found)


def documents(place: Path) -> list[bytes]:
    """The raw bytes of all Documents of a Segment."""
    dictionary = read_array(place / "dictionary.npy").tobytes()
    offsets, starts, canonical, lines = read_array(place / "blocks.npy").tolist()
    packed, raw = (place / "content.lz4").read_bytes(), b""
    for i in range(len(offsets) - 1):
        size = starts[i + 1] - starts[i]
        assert 0 < size <= BLOCK
        block = packed[offsets[i] : offsets[i + 1]]
        raw += lz4.block.decompress(block, uncompressed_size=size, dict=dictionary)
        assert canonical[i + 1] == len(b"".join(raw.split()).translate(None, b"\x0b"))
        assert lines[i + 1] == raw.count(b"\n")
    bounds = read_array(place / "documents.npy")[0].tolist()
    return [raw[a:b] for a, b in itertools.pairwise(bounds)]


def answer(directory: Path, manifest: Manifest) -> list[Any]:
    """What the index says of a text that holds passages of all Documents, without ids."""
    publish(directory, manifest)
    matches = open_index(directory).check(QUERY, sources=50).to_dict()["matches"]
    spans = {match["id"]: (match["start"], match["end"]) for match in matches}
    for match in matches:
        match["within"] = spans.get(match["within"])
        del match["id"]
    return matches  # type: ignore[no-any-return]


def holds(directory: Path, before: Manifest, group: Sequence[int]) -> Manifest:
    """Merge, and hold what is there then against what was there before."""
    expected = answer(directory, before)
    origins, contents = live_origins(directory, before), live_documents(directory, before)
    after = merged(directory, before, group)
    assert live_origins(directory, after) == origins
    assert live_documents(directory, after) == contents
    assert answer(directory, after) == expected
    assert verify(directory).problems == ()
    assert Snapshot(directory, after).segments[-1].live.all(), "a Document that nothing names was kept"
    return after


additions = st.lists(
    st.builds(
        Addition,
        st.lists(st.tuples(st.integers(0, len(POOL) - 1), st.integers(0, 5)), max_size=6),
        st.sampled_from([0, 1, 1, 1, 2]),
        st.sampled_from([True, True, False]),
    ),
    min_size=1,
    max_size=4,
)


@settings(max_examples=settings().max_examples * 2 // 5)
@given(additions, st.lists(st.sampled_from([False, False, True]), max_size=24), st.data())
def test_any_segments_in_any_order_answer_as_before(
    chosen: list[Addition], removed: list[bool], data: st.DataObject
) -> None:
    """Empty ones, of several dictionaries, with Origins removed and Documents that stand in others; then the rest."""
    with TemporaryDirectory() as name, pytest.MonkeyPatch.context() as patch:
        patch.setattr(merging, "_PIECE", 3 * BLOCK)
        patch.setattr(merging, "_RUN", 2 * BLOCK)
        directory = Path(name)
        manifest = without(directory, build(directory, chosen), removed)
        count = len(manifest.segments)
        group = data.draw(st.lists(st.integers(0, count - 1), min_size=1, max_size=count, unique=True))
        manifest = holds(directory, manifest, group)
        holds(directory, manifest, data.draw(st.permutations(range(len(manifest.segments)))))


@settings(max_examples=settings().max_examples // 4)
@given(additions, st.lists(st.sampled_from([False, False, True]), max_size=24))
def test_all_segments_merged_hold_the_postings_of_one_build(chosen: list[Addition], removed: list[bool]) -> None:
    """To the bit, where enough of the hashes is known."""
    with TemporaryDirectory() as name:
        directory = Path(name)
        before = without(directory, build(directory, chosen), removed)
        after = merged(directory, before, range(len(before.segments)))
        place = segment_directory(directory, after.segments[-1].name)
        files = [SourceFile(f"{i}.py", raw) for i, raw in enumerate(documents(place))]
        add(directory / "once", [Unit(Package("once", fingerprint="o"), reader(files))])
        (once,) = (directory / "once" / "segments").iterdir()
        whole = all(item.rest or not item.origins for item in chosen)
        for part in ("buckets", "tags", "positions", "rest", "documents", "contents"):
            one, other = read_array(place / f"{part}.npy"), read_array(once / f"{part}.npy")
            if part != "rest" or whole:
                np.testing.assert_array_equal(one, other, strict=True)


def test_hashes_of_which_little_is_known_get_larger_buckets(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Twenty-four bits tell 256 buckets and a tag; a Segment that knows more is cut to the least that is known."""
    sizes = {}
    for rest in (True, False):
        directory = tmp_path / str(rest)
        manifest = build(directory, [Addition([(2, 1), (6, 1)], rest=rest), Addition([(7, 2), (0, 2)])])
        monkeypatch.setattr(spool, "_PER_BUCKET", 1)
        after = holds(directory, manifest, [1, 0])
        monkeypatch.undo()
        assert after.segments[-1].postings > 512
        place = segment_directory(directory, after.segments[-1].name)
        sizes[rest] = len(read_array(place / "buckets.npy")) - 1, len(read_array(place / "rest.npy"))
    assert sizes[True] == (1024, after.segments[-1].postings)
    assert sizes[False] == (256, 0)


@pytest.mark.parametrize("dictionary", [0, 1, 2])
def test_documents_may_go_at_every_place(tmp_path: Path, dictionary: int) -> None:
    """The first, the last, all, and those that share blocks with what stays; blocks are copied or made anew."""
    chosen = [7, 2, 5, 4, 6]
    manifest = build(tmp_path, [Addition([(document, 0) for document in chosen], 1), Addition([(9, 0)], dictionary)])
    for dead in itertools.product([False, True], repeat=len(chosen)):
        before = without(tmp_path, manifest, dead)
        after = merged(tmp_path, before, [0, 1])
        place = segment_directory(tmp_path, after.segments[-1].name)
        kept = [POOL[document] for document, gone in zip(chosen, dead, strict=True) if not gone]
        assert documents(place) == [*kept, POOL[9]]
        assert answer(tmp_path, before) == answer(tmp_path, after)
        for path in place.iterdir():
            path.unlink()
        place.rmdir()


@pytest.mark.parametrize("name", ["content.lz4", "buckets.npy", "tags.npy", "positions.npy", "rest.npy"])
def test_damage_is_not_copied(tmp_path: Path, name: str) -> None:
    """What a merge reads it checks first, and names."""
    manifest = build(tmp_path, [Addition([(2, 1), (6, 1), (7, 1)]), Addition([(4, 2)])])
    snapshot = Snapshot(tmp_path, manifest)
    path = segment_directory(tmp_path, manifest.segments[0].name) / name
    whole = bytearray(path.read_bytes())
    whole[200] ^= 1
    path.write_bytes(whole)
    parts = [Part(opened.segment, opened.live, opened.segment.live) for opened in snapshot.segments]
    with ThreadPoolExecutor(2) as executor, pytest.raises(IndexCorruptError, match=rf"{name}: at byte 0: "):
        merge(segment_directory(tmp_path, "merged"), parts, executor)
