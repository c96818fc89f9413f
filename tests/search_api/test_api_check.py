"""The API's answers on texts and Documents are those of the library, and hostile requests get a problem each."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

import pytest

from codecite.indexer import open_index
from codecite.indexer.attribution.policy import load_policy


def test_a_check_is_that_of_the_library(client: Any, index: Path, passage: str) -> None:
    """Every option of the library is one of the API's, and the answer is the same object."""
    options = {"before": "import re\n", "after": "\nend = 1\n", "sources": 2}
    answered = client.post("/api/v1/check", json={"text": passage, "policy": "permissive-only", **options})
    assert answered.status_code == 200
    report = open_index(index).check(passage, policy="permissive-only", **options)  # type: ignore[arg-type]
    assert answered.get_json() == report.to_dict()
    assert answered.headers["Codecite-Generation"] == f"{report.indexes[0].id}:{report.indexes[0].generation}"


def test_a_path_is_repeated(client: Any, passage: str) -> None:
    """What is HTML in a path stays data: the answer is JSON that no browser takes for a page."""
    answered = client.post("/api/v1/check", json={"text": passage, "path": "<script>alert(1)</script>.py"})
    assert answered.get_json()["path"] == "<script>alert(1)</script>.py"
    assert answered.mimetype == "application/json"
    assert answered.headers["X-Content-Type-Options"] == "nosniff"
    assert "unsafe" not in answered.headers["Content-Security-Policy"]


def test_a_batch_answers_in_order_and_goes_on_after_a_text_that_is_none(client: Any, passage: str) -> None:
    """Each text has its Report or its problem."""
    texts = [{"id": 1, "text": passage}, {"id": "b", "text": "\ud800"}, {"text": ""}]
    body = json.dumps({"texts": texts, "sources": 0})
    first, second, third = client.post("/api/v1/check/batch", data=body, content_type="application/json").get_json()[
        "reports"
    ]
    assert (first["id"], len(first["matches"])) == (1, 1)
    assert (second["id"], second["problem"]["status"]) == ("b", 422)
    assert third["matches"] == []


BAD = {
    b"{": (400, ""),
    b"\xff": (400, ""),
    b"[" * 100_000: (400, ""),
    b'{"text": NaN}': (400, ""),
    b'{"text": "x", "sources": ' + b"9" * 5000 + b"}": (400, ""),
    b"[]": (422, ""),
    b"null": (422, ""),
    b"{}": (422, "text"),
    b'{"text": 1}': (422, "text"),
    b'{"text": "x", "sources": true}': (422, "sources"),
    b'{"text": "x", "sources": -1}': (422, "sources"),
    b'{"text": "x", "sources": 1e300}': (422, "sources"),
    b'{"text": "x", "polixy": "audit"}': (422, "polixy"),
    b'{"text": "x", "policy": "/etc/passwd"}': (422, "policy"),
    b'{"text": "\\ud800"}': (422, None),
}


@pytest.mark.parametrize("body", BAD, ids=lambda body: body[:30].decode("latin-1"))
def test_a_bad_body_is_refused_by_the_name_of_its_field(client: Any, body: bytes) -> None:
    """The problem names the field, and does not repeat what was sent."""
    status, field = BAD[body]
    answered = client.post("/api/v1/check", data=body, content_type="application/json")
    problem = answered.get_json(force=True)
    assert (answered.status_code, answered.mimetype) == (status, "application/problem+json")
    assert problem["status"] == status
    assert len(answered.data) < 1000
    if field:
        assert problem["errors"][0]["field"] == field
        assert problem["detail"].startswith(f"{field}: ")


def test_whole_numbers_may_be_written_with_a_point(client: Any, passage: str) -> None:
    """JSON knows one kind of number."""
    answered = client.post("/api/v1/check", data='{"text": "x", "sources": 3.0}', content_type="application/json")
    assert answered.status_code == 200


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/nothing", 404),
        ("GET", "/api/v1/check", 405),
        ("GET", "/docs/../../etc/passwd", 404),
        ("GET", "/docs/%2e%2e%2f%2e%2e%2fetc%2fpasswd", 404),
        ("GET", "/docs/index.html", 404),
        ("GET", "/api/v1/documents/..%2f..%2fetc", 404),
        ("GET", "/api/v1/documents/swh:1:cnt:" + "0" * 40, 404),
        ("GET", "/api/v1/documents/%00", 404),
        ("POST", "/api/v1/generate", 415),
        ("GET", "/api/v1/generate/none", 404),
        ("GET", "/v1/models/none", 501),
    ],
)
def test_every_error_is_a_problem(client: Any, method: str, path: str, status: int) -> None:
    """Flask's own errors, too."""
    answered = client.open(path, method=method)
    assert answered.status_code == status
    assert answered.mimetype == "application/problem+json"
    assert answered.get_json(force=True)["request_id"] == answered.headers["X-Request-ID"]


def test_a_body_that_is_too_large_is_refused(require, index: Path) -> None:
    """Before it is read."""
    require("flask", "prometheus_client")
    from codecite.search_api.app import create_app
    from codecite.search_api.settings import Settings

    client = create_app(open_index(index), settings=Settings(max_body=1000)).test_client()
    answered = client.post("/api/v1/check", json={"text": "x" * 2000})
    assert answered.status_code == 413
    assert "1,000 bytes" in answered.get_json(force=True)["detail"]


def test_only_json_of_the_own_site_is_taken(client: Any) -> None:
    """A form or a script of another site gets nowhere; no answer lets other sites read."""
    for kind in ("text/plain", "application/x-www-form-urlencoded", "multipart/form-data"):
        assert client.post("/api/v1/check", data='{"text": "x"}', content_type=kind).status_code == 415
    for headers in ({"Origin": "https://evil.example"}, {"Sec-Fetch-Site": "cross-site"}, {"Origin": "null"}):
        answered = client.post("/api/v1/check", json={"text": "x"}, headers=headers)
        assert answered.status_code == 403
        assert "Access-Control-Allow-Origin" not in answered.headers
    assert client.post("/api/v1/check", json={"text": "x"}, headers={"Origin": "http://localhost"}).status_code == 200
    assert "Set-Cookie" not in client.get("/healthz").headers


def test_large_answers_are_compressed_where_that_is_taken(client: Any, passage: str) -> None:
    """The same bytes, and caches are told."""
    plain = client.post("/api/v1/check", json={"text": passage})
    small = client.post("/api/v1/check", json={"text": passage}, headers={"Accept-Encoding": "gzip"})
    assert small.headers["Content-Encoding"] == "gzip"
    assert gzip.decompress(small.data) == plain.data
    assert "Accept-Encoding" in small.headers["Vary"]
    assert client.get("/healthz", headers={"Accept-Encoding": "gzip"}).headers.get("Content-Encoding") is None


def test_what_has_not_changed_is_not_sent_again(client: Any) -> None:
    """An ETag that is sent back gets a 304."""
    first = client.get("/api/v1/stats")
    again = client.get("/api/v1/stats", headers={"If-None-Match": first.headers["ETag"]})
    assert (again.status_code, again.data) == (304, b"")


def test_a_document_is_shown_as_far_as_the_policy_serves_it(
    require, index: Path, corpus: Path, passage: str, tmp_path: Path
) -> None:
    """All lines, the lines of a passage that the asker has, or none; the Origins always."""
    require("flask", "prometheus_client")
    from codecite.search_api.app import create_app

    opened = open_index(index)
    swhid = opened.check(passage).attributions[0].sources[0].swhid
    text = (corpus / "textwrap.py").read_text(encoding="utf-8")
    lines = text.splitlines(keepends=True)
    shown = {}
    for serve in ("all", "matched-lines", "none"):
        policy = tmp_path / f"{serve}.toml"
        policy.write_text(f'name = "{serve}"\nserve_text = "{serve}"\n', encoding="utf-8")
        client = create_app(opened, policy=load_policy(policy)).test_client()
        whole = client.get(f"/api/v1/documents/{swhid}").get_json()
        some = client.get(f"/api/v1/documents/{swhid}?start_line=3&end_line=5").get_json()
        mine = client.post(f"/api/v1/documents/{swhid}", json={"passage": passage}).get_json()
        assert (whole["bytes"], whole["lines"]) == (len(text.encode()), len(lines))
        assert whole["origins"][0]["path"] == "textwrap.py"
        assert (whole["origins_total"], whole["origins"][0]["license"]) == (1, "PSF-2.0")
        shown[serve] = [whole["parts"], some["parts"], mine["parts"]]
        for part in (part for parts in shown[serve] for part in parts):  # no more is coloured than is shown
            coloured = ["".join(text for _, text in line) for line in part.pop("highlighted")]
            assert "\n".join(coloured).rstrip("\n") == part["text"].rstrip("\n")
    own = passage.rstrip() + "\n"  # white space at its end is no part of it
    matched = [{"start_line": 121, "end_line": 120 + own.count("\n"), "text": own}]
    assert shown["all"][0] == [{"start_line": 1, "end_line": len(lines), "text": text}]
    assert shown["all"][1] == [{"start_line": 3, "end_line": 5, "text": "".join(lines[2:5])}]
    assert shown["all"][2] == shown["matched-lines"][2] == matched
    assert shown["matched-lines"][:2] == [[], []]
    assert shown["none"] == [[], [], []]


def test_a_passage_that_anyone_has_shows_no_lines(client: Any, index: Path, passage: str) -> None:
    """Less than the guarantee length is refused: single words would show line after line."""
    swhid = open_index(index).check(passage).attributions[0].sources[0].swhid
    answered = client.post(f"/api/v1/documents/{swhid}", json={"passage": "return " * 5})
    assert answered.status_code == 422
    assert "50 bytes" in answered.get_json(force=True)["detail"]
    missed = client.post(f"/api/v1/documents/{swhid}", json={"passage": "return nothing " * 20})
    assert missed.get_json()["parts"] == []


def test_a_notice_is_that_of_the_library(client: Any, passage: str) -> None:
    """As JSON, and as the files to ship, in which nothing of a path can run."""
    files = [{"path": "<script>x</script>", "text": passage}]
    told = client.post("/api/v1/notice", json={"files": files}).get_json()
    assert [credit["license"] for credit in told["credits"]] == ["PSF-2.0"]
    page = client.post("/api/v1/notice", json={"files": files, "format": "html", "title": "<b>"})
    assert page.headers["Content-Disposition"].startswith("attachment")
    assert b"<script>" not in page.data
    assert b"&lt;b&gt;" in page.data


def test_overlap_counts_as_editors_do(client: Any, passage: str) -> None:
    """UTF-16 units, sorted and disjoint; always a list."""
    head = "s = '\U0001f600\U0001f600'\n"
    (span,) = client.post("/overlap", json={"document": head + passage}).get_json()["spans"]
    units = (head + passage).encode("utf-16-le")
    assert units[2 * span[0] : 2 * span[1]].decode("utf-16-le") in head + passage
    assert 2 * span[1] <= len(units)
    assert span[0] >= len(head.encode("utf-16-le")) // 2 - 1
    assert client.post("/overlap", json={"document": ""}).get_json() == {"spans": []}


def test_figures_and_policy_are_told(client: Any, index: Path) -> None:
    """Those of the library."""
    (told,) = client.get("/api/v1/stats").get_json()["indexes"]
    (held,) = open_index(index).stats()
    assert (told["documents"], told["licenses"]) == (held.documents, dict(held.licenses))
    policy = client.get("/api/v1/policy").get_json()
    assert (policy["name"], policy["serve_text"]) == ("audit", "matched-lines")


def test_what_was_answered_is_counted(client: Any, passage: str) -> None:
    """Latencies, matches, verdicts and the generation, by routes and never by what was asked."""
    client.post("/api/v1/check", json={"text": passage})
    client.get("/secret-path")
    told = client.get("/metrics").get_data(as_text=True)
    assert 'codecite_request_seconds_count{method="POST",route="/api/v1/check",status="200"} 1.0' in told
    assert "codecite_matches_total 1.0" in told
    assert 'codecite_verdicts_total{outcome="pass"} 1.0' in told
    assert "codecite_index_generation{" in told
    assert "secret" not in told


def test_near_duplicates_of_a_document_are_those_of_its_text(client: Any, index: Path, corpus: Path) -> None:
    """As `similar` finds them, without the Document itself, and without any text, whatever the policy serves."""
    swhid = open_index(index).search("wrap").hits[0].source.swhid
    told = client.get(f"/api/v1/documents/{swhid}/similar?limit=3").get_json()
    content = open_index(index).document(swhid).content  # type: ignore[union-attr]
    wanted = [hit for hit in open_index(index).similar(content, limit=4).to_dict()["hits"] if hit["swhid"] != swhid]
    assert [(hit["swhid"], hit["similarity"]) for hit in told["hits"]] == [
        (hit["swhid"], hit["similarity"]) for hit in wanted[:3]
    ]
    assert client.get(f"/api/v1/documents/swh:1:cnt:{'0' * 40}/similar").status_code == 404
    assert client.get(f"/api/v1/documents/{swhid}/similar?limit=0").status_code == 422


def test_a_search_counts_its_facets_where_asked(client: Any) -> None:
    """By the query string or by a body."""
    without = client.get("/api/v1/search?query=import").get_json()
    told = client.get("/api/v1/search?query=import&facets=true").get_json()
    assert "facets" not in without
    assert told["facets"]["languages"]["Python"] == told["total"]
    assert client.post("/api/v1/search", json={"query": "import", "facets": True}).get_json() == told
    assert client.get("/api/v1/search?query=import&facets=perhaps").status_code == 422
