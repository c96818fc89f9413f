"""A model and an index put together, so that no completion leaves without what the index says of it.

In: a prompt, perhaps a suffix. Out: the completion and the Report of exactly that text in that place. Knows nothing of
how the model writes or how the index finds.
"""

from __future__ import annotations

from dataclasses import dataclass

from codecite.generator.local import MAX_NEW_TOKENS, LocalModel
from codecite.indexer.attribution.policy import Policy
from codecite.indexer.index import Index
from codecite.indexer.records import Report


@dataclass(frozen=True, slots=True)
class Generation:
    """What a model wrote, and the Report of it: offsets in the Report are those of prompt + completion + suffix."""

    completion: str
    report: Report


@dataclass(frozen=True, slots=True)
class Generator:
    """Completes with `model`, checks with `index`, judges by `policy` (`audit` if it is None)."""

    model: LocalModel
    index: Index
    policy: Policy | None = None

    def complete(
        self,
        prompt: str,
        suffix: str | None = None,
        max_new_tokens: int = MAX_NEW_TOKENS,
        temperature: float = 0.0,
        seed: int | None = None,
    ) -> Generation:
        """Complete `prompt` and check what came: exactly `index.check(completion, before=prompt, after=suffix)`.

        The settings and errors are those of `LocalModel.complete`, and those of the index.
        """
        completion = self.model.complete(
            prompt, suffix, max_new_tokens=max_new_tokens, temperature=temperature, seed=seed
        )
        report = self.index.check(completion, before=prompt, after=suffix or "", policy=self.policy)
        return Generation(completion, report)
