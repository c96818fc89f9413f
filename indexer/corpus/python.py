"""What a wheel and an installed distribution have in common: the core metadata of a Python package.

In: the parsed METADATA, the bytes of RECORD, the licence files. Out: a Package. This module refuses to know how the
files lie on the disk.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Collection, Iterable
from email.message import Message
from pathlib import PurePosixPath
from urllib.parse import quote, urlsplit

from codecite.indexer.licenses.effective import strongest_first
from codecite.indexer.licenses.metadata import from_metadata
from codecite.indexer.records import EvidenceKind, LicenseEvidence, Package

_LICENSE_FILE = re.compile(r"(?:licen[cs]e|copying|notice)", re.IGNORECASE)
_SOURCE_LABELS = ("source", "sourcecode", "repository", "code", "github", "gitlab", "sources")
_HOME_LABELS = ("homepage", "home", "website")
_FORGES = ("github.com", "gitlab.com", "bitbucket.org", "codeberg.org", "git.sr.ht")
_MAX_FIRST_LINE = 200


def package(
    message: Message, *, source: str, url: str, record: bytes | None, licenses: Iterable[tuple[str, bytes]]
) -> Package:
    """The Package that the metadata describes. `licenses` are the licence files: path and (the head of the) content.

    Without a RECORD there is no fingerprint, and the package is read each time.
    """
    name, version = field(message, "Name"), field(message, "Version")
    texts = [LicenseEvidence(EvidenceKind.LICENSE_FILE, None, path, _first_line(text)) for path, text in licenses]
    return Package(
        source=source,
        purl=purl(name, version) if name else None,
        repository=repository(message),
        url=url,
        evidence=strongest_first([*from_metadata(message), *texts]),
        fingerprint=None if record is None else _fingerprint(name, version, record),
    )


def field(message: Message, name: str) -> str:
    """A field of the metadata without surrounding white space, empty if it is not there."""
    return str(message.get(name) or "").strip()


def purl(name: str, version: str) -> str:
    """The package URL, as the purl specification writes the type `pypi`.

    >>> purl("Foo_Bar.baz", "1.0+cu118")
    'pkg:pypi/foo-bar.baz@1.0%2Bcu118'
    """
    base = "pkg:pypi/" + quote(name.lower().replace("_", "-"), safe=".-~")
    return f"{base}@{quote(version, safe='.-_~:')}" if version else base


def repository(message: Message) -> str | None:
    """The source repository among the project's URLs: one labelled so, else a home page that lies on a forge."""
    labelled: dict[str, str] = {}
    for line in message.get_all("Project-URL") or ():
        label, _, url = str(line).partition(",")
        labelled.setdefault(re.sub(r"[^a-z]", "", label.lower()), url.strip())
    labelled.setdefault("homepage", field(message, "Home-page"))
    for label in _SOURCE_LABELS:
        found = _repository_url(labelled.get(label, ""))
        if found:
            return found
    for label in _HOME_LABELS:
        found = _repository_url(labelled.get(label, ""), forges_only=True)
        if found:
            return found
    return None


def license_files(message: Message, info: str, paths: Collection[str]) -> list[str]:
    """Which of the paths are the licence files of the package whose metadata folder is `info`.

    Those that the metadata names (in `info/licenses/`, where metadata 2.4 puts them, or in `info/` itself); if it
    names none that is there, those in `info` whose names say so.
    """
    known = set(paths)
    named: list[str] = []
    for name in map(str, message.get_all("License-File") or ()):
        places = (f"{info}/licenses/{name}", f"{info}/{name}", f"{info}/{PurePosixPath(name).name}")
        named.extend(next(([place] for place in places if place in known), []))
    if named:
        return named
    inside = (path for path in paths if path.startswith(f"{info}/"))
    return sorted(path for path in inside if _LICENSE_FILE.match(path.rpartition("/")[2]))


def _repository_url(url: str, *, forges_only: bool = False) -> str | None:
    """The URL of the repository itself, without the branch, folder or user name that a link may carry."""
    try:
        parts = urlsplit(url.removeprefix("git+"))
        host = (parts.hostname or "").removeprefix("www.")
    except ValueError:
        return None
    if parts.scheme not in ("http", "https", "git") or not host:
        return None
    path = [piece for piece in parts.path.split("/") if piece]
    if host in _FORGES:
        depth = path.index("-") if "-" in path else len(path) if host == "gitlab.com" else 2
        path = path[:depth]
        if len(path) < 2:
            return None
        path[-1] = path[-1].removesuffix(".git")
    elif forges_only:
        return None
    netloc = (
        parts.netloc.rpartition("@")[2].removeprefix("www.") if host in _FORGES else parts.netloc.rpartition("@")[2]
    )
    return "/".join([f"{parts.scheme}://{netloc}", *path])


def _first_line(text: bytes) -> str:
    for line in text.decode("utf-8", "replace").splitlines():
        if line.strip():
            return line.strip()[:_MAX_FIRST_LINE]
    return ""


def _fingerprint(name: str, version: str, record: bytes) -> str:
    digest = hashlib.sha256()
    for part in (name.encode("utf-8", "surrogatepass"), version.encode("utf-8", "surrogatepass"), record):
        digest.update(len(part).to_bytes(8, "little"))
        digest.update(part)
    return digest.hexdigest()
