"""Categories and obligations of expressions, held against all ways to read the expression, and the published tables."""

from __future__ import annotations

import doctest
import importlib
import json
from importlib.resources import files

import pytest
from hypothesis import given
from hypothesis import strategies as st
from license_expression import get_spdx_licensing
from oracle.expressions import choices, text_of, trees_of, written

from codecite.indexer.licenses.categories import OBLIGATIONS, category, obligations
from codecite.indexer.licenses.compatibility import Answer, compatibility
from codecite.indexer.licenses.expression import normalize, parse
from codecite.indexer.licenses.tables import license_text, tables
from codecite.indexer.records import Category

LEAVES = [
    "MIT",
    "0BSD",
    "LGPL-2.1-only",
    "GPL-3.0-or-later",
    "AGPL-3.0-only",
    "BUSL-1.1",
    "LicenseRef-Own",
    "Apache-2.0",
]
trees = trees_of(LEAVES)


@given(trees)
def test_the_category_is_that_of_the_best_choice(tree: object) -> None:
    """Of each choice the worst licence counts, of the choices the best."""
    order = list(Category)
    ranks = [max(order.index(category(one)) for one in choice) for choice in choices(tree)]
    assert category(normalize(written(tree)) or "") is order[min(ranks)]


@given(trees)
def test_obligations_are_those_of_one_of_the_best_choices(tree: object) -> None:
    """All of its licences' obligations, in one order, and no others."""
    order = list(Category)
    best = order.index(category(normalize(written(tree)) or ""))
    asked = obligations(normalize(written(tree)) or "")
    assert list(asked) == [one for one in OBLIGATIONS if one in asked]
    fitting = [
        {duty for one in choice for duty in obligations(one)}
        for choice in choices(tree)
        if max(order.index(category(one)) for one in choice) == best
    ]
    assert set(asked) in fitting


@given(trees, st.sampled_from(["MIT", "Apache-2.0", "GPL-3.0-or-later", "LicenseRef-Own", "MIT OR Apache-2.0"]))
def test_code_is_compatible_if_one_of_its_choices_is_with_each_licence_of_the_work(tree: object, work: str) -> None:
    """The answer of the best choice, of which the worst pair counts."""
    read = normalize(written(tree)) or ""
    expected = max(
        min(max(compatibility(one, outbound).answer for one in choice) for choice in choices(tree))
        for outbound in work.split(" OR ")
    )
    assert compatibility(read, work).answer == expected


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("CC0-1.0", "public-domain"),
        ("MIT", "permissive"),
        ("MPL-2.0", "weak-copyleft"),
        ("LGPL-3.0-or-later", "weak-copyleft"),
        ("GPL-2.0-only", "strong-copyleft"),
        ("AGPL-3.0-or-later", "network-copyleft"),
        ("SSPL-1.0", "proprietary"),
        ("CC-BY-NC-4.0", "proprietary"),
        ("NOASSERTION", "unknown"),
        ("LicenseRef-Nobody-Knows", "unknown"),
        ("", "unknown"),
        ("MIT/Apache-2.0", "unknown"),
        ("GPL-2.0-or-later WITH Classpath-exception-2.0", "weak-copyleft"),
        ("GPL-2.0-only WITH LicenseRef-No-Such-Exception", "strong-copyleft"),
        ("LicenseRef-Own WITH Classpath-exception-2.0", "unknown"),
        (" OR ".join(["MIT"] * 10_000), "unknown"),
        ("(" * 500 + "MIT" + ")" * 500, "permissive"),
    ],
)
def test_categories_of_known_licences(expression: str, expected: str) -> None:
    """What lawyers call these; nothing that cannot be read is taken for permissive."""
    assert category(expression) == expected


def test_every_licence_of_the_spdx_list_has_a_category_and_most_have_a_text() -> None:
    """Against the list that `license-expression` holds."""
    known = {key for key in get_spdx_licensing().known_symbols if not key.startswith("LicenseRef-")}
    found = tables()
    assert len(known) > 600
    assert known <= set(found.licenses) | set(found.exceptions)
    listed = json.loads(files("license_expression").joinpath("data/scancode-licensedb-index.json").read_text())
    restricted = {
        entry["spdx_license_key"]
        for entry in listed
        if entry["category"] in ("Commercial", "Proprietary Free", "Source-available") and entry["spdx_license_key"]
    }
    assert {category(name) for name in restricted - set(found.exceptions)} == {Category.PROPRIETARY}
    assert all(license_text(name) is not None for name in ("MIT", "Apache-2.0", "GPL-2.0-only", "MPL-2.0", "ISC"))
    assert "Permission is hereby granted" in text_of("MIT")
    assert license_text("LicenseRef-Own") is None


@pytest.mark.parametrize(
    ("inbound", "outbound", "expected"),
    [
        ("GPL-2.0-only", "Apache-2.0", Answer.INCOMPATIBLE),
        ("Apache-2.0", "GPL-2.0-only", Answer.INCOMPATIBLE),
        ("Apache-2.0", "GPL-3.0-only", Answer.COMPATIBLE),
        ("MIT", "Apache-2.0", Answer.COMPATIBLE),
        ("GPL-2.0-only OR MIT", "Apache-2.0", Answer.COMPATIBLE),
        ("GPL-2.0-only AND MIT", "Apache-2.0", Answer.INCOMPATIBLE),
        ("MIT", "LicenseRef-Own", Answer.UNKNOWN),
        ("NOASSERTION", "MIT", Answer.UNKNOWN),
        ("GPL-2.0-only WITH Classpath-exception-2.0", "Apache-2.0", Answer.UNKNOWN),
        ("LicenseRef-Own", "LicenseRef-Own", Answer.COMPATIBLE),
    ],
)
def test_known_pairs(inbound: str, outbound: str, expected: Answer) -> None:
    """A pair that no table has is unknown; the sentence names both licences."""
    found = compatibility(inbound, outbound)
    assert found.answer is expected
    assert found.inbound in found.sentence
    assert outbound in found.sentence


def test_a_tree_reads_as_it_was_written() -> None:
    """Trees print as normalised expressions."""
    for text in ("MIT", "(Apache-2.0 OR MIT) AND ISC", "GPL-2.0-only WITH Classpath-exception-2.0 OR MIT"):
        assert str(parse(normalize(text) or "")) == normalize(text)


@pytest.mark.parametrize("name", ["categories", "comments", "compatibility", "expression", "head", "notice", "texts"])
def test_the_examples_in_docstrings_hold(name: str) -> None:
    """Those of the room."""
    found = doctest.testmod(importlib.import_module(f"codecite.indexer.licenses.{name}"))
    assert found.attempted > 0
    assert found.failed == 0
