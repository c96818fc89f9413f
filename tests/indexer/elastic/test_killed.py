"""A loader that is killed at random, again and again: nothing is double, missing, or shows too early."""

from __future__ import annotations

import os
import random
import signal
import sys
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import cluster

from codecite.indexer import open_index
from codecite.indexer.build import add as add_embedded
from codecite.indexer.corpus.units import Unit
from codecite.indexer.elastic import load
from codecite.indexer.elastic.verify import verify
from codecite.indexer.errors import IndexMissingError
from codecite.indexer.records import Package, SourceFile

ROOT = Path(__file__).parents[3]
# Read once: all loads see the same.
FILES = [(path.name, path.read_bytes()) for path in sorted((ROOT / "indexer" / "lookup").glob("*.py"))]


def _units() -> list[Unit]:
    """The modules of this repository as six packages, each of which is whole or not there."""
    kept = [(name, content) for name, content in FILES if content]

    def read(number: int) -> Iterator[SourceFile]:
        yield from (SourceFile(name, content) for name, content in kept[number::6])
        yield SourceFile("again.py", kept[1][1])

    return [
        Unit(Package(f"/source/{n % 3}", purl=f"pkg:pypi/p{n}@1", fingerprint=f"f{n}"), partial(read, n))
        for n in range(6)
    ]


def _units_shared() -> bytes:
    """The file that all packages hold."""
    (content,) = {item.content for unit in _units() for item in unit.files() if item.path == "again.py"}
    return content


def _load(url: str) -> None:
    """One load with many steps: small batches, a generation after every 6 Origins."""
    load._BATCH, load._BULK, load._ROWS, load._ORIGINS = 20_000, 30_000, 5, 6
    load.add(url, _units())


def _killed(url: str, after: float) -> bool:
    """Whether a loader that was to be killed after so many seconds was."""
    child = os.fork()
    if child == 0:
        code = 1
        try:
            _load(url)
            code = 0
        except BaseException as error:  # noqa: BLE001 - the parent sees the exit status
            sys.stderr.write(f"loader: {error}\n")
        finally:
            os._exit(code)
    time.sleep(after)
    os.kill(child, signal.SIGKILL)
    _, status = os.waitpid(child, 0)
    if os.WIFEXITED(status):
        assert os.WEXITSTATUS(status) == 0
        return False
    return True


def _counts(node: cluster.Node, url: str) -> dict[str, int]:
    name = url.rpartition("/")[2]
    cluster.ask(node.url, f"/{name}/_refresh", method="POST")
    return {
        field: cluster.ask(node.url, f"/{name}/_count", method="POST", body={"query": {"exists": {"field": field}}})[
            "count"
        ]
        for field in ("head", "size", "digest", "named", "packaged")
    }


def test_twenty_kills_leave_what_one_load_leaves(node: cluster.Node, place: Callable[[], str], tmp_path: Path) -> None:
    """After twenty kills and one more run the index is that of one run, piece by piece, and answers like it."""
    whole, url = place(), place()
    began = time.monotonic()
    _load(whole)
    longest = time.monotonic() - began
    add_embedded(tmp_path / "embedded", _units())
    texts = [content[300:1500] for _, content in FILES[:4]]
    embedded = open_index(tmp_path / "embedded")
    lot = random.Random(20)
    killed = 0
    while killed < 20:
        if not _killed(url, lot.uniform(0.05, 0.8 * longest)):
            url = place()
            continue
        killed += 1
        try:
            seen = open_index(url)
        except IndexMissingError:
            continue
        # What shows is whole packages, each with the file that all of them hold.
        packages = seen.stats()[0].packages if seen.coverage[0].documents else 0
        shared = seen.check(_units_shared(), sources=50).attributions
        assert max((item.match.counts.projects for item in shared), default=0) == packages
    _load(url)
    assert _counts(node, url) == _counts(node, whole)
    assert verify(url).problems == ()
    found, expected = open_index(url), open_index(whole)
    assert found.stats()[0].licenses == expected.stats()[0].licenses
    assert found.coverage[0].documents == expected.coverage[0].documents == embedded.coverage[0].documents
    for text in texts:
        answers = [index.check(text).to_dict()["matches"] for index in (found, embedded)]
        for matches in answers:
            for match in matches:
                del match["id"], match["index"], match["within"]
        assert answers[0] == answers[1]
