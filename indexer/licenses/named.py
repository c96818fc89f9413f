"""The names that a person gives licences -> categories and SPDX expressions, each one known; and a filter made of them.

In: what stands in a policy or behind an option. Out: names as `categories.py` and `expression.py` spell them; a
LicenseFilter. A name that is on no list is an error (ValueError, with the name that may be meant): a slip must not pass
for a rule. It refuses to know what is allowed or denied.
"""

from __future__ import annotations

import difflib
import re
from dataclasses import dataclass

from codecite.indexer.licenses.categories import category
from codecite.indexer.licenses.expression import Node, normalize, parse
from codecite.indexer.licenses.tables import tables
from codecite.indexer.records import NOASSERTION, Category

_OR = re.compile(r"\s*,\s*|\s+OR\s+", re.IGNORECASE)


def expression_named(text: str) -> str:
    """The text as a normalised expression of licences on the list, and of what is spelt as a LicenseRef."""
    found = normalize(text)
    tree = None if found is None else parse(found)
    if found is None or tree is None or ("LicenseRef-" in found and "LicenseRef-" not in text):
        near = difflib.get_close_matches(text, [*Category, *tables().licenses], 1)
        meant = f"; is {near[0]} meant?" if near else f"; the categories are {', '.join(Category)}"
        raise ValueError(f"{text[:80]!r} is no category, and no SPDX expression of licences on the list{meant}")
    return found


def license_named(text: str) -> str:
    """A category, NOASSERTION, or what `expression_named` makes of the text."""
    return text if text in set(Category) or text == NOASSERTION else expression_named(text)


@dataclass(frozen=True, slots=True)
class LicenseFilter:
    """Which licences a corpus may hold; `str` of it is one canonical text."""

    names: frozenset[str]

    @classmethod
    def parse(cls, text: str) -> LicenseFilter:
        """From names between commas or `OR`. Raises ValueError.

        >>> str(LicenseFilter.parse("permissive, mpl-2.0"))
        'MPL-2.0 OR permissive'
        """
        return cls(frozenset(license_named(name.strip()) for name in _OR.split(text)))

    def __str__(self) -> str:
        return " OR ".join(sorted(self.names, key=lambda name: (name.lower(), name)))

    def admits(self, expression: str) -> bool:
        """Whether a file under the expression may be held: of an `OR` one branch is enough, of an `AND` all must be.

        >>> held = LicenseFilter.parse("permissive")
        >>> [held.admits(text) for text in ("MIT OR GPL-2.0-only", "GPL-2.0-only AND MIT", "NOASSERTION")]
        [True, False, False]
        """
        tree = parse(expression)
        return expression in self.names if tree is None else self._admits(tree)

    def _admits(self, tree: Node) -> bool:
        if str(tree) in self.names:
            return True
        if tree.operator:
            return (all if tree.operator == "AND" else any)(map(self._admits, tree.parts))
        return tree.license in self.names or category(str(tree)) in self.names
