"""Slices of a table: the groups of rows that a model must not fail while it does well on average."""

import itertools
from collections.abc import Sequence

import numpy as np
import polars as pl
from numpy.typing import NDArray

from ratchet.errors import SchemaError, nearest

Mask = NDArray[np.bool_]
FEW_VALUES = 8
MOST_CATEGORIES = 20


def slice_rows(frame: pl.DataFrame, columns: Sequence[str], *, bins: int = 4, minimum_rows: int = 100) -> dict[str, Mask]:
    """Return the rows of each slice.

    Args:
        frame: Any table.
        columns: Columns to slice by, each on its own. Numbers and times are cut at quantiles, unless they take at most 8 values.
        bins: Quantile slices a column of numbers.
        minimum_rows: Smaller slices are left out, because a metric on few rows says little.

    Returns:
        Mask of shape (n,) by a name that reads as a condition. At most the 20 most frequent categories a column.

    Raises:
        SchemaError: a column is not there.

    >>> frame = pl.DataFrame({"sex": ["f", "m", "m"]})
    >>> {name: mask.tolist() for name, mask in slice_rows(frame, ["sex"], minimum_rows=1).items()}
    {'sex = m': [False, True, True], 'sex = f': [True, False, False]}
    """
    found: dict[str, Mask] = {}
    for name in columns:
        if name not in frame.columns:
            raise SchemaError(f"slice column {name!r} is not in the table; {nearest(name, frame.columns)}")
        column = frame[name]
        cut = (column.dtype.is_numeric() or column.dtype.is_temporal()) and column.n_unique() > FEW_VALUES
        found |= _quantiles(column, bins) if cut else _categories(column)
        found[f"{name} is missing"] = column.is_null().to_numpy()
    return {name: mask for name, mask in found.items() if mask.sum() >= max(minimum_rows, 1)}


def _quantiles(column: pl.Series, bins: int) -> dict[str, Mask]:
    numbers = column.to_physical() if column.dtype.is_temporal() else column
    values = numbers.cast(pl.Float64).fill_null(float("nan")).to_numpy()
    present = values[~np.isnan(values)]
    edges = np.unique(np.quantile(present, np.arange(bins + 1) / bins, method="inverted_cdf")) if len(present) else np.zeros(0)
    if len(edges) < 2:
        return {}
    shown = [_shown(edge, column) for edge in edges]
    found = {}
    for place, (low, high) in enumerate(itertools.pairwise(edges)):
        above = values >= low if place == 0 else values > low
        name = (
            f"{column.name} from {shown[place]} to {shown[place + 1]}"
            if place == 0
            else f"{column.name} above {shown[place]} to {shown[place + 1]}"
        )
        found[name] = above & (values <= high)
    return found


def _shown(edge: float, column: pl.Series) -> str:
    if column.dtype.is_temporal():
        return str(pl.Series([int(edge)]).cast(column.to_physical().dtype).cast(column.dtype)[0])
    return f"{edge:,.6g}"


def _categories(column: pl.Series) -> dict[str, Mask]:
    counted = column.drop_nulls().value_counts(name="rows").sort(["rows", column.name], descending=[True, False]).head(MOST_CATEGORIES)
    return {f"{column.name} = {value}": (column == value).fill_null(False).to_numpy() for value in counted[column.name].to_list()}
