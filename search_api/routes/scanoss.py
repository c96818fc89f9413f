"""`POST /scan/direct`: what SCANOSS's clients ask for, answered from the index.

In: a WFP, the fingerprints of files. Out: for each path a list of one match, in SCANOSS's JSON. It refuses to verify: a
WFP has no text, so every match is `pending`, and what nobody can know from an index (health, quality, vulnerabilities)
is not there.
"""

from __future__ import annotations

import base64
import binascii
import json
import time
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any
from urllib.parse import unquote, urlsplit

from flask import Blueprint, Response, request

from codecite.indexer.errors import TextError
from codecite.indexer.index import Index
from codecite.indexer.lookup.wfp import LEAST_HITS, Range, WfpFile, WfpMatch, parse_wfp
from codecite.indexer.records import NOASSERTION, Origin
from codecite.search_api.openapi import JSON, operation, version_here
from codecite.search_api.problems import Problem
from codecite.search_api.routes.common import answer
from codecite.search_api.service import service

blueprint = Blueprint("scanoss", __name__)

LACKING = (
    "this index has no SCANOSS fingerprints, so only whole files are found; "
    "'codecite index add --scanoss' with a source of its makes them"
)
_EVIDENCE = {
    "spdx_tag": "file_spdx_tag",
    "file_header": "file_header",
    "license_file": "license_file",
}
"""What SCANOSS calls kinds of evidence; all others are declared by a component."""
_HOSTS = {"github.com": "github", "gitlab.com": "gitlab", "bitbucket.org": "bitbucket"}
_MATCH = {
    "type": "object",
    "required": ["id", "server"],
    "properties": {"id": {"enum": ["file", "snippet", "none"]}, "server": {"type": "object"}},
}
_ANSWER = {"type": "object", "additionalProperties": {"type": "array", "items": _MATCH}}


@blueprint.post("/scan/direct")
@operation(
    "What files are, of which SCANOSS's fingerprints are sent: a form with the field `file` (SCANOSS)",
    "doors",
    answers={JSON: _ANSWER},
)
def direct() -> Response:
    """The files of a WFP."""
    began = time.monotonic()
    text = _wfp()
    try:
        files = parse_wfp(text)
    except TextError as error:
        raise Problem(422, str(error)) from None
    if not files:
        raise Problem(422, "file: the WFP names no file; each begins with a line file=MD5,SIZE,PATH")
    hits, lines = _settings(request.headers.get("scanoss-settings"))

    def asked(index: Index) -> tuple[list[WfpMatch | None], Index]:
        return [index.match_wfp(file, hits, lines) for file in files], index

    found, index = service().ask(asked, sum(len(file.hashes) for file in files) << 8)
    server = server_of(index, time.monotonic() - began)
    base = request.url_root
    return answer({file.path: [form_of(file, match, server, base)] for file, match in zip(files, found, strict=True)})


def _wfp() -> str:
    """The WFP in this request's form."""
    sent = request.files.get("file")
    content = sent.read() if sent is not None else request.form.get("file", "").encode()
    if not content:
        raise Problem(422, "file: is missing; send the WFP as the field `file` of a form", errors=[{"field": "file"}])
    return content.decode("utf-8", "replace")


def _settings(header: str | None) -> tuple[int, int]:
    """The least hits and lines of a snippet that the client asks for; what cannot be read asks for nothing."""
    found: Any = {}
    if header:
        try:
            found = json.loads(base64.b64decode(header, validate=True))
        except (binascii.Error, ValueError):
            raise Problem(422, "scanoss-settings: is no JSON in base64") from None
    values = [
        found.get(name) if isinstance(found, dict) else None for name in ("min_snippet_hits", "min_snippet_lines")
    ]
    numbers = [value if type(value) is int and value > 0 else 0 for value in values]
    return max(numbers[0], 2) if numbers[0] else LEAST_HITS, numbers[1]


def server_of(index: Index, seconds: float) -> dict[str, Any]:
    """Who answers, and of what day its knowledge is; what it cannot tell is said in `notes`."""
    built = max((item.built for item in index.coverage), default="")
    day = datetime.fromisoformat(built).strftime("%y.%m.%d") if built else ""
    made: dict[str, Any] = {
        "hostname": "codecite",
        "version": version_here(),
        "kb_version": {"daily": day, "monthly": day[:5]},
        "elapsed": f"{seconds:.6f}s",
    }
    return made if index.scanoss else {**made, "notes": [LACKING]}


def form_of(file: WfpFile, match: WfpMatch | None, server: Mapping[str, Any], base: str) -> dict[str, Any]:
    """A match in SCANOSS's form."""
    if match is None:
        return {"id": "none", "server": dict(server)}
    origin = match.source.origin
    purl, vendor, component, version = named(origin)
    share = round(100 * match.hits / len(file.hashes)) if file.hashes else 0
    return {
        "id": "file" if match.whole else "snippet",
        "status": "pending",
        "component": component,
        "vendor": vendor,
        "version": version,
        "latest": version,
        "url": origin.repository or origin.url or "",
        "url_hash": "",
        "release_date": origin.released or "",
        "purl": [purl] if purl else [],
        "file": origin.path,
        "file_hash": match.md5,
        "source_hash": file.md5,
        "file_url": f"{base}api/v1/documents/{match.source.swhid}",
        "lines": "all" if match.whole else _ranges(match.ranges),
        "oss_lines": "all" if match.whole else _ranges(match.held),
        "matched": "100%" if match.whole else f"{max(1, min(99, share))}%",
        "licenses": _licenses(origin),
        "copyrights": [{"name": line, "source": "file_header"} for line in origin.copyright],
        "dependencies": [],
        "server": dict(server),
    }


def _ranges(ranges: Iterable[Range]) -> str:
    return ",".join(f"{first}-{last}" for first, last in ranges)


def _licenses(origin: Origin) -> list[dict[str, str]]:
    """Each expression that evidence supports, the strongest first, with what it is read from."""
    found: dict[str, str] = {}
    if origin.license != NOASSERTION:
        evidence = next((item for item in origin.evidence if item.expression == origin.license), None)
        found[origin.license] = (
            _EVIDENCE.get(str(evidence.kind), "component_declared") if evidence else "component_declared"
        )
    for item in origin.evidence:
        if item.expression is not None:
            found.setdefault(item.expression, _EVIDENCE.get(str(item.kind), "component_declared"))
    return [{"name": name, "source": source} for name, source in found.items()]


def named(origin: Origin) -> tuple[str, str, str, str]:
    """The purl without its version, the vendor, the component and the version of an Origin's package.

    A package without a purl is known by its repository, where that is of a kind that purls have; else only by name.

    >>> origin = Origin("pkg:npm/%40babel/core@7.1", None, None, "a.js", None, None, "MIT", (), False, ())
    >>> named(origin)
    ('pkg:npm/%40babel/core', '@babel', 'core', '7.1')
    """
    if origin.purl:
        bare = origin.purl.split("?", 1)[0].split("#", 1)[0]
        kept, at, version = bare.rpartition("@")
        if not at or "/" in version:
            kept, version = bare, ""
        parts = kept.removeprefix("pkg:").split("/")
        return kept, unquote("/".join(parts[1:-1])), unquote(parts[-1]), unquote(version)
    place = urlsplit(origin.repository or "")
    parts = place.path.removesuffix(".git").strip("/").split("/")
    version = origin.revision or ""
    if place.hostname in _HOSTS and len(parts) == 2:
        return f"pkg:{_HOSTS[place.hostname]}/{parts[0].lower()}/{parts[1].lower()}", parts[0], parts[1], version
    name = parts[-1] or urlsplit(origin.url or "").path.rstrip("/").rpartition("/")[2]
    return "", "/".join(parts[:-1]) if origin.repository else "", name, version
