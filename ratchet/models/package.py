"""The model package: one folder in which a model travels from training to comparison, registry and serving.

    model.cbm         the native file, with nothing in it that changes from run to run; an autoencoder has model.onnx and preparation.json
    ratchet.json      kind, feature specification, threshold, parameters, seed, digest of the training data
    examples.parquet  up to 100 recorded rows with their predictions, to replay wherever the package is loaded
    encoder/          in a stacked model only: a whole copy of the autoencoder's package that it reads beside its own features
    MLmodel           makes it an MLflow model too; its loader is `ratchet.models.mlflow_flavor`
    MANIFEST.sha256   a digest of every file above

It loads only after the manifest holds. There is no pickle in it: whoever can write a pickle can run code wherever it is read.
"""

import hashlib
import os
import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, cast

import numpy as np
import polars as pl

from ratchet.data.absent import is_absent
from ratchet.errors import PackageError
from ratchet.features.spec import FeatureSpec
from ratchet.models.description import DESCRIPTION, NATIVE, Description
from ratchet.models.manifest import verify_manifest, write_manifest
from ratchet.models.mlmodel import write_mlmodel
from ratchet.models.stacking import ENCODER, stacked_matrix

if TYPE_CHECKING:
    from ratchet.models.autoencoder.native import AutoencoderNative, Encoded

__all__ = ["DESCRIPTION", "Description", "ModelPackage", "load_champion", "package_digest", "verify_manifest", "write_package"]

EXAMPLES = "examples.parquet"
EXAMPLE_ROWS = 100
RECORDED = "ratchet_prediction_"


class Native(Protocol):
    """A loaded native model."""

    def predict(self, matrix: pl.DataFrame) -> np.ndarray:
        """Return probabilities or values: shape (n,), or (n, k) for k classes."""
        ...


@dataclass(frozen=True)
class ModelPackage:
    """A model package whose manifest held.

    Attributes:
        path: Its folder.
        digest: ``sha256:`` and the digest of native model and description: same data, parameters and seed, same digest.
        description: What ``ratchet.json`` says.
        native: The loaded model.
        nested: The autoencoder within a stacked package; None in any other.
    """

    path: Path
    digest: str
    description: Description
    native: Native
    nested: "ModelPackage | None" = None

    @classmethod
    def load(cls, path: str | Path, *, key: bytes | None = None) -> "ModelPackage":
        """Verify a package and load its model.

        Args:
            path: Its folder.
            key: The key that signed it; None for none.

        Raises:
            PackageError: it is damaged, not signed with that key, or of an unknown kind.
        """
        folder = Path(path)
        verify_manifest(folder, key=key)
        description = Description.from_json((folder / DESCRIPTION).read_text(encoding="utf-8"), str(folder))
        nested = _load_nested(folder, description, key)
        return cls(folder, package_digest(folder, description.kind), description, _load_native(folder, description), nested)

    @property
    def kind(self) -> str:
        """What trained it."""
        return self.description.kind

    @property
    def spec(self) -> FeatureSpec:
        """What it reads and predicts."""
        return self.description.spec

    @property
    def threshold(self) -> float | None:
        """At or above it a row is called positive."""
        return self.description.threshold

    @property
    def parameters(self) -> Mapping[str, Any]:
        """Of the training, costs included."""
        return self.description.parameters

    @property
    def seed(self) -> int:
        """Of the training."""
        return self.description.seed

    @property
    def training_digest(self) -> str:
        """Content digest of the rows that trained it."""
        return self.description.training_digest

    @property
    def size_bytes(self) -> int:
        """Size of the folder."""
        return sum(file.stat().st_size for file in self.path.rglob("*") if file.is_file())

    def predict(self, frame: pl.DataFrame, *, checked: bool = False) -> np.ndarray:
        """Predict rows of raw columns; the features are made here.

        Args:
            frame: n rows with the columns that the specification's ``inputs`` names; others are not looked at.
            checked: Each value was checked already, as `ratchet.serving.rows.RowChecker` does.

        Returns:
            float64: shape (n,), the probability of the positive class, the value, or the reconstruction error; shape (n, k) for k classes.

        Raises:
            SchemaError: an input is missing, of another kind, or infinite.
        """
        return self.native.predict(self.matrix(frame, checked=checked))

    def matrix(self, frame: pl.DataFrame, *, checked: bool = False) -> pl.DataFrame:
        """Return what the native model reads: the features, and in a stacked model what the encoder makes of the same rows.

        Args:
            frame: As for `predict`.
            checked: As for `predict`.

        Raises:
            SchemaError: as for `predict`.
        """
        return stacked_matrix(self.spec, self.nested, frame, self.description.encoder, checked=checked)

    def encode(self, frame: pl.DataFrame, shares: bool = False, *, checked: bool = False) -> "Encoded":
        """Return what an autoencoder makes of rows: embeddings, reconstruction errors, and each column's share of them.

        Args:
            frame: As for `predict`.
            shares: Say each column's share of its row's error, too.
            checked: As for `predict`.

        Raises:
            PackageError: it is no autoencoder.
            SchemaError: as for `predict`.
        """
        return self.encoder.encode(self.spec.matrix(frame, checked=checked), shares)

    @property
    def encoder(self) -> "AutoencoderNative":
        """The loaded autoencoder.

        Raises:
            PackageError: it is no autoencoder.
        """
        if self.kind != "autoencoder":
            raise PackageError(f"package {str(self.path)!r} is of kind {self.kind!r}, which encodes nothing; pass an autoencoder's")
        return cast("AutoencoderNative", self.native)

    def decide(self, predictions: np.ndarray) -> np.ndarray:
        """Return what predictions mean: class names, or the values themselves for a regression.

        Args:
            predictions: As `predict` returns them.
        """
        if self.spec.task == "regression":
            return predictions
        if self.spec.task in ("binary", "anomaly"):
            return np.asarray(self._classes[(predictions >= (0.5 if self.threshold is None else self.threshold)).astype(int)])
        return np.asarray(self._classes[predictions.argmax(axis=1)])

    @cached_property
    def _classes(self) -> np.ndarray:
        return np.array(self.spec.classes)

    def examples(self) -> tuple[pl.DataFrame, np.ndarray]:
        """Return the recorded rows and the predictions that training made of them."""
        frame = pl.read_parquet(self.path / EXAMPLES)
        made = [name for name in frame.columns if name.startswith(RECORDED)]
        predictions = frame.select(made).to_numpy().astype(np.float64)
        return frame.drop(made), predictions[:, 0] if len(made) == 1 else predictions


def load_champion(path: str | Path) -> ModelPackage | None:
    """Return the champion's package, or None for the mark that there is none.

    Raises:
        PackageError: it is damaged.
    """
    return None if is_absent(path) else ModelPackage.load(path)


def write_package(
    path: str | Path,
    description: Description,
    write_native: Callable[[Path], None],
    examples: pl.DataFrame,
    *,
    key: bytes | None = None,
) -> ModelPackage:
    """Write a package, which appears whole or not at all, and return it as loaded from there.

    Args:
        path: Folder to appear.
        description: What ``ratchet.json`` will say.
        write_native: Writes the native files of its kind, and what else is to travel with them, into the folder it is given.
        examples: Rows to record, with the raw columns; the first 100 are kept.
        key: The key that signs; None for none.

    Raises:
        PackageError: the folder is there already.
    """
    target = Path(path)
    staging = target.with_name(f".{target.name}.part")
    shutil.rmtree(staging, ignore_errors=True)
    staging.mkdir(parents=True)
    try:
        write_native(staging)
        (staging / DESCRIPTION).write_text(description.to_json(), encoding="utf-8")
        rows = examples.select(list(description.spec.inputs)).head(EXAMPLE_ROWS)
        loaded = ModelPackage(staging, "", description, _load_native(staging, description), _load_nested(staging, description, key))
        predictions = np.atleast_2d(loaded.predict(rows).T)
        rows.with_columns(pl.Series(f"{RECORDED}{i}", column) for i, column in enumerate(predictions)).write_parquet(staging / EXAMPLES)
        write_mlmodel(staging, description.spec, description.nullable)
        write_manifest(staging, key)
        _put(staging, target)
    finally:
        shutil.rmtree(staging, ignore_errors=True)
    return ModelPackage.load(target, key=key)


def package_digest(folder: Path, kind: str) -> str:
    """Return ``sha256:`` and the digest of the native model and the description, and of the encoder within a stacked package."""
    digest = hashlib.sha256()
    for name in (*NATIVE[kind], DESCRIPTION):
        content = (folder / name).read_bytes()
        digest.update(f"{name} {len(content)}\n".encode() + content)
    if (folder / ENCODER).is_dir():
        digest.update(package_digest(folder / ENCODER, "autoencoder").encode())
    return f"sha256:{digest.hexdigest()}"


def _put(staging: Path, target: Path) -> None:
    if target.exists():
        raise PackageError(f"{str(target)!r} is there already; name a folder that is not, so that no package is written over")
    for file in (*staging.rglob("*"), staging):
        descriptor = os.open(file, os.O_RDONLY)
        os.fsync(descriptor)
        os.close(descriptor)
    staging.rename(target)


def _load_nested(folder: Path, description: Description, key: bytes | None) -> ModelPackage | None:
    """Verify and load the encoder within a stacked package; None where the package is not stacked."""
    needed = description.encoder
    if needed is None:
        return None
    nested = ModelPackage.load(folder / ENCODER, key=key)
    if nested.digest != needed.digest or nested.kind != "autoencoder":
        raise PackageError(
            f"package {str(folder)!r} needs the encoder {needed.digest[:19]} and holds {nested.digest[:19]} of kind {nested.kind!r}; "
            "fetch the package again"
        )
    return nested


def _load_native(folder: Path, description: Description) -> Native:
    if description.kind == "autoencoder":
        from ratchet.models.autoencoder.native import AutoencoderNative

        return AutoencoderNative.load(folder)
    from ratchet.models.boosting import CatBoostNative

    return CatBoostNative.load(folder, description.spec.task)
