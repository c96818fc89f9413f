"""A model and an index put together, so that no completion leaves without what the index says of it.

In: a prompt, perhaps a suffix. Out: the completion, whole or as a stream of events, and the Report of exactly that text
in that place. It refuses to know how the model writes, how the index finds, and what is held back (`guard.py`).
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass, field, replace

from codecite.generator.events import End, Event, Generation
from codecite.generator.guard import Guard, patience
from codecite.generator.model import Model, Sampling
from codecite.indexer.attribution.policy import OnDenial, OnFailure, Policy, load_policy
from codecite.indexer.index import Index
from codecite.indexer.ledger import Ledger
from codecite.indexer.records import Outcome, Reason, Report, Verdict, Written

_DEFAULT = Sampling()


@dataclass(frozen=True, slots=True)
class Generator:
    """Completes with `model`, checks with `index`, judges by `policy` and acts as that says.

    Every completion is recorded in the `ledger`, if there is one, before the End is told; its text if `keep_text`.
    """

    model: Model
    index: Index
    policy: Policy = field(default_factory=lambda: load_policy("audit"))
    ledger: Ledger | None = None
    keep_text: bool = True

    def complete(self, prompt: str, suffix: str | None = None, sampling: Sampling = _DEFAULT) -> Generation:
        """Complete `prompt` and check what came: the Report is that of `index.check(completion, before=prompt,
        after=suffix)`, with what was prevented. Errors are those of `Model.write`, and TextError."""
        return next(event.generation for event in self.stream(prompt, suffix, sampling) if isinstance(event, End))

    def stream(self, prompt: str, suffix: str | None = None, sampling: Sampling = _DEFAULT) -> Iterator[Event]:
        """The same while it is being written. What is told as Text is never taken back but by a Withdrawn."""
        policy = self.policy
        guarded = policy.on_denial is not OnDenial.ANNOTATE
        checker = self.index.stream(
            before=prompt, after=suffix or "", policy=policy, patience=patience(policy) if guarded else None
        )
        guard = Guard(self.model.write(prompt, suffix, sampling), checker, policy, len(prompt))
        yield from guard.events()
        report = guard.report or self._unchecked(guard, prompt)
        record = None
        if self.ledger is not None:
            record = self.ledger.record(
                guard.completion, prompt=prompt, model=self.model.name, report=report, keep_text=self.keep_text
            )
        license = self.model.license
        written = Written(
            self.model.name,
            license.license if license else None,
            license.restrictions if license else (),
            tuple(guard.prevented),
            record.id if record else None,
        )
        report = replace(report, notes=tuple(guard.notes), generation=written)
        yield End(Generation(guard.completion, report, guard.error))

    def _unchecked(self, guard: Guard, prompt: str) -> Report:
        """The Report on a completion that the index could not answer for."""
        closed = self.policy.on_failure is OnFailure.CLOSED
        message = f"the index could not answer ({guard.failure}): " + (
            "the completion ends where it was last checked" if closed else "the completion was not checked to its end"
        )
        text = guard.completion.encode("utf-8", "surrogateescape")
        return Report(
            indexes=self.index.coverage,
            text_sha256=hashlib.sha256(text).hexdigest(),
            text_start=len(prompt),
            text_end=len(prompt) + len(guard.completion),
            attributions=(),
            verdict=Verdict(Outcome.FAIL if closed else Outcome.WARN, (Reason("generator.on_failure", None, message),)),
            policy_name=self.policy.name,
            policy_sha256=self.policy.sha256,
        )
