"""A real server: in a process of its own, started by the command line and stopped by a signal; or in a thread.

In: the options of `codecite serve`; an opened index with a policy and settings. Out: its address, its log. It refuses
to know what is asked.
"""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from contextlib import suppress
from pathlib import Path
from typing import Any
from urllib.error import HTTPError, URLError
from urllib.request import Request, urlopen


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


class Served:
    """`codecite serve` with these options; a context."""

    def __init__(self, *options: str | Path, **environment: str) -> None:
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        outside = {name: value for name, value in os.environ.items() if not name.startswith(("CODECITE_", "XDG_"))}
        self._log = tempfile.TemporaryFile()  # noqa: SIM115
        self.process = subprocess.Popen(
            [sys.executable, "-m", "codecite.search_api.cli", "serve", "--port", str(self.port), *map(str, options)],
            stdout=self._log,
            stderr=self._log,
            env={**outside, **environment},
        )

    def __enter__(self) -> Served:
        end = time.monotonic() + 120
        while time.monotonic() < end and self.process.poll() is None:
            try:
                if self.get("/readyz")[0] == 200:
                    return self
            except URLError:
                time.sleep(0.05)
        raise RuntimeError(f"the server did not come up: {self.log()}")

    def __exit__(self, *_: object) -> None:
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        self._log.close()

    def log(self) -> str:
        """What it has said."""
        self._log.seek(0)
        return self._log.read().decode()

    def stop(self, timeout: float = 60) -> int:
        """Ask it to end; its exit code."""
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(timeout)

    def get(self, path: str, **headers: str) -> tuple[int, bytes]:
        """The status and the body of an answer."""
        return self._sent(Request(self.url + path, headers=headers))

    def post(self, path: str, body: Any, **headers: str) -> tuple[int, Any]:
        """The same for JSON that is sent and comes back."""
        told = {"Content-Type": "application/json", **headers}
        status, content = self._sent(Request(self.url + path, json.dumps(body).encode(), told))
        return status, json.loads(content)

    def _sent(self, request: Request) -> tuple[int, bytes]:
        try:
            with urlopen(request, timeout=60) as answer:
                return answer.status, answer.read()
        except HTTPError as error:
            return error.code, error.read()


class ServedHere:
    """The application over an index, served by a thread of this process; a context."""

    def __init__(self, index: Any, policy: Any = None, **settings: Any) -> None:
        from codecite.search_api.app import create_app
        from codecite.search_api.cli.options import ensure_compiled
        from codecite.search_api.server import make_server
        from codecite.search_api.settings import Settings

        ensure_compiled()  # as `codecite serve` does before it listens
        held = Settings(**settings)
        self._server = make_server(
            create_app(index, None, policy, held), "127.0.0.1", 0, threads=4, max_body=held.max_body
        )
        self.url = f"http://127.0.0.1:{self._server.effective_port}"
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._serve)

    def __enter__(self) -> ServedHere:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        with suppress(OSError):  # it saw the end for itself
            self._server.pull_trigger()
        self._thread.join()

    def _serve(self) -> None:
        while not self._over.is_set():
            self._server.asyncore.loop(timeout=0.2, map=self._server._map, use_poll=True, count=1)
        self._server.task_dispatcher.shutdown(timeout=1)
        for channel in list(self._server.active_channels.values()):
            channel.handle_close()
        self._server.close()
