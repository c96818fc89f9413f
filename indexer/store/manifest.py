"""The manifest: which Segments are live. Publishing is replacing this one file.

In: the directory of an index. Out: a Manifest; from a Manifest, the published index. It refuses to know what is in
a Segment.

    manifest.json       what this module writes
    lock                held by the one writer
    takedowns-G.json    what must not be in the index (`takedowns.py`), as generation G left it
    segments/NAME/      one directory a Segment, with its `removed-G.npy`: the Origins that generation G took out of it

What the manifest does not name is a left-over of a killed writer, and the next writer removes it.
"""

from __future__ import annotations

import fcntl
import json
import os
import platform
import shutil
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import uuid4

import xxhash

from codecite.indexer.config import IndexConfig
from codecite.indexer.errors import (
    CodeciteError,
    ConfigError,
    IndexCorruptError,
    IndexLockedError,
    IndexMissingError,
    IndexVersionError,
    IndexWriteError,
)
from codecite.indexer.store.section import FORMAT

_NAME = "manifest.json"


@dataclass(frozen=True, slots=True)
class SegmentEntry:
    """A live Segment: its directory and how much it holds, removed or not; `removed` names the list of what is."""

    name: str
    documents: int
    origins: int
    packages: int
    postings: int
    bytes: int
    canonical_bytes: int
    removed: str | None = None


@dataclass(frozen=True, slots=True)
class Manifest:
    """What one generation of an index consists of. `unerased`: something of what was removed may be on the disk.

    `license_filter` says which licences the index may hold (`licenses/named.py`), None for any. `generated`: it is that
    of a ledger, and holds what this service generated. `lexical` is the folder of its lexical index, if it has one, and
    the number of the commit there. `scanoss`: its Segments have the sections of `scanoss.py`.
    """

    id: str
    generation: int
    built: str
    config: IndexConfig
    sources: tuple[str, ...] = ()
    segments: tuple[SegmentEntry, ...] = ()
    takedowns: str | None = None
    unerased: bool = False
    license_filter: str | None = None
    generated: bool = False
    lexical: tuple[str, int] | None = None
    scanoss: bool = False

    def following(self, segments: tuple[SegmentEntry, ...], sources: Iterable[str], takedowns: str | None) -> Manifest:
        """The next generation, built now."""
        built = datetime.now(UTC).isoformat(timespec="seconds")
        return replace(
            self,
            generation=self.generation + 1,
            built=built,
            sources=tuple(sorted(set(sources))),
            segments=segments,
            takedowns=takedowns,
        )


def new_manifest(config: IndexConfig) -> Manifest:
    """The manifest of an index that does not exist yet (generation 0)."""
    return Manifest(uuid4().hex, 0, "", config)


def segment_directory(directory: Path, name: str) -> Path:
    """Where a Segment of this index lies."""
    return directory / "segments" / name


def manifest_stamp(directory: Path) -> tuple[int, int, int] | None:
    """What changes when a generation is published; None where there is no manifest."""
    try:
        found = (directory / _NAME).stat()
    except OSError:
        return None
    return found.st_ino, found.st_mtime_ns, found.st_size


def read_manifest(directory: Path) -> Manifest:
    """The published manifest."""
    path = directory / _NAME
    try:
        fields = read_sealed(path)
    except (FileNotFoundError, NotADirectoryError):
        raise IndexMissingError(
            f"{directory}: there is no index here; make one with 'codecite index add SOURCE --index {directory}'"
        ) from None
    try:
        return Manifest(
            id=fields["id"],
            generation=fields["generation"],
            built=fields["built"],
            config=IndexConfig(**fields["config"]),
            sources=tuple(fields["sources"]),
            segments=tuple(SegmentEntry(**entry) for entry in fields["segments"]),
            takedowns=fields["takedowns"],
            unerased=fields["unerased"],
            license_filter=fields.get("license_filter"),
            generated=fields.get("generated", False),
            lexical=None if fields.get("lexical") is None else tuple(fields["lexical"]),
            scanoss=fields.get("scanoss", False),
        )
    except ConfigError as error:
        raise IndexVersionError(f"{path}: {error}; build the index again") from None
    except (KeyError, TypeError) as error:
        raise IndexCorruptError(f"{path}: lacks a field ({error}); build the index again") from None


def publish(directory: Path, manifest: Manifest) -> None:
    """Make `manifest` the live one: written beside, brought to the disk, then renamed over the old one."""
    beside = directory / (_NAME + ".new")
    write_sealed(beside, asdict(manifest))
    beside.replace(directory / _NAME)
    sync_directory(directory)


def _sealed(fields: dict[str, Any]) -> bytes:
    text = json.dumps(fields, indent=1)
    return json.dumps({**fields, "checksum": xxhash.xxh64_hexdigest(text.encode())}, indent=1).encode()


def write_sealed(path: Path, fields: dict[str, Any]) -> None:
    """Write a JSON object with its format and a checksum, and bring it to the disk."""
    with path.open("wb") as file:
        file.write(_sealed({"format": FORMAT, **fields}))
        file.flush()
        os.fsync(file.fileno())


def read_sealed(path: Path) -> dict[str, Any]:
    """Read what `write_sealed` wrote.

    Raises FileNotFoundError, IndexVersionError for another format, IndexCorruptError for a byte that is not as it was.
    """
    try:
        data = path.read_bytes()
        fields = json.loads(data)
    except (FileNotFoundError, NotADirectoryError):
        raise
    except OSError as error:
        raise IndexCorruptError(f"{path}: cannot be read ({error.strerror}); check its permissions") from None
    except ValueError as error:
        at = getattr(error, "pos", getattr(error, "start", 0))
        raise IndexCorruptError(f"{path}: at byte {at}: is not JSON ({error}); build the index again") from None
    if not isinstance(fields, dict) or not isinstance(fields.get("format"), str):
        raise IndexVersionError(f"{path}: names no format, this version reads {FORMAT}; build the index again")
    expected = _sealed({name: value for name, value in fields.items() if name != "checksum"})
    if data != expected and fields["format"] == FORMAT:
        raise IndexCorruptError(f"{path}: at byte 0: the file does not have its checksum; build the index again")
    if fields["format"] != FORMAT:
        raise IndexVersionError(
            f"{path}: written in format {fields['format']}, this version reads {FORMAT}; build the index again"
        )
    del fields["format"], fields["checksum"]
    return fields


def sync_directory(directory: Path) -> None:
    """Bring the names in a directory to the disk."""
    handle = os.open(directory, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


@contextmanager
def writing(directory: Path) -> Iterator[None]:
    """Be the one writer of an index.

    Raises IndexLockedError, with the holder's name, if another process is; IndexWriteError where the disk refuses.
    """
    try:
        (directory / "segments").mkdir(parents=True, exist_ok=True)
        handle = os.open(directory / "lock", os.O_RDWR | os.O_CREAT, 0o644)
    except OSError as error:
        raise IndexLockedError(f"{directory}: cannot be written to ({error.strerror}); give another --index") from None
    try:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            holder = os.read(handle, 200).decode("utf-8", "replace").strip() or "another process"
            raise IndexLockedError(
                f"{directory}: {holder} is writing to this index; wait until it is done and try again"
            ) from None
        try:
            os.ftruncate(handle, 0)
            os.write(handle, f"process {os.getpid()} on {platform.node()}".encode())
            try:
                yield
            except BaseException:
                _clear(directory)
                raise
            os.ftruncate(handle, 0)
        except OSError as error:
            place = f" at {error.filename}" if error.filename else ""
            raise IndexWriteError(
                f"{directory}: cannot be written ({error.strerror}{place}); what was published before is whole; "
                "make room and run it again"
            ) from error
    finally:
        os.close(handle)


def _clear(directory: Path) -> None:
    """Remove what a writer that fails leaves, as far as that can be done; the next one removes the rest."""
    with suppress(OSError, CodeciteError):
        try:
            manifest = read_manifest(directory)
        except IndexMissingError:
            manifest = new_manifest(IndexConfig())
        remove_left_overs(directory, manifest)


def remove_left_overs(directory: Path, manifest: Manifest) -> None:
    """Delete what the manifest does not name; only the writer may call this. A reader that has it open keeps it."""
    live = {entry.name: entry.removed for entry in manifest.segments}
    for path in (directory / "segments").iterdir():
        if path.name not in live:
            _delete(path)
            continue
        for removed in path.glob("removed-*"):
            if removed.name != live[path.name]:
                _delete(removed)
    (directory / (_NAME + ".new")).unlink(missing_ok=True)
    for path in directory.glob("lexical-*"):
        if manifest.lexical is None or path.name != manifest.lexical[0]:
            _delete(path)
    for path in directory.glob("takedowns-*"):
        if path.name != manifest.takedowns:
            _delete(path)


def _delete(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink()
