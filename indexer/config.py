"""The frozen configuration of an index: what every reader and writer of it must agree on.

The numbers follow the local algorithm of winnowing (Schleimer, Wilkerson, Aiken: Winnowing, SIGMOD 2003): k-grams
of k bytes, windows of w k-grams, and with them a guarantee for every shared passage of k + w - 1 bytes.
"""

from __future__ import annotations

from dataclasses import dataclass

from codecite.indexer.errors import ConfigError

KGRAM = 25
WINDOW = 26
GUARANTEE = KGRAM + WINDOW - 1
"""T: every shared passage of this many canonical bytes is found."""

NEAR_K = 13
NEAR_W = 13
NEAR_T = NEAR_K + NEAR_W - 1
"""Every shared run of this many normalised tokens has a fingerprint on both sides."""

BLOCK = 2048
"""Raw bytes in a block of the content store."""


@dataclass(frozen=True, slots=True)
class IndexConfig:
    """What a manifest records of how its index was made. Only the defaults are supported in this format version."""

    kgram: int = KGRAM
    window: int = WINDOW
    block_bytes: int = BLOCK
    common_projects: int = 20
    count_cap: int = 1000

    def __post_init__(self) -> None:
        """Raise ConfigError for fingerprints that the kernels do not compute."""
        if (self.kgram, self.window, self.block_bytes) != (KGRAM, WINDOW, BLOCK):
            raise ConfigError(
                f"an index with k = {self.kgram}, w = {self.window} and blocks of {self.block_bytes} bytes is not "
                f"supported; use k = {KGRAM}, w = {WINDOW} and blocks of {BLOCK} bytes"
            )

    @property
    def guarantee(self) -> int:
        """T, in canonical bytes."""
        return self.kgram + self.window - 1
