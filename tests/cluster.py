"""A real Elasticsearch for tests and benchmarks: nodes on loopback, in a scratch directory, gone at the end.

In: the distribution (`integ-test-zip` of Maven Central, which `mvn dependency:get` lays into ~/.m2), a JDK 17. Out:
running nodes. It refuses to know what is tested.

The server will not run as root: there another user (`nobody`) runs it.
"""

from __future__ import annotations

import base64
import json
import os
import shutil
import signal
import socket
import ssl
import subprocess
import time
import urllib.request
import zipfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

VERSION = "8.19.9"
ARCHIVE = (
    Path.home() / f".m2/repository/org/elasticsearch/distribution/integ-test-zip/elasticsearch/{VERSION}"
    f"/elasticsearch-{VERSION}.zip"
)
JAVA = Path("/usr/lib/jvm/java-17-openjdk-amd64")
USER = "nobody"


def missing() -> str | None:
    """What a test that needs the server lacks here, in words."""
    if not ARCHIVE.is_file():
        return f"elasticsearch: {ARCHIVE} is missing ('.ci/run' fetches it)"
    if not JAVA.is_dir():
        return f"elasticsearch: {JAVA} is missing (a JDK 17)"
    return None


def free_ports(count: int) -> list[int]:
    """Ports that nobody listens at."""
    held = [socket.socket() for _ in range(count)]
    for each in held:
        each.bind(("127.0.0.1", 0))
    ports = [each.getsockname()[1] for each in held]
    for each in held:
        each.close()
    return ports


class Node:
    """One node, and how to stop it."""

    def __init__(self, home: Path, place: Path, port: int, options: Sequence[str], *, heap: str = "512m") -> None:
        self.port = port
        self.place = place
        self._password: str | None = None
        self._home = home
        self._options = [f"http.port={port}", f"path.data={place / 'data'}", f"path.logs={place / 'logs'}", *options]
        self._heap = heap
        self.process: subprocess.Popen[bytes] | None = None
        if not place.exists():
            place.mkdir(parents=True)
            shutil.copytree(home / "config", place / "config")

    @property
    def url(self) -> str:
        """Where it answers, without encryption."""
        return f"http://127.0.0.1:{self.port}"

    def start(self) -> None:
        """Start it; `wait` waits for it."""
        if os.getuid() == 0:
            subprocess.run(["chown", "-R", USER, str(self.place)], check=True)
        environment = {
            **os.environ,
            "ES_PATH_CONF": str(self.place / "config"),
            "ES_JAVA_HOME": str(JAVA),
            "ES_JAVA_OPTS": f"-Xms{self._heap} -Xmx{self._heap}",
        }
        command = [
            str(self._home / "bin/elasticsearch"),
            *(part for option in self._options for part in ("-E", option)),
        ]
        with (self.place / "out").open("ab") as out:
            self.process = subprocess.Popen(
                command,
                stdout=out,
                stderr=out,
                env=environment,
                start_new_session=True,
                user=USER if os.getuid() == 0 else None,
                cwd=self.place,
            )

    def tool(self, name: str, *arguments: str, stdin: bytes = b"") -> None:
        """Run one of the distribution's programs on its configuration."""
        environment = {**os.environ, "ES_PATH_CONF": str(self.place / "config"), "ES_JAVA_HOME": str(JAVA)}
        subprocess.run([str(self._home / "bin" / name), *arguments], input=stdin, env=environment, check=True)

    def kill(self) -> None:
        """Kill it, as a power cut would."""
        if self.process is not None:
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()
            self.process = None


def ask(url: str, path: str, *, password: str | None = None, ca: Path | None = None, **request: Any) -> dict[str, Any]:
    """A request that goes past the client under test."""
    body = request.get("body")
    asked = urllib.request.Request(
        f"{url}{path}", method=request.get("method", "GET"), data=None if body is None else json.dumps(body).encode()
    )
    asked.add_header("Content-Type", "application/json")
    if password is not None:
        asked.add_header("Authorization", f"Basic {base64.b64encode(f'elastic:{password}'.encode()).decode()}")
    context = None if ca is None else ssl.create_default_context(cafile=str(ca))
    with urllib.request.urlopen(asked, timeout=60, context=context) as answer:
        found: dict[str, Any] = json.loads(answer.read() or b"{}")
        return found


def wait(url: str, nodes: int = 1, seconds: float = 240, **how: Any) -> None:
    """Wait until so many nodes are one cluster."""
    end = time.monotonic() + seconds
    while True:
        try:
            health = ask(url, f"/_cluster/health?wait_for_nodes={nodes}&timeout=5s", **how)
            if not health["timed_out"]:
                return
        except OSError:
            pass
        if time.monotonic() > end:
            raise TimeoutError(f"{url}: no cluster of {nodes} within {seconds} s")
        time.sleep(0.5)


def unpacked(scratch: Path) -> Path:
    """The distribution, unpacked where every user may read it."""
    home = scratch / f"elasticsearch-{VERSION}"
    if not home.exists():
        with zipfile.ZipFile(ARCHIVE) as archive:
            archive.extractall(scratch)
        for program in (home / "bin").iterdir():
            program.chmod(0o755)
        subprocess.run(["chmod", "-R", "a+rX", str(home)], check=True)
    return home


def start_one(scratch: Path, *options: str, heap: str = "512m", wait_for: bool = True) -> Node:
    """A cluster of one node, without security unless `options` say otherwise."""
    port, transport = free_ports(2)
    how = ("discovery.type=single-node", f"transport.port={transport}", "xpack.security.enabled=false")
    node = Node(unpacked(scratch), scratch / f"node-{port}", port, [*how, *options], heap=heap)
    node.start()
    if wait_for:
        wait(node.url)
    return node


def start_three(scratch: Path) -> list[Node]:
    """A cluster of three nodes."""
    home = unpacked(scratch)
    ports, transports = free_ports(3), free_ports(3)
    seeds = ",".join(f"127.0.0.1:{port}" for port in transports)
    nodes = []
    for number, (port, transport) in enumerate(zip(ports, transports, strict=True)):
        options = [
            f"node.name=n{number}",
            f"transport.port={transport}",
            f"discovery.seed_hosts={seeds}",
            "cluster.initial_master_nodes=n0,n1,n2",
            "xpack.security.enabled=false",
            "cluster.routing.allocation.disk.threshold_enabled=false",
        ]
        node = Node(home, scratch / f"node-{port}", port, options, heap="400m")
        node.start()
        nodes.append(node)
    wait(nodes[0].url, nodes=3)
    return nodes
