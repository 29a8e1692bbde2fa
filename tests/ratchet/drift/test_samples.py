from datetime import date, datetime, time, timedelta

import numpy as np
import polars as pl
import pytest

from ratchet.drift.samples import Categories, Numbers, is_number, sample_of


@pytest.mark.parametrize(
    ("column", "values"),
    [
        (pl.Series([3, None, 1], dtype=pl.Int16), [1, 3]),
        (pl.Series([2**63 - 1, 2**63 - 2]), [2**63 - 2, 2**63 - 1]),
        (pl.Series([0.5, float("nan"), float("inf"), -float("inf"), None]), [-np.inf, 0.5, np.inf]),
        (pl.Series(["1.5", "0.5"]).cast(pl.Decimal(4, 1)), [0.5, 1.5]),
        (pl.Series([date(1970, 1, 3), date(1969, 12, 31)]), [-1, 2]),
        (pl.Series([datetime(1970, 1, 1, 0, 0, 1)]), [1_000_000]),
        (pl.Series([time(0, 0, 1)]), [1_000_000_000]),
        (pl.Series([timedelta(seconds=1)]), [1_000_000]),
        (pl.Series([None, None], dtype=pl.Float64), []),
    ],
)
def test_numbers_and_times_of_any_type_are_in_order_and_exact(column: pl.Series, values: list[float]) -> None:
    sample = sample_of(column)
    assert isinstance(sample, Numbers)
    assert (sample.values.tolist(), sample.rows, sample.present) == (values, len(column), len(values))


@pytest.mark.parametrize(
    "column",
    [
        pl.Series([True, None, False, True]),
        pl.Series(["", "é", "e\u0301", "\0", "日本", None]),
        pl.Series(["a", "b", "a"], dtype=pl.Categorical),
        pl.Series(["b", "a"], dtype=pl.Enum(["a", "b"])),
        pl.Series([None], dtype=pl.Null),
    ],
)
def test_everything_else_is_a_category_that_is_found_again_by_its_hash(column: pl.Series) -> None:
    sample = sample_of(column)
    assert isinstance(sample, Categories)
    texts = column.cast(pl.String).drop_nulls().to_list()
    assert sorted(str(sample.text(int(value))) for value in sample.hashes) == sorted(texts)
    assert (sample.present, sample.text(1)) == (len(texts), None)


def test_a_text_has_one_hash_whatever_type_held_it() -> None:
    sides = [sample_of(pl.Series(["b", "a"], dtype=dtype)) for dtype in (pl.String(), pl.Categorical(), pl.Enum(["a", "b"]))]
    assert len({tuple(side.hashes.tolist()) for side in sides if isinstance(side, Categories)}) == 1


@pytest.mark.parametrize(
    ("dtype", "value", "told"),
    [
        (pl.Float64(), 0.1234567, "0.123457"),
        (pl.Int64(), 1_234_567, "1,234,567"),
        (pl.Date(), 19_000, "2022-01-08"),
        (pl.Datetime("us"), 1_000_000, "1970-01-01 00:00:01"),
        (pl.Time(), 1_000_000_000, "00:00:01"),
    ],
)
def test_a_value_is_told_as_a_person_writes_it(dtype: pl.DataType, value: float, told: str) -> None:
    assert Numbers(dtype, 0, np.empty(0)).told(value) == told


def test_is_number_holds_booleans_to_be_categories() -> None:
    assert [is_number(dtype) for dtype in (pl.UInt8(), pl.Float32(), pl.Duration(), pl.Boolean(), pl.Null())] == [True] * 3 + [False] * 2
