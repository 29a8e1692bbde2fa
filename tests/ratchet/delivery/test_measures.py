"""Business metrics: what an expression gives is summed by unit, for units that are complete, by the model that answered."""

import polars as pl
import pytest

from ratchet.delivery.measures import by_unit, columns
from ratchet.delivery.policy import Metric
from ratchet.errors import ExpressionError


def served(**changes):
    rows = {
        "request_id": ["a", "b", "c", "d"],
        "time": [0.0, 10.0, 20.0, 500.0],
        "unit": ["u1", "u1", "u2", "u3"],
        "role": ["champion", "champion", "challenger", "challenger"],
        "version": ["1", "1", "2", "2"],
        "prediction": [[0.2], [0.8], [0.9], [0.1]],
        "inputs": ['{"price":10}', '{"price":20}', '{"price":5}', None],
        "label": ["1", "0", "1", "1"],
        "available": [0.0] * 4,
    }
    return pl.DataFrame({**rows, **changes})


def test_values_are_summed_by_unit_and_arm():
    found = by_unit(columns(served()), Metric("revenue", "price * label"), complete=100.0, as_of=1000.0)
    assert {role: values.tolist() for role, values in found.items()} == {"champion": [10.0], "challenger": [5.0, 0.0]}


def test_a_unit_counts_once_it_is_complete():
    found = by_unit(columns(served()), Metric("clicks", "label"), complete=100.0, as_of=550.0)
    assert found["challenger"].tolist() == [1.0]


def test_what_comes_after_a_unit_was_complete_does_not_change_it():
    table = columns(served(time=[0.0, 200.0, 20.0, 500.0]))
    assert by_unit(table, Metric("revenue", "price"), complete=100.0, as_of=1000.0)["champion"].tolist() == [10.0]


def test_labels_that_are_words_stay_words():
    table = columns(served(label=["bought", "left", "bought", "left"]))
    found = by_unit(table, Metric("conversion", "CASE WHEN label = 'bought' THEN 1 ELSE 0 END"), complete=10.0, as_of=1000.0)
    assert found["challenger"].tolist() == [1.0, 0.0]


@pytest.mark.parametrize("text", ["prise * label", "(SELECT 1)", "read_csv('/etc/passwd')"])
def test_an_expression_that_is_not_allowed_or_names_no_column_is_refused(text):
    with pytest.raises(ExpressionError):
        by_unit(columns(served()), Metric("revenue", text), complete=10.0, as_of=1000.0)
