"""Where the time of one check goes, step by step.

In: an index that `exact.py` built, and its queries. Out: a table of the median microseconds of each step over the
queries. It knows the names of the steps inside the library, which nothing else here does: each is wrapped by a clock
that stops while an inner step runs (about a microsecond for each step is the clock's own).

    python bench/profile_check.py [--index DIR] [--queries N] [--passes N]
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections import defaultdict
from collections.abc import Callable
from functools import partial
from importlib import import_module
from pathlib import Path
from typing import Any

import measure
import pinned
from queries import read_texts

from codecite.indexer import open_index

STEPS = (
    ("indexer.index", "CheckedText", "canonical text, offsets"),
    ("indexer.lookup.exact", "_prepare", "arrays for the query"),
    ("indexer.lookup.exact", "analyze", "hashes and selection (kernel)"),
    ("indexer.lookup.exact", "_Lists", "lists of postings"),
    ("indexer.lookup.exact", "_spans", "spans for each licence"),
    ("indexer.lookup.exact", "find_spans", "comparison and extension (kernel)"),
    ("indexer.lookup.exact", "_passage", "passages with their counts"),
    ("indexer.lookup.exact", "find_holders", "holders of a passage (kernel)"),
    ("indexer.lookup.exact", "tally", "counting them (kernel)"),
    ("indexer.index", "find_passages", "lookup, the rest"),
    ("indexer.index", "attribute", "sources and attributions"),
)
REST = "check, the rest"


class Clock:
    """Time by step for one text at a time; an outer step's clock stands while an inner one runs."""

    def __init__(self) -> None:
        self.spent: dict[str, float] = defaultdict(float)
        self._running = [REST]
        self._since = 0.0

    def _turn(self) -> None:
        now = time.perf_counter()
        self.spent[self._running[-1]] += now - self._since
        self._since = now

    def wrap(self, step: str, function: Callable[..., Any]) -> Callable[..., Any]:
        """The same function, timed as `step`."""

        def timed(*arguments: Any, **options: Any) -> Any:
            self._turn()
            self._running.append(step)
            try:
                return function(*arguments, **options)
            finally:
                self._turn()
                self._running.pop()

        return timed

    def measure(self, function: Callable[[], object]) -> dict[str, float]:
        """Seconds by step of one call."""
        self.spent.clear()
        self._since = time.perf_counter()
        function()
        self._turn()
        return dict(self.spent)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--index", type=Path, default=pinned.cache() / "indexes" / "small")
    parser.add_argument("--queries", type=int, default=1000)
    parser.add_argument("--passes", type=int, default=5)
    arguments = parser.parse_args()
    measure.use_cores()
    index = open_index(arguments.index)
    texts = read_texts(pinned.cache() / "queries.jsonl", arguments.queries)
    clock = Clock()
    for module, name, step in STEPS:
        holder = import_module(f"codecite.{module}")
        setattr(holder, name, clock.wrap(step, getattr(holder, name)))
    best: list[dict[str, float]] = [{} for _ in texts]
    for _ in range(arguments.passes + 1):
        for number, text in enumerate(texts):
            spent = clock.measure(partial(index.check, text))
            if not best[number] or sum(spent.values()) < sum(best[number].values()):
                best[number] = spent
    print(f"{len(texts)} checks of {arguments.index}, the best of {arguments.passes} passes each, in microseconds")
    print(f"{'median':>8}{'mean':>8}  step")
    for step in (*(step for _, _, step in STEPS), REST):
        times = [1e6 * spent.get(step, 0.0) for spent in best]
        print(f"{statistics.median(times):8.1f}{statistics.mean(times):8.1f}  {step}")
    totals = [1e6 * sum(spent.values()) for spent in best]
    print(f"{statistics.median(totals):8.1f}{statistics.mean(totals):8.1f}  all of it")


if __name__ == "__main__":
    main()
