"""Every type of column becomes one of five kinds, or is refused by name."""

from datetime import UTC, date, datetime, timedelta, timezone

import polars as pl
import pytest

from ratchet.data.kinds import canonical
from ratchet.errors import SchemaError


def test_every_plain_type_becomes_one_of_five() -> None:
    frame = pl.DataFrame(
        {
            "small": pl.Series([1, 2], dtype=pl.UInt8),
            "price": pl.Series(["1.5", "2.5"]).cast(pl.Decimal(9, 2)),
            "day": [date(2024, 3, 31), None],
            "city": pl.Series(["Oslo", ""], dtype=pl.Categorical),
            "nothing": [None, None],
        }
    )
    made = canonical(frame)
    assert made.dtypes == [pl.Int64, pl.Float64, pl.Datetime("us"), pl.String, pl.String]
    assert made.rows()[0] == (1, 1.5, datetime(2024, 3, 31), "Oslo", None)
    assert made["city"][1] is None, "an empty text and a missing one are the same in CSV"


def test_times_with_a_zone_become_utc() -> None:
    oslo = datetime(2024, 3, 1, 12, tzinfo=timezone(timedelta(hours=1)))
    frame = pl.DataFrame({"time": pl.Series([oslo.astimezone(UTC)]).dt.convert_time_zone("Europe/Oslo")})
    assert canonical(frame)["time"][0] == datetime(2024, 3, 1, 11)


@pytest.mark.parametrize("column", [pl.Series([[1], [2]]), pl.Series([{"a": 1}]), pl.Series([b"\x00"]), pl.Series([timedelta(1)])])
def test_a_column_that_no_model_takes_is_refused_by_name(column: pl.Series) -> None:
    with pytest.raises(SchemaError, match=r"column 'odd' is of type .*drop it"):
        canonical(column.alias("odd").to_frame())
