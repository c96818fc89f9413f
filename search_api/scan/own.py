"""A folder -> the names by which an index may know the project itself.

In: the root of what is scanned. Out: patterns for a policy's `own_projects`: the repository of its remotes, the purl
that its own metadata state, the folder itself. It refuses to know of indexes. So a copy of the project that stands in
the index, published or not, makes no finding.
"""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from codecite.indexer.corpus.identity import purl, repository_url
from codecite.search_api.scan.git import Git, top_of

_MOST = 1 << 20
_RUNS = re.compile(r"[-_.]+")
_SPECIAL = re.compile(r"([\[?*])")
_MODULE = re.compile(r"^module\s+(\S+)", re.MULTILINE)


def own_patterns(root: Path) -> tuple[str, ...]:
    """Patterns for the project that lies at `root`, or around it in one repository."""
    names: list[str] = []
    top = top_of(root)
    if top is not None:
        for url in Git(root).remotes():
            names += [url, f"{url}.git"]
    for folder in dict.fromkeys(folder for folder in (root, top) if folder is not None):
        names += _purls(folder)
        names.append(folder.as_uri())
    return tuple(dict.fromkeys(_SPECIAL.sub(r"[\1]", name) for name in names))


def _purls(folder: Path) -> Iterator[str]:
    """The purls, without a version, that the metadata of a folder state; what cannot be read states none."""
    project = _toml(folder / "pyproject.toml")
    name = _at(project, "project", "name") or _at(project, "tool", "poetry", "name")
    found = [purl("pypi", spelt) for spelt in (name, _RUNS.sub("-", name))] if isinstance(name, str) else []
    found += [repository_url(url, forges_only=True) for url in _texts(_at(project, "project", "urls"))]
    crate = _at(_toml(folder / "Cargo.toml"), "package", "name")
    found += [purl("cargo", crate)] if isinstance(crate, str) else []
    package = _json(folder / "package.json").get("name")
    if isinstance(package, str):
        scope, _, bare = package.rpartition("/")
        found.append(purl("npm", bare, "", scope))
    module = _MODULE.search(_read(folder / "go.mod"))
    if module:
        scope, _, bare = module.group(1).rpartition("/")
        found.append(purl("golang", bare, "", scope))
    yield from (name for name in found if name)


def _at(value: Any, *keys: str) -> Any:
    for key in keys:
        value = value.get(key) if isinstance(value, dict) else None
    return value


def _texts(value: Any) -> list[str]:
    return [text for text in value.values() if isinstance(text, str)] if isinstance(value, dict) else []


def _read(path: Path) -> str:
    try:
        with path.open("rb") as file:
            return file.read(_MOST).decode("utf-8", "replace")
    except OSError:
        return ""


def _toml(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(_read(path))
    except (ValueError, RecursionError):
        return {}


def _json(path: Path) -> dict[str, Any]:
    try:
        read = json.loads(_read(path) or "{}")
    except (ValueError, RecursionError):
        return {}
    return read if isinstance(read, dict) else {}
