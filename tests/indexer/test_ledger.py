"""The ledger: what was recorded is there after any kill, is found as generated, and is gone once it is forgotten."""

from __future__ import annotations

import os
import random
import signal
import sqlite3
import subprocess
import sys
import sysconfig
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import ClassVar

import pytest

from codecite.indexer import open_index
from codecite.indexer.attribution.policy import load_policy
from codecite.indexer.build import add
from codecite.indexer.corpus.sources import read_sources
from codecite.indexer.corpus.units import Reading
from codecite.indexer.errors import CodeciteError, IndexCorruptError, IndexMissingError, IndexVersionError
from codecite.indexer.index import Index
from codecite.indexer.ledger import LOG, Ledger, Record
from codecite.indexer.records import Kind, Outcome

WHOLE = (Path(sysconfig.get_paths()["stdlib"]) / "textwrap.py").read_text(encoding="utf-8")
PARTS = [WHOLE[at : at + 700] + f"\n# the end of part {at}\n" for at in range(0, 7000, 700)]


@pytest.fixture(scope="module")
def public(tmp_path_factory: pytest.TempPathFactory) -> Index:
    """An index that holds nothing of PARTS."""
    tree = tmp_path_factory.mktemp("public")
    (tree / "other.py").write_text("# SPDX-License-Identifier: MIT\n" + "def other(): pass\n" * 3)
    add(tree.parent / "public-index", read_sources([str(tree)], installed=False, reading=Reading()))
    return open_index(tree.parent / "public-index")


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    """An empty ledger."""
    with closing(Ledger(tmp_path / "ledger")) as opened:
        yield opened


def put(ledger: Ledger, index: Index, text: str, *, keep_text: bool = True) -> Record:
    """Record a text."""
    return ledger.record(text, prompt="a prompt", model="model-x", report=index.check(text), keep_text=keep_text)


def place(ledger: Ledger) -> Path:
    """Where it is."""
    return ledger._directory


def test_what_was_generated_is_found_as_generated_with_its_record(ledger: Ledger, public: Index) -> None:
    """Beside the other indexes, named by the ledger's own directory; no policy judges it."""
    records = [put(ledger, public, part) for part in PARTS[:3]]
    assert ledger.compact() == 3
    assert ledger.compact() == 0
    both = open_index(public._directories[0], place(ledger))
    text = "x = 1\n" + PARTS[1][200:500].replace("    ", "\t")
    report = both.check(text, policy="strict")
    (found,) = report.attributions
    assert found.match.kind is Kind.GENERATED
    assert found.match.index == both.coverage[1].id
    (source,) = found.sources
    assert source.kind is Kind.GENERATED
    assert source.record == records[1].to_dict()
    assert source.origin.license == "NOASSERTION"
    assert report.verdict.outcome is Outcome.PASS
    assert report.to_dict()["matches"][0]["sources"][0]["record"]["id"] == records[1].id
    assert list(ledger.records()) == records
    assert records[1].outcome == "pass"


def test_one_text_generated_twice_has_two_records(ledger: Ledger, public: Index) -> None:
    """Both are sources of the one passage."""
    records = [put(ledger, public, PARTS[0]) for _ in range(2)]
    ledger.compact()
    (found,) = open_index(place(ledger)).check(PARTS[0]).attributions
    assert {source.record["id"] for source in found.sources if source.record} == {record.id for record in records}


def test_of_a_record_without_text_the_fingerprints_are_known(ledger: Ledger, public: Index) -> None:
    """Wherever 50 bytes of it stand in a text, it is named; its text is nowhere on the disk, nor in the index."""
    kept = put(ledger, public, PARTS[3])
    bare = put(ledger, public, PARTS[4], keep_text=False)
    ledger.compact()
    canonical = "".join(PARTS[4].split())
    for at in range(0, len(canonical) - 50, 37):
        matched = {record.id for record, _ in ledger.match("q = 2\n" + canonical[at : at + 50])}
        assert bare.id in matched
        assert kept.id not in matched
    assert not ledger.match("def nothing_of_all_that(is_in): return it + 17 ** 4 # nor this\n" * 2)
    assert not open_index(place(ledger)).check(PARTS[4]).attributions
    ledger._log.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    assert not traces(place(ledger), PARTS[4][200:240])
    assert traces(place(ledger), PARTS[3][200:240])


def traces(directory: Path, text: str) -> list[Path]:
    """The files that hold a text as it is."""
    return [path for path in directory.rglob("*") if path.is_file() and text.encode() in path.read_bytes()]


def test_what_is_forgotten_leaves_no_trace(ledger: Ledger, public: Index) -> None:
    """By id and by age, from the log and from the index; the rest is found still, and it may be generated again."""
    records = [put(ledger, public, part) for part in PARTS[:4]]
    ledger.compact()
    records.append(put(ledger, public, PARTS[4]))
    assert ledger.forget(ids=[records[0].id, records[4].id, "unknown"]) == 2
    for number in (0, 4):
        assert not traces(place(ledger), PARTS[number][100:130])
        assert not traces(place(ledger), records[number].id)
    index = open_index(place(ledger))
    assert not index.check(PARTS[0]).attributions
    assert index.check(PARTS[1]).attributions
    again = put(ledger, public, PARTS[0])
    ledger.compact()
    (found,) = open_index(place(ledger)).check(PARTS[0]).attributions
    assert [source.record["id"] for source in found.sources if source.record] == [again.id]
    ledger._log.execute("UPDATE record SET time = '2020-01-01T00:00:00+00:00' WHERE id = ?", (records[1].id,))
    assert ledger.forget(before=datetime.now(UTC) - timedelta(days=30)) == 1
    assert ledger.forget(before=datetime.now(UTC) - timedelta(days=30)) == 0
    assert {record.id for record in ledger.records()} == {records[2].id, records[3].id, again.id}
    assert not traces(place(ledger), PARTS[1][100:130])


def test_many_may_record_at_once(ledger: Ledger, public: Index) -> None:
    """Each with the ledger opened for itself."""
    report = public.check(PARTS[0])

    def run(number: int) -> str:
        with closing(Ledger(place(ledger))) as opened:
            return opened.record(f"{PARTS[0]}{number}", prompt="", model="m", report=report).id

    with ThreadPoolExecutor(8) as executor:
        ids = set(executor.map(run, range(40)))
    assert {record.id for record in ledger.records()} == ids
    assert len(ids) == 40


WRITER = """
import sys
from codecite.indexer.index import open_index
from codecite.indexer.ledger import Ledger
ledger, index = Ledger(sys.argv[1]), open_index(sys.argv[2])
texts = open(sys.argv[3]).read().split("\\0")
report = index.check("")
for number in range(10_000):
    print(ledger.record(texts[number % len(texts)] + str(number), prompt="", model="m", report=report).id, flush=True)
    if number % 5 == 4:
        print("compacting", flush=True)
        ledger.compact()
"""


def test_what_was_recorded_survives_kills(public: Index, tmp_path: Path) -> None:
    """Killed at random moments, also while it compacts: every record that was reported is there, once in the index."""
    chance = random.Random(4)
    texts = tmp_path / "texts"
    texts.write_text("\0".join(PARTS))
    directory = tmp_path / "ledger"
    said: set[str] = set()
    for _ in range(6):
        process = subprocess.Popen(
            [sys.executable, "-c", WRITER, directory, public._directories[0], texts], stdout=subprocess.PIPE, text=True
        )
        assert process.stdout is not None
        for _ in range(chance.randint(1, 14)):
            line = process.stdout.readline().strip()
            assert line
            said |= {line} - {"compacting"}
        time.sleep(chance.random() / 10)
        os.kill(process.pid, signal.SIGKILL)
        said |= {line.strip() for line in process.stdout if len(line) == 33 and line.endswith("\n")}
        process.wait()
        with closing(Ledger(directory)) as opened:
            assert said <= {record.id for record in opened.records()}
    with closing(Ledger(directory)) as opened:
        opened.compact()
        records = {record.id for record in opened.records()}
    stats = open_index(directory).stats()[0]
    assert stats.origins == len(records)
    found = open_index(directory).check("\n".join(PARTS), sources=len(records) + 1).attributions
    assert {source.origin.revision for item in found for source in item.sources} == records


def test_forgetting_may_be_killed_between_index_and_log(
    ledger: Ledger, public: Index, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Run again, it ends what it began."""
    records = [put(ledger, public, part) for part in PARTS[:2]]
    ledger.compact()

    def killed() -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(ledger, "_writing", killed)
    with pytest.raises(KeyboardInterrupt):
        ledger.forget(ids=[records[0].id])
    monkeypatch.undo()
    assert ledger.compact() == 0
    assert not open_index(place(ledger)).check(PARTS[0]).attributions
    assert ledger.forget(ids=[records[0].id]) == 1
    assert [record.id for record in ledger.records()] == [records[1].id]


def test_what_is_no_ledger_is_an_error_that_names_it(tmp_path: Path) -> None:
    """Nothing, something else, a later version: one sentence each."""
    with pytest.raises(IndexMissingError, match="no ledger here"):
        Ledger(tmp_path / "none", reading=True)
    assert not (tmp_path / "none").exists()
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / LOG).write_bytes(b"no database" * 100)
    with pytest.raises(IndexCorruptError, match="is no ledger"):
        Ledger(tmp_path / "other")
    Ledger(tmp_path / "later").close()
    with closing(sqlite3.connect(tmp_path / "later" / LOG)) as log:
        log.execute("PRAGMA user_version=9")
    with pytest.raises(IndexVersionError, match="version 9"):
        Ledger(tmp_path / "later")
    (tmp_path / "file").write_text("x")
    with pytest.raises(CodeciteError, match="cannot be opened"):
        Ledger(tmp_path / "file")


def test_the_generator_records_what_it_tells(ledger: Ledger, public: Index) -> None:
    """Before the End; its Report names the record."""
    from codecite.generator.generator import Generator
    from codecite.generator.model import ModelLicense, Sampling

    class Parrot:
        name = "parrot"
        license = ModelLicense("LicenseRef-openrail", ("not to harm",))
        notes: ClassVar[list[str]] = []

        def write(self, prompt: str, suffix: str | None, sampling: Sampling) -> Parrot:
            del prompt, suffix, sampling
            self.rest = iter(PARTS[5])
            return self

        def __iter__(self) -> Iterator[str]:
            return self

        def __next__(self) -> str:
            return next(self.rest)

        def go_back(self, characters: int) -> None:
            del characters

        def close(self) -> None:
            pass

    done = Generator(Parrot(), public, load_policy("audit"), ledger).complete("a prompt")
    (record,) = ledger.records()
    written = done.report.to_dict()["generation"]
    assert written["record"] == record.id
    assert (written["model"], written["license"], written["restrictions"]) == (
        "parrot",
        "LicenseRef-openrail",
        ["not to harm"],
    )
    ledger.compact()
    assert open_index(place(ledger)).check(done.completion).attributions
