"""Tables: rows come back as they were written, and what is no table is an error that names the file."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from codecite.indexer.errors import IndexCorruptError
from codecite.indexer.records import EvidenceKind, LicenseEvidence, Package
from codecite.indexer.store.section import SectionWriter
from codecite.indexer.store.tables import (
    ORIGIN_NUMBERS,
    ORIGIN_POOLS,
    Strings,
    evidence_from_json,
    evidence_to_json,
    numbers_of,
    package_columns,
    package_of,
    read_table,
    utf8,
    write_origins,
    write_packages,
)

EVIDENCE = (
    LicenseEvidence(EvidenceKind.SPDX_TAG, "MIT", "line 3", "SPDX-License-Identifier: MIT\tü \udcff"),
    LicenseEvidence(EvidenceKind.LICENSE_FILE, None, "LICENSE", "Permission is hereby granted\n"),
)


def test_packages_come_back_with_every_field(tmp_path: Path) -> None:
    """Those that are None, and evidence with bytes that were escaped."""
    packages = [
        Package("bare"),
        Package("full", "pkg:a/b@1", "https://r", "v1", "2024-05-01", "file:///x", EVIDENCE, "f", "c"),
    ]
    write_packages(tmp_path / "packages.arrow", package_columns(packages, ["p", "q"], [None, 7]))
    columns = read_table(tmp_path / "packages.arrow")
    assert [package_of(columns, row) for row in range(2)] == packages
    assert columns["project"].to_pylist() == ["p", "q"]
    assert columns["complete"].to_pylist() == [None, 7]


@pytest.mark.parametrize("paths", [[], [""], ["a", "", "dir/é😀.py"]])
def test_origins_come_back(tmp_path: Path, paths: list[str]) -> None:
    """Numbers without a copy, texts a row at a time, pooled texts by their number; no row at all, too."""
    count = len(paths)
    numbers = {name: np.arange(count) + i for i, name in enumerate(ORIGIN_NUMBERS)}
    pools = {name: (np.arange(count) % 2, [name, "other"]) for name in ORIGIN_POOLS}
    write_origins(tmp_path / "origins.arrow", numbers, pa.array(paths, pa.large_string()), pools)
    columns = read_table(tmp_path / "origins.arrow")
    for name, values in numbers.items():
        assert numbers_of(columns[name]).tolist() == values.tolist()
        assert numbers_of(columns[name]).dtype == ORIGIN_NUMBERS[name]
    stored = Strings(columns["path"])
    assert [stored[row] for row in range(len(stored))] == paths
    for name in ORIGIN_POOLS:
        assert columns[name].to_pylist() == [(name, "other")[row % 2] for row in range(count)]


def test_what_is_not_unicode_is_stored_as_it_is_written_in_python(tmp_path: Path) -> None:
    """A byte of a name that was not UTF-8, and a lone surrogate, as backslash escapes; None stays None."""
    assert [utf8(text) for text in ("a\udcff", "\ud800", "é😀", "", None)] == ["a\\udcff", "\\ud800", "é😀", "", None]
    write_packages(tmp_path / "packages.arrow", package_columns([Package("a\udcff")], ["b\udc80"], [0]))
    columns = read_table(tmp_path / "packages.arrow")
    assert package_of(columns, 0) == Package("a\\udcff")
    assert columns["project"].to_pylist() == ["b\\udc80"]


def test_evidence_survives_its_json() -> None:
    """None, too."""
    assert evidence_from_json(evidence_to_json(EVIDENCE)) == EVIDENCE
    assert evidence_from_json(evidence_to_json(())) == ()


@pytest.mark.parametrize(
    "payload",
    [b"", b"no table", bytes(64), b"\xff\xff\xff\xff\x10\0\0\0" + bytes(16)],
    ids=["nothing", "text", "zeros", "an empty message"],
)
def test_what_is_no_table_is_named(tmp_path: Path, payload: bytes) -> None:
    """Its checksums hold, but nothing wrote it as a table."""
    with SectionWriter(tmp_path / "origins.arrow") as section:
        section.write(payload)
    with pytest.raises(IndexCorruptError, match=r"origins\.arrow"):
        read_table(tmp_path / "origins.arrow")
