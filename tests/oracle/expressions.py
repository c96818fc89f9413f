"""SPDX expressions as trees, and every way to read one, apart from the code under test.

A tree is the name of a licence, or `AND` or `OR` with a list of trees.
"""

from __future__ import annotations

import itertools
from typing import Any

from hypothesis import strategies as st

from codecite.indexer.licenses.tables import license_text


def trees_of(leaves: list[str]) -> st.SearchStrategy[Any]:
    """Expressions of some licences, nested."""
    return st.recursive(
        st.sampled_from(leaves),
        lambda inner: st.tuples(st.sampled_from(["AND", "OR"]), st.lists(inner, min_size=2, max_size=3)),
        max_leaves=6,
    )


def written(tree: Any) -> str:
    """A tree as text."""
    if isinstance(tree, str):
        return tree
    operator, parts = tree
    return f" {operator} ".join(f"({written(part)})" for part in parts)


def choices(tree: Any) -> list[set[str]]:
    """Every set of licences that one may comply with (the disjunctive normal form)."""
    if isinstance(tree, str):
        return [{tree}]
    operator, parts = tree
    read = [choices(part) for part in parts]
    if operator == "OR":
        return [one for part in read for one in part]
    return [set().union(*pick) for pick in itertools.product(*read)]


def text_of(license: str) -> str:
    """The text of a licence of the SPDX list."""
    found = license_text(license)
    assert found is not None
    return found[1]
