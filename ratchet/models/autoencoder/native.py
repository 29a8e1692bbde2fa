"""A trained autoencoder as a package holds it: an ONNX graph and what prepares its input, asked by onnxruntime, never by TensorFlow."""

from pathlib import Path

import numpy as np
import polars as pl


class AutoencoderNative:
    """An autoencoder that takes a feature matrix."""

    @classmethod
    def load(cls, folder: Path) -> "AutoencoderNative":
        """Load ``model.onnx`` and ``preparation.json`` of a package."""
        raise NotImplementedError

    def predict(self, matrix: pl.DataFrame) -> np.ndarray:
        """Return the reconstruction error of each row, shape (n,)."""
        raise NotImplementedError
