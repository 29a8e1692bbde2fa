"""The face of replay, against a real gateway: rows are answered, labels are taken, and both are in the recorded traffic."""

import polars as pl
import pytest
from kfp.dsl import Dataset, Markdown

from components.deployment.replay.component import replay
from ratchet.data.tables import write_dataset
from ratchet.traffic.store import TrafficStore
from tests.gateway import gateway

pytestmark = pytest.mark.slow


def test_rows_and_their_labels_reach_the_recorded_traffic(runs, tmp_path):
    runs.promoted("run-1")
    rows = pl.DataFrame({"amount": [float(i) for i in range(60)], "hour": [i % 24 for i in range(60)], "fraud": [i % 2 for i in range(60)]})
    write_dataset(rows, tmp_path / "rows", source="the test")
    summary = runs.output(Markdown, "replay")
    with gateway(runs.ledger.settings.home) as process:
        answer = replay.python_func(
            rows=Dataset(uri=str(tmp_path / "rows")),
            summary=summary,
            model="fraud",
            endpoint=process.url,
            target="fraud",
            rate=500.0,
            limit=50,
        )
        assert process.stop() == 0, "what was recorded is rolled when the gateway drains"
        process.start()
    assert answer == ("answered", 50, 0, 50)
    assert "| P95 ms |" in runs.read(summary)
    store = TrafficStore(runs.ledger.settings.traffic_folder())
    recorded = store.predictions("fraud").collect()
    assert (recorded.height, recorded["served"].all(), recorded["error"].unique().to_list()) == (50, True, [""])
    assert store.labels("fraud").collect().height == 50
