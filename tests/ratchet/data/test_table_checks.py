"""A broken feed is seen in the table as a whole, and ordinary change is not taken for one."""

from datetime import datetime

import numpy as np
import polars as pl
import pytest

from ratchet.data.cards import simulate_cards
from ratchet.data.findings import Limits
from ratchet.data.quality import assess
from ratchet.data.schema import Schema

MONTH = simulate_cards(1, seed=11, customers=100)
NEXT = simulate_cards(2, seed=11, customers=100)
SCHEMA = Schema.infer(MONTH, key=["transaction_id"], time="time", target="fraud")


def checks(frame: pl.DataFrame, limits: Limits | None = None) -> set[str]:
    return {finding.check for finding in assess(frame, SCHEMA, limits).findings}


@pytest.mark.parametrize("factor", [0.01, 0.001, 100, 1000])
def test_another_unit_is_named_with_its_factor(factor: float) -> None:
    result = assess(NEXT.with_columns(pl.col("amount") * factor), SCHEMA)
    assert result.verdict == "invalid"
    assert "column 'amount' is about" in result.reason.lower()
    assert "check the unit upstream" in result.reason


def test_another_unit_from_some_day_on_is_dated() -> None:
    late = NEXT.with_columns(
        pl.when(pl.col("time") >= datetime(2024, 2, 24)).then(pl.col("amount") * 0.01).otherwise("amount").alias("amount")
    )
    result = assess(late, SCHEMA)
    assert result.verdict == "invalid"
    assert "in the rows from 2024-02-2" in result.reason


@pytest.mark.parametrize("factor", [0.5, 2.0, 3.0])
def test_growth_is_not_another_unit(factor: float) -> None:
    assert "scale shift" not in checks(NEXT.with_columns(pl.col("amount") * factor))


def test_a_column_gone_missing_is_told_by_its_share() -> None:
    gaps = MONTH.with_columns(pl.when(pl.int_range(pl.len()) % 10 == 0).then(None).otherwise("amount").alias("amount"))
    schema = Schema.infer(gaps, time="time", target="fraud")
    more = NEXT.with_columns(pl.when(pl.int_range(pl.len()) % 10 < 6).then(None).otherwise("amount").alias("amount"))
    result = assess(more, schema)
    assert result.verdict == "invalid"
    assert "'amount' is missing in 60.0% of the rows, more than 20.0%" in result.reason
    assert assess(gaps, schema).verdict == "valid"


def test_labels_out_of_balance_and_labels_gone_are_told() -> None:
    flipped = NEXT.with_columns(pl.Series("fraud", np.arange(NEXT.height) % 5 == 0).cast(pl.Int64))
    assert "label balance" in checks(flipped)
    none = NEXT.with_columns(pl.lit(0, pl.Int64).alias("fraud"))
    result = assess(none, SCHEMA)
    assert result.verdict == "invalid"
    assert "Target 'fraud' is 0 in every row; take rows of both kinds" in result.reason


def test_stale_data_is_dated() -> None:
    limits = Limits(now="2024-06-01", max_age_days=30)
    result = assess(NEXT, SCHEMA, limits)
    assert result.verdict == "invalid"
    assert "more than 30 days before 2024-06-01" in result.reason
    assert "stale data" not in checks(NEXT, Limits(now="2024-03-02", max_age_days=30))


def test_too_few_rows_are_counted() -> None:
    result = assess(NEXT[:20], SCHEMA)
    assert result.verdict == "invalid"
    assert f"20 rows are left where at least {SCHEMA.min_rows} are needed" in result.reason
    assert assess(NEXT[:300], SCHEMA, Limits(min_rows=300)).verdict == "valid"


def test_too_many_rows_set_aside_are_explained_by_their_cause() -> None:
    broken = NEXT.with_columns(pl.when(pl.int_range(pl.len()) % 10 == 0).then(float("nan")).otherwise("amount").alias("amount"))
    result = assess(broken, SCHEMA)
    assert result.verdict == "invalid"
    assert "(10.0%) had to be set aside, more than 5.0%" in result.reason
    assert "'amount' is not a finite number" in result.reason
    assert assess(broken, SCHEMA, Limits(max_quarantined_share=0.2)).verdict == "quarantined"


@pytest.mark.parametrize("seed", [0, *(pytest.param(seed, marks=pytest.mark.slow) for seed in range(1, 20))])
def test_the_demos_third_month_is_valid_and_its_fault_is_caught(seed: int) -> None:
    schema = Schema.infer(simulate_cards(1, seed=seed, customers=200), key=["transaction_id"], time="time", target="fraud")
    for months in (2, 3, [1, 2, 3]):
        for drift in (False, True):
            result = assess(simulate_cards(months, seed=seed, customers=200, drift=drift), schema)
            assert result.verdict != "invalid", result.reason
        if months != 2:
            faulty = assess(simulate_cards(months, seed=seed, customers=200, fault=True), schema)
            assert faulty.verdict == "invalid"
            assert "Column 'amount' is about" in faulty.reason
