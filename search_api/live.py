"""An index that stays the latest: what was published since is opened beside it, and taken up without a pause.

In: an opened Index, questions. Out: answers, each from one generation. A request that has begun keeps the Index that it
began with. It refuses to know what is asked.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from codecite.indexer.errors import CodeciteError, IndexMissingError
from codecite.indexer.index import Index
from codecite.indexer.store.manifest import read_manifest

_LOG = logging.getLogger("codecite.server")
_LOOK = 0.05
"""Seconds between two looks at the manifests."""
_PATIENCE = 0.5
"""Seconds that the request which sees a new generation waits for it; all others are answered from the old one."""
_LONGEST = 10.0
"""Seconds that a request waits for the new generation whose coming has taken a file away from it."""
_AGAIN = 1.0
"""Seconds until the next try, where a generation could not be opened."""

T = TypeVar("T")
Stamp = tuple[int, int, int] | None


class LiveIndex:
    """The latest generation of an index. Threads share it."""

    def __init__(self, index: Index) -> None:
        self._index = index
        self._lock = threading.Lock()
        self._opened = threading.Event()
        self._opening = False
        self._next_look = 0.0
        self.refused = False
        """Whether what was published last could not be opened, so that an older generation answers."""
        stamps = self._stamps()
        self._known = stamps if self._is_latest() else None

    @property
    def current(self) -> Index:
        """The latest generation that is open."""
        now = time.monotonic()
        if now >= self._next_look:
            self._next_look = now + _LOOK
            if self._stamps() != self._known and self._begin():
                self._opened.wait(_PATIENCE)
        return self._index

    def answer(self, ask: Callable[[Index], T], index: Index | None = None) -> T:
        """What `ask` says of the index; asked again of the latest where a file of an older one is gone."""
        held = index or self.current
        while True:
            try:
                return ask(held)
            except (IndexMissingError, FileNotFoundError):
                latest = self._after(held)
                if latest is held:
                    raise
                held = latest

    def _after(self, held: Index) -> Index:
        """A later generation than `held`, waited for while there is one; else `held` itself."""
        end = time.monotonic() + _LONGEST
        while self._index is held and time.monotonic() < end:
            if self._stamps() == self._known and not self._opening:
                break
            self._begin()
            if self._opened.wait(_PATIENCE) and self._index is held:
                time.sleep(_LOOK)
        return self._index

    def _begin(self) -> bool:
        """Open the latest generation in a thread of its own; False where that is under way."""
        with self._lock:
            if self._opening:
                return False
            self._opening = True
            self._opened.clear()
        threading.Thread(target=self._open, name="codecite-open", daemon=True).start()
        return True

    def _open(self) -> None:
        try:
            stamps = self._stamps()
            opened = Index(self._index.directories)
            self._known, self._index, self.refused = stamps, opened, False
            generations = ", ".join(str(item.generation) for item in opened.coverage)
            _LOG.info("the index is at generation %s", generations, extra={"generation": generations})
        except (CodeciteError, OSError) as error:
            self._next_look, self.refused = time.monotonic() + _AGAIN, True
            _LOG.error("the new generation cannot be opened; the old one stays: %s", error)
        finally:
            with self._lock:
                self._opening = False
            self._opened.set()

    def _stamps(self) -> tuple[Stamp, ...]:
        return tuple(_stamp(directory / "manifest.json") for directory in self._index.directories)

    def _is_latest(self) -> bool:
        try:
            found = [read_manifest(directory).generation for directory in self._index.directories]
        except (CodeciteError, OSError):
            return False
        return found == [item.generation for item in self._index.coverage]


def _stamp(path: Path) -> Stamp:
    """What changes when another file takes its place."""
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_ino, found.st_mtime_ns, found.st_size
