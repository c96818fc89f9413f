"""A Ruby gem -> what its specification says of it.

In: the members of a `.gem`: `metadata.gz`, and `data.tar.gz` with the files. Out: a Described. This module refuses to
know of Ruby: the classes that tag the YAML are not looked at, and a `.gemspec`, which is a program, is not read.
"""

from __future__ import annotations

import re

from codecite.indexer.corpus.identity import Described, Members, purl, repository_url
from codecite.indexer.corpus.parse import gunzipped, mapping, string, yaml_mapping
from codecite.indexer.licenses.metadata import from_gem

_PATH = "metadata.gz"
_DATE = re.compile(r"(?:199[5-9]|20\d\d)-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12]\d|3[01])")
"""No gem is older than Ruby; reproducible builds are dated 1980."""


def describe_gem(members: Members) -> Described | None:
    """What the specification says. `released` is its `date`, the day on which the gem was built."""
    if _PATH not in members.paths:
        return None
    specification = yaml_mapping(_PATH, gunzipped(_PATH, members.read(_PATH)))
    links = mapping(specification.get("metadata"))
    version = specification.get("version")
    released = string(specification.get("date"))[:10]
    return Described(
        purl=purl("gem", string(specification.get("name")), string(mapping(version).get("version")) or string(version)),
        repository=repository_url(string(links.get("source_code_uri")))
        or repository_url(string(specification.get("homepage")), forges_only=True)
        or repository_url(string(links.get("homepage_uri")), forges_only=True),
        released=released if _DATE.fullmatch(released) else None,
        evidence=from_gem(specification),
    )
