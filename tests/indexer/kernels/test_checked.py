"""Blocks held against their checksums when they are first touched: each once, and no damage goes unnoticed."""

from __future__ import annotations

from dataclasses import dataclass

import numba
import numpy as np
import pytest
import xxhash
from hypothesis import given
from hypothesis import strategies as st

from codecite.indexer.kernels import checked
from codecite.indexer.kernels.checked import DAMAGED, SOUND, UNSEEN, Guarded, first_damage, guard, trusted

BLOCK = 1 << checked.BLOCK_BITS
_touch, _touch_items = checked.touch, checked.touch_items


@numba.njit
def touch(guards, section, begin, end):  # type: ignore[no-untyped-def]
    """A way in from Python."""
    return _touch(guards, section, begin, end)


@numba.njit
def touch_items(guards, section, begin, end, size):  # type: ignore[no-untyped-def]
    """A way in from Python."""
    return _touch_items(guards, section, begin, end, size)


@dataclass
class File:
    """A payload in memory with its checksums, that may be damaged after they were taken."""

    payload: np.ndarray
    guarded: Guarded

    def damage(self, at: int) -> None:
        """Change the byte at an offset."""
        self.payload[at] ^= 4

    @property
    def seen(self) -> list[int]:
        """What is known of each block."""
        return self.guarded.seen.tolist()


def file(size: int, seed: int = 7, data: int = 0) -> File:
    """A payload of random bytes."""
    payload = np.random.default_rng(size).integers(0, 256, size, np.uint8)
    blocks = [payload[at : at + BLOCK].tobytes() for at in range(0, size, BLOCK)]
    checksums = np.array([xxhash.xxh64_intdigest(block, seed=seed) for block in blocks], np.uint64)
    return File(payload, Guarded(payload, checksums, seed, data, np.zeros(len(blocks), np.uint8)))


@given(st.binary(max_size=200) | st.integers(0, 3000).map(bytes), st.integers(0, 2**32 - 1), st.integers(0, 9))
def test_the_checksum_is_that_of_the_public_library(payload: bytes, seed: int, before: int) -> None:
    """XXH64, of any length, at any alignment, with any seed."""
    array = np.frombuffer(bytearray(bytes(before) + payload), np.uint8)[before:]
    none = np.empty(0, np.uint64), seed, 0, np.empty(0, np.uint8)
    guards = guard([Guarded(np.empty(0, np.uint8), *none), Guarded(array, *none)])
    assert int(checked.xxh64(guards, 1)) == xxhash.xxh64_intdigest(payload, seed=seed)


@pytest.mark.parametrize("size", range(130))
def test_the_checksum_is_right_about_every_border_of_its_steps(size: int) -> None:
    """It goes in steps of 32, 8, 4 and 1 bytes."""
    payload = bytes(range(size))
    array = np.frombuffer(payload, np.uint8)
    guards = guard([Guarded(array, np.empty(0, np.uint64), 1, 0, np.empty(0, np.uint8))])
    assert int(checked.xxh64(guards, 0)) == xxhash.xxh64_intdigest(payload, seed=1)


def test_a_block_is_checked_once_and_not_before_it_is_touched() -> None:
    """What happens to it afterwards in memory is not looked at again."""
    found = file(5 * BLOCK + 17)
    guards = guard([found.guarded])
    assert touch(guards, 0, BLOCK + 5, 2 * BLOCK)
    assert found.seen == [UNSEEN, SOUND, UNSEEN, UNSEEN, UNSEEN, UNSEEN]
    found.damage(BLOCK + 6)
    assert touch(guards, 0, BLOCK + 5, BLOCK + 9)
    assert first_damage(guards) is None
    assert touch(guards, 0, 5 * BLOCK, 5 * BLOCK + 17)
    assert found.seen == [UNSEEN, SOUND, UNSEEN, UNSEEN, UNSEEN, SOUND]


@given(st.integers(1, 6 * BLOCK), st.data())
def test_touched_damage_is_noted_and_its_neighbours_stay_sound(size: int, data: st.DataObject) -> None:
    """Each range is refused just where it holds a damaged block, however often it is asked for."""
    found = file(size)
    guards = guard([file(10).guarded, found.guarded])
    places = st.integers(0, size - 1)
    bad = data.draw(st.sets(places.map(lambda at: at // BLOCK), max_size=2))
    for block in bad:
        found.damage(data.draw(st.integers(block * BLOCK, min(size, (block + 1) * BLOCK) - 1)))
    touched: set[int] = set()
    for one, other in data.draw(st.lists(st.tuples(places, places), max_size=6)):
        begin, end = min(one, other), max(one, other) + 1
        blocks = set(range(begin // BLOCK, (end - 1) // BLOCK + 1))
        assert touch(guards, 1, begin, end) == (not blocks & bad)
        touched |= blocks
        damage = first_damage(guards)
        assert (damage is not None) == bool(touched & bad)
        assert damage is None or (damage[0] == 1 and damage[1] in touched & bad)
    expected = [UNSEEN if i not in touched else DAMAGED if i in bad else SOUND for i in range(len(found.seen))]
    assert found.seen == expected


@pytest.mark.parametrize(("begin", "end"), [(-1, 4), (0, BLOCK + 11), (BLOCK, 1 << 40), (-(1 << 40), 1)])
def test_a_range_outside_the_payload_is_refused(begin: int, end: int) -> None:
    """Damaged tables may ask for anything; nothing is read for it."""
    found = file(BLOCK + 10)
    assert not touch(guard([found.guarded]), 0, begin, end)
    assert found.seen == [UNSEEN, UNSEEN]


def test_items_are_found_behind_the_head_of_their_array() -> None:
    """With items of four bytes behind 128, the item at 16,352 begins the second block."""
    found = file(3 * BLOCK, data=128)
    guards = guard([found.guarded])
    first = (BLOCK - 128) // 4
    assert touch_items(guards, 0, first, first + 1, 4)
    assert found.seen == [UNSEEN, SOUND, UNSEEN]
    assert touch_items(guards, 0, first - 1, first, 4)
    assert found.seen == [SOUND, SOUND, UNSEEN]
    found.damage(3 * BLOCK - 1)
    assert not touch_items(guards, 0, first, (3 * BLOCK - 128) // 4, 4)
    assert first_damage(guards) == (0, 2)


def test_arrays_in_memory_are_trusted() -> None:
    """No checksum, no block, no bounds."""
    guards = trusted(2)
    assert touch(guards, 1, 0, 1 << 40)
    assert touch_items(guards, 0, 3, 9, 4)
    assert first_damage(guards) is None


def test_the_first_section_with_damage_is_named_first() -> None:
    """Of each section the block that was touched first."""
    sections = [file(3 * BLOCK, seed) for seed in (1, 2, 3)]
    guards = guard([section.guarded for section in sections])
    for section, block in ((2, 0), (1, 2), (1, 0)):
        sections[section].damage(block * BLOCK)
        assert not touch(guards, section, block * BLOCK, block * BLOCK + 1)
    assert first_damage(guards) == (1, 2)
