"""Which shingle suits code: how far apart it keeps unrelated files, and how near it keeps related ones.

In: a site-packages folder with pip in it, and ruff beside this Python. Out: the table in `kernels/minhash.py`, and two
columns more (three frequent names renamed; the largest Jaccard of unrelated files). It refuses to know of signatures:
all similarities are exact.

    python bench/shingles.py [FOLDER]
"""

from __future__ import annotations

import argparse
import keyword
import random
import re
import subprocess
import sys
import sysconfig
from collections import Counter
from collections.abc import Callable, Hashable, Sequence
from functools import partial
from pathlib import Path

WORD = re.compile(rb"[A-Za-z0-9_\x80-\xff]+")
WORD_OR_SIGN = re.compile(rb"[A-Za-z0-9_\x80-\xff]+|[^\sA-Za-z0-9_\x80-\xff]")
FILES, OF_EACH, MUTATED, UNRELATED = 500, 6, 150, 40_000
Set = set[Hashable]
Pairs = list[tuple[bytes, bytes]]


def tokens(pattern: re.Pattern[bytes], length: int, text: bytes) -> Set:
    """The distinct runs of so many tokens."""
    found = pattern.findall(text)
    return {tuple(found[i : i + length]) for i in range(max(bool(found), len(found) - length + 1))}


def kgrams(length: int, text: bytes) -> Set:
    """The distinct k-grams of the canonical text."""
    canonical = text.translate(None, b"\t\n\v\f\r ")
    return {canonical[i : i + length] for i in range(max(bool(canonical), len(canonical) - length + 1))}


CHOICES: dict[str, Callable[[bytes], Set]] = {
    **{f"{length} words": partial(tokens, WORD, length) for length in (3, 5, 7, 10)},
    **{f"{length} words and signs": partial(tokens, WORD_OR_SIGN, length) for length in (5, 8, 12)},
    **{f"{length} canonical bytes": partial(kgrams, length) for length in (12, 25)},
}


def main() -> None:
    """The table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("folder", nargs="?", type=Path, default=Path(sysconfig.get_path("purelib")))
    folder = parser.parse_args().folder
    rng = random.Random(7)
    files = draw(folder, rng)
    texts = [text for _, text in files[:MUTATED]]
    related: dict[str, Pairs] = {
        "reformatted": [(text, other) for text in texts if (other := reformatted(text)) not in (b"", text)],
        "vendored": vendored(folder),
        "edited": [(text, edited(text, rng)) for text in texts],
        "renamed": [(text, renamed(text, rng)) for text in texts],
    }
    size = sum(len(text) for _, text in files)
    print(f"{len(files)} files of {len({top for top, _ in files})} packages, {size:,} bytes; pairs:", end=" ")
    print(", ".join(f"{len(pairs)} {name}" for name, pairs in related.items()))
    print("| shingle | distinct |", " | ".join(related), "| unrelated | at most |")
    pairs = [(a, b) for a, b in (rng.sample(range(len(files)), 2) for _ in range(UNRELATED))]
    pairs = [(a, b) for a, b in pairs if files[a][0] != files[b][0]]
    for name, choice in CHOICES.items():
        sets = [choice(text) for _, text in files]
        apart = [jaccard(sets[a], sets[b]) for a, b in pairs]
        near = [[jaccard(choice(a), choice(b)) for a, b in some] for some in related.values()]
        cells = [f"{quantile(some, 0.5):.2f} ({quantile(some, 0.1):.2f})" for some in near]
        count = 1000 * sum(map(len, sets)) / size
        print(f"| {name} | {count:.0f} |", " | ".join(cells), f"| {quantile(apart, 0.99):.3f} | {max(apart):.2f} |")


def draw(folder: Path, rng: random.Random) -> list[tuple[str, bytes]]:
    """Some files of 1 to 60 kB from each package, each with the package's name, in random order."""
    of: dict[str, list[Path]] = {}
    for path in sorted(folder.rglob("*.py")):
        if "_vendor" not in path.parts and 1000 <= path.stat().st_size <= 60_000:
            of.setdefault(path.relative_to(folder).parts[0], []).append(path)
    chosen = [(top, path) for top, paths in of.items() for path in rng.sample(paths, min(OF_EACH, len(paths)))]
    rng.shuffle(chosen)
    return [(top, path.read_bytes()) for top, path in chosen[:FILES]]


def vendored(folder: Path) -> Pairs:
    """Files that pip carries a copy of, where the copy differs: most are of another release."""
    copies = folder / "pip" / "_vendor"
    both = [(path, folder / path.relative_to(copies)) for path in sorted(copies.rglob("*.py"))]
    texts = [(a.read_bytes(), b.read_bytes()) for a, b in both if b.exists() and b.stat().st_size >= 1000]
    return [(a, b) for a, b in texts if a != b]


def reformatted(text: bytes) -> bytes:
    """The same file by `ruff format` with other settings than most have; nothing where it cannot be parsed."""
    ruff = Path(sys.executable).with_name("ruff")
    settings = ["--isolated", "--line-length", "70", "--config", "format.quote-style='single'"]
    command = [ruff, "format", *settings, "--stdin-filename", "a.py", "-"]
    return subprocess.run(command, input=text, capture_output=True).stdout


def edited(text: bytes, rng: random.Random) -> bytes:
    """A word in one line of ten is another."""
    lines = text.split(b"\n")
    for number, line in enumerate(lines):
        found = list(WORD.finditer(line))
        if found and rng.randrange(10) == 0:
            word = rng.choice(found)
            lines[number] = line[: word.start()] + b"changed%d" % number + line[word.end() :]
    return b"\n".join(lines)


def renamed(text: bytes, rng: random.Random) -> bytes:
    """Three of the twenty most frequent names are others throughout."""
    counts = Counter(word for word in WORD.findall(text) if re.match(rb"[A-Za-z_]\w{2,}$", word))
    names = [word for word, _ in counts.most_common() if not keyword.iskeyword(word.decode("latin1"))][:20]
    others = {word: b"other_%d" % number for number, word in enumerate(rng.sample(names, min(3, len(names))))}
    return WORD.sub(lambda found: others.get(found.group(), found.group()), text)


def jaccard(a: Set, b: Set) -> float:
    """Exact."""
    return len(a & b) / len(a | b) if a or b else 0.0


def quantile(values: Sequence[float], share: float) -> float:
    """The value that so large a share does not exceed."""
    return sorted(values)[min(len(values) - 1, int(len(values) * share))]


if __name__ == "__main__":
    main()
