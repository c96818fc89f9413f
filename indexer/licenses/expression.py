"""Whatever stands where a licence should be named -> a normalised SPDX expression.

In: an SPDX tag's value, a metadata field, a classifier's name: any text. Out: an SPDX expression in one canonical
form (today's identifiers in the licence list's own case, operands flattened, sorted and without repetition, so
that equal licences compare equal as strings), or None where the text names no licence. What names a licence that
is on no list is kept as `LicenseRef-...`, never dropped. This module refuses to know where the text was read.

Readings of what is not SPDX: `/` and `|` mean OR (as in Cargo), `,` `;` and `&` mean AND, since a list does not
promise a choice. A whole licence text is recognised by its title; else it is None, and the text stays evidence.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from codecite.indexer.licenses import names
from codecite.indexer.records import NOASSERTION

MAX_EXPRESSION = 2000
"""Characters; what is longer and looks like an expression is a licence that nobody knows."""

_LONG = re.compile(r"[\w.+:()-]+(?: (?:AND|OR|WITH) [\w.+:()-]+)+", re.IGNORECASE)

MAX_NAME = 200
"""Characters; a longer text that is no expression is a licence text or prose, not a name."""

_NOTHING = {"", "-", "unknown", "none", "noassertion", "n/a", "na", "not specified", "unspecified", "todo", "tbd"}
_HYPHENED = re.compile(r"(?<=\s)-(or|and)-(?=\s)", re.IGNORECASE)
_JOINERS = [(re.compile(r"\s*(?:\|\|?|/)\s*"), " OR "), (re.compile(r"\s*(?:[,;]|&&?)\s*"), " AND ")]
_BEFORE_VERSION = re.compile(r",\s*(?=v(?:er(?:sion)?)?\.?\s*\d)", re.IGNORECASE)


@lru_cache(maxsize=8192)
def normalize(text: str) -> str | None:
    """The SPDX expression that the text states, in canonical form; None if it states none.

    >>> normalize("mit or GPL-2.0+"), normalize("MIT/Apache-2.0"), normalize("BSD"), normalize("UNKNOWN")
    ('GPL-2.0-or-later OR MIT', 'Apache-2.0 OR MIT', 'LicenseRef-BSD', None)
    """
    line = " ".join(text.split())
    if line.lower() in _NOTHING:
        return None
    if len(line) <= MAX_EXPRESSION:
        found = names.known(line) or _strict(line)
        if found:
            return found
    elif _LONG.fullmatch(line):
        return names.license_ref(line)
    if len(line) > MAX_NAME or "\n" in text.strip():
        return _titled(text)
    return _loose(line) or names.license_ref(line)


def join(expressions: tuple[str, ...]) -> str | None:
    """All of the given normalised expressions at once (AND), None if there is none."""
    distinct = list(dict.fromkeys(expressions))
    if len(distinct) < 2:
        return distinct[0] if distinct else None
    together = " AND ".join(f"({expression})" for expression in distinct)
    return normalize(together) or names.license_ref(together)


@dataclass(frozen=True, slots=True)
class Node:
    """A normalised expression as a tree.

    It is `AND` or `OR` of parts, or without an operator a licence, perhaps WITH an exception.
    """

    operator: str
    parts: tuple[Node, ...]
    license: str
    exception: str | None

    @property
    def bare(self) -> Node:
        """A licence without its exception."""
        return Node("", (), self.license, None)

    @property
    def leaves(self) -> list[Node]:
        """The licences in it, in their order."""
        return [leaf for part in self.parts for leaf in part.leaves] if self.operator else [self]

    def __str__(self) -> str:
        if not self.operator:
            return f"{self.license} WITH {self.exception}" if self.exception else self.license
        parts = (f"({part})" if part.operator else str(part) for part in self.parts)
        return f" {self.operator} ".join(parts)


@lru_cache(maxsize=4096)
def parse(expression: str) -> Node | None:
    """The tree of an expression whose names are spelt as `normalize` does; None for what is none, and NOASSERTION."""
    if expression == NOASSERTION or len(expression) > MAX_EXPRESSION:
        return None
    tree = _parse(expression)
    return None if tree is None else _node(tree)


def _node(tree: Any) -> Node:
    if hasattr(tree, "license_symbol"):
        return Node("", (), tree.license_symbol.key, tree.exception_symbol.key)
    if not hasattr(tree, "operator"):
        return Node("", (), tree.key, None)
    return Node(tree.operator.strip(), tuple(map(_node, tree.args)), "", None)


def _strict(line: str) -> str | None:
    """The line as an SPDX expression whose every part is on the licence list or a LicenseRef."""
    tree = _parse(line)
    if tree is None or any(names.known(name) is None for name in _names(tree)):
        return None
    return _render(tree)


def _loose(line: str) -> str | None:
    """The line as an expression in which people's own joiners stand; None if that makes no sense of it."""
    if "://" in line:
        return names.known(line.rstrip("/").rpartition("/")[2])
    line = names.later(_BEFORE_VERSION.sub(" ", _HYPHENED.sub(r"\1", line)))
    for joiner, operator in _JOINERS:
        line = joiner.sub(operator, line)
    tree = _parse(line)
    if tree is None:
        return None
    parts = _names(tree)
    recognised = any(names.known(part) for part in parts) or all(" " not in part for part in parts)
    return _render(tree) if recognised else None


def _titled(text: str) -> str | None:
    """The licence whose text this is, by its first line or its first two (title and version)."""
    lines = [line.strip(" \t\r=*#-") for line in text[:MAX_EXPRESSION].splitlines()]
    head = [line for line in lines if line][:2]
    for title in (" ".join(head), *head[:1]):
        found = names.known(title) if len(title) <= MAX_NAME else None
        if found:
            return found
    return None


def _parse(line: str) -> Any:
    """The syntax tree of `license-expression`, which accepts any name; None for what is not an expression.

    The library reports some malformed input (`MIT/Apache-2.0`, deep nesting) by errors of many kinds, and the text
    comes from strangers: whatever it raises means that this is no expression.
    """
    from license_expression import Licensing

    try:
        return Licensing().parse(line)
    except Exception:  # noqa: BLE001 - see above
        return None


def _names(tree: Any) -> list[str]:
    """The licence names in a tree, exceptions left out."""
    if hasattr(tree, "operator"):
        return [name for part in tree.args for name in _names(part)]
    return [tree.license_symbol.key if hasattr(tree, "license_symbol") else tree.key]


def _render(tree: Any) -> str:
    operator, operands = _canonical(tree)
    return f" {operator} ".join(operands)


def _canonical(tree: Any) -> tuple[str, tuple[str, ...]]:
    """The outermost operator of a tree (empty for a single licence) and its operands, as text, distinct and sorted."""
    if hasattr(tree, "license_symbol"):
        return "", (f"{_identifier(tree.license_symbol.key)} WITH {names.exception(tree.exception_symbol.key)}",)
    if not hasattr(tree, "operator"):
        return "", (_identifier(tree.key),)
    outer = tree.operator.strip()
    operands: dict[str, tuple[str, tuple[str, ...]]] = {}
    for operator, parts in map(_canonical, tree.args):
        if operator in ("", outer):
            operands.update((part, ("", (part,))) for part in parts)
        else:
            operands[f"({f' {operator} '.join(parts)})"] = (operator, parts)
    if len(operands) == 1:
        return next(iter(operands.values()))
    return outer, tuple(sorted(operands, key=lambda operand: (operand.lower(), operand)))


def _identifier(name: str) -> str:
    return names.known(name) or names.license_ref(name)
