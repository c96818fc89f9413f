"""Reports -> what must be shipped with the text that they are of.

In: Reports in their JSON form (one that was saved is as good as a new one), a Policy, and a way to read a file of a
source's package. Out: a Notice: the projects whose passages ask for a notice, by licence; the full texts of these
licences; the NOTICE files to pass on; and what no notice settles. It refuses to know how a Notice is written down
(`shipped.py`).

Of each passage that the policy judges one source is credited: of those that the Report shows, the first in their order
under the licence that the policy likes best. A passage inside a credited one is credited too if its licence asks for
more. Of an `OR` the branch is taken that the policy likes best, of those the
one that asks for least. What asks for nothing (0BSD, a dedication to the public) is not in the Notice.

The order: licences by name, projects by name, copyright lines as they stand in the sources, each once.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any, TypeVar

from codecite.indexer.attribution.judge import license_outcome
from codecite.indexer.attribution.policy import Policy
from codecite.indexer.licenses.categories import NOTICE_FILE, category, obligations
from codecite.indexer.licenses.expression import Node, normalize, parse
from codecite.indexer.licenses.tables import license_text
from codecite.indexer.records import Category, EvidenceKind, Outcome

ReadFile = Callable[[Mapping[str, Any], str], bytes | None]
"""A source (of a Report) and a path in its package to the file there, None where it cannot be had."""

T = TypeVar("T")
_UNSETTLED = {Category.UNKNOWN, Category.PROPRIETARY}
_RANK = {outcome: rank for rank, outcome in enumerate(Outcome)}
_CATEGORY = {kind: rank for rank, kind in enumerate(Category)}
_NOTICE_NAME = re.compile(r"notices?(?:[-._].*)?", re.IGNORECASE)
_LEADER = re.compile(r"^[\s/*#;%!.<>{@|~:\\\"'-]*(?:(?:rem|REM|dnl|@c)\s+)?")
_TRAILER = re.compile(r"[\s*#;/>\\\"'-]*$")
_FILLED_IN = re.compile(r"^\s*Copyright.*<(?:year|owner|copyright holders?)>.*\n+", re.IGNORECASE | re.MULTILINE)
"""The line of a licence's text in which the owner is to be named: the copyright lines stand in its place."""
_CONTROL = {code: None for code in range(32) if code not in (9, 10)}


@dataclass(frozen=True, slots=True)
class Place:
    """A passage: where it stands in what is shipped, and where in the source; lines count from 1."""

    path: str
    start_line: int
    end_line: int
    source_path: str
    source_start_line: int
    source_end_line: int
    swhid: str


@dataclass(frozen=True, slots=True)
class NoticeFile:
    """A NOTICE file of a project, to be passed on."""

    path: str
    text: str


@dataclass(slots=True)
class Credit:
    """A project under one licence: `license` is the expression, `chosen` the branch of it that is kept to."""

    project: str
    url: str | None
    license: str
    chosen: str
    copyright: tuple[str, ...] = ()
    notices: tuple[NoticeFile, ...] = ()
    places: tuple[Place, ...] = ()


@dataclass(frozen=True, slots=True)
class Unsettled:
    """A passage, or a file of a project, that no notice settles, and what is to be done."""

    place: Place
    project: str
    license: str
    message: str


@dataclass(frozen=True, slots=True)
class LicenseText:
    """A licence: its SPDX identifier (or LicenseRef), its name, its full text."""

    id: str
    name: str
    text: str


@dataclass(frozen=True, slots=True)
class Notice:
    """What must be shipped."""

    credits: tuple[Credit, ...]
    texts: tuple[LicenseText, ...]
    unsettled: tuple[Unsettled, ...]

    def to_dict(self) -> dict[str, Any]:
        """The JSON form, `codecite-notice/1`."""
        return {
            "schema": "codecite-notice/1",
            "credits": [
                {
                    "project": credit.project,
                    "url": credit.url,
                    "license": credit.license,
                    "chosen": credit.chosen,
                    "obligations": list(obligations(credit.chosen)),
                    "copyright": list(credit.copyright),
                    "notices": [{"path": file.path, "text": file.text} for file in credit.notices],
                    "places": [_place_object(place) for place in credit.places],
                }
                for credit in self.credits
            ],
            "licenses": [{"id": text.id, "name": text.name, "text": text.text} for text in self.texts],
            "unsettled": [
                {
                    "project": item.project,
                    "license": item.license,
                    "message": item.message,
                    "place": _place_object(item.place),
                }
                for item in self.unsettled
            ],
        }


def _place_object(place: Place) -> dict[str, Any]:
    return {
        "path": place.path,
        "start_line": place.start_line,
        "end_line": place.end_line,
        "source_path": place.source_path,
        "source_start_line": place.source_start_line,
        "source_end_line": place.source_end_line,
        "swhid": place.swhid,
    }


@dataclass(slots=True)
class _Making:
    """A Notice in the making; `asked` is what each passage that was credited asks for, by its id."""

    policy: Policy
    read: ReadFile
    asked: dict[str, frozenset[str]] = field(default_factory=dict)
    credits: dict[tuple[str, str], Credit] = field(default_factory=dict)
    texts: dict[str, LicenseText] = field(default_factory=dict)
    unsettled: dict[Unsettled, None] = field(default_factory=dict)

    def passage(self, path: str, match: Mapping[str, Any]) -> None:
        """Credit a source of a passage, if it is judged and asks for something."""
        passed_over = self.policy.pass_over.intersection(match["marks"]) or (match["common"] and not self.policy.common)
        if match["bytes_in_text"] < self.policy.min_bytes or passed_over:
            return
        if not match["sources"]:
            licenses = " and ".join(match["licenses"])
            place = Place(path, match["start_line"], match["end_line"], "", 0, 0, "")
            self._settle_not(place, "", licenses, "the Report shows no source of it; check again with --sources 5")
            return
        source = min(match["sources"], key=lambda source: _RANK[license_outcome(source["license"], self.policy)])
        around = self.asked.get(match["within"] or "", frozenset())
        self.asked[match["id"]] = asked = around.union(obligations(chosen_branch(source["license"], self.policy)))
        if asked == around and around:
            return
        lines = (match["start_line"], match["end_line"], source["path"], source["start_line"], source["end_line"])
        self._credit(Place(path, *lines, source["swhid"]), source)

    def _credit(self, place: Place, source: Mapping[str, Any]) -> None:
        project = project_of(source)
        license = source["license"]
        chosen = chosen_branch(license, self.policy)
        if category(chosen) in _UNSETTLED:
            self._settle_not(place, project, license, f"{_WHAT[category(chosen)]}: ask the owner, or take it out")
        elif license_outcome(chosen, self.policy) is Outcome.FAIL:
            self._settle_not(place, project, license, f"is denied by the policy {self.policy.name}: take it out")
        if not obligations(chosen) or category(chosen) is Category.UNKNOWN:
            return
        credit = self.credits.setdefault((chosen, project), Credit(project, source["url"], license, chosen))
        credit.copyright = _merged(credit.copyright, map(clean_line, source["copyright"]))
        credit.places = _merged(credit.places, [place])
        for leaf in _leaves(chosen):
            self._text(leaf, place, source)
        if NOTICE_FILE in obligations(chosen):
            self._notices(credit, place, source)

    def _text(self, leaf: Node, place: Place, source: Mapping[str, Any]) -> None:
        """The texts of a licence and of its exception: those of the list, else the file that came with the source."""
        for name in filter(None, (leaf.license, leaf.exception)):
            if name in self.texts:
                continue
            listed = license_text(name)
            if listed is not None:
                self.texts[name] = LicenseText(name, listed[0], _FILLED_IN.sub("", listed[1]).strip("\n"))
                continue
            kept = self._of_package(source, lambda path: _NOTICE_NAME.fullmatch(path.rpartition("/")[2]) is None)
            if kept:
                text = "\n\n".join(file.text.strip("\n") for file in kept)
                self.texts[name] = LicenseText(name, name.removeprefix("LicenseRef-"), text)
            else:
                self._settle_not(place, project_of(source), name, "its text was not found: add it by hand")

    def _notices(self, credit: Credit, place: Place, source: Mapping[str, Any]) -> None:
        found = self._of_package(source, lambda path: _NOTICE_NAME.fullmatch(path.rpartition("/")[2]) is not None)
        credit.notices = _merged(credit.notices, found)
        known = {file.path for file in found}
        for path in _license_files(source):
            if _NOTICE_NAME.fullmatch(path.rpartition("/")[2]) and path not in known:
                self._settle_not(place, credit.project, credit.chosen, f"{path} was not found: pass it on by hand")

    def _of_package(self, source: Mapping[str, Any], wanted: Callable[[str], bool]) -> list[NoticeFile]:
        """Those of the licence and notice files of a source that are wanted and can be read."""
        files = []
        for path in filter(wanted, _license_files(source)):
            content = self.read(source, path)
            if content is not None:
                files.append(NoticeFile(path, _plain(content)))
        return files

    def _settle_not(self, place: Place, project: str, license: str, message: str) -> None:
        self.unsettled[Unsettled(place, project, license, message)] = None


_WHAT = {
    Category.UNKNOWN: "nothing is known of its licence",
    Category.PROPRIETARY: "its licence is no licence to pass it on freely",
}


def notice_of(reports: Iterable[tuple[str, Mapping[str, Any]]], policy: Policy, read: ReadFile) -> Notice:
    """The Notice for texts: the path of each, and its Report in the JSON form `codecite-report/1`."""
    making = _Making(policy, read)
    for path, report in reports:
        for match in report["matches"]:
            making.passage(path, match)
        making.asked.clear()
    order = sorted(making.credits, key=lambda key: (key[0].lower(), key[1]))
    texts = sorted(making.texts.values(), key=lambda text: (text.id.lower(), text.id))
    return Notice(tuple(making.credits[key] for key in order), tuple(texts), tuple(making.unsettled))


def project_of(source: Mapping[str, Any]) -> str:
    """What the project of a source is called: its purl with the version, else its repository, else its URL."""
    revision = f" at {source['revision']}" if source["revision"] else ""
    return str(source["purl"] or (f"{source['repository']}{revision}" if source["repository"] else source["url"] or ""))


def chosen_branch(license: str, policy: Policy) -> str:
    """The expression without its `OR`s: of each the branch that the policy likes best, of those what asks for least."""
    tree = parse(license)
    return license if tree is None else normalize(_chosen(tree, policy)) or license


def _chosen(tree: Node, policy: Policy) -> str:
    parts = [_chosen(part, policy) for part in tree.parts]
    if tree.operator == "OR":
        return min(parts, key=partial(_merit, policy))
    return " AND ".join(f"({part})" for part in parts) if tree.operator else str(tree)


def _merit(policy: Policy, expression: str) -> tuple[int, int, int, str]:
    outcome = _RANK[license_outcome(expression, policy)]
    return outcome, _CATEGORY[category(expression)], len(obligations(expression)), expression


def clean_line(line: str) -> str:
    """A copyright line without the marks of the comment that it stood in.

    >>> clean_line(" * Copyright (c) 2020 A. Author  */")
    'Copyright (c) 2020 A. Author'
    """
    return " ".join(_TRAILER.sub("", _LEADER.sub("", line)).translate(_CONTROL).split())


def _leaves(expression: str) -> list[Node]:
    tree = parse(expression)
    return [] if tree is None else tree.leaves


def _license_files(source: Mapping[str, Any]) -> list[str]:
    evidence = source["license_evidence"]
    return list(dict.fromkeys(item["where"] for item in evidence if item["kind"] == EvidenceKind.LICENSE_FILE))


def _merged(known: tuple[T, ...], more: Iterable[T]) -> tuple[T, ...]:
    return tuple(dict.fromkeys((*known, *filter(None, more))))


def _plain(content: bytes) -> str:
    """A text file as text: UTF-8, or Latin-1, which every byte is; without carriage returns and control characters."""
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = content.decode("latin-1")
    return "\n".join(line.rstrip() for line in text.translate(_CONTROL | {13: None}).split("\n")).strip("\n")
