"""Parquet gives its rows batch by batch, and names what it lacks or what is damaged."""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from codecite.indexer.corpus.parquet import records
from codecite.indexer.corpus.row import Row
from codecite.indexer.corpus.units import Columns
from codecite.indexer.errors import SourceError

TEXTS = [path.read_text("utf-8") for path in sorted(Path(json.__file__).parent.glob("*.py"))]
"""Real files: Python's json package."""


def written(folder: Path, columns: dict[str, Any], **options: Any) -> Path:
    """A parquet file of these columns."""
    pq.write_table(pa.table(columns), folder / "a.parquet", **options)
    return folder / "a.parquet"


def read(path: Path) -> list[Row | SourceError]:
    """What the file gives."""
    return list(records(os.fspath(path), Columns()))


def test_rows_come_in_order_with_their_places(tmp_path: Path) -> None:
    """Row and row group, each from 1, and of the columns those that have a meaning."""
    path = written(tmp_path, {"size": range(10), "content": TEXTS * 2}, row_group_size=4)
    found = read(path)
    assert [row.values for row in found if isinstance(row, Row)] == [{"content": text.encode()} for text in TEXTS * 2]
    assert [(row.number, row.place) for row in found if isinstance(row, Row)][3:5] == [
        (4, "row 4 (row group 1)"),
        (5, "row 5 (row group 2)"),
    ]


@pytest.mark.parametrize(
    "kind",
    [
        pa.string(),
        pa.large_string(),
        pa.string_view(),
        pa.binary(),
        pa.large_binary(),
        pa.dictionary("int32", "string"),
    ],
    ids=str,
)
def test_texts_may_be_of_any_kind_of_string_or_bytes(tmp_path: Path, kind: pa.DataType) -> None:
    """They come as bytes, and nothing as None."""
    path = written(tmp_path, {"content": pa.array([*TEXTS, None]).cast(kind)})
    assert [row.values["content"] for row in read(path) if isinstance(row, Row)] == [
        *(text.encode() for text in TEXTS),
        None,
    ]


def test_a_text_that_is_not_utf8_is_named_unless_the_column_holds_bytes(tmp_path: Path) -> None:
    """Arrow itself would hand it over without a look."""
    values = pa.array([b"good", b"caf\xe9", b"good"])
    path = written(tmp_path, {"content": pa.StringArray.from_buffers(3, values.buffers()[1], values.buffers()[2])})
    first, wrong, last = read(path)
    place = f"{path}: row 2 (row group 1): not UTF-8 at byte 3 of column content"
    assert str(wrong) == f"{place}; mend the row, or store the column as bytes"
    assert [row.values["content"] for row in (first, last) if isinstance(row, Row)] == [b"good", b"good"]
    assert [row.values["content"] for row in read(written(tmp_path, {"content": values})) if isinstance(row, Row)] == [
        *(b"good", b"caf\xe9", b"good")
    ]


@pytest.mark.parametrize(
    ("columns", "message"),
    [
        ({"code": ["x"], "id": [1]}, "no column content among code, id; .* --columns content=NAME"),
        ({"blob_id": ["x"], "path": ["a"]}, "no column content among blob_id, path; this is The Stack v2"),
        ({"content": [1]}, "column content holds int64, not text; .* --columns content=NAME"),
    ],
)
def test_a_file_without_a_column_of_texts_is_refused(tmp_path: Path, columns: dict[str, Any], message: str) -> None:
    """The message names what there is and what mends it."""
    with pytest.raises(SourceError, match=rf"a\.parquet: {message}"):
        read(written(tmp_path, columns))


@pytest.mark.parametrize("share", [0.0, 0.001, 0.5, 0.999])
def test_a_truncated_file_is_refused(tmp_path: Path, share: float) -> None:
    """What says where the rows are stands at its end."""
    path = written(tmp_path, {"content": TEXTS * 10})
    path.write_bytes(path.read_bytes()[: int(path.stat().st_size * share)])
    with pytest.raises(SourceError, match=r"a\.parquet: not a complete parquet file \(.*\); download or write"):
        read(path)


def test_of_a_damaged_row_group_the_rows_before_the_break_come_and_the_other_groups_go_on(tmp_path: Path) -> None:
    """Then the error names the group and its rows."""
    path = written(
        tmp_path,
        {"content": [f"{number} " + "x" * 3000 for number in range(90)]},
        row_group_size=30,
        compression="none",
        use_dictionary=False,
        data_page_size=10_000,
        write_page_checksum=True,
        write_batch_size=1,
        write_statistics=False,
    )
    data = bytearray(path.read_bytes())
    data[data.index(b"50 xxx") + 100] = ord("y")
    path.write_bytes(data)
    found = read(path)
    rows = [row.number for row in found if isinstance(row, Row)]
    assert rows == [*range(1, max(row for row in rows if row <= 60) + 1), *range(61, 91)]
    (error,) = (item for item in found if isinstance(item, SourceError))
    assert "a.parquet: row group 2 (rows 31 to 60) is damaged after row " in str(error)
    assert str(error).endswith("; download or write the file again")


def test_damage_anywhere_gives_only_source_errors(tmp_path: Path) -> None:
    """Flipped bytes and cut ends, in the pages and in what describes them."""
    seeded = random.Random(4)
    path = written(tmp_path, {"content": TEXTS, "max_stars_repo_licenses": [["MIT"]] * len(TEXTS)}, row_group_size=2)
    whole = path.read_bytes()
    for _ in range(300):
        data = bytearray(whole)
        start = seeded.choice((0, len(data) - 1000))
        data[seeded.randrange(start, len(data))] ^= 1 << seeded.randrange(8)
        path.write_bytes(data if seeded.random() < 0.8 else data[: seeded.randrange(len(data))])
        try:
            assert all(isinstance(item, Row | SourceError) for item in read(path))
        except SourceError as error:
            assert "a.parquet" in str(error)


MEASURE = """
import resource, sys
from codecite.indexer.corpus.parquet import records
from codecite.indexer.corpus.units import Columns
import pyarrow.parquet
peak = lambda: resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
found = records(sys.argv[1], Columns())
size, before = len(next(found).values["content"]), peak()
for row in found:
    size += len(row.values["content"])
print(size, (peak() - before) * 1024)
"""


def test_a_row_group_is_never_held_whole(tmp_path: Path) -> None:
    """One of 128 MB that does not compress is read in a fraction of that memory."""
    seeded = random.Random(1)
    texts = [seeded.randbytes(32_000).hex() for _ in range(2000)]
    path = written(tmp_path, {"content": texts}, row_group_size=2000)
    assert pq.ParquetFile(path).num_row_groups == 1
    ran = subprocess.run([sys.executable, "-c", MEASURE, os.fspath(path)], capture_output=True, check=True, text=True)
    size, grown = map(int, ran.stdout.split())
    assert size == 128_000_000
    assert grown < 40_000_000
