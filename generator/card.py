"""A model's directory -> what its card says of its licence.

In: `README.md` with its front matter, and `LICENSE`. Out: a ModelLicense, or None where neither states one. It refuses
to know how a model is loaded.

Responsible-AI licences (OpenRAIL) allow use and passing on, but forbid uses that their attachment A lists, and ask that
whoever gets the model or what is made of it is bound likewise. What is named here is the gist of that list in our
words; the attachment itself is what holds.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from codecite.generator.model import ModelLicense
from codecite.indexer.licenses.expression import normalize
from codecite.indexer.licenses.texts import licenses_in

_READ = 1 << 16
_FRONT = re.compile(r"\A---\s*\n(.*?)\n---\s*(?:\n|\Z)", re.DOTALL)
_FIELD = re.compile(r"^(license|license_name)\s*:\s*[\"']?([^\n\"'#]+)", re.MULTILINE)
_RAIL = re.compile(r"\brail\b|rail(?:\+\+)?-m\b|openrail", re.IGNORECASE)
_RAIL_TEXT = re.compile(r"open\s?rail|use[- ]based restrictions", re.IGNORECASE)

RESTRICTIONS = (
    "not to break a law or regulation",
    "not to exploit or harm minors",
    "not to spread what one knows to be false so as to harm others",
    "not to make or spread personal data that harms an individual",
    "not to pass off what it wrote as written without a machine",
    "not to defame, disparage or harass others",
    "not for decisions of machines alone that harm a person's rights or obligations",
    "not to treat people worse for what they are or how they are expected to behave",
    "not to exploit the weaknesses of a group so as to harm them",
    "not for medical advice, nor for the administration of justice and law enforcement by prediction",
    "not to write malware or other code that harms computers",
)
"""What BigCode's OpenRAIL-M forbids (attachment A), in our words."""


def read_card(directory: Path) -> ModelLicense | None:
    """What the model in a directory is licensed under."""
    card, license_file = _read(directory / "README.md"), _read(directory / "LICENSE")
    front = _FRONT.match(card)
    stated: dict[str, Any] = dict(_FIELD.findall(front.group(1))) if front else {}
    name = str(stated.get("license", "")).strip()
    if name.lower() in ("", "other"):
        name = str(stated.get("license_name", name)).strip()
    if _RAIL.search(name) or (not name and _RAIL_TEXT.search(license_file)):
        return ModelLicense(_reference(name or "openrail"), RESTRICTIONS)
    if name and name.lower() != "other":
        return ModelLicense(normalize(name) or _reference(name))
    found = licenses_in(license_file.encode()) if license_file else ()
    return ModelLicense(" AND ".join(found)) if found else None


def _reference(name: str) -> str:
    return "LicenseRef-" + re.sub(r"[^A-Za-z0-9.-]+", "-", name).strip("-")


def _read(path: Path) -> str:
    try:
        with path.open("rb") as file:
            return file.read(_READ).decode("utf-8", "replace")
    except OSError:
        return ""
