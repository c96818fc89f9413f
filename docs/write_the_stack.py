"""Write docs/the-stack.md: what The Stack would need, from measured rates.

In: `docs/sizing.json` (measured by `bench/sizing.py`), `docs/the-stack.toml` (what is assumed). Out: the page. It
refuses to know a figure of its own.
"""

from __future__ import annotations

import json
import math
import sys
import tomllib
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
TB, HOUR, HOURS_A_MONTH = 1e12, 3600.0, 730
UNKNOWN = "not measured yet"
HOT = ("buckets.npy", "tags.npy")
"""What each lookup of a fingerprint touches (`indexer/kernels/postings.py`); it is to be in memory."""


PAGE = """\
# The Stack, on paper

What the whole of The Stack v1 ({corpus} TB of files) would need. Nobody has built it with codecite; the figures follow
from rates that were measured on real code, on a corpus {times} times smaller. `make docs` writes this page from
`docs/sizing.json` (measured: `python bench/sizing.py small large`) and `docs/the-stack.toml` (assumed: put in your
own), by `docs/write_the_stack.py`, which has the arithmetic.

## Measured

On {date}, with {measured_cores} cores ({processor}) that other work used at the same time: seconds of a clock and
the times of checks are several times what a quiet machine shows; core seconds suffer less.

{measured}

`once more` is an addition of the same files again. What a server has to itself is without the mapped index.

## Reckoned

Nodes have {cores} cores, of which building keeps {efficiency} busy, {memory} GB of memory and {disk} TB of flash, which
is filled to {fill}. Dollars are {core_hour} for a core and an hour and
{terabyte_month} for a terabyte and a month: assumptions, no offers. The embedded index is without copies; in
Elasticsearch each shard has {replicas} replica.

| | embedded | Elasticsearch |
|---|---|---|
{reckoned}

A lookup of a fingerprint reads a bucket and its tags in every Segment, so these are to be in memory: from flash a check
of a page of text would wait for {segments_a_node} Segments times some hundred fingerprints. All else is read only for
what is found.

The time to build is that of `index add` and one `index compact` of the largest corpus above. For each byte it stays
the same in a larger corpus as long as merging does: a Segment is merged until it holds {segment} GB of text without
white space, and never again after that.

## How it would be laid out

- **Embedded.** The corpus is cut by repository into {nodes} parts, one a node; each is added there by a command of its
  own, and nothing passes between the nodes. All together have {segments} Segments, {segments_a_node} a node, which
  adds some {walk} ms to a check. Who checks asks all nodes; counts of Documents and projects are then those of each
  node.
- **Elasticsearch.** One index, cut into shards; as many loaders (`codecite index add --partition i/n`) as the cluster
  keeps up with. Its column is filled when both its rates stand in `docs/the-stack.toml`.

## What this leaves out

Fetching and unpacking the corpus; reading parquet; a second generation beside the first while it is rebuilt; the
network between nodes; machines that fail. Content that comes twice is stored once, so a corpus that was not
de-duplicated needs less. Other text than linux and Python packages has other rates: measure a part of yours with
`bench/sizing.py` first.
"""


def plan(sizing: dict[str, Any], held: dict[str, Any]) -> dict[str, Any]:
    """Bytes, nodes, hours and dollars, for the embedded index and for Elasticsearch (None: a rate is missing)."""
    largest = max(sizing["corpora"].values(), key=lambda item: item["corpus_bytes"])
    serving, elastic = held["serving"], held["elasticsearch"]
    embedded = _store(
        held,
        bytes_per_byte=largest["index_bytes"] / largest["corpus_bytes"],
        bytes_per_core_second=largest["corpus_bytes"] / (largest["build_cpu_seconds"] + largest["compact_cpu_seconds"]),
        hot_per_byte=sum(largest["parts"][name] for name in HOT) / largest["corpus_bytes"],
        copies=1,
    )
    segments = held["corpus"]["bytes"] * serving["share_without_white_space"] / serving["segment_bytes"]
    embedded["segments"] = math.ceil(segments)
    embedded["segments_a_node"] = math.ceil(segments / embedded["nodes"])
    embedded["walk_seconds"] = embedded["segments_a_node"] * serving["segment_seconds"]
    measured = "bytes_per_byte" in elastic and "bytes_per_core_second" in elastic
    there = None
    if measured:
        there = _store(
            held,
            bytes_per_byte=elastic["bytes_per_byte"],
            bytes_per_core_second=elastic["bytes_per_core_second"],
            hot_per_byte=0.0,
            copies=1 + elastic["replicas"],
        )
    return {"embedded": embedded, "elasticsearch": there}


def _store(
    held: dict[str, Any], *, bytes_per_byte: float, bytes_per_core_second: float, hot_per_byte: float, copies: int
) -> dict[str, float]:
    node, prices, corpus = held["node"], held["prices"], held["corpus"]["bytes"]
    kept = corpus * bytes_per_byte * copies
    hot = corpus * hot_per_byte
    by_disk = math.ceil(kept / (node["disk_bytes"] * node["fill"]))
    by_memory = math.ceil(hot / (node["memory_bytes"] * node["memory_fill"]))
    nodes = max(by_disk, by_memory)
    core_hours = corpus / bytes_per_core_second / node["core_speed"] / HOUR
    return {
        "bytes_per_byte": bytes_per_byte,
        "bytes_per_core_second": bytes_per_core_second,
        "bytes": kept,
        "hot": hot,
        "by_disk": by_disk,
        "by_memory": by_memory,
        "nodes": nodes,
        "core_hours": core_hours,
        "hours": core_hours / (nodes * node["cores"] * node["efficiency"]),
        "build_dollars": core_hours * prices["core_hour"],
        "core_dollars_a_month": nodes * node["cores"] * HOURS_A_MONTH * prices["core_hour"],
        "disk_dollars_a_month": nodes * node["disk_bytes"] / TB * prices["terabyte_month"],
    }


def measured(sizing: dict[str, Any]) -> str:
    """The table of what was measured."""
    lines = [
        "| corpus | files | bytes | index, per byte | most while building | to build, per GB | once more"
        " | peak memory | server's own memory | check, median |",
        "|---|---|---|---|---|---|---|---|---|---|",
    ]
    for name, item in sizing["corpora"].items():
        size = item["corpus_bytes"]
        cells = (
            name,
            f"{item['files']:,}",
            f"{size / 1e6:,.0f} MB",
            f"{item['index_bytes'] / size:.2f}",
            f"{item['most_bytes_while_building'] / size:.2f}",
            f"{item['build_cpu_seconds'] / size * 1e9:,.0f} core s",
            f"{item['again_seconds']:.1f} s",
            f"{item['build_peak_bytes'] / 1e9:.2f} GB",
            f"{item['own_bytes'] / 1e9:.2f} GB",
            f"{item['check_median_ms']:.1f} ms",
        )
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines)


def page(sizing: dict[str, Any], held: dict[str, Any]) -> str:
    """The page, as Markdown."""
    found = plan(sizing, held)
    columns = [found["embedded"], found["elasticsearch"]]

    def row(title: str, key: str, form: str, scale: float = 1.0) -> str:
        cells = [UNKNOWN if column is None else format(column[key] / scale, form) for column in columns]
        return f"| {title} | {' | '.join(cells)} |"

    rows = (
        row("index, bytes per byte of the corpus, without copies", "bytes_per_byte", ".2f"),
        row("loaded, MB a second and core", "bytes_per_core_second", ".2f", 1e6),
        row("kept, TB", "bytes", ",.1f", TB),
        row("of it touched by every lookup, TB", "hot", ",.2f", TB),
        row("nodes, by their disks", "by_disk", ",.0f"),
        row("nodes, by their memory", "by_memory", ",.0f"),
        row("core hours to build", "core_hours", ",.0f"),
        row("hours to build, all nodes at once", "hours", ",.1f"),
        row("dollars to build", "build_dollars", ",.0f"),
        row("dollars a month for the nodes' cores, to serve", "core_dollars_a_month", ",.0f"),
        row("dollars a month for disks", "disk_dollars_a_month", ",.0f"),
    )
    node, prices, embedded = held["node"], held["prices"], found["embedded"]
    largest = max(item["corpus_bytes"] for item in sizing["corpora"].values())
    words = {
        "corpus": f"{held['corpus']['bytes'] / TB:.0f}",
        "times": f"{held['corpus']['bytes'] / largest:,.0f}",
        "date": sizing["date"],
        "measured_cores": sizing["cores"],
        "processor": sizing["processor"],
        "measured": measured(sizing),
        "cores": node["cores"],
        "efficiency": f"{node['efficiency'] * 100:.0f} %",
        "memory": f"{node['memory_bytes'] / 1e9:.0f}",
        "disk": f"{node['disk_bytes'] / TB:.2f}",
        "fill": f"{node['fill'] * 100:.0f} %",
        "core_hour": prices["core_hour"],
        "terabyte_month": f"{prices['terabyte_month']:.0f}",
        "replicas": held["elasticsearch"]["replicas"],
        "reckoned": "\n".join(rows),
        "segment": f"{held['serving']['segment_bytes'] / 1e9:.1f}",
        "nodes": embedded["nodes"],
        "segments": f"{embedded['segments']:,}",
        "segments_a_node": embedded["segments_a_node"],
        "walk": f"{embedded['walk_seconds'] * 1e3:.0f}",
    }
    return PAGE.format(**words)


def main() -> None:
    """Write the page to standard output."""
    sizing = json.loads((HERE / "sizing.json").read_text(encoding="utf-8"))
    held = tomllib.loads((HERE / "the-stack.toml").read_text(encoding="utf-8"))
    sys.stdout.write(page(sizing, held))


if __name__ == "__main__":
    main()
