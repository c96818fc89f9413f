"""Names of licences as people write them -> SPDX identifiers.

In: one name (`MIT License`, `GPLv2+`, `apache 2`) or one trove classifier. Out: an SPDX identifier, or a
`LicenseRef-` made of the name. A name that does not say which of several licences it means (`BSD`, `GPL`) keeps
that ambiguity: it becomes `LicenseRef-BSD`, never a guess. This module refuses to know of AND, OR and WITH
(`expression` does), and of where a name was read.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache

MAX_SLUG = 64
"""Characters of a `LicenseRef-` after its prefix; a longer name is cut and told apart by a digest."""

_NAMES = {
    "0bsd": "0BSD",
    "zero clause bsd": "0BSD",
    "afl": "LicenseRef-AFL",
    "agpl": "LicenseRef-AGPL",
    "apache": "LicenseRef-Apache",
    "apache 2": "Apache-2.0",
    "apl 2": "Apache-2.0",
    "asl": "LicenseRef-Apache",
    "asl 2": "Apache-2.0",
    "artistic": "LicenseRef-Artistic",
    "artistic 2": "Artistic-2.0",
    "boost": "BSL-1.0",
    "boost 1": "BSL-1.0",
    "bsd": "LicenseRef-BSD",
    "bsd style": "LicenseRef-BSD",
    "bsd 2": "BSD-2-Clause",
    "bsd 2 clause": "BSD-2-Clause",
    "bsd 2 clause simplified": "BSD-2-Clause",
    "bsd 3": "BSD-3-Clause",
    "bsd 3 clause": "BSD-3-Clause",
    "bsd 3 clause new or revised": "BSD-3-Clause",
    "2 clause bsd": "BSD-2-Clause",
    "3 clause bsd": "BSD-3-Clause",
    "modified bsd": "BSD-3-Clause",
    "new bsd": "BSD-3-Clause",
    "revised bsd": "BSD-3-Clause",
    "simplified bsd": "BSD-2-Clause",
    "cc0": "CC0-1.0",
    "cc0 1": "CC0-1.0",
    "cc0 1 universal": "CC0-1.0",
    "cc0 1 universal cc0 1 public domain dedication": "CC0-1.0",
    "creative commons zero": "CC0-1.0",
    "eclipse public 1": "EPL-1.0",
    "eclipse public 2": "EPL-2.0",
    "epl": "LicenseRef-EPL",
    "gpl": "LicenseRef-GPL",
    "isc": "ISC",
    "iscl": "ISC",
    "lgpl": "LicenseRef-LGPL",
    "mit": "MIT",
    "mit x 11": "MIT",
    "x 11 mit": "MIT",
    "expat": "MIT",
    "mit expat": "MIT",
    "mozilla public": "LicenseRef-MPL",
    "mozilla public 1.1": "MPL-1.1",
    "mozilla public 2": "MPL-2.0",
    "mpl": "LicenseRef-MPL",
    "mpl 1.1": "MPL-1.1",
    "mpl 2": "MPL-2.0",
    "postgresql": "PostgreSQL",
    "proprietary": "LicenseRef-Proprietary",
    "other proprietary": "LicenseRef-Proprietary",
    "psf": "PSF-2.0",
    "psfl": "PSF-2.0",
    "python foundation": "PSF-2.0",
    "public domain": "LicenseRef-Public-Domain",
    "unlicense": "Unlicense",
    "university of illinois ncsa": "NCSA",
    "universal permissive": "UPL-1.0",
    "w3c": "W3C",
    "wtfpl": "WTFPL",
    "zlib": "Zlib",
    "zlib libpng": "Zlib",
    "zpl": "LicenseRef-ZPL",
    "zope public": "LicenseRef-ZPL",
    "zope public 2.1": "ZPL-2.1",
    "zpl 2.1": "ZPL-2.1",
}
"""Spoken names in the form `_key` gives them. `LicenseRef-` marks those that name a family, not a licence."""

_SUPERSEDED = {
    "ecos-2.0": "GPL-2.0-or-later WITH eCos-exception-2.0",
    "gpl-2.0-with-autoconf-exception": "GPL-2.0-only WITH Autoconf-exception-2.0",
    "gpl-2.0-with-bison-exception": "GPL-2.0-only WITH Bison-exception-2.2",
    "gpl-2.0-with-classpath-exception": "GPL-2.0-only WITH Classpath-exception-2.0",
    "gpl-2.0-with-font-exception": "GPL-2.0-only WITH Font-exception-2.0",
    "gpl-2.0-with-gcc-exception": "GPL-2.0-only WITH GCC-exception-2.0",
    "gpl-3.0-with-autoconf-exception": "GPL-3.0-only WITH Autoconf-exception-3.0",
    "gpl-3.0-with-gcc-exception": "GPL-3.0-only WITH GCC-exception-3.1",
    "wxwindows": "LGPL-2.0-or-later WITH WxWindows-exception-3.1",
}
"""Deprecated identifiers that stand for a licence with an exception."""

_FAMILY_ALIASES = {"gpl"}
"""Aliases of the licence list that name a family: the library reads `GPL` as any version of it, we do not."""

_REF = re.compile(r"(?:DocumentRef-[A-Za-z0-9.-]+:)?LicenseRef-[A-Za-z0-9.-]+\+?", re.IGNORECASE)
_GNU = re.compile(r"gnu (lesser |library |library or lesser |affero )?general public")
_LETTERS = {"": "gpl", "lesser": "lgpl", "library": "lgpl", "affero": "agpl"}
_NOISE = re.compile(r"\b(?:the|gnu|licen[cs]ed?|licen[cs]es|software|open source|under|version|ver|v)\b")
_VERSIONED = re.compile(r"(a|l)?gpl (\d)(?:\.(\d))?( ?\+| only)?")
_VERSIONS = {"gpl": {"1.0", "2.0", "3.0"}, "lgpl": {"2.0", "2.1", "3.0"}, "agpl": {"1.0", "3.0"}}
_PARENTHESIS = re.compile(r"\s*\([^()]*\)\s*$")
_AT_LEAST = re.compile(r">=\s*([\d.]+)")
_DATE = re.compile(r" (?:\d{1,2} )?(?:january|february|june|november|july) \d{4}$")
_GLUED = re.compile(r"(?<=[a-z])v?(?=\d)")
_LATER = re.compile(
    r",?\s*\(?\b(?:or|and)\s+(?:\(?at your option\)?\s+)?(?:any\s+)?"
    r"(?:later|newer|greater|higher|above)(?:\s+versions?)?\)?",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class SpdxList:
    """The identifiers of the SPDX licence list: lower case, or deprecated -> as the list writes them today."""

    licenses: Mapping[str, str]
    exceptions: Mapping[str, str]


@cache
def spdx_list() -> SpdxList:
    """The list, read once from the `license-expression` package (some 30 ms, hence not at import)."""
    from license_expression import get_spdx_licensing

    licenses: dict[str, str] = {}
    exceptions: dict[str, str] = {}
    for key, symbol in get_spdx_licensing().known_symbols.items():
        if key.startswith("LicenseRef-"):
            continue
        table = exceptions if symbol.is_exception else licenses
        table[key.lower()] = key
        for alias in symbol.aliases:
            if not alias.startswith("LicenseRef-") and alias.lower() not in _FAMILY_ALIASES:
                table.setdefault(alias.lower(), key)
    return SpdxList({**licenses, **_SUPERSEDED}, exceptions)


def known(name: str) -> str | None:
    """The SPDX identifier (or `LicenseRef-` of a family) that the name means, None for a name nobody knows.

    >>> known("The MIT License"), known("GPLv2 or later"), known("BSD License"), known("see LICENSE")
    ('MIT', 'GPL-2.0-or-later', 'LicenseRef-BSD', None)
    """
    name = " ".join(name.split())
    if _REF.fullmatch(name):
        return _with_usual_prefix(name)
    spdx = spdx_list().licenses
    lower = name.lower().replace(" ", "-")
    if lower in spdx:
        return spdx[lower]
    if lower.endswith("+") and lower[:-1] in spdx and " " not in spdx[lower[:-1]]:
        return spdx[lower[:-1]] + "+"
    for key in (_key(name), _key(_PARENTHESIS.sub("", name))):
        found = _NAMES.get(key) or _gnu(key)
        if found:
            return found
    return None


def later(text: str) -> str:
    """The text with its phrases for 'or any later version' written as a plus sign."""
    return _LATER.sub("+", text)


def exception(name: str) -> str:
    """The SPDX exception that the name means, else an `AdditionRef-` (as SPDX 3 calls what is on no list)."""
    if re.fullmatch(r"AdditionRef-[A-Za-z0-9.-]+", name):
        return name
    return spdx_list().exceptions.get(name.lower()) or _ref("AdditionRef-", name)


def license_ref(name: str) -> str:
    """`LicenseRef-` and the name, in the letters SPDX allows there.

    >>> license_ref("Our own licence, v1")
    'LicenseRef-Our-own-licence-v1'
    """
    return _ref("LicenseRef-", name)


def from_classifier(classifier: str) -> str | None:
    """The SPDX identifier of a trove classifier `License :: ...`, None for one that names no licence.

    >>> from_classifier("License :: OSI Approved :: GNU General Public License v3 or later (GPLv3+)")
    'GPL-3.0-or-later'
    >>> from_classifier("License :: OSI Approved :: BSD License")
    'LicenseRef-BSD'
    """
    name = classifier.rpartition("::")[2].strip()
    if name in {"", "License", "OSI Approved"}:
        return None
    short = re.search(r"\(([^()]+)\)\s*$", name)
    candidates = [short.group(1).replace(" ", "-"), short.group(1)] if short else []
    for candidate in [*candidates, name]:
        found = known(candidate)
        if found:
            return found
    return license_ref(name)


def _key(name: str) -> str:
    """The name without what does not tell licences apart: case, punctuation, noise words, `.0`, a date."""
    text = later(_AT_LEAST.sub(r"\1+", name)).lower()
    text = re.sub(r"[^a-z0-9.+]+", " ", text).strip(" .")
    text = _DATE.sub("", text)
    text = _GLUED.sub(" ", text).replace("cc 0", "cc0")
    text = _GNU.sub(lambda found: _LETTERS[(found.group(1) or "").split(" ")[-2:][0]], text)
    text = " ".join(_NOISE.sub(" ", text).split())
    return re.sub(r"(?<=\d)\.0\b", "", text)


def _gnu(key: str) -> str | None:
    found = _VERSIONED.fullmatch(key)
    if not found:
        return None
    family = (found.group(1) or "") + "gpl"
    version = f"{found.group(2)}.{found.group(3) or 0}"
    if version not in _VERSIONS[family]:
        return None
    return f"{family.upper()}-{version}-{'or-later' if (found.group(4) or '').strip() == '+' else 'only'}"


def _with_usual_prefix(reference: str) -> str:
    reference = re.sub("licenseref-", "LicenseRef-", reference, flags=re.IGNORECASE)
    return re.sub("documentref-", "DocumentRef-", reference, flags=re.IGNORECASE).rstrip("+")


def _ref(prefix: str, name: str) -> str:
    slug = re.sub(r"[^A-Za-z0-9.]+", "-", name.replace("+", " or later ")).strip("-.")
    if not slug or len(slug) > MAX_SLUG:
        digest = hashlib.sha256(name.encode("utf-8", "surrogatepass")).hexdigest()[:8]
        slug = f"{slug[: MAX_SLUG - 9].rstrip('-.')}-{digest}".lstrip("-")
    return prefix + slug
