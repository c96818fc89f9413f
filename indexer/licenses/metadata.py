"""A Python distribution's core metadata -> what it declares of its licence.

In: the parsed METADATA or PKG-INFO. Out: LicenseEvidence, strongest first. This module refuses to know where the
metadata lay and what the licence files say.
"""

from __future__ import annotations

from email.message import Message

from codecite.indexer.licenses import expression, names
from codecite.indexer.records import EvidenceKind, LicenseEvidence

MAX_TEXT = 1000
"""Characters of a field that are kept; many packages put their whole licence into `License`."""


def from_metadata(message: Message) -> tuple[LicenseEvidence, ...]:
    """One evidence for each field that is there: `License-Expression`, `License`, and the classifiers together.

    `License-Expression` is the strongest. Of the other two the one that names a licence exactly goes before one
    that names a family (`BSD`), and that before one that names none. Several classifiers do not say whether they
    are a choice, so they are read as all at once (AND).
    """
    declared = _field(message, "License-Expression")
    legacy = [*_field(message, "License"), *_classifiers(message)]
    return (*declared, *sorted(legacy, key=_vagueness))


def _field(message: Message, name: str) -> list[LicenseEvidence]:
    text = str(message.get(name) or "").strip()
    found = expression.normalize(text)
    if found is None and len(text.split()) < 2:
        return []
    return [LicenseEvidence(EvidenceKind.PACKAGE_METADATA, found, name, _bounded(text))]


def _classifiers(message: Message) -> list[LicenseEvidence]:
    lines = [str(line).strip() for line in message.get_all("Classifier") or ()]
    lines = [line for line in lines if line.startswith("License ::")]
    found = [named for named in map(names.from_classifier, lines) if named]
    if not found:
        return []
    return [
        LicenseEvidence(EvidenceKind.PACKAGE_METADATA, expression.join(tuple(found)), "Classifier", "\n".join(lines))
    ]


def _vagueness(evidence: LicenseEvidence) -> int:
    if evidence.expression is None:
        return 2
    return int("LicenseRef-" in evidence.expression)


def _bounded(text: str) -> str:
    return text if len(text) <= MAX_TEXT else text[:MAX_TEXT] + " ..."
