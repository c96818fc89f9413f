"""Clocks, memory and order statistics, the same for every program that the benchmark runs.

In: commands and lists of seconds. Out: numbers. It refuses to know what is measured.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

CORES = 2
SLOW = 1.0

COPY = """
import time, numpy
source, target, best = numpy.ones(1 << 28, numpy.uint8), numpy.empty(1 << 28, numpy.uint8), 9e9
for _ in range(6):
    start = time.perf_counter()
    numpy.copyto(target, source)
    best = min(best, time.perf_counter() - start)
print((1 << 28) / best / 1e9)
"""


@dataclass(frozen=True, slots=True)
class Run:
    """What a program took: seconds, processor seconds, and the peak of its resident memory (its mapped files in it)."""

    seconds: float
    cpu_seconds: float
    peak_bytes: int

    def to_dict(self) -> dict[str, float]:
        """For JSON."""
        return asdict(self)


def use_cores() -> None:
    """Keep this process and all it will start to CORES cores."""
    os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:CORES])


def run_program(command: Sequence[str | Path], log: Path) -> Run:
    """Run a command to its end, what it says in `log`; a failure ends the benchmark with the last of that.

    The kernel counts the caller's own peak of memory to a child, so callers stay small.
    """
    with log.open("wb") as output:
        start = time.perf_counter()
        process = subprocess.Popen(command, stdout=output, stderr=subprocess.STDOUT)
        _, status, usage = os.wait4(process.pid, 0)
        seconds = time.perf_counter() - start
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        tail = log.read_text(encoding="utf-8", errors="replace")[-2000:]
        raise SystemExit(f"{' '.join(map(str, command))} ended with {process.returncode}; it said:\n{tail}")
    return Run(seconds, usage.ru_utime + usage.ru_stime, usage.ru_maxrss * 1024)


def run_watched(command: Sequence[str | Path], log: Path) -> dict[str, float]:
    """The same for a program that may fail or be ended: its exit code, and the peaks of its memory.

    `peak_bytes` is that of its resident memory, `own_peak_bytes` that of the part that no file is mapped to, looked at
    every 50 ms.
    """
    own = 0
    with log.open("wb") as output:
        process = subprocess.Popen(command, stdout=output, stderr=subprocess.STDOUT)
        status = Path(f"/proc/{process.pid}/status")
        while True:
            found = dict(line.split(":", 1) for line in status.read_text().splitlines() if ":" in line)
            own = max(own, int(found.get("RssAnon", "0").split()[0]))
            ended, code, usage = os.wait4(process.pid, os.WNOHANG)
            if ended:
                break
            time.sleep(0.05)
    process.returncode = os.waitstatus_to_exitcode(code)
    return {"code": process.returncode, "peak_bytes": usage.ru_maxrss * 1024, "own_peak_bytes": own * 1024}


def copy_rate(python: str = sys.executable) -> float:
    """GB/s at which numpy copies 256 MiB, best of five, in a process of its own; says how fast the machine is now."""
    return float(subprocess.run([python, "-c", COPY], check=True, capture_output=True, text=True).stdout)


def best_times(
    answers: Sequence[Callable[[str], object]], texts: Sequence[str], passes: int, slow: float = SLOW
) -> list[list[float]]:
    """Seconds that each way to answer takes for each text: the best of `passes`, after one pass that warms up.

    The ways take turns pass by pass, so that a slow minute of the machine falls on all of them. A text that took longer
    than `slow` seconds even once is not asked again: its noise is small beside it, and it would take the whole run's
    time.
    """
    best = [[float("inf")] * len(texts) for _ in answers]
    for turn in range(passes + 1):
        for answer, times in zip(answers, best, strict=True):
            for number, text in enumerate(texts):
                if slow < times[number] < float("inf"):
                    continue
                start = time.perf_counter()
                answer(text)
                seconds = time.perf_counter() - start
                if turn or seconds > slow:
                    times[number] = min(times[number], seconds)
    return best


@dataclass(frozen=True, slots=True)
class Spread:
    """Order statistics of a list of seconds, in milliseconds."""

    median: float
    p90: float
    p99: float
    max: float


def spread(seconds: Sequence[float]) -> Spread:
    """Median, 90th and 99th percentile (the value that so many do not exceed) and maximum."""
    ordered = sorted(1000 * value for value in seconds)
    median, p90, p99 = (ordered[min(len(ordered) - 1, int(len(ordered) * share))] for share in (0.5, 0.9, 0.99))
    return Spread(median, p90, p99, ordered[-1])


def tree_bytes(folder: Path) -> int:
    """The bytes of all files under a folder."""
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


def read_all(tree: Path) -> int:
    """Read every file of a tree, which leaves it in the page cache; returns their bytes. Links are not followed."""
    return sum(len(path.read_bytes()) for path in tree.rglob("*") if path.is_file() and not path.is_symlink())
