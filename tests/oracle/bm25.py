"""BM25 by brute force: a score for each text, from its formula.

In: the terms of texts, by name; the terms of a query. Out: scores. It refuses to know of indexes. Lucene's inverse
document frequency, k1 = 1.2, b = .75; the length of a text is kept in one byte, as Lucene and Tantivy do: exactly up to
40, then rounded down to four significant bits.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence

K1, B = 1.2, 0.75


def rounded(length: int) -> int:
    """A length as one byte holds it.

    >>> [rounded(n) for n in (0, 39, 40, 41, 42, 57, 100, 1000)]
    [0, 39, 40, 40, 42, 56, 96, 984]
    """
    if length < 40:
        return length
    over = length - 24
    shift = max(0, over.bit_length() - 4)
    return 24 + ((over >> shift) << shift)


def scores(texts: Mapping[str, Sequence[str]], query: Sequence[str]) -> dict[str, float]:
    """The scores of all texts that hold a term of the query; each of its terms counts once."""
    average = sum(map(len, texts.values())) / len(texts)
    found: dict[str, float] = {}
    for term in dict.fromkeys(query):
        holding = {name: Counter(terms)[term] for name, terms in texts.items() if term in terms}
        weight = math.log(1 + (len(texts) - len(holding) + 0.5) / (len(holding) + 0.5))
        for name, times in holding.items():
            norm = K1 * (1 - B + B * rounded(len(texts[name])) / average)
            found[name] = found.get(name, 0.0) + weight * times * (K1 + 1) / (times + norm)
    return found
