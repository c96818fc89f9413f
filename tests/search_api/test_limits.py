"""Turns, rates and deadlines: who waits, who is told to come back, and what is given back."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest


@pytest.fixture(autouse=True)
def here(require: Callable[..., None]) -> None:
    """What the limits are told with."""
    require("flask", "prometheus_client")


def test_a_rate_allows_a_burst_and_then_so_many_a_second() -> None:
    """Clients do not count for each other; what was not used is saved up to the burst."""
    from codecite.search_api.limits import Rates
    from codecite.search_api.problems import Problem

    rates = Rates(rate=2.0, burst=3)
    for _ in range(3):
        rates.take("a", now=0.0)
    with pytest.raises(Problem) as refused:
        rates.take("a", now=0.0)
    assert (refused.value.status, refused.value.retry_after) == (429, 0.5)
    rates.take("b", now=0.0)
    rates.take("a", now=0.5)
    for _ in range(3):
        rates.take("a", now=100.0)
    with pytest.raises(Problem):
        rates.take("a", now=100.0)


def test_a_gate_gives_its_places_back() -> None:
    """Also after an error; who finds none is refused after the wait."""
    from codecite.search_api.limits import Gate
    from codecite.search_api.problems import Problem

    gate = Gate("checks", 1, 0.05)
    with pytest.raises(ValueError, match="wrong"), gate():
        raise ValueError("wrong")
    with gate(), pytest.raises(Problem, match="too many checks"):
        gate.enter()
    with gate():
        assert gate.busy == 1
    assert gate.busy == 0


def test_long_work_is_late_and_keeps_its_place_until_it_is_done() -> None:
    """A 503 at the deadline; the place is free when the work is over."""
    from codecite.search_api.limits import Deadline, Gate
    from codecite.search_api.problems import Problem

    gate = Gate("checks", 1, 0.02)
    deadline, go_on = Deadline(gate, 1, 0.05), threading.Event()
    with pytest.raises(Problem, match="longer than") as late:
        deadline.run(lambda: go_on.wait(10), quick=False)
    assert late.value.status == 503
    with pytest.raises(Problem, match="too many"):
        deadline.run(lambda: True, quick=True)
    go_on.set()
    time.sleep(0.2)
    assert deadline.run(lambda: 7, quick=False) == 7


def test_an_index_that_cannot_be_opened_anew_stays_as_it_was(index: Path, tmp_path: Path, passage: str) -> None:
    """A damaged manifest fails no request; the next good one is taken up."""
    import shutil

    from codecite.indexer import open_index
    from codecite.search_api.app import create_app

    place = tmp_path / "index"
    shutil.copytree(index, place)
    client: Any = create_app(open_index(place)).test_client()
    good = (place / "manifest.json").read_bytes()
    for content in (b"{", good[:-20]):
        (place / "manifest.json").write_bytes(content)
        time.sleep(0.1)
        for _ in range(3):
            assert client.post("/api/v1/check", json={"text": passage}).get_json()["matches"]
    (place / "manifest.json").write_bytes(good)
    time.sleep(0.1)
    assert client.get("/readyz").get_json()["generations"] == [1]


def test_threads_share_a_ledger(index: Path, tmp_path: Path, passage: str) -> None:
    """Every completion of every thread is recorded, and found in the ledger's index."""
    from oracle.parrot import Parrot

    from codecite.generator.generator import Generator
    from codecite.indexer import open_index
    from codecite.search_api.app import create_app
    from codecite.search_api.ledgers import SharedLedger

    opened, ledger = open_index(index), SharedLedger(tmp_path / "ledger")
    app = create_app(opened, Generator(Parrot(passage), opened, ledger=ledger))

    def complete() -> None:
        for path in ("/v1/completions", "/api/v1/generate"):
            assert app.test_client().post(path, json={"prompt": ""}).data

    threads = [threading.Thread(target=complete) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(list(ledger.records())) == 8
    assert ledger.compact() == 8
    ledger.close()


def test_a_question_whose_files_are_gone_is_asked_of_the_next_generation(
    codecite: Any, index: Path, corpus: Path, tmp_path: Path
) -> None:
    """However many ask at once; where there is no later one, the error is told."""
    import shutil

    from codecite.indexer import Index, open_index
    from codecite.search_api.live import LiveIndex

    place = tmp_path / "index"
    shutil.copytree(index, place)
    live = LiveIndex(open_index(place))
    old = live.current
    with pytest.raises(FileNotFoundError):
        live.answer(lambda _: (tmp_path / "none").read_bytes())

    def question(found: Index) -> int:
        if found is old:
            raise FileNotFoundError
        return found.coverage[0].generation

    shutil.copy(corpus / "shlex.py", tmp_path / "again.py")
    assert codecite("index", "add", tmp_path / "again.py", "--index", place).returncode == 0
    answered: list[int] = []
    threads = [threading.Thread(target=lambda: answered.append(live.answer(question, old))) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert answered == [2] * 8
