"""Labels: every way to write a class is that class, and what is none is refused by itself."""

import pytest

from ratchet.errors import RequestError
from ratchet.features.spec import FeatureSpec
from ratchet.serving.feedback import read_feedback

BINARY = FeatureSpec("binary", "y", {"a": "number"}, ("a",), classes=("0", "1"))
WORDS = FeatureSpec("binary", "y", {"a": "number"}, ("a",), classes=("false", "true"))
ANOMALY = FeatureSpec("anomaly", "y", {"a": "number"}, ("a",), classes=("no", "yes"))
UNLABELLED = FeatureSpec("anomaly", "", {"a": "number"}, ("a",), classes=("normal", "anomaly"))
VALUE = FeatureSpec("regression", "y", {"a": "number"}, ("a",))


def read(label, spec):
    return read_feedback({"labels": [{"request_id": "r", "label": label}]}, spec, "fraud", 5.0)


@pytest.mark.parametrize(
    ("label", "spec", "recorded"),
    [
        (1, BINARY, "1"),
        (1.0, BINARY, "1"),
        ("1", BINARY, "1"),
        (True, WORDS, "true"),
        (True, BINARY, "1"),
        (2, VALUE, 2.0),
        ("yes", ANOMALY, "yes"),
        ("anomaly", UNLABELLED, "anomaly"),
        (True, UNLABELLED, "anomaly"),
        (0, UNLABELLED, "normal"),
    ],
)
def test_a_label_is_recorded_as_the_model_names_it(label, spec, recorded):
    [made] = read(label, spec).labels
    assert (made.label, made.time, made.received, made.deployment) == (recorded, 5.0, 5.0, "fraud")


@pytest.mark.parametrize(
    ("label", "spec"),
    [
        (2, BINARY),
        (None, BINARY),
        ([], BINARY),
        (0.5, BINARY),
        ("x", VALUE),
        (True, VALUE),
        (float("nan"), VALUE),
        (True, ANOMALY),
        ("strange", UNLABELLED),
        (2, UNLABELLED),
        (0.5, UNLABELLED),
        (float("nan"), UNLABELLED),
    ],
)
def test_what_is_no_label_is_refused(label, spec):
    told = read(label, spec)
    assert (len(told.labels), told.refused_count) == (0, 1)


def test_a_batch_is_bounded():
    with pytest.raises(RequestError, match="10001 labels"):
        read_feedback({"labels": [{}] * 10_001}, BINARY, "fraud", 5.0)
