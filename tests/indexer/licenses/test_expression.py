"""Any text that should name a license becomes one canonical SPDX expression, or none."""

from __future__ import annotations

import re

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from codecite.indexer.licenses.expression import join, normalize
from codecite.indexer.licenses.names import MAX_SLUG, from_classifier

SPDX = [
    ("mit", "MIT"),
    ("MIT or apache-2.0", "Apache-2.0 OR MIT"),
    ("Apache-2.0 OR MIT", "Apache-2.0 OR MIT"),
    ("MIT OR MIT", "MIT"),
    ("MPL-2.0 AND (MIT AND ISC)", "ISC AND MIT AND MPL-2.0"),
    ("(MIT OR ISC) AND BSD-3-Clause", "(ISC OR MIT) AND BSD-3-Clause"),
    ("GPL-2.0", "GPL-2.0-only"),
    ("GPL-2.0+", "GPL-2.0-or-later"),
    ("Apache-2.0+", "Apache-2.0+"),
    ("((GPL-2.0 WITH Linux-syscall-note) OR BSD-3-Clause)", "BSD-3-Clause OR GPL-2.0-only WITH Linux-syscall-note"),
    ("GPL-2.0-with-classpath-exception", "GPL-2.0-only WITH Classpath-exception-2.0"),
    ("MIT WITH Our-exception", "MIT WITH AdditionRef-Our-exception"),
    ("licenseref-Foo", "LicenseRef-Foo"),
    ("DocumentRef-x:LicenseRef-y", "DocumentRef-x:LicenseRef-y"),
    ("GPL-2.0-only OR Nobody-Knows", "GPL-2.0-only OR LicenseRef-Nobody-Knows"),
]

SPOKEN = [
    ("The MIT License (MIT)", "MIT"),
    ("MIT/Apache-2.0", "Apache-2.0 OR MIT"),
    ("MIT -or- Apache License 2.0", "Apache-2.0 OR MIT"),
    ("MIT/X11", "MIT"),
    ("MIT, Apache-2.0", "Apache-2.0 AND MIT"),
    ("Apache 2", "Apache-2.0"),
    ("Apache 2.0 License", "Apache-2.0"),
    ("Apache License, Version 2.0", "Apache-2.0"),
    ("Apache License 2.0 and MIT License", "Apache-2.0 AND MIT"),
    ("3-Clause BSD License", "BSD-3-Clause"),
    ("BSD (3 clause)", "BSD-3-Clause"),
    ("New BSD", "BSD-3-Clause"),
    ("GPLv2", "GPL-2.0-only"),
    ("GPLv2+", "GPL-2.0-or-later"),
    ("GPL (>= 2)", "GPL-2.0-or-later"),
    ("GPL-2 | GPL-3", "GPL-2.0-only OR GPL-3.0-only"),
    ("GNU GPL v3 or any later version", "GPL-3.0-or-later"),
    ("GNU Lesser General Public License v3 or later (LGPLv3+)", "LGPL-3.0-or-later"),
    ("GNU LGPL v2.1", "LGPL-2.1-only"),
    ("AGPLv3", "AGPL-3.0-only"),
    ("Mozilla Public License 2.0 (MPL 2.0)", "MPL-2.0"),
    ("ISC License (ISCL)", "ISC"),
    ("CC BY 4.0", "CC-BY-4.0"),
    ("https://opensource.org/licenses/MIT", "MIT"),
]

VAGUE = [
    ("BSD", "LicenseRef-BSD"),
    ("BSD License", "LicenseRef-BSD"),
    ("GPL", "LicenseRef-GPL"),
    ("LGPL", "LicenseRef-LGPL"),
    ("Apache Software License", "LicenseRef-Apache"),
    ("public domain", "LicenseRef-Public-Domain"),
    ("Dual License", "LicenseRef-Dual-License"),
    ("see LICENSE and README", "LicenseRef-see-LICENSE-and-README"),
    ("NVIDIA Proprietary Software", "LicenseRef-NVIDIA-Proprietary-Software"),
]


@pytest.mark.parametrize(("text", "expression"), SPDX)
def test_spdx_expressions_take_one_canonical_form(text: str, expression: str) -> None:
    """Case, deprecated identifiers, nesting, order and repetition do not tell two expressions apart."""
    assert normalize(text) == expression


@pytest.mark.parametrize(("text", "expression"), SPOKEN)
def test_names_that_people_use_are_understood(text: str, expression: str) -> None:
    """Names outside the license list that leave no doubt become their identifiers."""
    assert normalize(text) == expression


@pytest.mark.parametrize(("text", "expression"), VAGUE)
def test_names_that_leave_a_doubt_are_kept_as_references(text: str, expression: str) -> None:
    """A family of licenses, or a name nobody knows, is neither guessed nor dropped."""
    assert normalize(text) == expression


@pytest.mark.parametrize("text", ["", "  ", "UNKNOWN", "None", "NOASSERTION", "n/a", "Not specified"])
def test_words_for_nothing_state_no_license(text: str) -> None:
    """What says that nothing is known is no license."""
    assert normalize(text) is None


@pytest.mark.parametrize(
    ("title", "expression"),
    [
        ("MIT License\n\nCopyright (c) 2020 Somebody\n", "MIT"),
        ("BSD 3-Clause License\n\nCopyright (c) 2020", "BSD-3-Clause"),
        ("        Apache License\n   Version 2.0, January 2004\n", "Apache-2.0"),
        ("   GNU GENERAL PUBLIC LICENSE\n     Version 3, 29 June 2007\n", "GPL-3.0-only"),
        ("Copyright (c) 2010 Somebody\nAll rights reserved.\n", None),
    ],
)
def test_a_whole_license_text_is_known_by_its_title_or_not_at_all(title: str, expression: str | None) -> None:
    """A field that holds a license's text never becomes a reference made of three thousand characters."""
    text = title + "Redistribution and use in source and binary forms are permitted\n" * 50
    assert normalize(text) == expression


@pytest.mark.parametrize(
    ("classifier", "expression"),
    [
        ("License :: OSI Approved", None),
        ("License :: OSI Approved :: MIT License", "MIT"),
        ("License :: OSI Approved :: BSD License", "LicenseRef-BSD"),
        ("License :: OSI Approved :: Apache Software License", "LicenseRef-Apache"),
        ("License :: OSI Approved :: GNU General Public License v3 or later (GPLv3+)", "GPL-3.0-or-later"),
        ("License :: OSI Approved :: GNU Library or Lesser General Public License (LGPL)", "LicenseRef-LGPL"),
        ("License :: OSI Approved :: GNU Affero General Public License v3", "AGPL-3.0-only"),
        ("License :: OSI Approved :: European Union Public Licence 1.2 (EUPL 1.2)", "EUPL-1.2"),
        ("License :: OSI Approved :: Python Software Foundation License", "PSF-2.0"),
        ("License :: OSI Approved :: The Unlicense (Unlicense)", "Unlicense"),
        ("License :: CC0 1.0 Universal (CC0 1.0) Public Domain Dedication", "CC0-1.0"),
        ("License :: Other/Proprietary License", "LicenseRef-Proprietary"),
        ("License :: Free for non-commercial use", "LicenseRef-Free-for-non-commercial-use"),
    ],
)
def test_classifiers_name_exactly_what_they_say(classifier: str, expression: str | None) -> None:
    """A classifier that names a family (`BSD License`) is not read as a member of it."""
    assert from_classifier(classifier) == expression


def test_long_names_keep_apart_when_they_are_cut() -> None:
    """Two names that differ only behind the cut become two references of bounded length."""
    first, second = (normalize("Our own license of the year two thousand and twenty, revision " + end) for end in "ab")
    assert first != second
    assert first is not None
    assert len(first) <= MAX_SLUG + len("LicenseRef-")


def test_joining_binds_alternatives_before_all_of_them() -> None:
    """AND over expressions keeps each OR together."""
    assert join(("MIT OR ISC", "MIT")) == "(ISC OR MIT) AND MIT"
    assert join(("MIT", "MIT")) == "MIT"
    assert join(()) is None


PIECES = st.sampled_from(
    ["MIT", "gpl-2.0+", "BSD", "Foo", " AND ", " or ", " with ", "(", ")", "/", ",", "LLVM-exception", " ", "\n", "+"]
)


@given(st.lists(PIECES, max_size=14).map("".join) | st.text(max_size=300))
@example("(" * 1900)
@example("MIT AND " * 200 + "MIT")
@example("\ud800")
def test_no_text_breaks_it_and_the_answer_is_stable(text: str) -> None:
    """Whatever stands in the field, the answer is None or a printable expression that normalises to itself."""
    found = normalize(text)
    if found is not None:
        assert re.fullmatch(r"[A-Za-z0-9.+\-:() ]+", found)
        assert normalize(found) == found
