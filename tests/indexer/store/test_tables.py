"""Tables: rows come back as they were written, and what is no table is an error that names the file."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from codecite.indexer.errors import IndexCorruptError
from codecite.indexer.records import EvidenceKind, LicenseEvidence, Package
from codecite.indexer.store.section import SectionWriter
from codecite.indexer.store.tables import (
    Strings,
    evidence_from_json,
    evidence_to_json,
    numbers_of,
    package_of,
    read_table,
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
        Package("full", "pkg:a/b@1", "https://r", "v1", "2024-05-01", "file:///x", EVIDENCE, "f"),
    ]
    write_packages(tmp_path / "packages.arrow", packages, ["p", "q"])
    columns = read_table(tmp_path / "packages.arrow")
    assert [package_of(columns, row) for row in range(2)] == packages
    assert columns["project"].to_pylist() == ["p", "q"]


@pytest.mark.parametrize("paths", [[], [""], ["a", "", "dir/é😀.py"]])
def test_origins_come_back(tmp_path: Path, paths: list[str]) -> None:
    """Numbers without a copy, texts a row at a time, pooled texts by their number; no row at all, too."""
    count = len(paths)
    numbers = {name: np.arange(count) + i for i, name in enumerate(("document", "package", "project", "rank", "key"))}
    pools = {name: (np.zeros(count, np.uint32), [name, "other"]) for name in ("license", "evidence", "copyright")}
    write_origins(tmp_path / "origins.arrow", numbers, paths, pools)
    columns = read_table(tmp_path / "origins.arrow")
    for name, values in numbers.items():
        assert numbers_of(columns[name]).tolist() == values.tolist()
    stored = Strings(columns["path"])
    assert [stored[row] for row in range(len(stored))] == paths
    assert columns["license"].to_pylist() == ["license"] * count


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
