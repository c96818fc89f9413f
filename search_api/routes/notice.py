"""`POST /api/v1/notice`: what must be shipped with texts, for what of them stands in the index.

In: files. Out: the Notice, as JSON, text, Markdown or HTML. It refuses to take Reports: a Notice reads files of the
sources that a Report names, and only those that were found may be read.
"""

from __future__ import annotations

from typing import Any

from flask import Blueprint, Response

from codecite.indexer.attribution.policy import load_policy
from codecite.indexer.attribution.shipped import as_html, as_markdown, as_text
from codecite.indexer.attribution.shipping import Notice, notice_of
from codecite.indexer.index import Index
from codecite.search_api.bodies import Schema, read_body, text_field
from codecite.search_api.openapi import JSON, operation
from codecite.search_api.problems import wrong_field
from codecite.search_api.routes.common import PATH, POLICY, answer, weight
from codecite.search_api.service import service

blueprint = Blueprint("notice", __name__)

_SOURCES = 20
_FORMS = {"text": (as_text, "text/plain"), "markdown": (as_markdown, "text/markdown"), "html": (as_html, "text/html")}
_FILE = {
    "type": "object",
    "properties": {"path": PATH, "text": text_field("The text of the file")},
    "required": ["path", "text"],
    "additionalProperties": False,
}
_NOTICE = Schema(
    "Notice",
    {
        "files": {"type": "array", "minItems": 1, "items": _FILE},
        "format": {"enum": ["json", *_FORMS], "default": "json"},
        "title": text_field("The heading", maxLength=200),
        "policy": POLICY,
    },
    ("files",),
)
_ANSWERS: dict[str, Any] = {JSON: {"type": "object"}} | {kind: {"type": "string"} for _, kind in _FORMS.values()}


@blueprint.post("/api/v1/notice")
@operation(
    "What must be shipped with these files: credits, texts of licences, what no notice settles",
    "check",
    body=_NOTICE,
    answers=_ANSWERS,
)
def notice() -> Response:
    """The Notice for files; licences are chosen as the policy likes (`attribution-only` unless another is named)."""
    asked = read_body(_NOTICE)
    part = service()
    files, most = asked["files"], part.settings.max_batch
    if len(files) > most:
        raise wrong_field("files", f"is to have at most {most} items", 413)
    policy = part.policy_named(asked["policy"]) if "policy" in asked else load_policy("attribution-only")

    def made(index: Index) -> Notice:
        reports = [
            (file["path"], index.check(file["text"], policy=policy, sources=_SOURCES).to_dict()) for file in files
        ]
        return notice_of(reports, policy, index.file_beside)

    found = part.ask(made, weight(policy, sum(len(file["text"]) for file in files)))
    wanted = asked.get("format", "json")
    if wanted == "json":
        return answer(found.to_dict())
    write, kind = _FORMS[wanted]
    text = write(found, asked.get("title", "Third-party notices"))
    ending = {"text": "txt", "markdown": "md", "html": "html"}[wanted]
    response = Response(text.encode("utf-8", "replace"), mimetype=kind)
    response.headers["Content-Disposition"] = f'attachment; filename="NOTICE.{ending}"'
    return response
