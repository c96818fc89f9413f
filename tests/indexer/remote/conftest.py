"""A small real corpus under several licences, embedded and behind a server of its own, which shows all texts."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from oracle.library import reader
from oracle.remote_corpus import HEADS, NOTICE, TEXTS, evidence

from codecite.indexer import open_index
from codecite.indexer.attribution.policy import ServeText, load_policy
from codecite.indexer.build import add
from codecite.indexer.corpus.units import Unit
from codecite.indexer.index import Index
from codecite.indexer.records import Package, SourceFile


@pytest.fixture(scope="session")
def directory(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Modules in three packages; each module stands again, cut short, in the next one. Two Segments."""
    place = tmp_path_factory.mktemp("remote") / "index"
    for turn in range(2):
        for number, license in enumerate(HEADS):
            package = Package(
                f"tree{turn}",
                purl=f"pkg:pypi/p{number}@{turn}",
                repository=f"https://example.org/team/p{number}",
                released=f"20{20 - turn}-01-01",
                evidence=evidence(license),
            )
            held = [(name, text) for i, (name, text) in enumerate(TEXTS.items()) if (i + turn) % 3 == number]
            files = [SourceFile(f"{turn}/{name}", text[: len(text) // (turn + 1)], (), ()) for name, text in held]
            files.append(SourceFile("odd.txt", b"\xe9\xff odd bytes \x80 of p%d " % number * 9, (), ()))
            files.append(SourceFile("NOTICE", NOTICE, (), ()))
            add(place, [Unit(package, reader(files))], lexical=True)
    return place


@pytest.fixture(scope="session")
def embedded(directory: Path) -> Index:
    """The index, opened here."""
    return open_index(directory)


@pytest.fixture(scope="session")
def serve(require: Callable[..., None]) -> Iterator[Callable[..., str]]:
    """Serve an index in a thread until the session is over; the address."""
    require("flask", "waitress", "prometheus_client", "httpx")
    from contextlib import ExitStack

    from oracle.served import ServedHere

    with ExitStack() as servers:

        def served(index: Any, policy: Any = None, **settings: Any) -> str:
            return servers.enter_context(ServedHere(index, policy, **settings)).url

        yield served


@pytest.fixture(scope="session")
def address(embedded: Index, serve: Callable[..., str]) -> str:
    """Where the index is served."""
    return serve(embedded, replace(load_policy("audit"), name="all", serve_text=ServeText.ALL))


@pytest.fixture(scope="session")
def remote(address: str) -> Index:
    """The same index, over the server."""
    return open_index(address)
