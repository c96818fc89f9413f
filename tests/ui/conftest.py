"""A server with the demo model over real code, and a browser."""

from __future__ import annotations

import importlib.util
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

SITE = Path(str(importlib.util.find_spec("numpy").origin)).parent.parent  # type: ignore[union-attr]
HOSTILE = "<img src=x onerror=\"document.title='broken in'\">"
CODE = f'''def hostile_{{number}}(value):
    """{HOSTILE}</textarea><script>document.title = 'broken in'</script>"""
    return value * 173 + other_values[value % 7] - offset_of_{{number}}
'''
REFUSED = "the server responded with a status of 4"
HARM = CODE.format(number=1) * 3


@pytest.fixture
def code() -> str:
    """The text of the file that means harm."""
    return HARM


@pytest.fixture
def copied() -> str:
    """Lines of a package that is in the index."""
    return (SITE / "click" / "utils.py").read_text(encoding="utf-8")[:4000]


@pytest.fixture(scope="session")
def index(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What is served: the modules that the model has learnt, some of Flask, and a file that means harm."""
    from codecite.indexer.build import add
    from codecite.indexer.corpus.sources import read_sources
    from codecite.indexer.corpus.units import Reading

    place = tmp_path_factory.mktemp("page")
    evil = place / "src" / "<b onmouseover=alert(1)>.py"
    evil.parent.mkdir()
    evil.write_text("# SPDX-License-Identifier: GPL-3.0-only\n" + HARM)
    twins = place / "twins"
    twins.mkdir()
    lines = [f"needle_of_twins_{number} = make({number * 7}, other={number})\n" for number in range(60)]
    (twins / "one.py").write_text("needle_of_twins = 0\n" + "".join(lines))
    (twins / "two.py").write_text("twin = 0\n" + "".join(lines[:55]) + "the_end = True\n")
    sources = [place / "src", twins, SITE / "numpy" / "lib" / "mixins.py", SITE / "click", SITE / "flask"]
    add(
        place / "index",
        read_sources(tuple(map(str, sources)), installed=False, reading=Reading()),
        lexical=True,
    )
    return place / "index"


@pytest.fixture(scope="session")
def application(require: Callable[..., None], index: Path) -> Any:
    """The application over it, with the demo model."""
    require("flask", "prometheus_client", "torch", "transformers")
    from codecite.generator.generator import Generator
    from codecite.generator.local import LocalModel
    from codecite.indexer import open_index
    from codecite.indexer.attribution.policy import load_policy
    from codecite.search_api.app import create_app
    from codecite.search_api.settings import Settings

    opened, policy = open_index(index), load_policy("permissive-only")
    settings = Settings(removal_requests=index.parent / "requests.jsonl")
    return create_app(opened, Generator(LocalModel.load("demo"), opened, policy), policy, settings)


@pytest.fixture(scope="session")
def service(application: Any) -> Any:
    """What its routes share."""
    from codecite.search_api.service import NAME

    return application.extensions[NAME]


@pytest.fixture(scope="session")
def address(application: Any) -> Iterator[str]:
    """Where it is served."""
    from werkzeug.serving import make_server

    server = make_server("127.0.0.1", 0, application, threaded=True)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()


@pytest.fixture
def whole_texts(service: Any) -> Iterator[None]:
    """The server's policy serves whole texts."""
    from codecite.indexer.attribution.policy import ServeText

    before = service.policy
    service.policy = replace(before, serve_text=ServeText.ALL)
    yield
    service.policy = before


@pytest.fixture(scope="session")
def browser(require: Callable[..., None]) -> Iterator[Any]:
    """Chromium."""
    require("playwright", "chromium")
    from playwright.sync_api import sync_playwright

    with sync_playwright() as started:
        opened = started.chromium.launch(
            executable_path="/usr/bin/chromium", args=["--no-sandbox", "--disable-background-networking"]
        )
        yield opened
        opened.close()


@pytest.fixture
def page(browser: Any, address: str) -> Iterator[Any]:
    """A page that may use the clipboard; what goes wrong in it fails the test; so does a request to another host.

    That the server refused something is no wrong of the page's: what it then says is for the test to look at.
    """
    context = browser.new_context(viewport={"width": 1200, "height": 900})
    context.grant_permissions(["clipboard-read", "clipboard-write"], origin=address)
    opened = context.new_page()
    wrong: list[str] = []
    opened.on("pageerror", lambda error: wrong.append(str(error)))
    opened.on(
        "console", lambda said: wrong.append(said.text) if said.type == "error" and REFUSED not in said.text else None
    )
    opened.on("request", lambda sent: None if sent.url.startswith((address, "blob:")) else wrong.append(sent.url))
    yield opened
    assert wrong == []
    assert "broken in" not in opened.title()
    context.close()
