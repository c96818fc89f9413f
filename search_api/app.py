"""The web application: what people's browsers, editors and programs talk to, on one screen.

In: an opened Index, perhaps a Generator, a Policy, Settings. Out: a Flask application. It refuses to know how it is
served (`server.py`). Importing does nothing.
"""

from __future__ import annotations

import importlib
from pathlib import Path
from typing import Any

from flask import Blueprint, Flask

from codecite.generator.generator import Generator
from codecite.indexer.attribution.policy import Policy, load_policy
from codecite.indexer.index import Index
from codecite.search_api import edge, problems
from codecite.search_api.routes import (
    about,
    archive,
    check,
    described,
    documents,
    duplicates,
    fingerprints,
    generate,
    health,
    heritage,
    notice,
    openai,
    overlap,
    removals,
    scan,
    scanoss,
    search,
)
from codecite.search_api.service import NAME, make_service
from codecite.search_api.settings import Settings

ROUTES = (
    *(check, archive, scan, fingerprints, notice, documents, duplicates, search, generate, about, removals),
    *(openai, overlap, heritage, scanoss, health, described),
)
_UI = "codecite.search_api.ui"


def create_app(
    index: Index,
    generator: Generator | None = None,
    policy: Policy | None = None,
    settings: Settings | None = None,
) -> Flask:
    """The application over `index`; `generator` completes, `policy` judges what a request does not name another for."""
    held = settings or Settings()
    here = str(Path(__file__).resolve().parent)  # Flask looks for itself in vain under a name that an import maps
    app = Flask("codecite.search_api", static_folder=None, root_path=here, instance_path=here)
    app.config["MAX_CONTENT_LENGTH"] = held.max_body
    app.json.sort_keys = False  # type: ignore[attr-defined]
    app.extensions[NAME] = make_service(index, generator, policy or load_policy("audit"), held)
    problems.register(app)
    edge.register(app)
    for module in ROUTES:
        app.register_blueprint(module.blueprint)
    page = _page()
    if page is not None:
        app.register_blueprint(page)
    return app


def _page() -> Blueprint | None:
    """The page for people; None where it is not installed."""
    try:
        found: Any = importlib.import_module(_UI)
    except ModuleNotFoundError as error:
        if error.name != _UI:
            raise
        return None
    made = getattr(found, "blueprint", None)
    return made if isinstance(made, Blueprint) else getattr(made, "blueprint", None)
