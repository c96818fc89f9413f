"""What an index needs for each byte of its corpus: disk, memory, time. deploy/README.md and docs/the-stack.md use it.

In: corpora that `fetch.py` has laid out. Out: `docs/sizing.json`, and a line for each. It refuses to know what a
machine costs. Run by hand: python bench/sizing.py small large
"""

from __future__ import annotations

import json
import os
import platform
import random
import shutil
import statistics
import subprocess
import sys
import threading
import time
from datetime import date
from pathlib import Path
from urllib.error import URLError
from urllib.request import Request, urlopen

import measure

OUT = Path(__file__).resolve().parents[1] / "docs" / "sizing.json"
CODECITE = (sys.executable, "-m", "codecite.search_api.cli")
CHECKS = 500
PORT = 18081


def main() -> None:
    cache = Path(os.environ.get("CODECITE_BENCH", Path.home() / ".cache" / "codecite-bench"))
    place = cache / "sizing"
    shutil.rmtree(place, ignore_errors=True)
    place.mkdir()
    measure.use_cores()
    subprocess.run([*CODECITE, "warm"], check=True, capture_output=True)
    corpora = {name: sized(cache / "corpora" / name, place) for name in sys.argv[1:] or ("small", "large")}
    made = {"date": date.today().isoformat(), "cores": measure.CORES, "processor": processor(), "corpora": corpora}
    OUT.write_text(json.dumps(made, indent=2) + "\n", encoding="utf-8")
    shutil.rmtree(place)


def sized(corpus: Path, place: Path) -> dict[str, float]:
    """One corpus: built, built again, compacted, served."""
    index, log = place / corpus.name, place / f"{corpus.name}.log"
    files, size = 0, 0
    for path in corpus.rglob("*"):
        if path.is_file():
            files, size = files + 1, size + path.stat().st_size
    copy, load = measure.copy_rate(), os.getloadavg()[0]
    sources = sorted(corpus.iterdir())
    over, most = threading.Event(), [0]

    def watch() -> None:
        while not over.wait(0.5):
            most[0] = max(most[0], disk_bytes(index))

    watcher = threading.Thread(target=watch)
    watcher.start()
    built = measure.run_program([*CODECITE, "index", "add", *sources, "--index", index], log)
    over.set()
    watcher.join()
    again = measure.run_program([*CODECITE, "index", "add", *sources, "--index", index], log)
    compacted = measure.run_program([*CODECITE, "index", "compact", "--index", index], log)
    found = {
        "files": files,
        "corpus_bytes": size,
        "index_bytes": disk_bytes(index),
        "most_bytes_while_building": most[0],
        "copy_gb_per_s": round(copy, 2),
        "load_before": round(load, 2),
        "build_seconds": round(built.seconds, 1),
        "build_cpu_seconds": round(built.cpu_seconds, 1),
        "build_peak_bytes": built.peak_bytes,
        "again_seconds": round(again.seconds, 1),
        "compact_seconds": round(compacted.seconds, 1),
        "compact_cpu_seconds": round(compacted.cpu_seconds, 1),
        "compact_peak_bytes": compacted.peak_bytes,
        "parts": parts(index),
        **served(index, corpus),
    }
    print(corpus.name, json.dumps(found), flush=True)
    return found


def disk_bytes(folder: Path) -> int:
    total = 0
    for path in folder.rglob("*"):
        try:
            total += path.stat().st_size if path.is_file() else 0
        except FileNotFoundError:
            continue
    return total


def parts(index: Path) -> dict[str, int]:
    """Bytes by the names of files, those of the lexical index together."""
    found: dict[str, int] = {}
    for path in index.rglob("*"):
        if path.is_file():
            top = path.relative_to(index).parts[0]
            name = "lexical" if top.startswith("lexical") else path.name
            found[name] = found.get(name, 0) + path.stat().st_size
    return dict(sorted(found.items(), key=lambda item: -item[1])[:14])


def served(index: Path, corpus: Path) -> dict[str, float]:
    """A server over it: seconds until it is ready, memory and times of checks of 2,000 characters."""
    begun = time.perf_counter()
    server = subprocess.Popen(
        [*CODECITE, "serve", "--port", str(PORT), "--index", index],
        stderr=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
    )
    try:
        while True:
            try:
                urlopen(f"http://127.0.0.1:{PORT}/readyz", timeout=5).close()
                break
            except URLError:
                time.sleep(0.05)
        ready, idle = time.perf_counter() - begun, memory(server.pid)
        files = sorted(path for path in corpus.rglob("*") if path.is_file() and path.stat().st_size > 4000)
        draw, times = random.Random(7), []
        for path in draw.sample(files, CHECKS):
            text = path.read_text(encoding="utf-8", errors="replace")
            at = draw.randrange(max(1, len(text) - 2000))
            body = json.dumps({"text": text[at : at + 2000]}).encode()
            request = Request(f"http://127.0.0.1:{PORT}/api/v1/check", body, {"Content-Type": "application/json"})
            start = time.perf_counter()
            with urlopen(request, timeout=120) as answer:
                answer.read()
            times.append(time.perf_counter() - start)
        after = memory(server.pid)
    finally:
        server.terminate()
        server.wait()
    return {
        "ready_seconds": round(ready, 2),
        "idle_own_bytes": idle["Anonymous"],
        "own_bytes": after["Anonymous"],
        "resident_bytes": after["Rss"],
        "check_median_ms": round(statistics.median(times) * 1e3, 2),
        "check_p95_ms": round(sorted(times)[int(len(times) * 0.95)] * 1e3, 2),
    }


def memory(process: int) -> dict[str, int]:
    """Bytes that a process has to itself (`Anonymous`) and in all, mapped files among them (`Rss`)."""
    lines = Path(f"/proc/{process}/smaps_rollup").read_text(encoding="utf-8").splitlines()[1:]
    return {line.split(":")[0]: int(line.split()[1]) * 1024 for line in lines}


def processor() -> str:
    for line in Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines():
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return platform.machine()


if __name__ == "__main__":
    main()
