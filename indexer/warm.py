"""Compile every kernel ahead of its first use.

In: nothing. Out: a filled kernel cache. It makes a tiny index in a scratch directory and checks a text against it,
asks for similar files and clusters and searches, so that the kernels meet the very types that real work passes.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path

from codecite.indexer.build import add
from codecite.indexer.corpus.units import Unit
from codecite.indexer.elastic.candidates import warm_up
from codecite.indexer.fingerprint.handover import fingerprinted
from codecite.indexer.index import open_index
from codecite.indexer.kernels.jit import Warmth, mark_warm
from codecite.indexer.records import Package, SourceFile


def warm() -> None:
    """Compile all kernels (some ten seconds), or load them from the cache where they are compiled."""
    lines = [f"def function_{i}(value):\n    return value * {i} + {i * i}\n" for i in range(4000)]
    text = "".join(lines).encode()

    def files() -> Iterator[SourceFile]:
        yield SourceFile("warm.py", text + b"-" * 200 + "é\n".encode())

    with tempfile.TemporaryDirectory(prefix="codecite-warm-") as scratch:
        add(Path(scratch), [Unit(Package("warm"), files)], lexical=True, scanoss=True)
        query = text[1000:1500] + b"x" * 60 + b"-" * 90 + "é".encode()
        index = open_index(scratch)
        index.check(query)
        index.check(query.replace(b"value", b"renamed"), near=True)
        index.similar(text)
        index.search("function return")
        index.clusters()
        index.recognise(fingerprinted("warm.py", query))
    warm_up(query)
    mark_warm(Warmth.ALL)
