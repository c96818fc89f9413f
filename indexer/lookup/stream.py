"""A text that grows, piece by piece: which part of it has to be looked at next, and what that look means.

In: pieces, as bytes; then, for the part that was `wanted`, the passages that stand in it. Out: which passages have
opened, grown and closed. It does no I/O and refuses to know what a passage is looked up in.

Why a part is enough. A passage that the new bytes touch and that is not one of those that reached the end of what was
looked at before (the open ones) had fewer than T bytes there: it begins among the last T - 1 canonical bytes of that.
So from there on, or from the first open passage on, every passage that can still change stands whole in the part, and
what ends before the new bytes is as it was. While no passage is open, each piece is looked at (in some .1 ms), so that
a passage is told of with the piece that completes its T bytes. Of an open passage of n bytes a look is made when 48
canonical bytes are new and n / 8 are: so all looks together cost no more than a constant times one look at the whole.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from codecite.indexer.config import GUARANTEE

LOOK = 48
"""Canonical bytes that are new when the next look is due, while a passage is open."""

_GROWTH = 8
SPACE = b"\t\n\v\f\r "
"""What canonical text is without."""

_SLACK = 8
"""Bytes that a passage may have lost at its begin to whole code points, and some."""

Key = tuple[str, int]
"""A passage that may grow: the index it was found in, and the byte at which it begins."""


class State(StrEnum):
    """What has become of a passage."""

    OPENED = "opened"
    GROWN = "grown"
    CLOSED = "closed"


@dataclass(frozen=True, slots=True)
class Seen:
    """A passage as a look has found it: byte offsets in the whole text; `open` if it reaches the end of the look."""

    key: Key
    end: int
    open: bool


class GrowingText:
    """`before` and the text behind it, which grows. Offsets are bytes of both.

    `looked` is where the last look ended. No more than `patience` canonical bytes are left without a look. A look is
    wide enough to see again whole what ended up to `behind` bytes before the last one.
    """

    def __init__(self, before: bytes = b"", patience: int | None = None, behind: int = 0) -> None:
        self.raw = bytearray(before)
        self.begin = len(before)
        self.looked = 0
        self._open: dict[Key, int] = {}
        self._recent: dict[Key, int] = {}
        self._patience = patience
        self._due = LOOK if patience is None else min(LOOK, patience)
        self._behind = behind
        self._new = 0
        self._margin = 0

    def feed(self, piece: bytes) -> bool:
        """Add to the text; whether a look is due."""
        self.raw += piece
        self._new += _canonical(piece)
        if self._new < (self._due if self._open else 1):
            return False
        longest = max((end - begin for (_, begin), end in self._open.items()), default=0)
        return self._new * _GROWTH >= longest or (self._patience is not None and self._new >= self._patience)

    def wanted(self, *, last: bool = False) -> tuple[int, int]:
        """The part to look at. Half a code point at its end is left for later, unless this is the `last`."""
        start = min((begin for _, begin in (*self._open, *self._recent)), default=self._margin)
        start = max(0, start - _SLACK)
        while start and self.raw[start] & 0xC0 == 0x80:
            start -= 1
        return start, len(self.raw) if last else _whole(self.raw)

    def took(self, end: int, seen: Iterable[Seen]) -> list[tuple[State, Seen]]:
        """Take in what a look up to `end` has found; what has become of the passages, in their order."""
        changes: list[tuple[State, Seen]] = []
        known, self._open, self._recent = self._open, {}, {}
        for passage in seen:
            if self._behind and passage.end > end - self._behind:
                self._recent[passage.key] = passage.end
            if passage.end < known.get(passage.key, self.looked + 1):
                continue
            if passage.open:
                changes.append((State.GROWN if passage.key in known else State.OPENED, passage))
                self._open[passage.key] = passage.end
            else:
                changes.append((State.CLOSED, passage))
        self.looked = end
        self._new = _canonical(self.raw[end:])
        self._margin = _back(self.raw, end, GUARANTEE - 1)
        return changes

    @property
    def undecided(self) -> int:
        """From here on the text may belong to a passage that is too short yet to be one."""
        return self._margin

    def cut(self, length: int) -> None:
        """Take the text back to so many bytes; the next look is at all of it."""
        del self.raw[length:]
        self._open, self._recent = {}, {}
        self.looked = self._margin = 0
        self._new = _canonical(self.raw[self.begin :])


def _canonical(raw: bytes | bytearray) -> int:
    return len(raw.translate(None, SPACE))


def _back(raw: bytearray, end: int, count: int) -> int:
    """An offset behind which, up to `end`, stand at least `count` canonical bytes, and hardly more; else 0."""
    size = count
    while size < end and (missing := count - _canonical(raw[end - size : end])) > 0:
        size += missing
    return max(0, end - size)


def _whole(raw: bytearray) -> int:
    """Where the last whole code point ends."""
    end = len(raw)
    for back in range(1, min(4, end) + 1):
        lead = raw[end - back]
        if lead & 0xC0 != 0x80:
            need = 4 if lead >= 0xF0 else 3 if lead >= 0xE0 else 2 if lead >= 0xC0 else 1
            return end - back if need > back else end
    return end
