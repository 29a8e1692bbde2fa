from datetime import UTC, date, datetime

import polars as pl
import pytest

from ratchet.errors import ExpressionError, ParameterError, SchemaError
from ratchet.features.instants import Instants


def test_dates_datetimes_and_times_with_a_zone_are_on_one_scale():
    naive = pl.DataFrame({"at": [datetime(2024, 5, 1)]})
    zoned = pl.DataFrame({"at": [datetime(2024, 5, 1, tzinfo=UTC)]}).with_columns(pl.col("at").dt.convert_time_zone("Asia/Tokyo"))
    values = [int(Instants.of(frame, "at").values[0]) for frame in (naive, zoned, pl.DataFrame({"at": [date(2024, 5, 1)]}))]
    assert values == [1714521600000000] * 3


@pytest.mark.parametrize("text", ["2024-05-01", "2024-05-01T00:00:00", "2024-05-01T02:00:00+02:00"])
def test_a_boundary_is_written_as_iso_8601(text):
    assert Instants.of(pl.DataFrame({"at": [datetime(2024, 5, 1)]}), "at").parse(text, "holdout_from") == 1714521600000000


def test_an_instant_written_as_text_is_read_back_exactly():
    instants = Instants.of(pl.DataFrame({"at": [datetime(2024, 5, 1, 1, 2, 3, 456789)]}), "at")
    assert instants.parse(instants.text(instants.values[0]), "x") == instants.values[0]
    numbers = Instants.of(pl.DataFrame({"at": [0.1 + 0.2]}), "at")
    assert numbers.parse(numbers.text(numbers.values[0]), "x") == 0.1 + 0.2


@pytest.mark.parametrize(
    ("frame", "message"),
    [
        ({"at": ["1 May"]}, r"is String \(first value '1 May'\), which is no time; write times like"),
        ({"at": [True]}, "which is no time"),
        ({"at": [datetime(2024, 5, 1), None]}, "no value in row 1"),
        ({"at": [0.5, float("nan")]}, "no value in row 1"),
        ({"ta": [1]}, "did you mean|known: ta"),
    ],
)
def test_a_column_that_is_no_time_is_refused(frame, message):
    with pytest.raises(SchemaError, match=message):
        Instants.of(pl.DataFrame(frame), "at")


def test_a_boundary_or_span_that_does_not_fit_the_column_is_refused():
    times, numbers = Instants.of(pl.DataFrame({"at": [datetime(2024, 5, 1)]}), "at"), Instants.of(pl.DataFrame({"at": [0.5]}), "at")
    with pytest.raises(ParameterError, match=r"holdout_from is 'May'.*2024-05-01"):
        times.parse("May", "holdout_from")
    with pytest.raises(ParameterError, match="needs a number"):
        numbers.parse("2024-05-01", "holdout_from")
    with pytest.raises(ParameterError, match="holds numbers, so give a number"):
        numbers.span("7d", "label_delay")
    with pytest.raises(ExpressionError, match="label_delay is '7'"):
        times.span("7", "label_delay")
    assert numbers.span("0.25", "label_delay") == 0.25
