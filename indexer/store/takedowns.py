"""Stand-in until H5 writes the real one."""

from __future__ import annotations
from dataclasses import dataclass


@dataclass(frozen=True)
class Takedown:
    kind: str
    value: str


class Takedowns:
    def __init__(self, rules):
        self.rules = tuple(rules)
        self.contents = [r for r in self.rules if r.kind == "swhid"]
        self.paths = [r for r in self.rules if r.kind == "path"]

    def hides_package(self, package):
        return next((r for r in self.rules if r.kind == "purl" and (package.purl or "").startswith(r.value)), None)

    def hides_path(self, path):
        return next((r for r in self.paths if path.endswith(r.value)), None)

    def hides_content(self, sha1):
        return next((r for r in self.contents if r.value.endswith(sha1.hex())), None)

    def merged(self, more):
        return Takedowns(dict.fromkeys((*self.rules, *more)))

    def to_json(self):
        return {"rules": [[r.kind, r.value] for r in self.rules]}

    @classmethod
    def from_json(cls, fields):
        return cls([Takedown(*r) for r in fields["rules"]])
