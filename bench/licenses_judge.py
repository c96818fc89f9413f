"""Whether the licence read from a head is the one that someone else states of the file, and if not, whose word differs.

In: two SPDX expressions, that stated elsewhere (a tag that was taken out, a Debian `copyright`) and that read, and the
words of the head. Out: one Outcome. It refuses to know how the notice was read: by a crude list of words of its own it
asks only whether the head says what the other states.

What the head does not say cannot be read from it, and what it says is not wrong because the other says otherwise. So a
difference counts as `wrong` unless all that is missing stands in no words of the head, and all that is more does.
"""

from __future__ import annotations

import re
from enum import Enum

from codecite.indexer.licenses.expression import Node, normalize, parse


class Outcome(Enum):
    """How what was read compares; the text is what the table prints."""

    RIGHT = "the same expression"
    EXCEPTION = "the same but for an exception that the head does not state"
    FILE = "the head leaves it to a licence file, and names no version"
    FAMILY = "the head names a family (a GNU licence without version, BSD without its text)"
    LATER = "the head and the other differ in versions (`or later`, `only`)"
    FEWER = "the head states fewer of the licences"
    OTHER = "the head states other licences, too, or instead"
    NONE = "a notice, and nothing read (NOASSERTION)"
    WRONG = "wrong"


APART = (Outcome.EXCEPTION, Outcome.FILE, Outcome.FAMILY, Outcome.LATER, Outcome.FEWER, Outcome.OTHER)
"""Not for the reader of notices to decide: counted, not judged."""

_GNU = re.compile(r"(A|L)?GPL-([123])\.([01])-(only|or-later)")
_LATER = r"later|newer|higher|subsequent|[123](?:\.\d)?\+|\+\)|or above|greater"
_BSD = r"redistribution and use|redistributions? of source"
_VERSIONED = re.compile(
    r"(?:public licen[cs]e|\b[al]?gpl)[ ,.(-]*(?:as published[^.;]*[;,]? ?)?(?:either )?(?:version|v)?[ .]*"
    r"([123](?:\.1)?)\b"
    r"|version ([123](?:\.1)?)(?:\.0)?,? (?:of the|\(?only|or (?:any )?later)|\b[al]?gplv?[ -]?([123](?:\.1)?)"
    r"|licen[cs]e,? v(?:ersion)?[ .]*([123](?:\.1)?)"
)
_EXCEPTION = re.compile(
    r"\b(?:special|linking|library|font|syscall|classpath)\W+exception|\bas an? exception|exception to the"
)
_WORDS = {
    "0BSD": r"permission to use, copy|0bsd|zero.clause",
    "Apache-2.0": r"apache",
    "Artistic-1.0": r"artistic|same terms as perl",
    "BSD-2-Clause": rf"{_BSD}|(?:2|two)[- ]clause|simplified bsd",
    "BSD-3-Clause": rf"{_BSD}|(?:3|three)[- ]clause|(?:new|modified|revised) bsd",
    "BSD-4-Clause": r"advertising",
    "CC0-1.0": r"\bcc0|creative commons",
    "ISC": r"permission to use, copy|\bisc\b",
    "Linux-OpenIB": r"openib",
    "MIT": r"permission is hereby granted(?!.*except as contained in this notice, the name)"
    r"|\bmit[ /-](?:licen|x11|style|gpl)|gpl.{0,30}\bmit\b",
    "X11": r"permission is hereby granted|\bx11\b",
    "FSFAP": r"any medium",
    "FSFULLR": r"unlimited permission",
    "FSFULLRWD": r"unlimited permission",
    "HPND": r"permission to use, copy",
    "HPND-sell-variant": r"permission to use, copy",
    "Zlib": r"as[- ]is|zlib",
    "LicenseRef-BSD": r"\bbsd",
    "LicenseRef-GPL": r"gnu|\bgpl",
}
_GRANT = re.compile(
    r"\b(?:licen[cs]ed|released|(?:re)?distributed?|covered|governed|published|provided|placed|used?|modify|subject)\b"
    r"[^.;]{0,60}\b(?:under|by|to|of)\b[^.;]{0,60}(?:licen[cs]e\b|\b[al]?gpl)"
    r"|permission is hereby granted|permission to use, copy|redistribution and use in source|\blicen[cs]e: ?\S"
)


def holds_notice(words: str) -> bool:
    """Whether the words of a head grant a licence, by the crudest of rules."""
    return _GRANT.search(words) is not None


def judge(stated: str, found: str | None, words: str, *, notice: bool) -> Outcome:
    """How what was `found` in a head of these words (lower case) compares with what is `stated` elsewhere.

    `notice` says whether the reader saw a notice at all.
    """
    if found is None:
        return Outcome.FILE if notice else Outcome.NONE
    if found == stated:
        return Outcome.RIGHT
    bare = _bare(stated)
    if found == bare and not _EXCEPTION.search(words):
        return Outcome.EXCEPTION
    theirs, ours = _leaves(bare), _leaves(_bare(found))
    missing, more = theirs - ours, ours - theirs
    if not missing and not more:  # an exception that only the head states; a choice taken for all, or the reverse
        return Outcome.OTHER if stated == bare == _bare(found) and _EXCEPTION.search(words) else Outcome.WRONG
    if any(_said(name, words) for name in missing) or not all(_said(name, words) for name in more):
        return Outcome.WRONG
    if more and all(_is_family(name) for name in more):
        return Outcome.FAMILY
    if not more:
        return Outcome.FEWER
    return Outcome.LATER if {_kin(name) for name in missing} == {_kin(name) for name in more} else Outcome.OTHER


def _bare(expression: str) -> str:
    tree = parse(expression)
    return expression if tree is None else normalize(_without(tree)) or expression


def _without(tree: Node) -> str:
    if tree.operator:
        return f" {tree.operator} ".join(f"({_without(part)})" for part in tree.parts)
    return tree.license


def _leaves(expression: str) -> set[str]:
    tree = parse(expression)
    return {expression} if tree is None else {leaf.license for leaf in tree.leaves}


def _is_family(name: str) -> bool:
    return name.startswith("LicenseRef-") or name in ("GPL-1.0-or-later", "LGPL-2.0-or-later")


def _kin(name: str) -> str:
    gnu = _GNU.fullmatch(name)
    return f"{gnu[1] or ''}GPL" if gnu else name


def _said(name: str, words: str) -> bool:
    """Whether the head has words for a licence: for a GNU one its name, its version and whether later ones may be."""
    gnu = _GNU.fullmatch(name)
    if gnu is None:
        return re.search(_WORDS.get(name, re.escape(name.lower().partition("-")[0])), words) is not None
    called = {"A": r"affero|\bagpl", "L": r"lesser|library general|\blgpl"}.get(
        gnu[1], r"(?<!lesser )(?<!library )(?<!affero )general public|\bgpl"
    )
    if not re.search(called, words):
        return False
    numbers = {number for found in _VERSIONED.findall(words) for number in found if number}
    if _is_family(name) and not numbers:
        return True
    number = gnu[2] + (".1" if gnu[3] == "1" else "")
    return number in numbers and (re.search(_LATER, words) is not None) == (gnu[4] == "or-later")
