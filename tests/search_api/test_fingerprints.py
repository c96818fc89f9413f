"""`codecite fingerprint`, what the scanner and the API make of it, and the published schemas of both."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from codecite.indexer import open_index
from codecite.indexer.fingerprint.handover import CONFIG, read_fingerprints

DOCS = Path(__file__).resolve().parents[2] / "docs"
LINE = json.loads((DOCS / "codecite-fingerprints-1.schema.json").read_text(encoding="utf-8"))
ANSWER = json.loads((DOCS / "codecite-candidates-1.schema.json").read_text(encoding="utf-8"))


@pytest.fixture
def tree(corpus: Path, passage: str, tmp_path: Path) -> Path:
    """A whole file of the index, a part of another, and files of one's own."""
    made = tmp_path / "tree"
    made.mkdir()
    (made / "copied.py").write_bytes((corpus / "bisect.py").read_bytes())
    (made / "part.py").write_text(f"x = 1\n{passage}")
    (made / "own.py").write_text("".join(f"def mine_{i}():\n    return {i * i}\n" for i in range(30)))
    (made / "short.py").write_text("y = 2\n")
    (made / "image.bin").write_bytes(b"\0\1" * 50)
    return made


@pytest.fixture
def handed(codecite, tree: Path, tmp_path: Path) -> Path:
    """What `codecite fingerprint` writes of the tree."""
    place = tmp_path / "out.jsonl.gz"
    done = codecite("fingerprint", tree, "--output", place)
    assert done.returncode == 0, done.stderr
    assert "4 files" in done.stderr
    assert "image.bin: binary" in done.stderr
    return place


def test_every_line_follows_the_schema_and_no_text_is_in_it(handed: Path, tree: Path) -> None:
    """The head, then a file each."""
    text = gzip.decompress(handed.read_bytes()).decode()
    lines = [json.loads(line) for line in text.splitlines()]
    for line in lines:
        jsonschema.validate(line, LINE)
    assert [line["path"] for line in lines[1:]] == ["copied.py", "own.py", "part.py", "short.py"]
    for word in ("bisect_left", "return", "mine"):
        assert word not in text
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate({**lines[1], "hashes": "xyz"}, LINE)


def test_a_scan_of_fingerprints_names_the_places(codecite, index: Path, handed: Path) -> None:
    """Notes where the policy lets them pass, errors where it does not; all say that nothing was verified."""
    schema = json.loads((DOCS / "codecite-scan-1.schema.json").read_text(encoding="utf-8"))
    done = codecite(
        "scan", "--fingerprints", handed, "--index", index, "--output", "json", "--output", "text=/dev/null"
    )
    found = json.loads(done.stdout)
    jsonschema.validate(found, schema)
    assert {item["path"] for item in found["findings"]} == {"copied.py", "part.py"}
    assert {item["severity"] for item in found["findings"]} == {"note"}
    assert {item["rule"] for item in found["findings"]} == {"candidate-unattributed"}
    assert any("not verified" in note for note in found["notes"])
    messages = {item["path"]: item["message"] for item in found["findings"]}
    assert "the whole file is" in messages["copied.py"]
    assert "not verified" in messages["part.py"]
    part = next(item for item in found["findings"] if item["path"] == "part.py")
    assert part["match"]["kind"] == "candidate"
    assert part["match"]["sources"][0]["path"] == "textwrap.py"
    denied = codecite(
        "scan", "--fingerprints", handed, "--index", index, "--policy", deny_all(handed), "--output", "json"
    )
    assert denied.returncode == 1
    assert {item["rule"] for item in json.loads(denied.stdout)["findings"]} == {"candidate-denied"}


def deny_all(beside: Path) -> Path:
    """A policy that is against everything."""
    place = beside.with_name("deny.toml")
    place.write_text('name = "deny"\n[licenses]\ndefault = "deny"\n')
    return place


def test_hash_only_finds_the_same_places_and_reads_the_rest_here(codecite, index: Path, tree: Path) -> None:
    """The bytes and lines of the k-grams, the excerpt, and notices that stand; nothing is fixed."""
    options = ("--index", index, "--no-own", "--policy", deny_all(tree), "--output", "json")
    hashed = json.loads(codecite("scan", tree, "--hash-only", *options).stdout)
    read = json.loads(codecite("scan", tree, *options).stdout)
    assert {item["path"] for item in hashed["findings"]} == {item["path"] for item in read["findings"]}
    for item in hashed["findings"]:
        assert item["rule"] == "candidate-denied"
        around = next(other for other in read["findings"] if other["path"] == item["path"])
        assert around["byte_start"] <= item["byte_start"] <= item["byte_end"] <= around["byte_end"]
        assert abs(around["start_line"] - item["start_line"]) <= 3
    refused = codecite("scan", tree, "--hash-only", "--fix", "--index", index)
    assert refused.returncode == 2
    assert "verified" in refused.stderr


@pytest.mark.parametrize("options", [("--fix",), ("--baseline", "x"), ("--staged",)])
def test_what_needs_the_text_is_refused(codecite, index: Path, handed: Path, options: tuple[str, ...]) -> None:
    """With a reason."""
    done = codecite("scan", "--fingerprints", handed, *options, "--index", index)
    assert done.returncode == 2
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"", "line 1: is no JSON"),
        (b"{}\n", "line 1: is no codecite-fingerprints/1"),
        (b"\x1f\x8bnothing", "gzip"),
        (b'{"schema":"codecite-fingerprints/1","config":{"kgram":30}}\n', "this version reads"),
        (b'{"schema":"codecite-fingerprints/1","config":%s}\n{"path":1}\n' % json.dumps(CONFIG).encode(), "line 2"),
    ],
)
def test_another_file_is_refused_by_its_line(codecite, index: Path, tmp_path: Path, content: bytes, says: str) -> None:
    """One line, which names the file."""
    place = tmp_path / "bad.jsonl"
    place.write_bytes(content)
    done = codecite("scan", "--fingerprints", place, "--index", index)
    assert done.returncode == 2
    assert says in done.stderr
    assert str(place) in done.stderr


def test_the_api_answers_what_the_library_does(client: Any, index: Path, handed: Path) -> None:
    """For all files at once, as its schema has it, and with no kind of match but candidates."""
    files = read_fingerprints(handed)
    body = {"config": CONFIG, "files": [file.to_dict() for file in files], "sources": 2, "shortest": 60}
    answered = client.post("/api/v1/fingerprints", json=body)
    assert answered.status_code == 200
    found = answered.get_json()
    jsonschema.validate(found, ANSWER)
    assert "not verified" in found["unverified"]
    assert [item["known"] for item in found["files"]] == [True, False, False, False]
    opened = open_index(index)
    for file, form in zip(files, found["files"], strict=True):
        same = opened.recognise(file, sources=2, shortest=60)
        assert [item["id"] for item in form["candidates"]] == [item.match.id for item in same.candidates]
        assert form["origins"] == same.known_origins
    wrong = {**found["files"][0]["candidates"][0], "kind": "verbatim"}
    found["files"][0]["candidates"] = [wrong]
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(found, ANSWER)


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"config": {"kgram": 30}}, "config"),
        ({"files": []}, "files"),
        ({"shortest": 0}, "shortest"),
        ({"text": "code"}, "text"),
    ],
)
def test_what_is_no_fingerprint_is_refused(client: Any, handed: Path, change: dict[str, Any], says: str) -> None:
    """By the name of its field."""
    file = read_fingerprints(handed)[0].to_dict()
    answered = client.post("/api/v1/fingerprints", json={"config": CONFIG, "files": [file], **change})
    assert answered.status_code == 422
    assert says in answered.get_json()["detail"]


def test_positions_that_do_not_fit_are_refused(client: Any, handed: Path) -> None:
    """The place of the file in the request is named."""
    file = {**read_fingerprints(handed)[0].to_dict(), "canonical_bytes": 10}
    answered = client.post("/api/v1/fingerprints", json={"config": CONFIG, "files": [file]})
    assert answered.status_code == 422
    assert "files[0]: positions" in answered.get_json()["detail"]
