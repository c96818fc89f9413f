"""The figures of the generator: what the check costs while a model writes, and what a guard lets through.

In: the packages installed in this Python, the demo model. Out: a Markdown table. It refuses to know how anything is
guarded: every completion is checked again from outside.

    python bench/generate.py [--prompts 100] [--seeds 3] [--passes 3]
"""

from __future__ import annotations

import argparse
import random
import sys
import sysconfig
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import measure
import pinned

from codecite.generator.events import End, Text
from codecite.generator.generator import Generator
from codecite.generator.local import LocalModel
from codecite.generator.model import Sampling
from codecite.generator.training.corpus import MODULES
from codecite.indexer import open_index
from codecite.indexer.attribution.policy import OnDenial, Policy
from codecite.indexer.index import Index
from codecite.indexer.records import Outcome

SITE = Path(sysconfig.get_paths()["purelib"])
SLOW_TOKEN = 0.025
"""Seconds a token of a large model."""

DENY_ALL = Policy(name="deny-all", default=Outcome.FAIL, min_bytes=50, pass_over=frozenset())
"""Nothing may be written again: the hardest policy for a model that knows its sources by heart."""


def main() -> None:
    """Measure, print."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--prompts", type=int, default=100)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--passes", type=int, default=3)
    arguments = parser.parse_args()
    measure.use_cores()
    copy = measure.copy_rate()
    index = open_index(index_of_installed())
    model = LocalModel.load("demo")
    prompts = drawn(arguments.prompts)
    print(f"numpy copies {copy:.1f} GB/s; {index.coverage[0].documents:,} documents\n")
    print("| what | figure |\n|---|---|")
    for name, value in (*costs(model, index, prompts[:40], arguments.passes), *feeding(index, arguments.passes)):
        print(f"| {name} | {value} |")
    for length in (50, 150):
        for action in (OnDenial.REGENERATE, OnDenial.TRUNCATE, OnDenial.BLOCK):
            policy = replace(DENY_ALL, min_bytes=length, on_denial=action)
            print(f"| {action}, {length} bytes, {len(prompts)} prompts x {arguments.seeds} seeds | ", end="")
            print(f"{guarded(model, index, policy, prompts, arguments.seeds)} |", flush=True)


def index_of_installed() -> Path:
    """An index of everything that is installed here, made if it is not there."""
    from codecite.indexer.build import add
    from codecite.indexer.corpus.sources import read_sources
    from codecite.indexer.corpus.units import Reading

    directory = pinned.cache() / "indexes" / "installed"
    add(directory, read_sources((), installed=True, reading=Reading()))
    return directory


def drawn(count: int) -> list[str]:
    """Four lines each of the modules that the model has learnt, each module in turn."""
    chance = random.Random(2)
    texts = [(SITE / path).read_text(encoding="utf-8") for paths in MODULES.values() for path in paths]
    prompts = []
    for number in range(count):
        lines = texts[number % len(texts)].split("\n")
        at = chance.randrange(len(lines) - 6)
        prompts.append("\n".join(lines[at : at + 4]))
    return prompts


class Timed:
    """An index that adds up the time its stream checkers take."""

    def __init__(self, index: Index) -> None:
        self._index = index
        self.seconds = 0.0

    def __getattr__(self, name: str) -> Any:
        return getattr(self._index, name)

    def stream(self, **options: Any) -> Any:
        """A checker whose `feed` and `flush` are timed."""
        checker = self._index.stream(**options)
        for name in ("feed", "flush"):
            setattr(checker, name, self._timed(getattr(checker, name)))
        return checker

    def _timed(self, call: Any) -> Any:
        def timed(*arguments: Any) -> Any:
            began = time.perf_counter()
            try:
                return call(*arguments)
            finally:
                self.seconds += time.perf_counter() - began

        return timed


def costs(model: LocalModel, index: Index, prompts: list[str], passes: int) -> Iterator[tuple[str, str]]:
    """The checker's time a token, as a share of the model's own; of what is shown and of what is guarded."""
    sampling = Sampling(120)
    alone, tokens = 9e9, 0
    for _ in range(passes):
        began = time.perf_counter()
        tokens = sum(len(list(model.write(prompt, None, sampling))) for prompt in prompts)
        alone = min(alone, (time.perf_counter() - began) / tokens)
    yield "the demo model alone", f"{alone * 1e3:.2f} ms a token"
    nothing = replace(DENY_ALL, default=Outcome.WARN)
    policies = {
        "annotate": nothing,
        "truncate, 50 bytes": replace(nothing, on_denial=OnDenial.TRUNCATE),
        "regenerate, 150 bytes": replace(nothing, on_denial=OnDenial.REGENERATE, min_bytes=150),
    }
    for action, held in policies.items():
        best = 9e9
        for _ in range(passes):
            timed = Timed(index)
            generator = Generator(model, timed, held)  # type: ignore[arg-type]
            for prompt in prompts:
                generator.complete(prompt, None, sampling)
            best = min(best, timed.seconds / tokens)
        share = f"{best / alone:.1%} of the demo model's, {best / SLOW_TOKEN:.2%} of a token of 25 ms"
        yield f"checking while it writes, {action}", f"{best * 1e6:.0f} us a token: {share}"


def feeding(index: Index, passes: int) -> Iterator[tuple[str, str]]:
    """10,000 characters fed one by one, beside one check of the whole."""
    whole = (SITE / "click" / "core.py").read_text(encoding="utf-8")
    words = whole.split(" ")
    noise = " ".join(random.Random(1).sample(words, len(words)))
    mixed = "".join(whole[at : at + 700] + noise[at : at + 1300] for at in range(0, 15000, 3000))
    for name, text in (("copied", whole[3000:]), ("new", noise), ("mixed", mixed)):
        text = text[:10_000]
        once = fed = 9e9
        for _ in range(passes):
            began = time.perf_counter()
            report = index.check(text)
            once = min(once, time.perf_counter() - began)
            began = time.perf_counter()
            checker = index.stream()
            for character in text:
                checker.feed(character)
            checker.flush()
            answered = checker.finish()
            fed = min(fed, time.perf_counter() - began)
            if answered != report:
                raise SystemExit("the Report of the stream is another one")
        more = (fed - once) / len(text)
        yield (
            f"fed by characters, {name} text",
            f"{more * 1e6:.1f} us more a character (one check: {once * 1e3:.2f} ms)",
        )


def guarded(model: LocalModel, index: Index, policy: Policy, prompts: list[str], seeds: int) -> str:
    """Leaks, empty completions and passages prevented; every completion is checked from outside."""
    leaks = useful = prevented = total = 0
    for prompt in prompts:
        for seed in range(seeds):
            told, done = "", None
            for event in Generator(model, index, policy).stream(prompt, None, Sampling(96, 0.4 * seed, seed=seed)):
                if isinstance(event, Text):
                    told += event.text
                elif isinstance(event, End):
                    done = event.generation
            if done is None:
                raise SystemExit("a stream had no end")
            shown = done.completion if policy.on_denial is OnDenial.BLOCK else told
            leaks += index.check(shown, before=prompt, policy=policy).verdict.outcome is Outcome.FAIL
            leaks += told != done.completion and policy.on_denial is not OnDenial.BLOCK
            useful += bool(done.completion.strip())
            prevented += len(done.report.generation.prevented) if done.report.generation else 0
            total += 1
        print(f"\r{total}", end="", file=sys.stderr)
    print("\r", end="", file=sys.stderr)
    return f"{leaks} leaks, {useful / total:.1%} not empty, {prevented:,} passages prevented"


if __name__ == "__main__":
    main()
