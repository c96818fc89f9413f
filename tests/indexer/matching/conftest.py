"""The library of real code that several tests ask, built once."""

from __future__ import annotations

import pytest
from oracle import realcode
from oracle.library import Library, build


@pytest.fixture(scope="session")
def real_code(tmp_path_factory: pytest.TempPathFactory) -> Library:
    """Real code under eight expressions, with files that borrow from it, added in two turns."""
    return build(tmp_path_factory.mktemp("real") / "index", realcode.documents(), adds=2)


@pytest.fixture(scope="session")
def files() -> list[bytes]:
    """The contents of the same documents that hold at least a thousand bytes."""
    return sorted({content for content, _ in realcode.documents() if len(content) >= 1000})
