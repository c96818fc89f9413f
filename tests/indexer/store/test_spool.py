"""The spool: what it writes does not depend on how often it had to spill."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

import numpy as np
import pytest
import twins
from hypothesis import given, settings
from hypothesis import strategies as st

from codecite.indexer.kernels.checked import trusted
from codecite.indexer.kernels.documents import Grouped
from codecite.indexer.kernels.postings import KNOWN_BITS, TAG_BITS, find_lists, partition, rest_bits
from codecite.indexer.store.section import read_array
from codecite.indexer.store.spool import PostingSpool, write_postings

Batches = list[list[int]]

hashes = st.sampled_from([0, 1, 2**64 - 1, 0xAB << 56]) | st.integers(0, 2**64 - 1)
batches = st.lists(st.lists(hashes, max_size=40), max_size=6)


def batch(values: list[int]) -> Grouped:
    """A batch of fingerprints at every third position of a text."""
    out, positions = np.zeros(len(values), np.uint64), np.zeros(len(values), np.uint32)
    bounds = np.zeros(257, np.int64)
    partition(np.array(values, np.uint64), 3 * np.arange(len(values), dtype=np.int64), out, positions, bounds)
    return Grouped(out, positions, bounds)


class Written(NamedTuple):
    """The sections that were written."""

    buckets: np.ndarray
    tags: np.ndarray
    positions: np.ndarray
    rest: np.ndarray


def spooled(given_batches: Batches, budget: int, known: int = 64) -> Written:
    """What the spool gives to be sorted, sorted; the scratch files are gone, and the positions bare."""
    with TemporaryDirectory() as name, ThreadPoolExecutor(2) as executor:
        directory = Path(name)
        spool = PostingSpool(directory, budget)
        base = 0
        for values in given_batches:
            spool.add(batch(values), base)
            base += 3 * len(values)
        unordered = directory / "unordered"
        buckets = write_postings(directory, spool.count, known, spool.group, executor, unordered)
        spool.clear()
        assert spool.count == sum(map(len, given_batches))
        names = {part: directory / f"{part}.npy" for part in Written._fields if part != "positions"}
        assert set(directory.iterdir()) == {unordered, *names.values()}
        assert unordered.stat().st_size == 4 * spool.count
        sections = {part: np.array(read_array(path)) for part, path in names.items()}
        np.testing.assert_array_equal(sections["buckets"], buckets)
        return Written(positions=np.fromfile(unordered, np.uint32), **sections)


def is_specified(given_batches: Batches, budget: int, known: int = 64) -> Written:
    """The arrays hold the lists of the specification, and of each hash what follows its tag."""
    written = spooled(given_batches, budget, known)
    buckets, tags, positions, rest = written
    assert (buckets.dtype, tags.dtype, positions.dtype) == (np.uint32, np.uint16, np.uint32)
    bits = (len(buckets) - 1).bit_length() - 1
    pairs = [(value, 3 * at) for at, value in enumerate(value for values in given_batches for value in values)]
    lists = twins.postings(pairs, bits)
    assert positions.tolist() == [position for found in lists.values() for position in found]
    rows = twins.described(pairs, bits, rest_bits(bits))
    assert rest.tolist() == ([row[2] for row in rows] if known >= KNOWN_BITS else [])
    low, high = np.zeros((2, len(pairs)), np.int64)
    find_lists(np.array([value for value, _ in pairs], np.uint64), buckets, tags, trusted(4), low, high)
    for (value, _), first, last in zip(pairs, low.tolist(), high.tolist(), strict=True):
        assert positions[first:last].tolist() == lists[value >> 64 - bits, value >> 48 - bits & 0xFFFF]
    return written


@settings(max_examples=min(settings().max_examples, 40))
@given(batches, st.sampled_from([0, 12, 100, 500, 1 << 20]))
def test_the_sections_hold_every_list_whatever_the_budget(case: Batches, budget: int) -> None:
    """After every batch, after some, or never is written to the scratch file."""
    is_specified(case, budget)


def test_all_hashes_equal_make_one_list() -> None:
    """In the order of the positions, over several spills."""
    is_specified([[0xAB << 56] * 300] * 5, 4000)


def test_no_postings_make_empty_sections() -> None:
    """An index of short files is an index."""
    written = spooled([], 0)
    assert written.buckets.tolist() == [0] * 257
    assert [len(part) for part in written[1:]] == [0, 0, 0]
    is_specified([[]], 0)


def many() -> Batches:
    """Thirty thousand hashes, some of them equal."""
    rng = np.random.default_rng(5)
    case = [rng.integers(0, 2**64, 5000, np.uint64).tolist() for _ in range(6)]
    case[3][:200] = case[0][:200]
    return case


def test_many_postings_get_more_buckets_and_the_same_lists() -> None:
    """Sixteen postings a bucket on average, with spills and without."""
    whole, spilled = spooled(many(), 1 << 30), is_specified(many(), 100_000)
    for one, other in zip(whole, spilled, strict=True):
        np.testing.assert_array_equal(one, other)
    assert len(whole.buckets) - 1 == 2048


@pytest.mark.parametrize("known", [24, 25, 26, 27, 39, 40, 64])
def test_where_little_is_known_of_the_hashes_buckets_are_larger(known: int) -> None:
    """No bucket is told by a bit that is not known, and no tag; the lists are all there."""
    unknown = (1 << 64 - known) - 1
    case = [[value & ~unknown for value in values] for values in many()]
    written = is_specified(case, 1 << 30, known)
    assert len(written.buckets) - 1 == min(2048, 1 << known - TAG_BITS)
    assert len(written.rest) == (30_000 if known >= KNOWN_BITS else 0)
