"""What a local run has written, as ``make realdata`` reads it: its holdout, its model's predictions there, its metrics."""

import json
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
import polars as pl

from ratchet.data.tables import read_dataset
from ratchet.models.package import ModelPackage

TRAINED_BY = {"delivery": "train-boosting", "autoencoder_delivery": "train-autoencoder", "stacked_delivery": "train-stacked"}
EVALUATED_BY = {"stacked_delivery": "evaluate-2"}  # as KFP names the second of two; the first measures the autoencoder below


@dataclass(frozen=True)
class Artifacts:
    """The artifacts of one run.

    Attributes:
        folder: The run's folder.
        pipeline: What ran.
    """

    folder: Path
    pipeline: str = "delivery"

    @cached_property
    def holdout(self) -> pl.DataFrame:
        """The rows that judged."""
        return read_dataset(self.path("features", "holdout"))

    @cached_property
    def package(self) -> ModelPackage:
        """What was trained."""
        return ModelPackage.load(self.path(TRAINED_BY[self.pipeline], "model"))

    @cached_property
    def predictions(self) -> np.ndarray:
        """The package's predictions of the holdout."""
        return self.package.predict(self.holdout)

    @property
    def metrics(self) -> dict[str, float]:
        """What ``evaluate`` has measured."""
        step = EVALUATED_BY.get(self.pipeline, "evaluate")
        written = json.loads(self.path(step, "executor_output.json").read_text(encoding="utf-8"))
        return {
            name: float(value)
            for name, value in written["artifacts"]["scores"]["artifacts"][0]["metadata"].items()
            if name != "display_name"
        }

    def path(self, step: str, name: str) -> Path:
        """Return where an artifact of a step lies."""
        found = sorted(self.folder.glob(f"*/{step}/{name}"))
        if len(found) != 1:
            raise SystemExit(f"realdata: {len(found)} artifacts {step}/{name} below {self.folder}; the run did not come that far")
        return found[0]
