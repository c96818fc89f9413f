"""A check over a server against the same check in this process, on one index, in turns.

In: an index, texts from the standard library. Out: a table, in milliseconds a text: the median of what passes, and
the processor time that is used, of this process and of the server together; alone, in batches, as a stream of pieces of
four characters (with how many looks it took). Each text is asked of both, one right after the other, so that what else
the machine does slows both; processor time hardly depends on it.
"""

from __future__ import annotations

import argparse
import os
import random
import statistics
import subprocess
import sys
import sysconfig
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from urllib.error import URLError
from urllib.request import urlopen

from codecite.indexer import Index, open_index

PORT = 18_473


def texts_of(count: int, length: int) -> list[str]:
    """Parts of the modules of this Python, by a fixed seed."""
    chance = random.Random(11)
    modules = sorted(Path(sysconfig.get_paths()["stdlib"]).glob("*.py"))
    made: list[str] = []
    while len(made) < count:
        text = chance.choice(modules).read_text(encoding="utf-8", errors="replace")
        if len(text) > length:
            begin = chance.randrange(len(text) - length)
            made.append(text[begin : begin + length])
    return made


def serve(index: str) -> subprocess.Popen[bytes]:
    """`codecite serve` in a process of its own, ready."""
    words = [sys.executable, "-m", "codecite.search_api.cli", "serve", "--index", index, "--port", str(PORT)]
    server = subprocess.Popen(words, stderr=subprocess.DEVNULL)
    while server.poll() is None:
        try:
            urlopen(f"http://127.0.0.1:{PORT}/readyz").close()
            return server
        except URLError:
            time.sleep(0.1)
    raise SystemExit("the server did not come up")


class Table:
    """Compares pieces of work, a line each."""

    def __init__(self, server: int) -> None:
        self._server = Path(f"/proc/{server}/stat")
        print(
            "| | here, ms | server, ms | ratio | here, CPU ms | server, CPU ms | ratio |\n|---|---|---|---|---|---|---|"
        )

    def line(
        self, name: str, here: Sequence[Callable[[], object]], there: Sequence[Callable[[], object]], per: int
    ) -> None:
        """Each piece of work stands for `per` texts."""
        for work in (*here[:3], *there[:3]):
            work()
        pairs = [(self._measured(mine), self._measured(yours)) for mine, yours in zip(here, there, strict=True)]
        ours, theirs = [pair[0] for pair in pairs], [pair[1] for pair in pairs]
        passed = [statistics.median(wall for wall, _ in found) * 1000 / per for found in (ours, theirs)]
        used = [sum(cpu for _, cpu in found) * 1000 / per / len(found) for found in (ours, theirs)]
        columns = [(one, two, two / one) for one, two in (passed, used)]
        print(f"| {name} | {' | '.join(f'{value:.2f}' for column in columns for value in column)} |")

    def _measured(self, work: Callable[[], object]) -> tuple[float, float]:
        """The seconds that pass, and those of processors that are used."""
        began, used = time.perf_counter(), self._used()
        work()
        return time.perf_counter() - began, self._used() - used

    def _used(self) -> float:
        fields = self._server.read_text().rpartition(")")[2].split()
        return time.process_time() + (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def stream(index: Index, text: str) -> int:
    """Check a text in pieces of four characters; how many looks that took."""
    checker = index.stream()
    for at in range(0, len(text), 4):
        checker.feed(text[at : at + 4])
    checker.finish()
    return checker.looks


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--index", required=True)
    parser.add_argument("--texts", type=int, default=200)
    asked = parser.parse_args()
    server = serve(asked.index)
    try:
        local, remote = open_index(asked.index), open_index(f"http://127.0.0.1:{PORT}")
        coverage = local.coverage[0]
        print(f"{coverage.documents:,} documents, {coverage.bytes / 1e6:.0f} MB; {asked.texts} texts\n")
        table = Table(server.pid)
        for length in (500, 2_000, 20_000):
            texts = texts_of(asked.texts, length)
            for text in texts[:20]:
                assert local.check(text).to_dict() == remote.check(text).to_dict()
            here, there = ([lambda t=t, i=i: i.check(t) for t in texts] for i in (local, remote))
            table.line(f"check, {length:,} characters", here, there, 1)
            groups = [texts[at : at + 50] for at in range(0, len(texts), 50)]
            here, there = ([lambda g=g, i=i: list(i.check_many(g)) for g in groups] for i in (local, remote))
            table.line(f"the same, 50 in one `check_many`, {length:,} characters", here, there, 50)
        texts = texts_of(20, 1_000)
        looks = statistics.mean(stream(local, text) for text in texts)
        here, there = ([lambda t=t, i=i: stream(i, t) for t in texts] for i in (local, remote))
        table.line(f"stream of 1,000 characters, {looks:.0f} looks", here, there, 1)
    finally:
        server.terminate()
        server.wait()


if __name__ == "__main__":
    main()
