"""The application: a prediction over HTTP is the package's own, and every page says what it should."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ratchet.features.grammar import FUNCTIONS
from tests.ratchet.serving.gateways import EXPRESSIONS, GOOD, KINDS, ROW, frame_of_json, json_rows, office, table, v2


def test_the_model_under_test_uses_every_allowed_function():
    text = " ".join(EXPRESSIONS.values())
    assert not [name for name in FUNCTIONS if f"{name}(" not in text]


@pytest.mark.slow
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
    rows = json_rows(frame)
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


ODD_PLAIN, ODD_INFER = "/predict/fraud", "/v2/models/fraud/infer"


@pytest.mark.slow
@settings(max_examples=40)
@given(st.lists(ROW, min_size=1, max_size=8))
def test_an_error_over_http_is_the_package_s_own_to_the_last_bit(watch, rows):
    expected = watch.package.encode(frame_of_json(rows), shares=True)
    alarms = watch.package.decide(expected.errors) == "1"
    usual = watch.post(ODD_INFER, json=v2(rows)).json()["outputs"]
    assert [one["name"] for one in usual] == ["error", "anomaly"]
    assert usual[0]["data"] == expected.errors.tolist()
    assert usual[1]["data"] == alarms.tolist()
    names = ("embedding", "shares", "error")
    asked = watch.post(ODD_INFER, json=v2(rows, outputs=[{"name": name} for name in names])).json()["outputs"]
    assert [one["name"] for one in asked] == list(names)
    assert np.float32(asked[0]["data"]).reshape(asked[0]["shape"]).tolist() == expected.embedding.tolist()
    assert np.reshape(asked[1]["data"], asked[1]["shape"]).tolist() == expected.shares.tolist()
    assert asked[2]["data"] == expected.errors.tolist()


def test_an_alarm_is_explained_to_a_person_with_curl(watch):
    rows = json_rows(table(300, seed=9))
    encoded = watch.package.encode(frame_of_json(rows), shares=True)
    answers = watch.post(ODD_PLAIN, json={"rows": rows}).json()["predictions"]
    columns = watch.package.encoder.preparation.columns
    assert 0 < sum(answer["anomaly"] for answer in answers) < 300
    for answer, error, shares in zip(answers, encoded.errors.tolist(), encoded.shares, strict=True):
        assert (answer["error"], answer["anomaly"]) == (error, error >= watch.package.threshold)
        if answer["anomaly"]:
            assert len(answer["columns"]) == 3
            assert sorted(answer["columns"].values(), reverse=True) == sorted(shares.tolist(), reverse=True)[:3]
            assert all(shares[columns.index(name)] == share for name, share in answer["columns"].items())
        else:
            assert "columns" not in answer


@pytest.mark.parametrize("how", ["query", "body"])
def test_a_plain_answer_has_the_outputs_that_are_named(watch, how):
    named = {"params": {"outputs": "embedding,anomaly"}} if how == "query" else {}
    body = {"rows": [GOOD]} if how == "query" else {"rows": [GOOD], "outputs": ["embedding", "anomaly"]}
    (answer,) = watch.post(ODD_PLAIN, json=body, **named).json()["predictions"]
    assert list(answer) == ["embedding", "anomaly"]
    assert np.float32(answer["embedding"]).tolist() == watch.package.encode(frame_of_json([GOOD])).embedding[0].tolist()
    (row,) = watch.post(ODD_PLAIN, json=GOOD, params={"outputs": "shares"}).json()["predictions"]
    assert list(row["shares"]) == list(watch.package.encoder.preparation.columns)
    assert sum(row["shares"].values()) == pytest.approx(1)


def test_an_anomaly_model_s_pages_name_its_outputs(watch):
    outputs = watch.get("/v2/models/fraud").json()["outputs"]
    columns = list(watch.package.encoder.preparation.columns)
    assert [(one["name"], one["datatype"], one["shape"]) for one in outputs] == [
        ("error", "FP64", [-1]),
        ("anomaly", "BOOL", [-1]),
        ("embedding", "FP32", [-1, 3]),
        ("shares", "FP64", [-1, len(columns)]),
    ]
    assert outputs[3]["parameters"]["columns"] == columns
    assert "/predict/fraud" in watch.get("/openapi.json").json()["paths"]


def test_rows_asked_again_are_answered_alike_with_a_cache(taught, tmp_path):
    rows = json_rows(table(30, seed=3))
    with office(tmp_path, taught("anomaly"), cache_entries=20) as made:
        asked = [made.post(ODD_INFER, json=v2(rows, outputs=["error", "embedding"])).json()["outputs"] for _ in range(3)]
        for rows_of in (rows[:5], rows[5:]):
            (one,) = made.post(ODD_INFER, json=v2(rows_of, outputs=["embedding"])).json()["outputs"]
            assert np.float32(one["data"]).tolist() == made.package.encode(frame_of_json(rows_of)).embedding.ravel().tolist()
        assert len(made.app.deployments.engines["fraud"].cache) == 20
        counted = [line for line in made.get("/metrics").text.splitlines() if line.startswith("ratchet_cache_rows_total")]
    assert asked[0] == asked[1] == asked[2]
    found = {line.partition('found="')[2].partition('"')[0]: float(line.rpartition(" ")[2]) for line in counted}
    assert found["yes"] >= 5
    assert found["yes"] + found["no"] == 30 * 3 + 30


def test_the_metrics_of_an_anomaly_model_tell_its_errors_and_alarms(taught, tmp_path):
    with office(tmp_path, taught("anomaly")) as made:
        rows = json_rows(table(300, seed=9))
        answers = made.post(ODD_PLAIN, json={"rows": rows}).json()["predictions"]
        page = made.get("/metrics").text
    by = 'deployment="fraud",role="champion",version="1"'
    assert f"ratchet_reconstruction_error_count{{{by}}} 300.0" in page
    assert f"ratchet_alarms_total{{{by}}} {float(sum(answer['anomaly'] for answer in answers))}" in page
    assert f"ratchet_model_seconds_count{{{by}}} 1.0" in page


def test_labels_of_alarms_are_taken(watch):
    labels = [{"request_id": "a", "label": 1}, {"request_id": "b", "label": "odd"}]
    answer = watch.post("/v2/models/fraud/feedback", json={"labels": labels}).json()
    assert (answer["taken"], answer["refused"]) == (1, 1)


@pytest.fixture(scope="module", params=["binary", "anomaly"])
def remembering(request, taught, tmp_path_factory):
    """An application that keeps the answers of a few rows."""
    with office(tmp_path_factory.mktemp("remembering"), taught(request.param), cache_entries=8) as made:
        yield made


@pytest.mark.slow
@settings(max_examples=40)
@given(st.lists(st.lists(ROW, min_size=1, max_size=4), min_size=1, max_size=3))
def test_with_a_cache_a_prediction_is_the_package_s_own_too(remembering, requests):
    for rows in (*requests, *requests):
        answer = remembering.post("/v2/models/fraud/infer", json=v2(rows))
        assert answer.status_code == 200, answer.text
        assert answer.json()["outputs"][0]["data"] == remembering.package.predict(frame_of_json(rows)).tolist()
