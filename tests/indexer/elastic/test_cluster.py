"""A cluster as it runs in earnest: three nodes of which some die, encryption and passwords, API keys."""

from __future__ import annotations

import http.server
import json
import os
import shutil
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path

import cluster
import pytest
from oracle.library import units
from oracle.reading import Place

from codecite.indexer import open_index
from codecite.indexer.elastic.load import add
from codecite.indexer.elastic.publishing import Partition, publish
from codecite.indexer.errors import ClusterError, CodeciteError
from codecite.indexer.store.takedowns import TakedownKind, parse_takedown
from codecite.search_api.removals import RemovalLog

LOOKUP = sorted((Path(__file__).parents[3] / "indexer" / "lookup").glob("*.py"))
SEEN = [(path.read_bytes(), Place("MIT", "pkg:pypi/m@1", path=path.name)) for path in LOOKUP if path.stat().st_size]
PASSWORD = "a-password-for-tests"


@pytest.mark.slow
def test_a_killed_node_gives_no_wrong_answer(scratch: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """One of three nodes is killed: each answer is right or an error, and soon all are right; two are too many."""
    nodes = cluster.start_three(scratch)
    try:
        monkeypatch.setenv("CODECITE_ES_SHARDS", "3")
        monkeypatch.setenv("CODECITE_ES_TIMEOUT", "20")
        hosts = ",".join(f"127.0.0.1:{node.port}" for node in nodes)
        url = f"es+http://{hosts}/three"
        add(url, units(SEEN))
        cluster.ask(nodes[0].url, "/_cluster/health/three?wait_for_status=green&timeout=120s")
        index = open_index(url)
        text = SEEN[3][0]
        expected = index.check(text).to_dict()
        right = wrong = 0
        errors: list[str] = []

        def one() -> bool:
            nonlocal right, wrong
            try:
                # Nothing kept from before: each check asks the cluster.
                answer = open_index(url).check(text).to_dict()
            except ClusterError as error:
                errors.append(str(error))
                return False
            right += answer == expected
            wrong += answer != expected
            return answer == expected

        for _ in range(3):
            assert one()
        nodes[1].kill()
        end = time.monotonic() + 120
        streak = 0
        while streak < 5 and time.monotonic() < end:
            streak = streak + 1 if one() else 0
        assert streak == 5, errors[-3:]
        nodes[2].kill()
        deadline = time.monotonic() + 90
        before = len(errors)
        while len(errors) == before and time.monotonic() < deadline:
            one()
        assert len(errors) > before
        assert wrong == 0
    finally:
        for node in nodes:
            node.kill()


@pytest.fixture(scope="module")
def secured(scratch: Path) -> Iterator[tuple[cluster.Node, Path]]:
    """A node with encryption and passwords, and the certificate to trust."""
    (port, transport) = cluster.free_ports(2)
    options = [
        "discovery.type=single-node",
        f"transport.port={transport}",
        "xpack.security.enabled=true",
        "xpack.security.http.ssl.enabled=true",
        "xpack.security.http.ssl.key=instance.key",
        "xpack.security.http.ssl.certificate=instance.crt",
        "cluster.routing.allocation.disk.threshold_enabled=false",
    ]
    node = cluster.Node(cluster.unpacked(scratch), scratch / f"node-{port}", port, options)
    archive = node.place / "config" / "certificates.zip"
    node.tool(
        "elasticsearch-certutil",
        "cert",
        "--self-signed",
        "--pem",
        "--silent",
        "--ip",
        "127.0.0.1",
        "--out",
        str(archive),
    )
    with zipfile.ZipFile(archive) as found:
        for name in found.namelist():
            if name.endswith((".key", ".crt")):
                (node.place / "config" / Path(name).name).write_bytes(found.read(name))
    node.tool("elasticsearch-keystore", "create")
    node.tool("elasticsearch-keystore", "add", "-x", "bootstrap.password", stdin=PASSWORD.encode())
    certificate = node.place.parent / "ca.crt"
    shutil.copy(node.place / "config" / "instance.crt", certificate)
    node.start()
    cluster.wait(f"https://127.0.0.1:{port}", password=PASSWORD, ca=certificate)
    yield node, certificate
    node.kill()


def test_encryption_and_passwords(secured: tuple[cluster.Node, Path], monkeypatch: pytest.MonkeyPatch) -> None:
    """With the certificate and the password it works; without one the message says which, and never shows it."""
    node, certificate = secured
    url = f"es+https://127.0.0.1:{node.port}/secured"
    monkeypatch.setenv("CODECITE_ES_USER", "elastic")
    monkeypatch.setenv("CODECITE_ES_PASSWORD", PASSWORD)
    with pytest.raises(ClusterError, match="CODECITE_ES_CA"):
        open_index(url)
    monkeypatch.setenv("CODECITE_ES_CA", str(certificate))
    add(url, units(SEEN))
    assert open_index(url).check(SEEN[3][0]).attributions
    monkeypatch.setenv("CODECITE_ES_PASSWORD", "wrong-password")
    with pytest.raises(ClusterError, match="401") as caught:
        open_index(url)
    assert "wrong-password" not in str(caught.value)
    monkeypatch.delenv("CODECITE_ES_USER")
    with pytest.raises(ClusterError, match="CODECITE_ES_API_KEY"):
        open_index(url)


class _Checking(http.server.BaseHTTPRequestHandler):
    """Lets through what has the API key and the header of a compatible client, and passes it on without the key."""

    protocol_version = "HTTP/1.1"
    target = ""
    seen: list[str]

    def _pass_on(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        accepted = self.headers.get("Authorization") == "ApiKey c2VjcmV0"
        kind = self.headers.get("Accept", "") + self.headers.get("Content-Type", "")
        self.seen.append(kind)
        status, answer, headers = 401, b'{"error":{"type":"security_exception","reason":"no"},"status":401}', {}
        if accepted:
            asked = urllib.request.Request(self.target + self.path, method=self.command, data=body or None)
            for name in ("Content-Type", "Accept"):
                if self.headers.get(name):
                    asked.add_header(name, self.headers[name])
            try:
                with urllib.request.urlopen(asked) as found:
                    status, answer, headers = found.status, found.read(), dict(found.headers)
            except urllib.error.HTTPError as error:
                status, answer, headers = error.code, error.read(), dict(error.headers)
        self.send_response(status)
        self.send_header("Content-Type", headers.get("content-type", headers.get("Content-Type", "application/json")))
        self.send_header("X-Elastic-Product", "Elasticsearch")
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    do_GET = do_PUT = do_POST = do_HEAD = do_DELETE = _pass_on

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - its name there
        """Say nothing."""


def test_an_api_key_is_sent_with_every_request(node: cluster.Node, monkeypatch: pytest.MonkeyPatch) -> None:
    """A proxy that lets nothing else through sees it, and the header of a client that speaks the form of 8.x."""
    handler = type("Handler", (_Checking,), {"target": node.url, "seen": []})
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as proxy:
        threading.Thread(target=proxy.serve_forever, daemon=True).start()
        url = f"es+http://127.0.0.1:{proxy.server_port}/keyed"
        with pytest.raises(ClusterError, match="401"):
            open_index(url)
        monkeypatch.setenv("CODECITE_ES_API_KEY", "c2VjcmV0")
        add(url, units(SEEN))
        assert open_index(url).check(SEEN[3][0]).attributions
        assert all("compatible-with=8" in kind for kind in handler.seen)
        proxy.shutdown()


def test_no_request_fails_while_an_index_is_replaced(place: Callable[[], str]) -> None:
    """The alias is switched under requests: each is answered from the old index or from the new one."""
    url = place()
    add(url, units(SEEN[:4]))
    text = SEEN[3][0]
    failures: list[str] = []
    sizes: set[int] = set()
    done = threading.Event()

    def ask() -> None:
        while not done.is_set():
            try:
                report = open_index(url).check(text)
                sizes.add(report.indexes[0].documents)
                if not report.attributions:
                    failures.append("a passage is missing")
            except CodeciteError as error:
                failures.append(str(error))

    askers = [threading.Thread(target=ask) for _ in range(4)]
    for asker in askers:
        asker.start()
    add(url, units(SEEN), partition=Partition(1, 1))
    publish(url)
    time.sleep(1)
    done.set()
    for asker in askers:
        asker.join()
    assert failures == []
    assert sizes == {4, len(SEEN)}


def test_the_command_line_works_with_an_address(place: Callable[[], str], tmp_path: Path) -> None:
    """`index add`, `check`, `index stats` and `index verify`, as processes."""
    url = place()
    (tmp_path / "tree").mkdir()
    (tmp_path / "tree" / "a.py").write_bytes(SEEN[3][0])
    environment = {**os.environ, "CODECITE_INDEX": url}

    def run(*words: str) -> str:
        command = [sys.executable, "-m", "codecite.search_api.cli"]
        return subprocess.run([*command, *words], env=environment, capture_output=True, text=True, check=True).stdout

    assert "1 document" in run("index", "add", str(tmp_path / "tree"))
    assert "a.py" in run("check", str(tmp_path / "tree" / "a.py"))
    assert url in run("index", "stats")
    assert "all sound" in run("index", "verify")
    log = RemovalLog(tmp_path / "requests.jsonl")
    asked = log.ask(parse_takedown(TakedownKind.PATH, "a.py"), "it is mine", "me@example.org", 1)
    assert "would remove 1 place" in run("index", "requests", str(log.path))
    assert f"{asked.id}  accepted" in run("index", "requests", str(log.path), "--accept", asked.id)
    assert json.loads(run("check", str(tmp_path / "tree" / "a.py"), "--format", "json"))["matches"] == []
