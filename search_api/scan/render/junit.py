"""A Scan as JUnit XML: a file is a test case, an error a failure.

In: a Scan. Out: XML. It refuses to know which server reads it. Warnings and notes stand in the output of their case.
"""

from __future__ import annotations

import re
from collections import defaultdict
from xml.sax.saxutils import escape, quoteattr

from codecite.search_api.scan.records import Finding, Scan, Severity

_NO_XML = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def render(scan: Scan) -> str:
    """The test suite."""
    by_path: dict[str, list[Finding]] = defaultdict(list)
    for finding in scan.findings:
        by_path[finding.path].append(finding)
    failures = sum(finding.severity is Severity.ERROR for finding in scan.findings)
    cases = len(scan.files) + len(scan.skipped)
    counts = f'tests="{cases}" failures="{failures}" errors="0"'
    lines = [
        '<?xml version="1.0" encoding="UTF-8"?>',
        f'<testsuites name="codecite scan" {counts}>',
        f'<testsuite name={_quoted(f"codecite scan ({scan.policy})")} {counts} skipped="{len(scan.skipped)}" '
        f'time="0" timestamp="{scan.created.rstrip("Z")}">',
    ]
    for file in scan.files:
        found = by_path.get(file.path, [])
        head = f'<testcase classname="codecite" name={_quoted(file.path)} time="0"'
        if not found:
            lines.append(f"{head}/>")
            continue
        lines.append(f"{head}>")
        for finding in found:
            if finding.severity is Severity.ERROR:
                kind = f"type={_quoted(finding.rule)} message={_quoted(_short(finding))}"
                lines.append(f"<failure {kind}>{_plain(_long(finding))}</failure>")
        others = [_long(finding) for finding in found if finding.severity is not Severity.ERROR]
        if others:
            lines.append(f"<system-out>{_plain(chr(10).join(others))}</system-out>")
        lines.append("</testcase>")
    for item in scan.skipped:
        reason = f"{item.reason}: {item.detail}" if item.detail else str(item.reason)
        lines.append(
            f'<testcase classname="codecite" name={_quoted(item.path)} time="0">'
            f"<skipped message={_quoted(reason)}/></testcase>"
        )
    return "\n".join([*lines, "</testsuite>", "</testsuites>", ""])


def _short(finding: Finding) -> str:
    return f"{finding.path}:{finding.start_line}-{finding.end_line}: {finding.rule}"


def _long(finding: Finding) -> str:
    return f"{_short(finding)}\n{finding.message}\n{finding.mend}"


def _plain(text: str) -> str:
    return escape(_NO_XML.sub("\N{REPLACEMENT CHARACTER}", text))


def _quoted(text: str) -> str:
    return quoteattr(_NO_XML.sub("\N{REPLACEMENT CHARACTER}", text))
