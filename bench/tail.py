"""The figures of the tail: the slowest checks, frequent heads, large files, batches, starting, building.

In: the corpora that `fetch.py` laid out. Out: Markdown tables, and every time measured in `tail.json` in the cache
folder. It refuses to know how anything is answered: each step runs as a program (`tail_work.py`, the command line).

    python bench/tail.py [--queries N] [--passes N] [--only NAME...] [--keep] [--with-peer]
"""

from __future__ import annotations

import argparse
import json
import random
import shutil
import sys
import time
from collections.abc import Iterable
from functools import partial
from pathlib import Path
from typing import Any

import exact
import measure
import pinned
import tail_heads
import tail_peer
import tail_queries
import tail_sources
import tail_table
import tail_work
from exact import say

BENCH = Path(__file__).parent
PARTS = ("headed", "batch", "files", "large", "start")
MEGABYTE = 1_000_000
COMMAND = [sys.executable, "-c", "from codecite.search_api.cli.main import main; main()"]
"""What the installed script `codecite` does, of the code under test wherever it lies."""


def main() -> None:
    """Measure, write, print; the figures of what is left out stay those of the last run."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--queries", type=int, default=10_000, help="of each kind")
    parser.add_argument("--passes", type=int, default=3)
    parser.add_argument("--only", nargs="*", default=[], choices=(*tail_queries.KINDS, *PARTS), metavar="NAME")
    parser.add_argument("--compared", type=int, default=200, help="answers over the heads compared with the oracle's")
    parser.add_argument("--limit", type=int, default=600, help="seconds that the file of 100 MB may take")
    parser.add_argument("--keep", action="store_true", help="take the indexes that stand, with their figures")
    parser.add_argument("--with-peer", action="store_true", help="ask infini-gram for the heads too, on small")
    arguments = parser.parse_args()
    measure.use_cores()
    cache = pinned.cache()
    if not (cache / "corpora.json").exists():
        raise SystemExit(f"{cache} holds no corpora: run bench/fetch.py first")
    wanted = set(arguments.only or (*tail_queries.KINDS, *PARTS))
    kinds = [kind for kind in tail_queries.KINDS if kind in wanted]
    tail_sources.lay_out_tenth()
    for kind in kinds:
        tail_queries.write(kind, arguments.queries)
    figures = cache / "tail.json"
    measured: dict[str, Any] = json.loads(figures.read_text(encoding="utf-8")) if figures.exists() else {}
    builds = measured.setdefault("builds", {})
    for name in ("kernel13", *(["tenth"] if kinds else []), *(["small"] if arguments.with_peer else [])):
        builds[name] = exact.kept(cache / f"{name}.json", arguments.keep, partial(built, name))
    if wanted & {"headed", "batch"}:
        builds["headed"] = exact.kept(cache / "headed.json", arguments.keep, build_headed)
    for kind in kinds:
        say(f"{arguments.queries} queries of the kind {kind}")
        words = ["kind", kind, index("kernel13"), index("tenth")]
        big, small = work(*words, "--queries", arguments.queries, "--passes", arguments.passes)
        measured.setdefault("kinds", {})[kind] = {"copy": measure.copy_rate(), "kernel13": big, "tenth": small}
        save(figures, measured)
    steps = {
        "headed": partial(ask_headed, arguments.queries, arguments.passes, arguments.compared),
        "batch": partial(run_batch, arguments.queries),
        "files": partial(check_files, arguments.passes),
        "large": partial(check_large, arguments.limit),
        "start": start,
    }
    for name in PARTS:
        if name in wanted:
            say(name)
            measured[name] = {"copy": measure.copy_rate(), **steps[name]()}
            save(figures, measured)
    if arguments.with_peer:
        say("infini-gram")
        measured["peer"] = {"copy": measure.copy_rate(), **ask_peer(arguments.keep)}
        save(figures, measured)
    print("\n".join(tail_table.tables(measured)))


def save(path: Path, measured: dict[str, Any]) -> None:
    """Every time, after each step."""
    path.write_text(json.dumps(measured) + "\n", encoding="utf-8")


def index(name: str) -> str:
    """Where an index lies."""
    return str(pinned.cache() / "indexes" / name)


def work(*words: object) -> Any:
    """What a step of `tail_work.py` says."""
    return exact.output([sys.executable, str(BENCH / "tail_work.py"), *map(str, words)])


def built(name: str) -> dict[str, Any]:
    """What `exact.build` says, and the bytes of each file name in the index."""
    return {**exact.build(name), "sections": sections(Path(index(name)))}


def build_headed() -> dict[str, Any]:
    """The corpus of heads and `small` in one index, by the command line."""
    dataset, log = tail_heads.write_corpus(), pinned.cache() / "build.log"
    trees = tail_work.head_trees()
    size = sum(measure.read_all(Path(tree)) for tree in trees) + len(dataset.read_bytes())
    shutil.rmtree(index("headed"), ignore_errors=True)
    say("codecite indexes headed")
    copy = measure.copy_rate()
    words = ["index", "add", *trees, dataset, "--index", index("headed"), "--columns", tail_heads.COLUMNS]
    run = measure.run_program([*COMMAND, *words], log)
    return {
        "copy": copy,
        "corpus_bytes": size,
        "run": run.to_dict(),
        "parts": exact.parts(Path(index("headed"))),
        "sections": sections(Path(index("headed"))),
    }


def sections(folder: Path) -> dict[str, int]:
    """The bytes of an index by the names of its files."""
    sizes: dict[str, int] = {}
    for path in folder.rglob("*"):
        if path.is_file():
            sizes[path.name] = sizes.get(path.name, 0) + path.stat().st_size
    return dict(sorted(sizes.items(), key=lambda item: -item[1]))


def ask_headed(count: int, passes: int, compared: int) -> dict[str, Any]:
    """Lookups and checks of parts of the head, and how the answers compare with the oracle's."""
    words = ["--queries", count, "--passes", passes, "--compared", compared]
    found: dict[str, Any] = work("heads", index("headed"), *words)
    return found


def run_batch(count: int) -> dict[str, Any]:
    """`check --batch` of completions: the whole program, and the same without a line in the batch, on two indexes."""
    count = max(count, 2000)
    batch, empty, log = (pinned.cache() / name for name in ("batch.jsonl", "empty.jsonl", "batch.log"))
    texts = tail_queries.texts("completions", count)
    lines = (json.dumps({"id": number, "text": text}) + "\n" for number, text in enumerate(texts))
    batch.write_text("".join(lines), encoding="utf-8")
    empty.write_text("", encoding="utf-8")
    found: dict[str, Any] = {"completions": count}
    for name in ("kernel13", "headed"):
        runs = {}
        for what, path in (("none", empty), ("all", batch)):
            words = ["check", "--batch", path, "--index", index(name), "--format", "json"]
            runs[what] = min(measure.run_program([*COMMAND, *words], log).seconds for _ in range(2))
        answered = sum(line.startswith(b'{"id"') for line in log.open("rb"))
        if answered != count:
            raise SystemExit(f"check --batch answered {answered} of {count} lines; see {log}")
        found[name] = runs
    return found


def check_files(passes: int) -> dict[str, Any]:
    """Checks of files of 1 MB in process: real files joined, a real one, what linux does not hold."""
    cache = pinned.cache()
    sources = cache / "sources"
    whole = [path for path in (sources / "linux").rglob("*") if path.is_file() and not path.is_symlink()]
    nearest = sorted(sorted(whole), key=lambda path: abs(path.stat().st_size - MEGABYTE))
    tables = [path for path in nearest if "asic_reg" in path.parts]
    other = [path for path in nearest if "asic_reg" not in path.parts]
    wheels = [path for path in (cache / "corpora" / "small").rglob("*") if "linux" not in path.parts]
    chosen = {
        "joined": join(whole, MEGABYTE, "joined-1"),
        "one file": other[0],
        "register header": tables[0],
        "foreign": join(wheels, MEGABYTE, "foreign-1"),
    }
    times = work("texts", index("kernel13"), *chosen.values(), "--passes", passes)
    return {
        "files": {name: {"path": str(path), "bytes": path.stat().st_size} for name, path in chosen.items()},
        "seconds": dict(zip(chosen, times, strict=True)),
    }


def join(paths: Iterable[Path], size: int, name: str) -> Path:
    """Real files one after the other, in random order, to so many bytes."""
    target = pinned.cache() / "tail-queries" / f"{name}.txt"
    if not target.exists():
        found = sorted(path for path in paths if path.is_file() and not path.is_symlink())
        random.Random(name).shuffle(found)
        with target.open("wb") as output:
            for path in found:
                output.write(path.read_bytes()[: size - output.tell()])
    return target


def check_large(limit: int) -> dict[str, Any]:
    """One check of 10 MB and of 100 MB, each in a process of its own: seconds, and the peaks of its memory."""
    whole = list((pinned.cache() / "sources" / "linux").rglob("*"))
    found: dict[str, Any] = {"limit": limit}
    for size in (10, 100):
        path = join(whole, size * MEGABYTE, f"joined-{size}")
        command = [sys.executable, BENCH / "tail_work.py", "once", index("kernel13"), path, "--limit", str(limit)]
        peaks = measure.run_watched(command, pinned.cache() / "large.log")
        found[str(size)] = peaks
        if peaks["code"] == 0:
            found[str(size)] |= json.loads((pinned.cache() / "large.log").read_text().splitlines()[-1])
    return found


def start() -> dict[str, Any]:
    """`codecite check` on a small file, from the start of the process to its end, the best of nine."""
    path = pinned.cache() / "tail-queries" / "small.py"
    path.write_text(tail_queries.texts("completions", 1)[0], encoding="utf-8")
    command = [*COMMAND, "check", path, "--index", index("kernel13")]
    seconds = [measure.run_program(command, pinned.cache() / "start.log").seconds for _ in range(9)]
    began = time.perf_counter()
    measure.run_program([sys.executable, "-c", "pass"], pinned.cache() / "start.log")
    return {"seconds": seconds, "python": time.perf_counter() - began}


def ask_peer(keep: bool) -> dict[str, Any]:
    """infini-gram and codecite on the first 100 heads, in `small`."""
    exact.kept(pinned.cache() / "infini-gram" / "build.json", keep, exact.build_peer)
    texts = tail_queries.texts("heads", 100)
    path = pinned.cache() / "tail-queries" / "peer.json"
    path.write_text(json.dumps(texts), encoding="utf-8")
    theirs = exact.output([str(tail_peer.peer.python()), str(BENCH / "tail_peer.py"), str(path)])
    return {"theirs": theirs, "ours": work("kind", "heads", index("small"), "--queries", len(texts))[0]}


if __name__ == "__main__":
    main()
