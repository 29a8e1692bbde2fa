"""A model that answers requests, and how long it took to: one function scores rows for the champion and for the companion alike.

What is measured is the wall time of features and prediction inside the process that holds the model, for the batch that a request was part
of. Queues, the way to a child process and back, and parsing are left out: they are the gateway's doing, not the model's, and would make
every challenger look slow. The companion scores the very batches that the champion scored, so the two times are of the same work.
"""

import logging
import time
from collections.abc import Set
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from ratchet.data.kinds import DTYPES
from ratchet.delivery.deployment import ModelRef
from ratchet.errors import PackageError
from ratchet.models.package import DESCRIPTION, Description, ModelPackage, package_digest, verify_manifest
from ratchet.serving.details import NOTHING, SHARES, Details

if TYPE_CHECKING:
    from ratchet.models.autoencoder.preparation import Preparation

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Served:
    """A verified model package and what the ledger calls it."""

    package: ModelPackage
    ref: ModelRef

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns that the shares of a row's error are of, in their order; none unless it is an autoencoder."""
        preparation = getattr(self.package.native, "preparation", None)
        return () if preparation is None else tuple(preparation.columns)

    @property
    def latent(self) -> int:
        """Numbers of an embedding; -1 where the model is loaded elsewhere, 0 unless it is an autoencoder."""
        return int(getattr(self.package.native, "latent", -1)) if self.package.kind == "autoencoder" else 0


@dataclass(frozen=True, slots=True)
class Scored:
    """What a model made of some rows.

    Attributes:
        predictions: float64, shape (n,) or (n, k).
        milliseconds: Features and prediction, for the whole batch that these rows were part of.
        details: What was wanted beside the predictions, by name, and what others in the batch wanted.
    """

    predictions: np.ndarray
    milliseconds: float
    details: Details = field(default_factory=dict)


@dataclass(frozen=True, slots=True, eq=False)
class Answer:
    """What a client gets.

    Attributes:
        predictions: float64, shape (n,) or (n, k), all finite.
        version: Of the model that made them.
        role: "champion", "challenger" or "previous".
        decided: Class names, or the values of a regression; n of them.
        phase: Of the deployment, when the request came.
        generation: Of the deployment, when the request came.
        details: What was wanted beside the predictions, by name, all finite.
        columns: Those that the shares among the details are of.
    """

    predictions: np.ndarray
    version: str
    role: str
    decided: list[str | float]
    phase: str
    generation: int
    details: Details = field(default_factory=dict)
    columns: tuple[str, ...] = ()


class Elsewhere:
    """The native model of a package that is loaded in another process; here it cannot be asked.

    Attributes:
        preparation: What an autoencoder's file of that name says, which is JSON and needs no parser of models; None for another kind.
    """

    def __init__(self, preparation: "Preparation | None" = None) -> None:
        """Know this much of it."""
        self.preparation = preparation

    def predict(self, matrix: pl.DataFrame) -> np.ndarray:
        """Refuse.

        Raises:
            PackageError: always.
        """
        raise PackageError("this model runs in a child process; ask its companion")


def score(package: ModelPackage, frame: pl.DataFrame, wants: Set[str] = NOTHING) -> Scored:
    """Score a batch and measure the time that it takes.

    Args:
        package: The model.
        frame: n rows of values that `RowChecker` took, for this model or for the one beside it, which may read a column as another kind.
        wants: The details to compute as well; only of an autoencoder.

    Raises:
        SchemaError: an input is missing or of another kind.
        PackageError: the model answers another number of rows than it was asked.
    """
    begun = time.perf_counter()
    types = dict(zip(frame.columns, frame.dtypes, strict=True))
    checked = all(types.get(name) == DTYPES[kind] for name, kind in package.spec.inputs.items())
    details: Details = {}
    if wants:
        encoded = package.encode(frame, shares=SHARES in wants, checked=checked)
        predictions, details = encoded.errors, {name: getattr(encoded, name) for name in sorted(wants)}
    else:
        predictions = np.asarray(package.predict(frame, checked=checked), dtype=np.float64)
    milliseconds = (time.perf_counter() - begun) * 1000
    for made in (predictions, *details.values()):
        if made.shape[:1] != (frame.height,):
            raise PackageError(f"model {package.digest[:19]} answered {made.shape} for {frame.height} rows; do not deploy it")
    return Scored(predictions, milliseconds, details)


def alarms(package: ModelPackage, errors: np.ndarray) -> np.ndarray:
    """Return which rows an autoencoder calls anomalies: bool, shape (n,)."""
    return np.asarray(package.decide(errors) == package.spec.classes[1])


def describe(folder: Path, ref: ModelRef, key: bytes | None) -> Served:
    """Verify a package and read what it says of itself, without giving its native file to a parser in this process.

    Args:
        folder: The package.
        ref: As the ledger names it.
        key: The key that signed it; None for none.

    Raises:
        PackageError: it is damaged, or another package.
    """
    verify_manifest(folder, key=key)
    description = Description.from_json((folder / DESCRIPTION).read_text(encoding="utf-8"), str(folder))
    digest = _checked(package_digest(folder, description.kind), ref)
    return Served(ModelPackage(folder, digest, description, Elsewhere(_preparation(folder, description.kind))), ref)


def load(folder: Path, ref: ModelRef, key: bytes | None) -> Served:
    """Verify a package and load its model into this process, warm: a model's first prediction takes many times as long as any other.

    Raises:
        PackageError: it is damaged, not signed with that key, or another package.
    """
    package = ModelPackage.load(folder, key=key)
    _checked(package.digest, ref)
    try:
        rows, _ = package.examples()
        for count in (rows.height, 1):
            package.predict(rows.head(count))
    except Exception as error:  # whether it may answer was decided elsewhere; here it was to be warm
        log.warning("%s does not score its own examples: %s", ref, error)
    return Served(package, ref)


def _preparation(folder: Path, kind: str) -> "Preparation | None":
    if kind != "autoencoder":
        return None
    from ratchet.models.autoencoder.preparation import Preparation

    return Preparation.read(folder)


def _checked(found: str, ref: ModelRef) -> str:
    if found != ref.digest:
        raise PackageError(f"package at {ref.uri!r} has digest {found}, but {ref} is deployed: it was replaced. Register the model again")
    return found
