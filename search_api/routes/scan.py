"""`POST /api/v1/scan`: files, scanned as `codecite scan` does, in the forms that other tools read.

In: files with their paths. Out: their Scan as SARIF, SPDX, CycloneDX, CSV or JSON. It refuses to take Reports: what is
written down is what this server found. Licence files among the files attribute those beside and below them, so they
are laid out in a folder of their own for as long as the scan takes; nothing else is written.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from flask import Blueprint, Response

from codecite.indexer.corpus.members import member_name
from codecite.indexer.corpus.nearby import is_license_file
from codecite.indexer.index import Index
from codecite.search_api.bodies import Schema, read_body, text_field
from codecite.search_api.openapi import JSON, operation
from codecite.search_api.problems import wrong_field
from codecite.search_api.routes.common import PATH, POLICY, weight
from codecite.search_api.scan.components import components_of
from codecite.search_api.scan.engine import Asked, scan
from codecite.search_api.scan.records import Scan, Target, Targets
from codecite.search_api.scan.render.forms import NEEDS_DIGESTS, rendered
from codecite.search_api.service import service

blueprint = Blueprint("scan", __name__)

_SOURCES = 60
_FORMS = {
    "json": (JSON, "scan.json"),
    "sarif": ("application/sarif+json", "codecite.sarif"),
    "spdx": ("application/spdx+json", "codecite.spdx.json"),
    "cyclonedx": ("application/vnd.cyclonedx+json", "codecite.cdx.json"),
    "csv": ("text/csv", "codecite.csv"),
}
_FILE = {
    "type": "object",
    "properties": {"path": PATH, "text": text_field("The text of the file")},
    "required": ["path", "text"],
    "additionalProperties": False,
}
_SCAN = Schema(
    "Scan",
    {
        "files": {"type": "array", "minItems": 1, "items": _FILE},
        "format": {"enum": list(_FORMS), "default": "json"},
        "name": text_field("What the files are together", maxLength=200, minLength=1, pattern=r"^[^/\\\x00-\x1f]+$"),
        "policy": POLICY,
    },
    ("files",),
)
_ANSWERS: dict[str, Any] = {kind: {"type": "string" if kind == "text/csv" else "object"} for kind, _ in _FORMS.values()}


@blueprint.post("/api/v1/scan")
@operation("Files, scanned as codecite scan does, in forms for other tools", "check", body=_SCAN, answers=_ANSWERS)
def scanned() -> Response:
    """The Scan of files; nothing is taken for an own project, notes in the files are honoured."""
    asked = read_body(_SCAN)
    part = service()
    files, most, form = asked["files"], part.settings.max_batch, asked.get("format", "json")
    if len(files) > most:
        raise wrong_field("files", f"is to have at most {most} items", 413)
    contents: dict[str, bytes] = {}
    for number, file in enumerate(files):
        path, wrong = member_name(file["path"].encode("utf-8", "surrogateescape"))
        if wrong or path in contents:
            raise wrong_field(f"files[{number}].path", wrong or "is that of another file, too")
        contents[path] = file["text"].encode("utf-8", "surrogateescape")
    how = Asked(part.policy_named(asked.get("policy")), _SOURCES, digests=form in NEEDS_DIGESTS, jobs=1)
    found = part.ask(lambda index: _scan(index, contents, how), weight(how.policy, sum(map(len, contents.values()))))
    found = replace(found, root=asked.get("name", "scanned"), components=components_of(found.files))
    kind, name = _FORMS[form]
    response = Response(rendered(form, found).encode("utf-8", "backslashreplace"), mimetype=kind)
    response.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    return response


def _scan(index: Index, contents: dict[str, bytes], how: Asked) -> Scan:
    with TemporaryDirectory(prefix="codecite-scan-") as folder:
        root = Path(folder)
        _lay_out(root, ((path, content) for path, content in contents.items() if _attributes(path)))
        return scan(index, Targets(root, tuple(Target(path, content=text) for path, text in contents.items())), how)


def _attributes(path: str) -> bool:
    """Whether a file says under which licence others are."""
    folder, _, name = path.rpartition("/")
    known = name == "REUSE.toml" or name.endswith(".license") or is_license_file(name)
    return known or folder.rpartition("/")[2] == "LICENSES"


def _lay_out(root: Path, files: Iterable[tuple[str, bytes]]) -> None:
    for path, content in files:
        place = root / path
        try:
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_bytes(content)
        except (OSError, ValueError):  # a name that this system has no file for, or that is a folder of another
            continue
