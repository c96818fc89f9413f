"""A Python package -> what its core metadata say of it.

In: the members of a wheel, an egg or an sdist, or the parsed metadata of what is installed. Out: a Described. This
module refuses to know how the files lie on the disk, and to run a `setup.py`.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from email.message import Message
from pathlib import PurePosixPath

from codecite.indexer.corpus.identity import Described, Members, purl, repository_url
from codecite.indexer.corpus.nearby import evidence_of, is_license_file
from codecite.indexer.corpus.parse import fields, mapping, string, toml_table
from codecite.indexer.licenses.effective import strongest_first
from codecite.indexer.licenses.metadata import from_metadata, from_project

_SOURCE_LABELS = ("source", "sourcecode", "repository", "code", "github", "gitlab", "sources")
_HOME_LABELS = ("homepage", "home", "website")


def describe_python(members: Members) -> Described | None:
    """What METADATA of the one `.dist-info` folder says, else PKG-INFO of an egg or an sdist."""
    found = [path for path in members.paths if path.endswith(".dist-info/METADATA") and path.count("/") == 1]
    if len(found) != 1:
        found = [path for path in ("EGG-INFO/PKG-INFO", f"{members.top}PKG-INFO") if path in members.paths]
    if not found:
        return None
    message = fields(found[0], members.read(found[0]))
    if not field(message, "Name"):
        return None
    info = found[0].rpartition("/")[0]
    kept = named_files(message, info, members.paths)
    if not kept and info != members.top.rstrip("/"):
        kept = files_inside(info, members.paths)
    return describe_message(message, {path: members.read(path) for path in kept})


def describe_project(members: Members) -> Described | None:
    """What the `[project]` table of a `pyproject.toml` says; one whose version is dynamic says none."""
    path = f"{members.top}pyproject.toml"
    if path not in members.paths:
        return None
    project = mapping(toml_table(path, members.read(path)).get("project"))
    name = string(project.get("name"))
    if not name:
        return None
    kept = f"{members.top}{string(mapping(project.get('license')).get('file'))}"
    texts = {kept: members.read(kept)} if kept in members.paths else {}
    return Described(
        purl=purl("pypi", name, string(project.get("version"))),
        repository=_repository({label: string(url) for label, url in mapping(project.get("urls")).items()}),
        evidence=(*evidence_of(texts), *from_project(project)),
    )


def describe_message(message: Message, texts: Mapping[str, bytes]) -> Described:
    """What core metadata say. `texts` are the package's licence files: path and (the head of the) content."""
    return Described(
        purl=purl("pypi", field(message, "Name"), field(message, "Version")),
        repository=repository(message),
        evidence=strongest_first([*from_metadata(message), *evidence_of(texts)]),
    )


def field(message: Message, name: str) -> str:
    """A field of the metadata without surrounding white space, empty if it is not there."""
    return str(message.get(name) or "").strip()


def repository(message: Message) -> str | None:
    """The source repository among the project's URLs: one labelled so, else a home page that lies on a forge."""
    links: dict[str, str] = {}
    for line in message.get_all("Project-URL") or ():
        label, _, url = str(line).partition(",")
        links.setdefault(label, url)
    links.setdefault("homepage", field(message, "Home-page"))
    return _repository(links)


def named_files(message: Message, info: str, paths: Collection[str]) -> list[str]:
    """Which of the paths are the licence files that the metadata in the folder `info` names.

    They lie in `info/licenses/`, where metadata 2.4 puts them, or in `info/` itself.
    """
    base = f"{info}/" if info else ""
    named: list[str] = []
    for name in map(str, message.get_all("License-File") or ()):
        places = (f"{base}licenses/{name}", f"{base}{name}", f"{base}{PurePosixPath(name).name}")
        named.extend(next(([place] for place in places if place in paths), []))
    return named


def files_inside(info: str, paths: Collection[str]) -> list[str]:
    """Which of the paths in the folder `info` are licence files by their names."""
    return sorted(path for path in paths if path.startswith(f"{info}/") and is_license_file(path))


def _repository(links: Mapping[str, str]) -> str | None:
    labelled: dict[str, str] = {}
    for label, url in links.items():
        labelled.setdefault(re.sub(r"[^a-z]", "", label.lower()), url)
    candidates = [repository_url(labelled.get(label, "")) for label in _SOURCE_LABELS]
    candidates += [repository_url(labelled.get(label, ""), forges_only=True) for label in _HOME_LABELS]
    return next(filter(None, candidates), None)
