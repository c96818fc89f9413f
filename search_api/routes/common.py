"""What several routes share: the fields of a text to check, and answers in JSON.

In: the object of a body. Out: a Report of it, a response. It refuses to know what a route makes of it.
"""

from __future__ import annotations

from base64 import b64decode
from collections.abc import Mapping
from typing import Any

from flask import Response

from codecite.indexer.attribution.policy import Policy
from codecite.indexer.attribution.policy_form import FORM
from codecite.indexer.records import Report
from codecite.search_api.answers import encoded
from codecite.search_api.bodies import text_field, whole_number
from codecite.search_api.problems import wrong_field
from codecite.search_api.service import QUICK, service

CONTEXT = {
    "before": text_field("What stands before the text; passages that begin there are found, too"),
    "after": text_field("What stands after the text"),
}
POLICY_NAME = text_field("The policy that judges: this server's own, or the name of a ready one", maxLength=200)
POLICY = {
    **FORM,
    "type": ["string", "object"],
    "maxLength": 200,
    "description": "The policy that judges: this server's own by default, the name of a ready one, or a policy as "
    "GET /api/v1/policy shows one",
}
SOURCES = whole_number("How many sources of each passage to show", 0, 100, 5)
ENCODING = {
    "enum": ["utf-8", "base64"],
    "default": "utf-8",
    "description": "How text, before and after are written: base64 is for bytes that are not UTF-8",
}
HOW = {
    "near": {"type": "boolean", "default": False, "description": "Find renamed and edited passages, too"},
    "shortest": whole_number("Leave out passages with fewer bytes than this in the text", 1, 2**31, 1),
    "encoding": ENCODING,
}
"""How texts are checked, beside the policy."""
PATH = text_field("The path of the file that the text is; the answer repeats it", maxLength=4096)


def checked(asked: Mapping[str, Any]) -> Report:
    """The Report on a text in its context, counted."""
    part = service()
    policy = part.policy_named(asked.get("policy"))
    text, before, after = (received(asked, name) for name in ("text", "before", "after"))
    report = part.ask(
        lambda index: index.check(
            text,
            before=before,
            after=after,
            policy=policy,
            sources=asked.get("sources", 5),
            near=asked.get("near", False),
            shortest=asked.get("shortest", 1),
        ),
        weight(policy, len(text) + len(before) + len(after)),
    )
    part.metrics.report(report)
    return report


def received(asked: Mapping[str, Any], name: str) -> str | bytes:
    """A text of a request, which may be written in base64."""
    text: str = asked.get(name, "")
    if asked.get("encoding", "utf-8") == "utf-8":
        return text
    try:
        return b64decode(text, validate=True)
    except ValueError:
        raise wrong_field(name, "is not base64, which encoding says it is") from None


def weight(policy: Policy, size: int) -> int:
    """What a text of `size` counts for: the first check without a policy's own projects makes a view of the index."""
    return max(size, QUICK + 1) if policy.own_projects else size


def answer(value: Mapping[str, Any], status: int = 200) -> Response:
    """A JSON answer."""
    return Response(encoded(value), status, mimetype="application/json")
