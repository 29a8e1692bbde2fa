"""Metrics: what is counted is what a scrape reads."""

from ratchet.serving.metrics import GatewayMetrics


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
