"""Lines of code -> which of them import something, in whatever language.

In: lines as bytes, and the text that stands before them. Out: a kind for each line. It refuses to know in which
language the lines are written, and what follows from a kind: `indexer/attribution/marks.py` has that rule.

A line is judged by its form alone, so the forms are strict: what follows the key word is a name, a path or a quoted
string and then the line ends, as no sentence and hardly any other statement does ("import the data" is no import).

* `IMPORT`: a declaration that makes names of other files or packages known, or says which package this is:
  `import`, `from ... import`, `export ... from`, `#include`, `use`, `using`, `require`, `package`, `namespace`,
  `mod`, `extern crate`, `library`, `open`, `source`, in their known spellings, `x = require("y")`, and the two lines
  that begin an include guard. One that opens a bracket or ends in a comma or a backslash goes on until it is closed,
  as long as its lines hold nothing but names.
* `GUARD`: what commonly stands around them and says nothing itself: preprocessor conditions, `extern "C" {`, `try:`,
  `except ImportError:`, `if TYPE_CHECKING:`, attributes, `<?php`, `"use strict"`, a bracket that closes something.
* `BLANK`: white space, no letter or digit at all, `#!/bin/sh`, or a note to editors (`-*- coding: utf-8 -*-`).
* `COMMENT`: a line that begins as a comment does, or lies in a block comment that was opened above.
* `OTHER`: all else.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from enum import IntEnum
from itertools import islice


class LineKind(IntEnum):
    """What a line is, by its form."""

    BLANK = 0
    COMMENT = 1
    GUARD = 2
    IMPORT = 3
    OTHER = 4


_LONGEST = 1000
"""A line longer than this is no import: minified code is not looked into."""
_BACK = 60
"""How many lines before the first are looked at for an open bracket."""

_LIST = rb"[\w$*@.:\\/\s,{}'\"-]*"
_ITEM = rb"(?:type\s+)?[\w$*.:\\@/-]+(?:\s+(?:as|=>|hiding)\s+[\w$*]+)?"
_ITEMS = rb"{?\s*" + _ITEM + rb"(?:\s*,\s*" + _ITEM + rb")*\s*,?\s*}?"
_QUOTED = rb"(?:\"[^\"\n]*\"|'[^'\n]*'|<[\w./+-]+>|`[^`\n]*`)"
_END = rb"\s*;*\s*(?:(?://|#|--|/\*).*)?$"

_COMPLETE = re.compile(
    rb"(?:"
    # C, C++, Objective-C, assembler, device trees; Erlang; CSS
    rb"#\s*(?:include(?:_next)?|import|using)\b\s*(?:" + _QUOTED + rb"|\w+(?:\([\w,\s./]*\))?)"
    rb"|#\s*pragma\s+once|[@.%]?(?:include|import|use)\s+" + _QUOTED + rb"(?:\s+as\s+[\w*]+)?"
    rb"|-include(?:_lib)?\(.*\)\.?|@import\s+[\w.]+|@import\s+url\([^()]*\)"
    # Python, Java, Kotlin, Scala, Groovy, Swift, D, Haskell, Julia, Elixir
    rb"|from\s+[\w.]+\s+c?import\s+(?:\(\s*" + _LIST + rb"\)|" + _ITEMS + rb"|\*)"
    rb"|(?:public\s+|@testable\s+)?c?import\s+(?:(?:static|qualified|struct|class|func|enum|protocol|type)\s+)?"
    rb"(?:" + _ITEM + rb"(?:\s*,\s*" + _ITEM + rb")*|[\w.]+\.{" + _LIST + rb"(?:=>" + _LIST + rb")*})"
    rb"(?:\s+qualified)?(?:\s+as\s+[\w.]+)?(?:\s+hiding)?(?:\s*\([\w\s,.()']*\))?"
    rb"|(?:package|module)\s+(?:object\s+)?[\w.:]+(?:\s*;|\s*$|\s+where$)"
    # JavaScript, TypeScript, Dart
    rb"|(?:import|export)\s+(?:type\s+)?(?:[\w$]+\s*,\s*)?(?:[\w$]+|\*(?:\s+as\s+[\w$]+)?|{[\w$\s,*'\"-]*})\s+from\s*"
    + _QUOTED
    + rb"(?:\s+(?:with|assert)\s*{.*})?"
    rb"|(?:import\s+|export\s+)?(?:const|let|var|local|my|import|export\s+import)?\s*(?:[\w$]+|{[\w$\s,:]*})\s*=\s*"
    rb"(?:\w+\()?(?:await\s+)?(?:require|import|@import)\s*(?:\(\s*" + _QUOTED + rb"\s*\)|" + _QUOTED + rb")"
    rb"\)?(?:\.[\w$]+)*\s*,?"
    rb"|(?:import|export|part|library)\s+" + _QUOTED + rb"(?:\s+(?:as|show|hide)\s+[\w\s,]+)?|part\s+of\s+[\w.'\"/]+"
    # Go
    rb"|import\s+[\w.]+\s+\"[^\"\n]*\""
    # Rust, PHP, Perl, C#, C++, Fortran, F#, OCaml
    rb"|(?:pub(?:\([\w\s:]+\))?\s+)?(?:mod|extern\s+crate)\s+\w+(?:\s+as\s+\w+)?\s*;"
    rb"|(?:pub(?:\([\w\s:]+\))?\s+)?use\s+(?:function\s+|const\s+)?[\w:\\.*]+(?:\s*{" + _LIST + rb"})?(?:\s+as\s+\w+)?"
    rb"(?:\s*,\s*[\w:\\.]+(?:\s+as\s+\w+)?)*\s*;"
    rb"|(?:use|no)\s+[\w:.]+(?:\s+[\d._]+)?(?:\s+(?:qw\s*[(/\[{<][^()]*[)/\]}>]|"
    + _QUOTED
    + rb"(?:\s*(?:,|=>)\s*"
    + _QUOTED
    + rb")*))?\s*;"
    rb"|use\s*(?:,\s*\w+\s*::\s*)?\w+\s*,\s*only\s*:\s*[\w\s,=>()*/+&-]*"
    rb"|(?:global\s+)?using\s+(?:static\s+|namespace\s+)?[\w.:]+\s*;|(?:global\s+)?using\s+\w+\s*=\s*[\w.:]+\s*;"
    rb"|extern\s+alias\s+\w+|open\s+!?[A-Z][\w.]*|(?:alias|use)\s+[A-Z]\w*(?:\.\w+)+"
    # PHP, Ruby, Perl, Lua, R, shell, CMake
    rb"|namespace\s+[\w\\.:]+\s*;|(?:require|include)(?:_once|_relative)?\s*\(?\s*(?:__DIR__\s*\.\s*|dirname\(__FILE__\)\s*"
    rb"\.\s*)?" + _QUOTED + rb"\s*\)?(?:\.\w+)*|require\s+[\w:.]+\s*;"
    rb"|(?:suppress\w+\()?(?:library|require|requireNamespace|source|include)\(\s*['\"]?[\w./-]+['\"]?"
    rb"(?:\s*,\s*[\w.]+\s*=\s*[\w\"']+)*\s*\)+"
    rb"|importFrom\([\w.\",\s%]*\)|(?:source|\.)\s+[\w./$\"{}~-]*[./][\w./$\"{}~-]*"
    # Protocol buffers
    rb"|syntax\s*=\s*\"proto\d\"|import\s+(?:public|weak)\s+" + _QUOTED + rb")" + _END
)

_GUARD = re.compile(
    rb"(?:#\s*(?:ifn?def\s+\w+|(?:el)?if\s+[!\s(]*(?:defined|IS_ENABLED|__has_include)?[\s(]*[\w<>./\"]+[\s)]*"
    rb"(?:(?:&&|\|\||[<>=!]=?)[!\s(]*(?:defined)?[\s(]*[\w.]+[\s)]*)*|else|endif|define\s+\w+|undef\s+\w+"
    rb"|pragma\s+\w+(?:\s+[\w-]+){0,3})\s*(?:(?://|/\*).*)?$"
    rb"|#!?\[.*\]$|extern\s+\"C\"\s*{?$|}\s*(?:(?://|/\*).*)?$|try:$|try\s*{$|except(?:\s+\w*(?:Import|NotFound)Error)?"
    rb"(?:\s+as\s+\w+)?:|pass$|else:$|if\s+(?:typing\.|t\.)?TYPE_CHECKING:$|<\?php$|<\?(?:hh)?$|['\"]use strict['\"];?$"
    rb"|declare\(strict_types=1\);|namespace\s+[\w:]*\s*{$|__metaclass__\s*=\s*type$|/dts-v1/;$|/plugin/;$|[)}\]]+;?$)"
)

# Heads of declarations that go on: a bracket is left open, or the line ends in a comma or a backslash.
_OPEN = re.compile(
    rb"(?:(?:from\s+[\w.]+\s+c?import|import\s*(?:type)?(?:\s+[\w$]+\s*,)?|import\s+[\w.]+\.|import\s+(?:qualified\s+)?"
    rb"[\w.]+(?:\s+(?:qualified\s+)?(?:as\s+\w+)?)?(?:\s+hiding)?|(?:pub(?:\([\w\s:]+\))?\s+)?use\s+(?:function\s+)?[\w:\\]*"
    rb"|use\s+[\w:]+\s+qw)\s*[({](?!.*[)}]\s*;?$)" + _LIST + rb"$"
    rb"|(?:from\s+[\w.]+\s+)?c?import\s+[\w.]+(?:\s+as\s+\w+)?(?:\s*,\s*[\w.]+(?:\s+as\s+\w+)?)*\s*,?\s*\\$"
    rb"|(?:from\s+[\w.]+\s+)c?import\s+\\$|from\s+[\w.]+\s+\\$|use\s+[\w\\:]+(?:\s+as\s+\w+)?,$)"
)
# Heads that are declarations only if their end says `from` or `require`.
_MAYBE = re.compile(rb"(?:(?:const|let|var)|export(?:\s+type)?)\s*{(?!.*})" + _LIST + rb"$")
_INNER = re.compile(rb"(?:" + _LIST + rb"(?:(?:=>|\()" + _LIST + rb")?\)?)\s*,?\s*\\?\s*(?:(?:#|//|--).*)?$")
_CLOSING = re.compile(rb"[^()]*[)}]+\s*(?:from\s*" + _QUOTED + rb"|=\s*require\(.*\))?\s*[;,]*\s*(?:(?:#|//|--).*)?$")
_SAYS_FROM = re.compile(rb"}\s*(?:from\b|=\s*(?:await\s+)?(?:require|import)\b)")

_COMMENT = re.compile(
    rb"(?://|/\*|\*(?:[\s/*]|$)|#(?!\[|!\[)|--(?:[\s\-\[]|$)|;+(?:\s|$)|%+(?:\s|$)|!+(?:\s|$)|<!--|{-|\(\*|dnl\b|rem\s|REM\s"
    rb"|\.\.(?:\s|$)|'\s|\"\s)"
)
_BLOCKS = ((b"/*", b"*/"), (b"<!--", b"-->"), (b"{-", b"-}"))
_SPEAKS = re.compile(rb"[0-9A-Za-z\x80-\xff]")
_EDITORS = re.compile(rb"#!\s*/|\W+(?:-\*-.*-\*-|vim?:\s|coding[=:]\s*[\w-]+\W*$)")
FIRST_WORDS = frozenset(
    b"alias cimport const crate declare export extern from global import importfrom include let library local mod"
    b" module my namespace open package part pragma pub public require source syntax use using var ifndef ifdef".split()
)
"""Without one of these words (in small letters) no line is an import, unless a bracket was open before it."""


def may_go_on(before: bytes) -> bool:
    """Whether a declaration that was begun in the lines `before` may be open at their end."""
    return before.rstrip().endswith((b",", b"(", b"{", b"\\"))


def kinds_of(lines: Sequence[bytes], before: bytes = b"") -> Iterator[LineKind]:
    """The kind of each line, one by one; the lines `before` may have opened a comment or a bracket."""
    block = _opened(before) if before else b""  # what closes the comment that is open
    if not block and may_go_on(before):
        back = _open_since(before.rstrip().split(b"\n"), lines[0])
        if back:
            kinds = kinds_of([*back, *lines])
            yield from islice(kinds, len(back), None)
            return
    head = b""  # the line in which the open declaration began
    waiting: list[LineKind] | None = None  # kinds of lines of what may turn out to be no declaration
    guard = b""
    for line in lines:
        text = b" ".join(line.split())
        speaks = _SPEAKS.search(text)
        if block:
            kind = LineKind.COMMENT if speaks else LineKind.BLANK
            if block in text:
                block = b""
        elif len(text) > _LONGEST:
            kind, head = LineKind.OTHER, b""
        elif not speaks:
            kind = LineKind.BLANK
            block = _opened(text)
            if head and _CLOSING.match(text):
                head = b""
        elif head and _COMMENT.match(text):
            kind = LineKind.COMMENT
        elif head and _CLOSING.match(text):
            kind, head = LineKind.IMPORT, b""
            if waiting is not None and _SAYS_FROM.search(text):
                yield from waiting
                waiting = None
        elif head and _INNER.match(text):
            kind = LineKind.IMPORT
            if _ends(head, text):
                head = b""
        else:
            head = b""
            kind = _alone(text)
            if kind is LineKind.COMMENT:
                block = _opened(text)
            elif kind is LineKind.GUARD:
                words = text.split()
                if words[0] == b"#define" and words[1:2] == [guard]:
                    kind = LineKind.IMPORT
                guard = words[1] if words[0] == b"#ifndef" and len(words) > 1 else b""
            elif kind is LineKind.OTHER and (_OPEN.match(text) or _MAYBE.match(text)):
                if waiting is not None:
                    yield from [LineKind.OTHER] * len(waiting)
                kind, head = LineKind.IMPORT, text
                waiting = None if _OPEN.match(text) else []
        if waiting is not None:
            waiting.append(kind)
            if head:
                continue
            yield from [LineKind.OTHER] * len(waiting)
            waiting = None
            continue
        yield kind
    if waiting is not None:
        yield from waiting


def _open_since(before: Sequence[bytes], first: bytes) -> list[bytes]:
    """The last lines before `first` from the one on that opened a declaration which goes on in `first`, if any."""
    text = b" ".join(first.split())
    if len(text) > _LONGEST or _alone(text) is LineKind.IMPORT or not (_INNER.match(text) or _CLOSING.match(text)):
        return []
    for back in range(1, min(len(before), _BACK) + 1):
        text = b" ".join(before[-back].split())
        if len(text) > _LONGEST or _COMPLETE.match(text):
            return []
        if _OPEN.match(text) or _MAYBE.match(text):
            return list(before[-back:])
        if text and not (_INNER.match(text) or _COMMENT.match(text)):
            return []
    return []


def _alone(text: bytes) -> LineKind:
    """The kind of a line that nothing above is open for; its white space is single blanks."""
    if _EDITORS.match(text):
        return LineKind.BLANK
    if _COMPLETE.match(text):
        return LineKind.IMPORT
    if _GUARD.match(text):
        return LineKind.GUARD
    return LineKind.COMMENT if _COMMENT.match(text) and not _DIRECTIVE.match(text) else LineKind.OTHER


_DIRECTIVE = re.compile(rb"#\s*define\s+\w+[\s(]")


def _ends(head: bytes, text: bytes) -> bool:
    """Whether a line without a bracket ends the declaration that `head` began without one."""
    if head.endswith((b"\\", b",")) and not re.search(rb"[({][^)}]*$", head):
        return not text.endswith((b"\\", b","))
    return False


def _opened(text: bytes) -> bytes:
    """What closes the block comment that this line leaves open, if any."""
    for begin, end in _BLOCKS:
        at = text.rfind(begin)
        if at >= 0 and end not in text[at + len(begin) :]:
            return end
    return b""
