"""Sources made of the real files, and figures computed from a run's artifacts."""

import numpy as np
import polars as pl
import pytest

from scripts.realdata_sets import by_group, last_class, last_year, numbered, with_split
from tests.scripts.runs import Run


@pytest.mark.realdata
def test_the_split_of_the_benchmark_is_the_one_of_its_index_files(real_data, tmp_path):
    rows = pl.read_csv(with_split(real_data("amazon_access/train.csv"), tmp_path))
    assert dict(rows["split"].value_counts().iter_rows()) == {"train": 26_215, "holdout": 6_554}
    first = real_data("amazon_access/stratified_test_idx.txt").read_text().split()[0]
    assert rows["split"][int(first)] == "holdout"
    shares = rows.group_by("split").agg(pl.col("ACTION").mean())["ACTION"]
    assert shares.max() - shares.min() < 1e-3, "it is stratified"


@pytest.mark.realdata
def test_the_bank_s_calls_are_numbered_in_the_order_of_the_file(real_data, tmp_path):
    file = real_data("bank_marketing/bank-additional-full.csv")
    rows = pl.read_csv(numbered(file, tmp_path), infer_schema_length=None)
    assert rows["row"].to_list() == list(range(41_188))
    assert rows.drop("row").equals(pl.read_csv(file, separator=";", infer_schema_length=None))


def test_the_last_class_is_right_where_the_row_before_was_the_same(tmp_path):
    assert last_class(Run(pl.DataFrame({"class": ["UP", "UP", "DOWN", "DOWN", "DOWN"]})), tmp_path) == {"last_class": 0.75}


@pytest.mark.realdata
def test_last_year_s_month_explains_little_and_its_hours_more(real_data):
    file = real_data("bike_sharing/hour.csv")
    rows = pl.read_csv(file, try_parse_dates=True)
    found = last_year(Run(rows.tail(3488)), file)
    late = rows.tail(3488)
    means = dict(rows.filter(pl.col("yr") == 0).group_by("mnth").agg(pl.col("cnt").mean()).iter_rows())
    told = np.array([means[month] for month in late["mnth"]])
    error, spread = ((late["cnt"].to_numpy() - told) ** 2).sum(), ((late["cnt"] - late["cnt"].mean()) ** 2).sum()
    assert found["r2_same_month"] == pytest.approx(1 - error / spread)
    assert found["r2_same_month"] < found["r2_same_month_and_hour"] < 1


def test_groups_are_told_apart_and_small_ones_left_out(tmp_path):
    rows = pl.DataFrame({"sex": ["F"] * 100 + ["M"] * 150, "race": ["x"] * 60 + ["y"] * 190, "class": [">50K", "<=50K"] * 125})
    found = by_group(Run(rows, [0.9, 0.1] * 50 + [0.1, 0.9] * 75), tmp_path)
    assert found == {
        "roc_auc, sex = F (100 rows)": 1.0,
        "roc_auc, sex = M (150 rows)": 0.0,
        "roc_auc, race = y (190 rows)": pytest.approx(found["roc_auc, race = y (190 rows)"]),
    }
