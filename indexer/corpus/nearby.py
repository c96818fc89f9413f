"""What stands near a file about its licence: licence and notice files, and what REUSE declares.

In: those files of a source, with the beginnings of their texts. Out: for any path the evidence of the licence files in
the nearest folder upwards that has any, and what is declared of it. This module refuses to know where they are kept.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from codecite.indexer.licenses.head import owners
from codecite.indexer.licenses.reuse import Declarations, Declared, is_declaration
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
    r"|ml|clj|dart|vb|fs|svg|png|jpe?g|gif|pdf|gz|zip|patch|diff|[pm]o|in|tmpl|tpl|header|spec|license)",
    re.IGNORECASE,
)
"""Suffixes of what merely is named after licences: a module, a page, a picture."""

_THIRD_PARTY = re.compile(r"third.?part|3rd.?part|vendor|bundled", re.IGNORECASE)
_OF_OTHERS = re.compile(rf"notice|{_THIRD_PARTY.pattern}", re.IGNORECASE)
_FOLDERS = ("LICENSES", "LICENCES")
_TEXTS = (".txt", ".md")


@dataclass(frozen=True, slots=True)
class Near:
    """What stands near one file: the evidence of licence files, and what is declared of it."""

    evidence: tuple[LicenseEvidence, ...] = ()
    declared: tuple[Declared, ...] = ()


NOTHING = Near()
"""Near a file of which nothing else is known."""


def is_near_file(path: str) -> bool:
    """Whether the file at the path is to be read for the sake of others."""
    return is_license_file(path) or is_declaration(path)


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
    """The files that `is_near_file` tells of a source: path and text (or its first TEXT_BYTES); others are passed over.

    `around` is what is near a file where no folder above it has any, `packages` what the metadata of packages in some
    folders (without a `/` behind them) declare of all below, down to the next such folder or licence file.
    """

    def __init__(
        self,
        texts: Mapping[str, bytes],
        around: tuple[LicenseEvidence, ...] = (),
        packages: Mapping[str, tuple[LicenseEvidence, ...]] | None = None,
    ) -> None:
        self._declarations = Declarations(texts)
        folders: dict[str, dict[str, bytes]] = {}
        for path, text in texts.items():
            if is_license_file(path):
                folder = path.rpartition("/")[0]
                outer, _, name = folder.rpartition("/")
                folders.setdefault(outer if is_license_folder(name) else folder, {})[path] = text
        self._folders = {"": around} | {folder: evidence_of(files) for folder, files in folders.items()}
        self._packages = {"": ()} | dict.fromkeys(self._folders, ()) | {k: v for k, v in (packages or {}).items() if v}

    def of(self, path: str) -> Near:
        """What is near the file at `path`."""
        folder = path.rpartition("/")[0]
        evidence = _nearest(self._folders, folder) + _nearest(self._packages, folder)
        return Near(evidence, self._declarations.of(path))


def _nearest(folders: dict[str, tuple[LicenseEvidence, ...]], folder: str) -> tuple[LicenseEvidence, ...]:
    """What is said of a folder or, if nothing is, of the one around it; the answer is kept."""
    above = folder
    while (found := folders.get(above)) is None:
        above = above.rpartition("/")[0]
    if above != folder:
        folders[folder] = found
    return found
