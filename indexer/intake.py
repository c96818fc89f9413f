"""Units in, read files out: loading on all cores, and units that enter whole or not at all.

In: Units (`corpus/units.py`). Out: for each unit that was read to its end, its files, one by one as a `Keeper` made
Origins of them. It refuses to know how a source is read, and what an Origin is.

Every unit being read has a frame, which gathers what was made of its files until it is over; then the frame hands
that to the frame of the unit around it, or, if that keeps each of its parts for itself, on. A frame that breaks takes
with it what it gathered. Files are loaded in threads, some ahead of the reader, so a frame is over when the last of
them is in.
"""

from __future__ import annotations

import hashlib
from collections import deque
from collections.abc import Callable, Iterable
from concurrent.futures import Executor, Future
from dataclasses import dataclass, field
from typing import Protocol

from codecite.indexer.corpus.units import Item, Pending, Unit
from codecite.indexer.errors import SourceError
from codecite.indexer.records import Package, Skipped, SkipReason, SourceFile
from codecite.indexer.store.origins import NewOrigin

_CHUNK_FILES = 32
_CHUNK_BYTES = 1 << 20
_AHEAD_BYTES = 64 << 20
_AHEAD_CHUNKS = 32

Read = tuple[SourceFile, bytes] | Skipped | SourceError
"""A file with the SHA-1 of its git blob; or why there is none."""


class Keeper(Protocol):
    """What keeps the files. All its methods are called by the thread that reads."""

    def is_known(self, package: Package) -> bool:
        """Whether a Package was read to its end before, and need not be read again."""

    def refused(self, package: Package) -> Skipped | None:
        """Why no file of a Package may be kept; None if it may."""

    def unchanged(self, files: list[tuple[Package, Pending]]) -> list[bool]:
        """Which files are in already, by their stamps."""

    def take(self, package: Package, file: SourceFile, digest: bytes, stamp: int) -> NewOrigin | None:
        """Keep the content of a file; its Origin, if that is new."""

    def skip(self, package: Package, file: Skipped) -> None:
        """Note a file that is not kept."""

    def fail(self, package: Package, error: SourceError) -> None:
        """Note a unit that could not be read."""

    def commit(self, origins: list[NewOrigin]) -> None:
        """Keep Origins for good."""

    def complete(self, package: Package) -> None:
        """Note that a Package was read to its end, everything in it included."""


@dataclass(slots=True)
class _Frame:
    """A unit that is being read: what it waits for, and what was made of its files.

    Of one that is `refused` no file is kept; a unit inside it is a Package of its own.
    """

    unit: Unit
    around: _Frame | None
    refused: bool
    waiting: int = 1
    sound: bool = True
    broken: bool = False
    origins: list[NewOrigin] = field(default_factory=list)
    skipped: list[Skipped] = field(default_factory=list)
    inside: list[Package] = field(default_factory=list)

    @property
    def lost(self) -> bool:
        """Whether it, or a unit around it that is whole or nothing, broke."""
        frame: _Frame | None = self
        while frame is not None:
            if frame.broken and frame.unit.whole:
                return True
            frame = frame.around
        return False


class Intake:
    """Reads units, and gives what is in them to a Keeper."""

    def __init__(
        self, keeper: Keeper, executor: Executor, second: Callable[[SourceFile], SourceFile] | None = None
    ) -> None:
        """`second` adds to what was read of a file; it is called in threads."""
        self._keeper = keeper
        self._executor = executor
        self._second = second
        self._chunk: list[tuple[_Frame, Pending]] = []
        self._chunk_bytes = 0
        self._running: deque[tuple[Future[list[Read]], list[tuple[_Frame, Pending]], int]] = deque()
        self._ahead = 0

    def read(self, units: Iterable[Unit]) -> None:
        """Read all units to their ends."""
        for unit in units:
            self._unit(unit, None)
        self._dispatch()
        while self._running:
            self._collect()

    def _unit(self, unit: Unit, around: _Frame | None) -> None:
        if unit.package.fingerprint is not None and self._keeper.is_known(unit.package):
            return
        refused = self._keeper.refused(unit.package)
        if refused is not None:
            self._keeper.skip(unit.package, refused)
        frame = _Frame(unit, around, refused is not None)
        if around is not None:
            around.waiting += 1
        try:
            for item in unit.files():
                self._item(frame, item)
        except SourceError as error:
            self._break(frame, error)
        self._arrived(frame)

    def _item(self, frame: _Frame, item: Item) -> None:
        if frame.refused and not isinstance(item, (Unit, SourceError)):
            return
        if isinstance(item, Pending):
            frame.waiting += 1
            self._chunk.append((frame, item))
            self._chunk_bytes += item.size
            if len(self._chunk) >= _CHUNK_FILES or self._chunk_bytes >= _CHUNK_BYTES:
                self._dispatch()
        elif isinstance(item, Unit):
            self._unit(item, frame)
        elif isinstance(item, SourceError):
            self._fail(frame, item)
        else:
            self._place(frame, _hashed(item, self._second), 0)

    def _dispatch(self) -> None:
        """Hand the files gathered to a thread, but for those that are in already."""
        chunk = self._chunk
        size, self._chunk, self._chunk_bytes = self._chunk_bytes, [], 0
        if any(pending.stamp for _, pending in chunk):
            known = self._keeper.unchanged([(frame.unit.package, pending) for frame, pending in chunk])
            for (frame, _), same in zip(chunk, known, strict=True):
                if same:
                    self._arrived(frame)
            chunk = [pair for pair, same in zip(chunk, known, strict=True) if not same]
        if not chunk:
            return
        self._running.append(
            (self._executor.submit(_load, [pending for _, pending in chunk], self._second), chunk, size)
        )
        self._ahead += size
        while self._ahead > _AHEAD_BYTES or len(self._running) > _AHEAD_CHUNKS:
            self._collect()

    def _collect(self) -> None:
        """Take in the files that were handed to a thread first."""
        future, chunk, size = self._running.popleft()
        self._ahead -= size
        for (frame, pending), read in zip(chunk, future.result(), strict=True):
            if isinstance(read, SourceError):
                self._break(frame, read)
            elif not frame.lost:
                self._place(frame, read, pending.stamp)
            self._arrived(frame)

    def _place(self, frame: _Frame, read: tuple[SourceFile, bytes] | Skipped, stamp: int) -> None:
        if isinstance(read, Skipped):
            if frame.unit.whole:
                frame.skipped.append(read)
            else:
                self._keeper.skip(frame.unit.package, read)
            return
        origin = self._keeper.take(frame.unit.package, *read, stamp)
        if origin is not None:
            frame.origins.append(origin)
            if not frame.unit.whole:
                self._hand_on(frame)

    def _break(self, frame: _Frame, error: SourceError) -> None:
        if not frame.broken:
            frame.broken = True
            self._fail(frame, error)

    def _fail(self, frame: _Frame, error: SourceError) -> None:
        self._keeper.fail(frame.unit.package, error)
        around: _Frame | None = frame
        while around is not None:
            around.sound = False
            around = around.around

    def _arrived(self, frame: _Frame | None) -> None:
        """One thing less that a frame waits for; the last one ends it."""
        while frame is not None:
            frame.waiting -= 1
            if frame.waiting:
                return
            for skipped in frame.skipped:
                self._keeper.skip(frame.unit.package, skipped)
            if not (frame.broken and frame.unit.whole):
                if frame.sound and not frame.refused and frame.unit.package.fingerprint is not None:
                    frame.inside.append(frame.unit.package)
                self._hand_on(frame)
            frame = frame.around

    def _hand_on(self, frame: _Frame) -> None:
        """What a frame gathered goes to the frames around it that are whole or nothing, else to the Keeper."""
        around = frame.around
        while around is not None and not around.unit.whole:
            around = around.around
        if around is None:
            self._keeper.commit(frame.origins)
            for package in frame.inside:
                self._keeper.complete(package)
        else:
            around.origins += frame.origins
            around.inside += frame.inside
        frame.origins, frame.inside = [], []


def _hashed(
    item: SourceFile | Skipped, second: Callable[[SourceFile], SourceFile] | None
) -> tuple[SourceFile, bytes] | Skipped:
    if isinstance(item, Skipped):
        return item
    if not item.content:
        return Skipped(item.path, SkipReason.EMPTY)
    digest = hashlib.sha1(b"blob %d\0" % len(item.content), usedforsecurity=False)
    digest.update(item.content)
    return second(item) if second else item, digest.digest()


def _load(files: list[Pending], second: Callable[[SourceFile], SourceFile] | None) -> list[Read]:
    """What a thread does with some files."""
    found: list[Read] = []
    for pending in files:
        try:
            found.append(_hashed(pending.load(), second))
        except SourceError as error:
            found.append(error)
    return found
