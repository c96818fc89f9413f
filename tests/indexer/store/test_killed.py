"""A writer that is killed: the last generation stays readable, and the next add clears what was left."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from oracle.library import reader

from codecite.indexer import open_index
from codecite.indexer.build import add
from codecite.indexer.corpus.units import Unit
from codecite.indexer.records import Package, SourceFile
from codecite.indexer.store.verify import verify

WRITER = """
import sys
from pathlib import Path
from codecite.indexer import build
from codecite.indexer.corpus.units import Unit
from codecite.indexer.records import Package, SourceFile
from codecite.indexer.store import manifest, spool

def stop(*_):
    print("here", flush=True)
    sys.stdin.read()

def files():
    for number in range(40):
        if number == 30 and sys.argv[2] == "reading":
            stop()
        lines = (b"def f_%d_%d(value):\\n    return %d\\n" % (number, i, i * number) for i in range(400))
        yield SourceFile("m%d.py" % number, b"".join(lines))

build.SAMPLE_BYTES = 1 << 16
build._BATCH = 1 << 14
if sys.argv[2] == "sorting":
    spool.PostingSpool.write = stop
if sys.argv[2] == "publishing":
    build.publish = stop
if sys.argv[2] == "renaming":
    manifest.Path.replace = stop
    manifest.os.replace = stop
build.add(Path(sys.argv[1]), [Unit(Package("killed", fingerprint="k"), files)])
"""


def first(number: int) -> bytes:
    """What the generation before the kill holds."""
    return b"".join(b"class First%d_%d:\n    attribute = %d\n" % (number, i, i + number) for i in range(40))


@pytest.mark.parametrize("moment", ["reading", "sorting", "publishing", "renaming"])
def test_a_killed_writer_leaves_the_last_generation_readable(tmp_path: Path, moment: str) -> None:
    """Killed while it reads, sorts, before it publishes, and between writing the manifest and renaming it."""
    index = tmp_path / "index"
    add(index, [Unit(Package("first"), reader([SourceFile(f"{i}.py", first(i)) for i in range(3)]))])
    expected = open_index(index).check(first(1)).to_dict()
    live = {path.name for path in (index / "segments").iterdir()}
    child = subprocess.Popen(
        [sys.executable, "-c", WRITER, str(index), moment],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert child.stdout is not None
    assert child.stdout.readline() == "here\n"
    written = {path.name for path in (index / "segments").iterdir()} - live
    assert len(written) == 1
    assert sum(path.stat().st_size for path in (index / "segments" / written.pop()).iterdir()) > 0
    assert open_index(index).check(first(1)).to_dict() == expected
    child.send_signal(signal.SIGKILL)
    child.communicate()
    assert child.returncode == -signal.SIGKILL
    assert open_index(index).check(first(1)).to_dict() == expected
    assert verify(index).problems == ()
    assert (index / "manifest.json.new").exists() == (moment == "renaming")
    result = add(index, [Unit(Package("killed", fingerprint="k"), reader([SourceFile("a.py", first(7))]))])
    assert (result.generation, result.documents, result.unchanged) == (2, 1, 0)
    assert len(list((index / "segments").iterdir())) == 2
    assert not (index / "manifest.json.new").exists()
    assert verify(index).problems == ()
    assert open_index(index).check(first(1)).to_dict()["matches"] != []


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(12))
def test_a_writer_may_be_killed_at_any_instant(tmp_path: Path, seed: int) -> None:
    """Each kill leaves the generation before it or the one it was writing, whole; nothing is left over in the end."""
    index = tmp_path / "index"
    add(index, [Unit(Package("first"), reader([SourceFile(f"{i}.py", first(i)) for i in range(3)]))])
    expected = open_index(index).check(first(1)).to_dict()["matches"]
    child = subprocess.Popen([sys.executable, "-c", WRITER, str(index), "never"])
    time.sleep(0.25 + 0.09 * seed)
    child.send_signal(signal.SIGKILL)
    child.wait()
    (stats,) = open_index(index).stats()
    assert (stats.generation, stats.documents) in {(1, 3), (2, 43)}
    assert verify(index).problems == ()
    assert open_index(index).check(first(1)).to_dict()["matches"] == expected
    assert add(index, []).generation == stats.generation
    assert len(list((index / "segments").iterdir())) == stats.generation
