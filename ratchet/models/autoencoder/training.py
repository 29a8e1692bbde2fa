"""Train an autoencoder: early stopping on the validation split, then its threshold from there, then an ONNX graph that equals Keras.

The same data, parameters and seed give the same package digest: the threads, the order of the rows and the names in the graph are fixed.
"""

import shutil
import tempfile
from pathlib import Path

import numpy as np

from ratchet.data.tables import scan_dataset
from ratchet.features.spec import FeatureSpec
from ratchet.models.autoencoder.alarm import ANOMALY, alarm_threshold
from ratchet.models.autoencoder.export import check_equal, export
from ratchet.models.autoencoder.fitted import Fitted, Learnt, fit_network
from ratchet.models.autoencoder.fitting import usual
from ratchet.models.autoencoder.latent_search import Trial, search
from ratchet.models.autoencoder.native import AutoencoderNative
from ratchet.models.autoencoder.networks import hidden_sizes, latent_size, sizes
from ratchet.models.autoencoder.parameters import AutoencoderParameters
from ratchet.models.autoencoder.reconstruction import BLOCK
from ratchet.models.autoencoder.result import AutoencoderResult, ColumnError
from ratchet.models.autoencoder.rows import DatasetRows, relaid, sample
from ratchet.models.autoencoder.splits import read_splits
from ratchet.models.autoencoder.tensorflow import device_name, load_tensorflow
from ratchet.models.description import Description
from ratchet.models.package import EXAMPLE_ROWS, write_package

KERAS = "model.keras"
COMPARED = 1000  # rows on which Keras and the exported graph must agree
SHOWN = 100_000  # validation rows from which the columns' errors are told


def train_autoencoder(
    train_path: str | Path,
    validation_path: str | Path,
    specification_path: str | Path,
    package_path: str | Path,
    *,
    parameters: AutoencoderParameters | None = None,
    key: bytes | None = None,
) -> AutoencoderResult:
    """Train an autoencoder and write its package.

    Args:
        train_path: Dataset of rows that train.
        validation_path: Dataset of rows that say when to stop, and where the threshold is.
        specification_path: Feature specification; one of another task is taken as `FeatureSpec.as_anomaly` makes it.
        package_path: Folder to appear: the model package.
        parameters: How to train; None for the defaults.
        key: The key that signs the package; None for none.

    Raises:
        DataError: a number is NaN or infinite.
        EmptySampleError: there are no rows, or no normal ones.
        PackageError: the exported graph does not give what Keras gives.
        ParameterError: a parameter cannot be trained with.
        SchemaError: a column is missing, of another kind, or infinite.
    """
    how = parameters or AutoencoderParameters()
    how.check()
    spec = FeatureSpec.read(specification_path)
    spec = spec if spec.task == "anomaly" else spec.as_anomaly()
    tensorflow = load_tensorflow(how.threads)
    with tempfile.TemporaryDirectory(prefix="ratchet-rows-") as scratch:
        learnt, summary = read_splits(Path(scratch), train_path, validation_path, spec, how)
        trials: tuple[Trial, ...] = ()
        if how.latent_sizes:
            fitted, trials = search(learnt, how)
        else:
            fitted = fit_network(learnt, how, latent_size(how, len(spec.features)))
        native = Path(scratch) / "native"
        _write(fitted, learnt, native)
        errors = _errors(native, DatasetRows(validation_path, spec))
        threshold = alarm_threshold(learnt.validation.labels, errors, how)
        columns = _columns(fitted, learnt)
        nullable = tuple(name for name in spec.inputs if name in summary.nullable or name in {one.column for one in spec.impute})
        recorded = {
            **how.recorded(),
            "latent_size": fitted.latent,
            "hidden": list(hidden_sizes(how, len(spec.features))),
            "best_epoch": fitted.history.best_epoch,
        }
        description = Description("autoencoder", spec, threshold, recorded, how.seed, summary.digest.text(), nullable)
        examples = scan_dataset(validation_path).head(EXAMPLE_ROWS).collect()
        package = write_package(package_path, description, lambda folder: _copy(native, folder), examples, key=key)
        labels = learnt.validation.labels
    return AutoencoderResult(package, fitted.history, labels, errors, columns, trials, (summary.rows, len(labels)), device_name(tensorflow))


def _write(fitted: Fitted, learnt: Learnt, folder: Path) -> None:
    """Write the native files, and hold the exported graph against Keras."""
    folder.mkdir()
    fitted.asked.network.save(folder / KERAS)
    fitted.preparation.write(folder)
    export(fitted.asked.network, folder, numbers=len(fitted.preparation.numbers), sizes=sizes(fitted.preparation))
    check_equal(fitted.asked, folder, _compared(learnt))


def _copy(native: Path, folder: Path) -> None:
    shutil.copytree(native, folder, dirs_exist_ok=True)


def _errors(native: Path, rows: DatasetRows) -> np.ndarray:
    """Return each row's error to the last bit as the package will say it, so that rows which are alike lie on one side of the threshold."""
    encoder = AutoencoderNative.load(native)
    return np.concatenate([encoder.predict(matrix) for matrix, _ in rows.pieces()])


def _compared(learnt: Learnt) -> np.ndarray:
    """Return records to compare Keras and the exported graph on: of the validation rows, and where they are few, of the training rows."""
    trained = relaid(sample(learnt.train, COMPARED), learnt.train.layout, learnt.validation.layout)
    return np.concatenate([sample(learnt.validation, COMPARED), trained])[:COMPARED]


def _columns(fitted: Fitted, learnt: Learnt) -> tuple[ColumnError, ...]:
    """Return how well each column is made again, the hardest first."""
    labels, rows = learnt.validation.labels, learnt.validation
    errors = _mean_errors(fitted, sample(rows, SHOWN, np.flatnonzero(usual(labels))))[0]
    anomalies = np.flatnonzero(labels == ANOMALY)
    shares = _mean_errors(fitted, sample(rows, SHOWN, anomalies))[1].tolist() if anomalies.size else [None] * len(errors)
    found = [ColumnError(*parts) for parts in zip(fitted.preparation.columns, errors.tolist(), shares, strict=True)]
    return tuple(sorted(found, key=lambda one: -one.error))


def _mean_errors(fitted: Fitted, records: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the mean error of each column, and its mean share of a row's error, over some records: shape (columns,) each."""
    scales = np.array(fitted.preparation.scales)
    errors, shares = np.zeros(len(scales)), np.zeros(len(scales))
    for start in range(0, len(records), BLOCK):
        found = fitted.asked.ask(records[start : start + BLOCK])[1].astype(np.float64)
        errors += found.sum(axis=0)
        scaled = found / scales
        shares += (scaled / np.maximum(scaled.sum(axis=1, keepdims=True), np.finfo(np.float64).tiny)).sum(axis=0)
    return errors / len(records), shares / len(records)
