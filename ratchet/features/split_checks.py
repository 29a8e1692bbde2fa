"""What splits must hold before anything is trained on them: rows in each, and in classification the classes that each needs.

Anomalies may be missing anywhere, because what is normal is learnt, and judged where need be on injected anomalies; normal rows may not.
"""

import polars as pl

from ratchet.errors import SplitError
from ratchet.features.split_plan import Mask, SplitPlan, Splits

_REMEDY = "ingest more rows, change holdout_share and validation_share, or move the boundaries"


def check_splits(parts: Splits, plan: SplitPlan, classes: pl.Series | None, anomalous: Mask | None = None) -> None:
    """Refuse splits that cannot train, choose or judge.

    Args:
        parts: The splits.
        plan: How they were made.
        classes: shape (rows,), class of each row; None in regression.
        anomalous: shape (rows,), which rows are known to be anomalies, in "anomaly"; None otherwise.

    Raises:
        SplitError: a split is empty, has one class only, or has a class that training has not; in "anomaly", has anomalies only.
    """
    named = {"train": parts.train, "validation": parts.validation, "holdout": parts.holdout}
    sizes = ", ".join(f"{name} {len(places):,}" for name, places in named.items())
    away = ", ".join(f"{count:,} because {reason}" for reason, count in parts.left_out.items() if count)
    told = f"{sizes} rows" + (f"; left out: {away}" if away else "")
    for name, places in named.items():
        if not len(places):
            raise SplitError(f"the {name} split is empty ({told}); {_REMEDY}")
    by = f"time column {plan.time!r}" if plan.time else "a stable hash"
    by = f"column {plan.given!r}" if plan.given else by
    if anomalous is not None:
        for name, places in named.items():
            if anomalous[places].all():
                raise SplitError(f"the {name} split, made by {by}, has anomalies only ({told}); {_REMEDY}")
        return
    if classes is None:
        return
    trained = set(classes.gather(parts.train).unique())
    for name, places in named.items():
        found = set(classes.gather(places).unique())
        if len(found) < 2:
            only = next(iter(found))
            raise SplitError(f"the {name} split, made by {by}, has the class {only!r} only ({told}); {_REMEDY}")
        if found - trained:
            new = sorted(found - trained)[0]
            raise SplitError(f"the {name} split has the class {new!r}, which the train split has not ({told}); {_REMEDY}")
