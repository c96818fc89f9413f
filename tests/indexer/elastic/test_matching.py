"""The matching contract on a cluster: the very tests that hold an embedded index to it, run on a real Elasticsearch.

Each test of the files below that builds its documents with `oracle.library.build` is run again, on an index there.
"""

from __future__ import annotations

import importlib.util
import inspect
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from oracle.library import Documents, Library, units
from oracle.reading import Oracle

from codecite.indexer import open_index
from codecite.indexer.config import IndexConfig
from codecite.indexer.elastic.load import add

_FILES = ("contract", "common", "periods", "any_bytes", "shortest")
_TESTS = Path(__file__).parents[1] / "matching"


def _build(
    place: Callable[[], str], directory: Path, documents: Documents, adds: int = 1, cap: int = 1000, common: int = 20
) -> Library:
    """As `library.build`, on a cluster."""
    url = place()
    seen = [(content, each) for content, places in documents for each in places]
    for turn in range(adds):
        add(url, units(seen[turn::adds]), config=IndexConfig(count_cap=cap, common_projects=common))
    return Library(open_index(url), Oracle(documents, cap=cap, common=common))


def _loaded(name: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(f"on_cluster_{name}", _TESTS / f"test_{name}.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


_MODULES = {name: _loaded(name) for name in _FILES}


def _uses(test: Callable[..., Any], name: str) -> bool:
    return name in getattr(inspect.unwrap(test), "__code__", test.__code__).co_names


def _again() -> Iterator[tuple[str, Callable[..., Any]]]:
    for name, module in _MODULES.items():
        for each, test in vars(module).items():
            if each.startswith("test_") and _uses(test, "build") and not _uses(test, "open_index"):
                yield f"{each}_{name}", test


globals().update(dict(_again()))


@pytest.fixture(autouse=True)
def _on_cluster(place: Callable[[], str]) -> None:
    """Let those tests build on the cluster."""
    for module in _MODULES.values():
        vars(module)["build"] = partial(_build, place)
