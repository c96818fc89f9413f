"""What a client makes of servers that are not there, refuse, are busy, are no codecite, or mean harm."""

from __future__ import annotations

import gzip
import json
import os
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from oracle.remote_corpus import TEXTS
from oracle.served import free_port

from codecite.indexer import open_index
from codecite.indexer.errors import CodeciteError, ConfigError, RemoteError, TextError
from codecite.indexer.index import Index
from codecite.indexer.remote import client, keys, reading

KEY = "codecite-secret"


@dataclass
class Scripted:
    """A server that answers as it is told, in turn, the last answer again and again; what it was asked."""

    answers: list[tuple[int, dict[str, str], bytes]] = field(default_factory=list)
    asked: list[tuple[str, dict[str, str], bytes]] = field(default_factory=list)
    url: str = ""

    def say(self, body: Any, status: int = 200, kind: str = "application/json", **headers: str) -> None:
        """One more answer."""
        content = body if isinstance(body, bytes) else json.dumps(body).encode()
        more = {name.replace("_", "-"): value for name, value in headers.items()}
        self.answers.append((status, {"Content-Type": kind, **more}, content))


@pytest.fixture
def scripted(require: Callable[..., None]) -> Iterator[Scripted]:
    """A server of no codecite."""
    require("httpx")
    held = Scripted()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            length = int(self.headers.get("Content-Length", 0))
            held.asked.append((self.path, dict(self.headers), self.rfile.read(length)))
            status, headers, content = held.answers.pop(0) if len(held.answers) > 1 else held.answers[0]
            self.send_response(status)
            for name, value in {"Content-Length": str(len(content)), **headers}.items():
                self.send_header(name, value)
            self.end_headers()
            try:
                self.wfile.write(content)
            except OSError:
                self.close_connection = True

        do_GET = do_POST

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.05,))
    thread.start()
    held.url = f"http://127.0.0.1:{server.server_port}"
    yield held
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture(autouse=True)
def no_keys(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing of the user's own."""
    monkeypatch.delenv(keys.KEY, raising=False)
    monkeypatch.delenv(keys.KEY_FILE, raising=False)


@pytest.fixture
def answer(embedded: Index) -> dict[str, Any]:
    """A true Report on nothing."""
    return embedded.check("").to_dict()


def test_a_server_that_is_not_there_is_named() -> None:
    """After a few tries, in some seconds; an address that is none at once."""
    address = f"http://127.0.0.1:{free_port()}"
    began = time.monotonic()
    with pytest.raises(RemoteError, match=rf"{address}: cannot be reached .*is the server running there\?"):
        open_index(address)
    assert time.monotonic() - began < 20
    for wrong in ("http://", "http://host:notaport", "https://host?key=1"):
        with pytest.raises(ConfigError, match="is no address of a server"):
            open_index(wrong)


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        (b"<html>hello</html>", "text/html"),
        (b"[1, 2]", "application/json"),
        (b'{"schema": ', "application/json"),
        (b"[" * 200_000, "application/json"),
        (b'{"schema": NaN}', "application/json"),
        (b"", "application/json"),
    ],
)
def test_what_is_no_answer_of_codecite_is_told(scripted: Scripted, body: bytes, kind: str) -> None:
    """Pages, other JSON, half of it, depths of it."""
    scripted.say(body, kind=kind)
    with pytest.raises(RemoteError, match="is this a codecite server"):
        open_index(scripted.url)


def test_another_schema_is_told(scripted: Scripted, answer: dict[str, Any]) -> None:
    """A version that this one does not read."""
    scripted.say({**answer, "schema": "codecite-report/2"})
    with pytest.raises(RemoteError, match="answers with 'codecite-report/2', this codecite reads codecite-report/1"):
        open_index(scripted.url)


def test_every_field_is_held_against_its_type(embedded: Index) -> None:
    """Whatever one field of a true Report is changed to, it is read, or refused by name; nothing else is raised."""
    text = TEXTS["bisect.py"][:900]
    true = embedded.check(text).to_dict()
    places = list(leaves(true))
    assert true["matches"] and len(places) > 60
    refused = 0
    for place in places:
        for wrong in (None, -1, 2**70, [], {}, "\x1b[31m", ["a"], True, 0.5):
            try:
                reading.read_report(changed(true, place, wrong), text).to_dict()
            except reading.Unlike as error:
                refused += 1
                assert str(error)
    assert refused > 5 * len(places)


def leaves(form: Any, place: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Every place in an object."""
    items = form.items() if isinstance(form, dict) else enumerate(form) if isinstance(form, list) else ()
    for key, value in items:
        yield (*place, key)
        yield from leaves(value, (*place, key))


def changed(form: Any, place: tuple[Any, ...], value: Any) -> Any:
    """The object with another value at a place."""
    if not place:
        return value
    made = dict(form) if isinstance(form, dict) else list(form)
    made[place[0]] = changed(form[place[0]], place[1:], value)
    return made


def test_a_report_on_another_text_is_refused(scripted: Scripted, answer: dict[str, Any]) -> None:
    """A cache between, or a server that mixes its answers up."""
    scripted.say(answer)
    index = open_index(scripted.url)
    with pytest.raises(RemoteError, match="the Report is on another text"):
        index.check("text")
    scripted.say({"reports": [answer]})
    scripted.answers[:] = scripted.answers[-1:]
    with pytest.raises(RemoteError, match="on another text"):
        list(index.check_many(["text"]))
    with pytest.raises(RemoteError, match="not as this codecite reads it: reports"):
        list(index.check_many(["text", "and another"]))


def test_an_endless_answer_is_cut(scripted: Scripted) -> None:
    """A little that expands to very much is not taken into memory."""
    bomb = gzip.compress(b" " * (client.MOST + (1 << 20)), compresslevel=9)
    assert len(bomb) < 1 << 20
    scripted.say(bomb, Content_Encoding="gzip")
    with pytest.raises(RemoteError, match="larger than 256 MiB"):
        open_index(scripted.url)


def test_a_busy_server_is_asked_again_when_it_says(scripted: Scripted, answer: dict[str, Any]) -> None:
    """429 and 503 with Retry-After; a wait that is too long is not waited for."""
    problem = {"status": 429, "detail": "wait a little"}
    scripted.say(problem, 429, "application/problem+json", Retry_After="1")
    scripted.say(problem, 503, "application/problem+json", Retry_After="0")
    scripted.say(answer)
    began = time.monotonic()
    index = open_index(scripted.url)
    assert 1 <= time.monotonic() - began < 10 and len(scripted.asked) == 3
    scripted.say(problem, 429, "application/problem+json", Retry_After="3600")
    scripted.answers[:] = scripted.answers[-1:]
    with pytest.raises(RemoteError, match=r"the server is busy.*status 429: wait a little"):
        index.check("text")
    assert len(scripted.asked) == 4


@pytest.mark.parametrize(
    ("status", "error", "message"),
    [
        (401, ConfigError, "the server asks for a key; set CODECITE_API_KEY"),
        (403, ConfigError, "access is refused"),
        (302, RemoteError, "leads elsewhere"),
        (404, RemoteError, "there is no such route"),
        (500, RemoteError, "refused with status 500"),
    ],
)
def test_refusals_say_what_to_do(scripted: Scripted, status: int, error: type[CodeciteError], message: str) -> None:
    """Whatever stands in front of a server, too."""
    scripted.say(b"<html>", status, "text/html", Location="https://elsewhere.example/")
    with pytest.raises(error, match=message):
        open_index(scripted.url)


def test_keys_go_where_they_may(scripted: Scripted, answer: dict[str, Any], tmp_path: Path, monkeypatch: Any) -> None:
    """From the environment or a file, in a header; not over plain http to another machine, and never in an error."""
    scripted.say(answer)
    monkeypatch.setenv(keys.KEY, KEY)
    open_index(scripted.url)
    assert scripted.asked[-1][1]["Authorization"] == f"Bearer {KEY}"
    with pytest.raises(ConfigError, match="is not sent over plain http") as refused:
        open_index("http://codecite.example:8080")
    assert KEY not in str(refused.value)
    scripted.say(b"", 401)
    scripted.answers[:] = scripted.answers[-1:]
    with pytest.raises(ConfigError, match="the key is refused") as refused:
        open_index(scripted.url)
    assert KEY not in str(refused.value)
    monkeypatch.setenv(keys.KEY, "no\u00e9key")
    with pytest.raises(ConfigError, match="a character that no key has") as refused:
        open_index(scripted.url)
    assert "no\u00e9key" not in str(refused.value)
    monkeypatch.delenv(keys.KEY)
    file = tmp_path / "keys"
    monkeypatch.setenv(keys.KEY_FILE, str(file))
    with pytest.raises(ConfigError, match="cannot be read"):
        open_index(scripted.url)
    scripted.say(answer)
    scripted.answers[:] = scripted.answers[-1:]
    for content, sent in ((f"{KEY}\n", KEY), (f"# keys\n{scripted.url} mine\nhttps://x.example {KEY}\n", "mine")):
        file.write_text(content)
        open_index(scripted.url)
        assert scripted.asked[-1][1]["Authorization"] == f"Bearer {sent}"
    file.write_text(f"https://x.example {KEY}\n")
    open_index(scripted.url)
    assert "Authorization" not in scripted.asked[-1][1]
    with pytest.raises(ConfigError, match="has no place in the address") as refused:
        open_index(f"https://user:{KEY}@x.example")
    assert KEY not in str(refused.value)


def test_a_real_server_asks_for_its_key(embedded: Index, serve: Any, tmp_path: Path, monkeypatch: Any) -> None:
    """One that was made for it opens; another one does not."""
    from codecite.search_api.keys import append_key, read_keys

    key = append_key(tmp_path / "keys", "anna")
    address = serve(embedded, keys=read_keys(tmp_path / "keys"))
    with pytest.raises(ConfigError, match="asks for a key"):
        open_index(address)
    monkeypatch.setenv(keys.KEY, key[:-1])
    with pytest.raises(ConfigError, match="the key is refused"):
        open_index(address)
    monkeypatch.setenv(keys.KEY, key)
    assert open_index(address).check(TEXTS["bisect.py"]).attributions


def test_a_real_server_with_a_rate_is_waited_for(embedded: Index, serve: Any) -> None:
    """More requests than it takes at once are answered all the same."""
    index = open_index(serve(embedded, rate=10.0, burst=3))
    assert all(index.check(TEXTS["bisect.py"][:200]).attributions for _ in range(8))


def test_what_a_server_does_not_take_at_once_is_sent_in_parts(embedded: Index, serve: Any) -> None:
    """A batch is divided; a single text that is too large is an error that says what lets it be taken."""
    index = open_index(serve(embedded, max_body=20_000))
    texts = [TEXTS["bisect.py"][:2000] + b"# %d" % number for number in range(40)]
    texts[7] = TEXTS["tokenize.py"]
    assert len(texts[7]) > 20_000
    answers = list(index.check_many(texts))
    assert isinstance(answers[7], TextError) and "--max-body" in str(answers[7])
    assert [item.text_sha256 for number, item in enumerate(answers) if number != 7] == [
        embedded.check(text).text_sha256 for number, text in enumerate(texts) if number != 7
    ]
    with pytest.raises(TextError, match=r"the text \([\d,]+ bytes\) is more than http://127\.0\.0\.1"):
        index.check(TEXTS["tokenize.py"] * 200)
    assert index.check(TEXTS["bisect.py"][:500]).attributions, "the connection is made anew"


def test_forked_processes_have_connections_of_their_own(remote: Index) -> None:
    """Answers do not get mixed up between a process and its children."""
    texts = [TEXTS["bisect.py"][number : number + 300] for number in range(60)]
    remote.check(texts[0])
    children = []
    for _ in range(3):
        child = os.fork()
        if child == 0:
            os._exit(0 if all(remote.check(text).attributions for text in texts) else 1)
        children.append(child)
    assert all(remote.check(text).attributions for text in texts)
    assert [os.waitpid(child, 0)[1] for child in children] == [0, 0, 0]


def test_threads_share_an_index(remote: Index, embedded: Index) -> None:
    """Each gets its own answer."""
    from concurrent.futures import ThreadPoolExecutor

    texts = [TEXTS["heapq.py"][number * 20 : number * 20 + 400] for number in range(80)]
    expected = [embedded.check(text).to_dict() for text in texts]
    with ThreadPoolExecutor(8) as pool:
        assert [report.to_dict() for report in pool.map(remote.check, texts)] == expected
