"""What reading the evidence of licences costs a build, as a share of its time.

In: wheels that `licenses_packages.py` fetched. Out: lines of figures. It knows the names of the functions that read
evidence, which nothing else here does.

The same wheels are added to new indexes with the evidence and with none: the functions give nothing then. The two take
turns, each in a process of its own after one that only warms up, and the best of each is taken. That holds all that the
evidence costs, storing it too. Beside that stands the time inside the functions, of all threads together, and the same
share of the processor's time.

    python bench/licenses_cost.py FOLDER WHEEL... [--without]
"""

from __future__ import annotations

import argparse
import json
import shutil
import subprocess
import sys
import time
import zipfile
from collections.abc import Callable
from pathlib import Path
from threading import Lock
from typing import Any
from unittest.mock import patch

import licenses_pinned
import measure
import pinned
from licenses_packages import fetch_archive

from codecite.indexer.build import add
from codecite.indexer.corpus.sources import read_sources
from codecite.indexer.corpus.units import Reading
from codecite.indexer.records import NOASSERTION

READERS = {
    "codecite.indexer.corpus.files.read_head": ((), ()),
    "codecite.indexer.corpus.files.read_notice": None,
    "codecite.indexer.corpus.nearby.licenses_in": (),
    "codecite.indexer.corpus.nearby.owners": (),
    "codecite.indexer.corpus.python.from_metadata": (),
    "codecite.indexer.build.effective": NOASSERTION,
}
"""What reads evidence, and what it gives where there is none."""

CORPUS = 100_000_000
"""Bytes of the wheels unpacked; half of it is text that is indexed."""

PASSES = 3


def main() -> None:
    """One build, and its figures as JSON."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("wheels", nargs="+")
    parser.add_argument("--without", action="store_true")
    arguments = parser.parse_args()
    print(json.dumps(build(arguments.folder, arguments.wheels, without=arguments.without)))


def build(folder: Path, wheels: list[str], *, without: bool) -> dict[str, Any]:
    """Index the wheels; seconds of it, seconds inside the readers, and what went in."""
    spent = dict.fromkeys(READERS, 0.0)
    replaced = [patch(name, _stub(nothing) if without else _clock(name, spent)) for name, nothing in READERS.items()]
    for one in replaced:
        one.start()
    shutil.rmtree(folder, ignore_errors=True)
    began, worked = time.perf_counter(), time.process_time()
    result = add(folder, read_sources(wheels, installed=False, reading=Reading()))
    seconds, processor = time.perf_counter() - began, time.process_time() - worked
    return {
        "seconds": seconds,
        "processor": processor,
        "inside": sum(spent.values()),
        "bytes": result.bytes,
        "origins": result.origins,
    }


def lines(examples: int) -> list[str]:
    """Builds in turn, with the evidence and without, and the share."""
    wheels, size = [], 0
    for line in licenses_pinned.PACKAGES.split("\n"):
        archive = None if not line or line.endswith(" sdist") else fetch_archive(line.split()[1], sdist=False)
        if archive is not None and size < CORPUS:
            wheels.append(str(archive))
            with zipfile.ZipFile(archive) as members:
                size += sum(member.file_size for member in members.infolist() if not member.filename.endswith(".so"))
    root = pinned.cache() / "license-cost"
    runs: dict[bool, list[dict[str, Any]]] = {False: [], True: []}
    for turn in range(PASSES + 1):
        for without in (False, True):
            done = _run(root, wheels, without=without)
            if turn:
                runs[without].append(done)
    shutil.rmtree(root, ignore_errors=True)
    full, bare = (min(runs[without], key=lambda run: run["seconds"]) for without in (False, True))
    share = 1 - bare["seconds"] / full["seconds"]
    full_work, bare_work = (min(run["processor"] for run in runs[without]) for without in (False, True))
    return [
        f"{len(wheels)} wheels, {full['bytes'] / 1e6:.1f} MB in {full['origins']:,} files;"
        f" the machine copies {measure.copy_rate():.1f} GB/s",
        "seconds with the evidence:    " + " ".join(f"{run['seconds']:.2f}" for run in runs[False]),
        "seconds without the evidence: " + " ".join(f"{run['seconds']:.2f}" for run in runs[True]),
        f"the evidence takes {share:.1%} of the build (best of {PASSES});"
        f" inside its readers, over all threads: {full['inside']:.2f} s",
        f"of the processor's time, which other work on the machine changes less: {1 - bare_work / full_work:.1%}"
        f" ({full_work:.2f} and {bare_work:.2f} s)",
    ]


def _run(root: Path, wheels: list[str], *, without: bool) -> dict[str, Any]:
    command = [sys.executable, __file__, str(root), *wheels, *(["--without"] if without else [])]
    found: dict[str, Any] = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
    return found


def _stub(nothing: object) -> Callable[..., object]:
    return lambda *arguments: nothing


def _clock(name: str, spent: dict[str, float]) -> Callable[..., object]:
    module, _, function = name.rpartition(".")
    read: Callable[..., object] = getattr(sys.modules[module], function)
    lock = Lock()

    def timed(*arguments: object) -> object:
        began = time.thread_time()
        try:
            return read(*arguments)
        finally:
            took = time.thread_time() - began
            with lock:
                spent[name] += took

    return timed


if __name__ == "__main__":
    main()
