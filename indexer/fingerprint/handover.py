"""Fingerprints of a file that leave its text behind: what is handed over where code may not go.

In: the bytes of a file and its path, or lines of a fingerprint file. Out: a Fingerprinted, or these lines. It refuses
to know of indexes and of what is found there. `docs/fingerprints.md` has the format and what it gives away.

The fingerprints are those of the query side (`kernels/winnow.py`): whatever an index holds of a passage of T bytes that
the file shares with it has a fingerprint among these, so no such passage is missed for want of the text.
"""

from __future__ import annotations

import gzip
import hashlib
import json
import re
import zlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from codecite.indexer.config import GUARANTEE, KGRAM, WINDOW
from codecite.indexer.errors import TextError
from codecite.indexer.kernels.canonical import canonicalize, locate
from codecite.indexer.kernels.query import analyze
from codecite.indexer.kernels.types import Ints, Words
from codecite.indexer.kernels.winnow import CHUNK

SCHEMA = "codecite-fingerprints/1"
CONFIG = {"kgram": KGRAM, "window": WINDOW, "hash": "polynomial-64"}
"""How fingerprints are made; those made otherwise say nothing to an index of this version."""
_SWHID = re.compile(r"swh:1:cnt:[0-9a-f]{40}")
_DIGITS = re.compile(r"(?:[0-9a-f]{16})*")
_MOST = 2**31


@dataclass(frozen=True, slots=True, eq=False)
class Fingerprinted:
    """A file without its text.

    `size` counts its bytes, `canonical` those that are no white space, `lines` its lines. Of each fingerprint `hashes`
    has the hash, `positions` the canonical byte at which its k-gram begins (ascending), `at_lines` the line there.
    """

    path: str
    swhid: str
    size: int
    canonical: int
    lines: int
    hashes: Words
    positions: Ints
    at_lines: Ints

    def to_dict(self) -> dict[str, Any]:
        """Its line of a fingerprint file; the hashes are 16 hexadecimal digits each, one after the other."""
        return {
            "path": self.path,
            "swhid": self.swhid,
            "bytes": self.size,
            "canonical_bytes": self.canonical,
            "lines": self.lines,
            "hashes": self.hashes.astype(">u8").tobytes().hex(),
            "positions": self.positions.tolist(),
            "at_lines": self.at_lines.tolist(),
        }


def fingerprinted(path: str, content: bytes) -> Fingerprinted:
    """The fingerprints of a file."""
    digest = hashlib.sha1(b"blob %d\0" % len(content), usedforsecurity=False)
    digest.update(content)
    raw = np.frombuffer(content, np.uint8)
    room = np.empty(len(raw), np.uint8)
    canonical = room[: canonicalize(raw, room)]
    hashes, positions = _selected(canonical) if len(canonical) >= GUARANTEE else (np.empty(0, np.uint64), _NONE)
    offsets, lines = np.empty((2, len(positions)), np.int64)
    locate(raw, positions, offsets, lines)
    count = content.count(b"\n") + bool(content and not content.endswith(b"\n"))
    swhid = f"swh:1:cnt:{digest.hexdigest()}"
    return Fingerprinted(path, swhid, len(content), len(canonical), count, hashes, positions, lines)


_NONE: Ints = np.empty(0, np.int64)


def _selected(canonical: Any) -> tuple[Words, Ints]:
    """The hashes and the positions of a text's fingerprints."""
    room = len(canonical) - KGRAM + 2
    positions, windows, begins = (np.empty(room, np.int64) for _ in range(3))
    hashes = np.empty(room, np.uint64)
    minima, _ = analyze(
        canonical, positions, hashes, windows, begins, np.empty(CHUNK + WINDOW, np.uint64), np.empty((3, 16), np.int64)
    )
    count = int(begins[minima])
    return np.repeat(hashes[:minima], np.diff(begins[: minima + 1])), positions[:count].copy()


def header() -> dict[str, Any]:
    """The first line of a fingerprint file."""
    return {"schema": SCHEMA, "config": CONFIG}


def from_dict(form: Mapping[str, Any], where: str) -> Fingerprinted:
    """A Fingerprinted from its line. Raises TextError, which begins with `where`, and names the field."""
    try:
        path, swhid, hashes = form["path"], form["swhid"], form["hashes"]
        numbers = [form[name] for name in ("bytes", "canonical_bytes", "lines")]
        positions, lines = form["positions"], form["at_lines"]
    except (KeyError, TypeError) as error:
        raise TextError(f"{where}: lacks {error}; see docs/fingerprints.md") from None

    def refuse(field: str, what: str) -> TextError:
        return TextError(f"{where}: {field}: {what}; write it anew with 'codecite fingerprint'")

    if not isinstance(path, str):
        raise refuse("path", "is to be text")
    if not isinstance(swhid, str) or not _SWHID.fullmatch(swhid):
        raise refuse("swhid", "is no SWHID of a content")
    if not isinstance(hashes, str) or not _DIGITS.fullmatch(hashes):
        raise refuse("hashes", "is to have 16 hexadecimal digits a hash")
    if not all(type(number) is int and 0 <= number < _MOST for number in numbers):
        raise refuse("bytes, canonical_bytes, lines", "are to be whole numbers")
    size, canonical, count = numbers
    found = []
    for name, values in (("positions", positions), ("at_lines", lines)):
        if not isinstance(values, list) or not all(type(value) is int and 0 <= value < _MOST for value in values):
            raise refuse(name, "is to be a list of whole numbers")
        if len(values) != len(hashes) // 16:
            raise refuse(name, f"has {len(values)} numbers for {len(hashes) // 16} hashes")
        found.append(np.array(values, np.int64))
    places, at_lines = found
    if len(places) and (bool((np.diff(places) <= 0).any()) or int(places[-1]) + KGRAM > canonical):
        raise refuse("positions", f"are to ascend, and to leave {KGRAM} of the {canonical} canonical bytes")
    if len(places) and (bool((np.diff(at_lines) < 0).any()) or not 1 <= int(at_lines[0]) <= int(at_lines[-1]) <= count):
        raise refuse("at_lines", f"are to ascend from 1 to {count}")
    words: Words = np.frombuffer(bytes.fromhex(hashes), ">u8").astype(np.uint64)
    return Fingerprinted(path, swhid, size, canonical, count, words, places, at_lines)


def check_header(form: object, where: str) -> None:
    """Raise TextError for what is not the first line of a fingerprint file that this version reads."""
    if not isinstance(form, dict) or form.get("schema") != SCHEMA:
        raise TextError(f"{where}: is no {SCHEMA}; write one with 'codecite fingerprint'")
    if form.get("config") != CONFIG:
        raise TextError(f"{where}: the fingerprints were made with {form.get('config')}, this version reads {CONFIG}")


def lines_of(files: Iterable[Fingerprinted]) -> Iterator[str]:
    """The lines of a fingerprint file, without their ends."""
    yield json.dumps(header(), separators=(",", ":"))
    for file in files:
        yield json.dumps(file.to_dict(), separators=(",", ":"))


def read_fingerprints(place: Path) -> list[Fingerprinted]:
    """The files in a fingerprint file, also in one that was compressed with gzip.

    Raises TextError that names the line, OSError where it cannot be read.
    """
    content = place.read_bytes()
    if content[:2] == b"\x1f\x8b":
        try:
            content = gzip.decompress(content)
        except (EOFError, OSError, zlib.error) as error:
            raise TextError(f"{place}: is no whole gzip file ({error}); hand it over again") from None
    found = []
    for number, line in enumerate(content.split(b"\n"), start=1):
        where = f"{place}: line {number}"
        if number > 1 and not line:
            continue
        try:
            form = json.loads(line)
        except ValueError as error:
            raise TextError(f"{where}: is no JSON ({error}); write one with 'codecite fingerprint'") from None
        if number == 1:
            check_header(form, where)
        else:
            found.append(from_dict(form, where))
    return found
