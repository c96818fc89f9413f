"""The ledger: what this service itself generated.

In: completions with their Reports. Out: records that are there after any kill, and an ordinary index of those whose
text was kept, so that a check says of a text that a model wrote it here, when, and after which prompt (by its hash).
It refuses to know how models write.

A ledger is a directory:

    ledger.sqlite    the log (SQLite, WAL; a commit is on the disk before `record` returns); many processes may append
    index/           what `compact` made of the records with text: an index in which every Origin is a record

Of a record without text only the fingerprints are kept, those that a Document is indexed by: a text that shares a
passage of T bytes with what was generated shares one of them, but that it does cannot be verified, so `match` counts
them and `check` does not know of such records.

`compact` and `forget` may be killed anywhere and run again. What is forgotten is erased: from the log (secure_delete,
the WAL cut off), and from the index.
"""

from __future__ import annotations

import hashlib
import json
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any
from uuid import uuid4

import numpy as np

from codecite.indexer.errors import IndexCorruptError, IndexMissingError, IndexVersionError, IndexWriteError
from codecite.indexer.kernels.types import Words
from codecite.indexer.records import Match, Package, Report, Skipped, Source, SourceFile

LOG = "ledger.sqlite"
INDEX = "index"
SOURCE = "ledger"
"""The source of all Packages of a ledger's index."""

_VERSION = 1
_SCHEMA = """
CREATE TABLE IF NOT EXISTS record (
    number INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT NOT NULL UNIQUE, time TEXT NOT NULL, model TEXT NOT NULL,
    outcome TEXT NOT NULL, licenses TEXT NOT NULL, prompt_sha256 TEXT NOT NULL, text_sha256 TEXT NOT NULL,
    text BLOB, indexed INTEGER NOT NULL DEFAULT 0
);
CREATE INDEX IF NOT EXISTS record_text ON record (text_sha256);
CREATE TABLE IF NOT EXISTS fingerprint (
    hash INTEGER NOT NULL, number INTEGER NOT NULL REFERENCES record (number) ON DELETE CASCADE,
    PRIMARY KEY (hash, number)
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS fingerprint_record ON fingerprint (number);
"""
_FIELDS = "id, time, model, outcome, licenses, prompt_sha256, text_sha256"
_BATCH = 500


@dataclass(frozen=True, slots=True)
class Record:
    """One generation: when (ISO, UTC), by which model, with which verdict, under which licences passages of it stand.

    Hashes are SHA-256 of the UTF-8 bytes.
    """

    id: str
    time: str
    model: str
    outcome: str
    licenses: tuple[str, ...]
    prompt_sha256: str
    text_sha256: str

    def to_dict(self) -> dict[str, Any]:
        """As it stands in a Report, under a source's `record`."""
        return {
            "id": self.id,
            "time": self.time,
            "model": self.model,
            "outcome": self.outcome,
            "licenses": list(self.licenses),
            "prompt_sha256": self.prompt_sha256,
            "text_sha256": self.text_sha256,
        }


def is_ledger(directory: Path) -> bool:
    """Whether a directory is a ledger."""
    return (directory / LOG).is_file()


class Ledger:
    """A ledger, opened; made if there is none, unless it is only to be read. One thread at a time may use it."""

    def __init__(self, directory: str | Path, *, reading: bool = False) -> None:
        self._directory = Path(directory)
        self._path = self._directory / LOG
        if reading and not self._path.is_file():
            raise IndexMissingError(f"{directory}: there is no ledger here; 'codecite generate --ledger' makes one")
        try:
            self._directory.mkdir(parents=True, exist_ok=True)
            self._log = sqlite3.connect(self._path, timeout=60.0, isolation_level=None, check_same_thread=False)
            self._prepare()
        except (OSError, sqlite3.OperationalError) as error:
            raise IndexWriteError(f"{self._path}: cannot be opened ({error}); check its permissions") from None
        except sqlite3.DatabaseError as error:
            raise IndexCorruptError(f"{self._path}: is no ledger ({error}); restore it from a copy") from None

    def _prepare(self) -> None:
        (version,) = self._log.execute("PRAGMA user_version").fetchone()
        if version not in (0, _VERSION):
            raise IndexVersionError(f"{self._path}: is of version {version}, this codecite reads {_VERSION}")
        for pragma in ("journal_mode=WAL", "synchronous=FULL", "secure_delete=ON", "foreign_keys=ON"):
            self._log.execute(f"PRAGMA {pragma}")
        if not version:
            self._log.executescript(_SCHEMA)
            self._log.execute(f"PRAGMA user_version={_VERSION}")

    def close(self) -> None:
        """Close the log."""
        self._log.close()

    def record(self, text: str, *, prompt: str, model: str, report: Report, keep_text: bool = True) -> Record:
        """Append a generation; it is on the disk when this returns. Raises IndexWriteError."""
        raw = text.encode("utf-8", "surrogateescape")
        made = Record(
            id=uuid4().hex,
            time=datetime.now(UTC).isoformat(timespec="seconds"),
            model=model,
            outcome=str(report.verdict.outcome),
            licenses=tuple(sorted({name for item in report.attributions for name in item.match.counts.licenses})),
            prompt_sha256=hashlib.sha256(prompt.encode("utf-8", "surrogateescape")).hexdigest(),
            text_sha256=hashlib.sha256(raw).hexdigest(),
        )
        with self._writing():
            row = (*made.to_dict().values(), raw if keep_text else None)
            row = tuple(json.dumps(value) if isinstance(value, list) else value for value in row)
            number = self._log.execute(
                f"INSERT INTO record ({_FIELDS}, text) VALUES (?, ?, ?, ?, ?, ?, ?, ?)", row
            ).lastrowid
            hashes = np.unique(_fingerprints(raw)).view(np.int64).tolist()
            self._log.executemany("INSERT INTO fingerprint VALUES (?, ?)", ((item, number) for item in hashes))
        return made

    def records(self, ids: Sequence[str] | None = None) -> Iterator[Record]:
        """All records, oldest first; or those with some ids."""
        if ids is None:
            yield from (_record(row) for row in self._log.execute(f"SELECT {_FIELDS} FROM record ORDER BY number"))
            return
        for at in range(0, len(ids), _BATCH):
            some = ids[at : at + _BATCH]
            marks = ", ".join("?" * len(some))
            query = f"SELECT {_FIELDS} FROM record WHERE id IN ({marks}) ORDER BY number"
            yield from (_record(row) for row in self._log.execute(query, some))

    def match(self, text: str | bytes) -> list[tuple[Record, int]]:
        """The records that share fingerprints with a text, and how many; most first.

        Every record that shares a passage of T bytes is among them, and what shares a k-gram by chance may be.
        """
        from codecite.indexer.lookup.exact import query_hashes

        found: dict[int, int] = {}
        hashes = np.unique(query_hashes(text)).view(np.int64).tolist()
        for at in range(0, len(hashes), _BATCH):
            some = hashes[at : at + _BATCH]
            marks = ", ".join("?" * len(some))
            query = f"SELECT number, count(*) FROM fingerprint WHERE hash IN ({marks}) GROUP BY number"
            for number, count in self._log.execute(query, some):
                found[number] = found.get(number, 0) + count
        ranked = sorted(found.items(), key=lambda item: (-item[1], item[0]))
        rows = (self._log.execute(f"SELECT {_FIELDS} FROM record WHERE number = ?", (item,)) for item, _ in ranked)
        return [(_record(row.fetchone()), count) for row, (_, count) in zip(rows, ranked, strict=True)]

    def compact(self) -> int:
        """Bring the texts that are not in the index yet into it; how many. Raises as `build.add` does."""
        from codecite.indexer.build import add
        from codecite.indexer.corpus.units import Unit

        waiting = self._log.execute("SELECT number FROM record WHERE text IS NOT NULL AND NOT indexed").fetchall()
        numbers = [number for (number,) in waiting]
        if not numbers:
            return 0

        def units() -> Iterator[Unit]:
            query = f"SELECT {_FIELDS}, text FROM record WHERE number = ?"
            for number in numbers:
                row = self._log.execute(query, (number,)).fetchone()
                if row is not None:
                    yield Unit(_package(_record(row[:-1])), partial(_files, row[0], row[-1]))

        add(self._directory / INDEX, units(), generated=True)
        with self._writing():
            self._log.executemany("UPDATE record SET indexed = 1 WHERE number = ?", waiting)
        return len(numbers)

    def forget(self, *, ids: Sequence[str] = (), before: datetime | None = None) -> int:
        """Erase records: those with some ids, and those made before a moment; how many.

        First from the index, then from the log, so that what a kill leaves half-done is found again.
        """
        gone = {record.id for record in self.records(list(ids))}
        if before is not None:
            moment = before.astimezone(UTC).isoformat(timespec="seconds")
            gone |= {row[0] for row in self._log.execute("SELECT id FROM record WHERE time < ?", (moment,))}
        if not gone:
            return 0
        index = self._directory / INDEX
        if index.is_dir():
            from codecite.indexer.upkeep import compact, remove_packages

            remove_packages(index, lambda package: package.source == SOURCE and package.revision in gone)
            compact(index)
        with self._writing():
            self._log.executemany("DELETE FROM record WHERE id = ?", ((item,) for item in sorted(gone)))
        self._log.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        return len(gone)

    @contextmanager
    def _writing(self) -> Iterator[None]:
        """One transaction, that is on the disk at its end or not at all."""
        try:
            self._log.execute("BEGIN IMMEDIATE")
            yield
            self._log.execute("COMMIT")
        except sqlite3.Error as error:
            if self._log.in_transaction:
                self._log.execute("ROLLBACK")
            raise IndexWriteError(f"{self._path}: cannot be written to ({error})") from None


def index_of_ledger(directory: Path) -> Path:
    """The directory of a ledger's index; any other directory is its own."""
    return directory / INDEX if is_ledger(directory) else directory


Found = list[tuple[Match, tuple[Source, ...]]]


def with_records(directory: Path, matches: Found) -> Found:
    """Matches of a ledger's index in a directory, each source with its record, where the log lies beside the index."""
    ids = {source.origin.revision for _, sources in matches for source in sources if source.origin.revision}
    if not ids or not is_ledger(directory.parent):
        return matches
    with closing(Ledger(directory.parent, reading=True)) as ledger:
        records = {record.id: record.to_dict() for record in ledger.records(sorted(ids))}
    return [
        (match, tuple(replace(source, record=records.get(source.origin.revision or "")) for source in sources))
        for match, sources in matches
    ]


def _fingerprints(raw: bytes) -> Words:
    from codecite.indexer.fingerprint.batch import fingerprint_batch

    data = np.frombuffer(raw, np.uint8)
    return (
        fingerprint_batch(data, np.array([len(data)], np.int64)).exact.hashes if len(data) else np.empty(0, np.uint64)
    )


def _record(row: Sequence[Any]) -> Record:
    name, time, model, outcome, licenses, prompt, text = row
    return Record(name, time, model, outcome, tuple(json.loads(licenses)), prompt, text)


def _package(record: Record) -> Package:
    return Package(
        source=SOURCE,
        revision=record.id,
        released=record.time[:10],
        url=f"{SOURCE}:{record.id}",
        fingerprint=f"{SOURCE}:{record.id}",
    )


def _files(name: str, text: bytes) -> Iterator[SourceFile | Skipped]:
    from codecite.indexer.corpus.files import look_into

    yield look_into(f"{name}.txt", text)
