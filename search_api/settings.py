"""What a server may be set to: its limits, its keys, what it logs.

In: nothing. Out: frozen Settings. It refuses to know who keeps to them.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from codecite.search_api.keys import Keys


@dataclass(frozen=True, slots=True)
class Settings:
    """Sizes are bytes, times seconds.

    `max_body` is the largest body of a request, `max_batch` the most texts of a batch or files of an archive, which may
    hold `max_unpacked` together. Of checks and of completions so
    many are under way at once (`checks`, `generations`); who has waited `wait` for a turn is told to come back.
    `check_seconds` is the longest that a check may take, `generate_seconds` a completion; it then ends where it is.
    `rate` is how many requests a client may send each second in the long run (0: any number), `burst` at once.
    The last `replay_bytes` of a stream's events are kept for `replay_seconds` after its end; where nobody has listened
    for `unheard_seconds`, the model is stopped. `hosts` are the names that a request may address (none: any), which
    keeps a foreign page from reaching a server on this machine by a name of its own. `log_text` lets texts into logs.
    Requests to be left out are noted in the file `removal_requests`; without one, none are taken.
    """

    max_body: int = 8 << 20
    max_batch: int = 1000
    max_unpacked: int = 32 << 20
    max_new_tokens: int = 4096
    checks: int = 8
    generations: int = 4
    wait: float = 5.0
    check_seconds: float = 60.0
    generate_seconds: float = 300.0
    rate: float = 0.0
    burst: int = 100
    replay_bytes: int = 64 << 10
    replay_seconds: float = 60.0
    unheard_seconds: float = 15.0
    hosts: tuple[str, ...] = ()
    keys: Keys | None = None
    log_text: bool = False
    removal_requests: Path | None = None
