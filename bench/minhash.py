"""MinHash signatures of real files: our kernel and datasketch, on one core.

In: a folder of source files. Out: a table of times and ratios, or JSON, with the rate at which numpy copied then. It
refuses to know how well signatures find what is similar (`shingles.py` weighs the choices).

Both get the same distinct shingles of each file, already hashed by our 32-bit hash; datasketch's `hashfunc` hands them
on as they are, its permutations are made once for all, and of its two times (a file in one `update_batch`, or in
batches of 1,024, which stay in the cache) the better counts. That both make the same signatures is checked first.

    python bench/minhash.py [FOLDER] [--bytes N] [--passes N] [--json]
"""

from __future__ import annotations

import argparse
import hashlib
import json
import operator
import os
import sysconfig
import time
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Any

import measure
import numpy as np

from codecite.indexer.fingerprint import minhash
from codecite.indexer.kernels.minhash import CHUNK, sign_hashes

SUFFIXES = {".c", ".cpp", ".go", ".h", ".hpp", ".java", ".js", ".py", ".pyi", ".rs", ".ts"}
BATCH = 1024


def main() -> None:
    """All figures of one run."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("folder", nargs="?", type=Path, default=Path(sysconfig.get_path("purelib")))
    parser.add_argument("--bytes", type=int, default=10_000_000)
    parser.add_argument("--passes", type=int, default=5)
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:1])
    figures = compare(read_files(arguments.folder, arguments.bytes), arguments.passes)
    print(json.dumps(figures, indent=2) if arguments.json else table(figures))


def read_files(folder: Path, limit: int) -> list[bytes]:
    """Source files, in the order of the hashes of their paths, until `limit` bytes are together."""
    paths = [path for path in folder.rglob("*") if path.suffix in SUFFIXES and path.is_file()]
    paths.sort(key=lambda path: hashlib.sha256(str(path.relative_to(folder)).encode()).digest())
    texts: list[bytes] = []
    total = 0
    for path in paths:
        if total >= limit:
            break
        texts.append(path.read_bytes())
        total += len(texts[-1])
    return texts


def compare(texts: list[bytes], passes: int) -> dict[str, Any]:
    """Times of both for the same shingles, then of ours from the bytes on."""
    datasketch = import_module("datasketch")
    sets = [minhash.shingles(text) & np.uint64(0xFFFFFFFF) for text in texts]
    lists = [hashes.tolist() for hashes in sets]
    factors, offsets = minhash.permutations()
    mixed = np.empty(CHUNK, np.uint32)
    rows = np.empty((len(texts), minhash.PERMUTATIONS), np.uint32)
    made = datasketch.MinHash(minhash.PERMUTATIONS, seed=minhash.SEED, scheme=minhash.SCHEME).permutations

    def ours() -> None:
        for row, hashes in zip(rows, sets, strict=True):
            sign_hashes(hashes, factors, offsets, mixed, row)

    def theirs(batch: int) -> list[Any]:
        sketches = []
        for hashes in lists:
            sketch = datasketch.MinHash(
                minhash.PERMUTATIONS,
                seed=minhash.SEED,
                scheme=minhash.SCHEME,
                hashfunc=operator.index,
                permutations=made,
            )
            for first in range(0, len(hashes), batch):
                sketch.update_batch(hashes[first : first + batch])
            sketches.append(sketch.hashvalues)
        return sketches

    raw = np.frombuffer(b"".join(texts), np.uint8)
    ends = np.cumsum([len(text) for text in texts], dtype=np.int64)
    large = (raw.tobytes() * (1 + 1_000_000 // max(1, len(raw))))[:1_000_000]
    ours()
    if not (np.array_equal(rows, theirs(BATCH)) and np.array_equal(rows, minhash.signatures(raw, ends))):
        raise SystemExit("the signatures differ")
    ways: dict[str, Callable[[], object]] = {
        "kernel": ours,
        "datasketch_whole": lambda: theirs(1 << 40),
        "datasketch_batches": lambda: theirs(BATCH),
        "from_bytes": lambda: minhash.signatures(raw, ends),
        "one_megabyte": lambda: minhash.signature(large),
        "shingles_megabyte": lambda: minhash.shingles(large),
    }
    best = best_of(ways, passes)
    count = sum(map(len, sets))
    return {
        "files": len(texts),
        "bytes": len(raw),
        "shingles": count,
        "seconds": best,
        "ratio": min(best["datasketch_whole"], best["datasketch_batches"]) / best["kernel"],
        "copy_gb_per_second": measure.copy_rate(),
    }


def best_of(ways: dict[str, Callable[[], object]], passes: int) -> dict[str, float]:
    """The least seconds of each way; they take turns, so that a slow minute falls on all of them."""
    best = dict.fromkeys(ways, float("inf"))
    for _ in range(passes):
        for name, way in ways.items():
            start = time.perf_counter()
            way()
            best[name] = min(best[name], time.perf_counter() - start)
    return best


def table(figures: dict[str, Any]) -> str:
    """For people."""
    seconds, count, size = figures["seconds"], figures["shingles"], figures["bytes"]
    lines = [
        f"{figures['files']:,} files, {size:,} bytes, {count:,} distinct shingles in their files; one core;"
        f" numpy copies {figures['copy_gb_per_second']:.1f} GB/s",
        *(
            f"{label:<42}{1e3 * seconds[name]:>10.1f} ms{1e9 * seconds[name] / count:>9.1f} ns a shingle"
            for name, label in (
                ("kernel", "our kernel"),
                ("datasketch_whole", "datasketch, a file at once"),
                ("datasketch_batches", f"datasketch, {BATCH:,} at once"),
                ("from_bytes", "ours from the bytes on, hashing included"),
            )
        ),
        f"{'kernel against the better datasketch':<42}{figures['ratio']:>10.1f} times",
        f"{'ours from the bytes on':<42}{size / seconds['from_bytes'] / 1e6:>10.0f} MB/s",
        f"{'signature of a file of 1 MB':<42}{1e3 * seconds['one_megabyte']:>10.1f} ms",
        f"{'its sorted set of shingles':<42}{1e3 * seconds['shingles_megabyte']:>10.1f} ms",
    ]
    return "\n".join(lines)


if __name__ == "__main__":
    main()
