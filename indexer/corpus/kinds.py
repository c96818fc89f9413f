"""A file that holds many -> the reader of its kind.

In: a file's name, and for one found in a tree its beginning and end. Out: the reader that makes a Unit of it, or None
for a file that is only itself. This module refuses to know how any of them is read.
"""

from __future__ import annotations

import json
import os
import struct
from collections.abc import Callable
from typing import BinaryIO

from codecite.indexer.corpus.archive import archive
from codecite.indexer.corpus.containers import ARCHIVES, is_archive
from codecite.indexer.corpus.debian import describes_source, source_package
from codecite.indexer.corpus.expand import DAMAGE, decoder_of
from codecite.indexer.corpus.rows import rows
from codecite.indexer.corpus.units import Columns, Reading, Unit

Reader = Callable[[str, Reading, str], Unit]
"""What takes a path, how to read, and what the user gave to `index add`."""

DATASETS = (".jsonl", ".ndjson", ".parquet", ".jsonl.gz", ".jsonl.zst", ".ndjson.gz", ".ndjson.zst", ".json.gz")

_ALL = (".dsc", *DATASETS, *ARCHIVES)
_HEAD = 64 << 10
_MAX_FOOTER = 16 << 20
_FOOTER = struct.Struct("<I4s")


def reader_of(name: str) -> Reader | None:
    """The reader for a file of this name, as a user gives it."""
    lower = name.lower()
    if not lower.endswith(_ALL):
        return None
    if lower.endswith(".dsc"):
        return source_package
    return rows if lower.endswith(DATASETS) else archive


def reader_in_tree(path: str, name: str, columns: Columns) -> Reader | None:
    """The same for a file found in a tree, where what merely has such a name is a file like any other.

    Many a project keeps data for its tests that are no datasets of code, and files that are archives by name only.
    Raises OSError.
    """
    reader = reader_of(name)
    if reader is None:
        return None
    with open(path, "rb", opener=_unfollowed) as stream:
        head = stream.read(_HEAD)
        if reader is rows:
            same = _is_dataset(stream, head, columns.content)
        else:
            same = is_archive(head) if reader is archive else describes_source(head)
    return reader if same else None


def _unfollowed(path: str, flags: int) -> int:
    return os.open(path, flags | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0))


def _is_dataset(stream: BinaryIO, head: bytes, column: str) -> bool:
    """Whether the file, which begins like this, has the column; one that is damaged is for its reader to tell."""
    if head.startswith(b"PAR1"):
        end = stream.seek(-min(_FOOTER.size, len(head)), os.SEEK_END)
        last = stream.read()
        length, magic = _FOOTER.unpack(last) if len(last) == _FOOTER.size else (0, b"")
        stream.seek(max(0, end - min(length, _MAX_FOOTER)))
        return magic != b"PAR1" or column.encode() in stream.read(_MAX_FOOTER)
    decoder = decoder_of(head)
    if decoder is not None:
        try:
            head = decoder().decompress(head, _HEAD)
        except DAMAGE:
            return True
    return head.lstrip().startswith(b"{") and json.dumps(column, ensure_ascii=False).encode() in head
