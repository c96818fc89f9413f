"""A Scan as a CycloneDX 1.6 bill of materials (JSON).

In: a Scan with its Components. Out: one BOM. It refuses to judge. A component has the evidence for its identity (how
many files agree as a whole, and how much of the others), each place where it occurs, its licence and copyright lines;
one that was changed has its ancestor as pedigree. A passage outside all components is a component of its own, marked
so.
"""

from __future__ import annotations

import json
import uuid
from collections import defaultdict
from typing import Any

from codecite.indexer.records import NOASSERTION, Attribution
from codecite.search_api.scan.records import Component, Scan
from codecite.search_api.scan.render.spdx import spdx_license
from codecite.search_api.scan.report import version

_OCCURRENCES = 1000
_SPACE = uuid.UUID("6f2c3b52-7d29-5d2c-9a63-0f6a5d0c8e11")


def render(scan: Scan) -> str:
    """The bill of materials."""
    components = [_component(item) for item in scan.components]
    known = {item.purl.partition("@")[0] for item in scan.components} | {
        item.repository or "" for item in scan.components
    }
    components += _passages(scan, known)
    name = scan.root.rstrip("/").rpartition("/")[2] or "scanned"
    seed = f"{name}\0{scan.created}\0" + "\0".join(sorted(file.swhid for file in scan.files))
    bom = {
        "$schema": "http://cyclonedx.org/schema/bom-1.6.schema.json",
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "serialNumber": f"urn:uuid:{uuid.uuid5(_SPACE, seed)}",
        "version": 1,
        "metadata": {
            "timestamp": scan.created,
            "tools": {"components": [{"type": "application", "name": "codecite", "version": version()}]},
            "component": {"type": "application", "name": name, "bom-ref": "scanned"},
        },
        "components": components,
        "dependencies": [{"ref": "scanned", "dependsOn": [item["bom-ref"] for item in components]}],
    }
    return json.dumps(bom, indent=1) + "\n"


def _component(item: Component) -> dict[str, Any]:
    whole = sum(method == "file" for _, method, _ in item.files)
    methods = []
    if whole:
        value = f"{whole} of {len(item.files)} files agree as a whole (SWHID)"
        methods.append({"technique": "hash-comparison", "confidence": 1, "value": value})
    if whole < len(item.files):
        value = f"{len(item.files) - whole} files agree in passages, {item.share:.1%} of all text"
        methods.append({"technique": "source-code-analysis", "confidence": item.share, "value": value})
    form: dict[str, Any] = {
        "type": "library",
        "bom-ref": item.purl or f"{item.repository}@{item.version}",
        "name": item.name or "unnamed",
        "evidence": {
            "identity": [
                {
                    "field": "purl" if item.purl else "name",
                    "confidence": item.share,
                    "concludedValue": item.purl or item.name,
                    "methods": methods,
                }
            ],
            "occurrences": [{"location": path} for path, _, _ in item.files[:_OCCURRENCES]],
        },
        "properties": [
            {"name": "codecite:files", "value": str(len(item.files))},
            {"name": "codecite:share", "value": str(item.share)},
            {"name": "codecite:versions", "value": " ".join(item.versions)},
        ],
    }
    _describe(form, item.purl, item.version, item.license, item.copyright, item.license_evidence)
    if item.share < 1 or whole < len(item.files):
        ancestor = {"type": "library", "name": item.name or "unnamed", "bom-ref": f"{form['bom-ref']}#ancestor"}
        ancestor |= {key: form[key] for key in ("version", "purl") if key in form}
        form["pedigree"] = {
            "ancestors": [ancestor],
            "notes": f"{item.share:.1%} of the text of its {len(item.files)} files stand in the ancestor",
        }
    return form


def _describe(
    form: dict[str, Any], purl: str, version: str | None, license: str, owners: tuple[str, ...], told: str
) -> None:
    if purl:
        form["purl"] = purl
    if version:
        form["version"] = version
    if spdx_license(license) != NOASSERTION:
        form["licenses"] = [{"expression": license, "acknowledgement": "declared"}]
        form["evidence"]["licenses"] = [{"expression": license}]
    if owners:
        form["copyright"] = "\n".join(owners)
        form["evidence"]["copyright"] = [{"text": line} for line in owners]
    if told:
        form["properties"].append({"name": "codecite:license-evidence", "value": told})


def _passages(scan: Scan, known: set[str]) -> list[dict[str, Any]]:
    """The projects of findings that are no component: what was pasted, not vendored."""
    found: dict[str, list[tuple[str, Attribution]]] = defaultdict(list)
    for finding in (*scan.findings, *scan.apart):
        source = finding.source
        if source is None or finding.attribution is None:
            continue
        name = source.origin.purl or source.origin.repository
        if name and (source.origin.purl or "").partition("@")[0] not in known and name not in known:
            found[name].append((finding.path, finding.attribution))
    components = []
    for name, items in found.items():
        source = items[0][1].sources[0]
        origin = source.origin
        bare, _, release = (origin.purl or name).partition("@")
        form: dict[str, Any] = {
            "type": "library",
            "bom-ref": f"{name}#passages",
            "name": bare.rpartition("/")[2] or "unnamed",
            "evidence": {
                "identity": [
                    {
                        "field": "purl" if origin.purl else "name",
                        "concludedValue": name,
                        "methods": [{"technique": "source-code-analysis", "confidence": 1, "value": "passages"}],
                    }
                ],
                "occurrences": [
                    {
                        "location": path,
                        "line": item.match.start_line,
                        "offset": item.match.byte_start,
                        "additionalContext": f"{item.match.length} bytes, {item.match.kind}, id {item.match.id}",
                    }
                    for path, item in items[:_OCCURRENCES]
                ],
            },
            "properties": [{"name": "codecite:part", "value": "passages only"}],
        }
        _describe(form, origin.purl or "", release or origin.revision, origin.license, origin.copyright, "")
        components.append(form)
    return components
