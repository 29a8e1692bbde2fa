"""What Prometheus reads of a gateway.

An own registry, so that two gateways in one process (a test) do not meet. Where a gateway has several workers, a scrape reaches any one of
them, so prometheus-client's files of all workers are summed (``PROMETHEUS_MULTIPROC_DIR``, which the supervisor sets).
"""

import os
from collections.abc import Iterable, Mapping
from typing import Any, Literal

import numpy as np
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.multiprocess import MultiProcessCollector

from ratchet.serving.served import Served, alarms

LATENCY = (0.001, 0.002, 0.003, 0.005, 0.0075, 0.01, 0.015, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0)
INSIDE = (0.0001, 0.0002, 0.0003, 0.0005, 0.00075, *LATENCY)  # a model needs less than its request does
ERRORS = tuple(float(f"{digit}e{power}") for power in range(-4, 5) for digit in (1, 2, 5))  # a usual row's mean squared error is about 1
SIZES = (1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024, 4096)
CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
MULTIPROCESS = "PROMETHEUS_MULTIPROC_DIR"


class BulkHistogram(Histogram):
    """A histogram that takes many values at once: one by one, the errors of a request's rows would take longer than the model did.

    >>> one = BulkHistogram("x", "An example", buckets=(1, 2), registry=None)
    >>> one.observe_all(np.array([0.5, 1.0, 1.5, 9.0]))
    >>> [sample.value for sample in one.collect()[0].samples if sample.name == "x_bucket"]
    [2.0, 3.0, 4.0]
    """

    def observe_all(self, values: np.ndarray) -> None:
        """Count values, float64, shape (n,); as `observe` does, each in the first bucket whose bound it does not exceed."""
        self._sum.inc(float(values.sum()))
        for place, count in enumerate(np.bincount(np.searchsorted(self._upper_bounds, values)).tolist()):
            if count:
                self._buckets[place].inc(count)


class GatewayMetrics:
    """Counts what a worker does.

    >>> metrics = GatewayMetrics()
    >>> metrics.answered("fraud", "3", "stable", 200, 0.004)
    >>> b'ratchet_requests_total{deployment="fraud",phase="stable",status="200",version="3"} 1.0' in metrics.page()
    True
    """

    def __init__(self) -> None:
        """Begin at zero."""
        self.registry = CollectorRegistry()
        own = self.registry
        by = ("deployment", "version", "phase")
        one = ("deployment",)
        self._requests = Counter("ratchet_requests", "Requests for a prediction", (*by, "status"), registry=own)
        self._latency = Histogram("ratchet_request_seconds", "From headers to answer", by, buckets=LATENCY, registry=own)
        self._errors = Counter("ratchet_errors", "Requests that failed for no fault of theirs", ("deployment", "kind"), registry=own)
        self._refused = Counter("ratchet_refused", "Requests refused for what they sent", ("deployment", "status"), registry=own)
        self._rows = Counter("ratchet_rows", "Rows that were predicted", one, registry=own)
        self._labels = Counter("ratchet_labels", "Labels by what became of them", ("deployment", "taken"), registry=own)
        self._batches = Histogram("ratchet_batch_rows", "Rows that a model was given at once", one, buckets=SIZES, registry=own)
        self._remembered = Counter("ratchet_cache_rows", "Rows by whether the cache had them", ("deployment", "found"), registry=own)
        self._depth = self._gauge("ratchet_queue_rows", "Rows that wait for a model", one, "livesum")
        self._generation = self._gauge("ratchet_ledger_generation", "Generation of the deployment that is served", one, "livemax")
        self._percent = self._gauge("ratchet_canary_percent", "Share of requests that the challenger answers", one, "livemax")
        self._reachable = self._gauge("ratchet_reachable", "1 when ledger or storage answered last", ("deployment", "what"), "livemin")
        self._ready = self._gauge("ratchet_ready", "1 when a champion is loaded", one, "livemin")
        self._dropped = self._gauge("ratchet_recorder_dropped", "Records that could not be written", (), "livesum")
        model = ("deployment", "version", "role")
        self._inside = Histogram("ratchet_model_seconds", "Features and prediction of a batch", model, buckets=INSIDE, registry=own)
        self._distances = BulkHistogram("ratchet_reconstruction_error", "Of each row scored", model, buckets=ERRORS, registry=own)
        self._alarms = Counter("ratchet_alarms", "Rows that a model calls anomalies", model, registry=own)
        self._scored: dict[tuple[str, str, str], tuple[Any, ...]] = {}
        self._answered: dict[tuple[str, str, str, int], tuple[Any, Any]] = {}
        self._rows_of: dict[str, Any] = {}

    def answered(self, deployment: str, version: str, phase: str, status: int, seconds: float, rows: int = 1) -> None:
        """Count one answered request and its time, seconds."""
        key = (deployment, version, phase, status)
        children = self._answered.get(key)
        if children is None:
            labels = (deployment, version, phase)
            children = self._answered[key] = (self._requests.labels(*labels, str(status)), self._latency.labels(*labels))
            self._rows_of.setdefault(deployment, self._rows.labels(deployment))
        children[0].inc()
        children[1].observe(seconds)
        self._rows_of[deployment].inc(rows)

    def scored(self, deployment: str, served: Served, role: str, predictions: np.ndarray, milliseconds: float) -> None:
        """Count the rows of a request that a model scored, whether or not its client got that answer.

        Args:
            deployment: Its name.
            served: The model; of an autoencoder the errors and alarms are counted too.
            role: Of the model: "champion", "challenger" or "previous".
            predictions: float64, one a row.
            milliseconds: Of the batch that the rows were part of, inside the model.
        """
        key = (deployment, served.ref.version, role)
        children = self._scored.get(key)
        if children is None:
            own = (self._distances, self._alarms) if served.package.spec.task == "anomaly" else ()
            children = self._scored[key] = tuple(metric.labels(*key) for metric in (self._inside, *own))
        inside, *errors = children
        inside.observe(milliseconds / 1000)
        if errors:
            errors[0].observe_all(predictions)
            errors[1].inc(int(alarms(served.package, predictions).sum()))

    def refused(self, deployment: str, status: int) -> None:
        """Count a request that was refused for what it sent; an unknown deployment is counted without its name."""
        self._refused.labels(deployment, str(status)).inc()

    def failed(self, deployment: str, kind: str) -> None:
        """Count a request that failed for no fault of its own, by the name of the error."""
        self._errors.labels(deployment, kind).inc()

    def labelled(self, deployment: str, taken: int, refused: int) -> None:
        """Count labels."""
        self._labels.labels(deployment, "yes").inc(taken)
        self._labels.labels(deployment, "no").inc(refused)

    def batched(self, deployment: str, sizes: Iterable[int]) -> None:
        """Count batches by their rows."""
        child = self._batches.labels(deployment)
        for size in sizes:
            child.observe(size)

    def remembered(self, deployment: str, hits: int, misses: int) -> None:
        """Count rows that were looked for in a cache."""
        for found, count in (("yes", hits), ("no", misses)):
            if count:
                self._remembered.labels(deployment, found).inc(count)

    def stands(self, deployment: str, health: Mapping[str, Any], depth: int) -> None:
        """Take over what an engine says of itself, and how many rows wait."""
        self._depth.labels(deployment).set(depth)
        self._generation.labels(deployment).set(health.get("generation", 0))
        self._percent.labels(deployment).set(health.get("percent", 0))
        self._ready.labels(deployment).set(1 if health.get("ready") else 0)
        for what in ("ledger", "storage"):
            state = health.get(what)
            healthy = state.get("state") in ("closed", None) and not state.get("error") if isinstance(state, Mapping) else False
            self._reachable.labels(deployment, what).set(1 if healthy else 0)

    def dropped(self, records: int) -> None:
        """Take over how many records could not be written."""
        self._dropped.set(records)

    def _gauge(self, name: str, says: str, labels: tuple[str, ...], mode: Literal["livemin", "livemax", "livesum"]) -> Gauge:
        return Gauge(name, says, labels, registry=self.registry, multiprocess_mode=mode)

    def page(self) -> bytes:
        """Return what a scrape reads, of all workers where there are several."""
        if not os.environ.get(MULTIPROCESS):
            return generate_latest(self.registry)
        registry = CollectorRegistry()
        MultiProcessCollector(registry)  # type: ignore[no-untyped-call]
        return generate_latest(registry)
