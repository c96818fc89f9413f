"""A server of completions over HTTP: requests answered with JSON or with a stream of server-sent events.

In: a URL, a key, requests. Out: JSON. It refuses to know what is asked and what the answers mean.

Lines of a stream end with LF or CR LF alone: JSON may hold the other characters that end a line in Unicode as they are.
"""

from __future__ import annotations

import importlib
import ipaddress
import json
import os
import time
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from codecite.indexer.errors import ModelError

KEY = "CODECITE_MODEL_KEY"
"""The environment variable that holds the key of the server."""

MAX_EVENT = 1 << 24
"""The longest event, in bytes; llama.cpp's last one may hold the whole prompt."""

_BUSY = {429, 500, 502, 503, 504}
_LONGEST_WAIT = 10.0


@dataclass(frozen=True, slots=True, eq=False)
class Server:
    """A server at `url`, which has no `/v1`. Make one with `Server.at`; `close` it when done."""

    url: str
    client: Any = field(repr=False)
    _key: str = field(repr=False)
    _retries: int = field(repr=False)

    @classmethod
    def at(cls, url: str, *, key_file: str | Path | None, timeout: float, retries: int) -> Server:
        """The server; nothing is asked of it yet. A key goes over plain http to this machine only. Raises ModelError."""
        httpx = _package()
        base = _base(url)
        key = _key(key_file)
        local = _is_loopback(base)
        if key and not base.startswith("https://") and not local:
            raise ModelError(f"{base}: a key is not sent over plain http to another machine; use https")
        try:
            client = httpx.Client(
                base_url=base,
                headers={"Authorization": f"Bearer {key}"} if key else {},
                timeout=httpx.Timeout(timeout, connect=min(timeout, 10.0)),
                trust_env=not local,
            )
        except httpx.InvalidURL as error:
            raise ModelError(f"{base} is not the URL of a server ({_sentence(error)})") from None
        return cls(base, client, key, retries)

    def close(self) -> None:
        """Close all connections."""
        self.client.close()

    def error(self, said: str, path: str = "") -> ModelError:
        """What is said of the server, naming it. A key that the server repeats is not shown."""
        return ModelError(f"{self.url}{path}: {said.replace(self._key, '***') if self._key else said}")

    def json(self, method: str, path: str, body: dict[str, Any] | None = None) -> Any:
        """The answer to a request, parsed. Raises ModelError."""
        response = self._send(method, path, body)
        try:
            return response.json()
        except (ValueError, RecursionError):
            raise self.error("the answer is no JSON; is this a completion server?", path) from None

    def stream(self, path: str, body: dict[str, Any]) -> Stream:
        """The answer to a request as the objects of its events; close it when done. Raises ModelError."""
        response = self._send("POST", path, body, stream=True)
        kind = response.headers.get("content-type", "")
        if "event-stream" not in kind:
            response.close()
            raise self.error(f"answers with {kind or 'nothing'} instead of a stream of events", path)
        return Stream(self, response)

    def _send(self, method: str, path: str, body: dict[str, Any] | None, *, stream: bool = False) -> Any:
        """A request, sent again where the server is busy or breaks off before it answers. Its answer is a good one."""
        httpx = _package()
        for turn in range(self._retries + 1):
            wait = min(_LONGEST_WAIT, 0.5 * 2**turn)
            try:
                response = self._client.send(self._client.build_request(method, path, json=body), stream=stream)
            except (httpx.NetworkError, httpx.ConnectTimeout, httpx.RemoteProtocolError) as error:
                problem = f"cannot be reached ({_sentence(error)}); is the server running there?"
            except httpx.TimeoutException:
                raise self.error("did not answer in time", path) from None
            except httpx.HTTPError as error:
                raise self.error(_sentence(error), path) from None
            else:
                if response.status_code < 300:
                    return response
                problem = _refusal(response)
                response.close()
                if response.status_code not in _BUSY:
                    raise self.error(problem, path)
                with suppress(ValueError):
                    wait = max(0.0, min(_LONGEST_WAIT, float(response.headers.get("retry-after", wait))))
            if turn < self._retries:
                time.sleep(wait)
        raise self.error(problem, path)


class Stream:
    """An answer that comes in events: an iterator over their JSON objects, up to `[DONE]`. Raises ModelError."""

    def __init__(self, server: Server, response: Any) -> None:
        self._server = server
        self._response = response
        self._objects = objects(response.iter_bytes())

    def __iter__(self) -> Iterator[dict[str, Any]]:
        """Itself."""
        return self

    def __next__(self) -> dict[str, Any]:
        """The next object."""
        httpx = _package()
        try:
            return next(self._objects)
        except httpx.TimeoutException:
            raise self._server.error("stopped sending in the middle of a completion") from None
        except httpx.HTTPError as error:
            raise self._server.error(f"broke off in the middle of a completion ({_sentence(error)})") from None
        except ModelError as error:
            raise self._server.error(str(error)) from None

    def close(self) -> None:
        """Close the connection."""
        self._response.close()


def objects(chunks: Iterable[bytes]) -> Iterator[dict[str, Any]]:
    """The JSON objects of the events, up to `[DONE]`.

    Raises ModelError, without saying where, for an event that is no JSON object or too long, and where the bytes end
    before `[DONE]`: what came may not be all.
    """
    data: list[bytes] = []
    for line in _lines(chunks):
        if line.startswith(b"data:"):
            data.append(line[5:].removeprefix(b" "))
            if sum(map(len, data)) > MAX_EVENT:
                raise _too_long()
        elif not line and data:
            text, data = b"\n".join(data), []
            if text == b"[DONE]":
                return
            yield _object(text)
    raise ModelError("broke off in the middle of a completion")


def _lines(chunks: Iterable[bytes]) -> Iterator[bytes]:
    pending = bytearray()
    for chunk in chunks:
        pending += chunk
        if b"\n" in chunk:
            *whole, pending = pending.split(b"\n")
            for line in whole:
                yield bytes(line.removesuffix(b"\r"))
        if len(pending) > MAX_EVENT:
            raise _too_long()


def _object(text: bytes) -> dict[str, Any]:
    try:
        found = json.loads(text.decode())
    except (ValueError, RecursionError):
        found = None
    if not isinstance(found, dict):
        raise ModelError("sent an event that is no JSON object")
    return found


def _too_long() -> ModelError:
    return ModelError(f"sent an event of more than {MAX_EVENT} bytes")


def _package() -> Any:
    try:
        return importlib.import_module("httpx")
    except ImportError as error:
        raise ModelError(f"a model on a server needs httpx ({error}): pip install 'codecite[generate]'") from None


def _key(file: str | Path | None) -> str:
    try:
        key = (os.environ.get(KEY, "") if file is None else Path(file).read_text(encoding="utf-8")).strip()
    except (OSError, UnicodeDecodeError) as error:
        raise ModelError(f"{file}: the key cannot be read ({_sentence(error)})") from None
    if not (key.isascii() and key.isprintable()):
        raise ModelError(f"{file or KEY}: the key is not one line of ASCII characters")
    return key


def _base(url: str) -> str:
    """The URL without `/v1`. One that holds a secret is refused, and not shown."""
    try:
        parts = urlsplit(url)
        good = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0 and url.isprintable()
    except ValueError:
        good = False
    if not good:
        raise ModelError("the URL of the server cannot be read; it is to be such as http://127.0.0.1:8080")
    if "@" in parts.netloc or parts.query or parts.fragment:
        raise ModelError(f"the server's URL holds a user or a query: a key belongs into {KEY} or a file")
    return parts.geturl().rstrip("/").removesuffix("/v1")


def _is_loopback(url: str) -> bool:
    host = urlsplit(url).hostname or ""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _refusal(response: Any) -> str:
    with suppress(Exception):
        response.read()
    said = ""
    with suppress(Exception):
        answer = response.json()
        said = message(answer.get("error", answer.get("message", answer.get("detail", ""))))
    code = response.status_code
    what = {401: f"the key is refused; set {KEY}", 403: "access is refused", 404: "there is no such route or model"}
    return f"{what.get(code, f'the server answers with status {code}')}{f' ({said})' if said else ''}"


def message(error: Any) -> str:
    """What a server says of an error, in one line."""
    text = error.get("message", "") if isinstance(error, dict) else error
    return " ".join(str(text).split())[:300]


def _sentence(error: BaseException) -> str:
    return " ".join(str(error).split())[:200] or type(error).__name__
