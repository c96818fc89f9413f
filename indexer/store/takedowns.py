"""What is taken out of an index, and stays out of it.

In: rules as people write them, lists of opt-outs, Packages, paths, digests of contents. Out: the rule that hides one,
if any does. This module refuses to know how an index forgets what is hidden.

Each rule has one normal form, in which spellings of the same thing are equal:

    purl         pkg:pypi/foo         every version; with @VERSION that one. Qualifiers and subpath do not count
    repository   github.com/foo/bar   https, git+https, ssh, git@host:, scm:, bare spellings, any case, with or without
                                      `.git`, user, port, or a place in it (/tree/main). `foo/bar` is on GitHub
    owner        github.com/foo       whatever lies below, so also a group of GitLab's. `foo` is on GitHub
    path         *.pem                one pattern in the manner of .gitignore for the path of an Origin: what lies in a
                                      folder that matches is hidden too. No `!`, no `//`, no [[:class:]]
    swhid        swh:1:cnt:HEX        one content, wherever it comes from

A Package belongs to its repository, and to the one that its purl names (`pkg:github/`, `pkg:gitlab/`, `pkg:bitbucket/`,
`pkg:golang/HOST/OWNER/NAME`); and one whose repository lies on such a forge goes by that forge's purl too, its revision
being the version. A repository rule also hides what lies below, such as a Go module in a folder.

A Package is looked up by its names, a content by its digest and a path by itself and its folders: the number of rules
does not matter, but for patterns with wild cards, which are tried one after the other (some .3 us each).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, KeysView, Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, unquote, urlsplit

from codecite.indexer.errors import ConfigError, IndexVersionError
from codecite.indexer.records import Package

if TYPE_CHECKING:
    from pathspec import GitIgnoreSpec

_GITHUB = "github.com"
_FORGES = {"github": _GITHUB, "gitlab": "gitlab.com", "bitbucket": "bitbucket.org"}
_KINDS_BY_HOST = {host: kind for kind, host in _FORGES.items()}
_TWO_DEEP = {_GITHUB, "bitbucket.org", "codeberg.org", "git.sr.ht"}
"""Forges whose repositories are all OWNER/NAME; what a URL has behind that is a place in one."""

_NO_CASE = {"bitbucket", "deb", "github", "gitlab", "pypi"}
_PREFIX = re.compile(r"(?:scm:(?:git|svn|hg):|(?:git|svn|hg)\+)+", re.IGNORECASE)
_SCP = re.compile(r"(?:ssh://)?[\w.-]+@([\w.-]+):(?!\d+/)/?(.+)")
_HOST = re.compile(r"[a-z0-9-]+(?:\.[a-z0-9-]+)+|localhost")
_PART = re.compile(r"[\w.~+-]+")
_GITHUB_OWNER = re.compile(r"[a-z0-9_-]+")
_PURL = re.compile(r"pkg:/*([a-z][a-z0-9.+-]*)/([^?#]+)(?:[?#].*)?", re.IGNORECASE | re.DOTALL)
_CONTENT = re.compile(r"swh:1:cnt:([0-9a-f]{40})(?:;.*)?", re.IGNORECASE | re.DOTALL)
_WILD = re.compile(r"[*?\[\\]")


class TakedownKind(StrEnum):
    """What a rule speaks of."""

    PURL = "purl"
    REPOSITORY = "repository"
    OWNER = "owner"
    PATH = "path"
    SWHID = "swhid"


@dataclass(frozen=True, slots=True)
class Takedown:
    """One rule; `value` is in the normal form that `parse_takedown` gives."""

    kind: TakedownKind
    value: str

    def __str__(self) -> str:
        return f"{self.kind} {self.value}"


def parse_takedown(kind: TakedownKind, text: str) -> Takedown:
    """The rule that a person wrote. Raises ConfigError for what is none, with an example of one.

    >>> parse_takedown(TakedownKind.REPOSITORY, "git@github.com:Foo/Bar.git").value
    'github.com/foo/bar'
    """
    value: str | None
    if kind == TakedownKind.PATH:
        return Takedown(kind, _pattern(text))
    text = text.strip()
    if kind == TakedownKind.PURL:
        value, example = _purl(text), "pkg:pypi/NAME or pkg:npm/NAME@VERSION"
    elif kind == TakedownKind.REPOSITORY:
        value, example = _place(text, least=2), "https://HOST/OWNER/NAME, or OWNER/NAME for one on GitHub"
    elif kind == TakedownKind.OWNER:
        value, example = _owner(text), "HOST/OWNER, or OWNER for one on GitHub"
    else:
        content = _CONTENT.fullmatch(text)
        value, example = content and f"swh:1:cnt:{content.group(1).lower()}", "swh:1:cnt: and 40 hexadecimal digits"
    if value is None:
        raise ConfigError(f"{text!r} is no {kind} to take down; write {example}")
    return Takedown(kind, value)


def read_opt_outs(path: Path) -> tuple[Takedown, ...]:
    """The rules of a list of opt-outs, one a line, in the form in which people ask to be left out of The Stack.

    A line is `owner` or `owner/name` on GitHub, `host/owner`, the URL of an owner or a repository, a purl or a SWHID; a
    `-` or `*` may stand before it. What follows a `#` at the head of a line or after a space is a comment. Raises
    ConfigError for a file that cannot be read and for a line that is none of these, with its number.
    """
    try:
        text = path.read_bytes().decode("utf-8-sig")
    except OSError as error:
        raise ConfigError(f"{path}: cannot be read ({error.strerror}); name a list of opt-outs") from None
    except UnicodeDecodeError as error:
        raise ConfigError(f"{path}: byte {error.start}: is not UTF-8; save the list as UTF-8") from None
    rules: dict[Takedown, None] = {}
    for number, line in enumerate(text.split("\n"), 1):
        entry = re.sub(r"(?:^|\s)#.*", "", line).strip()
        entry = re.sub(r"^[-*]\s+", "", entry)
        if entry:
            try:
                rules[_opt_out(entry)] = None
            except ConfigError as error:
                raise ConfigError(f"{path}, line {number}: {error}") from None
    return tuple(rules)


class Takedowns:
    """Rules, in their order and each once, and what they hide.

    `rules` are all of them, `paths` those for paths, `contents` those for contents by sha1 (20 bytes). Nothing changes
    after it was made: several threads may ask.
    """

    def __init__(self, rules: Iterable[Takedown]) -> None:
        self._rules = dict.fromkeys(rules)
        self._projects: dict[str, Takedown] = {}
        self._owners: dict[str, Takedown] = {}
        self._literal: dict[str, Takedown] = {}
        self._wild: list[Takedown] = []
        paths: list[Takedown] = []
        contents: dict[bytes, Takedown] = {}
        for rule in self._rules:
            if rule.kind == TakedownKind.SWHID:
                contents[bytes.fromhex(rule.value.removeprefix("swh:1:cnt:"))] = rule
            elif rule.kind == TakedownKind.OWNER:
                self._owners[rule.value] = rule
            elif rule.kind == TakedownKind.PATH:
                paths.append(rule)
                if _WILD.search(rule.value):
                    self._wild.append(rule)
                else:
                    self._literal[rule.value] = rule
            else:
                self._projects[rule.value] = rule
        self.paths: tuple[Takedown, ...] = tuple(paths)
        self.contents: Mapping[bytes, Takedown] = contents

    @property
    def rules(self) -> KeysView[Takedown]:
        """All rules; asking whether one is among them takes no time."""
        return self._rules.keys()

    def hides_package(self, package: Package) -> Takedown | None:
        """The rule that hides all of the Package."""
        if not self._projects and not self._owners:
            return None
        for name in _names(package):
            if name in self._projects:
                return self._projects[name]
        for owner in _owners(package):
            if owner in self._owners:
                return self._owners[owner]
        return None

    def hides_path(self, path: str) -> Takedown | None:
        """The rule that hides the Origins with this path (`/` between folders, relative to the Package)."""
        if self._literal:
            for literal in _literals(path):
                if literal in self._literal:
                    return self._literal[literal]
        if not self._wild:
            return None
        index = self._spec.check_file(path, separators=()).index
        return None if index is None else self._wild[index]

    def hides_content(self, sha1: bytes) -> Takedown | None:
        """The rule that hides the content with this SWHID digest (20 bytes)."""
        return self.contents.get(sha1)

    def merged(self, more: Iterable[Takedown]) -> Takedowns:
        """These rules, then those that are new."""
        return Takedowns((*self._rules, *more))

    def to_json(self) -> dict[str, Any]:
        """The JSON form: for each kind its values, sorted. The order of the rules is not kept."""
        values: dict[str, list[str]] = {str(kind): [] for kind in TakedownKind}
        for rule in self._rules:
            values[rule.kind].append(rule.value)
        return {"takedowns": {kind: sorted(found) for kind, found in values.items() if found}}

    @classmethod
    def from_json(cls, fields: Mapping[str, Any]) -> Takedowns:
        """What `to_json` gave. Raises IndexVersionError for a kind of rule that this version does not know."""
        unknown = fields["takedowns"].keys() - {str(kind) for kind in TakedownKind}
        if unknown:
            raise IndexVersionError(
                f"takedowns of the kind {min(unknown)!r}: a newer codecite wrote them; use that one"
            )
        return cls(
            Takedown(TakedownKind(kind), value) for kind, values in fields["takedowns"].items() for value in values
        )

    @cached_property
    def _spec(self) -> GitIgnoreSpec:
        from pathspec import GitIgnoreSpec

        return GitIgnoreSpec.from_lines([rule.value for rule in self._wild])


def _opt_out(entry: str) -> Takedown:
    if entry.lower().startswith("pkg:"):
        return parse_takedown(TakedownKind.PURL, entry)
    if entry.lower().startswith("swh:"):
        return parse_takedown(TakedownKind.SWHID, entry)
    if entry.lower() == "all":
        raise ConfigError("'all' says not whose; write the owner's name (github.com/all if it is that)")
    place = _place(entry, least=1)
    if place is None:
        raise ConfigError(f"{entry!r} is no opt-out; write OWNER, OWNER/NAME, a URL, a purl or a SWHID")
    return Takedown(TakedownKind.REPOSITORY if place.count("/") > 1 else TakedownKind.OWNER, place)


def _place(text: str, *, least: int) -> str | None:
    """`host/path` of a repository or an owner in lower case; None for what has no host or fewer parts of a path.

    Without a host, `owner/name` and (where one part is enough) `owner` lie on GitHub.
    """
    text = _PREFIX.sub("", text)
    scp = _SCP.fullmatch(text)
    if scp:
        text = f"ssh://{scp.group(1)}/{scp.group(2)}"
    elif "://" not in text:
        head, slash, _ = text.lower().partition("/")
        if not slash or not _HOST.fullmatch(head):
            text = f"{_GITHUB}/{text}" if text.count("/") < 2 else ""
        text = f"https://{text}"
    try:
        parts = urlsplit(text)
        host = (parts.hostname or "").removeprefix("www.")
    except ValueError:
        return None
    path = [unquote(part).lower() for part in parts.path.split("/") if part]
    if parts.scheme not in ("http", "https", "git", "ssh", "svn") or not _HOST.fullmatch(host):
        return None
    if host in _TWO_DEEP:
        path = path[:2]
    elif "-" in path:
        path = path[: path.index("-")]
    if len(path) < least:
        return None
    path[-1] = re.sub(r"(?:\.git)+$", "", path[-1])
    fits = all(_PART.fullmatch(part) and part not in (".", "..") for part in path)
    if not fits or (host == _GITHUB and not _GITHUB_OWNER.fullmatch(path[0])):
        return None
    return "/".join((host, *path))


def _owner(text: str) -> str | None:
    place = _place(text.removeprefix("@"), least=1)
    if place is None or (place.partition("/")[0] in _TWO_DEEP and place.count("/") > 1):
        return None
    return place


def _purl(text: str) -> str | None:
    """The package URL as the specification writes it, without qualifiers and subpath."""
    found = _PURL.fullmatch(text)
    if not found:
        return None
    kind, rest = found.group(1).lower(), found.group(2).strip("/")
    folder, _, last = rest.rpartition("/")
    # A version's own slashes are written %2F, and an @ that begins a name is a part of it.
    at = last.find("@", 1)
    last, version = (last[:at], last[at + 1 :]) if at > 0 else (last, "")
    parts = [unquote(part) for part in (*folder.split("/"), last) if part]
    if not parts or any("@" in part[1:] for part in parts[:-1]):
        return None
    if kind in _NO_CASE:
        parts = [part.lower() for part in parts]
    if kind == "pypi":
        parts[-1] = re.sub(r"[-_.]+", "-", parts[-1])
    base = "/".join((f"pkg:{kind}", *(quote(part, safe=":") for part in parts)))
    return f"{base}@{quote(unquote(version), safe=':')}" if version else base


def _pattern(text: str) -> str:
    from pathspec.patterns.gitignore import GitIgnorePatternError
    from pathspec.patterns.gitignore.spec import GitIgnoreSpecPattern

    try:
        regex, include = GitIgnoreSpecPattern.pattern_to_regex(text)
        re.compile(regex or "")
    except (GitIgnorePatternError, re.error):
        regex, include = None, None
    if not include or any(sign in text for sign in ("//", "[[", "\n", "\0")):
        raise ConfigError(
            f"{text!r} is no path to take down; write a pattern in the manner of .gitignore like secret.pem, src/*.key"
            " or build/"
        )
    return text if text.endswith("\\ ") else text.rstrip()


def _literals(path: str) -> Iterator[str]:
    """The patterns without wild cards that match the path or a folder around it."""
    begin = 0
    while begin <= len(path):
        end = path.find("/", begin)
        tail = "" if end < 0 else "/"
        end = len(path) if end < 0 else end
        name, whole = path[begin:end], path[:end]
        yield name
        yield "/" + whole
        if begin:
            yield whole
        if tail:
            yield name + "/"
            yield "/" + whole + "/"
            if begin:
                yield whole + "/"
        begin = end + 1


def _repositories(package: Package) -> Iterator[str]:
    """The repositories that a Package comes from: the one it names, and the one in its purl."""
    if package.repository:
        place = _place(package.repository, least=2)
        if place:
            yield place
    kind, _, rest = (package.purl or "").removeprefix("pkg:").partition("/")
    if kind in _FORGES or kind == "golang":
        path = "/".join(unquote(part) for part in re.split(r"[@?#]", rest)[0].split("/"))
        place = _place(f"https://{_FORGES[kind]}/{path}" if kind in _FORGES else f"https://{path}", least=2)
        if place:
            yield place


def _names(package: Package) -> Iterator[str]:
    """The values of the purls and repositories that would hide the Package."""
    if package.purl:
        purl = _purl(package.purl)
        if purl:
            yield purl
            yield purl.rpartition("@")[0] or purl
    for place in _repositories(package):
        yield from _around(place, 3)
        host, _, path = place.partition("/")
        if host in _KINDS_BY_HOST:
            purl = f"pkg:{_KINDS_BY_HOST[host]}/{quote(path)}"
            yield purl
            if package.revision:
                yield f"{purl}@{quote(package.revision, safe=':')}"


def _owners(package: Package) -> Iterator[str]:
    for place in _repositories(package):
        yield from _around(place.rpartition("/")[0], 2)


def _around(place: str, least: int) -> Iterator[str]:
    """The place and those above it that have at least so many parts."""
    parts = place.split("/")
    yield from ("/".join(parts[:end]) for end in range(len(parts), least - 1, -1))
