"""When Segments are merged, and which.

In: the Segments of a manifest. Out: groups of them to merge. It refuses to know how that is done.

Segments of one tier differ in size by less than a factor of ten. Ten of a tier, with all smaller ones, become one, and
if that one would be the tenth of its tier, with all of that tier at once where it fits: so an index of n bytes in
additions of any size has some ten Segments for each power of ten at most, and each byte is written again once for
each. A lookup costs some 50 us for each Segment beyond the first.
"""

from __future__ import annotations

from collections.abc import Sequence

from codecite.indexer.store.manifest import SegmentEntry
from codecite.indexer.store.writer import MAX_CANONICAL

FANOUT = 10
MAX_ORIGINS = 1 << 22
"""Origins that a merged Segment may hold: a merge keeps their columns in memory, some 200 bytes each."""
_SMALLEST = 3 << 20


def tier(size: int) -> int:
    """The tier of a Segment of so many raw bytes."""
    number = 0
    while size >= _SMALLEST * FANOUT**number:
        number += 1
    return number


def due(entries: Sequence[SegmentEntry]) -> list[int] | None:
    """The Segments that are to be merged now, by number; None if no tier is full."""
    tiers = [tier(entry.bytes) for entry in entries]
    for number in sorted(set(tiers)):
        if tiers.count(number) >= FANOUT:
            small = _up_to(number, tiers)
            while tiers.count(made := tier(sum(entries[i].bytes for i in small))) + 1 >= FANOUT and made > number:
                number = made
                wider = _up_to(number, tiers)
                if len(packed([entries[i] for i in wider])) > 1:
                    break
                small = wider
            first = packed([entries[i] for i in small])[0]
            if len(first) > 1:
                return [small[i] for i in first]
    return None


def _up_to(number: int, tiers: list[int]) -> list[int]:
    return [i for i, other in enumerate(tiers) if other <= number]


def packed(entries: Sequence[SegmentEntry]) -> list[list[int]]:
    """All Segments, by number, in as few groups as they fit into in their order."""
    groups: list[list[int]] = [[]]
    size = origins = 0
    for i, entry in enumerate(entries):
        size += entry.canonical_bytes
        origins += entry.origins
        if groups[-1] and (size > MAX_CANONICAL or origins > MAX_ORIGINS):
            groups.append([])
            size, origins = entry.canonical_bytes, entry.origins
        groups[-1].append(i)
    return [group for group in groups if group]
