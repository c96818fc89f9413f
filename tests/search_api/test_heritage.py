"""Software Heritage's door, with the client that people use: `swh scanner scan -u`, run as a program."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from oracle.clients import programs_of, run
from oracle.served import Served

from codecite.indexer.records import Origin
from codecite.search_api.routes.heritage import qualified


def swhid_of(content: bytes) -> str:
    """As git has it."""
    return f"swh:1:cnt:{hashlib.sha1(b'blob %d' % len(content) + bytes(1) + content).hexdigest()}"


@pytest.fixture(scope="module")
def served(index: Path) -> Iterator[Served]:
    """A server over the index of the corpus."""
    with Served("--index", index) as server:
        yield server


@pytest.fixture
def tree(corpus: Path, tmp_path: Path) -> Path:
    """Files of the index in folders, one that was edited, and one of one's own."""
    made = tmp_path / "tree"
    (made / "sub").mkdir(parents=True)
    for name in ("bisect.py", "heapq.py"):
        (made / "sub" / name).write_bytes((corpus / name).read_bytes())
    (made / "shlex.py").write_bytes((corpus / "shlex.py").read_bytes() + b"# edited\n")
    (made / "own.py").write_text("mine = 1\n")
    return made


@pytest.fixture
def scanner(tmp_path: Path) -> Any:
    """Run `swh scanner scan`; the first run of a user asks what is answered here with no."""
    program = programs_of("swh.scanner") / "swh"
    home = tmp_path / "home"
    home.mkdir()

    def scan(*arguments: str | Path) -> str:
        done = run(program, "scanner", "scan", "--no-web-ui", *arguments, home=home, stdin="n\n" * 8)
        assert done.returncode == 0, done.stderr
        return done.stdout

    return scan


def test_the_scanner_of_software_heritage_works_on_our_index(served: Served, tree: Path, scanner: Any) -> None:
    """Files that the index holds are known, others are not, and no folder is; places come with `--provenance`."""
    api = f"{served.url}/api/1/"
    out = scanner("-u", api, "-f", "summary", tree)
    assert "known:          2" in out
    out = scanner("-u", api, "-f", "ndjson", tree)
    lines = [json.loads(line) for line in out.splitlines() if line.startswith('{"')]
    found = {path: item for line in lines for path, item in line.items()}
    assert {path for path, item in found.items() if item["known"]} == {"sub/bisect.py", "sub/heapq.py"}
    assert set(found) == {".", "sub", "sub/bisect.py", "sub/heapq.py", "shlex.py", "own.py"}
    out = scanner("-u", api, "-f", "json", "--provenance", tree)
    found = json.loads(out[out.index("{\n") :])
    assert found["own.py"]["provenance"] is None
    place = found["sub/heapq.py"]["provenance"]
    assert place.startswith(f"{swhid_of((tree / 'sub/heapq.py').read_bytes())};origin=file:")
    assert place.endswith(";path=/heapq.py")


def test_the_answers_are_those_of_the_index(client: Any, corpus: Path) -> None:
    """In the form of the archive's own API, for each SWHID that is asked for."""
    held, other = swhid_of((corpus / "heapq.py").read_bytes()), swhid_of(b"mine = 1\n")
    folder = "swh:1:dir:" + "0" * 40
    answered = client.post("/api/1/known/", json=[held, other, folder, held])
    assert answered.get_json() == {held: {"known": True}, other: {"known": False}, folder: {"known": False}}
    assert client.post("/api/1/known/", json=[]).get_json() == {}
    places = client.post("/api/1/provenance/whereare/", json=[other, held, folder]).get_json()
    assert (places[0], places[2]) == (None, None)
    assert places[1] == client.get(f"/api/1/provenance/whereis/{held}/").get_json()
    assert client.get(f"/api/1/provenance/whereis/{folder}/").get_json() is None


@pytest.mark.parametrize("body", [{}, "swh", [1], ["swh:1:cnt:1"], ["swh:1:cnt:" + "0" * 40] * 1001])
def test_what_is_no_swhid_is_refused(client: Any, body: Any) -> None:
    """With a problem."""
    for path in ("known", "provenance/whereare"):
        answered = client.post(f"/api/1/{path}/", json=body)
        assert answered.status_code == 422
        assert answered.mimetype == "application/problem+json"
    assert client.get("/api/1/provenance/whereis/swh:1:cnt:1/").status_code == 422


def test_a_place_is_a_swhid_with_qualifiers() -> None:
    """Escaped where its own signs stand in it; a revision is an anchor if it is a commit."""
    swhid, commit = "swh:1:cnt:" + "1" * 40, "2" * 40
    origin = Origin(
        "pkg:npm/a@1", "https://example.org/a;b%20c", commit, "src/ä b.js", None, None, "MIT", (), False, ()
    )
    assert qualified(swhid, origin) == (
        f"{swhid};origin=https://example.org/a%3Bb%2520c;anchor=swh:1:rev:{commit};path=/src/%C3%A4%20b.js"
    )
    bare = Origin("pkg:npm/a@1", None, "v1.0", "a.js", None, None, "MIT", (), False, ())
    assert qualified(swhid, bare) == f"{swhid};origin=pkg:npm/a@1;path=/a.js"
