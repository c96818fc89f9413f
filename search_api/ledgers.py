"""A ledger that the threads of a server share, one at a time.

In: completions from any thread. Out: their records. It refuses to know how they are kept (`indexer/ledger.py`).
"""

from __future__ import annotations

import threading
from pathlib import Path

from codecite.indexer.ledger import Ledger, Record
from codecite.indexer.records import Report


class SharedLedger(Ledger):
    """A Ledger whose records may come from several threads; the rest of it is for one of them."""

    def __init__(self, directory: str | Path) -> None:
        super().__init__(directory)
        self._lock = threading.Lock()

    def record(self, text: str, *, prompt: str, model: str, report: Report, keep_text: bool = True) -> Record:
        """Keep a completion, in its turn."""
        with self._lock:
            return super().record(text, prompt=prompt, model=model, report=report, keep_text=keep_text)
