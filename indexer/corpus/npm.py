"""An npm package -> what its `package.json` says of it.

In: the members of a tarball, whose one folder is called `package` or anything else. Out: a Described. This module
refuses to know of dependencies, and of the `package.json` of what the package carries along.
"""

from __future__ import annotations

import re

from codecite.indexer.corpus.identity import Described, Members, commit, purl, repository_url
from codecite.indexer.corpus.parse import json_object, mapping, string
from codecite.indexer.licenses.metadata import from_npm

_HOSTS = {"github": "github.com", "gitlab": "gitlab.com", "bitbucket": "bitbucket.org"}
_SHORTHAND = re.compile(r"(?:(github|gitlab|bitbucket):)?(\w[\w.-]*/[\w.-]+)(?:#.*)?")


def describe_npm(members: Members) -> Described | None:
    """What the manifest says; without a name and a version it is not that of a published package, and says nothing."""
    paths = [path for path in ("package/package.json", f"{members.top}package.json") if path in members.paths]
    if not paths:
        return None
    path = paths[0]
    document = json_object(path, members.read(path))
    scope, _, name = string(document.get("name")).rpartition("/")
    version = string(document.get("version"))
    if not name or not version:
        return None
    return Described(
        purl=purl("npm", name, version, scope),
        repository=_repository(document.get("repository"))
        or repository_url(string(document.get("homepage")), forges_only=True),
        revision=commit(string(document.get("gitHead"))),
        evidence=from_npm(document),
    )


def _repository(value: object) -> str | None:
    text = string(mapping(value).get("url")) or string(value)
    short = _SHORTHAND.fullmatch(text)
    return repository_url(f"https://{_HOSTS[short.group(1) or 'github']}/{short.group(2)}" if short else text)
