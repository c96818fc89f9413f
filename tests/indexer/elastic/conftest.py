"""A real Elasticsearch, started once for all tests of this folder."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from uuid import uuid4

import cluster
import pytest


def demand() -> None:
    """Skip where the server is not here, or fail where `CODECITE_REQUIRE` lists it."""
    lacking = cluster.missing()
    if lacking is None:
        return
    if "elasticsearch" in os.environ.get("CODECITE_REQUIRE", "").split(","):
        pytest.fail(f"{lacking}, and CODECITE_REQUIRE lists it", pytrace=False)
    pytest.skip(lacking)


@pytest.fixture(scope="session")
def scratch() -> Iterator[Path]:
    """A directory that another user may read."""
    demand()
    with tempfile.TemporaryDirectory(prefix="codecite-es-") as name:
        Path(name).chmod(0o755)
        yield Path(name)


@pytest.fixture(scope="session")
def node(scratch: Path) -> Iterator[cluster.Node]:
    """A cluster of one node."""
    started = cluster.start_one(scratch, "cluster.routing.allocation.disk.threshold_enabled=false")
    yield started
    started.kill()


@pytest.fixture
def place(node: cluster.Node) -> Callable[[], str]:
    """Makes addresses of indexes that do not exist yet."""
    return lambda: f"es+{node.url}/t{uuid4().hex[:12]}"
