"""`codecite serve`: where it listens, who may ask, how it stops, what it logs."""

from __future__ import annotations

import json
import shutil
import socket
import threading
import time
from pathlib import Path

import pytest
from oracle.served import Served


@pytest.fixture(autouse=True)
def here(require) -> None:
    """What a server is made of."""
    require("flask", "prometheus_client", "waitress")


def test_it_refuses_to_be_reached_by_others_unless_told(codecite, index: Path) -> None:
    """Keys, or the word that it is open."""
    done = codecite("serve", "--host", "0.0.0.0", "--index", index)
    assert done.returncode == 2
    assert "--api-key-file" in done.stderr
    assert "--open" in done.stderr


def test_keys_are_kept_as_hashes_and_asked_for(codecite, index: Path, tmp_path: Path, passage: str) -> None:
    """Bearer for programs, Basic for browsers; health needs none."""
    file = tmp_path / "keys"
    keys = [codecite("key", name, "--api-key-file", file).stdout.strip() for name in ("anna", "ben")]
    assert file.stat().st_mode & 0o077 == 0
    assert not any(key in file.read_text() for key in keys)
    assert codecite("key", "anna", "--api-key-file", file).returncode == 2
    with Served("--index", index, "--api-key-file", file) as server:
        assert server.post("/api/v1/check", {"text": passage})[0] == 401
        assert server.post("/api/v1/check", {"text": passage}, Authorization="Bearer wrong")[0] == 401
        assert server.post("/api/v1/check", {"text": passage}, Authorization="Basic ####")[0] == 401
        for key in keys:
            assert server.post("/api/v1/check", {"text": passage}, Authorization=f"Bearer {key}")[0] == 200
        assert server.get("/metrics")[0] == 401
        assert server.get("/healthz")[0] == 200
        assert "anna" in server.log()
        assert not any(key in server.log() for key in keys)


def test_a_file_that_holds_a_key_itself_is_refused_and_not_shown(codecite, index: Path, tmp_path: Path) -> None:
    """The message names the line."""
    file = tmp_path / "keys"
    file.write_text("anna my-own-secret\n")
    done = codecite("serve", "--api-key-file", file, "--index", index)
    assert done.returncode == 2
    assert "line 1" in done.stderr
    assert "secret" not in done.stderr


def test_logs_hold_no_text_unless_asked_for(index: Path) -> None:
    """Each line is JSON with an id, a route and a status."""
    for options, there in (((), False), (("--log-text",), True)):
        with Served("--index", index, *options) as server:
            server.post("/api/v1/check", {"text": "very_private = 1"}, **{"X-Request-ID": "my-id"})
            server.get("/nothing?very_private=1")
            server.stop()
            log = server.log()
        lines = [json.loads(line) for line in log.splitlines() if line.startswith("{")]
        (told,) = [line for line in lines if line.get("route") == "/api/v1/check"]
        assert (told["id"], told["method"], told["status"]) == ("my-id", "POST", 200)
        assert ("very_private" in log) is there


def test_a_foreign_host_name_is_not_answered(index: Path) -> None:
    """A page whose name was given this machine's address reads nothing; probes come under whatever address it has."""
    with Served("--index", index) as server:
        assert server.get("/api/v1/stats", Host="evil.example")[0] == 421
        assert server.get("/metrics", Host="10.1.2.3:8080")[0] == 421
        assert server.get("/healthz", Host="10.1.2.3:8080")[0] == 200
        assert server.get("/readyz", Host="10.1.2.3:8080")[0] == 200
        assert server.get("/api/v1/stats", Host=f"localhost:{server.port}")[0] == 200


def test_it_finishes_what_it_has_begun(require, index: Path) -> None:
    """A stream that is under way when the signal comes is read to its end, and the process ends with 0."""
    require("torch", "transformers")
    with Served("--index", index, "--model", "demo") as server:
        body = json.dumps({"prompt": "def f(", "max_new_tokens": 150}).encode()
        head = "POST /api/v1/generate HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n"
        with socket.create_connection(("127.0.0.1", server.port), timeout=60) as connection:
            connection.sendall(f"{head}Connection: close\r\nContent-Length: {len(body)}\r\n\r\n".encode() + body)
            content = connection.recv(1 << 16)
            codes: list[int] = []
            stopper = threading.Thread(target=lambda: codes.append(server.stop()))
            stopper.start()
            while part := connection.recv(1 << 16):
                content += part
        stopper.join()
    assert b"event: end" in content
    assert codes == [0]


def test_clients_that_send_slowly_hold_nobody_up(index: Path) -> None:
    """More of them than there are threads; and what is no HTTP is refused."""
    with Served("--index", index, "--threads", "4") as server:
        slow = [socket.create_connection(("127.0.0.1", server.port)) for _ in range(12)]
        for connection in slow:
            connection.sendall(b"POST /api/v1/check HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 1000000\r\n\r\n{")
        began = time.monotonic()
        assert server.get("/healthz")[0] == 200
        assert time.monotonic() - began < 5
        for connection in slow:
            connection.close()
        for sent in (b"\x00" * 100 + b"\r\n\r\n", b"GET / HTTP/1.1\r\n" + b"X: y\r\n" * 20_000 + b"\r\n"):
            with socket.create_connection(("127.0.0.1", server.port), timeout=20) as connection:
                connection.sendall(sent)
                refused = connection.recv(1000)
                assert refused.startswith(b"HTTP/1.")
                assert b"application/problem+json" in refused
        with socket.create_connection(("127.0.0.1", server.port), timeout=20) as connection:
            head = b"POST /api/v1/check HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n"
            connection.sendall(head + b"Content-Length: 100000000\r\n\r\n")
            assert b" 413 " in connection.recv(100)
        assert server.get("/healthz")[0] == 200


def test_a_rate_is_kept_for_each_client(index: Path) -> None:
    """429 with how long to stay away; health is not counted."""
    with Served("--index", index, "--rate", "0.01") as server:
        statuses = [server.post("/api/v1/check", {"text": ""})[0] for _ in range(101)]
        assert statuses == [200] * 100 + [429]
        assert server.get("/healthz")[0] == 200


def test_a_generation_that_cannot_be_opened_is_told_of_and_the_old_one_answers(
    index: Path, tmp_path: Path, passage: str
) -> None:
    """The gauge is 1 until one can be opened again."""
    place = tmp_path / "index"
    shutil.copytree(index, place)
    manifest = place / "manifest.json"
    whole = manifest.read_bytes()

    def refused(server: Served, expected: bytes) -> None:
        end = time.monotonic() + 20
        while b"codecite_generation_refused " + expected not in server.get("/metrics")[1]:
            assert time.monotonic() < end
            time.sleep(0.1)

    with Served("--index", place) as server:
        refused(server, b"0.0\n")
        for content, expected in ((whole[:-40], b"1.0\n"), (whole, b"0.0\n")):
            (tmp_path / "next").write_bytes(content)
            (tmp_path / "next").replace(manifest)
            refused(server, expected)
            assert server.post("/api/v1/check", {"text": passage})[1]["matches"]


def test_generations_are_taken_up_under_load_without_a_failed_request(process, tmp_path: Path, passage: str) -> None:
    """Files are added and the index compacted while clients ask: each answer is whole, the last of the last one."""
    place, tree = tmp_path / "index", tmp_path / "tree"
    tree.mkdir()
    (tree / "first.py").write_text(passage * 2)
    assert process("index", "add", tree, "--index", place).returncode == 0
    failed: list[object] = []
    seen: set[int] = set()
    over = threading.Event()
    with Served("--index", place) as server:

        def ask() -> None:
            while not over.is_set():
                status, answered = server.post("/api/v1/check", {"text": passage})
                if status != 200 or not answered["matches"]:
                    failed.append((status, answered))
                    return
                seen.add(answered["indexes"][0]["generation"])
                status, _ = server.get(f"/api/v1/documents/{answered['matches'][0]['sources'][0]['swhid']}")
                if status != 200:
                    failed.append(status)

        clients = [threading.Thread(target=ask) for _ in range(3)]
        for client in clients:
            client.start()
        for number in range(3):
            (tree / f"next{number}.py").write_text(f"# {number}\n{passage}")
            assert process("index", "add", tree, "--index", place).returncode == 0
        assert process("index", "compact", "--index", place).returncode == 0
        time.sleep(0.3)
        over.set()
        for client in clients:
            client.join()
        assert failed == []
        _, last = server.post("/api/v1/check", {"text": passage})
        assert last["indexes"][0]["generation"] == 5
        assert last["matches"][0]["documents"] == 4
        assert len(seen) > 2
