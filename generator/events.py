"""What a generator tells while a model writes, and at the end.

In: nothing. Out: the events, and the Generation that the last of them holds. It refuses to know how they come about.

A stream is Text and Change (a passage opened, has grown, is closed), in between Prevented (a passage was not let
stand), perhaps Withdrawn, and one End.
"""

from __future__ import annotations

from dataclasses import dataclass

from codecite.indexer.records import Prevented, Report
from codecite.indexer.stream import Change


@dataclass(frozen=True, slots=True)
class Generation:
    """What a model wrote, and the Report of it: offsets in the Report are those of prompt + completion + suffix.

    `error` says why the model could not go on, None where it came to its end.
    """

    completion: str
    report: Report
    error: str | None = None


@dataclass(frozen=True, slots=True)
class Text:
    """The next piece of the completion."""

    text: str


@dataclass(frozen=True, slots=True)
class Withdrawn:
    """What was told of the completion so far is not to be used: it was blocked."""


@dataclass(frozen=True, slots=True)
class End:
    """The whole."""

    generation: Generation


Event = Text | Change | Prevented | Withdrawn | End
