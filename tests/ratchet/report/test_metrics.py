"""Metrics reach KFP without what its JSON cannot carry."""

from types import SimpleNamespace

from ratchet.report.metrics import LEFT_OUT, log_metrics


def test_what_is_not_finite_is_left_out_and_named() -> None:
    sink = SimpleNamespace(metadata={})
    log_metrics(sink, {"auc": 0.9, "a": float("nan"), "b": float("-inf"), "rows": 3})
    assert sink.metadata == {"auc": 0.9, "rows": 3, LEFT_OUT: "a, b"}
