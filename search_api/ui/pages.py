"""The pages: write, check, search, a document, about.

In: the address of a page. Out: its HTML; all that it shows it fetches from the API, as any other client would. It
refuses to know what is found and how. Scripts are ES modules, styles one sheet, both from here; nothing is inline.
"""

from __future__ import annotations

from pathlib import Path

from flask import Blueprint, render_template

from codecite.search_api.service import service

_HERE = Path(__file__).resolve().parent
blueprint = Blueprint(
    "ui",
    __name__,
    static_folder=str(_HERE / "static"),
    static_url_path="/static",
    template_folder=str(_HERE / "templates"),
)


@blueprint.get("/")
def write() -> str:
    """Write, with the sources beside it."""
    return render_template("write.html", page="write", model=service().generator is not None)


@blueprint.get("/check")
def check() -> str:
    """Files that are checked."""
    return render_template("check.html", page="check", most=service().settings.max_body)


@blueprint.get("/search")
def search() -> str:
    """The index by words."""
    return render_template("search.html", page="search")


@blueprint.get("/documents/<swhid>")
def document(swhid: str) -> str:
    """One Document, with its places."""
    return render_template("document.html", page="search", swhid=swhid)


@blueprint.get("/about")
def about() -> str:
    """What the index holds."""
    taken = service().settings.removal_requests is not None
    return render_template("about.html", page="about", taken=taken)
