"""One row of a dataset, on its way from the reader of its file to what makes a Unit of it.

In: nothing. Out: the shape of a row, and the error of a file without texts. It refuses to know file formats, and what
the columns mean.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import NamedTuple

from codecite.indexer.errors import SourceError


class Row(NamedTuple):
    """A row: its number in the file (from 1), where that is in words, and its values by the names of the columns.

    Texts are str, or bytes that a later reader decodes; what is not there is None or has no key.
    """

    number: int
    place: str
    values: Mapping[str, object]


def without_content(file: str, column: str, present: Collection[str]) -> SourceError:
    """The error for a file that has no column with the texts."""
    if "blob_id" in present:
        mend = (
            "this is The Stack v2, which lists files without their texts: join these to the rows by blob_id and name "
            "the new column, as in --columns the-stack-v2,content=NAME"
        )
    else:
        mend = "name the column that holds the text of each file, as in --columns content=NAME"
    return SourceError(f"{file}: no column {column} among {', '.join(sorted(present)) or 'none'}; {mend}")
