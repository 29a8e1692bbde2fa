"""Whatever a client sends can be written, and is read again as it was, or as the module says."""

import math
from collections import OrderedDict
from dataclasses import replace
from datetime import date
from decimal import Decimal
from types import MappingProxyType

import numpy as np
import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ratchet.errors import StoreError
from ratchet.traffic.records import Label, Prediction, decode, encode, label_text
from tests.ratchet.traffic.examples import label, prediction

finite = st.floats(allow_nan=False, allow_infinity=False)
texts = st.text(st.characters(exclude_categories=["Cs"]))
integers = st.integers(-(2**63) + 1, 2**63 - 1)
values = st.recursive(
    st.none() | st.booleans() | integers | finite | texts,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=8,
)
predictions = st.builds(
    Prediction,
    texts,
    finite,
    *[texts] * 4,
    integers,
    integers,
    integers,
    st.booleans(),
    texts,
    st.none() | st.dictionaries(texts, values, max_size=5),
    st.lists(finite, max_size=4).map(tuple),
    finite,
    texts,
)
labels = st.builds(Label, texts, finite, finite, texts, texts | finite | integers | st.booleans())
strange = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters()) | st.binary() | st.dates() | st.decimals(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(st.characters()) | st.integers(), inner, max_size=3),
    max_leaves=8,
)


@given(predictions | labels)
def test_a_record_that_json_can_hold_comes_back_as_it_was(record):
    assert decode(encode(record)) == record


@given(st.text(st.characters()), st.dictionaries(st.text(st.characters()), strange, max_size=4), st.lists(st.floats(), max_size=4))
def test_any_record_can_be_written_and_read_and_reading_it_again_changes_nothing(text, inputs, numbers):
    record = prediction(text, unit=text, error=text, inputs=inputs, prediction=tuple(numbers))
    back = decode(encode(record))
    assert isinstance(back, Prediction)
    assert back.request_id == text.encode("utf-8", "backslashreplace").decode()
    assert len(back.prediction) == len(numbers)
    assert all(
        math.isnan(there) if not math.isfinite(here) else here == there for here, there in zip(numbers, back.prediction, strict=True)
    )
    assert encode(decode(encode(back))) == encode(back)
    orjson.dumps(back.inputs, option=orjson.OPT_SORT_KEYS)  # as it is put into Parquet


@pytest.mark.parametrize(
    ("value", "kept"),
    [
        (math.nan, None),
        (math.inf, None),
        ("\ud800", "\\ud800"),
        (2**70, str(2**70)),
        pytest.param(10**5000, hex(10**5000), id="more digits than Python prints"),
        (np.float32(0.5), 0.5),
        (np.array([1, 2]), [1, 2]),
        (date(2026, 11, 20), "2026-11-20"),
        (Decimal("1.10"), "1.10"),
        ({3}, [3]),
        (OrderedDict(b=1), {"b": 1}),
        (MappingProxyType({"a": "\udfff"}), {"a": "\\udfff"}),
        (["\ud800", {1, 2}, Decimal("1.1"), np.int8(3), None], ["\\ud800", [1, 2], "1.1", 3, None]),
    ],
)
def test_what_json_cannot_hold_becomes_what_the_module_says(value, kept):
    assert decode(encode(prediction(inputs={"x": value}))).inputs == {"x": kept}


def test_nesting_without_end_is_cut():
    deep: dict = {}
    for _ in range(400):
        deep = {"x": deep}
    endless: dict = {}
    endless["x"] = endless
    for inputs in (deep, endless):
        assert encode(prediction(inputs=inputs)).count(b'"x"') == 50


def test_a_label_that_is_no_finite_number_comes_back_as_not_a_number():
    assert math.isnan(decode(encode(label("a", math.inf))).label)


@pytest.mark.parametrize(
    "payload",
    [
        b"{}",
        b"[]",
        b"[1]",
        b'["p1"]',
        b'["l1",1]',
        encode(prediction()).replace(b"[0.25]", b'"x"'),
        encode(prediction()).replace(b",7,", b",18446744073709551615,"),
    ],
)
def test_what_is_no_record_is_told_from_one(payload):
    with pytest.raises(ValueError):
        decode(payload)


def test_a_record_of_a_newer_version_is_not_taken_for_damage():
    with pytest.raises(StoreError, match=r"'p2'.*version of Ratchet that wrote it"):
        decode(b'["p2","a"]')


def test_labels_are_named_as_training_names_classes():
    assert [label_text(value) for value in (1, 1.0, True, False, "1.0", 0.1, -0.0)] == ["1", "1", "true", "false", "1.0", "0.1", "0"]


def test_a_whole_time_is_a_time():
    assert decode(encode(replace(prediction(), time=5))).time == 5.0
