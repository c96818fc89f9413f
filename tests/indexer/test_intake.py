"""Units in, files out: the intake keeps what a plain recursive reading of the same units would keep."""

from __future__ import annotations

import hashlib
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from codecite.indexer import intake
from codecite.indexer.corpus.units import Item, Pending, Unit
from codecite.indexer.errors import SourceError
from codecite.indexer.intake import Intake
from codecite.indexer.records import Package, Skipped, SkipReason, SourceFile
from codecite.indexer.store.origins import NewOrigin

FILES = ["given", "pending", "slow"]
BREAKS = ["raises", "breaks late"]
OTHERS = ["old", "known", "empty", "skipped", "skipped late", "error"]


@dataclass(frozen=True)
class Plan:
    """A unit by what it gives: words for files, Plans for units; `state` says what the Keeper thinks of it."""

    name: str
    whole: bool
    fingerprint: bool
    state: str
    items: tuple[str | Plan, ...]

    @property
    def package(self) -> Package:
        """Its Package."""
        return Package("source", purl=self.name, fingerprint=self.name if self.fingerprint else None)

    def unit(self) -> Unit:
        """The Unit."""
        return Unit(self.package, self._files, whole=self.whole)

    def _files(self) -> Iterator[Item]:
        for i, item in enumerate(self.items):
            path = f"{self.name}/{i}"
            if isinstance(item, Plan):
                yield item.unit()
            elif item == "raises":
                raise SourceError(path)
            elif item == "error":
                yield SourceError(path)
            elif item == "skipped":
                yield Skipped(path, SkipReason.BINARY)
            elif item in ("given", "known", "empty"):
                yield SourceFile(path, b"" if item == "empty" else item.encode())
            else:
                yield Pending(path, 7, lambda path=path, item=item: load(path, item), stamp(item))  # type: ignore[misc]


def load(path: str, item: str) -> SourceFile | Skipped:
    """What a file that is pending turns out to be."""
    if item == "slow":
        time.sleep(0.002)
    if item == "breaks late":
        raise SourceError(path)
    if item == "skipped late":
        return Skipped(path, SkipReason.UNREADABLE)
    assert item != "old", "a file that is unchanged was loaded"
    return SourceFile(path, item.encode())


def stamp(item: str) -> int:
    """1 for what is in already."""
    return {"old": 1, "slow": 2}.get(item, 0)


@dataclass
class Kept:
    """A Keeper that writes down what it is told, and answers as the Plans say."""

    states: dict[str | None, str] = field(default_factory=dict)
    commits: list[list[str]] = field(default_factory=list)
    completed: list[str | None] = field(default_factory=list)
    failed: list[str] = field(default_factory=list)
    skips: list[str] = field(default_factory=list)
    taken: list[tuple[str, bytes, int]] = field(default_factory=list)

    def is_known(self, package: Package) -> bool:
        """Only Packages with a fingerprint are asked for."""
        assert package.fingerprint is not None
        return self.states.get(package.purl) == "known"

    def refused(self, package: Package) -> Skipped | None:
        """As planned."""
        refused = self.states.get(package.purl) == "refused"
        return Skipped(str(package.purl), SkipReason.TAKEN_DOWN) if refused else None

    def unchanged(self, files: list[tuple[Package, Pending]]) -> list[bool]:
        """Those with the stamp 1."""
        return [pending.stamp == 1 for _, pending in files]

    def take(self, package: Package, file: SourceFile, digest: bytes, stamp: int) -> NewOrigin | None:
        """An Origin, unless the content says that it is known."""
        self.taken.append((file.path, digest, stamp))
        if file.content == b"known":
            return None
        return NewOrigin(package, digest, file.path, "", "", "", "", "", 0, stamp)

    def skip(self, package: Package, file: Skipped) -> None:
        """Write it down."""
        self.skips.append(file.path)

    def fail(self, package: Package, error: SourceError) -> None:
        """Write it down."""
        assert str(error).startswith(f"{package.purl}/")
        self.failed.append(str(error))

    def commit(self, origins: list[NewOrigin]) -> None:
        """Write them down."""
        self.commits.append([origin.path for origin in origins])

    def complete(self, package: Package) -> None:
        """Write it down."""
        self.completed.append(package.purl)


@dataclass
class Expected:
    """What a plain reading of a Plan gives: lists of paths and names; one of each group in `breaks` is named."""

    origins: list[str] = field(default_factory=list)
    completed: list[str] = field(default_factory=list)
    breaks: list[list[str]] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)
    skips: list[str] = field(default_factory=list)
    lost_skips: list[str] = field(default_factory=list)
    sound: bool = True


def expected(plan: Plan) -> Expected:
    """Read a Plan without threads, frames and windows."""
    found = Expected()
    if plan.fingerprint and plan.state == "known":
        return found
    refused = plan.state == "refused"
    broke: list[str] = []
    own_error = False
    for i, item in enumerate(plan.items):
        path = f"{plan.name}/{i}"
        if isinstance(item, Plan):
            inner = expected(item)
            for name in ("origins", "completed", "breaks", "errors", "skips", "lost_skips"):
                getattr(found, name).extend(getattr(inner, name))
            found.sound &= inner.sound
        elif refused and item not in ("error", "raises"):
            continue
        elif item in FILES:
            found.origins.append(path)
        elif item == "error":
            found.errors.append(path)
            own_error = True
        elif item in BREAKS:
            broke.append(path)
        elif item not in ("old", "known"):
            found.skips.append(path)
        if item == "raises":
            break
    found.breaks += [broke] if broke else []
    found.sound &= not broke and not own_error
    if broke and plan.whole:
        found.origins, found.completed = [], []
        found.lost_skips += found.skips
        found.skips = []
    elif found.sound and plan.fingerprint and not refused:
        found.completed.append(plan.name)
    found.skips += [plan.name] if refused else []
    return found


@st.composite
def plans(draw: st.DrawFn) -> list[Plan]:
    """A few units, some inside others, with names of their own."""
    count = 0

    def plan(depth: int) -> Plan:
        nonlocal count
        count += 1
        name = f"unit{count}"
        words = st.sampled_from(FILES * 3 + OTHERS + (BREAKS if draw(st.integers(0, 3)) == 0 else []))
        items: list[str | Plan] = []
        for _ in range(draw(st.integers(0, 6))):
            deeper = depth < 3 and draw(st.integers(0, 3)) == 0
            items.append(plan(depth + 1) if deeper else draw(words))
        state = draw(st.sampled_from(["new"] * 6 + ["known", "refused"]))
        return Plan(name, draw(st.booleans()), draw(st.booleans()), state, tuple(items))

    return [plan(0) for _ in range(draw(st.integers(1, 3)))]


def states_of(plan: Plan) -> dict[str | None, str]:
    """The state of each unit in a Plan."""
    inner = [states_of(item) for item in plan.items if isinstance(item, Plan)]
    return {plan.name: plan.state, **{name: state for states in inner for name, state in states.items()}}


def read(chosen: list[Plan], workers: int = 3) -> Kept:
    """What a Keeper is told of these units."""
    kept = Kept({name: state for plan in chosen for name, state in states_of(plan).items()})
    with ThreadPoolExecutor(workers) as executor:
        Intake(kept, executor).read([plan.unit() for plan in chosen])
    return kept


@given(plans(), st.integers(1, 4), st.integers(0, 3), st.integers(1, 3))
def test_what_is_kept_is_what_a_plain_reading_keeps(chosen: list[Plan], files: int, ahead: int, workers: int) -> None:
    """Wherever units break, whatever is loaded when, however far ahead of the reader."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(intake, "_CHUNK_FILES", files)
        patch.setattr(intake, "_AHEAD_CHUNKS", ahead)
        kept = read(chosen, workers)
    wanted = [expected(plan) for plan in chosen]
    assert sorted(path for commit in kept.commits for path in commit) == sorted(
        path for item in wanted for path in item.origins
    )
    assert sorted(map(str, kept.completed)) == sorted(name for item in wanted for name in item.completed)
    errors = [path for item in wanted for path in item.errors]
    groups = [group for item in wanted for group in item.breaks]
    assert len(kept.failed) == len(errors) + len(groups)
    assert set(errors) <= set(kept.failed)
    assert all(len(set(group) & set(kept.failed)) == 1 for group in groups)
    assert len(kept.skips) == len(set(kept.skips))
    skips = {path for item in wanted for path in item.skips}
    assert skips <= set(kept.skips) <= skips | {path for item in wanted for path in item.lost_skips}
    for plan in chosen:
        batches = [commit for commit in kept.commits if any(belongs(path, plan) for path in commit)]
        assert len(batches) <= 1 or not plan.whole, "a unit that is whole came in parts"


def belongs(path: str, plan: Plan) -> bool:
    """Whether a file stands in a unit or in one inside it."""
    return path.split("/")[0] in states_of(plan)


def test_a_file_that_breaks_long_after_it_was_given_takes_its_unit_with_it() -> None:
    """Its neighbours before and behind it, and units inside; the unit around it and the next one stay."""
    inner = Plan("inner", True, True, "new", ("given", "pending"))
    broken = Plan("broken", True, True, "new", ("given", *["pending"] * 40, "breaks late", inner, *["slow"] * 40))
    tree = Plan("tree", False, True, "new", ("given", broken, "pending"))
    kept = read([tree, Plan("next", True, True, "new", ("pending",))])
    assert sorted(path for commit in kept.commits for path in commit) == ["next/0", "tree/0", "tree/2"]
    assert (kept.completed, kept.failed) == (["next"], ["broken/41"])


def test_an_error_that_is_given_costs_only_what_it_stands_for() -> None:
    """The unit is kept, but it and those around it are read again the next time."""
    rows = Plan("rows", True, True, "new", ("given", "error", "pending"))
    kept = read([Plan("archive", True, True, "new", (rows, Plan("sound", True, True, "new", ("given",))))])
    assert sorted(path for commit in kept.commits for path in commit) == ["rows/0", "rows/2", "sound/0"]
    assert (kept.completed, kept.failed) == (["sound"], ["rows/1"])


def test_what_a_tree_holds_is_kept_while_it_is_read() -> None:
    """Each file and unit in it stands for itself, so nothing waits for the end of a large one."""
    kept = Kept()
    seen = []

    def files() -> Iterator[Item]:
        for name in ("one", "two"):
            yield SourceFile(f"{name}.py", b"x")
            yield Plan(name, True, True, "new", ("given", "given")).unit()
            seen.append(([path for commit in kept.commits for path in commit], list(kept.completed)))

    with ThreadPoolExecutor(1) as executor:
        Intake(kept, executor).read([Unit(Package("tree"), files, whole=False)])
    first = ["one.py", "one/0", "one/1"]
    assert seen == [(first, ["one"]), ([*first, "two.py", "two/0", "two/1"], ["one", "two"])]


def test_only_so_much_is_loaded_ahead_of_the_reader() -> None:
    """Files of 16 MiB: some are in memory at the same time, never all."""
    lock, alive, most = threading.Lock(), 0, 0

    def load(number: int) -> Callable[[], SourceFile]:
        def read_it() -> SourceFile:
            nonlocal alive, most
            with lock:
                alive += 1
                most = max(most, alive)
            return SourceFile(str(number), b"x")

        return read_it

    class Slow(Kept):
        """A Keeper that takes its time."""

        def take(self, package: Package, file: SourceFile, digest: bytes, stamp: int) -> NewOrigin | None:
            nonlocal alive
            with lock:
                alive -= 1
            time.sleep(0.001)
            return super().take(package, file, digest, stamp)

    kept = Slow()
    found = [Pending(str(number), 16 << 20, load(number)) for number in range(60)]
    with ThreadPoolExecutor(4) as executor:
        Intake(kept, executor).read([Unit(Package("big"), lambda: iter(found))])
    assert [path for commit in kept.commits for path in commit] == [str(number) for number in range(60)]
    assert 1 < most <= 6


def test_a_document_has_the_digest_that_git_gives_its_blob(tmp_path: Path, require: Callable[..., None]) -> None:
    """Whether it was given or loaded, with its stamp."""
    require("git")
    kept = read([Plan("unit", True, False, "new", ("given", "slow"))])
    for (path, digest, number), content in zip(sorted(kept.taken), (b"given", b"slow"), strict=True):
        said = subprocess.run(["git", "hash-object", "--stdin"], input=content, capture_output=True, check=True)
        assert (path, digest.hex()) == (path, said.stdout.decode().strip())
        assert digest == hashlib.sha1(b"blob %d\0" % len(content) + content, usedforsecurity=False).digest()
        assert number == (2 if content == b"slow" else 0)


def test_an_error_that_is_none_of_ours_comes_through() -> None:
    """A bug in a reader is not taken for a source that cannot be read."""

    def load() -> SourceFile:
        raise RuntimeError("a bug")

    with ThreadPoolExecutor(1) as executor, pytest.raises(RuntimeError, match="a bug"):
        Intake(Kept(), executor).read([Unit(Package("unit"), lambda: iter([Pending("a", 1, load)]))])
