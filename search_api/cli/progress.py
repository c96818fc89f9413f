"""One progress bar: on a terminal only, and only for what takes longer than a second.

In: how much is done of how much, and a name. Out: one line on standard error that is rewritten in place, and gone at
the end. It refuses to know what is being done.
"""

from __future__ import annotations

import shutil
import sys
import time
from types import TracebackType

from codecite.search_api.cli.printable import printable, shortened, size

_PATIENCE = 1.0
"""Seconds before anything is shown."""
_PAUSE = 0.1
"""Seconds between two drawings."""
_BAR = 24


class ProgressBar:
    """`with ProgressBar() as bar: bar.update(done, total, name)`, in bytes."""

    def __init__(self) -> None:
        self._begun = time.monotonic()
        self._due = self._begun + _PATIENCE
        self._shown = False
        self._terminal = sys.stderr.isatty()

    def __enter__(self) -> ProgressBar:
        return self

    def update(self, done: int, total: int, name: str) -> None:
        """Draw, if it is time to."""
        now = time.monotonic()
        if not self._terminal or now < self._due:
            return
        self._due = now + _PAUSE
        self._shown = True
        rate = done / (now - self._begun)
        if total > 0:
            share = min(done / total, 1.0)
            bar = ("#" * round(_BAR * share)).ljust(_BAR, ".")
            left = max(total - done, 0) / rate if rate else 0.0
            line = (
                f"[{bar}] {share:4.0%}  {size(rate)}/s  {int(left) // 60}:{int(left) % 60:02d} left  {printable(name)}"
            )
        else:
            line = f"{size(done)}  {size(rate)}/s  {printable(name)}"
        sys.stderr.write("\r\x1b[2K" + shortened(line, shutil.get_terminal_size().columns - 1))
        sys.stderr.flush()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._shown:
            sys.stderr.write("\r\x1b[2K")
            sys.stderr.flush()
