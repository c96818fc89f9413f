"""A Report -> its one JSON form, `codecite-report/1`, as `docs/codecite-report-1.schema.json` has it.

In: a Report. Out: dictionaries, lists, texts and numbers. It refuses to know who asks: the library, the command line
and HTTP give the same.
"""

from __future__ import annotations

from functools import cache
from importlib.metadata import PackageNotFoundError, version
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from codecite.indexer.records import Attribution, Coverage, Report, SearchReport, SimilarReport, Source, Written


def report_to_dict(report: Report) -> dict[str, Any]:
    """The form of a Report."""
    form: dict[str, Any] = {
        "schema": "codecite-report/1",
        "codecite": _version(),
        "indexes": [_coverage(coverage) for coverage in report.indexes],
        "text": {"sha256": report.text_sha256, "start": report.text_start, "end": report.text_end},
        "matches": [attribution_to_dict(attribution) for attribution in report.attributions],
        "policy": {"name": report.policy_name, "sha256": report.policy_sha256},
        "verdict": {
            "outcome": str(report.verdict.outcome),
            "reasons": [
                {"rule": reason.rule, "match": reason.match, "message": reason.message}
                for reason in report.verdict.reasons
            ],
        },
    }
    if report.notes:
        form["notes"] = list(report.notes)
    if report.generation is not None:
        form["generation"] = _written(report.generation)
    return form


def search_to_dict(report: SearchReport) -> dict[str, Any]:
    """The form of the hits of a search."""
    facets = {} if report.facets is None else {"facets": {name: dict(found) for name, found in report.facets.items()}}
    return {
        "schema": "codecite-search/1",
        "codecite": _version(),
        "indexes": [_coverage(coverage) for coverage in report.indexes],
        "query": report.query,
        "total": report.total,
        "total_capped": report.total_capped,
        **facets,
        "hits": [
            {
                "rank": rank,
                "index": hit.index,
                "score": round(hit.score, 4),
                "snippet": hit.snippet,
                "terms": [list(span) for span in hit.terms],
                **source_to_dict(hit.source),
            }
            for rank, hit in enumerate(report.hits, start=report.offset + 1)
        ],
    }


def similar_to_dict(report: SimilarReport) -> dict[str, Any]:
    """The form of the files most similar to a text."""
    return {
        "schema": "codecite-similar/1",
        "codecite": _version(),
        "indexes": [_coverage(coverage) for coverage in report.indexes],
        "text": {"sha256": report.text_sha256},
        "at_least": report.at_least,
        "hits": [
            {
                "rank": rank,
                "index": file.index,
                "similarity": round(file.similarity, 4),
                "measure": str(file.measure),
                "origins": file.origins,
                **source_to_dict(file.source),
            }
            for rank, file in enumerate(report.files, start=1)
        ],
    }


def _written(written: Written) -> dict[str, Any]:
    prevented = [{"action": item.action, "match": attribution_to_dict(item.attribution)} for item in written.prevented]
    form: dict[str, Any] = {
        "model": written.model,
        "license": written.license,
        "restrictions": list(written.restrictions),
        "prevented": prevented,
    }
    if written.record is not None:
        form["record"] = written.record
    return form


@cache
def _version() -> str:
    try:
        return version("codecite")
    except PackageNotFoundError:
        return "unknown"


def _coverage(coverage: Coverage) -> dict[str, Any]:
    return {
        "id": coverage.id,
        "generation": coverage.generation,
        "built": coverage.built,
        "documents": coverage.documents,
        "bytes": coverage.bytes,
        "sources": list(coverage.sources),
        "license_filter": coverage.license_filter,
        "guarantee_bytes": coverage.guarantee_bytes,
    }


def attribution_to_dict(attribution: Attribution) -> dict[str, Any]:
    """The form of one Attribution, as it stands in a Report."""
    match = attribution.match
    counts = match.counts
    return {
        "id": match.id,
        "within": match.within,
        "index": match.index,
        "start": match.start,
        "end": match.end,
        "byte_start": match.byte_start,
        "byte_end": match.byte_end,
        "start_line": match.start_line,
        "end_line": match.end_line,
        "bytes": match.length,
        "bytes_in_text": match.bytes_in_text,
        "kind": str(match.kind),
        "similarity": match.similarity,
        "measure": None if match.measure is None else str(match.measure),
        "documents": counts.documents,
        "documents_capped": counts.documents_capped,
        "projects": counts.projects,
        "projects_capped": counts.projects_capped,
        "common": counts.common,
        "marks": [str(mark) for mark in attribution.marks],
        "licenses": dict(counts.licenses),
        "licenses_capped": counts.licenses_capped,
        "sources": [source_to_dict(source) for source in attribution.sources],
        "outcome": str(attribution.outcome),
    }


def source_to_dict(source: Source) -> dict[str, Any]:
    """The form of one source of an Attribution."""
    origin = source.origin
    form: dict[str, Any] = {
        "swhid": source.swhid,
        "kind": str(source.kind),
        "purl": origin.purl,
        "repository": origin.repository,
        "revision": origin.revision,
        "path": origin.path,
        "url": origin.url,
        "language": origin.language,
        "file_marks": [str(mark) for mark in origin.marks],
        "start_line": source.start_line,
        "end_line": source.end_line,
        "released": origin.released,
        "license": origin.license,
        "license_evidence": [
            {"kind": str(item.kind), "expression": item.expression, "where": item.where, "text": item.text}
            for item in origin.evidence
        ],
        "conflict": origin.conflict,
        "copyright": list(origin.copyright),
        "category": str(source.category),
        "obligations": list(source.obligations),
    }
    if source.record is not None:
        form["record"] = dict(source.record)
    return form
