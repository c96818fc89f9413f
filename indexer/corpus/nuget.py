"""A NuGet package -> what its `.nuspec` says of it.

In: the members of a `.nupkg`. Out: a Described. This module refuses to know of dependencies and frameworks.
"""

from __future__ import annotations

from codecite.indexer.corpus.identity import Described, Members, commit, purl, repository_url
from codecite.indexer.corpus.nearby import evidence_of
from codecite.indexer.corpus.parse import xml_root
from codecite.indexer.licenses.metadata import from_nuspec


def describe_nuget(members: Members) -> Described | None:
    """What the one `.nuspec` at the top says: with a `<license>` its `<licenseUrl>` is a page about that field."""
    paths = [path for path in members.paths if path.endswith(".nuspec") and "/" not in path]
    if len(paths) != 1:
        return None
    root = xml_root(paths[0], members.read(paths[0]))

    def text(name: str) -> str:
        return (root.findtext(f"metadata/{name}") or "").strip()

    license, repository = root.find("metadata/license"), root.find("metadata/repository")
    kind = "" if license is None else license.get("type", "")
    texts = {text("license"): members.read(text("license"))} if text("license") in members.paths else {}
    stated = from_nuspec(text("license") if kind == "expression" else "", "" if kind else text("licenseUrl"))
    return Described(
        purl=purl("nuget", text("id"), text("version")),
        repository=repository_url("" if repository is None else repository.get("url", ""))
        or repository_url(text("projectUrl"), forges_only=True),
        revision=None if repository is None else commit(repository.get("commit", "")),
        evidence=(*evidence_of(texts), *stated),
    )
