"""The spool: what it writes does not depend on how often it had to spill."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import twins
from hypothesis import given, settings
from hypothesis import strategies as st

from codecite.indexer.fingerprint.batch import Fingerprints
from codecite.indexer.kernels.postings import find_lists, partition
from codecite.indexer.store.section import read_array
from codecite.indexer.store.spool import PostingSpool

Batches = list[list[int]]

hashes = st.sampled_from([0, 1, 2**64 - 1, 0xAB << 56]) | st.integers(0, 2**64 - 1)
batches = st.lists(st.lists(hashes, max_size=40), max_size=6)


def batch(values: list[int]) -> Fingerprints:
    """A batch of fingerprints at every third position of a text."""
    out, positions = np.zeros(len(values), np.uint64), np.zeros(len(values), np.uint32)
    bounds = np.zeros(257, np.int64)
    partition(np.array(values, np.uint64), 3 * np.arange(len(values), dtype=np.int64), out, positions, bounds)
    nothing = np.empty(0, np.int64)
    return Fingerprints(nothing, nothing, out, positions, bounds)


def spooled(given_batches: Batches, budget: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Buckets, tags and positions that the spool writes; the scratch files are gone."""
    with TemporaryDirectory() as name, ThreadPoolExecutor(2) as executor:
        directory = Path(name)
        spool = PostingSpool(directory, budget)
        base = 0
        for values in given_batches:
            spool.add(batch(values), base)
            base += 3 * len(values)
        spool.write(directory, executor)
        assert spool.count == sum(map(len, given_batches))
        assert sorted(path.name for path in directory.iterdir()) == ["buckets.npy", "positions.npy", "tags.npy"]
        buckets, tags, positions = (
            np.array(read_array(directory / f"{part}.npy")) for part in ("buckets", "tags", "positions")
        )
    return buckets, tags, positions


def is_specified(given_batches: Batches, budget: int) -> None:
    """The arrays hold the lists of the specification."""
    buckets, tags, positions = spooled(given_batches, budget)
    assert (buckets.dtype, tags.dtype, positions.dtype) == (np.uint32, np.uint16, np.uint32)
    bits = (len(buckets) - 1).bit_length() - 1
    pairs = [(value, 3 * at) for at, value in enumerate(value for values in given_batches for value in values)]
    lists = twins.postings(pairs, bits)
    assert positions.tolist() == [position for found in lists.values() for position in found]
    low, high = np.zeros((2, len(pairs)), np.int64)
    find_lists(np.array([value for value, _ in pairs], np.uint64), buckets, tags, low, high)
    for (value, _), first, last in zip(pairs, low.tolist(), high.tolist(), strict=True):
        assert positions[first:last].tolist() == lists[value >> 64 - bits, value >> 48 - bits & 0xFFFF]


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
    buckets, tags, positions = spooled([], 0)
    assert (buckets.tolist(), len(tags), len(positions)) == ([0] * 257, 0, 0)
    is_specified([[]], 0)


def test_many_postings_get_more_buckets_and_the_same_lists() -> None:
    """Sixteen postings a bucket on average, with spills and without."""
    rng = np.random.default_rng(5)
    case = [rng.integers(0, 2**64, 5000, np.uint64).tolist() for _ in range(6)]
    case[3][:200] = case[0][:200]
    whole, spilled = spooled(case, 1 << 30), spooled(case, 100_000)
    for one, other in zip(whole, spilled, strict=True):
        np.testing.assert_array_equal(one, other)
    assert len(whole[0]) - 1 == 2048
    is_specified(case, 100_000)
