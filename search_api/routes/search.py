"""`/api/v1/search`, `/api/v1/similar`: the index by words, and files like a text.

In: words and filters, a text. Out: hits, as the library gives them. It refuses to know how they rank. An index that
cannot do this says so with a 501.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from flask import Blueprint, Response

from codecite.indexer.attribution.policy import ServeText
from codecite.indexer.index import Index
from codecite.search_api.bodies import Schema, read_body, read_query, text_field, whole_number
from codecite.search_api.openapi import operation
from codecite.search_api.problems import Problem
from codecite.search_api.routes.common import answer
from codecite.search_api.service import service

blueprint = Blueprint("search", __name__)

_LIMIT = whole_number("How many hits", 1, 100, 10)
_SEARCH = Schema(
    "Search",
    {
        "query": text_field("Words, or names of the code", minLength=1, maxLength=2000),
        "limit": _LIMIT,
        "offset": whole_number("How many hits to leave out first", 0, 10_000, 0),
        "language": text_field("Only files in this language", maxLength=100),
        "license": text_field("Only files under this licence", maxLength=200),
        "facets": {"type": "boolean", "default": False, "description": "Count the languages and licences of all hits"},
    },
    ("query",),
)
_SIMILAR = Schema("Similar", {"text": text_field("The text of a file", minLength=1), "limit": _LIMIT}, ("text",))
_QUERY = {**_SEARCH.form["properties"], "query": {**_SEARCH.form["properties"]["query"], "required": True}}


@blueprint.get("/api/v1/search")
@operation("Search the index by words", "search", query=_QUERY)
def search() -> Response:
    """By the parameters of a query string."""
    return _searched(read_query(_SEARCH))


@blueprint.post("/api/v1/search")
@operation("Search the index by words", "search", body=_SEARCH)
def search_by_body() -> Response:
    """By a body, which stands in no log."""
    return _searched(read_body(_SEARCH))


@blueprint.post("/api/v1/similar")
@operation("Files that are nearly this text", "search", body=_SIMILAR)
def similar() -> Response:
    """Near duplicates."""
    asked = read_body(_SIMILAR)
    return _asked("similar", asked.pop("text"), asked)


def _searched(asked: dict[str, Any]) -> Response:
    return _asked("search", asked.pop("query"), asked)


def _asked(what: str, text: str, options: dict[str, Any]) -> Response:
    part = service()

    def question(index: Index) -> Any:
        ask: Callable[..., Any] | None = getattr(index, what, None)
        if ask is None:
            raise Problem(501, f"this server's index cannot answer {what} yet")
        return ask(text, **options)

    found = part.ask(question, len(text))
    form: dict[str, Any] = found if isinstance(found, dict) else found.to_dict()
    if part.policy.serve_text is ServeText.NONE:
        form = {**form, "hits": [{key: hit[key] for key in hit if key != "snippet"} for hit in form.get("hits", [])]}
    return answer(form)
