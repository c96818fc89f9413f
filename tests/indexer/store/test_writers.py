"""Two writers at once: the second is told who is writing, and what both bring is in the index in the end."""

from __future__ import annotations

import os
import random
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from oracle.killing import BASE, MORE, base
from oracle.planned import unit
from oracle.pool import QUERIES, RULES
from oracle.store_model import Model, answers
from oracle.tidy import holds_nothing_else, said

from codecite.indexer import open_index
from codecite.indexer.build import add
from codecite.indexer.corpus.units import Item, Unit
from codecite.indexer.errors import IndexLockedError
from codecite.indexer.records import Package, SourceFile
from codecite.indexer.store.verify import verify
from codecite.indexer.upkeep import compact, remove

HOLDER = """
import sys
from pathlib import Path
from codecite.indexer.build import add
from codecite.indexer.corpus.units import Unit
from codecite.indexer.records import Package, SourceFile

def files():
    print("here", flush=True)
    sys.stdin.read()
    yield SourceFile("held.py", b"def a_file_that_took_its_time(value):\\n    return value * 4711 + 17\\n" * 3)

add(Path(sys.argv[1]), [Unit(Package("/held"), files)])
"""


@contextmanager
def holder(index: Path) -> Iterator[int]:
    """Another process is in the middle of an addition; its number."""
    with subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(index)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "here\n"
        yield process.pid
        process.communicate()
        assert process.returncode == 0


def test_every_writer_is_told_which_process_is_writing(tmp_path: Path) -> None:
    """At once, and readers go on; when it is done, it has lost nothing and the others may write."""
    index = tmp_path / "index"
    model = base(index)
    before = answers(open_index(index), QUERIES)
    with holder(index) as number:
        for write in (
            lambda: add(index, [unit(MORE[1])]),
            lambda: compact(index),
            lambda: remove(index, [RULES[4].takedown]),
        ):
            began = time.monotonic()
            with pytest.raises(IndexLockedError, match=rf"process {number} on \S+ is writing to this index; wait"):
                write()
            assert time.monotonic() - began < 1
        assert answers(open_index(index), QUERIES) == before
        assert verify(index).problems == ()
        command = [sys.executable, "-m", "codecite.search_api.cli", "index", "compact", "--index", str(index)]
        ended = subprocess.run(command, capture_output=True, text=True, check=False)
        assert (ended.returncode, ended.stdout) == (2, "")
        assert f"process {number} " in ended.stderr
        assert len(ended.stderr.splitlines()) == 1
    assert "/held" in open_index(index).coverage[0].sources
    assert remove(index, [RULES[4].takedown]).origins > 0
    model.remove([RULES[4]])
    assert open_index(index).coverage[0].documents == model.figures()["documents"] + 1


def test_a_writer_in_another_thread_is_told_so_too(tmp_path: Path) -> None:
    """The lock belongs to an addition, not to a process."""
    refused: list[str] = []

    def files() -> Iterator[Item]:
        with pytest.raises(IndexLockedError) as error:
            add(tmp_path / "index", [unit(MORE[1])])
        refused.append(str(error.value))
        yield SourceFile("a.py", b"value = 1\n")

    add(tmp_path / "index", [Unit(Package("/one"), files)])
    assert len(refused) == 1
    assert f"process {os.getpid()} " in refused[0]
    assert add(tmp_path / "index", [unit(MORE[1])]).origins == 2


def test_writers_that_try_again_until_they_may_lose_nothing(tmp_path: Path) -> None:
    """Several threads add, compact and are refused; in the end everything is in, once."""
    index = tmp_path / "index"
    model = Model()
    plans = [*BASE, *MORE]
    model.add(plans, sync=False)
    refused = [0]

    def tries(number: int) -> None:
        chosen = random.Random(number)
        mine = chosen.sample(plans, len(plans))
        while mine:
            try:
                add(index, [unit(mine[-1])])
                mine.pop()
                if not len(mine) % 3:
                    compact(index)
            except IndexLockedError:
                refused[0] += 1
                time.sleep(chosen.uniform(0, 0.01))

    threads = [threading.Thread(target=tries, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert refused[0] > 0
    assert answers(open_index(index), QUERIES) == said(tmp_path, model)
    assert open_index(index).stats()[0].origins == len(model.live)
    assert verify(index).problems == ()
    holds_nothing_else(index)
