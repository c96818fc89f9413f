"""The API over real distributions: their licences, their notices, and a page that is put before it."""

from __future__ import annotations

import importlib.metadata
import shutil
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from codecite.indexer import open_index
from codecite.indexer.build import add
from codecite.indexer.corpus.installed import installed as read_installed
from codecite.indexer.corpus.units import Reading

NAMES = ("flask", "werkzeug", "click")


@pytest.fixture(scope="module")
def installed(require: Callable[..., None], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An index of some distributions that are installed here, as `index add --installed` reads them."""
    require(*NAMES, "prometheus_client")
    site = tmp_path_factory.mktemp("site")
    for name in NAMES:
        found = importlib.metadata.distribution(name)
        for file in found.files or ():
            if ".." not in file.parts and "__pycache__" not in file.parts:
                (site / file).parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(str(found.locate_file(file)), site / file)
    directory = tmp_path_factory.mktemp("made") / "index"
    add(directory, read_installed(Reading(), [str(site)]))
    return directory


@pytest.fixture
def own(installed: Path) -> Any:
    """A client of the API over it."""
    from codecite.search_api.app import create_app

    return create_app(open_index(installed)).test_client()


def lines_of(module: str, first: int, last: int) -> str:
    """Lines of an installed module."""
    path = importlib.metadata.distribution("flask").locate_file(module)
    return "".join(Path(str(path)).read_text(encoding="utf-8").splitlines(keepends=True)[first:last])


def test_a_passage_of_a_distribution_is_traced_to_it_and_credited(own: Any) -> None:
    """From the check by way of the Document to the notice, each step by what the one before it told."""
    text = "import mine\n" + lines_of("flask/app.py", 300, 330)
    (match,) = own.post("/api/v1/check", json={"text": text}).get_json()["matches"]
    (source,) = [item for item in match["sources"] if item["path"].endswith("flask/app.py")]
    assert set(match["licenses"]) == {"BSD-3-Clause"}
    passage = text[match["start"] : match["end"]]
    shown = own.post(f"/api/v1/documents/{source['swhid']}", json={"passage": passage}).get_json()
    assert shown["parts"][0]["start_line"] == source["start_line"]
    assert passage.strip() in shown["parts"][0]["text"]
    notice = own.post("/api/v1/notice", json={"files": [{"path": "mine.py", "text": text}], "format": "text"})
    assert "BSD-3-Clause" in notice.get_data(as_text=True)
    assert "Pallets" in notice.get_data(as_text=True)


def test_a_notice_reads_no_file_that_was_not_found(own: Any) -> None:
    """Reports of others are not taken: they could name any file of the index."""
    answered = own.post("/api/v1/notice", json={"reports": [], "files": [{"path": "x", "text": ""}]})
    assert answered.status_code == 422


def test_a_page_that_is_installed_is_served(installed: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """`codecite.search_api.ui` brings its blueprint, as an object or as a module; its pages get the same headers."""
    from flask import Blueprint

    from codecite.search_api.app import create_app

    made, page = ModuleType("codecite.search_api.ui"), Blueprint("ui", __name__)
    page.add_url_rule("/", view_func=lambda: "<!doctype html><title>codecite</title>")
    made.blueprint = page  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "codecite.search_api.ui", made)
    answered = create_app(open_index(installed)).test_client().get("/")
    assert answered.status_code == 200
    assert "default-src 'self'" in answered.headers["Content-Security-Policy"]
