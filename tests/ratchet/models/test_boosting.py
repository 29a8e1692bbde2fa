import numpy as np
import polars as pl
import pytest

from ratchet.errors import PackageError
from ratchet.models.boosting import FIXED, MISSING_CATEGORY, CatBoostNative, pool


def test_texts_are_categories_and_a_missing_one_is_a_category_of_its_own():
    matrix = pl.DataFrame({"x": [1.0, None], "c": ["a", None]})
    made = pool(matrix, np.array([0.0, 1.0]))
    assert made.get_cat_feature_indices() == [1]
    assert made.get_feature_names() == ["x", "c"]
    assert MISSING_CATEGORY not in ("", "a")


def test_a_table_without_texts_or_without_numbers_is_taken():
    assert pool(pl.DataFrame({"x": [1.0]})).get_cat_feature_indices() == []
    assert pool(pl.DataFrame({"c": ["a"]})).get_cat_feature_indices() == [0]


def test_nothing_in_a_written_model_tells_when_it_was_trained(package):
    metadata = CatBoostNative.load(package, "binary").model.get_metadata()
    assert {name: metadata[name] for name in FIXED} == FIXED


def test_a_file_that_is_no_model_is_refused(tmp_path):
    (tmp_path / "model.cbm").write_bytes(b"CBM1 and then nothing")
    with pytest.raises(PackageError, match="is no CatBoost model that this version reads"):
        CatBoostNative.load(tmp_path, "binary")
