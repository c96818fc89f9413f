"""`POST /api/v1/check` and `/api/v1/check/batch`: the Reports on texts; `/api/v1/look`: a text that grows.

In: texts. Out: Reports, as everywhere; the passages at the end of what is written. It refuses to know how passages are
found.
"""

from __future__ import annotations

from typing import Any

from flask import Blueprint, Response

from codecite.indexer.errors import TextError
from codecite.indexer.report_json import attribution_to_dict
from codecite.indexer.stream import Part
from codecite.indexer.text.checked import encode
from codecite.search_api.bodies import Schema, read_body, text_field, whole_number
from codecite.search_api.openapi import JSON, form, operation
from codecite.search_api.problems import problem_object, wrong_field
from codecite.search_api.routes.common import (
    CONTEXT,
    HOW,
    PATH,
    POLICY,
    SOURCES,
    answer,
    checked,
    weight,
)
from codecite.search_api.service import service

blueprint = Blueprint("check", __name__)

_CHECK = Schema(
    "Check",
    {"text": text_field("The text to check"), **CONTEXT, "path": PATH, "policy": POLICY, "sources": SOURCES, **HOW},
    ("text",),
)
_TEXT = {
    "type": "object",
    "properties": {
        "id": {"type": ["string", "integer"]},
        "text": text_field("The text to check"),
        "path": PATH,
        **CONTEXT,
    },
    "required": ["text"],
    "additionalProperties": False,
}
_BATCH = Schema(
    "Batch",
    {"texts": {"type": "array", "minItems": 1, "items": _TEXT}, "policy": POLICY, "sources": SOURCES, **HOW},
    ("texts",),
)
_LOOK = Schema(
    "Look",
    {
        "text": text_field("A part of the text, with what stands before it"),
        "context": whole_number("Bytes at its head that are there for the marks of passages only", 0, 2**31, 0),
        "own": whole_number("The byte at which the text itself begins", 0, 2**31, 0),
        "new": whole_number("Passages that end before this byte are not wanted", 0, 2**31, 0),
        "policy": POLICY,
        "sources": SOURCES,
    },
    ("text",),
)
_BATCH_ANSWER = {
    "type": "object",
    "required": ["reports"],
    "properties": {"reports": {"type": "array", "items": {"type": "object"}}},
}


@blueprint.post("/api/v1/check")
@operation(
    "The passages of a text that stand in the index, and what the policy says of them",
    "check",
    body=_CHECK,
    answers={JSON: form("Report")},
)
def check() -> Response:
    """One text."""
    asked = read_body(_CHECK)
    report = checked(asked).to_dict()
    return answer({"path": asked["path"], **report} if "path" in asked else report)


@blueprint.post("/api/v1/check/batch")
@operation(
    "The same for many texts: a Report for each, in their order, or its problem",
    "check",
    body=_BATCH,
    answers={JSON: _BATCH_ANSWER},
)
def batch() -> Response:
    """Many texts; what one of them is refused for does not hinder the others."""
    asked = read_body(_BATCH)
    most = service().settings.max_batch
    if len(asked["texts"]) > most:
        raise wrong_field("texts", f"is to have at most {most} items", 413)
    shared: dict[str, Any] = {name: asked[name] for name in ("policy", "sources", *HOW) if name in asked}
    reports: list[dict[str, Any]] = []
    for item in asked["texts"]:
        named = {name: item[name] for name in ("id", "path") if name in item}
        try:
            reports.append({**named, **checked({**item, **shared}).to_dict()})
        except TextError as error:
            reports.append({**named, "problem": problem_object(422, str(error))})
    return answer({"reports": reports})


@blueprint.post("/api/v1/look")
@operation(
    "The passages of a text that is being written, at its end: what a library's stream() asks", "check", body=_LOOK
)
def look() -> Response:
    """The passages that end where the text is new, or right before."""
    asked = read_body(_LOOK)
    part, policy = service(), service().policy_named(asked.get("policy"))
    raw = encode(asked["text"], "text")
    context, own, new = (asked.get(name, 0) for name in ("context", "own", "new"))
    if not context <= own <= len(raw) or not context <= new <= len(raw):
        raise wrong_field("own", f"context, own and new are bytes of the text, which has {len(raw):,}, in that order")
    seen = Part(raw, context, own, new)
    found = part.ask(lambda index: index.look(seen, policy, asked.get("sources", 5)), weight(policy, len(raw)))
    return answer({"schema": "codecite-look/1", "matches": [attribution_to_dict(item) for item in found]})
