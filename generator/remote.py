"""A code model behind an OpenAI-compatible completion server (`/v1/completions`): llama.cpp, vLLM, TGI and others.

In: the URL of a server, prompts. Out: the pieces that it streams. It refuses to know of the index.

Going back is asking again: with the text that is kept, and for the first token with a negative `logit_bias` on what
came next there. The ids for that are the server's own (`/tokenize`) or those of a tokenizer that lies here. llama.cpp
gets prompts as ids that it made itself without reading special tokens in them, and middles by its `/infill`.
"""

from __future__ import annotations

import importlib
import ipaddress
import os
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from codecite.generator.model import ModelLicense, Sampling
from codecite.generator.sse import events, sentence
from codecite.indexer.errors import ModelError, TextError

KEY = "CODECITE_MODEL_KEY"
"""The environment variable that holds the key of the server."""

_BUSY = {429, 500, 502, 503, 504}
_LONGEST_WAIT = 10.0
_NEVER = -100
_CODE_POINT = 5
"""Tokens that are asked for at most until one that may not begin as before has text."""


def is_url(place: str) -> bool:
    """Whether a model's place is a server's."""
    return urlsplit(place).scheme in ("http", "https")


@dataclass(frozen=True, slots=True, eq=False)
class RemoteModel:
    """A model on a server. Make one with `RemoteModel.connect`; `close` it when done.

    `name` is what the server calls the model, `url` where it is, without `/v1`.
    """

    name: str
    url: str
    license: ModelLicense | None
    _client: Any = field(repr=False)
    _llama: bool = field(repr=False)
    _tokenizer: Any = field(repr=False)
    _retries: int = field(repr=False)

    @classmethod
    def connect(
        cls,
        url: str,
        *,
        model: str | None = None,
        key_file: str | Path | None = None,
        tokenizer: str | Path | None = None,
        license: ModelLicense | None = None,
        timeout: float = 60.0,
        retries: int = 2,
    ) -> RemoteModel:
        """The model that the server at `url` calls `model`, or its only one.

        A key is read from the environment (KEY) or a file, and sent over plain http to this machine only. `tokenizer`
        is a directory with the model's tokenizer, for servers that have no `/tokenize`. `timeout` is in seconds, for
        each wait. Raises ModelError where the server cannot be reached, refuses, or is no such server.
        """
        httpx = _package()
        base = url.rstrip("/").removesuffix("/v1")
        key = _key(key_file)
        local = _is_loopback(base)
        if key and urlsplit(base).scheme != "https" and not local:
            raise ModelError(f"{_shown(base)}: a key is not sent over plain http to another machine; use https")
        client = httpx.Client(
            base_url=base,
            headers={"Authorization": f"Bearer {key}"} if key else {},
            timeout=httpx.Timeout(timeout, connect=min(timeout, 10.0)),
            trust_env=not local,
        )
        made = cls(model or "", base, license, client, False, None, retries)
        listed = made._json("GET", "/v1/models").get("data") or []
        names = [str(item.get("id")) for item in listed if isinstance(item, dict)]
        if model is None and not names:
            raise ModelError(f"{_shown(base)}: the server lists no model; name one")
        if model is not None and names and model not in names:
            raise ModelError(f"{_shown(base)}: has no model {model}; it has {', '.join(names[:5])}")
        llama = False
        with suppress(ModelError):
            llama = "default_generation_settings" in made._json("GET", "/props")
        return cls(model or names[0], base, license, client, llama, _tokenizer(tokenizer), retries)

    def write(self, prompt: str, suffix: str | None, sampling: Sampling) -> RemoteWriting:
        """Begin the text that belongs after `prompt` and, where `suffix` is given, before it."""
        for name, text in (("prompt", prompt), ("suffix", suffix or "")):
            try:
                text.encode()
            except UnicodeEncodeError as error:
                raise TextError(f"the {name} has a lone surrogate at offset {error.start}") from error
        return RemoteWriting(self, prompt, suffix, sampling)

    def close(self) -> None:
        """Close all connections."""
        self._client.close()

    def stream(self, prompt: str, suffix: str | None, sampling: Sampling, budget: int, bias: list[int]) -> Any:
        """The server's answer to one request, open, as an iterator over its events' data."""
        settings: dict[str, Any] = {"temperature": sampling.temperature, "stream": True}
        if sampling.top_p < 1 or self._llama:  # TGI refuses 1, which is the protocol's own default
            settings["top_p"] = sampling.top_p
        if sampling.top_k or self._llama:
            settings["top_k"] = sampling.top_k
        if self._llama:
            settings |= {"min_p": 0.0, "cache_prompt": True}
        if sampling.seed is not None:
            settings["seed"] = sampling.seed
        if sampling.stop:
            settings["stop"] = list(sampling.stop)
        if bias:
            settings["logit_bias"] = {str(token): _NEVER for token in bias}
        if self._llama and suffix is not None:
            return self._open(
                "/infill", {**settings, "input_prefix": prompt, "input_suffix": suffix, "n_predict": budget}
            )
        body: dict[str, Any] = {**settings, "model": self.name, "max_tokens": budget}
        body["prompt"] = self.tokenize(prompt, start=True) if self._llama else prompt
        if suffix is not None:
            body["suffix"] = suffix
        return self._open("/v1/completions", body)

    def tokenize(self, text: str, *, start: bool = False) -> list[int] | None:
        """The ids of a text, `start` with the token that begins one; None where neither server nor tokenizer tells."""
        if self._tokenizer is not None and not self._llama:
            ids: list[int] = self._tokenizer.encode(text, add_special_tokens=start)
            return ids
        bodies: tuple[dict[str, Any], ...] = (
            {"content": text, "add_special": start, "parse_special": False},
            {"model": self.name, "prompt": text, "add_special_tokens": start},
            {"inputs": text, "add_special_tokens": start},
        )
        for body in bodies[:1] if self._llama else bodies[1:]:
            try:
                answer = self._json("POST", "/tokenize", body)
            except ModelError:
                if self._llama:
                    raise
                continue
            tokens = answer.get("tokens") if isinstance(answer, dict) else answer
            if isinstance(tokens, list):
                return [int(token["id"] if isinstance(token, dict) else token) for token in tokens]
        return None

    def _open(self, path: str, body: dict[str, Any]) -> Any:
        response = self._send("POST", path, body, stream=True)
        kind = response.headers.get("content-type", "")
        if "event-stream" not in kind:
            response.close()
            raise ModelError(
                f"{_shown(self.url)}{path}: answers with {kind or 'nothing'} instead of a stream of events"
            )
        return response

    def _json(self, method: str, path: str, body: dict[str, Any] | None = None) -> Any:
        response = self._send(method, path, body)
        try:
            return response.json()
        except ValueError:
            raise ModelError(f"{_shown(self.url)}{path}: the answer is no JSON; is this a completion server?") from None

    def _send(self, method: str, path: str, body: dict[str, Any] | None, *, stream: bool = False) -> Any:
        """A request, sent again where the server is busy or cannot be reached. Its answer is a good one."""
        httpx = _package()
        where = f"{_shown(self.url)}{path}"
        for turn in range(self._retries + 1):
            wait = min(_LONGEST_WAIT, 0.5 * 2**turn)
            try:
                response = self._client.send(self._client.build_request(method, path, json=body), stream=stream)
            except (httpx.ConnectError, httpx.ConnectTimeout) as error:
                problem = f"cannot be reached ({sentence(error)}); is the server running there?"
            except httpx.TimeoutException:
                raise ModelError(f"{where}: did not answer in time") from None
            except httpx.HTTPError as error:
                raise ModelError(f"{where}: {sentence(error)}") from None
            else:
                if response.status_code < 300:
                    return response
                problem = _refusal(response)
                response.close()
                if response.status_code not in _BUSY:
                    raise ModelError(f"{where}: {problem}")
                with suppress(ValueError):
                    wait = min(_LONGEST_WAIT, float(response.headers.get("retry-after", wait)))
            if turn < self._retries:
                time.sleep(wait)
        raise ModelError(f"{where}: {problem}")


class RemoteWriting:
    """A completion that a server streams. `_marks` has for each piece the characters and tokens up to its end."""

    def __init__(self, model: RemoteModel, prompt: str, suffix: str | None, sampling: Sampling) -> None:
        self.notes: list[str] = []
        self.spent = False
        self._model = model
        self._prompt = prompt
        self._suffix = suffix
        self._sampling = sampling
        self._text = ""
        self._marks: list[tuple[int, int]] = []
        self._forbidden: dict[int, list[int]] = {}
        self._response: Any = None
        self._events: Iterator[dict[str, Any]] | None = None
        self._first_only = False
        self._tried = 0
        self._over = False

    def __iter__(self) -> Iterator[str]:
        """Itself."""
        return self

    def __next__(self) -> str:
        """The next piece that the server sends; one that is not empty."""
        while not self._over and (self._events is not None or self._left > 0):
            piece, ended = self._receive(self._events or self._ask())
            if ended:
                self.spent = ended == "length"
                self._hang_up()
                self._over = not (self._first_only and ended == "length" and self._biased_budget())
                self._first_only = False
            if piece:
                self._tried = 0
                self._text += piece
                self._marks.append((len(self._text), self._used + 1))
                return piece
        raise StopIteration

    def go_back(self, characters: int) -> int | None:
        """Keep the text up to there; None where no ids are to be had for what came next, or nothing did."""
        came = self._text[characters : next((end for end, _ in self._marks if end > characters), characters)]
        tokens = self._model.tokenize(came) if came else None
        if not tokens:
            return None
        self._hang_up()
        self._forbidden = {place: ids for place, ids in self._forbidden.items() if place <= characters}
        self._forbidden.setdefault(characters, []).append(tokens[0])
        self._text = self._text[:characters]
        self._marks = [mark for mark in self._marks if mark[0] <= characters]
        self._over = False
        return len(self._text)

    def close(self) -> None:
        """Hang up."""
        self._over = True
        self._hang_up()

    @property
    def _used(self) -> int:
        return self._marks[-1][1] if self._marks else 0

    @property
    def _left(self) -> int:
        return self._sampling.max_new_tokens - self._used

    def _ask(self) -> Iterator[dict[str, Any]]:
        bias = self._forbidden.get(len(self._text), [])
        self._first_only = bool(bias)
        budget = min(self._left, 1 + self._tried) if bias else self._left
        self._tried += self._first_only
        self._response = self._model.stream(self._prompt + self._text, self._suffix, self._sampling, budget, bias)
        self._events = events(self._response, _shown(self._model.url))
        return self._events

    def _biased_budget(self) -> bool:
        """Whether to ask on, for one token more: a character of several tokens has no text before its last."""
        return self._tried < _CODE_POINT

    def _receive(self, events: Iterator[dict[str, Any]]) -> tuple[str, str]:
        """The text of the next event, and why it was the last (empty: it was not)."""
        event = next(events, None)
        if event is None:
            return "", "stop"
        if "error" in event:
            self._hang_up()
            raise ModelError(f"{_shown(self._model.url)}: the model failed: {_message(event['error'])}")
        if "choices" in event:
            choice = event["choices"][0] if event["choices"] else {}
            return str(choice.get("text") or ""), str(choice.get("finish_reason") or "")
        ended = ("length" if event.get("stop_type") == "limit" else "stop") if event.get("stop") else ""
        return str(event.get("content") or ""), ended

    def _hang_up(self) -> None:
        if self._response is not None:
            self._response.close()
        self._response = self._events = None


def _package() -> Any:
    try:
        return importlib.import_module("httpx")
    except ImportError as error:
        raise ModelError(f"a model on a server needs httpx ({error}): pip install 'codecite[generate]'") from None


def _tokenizer(place: str | Path | None) -> Any:
    if place is None:
        return None
    from codecite.generator.local import load_tokenizer

    return load_tokenizer(Path(place))


def _key(file: str | Path | None) -> str:
    """The key: printable ASCII, or an error that does not show it."""
    try:
        key = os.environ.get(KEY, "") if file is None else Path(file).read_text(encoding="utf-8")
    except OSError as error:
        raise ModelError(f"{file}: the key cannot be read ({error.strerror})") from None
    except UnicodeDecodeError:
        raise ModelError(f"{file}: the key cannot be read (it is not UTF-8)") from None
    key = key.strip()
    if key and not (key.isascii() and key.isprintable()):
        raise ModelError(f"{file or KEY}: the key holds a character that no key has; is it the right one?")
    return key


def _is_loopback(url: str) -> bool:
    host = urlsplit(url).hostname or ""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _shown(url: str) -> str:
    """The URL without a password that may stand in it."""
    parts = urlsplit(url)
    return url.replace(parts.netloc, parts.netloc.rpartition("@")[2], 1)


def _refusal(response: Any) -> str:
    with suppress(Exception):
        response.read()
    said = ""
    with suppress(Exception):
        answer = response.json()
        said = _message(answer.get("error", answer.get("message", answer.get("detail", ""))))
    code = response.status_code
    what = {401: f"the key is refused; set {KEY}", 403: "access is refused", 404: "there is no such route or model"}
    return f"{what.get(code, f'the server answers with status {code}')}{f' ({said})' if said else ''}"


def _message(error: Any) -> str:
    text = error.get("message", "") if isinstance(error, dict) else error
    return " ".join(str(text).split())[:300]
