"""What MLflow loads a package with: the same verified package, answering as the gateway does, with probabilities."""

from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from ratchet.models.package import ModelPackage

if TYPE_CHECKING:
    import pandas as pd


class PackagePredictor:
    """The object behind ``mlflow.pyfunc.load_model``."""

    def __init__(self, package: ModelPackage) -> None:
        """Answer with a package's predictions."""
        self.package = package

    def predict(self, model_input: "pd.DataFrame", params: dict[str, Any] | None = None) -> np.ndarray:
        """Return the package's predictions.

        Args:
            model_input: n rows with named columns.
            params: Not used; MLflow passes it.

        Returns:
            As `ModelPackage.predict`.
        """
        return self.package.predict(pl.from_pandas(model_input))


def _load_pyfunc(path: str) -> PackagePredictor:
    """Load a package for MLflow, which calls this by name."""
    return PackagePredictor(ModelPackage.load(path))
