"""codecite itself, measured as its users meet it: `add` on trees, `open_index`, `lookup` and `check`.

In: trees of code, or indexes and the file of queries. Out: JSON with counts and seconds. It refuses to know the peer
and the table.

    python bench/ours.py build INDEX TREE...
    python bench/ours.py query INDEX... [--queries N] [--passes N] [--spans N]
"""

from __future__ import annotations

import argparse
import json
from functools import partial
from pathlib import Path
from typing import Any

import measure
import pinned
from queries import read_texts

from codecite.indexer import open_index
from codecite.indexer.build import add
from codecite.indexer.config import IndexConfig
from codecite.indexer.corpus.sources import read_sources
from codecite.indexer.corpus.units import Reading

SOURCES = 5


def main() -> None:
    """One step, and its figures as JSON."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    steps = parser.add_subparsers(dest="step", required=True)
    building = steps.add_parser("build")
    building.add_argument("index", type=Path)
    building.add_argument("trees", nargs="+")
    querying = steps.add_parser("query")
    querying.add_argument("indexes", type=Path, nargs="+")
    querying.add_argument("--queries", type=int, default=1000)
    querying.add_argument("--passes", type=int, default=5)
    querying.add_argument("--spans", type=int, default=0, help="give the spans too for so many of the queries")
    arguments = parser.parse_args()
    measure.use_cores()
    if arguments.step == "build":
        print(json.dumps(build(arguments.index, arguments.trees)))
    else:
        print(json.dumps(query(arguments.indexes, arguments.queries, arguments.passes, arguments.spans)))


def build(index: Path, trees: list[str]) -> dict[str, Any]:
    """Index trees, each as a source of its own; says what went in, and what did not."""
    config = IndexConfig()
    result = add(index, read_sources(trees, installed=False, reading=Reading()), config=config)
    return {
        "seconds": result.seconds,
        "documents": result.documents,
        "origins": result.origins,
        "bytes": result.bytes,
        "skipped": {str(reason): skips.count for reason, skips in result.skipped.items()},
        "failures": list(result.failures),
    }


def query(paths: list[Path], count: int, passes: int, spans: int) -> list[dict[str, Any]]:
    """For each index: seconds of `lookup` and of `check` for each query, and the byte spans that the first match."""
    texts = read_texts(pinned.cache() / "queries.jsonl", count)
    indexes = [open_index(path) for path in paths]
    ways = [way for index in indexes for way in (index.lookup, partial(index.check, sources=SOURCES))]
    times = measure.best_times(ways, texts, passes)
    return [
        {
            "lookup": times[2 * number],
            "check": times[2 * number + 1],
            "spans": [
                [(found.match.byte_start, found.match.byte_end) for found in index.check(text).attributions]
                for text in texts[:spans]
            ],
        }
        for number, index in enumerate(indexes)
    ]


if __name__ == "__main__":
    main()
