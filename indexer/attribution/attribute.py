"""Matches to Attributions and a Verdict, under the policy `audit`, which passes everything.

In: Matches with their sources, and the bytes they were found in. Out: what a Report holds of them, each with its marks.
It refuses to know how they were found.
"""

from __future__ import annotations

from collections.abc import Iterable

from codecite.indexer.attribution.marks import marks_within
from codecite.indexer.records import Attribution, Match, Outcome, Source, Verdict


def attribute(
    matches: Iterable[tuple[Match, tuple[Source, ...]]], text: bytes
) -> tuple[tuple[Attribution, ...], Verdict]:
    """The Attribution of each Match, in their order, and the Verdict on all of them; `text` is what was checked."""
    attributions = tuple(
        Attribution(match, sources, Outcome.PASS, marks_within(text, match.byte_start, match.byte_end))
        for match, sources in matches
    )
    return attributions, Verdict(Outcome.PASS)
