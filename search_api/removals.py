"""Requests to be left out of an index: an append log that a server writes and whoever runs it works through.

In: what somebody asks to have removed, and what was decided. Out: the requests, each with its state. It refuses to know
of HTTP and to remove anything.

The file has a JSON object a line: `{"event": "asked", "id", "at", "kind", "value", "reason", "contact", "origins"}`,
and later `{"event": "accepted" | "rejected", "id", "at"}`. Lines are appended under a lock and synced; a line that a
killed writer left half is passed over and told of. Only the owner may read the file: it holds addresses of people.
"""

from __future__ import annotations

import fcntl
import json
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, BinaryIO
from uuid import uuid4

from codecite.indexer.errors import CodeciteError, ConfigError
from codecite.indexer.store.takedowns import Takedown, TakedownKind

MOST_BYTES = 16 << 20
"""Bytes of a log beyond which no request is taken."""
_DECISIONS = ("accepted", "rejected")


class LogFullError(CodeciteError):
    """The log of requests takes no more."""


@dataclass(frozen=True, slots=True)
class Removal:
    """A request: the rule that is asked for, by whom and why; `origins` is what it hid when it was asked.

    `state` is `open`, `accepted` or `rejected`.
    """

    id: str
    at: str
    rule: Takedown
    reason: str
    contact: str
    origins: int
    state: str = "open"


class RemovalLog:
    """The log in a file, which is made where there is none. Threads and processes share it.

    Raises ConfigError for a file that cannot be read or written.
    """

    def __init__(self, path: Path) -> None:
        self.path = path

    def check(self) -> None:
        """Raise ConfigError now, if the log cannot be written."""
        with self._locked():
            pass

    def ask(self, rule: Takedown, reason: str, contact: str, origins: int) -> Removal:
        """Note a request. Raises LogFullError."""
        made = Removal(uuid4().hex[:12], _now(), rule, reason, contact, origins)
        said = {"event": "asked", "id": made.id, "at": made.at, "kind": str(rule.kind), "value": rule.value}
        self._append([{**said, "reason": reason, "contact": contact, "origins": origins}], MOST_BYTES)
        return made

    def decide(self, decisions: Mapping[str, str]) -> None:
        """Note what was decided, `accepted` or `rejected` for each id."""
        self._append([{"event": state, "id": name, "at": _now()} for name, state in decisions.items()], None)

    def read(self) -> tuple[tuple[Removal, ...], tuple[int, ...]]:
        """All requests in their order, and the numbers of lines that are damaged."""
        try:
            lines = self.path.read_bytes().split(b"\n")
        except OSError as error:
            raise ConfigError(
                f"{self.path}: cannot be read ({error.strerror}); name the file of 'codecite serve --removal-requests'"
            ) from None
        found: dict[str, Removal] = {}
        damaged: list[int] = []
        for number, line in enumerate(lines, 1):
            try:
                if line:
                    _take(found, json.loads(line))
            except (ValueError, KeyError, TypeError):
                damaged.append(number)
        return tuple(found.values()), tuple(damaged)

    def _append(self, events: list[dict[str, Any]], most: int | None) -> None:
        text = "".join(json.dumps(event) + "\n" for event in events).encode()
        with self._locked() as file:
            size = file.seek(0, os.SEEK_END)
            if most is not None and size + len(text) > most:
                raise LogFullError("this server has too many requests that nobody has looked at; ask whoever runs it")
            if size and file.seek(-1, os.SEEK_END) is not None and file.read(1) != b"\n":
                text = b"\n" + text  # what a killed writer left ends here
            file.seek(0, os.SEEK_END)
            file.write(text)
            file.flush()
            os.fsync(file.fileno())

    @contextmanager
    def _locked(self) -> Iterator[BinaryIO]:
        try:
            descriptor = os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as error:
            raise ConfigError(
                f"{self.path}: cannot be written ({error.strerror}); name a file in a folder that can be written to"
            ) from None
        with os.fdopen(descriptor, "r+b") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            yield file


def _take(found: dict[str, Removal], event: dict[str, Any]) -> None:
    if event["event"] == "asked":
        rule = Takedown(TakedownKind(event["kind"]), event["value"])
        about = event["reason"], event["contact"], int(event["origins"])
        found[event["id"]] = Removal(event["id"], event["at"], rule, *about)
    elif event["event"] in _DECISIONS:
        found[event["id"]] = replace(found[event["id"]], state=event["event"])
    else:
        raise ValueError(event["event"])


def _now() -> str:
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
