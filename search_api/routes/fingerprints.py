"""`POST /api/v1/fingerprints`: what files are known from, of which only fingerprints are sent.

In: fingerprints, as `codecite fingerprint` writes them. Out: candidates (`codecite-candidates/1`), which nobody has
verified. It refuses to know how they are found.
"""

from __future__ import annotations

from flask import Blueprint, Response

from codecite.indexer.errors import TextError
from codecite.indexer.fingerprint.handover import CONFIG, from_dict
from codecite.indexer.lookup.recognised import recognised_to_dict
from codecite.search_api.bodies import Schema, read_body, text_field, whole_number
from codecite.search_api.openapi import JSON, operation
from codecite.search_api.problems import Problem, wrong_field
from codecite.search_api.routes.common import PATH, POLICY, SOURCES, answer
from codecite.search_api.service import service

blueprint = Blueprint("fingerprints", __name__)

_NUMBERS = {"type": "array", "items": {"type": "integer", "minimum": 0}}
_COUNT = {"type": "integer", "minimum": 0}
_FILE = {
    "type": "object",
    "required": ["path", "swhid", "bytes", "canonical_bytes", "lines", "hashes", "positions", "at_lines"],
    "properties": {
        "path": PATH,
        "swhid": text_field("The SWHID of the content", pattern="^swh:1:cnt:[0-9a-f]{40}$"),
        "bytes": _COUNT,
        "canonical_bytes": _COUNT,
        "lines": _COUNT,
        "hashes": text_field("16 hexadecimal digits a fingerprint", pattern="^([0-9a-f]{16})*$"),
        "positions": _NUMBERS,
        "at_lines": _NUMBERS,
    },
    "additionalProperties": False,
}
_ASKED = Schema(
    "Fingerprints",
    {
        "config": {"type": "object", "description": "How the fingerprints were made", "const": CONFIG},
        "files": {"type": "array", "minItems": 1, "items": _FILE},
        "policy": POLICY,
        "sources": SOURCES,
        "shortest": whole_number("Bytes that a passage may have at least, to be a candidate", 1, 1 << 30, 100),
    },
    ("config", "files"),
)
_ANSWER = {
    "type": "object",
    "description": "codecite-candidates/1",
    "required": ["schema", "codecite", "indexes", "policy", "unverified", "files"],
    "properties": {
        "schema": {"const": "codecite-candidates/1"},
        "files": {"type": "array", "items": {"type": "object"}},
    },
}


@blueprint.post("/api/v1/fingerprints")
@operation(
    "Where the fingerprints of files stand; no text is sent, and nothing is verified",
    "check",
    body=_ASKED,
    answers={JSON: _ANSWER},
)
def fingerprints() -> Response:
    """Some files."""
    asked = read_body(_ASKED)
    part = service()
    if len(asked["files"]) > part.settings.max_batch:
        raise wrong_field("files", f"is to have at most {part.settings.max_batch} items", 413)
    try:
        files = [from_dict(form, f"files[{number}]") for number, form in enumerate(asked["files"])]
    except TextError as error:
        raise Problem(422, str(error)) from None
    policy = part.policy_named(asked.get("policy"))
    sources, shortest = asked.get("sources", 5), asked.get("shortest", 100)

    found = part.ask(
        lambda index: recognised_to_dict(
            index.coverage,
            (policy.name, policy.sha256),
            [index.recognise(file, policy=policy, sources=sources, shortest=shortest) for file in files],
        ),
        sum(file.canonical for file in files),
    )
    return answer(found)
