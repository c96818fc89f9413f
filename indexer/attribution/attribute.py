"""Matches to Attributions and a Verdict, under a policy.

In: Matches with their sources, the bytes they were found in, a Policy. Out: what a Report holds of them: each with its
marks, its sources with what their licences ask for and whether their evidence agrees, and its outcome. It refuses to
know how they were found.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from codecite.indexer.attribution.judge import judge
from codecite.indexer.attribution.marks import marks_within
from codecite.indexer.attribution.policy import Policy
from codecite.indexer.licenses.categories import category, obligations
from codecite.indexer.licenses.effective import disagrees
from codecite.indexer.records import Attribution, Match, Origin, Source, Verdict

_KEPT = 1 << 14
_COMPARED: dict[int, tuple[Origin, Origin]] = {}


def attribute(
    matches: Iterable[tuple[Match, tuple[Source, ...]]],
    text: bytes | None,
    policy: Policy,
    sources: int,
    before: int = 0,
) -> tuple[tuple[Attribution, ...], Verdict]:
    """The Attribution of each Match, in their order, and the Verdict on all of them.

    `text` is what was checked, behind `before` bytes that only the marks depend on; without it there are no marks.

    The policy sees all sources that come with a Match; the first `sources` of them are kept.
    """
    known: dict[int, tuple[Source, Source]] = {}
    attributions = [
        Attribution(
            match,
            tuple(_described(source, known) for source in found),
            marks=() if text is None else marks_within(text, before + match.byte_start, before + match.byte_end),
        )
        for match, found in matches
    ]
    judged, verdict = judge(attributions, policy)
    return tuple(replace(item, sources=item.sources[:sources]) for item in judged), verdict


def described(source: Source) -> Source:
    """The source with what its licence is and asks for, and whether its evidence agrees."""
    return _described(source, {})


def _described(source: Source, known: dict[int, tuple[Source, Source]]) -> Source:
    """The source with what its licence is and asks for; Matches of one text may share it."""
    if id(source) not in known:
        origin = _compared(source.origin)
        license = origin.license
        made = Source(
            source.swhid,
            source.kind,
            origin,
            source.start_line,
            source.end_line,
            category(license),
            obligations(license),
            source.record,
        )
        known[id(source)] = source, made  # held, so that its id stays its own
    return known[id(source)][1]


def _compared(origin: Origin) -> Origin:
    """The Origin with whether its evidence disagrees; a Snapshot gives the same object for the same Origin again."""
    known = _COMPARED.get(id(origin))
    if known is None or known[0] is not origin:
        if len(_COMPARED) >= _KEPT:
            _COMPARED.clear()
        differs = disagrees(origin.license, origin.evidence)
        known = _COMPARED[id(origin)] = origin, replace(origin, conflict=True) if differs else origin
    return known[1]
