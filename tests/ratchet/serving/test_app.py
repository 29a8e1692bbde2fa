"""The application: a prediction over HTTP is the package's own, and every page says what it should."""

import math

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ratchet.features.grammar import FUNCTIONS
from tests.ratchet.serving.gateways import EXPRESSIONS, GOOD, KINDS, ROW, frame_of_json, office, table, v2


def test_the_model_under_test_uses_every_allowed_function():
    text = " ".join(EXPRESSIONS.values())
    assert not [name for name in FUNCTIONS if f"{name}(" not in text]


@settings(max_examples=60)
@given(st.lists(ROW, min_size=1, max_size=8))
def test_a_prediction_over_http_is_the_package_s_own(desktop, rows):
    expected = desktop.package.predict(frame_of_json(rows))
    plain = desktop.post("/predict/fraud", json={"rows": rows})
    assert plain.status_code == 200, plain.text
    assert np.allclose([one["probability"] for one in plain.json()["predictions"]], expected, rtol=0, atol=1e-9)
    infer = desktop.post("/v2/models/fraud/infer", json=v2(rows))
    assert infer.status_code == 200, infer.text
    assert np.allclose(infer.json()["outputs"][0]["data"], expected, rtol=0, atol=1e-9)


@pytest.mark.parametrize("task", ["multiclass", "regression"])
def test_classes_and_values_come_over_http_as_they_are(taught, tmp_path, task):
    frame = table(20, seed=5)
    rows = frame.with_columns(pl.col("at").dt.strftime("%Y-%m-%dT%H:%M:%S")).to_dicts()
    with office(tmp_path, taught(task)) as made:
        expected = made.package.predict(frame)
        outputs = {one["name"]: one for one in made.post("/v2/models/fraud/infer", json=v2(rows)).json()["outputs"]}
        plain = made.post("/predict/fraud", json={"rows": rows}).json()["predictions"]
    if task == "regression":
        assert outputs["value"]["data"] == pytest.approx(expected.tolist(), abs=1e-9)
        assert [one["value"] for one in plain] == pytest.approx(expected.tolist(), abs=1e-9)
    else:
        assert outputs["probability"]["shape"] == [20, 3]
        assert np.allclose(np.reshape(outputs["probability"]["data"], (20, 3)), expected, rtol=0, atol=1e-9)
        assert outputs["decision"]["data"] == made.package.decide(expected).tolist()
        assert np.allclose([list(one["probability"].values()) for one in plain], expected, rtol=0, atol=1e-9)


def test_the_protocol_s_pages(desktop):
    assert desktop.get("/v2").json()["name"] == "ratchet"
    assert desktop.get("/v2/health/live").status_code == 200
    assert desktop.get("/v2/health/ready").json()["ready"] is True
    for path in ("/v2/models/fraud", "/v2/models/fraud/versions/1"):
        told = desktop.get(path).json()
        assert told["versions"] == ["1"]
        assert [one["name"] for one in told["inputs"]] == list(KINDS)
        assert desktop.get(f"{path}/ready").status_code == 200
        assert desktop.post(f"{path}/infer", json=v2([GOOD])).json()["model_version"] == "1"
    assert desktop.get("/v2/models").json() == {"models": [{"name": "fraud", "ready": True}]}


def test_a_person_finds_the_pages_for_people(desktop):
    assert 'href="/openapi.json"' in desktop.get("/").text
    assert "/predict/fraud" in desktop.get("/openapi.json").json()["paths"]


@pytest.mark.parametrize(
    ("path", "status", "says"),
    [
        ("/v2/models/fruad", 404, "did you mean 'fraud'"),
        ("/v2/models/fraud/versions/9", 404, "'9'"),
        ("/nothing", 404, "/openapi.json"),
        ("/v2/models/fraud/infer", 405, "POST"),
        ("/predict/fraud", 405, "POST"),
    ],
)
def test_what_is_not_there_is_said_so(desktop, path, status, says):
    answer = desktop.get(path)
    assert answer.status_code == status
    assert says in answer.json()["error"]


def test_a_request_id_comes_back_in_body_and_header(desktop):
    made = desktop.post("/predict/fraud", json=GOOD)
    assert made.headers["x-request-id"] == made.json()["request_id"]
    given_ = desktop.post("/predict/fraud", json=GOOD, headers={"X-Request-Id": "mine-1"})
    assert given_.headers["x-request-id"] == given_.json()["request_id"] == "mine-1"
    body = desktop.post("/v2/models/fraud/infer", json=v2([GOOD], id="mine-2"), headers={"X-Request-Id": "mine-1"})
    assert body.headers["x-request-id"] == body.json()["id"] == "mine-2"


def test_feedback_says_what_was_taken_and_what_was_wrong_with_which(desktop):
    labels = [
        {"request_id": "a", "label": 1},
        {"request_id": "b", "label": "0", "time": "2026-01-01T00:00:00Z"},
        {"request_id": "c", "label": "purple"},
        {"request_id": 7, "label": 1},
        {"request_id": "e", "label": 1, "time": "yesterday"},
    ]
    answer = desktop.post("/v2/models/fraud/feedback", json={"labels": labels})
    assert answer.status_code == 200
    told = answer.json()
    assert (told["taken"], told["refused"]) == (2, 3)
    assert [one["index"] for one in told["errors"]] == [2, 3, 4]
    assert "purple" in told["errors"][0]["error"]
    assert desktop.post("/v2/models/fraud/feedback", json={"labels": 3}).status_code == 400


def test_metrics_tell_of_requests_batches_and_the_ledger(desktop):
    desktop.post("/predict/fraud", json=GOOD)
    desktop.post("/predict/fraud", json={})
    page = desktop.get("/metrics").text
    for line in (
        'ratchet_requests_total{deployment="fraud",phase="stable",status="200",version="1"}',
        'ratchet_request_seconds_bucket{deployment="fraud",le="0.005",phase="stable",version="1"}',
        'ratchet_refused_total{deployment="fraud",status="422"}',
        'ratchet_batch_rows_count{deployment="fraud"}',
        'ratchet_queue_rows{deployment="fraud"}',
        'ratchet_ledger_generation{deployment="fraud"} 1.0',
        'ratchet_reachable{deployment="fraud",what="ledger"} 1.0',
        "ratchet_recorder_dropped 0.0",
    ):
        assert line in page


def test_an_answer_is_always_a_finite_number(desktop):
    row = {**GOOD, "amount": 1.7976931348623157e308, "balance": -1.7976931348623157e308}
    assert math.isfinite(desktop.post("/predict/fraud", json=row).json()["predictions"][0]["probability"])


def test_without_a_model_the_answer_is_come_again(taught, tmp_path):
    with office(tmp_path, taught("binary"), names=("fraud", "other")) as made:
        answer = made.post("/predict/other", json=GOOD)
        assert answer.status_code == 503
        assert answer.headers["retry-after"] == "1"
        assert made.get("/v2/health/ready").status_code == 503
        assert made.get("/v2/models/other/ready").status_code == 503
        assert made.post("/predict/fraud", json=GOOD).status_code == 200
