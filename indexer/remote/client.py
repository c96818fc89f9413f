"""A codecite server, asked: objects in, objects out, and whatever goes wrong as a sentence that says what to do.

In: the address of a server, routes with the objects to send. Out: the objects that it answers with, of the schema that
was asked for. It refuses to know what they mean (`reading.py`). The one module that imports the HTTP client.

Connections are kept. What a busy server or a broken connection has refused is sent again, as it asks nothing but
questions. Answers are read up to a limit.
"""

from __future__ import annotations

import importlib
import json
import os
import threading
import time
from typing import Any
from urllib.parse import urlsplit

from codecite.indexer.errors import ConfigError, NotSearchableError, QueryError, RemoteError
from codecite.indexer.remote.keys import KEY, KEY_FILE, is_loopback, key_for

MOST = 256 << 20
"""Bytes of an answer, at most."""
_BUSY = {429, 502, 503, 504}
_TRIES = 4
_PATIENCE = 60.0
"""Seconds that a server may ask for until the next try, all together."""
_CONNECT = 10.0
_ANSWER = 90.0
"""Seconds until the answer begins: a server gives a check 60 by default."""
_SAID = 300
_PROBLEM = "application/problem+json"


class TooLargeError(Exception):
    """The server does not take so much at once; the text is what it says."""


def is_server(place: object) -> bool:
    """Whether the place of an index is the address of a codecite server."""
    return isinstance(place, str) and urlsplit(place).scheme in ("http", "https")


class Server:
    """A server at an address. Threads and forked processes may share it."""

    def __init__(self, address: str) -> None:
        parts = urlsplit(address)
        try:
            usable = bool(parts.hostname) and (parts.port or 1) > 0
        except ValueError:
            usable = False
        if "@" in parts.netloc:
            raise ConfigError(f"a key has no place in the address of a server: put it in {KEY}, or in a file")
        if not usable or parts.query or parts.fragment:
            raise ConfigError(f"{address}: is no address of a server; write http://HOST:PORT or https://HOST")
        self.address = address.rstrip("/").removesuffix("/api/v1")
        self._key = key_for(self.address)
        self._lock = threading.Lock()
        self._client: Any = None
        self._owner = 0

    def ask(self, path: str, body: dict[str, Any] | None = None, schema: str | None = None) -> dict[str, Any]:
        """The object that a route answers with, a GET where there is no body; `schema` is what it must say of itself.

        Raises RemoteError, ConfigError for what the server refuses, TooLargeError, QueryError, NotSearchableError.
        """
        found = self.find(path, body, schema)
        if found is None:
            raise RemoteError(
                f"{self.address}{path}: there is no such route; is this a codecite server of this version?"
            )
        return found

    def find(self, path: str, body: dict[str, Any] | None = None, schema: str | None = None) -> dict[str, Any] | None:
        """The same; None where the server says that what was asked for is not there."""
        content = None if body is None else json.dumps(body, separators=(",", ":")).encode("ascii")
        status, answer, kind = self._sent(path, content)
        form = _object(answer)
        if status != 200:
            if status == 404 and form is not None and kind == _PROBLEM:
                return None
            raise self._refusal(path, status, form or {})
        if form is None:
            raise RemoteError(f"{self.address}{path}: the answer is no JSON object; is this a codecite server?")
        if schema is not None and form.get("schema") != schema:
            said = form.get("schema")
            told = f"with {said[:60]!r}" if isinstance(said, str) else "without a schema"
            raise RemoteError(
                f"{self.address}{path}: answers {told}, this codecite reads {schema}; bring both to one version"
            )
        return form

    def close(self) -> None:
        """Close all connections."""
        with self._lock:
            if self._client is not None:
                self._client.close()
            self._client = None

    def _sent(self, path: str, content: bytes | None) -> tuple[int, bytes, str]:
        """The status, the body and the media type of the answer, after as many tries as it takes."""
        httpx = _package(self.address)
        waited = 0.0
        for turn in range(1, _TRIES + 1):
            wait = 0.25 * 2**turn
            try:
                status, answer, kind, asked = self._once(path, content)
                if status not in _BUSY:
                    return status, answer, kind
                problem = f"the server is busy, or its index cannot answer (status {status}{_told(answer)})"
                wait = wait if asked is None else asked
            except httpx.ConnectError as error:
                problem = f"cannot be reached ({_sentence(error)}); is the server running there?"
            except httpx.TimeoutException as error:
                if isinstance(error, httpx.ConnectTimeout):
                    raise RemoteError(f"{self.address}: cannot be reached in {_CONNECT:g} seconds") from None
                raise RemoteError(f"{self.address}: did not answer in time") from None
            except (httpx.RemoteProtocolError, httpx.ReadError, httpx.WriteError) as error:
                problem = f"the connection broke ({_sentence(error)})"
            except (httpx.HTTPError, httpx.InvalidURL) as error:
                raise RemoteError(f"{self.address}: {_sentence(error)}") from None
            waited += wait
            if turn == _TRIES or waited > _PATIENCE:
                break
            time.sleep(wait)
        raise RemoteError(f"{self.address}: {problem}")

    def _once(self, path: str, content: bytes | None) -> tuple[int, bytes, str, float | None]:
        client = self._connected()
        headers = {} if content is None else {"Content-Type": "application/json"}
        with client.stream("GET" if content is None else "POST", path, content=content, headers=headers) as response:
            parts, size = [], 0
            for part in response.iter_bytes(1 << 16):
                size += len(part)
                if size > MOST:
                    raise RemoteError(f"{self.address}{path}: the answer is larger than {MOST >> 20} MiB; ask for less")
                parts.append(part)
            kind = response.headers.get("content-type", "").partition(";")[0].strip().lower()
            return response.status_code, b"".join(parts), kind, _seconds(response.headers.get("retry-after", ""))

    def _connected(self) -> Any:
        """The client of this process: a forked one must not write into the connections of its parent."""
        with self._lock:
            if self._client is None or self._owner != os.getpid():
                httpx = _package(self.address)
                local = is_loopback(self.address)
                headers = {"Authorization": f"Bearer {self._key}"} if self._key else {}
                if local:  # compressing costs more than it saves
                    headers["Accept-Encoding"] = "identity"
                self._client = httpx.Client(
                    base_url=self.address,
                    headers=headers,
                    timeout=httpx.Timeout(_ANSWER, connect=_CONNECT),
                    trust_env=not local,
                )
                self._owner = os.getpid()
            return self._client

    def _refusal(self, path: str, status: int, form: dict[str, Any]) -> Exception:
        said, where = _clean(form.get("detail")), f"{self.address}{path}"
        if status == 413:
            return TooLargeError(said)
        if status == 401:
            why = "the key is refused" if self._key else "the server asks for a key"
            return ConfigError(f"{self.address}: {why}; set {KEY}, or let {KEY_FILE} name a file that holds it")
        if status == 403:
            return ConfigError(f"{self.address}: access is refused{f' ({said})' if said else ''}")
        if status == 422:
            return (ConfigError if form.get("errors") else QueryError)(f"{where}: {said}")
        if status == 501:
            return NotSearchableError(f"{self.address}: {said}")
        if status in (301, 302, 303, 307, 308):
            return RemoteError(f"{where}: leads elsewhere (status {status}); name the address that it leads to")
        if status == 404:
            return RemoteError(f"{where}: there is no such route; is this a codecite server?")
        return RemoteError(f"{where}: refused with status {status}{f' ({said})' if said else ''}")


def _package(address: str) -> Any:
    try:
        return importlib.import_module("httpx")
    except ImportError:
        raise ConfigError(f"{address}: a server needs the package httpx: pip install 'codecite[remote]'") from None


def _object(answer: bytes) -> dict[str, Any] | None:
    """The JSON object that an answer is; None for any other."""
    try:
        form = json.loads(answer, parse_constant=_refused)
    except (ValueError, RecursionError):
        return None
    return form if isinstance(form, dict) else None


def _refused(name: str) -> Any:
    raise ValueError(name)


def _seconds(text: str) -> float | None:
    return float(text) if text.isascii() and text.isdigit() and len(text) < 6 else None


def _told(answer: bytes) -> str:
    """What a problem says, where an answer is one."""
    said = _clean((_object(answer) or {}).get("detail"))
    return f": {said}" if said else ""


def _clean(text: Any) -> str:
    """A sentence of a server's, on one line and not too long."""
    return " ".join(text.split())[:_SAID] if isinstance(text, str) else ""


def _sentence(error: Exception) -> str:
    return _clean(str(error)) or type(error).__name__
