"""What the routes of one server share: the index, the generator, the policy, the limits, the streams, the counters.

In: what `create_app` was given. Out: a Service, which `service()` finds from within a request. It refuses to know of
any route.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TypeVar, cast

from flask import current_app, g

from codecite.generator.generator import Generator
from codecite.indexer.attribution.policy import READY, Policy, load_policy
from codecite.indexer.index import Index
from codecite.search_api.highlight import Colours
from codecite.search_api.limits import Deadline, Gate, Rates
from codecite.search_api.live import LiveIndex
from codecite.search_api.metrics import Metrics
from codecite.search_api.problems import Problem, wrong_field
from codecite.search_api.settings import Settings
from codecite.search_api.streams import Streams

NAME = "codecite"
QUICK = 64 << 10
"""Characters of a text that is checked without a deadline: it takes some hundredths of a second."""

T = TypeVar("T")


@dataclass(slots=True)
class Service:
    """One server's parts. `stopping` is set when it takes no more requests."""

    live: LiveIndex
    generator: Generator | None
    policy: Policy
    settings: Settings
    checks: Gate
    generations: Gate
    long: Deadline
    rates: Rates
    streams: Streams
    metrics: Metrics
    colours: Colours
    removals: Rates
    previews: Rates
    stopping: bool = False

    def ask(self, question: Callable[[Index], T], size: int = 0) -> T:
        """What the latest generation answers, in its turn and in time; `size` is how many characters it has to read."""

        def answered() -> tuple[T, Index]:
            asked: list[Index] = []

            def noted(index: Index) -> T:
                asked.append(index)
                return question(index)

            return self.live.answer(noted), asked[-1]

        found, index = self.long.run(answered, quick=size <= QUICK)
        note_generation(index)
        return found

    def policy_named(self, name: str | None) -> Policy:
        """The policy that a request names: this server's own, or a ready one, but never a file."""
        if name is None or name == self.policy.name:
            return self.policy
        if name not in READY:
            known = ", ".join(dict.fromkeys((self.policy.name, *READY)))
            raise wrong_field("policy", f"is to be one of {known}")
        return load_policy(name)

    def generator_now(self) -> Generator:
        """The generator, with the latest generation of the index and this server's policy."""
        if self.generator is None:
            raise Problem(501, "this server has no model; start it with --model or --upstream")
        if self.stopping:
            raise Problem(503, "the server is stopping", retry_after=5)
        index = self.live.current
        note_generation(index)
        return replace(self.generator, index=index, policy=self.policy)


def note_generation(index: Index) -> None:
    """Let the answer say which generation it is from."""
    g.generation = ", ".join(f"{item.id}:{item.generation}" for item in index.coverage)


def service() -> Service:
    """The Service of the application that answers this request."""
    return cast(Service, current_app.extensions[NAME])


def make_service(index: Index, generator: Generator | None, policy: Policy, settings: Settings) -> Service:
    """The parts of a server, put together."""
    live = LiveIndex(index)
    checks = Gate("checks", settings.checks, settings.wait)
    generations = Gate("completions", settings.generations, settings.wait)
    streams = Streams(settings.replay_bytes, settings.replay_seconds, settings.unheard_seconds)
    gauges: dict[str, Callable[[], float]] = {
        "codecite_generation_refused": lambda: live.refused,
        "codecite_checks_under_way": lambda: checks.busy,
        "codecite_completions_under_way": lambda: generations.busy,
        "codecite_streams_kept": lambda: len(streams),
    }
    return Service(
        live=live,
        generator=generator,
        policy=policy,
        settings=settings,
        checks=checks,
        generations=generations,
        long=Deadline(checks, settings.checks, settings.check_seconds),
        rates=Rates(settings.rate, settings.burst),
        streams=streams,
        metrics=Metrics(lambda: live.current.coverage, gauges),
        colours=Colours(),
        removals=Rates(1 / 60, 5),
        previews=Rates(1 / 4, 10),
    )
