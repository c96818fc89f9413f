"""A served index under load: `POST /api/v1/check` of 2,000 characters against `/healthz`, so many requests a second.

In: an index, texts from its own files. Out: a table: what waiting for an answer takes, measured from the moment when
the request was to be sent (so a server that falls behind is seen to), for both at the same rate; errors; the server's
memory. With `--publish` new generations are published meanwhile, with `--hang-up` clients leave before their answer.
With `--gunicorn` the same application is served by gunicorn's threads, and `--slow` adds clients that send slowly.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

CHARACTERS = 2000
GUNICORN = """
import sys
from codecite.indexer import open_index
from codecite.search_api.app import create_app
from gunicorn.app.base import BaseApplication
class Served(BaseApplication):
    def load_config(self):
        self.cfg.set("bind", "127.0.0.1:" + sys.argv[2]); self.cfg.set("workers", 1)
        self.cfg.set("worker_class", "gthread"); self.cfg.set("threads", 16); self.cfg.set("keepalive", 60)
    def load(self):
        return create_app(open_index(sys.argv[1]))
Served().run()
"""


def main() -> None:
    """Serve, ask, print."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--index", type=Path, required=True, metavar="DIR")
    parser.add_argument("--rate", type=int, default=200, help="requests a second")
    parser.add_argument("--seconds", type=int, default=20, help="for each route")
    parser.add_argument("--health", type=int, metavar="SECONDS", help="for /healthz, if not as long as the other")
    parser.add_argument("--connections", type=int, default=32)
    parser.add_argument(
        "--publish", type=float, metavar="S", help="publish a generation so often, to a copy of the index"
    )
    parser.add_argument("--hang-up", type=float, default=0.0, metavar="SHARE", help="clients that do not wait")
    parser.add_argument("--slow", type=int, default=0, metavar="N", help="clients that send a byte a second")
    parser.add_argument("--gunicorn", action="store_true")
    parser.add_argument(
        "--texts", type=Path, metavar="DIR", help="where the texts are from; the standard library's place"
    )
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        index = arguments.index
        if arguments.publish:
            index = Path(scratch) / "index"
            shutil.copytree(arguments.index, index)
        texts = sample(arguments.texts or Path(os.__file__).parent)
        with Server(index, arguments.gunicorn) as server:
            for _ in range(2):  # what the first request opens is not measured
                for text in texts[:50]:
                    ask(server.port, [check(text)])
            if arguments.publish:
                threading.Thread(target=publish, args=(index, arguments.publish, Path(scratch)), daemon=True).start()
            for _ in range(arguments.slow):
                threading.Thread(target=crawl, args=(server.port,), daemon=True).start()
            before = server.memory()
            print(f"{'route':24}{'requests':>9}{'errors':>8}{'p50 ms':>9}{'p99 ms':>9}{'max ms':>9}")
            shorter = argparse.Namespace(**{**vars(arguments), "seconds": arguments.health or arguments.seconds})
            health = load(server.port, [b"GET /healthz HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"], shorter)
            row("GET /healthz", health)
            half = server.memory()
            checks = load(server.port, [check(text) for text in texts], arguments)
            row("POST /api/v1/check", checks)
            over = (percentile(checks[0], 99) - percentile(health[0], 99)) * 1000
            print(f"p99 of check over that of healthz: {over:.1f} ms, at {arguments.rate} requests a second")
            memory = ", ".join(f"{size / 1e6:.0f} MB" for size in (before, half, server.memory()))
            print(f"resident memory that no file is mapped to, before, between and after: {memory}")
            alone = in_process(index, texts)
            p50, p99 = (percentile(alone, share) * 1000 for share in (50, 99))
            print(f"the library alone, one thread, the same texts: p50 {p50:.1f} ms, p99 {p99:.1f} ms")
            if server.generations() > 1:
                print(f"the generation at the end: {server.generations()}")


class Server:
    """A server of its own process, on a free port."""

    def __init__(self, index: Path, gunicorn: bool) -> None:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        command = [sys.executable, "-m", "codecite.search_api.cli", "serve", "--index", str(index)]
        command += ["--port", str(self.port)]
        if gunicorn:
            command = [sys.executable, "-c", GUNICORN, str(index), str(self.port)]
        self._log = tempfile.TemporaryFile()  # noqa: SIM115
        self._process = subprocess.Popen(command, stderr=self._log, stdout=self._log)

    def __enter__(self) -> Server:
        for _ in range(600):
            try:
                ask(self.port, [b"GET /readyz HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"])
            except OSError:
                time.sleep(0.1)
            else:
                return self
        self._log.seek(0)
        raise SystemExit(f"the server did not come up: {self._log.read().decode()}")

    def __exit__(self, *_: object) -> None:
        self._process.send_signal(signal.SIGTERM)
        self._process.wait(60)

    def memory(self) -> int:
        """The memory of it and its children that no file is mapped to."""
        children = Path(f"/proc/{self._process.pid}/task/{self._process.pid}/children").read_text().split()
        found = 0
        for process in (str(self._process.pid), *children):
            lines = Path(f"/proc/{process}/status").read_text().splitlines()
            found += sum(int(line.split()[1]) for line in lines if line.startswith("RssAnon"))
        return found * 1024

    def generations(self) -> int:
        """The generation that is served."""
        ((_, body),) = ask(self.port, [b"GET /readyz HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"])
        return int(json.loads(body)["generations"][0])


def sample(folder: Path) -> list[str]:
    """Texts of CHARACTERS each from files of a folder, the same each time; every other is half its own."""
    chance = random.Random(9)
    files = sorted(folder.glob("**/*.py"))
    found = []
    while len(found) < 500:
        text = chance.choice(files).read_text(encoding="utf-8", errors="replace")
        if len(text) > CHARACTERS:
            begin = chance.randrange(len(text) - CHARACTERS)
            part = text[begin : begin + CHARACTERS]
            own = "".join(f"own_{i} = compute({i * i})\n" for i in range(chance.randrange(1000), 2000))
            found.append(part if len(found) % 2 else (part[: CHARACTERS // 2] + own)[:CHARACTERS])
    return found


def check(text: str) -> bytes:
    """The request for a check."""
    body = json.dumps({"text": text}).encode()
    head = "POST /api/v1/check HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n"
    return f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body


def ask(port: int, requests: list[bytes]) -> list[tuple[int, bytes]]:
    """Send requests over one connection; the status and the body of each."""
    with socket.create_connection(("127.0.0.1", port), timeout=30) as connection:
        return [answered(connection, request) for request in requests]


def answered(connection: socket.socket, request: bytes) -> tuple[int, bytes]:
    """One request and its answer."""
    connection.sendall(request)
    content = b""
    while b"\r\n\r\n" not in content:
        content += received(connection)
    head, _, body = content.partition(b"\r\n\r\n")
    fields = head.lower().split(b"\r\n")
    length = next(int(line.split(b":")[1]) for line in fields if line.startswith(b"content-length:"))
    while len(body) < length:
        body += received(connection)
    return int(head.split()[1]), body


def received(connection: socket.socket) -> bytes:
    """Some bytes; an error at the end of the connection."""
    part = connection.recv(1 << 16)
    if not part:
        raise ConnectionError("the server closed the connection")
    return part


def load(port: int, requests: list[bytes], arguments: argparse.Namespace) -> tuple[list[float], Counter[str]]:
    """Send at the rate, each when it is due, whoever is late; seconds from then to its answer, and what went wrong."""
    total = arguments.rate * arguments.seconds
    numbers, lock = iter(range(total)), threading.Lock()
    times: list[float] = []
    errors: Counter[str] = Counter()
    start = time.perf_counter() + 0.2

    def work(seed: int) -> None:
        chance = random.Random(seed)
        connection = None
        while (number := next_of(numbers, lock)) is not None:
            due = start + number / arguments.rate
            time.sleep(max(0.0, due - time.perf_counter()))
            try:
                connection = connection or socket.create_connection(("127.0.0.1", port), timeout=30)
                if chance.random() < arguments.hang_up:
                    connection.sendall(requests[number % len(requests)])
                    connection.close()
                    connection = None
                    continue
                status, _ = answered(connection, requests[number % len(requests)])
                times.append(time.perf_counter() - due)
                if status != 200:
                    errors[str(status)] += 1
            except OSError as error:
                errors[type(error).__name__] += 1
                connection = None

    workers = [threading.Thread(target=work, args=(seed,)) for seed in range(arguments.connections)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    return times, errors


def next_of(numbers: Iterator[int], lock: threading.Lock) -> int | None:
    """The next number, for one thread only."""
    with lock:
        return next(numbers, None)


def publish(index: Path, every: float, scratch: Path) -> None:
    """Add a file each so many seconds, by the command line."""
    for number in range(10_000):
        time.sleep(every)
        file = scratch / f"new_{number}.py"
        file.write_text("".join(f"def new_{number}_{i}(value):\n    return value + {i}\n" for i in range(50)))
        command = [sys.executable, "-m", "codecite.search_api.cli", "index", "add", str(file), "--index", str(index)]
        subprocess.run(command, check=True, capture_output=True)


def crawl(port: int) -> None:
    """A client that sends a byte a second."""
    with socket.create_connection(("127.0.0.1", port)) as connection:
        for byte in check("x" * CHARACTERS):
            connection.sendall(bytes([byte]))
            time.sleep(1)


def in_process(index: Path, texts: list[str]) -> list[float]:
    """Seconds for each text without a server: the check and its JSON form, in one thread; the second pass of two."""
    from codecite.indexer import open_index

    opened, times = open_index(index), []
    for _ in range(2):
        times.clear()
        for text in texts:
            start = time.perf_counter()
            json.dumps(opened.check(text).to_dict())
            times.append(time.perf_counter() - start)
    return times


def percentile(times: list[float], share: float) -> float:
    """The nearest rank."""
    return sorted(times)[min(len(times) - 1, int(len(times) * share / 100))]


def row(name: str, measured: tuple[list[float], Counter[str]]) -> None:
    """A line of the table."""
    times, errors = measured
    figures = "".join(f"{percentile(times, share) * 1000:9.1f}" for share in (50, 99, 100))
    print(f"{name:24}{len(times):9}{sum(errors.values()):8}{figures}  {dict(errors) or ''}")


if __name__ == "__main__":
    main()
