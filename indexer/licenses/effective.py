"""Evidence -> the one expression by which an Origin is judged, and whether the evidence agrees.

In: LicenseEvidence of any kinds. Out: an SPDX expression, or NOASSERTION. None of the evidence is thrown away: an
Origin keeps all of it.

The strongest kind that states a licence decides, in the order of EvidenceKind. Two things are put together, since
neither says all alone: licence files hold texts, and metadata says which of them hold, whether one may choose, and
whether later versions of a GNU licence may be used. Where what is declared fits the texts, it is taken; else the texts,
all of them; what a package declares is not said of a folder with other licence files. A head that names a family
(`BSD license, see LICENSE`), or no version, is read with what the others say.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from functools import lru_cache

from codecite.indexer.licenses import expression
from codecite.indexer.licenses.expression import Node
from codecite.indexer.licenses.metadata import CLASSIFIERS
from codecite.indexer.records import NOASSERTION, EvidenceKind, LicenseEvidence

_STRENGTH = {kind: strength for strength, kind in enumerate(EvidenceKind)}
_DECLARED = (EvidenceKind.PACKAGE_METADATA, EvidenceKind.DATASET_FIELD)
_SAID = (EvidenceKind.DEP5, *_DECLARED)
_ANY_VERSION = {"GPL": "GPL-1.0-or-later", "LGPL": "LGPL-2.0-or-later"}
"""As a head is read that names no version (`notice.py`)."""

_GNU = re.compile(r"((?:[AL]?GPL|GFDL)-[0-9.]+)(?:-only|-or-later)?")
_PYTHON = ("PSF-2.0", "Python-2.0", "Python-2.0.1")
_DEDICATED = {"LicenseRef-Public-Domain", "Unlicense", "CC0-1.0"}
_VAGUE = ("BSD", "Apache", "GPL", "LGPL", "AGPL", "MPL", "PSF", "Python")
"""What classifiers and people name without a version, as `LicenseRef-...`: any version of it agrees."""


def strongest_first(evidence: Iterable[LicenseEvidence]) -> tuple[LicenseEvidence, ...]:
    """The evidence in the order of EvidenceKind; what is of one kind keeps its order."""
    return tuple(sorted(evidence, key=lambda item: _STRENGTH[item.kind]))


def effective(own: Iterable[LicenseEvidence], package: Iterable[LicenseEvidence] = ()) -> str:
    """The expression by which a file is judged: `own` is evidence of the file and near it, `package` of the whole.

    Several SPDX tags in one file each license a part of it, so together they are read as AND.
    """
    return _effective(tuple(own), tuple(package))


@lru_cache(maxsize=4096)
def _effective(own: tuple[LicenseEvidence, ...], package: tuple[LicenseEvidence, ...]) -> str:
    evidence = strongest_first((*own, *package))
    by_kind: dict[EvidenceKind, list[str]] = {}
    for item in evidence:
        if item.expression:
            by_kind.setdefault(item.kind, []).append(item.expression)
    if not by_kind:
        return NOASSERTION
    kind, stated = next(iter(by_kind.items()))
    if kind is EvidenceKind.SPDX_TAG:
        return expression.join(tuple(stated)) or NOASSERTION
    if kind is EvidenceKind.LICENSE_FILE:
        nearest = [item.expression for item in own if item.kind is kind and item.expression] or stated
        whole = {item.expression for item in package if item.kind is kind and item.expression}
        declared = [one for kind in _DECLARED for one in by_kind.get(kind, ())]
        return _of_texts(nearest, [] if whole and whole.isdisjoint(nearest) else declared)
    if kind is EvidenceKind.FILE_HEADER:
        return _of_head(stated[0], by_kind)
    return stated[0]


def _of_head(stated: str, by_kind: dict[EvidenceKind, list[str]]) -> str:
    """What a head states, with the words of others where it names a family, or a GNU licence without a version.

    A licence file says which BSD licence is meant; whether later versions of a GNU one may be used is only declared.
    """
    tree = expression.parse(stated)
    if tree is None:
        return stated
    texts = [leaf for text in by_kind.get(EvidenceKind.LICENSE_FILE, ()) for leaf in _leaves(text)]
    if "LicenseRef-" in stated:
        return expression.normalize(_exact(tree, texts)) or stated
    declared = (leaf.license for kind in _SAID for one in by_kind.get(kind, ()) for leaf in _leaves(one))
    return next((name for name in declared if _any_version(stated, name)), stated)


def _any_version(any_version: str, name: str) -> bool:
    """Whether the first is any version of the GNU licence that the second is, in some version."""
    gnu = _GNU.fullmatch(name)
    return gnu is not None and any_version == _ANY_VERSION.get(gnu[1].partition("-")[0])


def disagrees(license: str, evidence: Iterable[LicenseEvidence]) -> bool:
    """Whether some evidence states other licences than the effective one.

    Evidence agrees if all that it names is in it, or all of that is in what it names: a package may say `MIT AND Zlib`
    of files that are under one of the two. Not so the classifiers of a package, which do not say whether one may
    choose: where its licence files hold only some of those that they name, they disagree. Nor does what
    offers a choice agree with an effective expression by which all of it holds.
    """
    evidence = tuple(evidence)
    if any(item.where.rpartition("/")[2] in CLASSIFIERS and _partly(item, evidence) for item in evidence):
        return True
    stated = {item.expression for item in evidence if item.expression and item.expression != license}
    return not all(_agree(license, other) for other in stated)


def _partly(classifiers: LicenseEvidence, evidence: tuple[LicenseEvidence, ...]) -> bool:
    """Whether the licence files hold some of the licences that are named, and not all."""
    texts = tuple(item.expression for item in evidence if item.kind is EvidenceKind.LICENSE_FILE and item.expression)
    return bool(texts and classifiers.expression) and _holds_some(classifiers.expression or "", texts)


@lru_cache(maxsize=4096)
def _holds_some(named: str, texts: tuple[str, ...]) -> bool:
    found = [leaf for text in texts for leaf in _leaves(text)]
    held = [any(_alike(leaf, text) for text in found) for leaf in _leaves(named)]
    return any(held) and not all(held)


@lru_cache(maxsize=4096)
def _agree(one: str, other: str) -> bool:
    mine, theirs = _leaves(one), _leaves(other)
    if _operator(one) == "AND" and _operator(other) == "OR" and _within(theirs, mine):
        return False
    return _within(mine, theirs) or _within(theirs, mine)


def _operator(text: str) -> str:
    tree = expression.parse(text)
    return tree.operator if tree else ""


def _within(inner: Sequence[Node], outer: Sequence[Node]) -> bool:
    return all(any(_alike(a, b) for b in outer) for a in inner)


def _alike(a: Node, b: Node) -> bool:
    """Whether two names may be of one licence: one is vaguer than the other, or says nothing of an exception."""
    if a.exception and b.exception and a.exception != b.exception:
        return False
    if a.license == b.license or (a.license in _PYTHON and b.license in _PYTHON):
        return True
    if {a.license, b.license} <= _DEDICATED:
        return True
    if _any_version(a.license, b.license) or _any_version(b.license, a.license):
        return True
    gnu = _GNU.fullmatch(a.license), _GNU.fullmatch(b.license)
    if gnu[0] and gnu[1] and gnu[0][1] == gnu[1][1]:
        return a.license == gnu[0][1] or b.license == gnu[1][1]
    if a.license == "GPL-3.0" or b.license == "GPL-3.0":
        return a.license.startswith("LGPL-3.0") or b.license.startswith("LGPL-3.0")  # whose text it is a part of
    return _is_vague(a.license, b.license) or _is_vague(b.license, a.license)


def _is_vague(vague: str, exact: str) -> bool:
    name = vague.removeprefix("LicenseRef-")
    return name != vague and name in _VAGUE and exact.startswith(f"{name}-")


def _leaves(text: str) -> list[Node]:
    tree = expression.parse(text)
    return [Node("", (), text, None)] if tree is None else tree.leaves


def _of_texts(texts: Sequence[str], declared: Sequence[str]) -> str:
    """What licence files and declarations say together."""
    found = [leaf for text in texts for leaf in _leaves(text)]
    for stated in declared:
        leaves = _leaves(stated)
        if _within(leaves, found) or _within(found, leaves):
            tree = expression.parse(stated)
            return stated if tree is None else expression.normalize(_exact(tree, found)) or stated
    together = " AND ".join(dict.fromkeys(f"({_granted(text)})" for text in texts))
    return expression.normalize(together) or NOASSERTION


def _exact(tree: Node, found: Sequence[Node]) -> str:
    """The expression with the names of the texts for those that are vaguer.

    Of several the first in a file is meant, since what a package bundles stands behind; GNU licences are not told so.
    """
    if tree.operator:
        return f" {tree.operator} ".join(f"({_exact(part, found)})" for part in tree.parts)
    fitting = list(dict.fromkeys(leaf.license for leaf in found if _is_vague(tree.license, leaf.license)))
    certain = len(fitting) == 1 or (fitting and not _GNU.fullmatch(fitting[0]))
    return _granted(fitting[0]) if certain else str(tree)


def _granted(text: str) -> str:
    """The texts of GNU licences, with no word of later versions, as `-only`."""
    return re.sub(
        rf"\b{_GNU.pattern}(?![-\w.])", lambda name: name[0] if name[0] != name[1] else f"{name[1]}-only", text
    )
