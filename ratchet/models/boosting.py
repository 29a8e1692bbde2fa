"""A trained CatBoost model as a package holds it: loaded, asked, and written without what changes from run to run."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from ratchet.errors import PackageError
from ratchet.models.imports import load_catboost

if TYPE_CHECKING:
    from catboost import CatBoost

MODEL = "model.cbm"
MISSING_CATEGORY = "\x00missing"  # CatBoost has no missing category of its own
FEW_ROWS, SOME_ROWS = 64, 4096  # up to here lists, and up to there arrays, are read faster than a table is set up
FIXED = {"model_guid": "0", "train_finish_time": "1970-01-01T00:00:00Z"}


class CatBoostNative:
    """A CatBoost model that takes a feature matrix."""

    def __init__(self, model: "CatBoost", task: str) -> None:
        """Wrap a model of a task: "binary", "multiclass" or "regression"."""
        self.model = model
        self.task = task

    @classmethod
    def load(cls, folder: Path, task: str) -> "CatBoostNative":
        """Load ``model.cbm`` of a package.

        Raises:
            PackageError: CatBoost cannot read it.
        """
        catboost = load_catboost()
        model, path = catboost.CatBoost(), folder / MODEL
        try:
            model.load_model(str(path))
        except catboost.CatBoostError as error:
            raise PackageError(f"{str(path)!r} is no CatBoost model that this version reads ({error}); train it again") from error
        return cls(model, task)

    def predict(self, matrix: pl.DataFrame) -> np.ndarray:
        """Return probabilities or values.

        Args:
            matrix: n rows of features, as `FeatureSpec.matrix` makes them.

        Returns:
            float64: shape (n,), or (n, k) for k classes.
        """
        if not matrix.height:
            return np.empty((0, len(self.model.classes_)) if self.task == "multiclass" else 0)
        values = self.model.predict(
            pool(matrix),
            prediction_type="RawFormulaVal" if self.task == "regression" else "Probability",
            thread_count=1 if matrix.height <= SOME_ROWS else -1,
        )
        result = np.asarray(values, dtype=np.float64)
        return result[:, 1] if self.task == "binary" else result

    def write(self, folder: Path) -> None:
        """Write ``model.cbm`` so that the same training gives the same bytes: CatBoost puts a new id and the time into each."""
        metadata = self.model.get_metadata()
        for name in {*FIXED, *metadata.keys()}:
            part = name.rpartition(":")[2]  # in a mean of models each has its own, like model0:model_guid
            if part in FIXED:
                metadata[name] = FIXED[part]
        self.model.save_model(str(folder / MODEL))


def mean_model(models: "Sequence[CatBoost]") -> "CatBoost":
    """Return the model whose raw prediction is the mean of the models' (of their log-odds, in classification); one is itself.

    It is one CatBoost model, with the trees of all. The models must be trained on the same rows, so that their statistics of categories are
    the same.
    """
    if len(models) == 1:
        return models[0]
    shares = [1 / len(models)] * len(models)
    summed: CatBoost = load_catboost().sum_models(list(models), weights=shares, ctr_merge_policy="IntersectingCountersAverage")
    return summed


def pool(matrix: pl.DataFrame, labels: np.ndarray | None = None) -> Any:
    """Return a CatBoost pool: texts are categories, anything else a number.

    Args:
        matrix: n rows of features.
        labels: shape (n,), or None to predict.
    """
    if labels is None and matrix.height <= SOME_ROWS:
        return _pool_of_rows(matrix) if matrix.height <= FEW_ROWS else _pool_of_columns(matrix)
    texts = [name for name, dtype in matrix.schema.items() if dtype == pl.String]
    filled = matrix.with_columns([pl.col(name).fill_null(MISSING_CATEGORY) for name in texts]) if texts else matrix
    return load_catboost().Pool(filled, label=labels, cat_features=texts or None)


def _pool_of_rows(matrix: pl.DataFrame) -> Any:
    """Return a pool to predict a few rows: 16 of 26 features take 0.06 ms, and as a table 0.7."""
    places = [place for place, dtype in enumerate(matrix.dtypes) if dtype == pl.String]
    rows = [list(row) for row in matrix.rows()]
    for row in rows:
        for place in places:
            if row[place] is None:
                row[place] = MISSING_CATEGORY
    return load_catboost().Pool(rows, cat_features=places or None, thread_count=1)


def _pool_of_columns(matrix: pl.DataFrame) -> Any:
    """Return a pool to predict some rows: numbers and categories apart, as CatBoost keeps them; 512 rows take 0.4 ms, and as lists 2.4.

    The order of the features is another than the model's, which finds them by their names.
    """
    catboost = load_catboost()
    texts: list[pl.Series] = []
    numbers: list[pl.Series] = []
    for column in matrix.get_columns():
        (texts if column.dtype == pl.String else numbers).append(column)
    values = np.empty((matrix.height, len(numbers)), dtype=np.float32)
    with np.errstate(over="ignore"):  # beyond a single float is infinite, as CatBoost reads it
        for place, column in enumerate(numbers):
            values[:, place] = column.to_numpy()
    categories = np.empty((matrix.height, len(texts)), dtype=object)
    for place, column in enumerate(texts):
        filled = column.fill_null(MISSING_CATEGORY) if column.null_count() else column
        categories[:, place] = filled.cast(pl.Binary).to_list()
    named = [[column.name for column in part] or None for part in (numbers, texts)]
    parts = catboost.FeaturesData(values if numbers else None, categories if texts else None, *named)
    return catboost.Pool(parts, thread_count=1)
