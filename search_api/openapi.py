"""The description of the API, `/openapi.json`, made from the routes themselves.

In: the views of an application, each with its Operation. Out: an OpenAPI 3.1 document. It refuses to know what is not
written at a route: a route without an Operation is not described, and a test says which those may be.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from importlib.metadata import PackageNotFoundError, version
from typing import Any, TypeVar

from flask import Flask

from codecite.search_api.bodies import BYTES, Items, Schema

View = TypeVar("View", bound=Callable[..., Any])
JSON = "application/json"
PROBLEM = "application/problem+json"
SWHID = r"^swh:1:cnt:[0-9a-f]{40}$"

_FORMS: dict[str, Any] = {
    "Problem": {
        "type": "object",
        "required": ["type", "title", "status", "detail"],
        "properties": {
            "type": {"type": "string"},
            "title": {"type": "string"},
            "status": {"type": "integer"},
            "detail": {"type": "string"},
            "request_id": {"type": "string"},
            "errors": {"type": "array", "items": {"type": "object"}},
        },
    },
    "Report": {
        "type": "object",
        "description": "A Report, codecite-report/1",
        "required": ["schema", "codecite", "indexes", "text", "matches", "policy", "verdict"],
        "properties": {
            "schema": {"const": "codecite-report/1"},
            "codecite": {"type": "string"},
            "path": {"type": "string"},
            "indexes": {"type": "array", "items": {"type": "object"}},
            "text": {"type": "object", "required": ["sha256", "start", "end"]},
            "matches": {"type": "array", "items": {"type": "object", "required": ["id", "start", "end", "licenses"]}},
            "policy": {"type": "object", "required": ["name", "sha256"]},
            "verdict": {
                "type": "object",
                "required": ["outcome", "reasons"],
                "properties": {"outcome": {"enum": ["pass", "warn", "fail"]}},
            },
            "generation": {"type": "object", "required": ["model"]},
        },
    },
}


def form(name: str) -> dict[str, str]:
    """A reference to a form that is described once."""
    return {"$ref": f"#/components/schemas/{name}"}


@dataclass(frozen=True, slots=True)
class Operation:
    """What a route does: `query` has the schemas of its parameters, `answers` that of each media type.

    The body is JSON of the schema `body`, or (`file`) the bytes of a file.
    """

    summary: str
    tag: str
    body: Schema | Items | None = None
    file: bool = False
    query: Mapping[str, Any] = field(default_factory=dict)
    headers: Mapping[str, Any] = field(default_factory=dict)
    answers: Mapping[str, Any] = field(default_factory=lambda: {JSON: {"type": "object"}})
    public: bool = False


def operation(summary: str, tag: str, **more: Any) -> Callable[[View], View]:
    """Describe a view."""

    def described(view: View) -> View:
        view.operation = Operation(summary, tag, **more)  # type: ignore[attr-defined]
        return view

    return described


def operation_of(app: Flask, endpoint: str | None) -> Operation | None:
    """How a view is described; None for one that is not."""
    return getattr(app.view_functions.get(endpoint or ""), "operation", None)


def openapi(app: Flask) -> dict[str, Any]:
    """The document."""
    paths: dict[str, dict[str, Any]] = {}
    for rule in app.url_map.iter_rules():
        described = operation_of(app, rule.endpoint)
        if described is None:
            continue
        path = re.sub(r"<(?:\w+:)?(\w+)>", r"{\1}", rule.rule)
        for method in sorted((rule.methods or set()) - {"HEAD", "OPTIONS"}):
            made = _operation(described, re.findall(r"{(\w+)}", path), method)
            made["operationId"] = f"{method.lower()}{re.sub(r'[^a-z0-9]+', '_', path.lower()).rstrip('_')}"
            paths.setdefault(path, {})[method.lower()] = made
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "codecite",
            "version": version_here(),
            "description": "Tells where code came from, and under which licence. No match never means original: every "
            "answer states what the index holds.",
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "paths": dict(sorted(paths.items())),
        "components": {
            "schemas": _FORMS,
            "securitySchemes": {"key": {"type": "http", "scheme": "bearer"}},
        },
    }


def _operation(described: Operation, in_path: list[str], method: str) -> dict[str, Any]:
    parameters: list[dict[str, Any]] = [
        {"name": name, "in": "path", "required": True, "schema": _path_schema(name)} for name in in_path
    ]
    for place, found in (("query", described.query), ("header", described.headers)):
        for name, schema in found.items():
            plain = {key: value for key, value in schema.items() if key != "required"}
            parameters.append({"name": name, "in": place, "required": bool(schema.get("required")), "schema": plain})
    made: dict[str, Any] = {
        "summary": described.summary,
        "tags": [described.tag],
        "parameters": parameters,
        "responses": {
            "200": {
                "description": "The answer",
                "content": {media: {"schema": schema} for media, schema in described.answers.items()},
            },
            "default": {
                "description": "What was refused, and why (RFC 9457)",
                "content": {PROBLEM: {"schema": form("Problem")}},
            },
        },
        "security": [{}] if described.public else [{}, {"key": []}],
    }
    if described.file:
        made["requestBody"] = {"required": True, "content": {BYTES: {"schema": {"type": "string", "format": "binary"}}}}
    if described.body is not None and method != "GET":
        made["requestBody"] = {"required": True, "content": {JSON: {"schema": described.body.form}}}
    return made


def _path_schema(name: str) -> dict[str, Any]:
    return {"type": "string", "pattern": SWHID} if name == "swhid" else {"type": "string", "minLength": 1}


def version_here() -> str:
    """The version of codecite."""
    try:
        return version("codecite")
    except PackageNotFoundError:
        return "unknown"
