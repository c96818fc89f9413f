"""A Scan as SARIF 2.1.0, within what GitHub takes in: 25,000 results, 10 MB.

In: a Scan. Out: one log with one run. It refuses to know who reads it. Findings taken back are results with a
suppression; what does not fit is counted in a notification, the worst findings come first.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

from codecite.search_api.scan.judging import place_of
from codecite.search_api.scan.records import SAYS, Finding, Rule, Scan, Severity
from codecite.search_api.scan.report import version

RESULTS = 25_000
BYTES = 10_000_000
_ROOM = 200_000
"""Bytes left for all but the results."""
_SOURCES = 5
_MESSAGE = 4000
_ORDER = {Severity.ERROR: 0, Severity.WARNING: 1, Severity.NOTE: 2}
_SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"
_PROBLEM = {"tags": ["license", "provenance"]}


def render(scan: Scan) -> str:
    """The log."""
    results, left = _fitting(scan)
    notifications = [{"level": "note", "message": {"text": note}} for note in scan.notes]
    notifications += [
        {"level": "note", "message": {"text": f"not scanned: {number} files ({reason})"}}
        for reason, number in sorted(Counter(item.reason for item in scan.skipped).items())
    ]
    if left:
        text = f"{left} further findings are left out, since a reader takes no more; --output json has all"
        notifications.append({"level": "warning", "message": {"text": text}})
    run = {
        "tool": {
            "driver": {
                "name": "codecite",
                "version": version(),
                "rules": [
                    {
                        "id": str(rule),
                        "name": "".join(word.title() for word in rule.split("-")),
                        "shortDescription": {"text": SAYS[rule]},
                        "fullDescription": {"text": SAYS[rule]},
                        "defaultConfiguration": {"level": "error" if rule is Rule.VERBATIM_DENIED else "warning"},
                        "properties": _PROBLEM,
                    }
                    for rule in Rule
                ],
            }
        },
        "columnKind": "unicodeCodePoints",
        "originalUriBaseIds": {"SRCROOT": {"description": {"text": "The root of what was scanned."}}},
        "invocations": [{"executionSuccessful": True, "toolExecutionNotifications": notifications}],
        "results": results,
        "properties": {"policy": scan.policy, "outcome": str(scan.outcome)},
    }
    log = {"$schema": _SCHEMA, "version": "2.1.0", "runs": [run]}
    return json.dumps(log, separators=(",", ":")) + "\n"


def _fitting(scan: Scan) -> tuple[list[dict[str, Any]], int]:
    """The results that fit, and how many do not."""
    results: list[dict[str, Any]] = []
    room = BYTES - _ROOM
    whole = 0
    seen: Counter[str] = Counter()
    for finding, suppression in _ordered(scan):
        whole += 1
        seen[finding.fingerprint] += 1
        result = _result(finding, seen[finding.fingerprint])
        if suppression:
            result["suppressions"] = [suppression]
        room -= len(json.dumps(result, separators=(",", ":"))) + 1
        if len(results) < RESULTS and room >= 0:
            results.append(result)
    return results, whole - len(results)


def _ordered(scan: Scan) -> Iterator[tuple[Finding, dict[str, Any] | None]]:
    for finding in sorted(scan.findings, key=lambda item: _ORDER[item.severity]):
        yield finding, None
    for finding in scan.apart:
        text = f"in a file that is {', '.join(finding.marks)}, listed apart"
        yield finding, {"kind": "external", "status": "accepted", "justification": text}
    for item in scan.ignored:
        kind = "external" if item.reason == "in the baseline" else "inSource"
        yield item.finding, {"kind": kind, "status": "accepted", "justification": item.reason}


def _result(finding: Finding, count: int) -> dict[str, Any]:
    sources = finding.attribution.sources[:_SOURCES] if finding.attribution else ()
    result: dict[str, Any] = {
        "ruleId": str(finding.rule),
        "ruleIndex": list(Rule).index(finding.rule),
        "level": str(finding.severity),
        "message": {"text": f"{finding.message[:_MESSAGE]}\n{finding.mend[:_MESSAGE]}"},
        "locations": [_location(finding, 0)],
        "partialFingerprints": {
            "codecitePassage/v1": finding.fingerprint or f"{finding.rule}:{finding.path}",
            "primaryLocationLineHash": f"{finding.fingerprint[:16] or finding.rule}:{count}",
        },
        "properties": {
            "licenses": list(finding.licenses),
            "sources": [
                {"place": place_of(source), "license": source.origin.license, "obligations": list(source.obligations)}
                for source in sources
            ],
        },
    }
    if len(finding.regions) > 1:
        result["relatedLocations"] = [
            {"id": number, **_location(finding, number)} for number in range(1, min(len(finding.regions), 20))
        ]
    return result


def _location(finding: Finding, number: int) -> dict[str, Any]:
    first, last = finding.regions[number]
    return {
        "physicalLocation": {
            "artifactLocation": {"uri": quote(finding.path, safe="/"), "uriBaseId": "SRCROOT"},
            "region": {"startLine": first, "endLine": last},
        }
    }
