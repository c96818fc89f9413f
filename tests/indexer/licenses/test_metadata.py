"""A distribution's metadata states its license, and the strongest evidence decides."""

from __future__ import annotations

import email
from email.message import Message

from codecite.indexer.licenses.effective import effective, strongest_first
from codecite.indexer.licenses.metadata import MAX_TEXT, from_metadata
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
