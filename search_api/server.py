"""An application -> a server that serves it until it is told to stop, and then finishes what it has begun.

In: a WSGI application, an address, its Service. Out: nothing; `serve` returns when the last answer has left. It refuses
to know of routes and of the index.

waitress serves: one process with threads, so that limits, streams and counters are those of all requests. It reads a
request whole before a thread gets it, and sends answers from a buffer, so a slow client holds no thread. Of gunicorn's
workers, threads are the only ones that keep one process, and there each slow client holds one (measured in
`docs/http.md`).
"""

from __future__ import annotations

import ctypes
import json
import logging
import signal
import socket
import sys
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from codecite.indexer.errors import ConfigError

_LOG = logging.getLogger("codecite.server")
_SWITCH = 0.0005
"""Seconds that a thread keeps the interpreter while others want it. A request changes threads some four times, so with
Python's own 5 ms a quick one would wait 20 ms beside a long one."""
_M_ARENA_MAX = -8
_TICK = 0.25
"""Seconds after which the loop looks whether it is to stop."""


def few_arenas() -> None:
    """Let threads share memory pools: by itself glibc gives each its own, which none of the others uses.

    To be called before threads are started. Elsewhere than with glibc nothing happens.
    """
    with suppress(OSError, AttributeError):
        ctypes.CDLL("libc.so.6").mallopt(_M_ARENA_MAX, 2)


def make_server(app: Any, host: str, port: int, *, threads: int, max_body: int) -> Any:
    """A server that listens; port 0 is any that is free. Raises ConfigError where it cannot."""
    from waitress import create_server

    logging.getLogger("waitress.queue").setLevel(logging.ERROR)
    try:
        address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0][4][0]
        server = create_server(
            app,
            host=f"[{address}]" if ":" in str(address) else address,
            port=port,
            threads=threads,
            ident=None,
            max_request_body_size=max_body,
            max_request_header_size=64 << 10,
            channel_timeout=60,
            cleanup_interval=10,
            channel_request_lookahead=1,  # so that a client that has left is noticed
            connection_limit=1000,
            asyncore_use_poll=True,
            clear_untrusted_proxy_headers=True,
        )
    except OSError as error:
        raise ConfigError(
            f"{host}:{port}: cannot be listened on ({error.strerror or error}); give another --port"
        ) from None
    server.channel_class = _channel_class()
    return server


def _channel_class() -> type:
    """waitress's channel, whose own refusals (no HTTP, too large) are problems in JSON like all others."""
    from waitress.channel import HTTPChannel
    from waitress.task import ErrorTask

    class Refusal(ErrorTask):  # type: ignore[misc]
        def execute(self) -> None:
            error = self.request.error
            made = {"type": "about:blank", "title": error.reason, "status": error.code, "detail": str(error.body)}
            body = json.dumps(made).encode()
            self.status = f"{error.code} {error.reason}"
            self.response_headers.append(("Content-Type", "application/problem+json"))
            self.response_headers.append(("X-Content-Type-Options", "nosniff"))
            self.set_close_on_finish()
            self.content_length = len(body)
            self.write(body)

    class Channel(HTTPChannel):  # type: ignore[misc]
        error_task_class = Refusal

    return Channel


def serve(server: Any, stopping: Callable[[], None], *, grace: float) -> None:
    """Serve until SIGTERM or SIGINT; then take nothing new, and end when all is answered, or after `grace` seconds.

    `stopping` is called at the first signal; a second one ends at once.
    """
    asked = threading.Event()
    again = threading.Event()

    def stop(_number: int, _frame: object) -> None:
        (again if asked.is_set() else asked).set()

    sys.setswitchinterval(_SWITCH)
    before = {number: signal.signal(number, stop) for number in (signal.SIGTERM, signal.SIGINT)}
    try:
        while not asked.is_set():
            _turn(server)
        stopping()
        _LOG.info("stopping: what has begun is finished")
        end = time.monotonic() + grace
        while not again.is_set() and time.monotonic() < end and _busy(server):
            _turn(server)
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
        server.task_dispatcher.shutdown(timeout=1)
        server.close()


def _turn(server: Any) -> None:
    server.asyncore.loop(timeout=_TICK, map=server._map, use_poll=True, count=1)


def _busy(server: Any) -> bool:
    """Whether an answer is yet to be made or to be sent; who is in the middle of sending a request counts, too."""
    return any(
        channel.requests or channel.request is not None or channel.total_outbufs_len
        for channel in list(server.active_channels.values())
    )
