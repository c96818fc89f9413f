"""What strangers may state of licences, by accident or not: read, or told as what nobody knows; never a crash."""

from __future__ import annotations

import time
from dataclasses import replace
from email.message import Message
from pathlib import Path

import pytest
from hypothesis import given
from license_expression import get_spdx_licensing
from oracle.expressions import choices, text_of, trees_of, written

from codecite.indexer import open_index
from codecite.indexer.attribution.policy import load_policy
from codecite.indexer.build import add
from codecite.indexer.corpus.sources import read_sources
from codecite.indexer.corpus.units import Reading
from codecite.indexer.licenses.categories import category
from codecite.indexer.licenses.effective import disagrees, effective
from codecite.indexer.licenses.expression import Node, normalize, parse
from codecite.indexer.licenses.head import read_head
from codecite.indexer.licenses.metadata import from_metadata
from codecite.indexer.licenses.notice import read_notice
from codecite.indexer.records import Outcome

TERMS = 10_000
LONG = " OR ".join(f"LicenseRef-{number}" for number in range(TERMS - 2)) + " OR MIT OR GPL-3.0-only"
CODE = "".join(f"def step_{number}(value):\n    return value * {number} + {number * number}\n" for number in range(40))
LEAVES = ["MIT", "ISC", "Zlib", "Apache-2.0", "GPL-2.0-only", "GPL-2.0-or-later WITH Classpath-exception-2.0"]


@given(trees_of(LEAVES))
def test_nested_expressions_mean_what_they_did(tree: object) -> None:
    """`license-expression` finds them equivalent, and every choice that they give is still there."""
    licensing = get_spdx_licensing()
    text = written(tree)
    found = normalize(text)
    assert found is not None
    assert licensing.is_equivalent(licensing.parse(text), licensing.parse(found))
    assert {leaf for choice in choices(tree) for leaf in choice} == {str(leaf) for leaf in _tree(found).leaves}
    assert normalize(found) == found


def _tree(expression: str) -> Node:
    tree = parse(expression)
    assert tree is not None
    return tree


@pytest.mark.parametrize(
    ("stated", "expression", "kind"),
    [
        ("GPL-2.0-only WITH Nobodys-exception", "GPL-2.0-only WITH AdditionRef-Nobodys-exception", "strong-copyleft"),
        ("MIT WITH Nobodys-exception", "MIT WITH AdditionRef-Nobodys-exception", "permissive"),
        ("Nobodys-1.0 WITH Classpath-exception-2.0", "LicenseRef-Nobodys-1.0 WITH Classpath-exception-2.0", "unknown"),
    ],
)
def test_an_unknown_exception_excepts_from_nothing(stated: str, expression: str, kind: str) -> None:
    """It is kept under a name of its own."""
    assert normalize(stated) == expression
    assert category(expression) == kind


@pytest.mark.parametrize("nesting", [300, 3000, 60_000])
def test_deep_nesting_is_read_or_is_no_expression(nesting: int) -> None:
    """Without an exception of the parser's, and soon."""
    began = time.monotonic()
    assert normalize("(" * nesting + "MIT" + ")" * nesting) in ("MIT", None)
    assert normalize("(MIT OR " * nesting + "ISC" + ")" * nesting) != "MIT"
    assert time.monotonic() - began < 20


def test_an_expression_of_ten_thousand_terms_is_a_licence_nobody_knows(tmp_path: Path) -> None:
    """In a tag, in metadata: it hides behind no weaker evidence, and no policy takes it for permissive."""
    began = time.monotonic()
    (tag,) = read_head(f"# SPDX-License-Identifier: {LONG}\n{CODE}".encode())[0]
    message = Message()
    message["License-Expression"] = LONG
    message["Classifier"] = "License :: OSI Approved :: MIT License"
    first, second = from_metadata(message)
    for expression in (tag.expression, first.expression):
        assert expression is not None
        assert expression.startswith("LicenseRef-")
        assert len(expression) < 100
        assert category(expression) == "unknown"
    assert second.expression == "MIT"
    assert effective([], [first, second]) == first.expression
    assert time.monotonic() - began < 5
    (tmp_path / "src").mkdir()
    (tmp_path / "src" / "LICENSE").write_text(text_of("MIT"))
    (tmp_path / "src" / "a.py").write_text(f"# SPDX-License-Identifier: {LONG}\n{CODE}")
    add(tmp_path / "index", read_sources([str(tmp_path / "src")], installed=False, reading=Reading()))
    report = open_index(tmp_path / "index").check(
        CODE, policy=replace(load_policy("permissive-only"), pass_over=frozenset())
    )
    assert report.verdict.outcome is not Outcome.PASS
    assert report.attributions[0].sources[0].origin.conflict


def test_a_licence_file_of_ten_megabytes_is_read_at_its_beginning(tmp_path: Path) -> None:
    """As fast as a small one, and the file that it stands near has its licence."""
    (tmp_path / "src").mkdir()
    (tmp_path / "src" / "LICENSE").write_text(text_of("ISC") + "\nnothing else is said here " * 400_000)
    assert (tmp_path / "src" / "LICENSE").stat().st_size > 10_000_000
    (tmp_path / "src" / "a.py").write_text(CODE)
    began = time.monotonic()
    add(tmp_path / "index", read_sources([str(tmp_path / "src" / "a.py")], installed=False, reading=Reading()))
    alone = time.monotonic() - began
    began = time.monotonic()
    add(tmp_path / "both", read_sources([str(tmp_path / "src")], installed=False, reading=Reading()))
    assert time.monotonic() - began < alone + 30
    (source,) = open_index(tmp_path / "both").check(CODE).attributions[0].sources
    assert source.origin.license == "ISC"


@pytest.mark.parametrize("encoding", ["latin-1", "utf-16", "utf-16-le", "utf-16-be", "cp1252"])
def test_licence_files_and_heads_in_other_encodings_are_read(tmp_path: Path, encoding: str) -> None:
    """Through the whole of `add`; UTF-16 behind its mark, as editors write it."""
    mark = {"utf-16-le": b"\xff\xfe", "utf-16-be": b"\xfe\xff"}.get(encoding, b"")
    holder = "Copyright © 2020 Jürgen Müller\n\n"
    (tmp_path / "src" / "inner").mkdir(parents=True)
    (tmp_path / "src" / "LICENSE").write_bytes(mark + (holder + text_of("BSD-3-Clause")).encode(encoding))
    (tmp_path / "src" / "a.py").write_text(CODE)
    head = f"# {holder.strip()}\n# Licensed under the Apache License, Version 2.0 (the License);\n"
    (tmp_path / "src" / "inner" / "b.py").write_bytes(mark + (head + CODE).encode(encoding))
    add(tmp_path / "index", read_sources([str(tmp_path / "src")], installed=False, reading=Reading()))
    report = open_index(tmp_path / "index").check(CODE)
    found = {source.origin.path: source.origin for item in report.attributions for source in item.sources}
    assert {path: origin.license for path, origin in found.items()} == {
        "a.py": "BSD-3-Clause",
        "inner/b.py": "Apache-2.0",
    }
    assert found["inner/b.py"].copyright == (f"# {holder.strip()}",)


def test_contradictory_metadata_are_a_conflict() -> None:
    """Whatever is said twice is kept twice."""
    message = Message()
    message["License-Expression"] = "MIT"
    message["License"] = "GPLv3"
    message["Classifier"] = "License :: OSI Approved :: Apache Software License"
    found = from_metadata(message)
    assert [item.expression for item in found] == ["MIT", "GPL-3.0-only", "LicenseRef-Apache"]
    assert effective([], found) == "MIT"
    assert disagrees("MIT", found)


@pytest.mark.parametrize(
    "head",
    [
        b"/*" + b" licensed under the terms of" * 200,
        b"# " + b"gnu general public license " * 150,
        b"// " + b"under the " * 400 + b"license",
        b"/* released under" + b" a" * 2000 + b" license */",
        b"// permission is hereby granted, free of charge, to any person obtaining a copy" * 50,
        b'"""' + b"licen" * 800,
        b"/*" * 2000 + b"license: gpl",
        b"# license: " + b"+" * 4000,
        b"# " + b"or, at your option " * 200 + b"gpl license",
        bytes(range(256)) * 16 + b"license",
    ],
)
def test_heads_that_repeat_words_of_licences_take_no_time(head: bytes) -> None:
    """No pattern goes back and back over them."""
    began = time.process_time()
    read_notice(head)
    assert time.process_time() - began < 1
