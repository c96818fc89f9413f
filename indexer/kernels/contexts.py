"""The write side of frequent fingerprints: which they are, and the text around their postings.

In: the postings of a Segment, and the text they stand in. Out: the context of each posting of a frequent list, and
what follows it. It refuses to know of files.

The *context* of a posting is the `REACH` canonical bytes before its k-gram (the nearest first) and as many behind it,
fewer where its Document ends. Its *next* is the last frequent posting that begins at most `REACH` bytes further on in
the same Document, where the context behind is whole.

Where many Documents have a text that each goes on with in another way, their chains differ all along that text. Lists
with many times as many chains as contexts are *diverging*: their chains are *cut* before the first posting of another
list, so that the copies of the text are one.
"""

from __future__ import annotations

import numpy as np

from codecite.indexer.config import KGRAM, WINDOW
from codecite.indexer.kernels.jit import inlined, kernel, making_kernel, making_part, part
from codecite.indexer.kernels.memory import load64, store64
from codecite.indexer.kernels.types import Any16, Any32, Bytes, Flags, Ints, Words

REACH = WINDOW
"""Canonical bytes of context: what agrees that far holds another window, and so another fingerprint."""
ROW = 96
"""Bytes of a context in memory, a row: behind the k-gram from 0 on, its length at 31; before it from 32 on, its length
at 63; the k-gram from 64 on; zeros between."""
BEFORE = 32
KGRAM_AT = 64
WORDS = ROW // 8
KEYS = 7 + 4 * WORDS
NONE = np.uint32(0xFFFFFFFF)
NAMES = 2 * REACH
"""From this bit on the white space behind a k-gram has names for the first two places of which two bits say little."""
NAME_BITS = 6
NO_FORM = (1 << 24) - 1
_SPACES = np.uint64(0x2121212121212121)
_HIGH_BITS = np.uint64(0x8080808080808080)
_P1 = np.uint64(0x9E3779B185EBCA87)
_LOW = np.uint64(0xFFFFFFFF)
_DIGIT_BITS = 11
_CUT = 1 << 32


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
def _digest(keys: Words, row: Bytes, more: np.uint64) -> np.uint64:
    """Two multilinear hashes of a row and one word more, 32 bits each.

    With random keys that its texts were made without knowing, two of them collide with a chance of 2**-64 (Lemire,
    Kaser: Strongly universal string hashing is fast, 2014).
    """
    one = keys[0] + keys[1] * (more & _LOW) + keys[2] * (more >> np.uint64(32))
    other = keys[3] + keys[4] * (more & _LOW) + keys[5] * (more >> np.uint64(32))
    for w in range(len(row) // 8):
        word = load64(row, 8 * w)
        one += keys[6 + 4 * w] * (word & _LOW) + keys[7 + 4 * w] * (word >> np.uint64(32))
        other += keys[8 + 4 * w] * (word & _LOW) + keys[9 + 4 * w] * (word >> np.uint64(32))
    return (one & ~_LOW) | (other >> np.uint64(32))


@part
def _is_space(byte: int) -> bool:
    return byte == 32 or (byte >= 9 and byte <= 13)


@kernel
def mark_blocks(positions: Any32, starts: Ints, wanted: Flags) -> None:
    """Set `wanted` for the blocks that `gather` reads for some postings, whose positions ascend, or may read.

    `starts` is where the blocks begin in the canonical text, and where the last ends.
    """
    b = 0
    last = len(wanted) - 1
    for i in range(len(positions)):
        p = np.int64(positions[i])
        while b < last and starts[b + 1] <= p - REACH:
            b += 1
        wanted[b] = True
        ahead = b
        while ahead < last and starts[ahead + 1] < p + KGRAM + REACH:
            ahead += 1
            wanted[ahead] = True


@inlined
def _form(form: int, byte: int) -> int:
    """White space, one byte more: how many line feeds, tabs behind them and blanks behind these; or NO_FORM.

    A byte each, the blanks lowest.
    """
    if byte == 32:
        more = form + 1
        return more if form & 0xFF < 0xFF else np.int64(NO_FORM)
    if byte == 9 and form & 0xFF == 0:
        return form + (1 << 8) if form & 0xFF00 < 0xFF00 else np.int64(NO_FORM)
    if byte == 10 and form & 0xFFFF == 0:
        return form + (1 << 16) if form < 0xFF0000 else np.int64(NO_FORM)
    return np.int64(NO_FORM)


@inlined
def _name(form: int) -> int:
    """The number of a white space that indents as most code does, from 1 on; 0 for any other."""
    feeds = form >> 16
    tabs = (form >> 8) & 0xFF
    blanks = form & 0xFF
    if feeds > 2 or tabs > 4 or blanks > (11 if tabs == 0 else 1):
        return np.int64(0)
    return 1 + 20 * feeds + (blanks if tabs == 0 else 10 + 2 * tabs + blanks)


@kernel
def gather(
    raw: Bytes,
    blocks: Ints,
    starts: Ints,
    canonical: Ints,
    positions: Any32,
    keys: Words,
    work: Bytes,
    contexts: Bytes,
    whole: Bytes,
    digests: Words,
    spaces: Words,
) -> None:
    """Collect the contexts of the postings in some Documents.

    `raw` is the text of some blocks, which begin at `blocks[0]` there and at `blocks[1]` in the canonical text of the
    Segment (the end of the last included); only those that hold contexts are read. The Documents, one after the other,
    begin at `starts` in `raw` and at `canonical` in the Segment (likewise). `positions` are the postings in them,
    ascending. `work` is a row, `keys` are KEYS random words. For each posting `digests` gets a hash of its context
    with the white space in it, `whole` whether REACH bytes are behind it, `spaces` which white space comes before each
    of these (two bits each, the nearest lowest: none, a blank, a line feed, other; then the names of the first two
    others, NAME_BITS each, as `_name` has them), and `contexts`, unless it is empty, its context (a row each).
    """
    i = 0
    b = 0
    for document in range(len(starts) - 1):
        begin = canonical[document]
        end = canonical[document + 1]
        at = starts[document]
        position = begin
        while i < len(positions) and np.int64(positions[i]) < end:
            p = np.int64(positions[i])
            left = max(begin, p - REACH)
            while blocks[1, b + 1] <= left:
                b += 1
            if blocks[0, b] > at:
                position = blocks[1, b]
                at = blocks[0, b]
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
            for w in range(0, ROW, 8):
                store64(work, w, np.uint64(0))
            state = keys[KEYS - 1]
            space = np.uint64(0)
            spaced = np.uint64(0)
            form = np.int64(0)
            named = np.int64(NAMES)
            x = at
            c = left
            while c < stop:
                byte = raw[x]
                x += 1
                if _is_space(byte):
                    state = (state ^ (np.uint64(byte) | np.uint64((c - left) << 8))) * _P1
                    state ^= state >> np.uint64(29)
                    space = np.uint64(3 if space else 1 if byte == 32 else 2 if byte == 10 else 3)
                    form = _form(form, byte)
                    continue
                if c >= p + KGRAM:
                    spaced |= space << np.uint64(2 * (c - p - KGRAM))
                    if space == 3 and named < 64:
                        spaced |= np.uint64(_name(form)) << np.uint64(named)
                        named += NAME_BITS
                space = np.uint64(0)
                form = np.int64(0)
                if c >= p + KGRAM:
                    work[c - p - KGRAM] = byte
                elif c < p:
                    work[BEFORE + p - 1 - c] = byte
                else:
                    work[KGRAM_AT + c - p] = byte
                c += 1
            work[31] = stop - p - KGRAM
            work[63] = p - left
            whole[i] = stop - p - KGRAM == REACH
            digests[i] = _digest(keys, work, state)
            spaces[i] = spaced
            if len(contexts) > 0:
                for w in range(0, ROW, 8):
                    store64(contexts, i * ROW + w, load64(work, w))
            i += 1


@kernel
def link(
    positions: Any32, whole: Bytes, keys: Words, work: Bytes, local: Words, digests: Words, following: Any32
) -> None:
    """Find the next of each posting, and from the digests of contexts (`local`) make those of whole chains.

    All go by ascending positions; `work` is a row, `keys` are others than those of `gather`; `following` gets the
    number of the next in them, or NONE.
    """
    ahead = len(positions) - 1
    for i in range(len(positions) - 1, -1, -1):
        p = np.int64(positions[i])
        while np.int64(positions[ahead]) > p + REACH:
            ahead -= 1
        if ahead > i and whole[i]:
            following[i] = ahead
            digests[i] = _onward(keys, work, local[i], digests[ahead], np.int64(positions[ahead]) - p)
        else:
            following[i] = NONE
            digests[i] = local[i]


@part
def _onward(keys: Words, work: Bytes, local: np.uint64, onward: np.uint64, gap: int) -> np.uint64:
    store64(work, 0, local)
    store64(work, 8, onward)
    return _digest(keys, work[:16], np.uint64(gap))


@making_kernel
def find_diverging(sizes: Ints, places: Any32, local: Words, digests: Words, times: int, diverging: Flags) -> None:
    """Of the lists that are set in `diverging` leave those with at least so many `times` as many chains as contexts.

    `places` says where the digests of postings stand, one list after the other, as many as `sizes` say.
    """
    begin = 0
    for i in range(len(sizes)):
        mine = places[begin : begin + sizes[i]]
        if diverging[i]:
            diverging[i] = _distinct(digests, mine) >= times * _distinct(local, mine)
        begin += sizes[i]


@making_part
def _distinct(values: Words, places: Any32) -> int:
    ordered = np.empty(len(places), np.uint64)
    for i in range(len(places)):
        ordered[i] = values[places[i]]
    ordered.sort()
    count = 1
    for i in range(1, len(ordered)):
        count += ordered[i] != ordered[i - 1]
    return count


@kernel
def cut(
    positions: Any32,
    following: Any32,
    lists: Any32,
    diverging: Flags,
    keys: Words,
    work: Bytes,
    local: Words,
    digests: Words,
) -> None:
    """For the postings of diverging lists make the digest of the chain up to the first list that is none of these.

    All but `diverging` go by ascending positions; `lists` names the list of each posting; `digests` holds what `link`
    made of them.
    """
    for i in range(len(positions) - 1, -1, -1):
        if not diverging[lists[i]]:
            continue
        after = following[i]
        if after == NONE:
            digests[i] = local[i]
            continue
        gap = np.int64(positions[after]) - np.int64(positions[i])
        if diverging[lists[after]]:
            digests[i] = _onward(keys, work, local[i], digests[after], gap)
        else:
            digests[i] = _onward(keys, work, local[i], np.uint64(lists[after]), gap | _CUT)


@making_kernel
def collapse(sizes: Ints, digests: Words, members: Any32, firsts: Any32, kept: Ints) -> int:
    """Bring the postings of each list that have one digest together; return how many digests the lists have.

    The postings of some lists, as many as `sizes` say, stand one list after the other. `members` gets their numbers by
    list, digest and number, `firsts` where in `members` those of each digest begin, `kept` how many digests each list
    has.
    """
    begin = 0
    count = 0
    for i in range(len(sizes)):
        end = begin + sizes[i]
        order = np.argsort(digests[begin:end], kind="mergesort")
        before = count
        for j in range(sizes[i]):
            members[begin + j] = begin + order[j]
            if j == 0 or digests[begin + order[j]] != digests[begin + order[j - 1]]:
                firsts[count] = begin + j
                count += 1
        kept[i] = count - before
        begin = end
    return count
