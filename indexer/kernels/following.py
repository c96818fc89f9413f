"""How far the Documents of frequent lists go on with a run of the query.

In: a run of the query, and the groups of a list that its k-gram belongs to. Out: for each group, how far its Documents
go on with the run before and behind the k-gram, and agree with the text beyond. It refuses to know of licences and
spans.
"""

from __future__ import annotations

import numpy as np

from codecite.indexer.config import GUARANTEE, KGRAM
from codecite.indexer.kernels.contexts import NONE, REACH
from codecite.indexer.kernels.found import Query
from codecite.indexer.kernels.frequent import (
    GAP,
    GAP_SHIFT,
    OPEN,
    STATE,
    STATE_BITS,
    Agreements,
    Frequent,
    new_agreements,
    touch_list,
)
from codecite.indexer.kernels.grouping import CUT, SHORT, SIDE, SIDE_BITS
from codecite.indexer.kernels.jit import kernel, making_kernel, making_part, part
from codecite.indexer.kernels.onward import chain
from codecite.indexer.kernels.types import Bytes, Ints

_PENDING = -2


@making_part
def periodic(text: Bytes, start: int, period: int, q: int) -> Bytes:
    """A text that goes on with a run of `text` (which begins at `start`), and has at REACH what stands at `q`."""
    out = np.empty(REACH + period + KGRAM + REACH, np.uint8)
    for i in range(len(out)):
        out[i] = text[start + (q + i - REACH - start) % period]
    return out


@making_part
def _beyond(
    contexts: Bytes, at: int, count: int, pattern: Bytes, text: Bytes, anchor: int, step: int, prefix: Ints, extra: Ints
) -> None:
    """How far each context goes on with a run (`prefix`, by `pattern`), and from there with the text (`extra`).

    The text beyond its run is read from `anchor` on, in steps of `step`. `extra` is -1 where the context ends first.
    """
    held = np.empty(REACH, np.uint8)
    agreed = 0
    for i in range(count):
        head = np.int64(contexts[at])
        at += 1
        shared = head & (SHORT - 1)
        length = np.int64(REACH)
        if head & SHORT:
            length = np.int64(contexts[at])
            at += 1
        for j in range(shared, length):
            held[j] = contexts[at + j - shared]
        at += length - shared
        if shared < agreed:
            agreed = shared
        elif shared == agreed:
            while agreed < length and held[agreed] == pattern[agreed]:
                agreed += 1
        prefix[i] = agreed
        more = 0
        while agreed + more < length:
            place = anchor + step * more
            if place < 0 or place >= len(text) or held[agreed + more] != text[place]:
                break
            more += 1
        extra[i] = -1 if agreed + more == REACH else more


@making_kernel
def follow_runs(
    frequent: Frequent, number: int, text: Bytes, start: int, stop: int, period: int, q: int, runs: Ints
) -> None:
    """How far the Documents of each group of a list go on with the run of the query that `q` lies in.

    `runs` (5 x groups) gets how far they do before the k-gram (REACH: that far at least) and behind (-1 where the
    chain is open), then how far they agree beyond if the runs begin together, and if they end together: -1 where the
    contexts do not say, and the text goes on before, or `chain` must say. Last comes the first group from this one on
    whose part of the run holds T bytes, or is not known, or how many groups there are.
    """
    first = frequent.lists[2, number]
    end = frequent.lists[2, number + 1]
    if not touch_list(frequent, number):
        runs[:] = 0
        runs[4] = end - first
        return
    endless = periodic(text, start, period, q)
    count = frequent.lists[4, number]
    later = frequent.lists[5, number]
    at = frequent.lists[3, number]
    before_it = np.empty((2, count), np.int64)
    behind_it = np.empty((2, later), np.int64)
    _beyond(frequent.contexts, at, count, endless[REACH - 1 :: -1], text, start - 1, -1, before_it[0], before_it[1])
    for _ in range(count):
        head = np.int64(frequent.contexts[at])
        at += 1
        length = np.int64(REACH)
        if head & SHORT:
            length = np.int64(frequent.contexts[at])
            at += 1
        at += length - (head & (SHORT - 1))
    _beyond(frequent.contexts, at, later, endless[REACH + KGRAM :], text, stop, 1, behind_it[0], behind_it[1])
    groups = frequent.groups[first:end]
    path = np.empty(end - first, np.int64)
    for group in range(end - first):
        sides = groups[group, 1]
        one = np.int64((sides >> np.uint64(SIDE_BITS)) & SIDE)
        other = np.int64(sides & SIDE)
        runs[0, group] = before_it[0, one]
        runs[2, group] = before_it[1, one]
        runs[1, group] = behind_it[0, other] if behind_it[0, other] < REACH else _PENDING
        runs[3, group] = behind_it[1, other]
    known = new_agreements(frequent.lists, len(endless))
    for group in range(end - first):
        if runs[1, group] != _PENDING:
            continue
        steps = 0
        at = np.int64(group)
        # Most chains stay in the list: those are followed here, from one to the next.
        while True:
            path[steps] = at
            steps += 1
            following = groups[at, 0] >> np.uint64(32)
            if following == np.uint64(NONE) or groups[at, 1] & CUT != 0:
                runs[1, at] = -1
                break
            onward = np.int64(following) - first
            if onward < 0 or onward >= end - first:
                length = chain(frequent, known, endless, number, at + first, REACH, period)
                runs[1, at] = -1 if known.state[STATE] == OPEN else length
                runs[3, at] = -1
                break
            if runs[1, onward] != _PENDING:
                gap = np.int64((groups[at, 1] >> GAP_SHIFT) & GAP)
                runs[1, at] = -1 if runs[1, onward] < 0 else gap + runs[1, onward]
                runs[3, at] = runs[3, onward]
                break
            at = onward
        for i in range(steps - 2, -1, -1):
            gap = np.int64((groups[path[i], 1] >> GAP_SHIFT) & GAP)
            onward = path[i + 1]
            runs[1, path[i]] = -1 if runs[1, onward] < 0 else gap + runs[1, onward]
            runs[3, path[i]] = runs[3, onward]
    after = end - first
    for group in range(end - first - 1, -1, -1):
        whole = runs[0, group] < REACH and runs[0, group] + KGRAM + runs[1, group] >= GUARANTEE
        if whole or runs[1, group] < 0:
            after = group
        runs[4, group] = after


@kernel
def find_edges(query: Query, frequent: Frequent, known: Agreements, numbers: Ints, fingerprints: Ints) -> None:
    """From what `follow_runs` found, fill `known.edges` for some fingerprints, each the first of a run.

    `numbers` has the list of each fingerprint of the query.
    """
    for f in fingerprints:
        _edges_of_list(query, frequent, known, numbers[f], f)


@part
def _edges_of_list(query: Query, frequent: Frequent, known: Agreements, number: int, f: int) -> None:
    run = query.run_of[f]
    start = query.run_start[run]
    stop = query.run_end[run]
    period = query.run_period[run]
    q = query.positions[f]
    first = frequent.lists[2, number]
    count = frequent.lists[2, number + 1] - first
    table = known.run_at[f]
    runs = known.runs
    edges = known.edges
    for side in range(2):
        e = 2 * table + side * count
        end = e + count
        for i in range(count):
            ahead = runs[0, table + i]
            length = runs[1, table + i]
            if length < 0:
                edges[0, e] = first + i
                edges[1, e] = -1
                e += 1
                continue
            if runs[2 + side, table + i] == 0:
                continue
            at = start + ahead if side == 0 else stop - KGRAM - length
            if ahead == REACH and side == 0:
                continue
            if at < start or at + KGRAM > stop or (at - q) % period != 0:
                continue
            together = side == 0 or at == start + ahead
            aligned = side == 1 or at + KGRAM + length == stop
            value = min(length, stop - at - KGRAM)
            if aligned:
                value = value + runs[3, table + i] if runs[3, table + i] >= 0 else -1
            edges[0, e] = first + i
            edges[1, e] = at
            edges[2, e] = min(ahead, at - start)
            if together:
                edges[2, e] = -1 if runs[2, table + i] < 0 else ahead + runs[2, table + i]
            edges[3, e] = value << STATE_BITS
            e += 1
        if e < end:
            edges[0, e:end] = -1
