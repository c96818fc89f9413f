"""What licences are called in notices: patterns over plain words (`comments.plain_words`), and their SPDX names.

In: nothing. Out: tables. It refuses to know how a notice is read (`notice.py`). GNU licences, whose versions stand
apart from their names, are not here.

In the patterns LICENSE is either spelling, VERSION the word for it or nothing, UNDER how a grant begins.
"""

from __future__ import annotations

import re
from typing import NamedTuple

_MACROS = {
    "LICENSE": r"licen[cs]e",
    "LATER": r",? ?(?:or|and) ?\(?,? ?(?:at your (?:option|discretion|choice)[,)]* ?)?any later",
    "VERSION": r"(?:version |ver\.? ?|v\.? ?|-v)?",
    "UNDER": r"\b(?:under|of|with|by|or|and|licen[cs]e ?:|licen[cs]ed as|licen[cs]ed under|is) (?:the |an? )?"
    r"(?:terms of (?:the |an? )?)?(?:(?:either|both) (?:of )?(?:the |an? )?)?(?:osi[- ]approved )?",
}

DEDICATED = "LicenseRef-Public-Domain"
"""Dedicated to the public, in whatever words: beside a licence it asks for nothing more."""

_UNLIMITED = (
    r"\bgives unlimited permission to copy and/or distribute it, with or without modifications, as long as this notice "
    r"is preserved"
)


class Wording(NamedTuple):
    """A pattern, a word without which it never fits, and the SPDX name (`\\1` is the first group of the pattern)."""

    sign: str
    pattern: re.Pattern[str]
    name: str


def _written(pattern: str) -> re.Pattern[str]:
    for macro, meaning in _MACROS.items():
        pattern = pattern.replace(macro, meaning)
    return re.compile(pattern)


NAMED = tuple(
    Wording(sign, _written(pattern), name)
    for sign, pattern, name in [
        (
            "apache",
            r"\bapache(?: software)?(?: LICENSE)?(?:,| -)? ?(?:\(?\"?the \"?LICENSE\"?\)?,? ?)?"
            r"VERSION(2|1)(?:\.0)?(?![\w.]*\d)",
            r"Apache-\1.0",
        ),
        ("apache", r"\bapache(?: software)? LICENSE,? ?VERSION1\.1", "Apache-1.1"),
        (
            "apache.org/licenses/license-2.0",
            r"\bapache LICENSE\b(?=.{0,80}apache\.org/licenses/license-2\.0)",
            "Apache-2.0",
        ),
        ("mozilla", r"\bmozilla public LICENSE,? ?(?:\(?mpl\)?,? ?)?VERSION(2\.0|1\.1|1\.0)", r"MPL-\1"),
        ("mpl", r"\bmpl ?VERSION(2\.0|1\.1)", r"MPL-\1"),
        ("eclipse", r"\beclipse public LICENSE,? ?-? ?VERSION(1|2)(?:\.0)?", r"EPL-\1.0"),
        ("epl", r"\bepl[ -]VERSION(1|2)\.0", r"EPL-\1.0"),
        ("eclipse", r"\beclipse distribution LICENSE,? ?VERSION1\.0", "BSD-3-Clause"),
        (
            "common dev",
            r"\bcommon development and distribution LICENSE,? ?(?:\([^)]{0,20}\),? ?)?VERSION1\.1",
            "CDDL-1.1",
        ),
        ("common dev", r"\bcommon development and distribution LICENSE(?=.{0,300}\bcddl\+gpl[-_ ]1[._ ]1)", "CDDL-1.1"),
        (
            "common dev",
            r"\bcommon development and distribution LICENSE(?!.{0,30}1\.1|.{0,300}\bcddl\+gpl[-_ ]1[._ ]1)",
            "CDDL-1.0",
        ),
        ("boost", r"\bboost software LICENSE,? ?-? ?VERSION1\.0", "BSL-1.0"),
        ("common public", r"\bcommon public LICENSE,? ?VERSION1\.0", "CPL-1.0"),
        ("european", r"\beuropean union public LICENSE,? ?(?:\(?eupl\)?,? ?)?VERSION(1\.[012])", r"EUPL-\1"),
        ("academic", r"\bacademic free LICENSE,? ?VERSION(2\.1|3\.0)", r"AFL-\1"),
        ("open software", r"\bopen software LICENSE,? ?(?:\(osl[^)]{0,9}\),? ?)?VERSION(3\.0|2\.1)", r"OSL-\1"),
        ("artistic", r"\bartistic LICENSE,? ?VERSION2\.0", "Artistic-2.0"),
        ("cc0", r"\bcc0 ?(?:public domain dedication|1\.0)", "CC0-1.0"),
        *[
            (sign, pattern.replace("MIT", sign), "MIT")
            for sign in ("mit", "expat")
            for pattern in (
                r"UNDER(?:permissive |standard |simple )?MIT(?:[/ ]x11)?(?:[ -]style)? ?(?:open source )?LICENSE",
                r"\b(?:LICENSE ?: ?|LICENSEd (?:as |under )?)(?:the )?MIT\b|\bMIT[- ]LICENSEd\b",
            )
        ],
        ("mit licen", r"(?:^|\. )(?:the )?mit LICENSE\b", "MIT"),
        ("dual", r"\bdual (?:bsd[/ ]l?gpl|l?gpl(?:[ -]?v?[23](?:\.\d)?\+?)?[/ ]bsd)", "LicenseRef-BSD"),
        ("dual", r"\bdual (?:mit[/ ]l?gpl|l?gpl(?:[ -]?v?[23](?:\.\d)?\+?)?[/ ]mit)", "MIT"),
        ("bsd", r"UNDER(?:simplified bsd|bsd[- ]2[- ]clause|(?:2|two)[- ]clause bsd|freebsd LICENSE)", "BSD-2-Clause"),
        (
            "bsd",
            r"UNDER(?:new bsd|modified bsd|revised bsd|bsd[- ]3[- ]clause|(?:3|three)[- ]clause bsd)",
            "BSD-3-Clause",
        ),
        ("isc", r"UNDERisc LICENSE|\bLICENSE: isc\b", "ISC"),
        ("zlib", r"UNDER(?:zlib|zlib/libpng) LICENSE", "Zlib"),
        ("unencumbered", r"\bthis is free and unencumbered software released into the public domain", "Unlicense"),
        ("fuck", r"\bdo what the fuck you want to public LICENSE", "WTFPL"),
        ("psf", r"UNDERpsf LICENSE", "PSF-2.0"),
        ("python software", r"UNDERpython software foundation LICENSE", "PSF-2.0"),
        (
            "preserved",
            _UNLIMITED + r"(?!.{0,120}without any warranty)",
            "FSFULLR",
        ),
        (
            "preserved",
            _UNLIMITED + r"(?=.{0,120}without any warranty)",
            "FSFULLRWD",
        ),
        (
            "any medium",
            r"\bcopying and distribution of this file, with or without modification, are permitted in any medium "
            r"without royalty",
            "FSFAP",
        ),
        ("openib", r"\bopenib\.org bsd LICENSE", "Linux-OpenIB"),
        (
            "no invariant sections",
            r"\bgnu free documentation LICENSE,? ?VERSION(1\.[123])(?=LATER.{0,160}no invariant sections)",
            r"GFDL-\1-no-invariants-or-later",
        ),
        (
            "free documentation",
            r"\bgnu free documentation LICENSE,? ?VERSION(1\.[123])(?=LATER(?!.{0,160}no invariant sections))",
            r"GFDL-\1-or-later",
        ),
        ("free documentation", r"\bgnu free documentation LICENSE,? ?VERSION(1\.[123])(?!LATER)", r"GFDL-\1-only"),
        (
            "public domain",
            r"(?:\bthis (?:[\w.]+ ){1,4}?|\bhereby |\bwritten by [^.]{0,120} )"
            r"(?:is |are |was |has been )?(?:hereby )?(?:released |placed |put |dedicated |donated )?"
            r"(?:in|to|into) the public domain\b",
            DEDICATED,
        ),
        ("public domain", r"(?:^|\. |LICENSE: )public domain(?:\.|$)", DEDICATED),
    ]
)
"""Licences by their names."""

POINTERS = tuple(
    Wording(sign, _written(pattern), "")
    for sign, pattern in [
        ("governed by", r"\bgoverned by an? (?:bsd|mit|apache)[- ]style LICENSE"),
        ("the terms found in", r"\blicensed under the terms found in"),
        ("see ", r"\bsee (?:the )?\"?LICENSE\"? (?:file )?(?:for|in)\b"),
        ("found in the licen", r"\bfound in the LICENSE file"),
        ("under the same ", r"\bunder the same (?:LICENSE|terms) as\b"),
        ("and may not be copied", r"\bdistributed under LICENSE and may not be copied"),
        ("terms of use", r"\bLICENSE (?:& |and )?terms of use: ?http"),
        ("as described in", r"\bLICENSEd as described in\b"),
    ]
)
"""What only says where the licence is, or that it is some licence of a kind."""

FAMILIES = tuple(
    Wording(sign, _written(rf"UNDER{name}(?:[- ]style)? LICENSE"), f"LicenseRef-{family}")
    for sign, name, family in [
        ("bsd", "bsd", "BSD"),
        ("apache", "apache(?: software)?", "Apache"),
        ("mozilla", "mozilla public", "MPL"),
    ]
)
"""Some licence of a family: another part of the notice says which, or a file."""

CALLED = _written(
    r"\b(?:LICENSEd|released|distributed|governed|covered|published|available|provided)\b[^.;]{0,40}?UNDER"
)
"""Before the name of a licence that is granted; it may have any name that licences are called by (`names.py`)."""

NAME = _written(r"([a-z0-9][\w .+/-]{1,40}?) LICENSE\b")

EXCEPTIONS = tuple(
    (_written(pattern), name)
    for pattern, name in [
        (
            r"\"?classpath\"? exception|linking this library statically or dynamically with other",
            "Classpath-exception-2.0",
        ),
        (r"universal foss exception,? version 1\.0", "Universal-FOSS-exception-1.0"),
        (r"autoconf configure script exception,? version 3\.0", "Autoconf-exception-3.0"),
        (r"gcc runtime library exception,? version 3\.1", "GCC-exception-3.1"),
        (r"as a special exception.{0,80}bison parser skeleton", "Bison-exception-2.2"),
        (
            r"configuration script generated by autoconf.{0,160}additional permission under section 7",
            "Autoconf-exception-generic-3.0",
        ),
        (r"configuration script generated by autoconf", "Autoconf-exception-generic"),
        (
            r"gives unlimited permission to copy, distribute and modify the configure scripts",
            "Autoconf-exception-macro",
        ),
        (r"(?:program|library) that is built using gnu libtool", "Libtool-exception"),
        (
            r"in addition to the permissions in the gnu (?:library |lesser )?general public LICENSE.{0,160}"
            r"unlimited permission to link",
            "GCC-exception-2.0",
        ),
    ]
)
"""Exceptions to GNU licences."""

CHOICE = _written(
    r"\balternatively\b|\bdual[- ]?LICENSEd?\b|\bdual (?:bsd|gpl|mit)|\byour choice\b|\bchoice of\b|\bchoose\b"
    r"|\beither (?:the|under|of|(?:[al]?gpl|bsd|mit|apache|mpl|epl|cddl|isc|zlib)[-\w.]* or)\b"
    r"|\btri[- ](?:LICENSE|[\w.]+/)|\bat your option\b|\bmulti(?:ple)?[- ]?licen|\bor, when distributed separately"
    r"|\bLICENSEs?\b(?:[^.]|\.(?=\d)){0,80}\bor (?:the )?(?:(?:new |modified )?bsd|mit|apache|gnu|gpl)"
    r"|\bor under (?:the|a)\b|\botherwise, the following LICENSE|\bor both in parallel"
    r"|\b(?:may|can) also (?:be )?(?:redistribut|distribut|use)"
)
"""Several licences, of which one may be chosen."""

NO_CHOICE = re.compile(r"at your option\)?,? any later|either version|choice of law")
"""What looks like a choice of licences and is one of versions."""

GNU = _written(
    r"\b(?:gnu (affero |lesser |library |lgpl |library/lesser |lesser/library )?(?:general )?(lesser |library )?"
    r"|(?<=the )(affero |lesser |library )?general |(?<=terms of )general )public LICENSE\b"
)
"""`GNU General Public License` and its kin, also with its words in another order, or without the first."""

SHORT_GNU = _written(
    r"\b(?:under|by|of|LICENSE[ds]?:?|is|released as|or|and|dual)[^.;]{0,40}?\b(?<!licenses/)(?<!cddl\+)(l|a)?gpl[ ,-]*"
    r"(?:LICENSE)?[ ,(]*VERSION ?([123](?:\.[01])?)?"
    r"(\+|(?: LICENSE)?,? ?(?:or|and) (?:any )?(?:later|newer|higher|above))?"
    r"(?![\w-]|\.(?:html|txt|md)\b)"
)
GRANT = _written(
    r"terms|under|LICENSEd|LICENSE:|covered|governed|according|subject|distribut|released|available|protected"
)
"""A word of one of these stands before a licence that is granted."""

NUMBER = _written(r"\b(?:version|ver\.?|v\.?) ?([123](?:\.[01])?)\b(?!\.\d)")
LATER = re.compile(
    r"\b(?:or|and) ?\(?,? ?(?:at your (?:option|discretion|choice)[,)]* ?)?(?:any|all) (?:later|newer|subsequent)"
    r"|\b(?:or|and) (?:later|newer|higher|above|greater)\b|(?<!\bno )(?<!\bnot )\blater version"
)
SENTENCE_END = re.compile(r"(?<!\binc)(?<!\bver)(?<!\bv)\. ")
"""Behind a version, where words on later ones are looked for no further."""

COPY_OF = _written(r"\bcopy of the (gnu [a-z ]{0,24}public LICENSE),? ?version ?([123](?:\.[01])?) ?")
"""Where a notice whose grant has no version says which text it means."""

TO_A_FILE = _written(
    r"\b(?:see|found in|in) (?:the |file |files? named |accompanying )*\"?(?:copying|LICENSE|lgpl|gpl|copyright)"
    r"(?:[.\w-]*)\"?(?: file)?\b(?! for more details at)"
)
"""A notice that leaves the version to a file."""

SUPERSEDING = ("however", "relicen", "projects which are", "please note that the actual")
"""One of these stands in what SUPERSEDED matches."""

SUPERSEDED = _written(
    r"((?:under|by) (?:the )?(?:gnu )?l?gpl)[;,] however[^.]{0,40} this (?:code|file|program|version) under"
    r"|(projects which are not available under [^.]*)|(please note that the actual code [^.]*)"
    r"|\brelicen[cs]e.{0,400}?\b(original headers?, including the original LICENSE headers?.*)"
)
"""Words on what the origin of a file was under, or the package that it is from (the groups), and not it itself."""

MENTIONED = re.compile(
    r"(?:see the|copy of(?: the)?|received a|along with|also add|refer to the|consult the|details of|section \d+ of"
    r"|exception to) ?(?:the )?$"
)
ABBREVIATED = _written(r"public LICENSE,? ?(?:VERSION[123](?:\.[01])?)? ?\([\"']?(?:the )?[\"']?[al]?$")
"""Before a short name in parentheses that stands for the full one before it."""

MENTIONS = (" for more details", " along with", " for more information", " is available")
"""Before and behind a name that grants nothing: where a copy is."""

MIT = re.compile(r"permission is hereby granted, free of charge, to any person obtaining (?:a )?copy")
ISC = re.compile(
    r"permission to use, copy, modify,? (?:and/or |and )?distribute,? (?:and sell )?"
    r"this (?:software|program|file|code) (?:and its documentation )?for any purpose"
)
BSD = re.compile(r"redistribution and use (?:of this software )?in source and binary forms")
BSD_NAMES = re.compile(
    r"(?:neither|nor) the names?|names? of .{0,120}(?:may not|not) be used to|may not be used to endorse"
    r"|\b3\)?\.? ?the name of .{0,60}may be used to endorse"  # a slip for `may not`, copied into many packages
)
ZLIB = re.compile(r"this software is provided ['\"]?as[- ]is['\"]?,? without any express or implied warranty")
