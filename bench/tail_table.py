"""The tables of the tail.

In: what `tail.py` measured. Out: lines of Markdown. It refuses to know how anything was measured.
"""

from __future__ import annotations

import statistics
from typing import Any

import measure
from measure import Run, spread

WAYS = ("lookup", "check")


def tables(measured: dict[str, Any]) -> list[str]:
    """All of them, of what there is."""
    lines: list[str] = []
    if "kinds" in measured:
        lines += [*kinds(measured["kinds"]), ""]
    rows = [("what", "figure", "at least", "copy GB/s"), ("---", "---", "---", "---")]
    for name, make in (("headed", headed), ("batch", batch), ("files", files), ("large", large), ("start", start)):
        if name in measured:
            rows += [(*row, f"{measured[name]['copy']:.1f}") for row in make(measured[name])]
    if "peer" in measured:
        rows += [(*row, f"{measured['peer']['copy']:.1f}") for row in peer(measured["peer"])]
    for name, found in measured.get("builds", {}).items():
        rows += [(*row, f"{found['copy']:.1f}") for row in build(name, found)]
    return lines + [shown(row) for row in rows]


def shown(row: tuple[str, ...]) -> str:
    """A row of a table."""
    return "| " + " | ".join(row) + " |"


def kinds(found: dict[str, Any]) -> list[str]:
    """Order statistics of each kind, in milliseconds, and the ratio of the medians at ten times the size."""
    head = ("kind", "queries", *(f"{way} {what}" for way in WAYS for what in ("median", "p90", "p99", "max")))
    head += ("lookup, 1.3 / .13 GB", "check, 1.3 / .13 GB", "copy GB/s")
    lines = [shown(head), shown(("---",) * len(head))]
    together = {size: {way: [] for way in WAYS} for size in ("kernel13", "tenth")}
    for kind in sorted(found):
        times = found[kind]
        lines.append(shown((kind, *numbers(times), f"{times['copy']:.1f}")))
        for size, ways in together.items():
            for way in WAYS:
                ways[way] += times[size][way]
    lines.append(shown(("all", *numbers(together), "")))
    goal = ("at least", "10,000 each", "<= .15", "", "<= 1.5", "<= 15", "<= .5", "", "<= 3", "", "<= 1.3", "", "")
    return [*lines, shown(goal)]


def numbers(times: dict[str, Any]) -> list[str]:
    """What a row of that table says of one kind."""
    cells = [f"{len(times['kernel13']['lookup']):,}"]
    ratios = []
    for way in WAYS:
        big = spread(times["kernel13"][way])
        cells += [f"{big.median:.3f}", f"{big.p90:.3f}", f"{big.p99:.2f}", f"{big.max:.1f}"]
        ratios.append(f"{big.median / spread(times['tenth'][way]).median:.2f}")
    return [*cells, *ratios]


def headed(found: dict[str, Any]) -> list[tuple[str, str, str]]:
    """The corpus of heads."""
    what = "one head in 100,000 documents"
    rows = []
    for way, goal in zip(WAYS, ("", "p99 <= 4 ms"), strict=True):
        times = spread(found[way])
        figure = f"median {times.median:.3f}, p90 {times.p90:.3f}, p99 {times.p99:.2f}, max {times.max:.1f} ms"
        rows.append((f"{way}, {what}, {len(found[way]):,} queries", figure, goal))
    figure = f"{found['wrong']} of {found['compared']} ({found['matches']} matches)"
    rows.append((f"answers that differ from the oracle's, {what}", figure, "0"))
    return rows


def batch(found: dict[str, Any]) -> list[tuple[str, str, str]]:
    """Completions a second."""
    rows = []
    for name in ("kernel13", "headed"):
        whole, none = found[name]["all"], found[name]["none"]
        figure = f"{found['completions'] / (whole - none):,.0f} ({found['completions'] / whole:,.0f} with the start)"
        what = f"check --batch, {name}, completions a second of {found['completions']:,}"
        rows.append((what, figure, ">= 3,000"))
    return rows


def files(found: dict[str, Any]) -> list[tuple[str, str, str]]:
    """One megabyte."""
    return [
        (
            f"check of 1 MB, {name} ({found['files'][name]['bytes'] / 1e6:.2f} MB)",
            f"{1e3 * seconds:,.1f} ms",
            "<= 100 ms",
        )
        for name, seconds in found["seconds"].items()
    ]


def large(found: dict[str, Any]) -> list[tuple[str, str, str]]:
    """A hundred megabytes."""
    rows = []
    for size in ("10", "100"):
        run = found[size]
        memory = f"peak {run['peak_bytes'] / 2**30:.2f} GiB, {run['own_peak_bytes'] / 2**30:.2f} without mapped files"
        if run["code"] == 0:
            figure = f"{run['seconds']:.2f} s; {memory}; {run['matches']:,} matches"
        else:
            figure = f"none: ended with {run['code']} (the limit is {found['limit']} s); {memory}"
        rows.append((f"check of {size} MB", figure, "100 MB within 2 GiB, linear"))
    if all(found[size]["code"] == 0 for size in ("10", "100")):
        rows.append(("check of 100 MB / of 10 MB", f"{found['100']['seconds'] / found['10']['seconds']:.1f}", "10"))
    return rows


def start(found: dict[str, Any]) -> list[tuple[str, str, str]]:
    """The command line."""
    best, median = min(found["seconds"]), statistics.median(found["seconds"])
    figure = f"{best:.3f} s (median {median:.3f}; Python alone {found['python']:.3f})"
    return [("codecite check on a small file, best of 9", figure, "<= .8 s")]


def peer(found: dict[str, Any]) -> list[tuple[str, str, str]]:
    """infini-gram."""
    theirs = {way: spread(found["theirs"][way]) for way in ("default", "tuned")}
    ours = spread(found["ours"]["lookup"])
    return [
        (
            f"heads on small: infini-gram ({way}) / lookup, median",
            f"{times.median / ours.median:,.0f} ({times.median:.1f} / {ours.median:.3f} ms; "
            f"p99 {times.p99:.0f} / {ours.p99:.2f} ms)",
            "",
        )
        for way, times in theirs.items()
    ]


def build(name: str, found: dict[str, Any]) -> list[tuple[str, str, str]]:
    """An index: time, memory, size."""
    run, size = Run(**found["run"]), found["corpus_bytes"]
    sizes = found.get("sections") or found["parts"]
    detail = ", ".join(f"{section} {part / size:.3f}" for section, part in sizes.items() if part >= size / 1000)
    speed = f"{run.seconds:.1f} s, {size / run.seconds / 1e6:.1f} MB/s ({size / 1e6:,.0f} MB, {measure.CORES} cores)"
    return [
        (f"build of {name}", speed, "not slower than before"),
        (
            f"writer's peak memory, {name}",
            f"{run.peak_bytes / 2**30:.2f} GiB",
            "<= 1.5 GiB" if name == "kernel13" else "",
        ),
        (f"index bytes / raw bytes, {name}", f"{sum(sizes.values()) / size:.3f} ({detail})", "<= .9"),
    ]
