"""A trained autoencoder as a package holds it: an ONNX graph and what prepares its input, asked by onnxruntime, never by TensorFlow.

A row's numbers do not depend on the rows beside it, to the last bit, so that a request and a batch agree: rows go in blocks of a fixed
size (kernels differ in how they end an odd number of rows), each block on one thread (to split a sum over threads changes its order).
Many blocks are asked by several threads of ours.
"""

import os
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from ratchet.errors import PackageError
from ratchet.models.autoencoder.preparation import Preparation, Prepared

if TYPE_CHECKING:
    from onnxruntime import InferenceSession, NodeArg

MODEL = "model.onnx"
OUTPUTS = ("embedding", "errors")
BLOCK = 16  # rows; fewer are filled up
CHUNK = 4096  # rows that are in the processor's cache at a time
THREADS = 4  # at most


@dataclass(frozen=True, slots=True)
class Encoded:
    """What an autoencoder says of n rows.

    Attributes:
        embedding: float32, shape (n, k).
        errors: float64, shape (n,): the reconstruction error of each row, 0 or above.
        shares: float64, shape (n, columns): each column's share of its row's error, in the order of `Preparation.columns`, rows summing to
            1; None where not asked for.
    """

    embedding: np.ndarray
    errors: np.ndarray
    shares: np.ndarray | None = None


class AutoencoderNative:
    """An autoencoder that takes a feature matrix."""

    def __init__(self, session: "InferenceSession", preparation: Preparation, *, where: str = MODEL, threads: int = THREADS) -> None:
        """Wrap a session of onnxruntime.

        Args:
            session: Of the graph, on one thread.
            preparation: What its inputs are made by.
            where: The graph's file, for messages.
            threads: That ask for many rows; one asks for few.

        Raises:
            PackageError: the graph has other inputs or outputs than these columns need.
        """
        self.session = session
        self.preparation = preparation
        self.threads = threads
        self._where = where
        self._scales = np.array(preparation.scales)
        numbers, categories = len(preparation.numbers), len(preparation.categories)
        takes = {"numbers": numbers, "missing": numbers, "categories": categories}
        self._check("inputs", session.get_inputs(), {name: columns for name, columns in takes.items() if columns})
        self._check("outputs", session.get_outputs(), {"embedding": None, "errors": numbers + categories})

    @classmethod
    def load(cls, folder: Path, *, threads: int = 0) -> "AutoencoderNative":
        """Load ``model.onnx`` and ``preparation.json`` of a package.

        Args:
            folder: The package.
            threads: That ask for many rows; 0 for one a processor, 4 at most.

        Raises:
            PackageError: onnxruntime cannot read the graph, or it does not fit the preparation.
        """
        preparation = Preparation.read(folder)
        path = folder / MODEL
        return cls(open_session(path), preparation, where=str(path), threads=threads or min(THREADS, os.cpu_count() or 1))

    @cached_property
    def latent(self) -> int:
        """Number of columns of an embedding."""
        width = len(self.preparation.numbers), len(self.preparation.categories)
        none = np.empty((0, width[0]), dtype=np.float32)
        return int(self._run(Prepared(none, none, np.empty((0, width[1]), dtype=np.int32)))[0].shape[1])

    @cached_property
    def _pool(self) -> ThreadPoolExecutor:
        return ThreadPoolExecutor(self.threads, "encode")

    def predict(self, matrix: pl.DataFrame) -> np.ndarray:
        """Return the reconstruction error of each row.

        Args:
            matrix: n rows of features, as `FeatureSpec.matrix` makes them.

        Returns:
            float64, shape (n,): the mean over the columns of error / scale.

        Raises:
            DataError: a number is NaN or infinite.
            PackageError: the network gives what is no number.
        """
        return self.encode(matrix).errors

    def encode(self, matrix: pl.DataFrame, shares: bool = False) -> Encoded:
        """Return embeddings and errors.

        Args:
            matrix: n rows of features, as `FeatureSpec.matrix` makes them.
            shares: Say each column's share of its row's error, too.

        Raises:
            DataError: a number is NaN or infinite.
            PackageError: the network gives what is no number.
        """
        starts = range(0, matrix.height, CHUNK)
        if len(starts) <= 1:
            return self._encode(matrix, 0, shares)
        parts = list(self._pool.map(lambda start: self._encode(matrix.slice(start, CHUNK), start, shares), starts))
        return Encoded(
            np.concatenate([part.embedding for part in parts]),
            np.concatenate([part.errors for part in parts]),
            np.concatenate([part.shares for part in parts if part.shares is not None]) if shares else None,
        )

    def _encode(self, matrix: pl.DataFrame, before: int, shares: bool) -> Encoded:
        embedding, found = self._run(self.preparation.prepare(matrix, before=before))
        if not (np.isfinite(found).all() and np.isfinite(embedding).all()):
            raise PackageError(self._no_number(embedding, found, before))
        parts = np.divide(found, self._scales, dtype=np.float64)
        total = parts.sum(axis=1)
        errors = total / len(self._scales)
        if not shares:
            return Encoded(embedding, errors)
        even = 1 / len(self._scales)  # nothing to share out where a row is as the network makes it
        return Encoded(embedding, errors, np.divide(parts, total[:, None], out=np.full_like(parts, even), where=total[:, None] > 0))

    def _run(self, rows: Prepared) -> tuple[np.ndarray, np.ndarray]:
        """Return embedding and errors of prepared rows; blocks are filled up with zeros, which are any row."""
        height = len(rows.categories)
        lacking = -height % BLOCK if height else BLOCK
        fed = rows.inputs()
        if lacking:
            fed = {name: np.concatenate([part, np.zeros((lacking, part.shape[1]), part.dtype)]) for name, part in fed.items()}
        try:
            embedding, errors = self.session.run(OUTPUTS, fed)
        except Exception as error:  # onnxruntime's own errors share no class but this
            raise PackageError(f"{self._where!r} does not run ({_first_line(error)}); train it again") from error
        return embedding[:height], errors[:height]

    def _no_number(self, embedding: np.ndarray, errors: np.ndarray, before: int) -> str:
        row = int(np.argmin(np.isfinite(errors).all(axis=1) & np.isfinite(embedding).all(axis=1)))
        wrong = ~np.isfinite(errors[row])
        what = f"an error of {errors[row][wrong][0]} in column {self.preparation.columns[int(wrong.argmax())]!r}" if wrong.any() else ""
        return f"{self._where!r} gives {what or 'an embedding that is not finite'} for row {before + row}; train it again"

    def _check(self, what: str, found: "Sequence[NodeArg]", wanted: Mapping[str, int | None]) -> None:
        """Refuse a graph that was not exported with this preparation."""
        widths = {one.name: one.shape[-1] if one.shape else None for one in found}
        known = {name: width for name, width in widths.items() if isinstance(width, int) and wanted.get(name) is not None}
        if set(widths) != set(wanted) or any(width != wanted[name] for name, width in known.items()):
            raise PackageError(f"{self._where!r} has {what} {widths}, its preparation needs {dict(wanted)}; train it again")


def open_session(path: Path) -> "InferenceSession":
    """Return a session of onnxruntime on one thread, which says nothing and sends nothing.

    Raises:
        PackageError: onnxruntime cannot read the file.
    """
    import onnxruntime

    onnxruntime.disable_telemetry_events()
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.use_deterministic_compute = True
    options.log_severity_level = 4  # what fails is raised
    try:
        return onnxruntime.InferenceSession(path.read_bytes(), options, providers=["CPUExecutionProvider"])
    except Exception as error:  # onnxruntime's own errors share no class but this
        raise PackageError(
            f"{str(path)!r} is no ONNX graph that onnxruntime reads ({_first_line(error)}); fetch the package again"
        ) from error


def _first_line(error: Exception) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0]
