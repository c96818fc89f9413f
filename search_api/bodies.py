"""The body or the query of a request -> the object in it, held against its schema.

In: the bytes of a body or a query string, a JSON Schema. Out: the object. What does not fit is a Problem that names
each field and what may stand there; it never repeats what stood there. It refuses to know what the fields mean.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from functools import cache
from itertools import islice
from typing import Any

from flask import request
from jsonschema import Draft202012Validator, ValidationError

from codecite.search_api.problems import Problem

BYTES = "application/octet-stream"
_SHOWN = 10
"""Fields that a Problem names at most."""

_WORDS = {"string": "text", "integer": "a whole number", "number": "a number", "boolean": "true or false"}
_WORDS |= {"array": "a list", "object": "an object", "null": "null"}


class Schema:
    """A JSON Schema of an object, ready to check with. Make it once, where a module is loaded."""

    def __init__(
        self, name: str, properties: Mapping[str, Any], required: tuple[str, ...] = (), *, more: bool = False
    ) -> None:
        self.name = name
        self.form: dict[str, Any] = {"type": "object", "properties": dict(properties), "additionalProperties": more}
        if required:
            self.form["required"] = list(required)
        self._validator = Draft202012Validator(self.form)

    def check(self, value: Any) -> dict[str, Any]:
        """The value, if it fits."""
        _refuse(islice(self._validator.iter_errors(value), _SHOWN))
        whole = (name for name, field in self.form["properties"].items() if field.get("type") == "integer")
        return {**value, **{name: int(value[name]) for name in whole if name in value}}  # 5.0 is a whole number, too


class Items:
    """The same of a list of at most `most` items."""

    def __init__(self, name: str, item: Mapping[str, Any], most: int) -> None:
        self.name = name
        self.form: dict[str, Any] = {"type": "array", "maxItems": most, "items": dict(item)}
        self._validator = Draft202012Validator(self.form)

    def check(self, value: Any) -> list[Any]:
        """The value, if it fits."""
        _refuse(islice(self._validator.iter_errors(value), _SHOWN))
        return list(value)


def _refuse(errors: Iterable[ValidationError]) -> None:
    """Raise a Problem that names each field, if there are errors."""
    told = [_told(error) for error in errors]
    if told:
        detail = "; ".join(f"{item['field']}: {item['message']}" if item["field"] else item["message"] for item in told)
        raise Problem(422, detail, errors=told)


def read_items(schema: Items) -> list[Any]:
    """The list in the body of this request."""
    return schema.check(_read())


def read_body(schema: Schema) -> dict[str, Any]:
    """The object in the body of this request."""
    return schema.check(_read())


def _read() -> Any:
    return _parsed(_body("application/json", "as JSON"))


def read_bytes() -> bytes:
    """The bytes in the body of this request."""
    return _body(BYTES, "as bytes")


def read_query(schema: Schema) -> dict[str, Any]:
    """The object in the query string of this request."""
    asked: dict[str, Any] = dict(request.args)
    for name, text in request.args.items():
        kind = schema.form["properties"].get(name, {}).get("type")
        if kind == "integer" and text.isascii() and text.isdigit() and len(text) < 10:
            asked[name] = int(text)
        elif kind == "boolean" and text in ("true", "false"):
            asked[name] = text == "true"
    return schema.check(asked)


def _body(kind: str, how: str) -> bytes:
    if request.mimetype != kind:
        raise Problem(415, f"send the body {how}, with Content-Type: {kind}")
    if request.headers.get("Content-Encoding", "identity").lower() != "identity":
        raise Problem(415, "send the body as it is, without Content-Encoding")
    return request.get_data()


def _parsed(content: bytes) -> Any:
    try:
        return json.loads(content.decode("utf-8"), parse_constant=_refused)
    except UnicodeDecodeError as error:
        raise Problem(400, f"the body is not UTF-8: byte {error.start}") from None
    except json.JSONDecodeError as error:
        raise Problem(400, f"the body is no JSON: {error.msg} at line {error.lineno}, column {error.colno}") from None
    except (ValueError, RecursionError) as error:
        why = "is nested too deeply" if isinstance(error, RecursionError) else "holds a number that no JSON has"
        raise Problem(400, f"the body {why}") from None


def _refused(name: str) -> Any:
    raise ValueError(name)


def _told(error: ValidationError) -> dict[str, str]:
    """One field, and what may stand there."""
    path = "".join(f"[{key}]" if isinstance(key, int) else f".{key}" for key in error.absolute_path).lstrip(".")
    kind, wanted = str(error.validator), error.validator_value
    if kind == "required":
        missing = next(name for name in wanted if name not in error.instance)
        return {"field": f"{path}.{missing}".lstrip("."), "message": "is missing"}
    if kind == "additionalProperties":
        known = error.schema.get("properties", {})
        extra = next(name for name in error.instance if name not in known)
        return {"field": f"{path}.{extra}".lstrip(".")[:100], "message": f"is not known; known are {', '.join(known)}"}
    return {"field": path, "message": _message(kind, wanted)}


def _message(kind: str, wanted: Any) -> str:
    if kind == "type":
        return f"is to be {' or '.join(_WORDS[name] for name in ([wanted] if isinstance(wanted, str) else wanted))}"
    sentences = {
        "enum": lambda: f"is to be one of {', '.join(map(str, wanted))}",
        "const": lambda: f"is to be {json.dumps(wanted)}",
        "minimum": lambda: f"is to be at least {wanted}",
        "maximum": lambda: f"is to be at most {wanted}",
        "exclusiveMinimum": lambda: f"is to be more than {wanted}",
        "minLength": lambda: f"is to have at least {wanted} character{'s' * (wanted != 1)}",
        "maxLength": lambda: f"is to have at most {wanted} characters",
        "minItems": lambda: f"is to have at least {wanted} item{'s' * (wanted != 1)}",
        "maxItems": lambda: f"is to have at most {wanted} items",
        "pattern": lambda: f"is to have the form {wanted}",
    }
    return sentences[kind]() if kind in sentences else "is not what it is to be"


@cache
def text_field(says: str, **more: Any) -> dict[str, Any]:
    """The schema of a text."""
    return {"type": "string", "description": says, **more}


@cache
def whole_number(says: str, least: int, most: int, default: int) -> dict[str, Any]:
    """The schema of a whole number."""
    return {"type": "integer", "minimum": least, "maximum": most, "default": default, "description": says}
