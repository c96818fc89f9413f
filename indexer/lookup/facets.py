"""What the hits of a search are: their languages, and the licences that their expressions name, each with a count.

In: the Origins of Documents that fit a search. Out: counts of Documents. It refuses to know the search. A Document
counts once for each language and each licence of the Origins that fit, so a count is the number of hits that are left
when the search is narrowed by it (`_fits` in `lookup/lexical.py`).
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping

from codecite.indexer.records import NOASSERTION
from codecite.indexer.store.snapshot import Snapshot

_OPERATORS = {"and", "or", "with", ""}


def names_in(expression: str) -> set[str]:
    """The licences that an SPDX expression names, exceptions among them.

    >>> sorted(names_in("(MIT OR GPL-2.0-only WITH Classpath-exception-2.0)"))
    ['Classpath-exception-2.0', 'GPL-2.0-only', 'MIT']
    """
    return {name for name in re.split(r"[ ()]+", expression) if name.lower() not in _OPERATORS}


class Facets:
    """Counts that grow with each Document that is told of; those of several indexes are added up."""

    def __init__(self) -> None:
        self.languages: Counter[str] = Counter()
        self.licenses: Counter[str] = Counter()
        self._named: dict[str, set[str]] = {}

    def add(self, snapshot: Snapshot, rows: Iterable[int]) -> None:
        """Count a Document, of which these Origins fit."""
        languages: set[str] = set()
        licenses: set[str] = set()
        for row in rows:
            expression, language = snapshot.kind_of(row)
            if language:
                languages.add(language)
            if expression not in self._named:
                self._named[expression] = names_in(expression) or {NOASSERTION}
            licenses |= self._named[expression]
        self.languages.update(languages)
        self.licenses.update(licenses)

    def counts(self) -> Mapping[str, Mapping[str, int]]:
        """The counts of each, most first, then by name."""
        return {
            name: dict(sorted(counted.items(), key=lambda item: (-item[1], item[0])))
            for name, counted in (("languages", self.languages), ("licenses", self.licenses))
        }
