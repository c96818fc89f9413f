"""A policy: what its owner says of licences, read from one TOML file.

In: TOML. Out: a Policy. It refuses to know of Matches (`judge.py` holds them against it). Whatever the file says that
is not understood is an error which names the file, the place and what may stand there: a rule that was misspelt must
not pass for one that is kept.

Licences are named by SPDX expressions or by categories (`records.Category`). The ready policies lie in `policies/`;
`docs/policy.md` has each key.
"""

from __future__ import annotations

import hashlib
import json
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum
from functools import cache
from pathlib import Path
from typing import Any

from codecite.indexer.config import GUARANTEE
from codecite.indexer.errors import PolicyError
from codecite.indexer.licenses.named import expression_named, license_named
from codecite.indexer.records import Mark, Outcome

READY = ("audit", "permissive-only", "weak-copyleft", "attribution-only", "strict")
"""The policies that ship."""

MIN_BYTES = 150
"""In a corpus of 50 MB 37 % of unrelated files share 50 bytes with something, 9 % share 100, 3 % share 150."""

_OUTCOMES = {"allow": Outcome.PASS, "warn": Outcome.WARN, "deny": Outcome.FAIL}
_FOLDER = Path(__file__).parent / "policies"
_MOST = 1 << 20
"""Bytes of a policy file, at most."""


class Origins(StrEnum):
    """How a text is judged that stands under several licences."""

    SHOW_BOTH = "show-both"
    STRICTEST = "strictest"
    ANY_ALLOWED = "any-allowed"
    EARLIEST = "earliest"


class OnDenial(StrEnum):
    """What the generator does before a passage that is denied."""

    ANNOTATE = "annotate"
    TRUNCATE = "truncate"
    REGENERATE = "regenerate"
    BLOCK = "block"


class OnFailure(StrEnum):
    """What stands where the index cannot answer."""

    OPEN = "open"
    CLOSED = "closed"


class ServeText(StrEnum):
    """How much of a source is shown to readers."""

    ALL = "all"
    MATCHED_LINES = "matched-lines"
    NONE = "none"


@dataclass(frozen=True, slots=True)
class Exempt:
    """What is allowed in spite of the rules, why, and until which day (that day included).

    It holds for a source all of whose given fields agree: `license` its expression, `project` its purl without the
    version or its repository, `path` its path (the last two are patterns: `*`, `?`, `[...]`).
    """

    reason: str
    expires: date | None
    license: str | None = None
    project: str | None = None
    path: str | None = None


@dataclass(frozen=True, slots=True)
class Policy:
    """What is allowed, warned of and denied.

    `rules` has an outcome for each category and each normalised expression named; `default` is for what none names.
    `min_bytes` are canonical bytes inside the text. `sha256` is that of the file, None for a Policy made in code.
    """

    name: str = "audit"
    sha256: str | None = None
    description: str = ""
    rules: Mapping[str, Outcome] = field(default_factory=dict)
    default: Outcome = Outcome.PASS
    min_bytes: int = MIN_BYTES
    outbound: str | None = None
    origins: Origins = Origins.SHOW_BOTH
    pass_over: frozenset[Mark] = frozenset(Mark)
    common: bool = True
    near: bool = False
    own_projects: tuple[str, ...] = ()
    exceptions: tuple[Exempt, ...] = ()
    on_denial: OnDenial = OnDenial.ANNOTATE
    on_failure: OnFailure = OnFailure.CLOSED
    serve_text: ServeText = ServeText.MATCHED_LINES

    def __post_init__(self) -> None:
        if self.min_bytes < GUARANTEE:
            raise PolicyError(
                f"policy {self.name}: min_bytes is {self.min_bytes}; {GUARANTEE} is the least, since shorter passages "
                "are not searched for"
            )


def load_policy(name: str | Path) -> Policy:
    """A ready policy by its name, or that of a TOML file. Raises PolicyError."""
    if str(name) in READY:
        return _ready(str(name))
    path = Path(name)
    try:
        with path.open("rb") as file:
            content = file.read(_MOST + 1)
    except OSError as error:
        ready = ", ".join(READY)
        raise PolicyError(f"{name}: {error.strerror or error}; name a TOML file or one of {ready}") from None
    if len(content) > _MOST:
        raise PolicyError(f"{name}: has more than {_MOST:,} bytes; a policy is a small TOML file")
    return parse_policy(content, str(name))


def ready_text(name: str) -> str:
    """The TOML of a ready policy."""
    return (_FOLDER / f"{name}.toml").read_text(encoding="utf-8")


@cache
def policy_schema() -> dict[str, Any]:
    """The JSON Schema of a policy file, `codecite-policy/1`."""
    schema: dict[str, Any] = json.loads((_FOLDER / "codecite-policy-1.schema.json").read_text(encoding="utf-8"))
    return schema


def parse_policy(content: bytes, place: str, *, check: bool = True) -> Policy:
    """The Policy that the bytes of a TOML file state; `place` names it in errors (PolicyError).

    Without `check` the file is taken to be as the schema says.
    """
    try:
        read = tomllib.loads(content.decode("utf-8"))
    except UnicodeDecodeError as error:
        raise PolicyError(f"{place}: at byte {error.start}: is not UTF-8, which TOML is; save it as UTF-8") from None
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        raise PolicyError(f"{place}: is not TOML: {error}") from None
    if check:
        _hold_against_schema(read, place)
    passages, generator = read.get("passages", {}), read.get("generator", {})
    return Policy(
        name=read["name"],
        sha256=hashlib.sha256(content).hexdigest(),
        description=read.get("description", ""),
        rules=_rules(read.get("licenses", {}), place),
        default=_OUTCOMES[read.get("licenses", {}).get("default", "allow")],
        min_bytes=passages.get("min_bytes", MIN_BYTES),
        outbound=_named(expression_named, read["outbound"], f"{place}: outbound") if "outbound" in read else None,
        origins=Origins(read.get("origins", Origins.SHOW_BOTH)),
        pass_over=frozenset(map(Mark, passages.get("pass_over", Mark))),
        common=passages.get("common", "judge") == "judge",
        near=passages.get("near", False),
        own_projects=tuple(passages.get("own_projects", ())),
        exceptions=tuple(
            _exempt(item, f"{place}: exceptions[{i}]") for i, item in enumerate(read.get("exceptions", ()))
        ),
        on_denial=OnDenial(generator.get("on_denial", OnDenial.ANNOTATE)),
        on_failure=OnFailure(generator.get("on_failure", OnFailure.CLOSED)),
        serve_text=ServeText(read.get("serve_text", ServeText.MATCHED_LINES)),
    )


@cache
def _ready(name: str) -> Policy:
    return parse_policy(ready_text(name).encode(), f"the ready policy {name}", check=False)


def _hold_against_schema(read: Mapping[str, Any], place: str) -> None:
    """Raise PolicyError for the first thing in the file that the schema does not know."""
    from jsonschema import Draft202012Validator
    from jsonschema.exceptions import best_match

    # TOML has dates, JSON has their text.
    plain = json.loads(
        json.dumps(read, default=lambda value: value.isoformat() if hasattr(value, "isoformat") else None)
    )
    error = best_match(Draft202012Validator(policy_schema()).iter_errors(plain))
    if error is not None:
        at = "".join(f"[{key}]" if isinstance(key, int) else f".{key}" for key in error.absolute_path).lstrip(".")
        raise PolicyError(f"{place}: {f'{at}: ' if at else ''}{error.message[:300]}; docs/policy.md lists the keys")


def _rules(licenses: Mapping[str, Any], place: str) -> dict[str, Outcome]:
    rules: dict[str, Outcome] = {}
    said: dict[str, str] = {}
    for key in ("allow", "warn", "deny"):
        for i, text in enumerate(licenses.get(key, ())):
            at = f"{place}: licenses.{key}[{i}]"
            named = _named(license_named, text, at)
            if rules.setdefault(named, _OUTCOMES[key]) is not _OUTCOMES[key]:
                raise PolicyError(f"{at}: {text} stands under licenses.{said[named]}, too; leave one of them out")
            said[named] = key
    return rules


def _named(read: Callable[[str], str], text: str, place: str) -> str:
    try:
        return read(text)
    except ValueError as error:
        raise PolicyError(f"{place}: {error}") from None


def _exempt(item: Mapping[str, Any], place: str) -> Exempt:
    license = item.get("license")
    expires = item.get("expires")
    if isinstance(expires, datetime):
        expires = expires.date()
    if expires is not None and not isinstance(expires, date):
        raise PolicyError(f"{place}.expires: is to be a date without quotes, such as 2027-01-31")
    return Exempt(
        item["reason"],
        expires,
        None if license is None else _named(expression_named, license, f"{place}.license"),
        item.get("project"),
        item.get("path"),
    )
