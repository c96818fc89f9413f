"""The page in a real browser: how long after its 50th character a passage is marked, and what the first load weighs.

In: an index with modules that the demo model knows by heart, made here from what is installed. Out: a table: for each
prompt the time from the 50th canonical character of the first passage to the frame that shows its mark. Three clocks of
one machine: when the model had written the piece with that character, when the page had read the event with it, when
the first frame with a mark was painted. Served by waitress, as `codecite serve` does, in this process.
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import statistics
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

SITE = Path(str(importlib.util.find_spec("numpy").origin)).parent.parent  # type: ignore[union-attr]
SPACE = " \t\n\v\f\r"
LENGTH = 50
WATCH = """
window.seen = [];
window.marked = 0;
const read = ReadableStreamDefaultReader.prototype.read;
ReadableStreamDefaultReader.prototype.read = async function () {
  const answer = await read.call(this);
  if (typeof answer.value === 'string') window.seen.push([performance.timeOrigin + performance.now(), answer.value]);
  return answer;
};
document.addEventListener('DOMContentLoaded', () => {
  const shown = document.getElementById('shown');
  if (shown) new MutationObserver(() => {
    if (window.marked || !shown.querySelector('mark')) return;
    window.marked = -1;
    requestAnimationFrame(() => { const channel = new MessageChannel();
      channel.port1.onmessage = () => { window.marked = performance.timeOrigin + performance.now(); };
      channel.port2.postMessage(null); });
  }).observe(shown, { childList: true });
});
"""


class Timed:
    """A model that notes when each piece of its text came."""

    def __init__(self, model: Any) -> None:
        self._model = model
        self.pieces: list[tuple[float, str]] = []

    def __getattr__(self, name: str) -> Any:
        """All else is the model's own."""
        return getattr(self._model, name)

    def write(self, *arguments: Any) -> Any:
        """A Writing that is timed."""
        self.pieces = []
        return _Writing(self._model.write(*arguments), self.pieces)


class _Writing:
    def __init__(self, writing: Any, pieces: list[tuple[float, str]]) -> None:
        self._writing, self._pieces = writing, pieces

    def __getattr__(self, name: str) -> Any:
        return getattr(self._writing, name)

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        piece = next(self._writing)
        self._pieces.append((time.time() * 1000, piece))
        return piece


def main() -> None:
    """Serve, complete, print."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--prompts", type=int, default=12)
    parser.add_argument("--policy", default="audit", help="what the guard goes by; others may hold text back")
    arguments = parser.parse_args()
    from playwright.sync_api import sync_playwright

    with tempfile.TemporaryDirectory() as scratch, sync_playwright() as started:
        port, model = serve(Path(scratch), arguments.policy)
        browser = started.chromium.launch(executable_path="/usr/bin/chromium", args=["--no-sandbox"])
        weigh(browser, port)
        rows = [row for prompt in prompts(arguments.prompts) if (row := once(browser, port, model, prompt))]
        browser.close()
    if not rows:
        raise SystemExit("no completion held a passage: is the demo model the one that ships?")
    print(f"policy {arguments.policy}: ms from the 50th character to the painted mark, {len(rows)} completions")
    for name, at in (("since the model wrote it", 0), ("since the page had its event", 1)):
        times = sorted(row[at] for row in rows)
        print(f"  {name:30} median {statistics.median(times):6.1f}, max {times[-1]:6.1f}")
    sys.stdout.flush()


def serve(scratch: Path, policy: str) -> tuple[int, Timed]:
    """The port of a server over the modules that the model knows, and its model."""
    from codecite.generator.generator import Generator
    from codecite.generator.local import LocalModel
    from codecite.generator.training.corpus import MODULES
    from codecite.indexer import open_index
    from codecite.indexer.attribution.policy import load_policy
    from codecite.indexer.build import add
    from codecite.indexer.corpus.sources import read_sources
    from codecite.indexer.corpus.units import Reading
    from codecite.search_api.app import create_app
    from codecite.search_api.server import make_server

    places = [str(SITE / name) for name in ("click", "flask", "packaging") if (SITE / name).is_dir()]
    places += [str(SITE / path) for paths in MODULES.values() for path in paths if (SITE / path).is_file()]
    add(scratch / "index", read_sources(tuple(places), installed=False, reading=Reading()), lexical=True)
    index, held = open_index(scratch / "index"), load_policy(policy)
    model = Timed(LocalModel.load("demo"))
    app = create_app(index, Generator(model, index, held), held)  # type: ignore[arg-type]
    server = make_server(app, "127.0.0.1", 0, threads=8, max_body=8 << 20)
    threading.Thread(target=server.run, daemon=True).start()
    return server.effective_port, model


def prompts(count: int) -> list[str]:
    """Heads of a module that the model has learnt, each cut behind another line."""
    lines = (SITE / "numpy" / "lib" / "mixins.py").read_text(encoding="utf-8").splitlines(keepends=True)
    step = max(1, (len(lines) - 20) // count)
    return ["".join(lines[max(0, at - 12) : at]) for at in range(12, len(lines) - 8, step)][:count]


def once(browser: Any, port: int, model: Timed, prompt: str) -> tuple[float, float] | None:
    """Milliseconds for one completion; None where nothing was marked that began in it."""
    page = browser.new_page()
    page.add_init_script(WATCH)
    page.goto(f"http://127.0.0.1:{port}/")
    page.fill("#text", prompt)
    page.press("#text", "Control+End")
    page.click("#complete")
    page.locator("#status", has_text="Verdict").wait_for(timeout=120_000)
    marked, seen = page.evaluate("() => [window.marked, window.seen]")
    page.close()
    if marked <= 0:
        return None
    arrived, first = events(seen)
    if first is None:
        return None
    end = point(prompt + "".join(text for _, text in arrived), first["start"], len(prompt))
    wrote, came = moment(model.pieces, end - len(prompt)), moment(arrived, end - len(prompt))
    return marked - wrote, marked - came


def events(seen: list[list[Any]]) -> tuple[list[tuple[float, str]], dict[str, Any] | None]:
    """When each piece of text came, and the first passage that was told of."""
    arrived: list[tuple[float, str]] = []
    first = None
    rest = ""
    for at, part in seen:
        *blocks, rest = (rest + part).split("\n\n")
        for block in blocks:
            data = [line[6:] for line in block.split("\n") if line.startswith("data: ")]
            if not data:
                continue
            event = json.loads("\n".join(data))
            if event["event"] == "text":
                arrived.append((at, event["text"]))
            elif first is None and "match" in event and event["event"] in ("opened", "grown", "closed"):
                first = event["match"]
    return arrived, first


def point(text: str, start: int, least: int) -> int:
    """Behind the 50th canonical character of a passage, and behind the first character of the completion."""
    count = 0
    for at in range(start, len(text)):
        count += text[at] not in SPACE
        if count >= LENGTH and at >= least:
            return at + 1
    return len(text)


def moment(pieces: list[tuple[float, str]], end: int) -> float:
    """When so many characters had come."""
    size = 0
    for at, piece in pieces:
        size += len(piece)
        if size >= end:
            return at
    return pieces[-1][0]


def weigh(browser: Any, port: int) -> None:
    """What each page loads at first, in bytes over the wire and unpacked."""
    print(f"{'first load':16}{'requests':>9}{'on the wire':>13}{'unpacked':>10}")
    for name in ("", "check", "search", "about"):
        context = browser.new_context()
        page = context.new_page()
        sizes: list[tuple[int, int]] = []
        page.on("requestfinished", lambda sent, sizes=sizes: sizes.append(weight(sent)))
        page.goto(f"http://127.0.0.1:{port}/{name}")
        page.wait_for_load_state("networkidle")
        print(f"/{name:15}{len(sizes):9}{sum(wire for wire, _ in sizes):13,}{sum(size for _, size in sizes):10,}")
        context.close()


def weight(sent: Any) -> tuple[int, int]:
    """Bytes of an answer: with its head as it came, and its body."""
    told = sent.sizes()
    return told["responseBodySize"] + told["responseHeadersSize"], len(sent.response().body())


if __name__ == "__main__":
    main()
