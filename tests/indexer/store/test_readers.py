"""Readers while others write: each answer is that of one generation, and an Index that is held does not change."""

from __future__ import annotations

import copy
import json
import random
import subprocess
import sys
import tempfile
import threading
from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import pytest
from oracle.killing import BASE, MORE, base, small
from oracle.planned import Plan, unit
from oracle.pool import QUERIES, RULES, SOURCES, package
from oracle.store_model import Model, answers
from oracle.tidy import MEMORY, said
from oracle.watching import digest, look

from codecite.indexer import making, open_index
from codecite.indexer.build import add
from codecite.indexer.store import tiers, writer
from codecite.indexer.store.manifest import read_manifest
from codecite.indexer.store.verify import verify
from codecite.indexer.upkeep import compact, remove


@pytest.fixture(autouse=True)
def small_limits(monkeypatch: pytest.MonkeyPatch) -> None:
    """Small Segments, merged soon; undone after the test."""
    for module, name in ((making, "MAX_CANONICAL"), (making, "_BATCH"), (tiers, "FANOUT"), (writer, "PostingSpool")):
        monkeypatch.setattr(module, name, getattr(module, name))
    small()


@pytest.fixture
def place() -> Iterator[Path]:
    """A folder in memory, where the machine has one."""
    with tempfile.TemporaryDirectory(dir=MEMORY) as directory:
        yield Path(directory)


@dataclass
class History:
    """An index that is written to, and the digests that each of its generations may answer with."""

    place: Path
    model: Model
    allowed: dict[int, set[str]] = field(default_factory=dict)
    sure: dict[int, str] = field(default_factory=dict)

    @property
    def index(self) -> Path:
        """Where it lies."""
        return self.place / "index"

    def change(self, write: Callable[[], object], *steps: Callable[[Model], object]) -> None:
        """Write, and note what the generations published by that may answer: what the steps lead to, one by one."""
        before = read_manifest(self.index).generation
        possible = {self.said(self.model)}
        after = copy.deepcopy(self.model)
        for step in steps:
            step(after)
            possible.add(self.said(after))
        for generation in range(before + 1, before + 40):
            self.allowed[generation] = possible
        write()
        self.model = after
        self.sure[read_manifest(self.index).generation] = self.said(after)

    def said(self, model: Model) -> str:
        """The digest of what an index of that state answers."""
        return digest(said(self.place, model))

    def add(self, plans: list[Plan], *, sync: bool) -> None:
        """Add, one plan after the other for a reader, and sync in the end."""
        steps: list[Callable[[Model], object]] = [
            lambda model, end=end: model.add(plans[:end], sync=False) for end in range(1, len(plans) + 1)
        ]
        if sync:
            steps.append(lambda model: model.add(plans, sync=True))
        self.change(lambda: add(self.index, [unit(plan) for plan in plans], sync=sync), *steps)


def everything(history: History) -> None:
    """Dozens of publishes of every kind: additions with merges, syncs, removals, compactions."""
    chosen = random.Random(7)
    plans = [*BASE, *MORE]
    for turn in range(12):
        source = chosen.choice(SOURCES)
        history.add(chosen.sample(plans, 2), sync=False)
        history.add([Plan(package(source, 4, None), whole=False), chosen.choice(plans)], sync=True)
        if turn % 4 == 1:
            rule = RULES[1 + turn // 4]
            history.change(
                partial(remove, history.index, [rule.takedown]), lambda model, rule=rule: model.remove([rule])
            )
        if turn % 3 == 0:
            history.change(lambda: compact(history.index))


def test_readers_see_one_generation_whole_while_others_are_published(place: Path) -> None:
    """Threads and a process, in a loop: no error, and the same answer from everyone who saw a generation."""
    history = History(place, base(place / "index"))
    history.sure[read_manifest(history.index).generation] = history.said(history.model)
    seen: dict[int, set[str]] = defaultdict(set)
    failures: list[BaseException] = []
    done = threading.Event()

    def reads() -> None:
        try:
            while not done.is_set():
                generation, answered = look(history.index)
                seen[generation].add(answered)
                assert verify(history.index).problems == ()
        except BaseException as error:  # noqa: BLE001 - a thread cannot raise into the test
            failures.append(error)

    with subprocess.Popen(
        [sys.executable, "-m", "oracle.watching", str(history.index)],
        cwd=Path(__file__).parents[2],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        lines = [process.stdout.readline()]
        threads = [threading.Thread(target=reads) for _ in range(2)]
        for thread in threads:
            thread.start()
        try:
            everything(history)
        finally:
            done.set()
            for thread in threads:
                thread.join()
            rest, errors = process.communicate()
    assert failures == []
    assert (process.returncode, errors) == (0, "")
    lines += rest.splitlines()
    for generation, answered in map(json.loads, lines):
        seen[generation].add(answered)
    assert len(lines) > 5
    assert len(seen) > 15
    for generation, answered in seen.items():
        assert len(answered) == 1
        assert answered <= history.allowed.get(generation, answered)
        assert history.sure.get(generation) in (None, *answered)


def test_an_index_that_is_held_answers_as_before_through_everything(place: Path) -> None:
    """Its Segments are merged and deleted, what it shows is taken out: its answers and figures stay."""
    history = History(place, base(place / "index"))
    held = []
    for _ in range(2):
        index = open_index(history.index)
        held.append((index, [answers(index, QUERIES), index.stats()[0].documents, index.stats()[0].licenses]))
        everything(history)
        compact(history.index)
    for index, before in held:
        assert [answers(index, QUERIES), index.stats()[0].documents, index.stats()[0].licenses] == before
    (first,) = held[0][0].coverage
    (last,) = open_index(history.index).coverage
    assert last.generation > first.generation + 30
