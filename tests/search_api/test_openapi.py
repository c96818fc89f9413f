"""`/openapi.json` describes every route, is valid, and is true: schemathesis finds nothing that differs from it."""

from __future__ import annotations

import itertools
import re
from contextlib import suppress
from pathlib import Path
from typing import Any

from codecite.indexer import open_index

UNDESCRIBED = {"described.docs", "described.docs_file"}


def test_every_route_is_described(client: Any) -> None:
    """Only pages for people are left out."""
    app = client.application
    for rule in app.url_map.iter_rules():
        if not rule.endpoint.startswith("ui.") and rule.endpoint not in UNDESCRIBED:
            path = re.sub(r"<(?:\w+:)?(\w+)>", r"{\1}", rule.rule)
            assert path in client.get("/openapi.json").get_json()["paths"], path


def test_the_page_about_http_names_every_route(client: Any) -> None:
    """docs/http.md has each path, and none that is not there."""
    page = (Path(__file__).resolve().parents[2] / "docs" / "http.md").read_text(encoding="utf-8")
    (table,) = re.findall(r"^\| route \|.*?^$", page, re.MULTILINE | re.DOTALL)
    named = set(re.findall(r"(?<=[ `])(/[\w/{}.]+)(?=`)", table))
    assert named == {*client.get("/openapi.json").get_json()["paths"], "/docs"}


def test_the_description_is_valid(require, client: Any) -> None:
    """By the validator of OpenAPI 3.1."""
    require("openapi_spec_validator")
    from openapi_spec_validator import validate

    validate(client.get("/openapi.json").get_json())


def test_the_page_of_the_description_needs_no_other_host(require, client: Any) -> None:
    """All that it loads is served here, and its policy forbids the rest."""
    require("swagger_ui_bundle")
    page = client.get("/docs")
    assert "http" not in page.get_data(as_text=True).replace("<!doctype html>", "")
    for link in re.findall(r'(?:src|href)="([^"]+)"', page.get_data(as_text=True)):
        assert client.get(link).status_code == 200, link
    assert "unsafe-inline" not in page.headers["Content-Security-Policy"]


def test_schemathesis_finds_nothing(require, index: Path) -> None:
    """Requests of all shapes, right and wrong: never a 5xx but those that are told of, each answer as described."""
    require("schemathesis", "flask", "prometheus_client")
    import schemathesis
    from hypothesis import HealthCheck, given, settings
    from hypothesis.errors import Unsatisfiable
    from schemathesis import GenerationMode
    from schemathesis.checks import not_a_server_error
    from schemathesis.specs.openapi.checks import (
        content_type_conformance,
        response_schema_conformance,
        status_code_conformance,
    )

    from codecite.search_api.app import create_app

    schema = schemathesis.openapi.from_wsgi("/openapi.json", create_app(open_index(index)))
    checks = [content_type_conformance, response_schema_conformance, status_code_conformance]
    seen: dict[str, int] = {}

    operations = [result.ok() for result in schema.get_all_operations()]
    for operation, mode in itertools.product(operations, GenerationMode):

        @given(case=operation.as_strategy(generation_mode=mode))
        @settings(max_examples=25, deadline=None, database=None, suppress_health_check=list(HealthCheck))
        def once(case: Any) -> None:
            answered = case.call(headers={"Accept-Encoding": "identity"})
            seen[case.operation.label] = seen.get(case.operation.label, 0) + 1
            told = answered.status_code == 501  # no model, no search yet
            case.validate_response(answered, checks=checks if told else [*checks, not_a_server_error])

        with suppress(Unsatisfiable):  # a route that takes nothing cannot be asked wrongly
            once()
    assert len(seen) >= 15
