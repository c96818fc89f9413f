"""Plain-Python twins: each is the specification of one kernel, and its docstring holds a worked example.

In: bytes, numbers and lists. Out: the same. It refuses to know of arrays, of numba and of speed; nothing is
imported from the kernels but the two constants that define the contract.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from functools import lru_cache

from codecite.indexer.config import KGRAM, WINDOW

WHITE_SPACE = b"\t\n\v\f\r "
BASE = 0x9E3779B97F4A7C15
MASK = 2**64 - 1


def canonical(raw: bytes) -> bytes:
    r"""The text without the six ASCII white-space bytes.

    >>> canonical(b"if x:\n\treturn\x0b \x0c\r\x1c")
    b'ifx:return\x1c'
    """
    return bytes(byte for byte in raw if byte not in WHITE_SPACE)


def places(raw: bytes) -> list[tuple[int, int]]:
    r"""For each canonical position its raw offset and its line, from 1.

    >>> places(b"a\nb c")
    [(0, 1), (2, 2), (4, 2)]
    """
    kept = [offset for offset, byte in enumerate(raw) if byte not in WHITE_SPACE]
    return [(offset, raw[:offset].count(b"\n") + 1) for offset in kept]


def starts(text: str) -> list[int]:
    r"""1 for each byte of the text at which a code point begins; an escaped byte is a code point of one byte.

    >>> starts("\udcffé")
    [1, 1, 0]
    """
    sizes = [len(point.encode("utf-8", "surrogateescape")) for point in text]
    return [flag for size in sizes for flag in [1] + [0] * (size - 1)]


def counts(starting: Sequence[int], offsets: Sequence[int]) -> list[int]:
    """How many code points begin before each offset.

    >>> counts([1, 0, 1], [0, 2, 3])
    [0, 1, 2]
    """
    return [sum(starting[:offset]) for offset in offsets]


@lru_cache(maxsize=1 << 18)
def fingerprint(kgram: bytes) -> int:
    """The 64-bit hash of one k-gram: a polynomial, then MurmurHash3's mixer.

    >>> hex(fingerprint(bytes(25))), hex(fingerprint(bytes(24) + b"a"))
    ('0x0', '0x685fdf50e51fa977')
    """
    value = 0
    for byte in kgram:
        value = (value * BASE + byte) & MASK
    for factor in (0xFF51AFD7ED558CCD, 0xC4CEB9FE1A85EC53):
        value = ((value ^ value >> 33) * factor) & MASK
    return value ^ value >> 33


def hashes(text: bytes) -> list[int]:
    """The hashes of all k-grams, in order.

    >>> len(hashes(bytes(24))), len(hashes(bytes(26)))
    (0, 2)
    """
    return [fingerprint(text[i : i + KGRAM]) for i in range(len(text) - KGRAM + 1)]


def choices(values: Sequence[int]) -> list[int]:
    """Robust winnowing: for each complete window of w hashes the position that a Document chooses there.

    The one chosen before stays while it is in the window and nothing there is smaller; else it is the rightmost
    minimum. Of thirty equal hashes the five windows all keep the first choice:

    >>> choices([7] * 30)
    [25, 25, 25, 25, 25]
    >>> choices([7] * 24 + [3, 9, 3])
    [24, 24]
    """
    chosen = []
    held = -1
    for start in range(len(values) - WINDOW + 1):
        window = values[start : start + WINDOW]
        smallest = min(window)
        if held < start or values[held] != smallest:
            held = max(i for i in range(start, start + WINDOW) if values[i] == smallest)
        chosen.append(held)
    return chosen


def document_selection(text: bytes) -> list[tuple[int, int]]:
    """The fingerprints of a Document: hash and position of every k-gram that some window chooses.

    >>> [position for _, position in document_selection(b"-" * 100)]
    [25, 51]
    """
    values = hashes(text)
    return [(values[i], i) for i in sorted(set(choices(values)))]


def query_selection(text: bytes) -> list[tuple[int, int, list[int]]]:
    """The fingerprints of a query: for each run of windows with one minimum, its hash, first window and positions.

    A run goes on while the next window holds the same minimal hash at a place that the run already has.

    >>> [(window, len(positions)) for _, window, positions in query_selection(b"-" * 60)]
    [(0, 36)]
    """
    values = hashes(text)
    found: list[tuple[int, int, list[int]]] = []
    for start in range(len(values) - WINDOW + 1):
        smallest = min(values[start : start + WINDOW])
        if not found or found[-1][0] != smallest or found[-1][2][-1] < start:
            found.append((smallest, start, []))
        newest = max([start - 1, *found[-1][2][-1:]])
        found[-1][2].extend(i for i in range(newest + 1, start + WINDOW) if values[i] == smallest)
    return found


def runs(text: bytes) -> list[tuple[int, int, int]]:
    """The maximal stretches that have a period p of at most k and at least k + p bytes: start, end, smallest period.

    >>> runs(b"x" + b"-" * 26 + b"ab" * 13 + b"a")
    [(1, 27, 1), (27, 54, 2)]
    """
    found: dict[tuple[int, int], int] = {}
    for period in range(1, KGRAM + 1):
        start = 0
        for end in range(period, len(text) + 1):
            if end == len(text) or text[end] != text[end - period]:
                if end - start >= KGRAM + period:
                    found.setdefault((start, end), period)
                start = end - period + 1
    return sorted((start, end, period) for (start, end), period in found.items())


def lz4_decode(block: bytes, dictionary: bytes, limit: int) -> bytes | None:
    r"""Decode one LZ4 block behind a dictionary; None if it is not well formed or holds more than `limit` bytes.

    A token says how many literals follow and how long the match after them is; the last sequence has literals only.

    >>> lz4_decode(b"\x25ab\x02\x00\x20yz", b"", 99)
    b'abababababayz'
    >>> lz4_decode(b"\x00\x03\x00\x10!", b"abc", 99)
    b'abca!'
    >>> lz4_decode(b"\x00\x04\x00\x10!", b"abc", 99) is None
    True
    """
    out = bytearray(dictionary)
    stream = iter(block)

    def length(nibble: int) -> int:
        total = nibble
        more = 255
        while nibble == 15 and more == 255:
            more = next(stream)
            total += more
        return total

    try:
        while True:
            token = next(stream)
            for _ in range(length(token >> 4)):
                out.append(next(stream))
            if len(out) - len(dictionary) > limit:
                return None
            low = next(stream, None)
            if low is None:
                return bytes(out[len(dictionary) :])
            offset = low | next(stream) << 8
            size = length(token & 15) + 4
            if not 0 < offset <= len(out) or len(out) - len(dictionary) + size > limit:
                return None
            for _ in range(size):
                out.append(out[-offset])
    except StopIteration:
        return None


def postings(pairs: Iterable[tuple[int, int]], bits: int) -> dict[tuple[int, int], list[int]]:
    """The lists of an index: positions by bucket (the top bits of the hash) and tag (its next 16 bits).

    >>> postings([(0xFF << 56, 9), (0xFF << 56, 2), (1, 5)], 8)
    {(0, 0): [5], (255, 0): [2, 9]}
    """
    lists: dict[tuple[int, int], list[int]] = {}
    for value, position in sorted(pairs):
        lists.setdefault((value >> 64 - bits, value >> 48 - bits & 0xFFFF), []).append(position)
    return {key: sorted(lists[key]) for key in sorted(lists)}


def described(pairs: Iterable[tuple[int, int]], bits: int, rest_bits: int) -> list[tuple[int, int, int, int]]:
    """Postings by bucket and tag, in the order they came: bucket, tag, the bits of the hash behind it, position.

    >>> described([(0xFF << 56 | 5 << 40 | 3 << 38, 9), (0xFF << 56 | 5 << 40, 2), (1, 7)], 8, 2)
    [(0, 0, 0, 7), (255, 5, 3, 9), (255, 5, 0, 2)]
    """
    return [
        (value >> 64 - bits, value >> 48 - bits & 0xFFFF, (value >> 48 - bits - rest_bits) & (1 << rest_bits) - 1, at)
        for value, at in sorted(pairs, key=lambda pair: pair[0] >> 48 - bits)
    ]


def carried(
    pairs: Iterable[tuple[int, int]], bits: int, rest_bits: int, stretches: Sequence[tuple[int, int | None]]
) -> list[tuple[int, int]]:
    """Postings with as much of their hash as is known, moved: `stretches` are the end of each and how far it moves.

    Those of a stretch that moves by None go.

    >>> [(hex(value), at) for value, at in carried([(0xFFABCDEF << 32, 3), (1 << 56, 8)], 8, 0, [(5, 100), (9, None)])]
    [('0xffabcd0000000000', 103)]
    """
    known = 64 - bits - 16 - rest_bits
    moved = []
    for bucket, tag, rest, at in described(pairs, bits, rest_bits):
        shift = next(shift for end, shift in stretches if at < end)
        if shift is not None:
            moved.append((((bucket << 16 | tag) << rest_bits | rest) << known, at + shift))
    return moved


def agreement(a: Iterable[int], b: Iterable[int]) -> int:
    """How many bytes agree before the first difference.

    >>> agreement(b"abcd", b"abxd")
    2
    """
    done = 0
    for x, y in zip(a, b, strict=False):
        if x != y:
            break
        done += 1
    return done


def sums(
    documents: Sequence[int], licenses: Sequence[Sequence[int]], projects: Sequence[Sequence[int]], cap: int
) -> tuple[int, dict[int, int], int]:
    """Documents, Documents under each licence, and projects, which are counted to one beyond the cap.

    >>> sums([0, 2], [[0], [0], [0, 1]], [[70], [80], [70, 90]], 1000)
    (2, {0: 2, 1: 1}, 2)
    """
    under: dict[int, int] = {}
    for document in documents:
        for license in licenses[document]:
            under[license] = under.get(license, 0) + 1
    met = {project for document in documents for project in projects[document]}
    return len(documents), under, min(len(met), cap + 1)


def first_places(
    documents: Sequence[int], origins: Sequence[Sequence[int]], ranks: Mapping[int, int], wanted: int
) -> list[tuple[int, int]]:
    """The Origins (with the index of their Document) that come first by rank; those without a rank do not count.

    >>> first_places([0, 2], [[10, 11], [12], [13]], {10: 5, 11: 1, 13: 3}, 2)
    [(11, 0), (13, 1)]
    """
    rows = [(ranks[row], row, i) for i, document in enumerate(documents) for row in origins[document] if row in ranks]
    return [(row, i) for _, row, i in sorted(rows)[:wanted]]


def surroundings(raw: bytes, position: int) -> tuple[bytes, bytes, bytes]:
    r"""The context of a posting: canonical bytes before its k-gram, the nearest first, those behind it, the raw text.

    As many as a window has places on either side, fewer where the Document ends; the raw text goes from the first of
    them to the last.

    >>> surroundings(b" ab c" + b"-" * 24 + b"\n-\td ", 3)
    (b'cba', b'd', b'ab c------------------------\n-\td')
    """
    offsets = [offset for offset, _ in places(raw)]
    text = canonical(raw)
    first, last = max(0, position - WINDOW), min(len(text), position + KGRAM + WINDOW)
    return text[first:position][::-1], text[position + KGRAM : last], raw[offsets[first] : offsets[last - 1] + 1]


def nexts(frequent: Sequence[int], length: int) -> list[int | None]:
    """For the frequent postings of a Document of `length` canonical bytes, the next of each: an index, or None.

    That is the last that begins no further on than a window has places; there is none where the Document ends before
    the context behind does.

    >>> nexts([0, 10, 26, 27, 60], 78)
    [2, 3, 3, None, None]
    """
    found: list[int | None] = []
    for i, position in enumerate(frequent):
        near = [j for j in range(i + 1, len(frequent)) if frequent[j] <= position + WINDOW]
        found.append(near[-1] if near and position + KGRAM + WINDOW <= length else None)
    return found


def chained(documents: Sequence[tuple[bytes, Sequence[int]]], diverging: Collection[bytes] = ()) -> list[list[int]]:
    """For the frequent postings of each Document a number, equal for those that nothing tells apart.

    That is so where contexts and white space agree, and nexts lie as far on and have one number. For postings of
    `diverging` k-grams it is enough if that goes up to the first of another k-gram, which is the same one.

    >>> tails = [(b"ab" * 40 + tail * 40, [0, 20, 41]) for tail in (b"c", b"d")]
    >>> chained(tails), chained(tails, {b"ab" * 12 + b"a"})
    ([[2, 1, 0], [5, 4, 3]], [[4, 2, 0], [4, 2, 5]])
    """
    known: dict[object, int] = {}
    numbers: list[list[int]] = []
    for raw, frequent in documents:
        text = canonical(raw)
        following = nexts(frequent, len(text))
        whole, mine = [0] * len(frequent), [0] * len(frequent)
        kgrams = [text[position : position + KGRAM] for position in frequent]
        for i in range(len(frequent) - 1, -1, -1):
            after = following[i]
            gap = None if after is None else frequent[after] - frequent[i]
            around = surroundings(raw, frequent[i])
            beyond = None if after is None else (gap, whole[after])
            whole[i] = mine[i] = known.setdefault((around, beyond), len(known))
            if after is not None and kgrams[i] in diverging:
                onward = mine[after] if kgrams[after] in diverging else kgrams[after]
                mine[i] = known.setdefault((around, "cut", gap, onward), len(known))
        numbers.append(mine)
    return numbers


def front_coded(contexts: Iterable[bytes]) -> bytes:
    r"""Contexts, each as one byte for what it shares with the one before, then the rest of it.

    Where it is shorter than a window has places, 32 is added, and its length follows.

    >>> front_coded([b"ab", b"ac", b"a" * 26])
    b' \x02ab!\x02c\x01aaaaaaaaaaaaaaaaaaaaaaaaa'
    """
    coded = b""
    before = b""
    for context in contexts:
        shared = agreement(context, before)
        coded += bytes([shared] if len(context) == WINDOW else [32 + shared, len(context)]) + context[shared:]
        before = context
    return coded


def chain(raw: bytes, frequent: Sequence[int], i: int, text: bytes, q: int) -> tuple[int, bool]:
    """How far a Document agrees with the text behind the k-gram of posting `i`, which stands at `q`, by its chain.

    Also whether the chain is open: agrees to its end, while the Document may go on.

    >>> chain(b"a" * 80, [0, 20, 29], 0, b"a" * 70 + b"b", 0)
    (45, False)
    >>> chain(b"a" * 81, [0, 20, 29], 0, b"a" * 90, 0)
    (55, True)
    """
    document = canonical(raw)
    following = nexts(frequent, len(document))
    last = i
    while (after := following[last]) is not None:
        last = after
    behind = len(surroundings(raw, frequent[last])[1])
    end = frequent[last] + KGRAM + behind
    agreed = agreement(document[frequent[i] + KGRAM : end], text[q + KGRAM :])
    return agreed, behind == WINDOW and frequent[i] + KGRAM + agreed == end


def holding(documents: Sequence[bytes], passage: bytes) -> dict[int, int]:
    """The Documents that hold a passage, each with its first canonical place there.

    >>> holding([b"x a b", b"c", b"ab"], b"ab")
    {0: 1, 2: 0}
    """
    found = {number: canonical(raw).find(passage) for number, raw in enumerate(documents)}
    return {number: place for number, place in found.items() if place >= 0}
