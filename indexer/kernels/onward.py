"""How far chains of groups agree with a text: one chain, or those of all groups of a list.

In: groups and what is known of a text (`frequent.py`). Out: how far a group agrees behind its k-gram, and how its chain
ends. It refuses to know of licences and spans.
"""

from __future__ import annotations

import numpy as np

from codecite.indexer.kernels.checked import touch_items
from codecite.indexer.kernels.contexts import NONE, REACH
from codecite.indexer.kernels.frequent import (
    CLOSED,
    CUT_OFF,
    DIVERGING,
    FILLED,
    GAP,
    GAP_SHIFT,
    LOW,
    MEMO,
    OPEN,
    PATH,
    STATE,
    STATE_BITS,
    STATES,
    TEXT,
    Agreements,
    Frequent,
    agree,
    behind,
    first_posting,
    list_of_group,
)
from codecite.indexer.kernels.grouping import CUT, SIDE
from codecite.indexer.kernels.jit import inlined, kernel, part
from codecite.indexer.kernels.segment import POSITIONS
from codecite.indexer.kernels.types import Bytes, Ints


@inlined
def row_at(frequent: Frequent, number: int, position: int) -> int:
    """The row of `resumed` for the posting of list `number` at this position; -1 where it has none."""
    low = frequent.lists[6, number]
    end = low + frequent.lists[1, number] - frequent.lists[0, number]
    high = end
    while low < high:
        middle = (low + high) >> 1
        if np.int64(frequent.resumed[middle, 0] & LOW) < position:
            low = middle + 1
        else:
            high = middle
    return low if low < end and np.int64(frequent.resumed[low, 0] & LOW) == position else np.int64(-1)


@part
def chain(frequent: Frequent, known: Agreements, text: Bytes, number: int, group: int, q: int, period: int) -> int:
    """How far a group agrees behind the k-gram at `q`; `known.state[STATE]` says how its chain ends.

    A chain that is cut is followed on, by the position of the group's first posting, unless the list is a diverging
    one. With a `period`, the text is taken to go on with it for ever: it holds 2 * REACH + k bytes behind REACH +
    period; then a chain that is cut counts as open.
    """
    first = np.int64(-1)
    if frequent.lists[6, number] != DIVERGING and period == 0:
        one = first_posting(frequent, group)
        if touch_items(frequent.guards, POSITIONS, one, one + 1, 4):
            first = np.int64(frequent.positions[one])
    return chain_of(frequent, known, text, number, group, q, period, first)


@part
def chain_of(
    frequent: Frequent, known: Agreements, text: Bytes, number: int, group: int, q: int, period: int, first: int
) -> int:
    """The same for the posting at position `first`; -1 if it is not to be followed on where it is cut."""
    total = np.int64(0)
    steps = 0
    state = np.int64(CLOSED)
    named = known.state[TEXT] << 32
    while True:
        # What is known of this group, or one step.
        filled = np.int64(known.ahead_at[q])
        slot = group & (MEMO - 1)
        if filled >= 0:
            value = np.int64(known.ahead[filled + group - frequent.lists[2, number]])
            reached = value >> STATE_BITS
            state = value & STATES
        elif known.memo[0, slot] == named | group and known.memo[1, slot] == q:
            reached = known.memo[2, slot]
            state = known.memo[3, slot]
        else:
            begin = agree(frequent, known, text, number, q)
            if begin < 0 or steps > len(frequent.groups):
                break
            if steps < PATH:
                known.path[0, steps] = group
                known.path[1, steps] = q
                known.path[2, steps] = total
            steps += 1
            reached = behind(frequent, known, number, begin, group)
            sides = frequent.groups[group, 1]
            following = frequent.groups[group, 0] >> np.uint64(32)
            state = np.int64(CLOSED)
            if reached == REACH:
                gap = np.int64((sides >> GAP_SHIFT) & GAP)
                if following == np.uint64(NONE):
                    state = np.int64(OPEN)
                elif sides & CUT == 0:
                    total += gap
                    q += gap
                    if period > 0:
                        q = REACH + (q - REACH) % period
                    group = np.int64(following)
                    if group < frequent.lists[2, number] or group >= frequent.lists[2, number + 1]:
                        number = np.int64(known.number_at[q]) if known.at[q] >= 0 else list_of_group(frequent, group)
                    continue
                elif period > 0:
                    state = np.int64(OPEN)
                else:
                    reached = gap
                    state = np.int64(CUT_OFF)
                    known.resumed_at[q + gap] = np.int32(following)
        total += reached
        if state != CUT_OFF or first < 0:
            break
        # The groups of diverging lists agree to where they are cut, and those before them as far as this posting.
        while steps > 0 and (steps > PATH or _is_diverging(frequent, np.int64(known.path[0, steps - 1]))):
            steps -= 1
            if steps < PATH:
                _remember(known, named, steps, total, np.int64(CUT_OFF))
        q += reached
        number = np.int64(known.resumed_at[q])
        state = np.int64(CLOSED)
        if agree(frequent, known, text, number, q) < 0:
            break
        row = row_at(frequent, number, first + total)
        if row < 0:
            break
        group = np.int64(frequent.resumed[row, 0] >> np.uint64(32))
    for i in range(min(steps, PATH)):
        _remember(known, named, i, total, state)
    known.state[STATE] = state
    return total


@inlined
def _remember(known: Agreements, named: int, step: int, total: int, state: int) -> None:
    slot = known.path[0, step] & (MEMO - 1)
    known.memo[0, slot] = named | known.path[0, step]
    known.memo[1, slot] = known.path[1, step]
    known.memo[2, slot] = total - known.path[2, step]
    known.memo[3, slot] = state


@part
def _is_diverging(frequent: Frequent, group: int) -> bool:
    return frequent.lists[6, list_of_group(frequent, group)] == DIVERGING


@part
def edge_later(text: Bytes, frequent: Frequent, known: Agreements, number: int, e: int) -> int:
    """How far the group of an edge agrees behind its k-gram, times four, plus how its chain ends."""
    edges = known.edges
    if edges[3, e] < 0:
        length = chain(frequent, known, text, number, np.int64(edges[0, e]), np.int64(edges[1, e]), 0)
        edges[3, e] = (length << STATE_BITS) + known.state[STATE]
    return np.int64(edges[3, e])


@part
def follow(frequent: Frequent, known: Agreements, text: Bytes, number: int, q: int) -> None:
    """Find what `chain` says of all groups of a list whose k-gram is at `q`, and keep it while there is room.

    Where that is known of the places behind, as it is when the text is gone through from its end, each group takes one
    step.
    """
    begin = agree(frequent, known, text, number, q)
    if begin < 0 or known.ahead_at[q] >= 0:
        return
    lists = frequent.lists
    first = lists[2, number]
    count = lists[2, number + 1] - first
    filled = known.state[FILLED]
    if filled + count > len(known.ahead):
        return
    known.state[FILLED] = filled + count
    room = begin + lists[4, number]
    diverging = lists[6, number] == DIVERGING
    for i in range(count):
        sides = frequent.groups[first + i, 1]
        reached = np.int64(known.room[room + np.int64(sides & SIDE)])
        value = reached << STATE_BITS
        if reached == REACH:
            following = frequent.groups[first + i, 0] >> np.uint64(32)
            gap = np.int64((sides >> GAP_SHIFT) & GAP)
            onward = np.int64(-1)
            if sides & CUT == 0 and known.ahead_at[q + gap] >= 0:
                at = np.int64(known.ahead_at[q + gap]) - lists[2, known.number_at[q + gap]]
                onward = np.int64(known.ahead[at + np.int64(following)])
            if following == np.uint64(NONE):
                value += OPEN
            elif sides & CUT != 0:
                value = (gap << STATE_BITS) + CUT_OFF
                known.resumed_at[q + gap] = np.int32(following)
            elif onward >= 0 and (diverging or onward & STATES != CUT_OFF):
                value = (gap << STATE_BITS) + onward
            else:
                value = (chain(frequent, known, text, number, first + i, q, 0) << STATE_BITS) + known.state[STATE]
                if known.at[q] != begin:
                    return
        known.ahead[filled + i] = value
    known.ahead_at[q] = filled


@kernel
def follow_lists(frequent: Frequent, known: Agreements, text: Bytes, numbers: Ints, places: Ints) -> None:
    """`follow` the lists at some places of a text, which ascend, from the last to the first."""
    for i in range(len(numbers) - 1, -1, -1):
        follow(frequent, known, text, numbers[i], places[i])
