"""A Scan as CSV (RFC 4180): a finding a row, for spreadsheets.

In: a Scan. Out: rows. It refuses to know what reads them; a cell that a spreadsheet would take for a formula begins
with an apostrophe.
"""

from __future__ import annotations

import csv
import io

from codecite.search_api.scan.records import Finding, Scan

_HEAD = (
    "path start_line end_line rule severity licenses kind bytes source_purl source_repository source_path "
    "source_start_line source_end_line source_license copyright obligations message mend fingerprint apart"
)


def render(scan: Scan) -> str:
    """The rows, those of files listed apart last."""
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(_HEAD.split())
    for finding in (*scan.findings, *scan.apart):
        writer.writerow([_safe(str(value)) for value in _row(finding)])
    return out.getvalue()


def _row(finding: Finding) -> list[object]:
    row: list[object] = [finding.path, finding.start_line, finding.end_line, finding.rule, finding.severity]
    row.append(" | ".join(finding.licenses))
    match = finding.attribution.match if finding.attribution else None
    row += [match.kind, match.bytes_in_text] if match else ["", ""]
    source = finding.source
    if source is None:
        row += [""] * 8
    else:
        origin = source.origin
        row += [origin.purl or "", origin.repository or "", origin.path, source.start_line, source.end_line]
        row += [origin.license, " | ".join(origin.copyright), " ".join(source.obligations)]
    return [*row, finding.message, finding.mend, finding.fingerprint, " ".join(finding.marks)]


def _safe(text: str) -> str:
    return f"'{text}" if text[:1] in ("=", "+", "-", "@", "\t", "\r") else text
