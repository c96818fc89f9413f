"""The frozen configuration of an index: what every reader and writer of it must agree on.

The numbers follow the local algorithm of winnowing (Schleimer, Wilkerson, Aiken: Winnowing, SIGMOD 2003): k-grams
of k bytes, windows of w k-grams, and with them a guarantee for every shared passage of k + w - 1 bytes.
"""

from __future__ import annotations

from dataclasses import dataclass

KGRAM = 25
WINDOW = 26
GUARANTEE = KGRAM + WINDOW - 1
"""T: every shared passage of this many canonical bytes is found."""

BLOCK = 4096
"""Raw bytes in a block of the content store."""


@dataclass(frozen=True, slots=True)
class IndexConfig:
    """What a manifest records of how its index was made. Only the defaults are supported in this format version."""

    kgram: int = KGRAM
    window: int = WINDOW
    block_bytes: int = BLOCK
    max_file_bytes: int = 16 * 1024 * 1024
    common_projects: int = 20
    count_cap: int = 1000

    @property
    def guarantee(self) -> int:
        """T, in canonical bytes."""
        return self.kgram + self.window - 1
