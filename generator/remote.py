"""A code model behind an OpenAI-compatible completion server (`/v1/completions`): llama.cpp, vLLM, TGI and others.

In: the URL of a server, prompts. Out: the pieces that it streams. It refuses to know of the index.

Going back is asking again: with the text that is kept, and for the first token with a negative `logit_bias` on what
came next there. The ids for that are the server's own (`/tokenize`) or those of a tokenizer that lies here. llama.cpp
gets prompts as ids that it made itself without reading special tokens in them, and middles by its `/infill`. Where a
setting is at the protocol's own default, only servers known to have another one are sent it: TGI refuses `top_p` 1.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from codecite.generator.model import ModelLicense, Sampling
from codecite.generator.sse import Server, Stream, message
from codecite.indexer.errors import ModelError, TextError

_NEVER = -100
_CODE_POINT = 4
_CONTEXT = 64
_LLAMA, _VLLM = "llama.cpp", "vllm"


def is_url(place: str) -> bool:
    """Whether a model's place is a server's."""
    return place.startswith(("http://", "https://"))


@dataclass(frozen=True, slots=True, eq=False)
class RemoteModel:
    """A model on a server. Make one with `RemoteModel.connect`; `close` it when done.

    `name` is what the server calls the model, `url` where it is, without `/v1`.
    """

    name: str
    url: str
    license: ModelLicense | None
    _server: Server = field(repr=False)
    _kind: str = field(repr=False)
    _tokenizer: Any = field(repr=False)

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
        server = Server.at(url, key_file=key_file, timeout=timeout, retries=retries)
        try:
            name, kind = _found(server, model)
            return cls(name, server.url, license, server, kind, _tokenizer(tokenizer))
        except BaseException:
            server.close()
            raise

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
        self._server.close()

    def error(self, said: str) -> ModelError:
        """What is said of the server, naming it."""
        return self._server.error(said)

    def stream(self, prompt: str, suffix: str | None, sampling: Sampling, budget: int, bias: list[int]) -> Stream:
        """The server's answer to one request, open."""
        settings: dict[str, Any] = {"temperature": sampling.temperature, "stream": True}
        if sampling.top_p < 1 or self._kind:
            settings["top_p"] = sampling.top_p
        if sampling.top_k or self._kind:
            settings["top_k"] = sampling.top_k or (-1 if self._kind == _VLLM else 0)
        if self._kind == _LLAMA:
            settings |= {"min_p": 0.0, "cache_prompt": True}
        if sampling.seed is not None:
            settings["seed"] = sampling.seed
        if sampling.stop:
            settings["stop"] = list(sampling.stop)
        if bias:
            settings["logit_bias"] = {str(token): _NEVER for token in bias}
        if self._kind == _LLAMA and suffix is not None:
            return self._server.stream(
                "/infill", {**settings, "input_prefix": prompt, "input_suffix": suffix, "n_predict": budget}
            )
        body: dict[str, Any] = {**settings, "model": self.name, "max_tokens": budget}
        body["prompt"] = self.tokenize(prompt, start=True) if self._kind == _LLAMA else prompt
        if suffix is not None:
            body["suffix"] = suffix
        return self._server.stream("/v1/completions", body)

    def tokenize(self, text: str, *, start: bool = False) -> list[int] | None:
        """The ids of a text, `start` with the token that begins one; None where neither server nor tokenizer tells."""
        llama = self._kind == _LLAMA
        if self._tokenizer is not None and not llama:
            ids: list[int] = self._tokenizer.encode(text, add_special_tokens=start)
            return ids
        bodies: tuple[dict[str, Any], ...] = (
            {"content": text, "add_special": start, "parse_special": False},
            {"model": self.name, "prompt": text, "add_special_tokens": start},
            {"inputs": text, "add_special_tokens": start},
        )
        for body in bodies[:1] if llama else bodies[1:]:
            try:
                answer = self._server.json("POST", "/tokenize", body)
            except ModelError:
                if llama:
                    raise
                continue
            tokens: Any = answer.get("tokens") if isinstance(answer, dict) else answer
            with suppress(KeyError, TypeError, ValueError):
                return [int(token["id"] if isinstance(token, dict) else token) for token in tokens]
        return None

    def first_ids(self, before: str, came: str) -> list[int]:
        """The ids with which `came` may have begun after `before`; none where no ids are to be had.

        As it is split alone, and behind other text: some tokenizers put a blank before a text that begins.
        """
        alone = self.tokenize(came)
        if not alone:
            return []
        context = before[-_CONTEXT:]
        shorter, longer = self.tokenize(context) or [], self.tokenize(context + came) or []
        behind = longer[len(shorter) :][:1] if longer[: len(shorter)] == shorter else []
        return list(dict.fromkeys(alone[:1] + behind))


class RemoteWriting:
    """A completion that a server streams.

    `_text` is what was given of it, `_held` what came after that and may begin a stop string: servers know no text
    of an earlier request, and TGI sends the stop strings, too. `_marks` has for each piece the characters and tokens up
    to its end, where each event is taken for one token.
    """

    def __init__(self, model: RemoteModel, prompt: str, suffix: str | None, sampling: Sampling) -> None:
        self.notes: list[str] = []
        self._model = model
        self._prompt = prompt
        self._suffix = suffix
        self._sampling = sampling
        self._text = ""
        self._held = ""
        self._used = 0
        self._marks: list[tuple[int, int]] = []
        self._forbidden: dict[int, list[int]] = {}
        self._refused = ""
        self._deaf = False
        self._stream: Stream | None = None
        self._over = False

    def __iter__(self) -> Iterator[str]:
        """Itself."""
        return self

    def __next__(self) -> str:
        """The next piece that the server sends; one that is not empty."""
        while not self._over:
            try:
                text, ended = self._receive()
            except BaseException:
                self.close()
                raise
            piece = self._passed(text, ended)
            if piece:
                self._text += piece
                self._marks.append((len(self._text), self._used))
                return piece
        raise StopIteration

    def go_back(self, characters: int) -> int | None:
        """Keep the text up to there; None where what came next cannot be forbidden, or nothing did."""
        whole = self._text + self._held
        came = whole[characters : next((end for end, _ in self._marks if end > characters), len(whole))]
        ids = self._model.first_ids(self._prompt + whole[:characters], came) if came and not self._deaf else []
        if not ids:
            return None
        self._hang_up()
        self._forbidden = {place: known for place, known in self._forbidden.items() if place <= characters}
        self._forbidden.setdefault(characters, []).extend(ids)
        self._refused = came
        self._text, self._held = self._text[:characters], ""
        self._marks = [mark for mark in self._marks if mark[0] <= characters]
        end, self._used = self._marks[-1] if self._marks else (0, 0)
        self._used += end < characters
        self._over = False
        return characters

    def close(self) -> None:
        """Hang up."""
        self._over = True
        self._hang_up()

    def _receive(self) -> tuple[str, bool]:
        """What comes next, and whether it is the last."""
        left = self._sampling.max_new_tokens - self._used
        stream = self._stream
        if stream is None:
            if left <= 0:
                return "", True
            bias = self._forbidden.get(len(self._text) + len(self._held))
            if bias:
                return self._redirected(bias, left)
            stream = self._ask(left, [])
        text, reason = self._event(stream)
        self._used += bool(text)
        return text, bool(reason)

    def _redirected(self, bias: list[int], left: int) -> tuple[str, bool]:
        """What the model writes first under a bias: one token, or as many as the first code point takes."""
        for budget in range(1, min(_CODE_POINT, left) + 1):
            stream = self._ask(budget, bias)
            text, reason = "", ""
            while not reason:
                piece, reason = self._event(stream)
                text += piece
            self._hang_up()
            if reason != "length" or text.rstrip("\N{REPLACEMENT CHARACTER}"):
                break
        self._used += budget
        if text and text == self._refused:
            self._deaf = True
            self.notes.append("the server does not heed logit_bias: it wrote again what it was told not to")
        return text, reason != "length" or not text

    def _passed(self, text: str, ended: bool) -> str:
        """What of the text held and new may be given: nothing from a stop string on, and not yet what may begin one."""
        stops = self._sampling.stop
        held = self._held + text
        given = self._text[max(0, len(self._text) + 1 - max(map(len, stops), default=1)) :]
        both = given + held
        places = [place for place in map(both.find, stops) if place >= 0]
        if places:
            free = max(0, min(places) - len(given))
            ended = True
        elif ended:
            free = len(held)
        else:
            begun = (size for stop in stops for size in range(1, len(stop)) if both.endswith(stop[:size]))
            free = max(0, len(held) - max(begun, default=0))
        self._held = "" if ended else held[free:]
        if ended:
            self.close()
        return held[:free]

    def _ask(self, budget: int, bias: list[int]) -> Stream:
        kept = self._prompt + self._text + self._held
        self._stream = self._model.stream(kept, self._suffix, self._sampling, budget, bias)
        return self._stream

    def _event(self, stream: Stream) -> tuple[str, str]:
        """The text of the next event, and why it was the last (empty: it was not)."""
        event = next(stream, {"stop": True})
        if event.get("error"):
            raise self._model.error(f"the model failed: {message(event['error'])}")
        if "choices" in event:
            choices = event["choices"] or [{}]
            choice = choices[0] if isinstance(choices, list) and isinstance(choices[0], dict) else {"text": 0}
            text, reason = choice.get("text"), str(choice.get("finish_reason") or "")
        else:
            text = event.get("content")
            reason = ("length" if event.get("stop_type") == "limit" else "stop") if event.get("stop") else ""
        if reason == "eos_token" or text is None:  # TGI spells the token that ended it
            text = ""
        if not isinstance(text, str) or not _is_text(text):
            raise self._model.error("sent an event that holds no text")
        return text, reason

    def _hang_up(self) -> None:
        if self._stream is not None:
            self._stream.close()
        self._stream = None


def _tokenizer(place: str | Path | None) -> Any:
    if place is None:
        return None
    from codecite.generator.local import load_tokenizer

    return load_tokenizer(Path(place))


def _is_text(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _found(server: Server, name: str | None) -> tuple[str, str]:
    """What the server calls the model, and which kind of server it is."""
    answer = server.json("GET", "/v1/models")
    listed = answer.get("data") if isinstance(answer, dict) else None
    models = [item for item in listed if isinstance(item, dict)] if isinstance(listed, list) else []
    names = [str(item.get("id")) for item in models]
    if not name and not names:
        raise server.error("the server lists no model; name one")
    if name and names and name not in names:
        raise server.error(f"has no model {name}; it has {', '.join(names[:5])}")
    kind = _VLLM if any(item.get("owned_by") == "vllm" for item in models) else ""
    with suppress(ModelError):
        about = server.json("GET", "/props")
        if isinstance(about, dict) and "default_generation_settings" in about:
            kind = _LLAMA
    return name or names[0], kind
