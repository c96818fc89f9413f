"""What a machine-readable `debian/copyright` says of a file follows Debian's copyright format 1.0."""

from __future__ import annotations

import fnmatch
import re
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from codecite.indexer.licenses.dep5 import MAX_LINES, MAX_TEXT, Copyright, license_of, paragraphs, parse
from codecite.indexer.records import EvidenceKind

FORMAT = "Format: https://www.debian.org/doc/packaging-manuals/copyright-format/1.0/\n"
TEXT = (
    FORMAT
    + """Upstream-Name: x
Files-Excluded: gone/*

Files: *
Copyright: 2010-2015, A. Author <a@example.org>
           2016 B. Author
License: GPL-2+

# a comment
Files: debian/* *.sh
       a/b?c
Copyright:
 2017 C. Author
 .
 2018 D. Author
License: Expat
 Permission is hereby granted.
 .
 Files: not a field

Files: src/gpl.sh
Copyright: nobody
License: public-domain

License: GPL-2+
 The text of it.
"""
)


def read(text: str) -> Copyright:
    """The stanzas, which there are."""
    found = parse(text)
    assert found is not None
    return found


def said(path: str, text: str = TEXT) -> tuple[str | None, tuple[str, ...]]:
    """The licence and the copyright lines of a file."""
    stanza = read(text).of(path)
    assert stanza is not None
    return stanza.evidence.expression, stanza.copyright


def matches(pattern: str, path: str) -> bool:
    """Whether a stanza with this one pattern applies to the path."""
    return read(f"{FORMAT}\nFiles: {pattern}\nLicense: X\n").of(path) is not None


def test_the_last_stanza_that_matches_applies() -> None:
    """More special stanzas stand behind the general ones."""
    assert said("src/x.c") == (
        "GPL-2.0-or-later",
        ("2010-2015, A. Author <a@example.org>", "2016 B. Author"),
    )
    assert said("debian/rules") == ("MIT", ("2017 C. Author", "2018 D. Author"))
    assert said("deep/in/x.sh")[0] == said("a/b/c")[0] == "MIT"
    assert said("src/gpl.sh")[0] == "LicenseRef-Public-Domain"


def test_the_evidence_names_its_line_and_the_words_that_stand_there() -> None:
    """So that a reader finds it."""
    stanza = read(TEXT).of("debian/rules")
    assert stanza is not None
    evidence = stanza.evidence
    assert (evidence.kind, evidence.where) == (EvidenceKind.DEP5, "debian/copyright line 17")
    assert evidence.text == TEXT.splitlines()[16] == "License: Expat"


@pytest.mark.parametrize(
    ("pattern", "path", "expected"),
    [
        ("*", ".hidden/x", True),
        ("*.in", "a/b/c.in", True),
        ("Makefile.in", "a/Makefile.in", False),
        ("*/Makefile.in", "a/b/Makefile.in", True),
        ("./src/*", "src/x", True),
        ("src/", "src/x", False),
        ("a?b", "a/b", True),
        ("[ab].c", "a.c", False),
        ("[ab].c", "[ab].c", True),
        (r"a\*b", "a*b", True),
        (r"a\*b", "axb", False),
        (r"a\?b", "a?b", True),
        (r"a\\b", r"a\b", True),
        ("a.c", "abc", False),
        ("*a*ab", "aab", True),
        ("*a\nb", "b", True),
    ],
)
def test_patterns_match_as_the_format_says(pattern: str, path: str, expected: bool) -> None:
    """`*` and `?` also match `/` and leading dots, and nothing else is special."""
    assert matches(pattern.replace("\n", "\n       "), path) is expected


@given(st.text("ab/*?.", min_size=1, max_size=12), st.text("ab/.", max_size=14))
def test_patterns_without_escapes_match_like_fnmatch(pattern: str, path: str) -> None:
    """The format names fnmatch(3) without its flag for path names."""
    plain = pattern.removeprefix("./")
    if plain:
        assert matches(pattern, path) is fnmatch.fnmatchcase(path, plain)


def test_hostile_patterns_do_not_take_long() -> None:
    """A regular expression that tried every place of every star would not end."""
    start = time.perf_counter()
    assert not matches("*a" * 200 + "b", "a" * 3000)
    assert time.perf_counter() - start < 5


@pytest.mark.parametrize(
    ("synopsis", "expected"),
    [
        ("GPL-2+", "GPL-2.0-or-later"),
        ("GPL-2", "GPL-2.0-only"),
        ("LGPL-2.1+", "LGPL-2.1-or-later"),
        ("Expat", "MIT"),
        ("Zope-2.1", "ZPL-2.1"),
        ("BSD-3-clause", "BSD-3-Clause"),
        ("Apache-2", "Apache-2.0"),
        ("CC-BY-SA-4", "CC-BY-SA-4.0"),
        ("CC0", "CC0-1.0"),
        ("GFDL-NIV-1.3+", "GFDL-1.3-no-invariants-or-later"),
        ("public-domain", "LicenseRef-Public-Domain"),
        ("Perl", "Artistic-1.0 OR GPL-1.0-or-later"),
        ("GPL", "LicenseRef-GPL"),
        ("our-own", "LicenseRef-our-own"),
        ("gpl-2+ OR expat", "GPL-2.0-or-later OR MIT"),
        ("GPL-1+ or Artistic-2.0", "Artistic-2.0 OR GPL-1.0-or-later"),
        ("ISC or Zlib and Expat", "(MIT AND Zlib) OR ISC"),
        ("ISC or Zlib, and Expat", "(ISC OR Zlib) AND MIT"),
        ("GPL-2+ or Artistic-2.0, and BSD-3-clause", "(Artistic-2.0 OR GPL-2.0-or-later) AND BSD-3-Clause"),
        ("ISC, Zlib or Expat", "ISC OR MIT OR Zlib"),
        ("ISC, Zlib, and Expat", "ISC AND MIT AND Zlib"),
        ("ISC, Zlib", "ISC AND Zlib"),
        ("ISC and/or Zlib", "ISC OR Zlib"),
        ("GPL-3+ with Autoconf exception", "GPL-3.0-or-later WITH Autoconf-exception-3.0"),
        ("GPL-2+ with Font exception or ISC", "GPL-2.0-or-later WITH Font-exception-2.0 OR ISC"),
        ("GPL-2 with Linux-syscall-note exception", "GPL-2.0-only WITH Linux-syscall-note"),
        ("GPL-2+ with OpenSSL exception", "GPL-2.0-or-later WITH AdditionRef-OpenSSL-exception"),
        ("BSD-3-clause-with-odd-numbers", "LicenseRef-BSD-3-clause-with-odd-numbers"),
        ("", None),
        ("none", None),
    ],
)
def test_short_names_and_their_joiners_become_spdx(synopsis: str, expected: str | None) -> None:
    """`and` binds closer than `or`, and a comma makes the one behind it weaker; what is on no list is kept."""
    assert license_of(synopsis) == expected


@pytest.mark.parametrize(
    "text", ["", "This package was debianized by X.\n\nCopyright: 2001 X\n", "Files: *\nLicense: X\n", FORMAT]
)
def test_free_text_is_not_machine_readable(text: str) -> None:
    """A first stanza with `Format` makes it so, and stanzas of files."""
    assert parse(text) is None
    assert parse(TEXT + " " * MAX_TEXT) is None


def test_a_stanza_that_lacks_its_license_says_so() -> None:
    """It hides the stanza before it all the same; long notices are bounded."""
    text = TEXT + "\nFiles: x.c\nCopyright:\n" + "".join(f" 20{n:02} X\n" for n in range(99))
    stanza = read(text).of("x.c")
    assert stanza is not None
    assert (stanza.evidence.expression, stanza.evidence.text) == (None, "no License")
    assert len(stanza.copyright) == MAX_LINES


def test_stanzas_are_read_as_debian_writes_them() -> None:
    """Names in any case, values that begin on the next line, comments; what is no field is passed over."""
    found = paragraphs("\n\nNAME: a: b\nOther:\n c\n\td\n# no\nname: second\n   \nstray\nX-Y:z\r\n")
    assert [{name: field.lines for name, field in fields.items()} for fields in found] == [
        {"name": ("a: b",), "other": ("", "c", "d")},
        {"x-y": ("z",)},
    ]
    assert (found[0]["other"].line, found[1]["x-y"].line) == (4, 11)


@given(st.text("ab:* ,\\\n#?()./-+", max_size=60))
def test_any_text_is_read_without_failing(text: str) -> None:
    """It comes from strangers."""
    found = parse(f"{FORMAT}\nFiles: {text}\nLicense: {text}\n\n{text}")
    assert found is None or found.of("a/b") is None or found.of("a/b") in found.stanzas
    license_of(text)


def test_real_files_give_an_expression_for_every_license(require: Callable[..., None]) -> None:
    """Those of the packages on this machine, if it is Debian's: each synopsis becomes one, and `*` matches anything."""
    require("dpkg")
    texts = [path.read_text("utf-8", "replace") for path in sorted(Path("/usr/share/doc").glob("*/copyright"))[::12]]
    machine_readable = [text for text in texts if re.match(r"Format: *https?://www\.debian\.org/doc/packaging", text)]
    for text in machine_readable:
        found = parse(text)
        if found is not None:
            for stanza in found.stanzas:
                synopsis = stanza.evidence.text.removeprefix("License: ")
                assert stanza.evidence.expression or synopsis.lower() in ("no license", "none", "unknown")
                assert "*" not in stanza.patterns or found.of("some/file.c") is not None
