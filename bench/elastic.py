"""An index on Elasticsearch against the embedded one, and against BigCode's way: a phrase query over trigrams.

In: the corpus `small` that `fetch.py` laid out, a node (`--url`, or one that is started). Out: a table on standard
output, all in `$CODECITE_BENCH/elastic.json`. Nothing is measured that is not also compared.

BigCode's search looks a text up as a phrase of all its character trigrams, with Elasticsearch's ngram tokenizer. The
distribution that runs here has none, and trigrams hold white space, so they are made on this side and written in hex.
A phrase stands in one file as a whole or is not found. It is asked for the copied half of each query, which is what it
finds at best; for the whole query; and for all its windows of 25 characters, which is what it takes to miss no passage
of 49 characters (measured on every tenth of them, times ten); where it begins and ends is then still to be found out.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from measure import copy_rate
from queries import make_queries

from codecite.indexer import open_index
from codecite.indexer.build import add as add_embedded
from codecite.indexer.corpus.sources import read_sources
from codecite.indexer.corpus.units import Reading, Unit
from codecite.indexer.elastic.client import Cluster
from codecite.indexer.elastic.load import add
from codecite.indexer.elastic.mapping import piece_id
from codecite.indexer.elastic.pieces import action
from codecite.indexer.elastic.place import parse_place

HOME = Path(os.environ.get("CODECITE_BENCH", Path.home() / ".cache/codecite-bench"))
SMALL = HOME / "corpora/small"
NAME, PEER = "bench", "bench-trigrams"
_BULK = 8 << 20
_WINDOW, _EVERY = 25, 10


def main() -> None:
    """Load what is not there, ask, and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--url", help="http://HOST:PORT of a node; without it one is started")
    parser.add_argument("--queries", type=int, default=500)
    parser.add_argument("--peer-queries", type=int, default=50)
    parser.add_argument("--without-peer", action="store_true")
    given = parser.parse_args()
    if given.url:
        measure(given, given.url)
        return
    sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))
    import cluster

    with tempfile.TemporaryDirectory(prefix="codecite-bench-") as scratch:
        Path(scratch).chmod(0o755)
        node = cluster.start_one(Path(scratch), heap="1g")
        try:
            measure(given, node.url)
        finally:
            node.kill()


def measure(given: argparse.Namespace, url: str) -> None:
    """The whole table."""
    index = f"es+{url}/{NAME}"
    found: dict[str, Any] = {"copy_GB_per_s": round(copy_rate(), 2), "load_average": os.getloadavg()[0]}
    began, used = time.perf_counter(), time.process_time()
    result = add(index, sources())
    found["load"] = {
        "bytes": result.bytes,
        "seconds": round(time.perf_counter() - began, 1),
        "cpu_seconds_of_loader": round(time.process_time() - used, 1),
    }
    if result.bytes:
        found["load"]["MB_per_s"] = round(result.bytes / 1e6 / found["load"]["seconds"], 2)
    cluster = Cluster(parse_place(index))
    cluster.call(lambda client: client.options(request_timeout=900).indices.forcemerge(index=NAME, max_num_segments=1))
    stats = open_index(index).stats()[0]
    found["size"] = {"bytes": stats.index_bytes, "of_corpus": round(stats.index_bytes / stats.bytes, 3)}
    embedded = HOME / "indexes" / "elastic-small"
    if not embedded.exists():
        add_embedded(embedded, sources(), lexical=True)
    found["reports"] = compare(str(embedded), index, given.queries)
    if not given.without_peer:
        found["peer"] = peer(cluster, index, given.peer_queries)
    cluster.close()
    (HOME / "elastic.json").write_text(json.dumps(found, indent=1))
    print(json.dumps(found, indent=1))


def sources() -> Iterator[Unit]:
    """The corpus."""
    return read_sources([str(path) for path in sorted(SMALL.iterdir())], installed=False, reading=Reading())


def compare(embedded: str, index: str, count: int) -> dict[str, Any]:
    """How many Reports are equal, but for the index and what follows from its name, and what each check took."""
    here, there = open_index(embedded), open_index(index)
    times: dict[str, list[float]] = {"embedded": [], "elasticsearch": []}
    equal = matches = 0
    for query in make_queries(HOME / "corpora", count):
        answers = []
        for name, opened in (("embedded", here), ("elasticsearch", there)):
            began = time.perf_counter()
            report = opened.check(query.text)
            times[name].append(time.perf_counter() - began)
            answers.append(bare(report.to_dict()))
        equal += answers[0] == answers[1]
        matches += len(answers[0]["matches"])
    return {
        "queries": count,
        "equal": equal,
        "matches": matches,
        **{name: spread(each) for name, each in times.items()},
    }


def bare(report: dict[str, Any]) -> dict[str, Any]:
    """A Report without the index's id and generation, and ids (which are made of it) as numbers."""
    numbers = {match["id"]: number for number, match in enumerate(report["matches"])}
    for match in report["matches"]:
        match["id"], match["within"] = numbers[match["id"]], numbers.get(match["within"])
        del match["index"]
    for reason in report["verdict"]["reasons"]:
        reason["match"] = numbers.get(reason["match"])
    for covered in report["indexes"]:
        del covered["id"], covered["generation"], covered["built"]
    return report


def trigrams(text: str) -> str:
    """The character trigrams of a text, in hex: one token each."""
    return " ".join(text[i : i + 3].encode("utf-8", "surrogateescape").hex() for i in range(len(text) - 2))


def peer(cluster: Cluster, index: str, count: int) -> dict[str, Any]:
    """BigCode's way on the same node: its size, what it takes, and what it finds of the copied halves."""
    body = {
        "settings": {"number_of_shards": 1, "number_of_replicas": 0, "refresh_interval": "-1"},
        "mappings": {"properties": {"text": {"type": "text", "analyzer": "whitespace", "norms": False}}},
    }
    body["mappings"]["_source"] = {"enabled": False}
    fresh = not cluster.call(lambda client: client.indices.exists(index=PEER))
    began = time.perf_counter()
    if fresh:
        cluster.call(lambda client: client.indices.create(index=PEER, body=body))
        lines, size = [], 0
        for number, path in enumerate(sorted(path for path in SMALL.rglob("*") if path.is_file())):
            text = path.read_bytes().decode("utf-8", "surrogateescape")
            lines.append(action("index", piece_id(bytes(20), number), json.dumps({"text": trigrams(text)})))
            size += len(lines[-1])
            if size > _BULK:
                cluster.bulk(PEER, lines)
                lines, size = [], 0
        cluster.bulk(PEER, lines)
        cluster.call(lambda client: client.indices.refresh(index=PEER))
        cluster.call(
            lambda client: client.options(request_timeout=900).indices.forcemerge(index=PEER, max_num_segments=1)
        )
    seconds = time.perf_counter() - began
    stored = cluster.call(lambda client: client.indices.stats(index=PEER, metric="store"))["_all"]["primaries"]
    ours, theirs, whole, windows = [], [], [], []
    found_half = found_whole = complete = 0
    opened = open_index(index)
    for query in make_queries(HOME / "corpora", count):
        half = query.text[:1000]
        other = query.text[1000:]
        source = (SMALL / query.path).read_bytes().decode("utf-8", "surrogateescape")
        copied = half if half in source else other
        for text, times in ((copied, theirs), (query.text, whole)):
            asked = {"query": {"match_phrase": {"text": trigrams(text)}}, "size": 10, "_source": False}
            began = time.perf_counter()
            hits = cluster.ask(PEER, asked)["hits"]["total"]["value"]
            times.append(time.perf_counter() - began)
            if text is copied:
                found_half += hits > 0
            else:
                found_whole += hits > 0
        # What it takes to miss no passage of 49 characters: each holds one of these whole. Every tenth is asked for.
        phrases = [query.text[at : at + _WINDOW] for at in range(0, len(query.text) - _WINDOW + 1, _WINDOW)]
        began = time.perf_counter()
        for phrase in phrases[::_EVERY]:
            cluster.ask(PEER, {"query": {"match_phrase": {"text": trigrams(phrase)}}, "size": 1, "_source": False})
        windows.append((time.perf_counter() - began) * _EVERY)
        began = time.perf_counter()
        report = opened.check(query.text)
        ours.append(time.perf_counter() - began)
        complete += any(item.match.bytes_in_text > 300 for item in report.attributions)
    return {
        "queries": count,
        "load_seconds": round(seconds, 1) if fresh else None,
        "bytes": stored["store"]["size_in_bytes"],
        "phrase_of_copied_half": spread(theirs) | {"found": found_half},
        "phrase_of_query": spread(whole) | {"found": found_whole},
        "phrases_of_all_windows": spread(windows),
        "check": spread(ours) | {"found": complete},
        "median_ratio_to_copied_half": round(statistics.median(theirs) / statistics.median(ours), 2),
        "median_ratio_to_all_windows": round(statistics.median(windows) / statistics.median(ours), 2),
    }


def spread(seconds: list[float]) -> dict[str, float]:
    """Milliseconds: median, the 95th of a hundred, the longest."""
    ranked = sorted(seconds)
    return {
        "median_ms": round(1e3 * statistics.median(ranked), 1),
        "p95_ms": round(1e3 * ranked[int(0.95 * (len(ranked) - 1))], 1),
        "max_ms": round(1e3 * ranked[-1], 1),
    }


if __name__ == "__main__":
    main()
