"""`GET /api/v1/documents/<swhid>/similar`: the near-duplicates of a Document, whether its text is served or not.

In: a SWHID. Out: the most similar files, as `similar` finds them for a text; the Document itself is not among them. It
refuses to show any text.
"""

from __future__ import annotations

from flask import Blueprint, Response

from codecite.indexer.index import Index
from codecite.indexer.records import SimilarReport
from codecite.search_api.bodies import Schema, read_query, whole_number
from codecite.search_api.openapi import operation
from codecite.search_api.problems import Problem
from codecite.search_api.routes.common import answer
from codecite.search_api.service import QUICK, service

blueprint = Blueprint("duplicates", __name__)

_QUERY = Schema("Duplicates", {"limit": whole_number("How many files", 1, 100, 20)})


@blueprint.get("/api/v1/documents/<swhid>/similar")
@operation("Files that are nearly a Document", "documents", query=_QUERY.form["properties"])
def similar(swhid: str) -> Response:
    """Near-duplicates, the most similar first."""
    limit = read_query(_QUERY).get("limit", 20)

    def question(index: Index) -> SimilarReport | None:
        found = index.document(swhid, 1)
        return None if found is None else index.similar(found.content, limit=limit + 1)

    report = service().ask(question, QUICK + 1)  # what it reads is only known then
    if report is None:
        raise Problem(404, "no Document with this SWHID is in the index")
    form = report.to_dict()
    others = [hit for hit in form["hits"] if hit["swhid"] != swhid][:limit]
    form["hits"] = [{**hit, "rank": rank} for rank, hit in enumerate(others, 1)]
    return answer({**form, "swhid": swhid})
