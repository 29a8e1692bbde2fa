"""Values in the place of missing ones: declared by name, learnt from the rows that train, kept in the specification.

They are learnt there and nowhere else: the median of a whole table has seen the rows that judge. And they are part of the specification, no
step that fills a table before it, because a gateway meets requests and no tables: what `FeatureSpec.matrix` does with a null in training
it does with a null in a request.

Expressions read the filled columns. Windows over time do not: they pass over what is missing, as they always did.
"""

import math
import sys
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

from ratchet.data.kinds import DTYPES, kind_of
from ratchet.errors import ParameterError, SchemaError, nearest
from ratchet.features.inputs import check_inputs

STRATEGIES = ("mean", "median", "most_frequent")
CONSTANT = "constant"
PARTS = ("value", "constant", "flag")
LONGEST = 2_000  # characters of a value; it is written into every package and every engine's SQL
Value = float | int | str | bool


@dataclass(frozen=True, slots=True)
class Imputation:
    """What stands in for a column's missing values.

    Attributes:
        column: Its name.
        by: How the value is found, one of `STRATEGIES`, or "constant".
        value: The value; None until it is learnt.
        flag: Name of a feature that says where the value was missing; empty for none.
    """

    column: str
    by: str
    value: Value | None = None
    flag: str = ""


def parse_imputations(declared: Mapping[str, Any]) -> tuple[Imputation, ...]:
    """Return imputations from a mapping, as a pipeline's parameter gives it.

    Args:
        declared: By column: "mean", "median" or "most_frequent", a number or true or false; or a mapping with such a ``value``, or with
            a ``constant`` (a text is one only here, so that a mistyped strategy is no value), and a ``flag`` where there is to be one.

    Returns:
        In the order of the columns' names, because KFP hands a mapping over in an order that changes.

    Raises:
        ParameterError: an entry is not written so.

    >>> parse_imputations({"age": 0, "city": {"value": "most_frequent", "flag": "city_missing"}})[1].flag
    'city_missing'
    >>> parse_imputations({"age": "medain"})
    Traceback (most recent call last):
    ...
    ratchet.errors.ParameterError: impute: 'age' by 'medain'; did you mean 'median'? (for a text of your own: {"constant": "medain"})
    """
    return tuple(_parsed(name, declared[name]) for name in sorted(declared))


def learn(asked: Sequence[Imputation], train: pl.DataFrame, *, apart: Mapping[str, str], taken: Collection[str]) -> tuple[Imputation, ...]:
    """Return the imputations with their values.

    Args:
        asked: As `parse_imputations` gives them.
        train: The rows that train, and no others.
        apart: What a column is that cannot be filled ("the target", "a key"), by its name.
        taken: Names that a flag must not have.

    Raises:
        SchemaError: a column is not there, cannot be filled or not so, or has no value to learn from; or a flag's name is taken.

    >>> learn(parse_imputations({"age": "median"}), pl.DataFrame({"age": [1, None, 4]}), apart={}, taken=())[0].value
    2.5
    """
    names = set(taken)
    for one in asked:
        if one.column not in train.columns:
            raise SchemaError(f"impute: no column {one.column!r}; {nearest(one.column, train.columns)}")
        if one.column in apart:
            raise SchemaError(f"impute: {one.column!r} is {apart[one.column]}, which is never made up; leave it out of impute")
        if one.flag in names:
            raise SchemaError(f"impute: the flag {one.flag!r} of {one.column!r} has the name of a column or feature; give it another")
        names.update([one.flag] if one.flag else [])
    return tuple(replace(one, value=_learnt(one, train)) for one in asked)


def read_imputations(entries: Sequence[Mapping[str, Any]], inputs: Mapping[str, str]) -> tuple[Imputation, ...]:
    """Return learnt imputations from a specification's file.

    Args:
        entries: One mapping of the parts of `Imputation` each.
        inputs: Kind of each column that the model reads.

    Raises:
        SchemaError: an entry is none of what `learn` makes for these columns.
    """
    read = tuple(Imputation(**entry) for entry in entries)
    for one in read:
        if one.column not in inputs or one.by not in (*STRATEGIES, CONSTANT) or one.value is None or not isinstance(one.flag, str):
            raise SchemaError(f"{one} imputes no input of the model; run the features step again")
        _fitting(one, inputs[one.column], one.value)
    return read


def filling(imputations: Sequence[Imputation], schema: Mapping[str, pl.DataType]) -> list[pl.Expr]:
    """Return what fills columns of the given types and makes the flags; whole numbers filled with a fraction become doubles."""
    made = []
    for one in imputations:
        column, dtype = pl.col(one.column), schema[one.column]
        if dtype == pl.Int64 and isinstance(one.value, float):
            column, dtype = column.cast(pl.Float64), DTYPES["number"]
        made.append(column.fill_null(pl.lit(one.value, dtype)))
        if one.flag:
            made.append(pl.col(one.column).is_null().alias(one.flag))
    return made


def filled_schema(imputations: Sequence[Imputation], schema: Mapping[str, pl.DataType]) -> pl.Schema:
    """Return names and types as expressions find them: filled, and with the flags."""
    return pl.DataFrame(schema=dict(schema)).with_columns(filling(imputations, schema)).schema


def missing_counts(
    imputations: Sequence[Imputation], frame: pl.DataFrame, splits: Mapping[str, npt.NDArray[np.int64]]
) -> dict[str, dict[str, int]]:
    """Return in how many rows of each split each imputed column has no value.

    Args:
        imputations: Name the columns.
        frame: All rows.
        splits: Places of the rows of each split, by its name.

    >>> missing_counts(parse_imputations({"a": 0}), pl.DataFrame({"a": [None, 1.0, math.nan]}), {"train": np.array([0, 1])})
    {'a': {'train': 1}}
    """
    lacking = {one.column: _missing(frame[one.column]) for one in imputations}
    return {column: {name: int(where.gather(places).sum()) for name, places in splits.items()} for column, where in lacking.items()}


def _missing(column: pl.Series) -> pl.Series:
    return column.is_null() | column.is_nan().fill_null(False) if column.dtype.is_float() else column.is_null()


def _parsed(column: str, entry: object) -> Imputation:
    given = dict(entry) if isinstance(entry, Mapping) else {"value": entry}
    for part in given:
        if part not in PARTS:
            raise ParameterError(f"impute: {column!r} has an unknown part {part!r}; {nearest(str(part), PARTS)}")
    flag = given.get("flag", "")
    if not isinstance(flag, str):
        raise ParameterError(f"impute: the flag of {column!r} is {flag!r}; write the name of a feature")
    if ("value" in given) == ("constant" in given):
        raise ParameterError(f"impute: {column!r} needs either value or constant; write one, like {{'value': 'median'}}")
    value = given.get("value", given.get("constant"))
    if isinstance(value, str) and "value" in given:
        if value not in STRATEGIES:
            own = f'(for a text of your own: {{"constant": "{value}"}})'
            raise ParameterError(f"impute: {column!r} by {value!r}; {nearest(value, STRATEGIES)} {own}")
        return Imputation(column, value, flag=flag)
    if not isinstance(value, str | int | float) or value == "" or (not isinstance(value, str) and not abs(value) <= sys.float_info.max):
        raise ParameterError(f"impute: {column!r} is {value!r}; write one of {', '.join(STRATEGIES)}, a number, a text, true or false")
    return Imputation(column, CONSTANT, value, flag)


def _learnt(one: Imputation, train: pl.DataFrame) -> Value:
    kind = kind_of(train.schema[one.column])
    if kind == "datetime":
        raise SchemaError(
            f"impute: {one.column!r} is a datetime; fill what is made of it, by an expression like coalesce(extract(hour from at), 12)"
        )
    if one.value is not None:
        return _fitting(one, kind, one.value)
    if one.by != "most_frequent" and kind not in ("integer", "number"):
        raise SchemaError(f"impute: {one.by} of {one.column!r}, a column of {kind}s; write most_frequent, or a constant")
    values = check_inputs(train.select(one.column), {one.column: kind})[one.column].drop_nulls()
    if not len(values):
        raise SchemaError(
            f"impute: {one.column!r} has no value in the {train.height:,} rows that train, so there is no {one.by}; write a constant"
        )
    return _fitting(one, kind, {"mean": _mean, "median": _median, "most_frequent": _most_frequent}[one.by](values))


def _fitting(one: Imputation, kind: str, value: Value) -> Value:
    """Return a value as a column of a kind takes it: KFP hands every number over as a double."""
    wanted = {"integer": (int, float), "number": (int, float), "boolean": (bool,), "string": (str,)}[kind]
    if not isinstance(value, wanted) or isinstance(value, bool) != (kind == "boolean"):
        raise SchemaError(f"impute: {one.column!r} is a column of {kind}s, and {value!r} is none; write a {kind}")
    if isinstance(value, str) and (len(value) > LONGEST or "\0" in value):
        raise SchemaError(f"impute: the value of {one.column!r} is {value[:40]!r}…, which no package takes; write a shorter constant")
    if isinstance(value, str | bool):
        return value
    whole = value == math.floor(value) and -(2**63) <= value < 2**63
    return int(value) if kind == "integer" and whole else float(value)


def _mean(values: pl.Series) -> float:
    numbers = values.to_list()
    try:
        return math.fsum(numbers) / len(numbers)  # rounded once, so it is the same in whatever order the rows come
    except OverflowError:
        return math.fsum(number / len(numbers) for number in numbers)


def _median(values: pl.Series) -> float | int:
    ordered = values.sort()
    low, high = ordered[(len(ordered) - 1) // 2], ordered[len(ordered) // 2]
    middle: float | int = low if low == high else low / 2 + high / 2
    return middle


def _most_frequent(values: pl.Series) -> Value:
    counts = values.rename("value").value_counts(name="rows")
    smallest: Value = counts.filter(pl.col("rows") == pl.col("rows").max())["value"].sort()[0]  # of several
    return smallest
