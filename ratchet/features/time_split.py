"""The split by time: train, then validation, then a gap as long as labels take to arrive, then the holdout.

The gap is what a live system has: on the day the holdout begins, nobody knows yet which of last week's payments were fraud.
"""

import numpy as np
import numpy.typing as npt
import polars as pl

from ratchet.errors import ParameterError, SchemaError, SplitError, nearest
from ratchet.features.instants import Instants
from ratchet.features.spec import SplitRecord
from ratchet.features.split_plan import Mask, SplitPlan, Splits

DAY = 86_400_000_000  # microseconds
Times = npt.NDArray[np.int64] | npt.NDArray[np.float64]


def split_by_time(frame: pl.DataFrame, plan: SplitPlan, unseen: Mask, positive: Mask | None) -> Splits:
    """Split rows by their time.

    Args:
        frame: The rows.
        plan: How; ``plan.time`` names the column.
        unseen: shape (rows,), rows that may judge.
        positive: shape (rows,), which rows are positive; needed by ``plan.known_by``.

    Returns:
        The splits, each sorted by time. Rows of one instant share a split.

    Raises:
        SplitError: a boundary leaves no rows.
        SchemaError: a column is not there.
        ParameterError: a boundary is no time, or ``known_by`` is set where no class is positive.
    """
    instants = Instants.of(frame, plan.time)
    begin, cut = _boundaries(instants, plan)
    delay = instants.span(plan.label_delay, "label_delay")
    times = instants.values
    reasons: dict[str, Mask] = {"before train_from": times < begin}
    held = times >= cut
    if plan.holdout_until:
        reasons["at or after holdout_until"] = times >= instants.parse(plan.holdout_until, "holdout_until")
        held &= ~reasons["at or after holdout_until"]
    pool = (times >= begin) & (times < cut - delay)
    reasons["label not known when the holdout begins"] = (times >= cut - delay) & (times < cut)
    if plan.train_until:
        pool &= times < instants.parse(plan.train_until, "train_until")
        reasons["between train_until and the holdout"] = (times >= begin) & (times < cut) & ~pool
    if plan.known_by:
        reasons["known positive before the day began"] = held & _known(frame, plan, instants, positive, begin, delay)
        held &= ~reasons["known positive before the day began"]
    reasons["the live model may have trained on them"] = held & ~unseen
    held &= unseen
    validates = pool & (times >= _last_share(times[pool], plan.validation_share)) if pool.any() else pool
    trains = pool & ~validates
    if plan.group:
        trains, validates, straddling = _ungrouped(frame, plan.group, trains, validates, held)
        reasons["their group is in a later split"] = straddling
    latest = times[trains | validates].max(initial=times.min()) if len(times) else 0
    record = SplitRecord("time", (plan.time,), trained_until=instants.text(latest))
    left_out = _counted(reasons, trains | validates | held)
    return Splits(_in_order(trains, times), _in_order(validates, times), _in_order(held, times), record, left_out)


def _boundaries(instants: Instants, plan: SplitPlan) -> tuple[float, float]:
    """Return when training may begin and when the holdout begins."""
    times = instants.values
    if not len(times):
        raise SplitError("there are no rows to split; ingest a longer period")
    begin = instants.parse(plan.train_from, "train_from") if plan.train_from else times.min()
    if plan.holdout_from:
        cut = instants.parse(plan.holdout_from, "holdout_from")
        if plan.train_until and instants.parse(plan.train_until, "train_until") > cut:
            raise ParameterError(f"train_until={plan.train_until!r} is after holdout_from={plan.holdout_from!r}; train before it")
        return begin, cut
    until = instants.parse(plan.holdout_until, "holdout_until") if plan.holdout_until else np.inf
    considered = times[(times >= begin) & (times < until)]
    if not len(considered):
        raise SplitError(
            f"no row of time column {plan.time!r} is between train_from={plan.train_from!r} and holdout_until={plan.holdout_until!r}; "
            f"its times go from {instants.text(times.min())} to {instants.text(times.max())}"
        )
    return begin, _last_share(considered, plan.holdout_share)


def _last_share(times: Times, share: float) -> float:
    """Return the instant at which the last share of the times begins."""
    ordered = np.sort(times)
    return float(ordered[min(round(len(ordered) * (1 - share)), len(ordered) - 1)])


def _known(frame: pl.DataFrame, plan: SplitPlan, instants: Instants, positive: Mask | None, begin: float, delay: float) -> Mask:
    """Return the rows whose entity has a positive label that was known before the row's day began.

    Source:
        Le Borgne et al., "Reproducible Machine Learning for Credit Card Fraud Detection", chapter 3.4 (``get_train_test_set``).
    """
    if positive is None:
        raise ParameterError("known_by needs a positive class; set task=binary, or task=anomaly and a target, or leave it empty")
    if plan.known_by not in frame.columns:
        raise SchemaError(f"known_by: no column {plan.known_by!r}; {nearest(plan.known_by, frame.columns)}")
    if instants.is_number:
        raise ParameterError(f"known_by needs days, and time column {plan.time!r} holds numbers; make it a datetime")
    rows = pl.DataFrame({"entity": frame[plan.known_by], "at": instants.values, "positive": positive})
    first = rows.filter(pl.col("positive") & (pl.col("at") >= begin)).group_by("entity").agg(pl.col("at").min().alias("first"))
    day = pl.col("at") // DAY * DAY
    known = rows.join(first, on="entity", how="left", maintain_order="left").select((pl.col("first") + int(delay) < day).fill_null(False))
    return known.to_series().to_numpy()


def _ungrouped(frame: pl.DataFrame, group: str, trains: Mask, validates: Mask, held: Mask) -> tuple[Mask, Mask, Mask]:
    """Return train and validation without the rows whose group is in a later split, and those rows."""
    if group not in frame.columns:
        raise SchemaError(f"no group column {group!r}; {nearest(group, frame.columns)}")
    groups = frame[group]

    def in_groups_of(mask: Mask) -> Mask:
        return groups.is_in(groups.filter(pl.Series(mask)).unique().implode(), nulls_equal=True).to_numpy()

    kept = validates & ~in_groups_of(held)
    kept_train = trains & ~in_groups_of(held) & ~in_groups_of(kept)
    return kept_train, kept, (trains | validates) & ~kept & ~kept_train


def _in_order(mask: Mask, times: Times) -> npt.NDArray[np.int64]:
    places = np.flatnonzero(mask)
    return places[np.argsort(times[places], kind="stable")]


def _counted(reasons: dict[str, Mask], used: Mask) -> dict[str, int]:
    """Count the rows left out, each under the first reason that holds."""
    counts, waiting = {}, ~used
    for reason, mask in reasons.items():
        counts[reason] = int((mask & waiting).sum())
        waiting = waiting & ~mask
    return counts
