"""Makes the queries: completions of 2,000 characters, half of them copied from the small corpus.

In: the folders `small` and `held-out` that `fetch.py` laid out. Out: a list of texts, the same for the same corpora and
number. It refuses to know who answers them.

The copied half is one slice of a file drawn by its size, at a random offset. The foreign half is a slice of a file that
no corpus holds, in which every word of three or more letters that is not a keyword was replaced by a made-up one of the
same shape, always the same for the same word: code by its look, of which hardly a passage stands anywhere. Slices with
few words (tables of numbers) are drawn again. A coin says which half comes first.
"""

from __future__ import annotations

import hashlib
import json
import keyword
import random
import re
from dataclasses import asdict, dataclass
from pathlib import Path

CHARACTERS = 2000
SEED = 3
WORD = re.compile(r"[A-Za-z]{3,}")
C_KEYWORDS = (
    "auto bool break case catch char class const continue default define delete double else endif enum extern false"
    " float for goto ifdef ifndef include inline int long namespace new nullptr operator private protected public"
    " register return short signed sizeof static struct switch template this throw true try typedef typename union"
    " unsigned using virtual void volatile while"
)
KEYWORDS = frozenset(keyword.kwlist) | frozenset(C_KEYWORDS.split())


@dataclass(frozen=True, slots=True)
class Query:
    """One text to check, and the file of the small corpus that half of it was copied from."""

    text: str
    path: str


def make_queries(corpora: Path, count: int) -> list[Query]:
    """The first `count` queries; a smaller count gives the first of a larger one."""
    draw = random.Random(SEED)
    copied = Slices(corpora / "small")
    foreign = Slices(corpora / "held-out")
    queries = []
    for _ in range(count):
        path, ours = copied.draw(draw)
        theirs = WORD.sub(renamed, wordy(foreign, draw))
        queries.append(Query(ours + theirs if draw.random() < 0.5 else theirs + ours, path))
    return queries


def wordy(slices: Slices, draw: random.Random) -> str:
    """A slice of which words make up at least a third."""
    while True:
        text = slices.draw(draw)[1]
        if 3 * sum(map(len, WORD.findall(text))) >= len(text):
            return text


class Slices:
    """Slices of the files of a folder, each file as likely as it is large."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.paths = sorted(path for path in folder.rglob("*") if path.is_file())
        self.sizes = [path.stat().st_size for path in self.paths]

    def draw(self, draw: random.Random) -> tuple[str, str]:
        """Half a query's characters from a file that has as many; returns the file's path and the slice."""
        length = CHARACTERS // 2
        while True:
            path = draw.choices(self.paths, self.sizes)[0]
            text = path.read_bytes().decode()
            if len(text) >= length:
                start = draw.randrange(len(text) - length + 1)
                return path.relative_to(self.folder).as_posix(), text[start : start + length]


def renamed(word: re.Match[str]) -> str:
    """A made-up word of the same length and case in the place of a word; keywords stay."""
    old = word.group()
    if old in KEYWORDS:
        return old
    letters = hashlib.shake_128(old.encode()).digest(len(old))
    return "".join(chr((97 if letter.islower() else 65) + byte % 26) for letter, byte in zip(old, letters, strict=True))


def write_queries(queries: list[Query], path: Path) -> None:
    """One JSON object a line, for the programs that measure."""
    path.write_text("".join(json.dumps(asdict(query)) + "\n" for query in queries), encoding="utf-8")


def read_texts(path: Path, count: int) -> list[str]:
    """The texts of the first `count` queries of such a file."""
    with path.open(encoding="utf-8") as lines:
        return [json.loads(line)["text"] for line, _ in zip(lines, range(count), strict=False)]
