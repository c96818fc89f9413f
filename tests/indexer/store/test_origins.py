"""The Origins of a Segment: rows in any order come out by Document, with each Document's licences once."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pyarrow as pa
import xxhash
from hypothesis import given
from hypothesis import strategies as st

from codecite.indexer.records import Package
from codecite.indexer.store.origins import NewOrigin, OriginRows, licensed_pairs, write_origin_sections
from codecite.indexer.store.section import read_array
from codecite.indexer.store.tables import ORIGIN_POOLS, numbers_of, package_columns, package_of, read_table

PACKAGES = [Package("tree"), Package("wheel", "pkg:pypi/a@1", fingerprint="f"), Package("empty")]
PROJECTS = ["tree", "pkg:pypi/a", "empty"]
COMPLETE = [None, 3, 0]


def digest(number: int) -> bytes:
    """The SHA-1 of a Document; one of them is all zeros."""
    return number.to_bytes(20, "big")


@dataclass(frozen=True)
class Case:
    """A Segment of so many Documents, and Origins; Documents beyond those here stand in other Segments."""

    documents: int
    origins: list[tuple[int, NewOrigin]]


@st.composite
def cases(draw: st.DrawFn) -> Case:
    """Origins that share Documents, Packages and texts."""
    count = draw(st.integers(0, 5))
    texts = st.sampled_from(["", "MIT", "ISC", "é\udcff", "a\nb"])
    rows = []
    for key in draw(st.lists(st.integers(0, 2**64 - 1), unique=True, max_size=20)):
        document = draw(st.integers(0, 8))
        pools = {name: draw(texts) for name in ORIGIN_POOLS}
        stamp = draw(st.sampled_from([0, 1, 2**64 - 1]))
        package = PACKAGES[draw(st.integers(0, 1))]
        path = draw(st.sampled_from(["a", "b/\udcff", ""]))
        rows.append((document, NewOrigin(package, digest(document), path, key=key, stamp=stamp, **pools)))
    return Case(count, rows)


def write(directory: Path, case: Case) -> None:
    """Write the sections of Origins."""
    rows = OriginRows()
    for document, origin in case.origins:
        rows.append(origin, PACKAGES.index(origin.package), document if document < case.documents else None)
    assert len(rows) == len(case.origins)
    contents = np.frombuffer(b"".join(map(digest, range(case.documents))), np.uint8).reshape(-1, 20)
    write_origin_sections(
        directory, contents, rows.columns(case.documents, package_columns(PACKAGES, PROJECTS, COMPLETE))
    )


def stored(text: str) -> str:
    """What is stored of a text."""
    return text.encode("utf-8", "backslashreplace").decode()


@given(cases())
def test_origins_stand_by_document_with_all_their_columns(case: Case) -> None:
    """Those of other Segments' Documents behind them, each such Document named once."""
    with TemporaryDirectory() as name:
        directory = Path(name)
        write(directory, case)
        table = read_table(directory / "origins.arrow")
        packages = read_table(directory / "packages.arrow")
        bounds = read_array(directory / "origin_bounds.npy").tolist()
        foreign = [row.tobytes() for row in read_array(directory / "foreign.npy")]
        licenses = read_array(directory / "licenses.npy").tolist()
        rows = pa.table(table).to_pylist()
        stamps = numbers_of(table["stamp"])
        pool = table["license"].dictionary.to_pylist()
    assert len(set(foreign)) == len(foreign)
    named = [*map(digest, range(case.documents)), *foreign]
    assert [package_of(packages, i) for i in range(len(PACKAGES))] == PACKAGES
    assert (packages["project"].to_pylist(), packages["complete"].to_pylist()) == (PROJECTS, COMPLETE)
    wanted = sorted(
        (origin.digest, origin.key, stored(origin.path), *(stored(getattr(origin, pool)) for pool in ORIGIN_POOLS))
        for _, origin in case.origins
    )
    found = sorted(
        (named[row["document"]], row["key"], row["path"], *(row[pool] for pool in ORIGIN_POOLS)) for row in rows
    )
    assert found == wanted
    by_key = {origin.key: origin for _, origin in case.origins}
    for row, stamp in zip(rows, stamps.tolist(), strict=True):
        origin = by_key[row["key"]]
        assert (PACKAGES[row["package"]], stamp) == (origin.package, origin.stamp)
        assert row["project"] == xxhash.xxh3_64_intdigest(PROJECTS[row["package"]].encode())
    documents = [row["document"] for row in rows]
    assert documents == sorted(documents)
    assert bounds == [sum(document < i for document in documents) for i in range(case.documents + 1)]
    pairs = [(document, pool[number]) for document, number in zip(*licenses, strict=True)]
    under = {(row["document"], row["license"]) for row in rows if row["document"] < case.documents}
    assert sorted(pairs) == sorted(under)
    assert [document for document, _ in pairs] == sorted(document for document, _ in pairs)


@given(st.lists(st.tuples(st.integers(0, 9), st.integers(0, 4)), max_size=30), st.integers(0, 10))
def test_each_pair_of_a_document_and_a_license_stands_once(rows: list[tuple[int, int]], count: int) -> None:
    """Ascending; Documents of other Segments have none here."""
    document, license = (np.array([row[side] for row in rows], np.int64) for side in (0, 1))
    found = licensed_pairs(document, license, count)
    assert found.dtype == np.uint32
    assert list(zip(*found.tolist(), strict=True)) == sorted({row for row in rows if row[0] < count})
