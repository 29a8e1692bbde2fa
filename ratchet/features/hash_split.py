"""The split of rows that have no time: by a number that belongs to the row for ever (`shares`)."""

import numpy as np
import numpy.typing as npt
import polars as pl

from ratchet.features.shares import stable_shares
from ratchet.features.spec import SplitRecord
from ratchet.features.split_plan import Mask, SplitPlan, Splits

SALT = "ratchet-holdout-1"


def split_by_hash(frame: pl.DataFrame, plan: SplitPlan, unseen: Mask, classes: pl.Series | None) -> Splits:
    """Split rows by their stable number.

    Args:
        frame: The rows.
        plan: How.
        unseen: shape (rows,), rows that may judge.
        classes: shape (rows,), class of each row; each is dealt alike to train and validation. None in regression.

    Returns:
        The splits. Rows that ``plan.record_columns`` cannot tell apart share one.
    """
    shares = stable_shares(frame, plan.record_columns, SALT)
    held = shares < plan.holdout_share
    validates = lowest_share(shares, ~held, plan.validation_share, None if plan.group else classes)
    record = SplitRecord("hash", plan.record_columns, plan.holdout_share, SALT)
    left_out = {"the live model may have trained on them": int((held & ~unseen).sum())}
    return Splits(np.flatnonzero(~held & ~validates), np.flatnonzero(validates), np.flatnonzero(held & unseen), record, left_out)


def lowest_share(shares: npt.NDArray[np.float64], among: Mask, share: float, classes: pl.Series | None) -> Mask:
    """Return the rows of the lowest numbers, as many as a share of them, of each class alike.

    Args:
        shares: shape (rows,), each row's number.
        among: shape (rows,), rows to choose from.
        share: How many of these, 0 to 1; one of a class at least.
        classes: shape (rows,), or None for one class.

    >>> lowest_share(np.array([0.4, 0.1, 0.3, 0.2]), np.array([True, False, True, True]), 0.5, None).tolist()
    [False, False, True, True]
    """
    chosen = np.zeros(len(shares), bool)
    strata = pl.Series(["all"]).new_from_index(0, len(shares)) if classes is None else classes
    for stratum in strata.unique():
        pool = np.flatnonzero(strata.is_in([stratum], nulls_equal=True).to_numpy() & among)
        if len(pool):
            last = np.sort(shares[pool])[max(round(share * len(pool)) - 1, 0)]
            chosen[pool[shares[pool] <= last]] = True
    return chosen
