"""A machine-readable `debian/copyright` (DEP-5) -> what it says of each file.

In: the text of the file, and paths relative to the root of the source package. Out: for each path the stanza that
applies, with its licence as evidence and its copyright lines. This module refuses to know of packages and archives,
and classifies no licence texts: it reads the short names.

It follows version 1.0 of Debian's copyright format: stanzas of fields, in which a line that begins with white space
goes on with the field before it; `Files` lists patterns whose `*` and `?` match `/` too; the last stanza that matches
a file applies to it. In a licence `and` binds closer than `or`, and both closer than a conjunction behind a comma; a
comma alone stands for the conjunction that follows in its list, else for `and`. One thing is read otherwise: by the
format a family's name without version (`GPL`) means its lowest, but packages do not hold to that, so it stays a
family (`LicenseRef-GPL`). What is no stanza of fields is passed over, as the format's other readers do.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache

from codecite.indexer.licenses import expression, names
from codecite.indexer.records import EvidenceKind, LicenseEvidence

MAX_TEXT = 4 * 1024 * 1024
"""Characters; a longer file is not read (the longest in Debian have some 700,000)."""

MAX_PATTERNS = 512 * 1024
"""Characters of all patterns together; a file with more is not read."""

MAX_LINES = 32
"""Copyright lines that are kept of one stanza."""

MAX_LINE = 300
"""Characters that are kept of a copyright line."""

_FIELD = re.compile(r"([!-9;-~]+)[ \t]*:(.*)", re.DOTALL)
_GLOB = re.compile(r"\\(.)|(\*+)|(\?)", re.DOTALL)
_CONJUNCTION = re.compile(r"(\s*,\s*|\s+)((?:and/)?or|and)\s+|\s*,\s*", re.IGNORECASE)
_EXCEPTION = re.compile(r"(.+?)[\s-]with[\s-](.+)[\s-]exceptions?", re.IGNORECASE)
_NO_INVARIANTS = re.compile(r"GFDL-NIV-([\d.]+)(\+?)", re.IGNORECASE)
_VERSION = re.compile(r"-(\d+)(?:\.(\d+))?(?:-only|-or-later)?$")

_MEANINGS = {
    "perl": "Artistic-1.0 OR GPL-1.0-or-later",
    "python": "Python-2.0",
    "zope": "LicenseRef-ZPL",
    "zope-1.1": "ZPL-1.1",
    "zope-2.0": "ZPL-2.0",
    "zope-2.1": "ZPL-2.1",
}
"""Short names of the format for which the licence list has other words."""


@dataclass(frozen=True, slots=True)
class Field:
    """A field of a stanza: its line (from 1) and its lines of text, the first of which may be empty."""

    line: int
    lines: tuple[str, ...]

    @property
    def synopsis(self) -> str:
        """The first line, on which a short value stands."""
        return self.lines[0]


@dataclass(frozen=True, slots=True)
class Stanza:
    """What a `Files` stanza says of the files that its patterns match."""

    patterns: tuple[str, ...]
    evidence: LicenseEvidence
    copyright: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Copyright:
    """The `Files` stanzas of a `debian/copyright`, in their order."""

    stanzas: tuple[Stanza, ...]
    pattern: re.Pattern[str]

    def of(self, path: str) -> Stanza | None:
        """The stanza that applies to the file at `path`, None if no pattern matches it."""
        found = self.pattern.fullmatch(path)
        return self.stanzas[-found.lastindex] if found and found.lastindex else None


def parse(text: str, where: str = "debian/copyright") -> Copyright | None:
    """The stanzas of a `debian/copyright`; None where it is not machine-readable. `where` names it in the evidence."""
    found = paragraphs(text) if len(text) <= MAX_TEXT else []
    if not found or not {"format", "format-specification"} & found[0].keys():
        return None
    stanzas = tuple(_stanza(fields, where) for fields in found if "files" in fields)
    if sum(len(pattern) + 1 for stanza in stanzas for pattern in stanza.patterns) > MAX_PATTERNS:
        return None
    groups = (f"({'|'.join(map(_regex, stanza.patterns))})" for stanza in reversed(stanzas))
    return Copyright(stanzas, re.compile("|".join(groups), re.DOTALL)) if stanzas else None


def paragraphs(text: str) -> list[dict[str, Field]]:
    """The stanzas of a text in Debian's control format: fields by their names in lower case, the first of a name.

    >>> [fields["b"].lines for fields in paragraphs("A: 1\\nB: 2\\n 3\\n\\nb:\\n 4\\n")]
    [('2', '3'), ('', '4')]
    """
    found: list[dict[str, Field]] = []
    fields: dict[str, Field] = {}
    lines: list[str] = []
    name, start = "", 0

    def close() -> None:
        if name:
            fields.setdefault(name, Field(start, tuple(lines)))

    for number, line in enumerate([*text.split("\n"), ""], 1):
        field = _FIELD.match(line)
        if line[:1] in (" ", "\t") and line.strip():
            lines.append(line.strip())
        elif field and not line.startswith("#"):
            close()
            name, start, lines = field.group(1).lower(), number, [field.group(2).strip()]
        elif not line.strip():
            close()
            name = ""
            if fields:
                found.append(fields)
                fields = {}
    return found


@lru_cache(maxsize=4096)
def license_of(synopsis: str) -> str | None:
    """The SPDX expression that a licence's synopsis states, None for an empty one.

    >>> license_of("GPL-2+ or Artistic-2.0, and Expat"), license_of("GPL-3+ with Autoconf exception")
    ('(Artistic-2.0 OR GPL-2.0-or-later) AND MIT', 'GPL-3.0-or-later WITH Autoconf-exception-3.0')
    """
    synopsis = " ".join(synopsis.split())
    if len(synopsis) <= expression.MAX_NAME and expression.normalize(synopsis) is None:
        return None
    # The four joiners, loosest first; a part between two of them is a name.
    parts: list[str] = []
    operators: list[tuple[bool, str]] = []
    end = 0
    for found in _CONJUNCTION.finditer(synopsis):
        parts.append(synopsis[end : found.start()])
        word = (found.group(2) or "").lower()
        operators.append(("," in found.group(), word and ("AND" if word == "and" else "OR")))
        end = found.end()
    parts.append(synopsis[end:])
    following = "AND"
    for place in range(len(operators) - 1, -1, -1):
        following = operators[place][1] or following
        operators[place] = (operators[place][0], following)
    return expression.normalize(_joined([_name(part.strip()) for part in parts], operators))


def _joined(parts: list[str], operators: list[tuple[bool, str]]) -> str:
    """The parts joined by the operators between them, with parentheses around each group of the closer ones."""
    for loosest in ((True, "OR"), (True, "AND"), (False, "OR"), (False, "AND")):
        if loosest in operators:
            groups: list[str] = []
            start = 0
            for place in [*(place for place, operator in enumerate(operators) if operator == loosest), len(operators)]:
                groups.append(f"({_joined(parts[start : place + 1], operators[start:place])})")
                start = place + 1
            return f" {loosest[1]} ".join(groups)
    return parts[0]


def _name(name: str) -> str:
    """One short name, perhaps with an exception, as SPDX writes it."""
    meaning = _MEANINGS.get(name.lower())
    if meaning:
        return meaning
    found = _NO_INVARIANTS.fullmatch(name)
    if found:
        name = f"GFDL-{found.group(1)}-no-invariants-{'or-later' if found.group(2) else 'only'}"
    known = names.known(name) or names.known(_with_minor(name))
    if known:
        return known
    found = _EXCEPTION.fullmatch(name)
    license = _name(found.group(1)) if found else ""
    if not found or " " in license:  # no exception, or one more than SPDX can say
        return names.license_ref(name)
    return f"{license} WITH {_exception(found.group(2), license)}"


def _with_minor(name: str) -> str:
    """`CC-BY-4` as `CC-BY-4.0`: the format takes versions with and without a final zero for equal."""
    return re.sub(r"-(\d+)(\+?)$", r"-\1.0\2", name)


def _exception(keywords: str, license: str) -> str:
    """The SPDX exception that the keywords mean: of several versions the licence's own, or the only one there is."""
    listed = names.spdx_list().exceptions
    if keywords.lower() in listed:
        return names.exception(keywords)
    name = keywords.replace(" ", "-") + "-exception"
    versions = [key for key in listed if re.fullmatch(re.escape(name.lower()) + r"-[\d.]+", key)]
    version = _VERSION.search(license)
    own = f"{name.lower()}-{version.group(1)}.{version.group(2) or 0}" if version else ""
    if name.lower() not in listed and versions:
        name = own if own in versions else versions[0] if len(versions) == 1 else name
    return names.exception(name)


def _stanza(fields: dict[str, Field], where: str) -> Stanza:
    files = fields["files"]
    license = fields.get("license", Field(files.line, ("",)))
    text = f"License: {license.synopsis}" if license.synopsis else "no License"
    place = f"{where} line {license.line}"
    notices = fields["copyright"].lines if "copyright" in fields else ()
    return Stanza(
        tuple(" ".join(files.lines).split()),
        LicenseEvidence(EvidenceKind.DEP5, license_of(license.synopsis), place, text[:MAX_LINE]),
        tuple(line[:MAX_LINE] for line in notices if line not in ("", "."))[:MAX_LINES],
    )


def _regex(pattern: str) -> str:
    """The regular expression for a `Files` pattern.

    What follows a star is matched where it first fits and never tried elsewhere (`(?>...)`): for all but the last
    piece that loses nothing, and it keeps hostile patterns from taking exponential time.
    """
    pieces = [""]
    end = 0
    pattern = pattern.removeprefix("./")
    for found in _GLOB.finditer(pattern):
        pieces[-1] += re.escape(pattern[end : found.start()])
        end = found.end()
        escaped, star, _ = found.groups()
        if star:
            pieces.append("")
        else:
            pieces[-1] += re.escape(escaped) if escaped else "."
    pieces[-1] += re.escape(pattern[end:])
    if len(pieces) == 1:
        return pieces[0]
    middle = "".join(f"(?>.*?{piece})" for piece in pieces[1:-1])
    return f"{pieces[0]}{middle}.*{pieces[-1]}"
