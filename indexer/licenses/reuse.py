"""What a project says of its files beside them, by the REUSE specification 3.3.

In: `REUSE.toml` files, `.license` files and `.reuse/dep5` of a source, with their paths. Out: for each path what they
declare, and what that makes of the tags and copyright lines in the file itself. This module refuses to know where the
files are kept.

The rules are those of the specification: a `.license` file stands for the head of the file it is named after. In a
`REUSE.toml` the last annotation that matches a path (`*` stops at a `/`, `**` does not, a backslash takes a sign
literally) applies; its `precedence` says how: `closest` fills in the licence or the copyright that the file lacks, the
nearest `REUSE.toml` first; `aggregate` adds to them; `override` replaces them and all that is said nearer to the file.
A `.reuse/dep5` aggregates. Nothing is lost: what was replaced stays as evidence of the weaker kind `file_header`, and
a `REUSE.toml` that cannot be read is evidence without a licence that says why.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any

from codecite.indexer.licenses import dep5
from codecite.indexer.licenses.expression import normalize
from codecite.indexer.licenses.head import read_head
from codecite.indexer.records import EvidenceKind, LicenseEvidence

TOML = "REUSE.toml"
FOLDER = ".reuse"
DEP5 = f"{FOLDER}/dep5"
_SIDECAR = ".license"
_LICENSE = "SPDX-License-Identifier"
_COPYRIGHT = "SPDX-FileCopyrightText"
_GLOB = re.compile(r"\\(.)|(\*\*+)|(\*)", re.DOTALL)


class Precedence(StrEnum):
    """How a declaration goes together with what the file itself says."""

    CLOSEST = "closest"
    AGGREGATE = "aggregate"
    OVERRIDE = "override"
    SIDECAR = "sidecar"


_REPLACE = (Precedence.OVERRIDE, Precedence.SIDECAR)
"""What is said so is said instead of what the file says."""


@dataclass(frozen=True, slots=True)
class Declared:
    """What is declared of one file: its licences as evidence, and its copyright lines."""

    precedence: Precedence
    evidence: tuple[LicenseEvidence, ...]
    copyright: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class _Annotation:
    pieces: tuple[str, ...]
    declared: Declared


@dataclass(frozen=True, slots=True)
class Annotations:
    """One `REUSE.toml` or `.reuse/dep5`: `folder` (with a `/`; empty for the root) is where it lies."""

    folder: str
    annotations: tuple[_Annotation, ...] = ()
    copyright: dep5.Copyright | None = None
    broken: LicenseEvidence | None = None

    def of(self, path: str) -> Declared | None:
        """What it declares of the file at `path`."""
        if not path.startswith(self.folder):
            return None
        if self.broken is not None:
            return Declared(Precedence.AGGREGATE, (self.broken,))
        inner = path[len(self.folder) :]
        if self.copyright is not None:
            stanza = self.copyright.of(inner)
            return Declared(Precedence.AGGREGATE, (stanza.evidence,), stanza.copyright) if stanza else None
        return next((item.declared for item in reversed(self.annotations) if _matches(item.pieces, inner)), None)


def is_declaration(path: str) -> bool:
    """Whether the file at `path` says something of others, by its name.

    >>> [is_declaration(path) for path in ("a/REUSE.toml", "a/logo.png.license", ".reuse/dep5", "a/.license")]
    [True, True, True, False]
    """
    name = path.rpartition("/")[2]
    return name == TOML or path == DEP5 or path.endswith(f"/{DEP5}") or (name.endswith(_SIDECAR) and name != _SIDECAR)


def sidecar_of(path: str) -> str:
    """The path of the file that would declare what holds for the one at `path`."""
    return path + _SIDECAR


def read_annotations(path: str, text: bytes) -> Annotations:
    """A `REUSE.toml` or a `.reuse/dep5`, which lies at `path`."""
    if path.endswith(DEP5):
        stated = dep5.parse(text.decode("utf-8", "replace"), path)
        return Annotations(path.removesuffix(DEP5), copyright=stated)
    folder = path.removesuffix(TOML)
    try:
        tables = tomllib.loads(text.decode("utf-8")).get("annotations", [])
        if not isinstance(tables, list) or not all(isinstance(table, dict) for table in tables):
            raise ValueError("'annotations' is no list of tables: write [[annotations]]")
        found = [_annotation(path, number, table) for number, table in enumerate(tables, 1)]
    except (ValueError, RecursionError) as error:
        said = f"not read: {error}"
        return Annotations(folder, broken=LicenseEvidence(EvidenceKind.SPDX_TAG, None, path, said))
    return Annotations(folder, tuple(item for items in found for item in items))


def read_sidecar(path: str, text: bytes) -> Declared:
    """A `.license` file, which lies at `path`."""
    tags, copyright = read_head(text)
    evidence = tuple(replace(item, where=f"{path}, {item.where}") for item in tags)
    return Declared(Precedence.SIDECAR, evidence, copyright)


class Declarations:
    """All declarations of a source, given by path with their texts; other files are passed over."""

    def __init__(self, texts: Mapping[str, bytes]) -> None:
        mine = {path: text for path, text in texts.items() if is_declaration(path)}
        self._sidecars = {path: text for path, text in mine.items() if path.endswith(_SIDECAR)}
        whole = [read_annotations(path, text) for path, text in mine.items() if path not in self._sidecars]
        self._annotations = sorted(whole, key=lambda item: len(item.folder))

    def of(self, path: str) -> tuple[Declared, ...]:
        """What is declared of the file at `path`, as `declared_of` gives it."""
        if not self._annotations and not self._sidecars:
            return ()
        beside = sidecar_of(path)
        text = self._sidecars.get(beside)
        return declared_of(path, self._annotations, None if text is None else read_sidecar(beside, text))


def declared_of(path: str, annotations: Iterable[Annotations], sidecar: Declared | None = None) -> tuple[Declared, ...]:
    """What holds for the file at `path`: its sidecar, or what overrides it; then what else `annotations` say.

    Those come from the root down; what they say is given nearest first.
    """
    found: list[Declared] = []
    for item in annotations:
        declared = item.of(path)
        if declared is None:
            continue
        if declared.precedence is Precedence.OVERRIDE:
            more = [one for one in reversed(found) if one.precedence is Precedence.AGGREGATE]
            return (declared, *more)
        found.append(declared)
    return (*(() if sidecar is None else (sidecar,)), *reversed(found))


def with_declared(
    declared: Sequence[Declared], evidence: tuple[LicenseEvidence, ...], copyright: tuple[str, ...]
) -> tuple[tuple[LicenseEvidence, ...], tuple[str, ...]]:
    """The tags and the copyright lines of a file, put together with what is declared of it."""
    if not declared:
        return evidence, copyright
    replaced, lines = evidence, copyright
    if declared[0].precedence in _REPLACE:
        replaced, lines = declared[0].evidence, declared[0].copyright
        declared = declared[1:]
        weaker = tuple(replace(item, kind=EvidenceKind.FILE_HEADER) for item in evidence)
    else:
        weaker = ()
    licensed, owned = bool(replaced), bool(lines)
    for item in declared:
        added = item.precedence is Precedence.AGGREGATE
        if added or not licensed:
            replaced += item.evidence
            licensed = licensed or (not added and bool(item.evidence))
        if added or not owned:
            lines += item.copyright
            owned = owned or (not added and bool(item.copyright))
    return replaced + weaker, tuple(dict.fromkeys(lines)) or copyright


def _annotation(path: str, number: int, table: Mapping[str, Any]) -> list[_Annotation]:
    """An annotation, once for each of its paths."""
    where = f"{path}, annotation {number}"
    precedence = table.get("precedence", Precedence.CLOSEST)
    if precedence not in tuple(Precedence)[:3]:
        raise ValueError(f"annotation {number}: precedence is {precedence!r}, not closest, aggregate or override")
    paths = _strings(table, "path", number)
    if not paths:
        raise ValueError(f"annotation {number} has no path")
    stated = _strings(table, _LICENSE, number)
    evidence = tuple(
        LicenseEvidence(EvidenceKind.SPDX_TAG, normalize(text), where, f"{_LICENSE}: {text}") for text in stated
    )
    lines = tuple(
        text if "opyright" in text or "\xa9" in text else f"{_COPYRIGHT}: {text}"
        for text in _strings(table, _COPYRIGHT, number)
    )
    declared = Declared(Precedence(precedence), evidence, lines)
    return [_Annotation(_pieces(pattern), declared) for pattern in paths]


def _strings(table: Mapping[str, Any], key: str, number: int) -> list[str]:
    value = table.get(key, [])
    values = [value] if isinstance(value, str) else value
    if not isinstance(values, list) or not all(isinstance(one, str) for one in values):
        raise ValueError(f"annotation {number}: {key} is neither a string nor a list of strings")
    return values


def _pieces(pattern: str) -> tuple[str, ...]:
    """A pattern as literal text (with `\\` before it) and wildcards (`*`, `**`), in their order."""
    pieces, text, at = [], "", 0
    for found in _GLOB.finditer(pattern):
        text += pattern[at : found.start()] + (found[1] or "")
        at = found.end()
        if found[1] is None:
            pieces += [f"\\{text}", "**" if found[2] else "*"]
            text = ""
    return (*pieces, f"\\{text}{pattern[at:]}")


def _matches(pieces: Sequence[str], path: str) -> bool:
    """Whether the pieces of a pattern match a path, in time linear in both.

    The places in the path that what was matched so far may end at are the bits of a number; each sign of the pattern
    moves them on, a carry spreads them over what is no `/`.
    """
    if not path.startswith(pieces[0][1:]):
        return False
    whole = (2 << len(path)) - 1
    places: dict[str, int] = {}
    for at, sign in enumerate(path):
        places[sign] = places.get(sign, 0) | 1 << at
    inner = whole >> 1 & ~places.get("/", 0)
    ends = 1
    for piece in pieces:
        if piece == "**":
            ends = whole & -(ends & -ends)
        elif piece == "*":
            ends |= (((ends & inner) + inner) ^ inner) & whole
        else:
            for sign in piece[1:]:
                ends = (ends & places.get(sign, 0)) << 1
        if not ends:
            return False
    return bool(ends >> len(path) & 1)
