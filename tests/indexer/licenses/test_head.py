"""A file's head tells its license tags and its copyright lines."""

from __future__ import annotations

import sysconfig
import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from codecite.indexer.licenses.head import HEAD, MAX_LINE, MAX_LINES, read_head
from codecite.indexer.records import EvidenceKind

COMMENTS = [
    b"# %s",
    b"// %s",
    b"/* %s */",
    b" * %s",
    b"\xef\xbb\xbf// %s",
    b"<!-- %s -->",
    b"<!--\n    %s\n-->",
    b"-- %s",
    b";; %s",
    b"%% %s",
    b"! %s",
    b".. %s",
    b'" %s',
    b"rem %s",
    b"dnl %s",
    b"{# %s #}",
    b"(* %s *)",
    b'"""%s"""',
    b"%s",
    b"#!/bin/sh\n# %s\r\nset -e",
]

MENTIONS = [
    b'TAG = "SPDX-License-Identifier: MIT"',
    b'"SPDX-License-Identifier: MIT",',
    b"    if 'SPDX-License-Identifier:' in line:",
    b'print("# SPDX-License-Identifier: MIT")',
    b"# SPDX-License-Identifier: <expression>",
    b"# SPDX-License-Identifier: {license}",
    b"# SPDX-License-Identifier: %s",
    b"# SPDX-License-Identifier with an exception",
    b"# SPDX-License-Identifier:",
    b"the tag ``SPDX-License-Identifier: MIT`` says so",
]

NOTICES = [
    "# Copyright 2020 A. Author",
    "/* Copyright (C) 1998-2003, A. Author <a@example.org> */",
    "// (c) 2020 A. Author",
    "COPYRIGHT (C) 1984 SOMEBODY",
    "copyright 1999 somebody",
    "© 2020 Jürgen Müller",
    ":copyright: Copyright 2006-present by the team",
    "SPDX-FileCopyrightText: 2020 A. Author",
]

NO_NOTICES = [
    "THE AUTHORS OR COPYRIGHT HOLDERS BE LIABLE FOR ANY CLAIM",
    "The above copyright notice and this permission notice shall be included",
    "return f(c) + g(C)",
    "for (c) in line:",
]


@pytest.mark.parametrize("comment", COMMENTS)
def test_a_tag_is_read_behind_the_comment_marks_of_many_languages(comment: bytes) -> None:
    """The tag's value ends where the comment does."""
    evidence, _ = read_head(comment % b"SPDX-License-Identifier: GPL-2.0+ OR mit" + b"\n\nint x;\n")
    assert [(item.kind, item.expression) for item in evidence] == [(EvidenceKind.SPDX_TAG, "GPL-2.0-or-later OR MIT")]
    assert evidence[0].text == "SPDX-License-Identifier: GPL-2.0+ OR mit"


@pytest.mark.parametrize("line", MENTIONS)
def test_code_that_mentions_the_tag_states_no_license(line: bytes) -> None:
    """A linter's source holds the tag in strings and patterns, and templates hold it with a placeholder."""
    assert read_head(b"import re\n" + line + b"\n")[0] == ()


def test_each_differing_tag_is_kept_with_its_line() -> None:
    """A file that states two licenses has two evidences."""
    evidence, _ = read_head(b"// SPDX-License-Identifier: MIT\n\n// SPDX-License-Identifier: ISC\n")
    assert [(item.where, item.expression) for item in evidence] == [("line 1", "MIT"), ("line 3", "ISC")]


def test_an_indented_tag_after_the_first_is_an_example() -> None:
    """A text about tags shows others than its own."""
    evidence, _ = read_head(b".. SPDX-License-Identifier: MIT\n\n   SPDX-License-Identifier: GPL-2.0\n")
    assert [item.expression for item in evidence] == ["MIT"]


def test_a_tag_cut_by_the_end_of_the_head_is_not_misread() -> None:
    """`GPL-2.0-or-later` never becomes `GPL-2.0` because 8 KiB ended there."""
    tag = b"# SPDX-License-Identifier: GPL-2.0-or-later\n"
    for cut in range(len(tag)):
        padding = b"#" * (HEAD - cut - 1) + b"\n"
        assert {item.expression for item in read_head(padding + tag + b"x = 1\n" * 9)[0]} <= {"GPL-2.0-or-later"}


@pytest.mark.parametrize("line", NOTICES)
def test_copyright_lines_are_kept_as_they_stand(line: str) -> None:
    """Only the white space around a line goes."""
    assert read_head(f"first\n  {line}  \r\nlast\n".encode())[1] == (line,)


@pytest.mark.parametrize("line", NO_NOTICES)
def test_the_prose_of_licenses_and_code_are_no_copyright_lines(line: str) -> None:
    """The word in a license's conditions, or a call of `f(c)`, says nothing of the holder."""
    assert read_head(line.encode())[1] == ()


def test_a_name_in_latin_1_is_readable() -> None:
    """A head that is not UTF-8 is read as Latin-1."""
    assert read_head("Copyright 1999 Jürgen Müller".encode("latin-1"))[1] == ("Copyright 1999 Jürgen Müller",)


def test_what_is_kept_is_bounded() -> None:
    """Minified code gives a piece of its line, and a list of contributors its first lines."""
    minified = b"var a=0;" * 50 + b"/*! (c) 2020 Somebody */" + b"var b=1;" * 500
    (line,) = read_head(minified)[1]
    assert "(c) 2020 Somebody" in line
    assert len(line) <= MAX_LINE
    many = b"".join(b"# Copyright 2020 No. %d\n" % number for number in range(100))
    assert len(read_head(many)[1]) == MAX_LINES


@given(
    st.lists(
        st.sampled_from(
            [
                b"SPDX-License-Identifier",
                b": ",
                b"MIT",
                b"# ",
                b"\n",
                b"\r",
                b"(c)",
                b" Copyright",
                b"\xff",
                b"\0",
                b"*/",
            ]
        ),
        max_size=40,
    ).map(b"".join)
    | st.binary(max_size=200)
)
def test_any_bytes_are_accepted(content: bytes) -> None:
    """Whatever the bytes are, the answer consists of lines of the text, in its order."""
    evidence, notices = read_head(content)
    lines = {line.strip() for line in content.decode("latin-1").split("\n")}
    lines |= {line.strip() for line in content.decode("utf-8", "replace").split("\n")}
    assert set(notices) <= lines
    assert all(item.expression is None or item.expression for item in evidence)


def test_a_head_is_read_in_some_microseconds() -> None:
    """The standard library's modules take less than 150 us each even on a busy machine (20 us on an idle one)."""
    contents = [path.read_bytes() for path in Path(sysconfig.get_paths()["stdlib"]).glob("*.py")]
    read_head(b"# SPDX-License-Identifier: MIT\n")
    spent = []
    for content in contents:
        begin = time.perf_counter()
        read_head(content)
        spent.append(time.perf_counter() - begin)
    assert sorted(spent)[len(spent) // 2] < 150e-6


def test_many_tags_on_one_line_cost_little() -> None:
    """Only the first begins where a tag may."""
    head = b"// " + b"SPDX-License-Identifier: MIT " * 280
    began = time.process_time()
    for _ in range(20):
        read_head(head)
    assert time.process_time() - began < 1
