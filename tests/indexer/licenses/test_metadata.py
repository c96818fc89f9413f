"""A distribution's metadata states its license, and the strongest evidence decides."""

from __future__ import annotations

import email
from email.message import Message

import pytest

from codecite.indexer.licenses.effective import effective, strongest_first
from codecite.indexer.licenses.metadata import (
    MAX_TEXT,
    from_bundle,
    from_cargo,
    from_gem,
    from_metadata,
    from_npm,
    from_nuspec,
    from_pom,
    from_project,
)
from codecite.indexer.records import NOASSERTION, EvidenceKind, LicenseEvidence


def metadata(*lines: str) -> Message:
    """Core metadata with these lines."""
    return email.message_from_string("\n".join(["Metadata-Version: 2.4", "Name: x", *lines, "", "description"]))


def evidence(kind: EvidenceKind, expression: str | None) -> LicenseEvidence:
    """Evidence of this kind."""
    return LicenseEvidence(kind, expression, "somewhere", "something")


def test_every_field_is_kept_and_the_expression_goes_first() -> None:
    """`License-Expression` is stronger than what came before it."""
    found = from_metadata(
        metadata(
            "Classifier: License :: OSI Approved :: BSD License",
            "License: BSD",
            "License-Expression: mit or bsd-3-clause",
            "Classifier: Programming Language :: Python",
        )
    )
    assert [(item.where, item.expression, item.text) for item in found] == [
        ("License-Expression", "BSD-3-Clause OR MIT", "mit or bsd-3-clause"),
        ("License", "LicenseRef-BSD", "BSD"),
        ("Classifier", "LicenseRef-BSD", "License :: OSI Approved :: BSD License"),
    ]
    assert {item.kind for item in found} == {EvidenceKind.PACKAGE_METADATA}


def test_an_exact_classifier_is_stronger_than_a_vague_field() -> None:
    """`License: GPL` says less than the classifier beside it."""
    found = from_metadata(
        metadata("License: GPL", "Classifier: License :: OSI Approved :: GNU General Public License v3 (GPLv3)")
    )
    assert effective(found) == "GPL-3.0-only"
    assert [item.expression for item in found] == ["GPL-3.0-only", "LicenseRef-GPL"]


def test_several_classifiers_hold_all_at_once() -> None:
    """They do not say that one may choose."""
    found = from_metadata(
        metadata(
            "Classifier: License :: OSI Approved :: MIT License",
            "Classifier: License :: OSI Approved :: ISC License (ISCL)",
        )
    )
    assert [item.expression for item in found] == ["ISC AND MIT"]


def test_a_license_text_in_the_field_is_kept_but_bounded() -> None:
    """A text that nothing identifies is evidence without an expression, and classifiers decide."""
    text = "Copyright 2020 Somebody\n" + "        Permission is granted to anyone for anything at all.\n" * 60
    found = from_metadata(metadata("License: " + text.rstrip(), "Classifier: License :: OSI Approved :: MIT License"))
    assert [item.expression for item in found] == ["MIT", None]
    assert found[1].text.startswith("Copyright 2020 Somebody")
    assert len(found[1].text) <= MAX_TEXT + 4


def test_metadata_that_says_nothing_gives_nothing() -> None:
    """`UNKNOWN` is what old tools wrote for an empty field."""
    assert from_metadata(metadata("License: UNKNOWN", "Classifier: License :: OSI Approved")) == ()
    assert effective(()) == NOASSERTION


def test_the_strongest_evidence_with_an_expression_decides() -> None:
    """A license file that was kept but not classified does not hide what the metadata states."""
    found = [
        evidence(EvidenceKind.PACKAGE_METADATA, "MIT"),
        evidence(EvidenceKind.LICENSE_FILE, None),
        evidence(EvidenceKind.DATASET_FIELD, "ISC"),
    ]
    assert effective(found) == "MIT"
    assert effective([*found, evidence(EvidenceKind.SPDX_TAG, "GPL-2.0-only")]) == "GPL-2.0-only"
    assert [item.kind for item in strongest_first(found)] == [
        EvidenceKind.LICENSE_FILE,
        EvidenceKind.PACKAGE_METADATA,
        EvidenceKind.DATASET_FIELD,
    ]
    assert effective([evidence(EvidenceKind.LICENSE_FILE, None)]) == NOASSERTION


def test_the_tags_of_one_file_hold_together() -> None:
    """A file that carries two tags is under both, whichever comes first."""
    tags = [evidence(EvidenceKind.SPDX_TAG, "MIT"), evidence(EvidenceKind.SPDX_TAG, "GPL-2.0-only OR ISC")]
    assert effective(tags) == effective(tags[::-1]) == "(GPL-2.0-only OR ISC) AND MIT"


def stated(found: tuple[LicenseEvidence, ...]) -> list[tuple[str, str | None]]:
    """Where each evidence was read, and what it says."""
    assert {item.kind for item in found} <= {EvidenceKind.PACKAGE_METADATA}
    return [(item.where, item.expression) for item in found]


@pytest.mark.parametrize(
    ("value", "expression"),
    [
        ("MIT", "MIT"),
        ("(MIT OR Apache-2.0)", "Apache-2.0 OR MIT"),
        ({"type": "MIT", "url": "https://example.org"}, "MIT"),
        ({"name": "BSD", "url": "https://opensource.org/licenses/BSD-3-Clause"}, "BSD-3-Clause"),
        ([{"type": "MIT"}, "GPL-2.0"], "GPL-2.0-only OR MIT"),
        ("SEE LICENSE IN terms.txt", None),
        ("UNLICENSED", "LicenseRef-UNLICENSED"),
    ],
)
def test_npm_states_licenses_in_many_forms(value: object, expression: str | None) -> None:
    """An expression, an object, and the list that npm's documents read as a choice, in either field."""
    for key in ("license", "licenses"):
        assert stated(from_npm({key: value})) == [(f"package.json {key}", expression)]


@pytest.mark.parametrize("value", [None, "", [], {}, 7, [7, None], {"type": 7}, "none"])
def test_fields_of_other_types_state_nothing(value: object) -> None:
    """A list where a text should be, a number, an empty object."""
    assert from_npm({"license": value, "licenses": value}) == ()
    assert from_gem({"licenses": value}) == ()
    assert from_cargo({"license": value}) == ()
    assert from_project({"license": value, "classifiers": value}) == ()


def test_the_licenses_of_a_pom_are_a_choice() -> None:
    """A URL decides where the name is vague, is missing, or is a URL; a name decides where it is exact."""
    assert stated(from_pom([("MPL 2.0", "https://www.mozilla.org/en-US/MPL/2.0/"), ("EPL 1.0", "")])) == [
        ("pom.xml licenses", "EPL-1.0 OR MPL-2.0")
    ]
    for name, url, expression in [
        ("BSD", "https://opensource.org/licenses/BSD-2-Clause", "BSD-2-Clause"),
        ("", "http://www.apache.org/licenses/LICENSE-2.0.txt", "Apache-2.0"),
        ("http://www.eclipse.org/legal/epl-v10.html", "", "EPL-1.0"),
        ("MIT License", "http://www.apache.org/licenses/LICENSE-2.0", "MIT"),
        ("BSD", "https://example.org/license.html", "LicenseRef-BSD"),
        ("Our Terms", "", "LicenseRef-Our-Terms"),
    ]:
        assert stated(from_pom([(name, url)])) == [("pom.xml licenses", expression)]
    assert from_pom([]) == from_pom([("", "")]) == ()


def test_a_place_nobody_knows_is_kept_as_a_name() -> None:
    """It may be the one license that matters, so it is not dropped from what holds all at once."""
    (found,) = from_bundle('"MIT", https://example.org/terms')
    assert found.expression == "LicenseRef-https-example.org-terms AND MIT"
    assert found.text == "MIT\nhttps://example.org/terms"


@pytest.mark.parametrize(
    ("header", "expression"),
    [
        ("https://www.apache.org/licenses/LICENSE-2.0.txt", "Apache-2.0"),
        ('"Apache-2.0";link="https://www.apache.org/licenses/LICENSE-2.0";description="a, b"', "Apache-2.0"),
        ("BSD;link=https://opensource.org/licenses/BSD-3-Clause,MIT", "BSD-3-Clause AND MIT"),
        ("EPL-2.0 OR GPL-2.0-only", "EPL-2.0 OR GPL-2.0-only"),
    ],
)
def test_bundles_state_names_with_links(header: str, expression: str) -> None:
    """Commas in quotes separate nothing; several licenses hold all at once."""
    assert stated(from_bundle(header)) == [("MANIFEST.MF Bundle-License", expression)]


def test_a_bundle_that_refers_elsewhere_states_nothing() -> None:
    """`<<EXTERNAL>>` is the specification's word for that."""
    assert from_bundle("<<EXTERNAL>>") == from_bundle("") == ()


def test_gems_crates_and_nuget_packages_state_theirs() -> None:
    """Several of a gem hold all at once; a crate's slash is a choice; an expression goes before a URL."""
    assert stated(from_gem({"licenses": ["MIT", "Ruby"]})) == [("metadata.gz licenses", "MIT AND Ruby")]
    assert stated(from_gem({"licenses": [], "license": "GPL-2+"})) == [("metadata.gz licenses", "GPL-2.0-or-later")]
    assert stated(from_cargo({"license": "MIT/Apache-2.0"})) == [("Cargo.toml license", "Apache-2.0 OR MIT")]
    assert stated(from_nuspec("MIT", "")) == [("nuspec license", "MIT")]
    assert stated(from_nuspec("", "https://www.gnu.org/licenses/gpl-3.0.html")) == [
        ("nuspec licenseUrl", "GPL-3.0-only")
    ]
    assert from_nuspec("", "") == ()


def test_a_project_states_an_expression_a_text_or_classifiers() -> None:
    """What names a license exactly goes first."""
    assert stated(from_project({"license": "mit"})) == [("pyproject.toml license", "MIT")]
    found = from_project({"license": {"text": "BSD"}, "classifiers": ["License :: OSI Approved :: MIT License", 7]})
    assert stated(found) == [("pyproject.toml classifiers", "MIT"), ("pyproject.toml license", "LicenseRef-BSD")]


def test_long_lists_and_texts_are_bounded() -> None:
    """What is kept of a field is no larger than a screen."""
    for found in (
        from_gem({"licenses": [f"License number {number}" for number in range(1000)]}),
        from_pom([("x" * 5000, "y" * 5000)]),
        from_bundle("x," * 5000),
        from_npm({"license": "word " * 5000}),
    ):
        assert all(len(item.text) <= MAX_TEXT + 4 for item in found)
        assert len(found) == 1
