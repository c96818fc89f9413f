"""Heads that our own reader leaves open -> what ScanCode reads in them, in a process of its own.

In: a file's bytes and the evidence that was found in it. Out: the evidence with ScanCode's beside it, which names the
detector where it says the place. This module refuses to know ScanCode itself: `scancode_worker.py` does, which runs in
another process, since it takes 1.4 GB of memory and some seconds to begin. That is not started before the first file
needs it, and is never imported here.

A head is open if it has words of licences, and what was read of it is nothing, a licence file's name, or a family
(`BSD`). ScanCode is given the comments of the head only, as our own reader looks at, and only its exact rules are
asked: a text that differs in a word from all it knows gives nothing.
"""

from __future__ import annotations

import importlib.metadata
import importlib.util
import json
import re
import subprocess
import sys
import tempfile
import threading
from dataclasses import replace
from types import TracebackType
from typing import IO

from codecite.indexer.errors import ConfigError
from codecite.indexer.licenses.comments import head_comments
from codecite.indexer.licenses.expression import normalize
from codecite.indexer.licenses.notice import NOTICE_HEAD, may_hold_notice
from codecite.indexer.records import EvidenceKind, LicenseEvidence, SourceFile

_WORKER = "codecite.indexer.licenses.scancode_worker"
_DISTRIBUTIONS = ("scancode-toolkit-mini", "scancode-toolkit")
_SHOWN = 200
_KEPT = 1 << 14
_NOT_A_LINE_END = re.compile(rb"[^\n]")


class ScanCode:
    """The other process, once a file needs it; to be closed, as a context manager does.

    Raises ConfigError, which says what to install, where ScanCode is not.
    """

    def __init__(self) -> None:
        self._version = _installed_version()
        self._process: subprocess.Popen[str] | None = None
        self._complaints: IO[bytes] | None = None
        self._lock = threading.Lock()
        self._known: dict[str, tuple[str, int, str] | None] = {}

    def read(self, file: SourceFile) -> SourceFile:
        """The file with what ScanCode reads in its head, if that is open; any thread may ask.

        Raises ConfigError where the other process ends.
        """
        head = file.content[:NOTICE_HEAD]
        if not is_open(file.evidence) or not may_hold_notice(head):
            return file
        found = self._asked(_comments_in_place(head))
        if found is None:
            return file
        stated, line, text = found
        expression = normalize(stated)
        if expression is None:
            return file
        where = f"line {line}, by ScanCode {self._version}"
        evidence = LicenseEvidence(EvidenceKind.FILE_HEADER, expression, where, text[:_SHOWN])
        ours = any(item.kind is EvidenceKind.FILE_HEADER and item.expression for item in file.evidence)
        vague = ours and "LicenseRef-" in expression
        return replace(file, evidence=(*file.evidence, evidence) if vague else (evidence, *file.evidence))

    def close(self) -> None:
        """End the other process, if it was started."""
        if self._process is not None:
            if self._process.stdin is not None:
                self._process.stdin.close()
            self._process.wait()
            if self._process.stdout is not None:
                self._process.stdout.close()
            self._process = None
        if self._complaints is not None:
            self._complaints.close()
            self._complaints = None

    def __enter__(self) -> ScanCode:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _asked(self, text: str) -> tuple[str, int, str] | None:
        with self._lock:
            if text not in self._known:
                if len(self._known) >= _KEPT:
                    self._known.clear()
                self._known[text] = self._answer(text)
            return self._known[text]

    def _answer(self, text: str) -> tuple[str, int, str] | None:
        """One line of JSON there, one back."""
        process = self._process or self._start()
        line = ""
        try:
            if process.stdin is not None and process.stdout is not None:
                process.stdin.write(json.dumps(text) + "\n")
                process.stdin.flush()
                line = process.stdout.readline()
        except BrokenPipeError:
            line = ""
        if not line:
            raise ConfigError(
                f"ScanCode ended with exit code {process.wait()} ({self._complaint()}); leave out --scancode, or give "
                f"it 1.5 GB of memory and a working scancode-toolkit-mini"
            )
        answer = json.loads(line)
        return None if answer is None else (str(answer[0]), int(answer[1]), str(answer[2]))

    def _start(self) -> subprocess.Popen[str]:
        self._complaints = tempfile.TemporaryFile()  # noqa: SIM115 - closed with the process
        self._process = subprocess.Popen(
            [sys.executable, "-m", _WORKER],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._complaints,
            text=True,
            encoding="utf-8",
        )
        return self._process

    def _complaint(self) -> str:
        if self._complaints is None:
            return "nothing was said"
        self._complaints.seek(0)
        lines = self._complaints.read().decode("utf-8", "replace").split("\n")
        return next((line.strip() for line in reversed(lines) if line.strip()), "nothing was said")


def is_open(evidence: tuple[LicenseEvidence, ...]) -> bool:
    """Whether what a file says itself leaves its licence open: no tag, and no notice that names more than a family."""
    own = [item.expression for item in evidence if item.kind in _OWN and item.expression]
    return not any("LicenseRef-" not in expression for expression in own)


_OWN = (EvidenceKind.SPDX_TAG, EvidenceKind.FILE_HEADER)


def _installed_version() -> str:
    if importlib.util.find_spec("licensedcode") is not None:
        for name in _DISTRIBUTIONS:
            try:
                return importlib.metadata.version(name)
            except importlib.metadata.PackageNotFoundError:
                continue
    raise ConfigError("--scancode needs ScanCode, which is not installed; pip install 'codecite[scancode]'")


def _comments_in_place(head: bytes) -> str:
    """The comments of a head where they stand, spaces for all else, so that lines stay what they are."""
    spans = head_comments(head).spans
    blank = _NOT_A_LINE_END.sub(b" ", head)
    pieces, end = [], 0
    for start, stop in spans:
        pieces += [blank[end:start], head[start:stop]]
        end = stop
    return b"".join(pieces).decode("utf-8", "replace").rstrip()
