"""Some Documents with their Origins -> a small Snapshot of them, as if an embedded index held nothing else.

In: contents, Origins, a manifest. Out: a Snapshot in memory; its files are gone as soon as it is open. It refuses to
know where they come from. What lookups say of Documents is then said by the very code that an embedded index runs.
"""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Executor, Future
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from codecite.indexer.fingerprint.batch import fingerprint_batch
from codecite.indexer.making import project_name
from codecite.indexer.records import Package
from codecite.indexer.store.content import BlockCompressor
from codecite.indexer.store.manifest import Manifest
from codecite.indexer.store.origins import NewOrigin, OriginRows
from codecite.indexer.store.snapshot import Snapshot
from codecite.indexer.store.tables import package_columns
from codecite.indexer.store.writer import SegmentWriter

_BATCH = 16 << 20
_MEMORY = Path("/dev/shm")
_NAME = "found"


class _Here(Executor):
    """Runs everything at once, in this thread: the Segments made here are small."""

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        done: Future[Any] = Future()
        try:
            done.set_result(fn(*args, **kwargs))
        except Exception as error:  # noqa: BLE001 - whatever it is, the future holds it
            done.set_exception(error)
        return done


def snapshot_of(
    manifest: Manifest, contents: Mapping[bytes, bytes], origins: Sequence[NewOrigin], *, exact_only: bool
) -> Snapshot:
    """A Snapshot of Documents (raw bytes by SHA-1) and their Origins. With `exact_only` it knows nothing of tokens."""
    digests = list(contents)
    if not digests:
        return Snapshot(Path(), replace(manifest, segments=()))
    numbers = {digest: number for number, digest in enumerate(digests)}
    packages: dict[Package, int] = {}
    rows = OriginRows()
    for origin in origins:
        rows.append(origin, packages.setdefault(origin.package, len(packages)), numbers[origin.digest])
    columns = rows.columns(
        len(digests), package_columns(list(packages), map(project_name, packages), [None] * len(packages))
    )
    directory = Path(tempfile.mkdtemp(prefix="codecite-", dir=_MEMORY if _MEMORY.is_dir() else None))
    try:
        (directory / "segments").mkdir()
        compressor = BlockCompressor(b"")
        writer = SegmentWriter(directory / "segments" / _NAME)
        begin = 0
        while begin < len(digests):
            end, size = begin, 0
            while end < len(digests) and (end == begin or size < _BATCH):
                size += len(contents[digests[end]])
                end += 1
            some = [contents[digest] for digest in digests[begin:end]]
            raw = np.frombuffer(b"".join(some), np.uint8)
            sizes = np.array([len(content) for content in some], np.int64)
            prints = fingerprint_batch(raw, np.cumsum(sizes), exact_only=exact_only)
            writer.add(compressor.compress(raw), prints, sizes)
            begin = end
        names = np.frombuffer(b"".join(digests), np.uint8).reshape(-1, 20)
        entry = writer.finish(compressor.dictionary, names, columns, _Here())
        return Snapshot(directory, replace(manifest, segments=(entry,)))
    finally:
        shutil.rmtree(directory, ignore_errors=True)
