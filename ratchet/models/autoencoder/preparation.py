"""What an autoencoder's network is given in place of a feature matrix: standardised numbers, masks of what is missing, codes of categories.

Learnt from the rows that train and kept in the package, so that whoever asks the network prepares rows as training did.

Numbers are standardised by mean and standard deviation, and what lies further out than `LIMIT` deviations is drawn in: from there on a
distance grows as its logarithm. Squared as they are, a few far values would own the training, and a value of 1e30 would be infinite in
float32; cut off at the limit, a value 11 deviations away and one 11,000 away would be the same anomaly.
"""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from ratchet.errors import DataError, EmptySampleError, PackageError, ParameterError
from ratchet.models.autoencoder.moments import Moments
from ratchet.models.autoencoder.vocabulary import Vocabulary

FORMAT = 1
PREPARATION = "preparation.json"
LIMIT = 10.0
CATEGORIES = 100  # values of a category that get a code of their own; the rest are as one never seen
UNKNOWN, MISSING, FIRST = 0, 1, 2  # codes
FEW_ROWS = 256  # up to here a dictionary finds codes faster than a table is set up
LARGEST = 1e300


@dataclass(frozen=True, slots=True)
class Number:
    """How a number is standardised: (value - centre) / spread."""

    name: str
    centre: float
    spread: float


@dataclass(frozen=True, slots=True)
class Category:
    """Values that have a code: 2 for the first, and so on; 0 is any other, 1 is missing."""

    name: str
    values: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Prepared:
    """Rows as the network takes them.

    Attributes:
        numbers: float32, shape (n, d): standardised, 0 where missing.
        missing: float32, shape (n, d): 1 where missing, else 0.
        categories: int32, shape (n, c): codes.
    """

    numbers: np.ndarray
    missing: np.ndarray
    categories: np.ndarray

    def inputs(self) -> dict[str, np.ndarray]:
        """Return them by the names of the graph's inputs, which has none for columns that there are not."""
        numeric = {"numbers": self.numbers, "missing": self.missing} if self.numbers.shape[1] else {}
        return {**numeric, "categories": self.categories} if self.categories.shape[1] else numeric


@dataclass(frozen=True)
class Preparation:
    """What was learnt of the columns.

    Attributes:
        numbers: Numeric columns.
        categories: Text columns.
        scales: What each column's error is divided by, numbers first: shape (d + c,).
        limit: Deviations beyond which a number is drawn in.
    """

    numbers: tuple[Number, ...]
    categories: tuple[Category, ...]
    scales: tuple[float, ...]
    limit: float = LIMIT

    @classmethod
    def learn(cls, batches: Iterable[pl.DataFrame], features: Sequence[str], *, most: int = CATEGORIES, channels: int = 0) -> "Preparation":
        """Learn from rows in one pass, in memory that does not grow with them.

        Args:
            batches: Feature matrices, as `FeatureSpec.matrix` makes them.
            features: Columns to learn.
            most: Values of a category that get a code.
            channels: Of a window, whose numeric columns are steps × channels, in order: a channel's columns are one signal and share one
                centre and one spread. 0 where each column is by itself.

        Raises:
            DataError: a number is NaN or infinite.
            EmptySampleError: there are no rows.
            ParameterError: ``most`` is not above 0.
        """
        if most < 1:
            raise ParameterError(f"categories is {most}; give a whole number above 0")
        shared = [Moments() for _ in range(channels)]
        moments: dict[str, Moments] = {}
        vocabularies: dict[str, Vocabulary] = {}
        rows = 0
        for batch in batches:
            for name in features:
                column = batch.get_column(name)
                if column.dtype == pl.String:
                    vocabularies.setdefault(name, Vocabulary()).add(column)
                else:
                    moments.setdefault(name, shared[len(moments) % channels] if channels else Moments()).add(
                        _finite(column, rows).drop_nulls().to_numpy()
                    )
            rows += batch.height
        if not rows:
            raise EmptySampleError("an autoencoder learns from rows, and there are none; take a longer time, or another split")
        numbers = tuple(Number(name, one.centre, one.spread) for name, one in moments.items())
        categories = tuple(Category(name, one.most_frequent(most)) for name, one in vocabularies.items())
        return cls(numbers, categories, (1.0,) * len(features))

    @property
    def columns(self) -> tuple[str, ...]:
        """Names in the order of the graph's errors: numbers, then categories."""
        return (*(one.name for one in self.numbers), *(one.name for one in self.categories))

    def prepare(self, matrix: pl.DataFrame, *, before: int = 0) -> Prepared:
        """Return rows as the network takes them.

        Args:
            matrix: n rows with at least the columns; null is missing.
            before: Number of rows that came earlier, for messages.

        Raises:
            DataError: a number is NaN or infinite; the message names column, row and value.
        """
        numeric = matrix if matrix.columns == self._names else matrix[self._names]  # `select` would cost a single row as much as all else
        values = numeric.to_numpy() if self.numbers else np.empty((matrix.height, 0))
        present = np.isfinite(values)
        missing = np.zeros(values.shape, dtype=np.float32)
        if not present.all():
            for name in self._names:
                _finite(matrix.get_column(name), before)
            missing[~present] = 1.0  # all of them null, by now
        codes = np.empty((matrix.height, len(self.categories)), dtype=np.int32)
        for place, category in enumerate(self.categories):
            codes[:, place] = self._codes(matrix.get_column(category.name), place)
        return Prepared(self._standardised(values, present), missing, codes)

    def _standardised(self, values: np.ndarray, present: np.ndarray) -> np.ndarray:
        centres, spreads = self._centres_and_spreads
        with np.errstate(over="ignore"):
            distances = (values - centres) / spreads
        distances[~present] = 0.0
        far = np.abs(distances) > self.limit
        if far.any():
            beyond = np.clip(np.abs(distances[far]), self.limit, LARGEST)
            distances[far] = np.copysign(self.limit * (1 + np.log(beyond / self.limit)), distances[far])
        return np.ascontiguousarray(distances, dtype=np.float32)

    def _codes(self, column: pl.Series, place: int) -> np.ndarray | list[int]:
        known = self._known[place]
        if len(column) <= FEW_ROWS:
            return [MISSING if value is None else known.get(value, UNKNOWN) for value in column.to_list()]
        codes = column.cast(pl.Enum(list(known)), strict=False).to_physical().cast(pl.Int32) + FIRST
        return codes.fill_null(UNKNOWN).set(column.is_null(), MISSING).to_numpy()

    @cached_property
    def _names(self) -> list[str]:
        return [one.name for one in self.numbers]

    @cached_property
    def _centres_and_spreads(self) -> tuple[np.ndarray, np.ndarray]:
        return np.array([one.centre for one in self.numbers]), np.array([one.spread for one in self.numbers])

    @cached_property
    def _known(self) -> list[dict[str, int]]:
        return [{value: code for code, value in enumerate(one.values, start=FIRST)} for one in self.categories]

    def to_json(self) -> str:
        """Return it as JSON of which there is one form only."""
        values: dict[str, Any] = {
            "format": FORMAT,
            "limit": self.limit,
            "numbers": [{"name": one.name, "centre": one.centre, "spread": one.spread} for one in self.numbers],
            "categories": [{"name": one.name, "values": list(one.values)} for one in self.categories],
            "scales": list(self.scales),
        }
        return json.dumps(values, ensure_ascii=False, indent=1, allow_nan=False) + "\n"

    @classmethod
    def from_json(cls, text: str, where: str) -> "Preparation":
        """Return what `to_json` gave.

        Args:
            text: JSON.
            where: Its file, for the message.

        Raises:
            PackageError: it is of another format, lacks a part, or holds what cannot prepare anything.
        """
        try:
            values = json.loads(text)
            if values["format"] != FORMAT:
                raise PackageError(f"{where!r} is of format {values['format']!r}; this version reads format {FORMAT}: upgrade kfp-ratchet")
            numbers = tuple(Number(str(one["name"]), float(one["centre"]), float(one["spread"])) for one in values["numbers"])
            categories = tuple(Category(str(one["name"]), tuple(map(str, one["values"]))) for one in values["categories"])
            read = cls(numbers, categories, tuple(map(float, values["scales"])), float(values["limit"]))
        except (ValueError, KeyError, TypeError) as error:
            raise PackageError(f"{where!r} is not readable ({error!r}); fetch the package again") from error
        positive = [read.limit, *read.scales, *(one.spread for one in numbers)]
        if not all(0 < one < np.inf for one in positive) or not all(abs(one.centre) < np.inf for one in numbers):
            raise PackageError(f"{where!r} holds a scale, spread or limit that is not above 0 and finite; fetch the package again")
        if len(read.scales) != len(read.columns) or len(set(read.columns)) != len(read.columns):
            raise PackageError(f"{where!r} has {len(read.scales)} scales for the columns {read.columns}; fetch the package again")
        return read

    def write(self, folder: Path) -> None:
        """Write ``preparation.json`` into a folder."""
        (folder / PREPARATION).write_text(self.to_json(), encoding="utf-8")

    @classmethod
    def read(cls, folder: Path) -> "Preparation":
        """Return the preparation in a folder.

        Raises:
            PackageError: as for `from_json`, or there is none.
        """
        path = folder / PREPARATION
        try:
            text = path.read_text(encoding="utf-8")
        except (OSError, ValueError) as error:
            raise PackageError(f"{str(path)!r} cannot be read ({error}); fetch the package again") from error
        return cls.from_json(text, str(path))


def _finite(column: pl.Series, before: int = 0) -> pl.Series:
    """Return the column, or refuse it; ``before`` rows came earlier."""
    finite = column.is_finite() if column.dtype.is_float() else None
    if finite is not None and not finite.all():
        row = int(finite.arg_min() or 0)
        raise DataError(
            f"column {column.name!r} is {column[row]} in row {before + row}, which no network may be given: what comes out could look "
            "usual; repair it, or leave it missing"
        )
    return column
