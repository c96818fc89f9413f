"""The manifest: which Segments are live. Publishing is replacing this one file.

In: the directory of an index. Out: a Manifest; from a Manifest, the published index. It refuses to know what is in
a Segment.

    manifest.json     what this module writes
    lock              held by the one writer
    segments/NAME/    one directory a Segment; those that no manifest names are left-overs of a killed writer
"""

from __future__ import annotations

import fcntl
import json
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from uuid import uuid4

from codecite.indexer.config import IndexConfig
from codecite.indexer.errors import (
    ConfigError,
    IndexCorruptError,
    IndexLockedError,
    IndexMissingError,
    IndexVersionError,
)
from codecite.indexer.store.section import FORMAT_VERSION

_NAME = "manifest.json"


@dataclass(frozen=True, slots=True)
class SegmentEntry:
    """A live Segment: its directory and how much it holds."""

    name: str
    documents: int
    origins: int
    packages: int
    postings: int
    bytes: int
    canonical_bytes: int


@dataclass(frozen=True, slots=True)
class Manifest:
    """What one generation of an index consists of."""

    id: str
    generation: int
    built: str
    config: IndexConfig
    sources: tuple[str, ...] = ()
    segments: tuple[SegmentEntry, ...] = ()

    def with_segments(self, entries: tuple[SegmentEntry, ...], sources: tuple[str, ...], built: str) -> Manifest:
        """The next generation: with more Segments, from more sources."""
        known = dict.fromkeys((*self.sources, *sources))
        return replace(
            self,
            generation=self.generation + 1,
            built=built,
            sources=tuple(known),
            segments=self.segments + entries,
        )


def new_manifest(config: IndexConfig) -> Manifest:
    """The manifest of an index that does not exist yet (generation 0)."""
    return Manifest(uuid4().hex, 0, "", config)


def segment_directory(directory: Path, name: str) -> Path:
    """Where a Segment of this index lies."""
    return directory / "segments" / name


def read_manifest(directory: Path) -> Manifest:
    """The published manifest."""
    path = directory / _NAME
    try:
        fields = json.loads(path.read_bytes())
    except (FileNotFoundError, NotADirectoryError):
        raise IndexMissingError(
            f"{directory}: there is no index here; make one with 'codecite index add SOURCE --index {directory}'"
        ) from None
    except OSError as error:
        raise IndexCorruptError(f"{path}: cannot be read ({error.strerror}); check its permissions") from None
    except ValueError as error:
        raise IndexCorruptError(f"{path}: is not JSON ({error}); build the index again") from None
    version = fields.get("format") if isinstance(fields, dict) else None
    if version != FORMAT_VERSION:
        raise IndexVersionError(
            f"{path}: written in format {version}, this version reads {FORMAT_VERSION}; build the index again"
        )
    try:
        return Manifest(
            id=fields["id"],
            generation=fields["generation"],
            built=fields["built"],
            config=IndexConfig(**fields["config"]),
            sources=tuple(fields["sources"]),
            segments=tuple(SegmentEntry(**entry) for entry in fields["segments"]),
        )
    except ConfigError as error:
        raise IndexVersionError(f"{path}: {error}; build the index again") from None
    except (KeyError, TypeError) as error:
        raise IndexCorruptError(f"{path}: lacks a field ({error}); build the index again") from None


def publish(directory: Path, manifest: Manifest) -> None:
    """Make `manifest` the live one: written beside, brought to the disk, then renamed over the old one."""
    fields = {"format": FORMAT_VERSION, **asdict(manifest)}
    beside = directory / (_NAME + ".new")
    with beside.open("w", encoding="utf-8") as file:
        json.dump(fields, file, indent=1)
        file.flush()
        os.fsync(file.fileno())
    beside.replace(directory / _NAME)
    sync_directory(directory)


def sync_directory(directory: Path) -> None:
    """Bring the names in a directory to the disk."""
    handle = os.open(directory, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


@contextmanager
def writing(directory: Path) -> Iterator[None]:
    """Be the one writer of an index; raises IndexLockedError if another process is."""
    try:
        (directory / "segments").mkdir(parents=True, exist_ok=True)
        handle = os.open(directory / "lock", os.O_RDWR | os.O_CREAT, 0o644)
    except OSError as error:
        raise IndexLockedError(f"{directory}: cannot be written to ({error.strerror}); give another --index") from None
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(handle)
        raise IndexLockedError(
            f"{directory}: another process is adding to this index; wait until it is done and try again"
        ) from None
    try:
        yield
    finally:
        os.close(handle)


def remove_left_overs(directory: Path, manifest: Manifest) -> None:
    """Delete the Segments that a killed writer left; only the writer may call this."""
    live = {entry.name for entry in manifest.segments}
    for path in (directory / "segments").iterdir():
        if path.name in live:
            continue
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)
        else:
            path.unlink()
