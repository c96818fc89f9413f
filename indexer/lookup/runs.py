"""Rulers and tables of zeros: which spans of a periodic stretch are reported.

In: the maximal spans of one licence, and the families of spans that fill a run. Out: the spans to report. It refuses
to know of Documents.

In a run every translate of a shared passage by the period is shared too, so all of them are maximal. Reported is the
leftmost maximal span inside the run, then again and again the farthest-reaching one that begins no later than the
last reported end.
"""

from __future__ import annotations

import numpy as np

from codecite.indexer.config import GUARANTEE

Span = tuple[int, int]


def maximal(spans: list[Span]) -> list[Span]:
    """The spans that lie in no other, in their order."""
    kept: list[Span] = []
    reach = -1
    for start, end in sorted(spans, key=lambda span: (span[0], -span[1])):
        if end > reach:
            kept.append((start, end))
            reach = end
    return kept


def fill_run(run: tuple[int, int, int], families: list[tuple[int, int]], others: list[Span]) -> list[Span]:
    """The spans to report inside a run (start, end, period).

    `families` are (phase, length) of the Documents' runs: a span begins at every position congruent to the phase and
    is cut at the ends of the query's run. `others` are all other maximal spans of the licence, in their order.
    """
    begin, end, period = run
    inside = [(start, stop) for start, stop in others if start >= begin and stop <= end]
    outside = [(start, stop) for start, stop in others if not (start >= begin and stop <= end)]
    starts = np.arange(begin, end - GUARANTEE + 1)
    reach = np.zeros(len(starts), np.int64)
    longest: dict[int, int] = {}
    for phase, length in families:
        longest[phase] = max(length, longest.get(phase, 0))
    for phase, length in longest.items():
        reach = np.maximum(reach, starts - (starts - phase) % period + length)
    for start, stop in inside:
        if start - begin < len(reach):
            covered = reach[start - begin : stop - GUARANTEE - begin + 1]
            np.maximum(covered, stop, out=covered)
    reach = np.minimum(reach, end)
    for start, stop in outside:
        if stop > begin and start < end:
            hidden = slice(max(start - begin, 0), max(stop - begin, 0))
            reach[hidden][reach[hidden] <= stop] = 0
    before = np.concatenate([[0], np.maximum.accumulate(reach)[:-1]])
    chosen = np.flatnonzero((reach >= starts + GUARANTEE) & (reach > before))
    firsts, lasts = starts[chosen], reach[chosen]
    reported: list[Span] = []
    at = 0
    while at < len(firsts):
        if reported:
            farthest = int(np.searchsorted(firsts, reported[-1][1], side="right")) - 1
            at = max(at, farthest)
        reported.append((int(firsts[at]), int(lasts[at])))
        at += 1
    return reported
