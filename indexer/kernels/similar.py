"""How many places of MinHash signatures agree with one signature.

In: the signatures of a Segment. Out: a count for each. It refuses to know what a signature is of.
"""

from __future__ import annotations

from codecite.indexer.kernels.checked import touch_items
from codecite.indexer.kernels.jit import kernel
from codecite.indexer.kernels.types import Any32, Ints32, Words


@kernel
def count_equal(signatures: Any32, guards: Words, section: int, row: Any32, counts: Ints32) -> None:
    """Write to `counts`, for each signature as long as `row`, at how many places it agrees; -1 in a damaged block."""
    size = len(row)
    for i in range(len(counts)):
        first = i * size
        if not touch_items(guards, section, first, first + size, 4):
            counts[i] = -1
            continue
        same = 0
        for k in range(size):
            same += signatures[first + k] == row[k]
        counts[i] = same
