"""A credited passage -> the REUSE snippet block to put around it.

In: Credits. Out: for each of their places the lines to insert before and after it, in the comment syntax of the file
(REUSE specification 3.3, `SPDX-SnippetBegin`). It refuses to write files.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from codecite.indexer.attribution.shipping import Credit, Notice, Place

_STYLES = {
    ("/* ", " */"): "c h css scss less",
    (
        "// ",
        "",
    ): "cc cpp cxx hh hpp hxx cs java js mjs cjs jsx ts tsx mts go rs swift kt kts scala dart php groovy "
    "gradle zig v proto sol m mm fs fsx jsonc vala",
    (
        "# ",
        "",
    ): "py pyi pyx sh bash zsh fish rb pl pm r jl yaml yml toml tcl cmake mk ex exs nix ps1 coffee awk "
    "gitignore dockerfile makefile gemfile rakefile cfg conf properties tf nim",
    ("-- ", ""): "sql lua hs lhs elm ada adb ads vhd vhdl",
    ("; ", ""): "lisp el clj cljs scm rkt asm ini",
    ("% ", ""): "tex sty cls erl hrl bib",
    ("<!-- ", " -->"): "html htm xml xhtml svg md markdown vue svelte xsl xslt",
    ("(* ", " *)"): "ml mli pas",
    ("! ", ""): "f90 f95 f03 f08",
    ("' ", ""): "vb bas vbs",
    ('" ', ""): "vim",
    ("REM ", ""): "bat cmd",
}
_OF_SUFFIX = {suffix: style for style, suffixes in _STYLES.items() for suffix in suffixes.split()}
_YEARS = re.compile(r"^(?:copyright|copr\.|\xa9|\([cC]\)|[\s:])+", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Snippet:
    """What to insert before line `place.start_line`, and after line `place.end_line`."""

    place: Place
    begin: tuple[str, ...]
    end: str


def comment_style(path: str) -> tuple[str, str]:
    """How a comment of one line begins and ends in the file; that of shells where the suffix is not known."""
    name = path.rpartition("/")[2].lower()
    return _OF_SUFFIX.get(name.rpartition(".")[2], ("# ", ""))


def snippets_of(notice: Notice) -> list[Snippet]:
    """A Snippet for each place of a Notice, by path and line."""
    found = [Snippet(place, *_block(credit, place)) for credit in notice.credits for place in credit.places]
    return sorted(found, key=lambda snippet: (snippet.place.path, snippet.place.start_line, -snippet.place.end_line))


def _block(credit: Credit, place: Place) -> tuple[tuple[str, ...], str]:
    head, tail = comment_style(place.path)
    return tuple(f"{head}{line}{tail}" for line in _lines(credit, place)), f"{head}SPDX-SnippetEnd{tail}"


def _lines(credit: Credit, place: Place) -> Iterator[str]:
    yield "SPDX-SnippetBegin"
    yield f"SPDX-License-Identifier: {credit.license}"
    for owner in credit.copyright or (f"the authors of {credit.project}",):
        yield f"SPDX-SnippetCopyrightText: {_YEARS.sub('', owner) or owner}"
    lines = f"{place.source_start_line}-{place.source_end_line}"
    yield f"SPDX-SnippetComment: {credit.project}, {place.source_path}, lines {lines}"
