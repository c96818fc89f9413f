"""The tables of a Segment: Origins and Packages, as Arrow IPC streams.

In: columns. Out: sections that `pyarrow.ipc.open_stream` reads; from a section, columns without a copy. It refuses to
know how Origins are judged, and which of them are live.

`origins.arrow`, a row an Origin, in the order of the Documents: `document` (its number in this Segment; from the
number of Documents on, an entry of `foreign.npy`, a Document of another Segment), `package` (row of
`packages.arrow`), `path`, `license` (the effective expression), `evidence` (of the file and what is near it, JSON),
`copyright` (lines), `language`, `marks` (words), `project` (hash of the project's name), `rank` (in this Segment's
total order of sources), `key` (hash of all that an Origin consists of: it is stored once), `stamp` (hash of what
tells that the file is unchanged, 0 for none).
`packages.arrow`: the fields of `records.Package`, `project` as text, evidence as JSON, `complete` (of a Package that
was read to its end: how many Origins the index then held under its fingerprint).
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from pyarrow import ipc

from codecite.indexer.errors import IndexCorruptError
from codecite.indexer.kernels.types import Array, Ints
from codecite.indexer.records import EvidenceKind, LicenseEvidence, Package
from codecite.indexer.store.section import Section, SectionWriter

ORIGIN_NUMBERS = {
    "document": np.uint32,
    "package": np.uint32,
    "project": np.uint64,
    "rank": np.uint32,
    "key": np.uint64,
    "stamp": np.uint64,
}
ORIGIN_POOLS = ("license", "evidence", "copyright", "language", "marks")
PACKAGE_TEXTS = ("source", "purl", "repository", "revision", "released", "url", "fingerprint", "container")

Pooled = tuple[Array, Sequence[str]]
"""A column of few distinct texts: the number of each row's, and the texts."""


def write_origins(path: Path, numbers: Mapping[str, Array], paths: pa.Array, pools: Mapping[str, Pooled]) -> None:
    """Write the table of Origins, whose columns are all of one length."""
    columns: dict[str, Any] = {name: pa.array(numbers[name].astype(kind)) for name, kind in ORIGIN_NUMBERS.items()}
    columns["path"] = paths
    for name in ORIGIN_POOLS:
        indices, texts = pools[name]
        columns[name] = pa.DictionaryArray.from_arrays(
            pa.array(indices.astype(np.int32)), pa.array([utf8(text) for text in texts], pa.large_string())
        )
    _write(path, pa.table(columns))


def write_packages(path: Path, columns: Mapping[str, pa.Array]) -> None:
    """Write the table of Packages."""
    _write(path, pa.table(dict(columns)))


def package_columns(
    packages: Sequence[Package], projects: Iterable[str], complete: Iterable[int | None]
) -> dict[str, pa.Array]:
    """The columns of the table of Packages."""
    text = pa.large_string()
    columns = {name: pa.array([utf8(getattr(row, name)) for row in packages], text) for name in PACKAGE_TEXTS}
    columns["evidence"] = pa.array([evidence_to_json(row.evidence) for row in packages], text)
    columns["project"] = pa.array([utf8(name) for name in projects], text)
    columns["complete"] = pa.array(list(complete), pa.int64())
    return columns


def utf8(text: str | None) -> str | None:
    """The text, with what is not Unicode (a byte of a name that was not UTF-8) as a backslash escape."""
    return None if text is None else text.encode("utf-8", "backslashreplace").decode()


def _write(path: Path, table: pa.Table) -> None:
    with SectionWriter(path) as section, ipc.new_stream(pa.PythonFile(section, "w"), table.schema) as stream:
        stream.write_table(table.combine_chunks())


def read_table(path: Path) -> dict[str, pa.Array]:
    """The columns of a table section, mapped."""
    section = Section(path)
    section.check()
    try:
        table = ipc.open_stream(pa.py_buffer(section.payload)).read_all()
        return {name: table.column(name).combine_chunks() for name in table.column_names}
    except (pa.ArrowException, OSError) as error:
        raise IndexCorruptError(f"{path}: is not the table it should be ({error}); build the index again") from None


def numbers_of(column: pa.Array) -> Array:
    """A numeric column as a NumPy array, without a copy."""
    return column.to_numpy(zero_copy_only=True)  # type: ignore[no-any-return]


class Strings:
    """A text column, decoded a row at a time."""

    def __init__(self, column: pa.Array) -> None:
        _, offsets, data = column.buffers()
        rows = len(column)
        self._offsets: Ints = np.frombuffer(offsets, np.int64)[column.offset : column.offset + rows + 1]
        self._data = memoryview(data) if data is not None else memoryview(b"")

    def __getitem__(self, row: int) -> str:
        return str(self._data[self._offsets[row] : self._offsets[row + 1]], "utf-8")

    def __len__(self) -> int:
        return len(self._offsets) - 1


def evidence_to_json(evidence: Sequence[LicenseEvidence]) -> str:
    """The JSON list in which evidence is stored."""
    rows = ([str(item.kind), item.expression, item.where, item.text, item.copyright] for item in evidence)
    return json.dumps([row if row[-1] else row[:-1] for row in rows])


def evidence_from_json(text: str) -> tuple[LicenseEvidence, ...]:
    """The evidence of a stored JSON list."""
    return tuple(
        LicenseEvidence(EvidenceKind(kind), expression, where, said, tuple(*copyright))
        for kind, expression, where, said, *copyright in json.loads(text)
    )


def package_of(columns: Mapping[str, pa.Array], row: int) -> Package:
    """One row of the table of Packages."""
    values = {name: columns[name][row].as_py() for name in PACKAGE_TEXTS}
    return Package(**values, evidence=evidence_from_json(columns["evidence"][row].as_py()))
