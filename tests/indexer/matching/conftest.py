"""The library of real code that several tests ask, built once; and the backends that the contract is held against."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack

import pytest
from oracle import realcode
from oracle.library import OPEN, Library, build

CONTRACT = ("test_contract", "test_any_bytes", "test_periods", "test_shortest")
"""The modules whose tests each backend passes."""


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Ask each question of the contract of each backend."""
    if metafunc.module.__name__.rpartition(".")[2] in CONTRACT:
        metafunc.parametrize("backend", ["embedded", "remote"], indirect=True)


@pytest.fixture(autouse=True)
def backend(request: pytest.FixtureRequest, require: Callable[..., None]) -> Iterator[None]:
    """How the indexes that a test builds are opened: as they are, or over a server."""
    if getattr(request, "param", "embedded") == "embedded":
        yield
        return
    require("flask", "waitress", "prometheus_client", "httpx")
    from oracle.served import ServedHere

    from codecite.indexer import open_index

    with ExitStack() as servers:
        OPEN.append(lambda directory: open_index(servers.enter_context(ServedHere(open_index(directory))).url))
        yield
        OPEN.pop()


@pytest.fixture(scope="session")
def real_code(tmp_path_factory: pytest.TempPathFactory) -> Library:
    """Real code under eight expressions, with files that borrow from it, added in two turns."""
    return build(tmp_path_factory.mktemp("real") / "index", realcode.documents(), adds=2)


@pytest.fixture(scope="session")
def files() -> list[bytes]:
    """The contents of the same documents that hold at least a thousand bytes."""
    return sorted({content for content, _ in realcode.documents() if len(content) >= 1000})
