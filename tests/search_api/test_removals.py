"""Requests to be left out: what they would remove is told, they are noted, decided by a command, and stay in force."""

from __future__ import annotations

import json
import shutil
import stat
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from codecite.indexer import open_index

HARM = "<img src=x onerror=alert(1)>\x1b[31m\u202e"


@pytest.fixture
def mine(index: Path, tmp_path: Path) -> Path:
    """A copy of the index of the corpus."""
    return Path(shutil.copytree(index, tmp_path / "index"))


@pytest.fixture
def log(tmp_path: Path) -> Path:
    """Where requests are noted."""
    return tmp_path / "requests.jsonl"


@pytest.fixture
def client(require, mine: Path, log: Path) -> Any:
    """A client of a server that takes requests."""
    require("flask", "prometheus_client")
    from codecite.search_api.app import create_app
    from codecite.search_api.settings import Settings

    return create_app(open_index(mine), settings=Settings(removal_requests=log)).test_client()


def asked(client: Any, **fields: Any) -> Any:
    """The answer on a request."""
    body = {"kind": "path", "value": "bisect.py", "contact": "anna@example.org", **fields}
    return client.post("/api/v1/removals", json=body)


def test_a_preview_tells_what_the_command_would_remove(client: Any, codecite: Any, mine: Path, log: Path) -> None:
    """The same counts as a dry run, and the files themselves; nothing is noted."""
    swhid = open_index(mine).search("bisect").hits[0].source.swhid
    for kind, value in (("path", "bisect.py"), ("path", "json/"), ("path", "*.py"), ("swhid", swhid), ("owner", "no")):
        told = client.post("/api/v1/removals/preview", json={"kind": kind, "value": value}).get_json()
        done = codecite("index", "remove", f"--{kind}", value, "--dry-run", "--index", mine, "--format", "json")
        wanted = json.loads(done.stdout)
        for name in ("origins", "documents", "kept"):
            assert told[name] == wanted[name], (kind, value, name)
        assert len(told["files"]) == told["origins"]
        if kind == "path" and value == "bisect.py":
            assert {file["path"] for file in told["files"]} == {"bisect.py", "vendored/bisect.py"}
            opened = open_index(mine)
            assert all(opened.document(file["swhid"]) is not None for file in told["files"])
    assert not log.exists()


def test_a_request_is_noted_listed_and_carried_out(
    client: Any, codecite: Any, mine: Path, log: Path, corpus: Path
) -> None:
    """By its number; what was removed does not come back; another is turned down."""
    first = asked(client, reason=HARM).get_json()
    second = asked(client, value="json/", contact=HARM).get_json()
    assert stat.S_IMODE(log.stat().st_mode) == 0o600
    listed = codecite("index", "requests", log, "--index", mine)
    assert listed.returncode == 0, listed.stderr
    assert first["id"] in listed.stdout and second["id"] in listed.stdout
    assert "would remove 2 places" in listed.stdout
    assert "\x1b" not in listed.stdout and "\u202e" not in listed.stdout
    form = json.loads(codecite("index", "requests", log, "--index", mine, "--format", "json").stdout)
    assert [(item["contact"], item["reason"], item["state"]) for item in form["requests"]] == [
        ("anna@example.org", HARM, "open"),
        (HARM, "", "open"),
    ]
    wrong = codecite("index", "requests", log, "--accept", first["id"], "--reject", "nothing", "--index", mine)
    assert wrong.returncode == 2 and "'nothing' is no request" in wrong.stderr
    done = codecite("index", "requests", log, "--accept", first["id"], "--reject", second["id"], "--index", mine)
    assert done.returncode == 0, done.stderr
    assert "removed 2 places" in done.stdout
    again = codecite("index", "requests", log, "--accept", first["id"], "--index", mine)
    assert again.returncode == 2 and "accepted already" in again.stderr
    assert json.loads(codecite("index", "requests", log, "--index", mine, "--format", "json").stdout)["requests"] == []
    every = json.loads(codecite("index", "requests", log, "--all", "--index", mine, "--format", "json").stdout)
    assert [item["state"] for item in every["requests"]] == ["accepted", "rejected"]
    added = json.loads(codecite("index", "add", corpus, "--index", mine, "--format", "json").stdout)
    assert added["origins"] == 0
    assert open_index(mine).check((corpus / "bisect.py").read_text()).attributions == ()
    assert open_index(mine).check((corpus / "json" / "decoder.py").read_text()).attributions != ()
    told = client.post("/api/v1/removals/preview", json={"kind": "path", "value": "bisect.py"}).get_json()
    assert told["origins"] == 0


BAD = [
    ({"kind": "everything"}, "kind"),
    ({"kind": "owner", "value": "a b"}, "value"),
    ({"kind": "swhid", "value": "swh:1:dir:00"}, "value"),
    ({"value": "a*b*c*d"}, "value"),
    ({"value": "!keep"}, "value"),
    ({"value": "x" * 301}, "value"),
    ({"contact": ""}, "contact"),
    ({"contact": "   "}, "contact"),
    ({"reason": "x" * 2001}, "reason"),
    ({"more": 1}, "more"),
]


@pytest.mark.parametrize(("fields", "field"), BAD)
def test_what_is_no_request_is_refused_by_its_field(client: Any, log: Path, fields: Any, field: str) -> None:
    """And is not noted."""
    answered = asked(client, **fields)
    assert answered.status_code == 422
    assert answered.get_json(force=True)["errors"][0]["field"] == field
    assert not log.exists()


def test_no_other_page_can_ask(client: Any, log: Path) -> None:
    """Neither by a form nor by a script of its own."""
    form = {"kind": "path", "value": "*", "contact": "evil"}
    assert client.post("/api/v1/removals", data=form).status_code == 415
    answered = client.post("/api/v1/removals", json=form, headers={"Origin": "https://evil.example"})
    assert answered.status_code == 403
    assert not log.exists()


def test_one_client_cannot_ask_without_end(client: Any, log: Path) -> None:
    """It is told when to come back."""
    answers = [asked(client) for _ in range(8)]
    assert [answered.status_code for answered in answers] == [200] * 5 + [429] * 3
    assert int(answers[-1].headers["Retry-After"]) > 1
    assert len(log.read_text().splitlines()) == 5
    looks = [client.post("/api/v1/removals/preview", json={"kind": "path", "value": "*"}) for _ in range(12)]
    assert looks[-1].status_code == 429


def test_a_server_that_takes_none_says_so(require, index: Path) -> None:
    """To programs and on the page."""
    require("flask", "prometheus_client")
    from codecite.search_api.app import create_app

    client = create_app(open_index(index)).test_client()
    answered = asked(client)
    assert answered.status_code == 501
    assert "ask whoever runs it" in answered.get_json(force=True)["detail"]
    page = client.get("/about").get_data(as_text=True)
    assert "takes no requests here" in page and "<form" not in page


def test_a_log_that_is_full_takes_no_more(client: Any, log: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """And one that cannot be written is no reason to fall over."""
    from codecite.search_api import removals

    monkeypatch.setattr(removals, "MOST_BYTES", 300)
    assert asked(client).status_code == 200
    answered = asked(client)
    assert answered.status_code == 503 and "too many requests" in answered.get_json(force=True)["detail"]
    log.unlink()
    log.mkdir()
    assert asked(client).status_code == 503


def test_a_half_written_line_spoils_no_other(client: Any, codecite: Any, mine: Path, log: Path) -> None:
    """It is told of by its number."""
    first = asked(client).get_json()
    with log.open("ab") as file:
        file.write(b'{"event": "asked", "id": "0')
    second = asked(client, value="heapq.py").get_json()
    done = codecite("index", "requests", log, "--index", mine, "--format", "json")
    assert [item["id"] for item in json.loads(done.stdout)["requests"]] == [first["id"], second["id"]]
    assert "1 line cannot be read, the first is 2" in done.stderr


def test_many_writers_lose_no_request(log: Path) -> None:
    """Threads of several processes, each line whole."""
    script = f"""
import sys, threading
from pathlib import Path
from codecite.search_api.removals import RemovalLog
from codecite.indexer.store.takedowns import TakedownKind, parse_takedown
log = RemovalLog(Path({str(log)!r}))
def work(n):
    for i in range(10):
        log.ask(parse_takedown(TakedownKind.PATH, f"{{sys.argv[1]}}-{{n}}-{{i}}.py"), "r" * 500, "c", 1)
threads = [threading.Thread(target=work, args=(n,)) for n in range(4)]
[t.start() for t in threads]; [t.join() for t in threads]
"""
    running = [subprocess.Popen([sys.executable, "-c", script, str(number)]) for number in range(3)]
    assert [process.wait(60) for process in running] == [0, 0, 0]
    from codecite.search_api.removals import RemovalLog

    found, damaged = RemovalLog(log).read()
    assert damaged == ()
    assert {item.rule.value for item in found} == {
        f"{p}-{n}-{i}.py" for p in range(3) for n in range(4) for i in range(10)
    }


def test_serve_refuses_a_file_that_it_cannot_write(codecite: Any, index: Path, tmp_path: Path) -> None:
    """Before it listens."""
    done = codecite("serve", "--index", index, "--port", "0", "--removal-requests", tmp_path / "no" / "such.jsonl")
    assert done.returncode == 2
    assert "such.jsonl: cannot be written" in done.stderr
