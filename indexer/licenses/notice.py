"""The licence notice in the head of a file -> the licence it grants.

In: the beginning of a file. Out: at most one piece of evidence, FILE_HEADER, with the SPDX expression that the notice
states, or without one where it only points to a licence file. It refuses to know of SPDX tags (`head.py`) and of
licence files (`texts.py`).

What is looked for are the wordings that licences themselves recommend (the GNU ones, Apache, MPL, EPL) and the texts
that are short enough to stand in a file (MIT, ISC, BSD, zlib), in comments only (`comments.py`): a list of licences in
a program is no notice. Several licences in one head are a choice (OR) where it says so, else all hold (AND). A GNU
licence without a version is any version of it, by its own section 9 or 14, unless the notice points to a licence file.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache
from typing import NamedTuple

from codecite.indexer.licenses import wordings as words
from codecite.indexer.licenses.comments import Comments, head_comments
from codecite.indexer.licenses.expression import normalize
from codecite.indexer.licenses.names import known
from codecite.indexer.records import EvidenceKind, LicenseEvidence

NOTICE_HEAD = 4096
"""Bytes of a file that are looked at."""

_SHOWN = 200
_TAG = b"SPDX-License-Identifier"
_WORDS = (
    b"licen", b"permission", b"redistribution", b"gpl", b"unencumbered", b"as-is", b"cc0", b"royalty", b"public domain",
)  # fmt: skip
_OF_NAMES = tuple(word.decode() for word in _WORDS)
_OF_TEXTS = ("permission to", "permission is", "redistribution", "as-is", "royalty", "unlimited permission")
_BEFORE, _BEHIND_A_NAME, _BEHIND_A_TEXT = 500, 700, 1600
"""Characters before the first and behind the last of these words that may belong to a notice; many files of a project
have the same ones, and other prose around them."""
_AROUND = 300
"""Characters before the first and behind the last name in which a choice of them may be offered."""
_BEFORE_AN_OWNER = 120
"""Characters before a copyright line in which the text behind it may be offered as a choice."""
_SIGNS = (
    b"license :",
    b"licensed", b"license:", b"mit license", b"gnu ", b"gnu\n", b"gnu\r", b" gpl", b"/gpl", b"(gpl", b"lgpl", b"agpl",
    b"permission is", b"permission to", b"above copyright", b"redistribution and", b"hereby granted", b"apache",
    b" mpl", b"mozilla", b"eclipse", b"boost software", b" bsd", b"-bsd", b"isc ", b"expat", b"governed",
    b"unlimited", b"royalty", b"same license", b"same terms", b"under license",
    b"unencumbered", b"as-is", b"european union", b"development and distribution", b"common public", b"cc0",
    b"academic free", b"open software", b"artistic", b"public license", b"public domain", b"free documentation",
    b"released", b"distributed", b"terms of use",
)  # fmt: skip
"""One of each stands in any notice: what has none is not looked at closer."""


class _Found(NamedTuple):
    """A licence that a notice names: where, its expression (None where it only points to a file), what kind it is.

    `whole` says that the text of the licence stands there.
    """

    start: int
    end: int
    expression: str | None
    family: str | None = None
    whole: bool = False


def read_notice(content: bytes) -> LicenseEvidence | None:
    """What the head of a file grants in words; None where it has no notice.

    >>> found = read_notice(b"// Licensed under the Apache License, Version 2.0 (the \\"License\\");\\n")
    >>> found.expression, found.where
    ('Apache-2.0', 'line 1')
    """
    head = content[:NOTICE_HEAD]
    return _evidence(head_comments(head, _WORDS)) if may_hold_notice(head) else None


def may_hold_notice(head: bytes) -> bool:
    """Whether words of licences stand in a head, anywhere; where none do, it grants nothing."""
    lower = _without_tags(head).lower()
    return _holds(lower, _WORDS) and _holds(lower, _SIGNS)


def _holds(head: bytes, words: tuple[bytes, ...]) -> bool:
    for word in words:  # noqa: SIM110 - half the time of a generator, and builds spend much of theirs here
        if word in head:
            return True
    return False


def _without_tags(head: bytes) -> bytes:
    """The head without the lines of its SPDX tags, which name licences, too."""
    at = head.find(_TAG)
    while at >= 0:
        start, end = head.rfind(b"\n", 0, at) + 1, head.find(b"\n", at)
        head = head[:start] + (head[end:] if end >= 0 else b"")
        at = head.find(_TAG)
    return head


def licenses_named(text: str) -> list[str]:
    """The expressions of the licences that a text of plain words (`comments.plain_words`) grants, in its order."""
    found = sorted(set(_named(text)), key=_place)
    return list(dict.fromkeys(one.expression for one in found if one.expression))


def _place(found: _Found) -> tuple[int, int, str]:
    return found.start, found.end, found.expression or found.family or ""


def _evidence(comments: Comments) -> LicenseEvidence | None:
    text = comments.text
    places = [at for at in map(text.find, _OF_NAMES) if at >= 0]
    if not places:
        return None
    start = max(0, min(places) - _BEFORE)
    end = max(_last(text, _OF_NAMES) + _BEHIND_A_NAME, _last(text, _OF_TEXTS) + _BEHIND_A_TEXT)
    found = _read(text[start:end])
    if found is None:
        return None
    first, expression = start + found[0], found[1]
    return LicenseEvidence(
        EvidenceKind.FILE_HEADER, expression, f"line {comments.line_of(first)}", text[first : first + _SHOWN]
    )


def _last(text: str, words: tuple[str, ...]) -> int:
    return max(map(text.rfind, words))


@lru_cache(maxsize=1024)
def _read(text: str) -> tuple[int, str | None] | None:
    """Where the notice in a text of plain words begins, and what it states. Many files have the same one."""
    found = sorted(set(_named(_current(text))), key=_place)
    if not found:
        return None
    first = next((one.start for one in found if one.expression), None)
    if first is None:
        return found[0].start, None
    carried = _first_carried(found, text)
    stated = _stated(found)
    own = [name for name in stated if name in _stated(found[:carried])]
    around = text[max(0, found[0].start - _AROUND) : found[:carried][-1].end + _AROUND]
    joiner = " OR " if len(own) > 1 and _is_choice(around) else " AND "
    parts = [joiner.join(f"({one})" for one in own), *(name for name in stated if name not in own)]
    return first, normalize(" AND ".join(f"({one})" for one in parts if one))


def _first_carried(found: list[_Found], text: str) -> int:
    """From which one on licences are only carried along; their number if none is.

    The text of such a licence begins a notice of its own, perhaps by its title: behind others and an owner, where no
    choice is offered, and its name does not stand before.
    """
    for place, one in enumerate(found):
        first = place
        while first and found[first - 1].expression == one.expression:
            first -= 1
        if not one.whole or not one.expression or not first:
            continue
        before, start = found[first - 1].end, found[first].start
        owner = text.find("copyright", before, start)
        if owner < 0 or re.search(rf"\b{one.expression.partition('-')[0].lower()}\b", text[:owner]):
            continue
        if not _is_choice(text[max(before, owner - _BEFORE_AN_OWNER) : start]):
            return first
    return len(found)


def _current(text: str) -> str:
    """The text with dots for what the file was under before, places unchanged."""
    if not any(sign in text for sign in words.SUPERSEDING):
        return text
    for old in words.SUPERSEDED.finditer(text):
        start, end = old.span(old.lastindex or 0)
        text = text[:start] + "." * (end - start) + text[end:]
    return text


def _stated(found: list[_Found]) -> list[str]:
    """The expressions, each once; any version, or any of a family, only where no one licence of it is named as well.

    A licence that is left to a file is of its family beside others, which must not hide it.
    """
    names = [one.expression or one.family for one in found]
    exact = {name.partition(" ")[0] for name in names if name and not name.startswith(_REF)}
    return [
        name
        for name in dict.fromkeys(names)
        if name
        and not any(_of_family(one, _VAGUE.get(name, name)) for one in exact - {name})
        and not (name == words.DEDICATED and exact)
    ]


_REF = "LicenseRef-"


def _of_family(license: str, family: str) -> bool:
    return family.startswith(_REF) and license.startswith(f"{family.removeprefix(_REF)}-")


def _is_choice(text: str) -> bool:
    return words.CHOICE.search(words.NO_CHOICE.sub("", text)) is not None


def _named(text: str) -> Iterator[_Found]:
    for rule in (_gnu, _short_gnu, _by_name, _by_any_name, _texts, _pointers):
        yield from rule(text)


def _gnu(text: str) -> Iterator[_Found]:
    """`GNU ... General Public License` where something is granted under it."""
    if "public licen" not in text:
        return
    done = -1
    for name in words.GNU.finditer(text):
        before = text[max(0, name.start() - 240) : name.start()]
        after = text[name.end() : name.end() + 260]
        mentioned = words.MENTIONED.search(before) or after.startswith(words.MENTIONS)
        if name.start() < done or mentioned or not words.GRANT.search(before):
            continue
        kind = (name[1] or name[2] or name[3] or "").strip()
        family = "AGPL" if kind == "affero" else "LGPL" if kind else "GPL"
        # The version stands behind the name, or shortly before it ("version 2 of the GNU ...").
        following = words.GNU.search(after)
        after = after[: following.start()] if following else after
        near = before[-60:]
        version = words.NUMBER.search(after)
        numbers = [version[1]] if version else words.NUMBER.findall(near)
        ends = words.SENTENCE_END.search(after, version.end() if version else 0)
        later = bool(
            words.LATER.search(after[: ends.start()] if ends else after)
            or (version is None and words.LATER.search(near))
        )
        if not numbers and following:  # "You may obtain a copy of the ..., version 2 or later, at"
            numbers, later = _mentioned_version(name[0], text[name.end() :])
        yield _gnu_found(name, family, numbers[-1] if numbers else None, later, text)
        done = name.end() + (version.end() if version else 0)


def _mentioned_version(name: str, behind: str) -> tuple[list[str], bool]:
    """The version with which the same name stands once more behind its grant, and whether later ones may be used."""
    found = words.COPY_OF.search(behind)
    if found is None or not found[1].startswith(name):
        return [], False
    return [found[2]], words.LATER.match(behind, found.end()) is not None


def _gnu_found(name: re.Match[str], family: str, version: str | None, later: bool, text: str) -> _Found:
    expression = _gnu_name(family, version, later, text)
    return _Found(name.start(), name.end(), expression, f"{_REF}{family}")


_VERSIONS = {
    "GPL": {"1": "1.0", "2": "2.0", "3": "3.0"},
    "LGPL": {"2": "2.0", "3": "3.0"},
    "AGPL": {"1": "1.0", "3": "3.0"},
}
_ANY_VERSION = {"GPL": "GPL-1.0-or-later", "LGPL": "LGPL-2.0-or-later", "AGPL": "AGPL-3.0-or-later"}
_VAGUE = {name: f"{_REF}{family}" for family, name in _ANY_VERSION.items()}


def _gnu_name(family: str, version: str | None, later: bool, text: str) -> str | None:
    if version is None:
        return None if words.TO_A_FILE.search(text) else _ANY_VERSION[family]
    if family == "GPL" and version == "2.1":
        family = "LGPL"  # there is no such version of the GPL
    number = _VERSIONS[family].get(version, version)
    exception = next((f" WITH {name}" for phrase, name in words.EXCEPTIONS if phrase.search(text)), "")
    return f"{family}-{number}-{'or-later' if later else 'only'}{exception}"


def _short_gnu(text: str) -> Iterator[_Found]:
    """`licensed under the GPL v2`, `Dual BSD/GPL`; where the name stands in full, that says more."""
    if "gpl" not in text:
        return
    in_full = words.GNU.search(text) is not None
    for name in words.SHORT_GNU.finditer(text):
        short = text.rfind("gpl", name.start(), name.end())
        if words.MENTIONED.search(text[max(0, short - 30) : short]):
            continue
        if in_full and words.ABBREVIATED.search(text[max(0, short - 60) : short]):
            continue
        around = text[max(0, name.start() - 160) : name.end() + len(" licensed")]
        if (name[2] is None and in_full) or not words.GRANT.search(around.replace("dual", "licensed")):
            continue
        behind = words.LATER.search(text, name.end(), name.end() + 60)
        later = bool(name[3]) or (behind is not None and not text[name.end() : behind.start()].strip(" ,("))
        family = {"l": "LGPL", "a": "AGPL", None: "GPL"}[name[1]]
        yield _gnu_found(name, family, name[2], later, text)


def _by_name(text: str) -> Iterator[_Found]:
    for wording in words.NAMED:
        if wording.sign in text:
            for found in wording.pattern.finditer(text):
                yield _Found(found.start(), found.end(), found.expand(wording.name))


def _by_any_name(text: str) -> Iterator[_Found]:
    """`released under the libpng license`: what licences are called when they are granted, save the GNU ones."""
    for grant in words.CALLED.finditer(text):
        called = words.NAME.match(text, grant.end())
        name = known(called[1]) if called else None
        if called and name and not _GNU_NAME.match(name):
            vague = name.startswith(_REF)
            yield _Found(grant.end(), called.end(), None if vague else name, name if vague else None)


_GNU_NAME = re.compile(r"(?:LicenseRef-)?[AL]?GPL\b|Intel$")
"""Names that have rules of their own, or that notices use for whatever licence of their owner."""


def _texts(text: str) -> Iterator[_Found]:
    """Licences whose whole text stands in the head."""
    for found in words.MIT.finditer(text):
        yield _whole(found, _mit(text[found.start() : found.start() + 2500]))
    for found in words.ISC.finditer(text):
        yield _whole(found, _isc(text[found.start() : found.start() + 900]))
    for found in words.BSD.finditer(text):
        expression = _bsd(text[found.start() : found.start() + 2600])
        if expression and "openib" not in text[max(0, found.start() - 200) : found.start()]:
            yield _whole(found, expression)
    for found in words.ZLIB.finditer(text):
        if "altered source versions must be plainly marked" in text[found.start() : found.start() + 1500]:
            yield _whole(found, "Zlib")


def _whole(found: re.Match[str], expression: str | None) -> _Found:
    return _Found(found.start(), found.end(), expression, None, whole=True)


def _mit(text: str) -> str:
    if "except as contained in this notice, the name" in text:
        return "X11"
    return "MIT" if "notice" in text else "MIT-0"


def _isc(text: str) -> str | None:
    if "(i) the above copyright notices and this permission notice appear in all copies" in text:
        return "libtiff"
    sold = "and sell this" in text[:120]
    if "in supporting documentation" in text:
        return "HPND-sell-variant" if sold else "HPND"
    if "except as contained in this notice, the name" in text:
        return "curl"
    if re.search(r"appears? in all copies", text):
        return "HPND-sell-variant" if sold else "ISC"
    if "this entire notice is included in all copies" in text:
        return "dtoa"
    return None if "provided that" in text[:200] else "0BSD"


def _bsd(text: str) -> str | None:
    if "all advertising materials" in text:
        return "BSD-4-Clause-UC" if "university of california, berkeley and its contrib" in text else "BSD-4-Clause"
    if words.BSD_NAMES.search(text):
        return "BSD-3-Clause"
    if "binary form must reproduce" in text:
        return "BSD-2-Clause"
    return "BSD-1-Clause" if "must retain" in text else None


def _pointers(text: str) -> Iterator[_Found]:
    for pointer in words.POINTERS:
        if pointer.sign in text:
            for found in pointer.pattern.finditer(text):
                yield _Found(found.start(), found.end(), None)
    for family in words.FAMILIES:
        if family.sign in text:
            for found in family.pattern.finditer(text):
                yield _Found(found.start(), found.end(), None, family.name)
