"""Figures of an index: licences, the evidence for them, languages and sizes.

In: an opened Snapshot. Out: counts. It refuses to know how they are shown.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pyarrow as pa

from codecite.indexer.kernels.types import Ints
from codecite.indexer.records import EvidenceKind, LicenseEvidence
from codecite.indexer.store.manifest import Manifest, segment_directory
from codecite.indexer.store.segment import Segment
from codecite.indexer.store.snapshot import Snapshot
from codecite.indexer.store.tables import evidence_from_json, numbers_of

_KINDS = (*map(str, EvidenceKind), "none")


def licenses_of(snapshot: Snapshot) -> dict[str, int]:
    """How many Documents stand under each expression, most first."""
    counts = np.zeros(len(snapshot.expressions), np.int64)
    for opened in snapshot.segments:
        counts += np.bincount(opened.licensed.numbers, minlength=len(counts))
    return _ranked(dict(zip(snapshot.expressions, counts.tolist(), strict=True)))


def groups_of(snapshot: Snapshot, group: Callable[[str], str]) -> dict[str, int]:
    """How many Documents stand under an expression of each group, most first; each counts once in a group."""
    names: dict[str, int] = {}
    of_expression = np.array([names.setdefault(group(text), len(names)) for text in snapshot.expressions], np.int64)
    counts = np.zeros(len(names), np.int64)
    for opened in snapshot.segments:
        licensed = opened.licensed
        owners = np.repeat(np.arange(len(licensed.bounds) - 1), np.diff(licensed.bounds))
        pairs = np.unique(owners * len(names) + of_expression[licensed.numbers]) if len(names) else owners
        counts += np.bincount(pairs % max(1, len(names)), minlength=len(names))
    return _ranked(dict(zip(names, counts.tolist(), strict=True)))


def languages_of(snapshot: Snapshot) -> dict[str, int]:
    """How many live Origins are in each language, most first; those in none are left out."""
    counts = Counter[str]()
    for opened in snapshot.segments:
        column = opened.segment.columns["language"]
        numbers = np.bincount(numbers_of(column.indices)[opened.segment.live], minlength=len(column.dictionary))
        counts.update(dict(zip(column.dictionary.to_pylist(), numbers.tolist(), strict=True)))
    return _ranked({language: number for language, number in counts.items() if language})


def evidence_of(snapshot: Snapshot) -> dict[str, int]:
    """How many live Origins have their licence from each kind of evidence, strongest first; `none` comes last."""
    counts = np.zeros(len(_KINDS), np.int64)
    for opened in snapshot.segments:
        counts += np.bincount(_strongest(opened.segment)[opened.segment.live], minlength=len(_KINDS))
    return {kind: number for kind, number in zip(_KINDS, counts.tolist(), strict=True) if number}


def _strongest(segment: Segment) -> Ints:
    """For each Origin the number of the strongest kind of evidence that states a licence."""
    column = segment.columns["evidence"]
    own = np.array([_kind(evidence_from_json(text.as_py())) for text in column.dictionary], np.int64)
    of_package = np.array([_kind(evidence_from_json(text.as_py())) for text in segment.packages["evidence"]], np.int64)
    if not len(column):
        return np.empty(0, np.int64)
    return np.minimum(own[numbers_of(column.indices)], of_package[segment.origin_package])


def _kind(evidence: tuple[LicenseEvidence, ...]) -> int:
    return min((_KINDS.index(item.kind) for item in evidence if item.expression), default=len(_KINDS) - 1)


def _ranked(counts: dict[str, int]) -> dict[str, int]:
    ranked = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
    return {name: number for name, number in ranked if number}


def packages_of(snapshot: Snapshot) -> int:
    """How many Packages there are files of; one that has rows in several Segments counts once."""
    fields = ("source", "purl", "repository", "revision", "url")
    found: set[tuple[str | None, ...]] = set()
    for opened in snapshot.segments:
        held = pa.array(np.unique(opened.segment.origin_package))
        found.update(zip(*(opened.segment.packages[name].take(held).to_pylist() for name in fields), strict=True))
    return len(found)


def size_on_disk(directory: Path, manifest: Manifest) -> int:
    """The bytes of all files of the live Segments, of the lexical index and of the manifest."""
    size = (directory / "manifest.json").stat().st_size
    for entry in manifest.segments:
        size += sum(path.stat().st_size for path in segment_directory(directory, entry.name).iterdir())
    if manifest.lexical is not None:
        size += sum(path.stat().st_size for path in (directory / manifest.lexical[0]).iterdir())
    return size
