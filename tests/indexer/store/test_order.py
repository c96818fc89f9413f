"""The total order of sources: the ranks of a whole table and the sort keys of single Origins say the same."""

from __future__ import annotations

import dataclasses

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from codecite.indexer.records import Package
from codecite.indexer.store.order import SAME_PLACE, ranks, source_order
from codecite.indexer.store.tables import package_columns, package_of, utf8

texts = st.sampled_from([None, "", "a", "B", "é", "~", "\uffee", "\U0001f600", "\udcff", "\ud800", "a\udcff", "\x00"])
packages = st.builds(
    Package,
    source=st.sampled_from(["tree", "wheel", "", "\udc80"]),
    purl=texts,
    repository=texts,
    revision=texts,
    released=st.sampled_from([None, "", "2020-01-01", "2021-01-01", "~", "1999"]),
    url=texts,
)
paths = st.sampled_from(["", "a", "a/b", "A", "é", "\U0001f600", "\uffee", "\udcff", "z" * 40])
Row = tuple[int, str, bytes, int]


@st.composite
def tables(draw: st.DrawFn) -> tuple[list[Package], list[str], list[Row]]:
    """Packages with the names of their projects, and Origins: Package, path, SHA-1 and key."""
    rows = draw(st.lists(packages, min_size=1, max_size=4))
    for package in list(rows):
        # Nearly the same: in a field or two that come late in the order.
        for _ in range(draw(st.integers(0, 2))):
            url, source = draw(st.sampled_from([None, "a", "b"])), draw(st.sampled_from(["a", "b", "c"]))
            rows.append(dataclasses.replace(package, url=url, source=source))
    names = [draw(st.sampled_from(["", "p", "q", "é", "\U0001f600", "\uffee", "\udcff"])) for _ in rows]
    digests = st.sampled_from([bytes(20), bytes(19) + b"\1", b"\1" + bytes(19), b"\xff" * 20, b"a" * 20])
    keys = st.sampled_from([0, 1, 9, 16, 2**63, 2**64 - 1])
    place = st.tuples(st.integers(0, len(rows) - 1), paths, digests, keys)
    origins = draw(st.lists(place, max_size=20))
    if origins and draw(st.booleans()):
        origins += [(number, *origins[0][1:]) for number in range(len(rows))]
        names = names[:1] * len(names)
    return rows, names, origins


@given(tables())
def test_ranks_are_the_order_of_the_sort_keys(case: tuple[list[Package], list[str], list[Row]]) -> None:
    """Of what is stored: names that are not Unicode with escapes, and None like nothing."""
    rows, names, origins = case
    columns = package_columns(rows, names, [None] * len(rows))
    stored_paths = [utf8(path) or "" for _, path, _, _ in origins]
    package = np.array([number for number, _, _, _ in origins], np.uint32)
    digests = np.frombuffer(b"".join(digest for _, _, digest, _ in origins), np.uint8).reshape(-1, 20)
    own = np.array([key for *_, key in origins], np.uint64)
    found = ranks(package, pa.array(stored_paths, pa.large_string()), digests, own, columns)
    assert sorted(found.tolist()) == list(range(len(origins)))
    stored = [(package_of(columns, i), columns["project"][i].as_py()) for i in range(len(rows))]
    keys = [
        source_order(*stored[number], path, digest.hex(), key)
        for (number, _, digest, key), path in zip(origins, stored_paths, strict=True)
    ]
    by_rank = [keys[i] for i in np.argsort(found).tolist()]
    assert by_rank == sorted(keys)


def test_the_order_is_that_of_the_contract() -> None:
    """Release date with undated last, project, path, SWHID; then whatever tells two places apart."""
    dated, undated = Package("s", released="2021-05-01"), Package("s")
    keys = [
        source_order(dated, "a", "z", "1", 7),
        source_order(dated, "b", "a", "2", 7),
        source_order(dated, "b", "b", "1", 7),
        source_order(dated, "b", "b", "2", 7),
        source_order(dated, "b", "b", "2", 1 << 60),
        source_order(undated, "a", "a", "0", 7),
        source_order(dataclasses.replace(undated, purl="x"), "a", "a", "0", 7),
    ]
    assert keys == sorted(keys)
    assert source_order(dataclasses.replace(dated, released="2020-12-31"), "z", "z", "9", 7) < keys[0]


@pytest.mark.parametrize("field", ["released", "purl", "repository", "revision", "url", "source"])
def test_where_a_copy_lies_does_not_tell_two_places_apart(field: str) -> None:
    """Its URL and the source it was read from; all else does."""
    one = Package("s")
    other = dataclasses.replace(one, **{field: "x"})
    keys = [source_order(package, "p", "a.py", "0", 7)[:SAME_PLACE] for package in (one, other)]
    assert (keys[0] == keys[1]) == (field in ("url", "source"))
