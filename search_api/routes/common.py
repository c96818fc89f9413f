"""What several routes share: the fields of a text to check, and answers in JSON.

In: the object of a body. Out: a Report of it, a response. It refuses to know what a route makes of it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flask import Response

from codecite.indexer.records import Report
from codecite.search_api.answers import encoded
from codecite.search_api.bodies import text_field, whole_number
from codecite.search_api.service import service

CONTEXT = {
    "before": text_field("What stands before the text; passages that begin there are found, too"),
    "after": text_field("What stands after the text"),
}
POLICY = text_field("The policy that judges: this server's own by default, or the name of a ready one", maxLength=200)
SOURCES = whole_number("How many sources of each passage to show", 0, 100, 5)
PATH = text_field("The path of the file that the text is; the answer repeats it", maxLength=4096)


def checked(asked: Mapping[str, Any]) -> Report:
    """The Report on a text in its context, counted."""
    part = service()
    policy = part.policy_named(asked.get("policy"))
    text, before, after = asked["text"], asked.get("before", ""), asked.get("after", "")
    report = part.ask(
        lambda index: index.check(text, before=before, after=after, policy=policy, sources=asked.get("sources", 5)),
        len(text) + len(before) + len(after),
    )
    part.metrics.report(report)
    return report


def answer(value: Mapping[str, Any], status: int = 200) -> Response:
    """A JSON answer."""
    return Response(encoded(value), status, mimetype="application/json")
