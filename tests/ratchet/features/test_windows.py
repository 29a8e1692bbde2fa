import math
from collections.abc import Callable
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import polars as pl
import pytest
import yaml
from hypothesis import example, given, settings
from hypothesis import strategies as st

from ratchet.errors import ExpressionError, SchemaError
from ratchet.features.windows import AGGREGATES, Window, compute_windows, parse_windows

ROOT = Path(__file__).resolve().parents[3]
START = datetime(2018, 4, 1)
SLOW: dict[str, Any] = {"sum": math.fsum, "mean": lambda seen: math.fsum(seen) / len(seen), "min": min, "max": max}


def slow(rows: pl.DataFrame, window: Window) -> list[float | None]:
    """Compute the window row by row, from its definition."""
    values = []
    for row in rows.iter_rows(named=True):
        since, until = row["at"] - window.lag - window.span, row["at"] - window.lag
        seen = [other for other in rows.iter_rows(named=True) if other["who"] == row["who"] and since <= other["at"] < until]
        present = [other["paid"] for other in seen if other["paid"] is not None and not math.isnan(other["paid"])]
        if row["who"] is None:
            values.append(None)
        elif window.aggregate == "count":
            values.append(len(present) if window.column else len(seen))
        else:
            values.append(SLOW[window.aggregate](present) if present else None)
    return values


paid = st.one_of(st.none(), st.just(float("nan")), st.floats(0.01, 1e9), st.sampled_from([1e15, 0.1]))
rows = st.lists(st.tuples(st.sampled_from(["a", "b", None]), st.integers(0, 60), paid), max_size=30)
windows = st.builds(
    Window,
    name=st.just("w"),
    by=st.just("who"),
    aggregate=st.sampled_from(AGGREGATES),
    column=st.just("paid"),
    over=st.sampled_from(["1h", "6h", "1d", "2d"]),
    delay=st.sampled_from(["", "1h", "12h", "1d"]),
)


def table_of(drawn: list[tuple[str | None, int, float | None]]) -> pl.DataFrame:
    return pl.DataFrame(
        [(who, START + timedelta(hours=hours), value) for who, hours, value in drawn],
        schema={"who": pl.String, "at": pl.Datetime("us"), "paid": pl.Float64},
        orient="row",
    )


@pytest.mark.slow
@settings(max_examples=200, deadline=None)
@given(rows=rows, window=windows)
@example(rows=[("a", 0, 1e15), ("a", 1, 0.1), ("a", 8, 1.0)], window=Window("w", "who", "sum", "paid", over="7h"))
@example(rows=[("a", 0, 1.0), ("a", 0, 2.0), ("a", 24, 3.0)], window=Window("w", "who", "count", over="1d"))
def test_a_window_is_what_a_loop_over_all_earlier_rows_finds(rows, window):
    table = table_of(rows)
    fast = compute_windows(table, [window], "at")["w"].to_list()
    for found, expected in zip(fast, slow(table, window), strict=True):
        assert (found is None) == (expected is None)
        assert expected is None or found == pytest.approx(expected, rel=1e-9, abs=0)


@pytest.mark.slow
@settings(max_examples=300)
@given(rows=rows.filter(len), later=rows, window=windows, place=st.integers(0, 10**6), value=paid)
@example(
    rows=[("a", 5, 1.0), ("a", 5, 2.0)], later=[("a", 0, 8.0)], window=Window("w", "who", "sum", "paid", over="6h"), place=0, value=3.0
)
def test_nothing_that_was_not_known_yet_can_change_a_window(rows, later, window, place, value):
    """The oracle of a leak: another future, another label that has not arrived, and the row's feature is the same to the last bit."""
    who, hour, _ = rows[place % len(rows)]
    unknown = hour - window.lag // timedelta(hours=1)  # the first hour whose rows and labels are not known at the row's time
    past = [row for row in rows if row[1] < unknown]
    changed = [*past, *((other, unknown + hours, paid) for other, hours, paid in later), (who, hour, value)]
    before = compute_windows(table_of([*rows, (who, hour, None)]), [window], "at")["w"]
    after = compute_windows(table_of(changed), [window], "at")["w"]
    assert before[-1] == after[-1]


@pytest.mark.slow
@pytest.mark.realdata
def test_the_fraud_handbooks_windows_are_what_the_definition_finds_among_all_pairs_of_rows(real_data: Callable[[str], Path]):
    """20,000 of 1.75 million rows, each beside every row of its entity: 10 million pairs, and the definition is a filter of them."""
    config = yaml.safe_load((ROOT / "pipelines/delivery/configs/fraud_handbook.yaml").read_text(encoding="utf-8"))
    windows = parse_windows(config["windows"])
    frame = pl.read_parquet(real_data("fraud_handbook/transactions.parquet")).with_row_index("row")
    fast = compute_windows(frame, windows, "TX_DATETIME").with_row_index("row")
    sampled = frame.sample(20_000, seed=5).select("row", "TX_DATETIME", "CUSTOMER_ID", "TERMINAL_ID")
    for by in ("CUSTOMER_ID", "TERMINAL_ID"):
        others = frame.select(by, "TX_AMOUNT", "TX_FRAUD", at="TX_DATETIME")
        pairs = sampled.select("row", by, "TX_DATETIME").join(others, on=by).with_columns(age=pl.col("TX_DATETIME") - pl.col("at"))
        assert len(pairs) > 3_000_000
        for window in (window for window in windows if window.by == by):
            seen = pairs.filter((pl.col("age") > window.lag) & (pl.col("age") <= window.lag + window.span))
            value = pl.len() if window.aggregate == "count" else getattr(pl.col(window.column), window.aggregate)().cast(pl.Float64)
            both = sampled.select("row").join(seen.group_by("row").agg(slow=value), on="row", how="left").join(fast, on="row", how="left")
            expected = both["slow"].fill_null(0) if window.aggregate == "count" else both["slow"]
            assert both[window.name].is_null().equals(expected.is_null()), window.name
            assert ((both[window.name] - expected).abs() <= 1e-12 * expected.abs()).all(), window.name


def test_large_values_that_have_passed_leave_no_trace():
    table = table_of([("a", hour, value) for hour, value in enumerate([-1e15, 0.1, 1e15, 0.1, 0.1, 0.1, 0.1, 1.0])])
    assert compute_windows(table, [Window("s", "who", "sum", "paid", over="4h")], "at")["s"][-1] == 0.4


def test_rows_of_the_same_instant_do_not_see_each_other_and_the_oldest_instant_is_in():
    table = pl.DataFrame({"who": [1, 1, 1], "at": [START, START + timedelta(days=7), START + timedelta(days=7)], "paid": [1.0, 2.0, 4.0]})
    sums = compute_windows(table, [Window("s", "who", "sum", "paid", over="7d")], "at")["s"]
    assert sums.to_list() == [None, 1.0, 1.0]


def test_a_label_that_is_not_known_yet_is_not_seen():
    days = [START + timedelta(days=day) for day in (0, 3, 7, 8)]
    table = pl.DataFrame({"terminal": [1] * 4, "at": days, "fraud": [True, True, False, False]})
    risk = compute_windows(table, [Window("risk", "terminal", "mean", "fraud", over="7d", delay="7d")], "at")["risk"]
    assert risk.to_list() == [None, None, None, 1.0]


def test_windows_are_the_same_in_any_order_of_the_rows():
    table = pl.DataFrame(
        {"who": ["a", "b"] * 20, "at": [START + timedelta(hours=h) for h in range(40)], "paid": list(map(float, range(40)))}
    )
    declared = [Window("m", "who", "mean", "paid", over="1d"), Window("n", "who", "count", over="12h")]
    shuffled = table.with_row_index().sample(fraction=1.0, shuffle=True, seed=3)
    assert (
        compute_windows(shuffled, declared, "at")
        .with_columns(shuffled["index"])
        .sort("index")
        .drop("index")
        .equals(compute_windows(table, declared, "at"))
    )


def test_dates_and_many_entities_over_centuries_do_not_overflow():
    table = pl.DataFrame({"who": list(range(1000)) * 2, "at": [date(1800, 1, 1)] * 1000 + [date(2200, 1, 1)] * 1000})
    assert compute_windows(table, [Window("n", "who", "count", over="5000w")], "at")["n"].sum() == 0
    table = table.with_columns(at=pl.col("at").replace(date(2200, 1, 1), date(1800, 1, 2)))
    assert compute_windows(table, [Window("n", "who", "count", over="1d")], "at")["n"].to_list() == [0] * 1000 + [1] * 1000


def test_no_window_and_no_row_are_no_error():
    table = pl.DataFrame(schema={"who": pl.String, "at": pl.Datetime("us")})
    assert compute_windows(table, [], "at").is_empty()
    assert compute_windows(table, [Window("n", "who", "count")], "at")["n"].to_list() == []


@pytest.mark.parametrize(
    ("declared", "message"),
    [
        ({"name": "n", "by": "who", "aggregate": "count", "ovr": "7d"}, "unknown part 'ovr'; did you mean 'over'"),
        ({"name": "n", "by": "who"}, "'n' lacks 'aggregate'"),
        ({"by": "who", "aggregate": "count"}, "lacks 'name'"),
        ({"name": "n", "by": "who", "aggregate": "cuont"}, "did you mean 'count'"),
        ({"name": "n", "by": "who", "aggregate": "mean"}, "mean of what"),
        ({"name": "n", "by": "", "aggregate": "count"}, "lacks by"),
        ({"name": "n", "by": "who", "aggregate": "count", "over": "0"}, "no row is in"),
        ({"name": "n", "by": "who", "aggregate": "count", "over": "a week"}, "like 30m, 12h, 7d"),
        ({"name": "n", "by": "who", "aggregate": "count", "delay": 7.0}, "delay is 7.0; write a text"),
        ("n_7d", "write a mapping"),
    ],
)
def test_a_window_that_is_not_well_declared_is_refused(declared, message):
    with pytest.raises(ExpressionError, match=message):
        parse_windows([declared])


def test_two_windows_of_one_name_are_refused():
    with pytest.raises(ExpressionError, match="two windows are named 'n'"):
        parse_windows([{"name": "n", "by": "who", "aggregate": "count"}] * 2)


@pytest.mark.parametrize(
    ("window", "time", "error", "message"),
    [
        (Window("n", "customer", "count"), "at", SchemaError, "no column 'customer'"),
        (Window("n", "who", "sum", "piad"), "at", SchemaError, "did you mean 'paid'"),
        (Window("n", "who", "sum", "who"), "at", ExpressionError, "'who' is String, not a number"),
        (Window("n", "who", "count"), "", ExpressionError, "set time_column"),
        (Window("n", "who", "count"), "paid", ExpressionError, "'paid' is Float64, not a datetime"),
        (Window("n", "who", "count"), "late", SchemaError, "missing in row 1"),
    ],
)
def test_a_table_that_does_not_fit_is_refused(window, time, error, message):
    table = pl.DataFrame({"who": ["a", "b"], "at": [START, START], "late": [START, None], "paid": [1.0, 2.0]})
    with pytest.raises(error, match=message):
        compute_windows(table, [window], time)
