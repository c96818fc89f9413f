"""`/api/v1/generate`: a completion with its Report, as server-sent events or whole.

In: a prompt, perhaps a suffix. Out: events with ids `STREAM:NUMBER`, those of `codecite generate --events`; the last is
`end`, with the Report. It refuses to know how a model writes and what is held back.

The completion is made in a thread of its own: a client that has lost its connection asks again with `Last-Event-ID`
(a POST with any body, or a GET of `/api/v1/generate/STREAM`) and hears the rest. Nothing of it is compressed, so that
each event leaves at once.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from typing import Any

from flask import Blueprint, Response, request

from codecite.generator.assistant import STOP, assistant_prompt
from codecite.generator.events import End
from codecite.generator.generator import Generator
from codecite.generator.model import Sampling
from codecite.indexer.attribution.policy import OnDenial, Policy
from codecite.indexer.config import GUARANTEE
from codecite.indexer.errors import CodeciteError
from codecite.indexer.licenses.named import license_named
from codecite.indexer.records import Outcome
from codecite.indexer.text.checked import encode
from codecite.search_api.answers import event_object, report_with_text
from codecite.search_api.bodies import Schema, read_body, text_field, whole_number
from codecite.search_api.bounded import Bounded
from codecite.search_api.openapi import JSON, form, operation
from codecite.search_api.problems import Problem, problem_object, problem_of, wrong_field
from codecite.search_api.routes.common import answer
from codecite.search_api.service import Service, service
from codecite.search_api.streams import Stream

blueprint = Blueprint("generate", __name__)

_LOG = logging.getLogger("codecite.server")
SSE = "text/event-stream"
SEED = {"type": "integer", "minimum": 0, "maximum": 2**63 - 1, "description": "Makes sampling repeatable"}
STOPS = {"type": "array", "maxItems": 16, "items": {"type": "string", "minLength": 1, "maxLength": 1000}}

_GENERATE = Schema(
    "Generate",
    {
        "prompt": text_field("What stands before the completion"),
        "suffix": text_field("What stands after it"),
        "assistant": {"type": "boolean", "description": "Take the prompt as a request in words"},
        "max_new_tokens": whole_number("Where it ends at the latest", 1, 1 << 20, 128),
        "temperature": {"type": "number", "minimum": 0, "maximum": 100, "default": 0},
        "top_p": {"type": "number", "exclusiveMinimum": 0, "maximum": 1, "default": 1},
        "top_k": whole_number("Sample from so many tokens; 0 is all", 0, 1 << 20, 0),
        "seed": SEED,
        "stop": STOPS,
        "stream": {"type": "boolean", "default": True, "description": "Events, or the Report alone"},
        "on_denial": {"enum": [str(item) for item in OnDenial], "description": "What becomes of a denied passage"},
        "deny": {
            "type": "array",
            "maxItems": 50,
            "items": {"type": "string", "maxLength": 200},
            "description": "Licences or categories that are denied this time, from the guarantee length on",
        },
    },
    ("prompt",),
)
_ANSWERS: dict[str, Any] = {SSE: {"type": "string"}, JSON: form("Report")}
_LAST = {"Last-Event-ID": {"type": "string", "description": "Go on behind this event"}}
_ORDER = {OnDenial.ANNOTATE: 0, OnDenial.REGENERATE: 1, OnDenial.TRUNCATE: 1, OnDenial.BLOCK: 2}


@blueprint.post("/api/v1/generate")
@operation(
    "Complete a prompt, and check the completion while it is written",
    "generate",
    body=_GENERATE,
    answers=_ANSWERS,
    headers=_LAST,
)
def generate() -> Response:
    """As events, or whole."""
    if request.headers.get("Last-Event-ID"):
        return _again(request.headers["Last-Event-ID"], None)
    asked = read_body(_GENERATE)
    part = service()
    held = part.generator_now()
    generator = replace(held, policy=stricter(held.policy, asked))
    prompt, suffix = asked["prompt"], asked.get("suffix")
    for name, text in (("prompt", prompt), ("suffix", suffix or "")):
        encode(text, f"the {name}")
    sampling = _sampling(asked, part.settings.max_new_tokens)
    if asked.get("assistant"):
        prompt, sampling = assistant_prompt(prompt), replace(sampling, stop=(*sampling.stop, STOP))
    if asked.get("stream", True):
        return _stream(part, generator, prompt, suffix, sampling)
    with part.generations():
        bounded = replace(generator, model=Bounded(generator.model, part.settings.generate_seconds))
        done = bounded.complete(prompt, suffix, sampling)
    part.metrics.report(done.report)
    if done.error is not None:
        raise Problem(502, done.error, report=report_with_text(done))
    return answer(report_with_text(done))


@blueprint.get("/api/v1/generate/<stream>")
@operation(
    "The events of a completion that was begun before, from an event on",
    "generate",
    answers={SSE: {"type": "string"}},
    headers=_LAST,
)
def again(stream: str) -> Response:
    """From `Last-Event-ID` on, else from the first that is kept."""
    return _again(request.headers.get("Last-Event-ID", ""), stream)


def stricter(policy: Policy, asked: Mapping[str, Any]) -> Policy:
    """The policy with what a request denies beyond it; no request makes it laxer."""
    wanted = OnDenial(asked.get("on_denial", policy.on_denial))
    if _ORDER[wanted] < _ORDER[policy.on_denial]:
        raise wrong_field("on_denial", f"is laxer than the policy's {policy.on_denial}")
    if not asked.get("deny"):
        return replace(policy, on_denial=wanted)
    if wanted is OnDenial.ANNOTATE:
        wanted = OnDenial.REGENERATE
    try:
        denied = {license_named(text): Outcome.FAIL for text in asked["deny"]}
    except ValueError as error:
        raise wrong_field("deny", str(error)) from None
    return replace(
        policy,
        name=f"{policy.name}, with licences denied by the request",
        sha256=None,
        rules={**policy.rules, **denied},
        min_bytes=GUARANTEE,
        on_denial=wanted,
    )


def _sampling(asked: Mapping[str, Any], most: int) -> Sampling:
    tokens = asked.get("max_new_tokens", 128)
    if tokens > most:
        raise wrong_field("max_new_tokens", f"is to be at most {most}")
    return Sampling(
        tokens,
        asked.get("temperature", 0.0),
        asked.get("top_p", 1.0),
        asked.get("top_k", 0),
        asked.get("seed"),
        tuple(asked.get("stop", ())),
    )


def _stream(part: Service, generator: Generator, prompt: str, suffix: str | None, sampling: Sampling) -> Response:
    part.generations.enter()
    stream = part.streams.open()
    bounded = Bounded(generator.model, part.settings.generate_seconds, lambda: stream.unheard)
    generator = replace(generator, model=bounded)
    write = partial(_write, part, generator, stream, prompt, suffix, sampling)
    threading.Thread(target=write, name=f"codecite-write-{stream.id[:6]}", daemon=True).start()
    return _listened(stream, 0)


def _write(
    part: Service, generator: Generator, stream: Stream, prompt: str, suffix: str | None, sampling: Sampling
) -> None:
    """In a thread of its own: the completion's events into the stream, and an end whatever happens."""
    try:
        for event in generator.stream(prompt, suffix, sampling):
            if isinstance(event, End):
                part.metrics.report(event.generation.report)
            stream.put(event_object(event))
    except (CodeciteError, OSError) as error:
        problem = problem_of(error)
        stream.put({"event": "error", "problem": problem_object(problem.status, problem.detail)})
    except Exception as error:  # noqa: BLE001 - the client is to hear of it, and the log to say where
        _LOG.error("a bug in codecite: %s", type(error).__name__, exc_info=error)
        detail = "a bug in codecite; the server's log says where"
        stream.put({"event": "error", "problem": problem_object(500, detail)})
    finally:
        stream.end()
        part.generations.leave()


def _again(last: str, name: str | None) -> Response:
    named, _, number = last.rpartition(":")
    stream = service().streams.find(name or named)
    if stream is None or (name and named not in ("", name)):
        raise Problem(404, "this stream is not kept; ask for the completion anew")
    if last and not (number.isascii() and number.isdigit() and len(number) < 12):
        raise Problem(400, "Last-Event-ID: is to be the id of an event, STREAM:NUMBER")
    after = int(number) if last else 0
    if last and not stream.has(after):
        raise Problem(410, "the events after that one are not kept any more; ask for the completion anew")
    return _listened(stream, after)


def _listened(stream: Stream, after: int) -> Response:
    response = Response(stream.listen(after), mimetype=SSE)
    response.headers.update({"Cache-Control": "no-store, no-transform", "X-Accel-Buffering": "no"})
    response.headers["Codecite-Stream"] = stream.id
    return response
