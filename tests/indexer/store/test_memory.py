"""What a writer needs of memory has a bound, and does not grow with the corpus."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

import pytest

WRITER = """
import json, random, resource, sys
from pathlib import Path
from codecite.indexer import making
from codecite.indexer.build import add
from codecite.indexer.corpus.units import Pending, Unit
from codecite.indexer.records import Package, SourceFile
from codecite.indexer.upkeep import compact
from codecite.indexer.store import tiers

megabytes, largest, directory = int(sys.argv[1]), int(sys.argv[2]), Path(sys.argv[3])
making.MAX_CANONICAL = 24 << 20
tiers.MAX_CANONICAL = largest << 20
tiers.FANOUT = 3
words = [f"{first}_{second}".encode() for first in ("read", "value", "next", "list", "node") for second in range(900)]

def content(number):
    chosen = random.Random(number)
    return b"".join(
        b"    %s(%s, %s->%s[%d]);\\n" % (*chosen.choices(words, k=4), chosen.randrange(1000)) for _ in range(300)
    )

def unit(number):
    files = range(number * 250, (number + 1) * 250)
    def give():
        for i in files:
            yield Pending(f"{i}.c", 11_000, lambda i=i: SourceFile(f"{i}.c", content(i)))
    return Unit(Package("/large", f"pkg:generic/p{number}@1"), give)

peaks = []
result = add(directory, (unit(number) for number in range(megabytes * 80 // 275)))
peaks.append(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
compacted = compact(directory)
peaks.append(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
print(json.dumps({"bytes": result.bytes, "segments": compacted.segments, "peaks": peaks}))
"""


@dataclass(frozen=True)
class Written:
    """What a process wrote, and the MiB that it ever held at once, after the addition and after the compaction."""

    megabytes: int
    segments: int
    peaks: tuple[int, int]


def written(megabytes: int, largest: int) -> Written:
    """Add so much in many Segments, merge them on the way and all of them in the end, up to `largest` MiB each."""
    with tempfile.TemporaryDirectory() as directory:
        ended = subprocess.run(
            [sys.executable, "-c", WRITER, str(megabytes), str(largest), str(Path(directory) / "index")],
            capture_output=True,
            text=True,
            check=False,
        )
    assert ended.returncode == 0, ended.stderr
    found = json.loads(ended.stdout)
    first, last = (peak >> 10 for peak in found["peaks"])
    return Written(found["bytes"] // 1_000_000, found["segments"], (first, last))


@pytest.mark.slow
def test_what_a_writer_holds_does_not_grow_with_the_corpus() -> None:
    """Three times the corpus in Segments of the same size takes the same memory, to add and to compact."""
    small, large = written(100, 48), written(300, 48)
    assert small.megabytes > 90
    assert large.megabytes > 2.8 * small.megabytes
    assert large.segments > 2 * small.segments > 2
    for less, more in zip(small.peaks, large.peaks, strict=True):
        assert more < 1.1 * less + 16


@pytest.mark.slow
def test_a_writer_of_one_large_segment_stays_under_its_bound() -> None:
    """300 MB that end in one Segment take less than 1.5 GiB by far: there is room for Segments of several GB."""
    found = written(300, 4000)
    assert (found.segments, found.megabytes > 280) == (1, True)
    assert max(found.peaks) < 600
