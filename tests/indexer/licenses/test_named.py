"""Names that people give licences, and filters of them, held against all ways to read an expression."""

from __future__ import annotations

import doctest
import importlib

import pytest
from hypothesis import given
from oracle.expressions import choices, trees_of, written

from codecite.indexer.licenses.categories import category
from codecite.indexer.licenses.expression import normalize
from codecite.indexer.licenses.named import LicenseFilter, license_named
from codecite.indexer.records import Category

LEAVES = ["MIT", "0BSD", "LGPL-2.1-only", "GPL-3.0-or-later", "BUSL-1.1", "LicenseRef-Own", "Apache-2.0"]


@given(trees_of(LEAVES))
@pytest.mark.parametrize("text", ["permissive", "MIT OR LGPL-2.1-only", "public-domain, strong-copyleft", "unknown"])
def test_an_expression_is_admitted_if_one_of_its_choices_is(text: str, tree: object) -> None:
    """Each licence of the choice is named, or its category is."""
    held = LicenseFilter.parse(text)
    admitted = any(all(one in held.names or category(one) in held.names for one in choice) for choice in choices(tree))
    assert held.admits(normalize(written(tree)) or "") is admitted


def test_a_filter_has_one_text() -> None:
    """However it was written; what has no licence is held only if that is asked for."""
    for text in ("mit OR permissive", "permissive,MIT"):
        assert str(LicenseFilter.parse(text)) == "MIT OR permissive"
        assert LicenseFilter.parse(str(LicenseFilter.parse(text))) == LicenseFilter.parse(text)
    assert not any(LicenseFilter.parse(kind).admits("NOASSERTION") for kind in Category)
    assert LicenseFilter.parse("NOASSERTION").admits("NOASSERTION")


@pytest.mark.parametrize(
    ("name", "meant"), [("permisive", "permissive"), ("GPL-2.0-onyl", "GPL-2.0-only"), ("", "the categories are")]
)
def test_a_slip_is_an_error_that_names_what_may_be_meant(name: str, meant: str) -> None:
    """No rule is made of a name that is on no list."""
    with pytest.raises(ValueError, match=meant):
        license_named(name)
    with pytest.raises(ValueError, match=meant):
        LicenseFilter.parse(f"MIT, {name}")


def test_the_examples_hold() -> None:
    """Those of the module."""
    assert not doctest.testmod(importlib.import_module("codecite.indexer.licenses.named")).failed
