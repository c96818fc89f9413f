"""`POST /overlap`: what llm-vscode asks for, to underline what a document shares with the index.

In: `{"document": text}`. Out: `{"spans": [[start, end], ...]}`, half-open, in UTF-16 units as editors count; sorted and
disjoint, never missing. It refuses to tell sources: `/api/v1/check` does.
"""

from __future__ import annotations

from collections.abc import Iterable

from flask import Blueprint, Response

from codecite.search_api.bodies import Schema, read_body, text_field
from codecite.search_api.openapi import JSON, operation
from codecite.search_api.routes.common import answer, checked
from codecite.search_api.service import service

blueprint = Blueprint("overlap", __name__)

_DOCUMENT = Schema("Document", {"document": text_field("The text of the document")}, ("document",), more=True)
_PAIR = {"type": "array", "items": {"type": "integer"}, "minItems": 2, "maxItems": 2}
_SPANS = {"type": "object", "required": ["spans"], "properties": {"spans": {"type": "array", "items": _PAIR}}}


@blueprint.post("/overlap")
@operation(
    "The spans of a document that stand in the index (llm-vscode)", "doors", body=_DOCUMENT, answers={JSON: _SPANS}
)
def overlap() -> Response:
    """The spans, without the passages that the policy passes over."""
    text = read_body(_DOCUMENT)["document"]
    report = checked({"text": text, "sources": 0})
    passed_over = service().policy.pass_over
    spans = [
        (item.match.start, item.match.end) for item in report.attributions if not passed_over.intersection(item.marks)
    ]
    return answer({"spans": in_utf16(text, joined(spans))})


def joined(spans: Iterable[tuple[int, int]]) -> list[tuple[int, int]]:
    """The same places, sorted, in spans that neither overlap nor touch.

    >>> joined([(5, 9), (0, 3), (3, 4), (6, 7)])
    [(0, 4), (5, 9)]
    """
    found: list[tuple[int, int]] = []
    for start, end in sorted(spans):
        if found and start <= found[-1][1]:
            found[-1] = found[-1][0], max(found[-1][1], end)
        else:
            found.append((start, end))
    return found


def in_utf16(text: str, spans: Iterable[tuple[int, int]]) -> list[list[int]]:
    """Sorted spans of code points, in UTF-16 units.

    >>> in_utf16("a\\U0001f600bc", [(1, 2), (3, 4)])
    [[1, 3], [4, 5]]
    """
    found: list[list[int]] = []
    point = unit = 0
    for span in spans:
        pair = []
        for at in span:
            part = text[point:at]
            unit += len(part) + sum(character > "\uffff" for character in part)
            point = at
            pair.append(unit)
        found.append(pair)
    return found
