"""The read side of frequent fingerprints: how far groups of postings agree with a text, without touching a Document.

In: the sections `lists`, `groups`, `contexts` and `resumed` of a Segment, a text and a place in it. Out: for each
group of a list how far its postings agree with the text on either side. It refuses to know of licences and spans.

`lists` (7 x L + 1) holds for each frequent list where its postings begin and end, its first group, where its contexts
begin, how many of them lie before the k-gram (they come first) and how many behind, and where its rows of `resumed`
begin (-1 if it has none, DIVERGING for a diverging list); the last column ends the last list.
`groups` (G x 2) packs two words a group: where its postings begin, its next group (32 bits each); its contexts behind
and before the k-gram, by number in its list (29 bits each), and how far on the next group's k-gram begins. What a
context, a next and a group are is in `contexts.py` and `grouping.py`. A context is one byte that says how many bytes it
shares with the one before it (and SHORT where it is shorter than REACH; then its length follows), then its other bytes.

All contexts of a list are compared in one pass: what a context shares with the one before, whose agreement is known,
says its own agreement, unless it shares just as much. Beyond its context a group agrees as far as its next does, and
so on to the end of the chain. A chain is *open* if it agrees to its end and more: then the next fingerprint of
these Documents is no frequent one, and lies in what agrees.

A chain that is *cut* goes on in another way for each posting: in the group of its next there, which that list finds by
its position. For each posting of such a list, ascending, `resumed` (R x 2) holds its position and its group (32 bits
each), and the white space behind its k-gram (`contexts.gather`).
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from codecite.indexer.config import KGRAM
from codecite.indexer.kernels.checked import touch_items
from codecite.indexer.kernels.contexts import REACH
from codecite.indexer.kernels.grouping import GAP_BITS, SHORT, SIDE, SIDE_BITS
from codecite.indexer.kernels.jit import inlined, kernel, making_kernel, part
from codecite.indexer.kernels.segment import CONTEXTS, GROUPS, RESUMED
from codecite.indexer.kernels.types import Any32, Bytes, Ints, Ints32, Words

GAP = np.uint64((1 << GAP_BITS) - 1)
MEMO = 1 << 12
PATH = 256
_PLACES = 1 << 10
_AHEAD = 1 << 22
SEEN = 509
GAP_SHIFT = np.uint64(2 * SIDE_BITS)
USED, COUNT, STATE, TEXT, FILLED = range(5)
CLOSED, OPEN, CUT_OFF = range(3)
"""How a chain ends: where the text differs, at its own end, or where it is cut."""
STATE_BITS = 2
STATES = (1 << STATE_BITS) - 1
DIVERGING = -2
LOW = np.uint64(0xFFFFFFFF)


class Frequent(NamedTuple):
    """The frequent lists of a Segment, all its postings, and the guards of its sections."""

    lists: Ints
    groups: Words
    contexts: Bytes
    resumed: Words
    positions: Any32
    guards: Words


class Agreements(NamedTuple):
    """What is known of one text: a thread's scratch.

    `room` holds the agreements of the contexts of lists (before, then behind), `at[q]` where those of the list at
    place q begin, or -1, `number_at[q]` which list it is; `places` are the q that are known. `ahead` holds what `chain`
    says of all groups of a list, times four, plus how it ends; `ahead_at[q]` is where those of the list at place q
    begin, or -1. When `room` is full all of it is forgotten. `memo` (4 x n) remembers chains: group and text, place,
    agreement, how it ends; `path` is those that a chain goes through. Where a chain was found cut before place q,
    `resumed_at[q]` is the list there. `state` holds: how much of `room` is used, how many `places`, how the last chain
    ended, the number of the text, how much of `ahead` is used. `counts` and `seen` are for whoever looks through
    groups.

    `runs` (5 x n) holds, from `run_at[f]` on, for each group of the list of a fingerprint in a run, what
    `following.follow_runs` found. `edges` (4 x 2n) has for the groups of the same list, from twice as far on, where a
    run of a Document that begins together with the query's agrees beyond it, then as many for one that ends together:
    group (-1 behind the last), place of the k-gram in the query (-1 where the Documents must be looked at), how far it
    agrees before it (-1: far enough) and behind, times four, plus how the chain ends (-4: ask `edge_later`).
    """

    room: Bytes
    at: Ints32
    number_at: Ints32
    ahead: Ints32
    ahead_at: Ints32
    resumed_at: Ints32
    places: Ints
    memo: Ints
    path: Ints
    state: Ints
    counts: Ints
    seen: Ints
    runs: Ints
    run_at: Ints
    edges: Ints32


@making_kernel
def new_agreements(lists: Ints, length: int) -> Agreements:
    """Room for the agreements of these lists with texts of up to so many canonical bytes."""
    largest = np.int64(0)
    most = np.int64(0)
    for number in range(lists.shape[1] - 1):
        largest = max(largest, lists[4, number] + lists[5, number])
        most = max(most, lists[2, number + 1] - lists[2, number])
    return Agreements(
        np.empty(max(1 << 22, 4 * largest), np.uint8),
        np.full(length + 1, np.int32(-1), np.int32),
        np.empty(length + 1, np.int32),
        np.empty(max(_AHEAD, most), np.int32),
        np.full(length + 1, np.int32(-1), np.int32),
        np.empty(length + 1, np.int32),
        np.empty(_PLACES, np.int64),
        np.full((4, MEMO), np.int64(-1), np.int64),
        np.empty((3, PATH), np.int64),
        np.zeros(5, np.int64),
        np.zeros(2, np.int64),
        np.empty(SEEN, np.int64),
        np.empty((5, 0), np.int64),
        np.empty(0, np.int64),
        np.empty((4, 0), np.int32),
    )


@kernel
def forget(known: Agreements) -> None:
    """Make ready for another text."""
    _forget_places(known)
    known.state[TEXT] += 1


@part
def _forget_places(known: Agreements) -> None:
    for i in range(known.state[COUNT]):
        known.at[known.places[i]] = -1
        known.ahead_at[known.places[i]] = -1
    known.state[COUNT] = 0
    known.state[USED] = 0
    known.state[FILLED] = 0


@kernel
def find_frequent(text: Bytes, places: Ints, low: Ints, high: Ints, lists: Ints, kgrams: Bytes, numbers: Ints) -> None:
    """For each list of postings of the k-grams at some places, its number among the frequent ones, or -1.

    `kgrams` (L x 32) holds the k-gram of each frequent list; one with others beside it counts as not frequent, and one
    that is another k-gram's, whose hash agrees as far as it is kept, becomes empty.
    """
    for i in range(len(low)):
        numbers[i] = -1
        if low[i] == high[i]:
            continue
        number = _last_at_most(lists[0], low[i])
        if number < 0 or lists[0, number] != low[i] or kgrams[number, 31] != 0:
            continue
        same = True
        for j in range(KGRAM):
            same = same and text[places[i] + j] == kgrams[number, j]
        if same:
            numbers[i] = number
        else:
            high[i] = low[i]


@part
def _last_at_most(ascending: Ints, value: int) -> int:
    """The number of the last entry that is at most `value`, but for the very last; -1 where there is none."""
    below = np.int64(0)
    above = np.int64(len(ascending) - 1)
    while below < above:
        middle = (below + above) >> 1
        if ascending[middle] <= value:
            below = middle + 1
        else:
            above = middle
    return below - 1


@part
def list_of_group(frequent: Frequent, group: int) -> int:
    """The number of the list that a group belongs to."""
    return _last_at_most(frequent.lists[2], group)


@inlined
def first_posting(frequent: Frequent, group: int) -> int:
    """Where the postings of a group begin."""
    return np.int64(frequent.groups[group, 0] & np.uint64(0xFFFFFFFF))


@inlined
def end_posting(frequent: Frequent, number: int, group: int) -> int:
    """Where the postings of a group of list `number` end."""
    if group + 1 < frequent.lists[2, number + 1]:
        return first_posting(frequent, group + 1)
    return frequent.lists[1, number]


@part
def first_with(frequent: Frequent, number: int, context: int) -> int:
    """The first group of a list that has this context behind, or one of a higher number: groups go by them."""
    below = frequent.lists[2, number]
    above = frequent.lists[2, number + 1]
    while below < above:
        middle = (below + above) >> 1
        if np.int64(frequent.groups[middle, 1] & SIDE) < context:
            below = middle + 1
        else:
            above = middle
    return below


@part
def touch_list(frequent: Frequent, number: int) -> bool:
    """Check the blocks that hold the groups, the contexts and the rows of a list; whether all are sound."""
    lists = frequent.lists
    sound = touch_items(frequent.guards, GROUPS, 2 * lists[2, number], 2 * lists[2, number + 1], 8)
    sound = sound and touch_items(frequent.guards, CONTEXTS, lists[3, number], lists[3, number + 1], 1)
    row = lists[6, number]
    if row >= 0 and sound:
        end = row + lists[1, number] - lists[0, number]
        sound = touch_items(frequent.guards, RESUMED, 2 * row, 2 * end, 8)
    return sound


@inlined
def agree(frequent: Frequent, known: Agreements, text: Bytes, number: int, q: int) -> int:
    """Compare all contexts of a list with the text around its k-gram at `q`; returns where the agreements begin.

    -1 where a block is damaged.
    """
    begin = np.int64(known.at[q])
    return begin if begin >= 0 else _agree_now(frequent, known, text, number, q)


@part
def _agree_now(frequent: Frequent, known: Agreements, text: Bytes, number: int, q: int) -> int:
    if not touch_list(frequent, number):
        return np.int64(-1)
    lists = frequent.lists
    before = lists[4, number]
    behind = lists[5, number]
    begin = known.state[USED]
    if begin + before + behind > len(known.room) or known.state[COUNT] == len(known.places):
        _forget_places(known)
        begin = np.int64(0)
    known.state[USED] = begin + before + behind
    known.places[known.state[COUNT]] = q
    known.state[COUNT] += 1
    contexts = frequent.contexts
    at = lists[3, number]
    for side in range(2):
        count = before if side == 0 else behind
        out = begin if side == 0 else begin + before
        step = -1 if side == 0 else 1
        nearest = q - 1 if side == 0 else q + KGRAM
        limit = min(REACH, q if side == 0 else len(text) - q - KGRAM)
        agreed = 0
        for i in range(count):
            head = np.int64(contexts[at])
            at += 1
            shared = head & (SHORT - 1)
            length = REACH
            if head & SHORT:
                length = np.int64(contexts[at])
                at += 1
            if shared < agreed:
                agreed = shared
            elif shared == agreed:
                stop = min(length, limit)
                while agreed < stop and contexts[at + agreed - shared] == text[nearest + step * agreed]:
                    agreed += 1
            known.room[out + i] = agreed
            at += length - shared
    known.at[q] = begin
    known.number_at[q] = number
    return begin


@part
def before(frequent: Frequent, known: Agreements, begin: int, group: int) -> int:
    """How far a group agrees before the k-gram; `begin` is what `agree` said of its list."""
    return np.int64(known.room[begin + np.int64((frequent.groups[group, 1] >> np.uint64(SIDE_BITS)) & SIDE)])


@part
def behind(frequent: Frequent, known: Agreements, number: int, begin: int, group: int) -> int:
    """How far a group of list `number` agrees behind the k-gram, up to REACH."""
    return np.int64(known.room[begin + frequent.lists[4, number] + np.int64(frequent.groups[group, 1] & SIDE)])
