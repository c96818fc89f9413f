"""`/api/v1/documents/<swhid>`: a Document with all its Origins, and as much of its text as the policy serves.

In: a SWHID; lines that are asked for, or a passage that the asker has already. Out: the Document's Origins, and parts
of its text. It refuses to know how Documents are stored.

Showing a text is distributing it, so the policy says how much is shown (`serve_text`): under `all` any lines; under
`matched-lines` the lines of a passage that whoever asks sends along (at least as long as the index's guarantee); under
`none` nothing. What is not shown can still be fetched from its Origins.
"""

from __future__ import annotations

from typing import Any

from flask import Blueprint, Response, request

from codecite.indexer.attribution.policy import ServeText
from codecite.indexer.lookup.documents import Document
from codecite.indexer.lookup.stream import SPACE
from codecite.indexer.report_json import source_to_dict
from codecite.search_api.bodies import Schema, read_body, text_field
from codecite.search_api.openapi import operation
from codecite.search_api.problems import Problem, wrong_field
from codecite.search_api.routes.common import answer
from codecite.search_api.service import service

blueprint = Blueprint("documents", __name__)

_PASSAGE = Schema(
    "Passage",
    {"passage": text_field("A passage that is in hand already; its places are shown", minLength=1)},
    ("passage",),
)
_LINE = {"type": "integer", "minimum": 1, "maximum": 2**31}
_QUERY = {"start_line": _LINE, "end_line": _LINE}
_PLACES = 100
"""Places of a passage that are shown."""


@blueprint.get("/api/v1/documents/<swhid>")
@operation(
    "A Document: where it was seen, and its text or some lines of it, if the policy serves them",
    "documents",
    query=_QUERY,
)
def document(swhid: str) -> Response:
    """By its SWHID."""
    first, last = _line("start_line"), _line("end_line")
    if first and last and last < first:
        raise wrong_field("end_line", "is to be at least start_line")
    found = _found(swhid)
    shown = service().policy.serve_text is ServeText.ALL
    lines = _lines(found.content)
    return _answered(found, lines, [(first or 1, min(last or len(lines), len(lines)))] if shown else [])


@blueprint.post("/api/v1/documents/<swhid>")
@operation("The lines of a Document on which a passage stands that is in hand already", "documents", body=_PASSAGE)
def passage(swhid: str) -> Response:
    """The lines that the passage stands on."""
    sent = read_body(_PASSAGE)["passage"].encode("utf-8", "surrogateescape").translate(None, SPACE)
    least = max(item.guarantee_bytes for item in service().live.current.coverage)
    if len(sent) < least:
        raise wrong_field("passage", f"is to have at least {least} bytes beside white space")
    found = _found(swhid)
    shown = service().policy.serve_text is not ServeText.NONE
    return _answered(found, _lines(found.content), places(found.content, sent) if shown else [])


def _found(swhid: str) -> Document:
    found = service().ask(lambda index: index.document(swhid))
    if found is None:
        raise Problem(404, "no Document with this SWHID is in the index")
    return found


def _answered(found: Document, lines: list[bytes], parts: list[tuple[int, int]]) -> Response:
    part = service()
    text, swhid = _text(found.content) if parts else "", found.swhid
    path = next((source.origin.path for source in found.sources), "")
    parts = [(first, last) for first, last in parts if first <= last]
    # The last part first, so that the lexer goes through the file once.
    coloured = {first: part.colours.lines(swhid, text, path, first, last) for first, last in reversed(parts)}
    form: dict[str, Any] = {
        "schema": "codecite-document/1",
        "swhid": found.swhid,
        "bytes": len(found.content),
        "lines": len(lines),
        "serve_text": str(part.policy.serve_text),
        "origins_total": found.origins,
        "origins": [source_to_dict(source) for source in found.sources],
        "parts": [
            {
                "start_line": first,
                "end_line": last,
                "text": _text(b"".join(lines[first - 1 : last])),
                "highlighted": coloured[first],
            }
            for first, last in parts
        ],
    }
    return answer(form)


def _lines(content: bytes) -> list[bytes]:
    """The lines, as codecite counts them: only a line feed ends one."""
    lines = [line + b"\n" for line in content.split(b"\n")]
    lines[-1] = lines[-1][:-1]
    return lines if lines[-1] or len(lines) == 1 else lines[:-1]


def _text(content: bytes) -> str:
    return content.decode("utf-8", "surrogateescape")


def places(content: bytes, canonical: bytes) -> list[tuple[int, int]]:
    """The first and the last line of each place where the canonical bytes stand, joined where they touch."""
    whole = content.translate(None, SPACE)
    found: list[tuple[int, int]] = []
    raw, line, seen, at = 0, 1, 0, 0
    for _ in range(_PLACES):
        at = whole.find(canonical, at)
        if at < 0:
            break
        raw, line, seen = _advance(content, raw, line, seen, at)
        last = _advance(content, raw, line, seen, at + len(canonical) - 1)[1]
        if found and line <= found[-1][1] + 1:
            found[-1] = found[-1][0], max(found[-1][1], last)
        else:
            found.append((line, last))
        at += len(canonical)
    return found


def _advance(content: bytes, raw: int, line: int, seen: int, to: int) -> tuple[int, int, int]:
    """The line that holds canonical byte `to`: where it begins, its number, the canonical bytes before it.

    It is looked for from the same of an earlier line on.
    """
    while True:
        newline = content.find(b"\n", raw)
        end = len(content) if newline < 0 else newline + 1
        held = len(content[raw:end].translate(None, SPACE))
        if seen + held > to or newline < 0:
            break
        raw, line, seen = end, line + 1, seen + held
    return raw, line, seen


def _line(name: str) -> int | None:
    text = request.args.get(name)
    if text is None:
        return None
    if not (text.isascii() and text.isdigit() and len(text) <= 10 and 1 <= int(text) <= 2**31):
        raise wrong_field(name, "is to be a line, from 1")
    return int(text)
