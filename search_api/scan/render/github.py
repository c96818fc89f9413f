"""A Scan as annotations of a GitHub workflow.

In: a Scan. Out: a workflow command a finding, the worst first, since GitHub shows ten of a kind and step. It refuses to
know of workflows. What others wrote is escaped: a line of theirs is never a command.
"""

from __future__ import annotations

from codecite.search_api.scan.records import Finding, Scan, Severity

_COMMANDS = {Severity.ERROR: "error", Severity.WARNING: "warning", Severity.NOTE: "notice"}


def render(scan: Scan) -> str:
    """The commands."""
    ordered = sorted(scan.findings, key=lambda item: list(Severity).index(item.severity), reverse=True)
    return "".join(_command(finding) for finding in ordered)


def _command(finding: Finding) -> str:
    place = f"file={_property(finding.path)},line={finding.start_line},endLine={finding.end_line}"
    title = _property(f"codecite: {finding.rule}")
    return f"::{_COMMANDS[finding.severity]} {place},title={title}::{_data(finding.message + chr(10) + finding.mend)}\n"


def _data(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")
