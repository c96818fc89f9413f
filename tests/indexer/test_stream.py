"""Texts checked while they are written: however they are cut, the Report and the events are those of one check."""

from __future__ import annotations

import dataclasses
import random
import sysconfig
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from codecite.indexer import open_index
from codecite.indexer.build import add
from codecite.indexer.config import GUARANTEE
from codecite.indexer.corpus.sources import read_sources
from codecite.indexer.corpus.units import Reading
from codecite.indexer.errors import TextError
from codecite.indexer.index import Index
from codecite.indexer.lookup.stream import LOOK, GrowingText, State
from codecite.indexer.records import Attribution
from codecite.indexer.stream import StreamChecker

STDLIB = Path(sysconfig.get_paths()["stdlib"])
MODULES = ("textwrap.py", "shlex.py", "bisect.py", "heapq.py", "tokenize.py", "json/decoder.py")
HEADS = ("MIT", "GPL-2.0-only", "Apache-2.0")
POLICY = "permissive-only"


def text_of(name: str) -> str:
    """A module of this Python."""
    return (STDLIB / name).read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def index(tmp_path_factory: pytest.TempPathFactory) -> Index:
    """Modules under three licences; each stands again, cut short, under the next licence, and with other names."""
    tree = tmp_path_factory.mktemp("tree")
    for number, name in enumerate(MODULES):
        whole = text_of(name)
        for turn, part in enumerate(
            (whole, whole[: len(whole) // 2], whole[200:900].replace("self", "this") + "é→日本")
        ):
            path = tree / f"{turn}-{name.replace('/', '-')}"
            path.write_text(f"# SPDX-License-Identifier: {HEADS[(number + turn) % 3]}\n{part}", encoding="utf-8")
    (tree / "ruler.py").write_text("# SPDX-License-Identifier: GPL-2.0-only\n" + "=-" * 90 + "\n", encoding="utf-8")
    directory = tree.parent / "stream-index"
    add(directory, read_sources([str(tree)], installed=False, reading=Reading()))
    return open_index(directory)


@pytest.fixture(scope="module")
def texts() -> list[tuple[str, str]]:
    """Prompts and completions: pieces of modules, noise, rulers and characters of several bytes."""
    chance = random.Random(7)
    made = []
    for _ in range(40):
        parts = []
        for _ in range(chance.randint(1, 5)):
            whole = text_of(chance.choice(MODULES))
            at = chance.randrange(len(whole) - 100)
            parts.append(whole[at : at + chance.randint(20, 1200)])
            parts.append(chance.choice(["", "é→日本🦜\n", "qq = 17\n", "=-" * chance.randint(0, 120), "  \n\n\t"]))
        joined = "".join(parts)
        at = chance.randrange(len(joined) // 2 + 1)
        made.append((joined[:at], joined[at:]))
    return made


def cut_up(text: str | bytes, chance: random.Random) -> Iterator[str | bytes]:
    """The text in pieces of any length, most of them short."""
    at = 0
    while at < len(text):
        end = at + chance.choice([1, 1, 2, 3, 7, 40, 400])
        yield text[at:end]
        at = end


def bare(attribution: Attribution) -> Attribution:
    """An Attribution without what only the whole text says: what it lies within, and its place in canonical bytes."""
    match = dataclasses.replace(attribution.match, within=None, canonical_start=0, canonical_end=0)
    return dataclasses.replace(attribution, match=match)


@pytest.mark.parametrize("patience", [None, 50, 200])
@pytest.mark.parametrize("as_bytes", [False, True])
def test_the_report_and_the_events_are_those_of_one_check(
    index: Index, texts: list[tuple[str, str]], as_bytes: bool, patience: int | None
) -> None:
    """Every Match of the Report was closed, or is open at the end, with its sources and outcome; nothing else was."""
    chance = random.Random(3)
    for before, text in texts:
        given_text: str | bytes = text.encode() if as_bytes else text
        checker = index.stream(before=before, policy=POLICY, patience=patience)
        told: dict[str, Attribution] = {}
        for piece in cut_up(given_text, chance):
            changes = checker.feed(piece)
            told |= {item.attribution.match.id: item.attribution for item in changes if item.state is State.CLOSED}
        told |= {item.attribution.match.id: item.attribution for item in checker.flush()}
        report = index.check(given_text, before=before, policy=POLICY)
        assert checker.finish() == report
        assert {name: bare(item) for name, item in told.items()} == {
            item.match.id: bare(item) for item in report.attributions
        }


def test_a_text_may_be_cut_at_every_position(index: Index) -> None:
    """Also inside a character; with what comes before and after it."""
    whole = text_of("textwrap.py")
    text = f"{whole[3000:3090]}é→日本🦜{whole[200:300].replace('self', 'this')}".encode()
    context = {"before": whole[2900:3000], "after": whole[300:500]}
    report = index.check(text, **context)
    assert report.attributions
    for at in range(len(text) + 1):
        checker = index.stream(**context)
        checker.feed(text[:at])
        checker.flush()
        checker.feed(text[at:])
        assert checker.finish() == report


def test_what_lies_in_the_prompt_is_not_told_and_what_runs_on_from_it_is(index: Index) -> None:
    """With the bytes that lie in the text."""
    whole = text_of("shlex.py")
    checker = index.stream(before=whole[2000:2600] + "\nqq9 = 12\n" + whole[4000:4100])
    changes = [*checker.feed(whole[4100:4200]), *checker.flush()]
    starts = {item.attribution.match.start for item in changes}
    assert starts == {600 + len("\nqq9 = 12\n")}
    inside = len("".join(whole[4100:4200].split()).encode())
    assert {item.attribution.match.bytes_in_text for item in changes} == {inside}


def test_nothing_fed_is_an_empty_text(index: Index) -> None:
    """An empty piece changes nothing, and a lone surrogate is an error."""
    checker = index.stream(before=text_of("shlex.py"))
    assert checker.feed("") == checker.feed(b"") == checker.flush() == []
    assert checker.finish() == index.check("", before=text_of("shlex.py"))
    with pytest.raises(TextError, match="lone surrogate"):
        checker.feed("a\ud800")
    assert checker.text == ""


def test_a_text_that_is_taken_back_is_as_if_it_had_never_been(index: Index, texts: list[tuple[str, str]]) -> None:
    """What is fed after a cut is told as in a text without what was cut off."""
    for before, text in texts[:20]:
        whole = index.stream(before=before, policy=POLICY, patience=50)
        whole.feed(text)
        whole.flush()
        whole.cut(len(text) // 3)
        rest = "def other(a, b):\n    return b\n" + text_of("heapq.py")[700:1200]
        fresh = index.stream(before=before, policy=POLICY, patience=50)
        fresh.feed(text[: len(text) // 3])
        for checker in (whole, fresh):
            checker.feed(rest)
            checker.flush()
        assert whole.finish() == fresh.finish()
        assert whole.text == fresh.text


def check_patience(checker: StreamChecker, text: str, patience: int) -> None:
    """Never more than so many canonical bytes without a look."""
    for at in range(0, len(text), 3):
        checker.feed(text[at : at + 3])
        unseen = text[checker.looked : at + 3]
        assert len("".join(unseen.split()).encode()) < patience + 3


def test_looks_become_rarer_in_a_long_passage_but_for_patience(index: Index) -> None:
    """So that all of them cost a constant times one check; a guard waits no longer than it said."""
    text = text_of("tokenize.py")[:12000]
    looks = []
    for patience in (None, 100):
        checker = index.stream(patience=patience)
        check_patience(checker, text, patience or len(text))
        looks.append(checker.looks)
    canonical = len("".join(text.split()))
    assert looks[0] < 100
    assert canonical // 102 <= looks[1] <= canonical // LOOK


@pytest.mark.parametrize("size", [1, 4, 7])
def test_a_passage_is_told_of_with_the_piece_that_completes_it(index: Index, size: int) -> None:
    """Not some bytes later: as soon as it has its T bytes, wherever it begins and however the text is cut."""
    copied = text_of("tokenize.py")[4000:4400]
    for own in range(0, 60, 7):
        checker = index.stream(before="mine = 1\n")
        text = "#" * own + "\x01" + copied
        for at in range(0, len(text), size):
            changes = checker.feed(text[at : at + size])
            if changes:
                break
        else:
            pytest.fail("the passage was not told of")
        (change,) = changes
        whole = "mine = 1\n" + text[: at + size]
        held = "".join(whole[change.attribution.match.start :].split())
        assert change.state is State.OPENED
        assert GUARANTEE <= len(held) < GUARANTEE + size


@settings(max_examples=300)
@given(st.lists(st.sampled_from(["a", "é", "→", "🦜", " ", "\n", "xyz" * 20]), max_size=60), st.randoms())
def test_a_look_never_ends_inside_a_character(parts: list[str], chance: random.Random) -> None:
    """And begins at least T - 1 canonical bytes before what is new."""
    raw = "".join(parts).encode()
    growing = GrowingText()
    at = 0
    while at < len(raw):
        end = min(len(raw), at + chance.randint(1, 5))
        growing.feed(raw[at:end])
        at = end
        start, stop = growing.wanted()
        raw[start:stop].decode()
        assert len(raw[:at]) - stop < 4
        if start:
            assert len(raw[start : growing.looked].translate(None, b" \n")) >= 49
        growing.took(stop, [])
