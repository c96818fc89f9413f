"""A text checked while it is being written: pieces in, what becomes of its passages out, and at the end the Report.

In: pieces of a text, as str or bytes, cut anywhere. Out: Changes, and the Report that one check of the whole gives. It
puts `lookup/stream.py`, which says where to look, and the check of an Index together. The text is kept: so the Report
of `finish` is that of `check` by construction.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Protocol

from codecite.indexer.attribution.policy import Policy
from codecite.indexer.lookup.matches import match_id
from codecite.indexer.lookup.stream import SPACE, GrowingText, Seen, State
from codecite.indexer.records import Attribution, Report
from codecite.indexer.text.checked import encode

_AROUND = 2048
"""Bytes before a passage that its marks depend on (`attribution/marks.py`)."""

_LINE = 512
"""Bytes behind a passage, up to the end of its line, that its marks depend on."""


class Checks(Protocol):
    """What of an `Index` a StreamChecker calls."""

    def check(
        self, text: str | bytes, *, before: str | bytes, after: str | bytes, policy: Policy, sources: int
    ) -> Report:
        """The Report on a text in its context."""

    def look(self, part: Part, policy: Policy, sources: int) -> tuple[Attribution, ...]:
        """The passages of a part of a text that end where it is new."""


@dataclass(frozen=True, slots=True)
class Part:
    """A part of a text to be looked at, `raw`.

    Its first `context` bytes are there for the marks only, up to byte `own` goes what stands before the text itself,
    passages that end before byte `new` are not wanted.
    """

    raw: bytes
    context: int
    own: int
    new: int


@dataclass(frozen=True, slots=True)
class Change:
    """What has become of a passage; offsets are those of before + text."""

    state: State
    attribution: Attribution


@dataclass(frozen=True, slots=True)
class Latest:
    """A passage of the last look; `open` if what is written next may make it longer."""

    attribution: Attribution
    open: bool


class StreamChecker:
    """A text that is being written, checked. Make one with `Index.stream`. One thread at a time may use it.

    `looks` counts the looks; `latest` are the passages of the last one: those that had not ended before the look
    before it and, where `patience` is given, those whose marks may still have changed.
    """

    def __init__(
        self, index: Checks, before: str | bytes, after: str | bytes, policy: Policy, sources: int, patience: int | None
    ) -> None:
        self._index = index
        self._before = before
        self._after = after
        self._policy = policy
        self._sources = sources
        self._pieces: list[str | bytes] = []
        self._growing = GrowingText(encode(before, "before"), patience, 0 if patience is None else _LINE)
        self._behind = 0 if patience is None else _LINE
        self._at = (0, 0, 0)
        self.looks = 0
        self.latest: tuple[Latest, ...] = ()

    def feed(self, piece: str | bytes) -> list[Change]:
        """Add to the text, and look at it if enough is new. Raises TextError for a lone surrogate, and as `check`."""
        raw = encode(piece, "the piece")
        if not raw:
            return []
        self._pieces.append(piece)
        return self._look() if self._growing.feed(raw) else []

    def flush(self) -> list[Change]:
        """Look at all that was fed."""
        return self._look(last=True)

    def finish(self) -> Report:
        """The Report of `check` on the whole text, with what comes after it. More may be fed behind it."""
        return self._index.check(
            self.text, before=self._before, after=self._after, policy=self._policy, sources=self._sources
        )

    @property
    def text(self) -> str | bytes:
        """All that was fed: str if every piece was, else bytes."""
        if len(self._pieces) > 1:
            texts = [piece for piece in self._pieces if isinstance(piece, str)]
            if len(texts) == len(self._pieces):
                self._pieces = ["".join(texts)]
            else:
                self._pieces = [b"".join(encode(piece, "the piece") for piece in self._pieces)]
        return self._pieces[0] if self._pieces else ""

    @property
    def looked(self) -> int:
        """How much of the text was looked at, in code points."""
        growing = self._growing
        return _points(growing.raw[growing.begin : growing.looked]) if growing.looked > growing.begin else 0

    @property
    def undecided(self) -> int:
        """The code point of the text from which on it may belong to a passage that is too short yet to be one."""
        growing = self._growing
        return _points(growing.raw[growing.begin : growing.undecided]) if growing.undecided > growing.begin else 0

    def cut(self, length: int) -> None:
        """Take the text back to its first `length` code points; it was fed as str. The next look is at all of it."""
        text = self.text
        kept = text[:length] if isinstance(text, str) else text.decode("utf-8", "surrogateescape")[:length]
        self._pieces = [kept]
        self._growing.cut(self._growing.begin + len(encode(kept, "the text")))
        self._at = (0, 0, 0)
        self.latest = ()

    def _look(self, *, last: bool = False) -> list[Change]:
        growing = self._growing
        start, end = growing.wanted(last=last)
        own = max(start, growing.begin)
        if own >= end:
            return []
        context = min(start, _AROUND)
        raw = bytes(growing.raw[start - context : end])
        part = Part(raw, context, own - start + context, max(start, growing.looked - self._behind) - start + context)
        shown = self._placed(self._index.look(part, self._policy, self._sources), start, raw[context:])
        length = len(raw[context:].translate(None, SPACE))
        seen = {}
        for attribution in shown:
            match = attribution.match
            here = Seen((match.index, match.byte_start), match.byte_end, match.canonical_end >= length)
            seen[here] = attribution
        changes = growing.took(end, seen)
        self.looks += 1
        self.latest = tuple(Latest(attribution, here.open) for here, attribution in seen.items())
        return [Change(state, seen[here]) for state, here in changes]

    def _placed(self, attributions: tuple[Attribution, ...], start: int, raw: bytes) -> list[Attribution]:
        """Attributions of a part of the text, with their places and ids in the whole of it."""
        if not attributions:
            return []
        points, lines = self._reach(start)
        canonical = raw.translate(None, SPACE)
        ids: dict[str, str] = {}
        placed = []
        for attribution in attributions:
            match = attribution.match
            first, end = match.start + points, match.end + points
            held = canonical[match.canonical_start : match.canonical_end]
            ids[match.id] = match_id(match.index, match.kind, first, end, held)
            moved = replace(
                match,
                id=ids[match.id],
                within=ids.get(match.within or ""),
                start=first,
                end=end,
                byte_start=match.byte_start + start,
                byte_end=match.byte_end + start,
                start_line=match.start_line + lines,
                end_line=match.end_line + lines,
            )
            placed.append(replace(attribution, match=moved))
        return placed

    def _reach(self, start: int) -> tuple[int, int]:
        """The code points and line feeds before a byte of the text, counted on from where they were counted last."""
        at, points, lines = self._at if self._at[0] <= start else (0, 0, 0)
        between = self._growing.raw[at:start]
        self._at = start, points + _points(between), lines + between.count(b"\n")
        return self._at[1:]


def _points(raw: bytes | bytearray) -> int:
    return len(raw.decode("utf-8", "surrogateescape"))
