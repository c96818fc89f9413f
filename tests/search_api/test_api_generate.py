"""Completions over HTTP: events with ids that can be heard again, the Report at the end, and limits."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from oracle.parrot import Parrot

from codecite.generator.generator import Generator
from codecite.generator.model import Sampling
from codecite.indexer import open_index
from codecite.indexer.attribution.policy import OnDenial, Policy
from codecite.indexer.records import Outcome

ASKED = {"prompt": "", "max_new_tokens": 1000}
Made = Callable[..., Any]
DENY_ALL = Policy(name="deny-all", default=Outcome.FAIL, min_bytes=50, pass_over=frozenset())


@pytest.fixture
def made(require, index: Path) -> Made:
    """An application over the index with a model that writes what it is given."""
    require("flask", "prometheus_client")
    from codecite.search_api.app import create_app
    from codecite.search_api.settings import Settings

    def make(
        text: str, policy: Policy | None = None, *, seconds: float = 0.0, fails_at: int | None = None, **more: Any
    ) -> Any:
        opened = open_index(index)
        model = Parrot(text, seconds, fails_at)
        app = create_app(opened, Generator(model, opened), policy, Settings(**more))
        app.config["PARROT"] = model
        return app

    return make


def events_of(content: bytes) -> list[tuple[str, dict[str, Any]]]:
    """The id and the data of each event."""
    found = []
    for block in content.decode().split("\n\n"):
        fields = dict(line.split(": ", 1) for line in block.splitlines() if line and not line.startswith(":"))
        if "data" in fields:
            data = json.loads(fields["data"])
            assert data["event"] == fields["event"]
            found.append((fields["id"], data))
    return found


def test_the_events_are_those_of_the_library(made: Made, index: Path, passage: str) -> None:
    """Text, what becomes of its passages, and the Report of the whole; ids count from 1; nothing is compressed."""
    app = made(passage)
    answered = app.test_client().post(
        "/api/v1/generate", json={**ASKED, "prompt": "x = 1\n"}, headers={"Accept-Encoding": "gzip"}
    )
    events = events_of(answered.data)
    opened = open_index(index)
    done = Generator(Parrot(passage), opened).complete("x = 1\n", None, Sampling(1000))
    assert answered.mimetype == "text/event-stream"
    assert "Content-Encoding" not in answered.headers
    assert "".join(data["text"] for _, data in events if data["event"] == "text") == passage
    assert {"opened", "end"} <= {data["event"] for _, data in events}
    assert [int(name.split(":")[1]) for name, _ in events] == list(range(1, len(events) + 1))
    assert events[-1][1]["report"]["matches"] == done.report.to_dict()["matches"]
    assert events[-1][1]["report"]["generation"]["text"] == passage


def test_a_stream_is_heard_again_from_any_event(made: Made, passage: str) -> None:
    """By POST or GET, with the id of the last event that came; what was never there is refused."""
    client = made(passage).test_client()
    first = client.post("/api/v1/generate", json=ASKED)
    events = events_of(first.data)
    stream = first.headers["Codecite-Stream"]
    for number in (1, 7, len(events) - 1, len(events)):
        last = {"Last-Event-ID": f"{stream}:{number}"}
        assert events_of(client.post("/api/v1/generate", headers=last).data) == events[number:]
        assert events_of(client.get(f"/api/v1/generate/{stream}", headers=last).data) == events[number:]
    assert events_of(client.get(f"/api/v1/generate/{stream}").data) == events
    for last, status in (("none:1", 404), (f"{stream}:x", 400), (f"{stream}:{len(events) + 1}", 410), (":", 404)):
        assert client.post("/api/v1/generate", headers={"Last-Event-ID": last}).status_code == status


def test_a_client_that_lost_its_connection_hears_the_rest_while_it_is_written(made: Made, passage: str) -> None:
    """The completion goes on meanwhile; both parts together are the whole."""
    client = made(passage, seconds=0.005).test_client()
    answered = client.post("/api/v1/generate", json=ASKED, buffered=False)
    got = b""
    for part in answered.response:
        got += part
        if got.count(b"event: text") >= 5:
            break
    answered.close()
    events = events_of(got)
    rest = events_of(client.post("/api/v1/generate", headers={"Last-Event-ID": events[-1][0]}).data)
    texts = [data["text"] for _, data in events + rest if data["event"] == "text"]
    assert "".join(texts) == passage
    assert rest[-1][1]["event"] == "end"


def test_only_the_last_events_are_kept(made: Made, passage: str) -> None:
    """What was read and is older than the last bytes of them is gone, with a 410; and after a while, all of it."""
    client = made(passage, replay_bytes=5000, replay_seconds=0.3).test_client()
    first = client.post("/api/v1/generate", json=ASKED)
    events, stream = events_of(first.data), first.headers["Codecite-Stream"]
    last = {"Last-Event-ID": f"{stream}:1"}
    assert client.post("/api/v1/generate", headers=last).status_code == 410
    kept = client.post("/api/v1/generate", headers={"Last-Event-ID": f"{stream}:{len(events) - 1}"})
    assert events_of(kept.data) == events[-1:]
    time.sleep(0.4)
    assert client.post("/api/v1/generate", headers=last).status_code == 404


def test_a_completion_that_nobody_hears_is_ended(made: Made, passage: str) -> None:
    """The model stops, and its place is free for others."""
    app = made(passage * 50, seconds=0.005, unheard_seconds=0.2, generations=1, wait=5.0)
    client = app.test_client()
    answered = client.post("/api/v1/generate", json={"prompt": "", "max_new_tokens": 4000}, buffered=False)
    next(iter(answered.response))
    answered.close()
    whole = client.post("/api/v1/generate", json={"prompt": "", "stream": False, "max_new_tokens": 4}).get_json()
    assert whole["generation"]["text"] == passage[:16]
    assert app.config["PARROT"].closed >= 2


def test_a_completion_ends_when_its_time_is_up_and_has_its_report(made: Made, passage: str) -> None:
    """What came till then is checked; a note says why it ended."""
    client = made(passage, seconds=0.01, generate_seconds=0.3).test_client()
    report = client.post("/api/v1/generate", json={**ASKED, "stream": False}).get_json()
    assert passage.startswith(report["generation"]["text"])
    assert len(report["generation"]["text"]) < len(passage)
    assert any("0.3 seconds" in note for note in report["notes"])


def test_too_many_completions_at_once_are_told_to_come_back(made: Made, passage: str) -> None:
    """503, and for how long."""
    client = made(passage, seconds=0.02, generations=1, wait=0.1).test_client()
    begun = threading.Event()

    def hold() -> None:
        answered = client.application.test_client().post("/api/v1/generate", json=ASKED, buffered=False)
        next(iter(answered.response))
        begun.set()
        for _ in answered.response:
            pass

    holder = threading.Thread(target=hold)
    holder.start()
    begun.wait()
    for path, body in (("/api/v1/generate", ASKED), ("/v1/completions", {"prompt": ""})):
        answered = client.post(path, json=body)
        assert (answered.status_code, answered.headers["Retry-After"]) == (503, "1")
    holder.join()
    assert client.post("/v1/completions", json={"prompt": ""}).status_code == 200


def test_a_model_that_breaks_is_told_in_the_stream(made: Made, passage: str) -> None:
    """What came before has its Report still."""
    client = made(passage, fails_at=200).test_client()
    last = events_of(client.post("/api/v1/generate", json=ASKED).data)[-1][1]
    assert (last["event"], last["error"]) == ("end", "the model broke")
    assert last["report"]["generation"]["text"] == passage[:200]
    assert client.post("/api/v1/generate", json={**ASKED, "stream": False}).status_code == 502


def test_a_request_may_deny_more_and_never_less(made: Made, passage: str) -> None:
    """A licence that is denied this time cuts the completion; a laxer action than the policy's is refused."""
    client = made(passage).test_client()
    asked = {**ASKED, "stream": False, "deny": ["PSF-2.0"], "on_denial": "truncate"}
    report = client.post("/api/v1/generate", json=asked).get_json()
    assert len(report["generation"]["text"]) < len(passage)
    assert report["generation"]["prevented"]
    wrong = client.post("/api/v1/generate", json={"prompt": "", "deny": ["PFS-2.0"]})
    assert (wrong.status_code, wrong.get_json(force=True)["errors"][0]["field"]) == (422, "deny")
    blocking = made(passage, Policy(name="b", default=Outcome.FAIL, on_denial=OnDenial.BLOCK)).test_client()
    laxer = blocking.post("/api/v1/generate", json={"prompt": "", "on_denial": "annotate"})
    assert (laxer.status_code, laxer.get_json(force=True)["errors"][0]["field"]) == (422, "on_denial")


@pytest.mark.parametrize(
    ("action", "told"),
    [(OnDenial.TRUNCATE, "content_filter"), (OnDenial.BLOCK, "content_filter"), (OnDenial.ANNOTATE, "stop")],
)
def test_what_the_policy_denies_leaves_no_door(made: Made, passage: str, action: OnDenial, told: str) -> None:
    """Streamed or whole: under `block` not a character is sent."""
    from dataclasses import replace

    client = made(passage, replace(DENY_ALL, on_denial=action)).test_client()
    asked = {"prompt": "", "max_tokens": 1000}
    whole = client.post("/v1/completions", json=asked).get_json()
    assert whole["choices"][0]["finish_reason"] == told
    streamed = client.post("/v1/completions", json={**asked, "stream": True}).get_data(as_text=True)
    chunks = [json.loads(line[6:]) for line in streamed.split("\n\n") if line.startswith("data: {")]
    text = "".join(chunk["choices"][0]["text"] for chunk in chunks)
    assert text == whole["choices"][0]["text"]
    assert text == {OnDenial.BLOCK: "", OnDenial.ANNOTATE: passage}.get(action, text)
    assert (text in passage, len(text) < len(passage)) == (True, action is not OnDenial.ANNOTATE)
    assert chunks[-1]["choices"][0]["finish_reason"] == told
    assert all(("attribution" in chunk) is (chunk is chunks[-1]) for chunk in chunks)


def test_a_reader_that_leaves_a_door_ends_the_completion(made: Made, passage: str) -> None:
    """The model is closed, and the place is free."""
    app = made(passage * 20, seconds=0.002, generations=1, wait=0.5)
    client = app.test_client()
    answered = client.post("/v1/completions", json={"prompt": "", "stream": True, "max_tokens": 4000}, buffered=False)
    next(iter(answered.response))
    answered.close()
    assert app.config["PARROT"].closed == 1
    assert client.post("/v1/completions", json={"prompt": "", "max_tokens": 4}).status_code == 200


@pytest.mark.parametrize(
    ("field", "value"),
    [("logprobs", 3), ("echo", True), ("best_of", 2), ("logit_bias", {"1": 2}), ("n", 99), ("presence_penalty", 1)],
)
def test_what_a_door_cannot_do_is_refused(made: Made, field: str, value: Any) -> None:
    """By the name of the field, in the form that OpenAI's clients read; what changes nothing is let pass."""
    client = made("x").test_client()
    answered = client.post("/v1/completions", json={"prompt": "", field: value})
    problem = answered.get_json(force=True)
    assert answered.status_code == 422
    assert problem["error"]["param"] == field
    assert field in problem["error"]["message"]
    assert client.post("/v1/completions", json={"prompt": "", "echo": False, "user": "x"}).status_code == 200


def test_a_conversation_is_shown_to_the_model_as_one() -> None:
    """System and user go together; each answer ends with the rule that ends answers."""
    from codecite.search_api.routes.openai import conversation

    messages = [
        {"role": "system", "content": "Be brief."},
        {"role": "user", "content": "One?"},
        {"role": "assistant", "content": " Yes. "},
        {"role": "user", "content": [{"type": "text", "text": "Two?"}]},
    ]
    assert conversation(messages) == "Be brief.\n\nOne?\n\nAssistant: Yes.\n-----\nHuman: Two?"
