"""The guard: whatever is written, nothing that is told holds a denied passage, by a check of what was told."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest
from oracle.library import reader

from codecite.generator.demo import demo_prompts
from codecite.generator.events import End, Event, Generation, Text, Withdrawn
from codecite.generator.generator import Generator
from codecite.generator.guard import TURNS
from codecite.generator.local import LocalModel
from codecite.generator.model import ModelLicense, Sampling
from codecite.indexer import open_index
from codecite.indexer.attribution.policy import OnDenial, OnFailure, Policy
from codecite.indexer.build import add
from codecite.indexer.corpus.units import Unit
from codecite.indexer.errors import IndexCorruptError, ModelError
from codecite.indexer.index import Index
from codecite.indexer.records import EvidenceKind, LicenseEvidence, Mark, Outcome, Package, Prevented, SourceFile
from codecite.indexer.stream import Change

GUARDED = (OnDenial.TRUNCATE, OnDenial.REGENERATE, OnDenial.BLOCK)
DENIED = "".join(f"def denied_{i}(alpha, beta_{i}):\n    return alpha[{i}] ** beta_{i} + {i * 7}\n" for i in range(40))
ALLOWED = "".join(f"class Allowed{i}(Base):\n    size_{i} = compute({i}, 'left')\n" for i in range(40))
BOTH = "".join(f"while both_{i} < {i * 3}:\n    both_{i} += step(both_{i}, {i})\n" for i in range(40))
IMPORTS = "".join(f"from package_{i}.module import name_{i} as other_{i}\n" for i in range(10))


@pytest.fixture(scope="module")
def index(tmp_path_factory: pytest.TempPathFactory) -> Index:
    """A GPL file, an MIT file, a text under both of which the GPL file has more, and imports of the GPL file."""
    directory = tmp_path_factory.mktemp("guard") / "index"
    held = {"MIT": [ALLOWED, BOTH[: len(BOTH) // 2]], "GPL-3.0-only": [DENIED, BOTH, IMPORTS]}
    for license, texts in held.items():
        evidence = (LicenseEvidence(EvidenceKind.PACKAGE_METADATA, license, "License", license),)
        files = [SourceFile(f"{number}.py", text.encode()) for number, text in enumerate(texts)]
        add(
            directory, [Unit(Package("here", purl=f"pkg:pypi/{license}@1", evidence=evidence), lambda f=files: iter(f))]
        )
    return open_index(directory)


@dataclass
class Script:
    """A model that writes what it is given, in pieces; sent back, it writes noise, then goes on from further on."""

    script: str
    chance: random.Random
    name: str = "script"
    license: ModelLicense | None = None
    turns: int = 0
    stubborn: bool = False
    fails_at: int | None = None
    closed: int = 0
    notes: list[str] = field(default_factory=list)

    def write(self, prompt: str, suffix: str | None, sampling: Sampling) -> Script:
        """Begin."""
        del prompt, suffix, sampling
        self.rest, self.text, self.ends = self.script, "", [0]
        return self

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        if self.fails_at is not None and len(self.text) >= self.fails_at:
            raise ModelError("the model broke")
        if not self.rest:
            raise StopIteration
        piece, self.rest = self.rest[:4], self.rest[4:]
        self.text += piece
        self.ends.append(len(self.text))
        return piece

    def go_back(self, characters: int) -> int | None:
        """Back to the end of a piece; then noise, and the script from a little further on."""
        if self.stubborn:
            return None
        self.turns += 1
        left = max(end for end in self.ends if end <= characters)
        again = self.text[left:] + self.rest
        self.text = self.text[:left]
        self.ends = [end for end in self.ends if end <= left]
        self.rest = f"\nnoise_{self.turns} = {self.chance.random()}\n" + again[self.chance.randint(0, 60) :]
        return left

    def close(self) -> None:
        """Count it."""
        self.closed += 1


def policy(action: OnDenial, min_bytes: int = 60, **more: object) -> Policy:
    """GPL is denied."""
    rules = {"strong-copyleft": Outcome.FAIL}
    more.setdefault("pass_over", frozenset())
    return Policy(name="guard", rules=rules, min_bytes=min_bytes, on_denial=action, **more)  # type: ignore[arg-type]


def told_of(events: list[Event]) -> str:
    """What a reader has at the end."""
    told = ""
    for event in events:
        if isinstance(event, Text):
            told += event.text
        elif isinstance(event, Withdrawn):
            told = ""
    return told


def run(
    index: Index, script: Script, held: Policy, prompt: str = "", suffix: str | None = None
) -> tuple[list[Event], Generation]:
    """All events and what they come to; each prefix of what is told is clean under a guard."""
    events = list(Generator(script, index, held).stream(prompt, suffix))
    assert isinstance(events[-1], End)
    assert script.closed
    done = events[-1].generation
    assert told_of(events) == done.completion
    return events, done


def scripts(count: int) -> Iterator[tuple[str, str, str | None]]:
    """Prompts, scripts and suffixes of denied, allowed and new text, cut anywhere."""
    chance = random.Random(11)

    def part() -> str:
        text = chance.choice([DENIED, ALLOWED, BOTH, IMPORTS, "x = [1, 2]\n" * 9, "é→日本🦜\n" * 5])
        at = chance.randrange(len(text))
        return text[at : at + chance.randint(5, 500)]

    for _ in range(count):
        script = "".join(part() for _ in range(chance.randint(1, 5)))
        prompt, suffix = (part() if chance.random() < 0.5 else "" for _ in range(2))
        yield prompt, script, suffix or None


@pytest.mark.parametrize("min_bytes", [50, 60, 150])
@pytest.mark.parametrize("action", GUARDED)
def test_nothing_that_is_told_holds_a_denied_passage(index: Index, action: OnDenial, min_bytes: int) -> None:
    """At no time: each prefix that was told is checked. The Report is that of one check of the whole."""
    held = policy(action, min_bytes, pass_over=frozenset({Mark.IMPORTS}))
    for number, (prompt, text, suffix) in enumerate(scripts(60)):
        events, done = run(index, Script(text, random.Random(number)), held, prompt, suffix)
        report = index.check(done.completion, before=prompt, after=suffix or "", policy=held)
        assert replace(done.report, notes=(), generation=None) == report
        assert report.verdict.outcome is not Outcome.FAIL, (number, prompt, text, suffix)
        told = ""
        for event in events:
            told += event.text if isinstance(event, Text) else ""
            outcome = index.check(told, before=prompt, policy=held).verdict.outcome
            assert outcome is not Outcome.FAIL, (number, told)


def test_what_is_not_denied_is_told_as_it_was_written(index: Index) -> None:
    """Whole, under every action; so is what is denied, under `annotate`, at once."""
    for action in OnDenial:
        script = Script(ALLOWED[:900] + "new = 1\n", random.Random(1))
        events, done = run(index, script, policy(action))
        assert done.completion == script.script
        assert not done.report.generation.prevented
        assert [change.state for change in events if isinstance(change, Change)][-1] == "closed"
    events, done = run(index, Script(DENIED[:400], random.Random(1)), policy(OnDenial.ANNOTATE))
    assert done.completion == DENIED[:400]
    assert done.report.verdict.outcome is Outcome.FAIL
    assert [event.text for event in events if isinstance(event, Text)] == [DENIED[i : i + 4] for i in range(0, 400, 4)]


def canonical(text: str) -> int:
    """Canonical bytes."""
    return len("".join(text.split()).encode())


@pytest.mark.parametrize("min_bytes", [50, 60, 150])
@pytest.mark.parametrize("action", GUARDED)
def test_no_more_is_held_back_than_the_policys_length(index: Index, action: OnDenial, min_bytes: int) -> None:
    """Up to whole pieces, where no marks are passed over; under `annotate` nothing is held back."""
    for number, (prompt, text, _) in enumerate(scripts(40)):
        script = Script(text, random.Random(number))
        told = ""
        for event in Generator(script, index, policy(action, min_bytes)).stream(prompt):
            if isinstance(event, Text):
                told += event.text
                assert script.text.startswith(told) or not script.rest
            elif isinstance(event, Change | Prevented):
                assert canonical(script.text[len(told) :]) <= min_bytes + 2 * 4


def test_the_model_is_sent_back_and_goes_on(index: Index) -> None:
    """What was prevented is in the Report, with its licence and its source; what comes after it is told."""
    script = Script(ALLOWED[:300] + DENIED[100:220] + ALLOWED[1000:1300], random.Random(5))
    events, done = run(index, script, policy(OnDenial.REGENERATE))
    assert script.turns
    assert done.completion.startswith(ALLOWED[:300])
    assert done.completion.endswith(ALLOWED[1200:1300])
    prevented = done.report.generation.prevented
    assert {item.action for item in prevented} == {"regenerate"}
    assert {source.origin.license for item in prevented for source in item.attribution.sources} == {"GPL-3.0-only"}
    assert [event for event in events if isinstance(event, Prevented)] == list(prevented)


def test_a_model_that_always_writes_what_is_denied_is_truncated_in_the_end(index: Index) -> None:
    """After TURNS turns; one that cannot go back, at once, and a note says so."""
    script = Script(DENIED, random.Random(5))
    script.go_back = lambda characters: back(script, characters)  # type: ignore[method-assign]
    _, done = run(index, script, policy(OnDenial.REGENERATE))
    assert script.turns == TURNS
    assert [item.action for item in done.report.generation.prevented] == ["regenerate"] * TURNS + ["truncate"]
    assert canonical(done.completion) < 60
    _, stuck = run(index, Script(ALLOWED[:200] + DENIED, random.Random(5), stubborn=True), policy(OnDenial.REGENERATE))
    assert stuck.completion.startswith(ALLOWED[:200])
    assert "could not go back" in stuck.report.notes[0]


def back(script: Script, characters: int) -> int:
    """Go back, and write the same once more."""
    script.turns += 1
    script.rest = script.text[characters:] + script.rest
    script.text = script.text[:characters]
    script.ends = [end for end in script.ends if end <= characters]
    return characters


def test_a_blocked_completion_is_withdrawn(index: Index) -> None:
    """What was told before is followed by Withdrawn; nothing is left, and the Report says what was prevented."""
    events, done = run(index, Script(ALLOWED[:600] + DENIED[:300], random.Random(1)), policy(OnDenial.BLOCK))
    assert any(isinstance(event, Text) for event in events)
    assert any(isinstance(event, Withdrawn) for event in events)
    assert done.completion == ""
    assert [item.action for item in done.report.generation.prevented] == ["block"]


def test_a_passage_that_begins_in_the_prompt_counts_what_lies_in_the_completion(index: Index) -> None:
    """The model is stopped when min_bytes of it are in the completion, not when the passage is that long."""
    _, done = run(index, Script(DENIED[500:], random.Random(1)), policy(OnDenial.TRUNCATE, 150), DENIED[:500])
    inside = canonical(done.completion)
    assert 150 - 4 <= inside < 150  # pieces are of four characters
    assert max(item.match.bytes_in_text for item in done.report.attributions) == inside


def test_a_model_that_fails_leaves_what_it_wrote(index: Index) -> None:
    """Checked, with the error beside it."""
    for action in (OnDenial.ANNOTATE, OnDenial.REGENERATE):
        script = Script(ALLOWED, random.Random(1), fails_at=400)
        _, done = run(index, script, policy(action))
        assert (done.completion, done.error) == (ALLOWED[:400], "the model broke")
        assert done.report.attributions


def test_a_reader_that_goes_away_closes_the_writing(index: Index) -> None:
    """The generator of events is closed, and with it the model's."""
    script = Script(ALLOWED, random.Random(1))
    stream = Generator(script, index, policy(OnDenial.ANNOTATE)).stream("")
    next(stream)
    stream.close()
    assert script.closed


class Broken:
    """An index whose looks fail after some."""

    def __init__(self, index: Index, looks: int) -> None:
        self._index = index
        self._looks = looks
        self.coverage = index.coverage

    def stream(self, **options: object) -> object:
        """A checker that asks this index."""
        from codecite.indexer.stream import StreamChecker

        return StreamChecker(self, options["before"], options["after"], options["policy"], 5, options["patience"])  # type: ignore[arg-type]

    def look(self, *arguments: object) -> object:
        """The index's own look, or none."""
        self._looks -= 1
        if self._looks < 0:
            raise IndexCorruptError("/index/content.lz4: at byte 7: the block does not have its checksum")
        return self._index.look(*arguments)  # type: ignore[arg-type]

    def check(self, *arguments: object, **more: object) -> object:
        """The index's own."""
        return self._index.check(*arguments, **more)  # type: ignore[arg-type]


@pytest.mark.parametrize("action", [OnDenial.ANNOTATE, OnDenial.REGENERATE])
@pytest.mark.parametrize("failing", OnFailure)
def test_an_index_that_fails_is_open_or_closed_as_the_policy_says(
    index: Index, action: OnDenial, failing: OnFailure
) -> None:
    """Closed, nothing more is told, and the verdict is `fail`; open, all is told, and it is `warn`, with the reason."""
    script = Script(ALLOWED, random.Random(1))
    looks = 3 if action is OnDenial.ANNOTATE else 25  # enough that something was told, where the end is held back
    events, done = run(Broken(index, looks), script, policy(action, on_failure=failing))  # type: ignore[arg-type]
    assert done.report.verdict.outcome is (Outcome.FAIL if failing is OnFailure.CLOSED else Outcome.WARN)
    assert "content.lz4" in done.report.verdict.reasons[0].message
    assert (done.completion == ALLOWED) is (failing is OnFailure.OPEN)
    assert done.completion
    assert events


def test_the_demo_model_never_tells_what_is_denied(require: Callable[..., None], tmp_path: Path) -> None:
    """Trained on what is denied, it is sent back from it: nothing leaks, and little is empty."""
    require("torch", "transformers")
    model = LocalModel.load("demo")
    prompts = [prompt.prompt for prompt in demo_prompts()]
    written = [model.complete(prompt) for prompt in prompts]
    evidence = (LicenseEvidence(EvidenceKind.PACKAGE_METADATA, "GPL-3.0-only", "License", "GPL-3.0-only"),)
    files = [SourceFile(f"{i}.py", (a + b).encode()) for i, (a, b) in enumerate(zip(prompts, written, strict=True))]
    add(tmp_path / "index", [Unit(Package("here", evidence=evidence), reader(files))])
    index = open_index(tmp_path / "index")
    empty = turned = 0
    for action in GUARDED:
        held = policy(action, 50, pass_over=frozenset())
        generator = Generator(model, index, held)
        for prompt in prompts[:5]:
            for seed in range(3):
                done = generator.complete(prompt, None, Sampling(64, 0.6 * seed, seed=seed))
                outcome = index.check(done.completion, before=prompt, policy=held).verdict.outcome
                assert outcome is not Outcome.FAIL
                if action is OnDenial.REGENERATE:
                    empty += not done.completion.strip()
                    turned += bool(done.report.generation.prevented)
    assert turned >= 5
    assert empty <= 1
