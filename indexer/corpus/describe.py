"""The members of an archive -> what the package's own metadata says of it; of a folder -> the licence it declares.

In: the archive's file name, the paths of its members and the way to read one, the folder that it lies in. Out: a
Described, or None where nothing tells. This module refuses to know how an archive is laid out, and what any
ecosystem's metadata look like.

What an archive is say only the metadata at its top, or in its one top folder: a `package.json` further down is of
something that the package carries along, and says what licence that is under. What a registry's tools wrote goes before
what people wrote: the sdist of a Python package may hold a `Cargo.toml` and a `package.json` too. Crates and npm's
tarballs are told by their outer form.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from codecite.indexer.corpus.cargo import describe_cargo
from codecite.indexer.corpus.gem import describe_gem
from codecite.indexer.corpus.golang import describe_golang
from codecite.indexer.corpus.identity import Described, Members, unread
from codecite.indexer.corpus.maven import describe_maven
from codecite.indexer.corpus.npm import describe_npm
from codecite.indexer.corpus.nuget import describe_nuget
from codecite.indexer.corpus.parse import MalformedError
from codecite.indexer.corpus.python import describe_project, describe_python
from codecite.indexer.records import EvidenceKind, LicenseEvidence

__all__ = ["Described", "declared_by", "declared_in", "describe", "is_manifest", "top_of"]

_MANIFESTS = {"package.json", "Cargo.toml", "pyproject.toml", "PKG-INFO"}
"""Files in which a package says what it is, wherever it has been unpacked."""

_PUBLISHED = (describe_gem, describe_maven, describe_nuget, describe_golang, describe_python)
_WRITTEN = (describe_project, describe_cargo, describe_npm)
_OF_A_GEM = {"data.tar.gz", "metadata.gz"}


def describe(
    name: str, paths: Sequence[str], read: Callable[[str], bytes], *, beside: Path | None = None
) -> Described | None:
    """What the metadata of the archive called `name` says of the package that it is.

    `read` gives the bytes of a member; what it raises is passed on. `beside` is the folder on disk that the archive
    lies in, None for one inside another. Metadata that cannot be read tell nothing but that, as evidence without an
    expression: what is weaker is not asked in their place. The parts of a gem (`data.tar.gz`) are no packages of
    their own.
    """
    if name in _OF_A_GEM:
        return None
    members = Members(name, beside, dict.fromkeys(paths), read, top_of(paths))
    for reader in (*_PUBLISHED, *sorted(_WRITTEN, key=lambda reader: reader is not _formed(members))):
        try:
            described = reader(members)
        except MalformedError as error:
            return Described(evidence=(unread(error.where, error),))
        if described is not None:
            return described
    return None


def is_manifest(path: str) -> bool:
    """Whether a package says in the file at the path what it is."""
    return path.rpartition("/")[2] in _MANIFESTS


def declared_in(folder: str, names: Sequence[str], read: Callable[[str], bytes]) -> tuple[LicenseEvidence, ...]:
    """What the manifests among the files of a folder declare of the licence of all below it.

    `folder` is its name, with a `/` behind it if it has one; `read` gives the bytes of a file in it.
    """
    if _MANIFESTS.isdisjoint(names):
        return ()
    described = describe("", names, read) or Described()
    return tuple(
        replace(item, where=f"{folder}{item.where}")
        for item in described.evidence
        if item.kind is EvidenceKind.PACKAGE_METADATA and item.expression
    )


def declared_by(manifests: Mapping[str, bytes]) -> dict[str, tuple[LicenseEvidence, ...]]:
    """What manifests, given by their paths, declare, by the folders that they are in (without a `/` behind them)."""
    folders: dict[str, dict[str, bytes]] = {}
    for path, text in manifests.items():
        folder, _, name = path.rpartition("/")
        folders.setdefault(folder, {})[name] = text
    return {
        folder: declared_in(f"{folder}/" if folder else "", list(texts), texts.__getitem__)
        for folder, texts in folders.items()
    }


def _formed(members: Members) -> Callable[[Members], Described | None] | None:
    """The reader of the registry whose archives look like this one from outside."""
    if members.name.lower().endswith(".crate"):
        return describe_cargo
    return describe_npm if members.top == "package/" else None


def top_of(paths: Sequence[str]) -> str:
    """The one folder that all paths lie in, with a `/` behind it; empty if there is none."""
    top = paths[0].partition("/")[0] + "/" if paths else ""
    return top if all(path.startswith(top) for path in paths) else ""
