"""Metrics: what is counted is what a scrape reads."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from prometheus_client import CollectorRegistry

from ratchet.serving.metrics import ERRORS, BulkHistogram, GatewayMetrics
from ratchet.serving.served import load


def test_what_an_engine_says_is_on_the_page():
    metrics = GatewayMetrics()
    up, down = {"state": "closed", "error": ""}, {"state": "open", "error": "away"}
    metrics.stands("fraud", {"generation": 4, "percent": 25, "ready": True, "ledger": down, "storage": up}, 17)
    metrics.batched("fraud", [1, 16])
    metrics.failed("fraud", "OverloadedError")
    metrics.labelled("fraud", 3, 1)
    page = metrics.page().decode()
    for line in (
        'ratchet_ledger_generation{deployment="fraud"} 4.0',
        'ratchet_canary_percent{deployment="fraud"} 25.0',
        'ratchet_reachable{deployment="fraud",what="ledger"} 0.0',
        'ratchet_reachable{deployment="fraud",what="storage"} 1.0',
        'ratchet_queue_rows{deployment="fraud"} 17.0',
        'ratchet_batch_rows_sum{deployment="fraud"} 17.0',
        'ratchet_errors_total{deployment="fraud",kind="OverloadedError"} 1.0',
        'ratchet_labels_total{deployment="fraud",taken="no"} 1.0',
    ):
        assert line in page


def test_errors_alarms_and_the_model_s_time_are_counted_by_who_scored(encoders, stored):
    metrics = GatewayMetrics()
    odd, fraud = (load(Path(ref.uri), ref, None) for ref in (encoders[0], stored[0]))
    metrics.scored("odd", odd, "champion", np.array([0.0003, 0.7, 2.0]), 0.4)
    metrics.scored("odd", odd, "challenger", np.array([900.0, 1e9]), 40.0)
    metrics.scored("fraud", fraud, "champion", np.array([0.7]), 0.9)
    page = metrics.page().decode()
    for line in (
        'ratchet_reconstruction_error_bucket{deployment="odd",le="0.0002",role="champion",version="0"} 0.0',
        'ratchet_reconstruction_error_bucket{deployment="odd",le="0.0005",role="champion",version="0"} 1.0',
        'ratchet_reconstruction_error_bucket{deployment="odd",le="2.0",role="champion",version="0"} 3.0',
        'ratchet_reconstruction_error_count{deployment="odd",role="challenger",version="0"} 2.0',
        'ratchet_alarms_total{deployment="odd",role="champion",version="0"} 1.0',
        'ratchet_alarms_total{deployment="odd",role="challenger",version="0"} 2.0',
        'ratchet_model_seconds_bucket{deployment="odd",le="0.0003",role="champion",version="0"} 0.0',
        'ratchet_model_seconds_bucket{deployment="odd",le="0.0005",role="champion",version="0"} 1.0',
        'ratchet_model_seconds_count{deployment="fraud",role="champion",version="0"} 1.0',
    ):
        assert line in page
    assert 'ratchet_alarms_total{deployment="fraud"' not in page, "a model that finds no anomalies raises no alarms"


@given(arrays(np.float64, st.integers(1, 30), elements=st.floats(0, 1e12) | st.sampled_from(ERRORS)))
def test_values_counted_at_once_are_those_counted_one_by_one(values):
    registries = CollectorRegistry(), CollectorRegistry()
    once, each = (BulkHistogram("x", "x", ["a"], buckets=ERRORS, registry=registry).labels("b") for registry in registries)
    once.observe_all(values)
    for value in values:
        each.observe(value)
    found, expected = (
        {(sample.name, sample.labels.get("le")): sample.value for metric in registry.collect() for sample in metric.samples}
        for registry in registries
    )
    for samples in (found, expected):
        del samples["x_created", None]
    assert found.pop(("x_sum", None)) == pytest.approx(expected.pop(("x_sum", None)))
    assert found == expected
