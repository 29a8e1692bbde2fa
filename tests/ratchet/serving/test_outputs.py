"""Outputs: what may be asked for, and how each is written."""

import numpy as np
import pytest

from ratchet.errors import RequestError
from ratchet.features.spec import FeatureSpec
from ratchet.serving.outputs import MAX_NUMBERS, Outputs, outputs_in
from ratchet.serving.served import Answer

SPEC = FeatureSpec("anomaly", "", {"a": "number", "b": "string"}, ("a", "b"), classes=("normal", "anomaly"))
OUTPUTS = Outputs(SPEC, latent=2, columns=("a", "c", "b", "d"))
SHARES = np.array([[0.1, 0.2, 0.3, 0.4], [0.25, 0.25, 0.25, 0.25]])
DETAILS = {"embedding": np.float32([[1.5, -2.0], [0.0, 0.1]]), "shares": SHARES}
ANSWER = Answer(np.array([0.5, 7.0]), "3", "champion", ["normal", "anomaly"], "stable", 1, DETAILS, OUTPUTS.columns)


def test_an_anomaly_model_answers_error_and_anomaly_unless_asked_for_more():
    assert [(one["name"], one["datatype"], one["shape"], one["data"]) for one in OUTPUTS.tensors((), ANSWER)] == [
        ("error", "FP64", [2], [0.5, 7.0]),
        ("anomaly", "BOOL", [2], [False, True]),
    ]
    embedding, shares = OUTPUTS.tensors(("embedding", "shares"), ANSWER)
    assert (embedding["datatype"], embedding["shape"], embedding["data"].tolist()) == (
        "FP32",
        [2, 2],
        DETAILS["embedding"].ravel().tolist(),
    )
    assert (shares["datatype"], shares["shape"], shares["data"].tolist()) == ("FP64", [2, 4], SHARES.ravel().tolist())
    assert shares["parameters"] == {"columns": ["a", "c", "b", "d"]}


def test_an_alarm_is_explained_by_the_three_columns_that_most_of_its_error_is_of():
    first, second = OUTPUTS.rows((), ANSWER)
    assert first == {"error": 0.5, "anomaly": False}
    assert second == {"error": 7.0, "anomaly": True, "columns": {"a": 0.25, "c": 0.25, "b": 0.25}}
    alarm = Answer(np.array([9.0]), "3", "champion", ["anomaly"], "stable", 1, {"shares": SHARES[:1]}, OUTPUTS.columns)
    assert list(OUTPUTS.rows((), alarm)[0]["columns"].items()) == [("d", 0.4), ("b", 0.3), ("c", 0.2)]


def test_a_plain_answer_has_what_was_asked_for_and_nothing_else():
    first, _ = OUTPUTS.rows(("shares", "embedding"), ANSWER)
    assert first["shares"] == {"a": 0.1, "c": 0.2, "b": 0.3, "d": 0.4}
    assert (list(first), first["embedding"].tolist()) == (["shares", "embedding"], [1.5, -2.0])
    assert OUTPUTS.rows(("anomaly",), ANSWER) == [{"anomaly": False}, {"anomaly": True}]


def test_the_metadata_list_every_output_with_its_shape():
    assert [(one["name"], one["datatype"], one["shape"]) for one in OUTPUTS.metadata()] == [
        ("error", "FP64", [-1]),
        ("anomaly", "BOOL", [-1]),
        ("embedding", "FP32", [-1, 2]),
        ("shares", "FP64", [-1, 4]),
    ]
    several = FeatureSpec("multiclass", "y", {"a": "number"}, ("a",), classes=("x", "y", "z"))
    assert [(one["name"], one["shape"]) for one in Outputs(several).metadata()] == [("probability", [-1, 3]), ("decision", [-1])]


def test_details_are_computed_only_for_who_asks():
    assert OUTPUTS.wants((), 5) == frozenset()
    assert OUTPUTS.wants(("error", "anomaly"), 5, plain=True) == frozenset()
    assert OUTPUTS.wants(("error", "embedding"), 5) == {"embedding"}
    assert OUTPUTS.wants((), 5, plain=True) == {"shares"}, "an alarm must be explained"
    assert Outputs(FeatureSpec("regression", "y", {"a": "number"}, ("a",))).wants((), 5, plain=True) == frozenset()


@pytest.mark.parametrize(
    ("names", "status", "says"),
    [
        (["embeding"], 422, "did you mean 'embedding'"),
        (["decision"], 422, "known: anomaly, embedding, error, shares"),
        ([None], 422, "None"),
        ([["error"]], 422, "error"),
        (["error", "error"], 400, "'error' is asked for twice"),
        (["x" * 10_000], 422, "…"),
    ],
)
def test_what_cannot_be_asked_for_is_named(names, status, says):
    with pytest.raises(RequestError, match=says) as refused:
        OUTPUTS.named(names)
    assert refused.value.status == status
    assert len(str(refused.value)) < 300


def test_an_answer_is_bounded_and_the_message_says_how_many_rows_are_not_too_many():
    wide = Outputs(SPEC, latent=64, columns=tuple(map(str, range(64))))
    names = ("embedding", "shares")
    most = MAX_NUMBERS // 128
    assert wide.wants(names, most) == set(names)
    with pytest.raises(RequestError, match=f"send at most {most} rows") as refused:
        wide.wants(names, most + 1)
    assert refused.value.status == 422


@pytest.mark.parametrize(
    ("query", "names"),
    [(b"", None), (b"&", None), (b"outputs=error", ["error"]), (b"outputs=a%2Cb,c", ["a", "b", "c"]), (b"outputs=", [""])],
)
def test_a_query_names_outputs(query, names):
    assert outputs_in(query) == names


@pytest.mark.parametrize(
    ("query", "says"),
    [
        (b"output=error", "did you mean 'outputs'"),
        (b"outputs=a&outputs=b", "twice"),
        (b"\xff\xfe", "unknown"),
        (b"a=1&" * 50, "8 parameters"),
    ],
)
def test_another_query_is_refused(query, says):
    with pytest.raises(RequestError, match=says):
        outputs_in(query)
