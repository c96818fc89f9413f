"""Writers that are killed: what they do, what an index may hold after each, and a process that forks them.

In: orders, a JSON object a line (`python -m oracle.killing`): a directory, a work, and where to kill. Out: a JSON
object for each, how it ended. The process has compiled and loaded everything and has no threads, so that a fork costs
little. It refuses to know what is left on the disk: the tests look.
"""

from __future__ import annotations

import copy
import json
import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from oracle.planned import File, Plan, unit
from oracle.pool import CONTENTS, QUERIES, RULES, package
from oracle.store_model import Model, answers

from codecite.indexer import making, open_index
from codecite.indexer.build import add
from codecite.indexer.store import tiers, writer
from codecite.indexer.store.spool import PostingSpool
from codecite.indexer.upkeep import compact, remove

BASE = [
    Plan(package("/one", 0, "MIT"), (File("a.py", CONTENTS[2]), File("b.py", CONTENTS[5]), File("c.py", CONTENTS[6]))),
    Plan(package("/one", 1, None), (File("d.py", CONTENTS[5], "MIT"), File("secret/e.py", CONTENTS[7])), printed=True),
    Plan(package("/two", 2, "GPL-3.0-only"), (File("f.py", CONTENTS[6]), File("g.py", CONTENTS[8]))),
    Plan(package("/two", 3, None), (File("h.py", CONTENTS[3]), File("lib/secret/i.py", CONTENTS[9]))),
]
MORE = [
    Plan(package("/one", 0, "GPL-3.0-only"), tuple(File(f"{i}.py", CONTENTS[i], pending=i > 5) for i in range(2, 10))),
    Plan(package("/one", 4, "MIT"), (File("x.py", CONTENTS[4] + CONTENTS[3]), File("y.py", CONTENTS[9])), printed=True),
]
NEXT = [Plan(package("/three", 4, None), (File("next.py", CONTENTS[6][20:] + CONTENTS[2]),))]
"""What every index holds, what works add, and what is added after the kill."""

WORKS = ("add", "sync", "compact", "remove")
_CALLS = ("fsync", "replace", "unlink", "rmdir", "mkdir", "ftruncate")


def base(directory: Path) -> Model:
    """Write an index of several Segments, with a takedown in force and Origins removed but not erased."""
    model = Model()
    for plan in (*BASE, BASE[0]):
        add(directory, [unit(plan)])
        model.add([plan], sync=False)
    remove(directory, [RULES[0].takedown])
    model.remove([RULES[0]])
    return model


def states(work: str, model: Model) -> list[Model]:
    """What the index may hold when the work is killed: as before, in the end, and what it publishes on the way."""
    found = [model]
    if work in ("add", "sync"):
        ends = range(1, len(MORE) + 1)
        found += [_after(model, lambda after, end=end: after.add(MORE[:end], sync=False)) for end in ends]
    if work == "sync":
        found.append(_after(model, lambda after: after.add(MORE, sync=True)))
    if work == "remove":
        found.append(_after(model, lambda after: after.remove(RULES[1:5])))
    return found


def _after(model: Model, change: Callable[[Model], object]) -> Model:
    model = copy.deepcopy(model)
    change(model)
    return model


def do(work: str, directory: Path) -> None:
    """Do one of the works."""
    if work in ("add", "sync"):
        add(directory, [unit(plan) for plan in MORE], sync=work == "sync")
    elif work == "compact":
        compact(directory)
    else:
        remove(directory, [rule.takedown for rule in RULES[1:5]])


def small() -> None:
    """From now on this process writes small Segments and merges them soon."""
    making.MAX_CANONICAL = 1500
    making._BATCH = 700
    tiers.FANOUT = 3
    writer.PostingSpool = partial(PostingSpool, budget=300)  # type: ignore[misc]


@dataclass
class Nursery:
    """The process that forks writers, as the tests see it."""

    process: subprocess.Popen[str]

    def order(self, directory: Path, work: str, *, point: int = 0, after: float = 0.0) -> dict[str, Any]:
        """Fork a writer; kill it at its `point`-th call (from 1), or `after` seconds, or let it end.

        Returns `status` (of `os.waitpid`) and, of one that ended, `points` and `seconds`.
        """
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        print(
            json.dumps({"directory": str(directory), "work": work, "point": point, "after": after}),
            file=self.process.stdin,
            flush=True,
        )
        answer: dict[str, Any] = json.loads(self.process.stdout.readline())
        return answer


@contextmanager
def nursery() -> Iterator[Nursery]:
    """A Nursery, for as long as the block runs."""
    process = subprocess.Popen(
        [sys.executable, "-m", "oracle.killing"],
        cwd=Path(__file__).parents[1],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    with process:
        yield Nursery(process)
        assert process.stdin is not None
        process.stdin.close()


def _run(directory: str, work: str, point: int, after: float) -> dict[str, Any]:
    reading, writing = os.pipe()
    began = time.monotonic()
    child = os.fork()
    if child == 0:
        code = 1
        try:
            passed = _count(point)
            do(work, Path(directory))
            os.write(writing, str(passed[0]).encode())
            code = 0
        except BaseException:  # noqa: BLE001 - the child must end here, whatever happens
            traceback.print_exc()
        os._exit(code)
    os.close(writing)
    if after:
        time.sleep(after)
        os.kill(child, signal.SIGKILL)
    _, status = os.waitpid(child, 0)
    with os.fdopen(reading) as pipe:
        points = int(pipe.read() or 0)
    return {"status": status, "points": points, "seconds": time.monotonic() - began}


def _count(point: int) -> list[int]:
    """Count calls that change the disk, before and after each, and be killed at the `point`-th."""
    passed = [0]
    lock = threading.Lock()

    def reached() -> None:
        with lock:
            passed[0] += 1
            if passed[0] == point:
                os.kill(os.getpid(), signal.SIGKILL)

    def counted(call: Callable[..., Any]) -> Callable[..., Any]:
        def wrapped(*args: Any, **kwargs: Any) -> Any:
            reached()
            result = call(*args, **kwargs)
            reached()
            return result

        return wrapped

    for name in _CALLS:
        setattr(os, name, counted(getattr(os, name)))
    return passed


def _serve() -> None:
    small()
    with tempfile.TemporaryDirectory() as scratch:
        directory = Path(scratch)
        base(directory)
        for work in WORKS:
            do(work, directory)
        answers(open_index(directory), QUERIES)
    for line in sys.stdin:
        sys.stdout.write(json.dumps(_run(**json.loads(line))) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    _serve()
