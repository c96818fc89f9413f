"""Postings: grouped, sorted and found again as sorted Python lists say."""

from __future__ import annotations

from itertools import pairwise
from typing import NamedTuple

import numpy as np
import pytest
import twins
import xxhash
from hypothesis import given
from hypothesis import strategies as st

from codecite.indexer.kernels import postings as kernels
from codecite.indexer.kernels.checked import Guarded, first_damage, guard, trusted
from codecite.indexer.kernels.segment import BUCKETS, TAGS

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


class Sorted(NamedTuple):
    """Postings sorted group after group: buckets, tags, positions and the rest."""

    buckets: np.ndarray
    tags: np.ndarray
    positions: np.ndarray
    rest: np.ndarray


def index(given_pairs: Pairs, bits: int, rest_bits: int = 0) -> Sorted:
    """The postings as `sort_partition` makes them, with so many bits of the rest."""
    hashes, positions, bounds = grouped(given_pairs)
    buckets, (tags, rest) = np.zeros((1 << bits) + 1, np.uint32), np.zeros((2, len(hashes)), np.uint16)
    for a, b in pairwise(bounds.tolist()):
        kernels.sort_partition(hashes[a:b], positions[a:b], bits, rest_bits, buckets, tags[a:b], rest[a:b])
    return Sorted(np.cumsum(buckets, dtype=np.uint32), tags, positions, rest)


def find(given_hashes: list[int], buckets: np.ndarray, tags: np.ndarray) -> list[tuple[int, int]]:
    """The range of postings for each hash."""
    low, high = np.full((2, len(given_hashes)), -1, np.int64)
    kernels.find_lists(np.array(given_hashes, np.uint64), buckets, tags, trusted(4), low, high)
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
    buckets, tags, positions, _ = index(case, bits)
    expected = twins.postings(case, bits)
    assert positions.tolist() == [position for found in expected.values() for position in found]
    assert tags.tolist() == [tag for (_, tag), found in expected.items() for _ in found]
    ranges = find([value for value, _ in case], buckets, tags)
    for (value, _), (low, high) in zip(case, ranges, strict=True):
        assert positions[low:high].tolist() == expected[value >> 64 - bits, value >> 48 - bits & 0xFFFF]


@given(pairs(), st.lists(some | close | any_hash), st.integers(8, 20))
def test_a_hash_that_is_not_there_has_an_empty_range(case: Pairs, asked: list[int], bits: int) -> None:
    """Save where it agrees in bucket and tag with one that is."""
    buckets, tags, positions, _ = index(case, bits)
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
            buckets, found_tags, positions, _ = index(case, 8)
            for tag, size in zip(tags, sizes, strict=True):
                ((low, high),) = find([0xAB << 56 | tag << 40], buckets, found_tags)
                assert positions[low:high].tolist() == list(range(size)), (length, other, tag)
            for absent in (0, 5, 10, 999, 1001, 65534):
                ((low, high),) = find([0xAB << 56 | absent << 40], buckets, found_tags)
                assert low == high


def guarded(array: np.ndarray, damaged: int | None = None) -> Guarded:
    """An array as a mapped file, whose given block does not have its checksum."""
    payload = array.view(np.uint8)
    blocks = [payload[at : at + 65536].tobytes() for at in range(0, len(payload), 65536)]
    checksums = np.array([xxhash.xxh64_intdigest(block, seed=3) for block in blocks], np.uint64)
    if damaged is not None:
        checksums[damaged] ^= np.uint64(1)
    return Guarded(payload, checksums, 3, 0, np.zeros(len(blocks), np.uint8))


@pytest.mark.parametrize("section", [BUCKETS, TAGS])
def test_a_list_in_a_damaged_block_is_empty_and_all_others_are_found(section: int) -> None:
    """Of buckets and tags only the blocks that the lists lie in are checked."""
    rng = np.random.default_rng(2)
    values = np.sort(rng.integers(0, 2**64, 200_000, np.uint64)).tolist()
    buckets, tags, positions, _ = index(list(zip(values, range(len(values)), strict=True)), 16)
    sections = [guarded(np.zeros(1, np.uint8)), guarded(buckets), guarded(tags), guarded(np.zeros(1, np.uint8))]
    sections[section] = guarded((buckets, tags)[section - BUCKETS], 2)
    guards = guard(sections)
    asked = np.array(values[::977], np.uint64)
    low, high = np.zeros((2, len(asked)), np.int64)
    kernels.find_lists(asked, buckets, tags, guards, low, high)
    bucket = (asked >> np.uint64(48)).astype(np.int64)
    first, last = buckets[bucket].astype(np.int64), buckets[bucket + 1].astype(np.int64)
    blocks = (bucket * 4 >> 16, (bucket * 4 + 7) >> 16) if section == BUCKETS else (first * 2 >> 16, last * 2 - 1 >> 16)
    lost = (blocks[0] <= 2) & (blocks[1] >= 2)
    assert 0 < np.count_nonzero(lost) < len(asked)
    assert (low[lost] == high[lost]).all()
    for value, a, b in zip(asked[~lost].tolist(), low[~lost].tolist(), high[~lost].tolist(), strict=True):
        assert values.index(value) in positions[a:b].tolist()
    assert first_damage(guards) == (section, 2)


def test_an_index_without_postings_has_no_lists() -> None:
    """No hash is found, and no array is read beyond its end."""
    buckets, tags, _, _ = index([], 8)
    assert find([0, 1 << 56, 2**64 - 1], buckets, tags) == [(0, 0)] * 3


@given(pairs(), st.integers(8, 22), st.integers(0, 16))
def test_the_rest_of_a_hash_follows_its_tag(case: Pairs, bits: int, rest_bits: int) -> None:
    """As many bits as are asked for, up to the sixteen that fit."""
    _, tags, positions, rest = index(case, bits, rest_bits)
    expected = twins.described(case, bits, rest_bits)
    assert list(zip(tags.tolist(), rest.tolist(), positions.tolist(), strict=True)) == [row[1:] for row in expected]


@pytest.mark.parametrize("bits", range(8, 30))
def test_a_segment_keeps_enough_of_its_hashes_to_be_sorted_anew(bits: int) -> None:
    """Forty bits, or thirty-eight where the rest would take a second byte a posting for two bits more."""
    known = bits + kernels.TAG_BITS + kernels.rest_bits(bits)
    assert known == kernels.KNOWN_BITS if bits < 22 else known >= 38
    assert kernels.rest_bits(bits) <= 16


@st.composite
def stretches(draw: st.DrawFn) -> list[tuple[int, int | None]]:
    """Stretches of a text: where each ends, and how far it moves; None where it goes."""
    ends = draw(st.lists(st.integers(1, 450), min_size=1, max_size=6, unique=True).map(sorted))
    shift = st.none() | st.just(0) | st.integers(1000, 1 << 31)
    return [(end, draw(shift)) for end in [*ends[:-1], 500]]


@given(pairs(), st.integers(8, 20), st.booleans(), stretches())
def test_postings_are_carried_over_with_what_is_known_of_their_hashes(
    case: Pairs, bits: int, keeps: bool, cut: list[tuple[int, int | None]]
) -> None:
    """Group after group, as a merge does: moved with their stretch of the text, or left out with it."""
    rest_bits = kernels.rest_bits(bits) if keeps else 0
    found = index(case, bits, rest_bits)
    ends = np.array([end for end, _ in cut], np.int64)
    shifts = np.array([kernels.DROPPED if shift is None else shift for _, shift in cut], np.int64)
    carried: Pairs = []
    per_group = 1 << bits - kernels.PARTITION_BITS
    for first in range(0, 1 << bits, per_group):
        buckets = found.buckets[first : first + per_group + 1]
        inside = slice(int(buckets[0]), int(buckets[-1]))
        count = inside.stop - inside.start
        hashes, places = np.zeros(count, np.uint64), np.zeros(count, np.uint32)
        tags, rest, positions = found.tags[inside], found.rest[inside], found.positions[inside]
        kept = kernels.carry_over(buckets, first, bits, rest_bits, tags, rest, positions, ends, shifts, hashes, places)
        carried += zip(hashes[:kept].tolist(), places[:kept].tolist(), strict=True)
    assert carried == twins.carried(case, bits, rest_bits, cut)
