"""Server-sent events that outlive a connection: a completion's events are kept a while, and heard again from any id.

In: the events of one completion, in a thread of its own. Out: the bytes that clients read, each event with an id
`STREAM:NUMBER`. It refuses to know what the events say.

What the listeners have not read yet is kept, and of what they have the last `keep_bytes`; all of it for
`keep_seconds` after the end. Where nobody has listened for `unheard_seconds`, `unheard` says so.
"""

from __future__ import annotations

import json
import secrets
import threading
import time
from collections import deque
from collections.abc import Iterator, Mapping
from typing import Any

_BEAT = 10.0
"""Seconds without an event after which a comment is sent, which shows whether the client is still there."""
_MOST = 1000
"""Streams that are kept at most; the oldest that are over go first."""


class Stream:
    """The events of one completion."""

    def __init__(self, keep_bytes: int, unheard_seconds: float) -> None:
        self.id = secrets.token_urlsafe(12)
        self.ended: float | None = None
        self._keep = keep_bytes
        self._patience = unheard_seconds
        self._changed = threading.Condition()
        self._events: deque[bytes] = deque()
        self._first = 1
        self._size = 0
        self._listeners: dict[object, int] = {}
        self._alone_since = time.monotonic()

    def put(self, event: Mapping[str, Any]) -> None:
        """Add an event; its key `event` is its type."""
        with self._changed:
            number = self._first + len(self._events)
            data = f"id: {self.id}:{number}\nevent: {event['event']}\ndata: {json.dumps(event)}\n\n".encode()
            self._events.append(data)
            self._size += len(data)
            self._forget()
            self._changed.notify_all()

    def end(self) -> None:
        """No more events come."""
        with self._changed:
            self.ended = time.monotonic()
            self._changed.notify_all()

    @property
    def unheard(self) -> bool:
        """Whether nobody has listened for so long that nobody will."""
        with self._changed:
            return not self._listeners and time.monotonic() - self._alone_since > self._patience

    def has(self, after: int) -> bool:
        """Whether all events after number `after` are kept, or yet to come."""
        with self._changed:
            return self._first - 1 <= after < self._first + len(self._events)

    def listen(self, after: int = 0) -> Iterator[bytes]:
        """The events after number `after`, as bytes, to the end."""
        me = object()
        with self._changed:
            self._listeners[me] = after
        try:
            while True:
                piece = self._next(me)
                if piece is None:
                    return
                yield piece
        finally:
            with self._changed:
                del self._listeners[me]
                self._alone_since = time.monotonic()
                self._forget()

    def _next(self, me: object) -> bytes | None:
        """All events that a listener has not had; a comment where none comes; None at the end."""
        with self._changed:
            had = self._listeners[me]
            last = self._first + len(self._events) - 1
            if had >= last and self.ended is None:
                self._changed.wait(_BEAT)
                last = self._first + len(self._events) - 1
            if had < last:
                found = [self._events[number - self._first] for number in range(max(had + 1, self._first), last + 1)]
                self._listeners[me] = last
                self._forget()
                return b"".join(found)
            return None if self.ended is not None else b": still here\n\n"

    def _forget(self) -> None:
        """Let go of what is too old and was read; the last event is always kept."""
        read = min(self._listeners.values(), default=self._first + len(self._events))
        while len(self._events) > 1 and self._size > self._keep and self._first <= read:
            self._size -= len(self._events.popleft())
            self._first += 1


class Streams:
    """The streams that are under way, or over for less than `keep_seconds`."""

    def __init__(self, keep_bytes: int, keep_seconds: float, unheard_seconds: float) -> None:
        self._keep_bytes = keep_bytes
        self._keep_seconds = keep_seconds
        self._unheard_seconds = unheard_seconds
        self._lock = threading.Lock()
        self._streams: dict[str, Stream] = {}

    def __len__(self) -> int:
        """How many are kept."""
        self._sweep()
        return len(self._streams)

    def open(self) -> Stream:
        """A new stream."""
        self._sweep()
        stream = Stream(self._keep_bytes, self._unheard_seconds)
        with self._lock:
            self._streams[stream.id] = stream
        return stream

    def find(self, name: str) -> Stream | None:
        """The stream with this id, if it is kept."""
        self._sweep()
        with self._lock:
            return self._streams.get(name)

    def _sweep(self) -> None:
        old = time.monotonic() - self._keep_seconds
        with self._lock:
            over = [(stream.ended, name) for name, stream in self._streams.items() if stream.ended is not None]
            surplus = len(self._streams) - _MOST
            for number, (ended, name) in enumerate(sorted(over)):
                if ended < old or number < surplus:
                    del self._streams[name]
