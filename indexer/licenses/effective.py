"""Evidence -> the one expression by which an Origin is judged.

In: LicenseEvidence of any kinds. Out: an SPDX expression, or NOASSERTION. Evidence that disagrees is not merged
here, and none of it is thrown away: an Origin keeps all of it.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache

from codecite.indexer.licenses import expression
from codecite.indexer.records import NOASSERTION, EvidenceKind, LicenseEvidence

_STRENGTH = {kind: strength for strength, kind in enumerate(EvidenceKind)}


def strongest_first(evidence: Iterable[LicenseEvidence]) -> tuple[LicenseEvidence, ...]:
    """The evidence in the order of EvidenceKind; what is of one kind keeps its order."""
    return tuple(sorted(evidence, key=lambda item: _STRENGTH[item.kind]))


def effective(evidence: Iterable[LicenseEvidence]) -> str:
    """The expression of the strongest evidence that has one, else NOASSERTION.

    Several SPDX tags in one file each license a part of it, so together they are read as AND.
    """
    supporting = [item for item in strongest_first(evidence) if item.expression]
    if not supporting:
        return NOASSERTION
    if supporting[0].kind is not EvidenceKind.SPDX_TAG:
        return supporting[0].expression or NOASSERTION
    tags = tuple(item.expression or "" for item in supporting if item.kind is EvidenceKind.SPDX_TAG)
    return expression.join(tags) or NOASSERTION


_VAGUE = ("LicenseRef-BSD", "LicenseRef-Apache", "LicenseRef-GPL", "LicenseRef-LGPL", "LicenseRef-MPL")
"""What classifiers and people name without a version: any version of it agrees."""


def disagrees(license: str, evidence: Iterable[LicenseEvidence]) -> bool:
    """Whether some evidence states other licences than the effective one.

    Evidence agrees if it names all licences of it, and perhaps more: a package may say `MIT AND Zlib` of files that
    are under one of the two.
    """
    stated = {item.expression for item in evidence if item.expression and item.expression != license}
    return any(not _covers(other, license) for other in stated)


@lru_cache(maxsize=4096)
def _covers(wide: str, narrow: str) -> bool:
    named = _licenses(wide)
    vague = tuple(f"{name.removeprefix('LicenseRef-')}-" for name in named if name in _VAGUE)
    return all(one in named or one.startswith(vague) for one in _licenses(narrow))


def _licenses(text: str) -> frozenset[str]:
    tree = expression.parse(text)
    return frozenset({text}) if tree is None else frozenset(map(str, tree.leaves))
