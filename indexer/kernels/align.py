"""Two token streams, aligned: how much of one stands in the other when names may be others.

In: the classes and names of the tokens of two stretches, and which name of the first is which of the second. Out: the
best local alignment. It refuses to know where the stretches come from and whether the alignment is worth anything.

The algorithm is that of Smith and Waterman (1981) with gaps that cost by their length, in a band around the diagonal
that the seeds lie on. Two tokens of one class agree; of two words it counts whether they have one name, or the names
that are taken for each other, and two that have neither count against it.
"""

from __future__ import annotations

import numpy as np

from codecite.indexer.kernels.jit import making_kernel
from codecite.indexer.kernels.tokens import NUMBER, STRING, WORD, is_in
from codecite.indexer.kernels.types import Bytes, Ints, Words

SAME_NAME = 3
SAME_CLASS = 2
OTHER_VALUE = 1
OTHER_NAME = -1
OTHER_CLASS = -4
GAP = -2
_STOP, _BOTH, _FIRST, _SECOND = 0, 1, 2, 3


@making_kernel
def align(
    classes: Words,
    names: Words,
    expected: Words,
    other_classes: Words,
    other_names: Words,
    low: int,
    width: int,
    pairs: Ints,
) -> int:
    """Write the pairs of tokens of the best local alignment to `pairs` (2 x n), ascending; return how many there are.

    `expected` has, for each token of the first stretch, the name that its name is taken for in the second. Only pairs
    (i, j) with `low <= j - i < low + width` are looked at. `pairs` has room for the shorter of the stretches.
    """
    rows = len(classes)
    columns = len(other_classes)
    score = np.zeros((2, width + 2), np.int32)
    way = np.zeros((rows + 1, width + 2), np.uint8)
    best = 0
    best_i = 0
    best_b = 0
    for i in range(rows):
        now = (i + 1) & 1
        before = i & 1
        score[now, 0] = 0
        for b in range(width):
            j = i + low + b
            at = b + 1
            score[now, at] = 0
            if j < 0 or j >= columns:
                continue
            value = OTHER_CLASS
            if classes[i] == other_classes[j]:
                value = SAME_CLASS
                kind = classes[i]
                if kind == WORD:
                    value = OTHER_NAME
                    if names[i] == other_names[j]:
                        value = SAME_NAME
                    elif expected[i] == other_names[j]:
                        value = SAME_CLASS
                elif kind in (NUMBER, STRING):
                    value = SAME_CLASS if names[i] == other_names[j] else OTHER_VALUE
            # In the row before, the same j stands one further on.
            both = score[before, at] + value
            first = score[before, at + 1] + GAP
            second = score[now, at - 1] + GAP
            most = max(both, first, second)
            if most <= 0:
                continue
            score[now, at] = most
            way[i + 1, at] = _BOTH if both == most else _FIRST if first == most else _SECOND
            if most > best:
                best = most
                best_i = i
                best_b = b
        score[now, width + 1] = 0
    count = 0
    i = best_i
    b = best_b
    while best > 0 and i >= 0 and b >= 0 and b < width:
        step = way[i + 1, b + 1]
        if step == _STOP:
            break
        if step == _BOTH:
            j = i + low + b
            if classes[i] == other_classes[j]:
                pairs[0, count] = i
                pairs[1, count] = j
                count += 1
            i -= 1
        elif step == _FIRST:
            i -= 1
            b += 1
        else:
            b -= 1
    for c in range(count // 2):
        for side in range(2):
            pairs[side, c], pairs[side, count - 1 - c] = pairs[side, count - 1 - c], pairs[side, c]
    return count


_RUN = 5


@making_kernel
def weigh(
    classes: Words, names: Words, sizes: Ints, expected: Words, other_names: Words, pairs: Ints, common: Words
) -> float:
    """The bits that an alignment of two token streams weighs.

    A name that both have weighs by its length (`sizes`, bytes), one of the table `common` little, and each the less
    the more often it has come; a number or string that both have weighs by its length; an operator or keyword half a
    bit; a name that stands for another one where it does so again. What agrees in the midst of a run of tokens that
    has come before in the alignment, as in lists and tables, weighs a fifth. Names that do not stand for each other
    count against it.
    """
    count = pairs.shape[1]
    mask = 1
    while mask < 4 * count + 4:
        mask *= 2
    seen_runs = np.zeros(mask, np.uint64)
    seen_names = np.zeros(mask, np.uint64)
    times = np.zeros(mask, np.int64)
    mask -= 1
    weight = 0.0
    for p in range(count):
        i = pairs[0, p]
        j = pairs[1, p]
        run = np.uint64(1469598103934665603)
        for back in range(_RUN):
            if p >= back:
                run = (run ^ classes[pairs[0, p - back]]) * np.uint64(1099511628211)
        run |= np.uint64(1)
        at = np.int64(run >> np.uint64(20)) & mask
        while seen_runs[at] != 0 and seen_runs[at] != run:
            at = (at + 1) & mask
        fresh = 1.0 if seen_runs[at] == 0 else 0.2
        seen_runs[at] = run
        kind = classes[i]
        if kind == WORD:
            name = names[i] | np.uint64(1)
            at = np.int64(name >> np.uint64(3)) & mask
            while seen_names[at] != 0 and seen_names[at] != name:
                at = (at + 1) & mask
            before = times[at]
            seen_names[at] = name
            times[at] += 1
            if names[i] == other_names[j]:
                bits = 1.0 if is_in(names[i], common) else min(8.0, 1.0 + 0.8 * sizes[i])
                weight += fresh * bits / (1 + before)
            elif expected[i] == other_names[j]:
                weight += fresh * 1.5 if before else 0.0
            else:
                weight -= 1.0
        elif kind in (NUMBER, STRING):
            if names[i] == other_names[j]:
                weight += fresh * min(40.0, 0.7 * sizes[i])
        else:
            weight += fresh * 0.5
    return weight


@making_kernel
def canonical_before(text: Bytes, starts: Ints, count: int, out: Ints) -> None:
    """Write how many canonical bytes stand before each of the first `count` ascending places."""
    canonical = 0
    at = 0
    for i in range(count):
        while at < starts[i]:
            canonical += 0 if (text[at] == 32 or (text[at] >= 9 and text[at] <= 13)) else 1
            at += 1
        out[i] = canonical
