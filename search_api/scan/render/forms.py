"""The forms by name: which module writes which.

In: the name of a form, a Scan. Out: text. It refuses to know where that goes. Each form is a module of this folder with
a function `render`; modules are imported when their form is asked for.
"""

from __future__ import annotations

from importlib import import_module

from codecite.search_api.scan.records import Scan

FORMS = {
    "text": "text",
    "json": "json",
    "sarif": "sarif",
    "gitlab": "gitlab",
    "junit": "junit",
    "github": "github",
    "markdown": "markdown",
    "html": "html",
    "csv": "csv",
    "spdx": "spdx",
    "cyclonedx": "cyclonedx",
}
"""Each form and its module."""

NAMES_COMPONENTS = {"cyclonedx", "spdx", "json", "html"}
"""Forms that name components."""

NEEDS_DIGESTS = {"cyclonedx", "spdx"}
"""Forms that need the digests of all files."""


def rendered(form: str, scan: Scan, *, colour: bool = False) -> str:
    """The Scan in a form."""
    module = import_module(f"codecite.search_api.scan.render.{FORMS[form]}")
    text: str = module.render(scan, colour=colour) if form == "text" else module.render(scan)
    return text
