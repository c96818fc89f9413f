"""An npm package -> what its `package.json` says of it.

In: the members of a tarball, whose one folder is called `package` or anything else. Out: a Described. This module
refuses to know of dependencies, and of the `package.json` of what the package carries along.
"""

from __future__ import annotations

import re

from codecite.indexer.corpus.identity import Described, Members, purl, repository_url
from codecite.indexer.corpus.parse import json_object, mapping, string
from codecite.indexer.licenses.metadata import from_npm

_HOSTS = {"github": "github.com", "gitlab": "gitlab.com", "bitbucket": "bitbucket.org"}
_SHORTHAND = re.compile(r"(?:(github|gitlab|bitbucket):)?(\w[\w.-]*/[\w.-]+)(?:#.*)?")
_REVISION = re.compile(r"[0-9a-f]{40}|[0-9a-f]{64}")


def manifest(members: Members) -> str | None:
    """The path of the package's own `package.json`."""
    return next((path for path in ("package/package.json", f"{members.top}package.json") if path in members.paths), None)


def describe_npm(members: Members) -> Described | None:
    """What the manifest says; without a name and a version it is not that of a published package, and says nothing."""
    path = manifest(members)
    if path is None:
        return None
    document = json_object(path, members.read(path))
    scope, _, name = string(document.get("name")).rpartition("/")
    version = string(document.get("version"))
    if not name or not version:
        return None
    revision = string(document.get("gitHead"))
    return Described(
        purl=purl("npm", name, version, scope),
        repository=_repository(document.get("repository"))
        or repository_url(string(document.get("homepage")), forges_only=True),
        revision=revision if _REVISION.fullmatch(revision) else None,
        evidence=from_npm(document),
    )


def _repository(value: object) -> str | None:
    text = string(mapping(value).get("url")) or string(value)
    short = _SHORTHAND.fullmatch(text)
    return repository_url(f"https://{_HOSTS[short.group(1) or 'github']}/{short.group(2)}" if short else text)
