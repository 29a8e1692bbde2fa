"""The schema that a first look at the data suggests.

The aim is a schema that the next month's ordinary data fits. So bounds are wider than what was seen, and nothing is enforced of which the
data itself shows that it moves: a column gets bounds and a scale only when its earlier and its later half look alike, and a list of
categories is closed only when no category is rare or came up in one half alone. Clocks, counters, seasons and identifiers stay free.
"""

from collections.abc import Sequence
from dataclasses import replace

import polars as pl

from ratchet.data.kinds import canonical, kind_of
from ratchet.data.schema import ColumnSchema, Schema
from ratchet.errors import SchemaError, TargetError, nearest

MAX_CATEGORIES = 50
MIN_CATEGORY_ROWS = 5  # by Good and Turing, the share of unseen categories is about the share of those seen once: none is, here
MAX_LABELS = 20
MIN_ROWS = 50
MIN_GROWING = 10  # values; fewer may be in order by chance
SCALE_SAMPLE = 20_000  # rows; quartiles of so many are exact to about one per cent
SCALE_ROWS = 50
SCALE_VALUES = 20  # distinct ones; fewer are levels (a month, a rate), whose scale jumps by itself
SCALE_SLICES = 10
SCALE_SWING = 2.5  # factor by which the median of a slice of time may differ from that of all
STEADY = 1 / 3  # of the span from the 5th to the 95th percentile, by which these two may differ between halves


def infer_schema(frame: pl.DataFrame, *, key: Sequence[str] = (), time: str = "", target: str = "") -> Schema:
    """Return the schema that a first look at the data suggests.

    Args:
        frame: The data, at least one row.
        key: Columns that together name a row.
        time: Column of times.
        target: Column to predict.

    Raises:
        SchemaError: a key or time column is not there.
        TargetError: the target is not there.

    Source:
        Good, "The population frequencies of species and the estimation of population parameters", Biometrika 40 (1953), for when a
        list of categories may be closed.

    >>> schema = infer_schema(pl.DataFrame({"amount": [1.0, 9.0, 3.0], "fraud": [0, 1, 0]}), target="fraud")
    >>> schema.columns["amount"].minimum, schema.columns["amount"].maximum
    (0.0, 18.0)
    """
    check_roles(frame.columns, key=key, time=time, target=target)
    frame = canonical(frame)
    ordered = frame.sort(time) if time and not frame[time].is_sorted() else frame
    free = {*key, time, *(column.name for column in ordered.iter_columns() if _never_falls(column) or _names_rows(column))}
    sample = scale_sample(ordered)
    columns = {column.name: _column(column, sample[column.name], column.name not in free) for column in ordered.iter_columns()}
    labels = label_shares(frame[target]) if target else {}
    for name in (*key, *filter(None, (time, target))):  # a row without one of these cannot be used
        columns[name] = replace(columns[name], max_missing=0.0)
    if labels:  # the labels say which values are allowed
        columns[target] = ColumnSchema(columns[target].type)
    return Schema(columns, tuple(key), time, target, labels, max(MIN_ROWS, frame.height // 100))


def check_roles(columns: Sequence[str], *, key: Sequence[str] = (), time: str = "", target: str = "") -> None:
    """Refuse a key, time or target column that is not in the data, with the nearest name that is.

    Raises:
        SchemaError: for key and time.
        TargetError: for the target.
    """
    for role, name in (*(("key column", name) for name in key), ("time column", time)):
        if name and name not in columns:
            raise SchemaError(f"{role} {name!r} is not in the data; {nearest(name, columns)}")
    if target and target not in columns:
        raise TargetError(f"target {target!r} is not in the data; {nearest(target, columns)}")


def scale_sample(frame: pl.DataFrame) -> pl.DataFrame:
    """Return at most about 20,000 rows, evenly spaced, which keep their order."""
    return frame.gather_every(max(1, frame.height // SCALE_SAMPLE))


def quartiles(values: pl.Series) -> tuple[float, float, float] | None:
    """Return the quartiles of the absolute values other than 0; None where there are fewer than 50.

    Args:
        values: Numbers; missing values, NaN and infinities do not count.

    >>> quartiles(pl.Series([-4.0, 0.0] + [4.0] * 60))
    (4.0, 4.0, 4.0)
    """
    sizes = values.cast(pl.Float64).abs()
    sizes = sizes.filter(sizes.is_finite() & (sizes > 0))
    if len(sizes) < SCALE_ROWS:
        return None
    low, middle, high = (float(f"{sizes.quantile(share, 'nearest'):.6g}") for share in (0.25, 0.5, 0.75))
    return low, middle, high


def label_shares(target: pl.Series) -> dict[str, float]:
    """Return the share of each value of the target; empty where it has so many values that it is a quantity.

    >>> label_shares(pl.Series([0, 0, 0, 1]))
    {'0': 0.75, '1': 0.25}
    """
    present = target.drop_nulls()
    if present.is_empty() or present.n_unique() > MAX_LABELS or kind_of(target.dtype) == "datetime":
        return {}
    counts = present.cast(pl.String).value_counts(name="rows").sort(present.name)
    return {str(label): round(rows / len(present), 6) for label, rows in counts.iter_rows()}


def steady(values: pl.Series) -> bool:
    """Return whether the earlier and the later half of some numbers look alike.

    Args:
        values: In order of time, without missing ones. Fewer than 20 are taken for steady.

    >>> steady(pl.Series(range(100))), steady(pl.Series([*range(50), *range(50)]))
    (False, True)
    """
    if len(values) < SCALE_VALUES:
        return True
    half = len(values) // 2
    low, high = _ends(values)
    parts = [_ends(values[:half]), _ends(values[half:])]
    allowed = (high - low) * STEADY
    return all(abs(parts[0][end] - parts[1][end]) <= allowed for end in (0, 1))


def _ends(values: pl.Series) -> tuple[float, float]:
    return values.quantile(0.05, "nearest") or 0.0, values.quantile(0.95, "nearest") or 0.0


def _column(column: pl.Series, sample: pl.Series, checked: bool) -> ColumnSchema:
    kind = kind_of(column.dtype)
    missing = column.null_count() / max(len(column), 1)
    allowed = 0.0 if missing == 0 else round(min(1.0, missing + max(0.1, missing / 2)), 4)
    if kind in ("integer", "number") and checked:
        values = sample.drop_nulls() if kind == "integer" else sample.filter(sample.is_finite())
        if steady(values):
            many = values.n_unique() >= min(SCALE_VALUES, len(values) // 2)
            low, high = _bounds(column) if many or kind == "integer" else (None, None)
            return ColumnSchema(kind, allowed, low, high, None, _scale(values) if many else None)
    return ColumnSchema(kind, allowed, categories=_categories(column) if kind == "string" and checked else None)


def _scale(values: pl.Series) -> tuple[float, float, float] | None:
    """Return the quartiles to hold new data against; None where the scale swings from slice to slice of time by itself."""
    usual = quartiles(values)
    if usual is None:
        return None
    height = max(1, -(-len(values) // SCALE_SLICES))
    medians = [part[1] for start in range(0, len(values), height) if (part := quartiles(values[start : start + height]))]
    return usual if all(usual[1] / SCALE_SWING <= median <= usual[1] * SCALE_SWING for median in medians) else None


def _bounds(column: pl.Series) -> tuple[float | None, float | None]:
    """Widen what was seen by its span or its size, whichever is larger; a quantity never seen below 0 stays at or above 0."""
    values = column.filter(column.is_finite()) if column.dtype.is_float() else column.drop_nulls()
    if values.is_empty() or values.min() == values.max():
        return None, None
    low, high = values.min(), values.max()
    assert isinstance(low, int | float)
    assert isinstance(high, int | float)
    span = high - low
    wide_low = 0 if low >= 0 else low - max(span, -low)
    wide_high = 0 if high <= 0 else high + max(span, high)
    return type(low)(float(f"{wide_low:.6g}")), type(high)(float(f"{wide_high:.6g}"))


def _categories(column: pl.Series) -> tuple[str, ...] | None:
    present = column.drop_nulls()
    if present.is_empty() or present.n_unique() > MAX_CATEGORIES:
        return None
    half = len(column) // 2
    counts = present.value_counts(name="rows")
    rare = counts["rows"].min() < MIN_CATEGORY_ROWS  # type: ignore[operator]
    everywhere = column[:half].drop_nulls().n_unique() == column[half:].drop_nulls().n_unique() == counts.height
    return tuple(sorted(counts[column.name].to_list())) if everywhere and not rare and counts.height > 1 else None


def _never_falls(column: pl.Series) -> bool:
    if kind_of(column.dtype) not in ("integer", "number"):
        return False
    present = column.drop_nulls()
    return present.is_sorted() and present.n_unique() >= MIN_GROWING


def _names_rows(column: pl.Series) -> bool:
    if not column.dtype.is_integer() or len(column) < MIN_ROWS or column.null_count():
        return False
    low, high = column.min(), column.max()
    return isinstance(low, int) and isinstance(high, int) and high - low >= len(column) - 1 and column.n_unique() == len(column)
