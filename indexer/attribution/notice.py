"""A line of a passage -> how many of its letters belong to a licence or copyright notice.

In: a line as bytes, with the part of it that counts. Out: counts of letters. It refuses to know which licence it is,
and what follows from the counts: `indexer/attribution/marks.py` has that rule.

A line is *of a notice* if it is short (at most 300 bytes) and names who holds the rights or the licence: `Copyright`
or `(c)` with a year, a name or a sign beside it, `All rights reserved`, an SPDX tag, `Author:`, `Licensed under`, `This
file is part of`, a mail address outside a call or an assignment. Of any other line, it is if at least 65 % of its
letters belong to words that notices are written in (`indexer/attribution/notice_words.py`), and it holds at most two
of the signs `= { } [ ] & | +`, which code is full of. Words are runs of letters, in small letters.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from codecite.indexer.attribution.notice_words import LEGAL, PLAIN

_KNOWN = LEGAL | PLAIN
LETTERS = bytes(
    code | 32 if 65 <= code <= 90 or 97 <= code <= 122 else code if code >= 128 else 32 for code in range(256)
)
"""Makes capitals small and blanks what is no letter; bytes outside ASCII are letters."""
_SHARE = 0.65
_SHORT = 300
_CODE = bytes(set(range(256)) - set(b"={}[]&|+"))
_CODE_ALLOWED = 2
_NAMES = re.compile(
    rb"(?:[Cc]opyright|COPYRIGHT|[Cc]opr\.)\W{0,3}(?:\([Cc]\)|\xc2\xa9|\xa9|by\b|[12]\d\d\d|[A-Z])"
    rb"|(?:\([Cc]\)|\xc2\xa9|\xa9|&copy;)\W{0,3}(?:[Cc]opyright\W{0,3})?[12]\d\d\d"
    rb"|^\W*(?:\([Cc]\)|\xc2\xa9|\xa9)\s[A-Z]|[Aa][Ll][Ll]\W{1,9}[Rr][Ii][Gg][Hh][Tt][Ss]\W{1,9}[Rr]eserved|SPDX-[A-Z]"
    rb"|^\W*@(?:copyright|licen[sc]e|author|preserve)\b|^\W*(?:[Ll]icen[sc]ed under|[Tt]his file is part of)\s"
    rb"|^\W*(?:[Cc]opyright|[Ll]icen[sc]e|[Aa]uthors?|AUTHORS?|[Mm]aintainers?|[Ww]ritten by|[Cc]ontributed by)"
    rb"\s*:?\s+[A-Z<]"
)
_MAIL = re.compile(rb"\w@[\w-]+\.[a-z]")
_CALL = re.compile(rb"\(['\"]|=")


class Letters(NamedTuple):
    """How many letters there are, how many stand in lines of a notice, how many of those are of legal words."""

    all: int
    notice: int
    legal: int


def may_be_notice(words: list[bytes]) -> bool:
    """Whether the words leave room for a notice; a cheap test before the lines are looked at."""
    return sum(1 for word in words if word in LEGAL) * 20 >= len(words)


def letters_of(line: bytes, part: bytes) -> Letters:
    """Counts the letters of a part of a line; the whole line says whether it is of a notice."""
    words = part.translate(LETTERS).split()
    size = sum(map(len, words))
    if not size:
        return Letters(0, 0, 0)
    if len(line) <= _SHORT and _names(line):
        return Letters(size, size, size // 2)
    whole = words if part == line else line.translate(LETTERS).split()
    letters = size if whole is words else sum(map(len, whole))
    known = sum(len(word) for word in whole if word in _KNOWN)
    if known >= _SHARE * letters and (known == letters or len(line.translate(None, _CODE)) <= _CODE_ALLOWED):
        return Letters(size, size, sum(len(word) for word in words if word in LEGAL))
    return Letters(size, 0, 0)


def _names(line: bytes) -> bool:
    """Whether a line names who holds the rights, or the licence, and so is of a notice whatever else it says."""
    return _NAMES.search(line) is not None or (
        b"@" in line and _MAIL.search(line) is not None and _CALL.search(line) is None
    )
