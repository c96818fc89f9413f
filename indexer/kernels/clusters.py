"""Signatures that share a band are compared, and what is alike enough is joined: a union-find over rows.

In: MinHash signatures, the rows in the order of a band's keys, how many places must agree. Out: a forest for each
threshold, and the pairs that the signatures leave in doubt. It refuses to know of texts and of what the thresholds are.
"""

from __future__ import annotations

from codecite.indexer.kernels.checked import touch_items
from codecite.indexer.kernels.jit import kernel, part
from codecite.indexer.kernels.types import Any32, Ints, Words


@part
def _root(parents: Ints, row: int) -> int:
    while parents[row] != row:
        parents[row] = parents[parents[row]]
        row = parents[row]
    return row


@part
def _join(parents: Ints, a: int, b: int) -> None:
    a, b = _root(parents, a), _root(parents, b)
    if a < b:
        parents[b] = a
    else:
        parents[a] = b


@kernel
def touch_rows(guards: Words, section: int, count: int, length: int) -> bool:
    """Hold `count` signatures of `length` numbers against their checksums; whether all are sound."""
    return touch_items(guards, section, 0, count * length, 4)


@kernel
def root_of(parents: Ints, row: int) -> int:
    """The root of the tree in which a row stands: the smallest row of it."""
    return _root(parents, row)


@kernel
def join(parents: Ints, a: int, b: int) -> None:
    """Make one tree of those of two rows."""
    _join(parents, a, b)


@kernel
def flatten(parents: Ints) -> None:
    """Let every row name its root."""
    for row in range(len(parents)):
        parents[row] = _root(parents, row)


@kernel
def compare_band(
    keys: Words, order: Ints, rows: Any32, window: int, sure: Ints, doubt: Ints, forests: Ints, pairs: Ints, used: int
) -> int:
    """Compare each row with the `window` next ones of the same key; `order` sorts the rows by their `keys`.

    Where at least `sure[t]` numbers of two signatures agree, they are joined in `forests[t]`. If `pairs` has room at
    all, those that agree at `doubt[t]` places or more and are not joined there are written to `pairs[0]` and
    `pairs[1]` from place `used` on, the smaller row first. Returns how many places are used, or would be.
    """
    for i in range(len(order)):
        a = order[i]
        for j in range(i + 1, min(len(order), i + 1 + window)):
            b = order[j]
            if keys[b] != keys[a]:
                break
            apart = False
            for t in range(len(sure)):
                apart |= _root(forests[t], a) != _root(forests[t], b)
            if not apart:
                continue
            same = 0
            for k in range(rows.shape[1]):
                same += rows[a, k] == rows[b, k]
            wanted = False
            for t in range(len(sure)):
                if same >= sure[t]:
                    _join(forests[t], a, b)
                elif same >= doubt[t] and _root(forests[t], a) != _root(forests[t], b):
                    wanted = True
            if wanted and pairs.shape[1] > 0:
                if used < pairs.shape[1]:
                    pairs[0, used], pairs[1, used] = min(a, b), max(a, b)
                used += 1
    return used
