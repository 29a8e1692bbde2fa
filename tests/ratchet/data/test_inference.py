"""A first look makes a schema that the next ordinary data fits, on simulated and on real data."""

import itertools
from collections.abc import Callable
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ratchet.data.inference import infer_schema, label_shares
from ratchet.data.quality import assess
from ratchet.errors import SchemaError, TargetError
from ratchet.sources.ingestion import read_source

Finder = Callable[[str], Path]
RNG = np.random.default_rng(0)
ROWS = 2_000
FRAME = pl.DataFrame(
    {
        "id": np.arange(ROWS),
        "price": RNG.lognormal(3, 0.5, ROWS),
        "clock": np.cumsum(RNG.random(ROWS)),
        "trend": np.linspace(0, 10, ROWS) + RNG.normal(size=ROWS),
        "city": RNG.choice(["Oslo", "Bergen"], ROWS),
        "month": ["may"] * 900 + ["june"] * 1_100,
        "name": [f"n{number % 300}" for number in range(ROWS)],
        "sold": RNG.integers(0, 2, ROWS),
        "gaps": [None, 1.0, 2.0, 3.0] * (ROWS // 4),
    }
)
SCHEMA = infer_schema(FRAME, target="sold")


def test_bounds_are_wider_than_what_was_seen_and_keep_the_sign() -> None:
    price, highest = SCHEMA.columns["price"], FRAME["price"].max()
    assert price.minimum == 0
    assert price.maximum == pytest.approx(2 * highest, rel=0.02)
    assert price.scale is not None


@pytest.mark.parametrize("name", ["id", "clock", "trend"])
def test_what_grows_or_names_rows_gets_no_bounds(name: str) -> None:
    column = SCHEMA.columns[name]
    assert (column.minimum, column.maximum, column.scale) == (None, None, None)


def test_a_list_of_categories_is_closed_only_where_none_is_new_or_rare() -> None:
    assert SCHEMA.columns["city"].categories == ("Bergen", "Oslo")
    assert SCHEMA.columns["month"].categories is None, "June came up in the second half: July may come next"
    assert SCHEMA.columns["name"].categories is None


def test_missing_values_are_allowed_where_they_were_seen() -> None:
    assert SCHEMA.columns["gaps"].max_missing == pytest.approx(0.375)
    assert not SCHEMA.columns["price"].nullable


def test_labels_are_shares_for_classes_and_nothing_for_quantities() -> None:
    assert sum(label_shares(FRAME["sold"]).values()) == pytest.approx(1, abs=1e-5)
    assert label_shares(FRAME["price"]) == {}


def test_a_mistyped_role_is_refused_with_the_nearest_name() -> None:
    with pytest.raises(TargetError, match="target 'solt' is not in the data; did you mean 'sold'"):
        infer_schema(FRAME, target="solt")
    with pytest.raises(SchemaError, match=r"key column 'idd'.*did you mean 'id'"):
        infer_schema(FRAME, key=["idd"])
    with pytest.raises(SchemaError, match=r"time column 'clok'.*did you mean 'clock'"):
        infer_schema(FRAME, time="clok")


@given(st.lists(st.one_of(st.none(), st.floats(), st.integers(-5, 5).map(float)), max_size=60))
def test_data_without_faults_fits_the_schema_made_from_it(numbers: list[float | None]) -> None:
    frame = pl.DataFrame({"x": pl.Series(numbers, dtype=pl.Float64)})
    found = assess(frame, infer_schema(frame)).findings
    assert {finding.check for finding in found} <= {"not finite", "too few rows", "too many quarantined"}


REAL = {
    "elec2/electricity-normalized.csv": {"target": "class"},
    "bank_marketing/bank-additional-full.csv": {"target": "y"},
    "bike_sharing/hour.csv": {"time": "dteday", "target": "cnt"},
    "ma_employment/employment_MA_reference.pq": {"key": ("id",), "target": "employed"},
    "adult/adults.parquet": {"target": "class"},
    "amazon_access/train.csv": {"target": "ACTION"},
}


@pytest.mark.realdata
@pytest.mark.parametrize("parts", [2, 5, 12])
@pytest.mark.parametrize("name", REAL)
def test_real_data_is_never_called_invalid_by_the_schema_of_the_part_before(name: str, parts: int, real_data: Finder) -> None:
    """Years of drift, seasons and crises are in these: ordinary change must not be taken for a broken feed."""
    frame = read_source(real_data(name))
    height = frame.height // parts
    pieces = [frame[place * height : (place + 1) * height] for place in range(parts)]
    for before, after in itertools.pairwise(pieces):
        result = assess(after, infer_schema(before, **REAL[name]))
        assert result.verdict != "invalid", result.reason
        assert result.quarantined.height <= 0.01 * after.height
