"""What a server counts, for Prometheus.

In: what was answered. Out: the text that Prometheus reads. It refuses to know texts, clients and keys. Each server has
a registry of its own.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import datetime

from prometheus_client import CollectorRegistry, Counter, Histogram, ProcessCollector, generate_latest
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from codecite.indexer.records import Coverage, Report

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
_BUCKETS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 300.0)


class _Now(Collector):
    """What is read off when Prometheus asks."""

    def __init__(self, coverage: Callable[[], Iterable[Coverage]], gauges: dict[str, Callable[[], float]]) -> None:
        self._coverage = coverage
        self._gauges = gauges

    def collect(self) -> Iterable[Metric]:
        """The gauges."""
        generation = GaugeMetricFamily("codecite_index_generation", "The generation that is served", labels=["index"])
        documents = GaugeMetricFamily("codecite_index_documents", "The Documents in it", labels=["index"])
        built = GaugeMetricFamily("codecite_index_built_seconds", "When it was built, by Unix time", labels=["index"])
        for item in self._coverage():
            generation.add_metric([item.id], item.generation)
            documents.add_metric([item.id], item.documents)
            if item.built:
                built.add_metric([item.id], datetime.fromisoformat(item.built).timestamp())
        yield from (generation, documents, built)
        for name, read in self._gauges.items():
            yield GaugeMetricFamily(name, name.removeprefix("codecite_").replace("_", " "), value=read())


class Metrics:
    """Counters and histograms of one server."""

    def __init__(self, coverage: Callable[[], Iterable[Coverage]], gauges: dict[str, Callable[[], float]]) -> None:
        self._registry = CollectorRegistry()
        self._seconds = Histogram(
            "codecite_request_seconds",
            "Seconds from a request's arrival to its answer; of a stream, to its first byte",
            ["method", "route", "status"],
            buckets=_BUCKETS,
            registry=self._registry,
        )
        self._matches = Counter("codecite_matches", "Passages that were found", registry=self._registry)
        self._verdicts = Counter("codecite_verdicts", "Reports by their verdict", ["outcome"], registry=self._registry)
        self._prevented = Counter("codecite_prevented", "Passages not let stand", ["action"], registry=self._registry)
        self._registry.register(_Now(coverage, gauges))
        ProcessCollector(registry=self._registry)  # memory, open files, processor time, since when it runs

    def request(self, method: str, route: str, status: int, seconds: float) -> None:
        """Count a request."""
        self._seconds.labels(method, route, str(status)).observe(seconds)

    def report(self, report: Report) -> None:
        """Count what a Report says."""
        if report.attributions:
            self._matches.inc(len(report.attributions))
        self._verdicts.labels(str(report.verdict.outcome)).inc()
        for item in report.generation.prevented if report.generation else ():
            self._prevented.labels(item.action).inc()

    def text(self) -> bytes:
        """What Prometheus reads."""
        found: bytes = generate_latest(self._registry)
        return found
