"""A dataset in The Stack's schema, JSON Lines or parquet -> a Unit of one Unit for each row.

In: a path, and how the columns are named (`Columns`). Out: a Unit that gives, in the file's order, a Unit with one
file for each row, and a SourceError for each row that cannot be read. Nothing but the rows at hand is held. This
module refuses to know how either format is read.

What the columns mean:

- A repository of the form `owner/name` is one of GitHub's, where the datasets come from: it gives purl, repository
  and URL. Another name becomes a purl of type generic, another http URL stays one.
- All licenses of a list hold at once (AND), since it says what was detected, not what may be chosen. An empty list
  says nothing.
- The path loses its leading slash; a row without one is called by its digest, else `row-17`. The digest serves for
  nothing else: The Stack's is of the file before it was decoded, and an index computes its own of what it holds.
- A date may be ISO text, a timestamp, or a number of seconds, or milli-, micro- or nanoseconds, since 1970.
- The row's language is taken where Linguist knows it, else that of path and content.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import astuple, fields, replace
from datetime import UTC, date, datetime
from functools import lru_cache, partial
from pathlib import Path
from urllib.parse import quote

from xxhash import xxh3_64_hexdigest, xxh3_128

from codecite.indexer.corpus.files import absolute, look_into, printable
from codecite.indexer.corpus.jsonl import lines
from codecite.indexer.corpus.members import MAX_PATH, TOO_LONG
from codecite.indexer.corpus.parquet import records
from codecite.indexer.corpus.row import Row
from codecite.indexer.corpus.units import Columns, Item, Pending, Reading, Unit
from codecite.indexer.errors import ConfigError, SourceError
from codecite.indexer.licenses.expression import join, normalize
from codecite.indexer.records import EvidenceKind, LicenseEvidence, Package, Skipped, SkipReason, SourceFile

VERSION = 1
"""Of this reader; a file read by another version is read again."""

PRESETS = {
    "the-stack": Columns(),
    "the-stack-v2": Columns(
        repository="repo_name",
        revision="revision_id",
        path="path",
        licenses="detected_licenses",
        language="language",
        digest="blob_id",
        released="revision_date",
    ),
    "starcoderdata": Columns(revision="", licenses="", language="", digest=""),
}
"""The columns of known datasets. The Stack's hold for versions 1.0 to 1.2 and their deduplicated sets."""

GIVE_UP = 1000
"""So many more broken than good rows, and the rest of the file is not tried: it is no such dataset."""

PACKAGES = 4096
"""So many repositories are kept at hand; one that comes again later is only described again."""

_GITHUB = re.compile(r"(?:https://github\.com/)?([A-Za-z0-9][\w-]*)/(?!\.+$)([\w.-]+?)(?:\.git)?", re.ASCII)
_URL = re.compile(r"https?://[!-~]+")
_DATE = re.compile(r"(\d{4}-\d\d-\d\d)(?:[T ].*)?", re.ASCII | re.DOTALL)
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
_LINGUIST = {"c-sharp": "C#", "csharp": "C#", "f-sharp": "F#", "fsharp": "F#", "cpp": "C++"} | {
    name.lower(): name for name in ("JavaScript", "TypeScript", "CoffeeScript", "PowerShell", "OCaml", "TeX", "CMake")
}


def parse_columns(text: str) -> Columns:
    """The columns that a command line names: a preset, `key=column` pairs, or both (`the-stack-v2,content=text`).

    A key is a field of `Columns`; an empty column says that there is none. Raises ConfigError for anything else.
    """
    known = [field.name for field in fields(Columns)]
    mend = f"give one of {', '.join(PRESETS)}, or KEY=COLUMN of the keys {', '.join(known)}, with commas between"
    first, *rest = (part.strip() for part in text.split(","))
    if first in PRESETS:
        columns, pairs = PRESETS[first], rest
    else:
        columns, pairs = Columns(), [first, *rest]
    named: dict[str, str] = {}
    for pair in pairs:
        key, equals, column = (part.strip() for part in pair.partition("="))
        if not equals or key not in known or key in named:
            wrong = "named twice" if key in named else "not understood"
            raise ConfigError(f"--columns {text}: {pair or 'nothing'} is {wrong}; {mend}")
        named[key] = column
    if named.get("content") == "":
        raise ConfigError(f"--columns {text}: content must have a column; {mend}")
    return replace(columns, **named)


def rows(path: str, reading: Reading, source: str) -> Unit:
    """The Unit of a dataset. Its fingerprint is that of the bytes, of this reader's version and of the columns' names.

    Raises SourceError if the file cannot be read; its `files()` raises it if no row can be, if the file lacks the
    column with the texts, or if it changed since it was looked at.
    """
    path = absolute(path)
    digest, stamp = _digest(path)
    names = xxh3_64_hexdigest("\0".join(astuple(reading.columns)).encode("utf-8", "surrogateescape"))
    fingerprint = reading.mark(f"xxh3:{digest}+rows-{VERSION}:{names}")
    package = Package(source, url=Path(path).as_uri(), fingerprint=fingerprint)

    def files() -> Iterator[Item]:
        dataset = _Dataset(path, package, reading)
        balance = 0
        for row in _read(path, reading.columns):
            item = row if isinstance(row, SourceError) else dataset.unit(row)
            yield item
            balance += 1 if isinstance(item, SourceError) else -1
            if balance > GIVE_UP:
                yield SourceError(
                    f"{printable(path)}: given up, as {balance:,} more rows are broken than good; see whether "
                    "--columns names the right ones, or mend the file"
                )
                return
        if _stamp(path) != stamp:
            raise SourceError(f"{printable(path)}: changed while it was read; run the command again")

    return Unit(package, files, stamp[0], whole=False)


def _read(path: str, columns: Columns) -> Iterator[Row | SourceError]:
    try:
        with Path(path).open("rb") as stream:
            parquet = stream.read(3) == b"PAR" or path.lower().endswith(".parquet")
    except OSError as error:
        raise _unreadable(path, error) from error
    return records(path, columns) if parquet else lines(path, columns.content)


def _digest(path: str) -> tuple[str, tuple[int, ...]]:
    """The XXH3 of a file's bytes, 128 bits in hexadecimal digits, and its stamp."""
    digest = xxh3_128()
    try:
        stamp = _stamp(path)
        with Path(path).open("rb") as stream:
            while block := stream.read(1 << 20):
                digest.update(block)
    except (OSError, ValueError) as error:
        raise _unreadable(path, error) from error
    return digest.hexdigest(), stamp


def _stamp(path: str) -> tuple[int, ...]:
    """What changes when a file does: its size, time and place; zeros where there is none."""
    try:
        status = Path(path).stat()
    except OSError:
        return (0, 0, 0)
    return status.st_size, status.st_mtime_ns, status.st_ino


def _unreadable(path: str, error: OSError | ValueError) -> SourceError:
    reason = getattr(error, "strerror", None) or error
    return SourceError(f"{printable(path)}: cannot be read ({reason}); check the path")


class _WrongRow(Exception):
    """What is wrong with a row, and what mends it."""


class _Dataset:
    """What the rows of one file have in common."""

    def __init__(self, path: str, package: Package, reading: Reading) -> None:
        self._file = printable(path)
        self._columns = reading.columns
        self._reading = reading
        self._package = lru_cache(PACKAGES)(partial(_package, package, reading.columns.licenses))

    def unit(self, row: Row) -> Unit | SourceError:
        """The Unit of a row with its one file, or what is wrong with the row."""
        columns, values = self._columns, row.values
        try:
            content = _content(values, columns.content)
            package = self._package(
                _text(values, columns.repository),
                _text(values, columns.revision),
                _licenses(values, columns.licenses),
                _date(values, columns.released),
            )
            path = _text(values, columns.path).removeprefix("/")
            path = path or _text(values, columns.digest) or f"row-{row.number}"
            language = _text(values, columns.language)
        except _WrongRow as error:
            return SourceError(f"{self._file}: {row.place}: {error}")
        item = self._refused(path, len(content)) or Pending(path, len(content), partial(_look, path, content, language))
        return Unit(package, partial(iter, (item,)), len(content))

    def _refused(self, path: str, size: int) -> Skipped | None:
        """The Skipped for a file that is left out, too large, or whose path leads out of its repository."""
        reading = self._reading
        if len(path) > MAX_PATH:
            return Skipped(f"{_CONTROL.sub('?', path[:80])}...", SkipReason.BAD_PATH, TOO_LONG)
        folders = path.split("/")[:-1]
        if ".." in folders or path.startswith("/") or path.endswith(("/", "/..")) or _CONTROL.search(path):
            return Skipped(_CONTROL.sub("?", path), SkipReason.BAD_PATH, "no path inside a repository")
        above = ("/".join(folders[:depth]) + "/" for depth in range(1, len(folders) + 1))
        if any(map(reading.excluded, above)) or reading.excluded(path):
            return Skipped(path, SkipReason.EXCLUDED)
        if size > reading.max_file_bytes:
            return Skipped(path, SkipReason.TOO_LARGE, f"{size:,} bytes, the limit is {reading.max_file_bytes:,}")
        return None


def _look(path: str, content: bytes, language: str) -> SourceFile | Skipped:
    file = look_into(path, content)
    known = _linguist(language) if language else None
    return replace(file, language=known) if known and isinstance(file, SourceFile) else file


@lru_cache(1024)
def _linguist(name: str) -> str | None:
    """Linguist's name for a language, None where it knows none.

    >>> _linguist("C++"), _linguist("c-sharp"), _linguist("FORTRAN"), _linguist("common-lisp"), _linguist("Quenya")
    ('C++', 'C#', 'Fortran', 'Common Lisp', None)
    """
    import enry

    spaced = name.replace("-", " ")
    guesses = (name, _LINGUIST.get(name.lower(), ""), name.title(), name.capitalize(), name.upper(), spaced.title())
    return next((guess for guess in guesses if guess and enry.get_language_type(guess) != "unknown"), None)


def _package(
    file: Package, column: str, repository: str, revision: str, licenses: tuple[str, ...], released: str | None
) -> Package:
    """The Package of the rows of one repository at one revision, under the given licenses, in the given file."""
    purl = url = None
    version = f"@{quote(revision, safe='')}" if revision else ""
    github = _GITHUB.fullmatch(repository)
    if github:
        owner, name = github.groups()
        purl = f"pkg:github/{owner.lower()}/{name.lower()}{version}"
        repository = url = f"https://github.com/{owner}/{name}"
        if revision:
            url = f"{repository}/tree/{quote(revision, safe='')}"
    elif _URL.fullmatch(repository):
        url = repository
    elif repository:
        purl, repository = f"pkg:generic/{quote(repository, safe='')}{version}", ""
    evidence: tuple[LicenseEvidence, ...] = ()
    if licenses:
        stated = tuple(filter(None, map(normalize, licenses)))
        evidence = (LicenseEvidence(EvidenceKind.DATASET_FIELD, join(stated), column, ", ".join(licenses)),)
    return Package(
        file.source,
        purl=purl,
        repository=repository or None,
        revision=revision or None,
        released=released,
        url=url or file.url,
        evidence=evidence,
        container=file.fingerprint,
    )


def _content(values: Mapping[str, object], column: str) -> bytes:
    value = values.get(column)
    if type(value) is bytes:
        return value
    if type(value) is not str:
        if value is None:
            raise _WrongRow(f"no text in column {column}; give the row its text or leave it out")
        raise _wrong(column, value, "the text of a file")
    try:
        return value.encode()
    except UnicodeEncodeError as error:
        where = f"character {error.start + 1:,} of column {column}"
        raise _WrongRow(f"not UTF-8: half a surrogate pair at {where}; mend the row") from error


def _text(values: Mapping[str, object], column: str) -> str:
    """The text in a column, empty where there is none; what is not Unicode in it stands as `\\xff`."""
    value = values.get(column)
    return "" if value is None else _decoded(column, value, "a text")


def _decoded(column: str, value: object, expected: str) -> str:
    if type(value) is bytes:
        return value.decode("utf-8", "backslashreplace")
    if type(value) is not str:
        raise _wrong(column, value, expected)
    return value if value.isascii() else value.encode("utf-8", "backslashreplace").decode()


def _licenses(values: Mapping[str, object], column: str) -> tuple[str, ...]:
    value = values.get(column)
    if value is None:
        return ()
    found = value if type(value) is list else [value]
    return tuple(filter(None, [_decoded(column, item, "license names") for item in found if item is not None]))


def _date(values: Mapping[str, object], column: str) -> str | None:
    """The day (ISO) in a column, None where there is none."""
    value = values.get(column)
    if value is None or value in ("", b""):
        return None
    expected = "a date; write YYYY-MM-DD, or name no column by released="
    try:
        if type(value) is int or type(value) is float:
            exponent = 0 if abs(value) < 1e11 else 3 if abs(value) < 1e14 else 6 if abs(value) < 1e17 else 9
            return datetime.fromtimestamp(value / 10**exponent, UTC).date().isoformat()
        found = _DATE.fullmatch(_decoded(column, value, expected))
        if found:
            return date.fromisoformat(found[1]).isoformat()
    except (ValueError, OverflowError, OSError):
        pass
    raise _wrong(column, value, expected)


def _wrong(column: str, value: object, expected: str) -> _WrongRow:
    shown = repr(value)
    shown = shown if len(shown) <= 40 else f"{shown[:40]}..."
    return _WrongRow(f"column {column} holds {shown} ({type(value).__name__}), not {expected}; see --columns")
