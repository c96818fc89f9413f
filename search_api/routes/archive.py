"""`POST /api/v1/check/archive`: the Reports on the files in an archive.

In: the bytes of a zip or tar archive, in whatever package form. Out: a Report for each file, with its path, and why
the others were not checked. It refuses to know how archives are laid out.
"""

from __future__ import annotations

from typing import Any

from flask import Blueprint, Response

from codecite.indexer.errors import SourceError
from codecite.indexer.index import Index
from codecite.indexer.records import Report, Skipped
from codecite.search_api.bodies import Schema, read_bytes, read_query
from codecite.search_api.openapi import JSON, operation
from codecite.search_api.problems import Problem
from codecite.search_api.routes.common import PATH, POLICY_NAME, SOURCES, answer
from codecite.search_api.scan.engine import read_target
from codecite.search_api.scan.records import Target
from codecite.search_api.service import service
from codecite.search_api.settings import Settings
from codecite.search_api.unpacked import unpacked

blueprint = Blueprint("archive", __name__)

_QUERY = Schema(
    "Archive",
    {
        "name": {**PATH, "description": "What the archive is called, for messages", "minLength": 1},
        "texts": {"type": "boolean", "default": False, "description": "Have the text of each file in the answer, too"},
        "policy": POLICY_NAME,
        "sources": SOURCES,
    },
)
_ANSWER = {
    "type": "object",
    "required": ["reports", "skipped"],
    "properties": {
        "reports": {"type": "array", "items": {"type": "object", "required": ["path", "matches"]}},
        "skipped": {"type": "array", "items": {"type": "object", "required": ["path", "reason", "detail"]}},
    },
}


@blueprint.post("/api/v1/check/archive")
@operation(
    "The same for the files in an archive (zip, tar, wheel, jar, ...), and why some of them were not checked",
    "check",
    file=True,
    query=_QUERY.form["properties"],
    answers={JSON: _ANSWER},
)
def check() -> Response:
    """All files of an archive, or none where there are too many."""
    asked, content = read_query(_QUERY), read_bytes()
    part = service()
    settings, policy, name = part.settings, part.policy_named(asked.get("policy")), asked.get("name", "the archive")

    def checked(index: Index) -> tuple[list[tuple[str, bytes, Report]], list[Skipped]]:
        files, skipped = _files(content, name, settings)
        sources = asked.get("sources", 5)
        return [(path, text, index.check(text, policy=policy, sources=sources)) for path, text in files], skipped

    files, skipped = part.ask(checked, settings.max_unpacked)
    reports: list[dict[str, Any]] = []
    for path, text, report in files:
        part.metrics.report(report)
        shown = {"content": text.decode("utf-8", "surrogateescape")} if asked.get("texts") else {}
        reports.append({"path": path, **shown, **report.to_dict()})
    return answer({"reports": reports, "skipped": [_skipped(item) for item in skipped]})


def _files(content: bytes, name: str, settings: Settings) -> tuple[list[tuple[str, bytes]], list[Skipped]]:
    """The files that can be checked, and the others."""
    files: list[tuple[str, bytes]] = []
    skipped: list[Skipped] = []
    size = 0
    try:
        for item in unpacked(content, name):
            read = item if isinstance(item, Skipped) else read_target(Target(item[0], content=item[1]))
            if isinstance(read, Skipped):
                skipped.append(read)
            elif not isinstance(item, Skipped):
                files.append((item[0], read))
                size += len(read)
            if len(files) > settings.max_batch or size > settings.max_unpacked:
                limit = f"{settings.max_batch:,} files or {settings.max_unpacked:,} bytes"
                raise Problem(413, f"{name}: holds more than {limit}; send parts of it, or use `codecite scan`")
    except SourceError as error:
        raise Problem(422, str(error)) from None
    return files, skipped


def _skipped(item: Skipped) -> dict[str, str]:
    return {"path": item.path, "reason": str(item.reason), "detail": item.detail}
