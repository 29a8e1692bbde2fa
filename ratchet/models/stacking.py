"""A boosting model that reads an autoencoder's embedding, its error, or both, beside its own features.

A stacked package holds a whole copy of the autoencoder's package, so whoever serves it cannot mix versions of the two. The columns are made
here, from raw rows, in training and in serving alike.
"""

import shutil
from collections.abc import Collection
from pathlib import Path
from typing import TYPE_CHECKING

import polars as pl

from ratchet.errors import ParameterError, SchemaError
from ratchet.features.spec import FeatureSpec
from ratchet.models.description import ENCODED, NeededEncoder
from ratchet.models.manifest import ADDED_BY_MLFLOW

if TYPE_CHECKING:
    from ratchet.models.package import ModelPackage

ENCODER = "encoder"  # folder of the copy, and how the columns begin
ERROR = f"{ENCODER}_error"


def stacked_matrix(
    spec: FeatureSpec, encoder: "ModelPackage | None", frame: pl.DataFrame, needed: NeededEncoder | None = None, *, checked: bool = False
) -> pl.DataFrame:
    """Return what a boosting model reads of rows: its features, and what its encoder makes of the same rows.

    Args:
        spec: Of the boosting model.
        encoder: The autoencoder that it is stacked on; None for none.
        frame: n rows of raw columns.
        needed: Says what is read of the encoder; None for all.
        checked: Each value was checked already.

    Returns:
        The features, then ``encoder_0`` … ``encoder_{k-1}`` and ``encoder_error``, as far as they are read, all Float64, for an
        embedding of k numbers.

    Raises:
        SchemaError: an input is missing, of another kind, or infinite.
    """
    matrix = spec.matrix(frame, checked=checked)
    if encoder is None:
        return matrix
    same = encoder.spec == spec.as_anomaly()  # as it is where both are trained from one specification: features are made once
    encoded = encoder.encoder.encode(matrix) if same else encoder.encode(frame, checked=checked)
    made = [pl.Series(f"{ENCODER}_{place}", column.astype("float64")) for place, column in enumerate(encoded.embedding.T)]
    read = {"embedding": made, "error": [pl.Series(ERROR, encoded.errors)]}
    return matrix.with_columns(column for name in (needed.outputs if needed else ENCODED) for column in read[name])


def check_encoder(encoder: "ModelPackage", spec: FeatureSpec) -> None:
    """Refuse a package that cannot be read beside a specification's features.

    Args:
        encoder: The autoencoder's package.
        spec: Of the boosting model.

    Raises:
        PackageError: it is no autoencoder.
        SchemaError: it reads a column that the specification does not, or a feature has the name of one of its columns.
    """
    width = encoder.encoder.latent
    for name, kind in encoder.spec.inputs.items():
        if spec.inputs.get(name) != kind:
            has = f"reads it as {spec.inputs[name]}" if name in spec.inputs else "does not read it"
            raise SchemaError(
                f"the encoder reads column {name!r} as {kind}, and the model that is to be stacked on it {has}; "
                "train both from one specification, the output of one features step"
            )
    taken = {ERROR, *(f"{ENCODER}_{place}" for place in range(width))} & set(spec.features)
    if taken:
        raise SchemaError(f"feature {min(taken)!r} has the name of a column that the encoder makes; rename it")


def name_encoder(encoder: "ModelPackage", name: str, version: str, outputs: Collection[str] = ()) -> NeededEncoder:
    """Return how a stacked package names its encoder.

    Args:
        encoder: The autoencoder's package.
        name: Deployment that it is registered for; empty where it is not registered.
        version: Its version in the registry; empty likewise.
        outputs: What the model reads of it, of ``ENCODED``; empty for all.

    Raises:
        ParameterError: only one of name and version is given, or an output is none of these.
    """
    if bool(name) != bool(version):
        raise ParameterError(f"encoder_name is {name!r} and encoder_version {version!r}; give both, as register returned them, or neither")
    if unknown := [one for one in outputs if one not in ENCODED]:
        raise ParameterError(f"encoder_outputs has {unknown[0]!r}; give 'embedding', 'error', or both")
    return NeededEncoder(name, version, encoder.digest, tuple(one for one in ENCODED if one in outputs or not outputs))


def copy_encoder(encoder: "ModelPackage", folder: Path) -> None:
    """Put a copy of the encoder's package into a package that is being written."""
    shutil.copytree(encoder.path, folder / ENCODER, ignore=shutil.ignore_patterns(ADDED_BY_MLFLOW))
