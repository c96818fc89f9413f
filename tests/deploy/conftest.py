"""A small index of real code, made by the command line."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="session")
def index(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The index of this project's own front door."""
    place = tmp_path_factory.mktemp("made") / "index"
    command = [sys.executable, "-m", "codecite.search_api.cli", "index", "add", ROOT / "search_api", "--index", place]
    subprocess.run(command, check=True, capture_output=True)
    return place


@pytest.fixture(scope="session")
def passage() -> str:
    """A thousand characters of it."""
    return (ROOT / "search_api" / "streams.py").read_text(encoding="utf-8")[3000:4000]
