"""A Go module -> what the zip of it says.

In: the members of a module zip, all of which lie in `MODULE@VERSION/`. Out: a Described. This module refuses to know
of licences: a module declares none, its files do.
"""

from __future__ import annotations

import re

from codecite.indexer.corpus.identity import Described, Members, purl, repository_url

_MODULE = re.compile(r"(?P<module>[\w.-]+\.[\w.-]+(?:/[^/@]+)*)@(?P<version>v\d+\.\d+\.\d+[^/@]*)/")


def describe_golang(members: Members) -> Described | None:
    """The module and version of which every member's path speaks; None if one does not."""
    found = _MODULE.match(next(iter(members.paths), ""))
    if found is None or not all(path.startswith(found.group()) for path in members.paths):
        return None
    namespace, _, name = found["module"].rpartition("/")
    return Described(
        purl=purl("golang", name, found["version"], namespace),
        repository=repository_url(f"https://{found['module']}", forges_only=True),
    )
