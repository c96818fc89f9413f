"""What the store costs as an index grows: many small additions against one large, reading again, opening.

In: the corpora of `fetch.py`. Out: a table of ratios and plain counts. It refuses to know how Segments are merged.

    python bench/store.py                # some 5 minutes
    python bench/store.py --parts 20     # a shorter one
"""

from __future__ import annotations

import argparse
import os
import shutil
import statistics
import time
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path

import measure
import pinned
from queries import make_queries

from codecite.indexer import open_index
from codecite.indexer.build import AddResult, add
from codecite.indexer.corpus.sources import read_sources
from codecite.indexer.corpus.units import Reading

PART_BYTES = 10_000_000


def main() -> None:
    """All of it."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--parts", type=int, default=100, help="how many additions of 10 MB")
    parser.add_argument("--queries", type=int, default=300)
    parser.add_argument("--passes", type=int, default=5)
    arguments = parser.parse_args()
    measure.use_cores()
    root = pinned.cache() / "store"
    shutil.rmtree(root, ignore_errors=True)
    parts = cut(pinned.cache() / "corpora" / "large", root / "parts", arguments.parts)
    print(f"the machine copies {measure.copy_rate():.1f} GB/s")
    one = root / "one"
    add_sources(root / "warm-up", parts[:1])
    whole = add_sources(one, parts)
    print(
        f"one addition of {whole.bytes / 1e6:,.0f} MB: {whole.seconds:.1f} s, "
        f"{whole.bytes / whole.seconds / 1e6:.0f} MB/s"
    )
    again = add_sources(one, parts)
    print(f"the same again, unchanged: {again.seconds:.2f} s, {again.seconds / whole.seconds:.1%}")
    many = root / "many"
    seconds = [add_sources(many, [part]).seconds for part in parts]
    print(
        f"{len(parts)} additions of 10 MB: {sum(seconds):.1f} s, {sum(seconds) / whole.seconds:.2f} times one; "
        f"the median one {statistics.median(seconds):.2f} s, the longest {max(seconds):.2f} s"
    )
    texts = [query.text for query in make_queries(pinned.cache() / "corpora", arguments.queries)]
    ways = [partial(open_index(path).check, sources=5) for path in (one, many)]
    single, merged = (statistics.median(times) for times in measure.best_times(ways, texts, arguments.passes))
    segments = len(list((many / "segments").iterdir()))
    print(
        f"median check: {single * 1e3:.3f} ms and {merged * 1e3:.3f} ms ({segments} segments), "
        f"{merged / single:.2f} times"
    )
    print(f"opening {whole.bytes / 1e6:,.0f} MB: {best(lambda: open_index(one)) * 1e3:.1f} ms")


def cut(corpus: Path, folder: Path, count: int) -> list[str]:
    """Folders of 10 MB each, hard links to the files of a corpus in their order."""
    size = number = 0
    for path in sorted(path for path in corpus.rglob("*") if path.is_file()):
        length = path.stat().st_size
        if size + length > PART_BYTES:
            number, size = number + 1, 0
        if number == count:
            break
        size += length
        place = folder / f"{number:03}" / path.relative_to(corpus)
        place.parent.mkdir(parents=True, exist_ok=True)
        os.link(path, place)
    time.sleep(3)  # what changed just now is read again, stamps or not
    return [str(path) for path in sorted(folder.iterdir())]


def add_sources(index: Path, trees: list[str]) -> AddResult:
    """Add trees; the seconds of the result hold the walk too."""
    began = time.monotonic()
    result = add(index, read_sources(trees, installed=False, reading=Reading()))
    return replace(result, seconds=time.monotonic() - began)


def best(action: Callable[[], object], passes: int = 9) -> float:
    """The least seconds of some passes."""
    found = []
    for _ in range(passes):
        began = time.perf_counter()
        action()
        found.append(time.perf_counter() - began)
    return min(found)


if __name__ == "__main__":
    main()
