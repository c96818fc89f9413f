"""The door for OpenAI's clients: `/v1/completions`, `/v1/chat/completions`, `/v1/models`.

In: requests as OpenAI's clients write them. Out: what they expect, and one more key at the top, `attribution`: the
Report on the completion (a list of Reports where several were asked for); in a stream it comes on the chunk that has
the `finish_reason`. Nothing else is added to a stream: no other events, no comments, no chunk without a choice.

`finish_reason` is `content_filter` where the policy cut the completion. Under a policy that blocks, nothing is told
before the end, since nothing that was told can be taken back here. What cannot be answered (`logprobs`, say) is refused
and never passed over in silence. It refuses to know how a model writes.
"""

from __future__ import annotations

import json
import logging
import time
from collections.abc import Generator as Chunks
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any
from uuid import uuid4

from flask import Blueprint, Response

from codecite.generator.assistant import STOP, assistant_prompt
from codecite.generator.events import End, Generation, Text
from codecite.generator.generator import Generator
from codecite.generator.model import Sampling
from codecite.indexer.attribution.policy import OnDenial
from codecite.indexer.errors import CodeciteError
from codecite.indexer.text.checked import encode
from codecite.search_api.bodies import Schema, read_body, text_field, whole_number
from codecite.search_api.bounded import Bounded
from codecite.search_api.openapi import JSON, operation
from codecite.search_api.problems import Problem, openai_error, problem_of, wrong_field
from codecite.search_api.routes.common import answer
from codecite.search_api.routes.generate import SSE
from codecite.search_api.service import Service, service

blueprint = Blueprint("openai", __name__)

_LOG = logging.getLogger("codecite.server")
_MOST_CHOICES = 8
_NUMBER = {"type": ["number", "null"]}
_SHARED: dict[str, Any] = {
    "model": text_field("The model's name", maxLength=4096),
    "max_tokens": {"type": ["integer", "null"], "minimum": 1, "maximum": 1 << 20},
    "temperature": {**_NUMBER, "minimum": 0, "maximum": 2},
    "top_p": {**_NUMBER, "exclusiveMinimum": 0, "maximum": 1},
    "top_k": whole_number("Sample from so many tokens; 0 is all", 0, 1 << 20, 0),
    "n": {"type": ["integer", "null"], "minimum": 1, "maximum": _MOST_CHOICES},
    "stop": {
        "anyOf": [
            {"type": ["string", "null"], "minLength": 1},
            {"type": "array", "maxItems": 16, "items": {"type": "string", "minLength": 1}},
        ]
    },
    "seed": {"type": ["integer", "null"], "minimum": -(2**63), "maximum": 2**63 - 1},
    "stream": {"type": ["boolean", "null"]},
}
_COMPLETION = Schema(
    "Completion",
    {
        "prompt": {
            "anyOf": [{"type": "string"}, {"type": "array", "minItems": 1, "maxItems": 1, "items": {"type": "string"}}]
        },
        "suffix": {"type": ["string", "null"]},
        **_SHARED,
    },
    ("prompt",),
    more=True,
)
_CONTENT = {
    "anyOf": [
        {"type": "string"},
        {
            "type": "array",
            "items": {
                "type": "object",
                "properties": {"type": {"const": "text"}, "text": {"type": "string"}},
                "required": ["type", "text"],
            },
        },
    ]
}
_MESSAGE = {
    "type": "object",
    "properties": {"role": {"enum": ["system", "developer", "user", "assistant"]}, "content": _CONTENT},
    "required": ["role", "content"],
}
_CHAT = Schema(
    "Chat",
    {
        "messages": {"type": "array", "minItems": 1, "items": _MESSAGE},
        "max_completion_tokens": _SHARED["max_tokens"],
        **_SHARED,
    },
    ("messages",),
    more=True,
)
_REFUSED = {
    "logprobs": "probabilities of tokens are not told",
    "top_logprobs": "probabilities of tokens are not told",
    "echo": "the prompt is not repeated",
    "logit_bias": "single tokens cannot be favoured",
    "frequency_penalty": "repeating cannot be made dearer",
    "presence_penalty": "repeating cannot be made dearer",
    "tools": "no tools are called",
    "functions": "no functions are called",
    "response_format": "the form of the text cannot be forced",
}
_HARMLESS: tuple[Any, ...] = (None, False, 0, [], {}, {"type": "text"})
_ANSWERS: dict[str, Any] = {JSON: {"type": "object"}, SSE: {"type": "string"}}


@dataclass(frozen=True, slots=True)
class _Asked:
    """One request: what is completed and how, and the shape of the answer."""

    prompt: str
    suffix: str | None
    sampling: Sampling
    choices: int
    chat: bool
    id: str
    created: int
    model: str

    def chunk(self, choice: Mapping[str, Any], *, streamed: bool) -> dict[str, Any]:
        """An answer, or a part of one, with one choice."""
        kind = ("chat.completion" if self.chat else "text_completion") + (".chunk" if self.chat and streamed else "")
        return {"id": self.id, "object": kind, "created": self.created, "model": self.model, "choices": [choice]}

    def choice(self, index: int, text: str | None, ended: str | None, *, streamed: bool) -> dict[str, Any]:
        """A choice with some text, as this kind of answer has it."""
        made: dict[str, Any] = {"index": index, "logprobs": None, "finish_reason": ended}
        if not self.chat:
            made["text"] = text or ""
        elif streamed:
            made["delta"] = {} if text is None else {"role": "assistant", "content": text}
        else:
            made["message"] = {"role": "assistant", "content": text or "", "refusal": None}
        return made


@blueprint.get("/v1/models")
@operation("The model of this server, as OpenAI's clients list it", "doors")
def models() -> Response:
    """The one model."""
    return answer({"object": "list", "data": [_model(service())] if service().generator else []})


@blueprint.get("/v1/models/<path:name>")
@operation("The model by its name", "doors")
def model(name: str) -> Response:
    """The one model, if that is its name."""
    part = service()
    _known(part.generator_now(), name)
    return answer(_model(part))


@blueprint.post("/v1/completions")
@operation(
    "Complete a prompt, as OpenAI's clients ask for it; the Report is in `attribution`",
    "doors",
    body=_COMPLETION,
    answers=_ANSWERS,
)
def completions() -> Response:
    """A completion."""
    body = read_body(_COMPLETION)
    prompt = body["prompt"] if isinstance(body["prompt"], str) else body["prompt"][0]
    return _complete(body, prompt, body.get("suffix"), chat=False)


@blueprint.post("/v1/chat/completions")
@operation(
    "Answer a request in words: the model is shown an assistant's conversation", "doors", body=_CHAT, answers=_ANSWERS
)
def chat() -> Response:
    """An answer, in the form of the Tech Assistant."""
    body = read_body(_CHAT)
    if body["messages"][-1]["role"] == "assistant":
        raise wrong_field("messages", "the last is to be of the user")
    return _complete(body, assistant_prompt(conversation(body["messages"])), None, chat=True)


def conversation(messages: list[dict[str, Any]]) -> str:
    """Messages as the exchanges of the conversation that the model goes on with; the last is of the user."""
    before: list[str] = []
    exchanges = ""
    for message in messages:
        content = message["content"]
        text = content if isinstance(content, str) else "".join(part["text"] for part in content)
        if message["role"] == "assistant":
            exchanges += "\n\n".join(before) + f"\n\nAssistant: {text.strip()}{STOP}\nHuman: "
            before = []
        else:
            before.append(text.strip())
    return exchanges + "\n\n".join(before)


def _model(part: Service) -> dict[str, Any]:
    held = part.generator_now().model
    license = held.license.license if held.license else None
    return {"id": held.name, "object": "model", "created": 0, "owned_by": "codecite", "license": license}


def _known(generator: Generator, name: str | None) -> None:
    has = generator.model.name
    if name is not None and name != has:
        raise Problem(404, f"model: there is no model {name[:100]!r} here, only {has!r}", code="model_not_found")


def _complete(body: Mapping[str, Any], prompt: str, suffix: str | None, *, chat: bool) -> Response:
    for name, why in _REFUSED.items():
        if name in body and body[name] not in _HARMLESS:
            raise wrong_field(name, f"{why} here; leave it out")
    if body.get("best_of") not in (None, 1):
        raise wrong_field("best_of", "only 1 is possible here")
    part = service()
    generator = part.generator_now()
    _known(generator, body.get("model"))
    for name, text in (("prompt", prompt), ("suffix", suffix or "")):
        encode(text, f"the {name}")
    kind = "chatcmpl" if chat else "cmpl"
    asked = _Asked(
        prompt,
        suffix,
        _sampling(body, part.settings.max_new_tokens, chat=chat),
        int(body.get("n") or 1),
        chat,
        f"{kind}-{uuid4().hex}",
        int(time.time()),
        generator.model.name,
    )
    if body.get("stream"):
        part.generations.enter()
        response = Response(_streamed(part, generator, asked), mimetype=SSE)
        response.call_on_close(part.generations.leave)
        response.headers.update({"Cache-Control": "no-store, no-transform", "X-Accel-Buffering": "no"})
        return response
    with part.generations():
        done = [_whole(part, generator, asked, number) for number in range(asked.choices)]
    made = asked.chunk({}, streamed=False)
    made["choices"] = [
        asked.choice(number, completion.completion, ended, streamed=False)
        for number, (completion, ended) in enumerate(done)
    ]
    reports = [completion.report.to_dict() for completion, _ in done]
    return answer({**made, "attribution": reports[0] if len(reports) == 1 else reports})


def _sampling(body: Mapping[str, Any], most: int, *, chat: bool) -> Sampling:
    tokens = int(body.get("max_completion_tokens") or body.get("max_tokens") or 128)
    if tokens > most:
        raise wrong_field("max_tokens", f"is to be at most {most}")
    stop = body.get("stop") or ()
    temperature, top_p, seed = body.get("temperature"), body.get("top_p"), body.get("seed")
    return Sampling(
        tokens,
        1.0 if temperature is None else float(temperature),
        1.0 if top_p is None else float(top_p),
        body.get("top_k", 0),
        None if seed is None else abs(int(seed)) % 2**63,
        (*([stop] if isinstance(stop, str) else stop), *([STOP] if chat else ())),
    )


def _of_choice(asked: _Asked, number: int) -> Sampling:
    """How the choice of this number is drawn: each with a seed of its own, where one is given."""
    seed = asked.sampling.seed
    return replace(asked.sampling, seed=None if seed is None else (seed + number) % 2**63)


def _whole(part: Service, generator: Generator, asked: _Asked, number: int) -> tuple[Generation, str]:
    bounded = Bounded(generator.model, part.settings.generate_seconds)
    done = replace(generator, model=bounded).complete(asked.prompt, asked.suffix, _of_choice(asked, number))
    part.metrics.report(done.report)
    if done.error is not None:
        raise Problem(502, done.error)
    return done, _reason(done, bounded)


def _reason(done: Generation, bounded: Bounded) -> str:
    written = done.report.generation
    cut = {str(OnDenial.TRUNCATE), str(OnDenial.BLOCK)}
    if written is not None and any(item.action in cut for item in written.prevented):
        return "content_filter"
    return "length" if bounded.spent else "stop"


def _streamed(part: Service, generator: Generator, asked: _Asked) -> Iterator[bytes]:
    """The chunks of all choices, one choice after the other."""
    try:
        for number in range(asked.choices):
            error = yield from _one_streamed(part, generator, asked, number)
            if error is not None:
                yield _event({"error": openai_error(502, error)})
                return
        yield b"data: [DONE]\n\n"
    except (CodeciteError, OSError) as error:
        problem = problem_of(error)
        yield _event({"error": openai_error(problem.status, problem.detail)})
    except Exception as error:  # noqa: BLE001 - the answer has begun: the client can only be told in its stream
        _LOG.error("a bug in codecite: %s", type(error).__name__, exc_info=error)
        yield _event({"error": openai_error(500, "a bug in codecite; the server's log says where")})


def _one_streamed(part: Service, generator: Generator, asked: _Asked, number: int) -> Chunks[bytes, None, str | None]:
    """The chunks of one choice, then what failed, if something did.

    Where the reader leaves, the completion ends there, and is recorded still.
    """
    bounded = Bounded(generator.model, part.settings.generate_seconds)
    holds_back = generator.policy.on_denial is OnDenial.BLOCK
    events = replace(generator, model=bounded).stream(asked.prompt, asked.suffix, _of_choice(asked, number))
    done: Generation | None = None
    try:
        for event in events:
            if isinstance(event, Text) and not holds_back:
                yield _event(asked.chunk(asked.choice(number, event.text, None, streamed=True), streamed=True))
            elif isinstance(event, End):
                done = event.generation
    finally:
        if done is None:
            bounded.stop()
            done = next((event.generation for event in events if isinstance(event, End)), None)
        if done is not None:
            part.metrics.report(done.report)
    if done is None:
        return "the completion has no end"
    if holds_back and done.completion:
        yield _event(asked.chunk(asked.choice(number, done.completion, None, streamed=True), streamed=True))
    last = asked.chunk(asked.choice(number, None, _reason(done, bounded), streamed=True), streamed=True)
    yield _event({**last, "attribution": done.report.to_dict()})
    return done.error


def _event(value: Mapping[str, Any]) -> bytes:
    return f"data: {json.dumps(value)}\n\n".encode()
