"""A Scan for people: the findings by file, with the lines they speak of, and what was not scanned.

In: a Scan, whether colours are wanted. Out: lines free of control characters. It refuses to know of terminals.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

import click

from codecite.indexer.records import Outcome
from codecite.search_api.cli.printable import count, printable, shortened
from codecite.search_api.scan.judging import place_of
from codecite.search_api.scan.records import Finding, Scan, Severity

_COLOURS = {Severity.ERROR: "red", Severity.WARNING: "yellow", Severity.NOTE: "cyan"}
_WIDTH = 140
_SOURCES = 3
_SKIPPED = 5
_APART = 20


def render(scan: Scan, *, colour: bool = False) -> str:
    """The findings, then in a few lines all else."""
    return "\n".join(_lines(scan, colour)) + "\n"


def _lines(scan: Scan, colour: bool) -> Iterator[str]:
    for finding in scan.findings:
        yield from _finding(finding, colour)
        yield ""
    if scan.apart:
        yield f"In generated and vendored files, listed apart ({count(len(scan.apart), 'finding')}):"
        for finding in scan.apart[:_APART]:
            marks = ", ".join(finding.marks)
            place = f"{finding.path}:{finding.start_line}-{finding.end_line}"
            yield f"    {printable(place)}: {finding.rule} ({marks}): {', '.join(map(printable, finding.licenses))}"
        if len(scan.apart) > _APART:
            yield f"    and {count(len(scan.apart) - _APART, 'more finding')} (--output json has all)"
        yield ""
    if scan.components:
        yield "Components:"
        for item in scan.components:
            named = printable(item.purl or item.repository or item.name)
            yield f"    {named} ({printable(item.license)}): {count(len(item.files), 'file')}, {item.share:.0%} agree"
        yield ""
    yield from _rest(scan)
    by_severity = Counter(finding.severity for finding in scan.findings)
    said = ", ".join(count(by_severity[severity], severity) for severity in reversed(Severity) if by_severity[severity])
    files = count(len(scan.files), "file")
    verdict = f"{str(scan.outcome).upper()} by the policy {printable(scan.policy)}"
    line = f"{verdict}: {files} scanned, {said or 'no findings'}"
    fg = {Outcome.FAIL: "red", Outcome.WARN: "yellow", Outcome.PASS: "green"}[scan.outcome]
    yield click.style(line, fg=fg, bold=True) if colour else line
    yield "No finding means that nothing of it is in this index; it never means that the code is original."


def _finding(finding: Finding, colour: bool) -> Iterator[str]:
    place = f"{printable(finding.path)}:{finding.start_line}-{finding.end_line}"
    head = f"{finding.severity}[{finding.rule}]"
    yield f"{place}: {click.style(head, fg=_COLOURS[finding.severity], bold=True) if colour else head}"
    yield f"    {printable(finding.message)}"
    width = len(str(finding.end_line))
    for number, line in enumerate(finding.excerpt, start=finding.start_line):
        margin = f"{number:>{width}} | "
        yield "    " + (click.style(margin, fg="blue") if colour else margin) + shortened(printable(line), _WIDTH)
    left = finding.end_line - finding.start_line + 1 - len(finding.excerpt)
    if left > 0 and finding.excerpt:
        yield f"    {'':>{width}} … {count(left, 'more line')}"
    for region in finding.regions[1:]:
        yield f"    and lines {region[0]}-{region[1]}"
    sources = finding.attribution.sources if finding.attribution else ()
    for source in sources[:_SOURCES]:
        owner = f", {printable(shortened(source.origin.copyright[0].strip(), 80))}" if source.origin.copyright else ""
        yield f"    from {printable(place_of(source))} ({printable(source.origin.license)}{owner})"
    first, *rest = finding.mend.split("\n")
    yield f"    mend: {printable(first)}"
    for line in rest:
        yield f"        {printable(line)}"


def _rest(scan: Scan) -> Iterator[str]:
    satisfied = sum(len(file.satisfied) for file in scan.files)
    if satisfied:
        yield f"{count(satisfied, 'passage')} of others, attributed as their licences ask: no finding."
    if scan.ignored:
        reasons = Counter(item.reason for item in scan.ignored)
        for reason, number in reasons.most_common(_SKIPPED):
            yield f"{count(number, 'finding')} taken back: {printable(shortened(reason, _WIDTH))}"
    if scan.skipped:
        kinds = Counter(item.reason for item in scan.skipped)
        for kind, number in sorted(kinds.items()):
            first = next(item for item in scan.skipped if item.reason is kind)
            detail = f": {first.detail}" if first.detail else ""
            yield f"Not scanned: {count(number, 'file')} ({kind}), such as {printable(first.path + detail)}"
    for note in scan.notes:
        yield f"Note: {printable(note)}"
