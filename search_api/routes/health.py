"""`/healthz`, `/readyz`, `/metrics`: what looks after a server asks.

In: nothing. Out: whether the process is there, whether it can answer, what it has counted. It refuses to know texts.
"""

from __future__ import annotations

from flask import Blueprint, Response

from codecite.search_api.metrics import CONTENT_TYPE
from codecite.search_api.openapi import JSON, operation
from codecite.search_api.problems import Problem
from codecite.search_api.routes.common import answer
from codecite.search_api.service import service

blueprint = Blueprint("health", __name__)

_STATUS = {JSON: {"type": "object", "required": ["status"]}}


@blueprint.get("/healthz")
@operation("Whether the process answers", "health", answers=_STATUS, public=True)
def healthz() -> Response:
    """It does."""
    return answer({"status": "ok"})


@blueprint.get("/readyz")
@operation(
    "Whether it takes requests: the index is open, and it is not stopping", "health", answers=_STATUS, public=True
)
def readyz() -> Response:
    """Whether to send requests here."""
    part = service()
    if part.stopping:
        raise Problem(503, "the server is stopping", retry_after=5)
    generations = [item.generation for item in part.live.current.coverage]
    return answer({"status": "ok", "generations": generations, "model": part.generator is not None})


@blueprint.get("/metrics")
@operation("Counters for Prometheus", "health", answers={"text/plain": {"type": "string"}})
def metrics() -> Response:
    """What was counted since the start."""
    return Response(service().metrics.text(), content_type=CONTENT_TYPE)
