"""Postings: grouped, sorted and found again as sorted Python lists say."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import twins
from hypothesis import given
from hypothesis import strategies as st

from codecite.indexer.kernels import postings as kernels

Pairs = list[tuple[int, int]]

TOP = 64 - kernels.PARTITION_BITS
some = st.sampled_from([0, 1, 2**64 - 1, 1 << TOP, (1 << TOP) - 1, 0xAB << TOP | 5])
close = st.integers(0, 3).map(lambda low: 0xAB << TOP | low << 32)
any_hash = st.integers(0, 2**64 - 1)


@st.composite
def pairs(draw: st.DrawFn) -> Pairs:
    """Hashes that coincide, lie close to each other or do not, at ascending positions."""
    hashes = draw(st.lists(some | close | any_hash, max_size=150))
    steps = draw(st.lists(st.integers(0, 3), min_size=len(hashes), max_size=len(hashes)))
    return list(zip(hashes, np.cumsum(steps, dtype=np.int64).tolist(), strict=True))


def grouped(given_pairs: Pairs) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Hashes, positions and bounds as `partition` makes them."""
    hashes = np.array([value for value, _ in given_pairs], np.uint64)
    positions = np.array([position for _, position in given_pairs], np.int64)
    out = np.zeros(len(hashes), np.uint64), np.zeros(len(hashes), np.uint32), np.full(257, -1, np.int64)
    kernels.partition(hashes, positions, *out)
    return out


def index(given_pairs: Pairs, bits: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Buckets, tags and positions, group after group."""
    hashes, positions, bounds = grouped(given_pairs)
    buckets, tags = np.zeros((1 << bits) + 1, np.uint32), np.zeros(len(hashes), np.uint16)
    for a, b in pairwise(bounds.tolist()):
        kernels.sort_partition(hashes[a:b], positions[a:b], bits, buckets, tags[a:b])
    return np.cumsum(buckets, dtype=np.uint32), tags, positions


def find(given_hashes: list[int], buckets: np.ndarray, tags: np.ndarray) -> list[tuple[int, int]]:
    """The range of postings for each hash."""
    low, high = np.full((2, len(given_hashes)), -1, np.int64)
    kernels.find_lists(np.array(given_hashes, np.uint64), buckets, tags, low, high)
    return list(zip(low.tolist(), high.tolist(), strict=True))


@given(pairs())
def test_groups_hold_their_postings_in_the_order_they_came(case: Pairs) -> None:
    """A stable partition by the top eight bits."""
    hashes, positions, bounds = grouped(case)
    assert list(zip(hashes.tolist(), positions.tolist(), strict=True)) == sorted(case, key=lambda pair: pair[0] >> TOP)
    assert bounds.tolist() == [sum(value >> TOP < group for value, _ in case) for group in range(257)]


@given(pairs(), st.integers(8, 20))
def test_every_list_is_found_and_holds_its_positions_in_order(case: Pairs, bits: int) -> None:
    """The lists, one after the other, are all there is."""
    buckets, tags, positions = index(case, bits)
    expected = twins.postings(case, bits)
    assert positions.tolist() == [position for found in expected.values() for position in found]
    assert tags.tolist() == [tag for (_, tag), found in expected.items() for _ in found]
    ranges = find([value for value, _ in case], buckets, tags)
    for (value, _), (low, high) in zip(case, ranges, strict=True):
        assert positions[low:high].tolist() == expected[value >> 64 - bits, value >> 48 - bits & 0xFFFF]


@given(pairs(), st.lists(some | close | any_hash), st.integers(8, 20))
def test_a_hash_that_is_not_there_has_an_empty_range(case: Pairs, asked: list[int], bits: int) -> None:
    """Save where it agrees in bucket and tag with one that is."""
    buckets, tags, positions = index(case, bits)
    expected = twins.postings(case, bits)
    for value, (low, high) in zip(asked, find(asked, buckets, tags), strict=True):
        assert 0 <= low <= high <= len(case)
        assert positions[low:high].tolist() == expected.get((value >> 64 - bits, value >> 48 - bits & 0xFFFF), [])


def test_long_lists_beside_long_lists_are_found_whole() -> None:
    """Lengths around the 32 postings that the search by halves leaves to the search one by one."""
    tags = [3, 4, 9, 1000, 65535]
    for length in (1, 2, 31, 32, 33, 34, 63, 64, 65, 66, 200):
        for other in (1, 32, 33, 100):
            sizes = [other, length, other, length, 1]
            case = []
            for tag, size in zip(tags, sizes, strict=True):
                case += [(0xAB << 56 | tag << 40, at) for at in range(size)]
            buckets, found_tags, positions = index(case, 8)
            for tag, size in zip(tags, sizes, strict=True):
                ((low, high),) = find([0xAB << 56 | tag << 40], buckets, found_tags)
                assert positions[low:high].tolist() == list(range(size)), (length, other, tag)
            for absent in (0, 5, 10, 999, 1001, 65534):
                ((low, high),) = find([0xAB << 56 | absent << 40], buckets, found_tags)
                assert low == high


def test_an_index_without_postings_has_no_lists() -> None:
    """No hash is found, and no array is read beyond its end."""
    buckets, tags, _ = index([], 8)
    assert find([0, 1 << 56, 2**64 - 1], buckets, tags) == [(0, 0)] * 3
