"""`POST /api/v1/removals` and `/api/v1/removals/preview`: to ask to be left out of the index.

In: what is to go, by its package, repository, owner, path or content; why, and who asks. Out: which files that would
be, and the number of the request. It refuses to remove anything: whoever runs the server decides
(`codecite index requests`).
"""

from __future__ import annotations

import re
from typing import Any

from flask import Blueprint, Response, g

from codecite.indexer.errors import ConfigError
from codecite.indexer.index import Index
from codecite.indexer.store.takedowns import Takedown, TakedownKind, parse_takedown
from codecite.indexer.upkeep import Selected, selected
from codecite.search_api.bodies import Schema, read_body, text_field
from codecite.search_api.openapi import JSON, operation
from codecite.search_api.problems import Problem, wrong_field
from codecite.search_api.removals import LogFullError, RemovalLog
from codecite.search_api.routes.common import answer
from codecite.search_api.service import QUICK, service

blueprint = Blueprint("removals", __name__)

_SHOWN = 100
_WILD = 2
"""Stars in a row that a pattern of a stranger may have: each multiplies the time that a path takes."""
_RULE = {
    "kind": {"enum": [str(kind) for kind in TakedownKind]},
    "value": text_field("A purl, a repository, an owner, a pattern for paths, or a SWHID", minLength=1, maxLength=300),
}
_PREVIEW = Schema("RemovalPreview", _RULE, ("kind", "value"))
_ASKED = Schema(
    "Removal",
    {
        **_RULE,
        "reason": text_field("Why it is to go", maxLength=2000),
        "contact": text_field("How to reach who asks", minLength=3, maxLength=200, pattern=r"\S"),
    },
    ("kind", "value", "contact"),
)
_FILES = {
    "type": "object",
    "required": ["kind", "value", "origins", "documents", "kept", "files"],
    "properties": {"origins": {"type": "integer"}, "files": {"type": "array", "items": {"type": "object"}}},
}


@blueprint.post("/api/v1/removals/preview")
@operation("Which files a removal would take out", "about", body=_PREVIEW, answers={JSON: _FILES})
def preview() -> Response:
    """The first files, and how many there are."""
    _log()
    rule = _rule(read_body(_PREVIEW))
    return answer(_told(rule, _selected(rule)))


@blueprint.post("/api/v1/removals")
@operation("Ask for a removal; whoever runs this server decides", "about", body=_ASKED, answers={JSON: _FILES})
def ask() -> Response:
    """Note the request."""
    log, asked = _log(), read_body(_ASKED)
    rule = _rule(asked)
    service().removals.take(g.client)
    found = _selected(rule)
    try:
        made = log.ask(rule, asked.get("reason", ""), asked["contact"], found.origins)
    except LogFullError as error:
        raise Problem(503, str(error), retry_after=3600) from None
    except ConfigError as error:
        raise Problem(503, "requests cannot be noted now; ask whoever runs this server", retry_after=60) from error
    return answer({"id": made.id, "at": made.at, **_told(rule, found)})


def _log() -> RemovalLog:
    path = service().settings.removal_requests
    if path is None:
        raise Problem(501, "this server takes no requests; ask whoever runs it")
    return RemovalLog(path)


def _rule(asked: dict[str, Any]) -> Takedown:
    kind = TakedownKind(asked["kind"])
    try:
        rule = parse_takedown(kind, asked["value"])
    except ConfigError as error:
        raise wrong_field("value", str(error)) from None
    if kind is TakedownKind.PATH and len(re.findall(r"\*+", rule.value)) > _WILD:
        raise wrong_field("value", f"may have * at {_WILD} places at most; write to whoever runs this server")
    return rule


def _selected(rule: Takedown) -> Selected:
    part = service()
    part.previews.take(g.client)

    def question(index: Index) -> Selected:
        if not index.directories:
            raise Problem(501, "the index of this server cannot be looked through from here; ask whoever runs it")
        found = [selected(place, (rule,), _SHOWN) for place in index.directories]
        files = [file for one in found for file in one.files][:_SHOWN]
        origins, documents, kept = (
            sum(getattr(one, name) for one in found) for name in ("origins", "documents", "kept")
        )
        return Selected(origins, documents, kept, tuple(files))

    return part.ask(question, QUICK + 1)  # how long it takes depends on the index


def _told(rule: Takedown, found: Selected) -> dict[str, Any]:
    return {
        "kind": str(rule.kind),
        "value": rule.value,
        "origins": found.origins,
        "documents": found.documents,
        "kept": found.kept,
        "files": [{"path": path, "project": project, "swhid": swhid} for path, project, swhid in found.files],
    }
