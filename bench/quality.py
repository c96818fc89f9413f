"""How much of changed code is found, beside what other programs find of it.

In: an index, and the trees of the wheels in it (`fetch.py`). Out: Markdown tables: recall by length and kind of change,
ours and that of `quality_peers.py`, and of changes that people made (`quality_natural.py`). A change counts as found
when Matches, exact or near, of its own file cover half of the text; of two functions spliced, when those of each file
cover half of its part. How many near Matches are right is `precision.py`'s.

    python bench/quality.py --index DIR [--each 60] [--seed 3]
"""

from __future__ import annotations

import argparse
import random
from pathlib import Path

import measure
import pinned
import quality_natural
from quality_functions import functions
from quality_mutations import MUTATIONS
from quality_peers import PEERS

from codecite.indexer import open_index
from codecite.indexer.build import add
from codecite.indexer.corpus.sources import read_sources
from codecite.indexer.corpus.units import Reading
from codecite.indexer.index import Index
from codecite.indexer.records import Report

LENGTHS = (5, 8, 10, 15, 20, 30, 60)
OURS = "codecite"
PACKAGES = (
    *("Django", "SQLAlchemy", "ansible", "apache_airflow", "astropy", "diffusers", "esphome", "kubernetes"),
    *("matplotlib", "networkx", "nltk", "spacy", "statsmodels"),
)
"""Those of the corpus's wheels whose functions are changed: none on which the thresholds of the near search were chosen
(the packages that are installed with codecite), but that Django and SQLAlchemy were looked at for false hits."""


def main() -> None:
    """Measure, print."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--index", required=True, help="an index of a corpus, or of its wheels")
    parser.add_argument("--corpus", default="large", help="the corpus that it holds: large or small")
    parser.add_argument("--each", type=int, default=60, help="functions of each length")
    parser.add_argument("--seed", type=int, default=3)
    parser.add_argument("--only", choices=(*MUTATIONS, "spliced", "natural"), action="append")
    arguments = parser.parse_args()
    measure.use_cores()
    index = open_index(arguments.index)
    coverage = index.coverage[0]
    print(f"{coverage.documents:,} documents, {coverage.bytes / 1e6:,.0f} MB\n")
    only = arguments.only or (*MUTATIONS, "spliced", "natural")
    recall(index, drawn(arguments.corpus, arguments.each, arguments.seed), arguments.seed, only)
    if "natural" in only:
        natural()


def drawn(corpus: str, each: int, seed: int) -> dict[int, list[tuple[Path, str]]]:
    """Functions of each length, at most two of a file, with their files."""
    chance = random.Random(seed)
    found: dict[int, list[tuple[Path, str]]] = {length: [] for length in LENGTHS}
    trees = pinned.cache() / "corpora" / corpus
    paths = sorted(path for name in PACKAGES for path in trees.glob(f"{name}-*/**/*.py"))
    chance.shuffle(paths)
    for path in paths:
        texts = list(functions(path.read_text(encoding="utf-8", errors="replace")))
        chance.shuffle(texts)
        for text in texts[:2]:
            fitting = next((n for n in LENGTHS if n <= text.count("\n") + 1 <= n * 1.2), None)
            if fitting is not None and len(found[fitting]) < each:
                found[fitting].append((path, text))
        if all(len(texts) == each for texts in found.values()):
            break
    return found


def recall(index: Index, texts: dict[int, list[tuple[Path, str]]], seed: int, only: tuple[str, ...]) -> None:
    """The share of changed functions that is found, by change and by length in lines, ours and the peers'."""
    print("| change | program | " + " | ".join(f"{length} lines" for length in LENGTHS) + " |")
    print("|---|---|" + "---|" * len(LENGTHS))
    for name in (*MUTATIONS, "spliced"):
        if name not in only:
            continue
        hits = {program: dict.fromkeys(LENGTHS, 0) for program in (OURS, *PEERS)}
        total = dict.fromkeys(LENGTHS, 0)
        chance = random.Random(f"{seed} {name}")
        for length in LENGTHS:
            for number, (path, text) in enumerate(texts[length]):
                if name == "spliced":
                    other = texts[length][number - 1]
                    changed: str | None = text + "\n\n" + other[1]
                    parts = ((path, 0, len(text)), (other[0], len(text) + 2, len(text) + 2 + len(other[1])))
                else:
                    changed = MUTATIONS[name](text, chance)
                    parts = ((path, 0, len(changed or "")),)
                if changed is None or (changed == text and name != "verbatim"):
                    continue
                total[length] += 1
                report = index.check(changed, near=True, sources=200)
                hits[OURS][length] += all(is_found(report, str(path), start, end) for path, start, end in parts)
                originals = [path.read_text(encoding="utf-8", errors="replace") for path, _, _ in parts]
                for program, tells in PEERS.items():
                    hits[program][length] += all(tells(changed, original) for original in originals)
        for program, counts in hits.items():
            cells = [f"{counts[n] / max(total[n], 1):.2f} ({total[n]})" for n in LENGTHS]
            print(f"| {name} | {program} | " + " | ".join(cells) + " |", flush=True)


def natural() -> None:
    """The share of what people changed that is found."""
    print("\n| change | functions | " + " | ".join((OURS, *PEERS)) + " |\n|---|---|" + "---|" * (1 + len(PEERS)))
    for name, made in (("vendored by pip", quality_natural.vendored), ("the next release", quality_natural.released)):
        wheels, pairs = made()
        directory = pinned.cache() / "indexes" / ("natural-" + name.replace(" ", "-"))
        add(directory, read_sources(wheels, installed=False, reading=Reading()))
        index = open_index(directory)
        for least in (5, 8, 15):
            chosen = [pair for pair in pairs if pair[2].count("\n") + 1 >= least]
            hits = dict.fromkeys((OURS, *PEERS), 0)
            for path, original, text in chosen:
                hits[OURS] += is_found(index.check(text, near=True, sources=200), "/" + path, 0, len(text))
                for program, tells in PEERS.items():
                    hits[program] += tells(text, original)
            cells = " | ".join(f"{count / max(len(chosen), 1):.2f}" for count in hits.values())
            print(f"| {name}, {least}+ lines | {len(chosen)} | {cells} |", flush=True)


def is_found(report: Report, path: str, first: int, last: int) -> bool:
    """Whether Matches of the file cover half of the text from `first` to `last`."""
    covered, reach = 0, first
    spans = [
        (item.match.start, item.match.end)
        for item in report.attributions
        if any(path.endswith(f"/{source.origin.path}") for source in item.sources)
    ]
    for start, end in sorted(spans):
        covered += max(0, min(end, last) - max(start, reach))
        reach = max(reach, end)
    return covered >= (last - first) / 2


if __name__ == "__main__":
    main()
