"""How much of changed code is found, and how much is found that is no copy.

In: functions of the packages installed here, which an index holds, and of packages that it does not hold. Out: Markdown
tables: recall by length and by kind of change, and how many functions of foreign packages have a near Match, each by
name so that a reader can judge it. A change counts as found when a Match, exact or near, of the function's own file
covers half of the text.

    python bench/quality.py [--each 60] [--foreign 2000]
"""

from __future__ import annotations

import argparse
import ast
import random
import subprocess
import sys
import time
import zipfile
from collections.abc import Iterator
from pathlib import Path

import generate
import measure
import pinned
from quality_mutations import MUTATIONS

from codecite.indexer import open_index
from codecite.indexer.index import Index
from codecite.indexer.records import Kind, Report

LENGTHS = (5, 8, 10, 15, 20, 30, 60)
FOREIGN = ("Django==5.1.2", "SQLAlchemy==2.0.36", "tornado==6.4.1", "Twisted==24.7.0", "celery==5.4.0")
"""Packages that are not installed with codecite."""


def main() -> None:
    """Measure, print."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--each", type=int, default=60, help="functions of each length")
    parser.add_argument("--foreign", type=int, default=2000, help="functions of packages that the index does not hold")
    arguments = parser.parse_args()
    measure.use_cores()
    index = open_index(generate.index_of_installed())
    coverage = index.coverage[0]
    print(f"{coverage.documents:,} documents, {coverage.bytes / 1e6:,.0f} MB\n")
    recall(index, arguments.each)
    false_hits(index, arguments.foreign)


def recall(index: Index, each: int) -> None:
    """The share of changed functions that are found, by change and by length in lines."""
    chance = random.Random(3)
    drawn: dict[int, list[tuple[Path, str]]] = {length: [] for length in LENGTHS}
    paths = sorted(generate.SITE.glob("*/**/*.py"))
    chance.shuffle(paths)
    for path in paths:
        found = list(functions(path.read_text(encoding="utf-8", errors="replace")))
        chance.shuffle(found)
        for text in found[:2]:
            fitting = next((n for n in LENGTHS if n <= text.count("\n") + 1 <= n * 1.2), None)
            if fitting is not None and len(drawn[fitting]) < each:
                drawn[fitting].append((path, text))
        if all(len(texts) == each for texts in drawn.values()):
            break
    print("| change | " + " | ".join(f"{length} lines" for length in LENGTHS) + " |")
    print("|---|" + "---|" * len(LENGTHS))
    for name, change in MUTATIONS.items():
        cells = []
        for length in LENGTHS:
            hits = total = 0
            for path, text in drawn[length]:
                changed = change(text, chance)
                if changed is None or (changed == text and name != "verbatim"):
                    continue
                total += 1
                hits += is_found(index.check(changed, near=True, sources=200), path, changed)
            cells.append(f"{hits / max(total, 1):.2f} ({total})")
        print(f"| {name} | " + " | ".join(cells) + " |", flush=True)


def is_found(report: Report, path: Path, text: str) -> bool:
    """Whether Matches of the file cover half of the text."""
    covered = reach = 0
    spans = [
        (item.match.start, item.match.end)
        for item in report.attributions
        if any(str(path).endswith(f"/{source.origin.path}") for source in item.sources)
    ]
    for start, end in sorted(spans):
        covered += max(0, end - max(start, reach))
        reach = max(reach, end)
    return covered >= len(text) / 2


def false_hits(index: Index, count: int) -> None:
    """How many functions of packages that the index does not hold have a near Match, and which."""
    chance = random.Random(4)
    texts = [text for wheel in fetched() for text in in_wheel(wheel)]
    chosen = chance.sample(texts, min(count, len(texts)))
    hits, times = [], []
    for name, text in chosen:
        began = time.perf_counter()
        report = index.check(text, near=True, sources=1)
        times.append(time.perf_counter() - began)
        near = [item for item in report.attributions if item.match.kind is Kind.NEAR]
        if near:
            hits.append((name, near[0]))
    print(f"\n{len(hits)} of {len(chosen):,} functions of {len(FOREIGN)} foreign packages have a near Match", end="; ")
    spread = measure.spread(times)
    print(f"a check with near ones: median {spread.median:.1f} ms, p99 {spread.p99:.1f} ms")
    for name, item in hits:
        source = item.sources[0].origin
        print(f"  {name}, {item.match.similarity:.2f} like {source.purl}: {source.path}")


def functions(text: str) -> Iterator[str]:
    """The functions in a module, as they stand."""
    try:
        tree = ast.parse(text)
    except (SyntaxError, ValueError, RecursionError):
        return
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef):
            found = ast.get_source_segment(text, node, padded=True)
            if found is not None and 4 <= found.count("\n") + 1 <= 80:
                yield found


def fetched() -> list[Path]:
    """The foreign packages."""
    folder = pinned.cache() / "foreign"
    if not folder.is_dir():
        pip = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--only-binary=:all:"]
        subprocess.run([*pip, "--dest", folder, *FOREIGN], check=True)
    return sorted(folder.glob("*.whl"))


def in_wheel(wheel: Path) -> Iterator[tuple[str, str]]:
    """The functions of a wheel, with the names of their files."""
    with zipfile.ZipFile(wheel) as archive:
        for name in sorted(archive.namelist()):
            if name.endswith(".py"):
                for text in functions(archive.read(name).decode("utf-8", "replace")):
                    yield f"{wheel.name.split('-')[0]}: {name}", text


if __name__ == "__main__":
    main()
