"""Postings of frequent fingerprints that nothing tells apart, put into groups.

In: the contexts of postings (`contexts.py`) and the digests of their chains. Out: groups, their contexts front-coded.
It refuses to know of files.

Postings of one list form a *group* if k-grams (a list may hold several, whose hashes agree as far as they are kept),
contexts, white space in them, and the groups of their nexts agree: so all of its postings agree from `REACH` bytes
before the k-gram to the end of the chain of nexts, with their white space. What that is for is in `frequent.py`.
"""

from __future__ import annotations

import numpy as np

from codecite.indexer.kernels.contexts import BEFORE, NONE, REACH, ROW, WORDS
from codecite.indexer.kernels.jit import kernel, making_kernel, making_part, part
from codecite.indexer.kernels.memory import load64
from codecite.indexer.kernels.types import Any32, Bytes, Flags, Ints, Words

SHORT = 0x20
"""In the head of a front-coded context: the context is shorter than REACH, its length follows."""
GAP_BITS = 5
SIDE_BITS = 29
SIDE = np.uint64((1 << SIDE_BITS) - 1)
CUT = np.uint64(1 << 63)
"""In the second word of a group: its chain is cut, and its next is a list."""
_FEW = 12
_ODD = np.uint64(0x00FF00FF00FF00FF)
_PAIRS = np.uint64(0x0000FFFF0000FFFF)


@part
def _swapped(word: np.uint64) -> np.uint64:
    """The word with its first byte in front, so that words sort as their bytes do."""
    word = ((word & _ODD) << np.uint64(8)) | ((word >> np.uint64(8)) & _ODD)
    word = ((word & _PAIRS) << np.uint64(16)) | ((word >> np.uint64(16)) & _PAIRS)
    return (word << np.uint64(32)) | (word >> np.uint64(32))


@part
def _key(rows: Any32, contexts: Bytes, digests: Words, number: int, level: int) -> np.uint64:
    """What postings are sorted by: the words of the context, the digest, their number."""
    if level < WORDS:
        return _swapped(load64(contexts, np.int64(rows[number]) * ROW + 8 * level))
    return digests[number] if level == WORDS else np.uint64(number)


@part
def _precedes(rows: Any32, contexts: Bytes, digests: Words, a: int, b: int, level: int) -> bool:
    for i in range(level, WORDS + 2):
        x = _key(rows, contexts, digests, a, i)
        y = _key(rows, contexts, digests, b, i)
        if x != y:
            return x < y
    return False


@making_part
def _sort(numbers: Ints, rows: Any32, contexts: Bytes, digests: Words, last_level: int) -> None:
    """Sort numbers of postings by their keys from level 0 on, a word at a time."""
    stack = np.empty((64, 3), np.int64)
    stack[0, 0] = 0
    stack[0, 1] = len(numbers)
    stack[0, 2] = 0
    depth = 1
    keys = np.empty(len(numbers), np.uint64)
    other = np.empty(len(numbers), np.int64)
    while depth > 0:
        depth -= 1
        begin = stack[depth, 0]
        end = stack[depth, 1]
        level = stack[depth, 2]
        if end - begin <= _FEW:
            for i in range(begin + 1, end):
                number = numbers[i]
                j = i
                while j > begin and _precedes(rows, contexts, digests, number, numbers[j - 1], level):
                    numbers[j] = numbers[j - 1]
                    j -= 1
                numbers[j] = number
            continue
        same = True
        for i in range(begin, end):
            keys[i] = _key(rows, contexts, digests, numbers[i], level)
            same = same and keys[i] == keys[begin]
        if same:
            if level < last_level:
                stack[depth, 0] = begin
                stack[depth, 1] = end
                stack[depth, 2] = level + 1
                depth += 1
            continue
        ranks = np.argsort(keys[begin:end])
        for i in range(begin, end):
            other[i] = numbers[begin + ranks[i - begin]]
        for i in range(begin, end):
            numbers[i] = other[i]
            keys[i] = _key(rows, contexts, digests, numbers[i], level)
        if level == last_level:
            continue
        i = begin
        while i < end:
            j = i + 1
            while j < end and keys[j] == keys[i]:
                j += 1
            if j - i > 1:
                if depth == len(stack):
                    larger = np.empty((2 * len(stack), 3), np.int64)
                    larger[: len(stack)] = stack
                    stack = larger
                stack[depth, 0] = i
                stack[depth, 1] = j
                stack[depth, 2] = level + 1
                depth += 1
            i = j


@part
def _emit(rows: Any32, contexts: Bytes, number: int, previous: int, side: int, out: Bytes, at: int) -> int:
    """Append one side of a context, coded against that of the posting before it (or -1); return the new length."""
    row = np.int64(rows[number]) * ROW + side
    length = np.int64(contexts[row + 31])
    shared = 0
    if previous >= 0:
        before = np.int64(rows[previous]) * ROW + side
        limit = min(length, np.int64(contexts[before + 31]))
        while shared < limit and contexts[row + shared] == contexts[before + shared]:
            shared += 1
    out[at] = shared if length == REACH else shared | SHORT
    at += 1
    if length != REACH:
        out[at] = length
        at += 1
    for i in range(shared, length):
        out[at] = contexts[row + i]
        at += 1
    return at


@part
def _same_side(rows: Any32, contexts: Bytes, a: int, b: int, side: int) -> bool:
    first = np.int64(rows[a]) * ROW + side
    other = np.int64(rows[b]) * ROW + side
    same = True
    for w in range(0, BEFORE, 8):
        same = same and load64(contexts, first + w) == load64(contexts, other + w)
    return same


@making_kernel
def group_lists(
    sizes: Ints,
    first: int,
    rows: Any32,
    contexts: Bytes,
    digests: Words,
    groups: Any32,
    sides: Words,
    coded: Bytes,
    lists: Ints,
) -> int:
    """Put the groups of some lists in order and code their contexts; return how long `coded` is.

    The groups of these lists, as many as `sizes` say, have the numbers from `first` on. `digests` go by these; in which
    row of `contexts` that of a group stands, `rows` says. `groups[:, 1]` gets the numbers by list, then by context
    behind the k-gram, then before it; `sides` for each its two contexts (numbers in its list) packed; `coded` the
    contexts. For each list `lists` (4 x n) gets: its first group here, where its contexts begin in `coded`, how many
    there are before the k-gram (they come first), and behind.
    """
    made = 0
    at = 0
    number = first
    for i in range(len(sizes)):
        count = sizes[i]
        numbers = np.empty(count, np.int64)
        for j in range(count):
            numbers[j] = number + j
        number += count
        _sort(numbers, rows, contexts, digests, WORDS + 1)
        begin = made
        behind = np.int64(0)
        for j in range(count):
            if j == 0 or not _same_side(rows, contexts, numbers[j], numbers[j - 1], 0):
                behind += 1
            groups[made, 1] = numbers[j]
            sides[made] = behind - 1
            made += 1
        lists[0, i] = begin
        lists[1, i] = at
        lists[3, i] = behind
        # The contexts before the k-gram, sorted by themselves.
        ones = np.empty(made - begin, np.int64)
        for g in range(begin, made):
            ones[g - begin] = groups[g, 1]
        order = _order_before(ones, rows, contexts)
        previous = np.int64(-1)
        before = 0
        for o in range(len(order)):
            g = begin + order[o]
            one = np.int64(groups[g, 1])
            if previous < 0 or not _same_side(rows, contexts, one, previous, BEFORE):
                at = _emit(rows, contexts, one, previous, BEFORE, coded, at)
                previous = one
                before += 1
            sides[g] |= np.uint64(before - 1) << np.uint64(SIDE_BITS)
        lists[2, i] = before
        previous = np.int64(-1)
        for g in range(begin, made):
            if g == begin or sides[g] & SIDE != sides[g - 1] & SIDE:
                at = _emit(rows, contexts, np.int64(groups[g, 1]), previous, 0, coded, at)
                previous = np.int64(groups[g, 1])
    return at


@making_part
def _order_before(numbers: Ints, rows: Any32, contexts: Bytes) -> Ints:
    """The order of postings by their contexts before the k-gram."""
    count = len(numbers)
    order = np.arange(count)
    keys = np.empty(count, np.uint64)
    for level in range(3, -1, -1):
        for i in range(count):
            keys[i] = _swapped(load64(contexts, np.int64(rows[numbers[order[i]]]) * ROW + BEFORE + 8 * level))
        ranks = np.argsort(keys, kind="mergesort")
        order = order[ranks]
    return order


@kernel
def finish_groups(
    groups: Any32,
    sides: Words,
    members: Any32,
    firsts: Any32,
    following: Any32,
    positions: Any32,
    lists: Any32,
    diverging: Flags,
    of: Any32,
    order: Any32,
) -> int:
    """Name the next group of each group, in the place of its posting, and pack how far on it begins.

    The postings of `groups[g, 1]` are those that begin in `members` at `firsts[groups[g, 1]]`. `of` gets the group of
    each posting by number, `order` the numbers of all in the order of groups; where those of each begin there replaces
    `groups[g, 0]`. `following` goes by number, and `lists`, the list of each. Where a chain is cut the next list stands
    for the next group, and CUT is set. Returns how many postings have another next than the rest of their group, which
    is 0 but for a collision of digests.
    """
    done = 0
    for g in range(len(groups)):
        one = np.int64(groups[g, 1])
        end = np.int64(firsts[one + 1])
        groups[g, 0] = done
        for i in range(np.int64(firsts[one]), end):
            of[members[i]] = g
            order[done] = members[i]
            done += 1
    bad = 0
    for g in range(len(groups)):
        one = np.int64(groups[g, 1])
        begin = np.int64(firsts[one])
        end = np.int64(firsts[one + 1])
        first = members[begin]
        after = following[first]
        if after == NONE:
            groups[g, 1] = NONE
            for i in range(begin + 1, end):
                bad += following[members[i]] != NONE
            continue
        is_cut = diverging[lists[first]] and not diverging[lists[after]]
        names = lists if is_cut else of
        groups[g, 1] = names[after]
        gap = np.uint64(positions[after] - positions[first])
        sides[g] |= gap << np.uint64(2 * SIDE_BITS)
        if is_cut:
            sides[g] |= CUT
        for i in range(begin + 1, end):
            other = following[members[i]]
            if other == NONE or names[other] != groups[g, 1]:
                bad += 1
            else:
                bad += np.uint64(positions[other] - positions[members[i]]) != gap
    return bad
