"""However an index came to hold what it holds, its answers are those of one made of that in one go.

A state machine adds, breaks off, adds again, syncs, takes out, merges, compacts and opens again, beside a dictionary
(`oracle/store_model.py`), with limits so small that a handful of files fills Segments, batches and tiers.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule
from oracle.library import read
from oracle.planned import Fault, File, Plan, parts, unit
from oracle.pool import CONTENTS, KINDS, LICENSES, PATHS, QUERIES, RULES, SOURCES, package
from oracle.store_model import Model, answers
from oracle.tidy import MEMORY, holds_nothing_else

from codecite.indexer import intake, making, open_index
from codecite.indexer.build import add
from codecite.indexer.index import Index
from codecite.indexer.records import Skipped, SkipReason
from codecite.indexer.store import tiers, writer
from codecite.indexer.store.manifest import read_manifest
from codecite.indexer.store.spool import PostingSpool
from codecite.indexer.store.verify import verify
from codecite.indexer.upkeep import compact, remove

SMALL = {
    (making, "MAX_CANONICAL"): [800, 2000, making.MAX_CANONICAL],
    (making, "SAMPLE_BYTES"): [1000, 40_000],
    (making, "_BATCH"): [300, 5000],
    (making, "_MAX_ORIGINS"): [1, 3, making._MAX_ORIGINS],
    (making, "_MAX_PACKAGES"): [2, making._MAX_PACKAGES],
    (tiers, "FANOUT"): [2, 3, tiers.FANOUT],
    (tiers, "_SMALLEST"): [200, tiers._SMALLEST],
    (tiers, "MAX_CANONICAL"): [2500, tiers.MAX_CANONICAL],
    (tiers, "MAX_ORIGINS"): [2, tiers.MAX_ORIGINS],
    (intake, "_CHUNK_FILES"): [1, 2, intake._CHUNK_FILES],
    (intake, "_AHEAD_CHUNKS"): [0, 2],
    (writer, "PostingSpool"): [partial(PostingSpool, budget=300), PostingSpool],
}
"""Limits of the writer, and values to choose from."""


@st.composite
def plans(draw: st.DrawFn, source: str, depth: int) -> Plan:
    """A unit of a source, with files and, above `depth` 0, units in it."""
    files = st.builds(
        File,
        path=st.sampled_from(PATHS),
        content=st.sampled_from(CONTENTS),
        license=st.sampled_from(LICENSES),
        pending=st.booleans(),
        stamped=st.booleans(),
    )
    item: st.SearchStrategy[Any] = files | files | st.just(Skipped("b", SkipReason.BINARY))
    if depth:
        item |= plans(source, depth - 1)
    return Plan(
        package(source, draw(st.integers(0, len(KINDS) - 1)), draw(st.sampled_from(LICENSES))),
        tuple(draw(st.lists(item, max_size=6))),
        whole=draw(st.booleans()),
        printed=draw(st.booleans()),
    )


def with_fault(plan: Plan, place: int, fault: Fault) -> Plan:
    """The Plan with a fault somewhere in it, `place` says where."""
    places = [(part, at) for part in parts(plan) for at in range(len(part.items) + 1)]
    chosen, at = places[place % len(places)]

    def changed(part: Plan) -> Plan:
        items = tuple(changed(item) if isinstance(item, Plan) else item for item in part.items)
        return replace(part, items=(*items[:at], fault, *items[at:]) if part is chosen else items)

    return changed(plan)


class Store(RuleBasedStateMachine):
    """An index and the dictionary that it must agree with."""

    def __init__(self) -> None:
        super().__init__()
        self.place = Path(tempfile.mkdtemp(dir=MEMORY))
        self.directory = self.place / "index"
        self.model = Model()
        self.plans: list[Plan] = []
        self.held: tuple[Index, list[str]] | None = None
        self.small: dict[tuple[Any, str], Any] = {}
        self.seed = 0

    def teardown(self) -> None:
        """Leave nothing."""
        shutil.rmtree(self.place)

    @initialize(chosen=st.fixed_dictionaries({key: st.sampled_from(values) for key, values in SMALL.items()}))
    def begin(self, chosen: dict[tuple[Any, str], Any]) -> None:
        """An empty index, and the limits it is written with."""
        self.small = chosen
        add(self.directory, [])

    @contextmanager
    def limits(self) -> Iterator[None]:
        """Write with small limits."""
        with pytest.MonkeyPatch.context() as patched:
            for (module, name), value in self.small.items():
                patched.setattr(module, name, value)
            yield

    def add(self, chosen: list[Plan], *, sync: bool) -> None:
        """Add to both sides."""
        chosen = self.model.likely(chosen)
        with self.limits():
            result = add(self.directory, [unit(plan) for plan in chosen], sync=sync)
        failures, unsynced = self.model.add(chosen, sync=sync)
        assert len(result.failures) == failures
        assert set(result.unsynced) == unsynced

    @rule(new=st.lists(st.sampled_from(SOURCES).flatmap(partial(plans, depth=2)), min_size=1, max_size=3))
    def adds(self, new: list[Plan]) -> None:
        """New units."""
        self.plans += new
        self.add(new, sync=False)

    @precondition(lambda self: self.plans)
    @rule(numbers=st.lists(st.integers(0, 9), min_size=1, max_size=2), sync=st.booleans())
    def adds_again(self, numbers: list[int], sync: bool) -> None:
        """Units that were there before, and may be or have gone since; with `sync`, others of their sources go."""
        self.add([self.plans[number % len(self.plans)] for number in numbers], sync=sync)

    @precondition(lambda self: self.plans)
    @rule(number=st.integers(0, 9), license=st.sampled_from(LICENSES), sync=st.booleans())
    def adds_what_has_another_license_now(self, number: int, license: str | None, sync: bool) -> None:
        """The same files at the same places."""
        plan = self.plans[number % len(self.plans)]
        said = package(plan.package.source, 0, license).evidence
        self.add([replace(plan, package=replace(plan.package, evidence=said))], sync=sync)

    @rule(
        new=st.sampled_from(SOURCES).flatmap(partial(plans, depth=2)),
        place=st.integers(0, 40),
        fault=st.sampled_from(list(Fault)),
        again=st.lists(st.integers(0, 9), max_size=1),
        sync=st.booleans(),
    )
    def adds_what_breaks(self, new: Plan, place: int, fault: Fault, again: list[int], sync: bool) -> None:
        """Something is wrong with one of the units; it may be added again when it is mended."""
        self.plans.append(new)
        old = [self.plans[number % len(self.plans)] for number in again]
        self.add([with_fault(new, place, fault), *old], sync=sync)

    @precondition(lambda self: self.plans)
    @rule(source=st.sampled_from(SOURCES))
    def syncs_a_source_that_is_empty_now(self, source: str) -> None:
        """All of it goes."""
        self.add([Plan(package(source, 4, None), whole=False)], sync=True)

    @precondition(lambda self: len(self.model.rules) < 3)
    @rule(numbers=st.lists(st.integers(0, len(RULES) - 1), min_size=1, max_size=2, unique=True), dry=st.booleans())
    def removes(self, numbers: list[int], dry: bool) -> None:
        """Take out, or only say what would go."""
        chosen = [RULES[number] for number in numbers]
        gone, lost, kept = self.model.hidden(chosen)
        before = (self.directory / "manifest.json").read_bytes()
        with self.limits():
            result = remove(self.directory, [item.takedown for item in chosen], dry_run=dry)
        assert (result.documents, result.kept) == (lost, kept)
        assert set(result.packages) == {seen.project for seen in gone}
        if dry:
            assert (self.directory / "manifest.json").read_bytes() == before
        else:
            self.model.remove(chosen)

    @rule()
    def compacts(self) -> None:
        """Merge everything, erase what is removed."""
        with self.limits():
            compact(self.directory)

    @rule()
    def holds_what_is_open(self) -> None:
        """From here on, this Index is asked at each step."""
        index = open_index(self.directory)
        self.held = index, answers(index, QUERIES[:2])

    @rule(sources=st.integers(0, 3))
    def equals_the_brute_force(self, sources: int) -> None:
        """Spans, counts and licenses are the oracle's; sources are compared elsewhere, ties included."""
        oracle = self.model.oracle()
        index = open_index(self.directory)
        for before, text, after in QUERIES[1:]:
            expected = oracle.check(text, before, after, 0)
            assert read(index.check(text, before=before, after=after, sources=0).to_dict()) == expected

    @invariant()
    def answers_as_if_made_at_once(self) -> None:
        """The same JSON, the same figures, no damage, nothing left over; what is held answers as before."""
        if not self.small:
            return
        self.seed += 1
        made = self.place / "made"
        self.model.write(made, self.seed)
        index, fresh = open_index(self.directory), open_index(made)
        for sources in (2, 50):
            assert answers(index, QUERIES, sources) == answers(fresh, QUERIES, sources)
        (said,) = index.check("").to_dict()["indexes"]
        assert {name: said[name] for name in ("documents", "bytes", "sources")} == self.model.figures()
        (ours,), (theirs,) = index.stats(), fresh.stats()
        assert ours.licenses == theirs.licenses
        shutil.rmtree(made)
        assert verify(self.directory).problems == ()
        holds_nothing_else(self.directory)
        if self.held is not None:
            assert answers(self.held[0], QUERIES[:2]) == self.held[1]


DEEP = os.environ.get("CODECITE_HYPOTHESIS") == "deep"
Store.TestCase.settings = settings(
    max_examples=200 if DEEP else 20,
    stateful_step_count=30 if DEEP else 20,
    derandomize=not DEEP,
    phases=tuple(Phase) if DEEP else (Phase.generate,),  # to find a smaller case takes minutes
    deadline=None,
    suppress_health_check=list(HealthCheck),
)
TestStore = Store.TestCase


@contextmanager
def history(**small: Any) -> Iterator[Store]:
    """A Store to write a history of, held against the model at its end; `small` are limits by module and name."""
    store = Store()
    try:
        modules = {"making": making, "tiers": tiers}
        store.begin(chosen={(modules[name.partition("_")[0]], name.partition("_")[2]): small[name] for name in small})
        yield store
        store.small = {(making, "_BATCH"): making._BATCH}
        store.answers_as_if_made_at_once()
    finally:
        store.teardown()


ONE, TWO = package("/one", 0, "MIT"), package("/two", 1, None)
FILES = tuple(File(f"{number}.py", CONTENTS[number]) for number in range(2, 8))


def archive(*files: File, source: str = "/one") -> Plan:
    """What an archive is: a unit that has a fingerprint and holds nothing but the Package in it."""
    return Plan(package(source, 4, None), (Plan(package(source, 2, "MIT"), files),), printed=True)


def test_a_document_that_only_another_segment_still_names_survives_compaction() -> None:
    """Its own Segment has no Origin left, and is merged alone."""
    with history(tiers_MAX_CANONICAL=10) as store:
        store.add([Plan(ONE, FILES[:1])], sync=False)
        store.add([Plan(TWO, FILES[:2])], sync=False)
        store.add([Plan(ONE, FILES[3:])], sync=True)
        store.compacts()


@pytest.mark.parametrize("whole", [True, False])
@pytest.mark.parametrize("limit", [{"making__MAX_ORIGINS": 2}, {"making_MAX_CANONICAL": 500}])
def test_a_package_that_stands_in_several_segments_survives_a_sync(whole: bool, limit: dict[str, int]) -> None:
    """It is not read again, and nothing of it is taken for gone."""
    with history(**limit) as store:
        plan = Plan(ONE, FILES, whole, printed=True)
        store.add([plan], sync=False)
        store.add([plan], sync=True)


@pytest.mark.parametrize("compacted", [True, False])
@pytest.mark.parametrize("rule", [4, 5])
def test_what_a_takedown_left_of_an_archive_survives_a_sync(rule: int, compacted: bool) -> None:
    """One file of it is out; the others were there all the time."""
    with history() as store:
        plan = archive(*FILES, File("secret/a.py", CONTENTS[9]))
        store.add([plan], sync=False)
        store.removes([rule], dry=False)
        if compacted:
            store.compacts()
        store.add([plan], sync=True)


@pytest.mark.parametrize("compacted", [True, False])
def test_an_archive_that_went_and_came_back_is_read_again(compacted: bool) -> None:
    """A sync took it out in the meantime."""
    with history() as store:
        store.add([archive(*FILES)], sync=False)
        store.syncs_a_source_that_is_empty_now("/one")
        if compacted:
            store.compacts()
        store.add([archive(*FILES)], sync=True)


@pytest.mark.parametrize("order", [("MIT", "GPL-3.0-only", None), (None, "GPL-3.0-only", "MIT")])
def test_of_several_licenses_at_one_place_the_same_is_shown_whatever_came_first(order: tuple[str | None, ...]) -> None:
    """A tree was added again when its licence had changed."""
    with history() as store:
        for license in order:
            store.add([Plan(package("/one", 0, license), FILES[:2])], sync=False)
            store.add([Plan(package("/one", 3, "MIT"), (replace(FILES[2], license=license),))], sync=False)


def test_a_copy_that_comes_when_a_segment_is_full_is_not_stored_again() -> None:
    """It is in that Segment already."""
    with history(making_MAX_CANONICAL=len(CONTENTS[5]) + len(CONTENTS[6]) + 20) as store:
        copy = replace(FILES[3], path="copy.py")
        store.add([Plan(ONE, (FILES[3], FILES[4], copy))], sync=False)
        assert len(read_manifest(store.directory).segments) == 1
