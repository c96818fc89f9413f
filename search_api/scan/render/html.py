"""A Scan as one HTML file that needs no other, and no script.

In: a Scan. Out: HTML. It refuses to know who opens it: what others wrote is escaped, and a policy in the file itself
lets nothing be loaded.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from html import escape

from codecite.search_api.cli.printable import count, printable
from codecite.search_api.scan.judging import place_of
from codecite.search_api.scan.records import Finding, Scan

_STYLE = """
body{max-width:70rem;margin:1rem auto;padding:0 1rem;font:16px/1.5 system-ui,sans-serif;color:#1b1b1b;background:#fff}
pre{overflow:auto;background:#f4f4f4;padding:.5rem}code,pre{font:13px/1.4 ui-monospace,monospace}
table{border-collapse:collapse;width:100%}td,th{text-align:left;padding:.2rem .6rem;border-bottom:1px solid #ccc}
.error{color:#a40000}.warning{color:#7a4b00}.note{color:#00508a}.fail{color:#a40000}.warn{color:#7a4b00}.pass{color:#0a5f0a}
summary{cursor:pointer}details{margin:.6rem 0}
@media(prefers-color-scheme:dark){body{color:#e8e8e8;background:#161616}pre{background:#242424}
.error,.fail{color:#ff9d9d}.warning,.warn{color:#ffca7a}.note{color:#9cd0ff}.pass{color:#9be29b}}
"""


def render(scan: Scan) -> str:
    """The page."""
    return "\n".join(_page(scan)) + "\n"


def _page(scan: Scan) -> Iterator[str]:
    yield '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">'
    yield "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">"
    yield '<meta name="viewport" content="width=device-width">\n<title>codecite scan</title>'
    yield f"<style>{_STYLE}</style>\n</head>\n<body>\n<main>\n<h1>codecite scan</h1>"
    files = count(len(scan.files), "file")
    yield f'<p><strong class="{scan.outcome}">{scan.outcome}</strong> by the policy {_text(scan.policy)}: '
    yield f"{files} scanned, {count(len(scan.findings), 'finding')}, {_text(scan.created)}.</p>"
    yield "<h2>Findings</h2>" if scan.findings else "<p>No findings.</p>"
    yield from map(_finding, scan.findings)
    if scan.apart:
        yield "<h2>In generated and vendored files</h2>"
        yield from map(_finding, scan.apart)
    if scan.components:
        rows = (
            (item.purl or item.name, item.license, f"{len(item.files)}", f"{item.share:.0%}")
            for item in scan.components
        )
        yield "<h2>Components</h2>" + _table(("component", "license", "files", "agree"), rows)
    if scan.ignored:
        taken = ((i.finding.path, str(i.finding.rule), i.reason) for i in scan.ignored)
        yield "<h2>Taken back</h2>" + _table(("file", "rule", "reason"), taken)
    if scan.skipped:
        skipped = ((item.path, str(item.reason), item.detail) for item in scan.skipped)
        yield "<details><summary>Not scanned</summary>" + _table(("file", "reason", ""), skipped) + "</details>"
    for item in scan.indexes:
        size = count(item.documents, "document")
        yield f"<p>Searched: index {_text(item.id)}, generation {item.generation}, {size}.</p>"
    yield "<p>No finding means that nothing of it is in this index; it never means that the code is original.</p>"
    yield "</main>\n</body>\n</html>"


def _finding(finding: Finding) -> str:
    place = f"{finding.path}:{finding.start_line}-{finding.end_line}"
    sources = "".join(
        f"<li>{_text(place_of(source))}, {_text(source.origin.license)}"
        + "".join(f"<br>{_text(line.strip())}" for line in source.origin.copyright[:3])
        + "</li>"
        for source in (finding.attribution.sources[:5] if finding.attribution else ())
    )
    code = "\n".join(f"{number:>5}  {_text(line)}" for number, line in enumerate(finding.excerpt, finding.start_line))
    return (
        f'<details open><summary><span class="{finding.severity}">{finding.severity}</span> <b>{finding.rule}</b> '
        f"<code>{_text(place)}</code></summary>\n<p>{_text(finding.message)}</p>\n"
        + (f"<pre>{code}</pre>\n" if code else "")
        + (f"<ul>{sources}</ul>\n" if sources else "")
        + f"<p>Mend: {_text(finding.mend)}</p></details>"
    )


def _table(head: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    names = "".join(f"<th>{_text(name)}</th>" for name in head)
    body = "".join("<tr>" + "".join(f"<td>{_text(cell)}</td>" for cell in row) + "</tr>\n" for row in rows)
    return f"<table>\n<tr>{names}</tr>\n{body}</table>"


def _text(text: str) -> str:
    return escape(printable(text))
