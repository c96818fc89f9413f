"""A Notice -> the file to ship: plain text, Markdown or HTML.

In: a Notice and a title. Out: text, the same for the same Notice. It refuses to know how the Notice came about. What
others wrote (names, lines, texts) is shown as it stands: escaped in HTML, between fences in Markdown.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from html import escape

from codecite.indexer.attribution.shipping import Credit, LicenseText, Notice

_WIDTH = 78


def as_text(notice: Notice, title: str) -> str:
    """Plain text."""
    lines = [title, "=" * min(len(title), _WIDTH), ""]
    for license, group in _grouped(notice):
        lines += [license, "-" * min(len(license), _WIDTH), ""]
        for credit in group:
            lines += [_heading(credit), *(f"    {line}" for line in credit.copyright), ""]
            for file in credit.notices:
                lines += [f"    {file.path}:", "", *(f"    {line}".rstrip() for line in file.text.split("\n")), ""]
    for text in notice.texts:
        lines += ["=" * _WIDTH, _named(text), "=" * _WIDTH, "", text.text, ""]
    return "\n".join(lines)


def as_markdown(notice: Notice, title: str) -> str:
    """Markdown (CommonMark)."""
    lines = [f"# {_inline(title)}", ""]
    for license, group in _grouped(notice):
        lines += [f"## {_inline(license)}", ""]
        for credit in group:
            lines += [f"### {_inline(_heading(credit))}", ""]
            lines += [f"- {_inline(line)}" for line in credit.copyright] + [""] * bool(credit.copyright)
            for file in credit.notices:
                lines += [f"{_inline(file.path)}:", "", *_fenced(file.text), ""]
    if notice.texts:
        lines += ["## Licence texts", ""]
    for text in notice.texts:
        lines += [f"### {_inline(_named(text))}", "", *_fenced(text.text), ""]
    return "\n".join(lines)


def as_html(notice: Notice, title: str) -> str:
    """One HTML file that needs no other."""
    return "\n".join(_html(notice, title)) + "\n"


def _html(notice: Notice, title: str) -> Iterator[str]:
    yield '<!doctype html>\n<html lang="en">\n<meta charset="utf-8">'
    yield '<meta name="viewport" content="width=device-width">'
    yield f"<title>{escape(title)}</title>"
    yield "<style>body{max-width:50rem;margin:auto;font-family:sans-serif}pre{white-space:pre-wrap}</style>"
    yield f"<h1>{escape(title)}</h1>"
    for license, group in _grouped(notice):
        yield f"<section>\n<h2>{escape(license)}</h2>"
        for credit in group:
            yield f"<h3>{escape(_heading(credit))}</h3>"
            if credit.copyright:
                yield "<ul>" + "".join(f"<li>{escape(line)}</li>" for line in credit.copyright) + "</ul>"
            for file in credit.notices:
                yield f"<p>{escape(file.path)}:</p>\n<pre>{escape(file.text)}</pre>"
        yield "</section>"
    if notice.texts:
        yield "<section>\n<h2>Licence texts</h2>"
        for text in notice.texts:
            yield f"<details>\n<summary>{escape(_named(text))}</summary>\n<pre>{escape(text.text)}</pre>\n</details>"
        yield "</section>"
    yield "</html>"


def _grouped(notice: Notice) -> list[tuple[str, list[Credit]]]:
    """The credits under each licence that was chosen, in their order."""
    groups: dict[str, list[Credit]] = {}
    for credit in notice.credits:
        groups.setdefault(credit.chosen, []).append(credit)
    return list(groups.items())


def _heading(credit: Credit) -> str:
    of_choice = f" (offered under {credit.license})" if credit.license != credit.chosen else ""
    return f"{credit.project}{of_choice}"


def _named(text: LicenseText) -> str:
    return f"{text.name} ({text.id})" if text.name != text.id else text.id


def _inline(text: str) -> str:
    """Text that Markdown shows as it stands."""
    return re.sub(r"([\\`*_{}\[\]<>#|&~!])", r"\\\1", text)


def _fenced(text: str) -> list[str]:
    longest = max((len(run) for run in re.findall(r"`+", text)), default=0)
    fence = "`" * max(3, longest + 1)
    return [f"{fence}text", text, fence]
