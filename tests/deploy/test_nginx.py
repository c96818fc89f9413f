"""The nginx example, in a real nginx before a real server: events at once, clients that leave, limits, TLS."""

from __future__ import annotations

import http.client
import json
import re
import shutil
import ssl
import subprocess
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from oracle.deployed import DEPLOY
from oracle.served import Served, free_port

pytestmark = pytest.mark.slow  # `.ci/run` runs them by themselves

FILE = DEPLOY / "nginx.conf"
NAME = "code.example"
CERTIFICATE = ("openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", f"/CN={NAME}")
FIRST = "def first():\n" + "".join(f"    value_{number} = {number} * {number + 7}\n" for number in range(30))


class Slow(BaseHTTPRequestHandler):
    """A completion server that writes its first piece, and the rest when the test lets it; till then it may drip."""

    protocol_version = "HTTP/1.1"
    go_on: threading.Event
    left: threading.Event
    drips = False

    def do_GET(self) -> None:
        """Its one model."""
        found = self.path == "/v1/models"
        body = json.dumps({"data": [{"id": "slow"}]} if found else {}).encode()
        self.send_response(200 if found else 404)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_POST(self) -> None:
        """The stream; `left` is set when nobody reads it any more."""
        self.rfile.read(int(self.headers["Content-Length"]))
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.send_header("Connection", "close")
        self.end_headers()
        try:
            self._send(FIRST)
            while not self.go_on.wait(0.1):
                if self.drips:
                    self._send("#")
            self._send("last_of_all = 1\n", "stop")
            self.wfile.write(b"data: [DONE]\n\n")
        except OSError:
            self.left.set()
        self.close_connection = True

    def _send(self, text: str, reason: str | None = None) -> None:
        made = {"choices": [{"text": text, "finish_reason": reason}]}
        self.wfile.write(f"data: {json.dumps(made)}\n\n".encode())

    def log_message(self, *_: object) -> None:
        """Nothing."""


@pytest.fixture
def upstream(require: Callable[..., None]) -> Iterator[tuple[str, type[Slow]]]:
    """The address of the completion server, and what the test steers it by."""
    require("httpx")
    kind = type("Steered", (Slow,), {"go_on": threading.Event(), "left": threading.Event()})
    server = ThreadingHTTPServer(("127.0.0.1", 0), kind)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_address[1]}", kind
    kind.go_on.set()
    server.shutdown()


class Nginx:
    """nginx with the example, on free ports, before a server; a context."""

    def __init__(self, place: Path, server: int) -> None:
        self._place = place
        self.port, self.plain = free_port(), free_port()
        text = FILE.read_text(encoding="utf-8")
        for before, after in (
            ("server 127.0.0.1:8080;", f"server 127.0.0.1:{server};"),
            ("/etc/ssl/codecite", str(place)),
            ("/var/log/nginx/codecite.log", str(place / "access.log")),
            ("listen 80;", f"listen 127.0.0.1:{self.plain};"),
            ("listen 443 ssl http2;", f"listen 127.0.0.1:{self.port} ssl http2;"),
        ):
            assert text.count(before) >= 1, before
            text = text.replace(before, after)
        text = re.sub(r"^ *listen \[::\].*\n", "", text, flags=re.MULTILINE)
        (place / "codecite.conf").write_text(text)
        temporary = "".join(
            f"{kind}_temp_path {place}/{kind};" for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
        )
        (place / "nginx.conf").write_text(
            f"daemon off; pid {place}/pid; error_log {place}/error.log; worker_processes 1;"
            f"events {{}} http {{ {temporary} include {place}/codecite.conf; }}\n"
        )
        subprocess.run(
            [*CERTIFICATE, "-addext", f"subjectAltName=DNS:{NAME}", "-keyout", "privkey.pem", "-out", "fullchain.pem"],
            cwd=place,
            capture_output=True,
            check=True,
        )
        self.command = ["nginx", "-c", str(place / "nginx.conf"), "-p", str(place), "-e", str(place / "error.log")]

    def __enter__(self) -> Nginx:
        tested = subprocess.run([*self.command, "-t"], capture_output=True, text=True, check=False)
        assert tested.returncode == 0, tested.stderr
        assert "warn" not in tested.stderr
        self._process = subprocess.Popen(self.command)
        end = time.monotonic() + 20
        while time.monotonic() < end:
            try:
                self.ask("GET", "/healthz")
                return self
            except OSError:
                time.sleep(0.05)
        raise RuntimeError((self._place / "error.log").read_text())

    def __exit__(self, *_: object) -> None:
        self._process.terminate()
        self._process.wait()

    def connection(self, host: str = NAME) -> http.client.HTTPSConnection:
        """A connection over TLS that trusts the test's certificate only."""
        trusted = ssl.create_default_context(cafile=self._place / "fullchain.pem")
        made = http.client.HTTPSConnection("127.0.0.1", self.port, timeout=30, context=trusted)
        raw = made._create_connection(("127.0.0.1", self.port), 30)  # type: ignore[attr-defined]
        made.sock = trusted.wrap_socket(raw, server_hostname=host)
        return made

    def ask(self, method: str, path: str, body: bytes | None = None) -> tuple[int, http.client.HTTPMessage, bytes]:
        """One request: status, headers, content."""
        connection = self.connection()
        connection.request(method, path, body, {"Host": NAME, "Content-Type": "application/json"})
        answer = connection.getresponse()
        content = answer.read()
        connection.close()
        return answer.status, answer.headers, content

    def generate(self) -> tuple[http.client.HTTPSConnection, http.client.HTTPResponse]:
        """A completion that has been asked for, its answer's head read."""
        connection = self.connection()
        body = json.dumps({"prompt": "# code\n", "max_new_tokens": 4000})
        connection.request("POST", "/api/v1/generate", body, {"Host": NAME, "Content-Type": "application/json"})
        answer = connection.getresponse()
        assert (answer.status, answer.headers.get_content_type()) == (200, "text/event-stream")
        return connection, answer


@pytest.fixture
def place(require: Callable[..., None]) -> Iterator[Path]:
    """A folder that nginx's workers, which are nobody's, can reach."""
    require("nginx", "openssl", "waitress", "flask", "prometheus_client")
    found = Path(tempfile.mkdtemp(prefix="codecite-nginx-"))
    found.chmod(0o755)
    yield found
    shutil.rmtree(found)


@pytest.fixture
def serving(index: Path, upstream: tuple[str, type[Slow]], place: Path) -> Iterator[tuple[Served, Nginx, type[Slow]]]:
    """The server before the completion server, and nginx before it."""
    address, steered = upstream
    with (
        Served("--index", index, "--upstream", address, "--allow-host", NAME) as server,
        Nginx(place, server.port) as nginx,
    ):
        yield server, nginx, steered


def under_way(server: Served) -> float:
    """How many completions the server is making."""
    found = re.search(rb"^codecite_completions_under_way (\S+)$", server.get("/metrics")[1], re.MULTILINE)
    assert found is not None
    return float(found.group(1))


def test_the_first_event_arrives_before_the_last_is_made(serving: tuple[Served, Nginx, type[Slow]]) -> None:
    """The completion goes on only when its beginning was read here, through nginx; and all of it arrives."""
    server, nginx, steered = serving
    connection, answer = nginx.generate()
    read = b""
    while b"def first" not in read:
        piece = answer.read1()
        assert piece, read
        read += piece
    assert b"last_of_all" not in read
    assert under_way(server) == 1
    steered.go_on.set()
    read += answer.read()
    connection.close()
    assert b"last_of_all" in read
    assert read.rstrip().rsplit(b"\n\n", 1)[-1].split(b"\n")[1] == b"event: end"


def test_a_client_that_leaves_stops_the_model(serving: tuple[Served, Nginx, type[Slow]]) -> None:
    """Through nginx the server learns of it; after the time that it waits for another listener the model is told."""
    server, nginx, steered = serving
    steered.drips = True
    connection, answer = nginx.generate()
    assert b"event:" in answer.read1()
    assert under_way(server) == 1
    answer.close()
    connection.close()
    begun = time.monotonic()
    assert steered.left.wait(45), "the model was still asked to write after 45 s"
    assert time.monotonic() - begun > 10
    while under_way(server):
        assert time.monotonic() - begun < 50
        time.sleep(0.1)


def _told(nginx: Nginx) -> dict[str, Any]:
    """The line of the log about a check, which is written after the answer."""
    log, end = nginx._place / "access.log", time.monotonic() + 20
    while True:
        lines = [json.loads(line) for line in log.read_text().splitlines(keepends=True) if line.endswith("\n")]
        found = [line for line in lines if line["uri"] == "/api/v1/check"]
        if found:
            assert len(found) == 1
            return found[0]
        assert time.monotonic() < end
        time.sleep(0.05)


def test_it_lets_the_api_through_and_keeps_the_rest(serving: tuple[Served, Nginx, type[Slow]], passage: str) -> None:
    """Checks answer under the public name, with one id in both logs; figures stay inside; plain http is sent on."""
    server, nginx, _ = serving
    status, headers, content = nginx.ask("POST", "/api/v1/check", json.dumps({"text": passage}).encode())
    assert status == 200
    assert json.loads(content)["matches"]
    assert headers["Strict-Transport-Security"]
    told = _told(nginx)
    assert told["id"] == headers["X-Request-ID"]
    assert told["id"] in server.log()
    assert nginx.ask("GET", "/metrics")[0] == 404
    plain = http.client.HTTPConnection("127.0.0.1", nginx.plain, timeout=20)
    plain.request("GET", "/api/v1/stats", headers={"Host": NAME})
    sent = plain.getresponse()
    assert (sent.status, sent.getheader("Location")) == (308, f"https://{NAME}/api/v1/stats")
    plain.close()


def test_a_browser_asks_over_http_2(
    require: Callable[..., None], serving: tuple[Served, Nginx, type[Slow]], passage: str
) -> None:
    """Under the public name, with the Origin of its own page; a page of another site is refused."""
    require("curl")
    _, nginx, _ = serving
    for origin, expected in ((f"https://{NAME}", "2 200"), ("https://evil.example", "2 403")):
        command = ["curl", "--silent", "--http2", "--cacert", str(nginx._place / "fullchain.pem")]
        command += ["--connect-to", f"{NAME}:443:127.0.0.1:{nginx.port}", "--header", f"Origin: {origin}"]
        command += ["--json", json.dumps({"text": passage}), "--output", str(nginx._place / "answer")]
        command += ["--write-out", "%{http_version} %{http_code}", f"https://{NAME}/api/v1/check"]
        ended = subprocess.run(command, capture_output=True, text=True, check=False)
        assert ended.stdout == expected, (nginx._place / "answer").read_text()
    assert nginx.ask("GET", "/api/v1/stats")[0] == 200


def test_its_limits_are_kept(serving: tuple[Served, Nginx, type[Slow]]) -> None:
    """A body over 8 MiB, and more requests than the rate and the burst let through."""
    _, nginx, _ = serving
    assert nginx.ask("POST", "/api/v1/check", b"x" * ((8 << 20) + 1))[0] == 413
    connection = nginx.connection()
    statuses: list[int] = []
    begun = time.monotonic()
    for _ in range(400):
        connection.request("GET", "/healthz", headers={"Host": NAME})
        answer = connection.getresponse()
        answer.read()
        statuses.append(answer.status)
    seconds = time.monotonic() - begun
    connection.close()
    assert set(statuses) <= {200, 429}
    assert statuses.count(200) <= 101 + 50 * seconds + 1
    assert seconds > 5 or statuses.count(429) > 0


def test_another_limit_of_bodies_than_the_servers_would_be_noticed(command_default: Callable[[str], Any]) -> None:
    """client_max_body_size is --max-body, and the longest waits are those of the settings."""
    from codecite.search_api.settings import Settings

    text = FILE.read_text(encoding="utf-8")
    assert re.findall(r"client_max_body_size (\d+)m;", text) == [str(command_default("max_body") >> 20)]
    waits = [int(seconds) for seconds in re.findall(r"proxy_read_timeout (\d+)s;", text)]
    assert waits[0] > Settings().check_seconds
    assert waits[1] > Settings().generate_seconds


@pytest.fixture
def command_default() -> Callable[[str], Any]:
    """The default of an option of `codecite serve`."""
    from oracle.deployed import read_command

    return lambda name: read_command(["serve"])[1][name]
