"""A Scan -> its one JSON form, `codecite-scan/1`; `docs/codecite-scan-1.schema.json` has it.

In: a Scan. Out: dictionaries, lists, texts and numbers. It refuses to know who asks.
"""

from __future__ import annotations

from typing import Any

from codecite.indexer.records import Attribution, Report, Verdict
from codecite.indexer.report_json import attribution_to_dict, report_to_dict
from codecite.search_api.scan.records import Component, Finding, Ignored, Scan, Scanned


def scan_to_dict(scan: Scan) -> dict[str, Any]:
    """The form of a Scan."""
    base = report_to_dict(Report(scan.indexes, "", 0, 0, (), Verdict(scan.outcome), scan.policy))
    return {
        "schema": "codecite-scan/1",
        "codecite": base["codecite"],
        "created": scan.created,
        "indexes": base["indexes"],
        "policy": scan.policy,
        "outcome": str(scan.outcome),
        "files": len(scan.files),
        "findings": [finding_to_dict(finding) for finding in scan.findings],
        "apart": [finding_to_dict(finding) for finding in scan.apart],
        "ignored": [_ignored(item) for item in scan.ignored],
        "satisfied": [_satisfied(file, item) for file in scan.files for item in file.satisfied],
        "components": [_component(item) for item in scan.components],
        "skipped": [{"path": item.path, "reason": str(item.reason), "detail": item.detail} for item in scan.skipped],
        "own_projects": list(scan.own),
        "notes": list(scan.notes),
    }


def finding_to_dict(finding: Finding) -> dict[str, Any]:
    """The form of a Finding."""
    return {
        "path": finding.path,
        "rule": str(finding.rule),
        "severity": str(finding.severity),
        "message": finding.message,
        "mend": finding.mend,
        "start_line": finding.start_line,
        "end_line": finding.end_line,
        "regions": [list(region) for region in finding.regions],
        "byte_start": finding.byte_start,
        "byte_end": finding.byte_end,
        "licenses": list(finding.licenses),
        "fingerprint": finding.fingerprint,
        "file_marks": [str(mark) for mark in finding.marks],
        "match": attribution_to_dict(finding.attribution) if finding.attribution else None,
    }


def version() -> str:
    """The version of codecite."""
    return str(report_to_dict(Report((), "", 0, 0, (), Verdict()))["codecite"])


def _ignored(item: Ignored) -> dict[str, Any]:
    return {"reason": item.reason, "finding": finding_to_dict(item.finding)}


def _satisfied(file: Scanned, item: Attribution) -> dict[str, Any]:
    lines = {"start_line": item.match.start_line, "end_line": item.match.end_line}
    return {"path": file.path, **lines, "licenses": sorted(item.match.counts.licenses)}


def _component(item: Component) -> dict[str, Any]:
    return {
        "purl": item.purl,
        "name": item.name,
        "version": item.version,
        "versions": list(item.versions),
        "license": item.license,
        "license_evidence": item.license_evidence,
        "copyright": list(item.copyright),
        "repository": item.repository,
        "share": item.share,
        "files": [{"path": path, "method": method, "share": share} for path, method, share in item.files],
    }
