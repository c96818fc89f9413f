"""The alignment of tokens is the best one that brute force finds, and weighs what its rule says."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from codecite.indexer.kernels.align import (
    GAP,
    OTHER_CLASS,
    OTHER_NAME,
    OTHER_VALUE,
    SAME_CLASS,
    SAME_NAME,
    align,
    weigh,
)
from codecite.indexer.kernels.tokens import COMMON_NAMES, NUMBER, STRING, WORD
from codecite.indexer.text.tokens import Tokens, tokens_of

WORDS = ["alpha", "beta_long", "gamma", "if", "(", ")", "=", "1", "22", "'a'", "'bb'", "."]
CODE = st.lists(st.sampled_from(WORDS), max_size=24).map(" ".join)


def worth(one: Tokens, i: int, other: Tokens, j: int, taken: dict[int, int]) -> int:
    """What a pair of tokens counts."""
    if one.classes[i] != other.classes[j]:
        return OTHER_CLASS
    same = one.names[i] == other.names[j]
    if one.classes[i] == WORD:
        stands = taken.get(int(one.names[i])) == other.names[j]
        return SAME_NAME if same else SAME_CLASS if stands else OTHER_NAME
    if one.classes[i] in (NUMBER, STRING):
        return SAME_CLASS if same else OTHER_VALUE
    return SAME_CLASS


def best_score(one: Tokens, other: Tokens, taken: dict[int, int]) -> int:
    """The score of the best local alignment, without a band."""
    table = np.zeros((len(one) + 1, len(other) + 1), int)
    for i in range(len(one)):
        for j in range(len(other)):
            value = worth(one, i, other, j, taken)
            table[i + 1, j + 1] = max(0, table[i, j] + value, table[i, j + 1] + GAP, table[i + 1, j] + GAP)
    return int(table.max())


def aligned(one: Tokens, other: Tokens, taken: dict[int, int]) -> tuple[np.ndarray, np.ndarray]:
    """The pairs of the kernel, in a band that holds all, and the expected names."""
    expected = np.array([taken.get(name, name) for name in one.names.tolist()], np.uint64)
    pairs = np.empty((2, max(1, min(len(one), len(other)))), np.int64)
    low, width = -len(one), len(one) + len(other) + 1
    count = align(one.classes, one.names, expected, other.classes, other.names, low, width, pairs)
    return pairs[:, :count], expected


@given(CODE, CODE)
def test_the_alignment_scores_what_brute_force_finds(one: str, other: str) -> None:
    """Its pairs ascend on both sides, agree in class, and make up the best score with the gaps between them."""
    mine, theirs = tokens_of(one.encode()), tokens_of(other.encode())
    alpha, beta = (int(tokens_of(word).names[0]) for word in (b"alpha", b"beta_long"))
    taken = {alpha: beta, beta: alpha}
    pairs, _ = aligned(mine, theirs, taken)
    best = best_score(mine, theirs, taken)
    assert (pairs.shape[1] > 0) == (best > 0)
    if not best:
        return
    assert (np.diff(pairs) > 0).all()
    score = 0
    for at, (i, j) in enumerate(pairs.T.tolist()):
        assert mine.classes[i] == theirs.classes[j]
        score += worth(mine, i, theirs, j, taken)
        if at:
            rows, columns = (pairs[:, at] - pairs[:, at - 1] - 1).tolist()
            # What lies between is passed over one by one, or as pairs of other classes, whichever costs less.
            both = min(rows, columns)
            score += max(GAP * (rows + columns), OTHER_CLASS * both + GAP * (rows + columns - 2 * both))
    assert score == best


def weight(one: bytes, other: bytes) -> float:
    """What a whole text against another one weighs."""
    mine, theirs = tokens_of(one), tokens_of(other)
    pairs, expected = aligned(mine, theirs, {})
    sizes = mine.ends - mine.starts
    return float(weigh(mine.classes, mine.names, sizes, expected, theirs.names, pairs, COMMON_NAMES))


def test_what_an_alignment_weighs() -> None:
    """Long names much, common names little, repeated ones less, repeated structure next to nothing."""
    assert weight(b"accumulate_totals", b"accumulate_totals") == 8.0
    assert weight(b"append", b"append") == 1.0
    assert weight(b"ab ( ab", b"ab ( ab") == 2.6 + 0.5 + 2.6 / 2
    assert weight(b"'a docstring of forty bytes, or so it is'", b"'a docstring of forty bytes, or so it is'") > 25
    rows = [b"self.value_%d = value_%d\n" % (i, i) for i in range(30)]
    table = b"".join(rows)
    assert weight(table, table) < 0.4 * sum(weight(row, row) for row in rows)
