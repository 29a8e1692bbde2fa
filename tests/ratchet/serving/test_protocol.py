"""The protocol: columns and rows become the same rows, and answers have the shapes that the protocol says."""

import numpy as np
import pytest

from ratchet.errors import RequestError
from ratchet.features.spec import FeatureSpec
from ratchet.serving.protocol import ModelInterface, check_identifier, unix_time
from ratchet.serving.served import Answer

SPEC = FeatureSpec("binary", "y", {"a": "number", "b": "string"}, ("a", "b"), classes=("no", "yes"))
FACE = ModelInterface("m", SPEC)


def tensor(name, data, datatype="FP64", shape=None):
    return {"name": name, "datatype": datatype, "shape": shape or [len(data)], "data": data}


def test_columns_in_any_order_and_rows_are_the_same():
    infer = FACE.read_infer({"inputs": [tensor("b", ["x", None], "BYTES"), tensor("a", [1, 2.5])]})
    assert infer.inputs == FACE.read_plain({"rows": [{"a": 1, "b": "x"}, {"b": None, "a": 2.5}]}).inputs


@pytest.mark.parametrize("data", [[1.0, 2.0], [[1.0], [2.0]]])
def test_a_column_may_be_a_matrix_of_one_column(data):
    asked = FACE.read_infer({"inputs": [tensor("a", data, shape=[2, 1]), tensor("b", ["x", "y"], "BYTES")]})
    assert asked.inputs["a"] == [1.0, 2.0]


def test_key_time_and_id_come_along():
    asked = FACE.read_plain({"rows": [{"a": 1, "b": ""}], "id": "i", "key": 7, "time": "1970-01-01T00:00:10Z"})
    assert (asked.request_id, asked.key, asked.time) == ("i", "7", 10.0)


def test_a_model_with_a_column_named_rows_takes_one_row():
    face = ModelInterface("m", FeatureSpec("binary", "y", {"rows": "number"}, ("rows",), classes=("0", "1")))
    assert face.read_plain({"rows": 3}).inputs == {"rows": [3.0]}


def test_answers_have_the_protocol_s_shapes():
    answer = Answer(np.array([0.25, 0.75]), "1", "champion", ["no", "yes"], "stable", 1)
    told = FACE.infer_answer("i", answer, ())
    assert [(one["name"], one["datatype"], one["shape"]) for one in told["outputs"]] == [
        ("probability", "FP64", [2]),
        ("decision", "BYTES", [2]),
    ]
    only = FACE.infer_answer("i", answer, ("decision",))
    assert [one["name"] for one in only["outputs"]] == ["decision"]


@pytest.mark.parametrize("value", ["", "a b", "x" * 129, "ä", "a\r\n"])
def test_an_identifier_can_stand_in_a_header(value):
    with pytest.raises(RequestError):
        check_identifier(value, "id")


@pytest.mark.parametrize("value", [-1, 1e12, True, "soon", None, float("nan")])
def test_what_is_no_time_is_refused(value):
    with pytest.raises(RequestError, match="time"):
        unix_time(value, "time")
