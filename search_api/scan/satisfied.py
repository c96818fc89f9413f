"""Is a passage attributed already? What stands in the file and near it, held against the passage's sources.

In: a file, the folder it is scanned in, Attributions. Out: for each whether its licence and its owners are named. It
refuses to know what a policy says. Three things count, each of which must name the licence and, where the source has
copyright lines, one of their owners (else the project):

* a REUSE snippet block (`SPDX-SnippetBegin` to `SPDX-SnippetEnd`) around all lines of the passage;
* the head of the file, and what REUSE declares of it beside it (`FILE.license`);
* a licence, copyright or notice file, or a `REUSE.toml`, in the folder of the file or in one above it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from enum import IntEnum
from functools import lru_cache
from pathlib import Path

from codecite.indexer.attribution.shipping import clean_line
from codecite.indexer.corpus.nearby import is_license_file
from codecite.indexer.licenses.effective import disagrees
from codecite.indexer.licenses.expression import normalize
from codecite.indexer.licenses.head import read_head
from codecite.indexer.licenses.notice import read_notice
from codecite.indexer.licenses.texts import licenses_in
from codecite.indexer.records import NOASSERTION, Attribution, EvidenceKind, LicenseEvidence, Source
from codecite.search_api.scan.records import Lines

_MOST = 1 << 20
_TOML = "REUSE.toml"
_TAG = re.compile(
    r"SPDX-(SnippetBegin|SnippetEnd|License-Identifier|SnippetCopyrightText|SnippetComment)(?::[ \t]*(.*))?"
)
_ENDS = re.compile(r"\s*(?:\*+/|--+>|\*\))\s*$")
_FILLING = re.compile(
    r"\b(?:copyright|copr|all rights? reserved|spdx-\w+|by|and|the|contributors?|authors?|inc|llc|ltd|present|\d{4})\b"
    r"|\(c\)|\xa9|<[^>]*>|[\w.+-]+@[\w.-]+|https?://\S+",
    re.IGNORECASE,
)
_NO_WORD = re.compile(r"[\W_]+")


class Standing(IntEnum):
    """How much of an attribution stands."""

    NONE = 0
    LICENSE = 1
    WHOLE = 2


@dataclass(slots=True)
class Block:
    """A REUSE snippet block: its lines, the licences and owners it names, and all it says."""

    first: int
    last: int = 0
    licenses: list[str] = field(default_factory=list)
    text: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class _Said:
    """What one place says: the licences it names, and its words."""

    licenses: frozenset[str]
    words: str


def words_of(text: str) -> str:
    """A text in lower case, one space between and around words."""
    return f" {_NO_WORD.sub(' ', text.lower()).strip()} "


def all_words(text: str) -> str:
    """The words of a text as they stand, and again without those that name nobody, as `owner_of` leaves them out."""
    return words_of(text) + words_of(_FILLING.sub(" ", text))


@lru_cache(maxsize=1 << 14)
def owner_of(line: str) -> str:
    """Whom a copyright line names, in plain words; empty where it names nobody.

    >>> owner_of("# Copyright (c) 2012-2020 Jane Doe <jane@example.org> and contributors. All rights reserved.")
    ' jane doe '
    """
    found = words_of(_FILLING.sub(" ", clean_line(line)))
    return found if found.strip() else ""


def blocks_of(text: str) -> list[Block]:
    """The snippet blocks of a file, outer before inner; one that is not closed goes on to the end."""
    if "SPDX-SnippetBegin" not in text:
        return []
    found: list[Block] = []
    opened: list[Block] = []
    lines = text.split("\n")
    for number, line in enumerate(lines, start=1):
        tag = _TAG.search(line) if "SPDX-" in line else None
        if tag is None:
            continue
        name, value = tag.group(1), _ENDS.sub("", (tag.group(2) or "").rstrip())
        if name == "SnippetBegin":
            opened.append(Block(number))
            found.append(opened[-1])
        elif name == "SnippetEnd" and opened:
            opened.pop().last = number
        elif opened and name == "License-Identifier":
            opened[-1].licenses.append(normalize(value) or value)
            opened[-1].text.append(value)
        elif opened:
            opened[-1].text.append(value)
    for block in opened:
        block.last = len(lines) + 1
    return found


class Near:
    """The licence and notice files from a folder upwards, each read once."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._of = lru_cache(maxsize=1 << 14)(self._read)

    def above(self, path: str) -> Iterator[_Said]:
        """What the files near a path say, the nearest folder first; and what lies beside it."""
        sidecar = self._root / f"{path}.license"
        if sidecar.is_file():
            yield _said([sidecar])
        folder = path
        while folder:
            folder = folder.rpartition("/")[0]
            said = self._of(folder)
            if said is not None:
                yield said

    def _read(self, folder: str) -> _Said | None:
        place = self._root / folder
        try:
            names = sorted(entry for entry in place.iterdir() if is_license_file(entry.name) or entry.name == _TOML)
            names += sorted((place / "LICENSES").iterdir()) if (place / "LICENSES").is_dir() else []
        except OSError:
            return None
        return _said(names) if names else None


def _said(places: Iterable[Path]) -> _Said:
    licenses: set[str] = set()
    words: list[str] = []
    for place in places:
        try:
            with place.open("rb") as file:
                content = file.read(_MOST)
        except OSError:
            continue
        if place.parent.name == "LICENSES":
            licenses.add(normalize(place.stem) or place.stem)
            continue
        licenses.update(licenses_in(content))
        text = content.decode("utf-8", "replace")
        licenses.update(_named_in(text))
        words.append(all_words(text))
    return _Said(frozenset(licenses), "".join(words))


def _named_in(text: str) -> Iterator[str]:
    """The licences that a text names by SPDX identifiers on lines of their own or behind a tag."""
    for line in text.split("\n"):
        bare = line.strip().removeprefix("SPDX-License-Identifier").strip(" :=\"'*#")
        if 0 < len(bare) < 100 and (known := normalize(bare)):
            yield known


class FileStanding:
    """What stands in one file and near it."""

    def __init__(self, path: str, content: bytes, near: Near) -> None:
        self._path, self._near = path, near
        text = content.decode("utf-8", "surrogateescape")
        self.blocks = blocks_of(text)
        tags, notices = read_head(content)
        stated = [item.expression for item in tags if item.expression]
        notice = read_notice(content)
        if notice is not None and notice.expression:
            stated.append(notice.expression)
        # A tag within a snippet block speaks of the snippet.
        if self.blocks:
            outside = _outside(text, self.blocks)
            stated = [item.expression for item in read_head(outside)[0] if item.expression] + stated[len(tags) :]
        self._head = _Said(frozenset(stated), all_words("\n".join(notices)))
        self._above: list[_Said] | None = None

    def of(self, attribution: Attribution, lines: Lines) -> tuple[Standing, str | None]:
        """How much of the passage's attribution stands for the source for which most does, and that one's licence."""
        best: tuple[Standing, str | None] = (Standing.NONE, None)
        around = [
            _Said(frozenset(block.licenses), all_words("\n".join(block.text)))
            for block in self.blocks
            if block.first <= lines[0] and lines[1] <= block.last
        ]
        if self._above is None:
            self._above = list(self._near.above(self._path))
        for source in attribution.sources:
            license = source.origin.license
            if license == NOASSERTION:
                continue
            for said in (*around, self._head, *self._above):
                standing = _standing(source, said)
                if said not in around and said is not self._head and standing is Standing.LICENSE:
                    standing = Standing.NONE  # the project's own licence says nothing of the passage
                if standing > best[0]:
                    best = standing, license
            if best[0] is Standing.WHOLE:
                break
        return best


def _outside(text: str, blocks: list[Block]) -> bytes:
    lines = text.split("\n")
    for block in blocks:
        lines[block.first - 1 : block.last] = [""] * (min(block.last, len(lines)) - block.first + 1)
    return "\n".join(lines).encode("utf-8", "surrogateescape")


def _standing(source: Source, said: _Said) -> Standing:
    if not any(_agrees(source.origin.license, license) for license in said.licenses):
        return Standing.NONE
    owners = [owner for owner in map(owner_of, source.origin.copyright) if owner]
    if not owners:
        owners = [words_of(name) for name in names_of(source)]
    return Standing.WHOLE if any(owner in said.words for owner in owners) else Standing.LICENSE


def names_of(source: Source) -> list[str]:
    """What the project of a source is called in a notice."""
    origin = source.origin
    bare = (origin.purl or "").partition("@")[0]
    return [name for name in (bare, bare.rpartition("/")[2], origin.repository or "") if name]


@lru_cache(maxsize=1 << 14)
def _agrees(license: str, said: str) -> bool:
    return license == said or not disagrees(license, (LicenseEvidence(EvidenceKind.SPDX_TAG, said, "", ""),))
