"""A parquet file -> its rows.

In: a path and the names of the columns. Out: a Row for each row, a SourceError for each that cannot be read, in the
file's order. Row groups are read one after the other, each in batches of about 4 MiB of text and of these columns
alone, so that memory holds one batch however large a row group is. Of a damaged row group come the rows before the
break, then the error that names it; the next group goes on. This module refuses to know what the columns mean.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import astuple
from typing import Any

from codecite.indexer.corpus.files import printable
from codecite.indexer.corpus.row import Row, without_content
from codecite.indexer.corpus.units import Columns
from codecite.indexer.errors import SourceError

BATCH_BYTES = 4 << 20
BATCH_ROWS = 256

_BUFFER = 1 << 20
_AGAIN = "download or write the file again"


def records(path: str, columns: Columns) -> Iterator[Row | SourceError]:
    """The rows of a file, with those of the columns that it has.

    A text of a column of strings that is not UTF-8 is an error of its row; in a column of bytes it is any bytes.
    Raises SourceError if the file is not complete, or if no column of text holds the content.
    """
    from pyarrow.parquet import ParquetFile

    name = printable(path)
    try:
        file = ParquetFile(path, buffer_size=_BUFFER, page_checksum_verification=True)
        schema, groups = file.schema_arrow, [file.metadata.row_group(i) for i in range(file.num_row_groups)]
    except Exception as error:  # Arrow raises errors of many kinds on files that are not what they say.
        raise SourceError(f"{name}: not a complete parquet file ({_line(error)}); {_AGAIN}") from error
    with file:
        if columns.content not in schema.names:
            raise without_content(name, columns.content, schema.names)
        kind = schema.field(schema.names.index(columns.content)).type
        if not _is_text(kind):
            raise SourceError(
                f"{name}: column {columns.content} holds {kind}, not text; name the column that holds the text of "
                "each file, as in --columns content=NAME"
            )
        wanted = [column for column in dict.fromkeys(astuple(columns)) if column in schema.names]
        before = 0
        for number, group in enumerate(groups):
            yield from _group(name, file, number, group, before, wanted)
            before += group.num_rows


def _group(
    name: str, file: Any, number: int, group: Any, before: int, wanted: list[str]
) -> Iterator[Row | SourceError]:
    """The rows of one row group, of which `before` rows of the file precede the first."""
    place = f"row group {number + 1}"
    done = before
    try:
        batches = file.iter_batches(_batch_rows(group), [number], wanted, use_threads=False)
        for batch in batches:
            broken = _not_utf8(batch, wanted[0])
            lists = [_values(batch, column) for column in wanted]
            for index, values in enumerate(zip(*lists, strict=True)):
                done += 1
                where = f"row {done} ({place})"
                if index in broken:
                    yield SourceError(
                        f"{name}: {where}: not UTF-8 at byte {broken[index]:,} of column {wanted[0]}; mend the row, or "
                        "store the column as bytes"
                    )
                else:
                    yield Row(done, where, dict(zip(wanted, values, strict=True)))
        if done - before != group.num_rows:
            raise ValueError(f"{done - before:,} of {group.num_rows:,} rows")
    except Exception as error:  # noqa: BLE001 - see above; nothing that a row is made into runs within
        place += f" (rows {before + 1:,} to {before + group.num_rows:,})"
        yield SourceError(f"{name}: {place} is damaged after row {done:,} ({_line(error)}); {_AGAIN}")


def _batch_rows(group: Any) -> int:
    """How many rows of the group hold about BATCH_BYTES.

    All columns are counted: to ask for one of damaged metadata would end the process (an exception of Arrow's that its
    Python does not catch).
    """
    return int(min(max(BATCH_BYTES * group.num_rows // max(group.total_byte_size, 1), 1), BATCH_ROWS))


def _is_text(kind: Any) -> bool:
    import pyarrow.types as types

    if types.is_dictionary(kind):
        kind = kind.value_type
    return bool(_is_string(kind) or types.is_binary(kind) or types.is_large_binary(kind) or types.is_null(kind))


def _is_string(kind: Any) -> bool:
    import pyarrow.types as types

    return bool(types.is_string(kind) or types.is_large_string(kind) or types.is_string_view(kind))


def _column(batch: Any, column: str) -> Any:
    import pyarrow.types as types

    array = batch.column(batch.schema.names.index(column))
    return array.dictionary_decode() if types.is_dictionary(array.type) else array


def _values(batch: Any, column: str) -> list[Any]:
    """The values of a column as Python's; texts as bytes, since Arrow promises UTF-8 without having looked."""
    import pyarrow as pa
    import pyarrow.types as types

    array = _column(batch, column)
    if _is_string(array.type):
        array = array.cast(pa.large_binary() if types.is_large_string(array.type) else pa.binary())
    elif types.is_list(array.type) and _is_string(array.type.value_type):
        array = array.cast(pa.list_(pa.binary()))
    elif types.is_temporal(array.type):
        array = array.cast(pa.string())
    values: list[Any] = array.to_pylist()
    return values


def _not_utf8(batch: Any, column: str) -> dict[int, int]:
    """The rows of a batch whose text is not UTF-8, and at which byte."""
    from pyarrow import ArrowInvalid

    array = _column(batch, column)
    try:
        array.validate(full=True)
    except ArrowInvalid:
        broken = {}
        for index, value in enumerate(_values(batch, column)):
            try:
                (value or b"").decode()
            except UnicodeDecodeError as error:
                broken[index] = error.start
        return broken
    return {}


def _line(error: Exception) -> str:
    """The first line of an error's message, or its kind."""
    return next(iter(str(error).splitlines()), "") or type(error).__name__
