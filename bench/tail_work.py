"""What the figures of the tail are measured by, one step a process: lookups and checks in it, warm.

In: indexes, and the queries of `tail_queries.py` and `tail_heads.py`. Out: JSON on the last line: seconds, and for the
corpus of heads where its answers differ from the oracle's. It refuses to know the table.

    python bench/tail_work.py kind KIND INDEX... [--queries N] [--passes N]
    python bench/tail_work.py heads INDEX [--queries N] [--passes N] [--compared N]
    python bench/tail_work.py texts INDEX FILE... [--passes N]
    python bench/tail_work.py once INDEX FILE [--limit SECONDS]
"""

from __future__ import annotations

import argparse
import json
import signal
import time
from functools import partial
from pathlib import Path
from typing import Any

import measure
import pinned
import tail_heads
import tail_queries

from codecite.indexer import open_index
from codecite.indexer.index import Index

SOURCES = 5
SLOW = 0.1
"""Seconds; a text that takes longer even once is asked once."""

WARM_UP = 20
"""Texts that are asked before the clock runs, for two seconds at most."""

SHOWN = 5


def main() -> None:
    """One step, and its figures as JSON."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("step", choices=("kind", "heads", "texts", "once"))
    parser.add_argument("words", nargs="+")
    parser.add_argument("--queries", type=int, default=1000)
    parser.add_argument("--passes", type=int, default=3)
    parser.add_argument("--compared", type=int, default=200, help="so many answers are compared with the oracle's")
    parser.add_argument("--limit", type=int, default=600)
    arguments = parser.parse_args()
    measure.use_cores()
    words = arguments.words
    if arguments.step == "kind":
        found: Any = kind(words[0], words[1:], arguments.queries, arguments.passes)
    elif arguments.step == "heads":
        texts = tail_heads.make_queries(arguments.queries)
        found = {**timed([words[0]], texts, arguments.passes)[0], **compared(words[0], texts[: arguments.compared])}
    elif arguments.step == "texts":
        texts = [Path(path).read_bytes().decode("utf-8", "surrogateescape") for path in words[1:]]
        found = timed([words[0]], texts, arguments.passes, measure.SLOW)[0]["check"]
    else:
        found = once(words[0], words[1], arguments.limit)
    print(json.dumps(found))


def kind(name: str, indexes: list[str], count: int, passes: int) -> list[dict[str, Any]]:
    """Seconds of lookup and check for each query of a kind in each index."""
    return timed(indexes, tail_queries.texts(name, count), passes)


def timed(paths: list[str], texts: list[str], passes: int, slow: float = SLOW) -> list[dict[str, Any]]:
    """For each index the seconds of `lookup` and of `check` for each text."""
    indexes = [open_index(path) for path in paths]
    ways = [way for index in indexes for way in (index.lookup, partial(index.check, sources=SOURCES))]
    for way in ways:
        began = time.perf_counter()
        for text in texts[:WARM_UP]:
            if time.perf_counter() < began + 2:
                way(text)
    times = measure.best_times(ways, texts, passes, slow)
    return [{"lookup": times[2 * number], "check": times[2 * number + 1]} for number in range(len(indexes))]


def once(path: str, file: str, limit: int) -> dict[str, float]:
    """One check of a large file; the process is ended after `limit` seconds."""
    text = Path(file).read_bytes()
    index = open_index(path)
    index.check(text[:2000])
    signal.alarm(limit)
    began = time.perf_counter()
    report = index.check(text, sources=SOURCES)
    return {"seconds": time.perf_counter() - began, "bytes": len(text), "matches": len(report.attributions)}


def compared(path: str, texts: list[str]) -> dict[str, Any]:
    """Where the answers differ from the oracle's; the oracle's are kept, since making them takes minutes."""
    index = open_index(path)
    wanted = expected(texts, index.coverage[0].documents)
    differences = []
    matches = 0
    for number, (text, due) in enumerate(zip(texts, wanted, strict=True)):
        given = answers(index, text)
        matches += len(due)
        differences += [f"text {number}: {line}" for line in differing(due, given)]
    return {
        "compared": len(texts),
        "matches": matches,
        "wrong": len({line.partition(":")[0] for line in differences}),
        "differences": differences[:100],
    }


def expected(texts: list[str], documents: int) -> list[list[dict[str, Any]]]:
    """The oracle's answers. It must see as many documents as the index holds."""
    path = pinned.cache() / "tail-oracle.json"
    kept: dict[str, Any] = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
    if kept.get("texts", [])[: len(texts)] != texts:
        import tail_oracle

        oracle = tail_oracle.Oracle(head_trees(), tail_heads.write_corpus())
        kept = {"texts": texts, "documents": oracle.documents, "answers": [oracle.matches(text) for text in texts]}
        path.write_text(json.dumps(kept), encoding="utf-8")
    if kept["documents"] != documents:
        raise SystemExit(f"the index holds {documents} documents, the oracle saw {kept['documents']}")
    answers: list[list[dict[str, Any]]] = json.loads(json.dumps(kept["answers"][: len(texts)]))
    return answers


def head_trees() -> list[str]:
    """What is indexed beside the corpus of heads."""
    return [str(path) for path in sorted((pinned.cache() / "corpora" / "small").iterdir())]


def answers(index: Index, text: str) -> list[dict[str, Any]]:
    """The matches of a Report as the oracle names them: `within` is a span there."""
    report = index.check(text, sources=SOURCES).to_dict()
    spans = {match["id"]: [match["start"], match["end"]] for match in report["matches"]}
    found = [{**match, "within": spans.get(match["within"])} for match in report["matches"]]
    found.sort(key=lambda match: (match["start"], -match["end"]))
    plain: list[dict[str, Any]] = json.loads(json.dumps(found))
    return plain


def differing(due: list[dict[str, Any]], given: list[dict[str, Any]]) -> list[str]:
    """Which spans are missed or invented, and which facts of the others differ."""
    wanted = {(match["start"], match["end"]): match for match in due}
    observed = {(match["start"], match["end"]): match for match in given}
    lines = [f"missed {span}" for span in sorted(wanted.keys() - observed.keys())[:SHOWN]]
    lines += [f"invented {span}" for span in sorted(observed.keys() - wanted.keys())[:SHOWN]]
    if len(observed) != len(given):
        lines.append("a span is reported twice")
    for span in sorted(wanted.keys() & observed.keys()):
        for name, value in wanted[span].items():
            got = observed[span][name]
            if name == "sources":
                got = [{key: source[key] for key in value[0]} for source in got] if value else got
            if got != value:
                lines.append(f"{span} {name}: expected {value!r}, observed {got!r}")
    return lines


if __name__ == "__main__":
    main()
