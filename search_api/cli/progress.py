"""One progress bar: on a terminal only, and only for what takes longer than a second.

In: what is done in words, how many bytes that were, and which share of all it is, if that is known. Out: one line on
standard error that is rewritten in place, and gone at the end. It refuses to know what is being done.
"""

from __future__ import annotations

import shutil
import sys
import time
from types import TracebackType

from codecite.search_api.cli.printable import shortened, size

_PATIENCE = 1.0
"""Seconds before anything is shown."""
_PAUSE = 0.1
"""Seconds between two drawings."""
_BAR = 24


class ProgressBar:
    """`with ProgressBar() as bar: ... if bar.due: bar.draw(...)`.

    `wanted` says whether anything will ever be drawn; `due`, in some 50 ns, whether it is time to.
    """

    def __init__(self) -> None:
        self._begun = time.monotonic()
        self._next = self._begun + _PATIENCE
        self._shown = False
        self.wanted = sys.stderr.isatty()

    def __enter__(self) -> ProgressBar:
        return self

    @property
    def due(self) -> bool:
        """Whether the last drawing, or the beginning, is long enough ago."""
        return self.wanted and time.monotonic() >= self._next

    def draw(self, text: str, done: int, share: float | None) -> None:
        """Draw `text` (printable), the rate of the `done` bytes and, where a `share` (0 to 1) is known, a bar."""
        now = time.monotonic()
        passed = now - self._begun
        self._next = now + _PAUSE
        self._shown = True
        line = f"{size(done / passed if passed else 0)}/s  {text}"
        if share:
            bar = ("#" * round(_BAR * share)).ljust(_BAR, ".")
            left = int(passed / share - passed)
            line = f"[{bar}] {share:4.0%}  {left // 60}:{left % 60:02d} left  {line}"
        sys.stderr.write("\r\x1b[2K" + shortened(line, shutil.get_terminal_size().columns - 1))
        sys.stderr.flush()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._shown:
            sys.stderr.write("\r\x1b[2K")
            sys.stderr.flush()
