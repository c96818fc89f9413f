"""A writer that is killed at any instant: a published generation answers, and the next addition clears up.

Every work is killed before and after its calls that change the disk (fsync, rename, unlink, rmdir, mkdir, truncate),
one call after the other, and at random instants.
"""

from __future__ import annotations

import copy
import random
import shutil
import signal
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from oracle.killing import NEXT, WORKS, Nursery, base, do, nursery, states
from oracle.planned import unit
from oracle.pool import QUERIES
from oracle.store_model import Model, answers
from oracle.tidy import MEMORY, holds_nothing_else, said

from codecite.indexer import open_index
from codecite.indexer.build import add
from codecite.indexer.store.verify import verify


@dataclass(frozen=True)
class Scene:
    """An index before a work, what it may hold after a kill, and what it must answer with the next addition."""

    index: Path
    states: list[Model]
    before: list[list[str]]
    after: list[list[str]]
    done: list[str]
    points: int
    seconds: float


@pytest.fixture(scope="module")
def place() -> Iterator[Path]:
    """A folder in memory, where the machine has one: nothing here asks for a disk."""
    with tempfile.TemporaryDirectory(dir=MEMORY) as directory:
        yield Path(directory)


@pytest.fixture(scope="module")
def forks() -> Iterator[Nursery]:
    """The process that forks writers."""
    with nursery() as found:
        yield found


@pytest.fixture(scope="module")
def scenes(place: Path, forks: Nursery) -> dict[str, Scene]:
    """For each work, its Scene; each work was done once to its end."""
    original = place / "base"
    model = base(original)
    found = {}
    for work in WORKS:
        whole = place / f"{work}-whole"
        shutil.copytree(original, whole)
        ended = forks.order(whole, work)
        assert ended["status"] == 0
        possible = states(work, model)
        followed = copy.deepcopy(possible)
        for state in followed:
            state.add(NEXT, sync=False)
        before, after = ([said(place, state) for state in group] for group in (possible, followed))
        assert answers(open_index(whole), QUERIES) == before[-1]
        found[work] = Scene(original, possible, before, after, after[-1], ended["points"], ended["seconds"])
    return found


def survives(scene: Scene, work: str, forks: Nursery, *, point: int = 0, after: float = 0.0) -> bool:
    """Kill the work, and look: True if it was killed before its end."""
    index = scene.index.parent / "killed"
    shutil.copytree(scene.index, index)
    ended = forks.order(index, work, point=point, after=after)
    assert ended["status"] in (0, signal.SIGKILL)
    opened = open_index(index)
    answered = answers(opened, QUERIES)
    assert answered in scene.before
    state = scene.before.index(answered)
    figures = scene.states[state].figures()
    (coverage,) = opened.coverage
    assert (coverage.documents, coverage.bytes) == (figures["documents"], figures["bytes"])
    assert verify(index).problems == ()
    add(index, [unit(plan) for plan in NEXT])
    assert answers(open_index(index), QUERIES) == scene.after[state]
    holds_nothing_else(index)
    do(work, index)
    assert answers(open_index(index), QUERIES) == scene.done
    assert verify(index).problems == ()
    shutil.rmtree(index)
    return bool(ended["status"] == signal.SIGKILL)


@pytest.mark.parametrize("work", WORKS)
def test_a_kill_at_a_call_that_changes_the_disk_loses_nothing(
    work: str, scenes: dict[str, Scene], forks: Nursery
) -> None:
    """At an eighth of all calls, evenly spread, and at the last dozen, where it publishes and clears up."""
    scene = scenes[work]
    points = sorted({*range(1, scene.points + 1, 8), *range(scene.points - 12, scene.points + 1)})
    assert sum(survives(scene, work, forks, point=point) for point in points) == len(points)


@pytest.mark.slow
@pytest.mark.parametrize("work", WORKS)
def test_a_kill_at_any_call_that_changes_the_disk_loses_nothing(
    work: str, scenes: dict[str, Scene], forks: Nursery
) -> None:
    """At every single one."""
    scene = scenes[work]
    assert scene.points > 20
    for point in range(1, scene.points + 1):
        assert survives(scene, work, forks, point=point)


@pytest.mark.parametrize("work", WORKS)
def test_a_kill_at_a_random_instant_loses_nothing(work: str, scenes: dict[str, Scene], forks: Nursery) -> None:
    """From the fork to the end."""
    chosen = random.Random(work)
    for _ in range(10):
        survives(scenes[work], work, forks, after=chosen.uniform(0.001, scenes[work].seconds))


@pytest.mark.slow
@pytest.mark.parametrize("work", WORKS)
def test_kills_at_many_random_instants_lose_nothing(work: str, scenes: dict[str, Scene], forks: Nursery) -> None:
    """A hundred times; most of them come before the end."""
    chosen = random.Random(f"many {work}")
    instants = [chosen.uniform(0.001, scenes[work].seconds) for _ in range(100)]
    assert sum(survives(scenes[work], work, forks, after=after) for after in instants) > 50
