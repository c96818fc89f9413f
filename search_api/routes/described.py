"""`/openapi.json` and `/docs`: what the API is, for programs and for people.

In: the routes. Out: their description, and a page that shows it; all its files come from this server. It refuses to
know any route by name.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path

from flask import Blueprint, Response, current_app, send_from_directory

from codecite.search_api.openapi import JSON, openapi, operation
from codecite.search_api.problems import Problem
from codecite.search_api.routes.common import answer

blueprint = Blueprint("described", __name__)

_FILES = {"swagger-ui.css", "swagger-ui-bundle.js", "favicon-32x32.png"}
_PAGE = """\
<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>codecite: the API</title>
<link rel="stylesheet" href="/docs/swagger-ui.css">
<link rel="icon" href="/docs/favicon-32x32.png">
<div id="api">The description is at <a href="/openapi.json">/openapi.json</a>.</div>
<script src="/docs/swagger-ui-bundle.js" defer></script>
<script src="/docs/begin.js" defer></script>
</html>
"""
_BEGIN = """\
addEventListener("DOMContentLoaded", () =>
  SwaggerUIBundle({ url: "/openapi.json", dom_id: "#api", validatorUrl: null }));
"""


@blueprint.get("/openapi.json")
@operation(
    "This description", "about", answers={JSON: {"type": "object", "required": ["openapi", "paths"]}}, public=True
)
def description() -> Response:
    """Made from the routes."""
    return answer(openapi(current_app))


@blueprint.get("/docs")
def docs() -> Response:
    """The page."""
    _files()
    return Response(_PAGE, mimetype="text/html")


@blueprint.get("/docs/<name>")
def docs_file(name: str) -> Response:
    """One of its files."""
    if name == "begin.js":
        return Response(_BEGIN, mimetype="text/javascript")
    if name not in _FILES:
        raise Problem(404, "the page has no such file")
    return send_from_directory(_files(), name, max_age=3600)


@cache
def _files() -> Path:
    """Where the package with the page's files lies."""
    try:
        from swagger_ui_bundle import swagger_ui_path
    except ImportError:
        raise Problem(501, "the page needs swagger-ui-bundle: pip install 'codecite[serve]'") from None
    return Path(swagger_ui_path)
