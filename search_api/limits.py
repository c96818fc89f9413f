"""Turns, rates and deadlines: who has to wait, who has to come back later.

In: a request that wants to begin. Out: leave to do so, or a Problem with how long to stay away. It refuses to know what
the request asks.
"""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from concurrent.futures import TimeoutError as Late
from contextlib import contextmanager
from typing import TypeVar

from codecite.search_api.problems import Problem

_CLIENTS = 10_000
"""Clients whose rates are remembered."""

T = TypeVar("T")


class Gate:
    """So many at once; who has waited too long is refused. `busy` counts those inside."""

    def __init__(self, what: str, places: int, wait: float) -> None:
        self._what = what
        self._places = threading.Semaphore(places)
        self._lock = threading.Lock()
        self._wait = wait
        self.busy = 0

    def enter(self) -> None:
        """Take a place; `leave` gives it back."""
        if not self._places.acquire(timeout=self._wait):
            raise Problem(503, f"too many {self._what} are under way; try again", retry_after=max(1.0, self._wait))
        with self._lock:
            self.busy += 1

    def leave(self) -> None:
        """Give a place back."""
        with self._lock:
            self.busy -= 1
        self._places.release()

    @contextmanager
    def __call__(self) -> Iterator[None]:
        """Hold a place."""
        self.enter()
        try:
            yield
        finally:
            self.leave()


class Deadline:
    """Work that may take long: what is not done in time goes on unheard, and keeps its place until it is done."""

    def __init__(self, gate: Gate, threads: int, seconds: float) -> None:
        self._gate = gate
        self._threads = threads
        self._seconds = seconds
        self._pool: ThreadPoolExecutor | None = None
        self._lock = threading.Lock()

    def run(self, work: Callable[[], T], *, quick: bool) -> T:
        """What `work` returns; `quick` work is done at once, since it cannot be late."""
        if quick:
            with self._gate():
                return work()
        with self._lock:
            if self._pool is None:
                self._pool = ThreadPoolExecutor(self._threads, "codecite-long")
        self._gate.enter()
        try:
            future: Future[T] = self._pool.submit(work)
        except RuntimeError:  # the pool is shut down
            self._gate.leave()
            raise Problem(503, "the server is stopping", retry_after=5) from None
        future.add_done_callback(lambda _: self._gate.leave())
        try:
            return future.result(self._seconds)
        except Late:
            detail = f"this took longer than the {self._seconds:g} seconds that this server gives it; send less at once"
            raise Problem(503, detail, retry_after=self._seconds) from None


class Rates:
    """A bucket of tokens for each client: `rate` a second flow in, `burst` it holds."""

    def __init__(self, rate: float, burst: int) -> None:
        self._rate = rate
        self._burst = burst
        self._lock = threading.Lock()
        self._buckets: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def take(self, client: str, now: float | None = None) -> None:
        """Count a request; a Problem where the client sends too many."""
        if self._rate <= 0:
            return
        moment = time.monotonic() if now is None else now
        with self._lock:
            held, since = self._buckets.pop(client, (float(self._burst), moment))
            held = min(float(self._burst), held + (moment - since) * self._rate)
            enough = held >= 1
            self._buckets[client] = held - 1 if enough else held, moment
            if len(self._buckets) > _CLIENTS:
                self._buckets.popitem(last=False)
        if not enough:
            often = f"{self._rate:g} requests a second" if self._rate >= 1 else f"{self._rate * 60:g} of these a minute"
            detail = f"more than {often} come from this client; wait a little"
            raise Problem(429, detail, retry_after=(1 - held) / self._rate)
