import catboost
import numpy as np
import polars as pl
import pytest

from ratchet.errors import PackageError
from ratchet.models.boosting import FEW_ROWS, FIXED, MISSING_CATEGORY, SOME_ROWS, CatBoostNative, pool


def test_texts_are_categories_and_a_missing_one_is_a_category_of_its_own():
    matrix = pl.DataFrame({"x": [1.0, None], "c": ["a", None]})
    made = pool(matrix, np.array([0.0, 1.0]))
    assert made.get_cat_feature_indices() == [1]
    assert made.get_feature_names() == ["x", "c"]
    assert MISSING_CATEGORY not in ("", "a")


def test_a_table_without_texts_or_without_numbers_is_taken():
    assert pool(pl.DataFrame({"x": [1.0]})).get_cat_feature_indices() == []
    assert pool(pl.DataFrame({"c": ["a"]})).get_cat_feature_indices() == [0]


@pytest.mark.parametrize("names", [("amount", "age"), ("shop", "land"), ("shop", "amount", "land", "age")])
def test_few_some_and_many_rows_are_read_alike(names):
    rng = np.random.default_rng(3)
    n = SOME_ROWS + 1
    made = {
        "shop": rng.choice(["a", "b", "", "é€", None], n),
        "amount": rng.choice([1.5, -0.0, 0.1, 1e300, None], n),
        "land": rng.choice(["nl", "be", None], n),
        "age": rng.integers(0, 90, n).astype(float),
    }
    types = {name: pl.Float64 if name in ("amount", "age") else pl.String for name in names}
    matrix = pl.DataFrame({name: made[name].tolist() for name in types}, schema=types)
    labels = ((made["age"] > 40) ^ (made["shop"] == "a")).astype(float)
    model = catboost.CatBoost({"iterations": 20, "loss_function": "Logloss", "allow_writing_files": False, "verbose": False})
    native = CatBoostNative(model.fit(pool(matrix, labels)), "binary")
    whole = native.predict(matrix)
    for count in (1, FEW_ROWS, FEW_ROWS + 1, SOME_ROWS):
        np.testing.assert_array_equal(native.predict(matrix.head(count)), whole[:count])


def test_nothing_in_a_written_model_tells_when_it_was_trained(package):
    metadata = CatBoostNative.load(package, "binary").model.get_metadata()
    assert {name: metadata[name] for name in FIXED} == FIXED


def test_a_file_that_is_no_model_is_refused(tmp_path):
    (tmp_path / "model.cbm").write_bytes(b"CBM1 and then nothing")
    with pytest.raises(PackageError, match="is no CatBoost model that this version reads"):
        CatBoostNative.load(tmp_path, "binary")
