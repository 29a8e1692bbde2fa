"""The feature specification: what a model reads, how its features are made of that, and what it predicts.

It travels twice: as a file from the step that makes it to the step that trains, and inside each model package. Training, evaluation and the
gateway all make features by its `FeatureSpec.matrix`, so there is nothing that could differ between them.
"""

import hashlib
import json
import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from ratchet.data.kinds import DTYPES
from ratchet.errors import SchemaError, TargetError
from ratchet.features.imputation import Imputation, filled_schema, filling, read_imputations
from ratchet.features.inputs import check_inputs
from ratchet.features.target import TWO_CLASSES, UNLABELLED, Target, encode, is_labelled
from ratchet.features.windows import Window, parse_windows

FORMAT = 1
Steps = tuple[list[pl.Expr], list[pl.Expr], list[str]]


@dataclass(frozen=True)
class SplitRecord:
    """Which rows a model may have been trained on, for ever after.

    Attributes:
        kind: "time", "hash" or "given".
        columns: The time column, the columns whose values place a row, or the one that says its split.
        holdout_share: In a "hash" split, rows whose number is below this were held out.
        salt: Of those numbers.
        trained_until: In a "time" split, the latest time that trained (ISO 8601, or a number where time is a number).
    """

    kind: str
    columns: tuple[str, ...]
    holdout_share: float = 0.0
    salt: str = ""
    trained_until: str = ""


@dataclass(frozen=True)
class FeatureSpec:
    """What a model reads, makes of it, and predicts.

    Attributes:
        task: "binary", "multiclass", "regression" or "anomaly".
        target: Column to predict, in "anomaly" the label's; empty where nobody labels, in "anomaly" only.
        inputs: Every column that `matrix` reads, windows included, with its kind ("integer", "number", "boolean", "string", "datetime").
        plain: Columns that are features as they are, in order.
        classes: Class names; in "binary" the negative one, then the positive one; in "anomaly" normal, then anomaly.
        expressions: SQL scalar expression by feature name.
        windows: Aggregates over time; a table has them as columns already.
        key: Columns that identify a row.
        time: Column that orders the rows; empty for none.
        group: Column whose rows never straddle a split; empty for none.
        drop: Columns that the model must not see.
        split: Which rows trained it.
        impute: What stands in for missing values, learnt from the rows that trained it.
    """

    task: str
    target: str
    inputs: Mapping[str, str]
    plain: tuple[str, ...]
    classes: tuple[str, ...] = ()
    expressions: Mapping[str, str] = field(default_factory=dict)
    windows: tuple[Window, ...] = ()
    key: tuple[str, ...] = ()
    time: str = ""
    group: str = ""
    drop: tuple[str, ...] = ()
    split: SplitRecord | None = None
    impute: tuple[Imputation, ...] = ()

    @property
    def positive(self) -> str:
        """Name of the positive class, in "anomaly" the anomaly; empty unless there are two classes to tell apart."""
        return self.classes[1] if self.task in TWO_CLASSES else ""

    @property
    def features(self) -> tuple[str, ...]:
        """Names of the model's features, in the order of the columns of `matrix`."""
        flags = (one.flag for one in self.impute if one.flag)
        return (*self.plain, *(window.name for window in self.windows), *flags, *self.expressions)

    @property
    def raw(self) -> tuple[str, ...]:
        """Columns of the data itself that the model reads, and its target where there is one; a window is none."""
        made = {window.name for window in self.windows}
        return (*(name for name in self.inputs if name not in made), *((self.target,) if self.target else ()))

    @property
    def digest(self) -> str:
        """``sha256:`` and the digest of the specification in its canonical form."""
        return "sha256:" + hashlib.sha256(self.canonical_json().encode()).hexdigest()

    def matrix(self, frame: pl.DataFrame, *, checked: bool = False) -> pl.DataFrame:
        """Return the model's features.

        Args:
            frame: Rows with at least the columns `inputs` names; others are not looked at.
            checked: The columns are of canonical types and `check_inputs` would change nothing; to check costs as much as the features.

        Returns:
            One column a feature, in the order of `features`: Float64 for numbers and booleans, String for categories. Missing is null, but
            where `impute` names the column.

        Raises:
            SchemaError: an input is missing, of another kind, or infinite; the message names column, row and value.
        """
        if checked:
            return _evaluate(frame, *self._canonical)
        rows = check_inputs(frame, self.inputs)
        return _evaluate(rows, *_steps(self.features, tuple(self.expressions.items()), self.impute, tuple(rows.schema.items())))

    @cached_property
    def _canonical(self) -> Steps:
        """What `_steps` returns for inputs of canonical types."""
        types = tuple((name, DTYPES[kind]) for name, kind in self.inputs.items())
        return _steps(self.features, tuple(self.expressions.items()), self.impute, types)

    def as_anomaly(self) -> "FeatureSpec":
        """Return the same features for a model that knows only how unlike usual rows a row is, e.g. the encoder below a stacked model.

        Two classes keep their labels, the positive one being the anomaly. Several classes and numbers say nothing about what is usual,
        so the specification returned has no target then.
        """
        if self.task in TWO_CLASSES:
            return replace(self, task="anomaly")
        return replace(self, task="anomaly", target="", classes=UNLABELLED)

    def labelled(self, frame: pl.DataFrame) -> pl.DataFrame:
        """Return the rows that have a label; none where there is no target.

        Raises:
            SchemaError: the target is not there.
        """
        if not self.target:
            return frame.clear()
        return frame.filter(is_labelled(self._target_of(frame)))

    def labels(self, frame: pl.DataFrame) -> np.ndarray:
        """Return the labels as numbers.

        Returns:
            shape (n,): float64 0 or 1 in "binary" and "anomaly" (1 is the anomaly), int64 places in ``classes`` in "multiclass", float64
            in "regression".

        Raises:
            SchemaError: the target is not there.
            TargetError: a value is missing (`labelled` leaves such rows out) or of no known class, or there is no target.
        """
        if not self.target:
            raise TargetError("there is no target, so rows have no labels; name one in the features step")
        return encode(self._target_of(frame), Target(self.target, self.task, self.classes))

    def _target_of(self, frame: pl.DataFrame) -> pl.Series:
        if self.target not in frame.columns:
            raise SchemaError(f"no target column {self.target!r} in the table; pass rows with labels")
        return frame[self.target]

    def to_dict(self) -> dict[str, Any]:
        """Return it as a mapping that JSON can hold."""
        values = {"format": FORMAT, **asdict(self)}
        if not self.impute:
            del values["impute"]  # so a specification without it has the digest that it had before there was any
        return values

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> "FeatureSpec":
        """Return the specification that `to_dict` gave.

        Raises:
            SchemaError: it is of another format, or lacks a part.
        """
        known = dict(values)
        found = known.pop("format", None)
        if found != FORMAT:
            raise SchemaError(f"feature specification of format {found!r}; this version reads format {FORMAT}: run the features step again")
        try:
            known["windows"] = parse_windows(known["windows"])
            known["impute"] = read_imputations(known.get("impute", ()), known["inputs"])
            for name in ("plain", "classes", "key", "drop"):
                known[name] = tuple(known[name])
            if known["split"] is not None:
                known["split"] = SplitRecord(**{**known["split"], "columns": tuple(known["split"]["columns"])})
            return cls(**known)
        except (KeyError, TypeError) as error:
            raise SchemaError(f"feature specification is not complete ({error}); run the features step again") from error

    def canonical_json(self) -> str:
        """Return it as JSON of which there is one form only, features and expressions in their order."""
        return json.dumps(self.to_dict(), ensure_ascii=False, separators=(",", ":"))

    def write(self, path: str | Path) -> None:
        """Write it as a JSON file that a person can read."""
        Path(path).parent.mkdir(parents=True, exist_ok=True)
        Path(path).write_text(json.dumps(self.to_dict(), ensure_ascii=False, indent=1) + "\n", encoding="utf-8")

    @classmethod
    def read(cls, path: str | Path) -> "FeatureSpec":
        """Return the specification in a file.

        Raises:
            SchemaError: the file is not there or is no specification.
        """
        try:
            values = json.loads(Path(path).read_text(encoding="utf-8"))
        except (OSError, ValueError) as error:
            raise SchemaError(f"feature specification {str(path)!r} cannot be read ({error}); pass what the features step wrote") from error
        if not isinstance(values, dict):
            raise SchemaError(f"feature specification {str(path)!r} is no JSON mapping; pass what the features step wrote")
        return cls.from_dict(values)


@lru_cache(maxsize=256)
def _steps(
    names: tuple[str, ...],
    expressions: tuple[tuple[str, str], ...],
    impute: tuple[Imputation, ...],
    schema: tuple[tuple[str, pl.DataType], ...],
) -> Steps:
    """Return what fills columns of these types, what makes features of them, and which of those may be not finite.

    Kept, because to parse costs ten times what to evaluate does, and a gateway evaluates the same ones for each batch.
    """
    from ratchet.features.expressions import parse_expressions

    made = {expression.name: expression.to_polars() for expression in parse_expressions(dict(expressions))}
    filled = filled_schema(impute, dict(schema))
    types = pl.DataFrame(schema=filled).select(made.get(name, pl.col(name)) for name in names).schema
    chosen = [_number(made.get(name, pl.col(name)), types[name]).alias(name) for name in names]
    computed = [name for name in names if name in made and types[name].is_float()]  # a column that is read is finite already
    return filling(impute, dict(schema)), chosen, computed


def _number(feature: pl.Expr, dtype: pl.DataType) -> pl.Expr:
    return feature if dtype in (pl.String, pl.Float64) else feature.cast(pl.Float64)


def _evaluate(rows: pl.DataFrame, filled: list[pl.Expr], chosen: list[pl.Expr], computed: list[str]) -> pl.DataFrame:
    features = (rows.with_columns(filled) if filled else rows).select(chosen)
    # What is not finite spoils its sum. To replace it costs a gateway half of what the features do, and is hardly ever needed.
    spoilt = [name for name in computed if not math.isfinite(features.get_column(name).sum())]
    return features.with_columns(pl.when(pl.col(name).is_finite()).then(pl.col(name)) for name in spoilt) if spoilt else features
