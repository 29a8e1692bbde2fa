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


@pytest.mark.parametrize(
    ("column", "says"),
    [
        (
            pl.Series("x", [1, 2**63], dtype=pl.UInt64),
            "holds 9223372036854775808, whose digits no number of 64 bits can hold; write it as text",
        ),
        (pl.Series("x", [1, -(2**90)], dtype=pl.Int128), "holds -1237940039285380274899124224, whose digits"),
        (pl.Series("x", ["1", "12345678901234567891"]).cast(pl.Decimal(38, 0)), "holds 12345678901234567891, whose digits"),
        (pl.Series("x", [0, 2**62]).cast(pl.Datetime("us")), "holds a time of about the year 148,109, outside the calendar"),
        (pl.Series("x", [0, 2**60]).cast(pl.Datetime("ms")), "holds a time of about the year 36,536,598"),
        (pl.Series("x", [0, -(2**31)], dtype=pl.Int32).cast(pl.Date), "holds a time of about the year -5,877,641"),
    ],
)
def test_what_would_lose_digits_or_leave_the_calendar_is_refused(column: pl.Series, says: str) -> None:
    with pytest.raises(SchemaError, match=f"^data: column 'x' {says}"):
        canonical(column.to_frame(), "data")


def test_what_fits_is_kept_to_the_last_digit_and_the_last_day() -> None:
    assert canonical(pl.Series("x", [2**63 - 1], dtype=pl.UInt64).to_frame())["x"].to_list() == [2**63 - 1]
    assert canonical(pl.Series("x", [str(2**60)]).cast(pl.Decimal(38, 0)).to_frame())["x"].to_list() == [float(2**60)]
    thirds = pl.Series("x", ["0.333333333333333333"]).cast(pl.Decimal(38, 18)).to_frame()
    assert canonical(thirds)["x"].to_list() == [1 / 3], "a quantity is rounded as any float is"
    ends = [datetime(1, 1, 1), datetime(9999, 12, 31, 23, 59, 59, 999_999)]
    assert canonical(pl.DataFrame({"x": ends}))["x"].to_list() == ends
