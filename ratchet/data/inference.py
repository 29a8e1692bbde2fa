"""The schema that a first look at the data suggests.

The aim is a schema that the next month's ordinary data fits. So bounds are wider than what was seen, and nothing is enforced of which the
data itself shows that it moves: a column gets bounds and a scale only when its earlier and its later half look alike, and a list of
categories is closed only when no category is rare or came up in one half alone. Clocks, counters, seasons and identifiers stay free.
"""

import math
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import polars as pl

from ratchet.data.first_look import MAX_CATEGORIES, MAX_LABELS, ColumnLook, FirstLook
from ratchet.data.kinds import kind_of
from ratchet.data.pieces import FramePieces, Pieces
from ratchet.data.schema import ColumnSchema, Schema
from ratchet.errors import SchemaError, TargetError, nearest

MIN_CATEGORY_ROWS = 5  # by Good and Turing, the share of unseen categories is about the share of those seen once: none is, here
MIN_ROWS = 50
SCALE_ROWS = 50
SCALE_VALUES = 20  # distinct ones; fewer are levels (a month, a rate), whose scale jumps by itself
SCALE_SLICES = 10
SCALE_SWING = 2.5  # factor by which the median of a slice of time may differ from that of all
STEADY = 1 / 3  # of the span from the 5th to the 95th percentile, by which these two may differ between halves


def infer_schema(table: pl.DataFrame | Pieces, *, key: Sequence[str] = (), time: str = "", target: str = "") -> Schema:
    """Return the schema that a first look at the data suggests.

    Args:
        table: The data, at least one row.
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
    pieces = FramePieces(table) if isinstance(table, pl.DataFrame) else table
    names = pieces.schema.names()
    check_roles(names, key=key, time=time, target=target)
    look = FirstLook(pieces, time)
    free = {*key, time, *look.names_or_counts()}
    columns = {name: _column(seen, look.sample, name, name not in free) for name, seen in look.columns.items()}
    labels = _labels(look.columns[target], pieces, target) if target else {}
    for name in (*key, *filter(None, (time, target))):  # a row without one of these cannot be used
        columns[name] = replace(columns[name], max_missing=0.0)
    if labels:  # the labels say which values are allowed
        columns[target] = ColumnSchema(columns[target].type)
    return Schema(columns, tuple(key), time, target, labels, max(MIN_ROWS, pieces.height // 100))


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


def quartiles(values: pl.Series) -> tuple[float, float, float] | None:
    """Return the quartiles of the absolute values other than 0; None where there are fewer than 50.

    Args:
        values: Numbers; missing values, NaN and infinities do not count.

    >>> quartiles(pl.Series([-4.0, 0.0] + [4.0] * 60))
    (4.0, 4.0, 4.0)
    """
    sizes = np.abs(values.drop_nulls().cast(pl.Float64).to_numpy())
    sizes = sizes[(sizes > 0) & (sizes < math.inf)]
    if len(sizes) < SCALE_ROWS:
        return None
    sizes.sort()
    low, middle, high = (float(f"{sizes[math.floor(share * (len(sizes) - 1) + 0.5)]:.6g}") for share in (0.25, 0.5, 0.75))
    return low, middle, high


def label_shares(target: pl.Series) -> dict[str, float]:
    """Return the share of each value of the target; empty where it has so many values that it is a quantity.

    >>> label_shares(pl.Series([0, 0, 0, 1]))
    {'0': 0.75, '1': 0.25}
    """
    present = target.drop_nulls()
    if present.n_unique() > MAX_LABELS or kind_of(target.dtype) == "datetime":
        return {}
    return _shares(dict(present.cast(pl.String).value_counts(name="\0rows").iter_rows()))


def _labels(look: ColumnLook, pieces: Pieces, target: str) -> dict[str, float]:
    if look.kind not in ("string", "boolean"):
        return label_shares(next(iter(pieces.columns([target]))))
    if look.early is None or look.late is None or len(look.early | look.late) > MAX_LABELS:
        return {}
    return _shares({str(label).lower() if look.kind == "boolean" else label: rows for label, rows in (look.early + look.late).items()})


def _shares(counts: dict[str, int]) -> dict[str, float]:
    total = sum(counts.values())
    return {label: round(counts[label] / total, 6) for label in sorted(counts)}


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


def _column(look: ColumnLook, sample: pl.DataFrame, name: str, checked: bool) -> ColumnSchema:
    missing = look.missing / max(look.rows, 1)
    allowed = 0.0 if missing == 0 else round(min(1.0, missing + max(0.1, missing / 2)), 4)
    if look.kind in ("integer", "number") and checked:
        values = sample[name].drop_nulls() if look.kind == "integer" else sample[name].filter(sample[name].is_finite())
        if steady(values):
            many = values.n_unique() >= min(SCALE_VALUES, len(values) // 2)
            low, high = _bounds(look) if many or look.kind == "integer" else (None, None)
            return ColumnSchema(look.kind, allowed, low, high, None, _scale(values) if many else None)
    return ColumnSchema(look.kind, allowed, categories=_categories(look) if look.kind == "string" and checked else None)


def _scale(values: pl.Series) -> tuple[float, float, float] | None:
    """Return the quartiles to hold new data against; None where the scale swings from slice to slice of time by itself."""
    usual = quartiles(values)
    if usual is None:
        return None
    height = max(1, -(-len(values) // SCALE_SLICES))
    medians = [part[1] for start in range(0, len(values), height) if (part := quartiles(values[start : start + height]))]
    return usual if all(usual[1] / SCALE_SWING <= median <= usual[1] * SCALE_SWING for median in medians) else None


def _bounds(look: ColumnLook) -> tuple[float | None, float | None]:
    """Widen what was seen by its span or its size, whichever is larger; a quantity never seen below 0 stays at or above 0."""
    low, high = look.low, look.high
    if low is None or low == high:
        return None, None
    span = high - low
    wide_low = 0 if low >= 0 else low - max(span, -low)
    wide_high = 0 if high <= 0 else high + max(span, high)
    return type(low)(float(f"{wide_low:.6g}")), type(high)(float(f"{wide_high:.6g}"))


def _categories(look: ColumnLook) -> tuple[str, ...] | None:
    if look.early is None or look.late is None or look.early.keys() != look.late.keys():
        return None
    total = look.early + look.late
    return tuple(sorted(total)) if 1 < len(total) <= MAX_CATEGORIES and min(total.values()) >= MIN_CATEGORY_ROWS else None
