"""Verification: every checksum of every file of the live Segments.

In: the directory of an index. Out: what is wrong, each with file, section and offset. It changes nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from codecite.indexer.errors import CodeciteError
from codecite.indexer.kernels.segment import CONTENT
from codecite.indexer.store.manifest import Manifest, read_manifest, read_sealed, segment_directory
from codecite.indexer.store.scanoss import files_of
from codecite.indexer.store.section import Section
from codecite.indexer.store.segment import ARRAYS, GUARDED, NEAR_GUARDED, REST, Segment

_NEAR = (name for number, name in NEAR_GUARDED.items() if number != CONTENT)
FILES = (*(f"{name}.npy" for name in ARRAYS), *GUARDED.values(), *_NEAR, *REST, "origins.arrow", "packages.arrow")
"""The sections of a Segment."""


@dataclass(frozen=True, slots=True)
class VerifyResult:
    """How much was walked, and one sentence for each thing wrong."""

    files: int
    bytes: int
    problems: tuple[str, ...]


def verify(directory: Path) -> VerifyResult:
    """Hold all blocks against their checksums, and each Segment against the manifest.

    Raises IndexMissingError, IndexCorruptError and IndexVersionError where the manifest itself cannot be read.
    """
    while True:
        manifest = read_manifest(directory)
        result = _walk(directory, manifest)
        # A writer may have published another generation meanwhile, and cleared this one away.
        if not result.problems or read_manifest(directory).generation == manifest.generation:
            return result


def _walk(directory: Path, manifest: Manifest) -> VerifyResult:
    problems: list[str] = []
    files = size = 0
    files += 1
    size += (directory / "manifest.json").stat().st_size
    if manifest.takedowns:
        path = directory / manifest.takedowns
        files += 1
        try:
            read_sealed(path)
            size += path.stat().st_size
        except FileNotFoundError:
            problems.append(f"{path}: the index lacks this file; take the same out again with 'codecite index remove'")
        except CodeciteError as error:
            problems.append(str(error))
    for entry in manifest.segments:
        place = segment_directory(directory, entry.name)
        sound = True
        for name in (*FILES, *files_of(manifest), *([entry.removed] if entry.removed else [])):
            try:
                section = Section(place / name)
                found = section.problems()
                files += 1
                size += section.length
            except CodeciteError as error:
                found = [str(error)]
            problems += found
            sound = sound and not found
        if sound:
            try:
                Segment(directory, entry)
            except CodeciteError as error:
                problems.append(str(error))
    return VerifyResult(files, size, tuple(problems))
