"""`codecite check --batch`: the Reports on a file of completions, on all cores.

In: lines `{"id", "text"}`. Out: lines `{"id", ...Report}` in the same order. A line that cannot be answered is named,
and the others are answered still. It refuses to know how a text is checked.

A file is dealt out in shares of some lines to forked processes, which have the opened index and the compiled kernels
of this one. Standard input is answered line by line, since somebody may wait for an answer before writing on.
"""

from __future__ import annotations

import json
import multiprocessing
import os
import signal
import sys
from collections import deque
from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from itertools import chain, islice
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import click

from codecite.indexer.errors import CodeciteError, TextError
from codecite.search_api.cli.options import ERROR, OK, complain, exit_code

if TYPE_CHECKING:
    from codecite.indexer import Index
    from codecite.indexer.attribution.policy import Policy

_STDIN = "-"

_SHARE = 64
"""Lines that a process answers at a time."""

_AHEAD = 4
"""Shares for each process that are read ahead of what is written."""

Line = tuple[int, bytes]
"""A line and its number, from 1."""


@dataclass(frozen=True, slots=True)
class _Answered:
    """What became of a share: its answers, complaints about lines, the exit code, and why it ended early if it did."""

    answers: list[str]
    complaints: list[str]
    code: int
    failure: str | None = None


class Asked(NamedTuple):
    """What is asked of each text: sources to show, and by which policy it is judged."""

    sources: int
    policy: Policy
    strict: bool


def check_batch(index: Index, batch: str, asked: Asked) -> int:
    """Answer the lines of the file `batch` (`-` is standard input); returns the exit code."""
    if batch == _STDIN:
        lines = enumerate(iter(sys.stdin.buffer.readline, b""), start=1)
        return max((_write(_answer(index, batch, asked, [line])) for line in lines), default=OK)
    workers = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else 1
    with Path(batch).open("rb") as file:
        shares = _shares(enumerate(file, start=1))
        # The first is answered here: it compiles, or loads, what the other processes then need not.
        code = max((_write(_answer(index, batch, asked, share)) for share in islice(shares, 1)), default=OK)
        if (second := next(shares, None)) is None:
            return code
        return max(code, _deal(index, batch, asked, chain([second], shares), workers))


def _shares(lines: Iterator[Line]) -> Iterator[list[Line]]:
    while share := list(islice(lines, _SHARE)):
        yield share


def _deal(index: Index, batch: str, asked: Asked, shares: Iterable[list[Line]], workers: int) -> int:
    """Answer shares in forked processes, in their order; returns the exit code."""
    code = OK
    waiting: deque[Future[_Answered]] = deque()
    sys.stdout.flush()
    sys.stderr.flush()
    executor = ProcessPoolExecutor(workers, multiprocessing.get_context("fork"), _begin, (index, batch, asked))
    try:
        for share in shares:
            waiting.append(executor.submit(_answer_share, share))
            if len(waiting) > _AHEAD * workers:
                code = max(code, _write(waiting.popleft().result()))
        while waiting:
            code = max(code, _write(waiting.popleft().result()))
    except BrokenProcessPool:
        raise CodeciteError(f"{batch}: a process that answered it was ended from outside (out of memory?)") from None
    finally:
        executor.shutdown(cancel_futures=True)
    return code


_dealt: tuple[Index, str, Asked]
"""In a forked process: the index, the name of the batch, and what was asked for."""


def _begin(index: Index, batch: str, asked: Asked) -> None:
    global _dealt
    _dealt = index, batch, asked
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # The parent ends its processes.


def _answer_share(share: list[Line]) -> _Answered:
    return _answer(*_dealt, share)


def _answer(index: Index, batch: str, asked: Asked, share: Iterable[Line]) -> _Answered:
    """Answer some lines."""
    answers: list[str] = []
    wrong: dict[int, str] = {}
    code = OK
    texts: list[tuple[int, Any, str]] = []
    for number, line in share:
        if not line.strip():
            continue
        try:
            texts.append((number, *_completion(line)))
        except ValueError as error:
            wrong[number] = str(error)
    reports = index.check_many([text for *_, text in texts], policy=asked.policy, sources=asked.sources)
    try:
        for (number, identifier, _), report in zip(texts, reports, strict=True):
            if isinstance(report, TextError):
                wrong[number] = str(report)
                continue
            answers.append(json.dumps({"id": identifier, **report.to_dict()}))
            code = max(code, exit_code(report, strict=asked.strict))
    except CodeciteError as error:
        return _Answered(answers, _complaints(batch, wrong), ERROR, str(error))
    return _Answered(answers, _complaints(batch, wrong), ERROR if wrong else code)


def _complaints(batch: str, wrong: Mapping[int, str]) -> list[str]:
    return [f"{batch}, line {number}: {wrong[number]}" for number in sorted(wrong)]


def _write(answered: _Answered) -> int:
    """Write the answers and complaints of a share; returns its exit code. Raises CodeciteError where it failed."""
    for complaint in answered.complaints:
        complain(complaint)
    if answered.answers:
        click.echo("\n".join(answered.answers))
    if answered.failure is not None:
        raise CodeciteError(answered.failure)
    return answered.code


def _completion(line: bytes) -> tuple[Any, str]:
    """The id and the text of one line of a batch; ValueError says what is wrong with it."""
    try:
        record = json.loads(line)
    except RecursionError:
        raise ValueError("nested too deeply") from None
    if not isinstance(record, dict):
        raise ValueError('not an object with "id" and "text"')
    if "id" not in record:
        raise ValueError('has no "id"')
    if not isinstance(record.get("text"), str):
        raise ValueError('has no "text" that is a string')
    return record["id"], record["text"]
