"""Anomalies made on purpose, to judge a model where nobody labels any.

Rows of the holdout are held to be normal; a share of them is changed in stated ways, and a model is asked whether it notices. What is
changed follows from the rows, the kinds, the share, the strength and a seed alone, all fixed before anything is trained, so challenger
and champion meet the same anomalies. No threshold is ever chosen on them: it would learn what was injected, not what is usual.
"""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from ratchet.errors import EmptySampleError, ParameterError, SchemaError, nearest
from ratchet.evaluation.injected_kinds import KINDS, Category, Edits, Number, Rows

RUN_ROWS = 32
Names = NDArray[np.str_]


@dataclass(frozen=True)
class Injection:
    """What to inject.

    Attributes:
        kinds: "spike", "swap", "noise", "drift" (`injected_kinds` says what each is); empty for all that the columns allow.
        share: Share of the rows to change, at most half; each kind gets as many.
        strength: How far a value is moved, in standard deviations of its column.
        seed: Of the choice of rows, columns and values.
    """

    kinds: tuple[str, ...] = ()
    share: float = 0.05
    strength: float = 4.0
    seed: int = 0

    def __post_init__(self) -> None:
        """Refuse what cannot be injected."""
        for kind in self.kinds:
            if kind not in KINDS:
                raise ParameterError(f"injected: kind {kind!r} is unknown; {nearest(str(kind), KINDS)}")
        if not 0 < self.share <= 0.5:
            raise ParameterError(f"injected: share is {self.share:g}; give a share of the rows above 0 and at most 0.5, like 0.05")
        if not 0 < self.strength <= 1e6:
            raise ParameterError(f"injected: strength is {self.strength:g} standard deviations; give e.g. 4")

    @classmethod
    def parse(cls, declared: Mapping[str, Any]) -> "Injection":
        """Return it from a mapping, as a pipeline's parameter gives it; what is left out has its default.

        Raises:
            ParameterError: a part is unknown or cannot be used.

        >>> Injection.parse({"kinds": ["spike"], "seed": 7.0})
        Injection(kinds=('spike',), share=0.05, strength=4.0, seed=7)
        """
        known = [part.name for part in fields(cls)]
        for name in declared:
            if name not in known:
                raise ParameterError(f"injected: unknown part {name!r}; {nearest(str(name), known)}")
        kinds = declared.get("kinds", ())
        if isinstance(kinds, str) or not isinstance(kinds, Iterable):
            raise ParameterError(f"injected: kinds is {kinds!r}; write a list like [spike, swap]")
        numbers = {name: _number(name, declared[name]) for name in ("share", "strength", "seed") if name in declared}
        seed = numbers.pop("seed", 0.0)
        if not seed.is_integer() or seed < 0:
            raise ParameterError(f"injected: seed is {declared['seed']!r}; give a whole number, 0 or more")
        return cls(tuple(dict.fromkeys(kinds)), seed=int(seed), **numbers)


@dataclass(frozen=True)
class Injected:
    """Rows with anomalies in them.

    Attributes:
        frame: The rows, in their order.
        kinds: shape (n,), what was done to each row; empty for a row that is as it was.
        how: What was asked for.
    """

    frame: pl.DataFrame
    kinds: Names
    how: Injection

    @property
    def labels(self) -> NDArray[np.float64]:
        """shape (n,): 1 for a changed row, else 0."""
        return np.asarray(self.kinds != "", dtype=np.float64)

    @property
    def counts(self) -> dict[str, int]:
        """Number of changed rows by kind."""
        return {kind: int(np.sum(self.kinds == kind)) for kind in KINDS if kind in self.kinds}

    @property
    def told(self) -> str:
        """What was injected, in a sentence."""
        made = ", ".join(f"{count:,} {kind}" for kind, count in self.counts.items())
        return (
            f"Injected into {len(self.kinds):,} rows held to be normal: {made} (share {self.how.share:g}, strength {self.how.strength:g}, "
            f"seed {self.how.seed}). Fixed before training; no threshold was chosen on them."
        )


def inject(frame: pl.DataFrame, columns: Iterable[str], how: Injection, *, order: str = "") -> Injected:
    """Change some rows of a table.

    Whole numbers stay whole, a column that is never negative stays so (but where two columns are swapped), missing values stay missing,
    and times are not touched. A number of at most two values is treated as a category. A row that comes out as it was is no anomaly.

    Args:
        frame: Rows held to be normal.
        columns: Columns that may be changed.
        how: What to inject.
        order: Column that orders the rows, for "drift"; empty for the order they are in.

    Raises:
        EmptySampleError: there are too few rows.
        SchemaError: no column can be changed.
        ParameterError: a kind was asked for that none of the columns allows.

    >>> rows = pl.DataFrame({"x": range(100), "y": ["a", "b"] * 50})
    >>> made = inject(rows, ["x", "y"], Injection(("swap",), share=0.02))
    >>> made.counts, (made.frame["y"] != rows["y"]).sum() + (made.frame["x"] != rows["x"]).sum()
    ({'swap': 2}, 2)
    """
    numbers, categories = _sorted_out(frame, columns)
    kinds = _kinds(how, numbers, categories)
    wanted = max(round(how.share * frame.height), len(kinds))
    if frame.height < 2 * wanted:
        raise EmptySampleError(f"{frame.height:,} rows are too few to inject {len(kinds)} kinds of anomalies in; widen the holdout")
    rng = np.random.default_rng(how.seed)
    sequence = frame[order].arg_sort(nulls_last=True).to_numpy().astype(np.int64) if order else np.arange(frame.height)
    changed, names = frame, np.full(frame.height, "", dtype="<U5")
    touched: set[str] = set()
    for kind, rows in _places(sequence, kinds, wanted, rng).items():
        edits = _by_column(KINDS[kind](numbers, categories, rows, how.strength, rng))
        changed = changed.with_columns([_written(changed[name], *parts) for name, parts in edits.items()])
        touched.update(edits)
        names[np.concatenate(rows)] = kind
    names[~_differs(changed, frame, touched)] = ""
    if not (names != "").any():
        raise EmptySampleError(f"no row of {frame.height:,} could be changed; are all values of a column alike, or missing?")
    return Injected(changed, names, how)


def _number(name: str, value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise ParameterError(f"injected: {name} is {value!r}; give a number")
    return float(value)


def _sorted_out(frame: pl.DataFrame, columns: Iterable[str]) -> tuple[list[Number], list[Category]]:
    """Return the columns that vary, numbers apart from categories, each in the table's order."""
    wanted = set(columns)
    numbers, categories = [], []
    for column in frame.iter_columns():
        present = column.drop_nulls() if column.name in wanted else column.clear()
        present = present.filter(present.is_finite()) if column.dtype.is_float() else present
        distinct = present.n_unique()
        if distinct < 2:
            continue
        if distinct > 2 and (column.dtype.is_integer() or column.dtype.is_float()):
            numbers.append(Number.of(column))
        elif not column.dtype.is_temporal() and not column.dtype.is_nested():
            categories.append(Category.of(column))
    return numbers, categories


def _kinds(how: Injection, numbers: Sequence[Number], categories: Sequence[Category]) -> tuple[str, ...]:
    if not numbers and not categories:
        raise SchemaError("no column that a model reads varies, so no anomaly can be injected; label some, or use a longer holdout")
    possible = tuple(KINDS) if numbers else ("swap",)
    for kind in how.kinds:
        if kind not in possible:
            raise ParameterError(f"injected: {kind!r} changes numbers, and no column of more than two numbers is read; use swap")
    return how.kinds or possible


def _places(sequence: Rows, kinds: Sequence[str], wanted: int, rng: np.random.Generator) -> dict[str, list[Rows]]:
    """Return the rows of each kind; those of "drift" in runs of consecutive ones, which are dealt first."""
    sizes = {kind: wanted // len(kinds) + (place < wanted % len(kinds)) for place, kind in enumerate(kinds)}
    found: dict[str, list[Rows]] = {}
    free = np.ones(len(sequence), bool)
    if "drift" in sizes:
        count = sizes.pop("drift")
        lengths = [len(part) for part in np.array_split(np.arange(count), math.ceil(count / RUN_ROWS))]
        found["drift"] = []
        for length, stretch in zip(lengths, np.array_split(np.arange(len(sequence)), len(lengths)), strict=True):
            begin = stretch[0] + rng.integers(0, len(stretch) - length + 1)
            free[begin : begin + length] = False
            found["drift"].append(sequence[begin : begin + length])
    rest = rng.permutation(sequence[free])
    for kind, size in sizes.items():
        found[kind], rest = [np.sort(rest[:size])], rest[size:]
    return found


def _by_column(edits: Edits) -> dict[str, tuple[Rows, pl.Series]]:
    """Return rows and new values by column."""
    parts: dict[str, list[tuple[Rows, pl.Series]]] = {}
    for name, rows, values in edits:
        if len(rows):
            parts.setdefault(name, []).append((rows, values))
    return {name: (np.concatenate([rows for rows, _ in some]), pl.concat([values for _, values in some])) for name, some in parts.items()}


def _written(column: pl.Series, rows: Rows, values: pl.Series) -> pl.Series:
    """Return a column with other values in some rows; the others are not even copied through another type."""
    place = np.arange(len(column))
    place[rows] = len(column) + np.arange(len(rows))
    return pl.concat([column, values.rename(column.name)]).gather(place)


def _differs(changed: pl.DataFrame, frame: pl.DataFrame, names: Iterable[str]) -> NDArray[np.bool_]:
    differs = np.zeros(frame.height, bool)
    for name in names:
        differs |= changed[name].ne_missing(frame[name]).to_numpy()
    return differs
