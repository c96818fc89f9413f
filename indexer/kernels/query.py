"""A query taken apart in one call: fingerprints, minima and runs.

In: canonical text. Out: the arrays of `spans.Query`. It refuses to know of the index.
"""

from __future__ import annotations

import numpy as np

from codecite.indexer.config import KGRAM
from codecite.indexer.kernels.jit import kernel
from codecite.indexer.kernels.spans import find_runs
from codecite.indexer.kernels.types import Bytes, Ints, Words
from codecite.indexer.kernels.winnow import select_query


@kernel
def assign_runs(positions: Ints, starts: Ints, ends: Ints, run_of: Ints) -> None:
    """For each fingerprint, the run that holds its whole k-gram, or -1. Runs stand in the order of their starts."""
    first = 0
    for f in range(len(positions)):
        run_of[f] = -1
        while first < len(starts) and ends[first] < positions[f] + KGRAM:
            first += 1
        for run in range(first, len(starts)):
            if starts[run] > positions[f]:
                break
            if ends[run] >= positions[f] + KGRAM:
                run_of[f] = run
                break


@kernel
def analyze(
    text: Bytes, positions: Ints, hashes: Words, windows: Ints, begins: Ints, work: Words, runs: Ints
) -> tuple[int, int]:
    """Select the fingerprints (`winnow.select_query`) and find the runs; return how many minima and runs there are.

    `runs` (3 x n) gets start, end and period of each run; those beyond n are counted only.
    """
    minima = select_query(text, positions, hashes, windows, begins, work)
    count = find_runs(text, runs[0], runs[1], runs[2])
    return minima, count


@kernel
def group_maximal(spans: Ints, keep: Bytes) -> int:
    """Mark the spans (3 x n: slot, start, end; by slot, then start, then falling end) that no other of their slot holds.

    Returns how many are kept.
    """
    kept = 0
    slot = np.int64(-1)
    reach = np.int64(-1)
    for i in range(spans.shape[1]):
        if spans[0, i] != slot:
            slot = spans[0, i]
            reach = np.int64(-1)
        keep[i] = spans[2, i] > reach
        if keep[i]:
            reach = spans[2, i]
            kept += 1
    return kept
