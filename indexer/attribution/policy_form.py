"""A Policy as JSON, there and back: how one travels to a server, whole, however it was made.

In: a Policy; a JSON object that FORM was held against. Out: the object; an equal Policy. It refuses to know of TOML, in
which people write policies (`policy.py`): here licences are named as the index names them.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from enum import StrEnum
from typing import Any

from codecite.indexer.attribution.policy import Exempt, OnDenial, OnFailure, Origins, Policy, ServeText
from codecite.indexer.config import GUARANTEE
from codecite.indexer.errors import PolicyError
from codecite.indexer.records import Mark, Outcome


def _one_of(words: type[StrEnum]) -> dict[str, Any]:
    return {"enum": [str(word) for word in words]}


def _text(longest: int, *, none: bool = False) -> dict[str, Any]:
    return {"type": ["string", "null"] if none else "string", "maxLength": longest}


_NAME = 500
_EXEMPT = {
    "type": "object",
    "properties": {
        "reason": _text(2000),
        "expires": _text(10, none=True),
        "license": _text(_NAME, none=True),
        "project": _text(_NAME, none=True),
        "path": _text(_NAME, none=True),
    },
    "required": ["reason"],
    "additionalProperties": False,
}
_PROPERTIES: dict[str, Any] = {
    "name": _text(200),
    "sha256": _text(64, none=True),
    "description": _text(10_000),
    "rules": {"type": "object", "maxProperties": 2000, "additionalProperties": _one_of(Outcome)},
    "default": _one_of(Outcome),
    "min_bytes": {"type": "integer", "minimum": GUARANTEE, "maximum": 2**31},
    "outbound": _text(_NAME, none=True),
    "origins": _one_of(Origins),
    "pass_over": {"type": "array", "items": _one_of(Mark)},
    "common": {"type": "boolean"},
    "near": {"type": "boolean"},
    "own_projects": {"type": "array", "maxItems": 100, "items": _text(_NAME)},
    "exceptions": {"type": "array", "maxItems": 1000, "items": _EXEMPT},
    "on_denial": _one_of(OnDenial),
    "on_failure": _one_of(OnFailure),
    "serve_text": _one_of(ServeText),
}
FORM: dict[str, Any] = {
    "type": "object",
    "properties": _PROPERTIES,
    "required": ["name"],
    "additionalProperties": False,
}
"""The JSON Schema of the object. What is left out is as in a Policy made in code."""


def policy_to_form(policy: Policy) -> dict[str, Any]:
    """A Policy as a JSON object."""
    return {
        "name": policy.name,
        "sha256": policy.sha256,
        "description": policy.description,
        "rules": {name: str(outcome) for name, outcome in policy.rules.items()},
        "default": str(policy.default),
        "min_bytes": policy.min_bytes,
        "outbound": policy.outbound,
        "origins": str(policy.origins),
        "pass_over": sorted(map(str, policy.pass_over)),
        "common": policy.common,
        "near": policy.near,
        "own_projects": list(policy.own_projects),
        "exceptions": [
            {
                "reason": item.reason,
                "expires": item.expires.isoformat() if item.expires else None,
                "license": item.license,
                "project": item.project,
                "path": item.path,
            }
            for item in policy.exceptions
        ],
        "on_denial": str(policy.on_denial),
        "on_failure": str(policy.on_failure),
        "serve_text": str(policy.serve_text),
    }


_READ: dict[str, Any] = {
    "rules": lambda rules: {name: Outcome(outcome) for name, outcome in rules.items()},
    "default": Outcome,
    "origins": Origins,
    "pass_over": lambda marks: frozenset(map(Mark, marks)),
    "own_projects": tuple,
    "exceptions": lambda items: tuple(map(_exempt, items)),
    "on_denial": OnDenial,
    "on_failure": OnFailure,
    "serve_text": ServeText,
}


def policy_from_form(form: Mapping[str, Any]) -> Policy:
    """The Policy that an object states which FORM was held against. Raises PolicyError for a day that is none."""
    return Policy(**{name: _READ[name](value) if name in _READ else value for name, value in form.items()})


def _exempt(item: Mapping[str, Any]) -> Exempt:
    expires = item.get("expires")
    try:
        day = None if expires is None else date.fromisoformat(expires)
    except ValueError:
        raise PolicyError(f"exceptions: expires is {expires!r}; it is to be a day such as 2027-01-31") from None
    return Exempt(item["reason"], day, item.get("license"), item.get("project"), item.get("path"))
