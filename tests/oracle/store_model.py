"""A dictionary in place of an index: which places are live, and which takedowns hold.

In: the additions, removals and compactions that the index gets, too. Out: what it must hold then, and an index made at
once of that. It refuses to know Segments, generations and how anything is found.
"""

from __future__ import annotations

import hashlib
import json
import random
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from oracle.library import reader
from oracle.planned import File, Plan, Seen, fingerprint, gives, parts, read, sound
from oracle.reading import Oracle, Place

from codecite.indexer.build import add
from codecite.indexer.corpus.units import Unit
from codecite.indexer.index import Index
from codecite.indexer.records import Package
from codecite.indexer.store.takedowns import Takedown, TakedownKind, parse_takedown

Query = tuple[bytes, bytes, bytes]
"""before, text, after"""


@dataclass(frozen=True)
class Rule:
    """A takedown, and by a second reading what it hides."""

    kind: TakedownKind
    text: str
    of_package: Callable[[Package], bool] = lambda package: False
    of_file: Callable[[Seen], bool] = lambda seen: False

    @property
    def takedown(self) -> Takedown:
        """What `remove` is given."""
        return parse_takedown(self.kind, self.text)

    def hides(self, seen: Seen) -> bool:
        """Whether the place must go."""
        return self.of_package(seen.package) or self.of_file(seen)


def swhid(content: bytes) -> str:
    """The SWHID of a content."""
    return "swh:1:cnt:" + hashlib.sha1(b"blob %d\0" % len(content) + content).hexdigest()


class Model:
    """What is live, what is taken down, and which fingerprints were read to their ends at some time."""

    def __init__(self) -> None:
        self.live: set[Seen] = set()
        self.rules: list[Rule] = []
        self._complete: set[tuple[str, str]] = set()

    def refused(self, package: Package) -> bool:
        """Whether nothing of the Package may come in."""
        return any(rule.of_package(package) for rule in self.rules)

    def likely(self, plans: Sequence[Plan]) -> list[Plan]:
        """The Plans, where what has a fingerprint that is or will be known does not fail: the same bytes were read."""
        known = self._complete | {
            (part.package.source, fingerprint(part)) for plan in plans for part in parts(plan) if part == sound(part)
        }

        def mended(plan: Plan) -> Plan:
            if plan.printed and (plan.package.source, fingerprint(plan)) in known:
                return sound(plan)
            items = tuple(mended(item) if isinstance(item, Plan) else item for item in plan.items)
            return Plan(plan.package, items, plan.whole, plan.printed)

        return [mended(plan) for plan in plans]

    def add(self, plans: Sequence[Plan], *, sync: bool) -> tuple[int, set[str]]:
        """Add Plans: returns how many failures are named, and the sources that are not synced for them."""
        failures = 0
        broken: set[str] = set()
        given: set[Seen] = set()
        for plan in plans:
            found, count = gives(plan, self.refused)
            given.update(seen for seen in found if not any(rule.hides(seen) for rule in self.rules))
            failures += count
            if count:
                broken.add(plan.package.source)
            self._complete |= {(part.package.source, fingerprint(part)) for part in parts(plan) if part == sound(part)}
        if sync:
            synced = {plan.package.source for plan in plans} - broken
            self.live = {seen for seen in self.live if seen.package.source not in synced}
        self.live |= given
        return failures, broken if sync else set()

    def hidden(self, rules: Iterable[Rule]) -> tuple[set[Seen], int, int]:
        """What the rules would take out, how many contents that would lose, and how many keep another place."""
        chosen = list(rules)
        gone = {seen for seen in self.live if any(rule.hides(seen) for rule in chosen)}
        kept = {seen.content for seen in self.live - gone}
        touched = {seen.content for seen in gone}
        return gone, len(touched - kept), len(touched & kept)

    def remove(self, rules: Iterable[Rule]) -> None:
        """Take out, for good."""
        chosen = list(rules)
        self.live -= self.hidden(chosen)[0]
        self.rules += [rule for rule in chosen if rule not in self.rules]

    def figures(self) -> dict[str, Any]:
        """What the index must say it holds."""
        contents = {seen.content for seen in self.live}
        return {
            "documents": len(contents),
            "bytes": sum(map(len, contents)),
            "sources": sorted({seen.package.source for seen in self.live}),
        }

    def write(self, directory: Path, seed: int) -> None:
        """An index of all that is live, made in one go, in an order of its own."""
        rows: dict[Package, list[File]] = defaultdict(list)
        live = sorted(self.live, key=repr)
        random.Random(seed).shuffle(live)
        for seen in live:
            rows[seen.package].append(File(seen.path, seen.content, seen.license))
        add(directory, [Unit(package, reader([read(file) for file in files])) for package, files in rows.items()])

    def oracle(self) -> Oracle:
        """The brute force over what is live."""
        documents: dict[bytes, list[Place]] = defaultdict(list)
        for seen in self.live:
            package = seen.package
            place = Place(seen.effective, package.purl, package.repository, package.source, seen.path, package.released)
            documents[seen.content].append(place)
        return Oracle(documents.items())


def answers(index: Index, queries: Sequence[Query], sources: int = 5) -> list[str]:
    """The JSON of the Reports on the queries, without what may differ from one index to the other.

    That are its id, its generation and date, and the ids of Matches, which depend on them: `within` becomes the place
    in the list of the Match that it names.
    """
    found = []
    for before, text, after in queries:
        report = index.check(text, before=before, after=after, sources=sources).to_dict()
        for coverage in report["indexes"]:
            del coverage["id"], coverage["generation"], coverage["built"]
        places = {match["id"]: i for i, match in enumerate(report["matches"])}
        for match in report["matches"]:
            del match["id"], match["index"]
            match["within"] = None if match["within"] is None else places[match["within"]]
        found.append(json.dumps(report))
    return found
