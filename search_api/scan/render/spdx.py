"""A Scan as an SPDX 2.3 document (JSON): the files, the components, and each passage as a snippet.

In: a Scan. Out: one document. It refuses to conclude: what a source's evidence says is information in the snippet, the
concluded licence of files stays NOASSERTION. Byte ranges count from 1, as SPDX does.
"""

from __future__ import annotations

import hashlib
import json
import re
from typing import Any
from urllib.parse import quote

from codecite.indexer.licenses.expression import parse
from codecite.indexer.records import NOASSERTION
from codecite.search_api.scan.judging import place_of
from codecite.search_api.scan.records import Scan, Scanned
from codecite.search_api.scan.report import version

_REF = re.compile(r"LicenseRef-[A-Za-z0-9.-]+")
_ROOT = "SPDXRef-Package-scanned"
_DOCUMENT = "SPDXRef-DOCUMENT"


def render(scan: Scan) -> str:
    """The document."""
    files = [_file(file, number) for number, file in enumerate(scan.files)]
    snippets = [item for number, file in enumerate(scan.files) for item in _snippets(file, number)]
    components = [_component(item.purl, item, number) for number, item in enumerate(scan.components)]
    digest = hashlib.sha1("".join(sorted(file.sha1 for file in scan.files)).encode(), usedforsecurity=False).hexdigest()
    name = scan.root.rstrip("/").rpartition("/")[2] or "scanned"
    root: dict[str, Any] = {
        "SPDXID": _ROOT,
        "name": name,
        "downloadLocation": NOASSERTION,
        "licenseConcluded": NOASSERTION,
        "licenseDeclared": NOASSERTION,
        "copyrightText": NOASSERTION,
        "filesAnalyzed": bool(files),
    }
    if files:
        root["packageVerificationCode"] = {"packageVerificationCodeValue": digest}
        root["licenseInfoFromFiles"] = [NOASSERTION]
    relationships = [_relation(_DOCUMENT, "DESCRIBES", _ROOT)]
    relationships += [_relation(_ROOT, "CONTAINS", file["SPDXID"]) for file in files]
    relationships += [_relation(_ROOT, "CONTAINS", item["SPDXID"]) for item in components]
    places = {file.path: number for number, file in enumerate(scan.files)}
    for number, item in enumerate(scan.components):
        for path, _, _ in item.files:
            relationships.append(
                _relation(f"SPDXRef-File-{places[path]}", "DESCENDANT_OF", f"SPDXRef-Component-{number}")
            )
    document: dict[str, Any] = {
        "spdxVersion": "SPDX-2.3",
        "dataLicense": "CC0-1.0",
        "SPDXID": _DOCUMENT,
        "name": name,
        "documentNamespace": f"urn:codecite:scan:{quote(name)}:{digest}:{scan.created.replace(':', '')}",
        "creationInfo": {"created": scan.created, "creators": [f"Tool: codecite-{version()}"]},
        "packages": [root, *components],
        "files": files,
        "snippets": snippets,
        "relationships": relationships,
    }
    refs = sorted(set(_REF.findall(json.dumps(document))))
    if refs:
        document["hasExtractedLicensingInfos"] = [
            {"licenseId": ref, "name": ref.removeprefix("LicenseRef-"), "extractedText": f"{ref}: see the source."}
            for ref in refs
        ]
    return json.dumps(document, indent=1) + "\n"


def _relation(one: str, kind: str, other: str) -> dict[str, str]:
    return {"spdxElementId": one, "relationshipType": kind, "relatedSpdxElement": other}


def _file(file: Scanned, number: int) -> dict[str, Any]:
    return {
        "SPDXID": f"SPDXRef-File-{number}",
        "fileName": f"./{file.path}",
        "checksums": [
            {"algorithm": "SHA1", "checksumValue": file.sha1},
            {"algorithm": "SHA256", "checksumValue": file.sha256},
        ],
        "licenseConcluded": NOASSERTION,
        "licenseInfoInFiles": [NOASSERTION],
        "copyrightText": NOASSERTION,
    }


def _snippets(file: Scanned, number: int) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    seen = set()
    for item in file.passages:
        match = item.match
        if not item.sources or (match.byte_start, match.byte_end) in seen:
            continue
        seen.add((match.byte_start, match.byte_end))
        source = item.sources[0]
        license = spdx_license(source.origin.license)
        reference = f"SPDXRef-File-{number}"
        found.append(
            {
                "SPDXID": f"SPDXRef-Snippet-{number}-{len(found)}",
                "name": place_of(source),
                "snippetFromFile": reference,
                "ranges": [
                    {
                        "startPointer": {"offset": match.byte_start + 1, "reference": reference},
                        "endPointer": {"offset": match.byte_end, "reference": reference},
                    },
                    {
                        "startPointer": {"lineNumber": match.start_line, "reference": reference},
                        "endPointer": {"lineNumber": match.end_line, "reference": reference},
                    },
                ],
                "licenseConcluded": NOASSERTION,
                "licenseInfoInSnippets": spdx_licenses(source.origin.license),
                "copyrightText": "\n".join(source.origin.copyright) or NOASSERTION,
                "comment": f"stands {match.kind} in {place_of(source)} ({source.swhid}), under {license}",
            }
        )
    return found


def spdx_license(expression: str) -> str:
    """An expression that SPDX takes: NOASSERTION stands alone."""
    return NOASSERTION if NOASSERTION in expression or parse(expression) is None else expression


def spdx_licenses(expression: str) -> list[str]:
    """The licences of an expression, each by itself."""
    tree = parse(expression)
    if tree is None or NOASSERTION in expression:
        return [NOASSERTION]
    return list(dict.fromkeys(str(leaf) for leaf in tree.leaves))


def _component(purl: str, item: Any, number: int) -> dict[str, Any]:
    form: dict[str, Any] = {
        "SPDXID": f"SPDXRef-Component-{number}",
        "name": item.name or "unnamed",
        "downloadLocation": NOASSERTION,
        "licenseConcluded": NOASSERTION,
        "licenseDeclared": spdx_license(item.license),
        "copyrightText": "\n".join(item.copyright) or NOASSERTION,
        "filesAnalyzed": False,
        "comment": f"{len(item.files)} files agree, {item.share:.1%} of their text; told by {item.license_evidence}",
    }
    if item.version:
        form["versionInfo"] = item.version
    if purl:
        form["externalRefs"] = [
            {"referenceCategory": "PACKAGE-MANAGER", "referenceType": "purl", "referenceLocator": purl}
        ]
    return form
