"""The write side of frequent fingerprints: their postings grouped by the text around them.

In: the postings of frequent lists, and the text they stand in. Out: groups of postings that nothing tells apart, and
their contexts, front-coded. It refuses to know of files.

The *context* of a posting is the `REACH` canonical bytes before its k-gram (the nearest first) and as many behind it,
fewer where its Document ends. Its *next* is the last frequent posting that begins at most `REACH` bytes further on in
the same Document, where the context behind is whole. Postings of one list form a *group* if contexts, white space in
them, and the groups of their nexts agree: so all of its postings agree from `REACH` bytes before the k-gram to the end
of the chain of nexts. What that is for is in `frequent.py`.
"""

from __future__ import annotations

import numpy as np

from codecite.indexer.config import KGRAM, WINDOW
from codecite.indexer.kernels.jit import kernel, making_kernel, making_part, part
from codecite.indexer.kernels.memory import load64
from codecite.indexer.kernels.types import Any16, Any32, Bytes, Ints, Words

REACH = WINDOW
"""Canonical bytes of context: what agrees that far holds another window, and so another fingerprint."""
ROW = 64
"""Bytes of a context in memory: behind the k-gram from 0 on, its length at 31; before it from 32 on, its length
at 63; zeros between."""
NONE = np.uint32(0xFFFFFFFF)
CUT = 0x20
"""In the head of a front-coded context: the context is shorter than REACH, its length follows."""
GAP_BITS = 5
SIDE_BITS = 29
SIDE = np.uint64((1 << SIDE_BITS) - 1)
_BEFORE = 32
_WORDS = ROW // 8
_FEW = 12
_SPACES = np.uint64(0x2121212121212121)
_HIGH_BITS = np.uint64(0x8080808080808080)
_P1 = np.uint64(0x9E3779B185EBCA87)
_P2 = np.uint64(0xC2B2AE3D27D4EB4F)
_ODD = np.uint64(0x00FF00FF00FF00FF)
_PAIRS = np.uint64(0x0000FFFF0000FFFF)
_DIGIT_BITS = 11


@kernel
def frequent_lists(buckets: Any32, tags: Any16, first: int, least: int, bounds: Ints) -> int:
    """Find the lists of at least `least` postings in a stretch of buckets; return how many there are.

    `buckets` holds where each begins and where the last ends, `tags` the tags of those postings, from number `first`
    on. `bounds` (2 x n) gets where each list begins and ends, for as many as it has room.
    """
    count = 0
    for b in range(len(buckets) - 1):
        begin = np.int64(buckets[b])
        end = np.int64(buckets[b + 1])
        if end - begin < least:
            continue
        j = begin
        while j < end:
            last = j + 1
            while last < end and tags[last - first] == tags[j - first]:
                last += 1
            if last - j >= least:
                if count < bounds.shape[1]:
                    bounds[0, count] = j
                    bounds[1, count] = last
                count += 1
            j = last
    return count


@making_kernel
def order_by_position(positions: Any32, order: Any32) -> None:
    """Write to `order` the numbers of the positions, ascending by position (a radix sort)."""
    count = len(positions)
    other = np.empty(count, np.uint32)
    counts = np.empty((1 << _DIGIT_BITS) + 1, np.int64)
    for i in range(count):
        other[i] = i
    mask = np.uint32((1 << _DIGIT_BITS) - 1)
    for turn in range(3):
        source, target = (other, order) if turn % 2 == 0 else (order, other)
        shift = np.uint32(turn * _DIGIT_BITS)
        counts[:] = 0
        for i in range(count):
            counts[np.int64((positions[i] >> shift) & mask) + 1] += 1
        for digit in range(1 << _DIGIT_BITS):
            counts[digit + 1] += counts[digit]
        for i in range(count):
            digit = np.int64((positions[source[i]] >> shift) & mask)
            target[counts[digit]] = source[i]
            counts[digit] += 1


@part
def _mixed(state: np.uint64, word: np.uint64) -> np.uint64:
    state = (state ^ word) * _P1
    return (state ^ (state >> np.uint64(29))) * _P2


@part
def _is_space(byte: int) -> bool:
    return byte == 32 or (byte >= 9 and byte <= 13)


@kernel
def gather(
    raw: Bytes,
    starts: Ints,
    canonical: Ints,
    positions: Any32,
    order: Any32,
    first: int,
    contexts: Bytes,
    digests: Words,
) -> int:
    """Collect the contexts of the postings in some Documents; return the number of the first posting behind them.

    `raw` is the text of the Documents, which begin at `starts` (the end of the last included) there and at `canonical`
    in the Segment. `order` names the postings by position; `first` is the first of them in these Documents. `contexts`
    (rows of ROW bytes, zeros before) gets theirs by number, `digests` (by place in `order`) a hash of each context with
    its white space.
    """
    i = first
    for document in range(len(starts) - 1):
        begin = canonical[document]
        end = canonical[document + 1]
        at = starts[document]
        position = begin
        while i < len(order) and np.int64(positions[order[i]]) < end:
            p = np.int64(positions[order[i]])
            left = max(begin, p - REACH)
            while position < left:
                if left - position >= 8 and at + 8 <= starts[document + 1]:
                    word = load64(raw, at)
                    if (word - _SPACES) & ~word & _HIGH_BITS == 0:
                        at += 8
                        position += 8
                        continue
                position += 0 if _is_space(raw[at]) else 1
                at += 1
            while _is_space(raw[at]):
                at += 1
            stop = min(end, p + KGRAM + REACH)
            row = np.int64(order[i]) * ROW
            state = _P2
            x = at
            c = left
            while c < stop:
                byte = raw[x]
                x += 1
                if _is_space(byte):
                    state = _mixed(state, np.uint64(byte) | np.uint64((c - left) << 8))
                    continue
                if c < p:
                    contexts[row + _BEFORE + p - 1 - c] = byte
                elif c >= p + KGRAM:
                    contexts[row + c - p - KGRAM] = byte
                c += 1
            contexts[row + 31] = stop - p - KGRAM
            contexts[row + 63] = p - left
            for w in range(_WORDS):
                state = _mixed(state, load64(contexts, row + 8 * w))
            digests[i] = state
            i += 1
    return i


@kernel
def link(positions: Any32, order: Any32, contexts: Bytes, digests: Words, following: Any32) -> None:
    """Find the next of each posting, and make the digest of each one of all its chain.

    `digests` go by place in `order`, as `gather` left them; `following` gets, by number, the number of the next or
    NONE.
    """
    ahead = len(order) - 1
    for i in range(len(order) - 1, -1, -1):
        p = np.int64(positions[order[i]])
        while np.int64(positions[order[ahead]]) > p + REACH:
            ahead -= 1
        if ahead > i and contexts[np.int64(order[i]) * ROW + 31] == REACH:
            following[order[i]] = order[ahead]
            digests[i] = _mixed(digests[i] + np.uint64(np.int64(positions[order[ahead]]) - p), digests[ahead])
        else:
            following[order[i]] = NONE


@kernel
def by_number(order: Any32, digests: Words, out: Words) -> None:
    """Put digests that go by place in `order` where their numbers say."""
    for i in range(len(order)):
        out[order[i]] = digests[i]


@part
def _swapped(word: np.uint64) -> np.uint64:
    """The word with its first byte in front, so that words sort as their bytes do."""
    word = ((word & _ODD) << np.uint64(8)) | ((word >> np.uint64(8)) & _ODD)
    word = ((word & _PAIRS) << np.uint64(16)) | ((word >> np.uint64(16)) & _PAIRS)
    return (word << np.uint64(32)) | (word >> np.uint64(32))


@part
def _key(contexts: Bytes, digests: Words, number: int, level: int) -> np.uint64:
    """What postings are sorted by: the words of the context, the digest, their number."""
    if level < _WORDS:
        return _swapped(load64(contexts, number * ROW + 8 * level))
    return digests[number] if level == _WORDS else np.uint64(number)


@part
def _precedes(contexts: Bytes, digests: Words, a: int, b: int, level: int) -> bool:
    for i in range(level, _WORDS + 2):
        x = _key(contexts, digests, a, i)
        y = _key(contexts, digests, b, i)
        if x != y:
            return x < y
    return False


@making_part
def _sort(numbers: Ints, contexts: Bytes, digests: Words, last_level: int) -> None:
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
                while j > begin and _precedes(contexts, digests, number, numbers[j - 1], level):
                    numbers[j] = numbers[j - 1]
                    j -= 1
                numbers[j] = number
            continue
        same = True
        for i in range(begin, end):
            keys[i] = _key(contexts, digests, numbers[i], level)
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
            keys[i] = _key(contexts, digests, numbers[i], level)
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
def _emit(contexts: Bytes, number: int, previous: int, side: int, out: Bytes, at: int) -> int:
    """Append one side of a context, coded against that of the posting before it (or -1); return the new length."""
    row = number * ROW + side
    length = np.int64(contexts[row + 31])
    shared = 0
    if previous >= 0:
        before = previous * ROW + side
        limit = min(length, np.int64(contexts[before + 31]))
        while shared < limit and contexts[row + shared] == contexts[before + shared]:
            shared += 1
    out[at] = shared if length == REACH else shared | CUT
    at += 1
    if length != REACH:
        out[at] = length
        at += 1
    for i in range(shared, length):
        out[at] = contexts[row + i]
        at += 1
    return at


@part
def _same_side(contexts: Bytes, a: int, b: int, side: int) -> bool:
    for w in range(0, 32, 8):
        if load64(contexts, a * ROW + side + w) != load64(contexts, b * ROW + side + w):
            return False
    return True


@making_kernel
def group_lists(
    bounds: Ints,
    first: int,
    contexts: Bytes,
    digests: Words,
    sorted_numbers: Any32,
    groups: Any32,
    sides: Words,
    coded: Bytes,
    lists: Ints,
) -> tuple[int, int]:
    """Group the postings of some lists; return how many groups there are, and how long `coded` is.

    `bounds` (2 x n) says which postings of the Segment each list holds; in their own numbers, which `contexts` and
    `digests` go by, those of the first list begin at `first`, and each list follows the one before. `sorted_numbers`
    gets the numbers of all of them in the order of groups. For each group `groups` (n x 2) gets where its postings
    begin in the Segment and the number of one of them, and `sides` its two contexts (numbers in its list) packed.
    `coded` gets the contexts. For each list `lists` (4 x n) gets: its first group here, where its contexts begin
    in `coded`, how many there are before the k-gram (they come first), and behind.
    """
    made = 0
    at = 0
    done = 0
    number = first
    for i in range(bounds.shape[1]):
        count = bounds[1, i] - bounds[0, i]
        numbers = np.empty(count, np.int64)
        for j in range(count):
            numbers[j] = number + j
        number += count
        _sort(numbers, contexts, digests, _WORDS + 1)
        begin = made
        behind = np.int64(0)
        for j in range(count):
            sorted_numbers[done + j] = numbers[j]
            same = j > 0 and _same_side(contexts, numbers[j], numbers[j - 1], 0)
            if not same:
                behind += 1
            elif digests[numbers[j]] == digests[numbers[j - 1]] and _same_side(
                contexts, numbers[j], numbers[j - 1], _BEFORE
            ):
                continue
            groups[made, 0] = bounds[0, i] + j
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
        order = _order_before(ones, contexts)
        previous = np.int64(-1)
        before = 0
        for o in range(len(order)):
            g = begin + order[o]
            one = np.int64(groups[g, 1])
            if previous < 0 or not _same_side(contexts, one, previous, _BEFORE):
                at = _emit(contexts, one, previous, _BEFORE, coded, at)
                previous = one
                before += 1
            sides[g] |= np.uint64(before - 1) << np.uint64(SIDE_BITS)
        lists[2, i] = before
        previous = np.int64(-1)
        for g in range(begin, made):
            if g == begin or sides[g] & SIDE != sides[g - 1] & SIDE:
                at = _emit(contexts, np.int64(groups[g, 1]), previous, 0, coded, at)
                previous = np.int64(groups[g, 1])
        done += count
    return made, at


@making_part
def _order_before(numbers: Ints, contexts: Bytes) -> Ints:
    """The order of postings by their contexts before the k-gram."""
    count = len(numbers)
    order = np.arange(count)
    keys = np.empty(count, np.uint64)
    for level in range(3, -1, -1):
        for i in range(count):
            keys[i] = _swapped(load64(contexts, numbers[order[i]] * ROW + _BEFORE + 8 * level))
        ranks = np.argsort(keys, kind="mergesort")
        order = order[ranks]
    return order


@kernel
def finish_groups(
    groups: Any32, sides: Words, following: Any32, positions: Any32, sorted_numbers: Any32, ends: Ints, of: Any32
) -> int:
    """Name the next group of each group, in the place of its posting, and pack how far on it begins.

    `of` gets the group of each posting by number; `ends[g]` is how many of `sorted_numbers` are passed with group g.
    Returns how many postings of a group have another next than the rest, which is 0 but for a collision of digests.
    """
    begin = 0
    for g in range(len(groups)):
        for i in range(begin, ends[g]):
            of[sorted_numbers[i]] = g
        begin = ends[g]
    bad = 0
    begin = 0
    for g in range(len(groups)):
        one = groups[g, 1]
        after = following[one]
        groups[g, 1] = NONE if after == NONE else of[after]
        gap = np.uint64(0) if after == NONE else np.uint64(positions[after] - positions[one])
        sides[g] |= gap << np.uint64(2 * SIDE_BITS)
        for i in range(begin, ends[g]):
            other = following[sorted_numbers[i]]
            if other == NONE or after == NONE:
                bad += other != after
            elif of[other] != groups[g, 1]:
                bad += 1
        begin = ends[g]
    return bad
