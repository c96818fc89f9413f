"""A small pool of contents that share passages, and the Packages, rules and queries over them.

In: nothing. Out: constants, the same in every run. It refuses to know what is done with them.
"""

from __future__ import annotations

import random

from oracle.planned import evidence
from oracle.store_model import Rule, swhid

from codecite.indexer.records import EvidenceKind, Package
from codecite.indexer.store.takedowns import TakedownKind

_chosen = random.Random(4)
_TEXT = "return self value index for_each if not None while result append config path open read write close"
_WORDS = _TEXT.split()


def _passage(words: int) -> bytes:
    return " ".join(f"{_chosen.choice(_WORDS)}_{_chosen.randrange(1000)}" for _ in range(words)).encode() + b"\n"


PASSAGES = [_passage(words) for words in (5, 7, 9, 12, 16, 24)] + [b"-" * 90 + b"\n", b"0x00, " * 30 + b"\n"]
"""Passages from just above the guarantee to several times of it, a ruler and a table."""


def _contents() -> list[bytes]:
    found = [b"", b"short\n", PASSAGES[0], PASSAGES[1].replace(b" ", b"\n\t"), PASSAGES[6]]
    for number in range(5):
        chosen = _chosen.sample(PASSAGES, 3)
        begin = _chosen.choice((0, 0, 9, 20))
        found.append(b"# %d\n" % number + chosen[0][begin:] + chosen[1] + b"!" + chosen[2])
    lines = (b"static int value_%d = %d;\n" % (i, i * i % 977) for i in range(1800))
    found.append(PASSAGES[3] + b"".join(lines) + PASSAGES[5])
    return found


CONTENTS = _contents()
"""An empty one, one below the guarantee, passages alone, splices of them, and one that a dictionary is trained on."""

PATHS = ["a.py", "vendor/b.c", "lib/secret/key.py"]
LICENSES = [None, "MIT", "GPL-3.0-only"]
SOURCES = ["/one", "/two"]


def package(source: str, kind: int, license: str | None) -> Package:
    """One of the Packages of a source."""
    purl, repository, released = KINDS[kind]
    said = () if license is None else (evidence(EvidenceKind.PACKAGE_METADATA, license),)
    return Package(source, purl, repository, released=released, evidence=said)


KINDS = [
    ("pkg:pypi/a@1", None, "2020-01-01"),
    ("pkg:pypi/a@2", None, "2021-01-01"),
    ("pkg:pypi/b@1", "https://github.com/evil/lib", None),
    (None, "https://github.com/evil/other", "2020-01-01"),
    (None, None, None),
]

RULES = [
    Rule(TakedownKind.PURL, "pkg:pypi/a@1", lambda package: package.purl == "pkg:pypi/a@1"),
    Rule(TakedownKind.PURL, "pkg:pypi/b", lambda package: (package.purl or "").startswith("pkg:pypi/b@")),
    Rule(
        TakedownKind.REPOSITORY, "git@github.com:evil/other.git", lambda package: "other" in (package.repository or "")
    ),
    Rule(TakedownKind.OWNER, "evil", lambda package: "/evil/" in (package.repository or "")),
    Rule(TakedownKind.PATH, "secret/", of_file=lambda seen: "secret/" in seen.path),
    *(
        Rule(TakedownKind.SWHID, swhid(content), of_file=lambda seen, content=content: seen.content == content)
        for content in (CONTENTS[2], CONTENTS[6], CONTENTS[8])
    ),
]

QUERIES = [
    (b"", b"".join(content[:700] + b"?" for content in CONTENTS), b""),
    (PASSAGES[5][:60], PASSAGES[5][60:] + PASSAGES[6] + PASSAGES[2] + CONTENTS[7], PASSAGES[3][:80]),
    (b"", b"".join(b"".join(passage.split()) + b"\n" for passage in reversed(PASSAGES)), b""),
    (b"", CONTENTS[-1][9000:9900] + CONTENTS[9], b""),
]
"""Texts of pieces of the pool: whole, cut, in other white space, across their context."""
