"""A Scan as Markdown: a comment on a pull request, always shorter than GitHub and GitLab take (65,536 characters).

In: a Scan. Out: Markdown. It refuses to know of pull requests. The first line is a mark by which a bot finds its own
comment again. What others wrote is escaped or stands between fences.
"""

from __future__ import annotations

import re

from codecite.indexer.records import Outcome
from codecite.search_api.cli.printable import count, printable, shortened
from codecite.search_api.scan.judging import place_of
from codecite.search_api.scan.records import Finding, Scan, Severity

LIMIT = 65_536
_ROOM = 1_500
_LINE = 200
_MARK = "<!-- codecite-scan -->"
_SIGNS = {Outcome.FAIL: "❌", Outcome.WARN: "⚠️", Outcome.PASS: "✅"}


def render(scan: Scan) -> str:
    """The comment: the worst findings first, and how many did not fit."""
    files = count(len(scan.files), "file")
    head = f"{_SIGNS[scan.outcome]} **codecite**: {scan.outcome} by the policy {_inline(scan.policy)}, {files} scanned"
    findings = sorted(scan.findings, key=lambda item: list(Severity).index(item.severity), reverse=True)
    parts = [_MARK, head, ""]
    size = sum(len(part) + 1 for part in parts)
    if not findings:
        parts.append("No findings." if scan.outcome is Outcome.PASS else "")
    for number, finding in enumerate(findings):
        part = _finding(finding)
        if size + len(part) + 1 > LIMIT - _ROOM:
            parts.append(
                f"\nand {count(len(findings) - number, 'more finding')}; the run's own report has all of them."
            )
            break
        parts.append(part)
        size += len(part) + 1
    parts += ["", *_rest(scan)]
    return "\n".join(parts) + "\n"


def _finding(finding: Finding) -> str:
    place = _code(f"{finding.path}:{finding.start_line}-{finding.end_line}")
    lines = [f"<details><summary>{finding.severity} <b>{finding.rule}</b> {_html(place)}</summary>", ""]
    lines += [_inline(shortened(finding.message, 2000)), "", f"**Mend**: {_inline(shortened(finding.mend, 4000))}", ""]
    for source in finding.attribution.sources[:3] if finding.attribution else ():
        duties = f"; asks for {', '.join(source.obligations)}" if source.obligations else ""
        text = shortened(f"{place_of(source)}, {source.origin.license}{duties}", 500)
        lines.append(f"- {_inline(text)}")
    if finding.excerpt:
        shown = "\n".join(shortened(printable(line), _LINE) for line in finding.excerpt)
        longest = max((len(run) for run in re.findall(r"`+", shown)), default=0)
        fence = "`" * max(3, longest + 1)
        lines += ["", fence, shown, fence]
    return "\n".join([*lines, "", "</details>"])


def _rest(scan: Scan) -> list[str]:
    lines = []
    if scan.apart:
        lines.append(f"{count(len(scan.apart), 'finding')} in generated and vendored files, listed apart.")
    if scan.ignored:
        lines.append(f"{count(len(scan.ignored), 'finding')} taken back by notes or the baseline.")
    if scan.skipped:
        lines.append(f"{count(len(scan.skipped), 'file')} not scanned.")
    lines.append("No finding means that nothing of it is in the index; it never means that the code is original.")
    return ["<sub>" + " ".join(lines) + "</sub>"]


def _code(text: str) -> str:
    return printable(text)


def _html(text: str) -> str:
    escaped = text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return f"<code>{escaped}</code>"


def _inline(text: str) -> str:
    """Text that Markdown shows as it stands; no `@name` calls anybody."""
    plain = re.sub(r"([\\`*_{}\[\]<>#|&~!])", r"\\\1", printable(text))
    return plain.replace("@", "@\N{ZERO WIDTH NON-JOINER}")
