"""The split that a column of the data gives, decided elsewhere and before: the split of a benchmark, or a holdout that nobody may touch.

A published figure means something on its own rows only. The column's word is final: nothing is moved or left out, but rows
that the live model may have seen. What it leaves open, which of the training rows choose, is dealt as in any other split.
"""

import numpy as np
import numpy.typing as npt
import polars as pl

from ratchet.errors import SplitError, nearest
from ratchet.features.hash_split import SALT, lowest_share
from ratchet.features.instants import Instants
from ratchet.features.shares import stable_shares
from ratchet.features.spec import SplitRecord
from ratchet.features.split_plan import Mask, SplitPlan, Splits

TRAIN, VALIDATION, HOLDOUT = WORDS = ("train", "validation", "holdout")


def split_by_column(frame: pl.DataFrame, plan: SplitPlan, unseen: Mask, classes: pl.Series | None) -> Splits:
    """Split rows as a column says.

    Args:
        frame: The rows.
        plan: How; ``plan.given`` names a column of the words "train", "validation" and "holdout". A row without a word is in no split.
            Where no row says "validation", a share of the training rows is: by time the latest, else by their stable number.
        unseen: shape (rows,), rows that may judge.
        classes: shape (rows,), class of each row; None in regression.

    Returns:
        The splits, by time each in its order.

    Raises:
        SplitError: the column is not there or has another word, or a group has rows in two splits.

    >>> rows = pl.DataFrame({"at": [1, 2, 3, 4, 5], "part": ["holdout", "train", "train", "train", "holdout"]})
    >>> parts = split_by_column(rows, SplitPlan(time="at", given="part"), np.ones(5, bool), None)
    >>> parts.train.tolist(), parts.validation.tolist(), parts.holdout.tolist()
    ([1, 2], [3], [0, 4])
    """
    words = _words(frame, plan)
    trains, validates, held = ((words == word).fill_null(False).to_numpy() for word in WORDS)
    times = Instants.of(frame, plan.time).values if plan.time else np.zeros(frame.height, np.int64)
    if not validates.any() and trains.any():
        validates = _chosen(frame, plan, trains, times, classes)
        trains = trains & ~validates
    if plan.group:
        _check_groups(frame, plan, trains, validates, held)
    record = SplitRecord("given", (plan.given,))
    left_out = {f"{plan.given} is empty": words.null_count(), "the live model may have trained on them": int((held & ~unseen).sum())}
    train, validation, holdout = (_in_order(mask, times) for mask in (trains, validates, held & unseen))
    return Splits(train, validation, holdout, record, left_out)


def given_to_training(frame: pl.DataFrame, record: SplitRecord) -> Mask:
    """Return the rows that a model split so may have been trained on: all that are not said to judge."""
    return np.asarray(~(frame[record.columns[0]] == HOLDOUT).fill_null(False))


def _words(frame: pl.DataFrame, plan: SplitPlan) -> pl.Series:
    if plan.given not in frame.columns:
        raise SplitError(f"split_column: no column {plan.given!r}; {nearest(plan.given, frame.columns)}")
    words = frame[plan.given].cast(pl.String)
    other = words.is_not_null() & ~words.is_in(WORDS)
    if other.any():
        row = other.arg_max() or 0
        raise SplitError(f"split_column: row {row:,} of column {plan.given!r} says {words[row]!r}; write {', '.join(WORDS)}, or nothing")
    return words


def _chosen(frame: pl.DataFrame, plan: SplitPlan, trains: Mask, times: npt.NDArray[np.generic], classes: pl.Series | None) -> Mask:
    if plan.time:
        ordered = np.sort(times[trains])
        latest: Mask = times >= ordered[min(round(len(ordered) * (1 - plan.validation_share)), len(ordered) - 1)]
        return trains & latest
    shares = stable_shares(frame, plan.record_columns, SALT)
    return lowest_share(shares, trains, plan.validation_share, None if plan.group else classes)


def _check_groups(frame: pl.DataFrame, plan: SplitPlan, *masks: Mask) -> None:
    if plan.group not in frame.columns:
        raise SplitError(f"no group column {plan.group!r}; {nearest(plan.group, frame.columns)}")
    place = np.select(masks, range(len(masks)), -1)
    rows = pl.DataFrame({"group": frame[plan.group], "place": place}).filter(pl.col("place") >= 0)
    torn = rows.group_by("group").agg(pl.col("place").n_unique()).filter(pl.col("place") > 1)
    if torn.height:
        raise SplitError(
            f"{torn.height:,} groups of {plan.group!r}, e.g. {torn['group'][0]!r}, have rows in more than one split of column "
            f"{plan.given!r}; give the rows of a group one word, or leave group_column empty"
        )


def _in_order(mask: Mask, times: npt.NDArray[np.generic]) -> npt.NDArray[np.int64]:
    places = np.flatnonzero(mask)
    return places[np.argsort(times[places], kind="stable")]
