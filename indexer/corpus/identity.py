"""The names by which a package is known: its purl, its repository, and all that its metadata says together.

In: names, versions and URLs as metadata write them, any text. Out: package URLs as the purl specification writes
them, repository URLs in one form, the `Described`. This module refuses to know of any one ecosystem's files.

Of the letters' case the specification's definitions of types say that npm and Go keep it (`JSONStream` and
`jsonstream` are two packages) and that PyPI, GitHub, Bitbucket and Debian do not.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote, urlsplit

from codecite.indexer.records import EvidenceKind, LicenseEvidence

MAX_NAME = 300
"""Characters; no registry takes a longer name or version, and none is made up from one."""

_LOWER_CASE = {"bitbucket", "deb", "github", "pypi"}
_FORGES = ("github.com", "gitlab.com", "bitbucket.org", "codeberg.org", "git.sr.ht")
_COMMIT = re.compile(r"[0-9a-f]{40}|[0-9a-f]{64}")
_SCP = re.compile(r"(?:ssh://)?[\w.-]+@([\w.-]+):(?!\d+/)/?(.+)")
_PREFIX = re.compile(r"(?:scm:(?:git|svn|hg):|git\+)+", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Described:
    """What the metadata of a package says of it; the fields are those of `Package`.

    `evidence` holds what the metadata declares and, as LICENSE_FILE, the licence files that belong to the whole
    package; one that is also near a file gives equal evidence there.
    """

    purl: str | None = None
    repository: str | None = None
    revision: str | None = None
    released: str | None = None
    evidence: tuple[LicenseEvidence, ...] = ()


@dataclass(frozen=True, slots=True)
class Members:
    """An archive as the readers of metadata see it.

    `name` is its file name, `beside` the folder on disk that it lies in (None inside another archive), `paths` are
    its members, `read` gives the bytes of one, and `top` is the folder that all of them lie in, with a `/` behind
    it: empty where there is no such folder.
    """

    name: str
    beside: Path | None
    paths: Collection[str]
    read: Callable[[str], bytes]
    top: str


def purl(kind: str, name: str, version: str = "", namespace: str = "") -> str | None:
    """The package URL; None without a name, or with one that is none. A `/` separates the parts of a namespace.

    >>> purl("npm", "core", "7.0.0", "@babel")
    'pkg:npm/%40babel/core@7.0.0'
    >>> purl("pypi", "Foo_Bar.baz", "1.0+cu118")
    'pkg:pypi/foo-bar.baz@1.0%2Bcu118'
    """
    if not name or max(map(len, (name, version, namespace))) > MAX_NAME:
        return None
    if kind in _LOWER_CASE:
        name, namespace = name.lower(), namespace.lower()
    if kind == "pypi":
        name = name.replace("_", "-")
    parts = [part for part in namespace.split("/") if part]
    base = "/".join([f"pkg:{kind}", *(quote(part, safe=":") for part in (*parts, name))])
    return f"{base}@{quote(version, safe=':')}" if version else base


def unread(where: str, reason: object) -> LicenseEvidence:
    """The evidence that a metadata file is there but cannot be read."""
    return LicenseEvidence(EvidenceKind.PACKAGE_METADATA, None, where, f"cannot be read: {reason}")


def commit(text: str) -> str | None:
    """The text if it is the whole hash of a commit, None for anything else (a branch, a short hash)."""
    return text if _COMMIT.fullmatch(text) else None


def repository_url(text: str, *, forges_only: bool = False) -> str | None:
    """The URL of the repository itself, without branch, folder or credentials; None for what is no such URL.

    On the well-known forges every spelling (`git@host:owner/name`, `git://`, with `.git`) becomes the `https` URL of
    the project; elsewhere scheme and path stay. `forges_only` is for home pages, which anywhere else are no
    repositories.

    >>> repository_url("git+ssh://git@github.com/a/b.git#main")
    'https://github.com/a/b'
    """
    text = _PREFIX.sub("", text.strip())
    scp = _SCP.fullmatch(text)
    if scp:
        text = f"ssh://{scp.group(1)}/{scp.group(2)}"
    try:
        parts = urlsplit(text)
        host = (parts.hostname or "").removeprefix("www.")
    except ValueError:
        return None
    if parts.scheme not in ("http", "https", "git", "ssh", "svn") or not host or len(text) > 2 * MAX_NAME:
        return None
    path = [piece for piece in parts.path.split("/") if piece]
    if host not in _FORGES:
        base = f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}"
        return None if forges_only else "/".join([base, *path])
    depth = path.index("-") if "-" in path else len(path) if host == "gitlab.com" else 2
    path = path[:depth]
    if len(path) < 2:
        return None
    path[-1] = path[-1].removesuffix(".git")
    return "/".join([f"https://{host}", *path])
