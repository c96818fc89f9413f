"""Notices in the heads of files, and what licence files hold, on the wordings that people use and on real files."""

from __future__ import annotations

import importlib.metadata
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from oracle.expressions import text_of

from codecite.indexer.licenses.comments import head_comments
from codecite.indexer.licenses.effective import disagrees, effective
from codecite.indexer.licenses.notice import NOTICE_HEAD, read_notice
from codecite.indexer.licenses.texts import TEXT_BYTES, licenses_in
from codecite.indexer.records import EvidenceKind, LicenseEvidence

GPL = (
    "This program is free software; you can redistribute it and/or modify it under the terms of the GNU General Public "
    "License as published by the Free Software Foundation; either version 2 of the License, or (at your option) any "
    "later version. This program is distributed in the hope that it will be useful, but WITHOUT ANY WARRANTY. See the "
    "GNU General Public License for more details. You should have received a copy of the GNU General Public License "
    "along with this program."
)
APACHE = (
    'Licensed under the Apache License, Version 2.0 (the "License"). Software distributed under the License is '
    'distributed on an "AS IS" BASIS, WITHOUT WARRANTIES OR CONDITIONS OF ANY KIND, either express or implied.'
)
BSD = text_of("BSD-3-Clause")
MIT = text_of("MIT")

WORDINGS = {
    GPL: "GPL-2.0-or-later",
    GPL.replace("either version 2 of the License, or (at your option) any later version", "version 2"): "GPL-2.0-only",
    GPL.replace("version 2", "version 3"): "GPL-3.0-or-later",
    GPL.replace("General", "Affero General").replace("version 2", "version 3"): "AGPL-3.0-or-later",
    GPL.replace("General", "Lesser General").replace("version 2", "version 2.1"): "LGPL-2.1-or-later",
    GPL.replace("General", "Library General"): "LGPL-2.0-or-later",
    GPL.replace("; either version 2 of the License, or (at your option) any later version", ""): "GPL-1.0-or-later",
    "You may use this file under version 2 of the GNU General Public License.": "GPL-2.0-only",
    "Licensed under the GPL-2 or later.": "GPL-2.0-or-later",
    "This file is released under the GPLv2.": "GPL-2.0-only",
    "Released under the GNU GPL, version 3.": "GPL-3.0-only",
    'Licensed under the Apache License, Version 2.0 (the "License"); you may not use this file': "Apache-2.0",
    "This Source Code Form is subject to the terms of the Mozilla Public License, v. 2.0.": "MPL-2.0",
    "The contents of this file are subject to the Mozilla Public License Version 1.1": "MPL-1.1",
    "made available under the terms of the Eclipse Public License v1.0 which accompanies": "EPL-1.0",
    "under the terms of the Eclipse Public License 2.0 which is available at": "EPL-2.0",
    "Distributed under the Boost Software License, Version 1.0.": "BSL-1.0",
    "This code is licensed under the MIT license.": "MIT",
    "Use of it is under the terms of the 3-clause BSD license.": "BSD-3-Clause",
    MIT: "MIT",
    BSD: "BSD-3-Clause",
    text_of("BSD-2-Clause"): "BSD-2-Clause",
    text_of("ISC"): "ISC",
    text_of("0BSD"): "0BSD",
    text_of("Zlib"): "Zlib",
    text_of("BSD-4-Clause"): "BSD-4-Clause",
    f"This file is dual-licensed: {GPL} Alternatively, {MIT}": "GPL-2.0-or-later OR MIT",
    f"{BSD} Some parts are under this: {MIT}": "BSD-3-Clause AND MIT",
    f"{APACHE} Some parts are under this: {MIT}": "Apache-2.0 AND MIT",
    f"Released under either BSD or GPL-2: {text_of('BSD-2-Clause')}": "BSD-2-Clause OR GPL-2.0-only",
    "Multiple-Licensed under the MPL 2.0, and the EPL 1.0 (https://example.org/license.html).": "EPL-1.0 OR MPL-2.0",
    "subject to the terms of either the GNU General Public License Version 2 only or the Common Development and "
    "Distribution License. You can obtain a copy at https://example.org/CDDL+GPL_1_1.html": (
        "CDDL-1.1 OR GPL-2.0-only"
    ),
    "under the terms of the GNU Lesser General Public License version 2.1 as published by the Free Software "
    "Foundation. Idle threads: in Java 21 and later they are virtual.": "LGPL-2.1-only",
    GPL + ' Oracle designates this particular file as subject to the "Classpath" exception.': (
        "GPL-2.0-or-later WITH Classpath-exception-2.0"
    ),
}
COMMENTS = {
    "c": ("/*\n", " * ", " */\n"),
    "c++": ("", "// ", ""),
    "shell": ("#!/bin/sh\n#\n", "# ", ""),
    "python": ('"""A module.\n\n', "", '"""\n'),
    "html": ("<!--\n", "  ", "-->\n"),
    "lisp": ("", ";; ", ""),
    "sql": ("", "-- ", ""),
    "haskell": ("{-\n", "", "-}\n"),
    "ocaml": ("(*\n", "   ", "*)\n"),
    "tex": ("", "% ", ""),
    "fortran": ("", "!  ", ""),
    "assembler": ("\n", "\t; ", ""),
    "m4": ("", "dnl ", ""),
    "java": ("package a.b;\n\n/**\n", " *   ", " **/\n"),
    "guarded": ("#ifndef A_H\n#define A_H\n/*****\n", " * ", "*****/\n"),
}


def wrapped(text: str, style: str, width: int) -> bytes:
    """The text in comments, in lines of some width."""
    head, leader, tail = COMMENTS[style]
    lines, line = [], ""
    for word in text.split():
        if line and len(line) + len(word) >= width:
            lines.append(line)
            line = ""
        line = f"{line} {word}".strip()
    return (head + "".join(f"{leader}{one}\n" for one in [*lines, line]) + tail + "\nint main;\n").encode()


@pytest.mark.parametrize("style", COMMENTS)
@pytest.mark.parametrize("expected", WORDINGS.items(), ids=lambda item: item[1])
def test_notices_are_read_in_every_kind_of_comment(expected: tuple[str, str], style: str) -> None:
    """However they are wrapped."""
    for width in (40, 72, 110):
        found = read_notice(wrapped(expected[0], style, width))
        assert found is not None
        assert (found.kind, found.expression) == (EvidenceKind.FILE_HEADER, expected[1])


def test_the_line_is_that_of_the_comment_that_grants() -> None:
    """Where lines are comments it is the line itself."""
    text = b"# one\n# two\n\n# Licensed under the\n# Apache License, Version 2.0\n"
    found = read_notice(text)
    assert found is not None
    assert found.where == "line 5"
    block = b"int x;\n/* one\n * Licensed under the MIT license.\n */\n"
    found = read_notice(block)
    assert found is not None
    assert found.where == "line 2"


@pytest.mark.parametrize(
    "text",
    [
        b'LICENSES = ["GPL-2.0", "MIT"]\nprint("licensed under the MIT license")\n',
        b"# Parses the output of gpl tools.\n",
        b"/* See the GNU General Public License for more details. */\n",
        b"x = 1\n" * 500 + b"# Licensed under the MIT license.\n",
        b"# You should have received a copy of the GNU General Public License along with this.\n",
        b"",
        b"\xff\xfe\x00/",
    ],
)
def test_what_grants_nothing_is_no_notice(text: bytes) -> None:
    """Names in code, in a phrase that only says where a copy is, far behind the head."""
    assert read_notice(text) is None


@pytest.mark.parametrize(
    "text",
    [
        b"// Use of this source code is governed by a BSD-style license that can be found in the LICENSE file.\n",
        b"/* This file is subject to the terms of the GNU General Public License. See the file COPYING in the main\n"
        b" * directory of this archive for more details. */\n",
    ],
)
def test_a_notice_that_points_to_a_file_leaves_it_to_the_file(text: bytes) -> None:
    """It is kept, without an expression."""
    found = read_notice(text)
    assert found is not None
    assert found.expression is None
    near = LicenseEvidence(EvidenceKind.LICENSE_FILE, "BSD-3-Clause", "LICENSE", "")
    assert effective([found, near]) == "BSD-3-Clause"


@given(st.binary(max_size=300), st.integers(0, 2))
def test_any_bytes_are_read(content: bytes, times: int) -> None:
    """Long comments, comments that do not end, bytes of any kind."""
    head_comments(content * 10**times)
    read_notice(b"/* licensed " + content * 10**times)


def test_only_the_head_is_looked_at() -> None:
    """A notice behind it does not count, whatever fills the head."""
    filler = b"// more words\n" * 2000
    assert read_notice(filler[:NOTICE_HEAD] + b"// Licensed under the MIT license.\n") is None


@pytest.mark.parametrize(
    ("name", "file", "expected"),
    [
        ("numpy", "LICENSE.txt", "BSD-3-Clause"),
        ("click", "LICENSE.txt", "BSD-3-Clause"),
        ("hypothesis", "LICENSE.txt", "MPL-2.0"),
        ("pytest", "LICENSE", "MIT"),
        ("flask", "LICENSE.txt", "BSD-3-Clause"),
        ("pip", "LICENSE.txt", "MIT"),
        ("pyarrow", "LICENSE.txt", "Apache-2.0"),
    ],
)
def test_licence_files_of_real_packages(name: str, file: str, expected: str) -> None:
    """The first licence that stands there is that of the package; what is bundled comes behind it."""
    paths = [path for path in importlib.metadata.files(name) or () if path.name == file and "dist-info" in str(path)]
    found = licenses_in(Path(paths[0].locate()).read_bytes())
    assert found[0] == expected


SPDX = [
    "MIT",
    "Apache-2.0",
    "BSD-2-Clause",
    "BSD-3-Clause",
    "ISC",
    "MPL-2.0",
    "EPL-2.0",
    "Unlicense",
    "Zlib",
    "CC0-1.0",
]


@pytest.mark.parametrize(
    "license", [*SPDX, "CC0-1.0", "BSL-1.0", "PSF-2.0", "Artistic-2.0", "MIT-0", "0BSD", "UPL-1.0"]
)
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "latin-1"])
def test_texts_of_the_spdx_list_are_recognised(license: str, encoding: str) -> None:
    """In any encoding, with other line ends and other white space."""
    text = text_of(license)
    for form in (text, text.replace("\n", "\r\n"), "\n\n   " + text.replace("\n", "\n    ")):
        assert licenses_in(form.encode(encoding, "ignore")) == (license,)


@pytest.mark.parametrize(
    ("license", "expected"),
    [
        ("GPL-2.0-only", "GPL-2.0"),
        ("GPL-3.0-or-later", "GPL-3.0"),
        ("LGPL-2.1-only", "LGPL-2.1"),
        ("AGPL-3.0-only", "AGPL-3.0"),
    ],
)
def test_the_text_of_a_gnu_licence_does_not_grant_later_versions(license: str, expected: str) -> None:
    """What the metadata declares says which; without it no later version is granted."""
    text = text_of(license)
    assert licenses_in(text.encode()) == (expected,)
    item = LicenseEvidence(EvidenceKind.LICENSE_FILE, expected, "COPYING", "")
    for declared in (f"{expected}-only", f"{expected}-or-later"):
        stated = LicenseEvidence(EvidenceKind.PACKAGE_METADATA, declared, "License", declared)
        assert effective([], [item, stated]) == declared
        assert not disagrees(declared, [item, stated])
    assert effective([item]) == f"{expected}-only"


def test_huge_licence_files_are_read_at_their_beginning() -> None:
    """10 MB, in a moment; what is no text is no licence."""
    assert licenses_in(MIT.encode() + b"\nlorem ipsum " * 900_000) == ("MIT",)
    assert licenses_in(b"x" * TEXT_BYTES + MIT.encode()) == ()
    assert licenses_in(bytes(range(256)) * 4000) == ()
    assert licenses_in(b"") == ()


def item(kind: EvidenceKind, expression: str | None) -> LicenseEvidence:
    """Some evidence."""
    return LicenseEvidence(kind, expression, "somewhere", "")


FILE, META, HEAD, TAG = (
    EvidenceKind.LICENSE_FILE,
    EvidenceKind.PACKAGE_METADATA,
    EvidenceKind.FILE_HEADER,
    EvidenceKind.SPDX_TAG,
)


@pytest.mark.parametrize(
    ("own", "package", "expected", "conflict"),
    [
        ([], [(FILE, "Apache-2.0"), (FILE, "MIT"), (META, "Apache-2.0 OR MIT")], "Apache-2.0 OR MIT", False),
        ([], [(FILE, "Apache-2.0"), (FILE, "MIT")], "Apache-2.0 AND MIT", False),
        ([], [(FILE, "BSD-3-Clause AND MIT"), (META, "BSD-3-Clause")], "BSD-3-Clause", False),
        ([], [(FILE, "BSD-3-Clause"), (META, "LicenseRef-BSD")], "BSD-3-Clause", False),
        ([], [(FILE, "BSD-3-Clause"), (META, "MIT")], "BSD-3-Clause", True),
        ([], [(FILE, None), (META, "MIT")], "MIT", False),
        ([(FILE, "ISC")], [(FILE, "MIT"), (META, "MIT")], "ISC", True),
        ([(HEAD, "GPL-2.0-only")], [(FILE, "MIT"), (META, "MIT")], "GPL-2.0-only", True),
        ([(TAG, "GPL-2.0-only WITH Linux-syscall-note"), (HEAD, "GPL-2.0-only")], [], None, False),
        ([(TAG, "GPL-2.0-only OR MIT"), (HEAD, "MIT")], [], "GPL-2.0-only OR MIT", False),
        ([(HEAD, "GPL-2.0-only OR LicenseRef-BSD"), (FILE, "BSD-3-Clause")], [], "BSD-3-Clause OR GPL-2.0-only", False),
        ([(HEAD, "BSD-2-Clause OR LicenseRef-GPL"), (FILE, "GPL-2.0")], [], "BSD-2-Clause OR GPL-2.0-only", False),
        ([(HEAD, "LicenseRef-BSD"), (FILE, "Apache-2.0")], [], "LicenseRef-BSD", True),
        ([], [(FILE, "BSD-2-Clause AND BSD-3-Clause AND MIT"), (META, "LicenseRef-BSD")], "BSD-2-Clause", False),
        ([], [(FILE, "GPL-2.0 AND GPL-3.0"), (META, "LicenseRef-GPL")], "LicenseRef-GPL", False),
        ([(FILE, "Apache-2.0 AND MIT")], [(FILE, "MIT"), (META, "MIT")], "Apache-2.0 AND MIT", False),
        ([(FILE, "GPL-2.0")], [(FILE, "GPL-2.0"), (META, "GPL-2.0-or-later")], "GPL-2.0-or-later", False),
        ([(HEAD, "GPL-1.0-or-later")], [(FILE, "GPL-2.0"), (META, "GPL-2.0-or-later")], "GPL-2.0-or-later", False),
        ([(HEAD, "GPL-1.0-or-later")], [(FILE, "MIT"), (META, "LGPL-2.1-only")], "GPL-1.0-or-later", True),
        ([(HEAD, "LGPL-2.0-or-later")], [(META, "LGPL-2.1-only")], "LGPL-2.1-only", False),
        ([(HEAD, "GPL-2.0-or-later")], [(META, "GPL-1.0-or-later")], "GPL-2.0-or-later", False),
        ([(TAG, "MIT"), (TAG, "ISC")], [(META, "GPL-3.0-only")], "ISC AND MIT", True),
        ([], [(FILE, "LGPL-3.0"), (FILE, "GPL-3.0"), (META, "LGPL-3.0-or-later")], "LGPL-3.0-or-later", False),
        ([], [(FILE, "Python-2.0.1"), (META, "PSF-2.0")], "PSF-2.0", False),
        ([], [], "NOASSERTION", False),
    ],
)
def test_evidence_together(
    own: list[tuple[EvidenceKind, str | None]],
    package: list[tuple[EvidenceKind, str | None]],
    expected: str | None,
    conflict: bool,
) -> None:
    """The strongest decides; texts and declarations speak together; what disagrees is said."""
    mine, whole = [item(*one) for one in own], [item(*one) for one in package]
    found = effective(mine, whole)
    assert found == (expected or own[0][1])
    assert disagrees(found, [*mine, *whole]) == conflict


@pytest.mark.parametrize(
    ("text", "where", "conflict"),
    [
        ("MIT", "Classifier", True),
        ("MIT", "pyproject.toml classifiers", True),
        ("MIT", "License", False),
        ("MIT AND Python-2.0", "Classifier", False),
        ("Zlib", "Classifier", True),
        (None, "Classifier", False),
    ],
)
def test_classifiers_that_the_licence_files_hold_in_part_disagree(text: str | None, where: str, conflict: bool) -> None:
    """They do not say whether all hold or one may be chosen, so it is shown."""
    stated = LicenseEvidence(META, "MIT AND PSF-2.0", where, "")
    evidence = [item(FILE, text), stated] if text else [stated]
    assert disagrees(effective([], evidence), evidence) == conflict


def test_a_choice_that_is_not_of_licences_does_not_hide_one() -> None:
    """Words of a choice count near the names only, not in what a file says of its parameters."""
    filler = "Reads the values of a table row by row and hands them on to the caller in the order of their keys. " * 5
    both = f"{APACHE} Some parts are under this: {MIT} {filler}"
    for more in ("Alternatively, give a list.", "Either the name or the number is looked up.", "Choose one of them."):
        found = read_notice(f"/* {both} {more} */\n".encode())
        assert found is not None
        assert found.expression == "Apache-2.0 AND MIT"
    found = read_notice(f"/* Choose one of these. {APACHE} Or: {MIT} {filler} */\n".encode())
    assert found is not None
    assert found.expression == "Apache-2.0 OR MIT"
