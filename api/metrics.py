"""Prometheus metrics: requests of this process, and the store's counts read when scraped."""

from __future__ import annotations

import time
from collections.abc import Iterable

from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, Counter, Histogram, generate_latest
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from db.store import Store


class Metrics:
    """One process's registry."""

    def __init__(self, store: Store) -> None:
        self.registry = CollectorRegistry()
        self.requests = Counter(
            "headrace_http_requests_total", "Requests answered.", ["method", "status"], registry=self.registry
        )
        self.seconds = Histogram(
            "headrace_http_request_seconds",
            "Seconds to the start of the answer.",
            ["method"],
            buckets=(0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30),
            registry=self.registry,
        )
        self.registry.register(_StoreCounts(store))

    def render(self) -> tuple[bytes, str]:
        """The exposition text and its media type."""
        return generate_latest(self.registry), CONTENT_TYPE_LATEST


class _StoreCounts(Collector):
    def __init__(self, store: Store) -> None:
        self._store = store

    def describe(self) -> Iterable[Metric]:
        # Registering must not read the database, which may not be there yet.
        return []

    def collect(self) -> Iterable[Metric]:
        jobs = GaugeMetricFamily("headrace_jobs", "Jobs by state.", labels=["state"])
        for state, count in self._store.jobs.count().items():
            jobs.add_metric([state], count)
        trials = GaugeMetricFamily("headrace_trials", "Trials by state, over all jobs.", labels=["state"])
        for state, count in self._store.trials.count().items():
            trials.add_metric([state], count)
        workers = GaugeMetricFamily("headrace_workers", "Workers heard in the last 30 seconds.")
        workers.add_metric([], len(self._store.workers.alive()))
        return [jobs, trials, workers]


class MeasureRequests:
    """ASGI middleware that feeds the request metrics. Paths are not labels: they hold ids without bound."""

    def __init__(self, app: ASGIApp, metrics: Metrics) -> None:
        self._app = app
        self._metrics = metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on and count its answer."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        started = time.perf_counter()
        method = scope["method"] if scope["method"] in _METHODS else "other"

        async def counted(message: Message) -> None:
            if message["type"] == "http.response.start":
                self._metrics.requests.labels(method, str(message["status"])).inc()
                self._metrics.seconds.labels(method).observe(time.perf_counter() - started)
            await send(message)

        await self._app(scope, receive, counted)


_METHODS = frozenset({"GET", "HEAD", "POST", "PATCH", "PUT", "DELETE", "OPTIONS"})
