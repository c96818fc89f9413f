"""Heads of Debian's source packages against their `copyright` files, and how Debian's packages are fetched.

In: the names of `licenses_pinned.py`, apt's own configuration. Out: lines of figures; paths of fetched packages. It
refuses to know where Debian's archive is: that stands in the machine's configuration.

What `copyright` says of a file is written by people, often for many files at once. So a difference is judged like any
other (`licenses_judge.py`): by whether the head says what is stated.
"""

from __future__ import annotations

import re
import subprocess
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import fetch
import licenses_pinned
import pinned
from licenses_heads import Judged, judge_head, table

from codecite.indexer.corpus.nearby import is_license_file
from codecite.indexer.corpus.sources import read_sources
from codecite.indexer.corpus.units import Item, Pending, Reading, Unit
from codecite.indexer.errors import SourceError
from codecite.indexer.records import EvidenceKind, Package, SourceFile

_CONFIGURED = Path("/etc/apt/sources.list.d")
_DEBIAN = "debian-archive-keyring"


def lines(examples: int, sources: tuple[str, ...] = licenses_pinned.SOURCES) -> list[str]:
    """Fetch the source packages, compare every head that holds a notice."""
    folder = fetch_sources(sources)
    heads: list[Judged] = []
    rows: list[str] = []
    own = 0
    for name in sources:
        found = next(iter(sorted(folder.glob(f"{name}_*.dsc"))), None)
        if found is None:
            rows.append(f"  {name}: not to be had")
            continue
        counts: Counter[str] = Counter()
        try:
            files = list(files_of(str(found)))
        except SourceError as error:
            rows.append(f"  {name}: {error}")
            continue
        for _, file in files:
            stated = next((e.expression for e in file.evidence if e.kind is EvidenceKind.DEP5), None)
            counts["files"] += 1
            if stated is None or file.path.startswith("debian/") or is_license_file(file.path):
                continue
            head = judge_head(f"{name}/{file.path}", file.content, stated)
            if head is None:
                continue
            if "Ref-" in stated:
                own += 1
                continue
            counts["heads"] += 1
            heads.append(head)
        rows.append(f"  {found.stem}: {counts['files']} files, {counts['heads']} heads with a notice")
    return [*rows, f"{own} more under a name of Debian's own, not compared", *table(heads, examples)]


def files_of(path: str) -> Iterator[tuple[Package, SourceFile]]:
    """The files of an archive, of archives in it too, with the package that each belongs to."""
    for unit in read_sources([path], installed=False, reading=Reading()):
        yield from _inside(unit)


def _inside(unit: Unit) -> Iterator[tuple[Package, SourceFile]]:
    for item in unit.files():
        yield from _read(unit.package, item)


def _read(package: Package, item: Item) -> Iterator[tuple[Package, SourceFile]]:
    if isinstance(item, Unit):
        yield from _inside(item)
        return
    read = item.load() if isinstance(item, Pending) else item
    if isinstance(read, SourceFile):
        yield package, read


def fetch_sources(names: tuple[str, ...]) -> Path:
    """Fetch those of the source packages that are missing; the folder in which they lie."""
    folder = pinned.cache() / "debian"
    folder.mkdir(parents=True, exist_ok=True)
    missing = [name for name in names if not any(folder.glob(f"{name}_*.dsc"))]
    if missing:
        options = _options(folder)
        subprocess.run(["apt-get", *options, "update"], check=True, capture_output=True)
        for name in missing:
            fetch.say(f"fetching {name}")
            command = ["apt-get", *options, "source", "--download-only", "--only-source", name]
            subprocess.run(command, cwd=folder, capture_output=True)
    return folder


def _options(folder: Path) -> list[str]:
    """Options that make apt see the sources of what it is configured for, with lists of its own."""
    configured = folder / "apt"
    for place in ("sources.d", "lists/partial", "cache/archives/partial"):
        (configured / place).mkdir(parents=True, exist_ok=True)
    for path in _CONFIGURED.glob("*.sources"):
        stanzas = [
            stanza for stanza in path.read_text("utf-8").split("\n\n") if _DEBIAN in stanza and "security" not in stanza
        ]
        text = re.sub(r"(?m)^Types:.*", "Types: deb-src", "\n\n".join(stanzas))
        (configured / "sources.d" / path.name).write_text(text + "\n", "utf-8")
    return [
        *("-o", "Dir::Etc::SourceList=/dev/null", "-o", f"Dir::Etc::SourceParts={configured / 'sources.d'}"),
        *("-o", f"Dir::State::Lists={configured / 'lists'}", "-o", f"Dir::Cache={configured / 'cache'}"),
    ]
