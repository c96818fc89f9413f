"""Which licence and notice files are near a file.

In: the licence files of a source, with the beginnings of their texts. Out: for any path the evidence of those in the
nearest folder upwards that has any. This module refuses to know where they are kept.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from codecite.indexer.licenses.head import owners
from codecite.indexer.licenses.texts import TEXT_BYTES, licenses_in
from codecite.indexer.records import EvidenceKind, LicenseEvidence

MAX_FILES = 8
"""Files of one folder that are kept as evidence."""

_MAX_LINE = 200
_NAME = re.compile(
    r"(?:(?:mit-)?licen[cs]es?|copying(?:v?[0-9])?|copyright|notices?|unlicen[cs]e)(?:[-._ ].*)?", re.IGNORECASE
)
_CODE = re.compile(
    r".*\.(?:py[icx]?|[ch](?:c|h|pp|xx|s|tml?)?|cxx|java|class|kts?|scala|groovy|go|rs|[mc]?jsx?|tsx?|vue|svelte|less|scss"
    r"|css|xhtml|json5?|xml|ya?ml|toml|ini|cfg|rb|erb|php|phtml|p[lm]|lua|jl|[be]?sh|ba?t|ps1|sql|swift|mm?|r|exs?|erl|hs"
    r"|ml|clj|dart|vb|fs|svg|png|jpe?g|gif|pdf|gz|zip|patch|diff|[pm]o|in|tmpl|tpl|header|spec)",
    re.IGNORECASE,
)
"""Suffixes of what merely is named after licences: a module, a page, a picture."""

_THIRD_PARTY = re.compile(r"third.?part|3rd.?part|vendor|bundled", re.IGNORECASE)
_OF_OTHERS = re.compile(rf"notice|{_THIRD_PARTY.pattern}", re.IGNORECASE)
_FOLDERS = ("LICENSES", "LICENCES")
_TEXTS = (".txt", ".md")


def is_license_file(path: str) -> bool:
    """Whether the path is that of a licence or notice file.

    >>> [is_license_file(path) for path in ("a/LICENSE-MIT", "LICENSES/GPL-2.0.txt", "COPYING.LESSER", "license.py")]
    [True, True, True, False]
    """
    folder, _, name = path.rpartition("/")
    if _NAME.fullmatch(name):
        return not _CODE.fullmatch(name)
    return folder.rpartition("/")[2] in _FOLDERS and name.endswith(_TEXTS)


def is_license_folder(name: str) -> bool:
    """Whether a folder of this name holds the licences of the folder that it is in."""
    return name in _FOLDERS


def evidence_of(texts: Mapping[str, bytes]) -> tuple[LicenseEvidence, ...]:
    """The evidence of the licence files of one folder: licences, path, first line, owners; MAX_FILES of them."""
    return tuple(
        LicenseEvidence(
            EvidenceKind.LICENSE_FILE,
            _expression(path, texts[path]),
            path,
            first_line(texts[path]),
            () if _THIRD_PARTY.search(path.rpartition("/")[2]) else owners(texts[path]),
        )
        for path in sorted(texts)[:MAX_FILES]
    )


def _expression(path: str, text: bytes) -> str | None:
    """All licences of a file together; None for notices, which speak of other people's code."""
    if _OF_OTHERS.search(path.rpartition("/")[2]):
        return None
    return " AND ".join(licenses_in(text)) or None


def first_line(text: bytes) -> str:
    """The first line that is not empty, without the white space around it; at most 200 characters."""
    for line in text[:TEXT_BYTES].decode("utf-8", "replace").splitlines():
        if line.strip():
            return line.strip()[:_MAX_LINE]
    return ""


class Nearby:
    """The licence files of a source, given as path and text (or its first TEXT_BYTES); other files are passed over.

    `around` is what is near a file where no folder above it has any.
    """

    def __init__(self, texts: Mapping[str, bytes], around: tuple[LicenseEvidence, ...] = ()) -> None:
        folders: dict[str, dict[str, bytes]] = {}
        for path, text in texts.items():
            if is_license_file(path):
                folder = path.rpartition("/")[0]
                outer, _, name = folder.rpartition("/")
                folders.setdefault(outer if is_license_folder(name) else folder, {})[path] = text
        self._folders = {"": around} | {folder: evidence_of(files) for folder, files in folders.items()}

    def of(self, path: str) -> tuple[LicenseEvidence, ...]:
        """The evidence near the file at `path`."""
        folder = above = path.rpartition("/")[0]
        while (found := self._folders.get(above)) is None:
            above = above.rpartition("/")[0]
        if above != folder:
            self._folders[folder] = found
        return found
