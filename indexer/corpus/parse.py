"""The bytes of a metadata file -> its values.

In: any bytes, and the name to speak of them by. Out: mappings, trees and messages whose every text can be encoded
as UTF-8. What is malformed, or built to cost more than it says (huge, deep, full of entities, of aliases or of
dots), raises MalformedError and nothing else. This module refuses to know what the values mean.
"""

from __future__ import annotations

import email
import json
import re
import tomllib
import zlib
from email.message import Message
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from xml.etree.ElementTree import Element

MAX_BYTES = 2 * 1024 * 1024
"""No metadata file is larger: the largest known ones list tens of thousands of files."""

MAX_DOTS = 300
"""In one line of TOML: reading a key costs the square of its parts (six seconds for 20,000)."""

MAX_DEPTH = 100
"""Levels of a YAML document; the scanner's work grows with the square of them."""

_MARKUP = re.compile(rb"<!(?:DOCTYPE|ENTITY)", re.IGNORECASE)
_SURROGATE = re.compile(r"[\ud800-\udfff]")


class MalformedError(Exception):
    """A metadata file that cannot be read; `where` names it, the text says why."""

    def __init__(self, where: str, reason: object) -> None:
        super().__init__(" ".join(str(reason).split())[:200] or "malformed")
        self.where = where


def json_object(where: str, content: bytes) -> dict[str, Any]:
    """The members of a JSON object."""
    try:
        value = json.loads(_bounded(where, content).decode("utf-8-sig"))
        json.dumps(value, ensure_ascii=False).encode()  # half a surrogate pair may stand there as an escape
    except (ValueError, RecursionError) as error:
        raise MalformedError(where, error) from error
    if not isinstance(value, dict):
        raise MalformedError(where, "not a JSON object")
    return value


def toml_table(where: str, content: bytes) -> dict[str, Any]:
    """The values of a TOML document."""
    if any(line.count(b".") > MAX_DOTS for line in _bounded(where, content).splitlines()):
        raise MalformedError(where, f"a line with more than {MAX_DOTS} dots")
    try:
        return tomllib.loads(content.decode("utf-8-sig"))
    except (ValueError, RecursionError) as error:
        raise MalformedError(where, error) from error


def xml_root(where: str, content: bytes) -> Element:
    """The root of an XML document, its tags without their namespaces. A document type or an entity is refused."""
    from xml.etree import ElementTree

    if _MARKUP.search(_bounded(where, content).replace(b"\0", b"")):  # NULs stand in UTF-16
        raise MalformedError(where, "a document type or an entity, which metadata have no need of")
    try:
        root = ElementTree.fromstring(content)
    except (ElementTree.ParseError, ValueError, LookupError) as error:
        raise MalformedError(where, error) from error
    for element in root.iter():
        element.tag = element.tag.rpartition("}")[2]
    return root


def yaml_mapping(where: str, content: bytes) -> dict[str, Any]:
    """The outermost mapping of a YAML document; scalars are strings, tags (Ruby's classes) are not looked at.

    Built from the parser's events without recursion: an alias is the value it names, not a copy, and nothing is
    merged, so that nothing grows.
    """
    import yaml

    root: list[Any] = []
    open_nodes: list[tuple[str | None, list[Any]]] = [(None, root)]
    anchors: dict[str | None, Any] = {}
    try:
        for event in yaml.parse(_bounded(where, content), Loader=getattr(yaml, "CBaseLoader", yaml.BaseLoader)):
            if isinstance(event, yaml.CollectionStartEvent):
                open_nodes.append((event.anchor, []))
                if len(open_nodes) > MAX_DEPTH:
                    raise ValueError(f"more than {MAX_DEPTH} levels")
                continue
            if isinstance(event, yaml.AliasEvent):
                anchor, value = None, anchors.get(event.anchor)
            elif isinstance(event, yaml.ScalarEvent):
                anchor, value = event.anchor, _encodable(event.value)
            elif isinstance(event, yaml.CollectionEndEvent):
                anchor, items = open_nodes.pop()
                value = _mapping(items) if isinstance(event, yaml.MappingEndEvent) else items
            else:
                continue
            anchors[anchor] = value
            open_nodes[-1][1].append(value)
    except (yaml.YAMLError, ValueError, OverflowError) as error:
        raise MalformedError(where, error) from error
    if not root or not isinstance(root[0], dict):
        raise MalformedError(where, "not a YAML mapping")
    return root[0]


def fields(where: str, content: bytes) -> Message:
    """The fields of a file in the form of a mail's head (core metadata, a manifest)."""
    return email.message_from_string(_bounded(where, content).decode("utf-8", "replace"))


def properties(where: str, content: bytes) -> dict[str, str]:
    """The `key=value` lines of a Java properties file as Maven writes it."""
    lines = _bounded(where, content).decode("latin-1").splitlines()
    pairs = (line.partition("=") for line in lines if not line.lstrip().startswith(("#", "!")))
    return {key.strip(): value.strip() for key, _, value in pairs if value}


def gunzipped(where: str, content: bytes) -> bytes:
    """What a gzip file holds, if that is no more than MAX_BYTES."""
    unpacker = zlib.decompressobj(wbits=31)
    try:
        unpacked = unpacker.decompress(_bounded(where, content), MAX_BYTES + 1)
    except zlib.error as error:
        raise MalformedError(where, error) from error
    if not unpacker.eof and len(unpacked) <= MAX_BYTES:
        raise MalformedError(where, "cut off")
    return _bounded(where, unpacked)


def string(value: object) -> str:
    """A value that should be a text: without surrounding white space, empty if it is none."""
    return value.strip() if isinstance(value, str) else ""


def mapping(value: object) -> dict[str, Any]:
    """A value that should be a mapping, empty if it is none."""
    return value if isinstance(value, dict) else {}


def _bounded(where: str, content: bytes) -> bytes:
    if len(content) > MAX_BYTES:
        raise MalformedError(where, f"more than {MAX_BYTES:,} bytes")
    return content


def _encodable(text: str) -> str:
    if _SURROGATE.search(text):
        raise ValueError("half a surrogate pair")
    return text


def _mapping(items: list[Any]) -> dict[str, Any]:
    """Keys and values in turn -> a mapping of those whose key is a text."""
    pairs = zip(items[::2], items[1::2], strict=True)
    return {key: value for key, value in pairs if isinstance(key, str)}
