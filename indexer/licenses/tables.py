"""The published tables about licences, as `docs/write_license_tables.py` wrote them.

In: nothing. Out: the tables, read once and when first asked for. It refuses to know what they are asked about; NOTICE
says whose they are.
"""

from __future__ import annotations

import json
import lzma
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

_HERE = Path(__file__).parent


@dataclass(frozen=True, slots=True)
class Table:
    """Where a table is from: its name, its date (ISO), its licence."""

    name: str
    date: str
    license: str


@dataclass(frozen=True, slots=True)
class Tables:
    """Categories of licences and exceptions, obligations of licences, and which licences go together.

    `compatibility` holds for each outbound licence a letter for each inbound one in the order of its keys: `y` (may be
    part of it), `n`, `u` (the table does not know), `c` (it depends).
    """

    sources: Mapping[str, Table]
    licenses: Mapping[str, str]
    exceptions: Mapping[str, str]
    obligations: Mapping[str, tuple[str, ...]]
    compatibility: Mapping[str, str]


@cache
def tables() -> Tables:
    """All but the texts."""
    read = json.loads((_HERE / "tables.json").read_text(encoding="utf-8"))
    matrix = read["compatibility"]
    return Tables(
        {kind: Table(**source) for kind, source in read["sources"].items()},
        read["licenses"],
        read["exceptions"],
        {license: tuple(asked) for license, asked in read["obligations"].items()},
        dict(zip(matrix["licenses"], matrix["rows"], strict=True)),
    )


@cache
def _texts() -> Mapping[str, tuple[str, str]]:
    read = json.loads(lzma.decompress((_HERE / "texts.json.xz").read_bytes()))
    return {license: (name, text) for license, (name, text) in read.items()}


def license_text(license: str) -> tuple[str, str] | None:
    """The name and the text of a licence of the SPDX list (not of an expression); None for any other.

    Of a GNU licence `-only` and `-or-later` share one text.
    """
    return _texts().get(license)
