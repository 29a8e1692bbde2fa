import numpy as np
import polars as pl
import pytest

from ratchet.errors import ExpressionError, SchemaError
from ratchet.features.spec import SplitRecord
from ratchet.features.specify import check_windows, specify
from ratchet.features.split_plan import SplitPlan, Splits
from ratchet.features.target import Target
from ratchet.features.windows import Window

FRAME = pl.DataFrame(
    {"id": [1], "card": ["a"], "shop": ["s"], "at": ["2024-05-01"], "born": ["1990-01-01"]}
    | {"amount": [1.5], "country": ["de"], "leak": [1], "y": [0]}
).with_columns(pl.col("at", "born").str.to_datetime())
TARGET = Target("y", "binary", ("0", "1"))
PLAN = SplitPlan(time="at", key=("id",), group="card").identified_by(name for name in FRAME.columns if name != "y")
PARTS = Splits(np.array([0]), np.array([0]), np.array([0]), SplitRecord("time", ("at",)))


def made(expressions=None, windows=(), drop=("leak",), frame=FRAME):
    return specify(frame, TARGET, PLAN, PARTS, expressions=expressions or {}, windows=windows, drop=drop)


def test_every_column_is_a_feature_but_those_with_another_part():
    frame = FRAME.with_columns(n=pl.lit(3))
    spec = made({"age": "extract(year from at) - extract(year from born)"}, (Window("n", "shop", "count"),), frame=frame)
    assert spec.plain == ("amount", "country")
    assert spec.features == ("amount", "country", "n", "age")
    assert spec.inputs == {"at": "datetime", "born": "datetime", "amount": "number", "country": "string", "n": "integer"}


def test_a_dropped_column_may_still_be_read_by_an_expression():
    assert made({"leaky": "leak * 2"}).inputs["leak"] == "integer"


@pytest.mark.parametrize(
    ("expressions", "message"),
    [
        ({"amount": "amount * 2"}, "'amount' has the name of a column"),
        ({"easy": "y + 1"}, "reads the target 'y'"),
        ({"f": "amuont"}, "did you mean 'amount'"),
        ({"f": "read_csv('/etc/passwd')"}, "not allowed"),
        ({"f": "at"}, "gives a Datetime"),
    ],
)
def test_an_expression_that_does_not_fit_the_table_is_refused(expressions, message):
    with pytest.raises(ExpressionError, match=message):
        made(expressions)


def test_a_table_without_a_feature_is_refused():
    with pytest.raises(SchemaError, match="no feature is left"):
        made(drop=("leak", "amount", "country", "shop"))


def test_a_window_must_not_hide_a_column_or_see_labels_before_they_are_known():
    with pytest.raises(ExpressionError, match="'amount' has the name of a column"):
        check_windows(FRAME, [Window("amount", "card", "count")], "y", "")
    with pytest.raises(ExpressionError, match="'risk' reads the target 'y' with delay '1d', before the label is known"):
        check_windows(FRAME, [Window("risk", "shop", "mean", "y", "7d", "1d")], "y", "7d")
    check_windows(FRAME, [Window("risk", "shop", "mean", "y", "7d", "7d"), Window("n", "shop", "count")], "y", "7d")
