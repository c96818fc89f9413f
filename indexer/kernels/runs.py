"""Runs: the periodic stretches of a text, such as rulers and tables of zeros.

In: canonical text. Out: where its runs begin and end, and their periods. It refuses to know of the index.
"""

from __future__ import annotations

import numpy as np

from codecite.indexer.config import KGRAM
from codecite.indexer.kernels.jit import making_part
from codecite.indexer.kernels.memory import load64
from codecite.indexer.kernels.types import Bytes, Ints


@making_part
def find_runs(text: Bytes, starts: Ints, ends: Ints, periods: Ints) -> int:
    """Find the maximal stretches of `text` that have a period p of at most k and at least k + p bytes.

    Returns how many there are; if that is more than the arrays have room for, it is at least as many as there are, and
    the rest is not written. A stretch is named once, with its smallest period: `b"-" * 60` is the run from 0 to 60 of
    period 1. In a run k consecutive bytes equal those p before, among them two aligned words of eight bytes.
    """
    count = 0
    passed = np.zeros(KGRAM + 1, np.int64)
    for i in range(0, len(text) - 15, 8):
        first = load64(text, i)
        second = load64(text, i + 8)
        for period in range(1, min(KGRAM, i) + 1):
            if i < passed[period] or first != load64(text, i - period) or second != load64(text, i + 8 - period):
                continue
            start = i - period
            while start > 0 and text[start - 1] == text[start - 1 + period]:
                start -= 1
            end = i + 16
            while end < len(text) and text[end] == text[end - period]:
                end += 1
            passed[period] = end
            if end - start < KGRAM + period:
                continue
            known = False
            for j in range(max(0, min(count, len(starts)) - KGRAM), min(count, len(starts))):
                known = known or (starts[j] == start and ends[j] == end)
            if known:
                continue
            if count < len(starts):
                starts[count] = start
                ends[count] = end
                periods[count] = period
            count += 1
    return count
