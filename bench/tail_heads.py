"""A corpus in which one head of 3,000 characters stands in 100,000 documents under five licences, and its queries.

In: the corpora of `fetch.py`. Out: `tail-heads.jsonl` in the cache folder, in the schema of The Stack with a column
`released`, and texts that hold parts of the head. It refuses to know who indexes and who answers them.

The head is the beginning of the GPL's text in a comment; licences are the dataset's own field. Behind it each document
has some hundred bytes of real lines of code, each of which stands in one document only, so that no two agree much
beyond the head. In three of ten documents the white space of the head is different. Every 200th document is seen in a
second repository under the next licence.
"""

from __future__ import annotations

import json
import random
import textwrap
from collections.abc import Iterator
from pathlib import Path

import pinned
from queries import CHARACTERS, WORD, Slices, renamed, wordy

DOCUMENTS = 100_000
REPOSITORIES = 3_000
HEAD = 3_000
TAIL = 300
SEED = 7
SHARES = {"MIT": 60_000, "Apache-2.0": 30_000, "GPL-3.0-only": 9_000, "BSD-3-Clause": 999, "MPL-2.0": 1}
WHITE_SPACE = b"\t\n\v\f\r "
COLUMNS = "released=released"


def head() -> str:
    """The head as most documents have it, the end of its comment in it."""
    text = (pinned.cache() / "sources" / "linux" / "LICENSES" / "preferred" / "GPL-2.0").read_text(encoding="utf-8")
    lines = text[text.index("GNU GENERAL PUBLIC LICENSE") :].splitlines()
    comment = "/*\n" + "".join(f" * {line.strip()}".rstrip() + "\n" for line in lines)
    return comment[: HEAD - 5] + "\n */\n"


def heads() -> tuple[str, ...]:
    """The head in its forms: as it is, indented, with DOS lines, with wide comments, and that of the lone licence."""
    plain = head()
    return (
        plain,
        plain.replace("\n", "\n\t"),
        plain.replace("\n", "\r\n"),
        plain.replace("\n * ", "\n *    "),
        plain.replace(" ", "  "),
    )


def write_corpus() -> Path:
    """The documents, a row each; what is there is kept."""
    path = pinned.cache() / "tail-heads.jsonl"
    if not path.exists():
        unfinished = path.with_suffix(".unfinished")
        with unfinished.open("w", encoding="utf-8") as output:
            output.writelines(json.dumps(row) + "\n" for row in rows())
        unfinished.rename(path)
    return path


def rows() -> Iterator[dict[str, object]]:
    """The rows in random order of their licences; the lone one stands in the middle."""
    draw = random.Random(SEED)
    names = list(SHARES)
    licenses = [name for name, count in SHARES.items() for _ in range(count) if count > 1]
    draw.shuffle(licenses)
    licenses.insert(DOCUMENTS // 2, names[-1])
    forms, lines = heads(), real_lines()
    for number, license in enumerate(licenses):
        tail = ""
        while len(tail) < TAIL:
            tail += next(lines) + "\n"
        form = 4 if license == names[-1] else draw.choices(range(4), (70, 10, 10, 10))[0]
        yield row(draw, number, license, forms[form] + tail)
        if number % 200 == 100:
            yield row(draw, number, names[(names.index(license) + 1) % 4], forms[form] + tail)


def row(draw: random.Random, number: int, license: str, content: str) -> dict[str, object]:
    """One row; a repository has one date, and one in fifty none."""
    repository = int(REPOSITORIES * draw.random() ** 2)
    day = random.Random(repository).randrange(5000)
    released = None if repository % 50 == 0 else f"{2008 + day // 360}-{1 + day // 30 % 12:02}-{1 + day % 28:02}"
    return {
        "content": content,
        "max_stars_repo_name": f"owner{repository % 700}/project{repository}",
        "max_stars_repo_path": f"src/{draw.choice(('core', 'lib', 'util'))}/file{number}.c",
        "max_stars_repo_licenses": [license],
        "released": released,
    }


def real_lines() -> Iterator[str]:
    """Lines of 25 or more canonical bytes of the wheels' code, each canonical text once."""
    met: set[int] = set()
    folder = pinned.cache() / "corpora" / "large"
    for package in sorted(path for path in folder.iterdir() if path.name != "linux"):
        for path in sorted(path for path in package.rglob("*.[chp]*") if path.is_file()):
            for line in path.read_text(encoding="utf-8").splitlines():
                canonical = line.encode().translate(None, WHITE_SPACE)
                if 25 <= len(canonical) <= 120 and line.isascii() and hash(canonical) not in met:
                    met.add(hash(canonical))
                    yield line
    raise SystemExit(f"{folder} has too few lines of code")


def make_queries(count: int) -> list[str]:
    """Texts of at most 2,000 ASCII characters; the kinds take turns; fewer are the first of more."""
    draw = random.Random(SEED)
    forms, tails = heads(), Tails()
    foreign = Slices(pinned.cache() / "corpora" / "held-out")
    found = []
    for number in range(count):
        form = draw.choice(forms)
        made_up = WORD.sub(renamed, wordy(foreign, draw)).encode("ascii", "replace").decode()
        at = draw.randrange(len(form) - CHARACTERS)
        kind = number % 6
        if kind == 0:  # of the head alone
            text = form[at : at + CHARACTERS]
        elif kind == 1:  # of the head, then foreign code
            text = form[at : at + CHARACTERS // 2] + made_up
        elif kind == 2:  # the end of the head with what follows it in one document
            text = form[-1500:] + tails.draw(draw)
        elif kind == 3:  # a piece of the head is missing, another stands there
            cut = draw.randrange(200, 1400)
            text = form[:cut] + made_up[: draw.randrange(5, 200)] + form[cut + draw.randrange(1, 400) :]
        elif kind == 4:  # other lines
            text = textwrap.fill(form[at : at + CHARACTERS], draw.choice((40, 60, 100)), break_long_words=False)
        else:  # some words are others
            words = form[at : at + CHARACTERS].split(" ")
            for _ in range(draw.randrange(2, 12)):
                words[draw.randrange(len(words))] = "xyz"
            text = " ".join(words)
        found.append(text[:CHARACTERS])
    return found


class Tails:
    """What stands behind the head in the documents; each licence is as likely as another."""

    def __init__(self) -> None:
        self._of: dict[str, list[str]] = {license: [] for license in SHARES}
        ends = tuple(form[-20:] for form in heads())
        with write_corpus().open(encoding="utf-8") as lines:
            for number, line in enumerate(lines):
                if number % 20 == 0 or '"MPL-2.0"' in line:
                    found = json.loads(line)
                    end = next(end for end in ends if end in found["content"])
                    tail = found["content"].partition(end)[2]
                    self._of[found["max_stars_repo_licenses"][0]].append(tail)

    def draw(self, draw: random.Random) -> str:
        """One."""
        return draw.choice(self._of[draw.choice(tuple(self._of))])
