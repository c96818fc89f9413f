"""A Scan as a GitLab code quality report.

In: a Scan. Out: a list of issues, as GitLab's artefact `codequality` takes it. It refuses to know of merge requests.
"""

from __future__ import annotations

import hashlib
import json
from collections import Counter

from codecite.search_api.scan.records import Scan, Severity

_SEVERITIES = {Severity.ERROR: "critical", Severity.WARNING: "minor", Severity.NOTE: "info"}


def render(scan: Scan) -> str:
    """One issue a finding; the fingerprint stays while the passage does, wherever in its file it moves to."""
    seen: Counter[str] = Counter()
    issues = []
    for finding in scan.findings:
        key = f"{finding.rule}\0{finding.path}\0{finding.fingerprint or finding.message}"
        seen[key] += 1
        issues.append(
            {
                "description": f"{finding.message} {finding.mend}",
                "check_name": str(finding.rule),
                "fingerprint": hashlib.sha256(f"{key}\0{seen[key]}".encode()).hexdigest(),
                "severity": _SEVERITIES[finding.severity],
                "location": {
                    "path": finding.path,
                    "lines": {"begin": finding.start_line, "end": finding.end_line},
                },
            }
        )
    return json.dumps(issues, indent=1) + "\n"
