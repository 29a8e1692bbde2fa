"""ZenML's side of `bench_frameworks`, as its documentation says: steps and pipelines on the default stack, in an environment of its own.

python bench_zenml.py nothing | small FILE.csv
"""

import sys
from typing import Annotated, Any

import pandas as pd
from zenml import pipeline, step

from scripts import bench_small


@step
def begin() -> int:
    """Return a number."""
    return 0


@step
def nothing(number: int) -> int:
    """Return the number."""
    return number


@step
def ingest(path: str) -> pd.DataFrame:
    """`bench_small.ingest`."""
    return bench_small.ingest(path)


@step
def validate(rows: pd.DataFrame) -> pd.DataFrame:
    """`bench_small.validate`."""
    return bench_small.validate(rows)


@step
def split(
    rows: pd.DataFrame,
) -> tuple[Annotated[pd.DataFrame, "train"], Annotated[pd.DataFrame, "validation"], Annotated[pd.DataFrame, "holdout"]]:
    """`bench_small.split`."""
    train, validation, holdout = bench_small.split(rows)
    return train, validation, holdout  # it looks for a tuple in the source


@step
def train(rows: pd.DataFrame, validation: pd.DataFrame) -> Any:
    """`bench_small.train`."""
    return bench_small.train(rows, validation)


@step
def evaluate(model: Any, holdout: pd.DataFrame) -> float:
    """`bench_small.evaluate`."""
    auc = bench_small.evaluate(model, holdout)
    print(f"AUC {auc:.4f}")
    return auc


@pipeline(enable_cache=False)
def doing_nothing() -> None:
    """Ten steps that do nothing."""
    number = begin()
    for _ in range(9):
        number = nothing(number)


@pipeline(enable_cache=False)
def small(path: str) -> None:
    """The small pipeline."""
    rows, validation, holdout = split(validate(ingest(path)))
    evaluate(train(rows, validation), holdout)


if __name__ == "__main__":
    doing_nothing() if sys.argv[1] == "nothing" else small(sys.argv[2])
