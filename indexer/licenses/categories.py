"""What kind of licence an expression stands for, and what it asks of those who pass the code on.

In: SPDX expressions. Out: a category, obligations. It refuses to know where an expression was read, and what a policy
makes of it. The facts are those of published tables (`tables.py`).

An expression of several licences is of the worst category that all of it cannot do without: of an `AND` the worst, of
an `OR` the best, since the reader may choose. An exception makes a licence what the exception is where that is better.
Nothing that the tables do not have is guessed: it is `unknown`.
"""

from __future__ import annotations

from functools import lru_cache

from codecite.indexer.licenses.expression import Node, parse
from codecite.indexer.licenses.tables import tables
from codecite.indexer.records import Category

_ORDER = {category: rank for rank, category in enumerate(Category)}

ASKED_OF_CATEGORY: dict[Category, tuple[str, ...]] = {
    Category.PUBLIC_DOMAIN: (),
    Category.PERMISSIVE: ("include-copyright",),
    Category.WEAK_COPYLEFT: ("include-copyright", "disclose-source", "same-license--file"),
    Category.STRONG_COPYLEFT: ("include-copyright", "disclose-source", "same-license"),
    Category.NETWORK_COPYLEFT: ("include-copyright", "disclose-source", "network-use-disclose", "same-license"),
    Category.PROPRIETARY: ("ask-for-permission",),
    Category.UNKNOWN: ("clarify-license",),
}
"""What is said of a licence that choosealicense does not describe: what its category has in common, at least."""

_WITHOUT_VERSION = {
    "LicenseRef-BSD": Category.PERMISSIVE,
    "LicenseRef-Apache": Category.PERMISSIVE,
    "LicenseRef-MPL": Category.WEAK_COPYLEFT,
    "LicenseRef-LGPL": Category.WEAK_COPYLEFT,
    "LicenseRef-GPL": Category.STRONG_COPYLEFT,
    "LicenseRef-AGPL": Category.NETWORK_COPYLEFT,
    "LicenseRef-Public-Domain": Category.PUBLIC_DOMAIN,
}
"""What people and classifiers name without a version: all versions are of one category in the tables."""

NOTICE_FILE = "include-notice"
_WITH_NOTICE_FILE = ("Apache-2.0", "ECL-2.0")
"""Licences that want the NOTICE file passed on where there is one (Apache-2.0, section 4 (d)); no table says it."""

OBLIGATIONS = {
    "include-copyright": "keep the copyright notice and the licence text with it",
    "include-copyright--source": "keep the copyright notice and the licence text with it in source form",
    "document-changes": "say what was changed",
    "disclose-source": "give the source code to whoever gets the program",
    "network-use-disclose": "give the source code to those who use it over a network, too",
    "same-license": "license the whole under the same licence",
    "same-license--file": "license changes to these files under the same licence",
    "same-license--library": "license changes to the library under the same licence",
    NOTICE_FILE: "pass its NOTICE file on",
    "ask-for-permission": "use it only as its own terms permit; ask the owner",
    "clarify-license": "find out under which licence it stands before using it",
}
"""Each obligation, in words."""


@lru_cache(maxsize=4096)
def category(expression: str) -> Category:
    """The category of an SPDX expression; UNKNOWN for NOASSERTION, for what is no expression or in no table.

    >>> str(category("GPL-2.0-only OR MIT")), str(category("GPL-2.0-only AND MIT")), str(category("NOASSERTION"))
    ('permissive', 'strong-copyleft', 'unknown')
    """
    tree = parse(expression)
    return Category.UNKNOWN if tree is None else _category(tree)


@lru_cache(maxsize=4096)
def obligations(expression: str) -> tuple[str, ...]:
    """What an SPDX expression asks for, in the order of OBLIGATIONS: of an `AND` all, of an `OR` the best branch.

    >>> obligations("Apache-2.0"), obligations("GPL-3.0-only OR 0BSD")
    (('include-copyright', 'document-changes', 'include-notice'), ())
    """
    tree = parse(expression)
    asked = ASKED_OF_CATEGORY[Category.UNKNOWN] if tree is None else _obligations(tree)
    return tuple(obligation for obligation in OBLIGATIONS if obligation in asked)


def _category(tree: Node) -> Category:
    if tree.operator:
        found = [_category(part) for part in tree.parts]
        return (max if tree.operator == "AND" else min)(found, key=_ORDER.__getitem__)
    known = tables()
    own = Category(known.licenses.get(tree.license, _WITHOUT_VERSION.get(tree.license, Category.UNKNOWN)))
    granted = known.exceptions.get(tree.exception) if tree.exception else None
    if own is Category.UNKNOWN or granted is None:
        return own
    return min(own, Category(granted), key=_ORDER.__getitem__)


def _obligations(tree: Node) -> frozenset[str]:
    if tree.operator == "AND":
        return frozenset().union(*map(_obligations, tree.parts))
    if tree.operator == "OR":
        return _least(tree)
    of_category = _category(tree)
    described = tables().obligations.get(tree.license)
    if described is None or (tree.exception and of_category is not _category(tree.bare)):
        described = ASKED_OF_CATEGORY[of_category]
    return frozenset(described) | ({NOTICE_FILE} if tree.license in _WITH_NOTICE_FILE else frozenset())


def _least(tree: Node) -> frozenset[str]:
    """The obligations of the branch of the best category, of those the fewest."""
    return min(
        ((_ORDER[_category(part)], _obligations(part)) for part in tree.parts),
        key=lambda pair: (pair[0], len(pair[1]), sorted(pair[1])),
    )[1]
