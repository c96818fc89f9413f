"""`/api/v1/stats`, `/api/v1/policy`: what the index holds, and what this server's policy says.

In: nothing. Out: figures and rules. It refuses to know how they come about.
"""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from flask import Blueprint, Response

from codecite.indexer.attribution.policy import READY
from codecite.indexer.attribution.policy_form import policy_to_form
from codecite.indexer.index import Index
from codecite.search_api.openapi import operation
from codecite.search_api.routes.common import answer
from codecite.search_api.service import service

blueprint = Blueprint("about", __name__)


@blueprint.get("/api/v1/stats")
@operation("What each index holds, under which licences, and what wrote the completions", "about")
def stats() -> Response:
    """The figures, those of the library."""
    part = service()

    def figures(index: Index) -> list[dict[str, Any]]:
        return [
            {**asdict(found), "guarantee_bytes": covered.guarantee_bytes}
            for found, covered in zip(index.stats(), index.coverage, strict=True)
        ]

    found = part.ask(figures)
    model = part.generator.model if part.generator else None
    told = None
    if model is not None:
        license = model.license
        told = {
            "name": model.name,
            "license": license.license if license else None,
            "restrictions": list(license.restrictions) if license else [],
        }
    return answer({"schema": "codecite-stats/1", "indexes": found, "model": told})


@blueprint.get("/api/v1/policy")
@operation("The policy that judges what a request does not name another for", "about")
def policy() -> Response:
    """What it allows, warns of and denies."""
    return answer({"schema": "codecite-policy-in-force/1", **policy_to_form(service().policy), "ready": list(READY)})
