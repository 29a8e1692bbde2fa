"""What a local run of ``delivery`` has written, as ``make realdata`` reads it: its holdout, its model's predictions there, its metrics."""

import json
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
import polars as pl

from ratchet.data.tables import read_dataset
from ratchet.models.package import ModelPackage


@dataclass(frozen=True)
class Artifacts:
    """The artifacts of one run.

    Attributes:
        folder: The run's folder.
    """

    folder: Path

    @cached_property
    def holdout(self) -> pl.DataFrame:
        """The rows that judged."""
        return read_dataset(self._one("features", "holdout"))

    @cached_property
    def predictions(self) -> np.ndarray:
        """The package's predictions of the holdout."""
        return ModelPackage.load(self._one("train-boosting", "model")).predict(self.holdout)

    @property
    def metrics(self) -> dict[str, float]:
        """What ``evaluate`` has measured."""
        written = json.loads(self._one("evaluate", "executor_output.json").read_text(encoding="utf-8"))
        return {
            name: float(value)
            for name, value in written["artifacts"]["scores"]["artifacts"][0]["metadata"].items()
            if name != "display_name"
        }

    def _one(self, step: str, name: str) -> Path:
        found = sorted(self.folder.glob(f"*/{step}/{name}"))
        if len(found) != 1:
            raise SystemExit(f"realdata: {len(found)} artifacts {step}/{name} below {self.folder}; the run did not come that far")
        return found[0]
