"""A package's own metadata -> what it declares of its licence.

In: the parsed metadata of one ecosystem, values of any type. Out: LicenseEvidence, strongest first. This module
refuses to know where the metadata lay and what the licence files say.

Several licences in one field are a choice (OR) where the ecosystem's documents say so: the model of Maven's pom, and
npm of its former `licenses`. Where nothing says so (classifiers, gems, OSGi bundles) all hold at once (AND).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from email.message import Message

from codecite.indexer.licenses import expression, names
from codecite.indexer.licenses.urls import from_url
from codecite.indexer.records import EvidenceKind, LicenseEvidence

MAX_TEXT = 1000
"""Characters of a field that are kept; many packages put their whole licence into `License`."""

MAX_LICENSES = 64
"""Entries of a list that are read."""

Named = tuple[str, str]
"""A licence's name and URL as they stand in the metadata, each possibly empty."""

CLASSIFIERS = ("Classifier", "pyproject.toml classifiers")
"""Where licences are named that may all hold, or be a choice."""

_SEE_FILE = re.compile(r"see\s+(?:the\s+)?(?:file\s+)?(?:licen[cs]e|copying|readme)", re.IGNORECASE)
_HEADER_SPLIT = re.compile(r',(?=(?:[^"]*"[^"]*")*[^"]*$)')
_LINK = re.compile(r'\s*link\s*:?=\s*"?([^"]*)"?\s*$')


def from_metadata(message: Message) -> tuple[LicenseEvidence, ...]:
    """Python's core metadata: `License-Expression`, `License`, and the classifiers together.

    `License-Expression` is the strongest. Of the other two the one that names a licence exactly goes before one
    that names a family (`BSD`), and that before one that names none.
    """
    declared = from_field("License-Expression", str(message.get("License-Expression") or ""))
    classifiers = [str(line) for line in message.get_all("Classifier") or ()]
    legacy = [*from_field("License", str(message.get("License") or "")), *_classifiers(CLASSIFIERS[0], classifiers)]
    return (*declared, *sorted(legacy, key=_vagueness))


def from_project(project: Mapping[str, object]) -> tuple[LicenseEvidence, ...]:
    """The `[project]` table of a `pyproject.toml`: `license` (an expression, or a table with `text`), `classifiers`."""
    license, classifiers = project.get("license"), project.get("classifiers")
    text = license.get("text") if isinstance(license, dict) else license
    lines = [line for line in classifiers if isinstance(line, str)] if isinstance(classifiers, list) else []
    found = [*from_field("pyproject.toml license", text), *_classifiers(CLASSIFIERS[1], lines)]
    return tuple(sorted(found, key=_vagueness))


def from_npm(manifest: Mapping[str, object]) -> tuple[LicenseEvidence, ...]:
    """A `package.json`: `license` (an expression, formerly an object), and the former `licenses`, a choice."""
    found: list[LicenseEvidence] = []
    for key in ("license", "licenses"):
        value = manifest.get(key)
        entries = value if isinstance(value, list) else [value]
        found.extend(_listed(f"package.json {key}", [_npm_license(entry) for entry in entries], choice=True))
    return tuple(found)


def from_pom(licenses: Sequence[Named]) -> tuple[LicenseEvidence, ...]:
    """The `<licenses>` of a Maven pom: a choice, as its model says. A URL decides where the name is vague or none."""
    return _listed("pom.xml licenses", licenses, choice=True)


def from_bundle(header: str) -> tuple[LicenseEvidence, ...]:
    """`Bundle-License` of a manifest: names or URLs with attributes, separated by commas; all hold."""
    licenses: list[Named] = []
    for entry in _HEADER_SPLIT.split(header[:MAX_TEXT]):
        name, *attributes = entry.split(";")
        links = [match.group(1) for match in map(_LINK.match, attributes) if match]
        name = name.strip().strip('"')
        if name != "<<EXTERNAL>>":
            licenses.append((name, "".join(links[:1])))
    return _listed("MANIFEST.MF Bundle-License", licenses, choice=False)


def from_cargo(package: Mapping[str, object]) -> tuple[LicenseEvidence, ...]:
    """The `[package]` table of a `Cargo.toml`: an expression, formerly with a slash for OR."""
    return from_field("Cargo.toml license", package.get("license"))


def from_gem(specification: Mapping[str, object]) -> tuple[LicenseEvidence, ...]:
    """The `licenses` of a gem, formerly `license`: all hold, since nothing says that they are a choice."""
    value = specification.get("licenses") or specification.get("license")
    entries = value if isinstance(value, list) else [value]
    named = [(entry, "") for entry in entries if isinstance(entry, str)]
    return _listed("metadata.gz licenses", named, choice=False)


def from_nuspec(text: str, url: str) -> tuple[LicenseEvidence, ...]:
    """A `.nuspec`: `<license type="expression">`, else `<licenseUrl>`."""
    if text:
        return from_field("nuspec license", text)
    return _listed("nuspec licenseUrl", [("", url)], choice=False)


def from_field(where: str, value: object) -> tuple[LicenseEvidence, ...]:
    """The evidence of one field that holds an expression, a name, or a whole licence text; none if it says nothing."""
    text = value.strip() if isinstance(value, str) else ""
    found = _named(text, "")
    if found is None and len(text.split()) < 2:
        return ()
    return (LicenseEvidence(EvidenceKind.PACKAGE_METADATA, found, where, _bounded(text)),)


def _listed(where: str, licenses: Sequence[Named], *, choice: bool) -> tuple[LicenseEvidence, ...]:
    """One evidence for all the licences of a list."""
    kept = [(name.strip(), url.strip()) for name, url in licenses[:MAX_LICENSES] if name.strip() or url.strip()]
    found = [_named(name, url) for name, url in kept]
    lines = [f"{name} ({url})" if name and url and name != url else name or url for name, url in kept]
    text = _bounded("\n".join(lines))
    if not any(found) and len(text.split()) < 2:
        return ()
    readable = tuple(one for one in found if one)
    joined = _choice(readable) if choice else expression.join(readable)
    return (LicenseEvidence(EvidenceKind.PACKAGE_METADATA, joined, where, text),)


def _named(name: str, url: str) -> str | None:
    """The licence of this name; that at this URL if the name is missing or says less. An unknown URL is a name."""
    if _SEE_FILE.match(name):
        return None
    stated = from_url(name) or expression.normalize(name or url)
    if stated and "LicenseRef-" not in stated:
        return stated
    linked = from_url(url)
    return linked if linked and (stated is None or not name or "LicenseRef-" not in linked) else stated


def _choice(expressions: tuple[str, ...]) -> str | None:
    """Any one of the given normalised expressions (OR), None if there is none."""
    distinct = list(dict.fromkeys(expressions))
    if len(distinct) < 2:
        return distinct[0] if distinct else None
    together = " OR ".join(f"({one})" for one in distinct)
    return expression.normalize(together) or names.license_ref(together)


def _npm_license(entry: object) -> Named:
    """A licence as npm has ever allowed it: a text, or an object with `type` (or `name`) and `url`."""
    if not isinstance(entry, dict):
        return (entry if isinstance(entry, str) else "", "")
    name, url = entry.get("type") or entry.get("name"), entry.get("url")
    return (name if isinstance(name, str) else "", url if isinstance(url, str) else "")


def _classifiers(where: str, classifiers: Iterable[str]) -> tuple[LicenseEvidence, ...]:
    lines = [line.strip() for line in classifiers if line.strip().startswith("License ::")][:MAX_LICENSES]
    found = [named for named in map(names.from_classifier, lines) if named]
    if not found:
        return ()
    text = _bounded("\n".join(lines))
    return (LicenseEvidence(EvidenceKind.PACKAGE_METADATA, expression.join(tuple(found)), where, text),)


def _vagueness(evidence: LicenseEvidence) -> int:
    if evidence.expression is None:
        return 2
    return int("LicenseRef-" in evidence.expression)


def _bounded(text: str) -> str:
    return text if len(text) <= MAX_TEXT else text[:MAX_TEXT] + " ..."
