"""Looking after an index: merging its Segments, and taking Origins out of it for good.

In: the directory of an index. Out: a new generation of it. It refuses to know how sources are read and how Segments are
laid out.
"""

from __future__ import annotations

import os
import time
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import Executor, ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from uuid import uuid4

import numpy as np

from codecite.indexer.errors import IndexMissingError
from codecite.indexer.kernels.types import Flags
from codecite.indexer.records import Package
from codecite.indexer.store.lexical import anew
from codecite.indexer.store.manifest import (
    Manifest,
    SegmentEntry,
    publish,
    read_manifest,
    read_sealed,
    remove_left_overs,
    segment_directory,
    write_sealed,
    writing,
)
from codecite.indexer.store.merge import Part, merge
from codecite.indexer.store.scanoss import with_scanoss
from codecite.indexer.store.section import write_array
from codecite.indexer.store.segment import Segment
from codecite.indexer.store.snapshot import Snapshot
from codecite.indexer.store.statistics import size_on_disk
from codecite.indexer.store.takedowns import Takedown, Takedowns
from codecite.indexer.store.tiers import due, packed


@dataclass(frozen=True, slots=True)
class CompactResult:
    """What `compact` did. Sizes are bytes on the disk; `erased` counts Documents that no Origin was left of."""

    generation: int
    segments_before: int
    segments: int
    bytes_before: int
    bytes: int
    erased: int
    seconds: float


@dataclass(frozen=True, slots=True)
class RemoveResult:
    """What `remove` takes out, or would: `packages` counts the Origins of each project, most first.

    `documents` are no longer found; `kept` are still, at other Origins. `rules` are those that were not known yet.
    """

    generation: int
    rules: tuple[Takedown, ...]
    origins: int
    documents: int
    kept: int
    packages: Mapping[str, int]
    seconds: float


@dataclass(frozen=True, slots=True)
class Selected:
    """What rules would take out: how many Origins, Documents that would no longer be found, and others that would.

    `files` are the first Origins of them, each its path, the purl or repository of its Package, and its SWHID.
    """

    origins: int
    documents: int
    kept: int
    files: tuple[tuple[str, str, str], ...]


def compact(directory: Path) -> CompactResult:
    """Merge all Segments into as few as hold them, and erase what was removed: no byte of it stays.

    Raises IndexMissingError, IndexLockedError, IndexWriteError, IndexVersionError, IndexCorruptError.
    """
    began = time.monotonic()
    manifest = read_manifest(directory)
    with writing(directory):
        manifest = read_manifest(directory)
        remove_left_overs(directory, manifest)
        before = size_on_disk(directory, manifest)
        snapshot = Snapshot(directory, manifest)
        erased = sum(int(np.count_nonzero(~opened.live)) for opened in snapshot.segments)
        groups = [
            group
            for group in packed(manifest.segments)
            if manifest.unerased or len(group) > 1 or not snapshot.segments[group[0]].live.all()
        ]
        count = len(manifest.segments)
        if groups:
            with ThreadPoolExecutor(os.cpu_count() or 1) as executor:
                manifest = _merged(directory, manifest, snapshot, groups, executor, erasing=manifest.unerased)
        after = size_on_disk(directory, manifest)
    seconds = time.monotonic() - began
    return CompactResult(manifest.generation, count, len(manifest.segments), before, after, erased, seconds)


def merge_due(directory: Path, manifest: Manifest, executor: Executor) -> Manifest:
    """Merge for as long as a tier of Segments is full; the one writer of the index calls it."""
    while True:
        group = due(manifest.segments)
        if group is None:
            return manifest
        manifest = _merged(directory, manifest, Snapshot(directory, manifest), [group], executor)


def _merged(
    directory: Path,
    manifest: Manifest,
    snapshot: Snapshot,
    groups: Sequence[Sequence[int]],
    executor: Executor,
    *,
    erasing: bool = False,
) -> Manifest:
    """Publish a generation in which each group of Segments is one; `erasing`, when they are all of them, for good."""
    entries: list[SegmentEntry | None] = list(manifest.segments)
    for group in groups:
        parts = [
            Part(opened.segment, opened.live, opened.segment.live)
            for opened in map(snapshot.segments.__getitem__, group)
        ]
        entry = merge(segment_directory(directory, uuid4().hex[:16]), parts, executor, afresh=erasing)
        if manifest.scanoss:
            with_scanoss(directory, manifest, [entry], executor)
        for number in group:
            entries[number] = None
        if entry.documents or entry.origins or entry.packages:
            entries[group[0]] = entry
    kept = tuple(entry for entry in entries if entry is not None)
    following = manifest.following(kept, manifest.sources, manifest.takedowns)
    following = replace(following, unerased=manifest.unerased and not erasing)
    if erasing and following.lexical is not None:
        following = anew(directory, following, executor)
    publish(directory, following)
    remove_left_overs(directory, following)
    return following


def remove(directory: Path, rules: Iterable[Takedown], *, dry_run: bool = False) -> RemoveResult:
    """Take out every Origin that a rule hides, and remember the rules: what they hide is not added again.

    What was taken out is not found from this generation on; `compact` erases it. A dry run only
    says what would go. Raises as `compact` does.
    """
    began = time.monotonic()
    manifest = read_manifest(directory)
    if dry_run:
        return _removal(directory, manifest, tuple(rules), began)[0]
    with writing(directory):
        manifest = read_manifest(directory)
        remove_left_overs(directory, manifest)
        result, takedowns, gone = _removal(directory, manifest, tuple(rules), began)
        if not result.rules and not result.origins:
            return result
        name = f"takedowns-{manifest.generation + 1}.json"
        write_sealed(directory / name, takedowns.to_json())
        manifest = without(directory, manifest, gone, name)
    return replace(result, generation=manifest.generation, seconds=time.monotonic() - began)


def takedowns_in_force(directory: Path) -> int:
    """How many rules the latest generation has, whichever is open; writers may publish others meanwhile."""
    while True:
        manifest = read_manifest(directory)
        try:
            return len(read_takedowns(directory, manifest).rules)
        except IndexMissingError:
            if read_manifest(directory).generation == manifest.generation:
                raise


def selected(directory: Path, rules: Iterable[Takedown], limit: int) -> Selected:
    """What `remove` would take out, with at most `limit` of the files; nothing is written, no lock is asked for.

    Raises as `read_manifest` does.
    """
    takedowns = Takedowns(rules)
    snapshot = Snapshot(directory, read_manifest(directory))
    touched: list[Flags] = []
    files: list[tuple[str, str, str]] = []
    for opened in snapshot.segments:
        segment = opened.segment
        hidden = segment.live & _hidden(segment, takedowns)
        touched.append(hidden)
        for row in np.flatnonzero(hidden)[: limit - len(files)].tolist():
            package, document = segment.package_of(row)[0], int(segment.origin_document[row])
            own = document < len(segment.contents)
            digest = segment.contents[document] if own else segment.foreign[document - len(segment.contents)]
            place = package.purl or package.repository or ""
            files.append((segment.path_of(row), place, f"swh:1:cnt:{digest.tobytes().hex()}"))
    documents, kept = _documents(snapshot, touched)
    return Selected(sum(int(np.count_nonzero(flags)) for flags in touched), documents, kept, tuple(files))


def remove_packages(directory: Path, gone: Callable[[Package], bool]) -> Manifest:
    """Take out every Origin in some Packages; they may be added again. `compact` erases it."""
    with writing(directory):
        manifest = read_manifest(directory)
        remove_left_overs(directory, manifest)
        flags = []
        for opened in Snapshot(directory, manifest).segments:
            segment = opened.segment
            count = len(segment.packages["source"])
            hidden = np.array([gone(segment.package(i)) for i in range(count)], bool)
            flags.append(~segment.live | (hidden[segment.origin_package] if count else False))
        return without(directory, manifest, flags, manifest.takedowns)


def without(directory: Path, manifest: Manifest, gone: Sequence[Flags], takedowns: str | None) -> Manifest:
    """Publish a generation without the Origins flagged in `gone`, an array for each Segment."""
    entries = []
    for entry, flags in zip(manifest.segments, gone, strict=True):
        if flags.any():
            place = segment_directory(directory, entry.name)
            entry = replace(entry, removed=f"removed-{manifest.generation + 1}.npy")
            write_array(place / str(entry.removed), np.flatnonzero(flags).astype(np.uint32))
        entries.append(entry)
    following = manifest.following(tuple(entries), manifest.sources, takedowns)
    sources = tuple(sorted(Snapshot(directory, following).sources))
    following = replace(following, sources=sources, unerased=True)
    publish(directory, following)
    remove_left_overs(directory, following)
    return following


def read_takedowns(directory: Path, manifest: Manifest) -> Takedowns:
    """What must not be in this index."""
    if manifest.takedowns is None:
        return Takedowns(())
    try:
        return Takedowns.from_json(read_sealed(directory / manifest.takedowns))
    except FileNotFoundError:
        raise IndexMissingError(
            f"{directory / manifest.takedowns}: the index lacks this file, which says what must not be in it; "
            "restore it from a copy, or build the index again"
        ) from None


def _removal(
    directory: Path, manifest: Manifest, rules: tuple[Takedown, ...], began: float
) -> tuple[RemoveResult, Takedowns, list[Flags]]:
    """What the rules take out: the result, all takedowns then, and for each Segment which Origins are out then."""
    before = read_takedowns(directory, manifest)
    takedowns = before.merged(rules)
    new = tuple(rule for rule in dict.fromkeys(rules) if rule not in before.rules)
    snapshot = Snapshot(directory, manifest)
    gone, packages = [], Counter[str]()
    origins = 0
    touched: list[Flags] = []
    for opened in snapshot.segments:
        live = opened.segment.live
        hidden = live & _hidden(opened.segment, takedowns)
        origins += int(np.count_nonzero(hidden))
        numbers, counts = np.unique(opened.segment.origin_package[hidden], return_counts=True)
        for number, count in zip(numbers.tolist(), counts.tolist(), strict=True):
            packages[opened.segment.packages["project"][number].as_py()] += count
        touched.append(hidden)
        gone.append(~live | hidden)
    documents, kept = _documents(snapshot, touched)
    result = RemoveResult(
        manifest.generation, new, origins, documents, kept, dict(packages.most_common()), time.monotonic() - began
    )
    return result, takedowns, gone


def _hidden(segment: Segment, takedowns: Takedowns) -> Flags:
    """Which Origins of a Segment a takedown hides."""
    count = len(segment.packages["source"])
    packages = np.array([takedowns.hides_package(segment.package(i)) is not None for i in range(count)], bool)
    hidden = packages[segment.origin_package] if count else np.zeros(0, bool)
    digests = np.concatenate([segment.contents, segment.foreign])
    if takedowns.contents:
        flags = np.array([takedowns.hides_content(digest.tobytes()) is not None for digest in digests], bool)
        hidden = hidden | flags[segment.origin_document]
    if takedowns.paths:
        rows = np.flatnonzero(~hidden)
        flags = np.array([takedowns.hides_path(segment.path_of(row)) is not None for row in rows.tolist()], bool)
        hidden[rows] = flags
    return hidden


def _documents(snapshot: Snapshot, hidden: Sequence[Flags]) -> tuple[int, int]:
    """How many Documents lose all their live Origins, and how many only some."""
    flags = np.concatenate([np.zeros(0, bool), *hidden])
    lost = kept = 0
    for opened in snapshot.segments:
        bounds = opened.origins.bounds.astype(np.int64)
        gone = np.concatenate([[0], np.cumsum(flags[opened.origins.rows])])
        per = gone[bounds[1:]] - gone[bounds[:-1]]
        all_of = (per == np.diff(bounds)) & (per > 0)
        lost += int(np.count_nonzero(all_of))
        kept += int(np.count_nonzero((per > 0) & ~all_of))
    return lost, kept
