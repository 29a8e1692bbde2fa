"""Artifacts of a run that never was, for tests of what is measured on them."""

from typing import Any

import numpy as np
import polars as pl

from scripts.realdata_run import Artifacts


class Run(Artifacts):
    """Artifacts that were not written."""

    def __init__(self, holdout: pl.DataFrame, predictions: list[float] | None = None, **further: Any) -> None:
        vars(self).update(holdout=holdout, predictions=np.array(predictions or []), **further)
