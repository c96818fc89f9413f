"""A query taken apart in one call: fingerprints, minima and runs.

In: canonical text. Out: the arrays of `spans.Query`. It refuses to know of the index.
"""

from __future__ import annotations

from codecite.indexer.config import KGRAM
from codecite.indexer.kernels.jit import kernel, making_kernel
from codecite.indexer.kernels.runs import find_runs
from codecite.indexer.kernels.types import Bytes, Ints, Words
from codecite.indexer.kernels.winnow import select_query


@kernel
def assign_runs(positions: Ints, begins: Ints, starts: Ints, ends: Ints, run_of: Ints, first_of: Ints) -> None:
    """For each fingerprint, the run that holds its whole k-gram, or -1, and the first one of its minimum and run.

    Runs stand in the order of their starts. A fingerprint in no run is its own first.
    """
    first = 0
    for minimum in range(len(begins) - 1):
        for f in range(begins[minimum], begins[minimum + 1]):
            run_of[f] = -1
            first_of[f] = f
            while first < len(starts) and ends[first] < positions[f] + KGRAM:
                first += 1
            for run in range(first, len(starts)):
                if starts[run] > positions[f]:
                    break
                if ends[run] >= positions[f] + KGRAM:
                    run_of[f] = run
                    if f > begins[minimum] and run_of[f - 1] == run:
                        first_of[f] = first_of[f - 1]
                    break


@making_kernel
def analyze(
    text: Bytes, positions: Ints, hashes: Words, windows: Ints, begins: Ints, work: Words, runs: Ints
) -> tuple[int, int]:
    """Select the fingerprints (`winnow.select_query`) and find the runs; return how many minima and runs there are.

    `runs` (3 x n) gets start, end and period of each run (`runs.find_runs` says what more than n means).
    """
    minima = select_query(text, positions, hashes, windows, begins, work)
    count = find_runs(text, runs[0], runs[1], runs[2])
    return minima, count
