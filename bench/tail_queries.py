"""Makes the queries of the tail: seven kinds of texts of 2,000 characters each.

In: the corpora of `fetch.py`, the pools of `tail_sources.py`, the completions of `tail_completions.py`. Out:
`tail-queries/KIND.jsonl` in the cache folder, a text a line with where it came from; the same for the same corpora,
and fewer are the first of more. It refuses to know who answers them.

    python bench/tail_queries.py [--queries N] [--only KIND...]

- `completions`: what the demo model writes (`tail_completions.py`; fewer distinct ones, which then come again)
- `heads`: the first 2,000 characters of a file: of the tenth of linux, and in turn of a file that is not linux
- `drivers`: slices of linux/drivers; every second one is half noise (foreign code with its words replaced)
- `generated`: protobuf code (Python, Go, C), parser tables, register headers of amdgpu, in turn
- `minified`: slices of minified scripts and style sheets
- `random`: printable bytes, random words, real lines of code in random order, in turn
- `rulers`: stretches of the tenth around rulers and tables of one value; made-up ones, with breaks, of periods up to 60
"""

from __future__ import annotations

import argparse
import json
import random
import re
import string
import time
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path

import pinned
import tail_completions
import tail_sources
from queries import CHARACTERS, WORD, Slices, renamed, wordy
from tail_sources import Pool

SEED = 5
Made = Iterator[tuple[str, str]]
"""Where a text came from, and the text; without end."""

RULER = re.compile(r"([-*=#/_~.+])\1{29,}|(?:\b0(?:x0+)?U?L?,\s*){8,}|(\n[^\n]{6,80})\2{3,}")
PROTOBUF = re.compile(r".*(_pb2\.py|\.pb\.go|\.pb\.cc|\.pb\.h|\.upb\.[ch])")
TABLES = re.compile(r".*((lex|parse|yacc)tab\.py|_antlr/\w+(parser|lexer)\.py|tree-sitter-c.*/parser\.c)")
MINIFIED = re.compile(r".*(\.min\.(js|css)|\.prod\.js|\.production\.min\.js)")


def main() -> None:
    """Make what is missing, and say how much there is."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--queries", type=int, default=10_000)
    parser.add_argument("--only", nargs="*", default=list(KINDS), choices=tuple(KINDS))
    arguments = parser.parse_args()
    for kind in arguments.only:
        began = time.monotonic()
        path = write(kind, arguments.queries)
        print(f"{kind}: {path} ({time.monotonic() - began:.1f} s)", flush=True)


def write(kind: str, count: int) -> Path:
    """The file of a kind, with at least `count` queries; it is made anew where it has fewer."""
    if kind == "completions":
        return tail_completions.write(count)
    path = pinned.cache() / "tail-queries" / f"{kind}.jsonl"
    path.parent.mkdir(exist_ok=True)
    if not path.exists() or sum(1 for _ in path.open("rb")) < count:
        made = KINDS[kind](random.Random(f"{SEED} {kind}"))
        drawn = zip(made, range(count), strict=False)
        rows = (json.dumps({"text": text, "path": name}) + "\n" for (name, text), _ in drawn)
        unfinished = path.with_suffix(".unfinished")
        with unfinished.open("w", encoding="utf-8") as output:
            output.writelines(rows)
        unfinished.rename(path)
    return path


def texts(kind: str, count: int) -> list[str]:
    """The first `count` queries of a kind; those of a shorter file come again."""
    with write(kind, count).open(encoding="utf-8") as lines:
        found = [json.loads(line)["text"] for line, _ in zip(lines, range(count), strict=False)]
    return [found[number % len(found)] for number in range(count)]


def heads(draw: random.Random) -> Made:
    """File heads, inside and outside."""
    sources = pinned.cache() / "sources"
    inside = shuffled(draw, (path for path in tail_sources.lay_out_tenth().rglob("*")))
    outside = shuffled(draw, (path for path in sources.rglob("*") if sources / "linux" not in path.parents))
    for pair in zip(beginnings(inside), beginnings(outside), strict=False):
        yield from pair


def shuffled(draw: random.Random, paths: Iterator[Path]) -> list[Path]:
    """Files in random order."""
    found = sorted(path for path in paths if path.is_file() and path.stat().st_size >= CHARACTERS)
    draw.shuffle(found)
    return found


def beginnings(paths: list[Path]) -> Made:
    """The heads of files that are text; all of them again at the end."""
    while True:
        for path in paths:
            with path.open("rb") as stream:
                head = stream.read(4 * CHARACTERS)
            text = head.decode("utf-8", "replace")[:CHARACTERS]
            if b"\0" not in head and len(text) == CHARACTERS:
                yield str(path), text


def drivers(draw: random.Random) -> Made:
    """Slices of drivers, whole and half."""
    pool = Pool(tail_sources.files(tail_sources.lay_out_tenth(), lambda name: name.startswith("linux/drivers/")))
    foreign = Slices(pinned.cache() / "corpora" / "held-out")
    while True:
        yield pool.slice(draw, CHARACTERS)
        name, ours = pool.slice(draw, CHARACTERS // 2)
        theirs = WORD.sub(renamed, wordy(foreign, draw))
        yield name, ours + theirs if draw.random() < 0.5 else theirs + ours


def generated(draw: random.Random) -> Made:
    """What programs wrote."""
    tenth, sources = tail_sources.lay_out_tenth(), pinned.cache() / "sources"
    packages = [path for path in sorted(sources.iterdir()) if path.name != "linux"]
    code = [item for path in packages for item in tail_sources.files(path, is_table)]
    pools = (
        Pool(item for item in tail_sources.members(lambda name: bool(PROTOBUF.fullmatch(name)))),
        Pool([*code, *tail_sources.members(is_table)]),
        Pool(tail_sources.files(tenth, lambda name: "/amd/include/asic_reg/" in name)),
    )
    while True:
        for pool in pools:
            # By the file, not by its size: one family of large ones would be nearly all.
            name = draw.choice(pool.names)
            text = pool.text(name)
            start = draw.randrange(max(1, len(text) - CHARACTERS + 1))
            if len(text) >= CHARACTERS:
                yield name, text[start : start + CHARACTERS]


def is_table(name: str) -> bool:
    """Whether a path is one of a parser's tables."""
    return bool(TABLES.fullmatch(name))


def minified(draw: random.Random) -> Made:
    """Bundles."""
    sources = pinned.cache() / "sources"
    wanted = [(str(path), path.read_bytes()) for path in sources.rglob("*.min.*") if MINIFIED.fullmatch(path.name)]
    pool = Pool([*wanted, *tail_sources.members(lambda name: bool(MINIFIED.fullmatch(name)))])
    while True:
        yield pool.slice(draw, CHARACTERS)


def noise(draw: random.Random) -> Made:
    """Texts of no origin; the lines are of the held-out files."""
    folder = pinned.cache() / "corpora" / "held-out"
    contents = sorted(path.read_text(encoding="utf-8") for path in folder.rglob("*") if path.is_file())
    lines = [line for content in contents for line in content.splitlines(keepends=True)]
    words = sorted({word for content in contents for word in WORD.findall(content)})
    while True:
        yield "bytes", "".join(draw.choices(string.printable, k=CHARACTERS))
        yield "words", " ".join(draw.choices(words, k=CHARACTERS // 4))[:CHARACTERS]
        yield "lines", "".join(draw.choices(lines, k=CHARACTERS // 4))[:CHARACTERS].ljust(CHARACTERS, ";")


def rulers(draw: random.Random) -> Made:
    """Rulers, tables, runs; real and made up."""
    pool = Pool(tail_sources.files(tail_sources.lay_out_tenth(), lambda name: name.endswith((".c", ".h", ".S"))))
    names = list(pool.names)
    draw.shuffle(names)
    places: Callable[[str], list[int]] = cache(lambda name: [hit.start() for hit in RULER.finditer(pool.text(name))])
    while True:
        for name in names:
            text = pool.text(name)
            if len(text) >= CHARACTERS and (found := places(name)):
                start = draw.choice(found) - draw.randrange(CHARACTERS)
                start = min(max(start, 0), len(text) - CHARACTERS)
                yield name, text[start : start + CHARACTERS]
                yield "made up", made_up(draw)


def made_up(draw: random.Random) -> str:
    """Runs of known pieces or of random ones, broken here and there."""
    text = ""
    while len(text) < CHARACTERS:
        piece = draw.choice(PIECES)
        if not piece:
            piece = "".join(draw.choices(string.ascii_letters + " ,;(){}", k=draw.randint(1, 60)))
        length = draw.choice((60, 200, 700, CHARACTERS))
        text += (piece * length)[:length] + draw.choice(("", "\n", " */\n", "\n\t{ 1, 2 },\n", "#endif\n"))
    return text[:CHARACTERS]


PIECES = (
    *("", "", "", "*", "-", "=", "#", "/", "_", " ", "0", "x", "\n", "0, ", "0x00, ", "0x00000000, ", "1, ", "ff "),
    *(
        "/*" + "*" * 74 + "*/\n",
        "//" + "-" * 76 + "\n",
        "},\n{0x40000000,",
        "{ 0, 0 },\n",
        "\\x00",
        "NULL,\n\t",
        "AAAA",
    ),
    *("0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,\n\t", "\t.word 0\n", "+---", "0xff, 0xff, ", "return 0;\n}\n"),
)
"""What runs are made of; the empty one stands for a random piece."""

KINDS: dict[str, Callable[[random.Random], Made]] = {
    "completions": noise,  # made by tail_completions
    "heads": heads,
    "drivers": drivers,
    "generated": generated,
    "minified": minified,
    "random": noise,
    "rulers": rulers,
}


if __name__ == "__main__":
    main()
