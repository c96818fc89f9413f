"""A crate -> what its `Cargo.toml` says of it.

In: the members of a `.crate`, or of any archive whose folder is a Cargo package. Out: a Described. This module
refuses to know of workspaces: what a manifest takes over from one is not in the archive.
"""

from __future__ import annotations

from codecite.indexer.corpus.identity import Described, Members, commit, purl, repository_url
from codecite.indexer.corpus.nearby import evidence_of
from codecite.indexer.corpus.parse import MalformedError, json_object, mapping, string, toml_table
from codecite.indexer.licenses.metadata import from_cargo


def describe_cargo(members: Members) -> Described | None:
    """What the manifest says, and the commit from which the crate was packed."""
    path = f"{members.top}Cargo.toml"
    if path not in members.paths:
        return None
    package = mapping(toml_table(path, members.read(path)).get("package"))
    name, version = string(package.get("name")), string(package.get("version"))
    if not name or not version:
        return None
    named = f"{members.top}{string(package.get('license-file')).removeprefix('./')}"
    texts = {named: members.read(named)} if named in members.paths else {}
    return Described(
        purl=purl("cargo", name, version),
        repository=repository_url(string(package.get("repository")))
        or repository_url(string(package.get("homepage")), forges_only=True),
        revision=_revision(members),
        evidence=(*evidence_of(texts), *from_cargo(package)),
    )


def _revision(members: Members) -> str | None:
    path = f"{members.top}.cargo_vcs_info.json"
    if path not in members.paths:
        return None
    try:
        return commit(string(mapping(json_object(path, members.read(path)).get("git")).get("sha1")))
    except MalformedError:
        return None
