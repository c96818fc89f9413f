"""The tokens of a text, as arrays.

In: bytes. Out: Tokens. It refuses to know what they are compared with.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from codecite.indexer.kernels.align import canonical_before
from codecite.indexer.kernels.tokens import KEYWORDS, tokenize
from codecite.indexer.kernels.types import Ints, Words


@dataclass(frozen=True, slots=True)
class Tokens:
    """For each token: its class, a hash of its bytes, where it begins and ends, the canonical bytes before it."""

    classes: Words
    names: Words
    starts: Ints
    ends: Ints
    canonical: Ints

    def __len__(self) -> int:
        return len(self.classes)


def tokens_of(content: bytes) -> Tokens:
    """The tokens of a text in any language."""
    text = np.frombuffer(content, np.uint8)
    classes, names = np.empty((2, len(text)), np.uint64)
    starts, ends = np.empty((2, len(text)), np.int64)
    count = tokenize(text, KEYWORDS, classes, names, starts, ends) if len(text) else 0
    canonical = np.empty(count, np.int64)
    canonical_before(text, starts, count, canonical)
    return Tokens(classes[:count].copy(), names[:count].copy(), starts[:count].copy(), ends[:count].copy(), canonical)
