"""A Maven pom -> what it says of its project.

In: the bytes of a `pom.xml`. Out: a Pom. This module refuses to know of profiles, and where a parent's pom lies: of a
parent only group and version are taken over, which stand in the reference to it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from codecite.indexer.corpus.identity import MAX_NAME, repository_url, unread
from codecite.indexer.corpus.parse import MalformedError, xml_root
from codecite.indexer.licenses.metadata import from_pom
from codecite.indexer.records import LicenseEvidence

if TYPE_CHECKING:
    from xml.etree.ElementTree import Element

_PLACEHOLDER = re.compile(r"\$\{([^${}]+)\}")
_PASSES = 4
_NO_TAG = {"head", "master", "main", "trunk"}


@dataclass(frozen=True, slots=True)
class Coordinates:
    """What names an artifact; each part is empty where nothing tells it."""

    group: str = ""
    artifact: str = ""
    version: str = ""


@dataclass(frozen=True, slots=True)
class Pom:
    """What a pom says; `tag` is that of the release in its repository. Without a parent, that one's parts are empty."""

    coordinates: Coordinates
    parent: Coordinates
    repository: str | None
    tag: str | None
    evidence: tuple[LicenseEvidence, ...]


def read_pom(where: str, content: bytes) -> Pom:
    """The Pom; placeholders that the file itself resolves are filled in, a value with any other says nothing.

    A malformed one (in old poms entities of HTML and broken encodings are common) says that it cannot be read.
    """
    try:
        root = xml_root(where, content)
    except MalformedError as error:
        return Pom(Coordinates(), Coordinates(), None, None, (unread(where, error),))
    values = {child.tag: (child.text or "").strip() for child in root.findall("properties/*")}
    for name in ("groupId", "artifactId", "version"):
        above = _raw(root, f"parent/{name}")
        values[f"project.parent.{name}"] = above
        values[f"project.{name}"] = _raw(root, name) or ("" if name == "artifactId" else above)

    def text(path: str, element: Element = root) -> str:
        return _resolved(_raw(element, path), values)

    group, artifact, version = (
        _resolved(values[f"project.{name}"], values) for name in ("groupId", "artifactId", "version")
    )
    places = [repository_url(text(f"scm/{name}")) for name in ("connection", "url", "developerConnection")]
    tag = text("scm/tag")
    return Pom(
        coordinates=Coordinates(group, artifact, version),
        parent=Coordinates(*(text(f"parent/{name}") for name in ("groupId", "artifactId", "version"))),
        repository=next(filter(None, places), None) or repository_url(text("url"), forges_only=True),
        tag=tag if tag and tag.lower() not in _NO_TAG else None,
        evidence=from_pom([(text("name", found), text("url", found)) for found in root.findall("licenses/license")]),
    )


def _raw(element: Element, path: str) -> str:
    return (element.findtext(path) or "").strip()


def _resolved(text: str, values: dict[str, str]) -> str:
    """The text with its placeholders filled in, empty if one stays open; long values are not put in."""
    for _ in range(_PASSES):
        if "${" not in text or len(text) > MAX_NAME:
            break
        text = _PLACEHOLDER.sub(lambda found: _short(values.get(found.group(1)), found.group()), text)
    return "" if "${" in text else text


def _short(value: str | None, instead: str) -> str:
    return value if value is not None and len(value) <= MAX_NAME else instead
