"""The figures of the scanner: components named, what a tree and a diff take, beside a peer that only fingerprints.

In: the vendored packages of this Python's pip and the wheels they came from (fetched once), a tree, an index of the
large corpus (`bench/fetch.py`), `scanoss-py`. Out: a Markdown table. It refuses to know how anything is found.

    python bench/scan.py [--index DIR] [--megabytes 100] [--runs 3]

Two trees are scanned: one of code that is not in the index, and the same with a tenth copied from it. `scanoss-py
fingerprint` writes the fingerprints of the same tree and asks nobody. The diff is 500 lines with one function pasted;
its time is that of the process, start to exit.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from itertools import chain
from pathlib import Path

import measure
import pinned

SITES = [Path(path) for path in sys.path if path.endswith("site-packages")]
CODECITE = [sys.executable, "-m", "codecite.search_api.cli"]
POLICY = ["--policy", "permissive-only", "--no-own"]
COPIED = 10
"""Megabytes of the second tree that are copied out of the index's source."""


def main() -> None:
    """Measure, print."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--index", type=Path, help="an index of sources/linux; made where it is left out")
    parser.add_argument("--megabytes", type=int, default=100)
    parser.add_argument("--runs", type=int, default=3)
    arguments = parser.parse_args()
    measure.use_cores()
    cache = pinned.cache() / "scan"
    cache.mkdir(parents=True, exist_ok=True)
    print("| what | figure |\n|---|---|", flush=True)
    for row in chain(components(cache), trees(cache, arguments)):
        print(f"| {row[0]} | {row[1]} |", flush=True)


def components(cache: Path) -> Iterator[tuple[str, str]]:
    """Which of pip's vendored packages are named, with their version, and what else is."""
    vendor = next(site for site in SITES if (site / "pip" / "_vendor").exists()) / "pip" / "_vendor"
    lines = [line.split("#")[0].strip() for line in (vendor / "vendor.txt").read_text().splitlines()]
    wanted = sorted(line for line in lines if "==" in line)
    wheels = cache / "upstream"
    if not wheels.exists():
        command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "-d", wheels, *wanted]
        subprocess.run(command, check=True)
    index = made(cache / "upstream-index", wheels)
    shown = codecite("scan", vendor, "--index", index, "--output", "cyclonedx", "--no-own")
    found = {item["purl"] for item in json.loads(shown)["components"] if "version" in item}
    expected = {f"pkg:pypi/{re.sub('[_.]', '-', line.lower())}".replace("==", "@") for line in wanted}
    expected = {f"{name.rpartition('@')[0]}@{line.partition('==')[2]}" for name, line in ordered(expected, wanted)}
    named, invented = len(found & expected), sorted(found - expected)
    yield "components of pip's `_vendor`: name and version right", f"{named} of {len(expected)}"
    yield "components invented", f"{len(invented)} {' '.join(invented)}".strip()


def ordered(expected: set[str], wanted: Sequence[str]) -> list[tuple[str, str]]:
    """Each purl with the line it is of: versions keep their dots."""
    names = {f"pkg:pypi/{re.sub('[_.]', '-', line.partition('==')[0].lower())}": line for line in wanted}
    return [(purl, names[purl.rpartition("@")[0]]) for purl in expected]


def trees(cache: Path, arguments: argparse.Namespace) -> Iterator[tuple[str, str]]:
    """What a tree and a diff take."""
    linux = pinned.cache() / "sources" / "linux"
    index = arguments.index or made(cache / "linux-index", linux)
    tree = cache / "tree"
    shutil.rmtree(tree, ignore_errors=True)
    size = 0
    for number, site in enumerate(SITES):
        size += copy(site, tree / f"own{number}", arguments.megabytes * 1_000_000 - size)
    yield "tree", f"{size / 1e6:.0f} MB of installed packages"
    yield from against(index, tree, arguments.runs, "none of it in the index")
    copy(linux / "drivers" / "net", tree / "copied", COPIED * 1_000_000)
    yield from against(index, tree, arguments.runs, f"{COPIED} MB more, copied out of the index")
    yield from diff(index, cache / "project", linux, arguments.runs)


def against(index: Path, tree: Path, runs: int, what: str) -> Iterator[tuple[str, str]]:
    """Our scan and the peer's fingerprints, in turns; the best of each."""
    ours, theirs = [], []
    peer = shutil.which("scanoss-py") or str(Path(sys.executable).parent / "scanoss-py")
    log = tree.parent / "log"
    for _ in range(runs):
        command = [*CODECITE, "scan", tree, "--index", index, *POLICY, "--output", f"gitlab={tree.parent / 'out'}"]
        ours.append(measure.run_program(["bash", "-c", '"$@" || [ $? = 1 ]', "-", *command], log))
        theirs.append(measure.run_program([peer, "fingerprint", tree, "-o", tree.parent / "out.wfp"], log))
    our, their = min(run.seconds for run in ours), min(run.seconds for run in theirs)
    cpu = min(run.cpu_seconds for run in ours), min(run.cpu_seconds for run in theirs)
    yield f"`codecite scan`, {what}", f"{our:.1f} s (processor {cpu[0]:.1f} s, of this process and those it ended)"
    yield f"`scanoss-py fingerprint`, {what}", f"{their:.1f} s (processor {cpu[1]:.1f} s)"
    yield "times faster", f"{their / our:.1f}"


def diff(index: Path, project: Path, linux: Path, runs: int) -> Iterator[tuple[str, str]]:
    """A change of 500 lines, with compiled kernels and without."""
    shutil.rmtree(project, ignore_errors=True)
    project.mkdir(parents=True)

    def git(*words: str) -> None:
        command = ["git", "-c", "user.name=a", "-c", "user.email=a@example.org", *words]
        subprocess.run(command, cwd=project, check=True, capture_output=True)

    git("init", "-q")
    (project / "a.c").write_text("int begin;\n")
    git("add", "-A")
    git("commit", "-qm", "begin")
    own = "".join(f"int own_{n}(int a)\n{{\n    return a * {n} + {n * 7 % 13};\n}}\n" for n in range(115))
    pasted = "\n".join((linux / "lib" / "bitmap.c").read_text().split("\n")[60:100]) + "\n"
    (project / "a.c").write_text(own + pasted)
    git("add", "-A")
    git("commit", "-qm", "change")
    command = [*CODECITE, "scan", project, "--diff", "HEAD~1", "--index", index, *POLICY, "--output", "text"]
    seconds = []
    for _ in range(runs + 1):
        start = time.perf_counter()
        shown = subprocess.run(command, check=False, capture_output=True, text=True).stdout
        seconds.append(time.perf_counter() - start)
    if "verbatim-denied" not in shown:
        raise SystemExit(f"the pasted function was not found:\n{shown}")
    yield "diff of 500 lines, start to exit, caches warm", f"{min(seconds):.2f} s"
    cold = project.parent / "cold"
    shutil.rmtree(cold, ignore_errors=True)
    start = time.perf_counter()
    subprocess.run(command, check=False, capture_output=True, env={**os.environ, "NUMBA_CACHE_DIR": str(cold)})
    yield "the same, nothing compiled yet", f"{time.perf_counter() - start:.0f} s"


def made(index: Path, source: Path) -> Path:
    """The index of a source, made where it is not there."""
    if not index.exists():
        codecite("index", "add", source, "--index", index)
    return index


def codecite(*words: str | Path) -> str:
    """What a command answers."""
    return subprocess.run([*CODECITE, *map(str, words)], check=True, capture_output=True, text=True).stdout


def copy(source: Path, target: Path, most: int) -> int:
    """Copy code in the order of its paths, so many bytes; returns how many those were."""
    size = 0
    if most <= 0:
        return size
    for folder, inner, names in os.walk(source):
        inner[:] = sorted(name for name in inner if name != "__pycache__")
        for name in sorted(names):
            place = Path(folder) / name
            if place.suffix not in pinned.CODE_SUFFIXES or place.is_symlink():
                continue
            length = place.stat().st_size
            if 0 < length < pinned.MAX_FILE_BYTES:
                into = target / place.relative_to(source)
                into.parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(place, into)
                size += length
            if size >= most:
                return size
    return size


if __name__ == "__main__":
    main()
