"""The figures of the exact index, beside infini-gram's on the same corpus and queries in the same run.

In: the corpora that `fetch.py` laid out. Out: a Markdown table, and all that was measured in `exact.json` in the cache
folder. It refuses to know how anything is answered: the peers run as programs (`ours.py`, `peer.py`).

    python bench/exact.py [--queries N] [--peer-queries N] [--passes N] [--keep] [--without large kernel13 peer]
"""

from __future__ import annotations

import argparse
import json
import shutil
import subprocess
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import measure
import peer
import pinned
import queries
from measure import Run, spread

BENCH = Path(__file__).parent
CONTENT = frozenset({"content.lz4", "blocks.npy", "dictionary.npy"})
POSTINGS = frozenset({"buckets.npy", "tags.npy", "positions.npy"})
WHITE_SPACE = b"\t\n\v\f\r "
GUARANTEE = 50


def main() -> None:
    """Measure, write, print."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--queries", type=int, default=1000)
    parser.add_argument("--peer-queries", type=int, default=100, help="the first of the queries also go to infini-gram")
    parser.add_argument("--passes", type=int, default=5)
    parser.add_argument("--peer-passes", type=int, default=2)
    parser.add_argument("--keep", action="store_true", help="take the indexes that stand, with their figures")
    parser.add_argument("--without", nargs="*", default=[], choices=("large", "kernel13", "peer"))
    arguments = parser.parse_args()
    measure.use_cores()
    cache = pinned.cache()
    if not (cache / "corpora.json").exists():
        raise SystemExit(f"{cache} holds no corpora: run bench/fetch.py first")
    drawn = queries.make_queries(cache / "corpora", arguments.queries)
    queries.write_queries(drawn, cache / "queries.jsonl")
    names = [name for name in ("small", "large", "kernel13") if name not in arguments.without]
    measured: dict[str, Any] = {"corpora": json.loads((cache / "corpora.json").read_text())}
    if "peer" not in arguments.without:
        measured["peer_build"] = kept(cache / "infini-gram" / "build.json", arguments.keep, build_peer)
    measured["builds"] = {name: kept(cache / f"{name}.json", arguments.keep, partial(build, name)) for name in names}
    searched = [name for name in names if name != "kernel13"]
    if "peer" not in arguments.without:
        measured["peer"] = ask_peer(arguments.peer_queries, arguments.peer_passes)
    measured["queries"] = ask(searched, arguments.queries, arguments.passes, arguments.peer_queries)
    if "peer" in measured:
        texts = [query.text for query in drawn[: arguments.peer_queries]]
        measured["missed"] = missed(texts, measured["peer"]["spans"], measured["queries"]["small"]["spans"])
    (cache / "exact.json").write_text(json.dumps(measured) + "\n", encoding="utf-8")
    print("\n".join(table(measured)))


def kept(figures: Path, keep: bool, make: Callable[[], dict[str, Any]]) -> Any:
    """What `make` measures, or what it measured before if that is to be kept."""
    if not (keep and figures.exists()):
        figures.unlink(missing_ok=True)
        figures.write_text(json.dumps(make()), encoding="utf-8")
    return json.loads(figures.read_text(encoding="utf-8"))


def build_peer() -> dict[str, Any]:
    """infini-gram's index of the small corpus."""
    say("infini-gram indexes small")
    return {"copy": measure.copy_rate(), **peer.build()}


def build(name: str) -> dict[str, Any]:
    """Our index of a corpus: what the writer says, what it took, and the bytes of the index by part.

    A first build of next to nothing compiles the kernels; the corpus is read once, so that the disk is not measured.
    """
    cache = pinned.cache()
    trees = [cache / "sources" / "linux"] if name == "kernel13" else sorted((cache / "corpora" / name).iterdir())
    index = cache / "indexes" / name
    warm_up = cache / "indexes" / "warm-up"
    for path in (index, warm_up):
        shutil.rmtree(path, ignore_errors=True)
    log = cache / "build.log"
    measure.run_program([sys.executable, BENCH / "ours.py", "build", warm_up, cache / "corpora" / "held-out"], log)
    size = sum(measure.read_all(tree) for tree in trees)
    say(f"codecite indexes {name}")
    copy = measure.copy_rate()
    run = measure.run_program([sys.executable, BENCH / "ours.py", "build", index, *trees], log)
    said = json.loads(log.read_text(encoding="utf-8").splitlines()[-1])
    return {"copy": copy, "corpus_bytes": size, "run": run.to_dict(), "result": said, "parts": parts(index)}


def parts(index: Path) -> dict[str, int]:
    """The bytes of an index: the content, the postings, and the tables with all else."""
    sizes = {"content": 0, "postings": 0, "tables": 0}
    for path in index.rglob("*"):
        if path.is_file():
            part = "content" if path.name in CONTENT else "postings" if path.name in POSTINGS else "tables"
            sizes[part] += path.stat().st_size
    return sizes


def ask_peer(count: int, passes: int) -> dict[str, Any]:
    """infini-gram's times and spans."""
    say(f"infini-gram answers {count} queries")
    copy = measure.copy_rate()
    words = ["query", "--queries", str(count), "--passes", str(passes)]
    return {"copy": copy, **output([str(peer.python()), str(BENCH / "peer.py"), *words])}


def ask(names: list[str], count: int, passes: int, spans: int) -> dict[str, Any]:
    """Our times and spans for each corpus, measured in turns by one process."""
    say(f"codecite answers {count} queries")
    copy = measure.copy_rate()
    indexes = [str(pinned.cache() / "indexes" / name) for name in names]
    words = ["query", *indexes, "--queries", str(count), "--passes", str(passes), "--spans", str(spans)]
    answers = output([sys.executable, str(BENCH / "ours.py"), *words])
    return {"copy": copy, **dict(zip(names, answers, strict=True))}


def output(command: list[str]) -> Any:
    """The JSON on the last line that a program prints."""
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
    return json.loads(done.stdout.splitlines()[-1])


def missed(texts: list[str], theirs: list[list[list[int]]], ours: list[list[list[int]]]) -> dict[str, int]:
    """How many of infini-gram's spans that hold T canonical bytes lie in none of our matches (0 by the contract)."""
    compared = absent = 0
    for text, spans, matches in zip(texts, theirs, ours, strict=False):
        raw = text.encode()
        for start, end in spans:
            start, end = inward(raw, start, end)
            if len(raw[start:end].translate(None, WHITE_SPACE)) >= GUARANTEE:
                compared += 1
                absent += not any(left <= start and end <= right for left, right in matches)
    return {"compared": compared, "missed": absent}


def inward(raw: bytes, start: int, end: int) -> tuple[int, int]:
    """A span of bytes without white space or parts of characters at its ends, as our matches begin and end."""
    while start < end and (raw[start] in WHITE_SPACE or raw[start] & 0xC0 == 0x80):
        start += 1
    while start < end and (raw[end - 1] in WHITE_SPACE or (raw[end : end + 1] and raw[end] & 0xC0 == 0x80)):
        end -= 1
    return start, end


def table(measured: dict[str, Any]) -> list[str]:
    """The figures of the issue, each with what it asks for and the rate at which the machine copied memory then."""
    rows = [("what", "figure", "at least", "copy GB/s"), ("---", "---", "---", "---")]
    asked, built = measured["queries"], measured["builds"]
    small = built["small"]
    lookup, check = (spread(asked["small"][way]) for way in ("lookup", "check"))
    if "peer" in measured:
        rows += peer_rows(measured)
    if "large" in asked:
        for way, own in (("lookup", lookup), ("check", check)):
            grown = spread(asked["large"][way])
            size = built["large"]["corpus_bytes"] / small["corpus_bytes"]
            figure = f"{grown.median / own.median:.2f} ({milliseconds(grown)})"
            rows.append((f"{way} on {size:.1f} times the corpus / on .17 GB, median", figure, "<= 1.5", rate(asked)))
    rows.append(("lookup (spans, counts, licence sets)", milliseconds(lookup), "median <= .15 ms", rate(asked)))
    rows.append(("check to a Report, 5 sources a match", milliseconds(check), "median <= .5 ms", rate(asked)))
    for name, found in built.items():
        seconds = Run(**found["run"]).seconds
        figure = f"{megabytes(found) / seconds:.1f} MB/s ({megabytes(found):,.0f} MB, {seconds:.1f} s in all)"
        rows.append((f"build of {name}, {measure.CORES} cores", figure, ">= 15 MB/s", rate(found)))
    if "peer_build" in measured:
        theirs = measured["peer_build"]
        speed = megabytes(theirs) / theirs["seconds"]
        ratio = megabytes(small) / Run(**small["run"]).seconds / speed
        figure = f"{ratio:.1f} (infini-gram {speed:.2f} MB/s)"
        rows.append(("build of small / infini-gram's build", figure, ">= 7", rate(theirs)))
    for name, found in built.items():
        shares = {part: size / found["corpus_bytes"] for part, size in found["parts"].items()}
        detail = ", ".join(f"{part} {share:.3f}" for part, share in shares.items())
        rows.append((f"index bytes / raw bytes, {name}", f"{sum(shares.values()):.3f} ({detail})", "<= .9", ""))
    if "peer_build" in measured:
        share = measured["peer_build"]["index_bytes"] / measured["peer_build"]["corpus_bytes"]
        rows.append(("the same of infini-gram, small", f"{share:.2f}", "", ""))
    for name, found in built.items():
        figure = f"{Run(**found['run']).peak_bytes / 2**30:.2f} GiB ({found['result']['bytes'] / 1e9:.2f} GB indexed)"
        rows.append((f"writer's peak memory, {name}", figure, "<= 1.5 GiB" if name == "kernel13" else "", ""))
    return ["| " + " | ".join(row) + " |" for row in rows]


def peer_rows(measured: dict[str, Any]) -> list[tuple[str, str, str, str]]:
    """Our medians against infini-gram's over the queries that both answered."""
    theirs, asked = measured["peer"], measured["queries"]
    copies = f"{theirs['copy']:.1f}, {rate(asked)}"
    rows = []
    count = len(theirs["spans"])
    for way in ("lookup", "check"):
        own = spread(asked["small"][way][:count]).median
        for engine, asked_for in (("default", ">= 1,000"), ("tuned", ""), ("documents", "")):
            median = spread(theirs[engine]).median
            figure = f"{median / own:,.0f} ({median:.1f} / {own:.3f} ms)"
            rows.append((f"infini-gram's attribute ({engine}) / {way}, median of {count}", figure, asked_for, copies))
    found = measured["missed"]
    figure = f"{found['missed']} of {found['compared']}"
    rows.append(("infini-gram's spans of 50 canonical bytes that we miss", figure, "0", ""))
    return rows


def milliseconds(times: measure.Spread) -> str:
    """Order statistics as the table shows them."""
    return f"median {times.median:.3f}, p90 {times.p90:.3f}, p99 {times.p99:.2f}, max {times.max:.1f} ms"


def megabytes(found: dict[str, Any]) -> float:
    """The raw size of the corpus that was indexed."""
    return float(found["corpus_bytes"]) / 1e6


def rate(found: dict[str, Any]) -> str:
    """The machine's memory-copy rate when this was measured."""
    return f"{found['copy']:.1f}"


def say(line: str) -> None:
    """Progress, on standard error."""
    print(line, file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()
