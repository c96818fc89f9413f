"""`/api/1/`: what clients of the Software Heritage archive ask for, answered from the index.

In: SWHIDs. Out: whether the index holds them, and where they were seen. It refuses to know of directories, revisions
and all else that is no content: these are not known here, whatever is in them.
"""

from __future__ import annotations

import json
import re
from typing import Any
from urllib.parse import quote

from flask import Blueprint, Response

from codecite.indexer.index import Index
from codecite.indexer.records import Origin
from codecite.search_api.bodies import Items, read_items
from codecite.search_api.openapi import JSON, operation
from codecite.search_api.problems import wrong_field
from codecite.search_api.service import service

blueprint = Blueprint("heritage", __name__)

MOST = 1000
"""SWHIDs of one request."""
_SWHID = "swh:1:(cnt|dir|rev|rel|snp|ori):[0-9a-f]{40}"
_REVISION = re.compile(r"[0-9a-f]{40}")
_ASKED = Items("SWHIDs", {"type": "string", "pattern": f"^{_SWHID}$"}, MOST)
_KNOWN = {
    "type": "object",
    "additionalProperties": {
        "type": "object",
        "required": ["known"],
        "properties": {"known": {"type": "boolean"}},
    },
}
_PLACE = {"type": ["string", "null"], "description": "A SWHID with the qualifiers origin, anchor and path"}


@blueprint.post("/api/1/known/")
@operation(
    "Which contents the index holds, by their SWHIDs (Software Heritage)", "doors", body=_ASKED, answers={JSON: _KNOWN}
)
def known() -> Response:
    """A directory is never known: the index holds files."""
    asked = read_items(_ASKED)
    held = service().ask(lambda index: index.known(asked))
    return _answer({swhid: {"known": swhid in held} for swhid in asked})


@blueprint.post("/api/1/provenance/whereare/")
@operation(
    "Where contents were seen first, by their SWHIDs (Software Heritage)",
    "doors",
    body=_ASKED,
    answers={JSON: {"type": "array", "items": _PLACE}},
)
def whereare() -> Response:
    """A place for each, in their order; null for what is not known."""
    asked = read_items(_ASKED)
    places = service().ask(lambda index: [place_of(index, swhid) for swhid in asked], len(asked) << 10)
    return _answer(places)


@blueprint.get("/api/1/provenance/whereis/<swhid>/")
@operation("Where a content was seen first (Software Heritage)", "doors", answers={JSON: _PLACE})
def whereis(swhid: str) -> Response:
    """One place."""
    if not re.fullmatch(_SWHID, swhid):
        raise wrong_field("swhid", f"is to have the form {_SWHID}")
    return _answer(service().ask(lambda index: place_of(index, swhid)))


def place_of(index: Index, swhid: str) -> str | None:
    """The first place of a content, as a qualified SWHID; None where no index holds it."""
    found = index.document(swhid, 1)
    return None if found is None else qualified(swhid, found.sources[0].origin)


def qualified(swhid: str, origin: Origin) -> str:
    """A SWHID with what is known of a place: `origin` is its repository, else its purl, else its address; `anchor` its
    revision, where that is a commit of git."""
    place = origin.repository or origin.purl or origin.url
    parts = [swhid]
    if place:
        parts.append(f"origin={_escaped(place)}")
    if origin.revision and _REVISION.fullmatch(origin.revision):
        parts.append(f"anchor=swh:1:rev:{origin.revision}")
    parts.append(f"path={quote('/' + origin.path.lstrip('/'))}")
    return ";".join(parts)


def _escaped(place: str) -> str:
    return place.replace("%", "%25").replace(";", "%3B")


def _answer(value: dict[str, Any] | list[Any] | str | None) -> Response:
    return Response(json.dumps(value, separators=(",", ":")), mimetype="application/json")
